//! Going away, for a while or for good: the shell has the terminal then.

use super::{Chat, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene {
    keys: &[("suspend", "Ctrl-Z"), ("interrupt", "Ctrl-C"), ("delete-or-quit", "Ctrl-D")],
    commands: "/quit",
};

/// The program has ended well, as the shell tells.
async fn check_ended(chat: &mut Chat, round: &str) {
    chat.prompt().await;
    chat.enter(&format!("echo {round} ended with $?")).await;
    chat.until("how it ended", |picture| {
        picture.rows.iter().any(|row| *row == format!("{round} ended with 0"))
    })
    .await;
    chat.enter("clear").await;
    chat.until("an empty shell", |picture| picture.text().trim() == super::PROMPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_has_its_terminal_back_whichever_way_one_goes() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("leaving", &cluster, &["general"]).await;
    let again = format!("--host tcp://{} --name dana", cluster.tcp());
    chat.press("Alt-m").await;
    chat.until("the mouse is the program's", |picture| picture.mouse).await;
    chat.write("half a word").await;
    chat.input("half a word").await;
    chat.act("suspend", "Ctrl-Z").await;
    chat.prompt().await;
    chat.enter("fg").await;
    chat.until("the program as it was", |picture| {
        picture.alternate && picture.mouse && super::input(picture) == "[dana] half a word"
    })
    .await;
    chat.online().await;

    // The first Ctrl-C takes what was written.
    chat.act("interrupt", "Ctrl-C").await;
    chat.until("an empty input", |picture| {
        super::input(picture) == "[dana]" && picture.has("Ctrl-C again quits")
    })
    .await;
    chat.act("interrupt", "Ctrl-C").await;
    check_ended(&mut chat, "interrupted").await;

    chat.open(&again).await;
    chat.online().await;
    chat.act("delete-or-quit", "Ctrl-D").await;
    check_ended(&mut chat, "quit").await;

    chat.open(&again).await;
    chat.online().await;
    chat.command("/quit").await;
    check_ended(&mut chat, "commanded").await;
    chat.end(&SCENE);
}
