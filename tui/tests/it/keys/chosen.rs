//! Choosing a message, and what can be done with it.

use super::tmux::Picture;
use super::{Chat, Other, Scene, chosen, input, says};
use crate::cluster::{RateLimit, TestCluster};
use crate::terminal::browser;

pub(super) const SCENE: Scene = Scene {
    keys: &[
        ("choose-up", "Ctrl-Up"),
        ("choose-down", "Ctrl-Down"),
        ("chosen-reply", "Enter"),
        ("chosen-edit", "e"),
        ("chosen-delete", "d"),
        ("chosen-copy", "c"),
        ("chosen-open", "o"),
        ("chosen-command", "/"),
        ("escape", "Esc"),
    ],
    commands: "/edit /delete /reply",
};

/// What is said while a message is chosen.
const CHOSEN: &str = "Enter reply, e edit, d delete";

/// Goes up so often; this is chosen then.
async fn choose(chat: &mut Chat, ups: usize, text: &str) {
    for _ in 0..ups {
        chat.act("choose-up", "Ctrl-Up").await;
    }
    check_chosen(chat, text).await;
}

async fn check_chosen(chat: &mut Chat, text: &str) {
    let is_chosen = |picture: &Picture| chosen(picture).is_some_and(|row| row.contains(text));
    chat.until(&format!("{text} chosen"), |picture| picture.has(CHOSEN) && is_chosen(picture)).await;
}

/// Copies the chosen message: it is in the terminal's clipboard.
async fn check_copy(chat: &mut Chat, expected: &str) {
    chat.act("chosen-copy", "c").await;
    chat.shows("copied, where the terminal allows it (OSC 52)").await;
    assert_eq!(chat.clipboard().await, expected);
    chat.empty_clipboard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chosen_message_is_copied_answered_changed_and_opened() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut bob = Other::start("chosen", &cluster, ("bob", "general"));
    let mut chat = Chat::join("chosen", &cluster, &["general"]).await;
    let opened = browser("keys-chosen").join("opened");
    // An earlier run may have left it.
    let _ = std::fs::remove_file(&opened);
    chat.shows("│ bob ").await;
    bob.says("see https://example.com/a").await;
    chat.shows("see https://example.com/a").await;
    for text in ["eins", "zwei", "drei"] {
        chat.enter(text).await;
        chat.until("it is in the log", |picture| says(picture, "dana", text).is_some() && picture.has("✓"))
            .await;
    }
    choose(&mut chat, 1, "drei").await;
    check_copy(&mut chat, "drei").await;
    choose(&mut chat, 3, "eins").await;
    check_copy(&mut chat, "eins").await;
    choose(&mut chat, 3, "eins").await;
    chat.act("choose-down", "Ctrl-Down").await;
    check_chosen(&mut chat, "zwei").await;
    check_copy(&mut chat, "zwei").await;

    choose(&mut chat, 4, "see https").await;
    chat.act("chosen-open", "o").await;
    chat.until("where it leads", |picture| {
        picture.has("─ Open a link ─") && picture.has("▶https://example.com/a")
    })
    .await;
    chat.press("Enter").await;
    chat.shows("could not open it (exit status: 3)").await;
    assert_eq!(std::fs::read_to_string(opened).unwrap(), "1,https://example.com/a");

    choose(&mut chat, 4, "see https").await;
    chat.act("chosen-reply", "Enter").await;
    chat.shows("[→ bob]").await;
    chat.act("escape", "Esc").await;
    chat.input("").await;
    choose(&mut chat, 4, "see https").await;
    chat.act("chosen-reply", "Enter").await;
    chat.shows("[→ bob]").await;
    chat.enter("seen").await;
    chat.until("the reply under what it is to", |picture| {
        let quote = picture.row_of("│ bob: see https://example.com/a");
        quote.is_some_and(|row| picture.rows[row + 1].contains("seen"))
    })
    .await;
    change(&mut chat).await;
    commands(&mut chat).await;
    chat.end(&SCENE);
}

/// By keys; above `seen` stand eins, zwei, drei.
async fn change(chat: &mut Chat) {
    chat.until("in the log", |picture| {
        picture.rows.iter().any(|row| row.contains("seen") && row.contains('✓'))
    })
    .await;
    choose(chat, 2, "drei").await;
    chat.act("chosen-edit", "e").await;
    chat.until("the message to be changed", |picture| input(picture) == "[edit] drei").await;
    chat.enter(" Gläser").await;
    chat.shows("drei Gläser (edited)").await;
    chat.input("").await;
    choose(chat, 3, "zwei").await;
    chat.act("chosen-delete", "d").await;
    chat.until("the question", |picture| {
        let question = picture.row_of("─ Delete this message? ─");
        question.is_some_and(|row| picture.rows[row + 1].contains("zwei"))
    })
    .await;
    chat.press("Enter").await;
    chat.until("it is gone", |picture| picture.has("message deleted") && !picture.has("zwei")).await;
    choose(chat, 4, "eins").await;
    chat.act("chosen-command", "/").await;
    chat.input("/").await;
    chat.enter("edit ein").await;
    chat.pressed.insert("/edit".to_owned());
    chat.said("dana", "ein (edited)").await;
}

/// Commands are about one's last message where none is chosen.
async fn commands(chat: &mut Chat) {
    chat.command("/edit seen by all").await;
    chat.shows("seen by all (edited)").await;
    chat.command("/delete").await;
    chat.shows("─ Delete this message? ─").await;
    chat.press("y").await;
    chat.until("both are gone", |picture| picture.text().matches("message deleted").count() == 2).await;
    chat.command("/reply to whom").await;
    chat.shows("choose the message first: Ctrl-Up, then Enter").await;
    choose(chat, 5, "see https").await;
    chat.act("chosen-command", "/").await;
    chat.input("/").await;
    chat.enter("reply by command").await;
    chat.until("another reply to it", |picture| {
        let quote = picture.rows.iter().rposition(|row| row.contains("│ bob: see https://example.com/a"));
        quote.is_some_and(|row| picture.rows.get(row + 1).is_some_and(|row| row.contains("by command")))
    })
    .await;
}
