//! The order of addresses, and what a failed lookup is called.

use super::*;

#[test]
fn families_take_turns_in_the_systems_order() {
    let addresses =
        |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|t| t.parse().unwrap()).collect() };
    let found = addresses(&["[::1]:1", "[::2]:1", "10.0.0.1:1", "10.0.0.2:1", "[::3]:1"]);
    let expected = addresses(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]);
    assert_eq!(alternate(found.into_iter()), expected);
    assert!(alternate(std::iter::empty()).is_empty());
}

#[test]
fn a_failed_lookup_is_told_in_words() {
    let glibc = "failed to lookup address information: ";
    let check =
        |error: &str, expected: &str| assert_eq!(lookup_words("lb", &format!("{glibc}{error}")), expected);
    check("Name or service not known", "no such host: lb");
    check("No address associated with hostname", "no such host: lb");
    check("nodename nor servname provided, or not known", "no such host: lb");
    check("Temporary failure in name resolution", "cannot look up lb: the name server does not answer");
}
