//! Owns the first bytes of a connection from a trusted load balancer: a header of the PROXY protocol, version 1 or
//! 2, that says whose connection it is, or none. What such a header means for the connection is not known here.
//!
//! <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>

use std::io;
use std::net::IpAddr;

use bytes::{Buf, BytesMut};
use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::connection::SIGNATURE_V2;

/// How a header of version 1 begins (section 2.1).
const SIGNATURE_V1: &[u8] = b"PROXY ";
/// Longest header of version 1, with its end of line (section 2.1).
const BYTES_V1_MAX: usize = 107;
/// What of a header of version 2 is always there: signature, command, family, length.
const BYTES_V2_MIN: usize = SIGNATURE_V2.len() + 4;
/// Longest header of version 2 that is read: senders keep it within 536 bytes (section 2.2), some add certificates.
const BYTES_V2_MAX: usize = 4 * 1_024;
/// Bytes asked for at once: a header, and as a rule nothing behind it.
const READ_BYTES: usize = 256;

/// What a connection's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// They are no header: the bytes are the client's own.
    NoHeader,
    /// A header so many bytes long, and the address it names: none where the load balancer speaks for itself.
    Header(usize, Option<IpAddr>),
}

/// Why a header could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("not a header of the PROXY protocol, though it begins like one")]
    Malformed,
    #[error("it breaks off in the middle")]
    CutOff,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Takes a header off the stream, if there is one: the address it names, and bytes that were read behind it.
/// What was read stays in `input` where this is given up.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
) -> Result<Option<IpAddr>, HeaderError> {
    loop {
        match judge(input)? {
            Some(First::NoHeader) => return Ok(None),
            Some(First::Header(bytes, addr)) => {
                input.advance(bytes);
                return Ok(addr);
            }
            None => input.reserve(READ_BYTES),
        }
        if stream.read_buf(input).await? == 0 {
            // A probe that says nothing, or a client whose whole text is as short and begins like a header.
            return if input.len() < SIGNATURE_V1.len() { Ok(None) } else { Err(HeaderError::CutOff) };
        }
    }
}

/// Whether these bytes are a header, as far as they go, and not only some that one may begin with: senders write
/// theirs in one piece (section 2).
pub(super) fn has_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE_V1) || bytes.starts_with(SIGNATURE_V2)
}

/// Judges the first bytes; none: more are needed.
fn judge(bytes: &[u8]) -> Result<Option<First>, HeaderError> {
    let (bytes_max, is_whole) = if bytes.starts_with(SIGNATURE_V2) {
        let Some(rest) = bytes.get(BYTES_V2_MIN - 2..BYTES_V2_MIN) else { return Ok(None) };
        let announced = BYTES_V2_MIN + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        (announced.min(BYTES_V2_MAX), bytes.len() >= announced || announced > BYTES_V2_MAX)
    } else if bytes.starts_with(SIGNATURE_V1) {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n").map(|at| at + 2);
        (end.unwrap_or(BYTES_V1_MAX).min(BYTES_V1_MAX), end.is_some() || bytes.len() >= BYTES_V1_MAX)
    } else {
        let may_become = SIGNATURE_V1.starts_with(bytes) || SIGNATURE_V2.starts_with(bytes);
        return Ok((!may_become).then_some(First::NoHeader));
    };
    if !is_whole {
        return Ok(None);
    }
    let header = bytes.get(..bytes_max).ok_or(HeaderError::Malformed)?;
    let parsed = ProxyHeader::parse(header, ParseConfig { include_tlvs: false, ..ParseConfig::default() });
    let (parsed, length) = parsed.map_err(|_| HeaderError::Malformed)?;
    let addr = parsed.proxied_address().map(|proxied| proxied.source.ip().to_canonical());
    Ok(Some(First::Header(length, addr)))
}

#[cfg(test)]
mod tests;
