use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;

/// The front-end's end of a connection, and its peer's.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap());
    let (peer, accepted) = tokio::join!(peer, listener.accept());
    (accepted.unwrap().0, peer.unwrap())
}

async fn copied(mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
    let (up, down) = (Count::default(), Count::default());
    both_ways(&mut client, &mut server, Counts { up: &up, down: &down }).await
}

/// Reads to the end, then closes.
async fn hears(mut peer: TcpStream, expected: &[u8]) {
    let mut heard = Vec::new();
    peer.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, expected);
}

/// Writes to a peer that has closed, until that is known: whoever closed answers with a reset.
async fn write_until_broken(stream: &TcpStream) {
    loop {
        stream.writable().await.unwrap();
        match stream.try_write(b"late") {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn last_words_arrive_though_the_other_side_still_talks() {
    // A node that says why and closes, to a client whose ping crosses that; and the same the other way round.
    // Which of both ways comes to its end first is chance: all four orders come up.
    for round in 0..40 {
        let ((ours, mut ended), (other, mut talks_on)) = (pair().await, pair().await);
        ended.write_all(b"last words").await.unwrap();
        drop(ended);
        write_until_broken(&ours).await;
        talks_on.write_all(b"ping").await.unwrap();
        other.readable().await.unwrap();
        let (client, server) = if round % 2 == 0 { (other, ours) } else { (ours, other) };
        let (outcome, ()) = tokio::join!(copied(client, server), hears(talks_on, b"last words"));
        outcome.unwrap();
    }
}

#[tokio::test]
async fn what_breaks_without_an_end_is_an_error() {
    let ((ours, peer), (other, _client)) = (pair().await, pair().await);
    peer.set_zero_linger().unwrap();
    drop(peer);
    assert_eq!(copied(other, ours).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn who_talks_on_to_nobody_is_not_listened_to_for_ever() {
    let ((ours, ended), (other, mut talks_on)) = (pair().await, pair().await);
    drop(ended);
    write_until_broken(&ours).await;
    talks_on.write_all(b"ping").await.unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    copied(other, ours).await.unwrap();
    assert!(begun.elapsed() >= LINGER && begun.elapsed() < HALF_CLOSED_IDLE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn half_a_connection_at_rest_is_ended() {
    let ((client, mut peer), (server, _silent)) = (pair().await, pair().await);
    peer.shutdown().await.unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    // Nothing broke: the end is an ordinary one.
    copied(client, server).await.unwrap();
    let took = begun.elapsed();
    assert!(took >= HALF_CLOSED_IDLE && took < HALF_CLOSED_IDLE * 2 + LINGER * 2, "{took:?}");
}
