//! The proxy, between two sockets of the test.

use std::io::ErrorKind;
use std::time::Duration;

use chat_testbed::{Direction, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::within;

/// How long silence is listened to.
const SILENCE: Duration = Duration::from_millis(200);

struct Road {
    listener: TcpListener,
    proxy: Proxy,
}

impl Road {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
        Self { listener, proxy }
    }

    /// A connection through the proxy: this end and that.
    async fn connect(&self) -> (TcpStream, TcpStream) {
        let near = TcpStream::connect(self.proxy.addr()).await.unwrap();
        let (far, _) = within("the connection", self.listener.accept()).await.unwrap();
        (near, far)
    }
}

async fn send(to: &mut TcpStream, text: &str) {
    to.write_all(text.as_bytes()).await.unwrap();
}

async fn check_arrives(from: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    within(text, from.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(bytes, text.as_bytes());
}

async fn check_silent(from: &mut TcpStream) {
    let mut byte = [0];
    let heard = timeout(SILENCE, from.read(&mut byte)).await;
    assert!(heard.is_err(), "{heard:?}");
}

async fn check_reset(stream: &mut TcpStream) {
    let error = within("the reset", stream.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn it_passes_on_both_ways_and_passes_on_the_end() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    send(&mut near, "there").await;
    check_arrives(&mut far, "there").await;
    near.shutdown().await.unwrap();
    assert_eq!(within("the end", far.read(&mut [0])).await.unwrap(), 0);
    send(&mut far, "back").await;
    check_arrives(&mut near, "back").await;
    drop(far);
    assert_eq!(within("the end", near.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn cut_resets_both_sides_and_whoever_comes_until_it_is_healed() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    // The target knows of a connection before the proxy does: once something has gone through both do.
    send(&mut near, "1").await;
    check_arrives(&mut far, "1").await;
    road.proxy.cut();
    check_reset(&mut near).await;
    check_reset(&mut far).await;
    let mut late = TcpStream::connect(road.proxy.addr()).await.unwrap();
    check_reset(&mut late).await;
    road.proxy.heal();
    let (mut near, mut far) = road.connect().await;
    send(&mut near, "again").await;
    check_arrives(&mut far, "again").await;
}

#[tokio::test]
async fn stalled_connections_are_mute_and_lose_nothing() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    send(&mut near, "1").await;
    check_arrives(&mut far, "1").await;
    road.proxy.stall();
    send(&mut near, "2").await;
    send(&mut far, "3").await;
    let mut late = TcpStream::connect(road.proxy.addr()).await.unwrap();
    send(&mut late, "4").await;
    check_silent(&mut far).await;
    check_silent(&mut near).await;
    road.proxy.heal();
    check_arrives(&mut far, "2").await;
    check_arrives(&mut near, "3").await;
    let (mut far, _) = within("the late one", road.listener.accept()).await.unwrap();
    check_arrives(&mut far, "4").await;
}

#[tokio::test]
async fn one_direction_of_one_connection_is_swallowed_and_stays_so() {
    let road = Road::start().await;
    let (mut other_near, mut other_far) = road.connect().await;
    let (mut near, mut far) = road.connect().await;
    send(&mut near, "subscribe x").await;
    let wire = road.proxy.connection_that_said("SUBSCRIBE").await.unwrap();
    check_arrives(&mut far, "subscribe x").await;
    wire.drop_direction(Direction::FromTarget);
    send(&mut far, "lost").await;
    check_silent(&mut near).await;
    send(&mut near, "heard").await;
    check_arrives(&mut far, "heard").await;
    send(&mut other_far, "others hear").await;
    check_arrives(&mut other_near, "others hear").await;
    road.proxy.heal();
    send(&mut far, "behind the hole").await;
    check_silent(&mut near).await;
}

#[tokio::test]
async fn what_is_delayed_arrives_later() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    let begin = Instant::now();
    road.proxy.delay(SILENCE);
    send(&mut near, "late").await;
    check_arrives(&mut far, "late").await;
    assert!(begin.elapsed() >= SILENCE);
}

#[tokio::test]
async fn new_connections_go_to_the_new_target_and_a_missing_one_is_a_reset() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    road.proxy.set_target(other.local_addr().unwrap());
    let _new = TcpStream::connect(road.proxy.addr()).await.unwrap();
    within("the connection", other.accept()).await.unwrap();
    send(&mut near, "still").await;
    check_arrives(&mut far, "still").await;
    drop(other);
    let mut refused = TcpStream::connect(road.proxy.addr()).await.unwrap();
    check_reset(&mut refused).await;
}

#[tokio::test]
async fn words_are_put_into_a_connections_mouth_and_its_end_is_told() {
    let road = Road::start().await;
    let (mut near, mut far) = road.connect().await;
    send(&mut near, "own ").await;
    check_arrives(&mut far, "own ").await;
    let wire = road.proxy.connection_that_said("own").await.unwrap();
    wire.slip_in(b"slipped in");
    check_arrives(&mut far, "slipped in").await;
    drop((near, far));
    within("the end", wire.ended()).await;
    assert!(road.proxy.connections().is_empty());
}

#[tokio::test]
async fn dropped_it_closes_everything() {
    let road = Road::start().await;
    let (mut near, _far) = road.connect().await;
    let addr = road.proxy.addr();
    drop(road.proxy);
    let ended = within("the end", near.read(&mut [0])).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    TcpStream::connect(addr).await.unwrap_err();
}
