//! Finding what came meanwhile.

use super::{Chat, Other, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene =
    Scene { keys: &[("unread", "Alt-a F4"), ("first-unread", "Alt-u")], commands: "/unread /read" };

/// More than a screen.
const MANY: usize = 60;

async fn say_many(other: &mut Other, word: &str) {
    for number in 1..=MANY {
        other.says(&format!("{word} {number}.")).await;
    }
}

/// Back to where nothing is said; something is unread behind it then.
async fn go_back(chat: &mut Chat) {
    chat.press("Alt-1").await;
    chat.room("#general").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unread_is_found() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("unread", &cluster, &["general", "ops"]).await;
    // We are in the other room, too, before anything is said there: nothing of it is history then.
    chat.enter("/who ops").await;
    chat.until("who is there", |picture| picture.has("#ops: 1 user") && picture.has("  dana on node-")).await;
    let mut bob = Other::start("unread", &cluster, ("bob", "ops"));
    say_many(&mut bob, "before").await;
    chat.shows(&format!(" 2 ops     {MANY} │")).await;
    chat.act("unread", "Alt-a").await;
    chat.room("#ops").await;
    let picture = chat.shows(&format!("before {MANY}.")).await;
    assert!(!picture.has("before 1."), "{}", picture.text());
    chat.act("first-unread", "Alt-u").await;
    chat.until("the first unread, on top of those behind it", |picture| {
        let first = picture.row_of("before 1.");
        first.is_some_and(|row| picture.rows[row + 1].contains("before 2."))
            && picture.has("newer below")
            && picture.has(&format!("─ {MANY} new ─"))
    })
    .await;
    chat.press("Alt-End").await;
    chat.shows(&format!("before {MANY}.")).await;

    go_back(&mut chat).await;
    bob.says("dana: look here").await;
    say_many(&mut bob, "after").await;
    chat.shows(" 2 ops     @1 │").await;
    chat.shows(&format!("@1 {}  F1 help", MANY + 1)).await;
    chat.act("unread", "F4").await;
    chat.room("#ops").await;
    let picture = chat.shows("dana: look here").await;
    assert!(!picture.has(&format!("after {MANY}.")), "{}", picture.text());
    chat.press("Alt-End").await;
    chat.shows(&format!("after {MANY}.")).await;

    go_back(&mut chat).await;
    chat.command("/unread").await;
    chat.shows("nothing unread").await;
    bob.says("one more").await;
    chat.shows(" 2 ops      1 │").await;
    chat.command("/unread").await;
    chat.room("#ops").await;
    go_back(&mut chat).await;
    bob.says("and one more").await;
    chat.shows(" 2 ops      1 │").await;
    chat.command("/read").await;
    let picture = chat.shows("all rooms are read").await;
    assert!(picture.has(" 2 ops        │"), "{}", picture.text());
    chat.end(&SCENE);
}
