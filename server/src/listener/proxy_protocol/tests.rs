//! Headers of both versions, whole and in pieces, and what only looks like one.

use super::*;

/// A header of version 2: command and family, then the block behind the length.
fn v2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [SIGNATURE_V2, &[command, family], &length, block].concat()
}

fn v4_block() -> Vec<u8> {
    vec![203, 0, 113, 9, 10, 0, 0, 1, 0x30, 0x39, 0x30, 0x39]
}

fn v6_block() -> Vec<u8> {
    let source = "2001:db8::9".parse::<std::net::Ipv6Addr>().unwrap().octets();
    [&source[..], &source[..], &[0x30, 0x39, 0x30, 0x39]].concat()
}

/// What a stream of these bytes comes to, read in pieces of this size: the address, and what is left.
async fn taken(bytes: &[u8], piece: usize) -> (Option<IpAddr>, Vec<u8>) {
    let (mut near, mut far) = tokio::io::duplex(piece);
    let write = async {
        tokio::io::AsyncWriteExt::write_all(&mut far, bytes).await.unwrap();
        drop(far);
    };
    let read = async {
        let mut input = BytesMut::new();
        let addr = read(&mut near, &mut input).await.unwrap();
        let mut rest = input.to_vec();
        near.read_to_end(&mut rest).await.unwrap();
        (addr, rest)
    };
    tokio::join!(write, read).1
}

#[tokio::test]
async fn a_header_is_taken_off_and_what_follows_is_kept() {
    let tlv = [v4_block(), vec![0x03, 0, 4, 1, 2, 3, 4]].concat();
    for (header, addr) in [
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 12345 12345\r\n".to_vec(), Some("203.0.113.9")),
        (b"PROXY TCP6 2001:db8::9 ::1 12345 12345\r\n".to_vec(), Some("2001:db8::9")),
        (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 12345 12345\r\n".to_vec(), Some("203.0.113.9")),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
        (v2(0x21, 0x11, &v4_block()), Some("203.0.113.9")),
        (v2(0x21, 0x11, &tlv), Some("203.0.113.9")),
        (v2(0x21, 0x21, &v6_block()), Some("2001:db8::9")),
        // LOCAL, with and without a block; a socket of the proxy's own machine; an unspecified family.
        (v2(0x20, 0x00, &[]), None),
        (v2(0x20, 0x11, &v4_block()), None),
        (v2(0x21, 0x31, &[0; 216]), None),
        (v2(0x21, 0x00, &[1, 2, 3]), None),
    ] {
        let addr = addr.map(|addr| addr.parse().unwrap());
        for (piece, rest) in [(1, "{\"type\":\"hello\"}\n"), (5, ""), (4_096, "GET / HTTP/1.1\r\n\r\n")] {
            let bytes = [&header, rest.as_bytes()].concat();
            let expected = (addr, rest.as_bytes().to_vec());
            assert_eq!(taken(&bytes, piece).await, expected, "{}", header.escape_ascii());
        }
    }
}

#[tokio::test]
async fn what_is_no_header_is_the_clients_own() {
    for text in [
        "{\"type\":\"hello\",\"v\":1}\n",
        "GET /ready HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "PROXYING is hard\n",
        "\r\n\r\nhello\n",
        "\r",
        "PROX",
        "",
    ] {
        for piece in [1, 4_096] {
            assert_eq!(taken(text.as_bytes(), piece).await, (None, text.as_bytes().to_vec()), "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_header_that_breaks_off_is_nobodys_text() {
    let whole = v2(0x21, 0x11, &v4_block());
    for bytes in [b"PROXY ", &b"PROXY TCP4 203"[..], &whole[..6], &whole[..13], &whole[..whole.len() - 1]] {
        let taken = read(&mut &bytes[..], &mut BytesMut::new()).await;
        assert!(matches!(taken, Err(HeaderError::CutOff)), "{taken:?}: {}", bytes.escape_ascii());
    }
}

#[test]
fn what_begins_like_a_header_and_is_none_is_refused() {
    let long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 120]].concat();
    let too_long = v2(0x21, 0x11, &[0; BYTES_V2_MAX]);
    for bytes in [
        b"PROXY TCP4 203.0.113.9 10.0.0.1 12345\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.999 10.0.0.1 12345 12345\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::9 ::1 12345 12345\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.9 10.0.0.1 12345 123456\r\n".to_vec(),
        b"PROXY is a fine word\r\n".to_vec(),
        b"PROXY \r\n".to_vec(),
        long,
        // Another version, another command, a block that is too short, a family that does not exist.
        v2(0x31, 0x11, &v4_block()),
        v2(0x22, 0x11, &v4_block()),
        v2(0x21, 0x11, &v4_block()[..11]),
        v2(0x21, 0x21, &v4_block()),
        v2(0x21, 0x41, &v4_block()),
        too_long[..BYTES_V2_MIN].to_vec(),
    ] {
        let judged = judge(&bytes);
        assert!(matches!(judged, Err(HeaderError::Malformed)), "{judged:?}: {}", bytes.escape_ascii());
    }
}

#[test]
fn no_bytes_whatever_stop_the_judge() {
    let whole = [v2(0x21, 0x21, &v6_block()), b"PROXY TCP6 2001:db8::9 ::1 12345 12345\r\n".to_vec()];
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..200_000 {
        let mut bytes = whole[random.usize(..2)].clone();
        for _ in 0..random.usize(..4) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        bytes.truncate(random.usize(..=bytes.len()));
        if let Ok(Some(First::Header(length, _))) = judge(&bytes) {
            assert!(length <= bytes.len(), "{}", bytes.escape_ascii());
        }
    }
}
