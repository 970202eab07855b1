//! Writing: every key of the input.

use super::{Chat, Scene, says};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene {
    keys: &[
        ("send", "Enter"),
        ("newline", "Ctrl-J Alt-Enter Shift-Enter"),
        ("up", "Up"),
        ("down", "Down"),
        ("recall", "Ctrl-R"),
        ("complete", "Tab"),
        ("line-start", "Ctrl-A Home"),
        ("line-end", "Ctrl-E End"),
        ("left", "Left Ctrl-B"),
        ("right", "Right"),
        ("word-left", "Alt-b Ctrl-Left"),
        ("word-right", "Alt-f Ctrl-Right"),
        ("delete-left", "Backspace Ctrl-H"),
        ("delete-right", "Delete"),
        ("delete-or-quit", "Ctrl-D"),
        ("kill-line-end", "Ctrl-K"),
        ("kill-line-start", "Ctrl-U"),
        ("kill-word-left", "Ctrl-W Alt-Backspace"),
        ("kill-word-right", "Alt-d"),
        ("yank", "Ctrl-Y"),
        ("yank-older", "Alt-y"),
        ("undo", "Ctrl-_ Ctrl-7 Ctrl-/"),
    ],
    commands: "",
};

/// Keys that move or delete: pressed behind `one two`, or before it where the first letter says so; `|` is typed then.
const EDITS: [(&str, &str, At, &str); 18] = [
    ("line-start", "Ctrl-A", At::End, "|one two"),
    ("line-start", "Home", At::End, "|one two"),
    ("line-end", "Ctrl-E", At::Start, "one two|"),
    ("line-end", "End", At::Start, "one two|"),
    ("left", "Left", At::End, "one tw|o"),
    ("left", "Ctrl-B", At::End, "one tw|o"),
    ("right", "Right", At::Start, "o|ne two"),
    ("word-left", "Alt-b", At::End, "one |two"),
    ("word-left", "Ctrl-Left", At::End, "one |two"),
    ("word-right", "Alt-f", At::Start, "one| two"),
    ("word-right", "Ctrl-Right", At::Start, "one| two"),
    ("delete-left", "Backspace", At::End, "one tw|"),
    ("delete-left", "Ctrl-H", At::End, "one tw|"),
    ("delete-right", "Delete", At::Start, "|ne two"),
    ("delete-or-quit", "Ctrl-D", At::Start, "|ne two"),
    ("kill-word-left", "Ctrl-W", At::End, "one |"),
    ("kill-word-left", "Alt-Backspace", At::End, "one |"),
    ("kill-word-right", "Alt-d", At::Start, "| two"),
];

/// Where the cursor stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    End,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_moved_in_cut_and_brought_back() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("writing", &cluster, &["general"]).await;
    for (action, key, at, expected) in EDITS {
        chat.write("one two").await;
        chat.input("one two").await;
        if at == At::Start {
            chat.press("Home").await;
        }
        chat.act(action, key).await;
        chat.write("|").await;
        chat.input(expected).await;
        chat.press("End").await;
        chat.press("Ctrl-U").await;
        chat.input("").await;
    }
    kill(&mut chat).await;
    send(&mut chat).await;
    chat.end(&SCENE);
}

/// What was killed comes back, what was done is undone.
async fn kill(chat: &mut Chat) {
    chat.write("the first").await;
    chat.act("kill-line-start", "Ctrl-U").await;
    chat.input("").await;
    chat.write("second").await;
    chat.press("Home").await;
    chat.act("kill-line-end", "Ctrl-K").await;
    chat.input("").await;
    chat.act("yank", "Ctrl-Y").await;
    chat.input("second").await;
    chat.act("yank-older", "Alt-y").await;
    chat.input("the first").await;
    for key in ["Ctrl-_", "Ctrl-7", "Ctrl-/"] {
        chat.press("Ctrl-U").await;
        chat.input("").await;
        chat.act("undo", key).await;
        chat.input("the first").await;
    }
    chat.press("Ctrl-U").await;
    chat.input("").await;
}

/// What is sent is said, and written before.
async fn send(chat: &mut Chat) {
    chat.write("well met").await;
    chat.act("send", "Enter").await;
    chat.said("dana", "well met").await;
    chat.input("").await;
    for (number, key) in ["Ctrl-J", "Alt-Enter", "Shift-Enter"].into_iter().enumerate() {
        let rows = [format!("upper {number}"), format!("lower {number}")];
        chat.write(&rows[0]).await;
        chat.act("newline", key).await;
        chat.write(&rows[1]).await;
        chat.until("two rows of input", |picture| {
            picture.rows.ends_with(&[format!("[dana] {}", rows[0]), format!("       {}", rows[1])])
        })
        .await;
        chat.press("Enter").await;
        chat.until("one message of two rows", |picture| {
            let first = says(picture, "dana", &rows[0]);
            first.is_some_and(|row| picture.rows[row + 1].contains(&rows[1]))
        })
        .await;
        chat.input("").await;
    }
    chat.enter("something short").await;
    chat.said("dana", "something short").await;
    chat.act("up", "Up").await;
    chat.input("something short").await;
    chat.act("down", "Down").await;
    chat.input("").await;
    chat.act("recall", "Ctrl-R").await;
    chat.shows("─ Written before ─").await;
    chat.write("ell m").await;
    chat.until("what holds it", |picture| picture.has("> ell m") && picture.has("▶well met")).await;
    chat.press("Enter").await;
    chat.hides("─ Written before ─").await;
    chat.input("well met").await;
    chat.press("Ctrl-U").await;
    chat.input("").await;
    chat.write("/ver").await;
    chat.act("complete", "Tab").await;
    chat.input("/version").await;
}
