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
    both_ways(&mut client, &mut server, Counts { up: &up, down: &down }, &|| {}).await
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

/// As [`pair`], but the peer's system takes next to nothing that it does not read.
async fn narrow_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let (peer, accepted) = tokio::join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
    let ours = accepted.unwrap().0;
    socket2::SockRef::from(&ours).set_send_buffer_size(4_096).unwrap();
    (ours, peer.unwrap())
}

/// More than a narrow peer's system takes.
const MUCH: &[u8] = &[7; 64 * 1024];

#[tokio::test]
async fn who_takes_nothing_is_let_go_though_nobody_else_is_left() {
    let ((client, _deaf), (server, mut gone)) = (narrow_pair().await, pair().await);
    gone.write_all(MUCH).await.unwrap();
    drop(gone);
    tokio::time::pause();
    let begun = Instant::now();
    let ended = timeout(STALL * 10, copied(client, server)).await.expect("it is held for ever");
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() >= STALL && begun.elapsed() < STALL * 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reset_is_passed_on_to_who_takes_nothing() {
    let ((client, _deaf), (server, mut breaks)) = (narrow_pair().await, pair().await);
    breaks.write_all(MUCH).await.unwrap();
    let breaking = async {
        server.readable().await.unwrap();
        breaks.set_zero_linger().unwrap();
        drop(breaks);
    };
    breaking.await;
    let ended = timeout(STALL / 6, copied(client, server)).await.expect("nobody notices");
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn last_words_wait_for_a_slow_reader_though_their_speaker_is_gone() {
    let ((client, mut slow), (server, mut gone)) = (narrow_pair().await, pair().await);
    // All of it arrives before its end: what is under way yet is lost with a reset.
    let words = &MUCH[..16 * 1024];
    gone.write_all(words).await.unwrap();
    drop(gone);
    // Its end, and then a reset: somebody has written to it.
    write_until_broken(&server).await;
    // Reads to the end, then closes.
    let reads = async move {
        let mut heard = 0;
        while let Ok(read @ 1..) = slow.read(&mut [0; 1_024]).await {
            heard += read;
        }
        heard
    };
    let (ended, heard) = timeout(STALL, async { tokio::join!(copied(client, server), reads) }).await.unwrap();
    assert_eq!((ended.is_ok(), heard), (true, words.len()), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_has_ended_is_not_kept_for_a_client_that_stays() {
    let ((client, mut stays), (server, mut ends)) = (pair().await, pair().await);
    ends.write_all(b"last words").await.unwrap();
    ends.shutdown().await.unwrap();
    let begun = Instant::now();
    copied(client, server).await.unwrap();
    let took = begun.elapsed();
    assert!(took >= SERVER_GONE && took < SERVER_GONE + LINGER + LINGER, "{took:?}");
    let mut heard = Vec::new();
    stays.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"last words");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn that_a_server_has_ended_is_known_though_the_client_takes_nothing() {
    let ((mut client, _deaf), (mut server, mut gone)) = (narrow_pair().await, pair().await);
    gone.write_all(MUCH).await.unwrap();
    drop(gone);
    let (up, down, told) = (Count::default(), Count::default(), tokio::sync::Notify::new());
    let tell = || told.notify_one();
    let copying = both_ways(&mut client, &mut server, Counts { up: &up, down: &down }, &tell);
    tokio::select! {
        ended = copying => panic!("the client still has to take what is left: {ended:?}"),
        told = timeout(STALL / 6, told.notified()) => told.expect("nobody is told"),
    }
}
