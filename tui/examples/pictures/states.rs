//! Every state of the link: each is brought about, none is painted.

use std::net::{Ipv4Addr, SocketAddr};

use chat_testbed::{Terminal, free_port};
use socket2::{Domain, Socket, Type};

use super::album::{Album, rests, says, shows};
use super::cluster::{Servers, Talker};
use super::readme::F9;

const SIZE: (u16, u16) = (80, 24);
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
/// What everybody is told to look for.
const COUNTED: &str = " recovered, 0 lost, 0 dup";

pub(crate) async fn take(album: &Album) {
    demo(album).await;
    servers(album).await;
    first_dials(album).await;
}

/// What the demo's commands bring about.
async fn demo(album: &Album) {
    let mut terminal = Terminal::start(album.demo("states", &[], &[]), SIZE);
    shows(&mut terminal, "nobody should have").await;
    says(&mut terminal, &["● node-", " rtt "]).await;
    album.save("states/online.svg", "Online", &terminal);

    terminal.press(F9);
    says(&mut terminal, &["← node-", COUNTED]).await;
    shows(&mut terminal, "just die?").await;
    album.save("states/resumed.svg", "A server was killed: another took over", &terminal);

    terminal.enter("/kill all");
    says(&mut terminal, &["! OFFLINE ", "try 3 in "]).await;
    album.save("states/offline.svg", "Every server is down", &terminal);
    terminal.enter("typed while nobody listens");
    terminal.enter("and this, too");
    says(&mut terminal, &["try 4 in ", "queued 2"]).await;
    album.save("states/queued.svg", "Every server is down: two messages wait", &terminal);

    terminal.enter("/revive");
    says(&mut terminal, &[COUNTED]).await;
    let delivered = |terminal: &Terminal| !terminal.contents().contains("queued");
    rests(&mut terminal, "nothing queued", delivered).await;
    album.save("states/delivered.svg", "The servers are back: what waited is delivered", &terminal);

    terminal.enter("/withhold");
    says(&mut terminal, &["! 1 lost on the way", " rtt "]).await;
    album.save("states/lost.svg", "One message was kept back on the way", &terminal);
}

/// What happens to servers, and on the way to them.
async fn servers(album: &Album) {
    let mut servers = Servers::start().await;
    let host = format!("tcp://{}", servers.way.addr());
    let arguments = ["--host", &host, "--name", "maya", "--room", "general", "--room", "ops"];
    let mut terminal = Terminal::start(album.screen("servers", &[], &arguments), SIZE);
    says(&mut terminal, &["● node-"]).await;
    let mut talkers = [("alice", "general"), ("bob", "general"), ("carol", "ops")]
        .map(|(name, room)| servers.talker(album, name, room));
    talk(&mut terminal, &mut talkers).await;

    let node = terminal.status().trim().split(' ').nth(1).unwrap().to_owned();
    servers.drain(&node);
    says(&mut terminal, &[&format!("← {node} moved "), COUNTED]).await;
    album.save("states/moved.svg", "A server is restarted: the client left before", &terminal);

    servers.reach(false);
    says(&mut terminal, &["! server cannot reach the others "]).await;
    terminal.enter("does this get through?");
    says(&mut terminal, &["! server cannot reach the others 2s", "queued 1"]).await;
    album.save("states/cut-off.svg", "The server cannot reach the others", &terminal);
    servers.reach(true);
    says(&mut terminal, &["● node-", " rtt "]).await;

    servers.way.stall();
    says(&mut terminal, &["◌ node-", "no pong "]).await;
    album.save("states/suspect.svg", "Nothing comes any more, and nothing says so", &terminal);
    says(&mut terminal, &["~ try ", "hello…", "offline 2s"]).await;
    album.save("states/hello.svg", "Connected, and nobody says hello", &terminal);
    servers.way.heal();
    says(&mut terminal, &["● node-", " rtt "]).await;

    servers.begin_anew();
    shows(&mut terminal, "gone (").await;
    says(&mut terminal, &["! ", " gone ("]).await;
    album.save("states/gone.svg", "The servers have lost what was said", &terminal);
}

/// Some lines in turn, each there before the next.
async fn talk(terminal: &mut Terminal, talkers: &mut [Talker; 3]) {
    for (who, text) in [
        (ALICE, "anybody on call?"),
        (BOB, "me, until six"),
        (ALICE, "three nodes, and each wants the new kernel"),
        (BOB, "one after another, then nobody notices"),
    ] {
        talkers[who].says(text);
        shows(terminal, text).await;
    }
    terminal.enter("I restart them, one by one");
    shows(terminal, "one by one").await;
    talkers[CAROL].says("the graphs are open");
    says(terminal, &["1  F1 help"]).await;
    talkers[ALICE].says("maya: go ahead, we watch");
    shows(terminal, "we watch").await;
}

/// The first connection, at addresses that do not do what a server does.
async fn first_dials(album: &Album) {
    let (_open, mute) = mute(8);
    let (_full, full) = mute_and_full();
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    for (name, scheme, address, said, title) in [
        ("dialling", "tcp", full, &["~ try 1 → ", " tcp…"][..], "An address that does not answer"),
        ("upgrade", "ws", mute, &["~ try 1 → ", " upgrade…"], "Connected, and no answer to the upgrade"),
        ("refused", "tcp", nobody, &["! OFFLINE ", "try 3 in "], "Nobody listens there"),
    ] {
        let host = format!("{scheme}://{address}");
        let mut terminal =
            Terminal::start(album.screen(name, &[], &["--host", &host, "--name", "maya"]), SIZE);
        says(&mut terminal, said).await;
        album.save(&format!("states/{name}.svg"), title, &terminal);
    }
}

/// A listener that accepts nobody: so many connections stand, further ones get no answer.
fn mute(backlog: i32) -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(backlog).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// One that has no room for another connection.
fn mute_and_full() -> (Vec<Socket>, SocketAddr) {
    let (listener, address) = mute(0);
    let fill = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        // It is on its way, or waits for ever: both fill the place.
        drop(socket.connect(&address.into()));
        socket
    };
    let mut sockets = vec![fill(), fill()];
    sockets.push(listener);
    (sockets, address)
}
