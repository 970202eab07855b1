//! What is kept of `Set-Cookie`, what goes back, and where.

use super::*;
use crate::net::event::Transport;

fn place(port: u16) -> Endpoint {
    Endpoint::new("lb.example", port, Transport::Ws)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What goes back at the time of the last of these answers.
fn check(answers: &[(&str, &[&str])], expected: Option<&str>) {
    let mut cookies = Cookies::default();
    let mut now = Timestamp::MIN;
    for (time, lines) in answers {
        now = at(time);
        cookies.take(&place(80), lines.iter().copied(), now);
    }
    assert_eq!(cookies.line(&place(80), now).as_deref(), expected, "{answers:?}");
}

const NOON: &str = "2026-11-22T12:00:00Z";
const LATER: &str = "2026-11-22T12:00:10Z";

#[test]
fn what_load_balancers_set_goes_back() {
    check(&[], None);
    check(
        &[(NOON, &["AWSALB=abc/+=; Expires=Sun, 29 Nov 2026 12:00:00 GMT; Path=/"])],
        Some("AWSALB=abc/+="),
    );
    check(&[(NOON, &["NODE=a1b2; path=/; HttpOnly"])], Some("NODE=a1b2"));
    check(&[(NOON, &["a=1", "b=2; Domain=other.example"]), (LATER, &["a=3"])], Some("b=2; a=3"));
    check(&[(NOON, &["  a = 1 ;Max-Age=11"]), (LATER, &[])], Some("a=1"));
    check(&[(NOON, &["a=1; Max-Age=99999999999999999"]), (LATER, &[])], Some("a=1"));
    check(&[(NOON, &["a=1; Max-Age=soon; Expires=sometime"]), (LATER, &[])], Some("a=1"));
    // The client's line is read by the server: an empty value is a value.
    check(&[(NOON, &["a="])], Some("a="));
}

#[test]
fn what_is_over_does_not_go_back() {
    check(&[(NOON, &["a=1; Max-Age=10"]), (LATER, &[])], None);
    check(&[(NOON, &["a=1", "b=2"]), (LATER, &["a=; Max-Age=0"])], Some("b=2"));
    check(&[(NOON, &["a=1"]), (LATER, &["a=1; max-age=-1; Expires=Sun, 29 Nov 2026 12:00:00 GMT"])], None);
    check(&[(NOON, &["a=1; Expires=Sun, 22 Nov 2026 12:00:05 GMT"]), (LATER, &[])], None);
    check(&[(NOON, &["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:01 GMT"])], Some("a=1"));
    // HAProxy takes its cookie back like this.
    check(&[(NOON, &["NODE=a"]), (LATER, &["NODE=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/"])], None);
}

#[test]
fn what_is_not_for_this_connection_is_not_kept() {
    check(&[(NOON, &["AWSALB=a; Path=/", "AWSALBCORS=a; SameSite=None; Secure"])], Some("AWSALB=a"));
    check(&[(NOON, &["no cookie", "=x", "", ";", "a=\u{1}", "a\u{7f}=b", "ü=x"])], None);
    let mut cookies = Cookies::default();
    cookies.take(&place(80), ["a=1"].into_iter(), at(NOON));
    assert_eq!(cookies.line(&place(81), at(NOON)), None);
    let other_path = Endpoint { path: "/other".into(), ..place(80) };
    assert_eq!(cookies.line(&other_path, at(NOON)), None);
}

#[test]
fn a_server_cannot_fill_the_memory() {
    let mut cookies = Cookies::default();
    let many: Vec<String> = (0..1_000).map(|number| format!("c{number}=x")).collect();
    cookies.take(&place(80), many.iter().map(String::as_str), at(NOON));
    let line = cookies.line(&place(80), at(NOON)).unwrap();
    assert_eq!((line.split("; ").count(), line.ends_with("c999=x")), (COOKIES_MAX, true), "{line}");

    let long: Vec<String> = (0..10).map(|number| format!("c{number}={}", "x".repeat(1_000))).collect();
    cookies.take(&place(80), long.iter().map(String::as_str), at(NOON));
    let line = cookies.line(&place(80), at(NOON)).unwrap();
    assert!(line.len() < BYTES_MAX + 2 * COOKIES_MAX + COOKIES_MAX && line.contains("c9="), "{}", line.len());
    cookies.take(&place(80), [format!("a={}", "x".repeat(BYTES_MAX))].iter().map(String::as_str), at(NOON));
    assert_eq!(cookies.line(&place(80), at(NOON)), None, "one that is too long");

    for port in 1..1_000 {
        cookies.take(&place(port), ["a=1"].into_iter(), at(NOON));
    }
    assert_eq!(cookies.places.len(), PLACES_MAX);
    assert_eq!(cookies.line(&place(999), at(NOON)).as_deref(), Some("a=1"));
}
