//! Owns what of a text is an address on the web, and its form for a terminal or a program that opens it. Knows nothing of
//! either.

use std::fmt::Write as _;
use std::ops::Range;

/// Longest address that is given to anybody, in bytes; terminals take 2,083 (VTE), browsers as many.
const BYTES_MAX: usize = 2_000;
/// The only kinds of address there are: what else could be opened might run a program.
const SCHEMES: [&str; 2] = ["https", "http"];
/// Ends an address though no space does, beside what is no letter of a wide script.
const NEVER_IN: &[char] = &['<', '>', '"', '`', '|', '\\', '^', '“', '”', '«', '»'];

/// The next address at or behind a place.
pub(crate) fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let colon = at + text[at..].find(':')?;
        match around(text, at, colon) {
            Some(found) => return Some(found),
            None => at = colon + 1,
        }
    }
}

/// The address whose scheme ends at this colon and begins at or behind `from`.
pub(crate) fn around(text: &str, from: usize, colon: usize) -> Option<Range<usize>> {
    let host = text[colon..].strip_prefix("://")?;
    let before = &text[from..colon];
    let is_scheme = |scheme: &&&str| {
        before
            .len()
            .checked_sub(scheme.len())
            .and_then(|at| before.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    };
    let start = colon - SCHEMES.iter().find(is_scheme)?.len();
    let ahead = text[..start].chars().next_back();
    if ahead.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    // Asked first: what begins none is not read to its end, or a text of many beginnings would be read once for each.
    // Such a sign is no punctuation, either: what it begins is never empty.
    if !host.starts_with(|c: char| (c.is_alphanumeric() || c == '[') && !is_end(c)) {
        return None;
    }
    let length = host.find(is_end).unwrap_or(host.len());
    let length = without_punctuation(&host[..length], ahead);
    Some(start..text.len() - host.len() + length)
}

// Signs looked at, for the test that they are not looked at again and again.
#[cfg(test)]
thread_local!(pub(super) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

fn is_end(c: char) -> bool {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
    // Signs of wide scripts end a sentence that has no spaces.
    c.is_whitespace()
        || c.is_control()
        || NEVER_IN.contains(&c)
        || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}')
}

/// Bytes of an address without the signs of the sentence around it.
fn without_punctuation(address: &str, ahead: Option<char>) -> usize {
    // More closed than opened, of each pair: counted once, an address may be nothing else.
    let mut closed = PAIRS
        .map(|(open, close)| address.matches(close).count().saturating_sub(address.matches(open).count()));
    let mut kept = address;
    while let Some(last) = kept.chars().next_back() {
        let is_around = match PAIRS.iter().position(|(_, close)| *close == last) {
            Some(pair) => {
                let is_closed = closed[pair] > 0;
                closed[pair] -= usize::from(is_closed);
                is_closed
            }
            // A mark of emphasis that began before it.
            None if matches!(last, '*' | '_') => matches!(ahead, Some('*' | '_')),
            None => matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '…'),
        };
        if !is_around {
            break;
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
    kept.len()
}

/// Signs that a sentence may stand in, as an address may.
const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// An address as a terminal or another program may have it: nothing but printable ASCII, not too long.
pub(crate) fn encoded(address: &str) -> Option<String> {
    let mut out = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() && !NEVER_IN.contains(&char::from(byte)) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    (out.len() <= BYTES_MAX).then_some(out)
}

/// Whose machine an address leads to, and its port: what a browser reads of it. What stands before an `@` is a name to say
/// there, whatever it looks like.
pub(crate) fn host(address: &str) -> (&str, &str) {
    let behind = address.split_once("://").map_or(address, |(_, behind)| behind);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or(behind);
    let place = authority.rsplit('@').next().unwrap_or(authority);
    match place.rsplit_once(':') {
        // The colons within brackets are the host's own.
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (place, ""),
    }
}
