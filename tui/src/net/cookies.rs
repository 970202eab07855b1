//! Owns the cookies that load balancers set at a WebSocket handshake to lead a client back to the same server
//! (AWSALB, HAProxy's). In memory only, each for the place that set it. Everything works the same without them.
//!
//! Of RFC 6265 what that needs: names, values, `Max-Age` and `Expires`. `Path` and `Domain` are not looked at: a
//! cookie goes back to the host, port and path that set it and nowhere else. `Secure` ones are not kept, because the
//! client does not speak TLS.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use crate::net::endpoint::Endpoint;

/// Cookies of one place; load balancers set one or two.
const COOKIES_MAX: usize = 16;
/// Bytes of names and values of one place: what a server takes as one header line.
const BYTES_MAX: usize = 4_096;
/// Places that are remembered: more than anyone names.
const PLACES_MAX: usize = 16;

/// The cookies of every place that was dialled, shared by the dials of one client.
#[derive(Debug, Clone, Default)]
pub struct CookieJar(Arc<Mutex<Cookies>>);

impl CookieJar {
    pub(super) fn lock(&self) -> MutexGuard<'_, Cookies> {
        // Held for moments, and sound at each of them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in the jar. Times are the wall clock's, as those of the servers are.
#[derive(Debug, Default)]
pub(super) struct Cookies {
    /// Oldest first.
    places: Vec<(Endpoint, Vec<Cookie>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    /// None: until the program ends.
    until: Option<Timestamp>,
}

impl Cookies {
    /// Takes what an answer of this place sets: the lines of `Set-Cookie`. What is no cookie is passed over.
    pub(super) fn take<'a>(
        &mut self,
        place: &Endpoint,
        lines: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) {
        let parsed: Vec<Cookie> = lines.filter_map(|line| parse(line, now)).collect();
        if parsed.is_empty() {
            return;
        }
        let cookies = self.of(place);
        for cookie in parsed {
            cookies.retain(|kept| kept.name != cookie.name);
            cookies.push(cookie);
        }
        cookies.retain(|cookie| cookie.is_valid(now));
        while cookies.len() > COOKIES_MAX || cookies.iter().map(Cookie::bytes).sum::<usize>() > BYTES_MAX {
            cookies.remove(0);
        }
    }

    /// The line `Cookie` for this place, where it has any.
    pub(super) fn line(&self, place: &Endpoint, now: Timestamp) -> Option<String> {
        let (_, cookies) = self.places.iter().find(|(known, _)| known == place)?;
        let valid = cookies.iter().filter(|cookie| cookie.is_valid(now));
        let pairs: Vec<String> = valid.map(|Cookie { name, value, .. }| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn of(&mut self, place: &Endpoint) -> &mut Vec<Cookie> {
        let at = self.places.iter().position(|(known, _)| known == place).unwrap_or_else(|| {
            if self.places.len() == PLACES_MAX {
                self.places.remove(0);
            }
            self.places.push((place.clone(), Vec::new()));
            self.places.len() - 1
        });
        &mut self.places[at].1
    }
}

impl Cookie {
    fn bytes(&self) -> usize {
        self.name.len() + self.value.len()
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// One line of `Set-Cookie`, as RFC 6265, section 5.2 reads it.
fn parse(line: &str, now: Timestamp) -> Option<Cookie> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_sound = |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if name.is_empty() || !is_sound(name) || !is_sound(value) {
        return None;
    }
    let (mut max_age, mut expires) = (None, None);
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "secure" => return None,
            "max-age" => max_age = value.trim().parse::<i64>().ok().or(max_age),
            "expires" => expires = date(value.trim()).or(expires),
            _ => {}
        }
    }
    // `Max-Age` has precedence; nothing and less mean at once. What is too far away to be told is not limited.
    let until = match max_age {
        Some(..=0) => Some(Timestamp::MIN),
        Some(seconds) => now.checked_add(SignedDuration::from_secs(seconds)).ok(),
        None => expires,
    };
    Some(Cookie { name: name.to_owned(), value: value.to_owned(), until })
}

/// A date of HTTP: `Thu, 01 Jan 1970 00:00:01 GMT`, as HAProxy writes it also `01-Jan-1970`.
fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.replace('-', " ")).ok()
}

#[cfg(test)]
mod tests;
