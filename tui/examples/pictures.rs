//! Takes the README's pictures: runs the demo in a real pseudo-terminal, kills its nodes, and writes what then
//! stands on the screen as SVG. Run as `cargo xtask pictures`, which builds the program first.

#![expect(clippy::unwrap_used, reason = "a chore that cannot go on says where")]

#[path = "pictures/svg.rs"]
mod svg;

use std::path::Path;

use chat_testbed::Terminal;
use portable_pty::CommandBuilder;

const F9: &str = "\x1b[20~";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::env::args().nth(1).expect("the folder for the pictures");
    let save = |name: &str, title: &str, terminal: &Terminal| {
        std::fs::write(Path::new(&folder).join(name), svg::picture(terminal.screen(), title)).unwrap();
    };
    // target/debug/examples/pictures stands beside target/debug/chat-tui.
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let mut demo = CommandBuilder::new(program.join("chat-tui"));
    demo.args(["--demo", "--name", "maya"]);
    let mut terminal = Terminal::start(demo, (80, 24));

    rests_at(&mut terminal, "nobody should have").await;
    terminal.enter("hello! what if a server dies now?");
    rests_at(&mut terminal, "good point, added").await;
    save("demo.svg", "Three rooms, everybody online", &terminal);

    terminal.press(F9);
    rests_at(&mut terminal, " 0 lost, 0 dup").await;
    terminal.enter("that was all?");
    rests_at(&mut terminal, "if the projector behaves").await;
    save("killed.svg", "A server was killed: nothing lost, nothing twice", &terminal);

    terminal.enter("/kill all");
    rests_at(&mut terminal, "! OFFLINE").await;
    terminal.enter("typed while every server is down");
    rests_at(&mut terminal, "try 4 in ").await;
    save("down.svg", "Every server is down: the message waits", &terminal);
}

/// Waits until the screen shows a text and is drawn to its end: the cursor is back in the input.
async fn rests_at(terminal: &mut Terminal, text: &str) {
    let rests = |terminal: &Terminal| {
        let (rows, _) = terminal.screen().size();
        terminal.screen().cursor_position().0 == rows - 1 && terminal.contents().contains(text)
    };
    terminal.until(text, rests).await;
}
