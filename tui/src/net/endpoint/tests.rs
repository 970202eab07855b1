//! What may be written after `--host`, case by case.

use super::*;

fn check(hosts: &[&str], choice: TransportChoice, expected: &[&str]) {
    let shown: Vec<String> = match parse(hosts, choice) {
        Ok(endpoints) => endpoints.iter().map(|e| format!("{e}{}", path_of(e))).collect(),
        Err(error) => panic!("{hosts:?}: {error}"),
    };
    assert_eq!(shown, expected, "{hosts:?}");
}

fn path_of(endpoint: &Endpoint) -> &str {
    match endpoint.transport {
        Transport::Tcp => "",
        Transport::Ws => &endpoint.path,
    }
}

fn auto(host: &str, expected: &[&str]) {
    check(&[host], TransportChoice::Auto, expected);
}

fn refused(host: &str, choice: TransportChoice, why: &str) {
    let error = parse(&[host], choice).expect_err(host).to_string();
    assert!(error.contains(why), "{host:?}: {error}");
    assert!(error.contains("Allowed: HOST"), "{error}");
}

#[test]
fn a_host_alone_means_both_default_ports_tcp_first() {
    auto("lb.example.com", &["lb.example.com:12345 tcp", "lb.example.com:8000 ws/ws"]);
    auto("LB.Example.com", &["lb.example.com:12345 tcp", "lb.example.com:8000 ws/ws"]);
    auto("::1", &["[::1]:12345 tcp", "[::1]:8000 ws/ws"]);
}

#[test]
fn a_known_port_says_the_way_an_unknown_one_leaves_both() {
    auto("10.0.0.7:12345", &["10.0.0.7:12345 tcp"]);
    auto("[::1]:8000", &["[::1]:8000 ws/ws"]);
    auto("lb:80", &["lb:80 ws/ws"]);
    auto("lb.example.com:443", &["lb.example.com:443 tcp", "lb.example.com:443 ws/ws"]);
}

#[test]
fn a_scheme_decides() {
    auto("tcp://lb", &["lb:12345 tcp"]);
    auto("tcp://lb:8000", &["lb:8000 tcp"]);
    auto("ws://lb:9000", &["lb:9000 ws/ws"]);
    auto("ws://lb:9000/", &["lb:9000 ws/ws"]);
    auto("WS://lb:9000/chat/ws?x=1", &["lb:9000 ws/chat/ws?x=1"]);
    auto("ws://lb", &["lb:80 ws/ws"]);
    auto("ws://[::1]:8000/ws", &["[::1]:8000 ws/ws"]);
}

#[test]
fn lists_keep_their_order_and_hold_each_place_once() {
    let choice = TransportChoice::Auto;
    check(&["a:12345,b:8000", "a:12345"], choice, &["a:12345 tcp", "b:8000 ws/ws"]);
    check(&[" a , ", "b:80"], choice, &["a:12345 tcp", "a:8000 ws/ws", "b:80 ws/ws"]);
}

#[test]
fn the_transport_flag_overrules_the_port_but_not_a_scheme() {
    check(&["lb"], TransportChoice::Tcp, &["lb:12345 tcp"]);
    check(&["lb"], TransportChoice::Ws, &["lb:8000 ws/ws"]);
    check(&["lb:12345"], TransportChoice::Ws, &["lb:12345 ws/ws"]);
    refused("ws://lb", TransportChoice::Tcp, "it says ws, --transport says tcp");
}

#[test]
fn bad_addresses_are_named_with_what_is_allowed() {
    let refused = |host, why| refused(host, TransportChoice::Auto, why);
    refused("tls://lb", "later version");
    refused("wss://lb/ws", "later version");
    refused("http://lb", "scheme http:// is unknown");
    refused("lb:0", "port \"0\"");
    refused("lb:70000", "port \"70000\"");
    refused("lb:", "port \"\"");
    refused(":8000", "host is missing");
    refused("a b", "host holds ' '");
    refused("user@lb", "host holds '@'");
    refused("[::1", "']' is missing");
    refused("[lb]:80", "IPv6");
    refused("[::1]x", "only :PORT");
    refused("lb/ws", "only ws:// addresses have a path");
    refused("ws://lb/a b", "path holds");
    refused("", "it is empty");
    refused(" , ", "it is empty");
}
