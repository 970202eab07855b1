//! Owns what `X-Forwarded-For` says of whose request it is. Each load balancer on the way adds on the right whom it
//! heard, so that only what trusted ones added counts.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::config::Networks;

/// The header that most load balancers write, a list over one or several lines.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whose request it is that came from `peer`: read from the right, the first address that is not itself trusted.
/// What does not parse ends the reading, and counts as of whoever passed it on.
pub(super) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &Networks) -> IpAddr {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        if !trusted.contains(client) {
            break;
        }
        let Some(addr) = address(hop.trim()) else { break };
        client = addr;
    }
    client
}

/// An address, as some write it with its port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let addr = bare.parse().or_else(|_| text.parse().map(|addr: SocketAddr| addr.ip()));
    addr.ok().map(|addr| addr.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted = "10.0.0.0/8, 2001:db8::/32".parse().unwrap();
        let client = client(&headers, "10.0.0.1".parse().unwrap(), &trusted);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{lines:?}");
    }

    #[test]
    fn the_right_most_address_that_is_not_trusted_counts() {
        check(&[], "10.0.0.1");
        check(&["203.0.113.9"], "203.0.113.9");
        check(&["198.51.100.7, 203.0.113.9"], "203.0.113.9");
        check(&["198.51.100.7, 203.0.113.9, 10.0.0.2,2001:db8::1"], "203.0.113.9");
        check(&["198.51.100.7", "203.0.113.9", "10.0.0.2"], "203.0.113.9");
        check(&["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        check(&["203.0.113.9:51234"], "203.0.113.9");
        check(&["[2001:dead::9]:51234, 10.0.0.2"], "2001:dead::9");
        check(&["[2001:dead::9]"], "2001:dead::9");
        check(&["::ffff:203.0.113.9"], "203.0.113.9");
    }

    #[test]
    fn what_does_not_parse_counts_as_of_whoever_passed_it_on() {
        check(&["unknown"], "10.0.0.1");
        check(&["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2");
        check(&[""], "10.0.0.1");
        check(&["203.0.113.9,"], "10.0.0.1");
    }

    #[test]
    fn nobody_but_a_trusted_peer_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "203.0.113.9".parse().unwrap());
        let (peer, trusted) = ("192.0.2.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap());
        assert_eq!(client(&headers, peer, &trusted), peer);
    }
}
