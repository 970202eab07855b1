//! The README's pictures: the demo, a server killed, every server killed.

use chat_testbed::Terminal;

use super::album::{Album, says, shows};

/// Kills the node one is on, as `/kill` does.
pub(crate) const F9: &str = "\x1b[20~";

pub(crate) async fn take(album: &Album) {
    let mut terminal = Terminal::start(album.demo("readme", &[], &[]), (80, 24));
    shows(&mut terminal, "nobody should have").await;
    terminal.enter("hello! what if a server dies now?");
    shows(&mut terminal, "good point, added").await;
    album.save("demo.svg", "Three rooms, everybody online", &terminal);

    terminal.press(F9);
    says(&mut terminal, &[" 0 lost, 0 dup"]).await;
    terminal.enter("that was all?");
    shows(&mut terminal, "if the projector behaves").await;
    album.save("killed.svg", "A server was killed: nothing lost, nothing twice", &terminal);

    terminal.enter("/kill all");
    says(&mut terminal, &["! OFFLINE"]).await;
    terminal.enter("typed while every server is down");
    says(&mut terminal, &["try 4 in "]).await;
    album.save("down.svg", "Every server is down: the message waits", &terminal);
}
