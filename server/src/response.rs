//! Owns what an answer on an HTTP port looks like, on a node's and on the front-end's. Knows no question.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::metrics;

/// An answer of which all is known at once.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Words for people.
pub(crate) fn text(status: StatusCode, body: &str) -> Answer {
    typed(status, "text/plain; charset=utf-8", body.to_owned())
}

/// A value for programs.
pub(crate) fn json(value: &serde_json::Value) -> Answer {
    typed(StatusCode::OK, "application/json", format!("{value}\n"))
}

/// Metrics, as [`metrics::encode`] writes them.
pub(crate) fn metrics(text: String) -> Answer {
    typed(StatusCode::OK, metrics::CONTENT_TYPE, text)
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
