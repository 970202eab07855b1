//! Moving through what was said, and searching it.

use super::tmux::Picture;
use super::{Chat, Other, Scene, chosen, says};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene {
    keys: &[
        ("page-up", "PgUp"),
        ("page-down", "PgDn"),
        // These have no usual keys: the settings of this scene give them some.
        ("rows-up", "F11"),
        ("rows-down", "F12"),
        ("oldest", "Alt-Home"),
        ("newest", "Alt-End"),
        ("search", "Ctrl-F Alt-/"),
    ],
    commands: "/search /context /clear",
};

/// More than two screens.
const MANY: usize = 80;

/// The number of the highest line that is seen.
fn top(picture: &Picture) -> Option<usize> {
    let said = picture.rows.iter().find_map(|row| row.split_once("line "))?;
    said.1.split_once('.')?.0.parse().ok()
}

/// Waits until the highest line is a certain one; gives which.
async fn at(chat: &mut Chat, what: &str, wanted: impl Fn(usize) -> bool) -> usize {
    let picture = chat.until(what, |picture| top(picture).is_some_and(&wanted)).await;
    top(&picture).unwrap()
}

/// Waits until the oldest message of all is seen.
async fn at_beginning(chat: &mut Chat) {
    chat.until("the beginning", |picture| {
        says(picture, "bob", "a needle in front").is_some() && top(picture) == Some(1)
    })
    .await;
}

async fn start(cluster: &TestCluster) -> (Chat, Other) {
    let mut bob = Other::start("reading", cluster, ("bob", "general"));
    bob.says("a needle in front").await;
    for number in 1..=MANY {
        bob.says(&format!("line {number}.")).await;
    }
    let mut chat = Chat::shell("reading").await;
    let settings = crate::program::home("keys-reading").join("chat-tui/config.toml");
    std::fs::write(settings, "[keys]\nrows-up = [\"F11\"]\nrows-down = [\"F12\"]\n").unwrap();
    chat.open(&format!("--host tcp://{} --name dana", cluster.tcp())).await;
    chat.online().await;
    chat.shows(&format!("line {MANY}.")).await;
    (chat, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_paged_through() {
    let cluster = TestCluster::start(RateLimit::Off);
    let (mut chat, _bob) = start(&cluster).await;
    let bottom = top(&chat.picture().await).unwrap();
    chat.act("rows-up", "F11").await;
    // The row that says so takes one, too.
    let three_up = at(&mut chat, "three rows up", |top| (bottom - 4..bottom - 1).contains(&top)).await;
    chat.shows("newer below: Alt-End").await;
    chat.act("page-up", "PgUp").await;
    at(&mut chat, "a page up", |top| top + 20 < three_up).await;
    chat.act("page-down", "PgDn").await;
    at(&mut chat, "a page down", |top| top == three_up).await;
    chat.act("rows-down", "F12").await;
    at(&mut chat, "three rows down", |top| top == bottom).await;
    chat.hides("newer below").await;
    chat.act("oldest", "Alt-Home").await;
    at_beginning(&mut chat).await;
    chat.act("newest", "Alt-End").await;
    at(&mut chat, "the newest", |top| top == bottom).await;
    find(&mut chat, bottom).await;
    commands(&mut chat).await;
    chat.end(&SCENE);
}

/// The search that opens; what it finds is shown and chosen.
async fn find(chat: &mut Chat, bottom: usize) {
    for key in ["Ctrl-F", "Alt-/"] {
        chat.act("search", key).await;
        chat.shows("─ Search #general ─").await;
        chat.write("needle").await;
        chat.shows("bob  a needle in front").await;
        // Pressed again it asks the server, which has no more.
        chat.press(key).await;
        chat.shows("that is all").await;
        chat.press("Up").await;
        chat.press("Enter").await;
        chat.hides("─ Search").await;
        at_beginning(chat).await;
        chat.press("Esc").await;
        chat.until("nothing chosen", |picture| chosen(picture).is_none()).await;
        chat.press("Alt-End").await;
        at(chat, "the newest", |top| top == bottom).await;
    }
}

/// The searches that answer with lines.
async fn commands(chat: &mut Chat) {
    chat.command("/search").await;
    chat.shows("no search to go on with").await;
    chat.command("/search needle").await;
    chat.shows("found 1 for").await;
    chat.command("/context 1").await;
    chat.until("what was said around it", |picture| {
        let is_it = |row: &String| row.contains("> ") && row.contains("bob: a needle in front");
        picture.has("around that in #general:") && picture.rows.iter().any(is_it)
    })
    .await;
    chat.command("/clear").await;
    chat.hides("needle").await;
    chat.command("/search -a line").await;
    chat.shows("found 20 for").await;
    chat.command("/search").await;
    chat.shows(" 40 #general ").await;
}
