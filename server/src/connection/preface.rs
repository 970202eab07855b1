//! Owns what the first bytes of a raw TCP connection may be where no header of the PROXY protocol is expected: the
//! client's own, or such a header all the same, from a load balancer that nobody has told the node of. Sans-IO.
//!
//! <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>

/// How a header of version 2 begins (section 2.2). Read as text it is three empty lines and a word.
pub(crate) const SIGNATURE_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// How one of version 1 begins (section 2.1), with its family, which nobody says as their first words.
const BEGINNINGS_V1: [&[u8]; 4] = [b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN ", b"PROXY UNKNOWN\r\n"];
/// What of [`SIGNATURE_V2`] a person may type: empty lines.
const BLANK_LINES: &[u8] = b"\r\n\r\n";

/// What the first bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preface {
    /// Nothing, or empty lines, as far as they go.
    Blank,
    /// What a header of version 1 may begin with; a person may type it too.
    Words,
    /// What a header of version 2 begins with, and nobody types.
    Begun,
    /// A header.
    Header,
    /// The client's own.
    Own,
}

/// Judges the first bytes, all that came of them.
pub(super) fn judge(bytes: &[u8]) -> Preface {
    let is_header = bytes.starts_with(SIGNATURE_V2) || is_v1(bytes);
    match bytes {
        _ if is_header => Preface::Header,
        _ if BLANK_LINES.starts_with(bytes) => Preface::Blank,
        _ if SIGNATURE_V2.starts_with(bytes) => Preface::Begun,
        _ if BEGINNINGS_V1.iter().any(|beginning| beginning.starts_with(bytes)) => Preface::Words,
        _ => Preface::Own,
    }
}

/// Whether a header of either version begins so.
pub(crate) fn is_header(bytes: &[u8]) -> bool {
    judge(bytes) == Preface::Header
}

fn is_v1(bytes: &[u8]) -> bool {
    BEGINNINGS_V1.iter().any(|beginning| bytes.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_from_what_people_type() {
        for (bytes, expected) in [
            (&b""[..], Preface::Blank),
            (b"\r\n", Preface::Blank),
            (b"\r\n\r\n", Preface::Blank),
            (b"\r\n\r\n\0", Preface::Begun),
            (b"\r\n\r\n\0\r\nQUIT", Preface::Begun),
            (b"\r\n\r\n\0\r\nQUIT\n", Preface::Header),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0{", Preface::Header),
            (b"PROX", Preface::Words),
            (b"PROXY UNKNOWN", Preface::Words),
            (b"PROXY UNKNOWN\r\n", Preface::Header),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", Preface::Header),
            (b"PROXY TCP4 203.0.113.9", Preface::Header),
            (b"PROXY TCP6 ::1 ::1 1 2\r\n", Preface::Header),
            (b"PROXY is a fine word\r\n", Preface::Own),
            (b"PROXY UNKNOWNS\n", Preface::Own),
            (b"\n", Preface::Own),
            (b"\r\n\r\nhello\r\n", Preface::Own),
            (b"{\"type\":\"hello\"}\n", Preface::Own),
            (b"hello\n", Preface::Own),
        ] {
            assert_eq!(judge(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
