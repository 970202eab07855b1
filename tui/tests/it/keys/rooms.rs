//! Going from room to room.

use super::{Chat, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene {
    keys: &[
        ("previous-room", "Alt-Up Ctrl-P F5"),
        ("next-room", "Alt-Down Ctrl-N F6"),
        ("room-1", "Alt-1"),
        ("room-2", "Alt-2"),
        ("room-3", "Alt-3"),
        ("room-4", "Alt-4"),
        ("room-5", "Alt-5"),
        ("room-6", "Alt-6"),
        ("room-7", "Alt-7"),
        ("room-8", "Alt-8"),
        ("room-9", "Alt-9"),
        ("switcher", "Ctrl-T Alt-k"),
        ("escape", "Esc"),
    ],
    commands: "/next /prev /go /2 /9",
};

const ROOMS: [&str; 9] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

async fn check_room(chat: &mut Chat, number: usize) {
    chat.room(&format!("#{}", ROOMS[number - 1])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_from_room_to_room() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("rooms", &cluster, &ROOMS).await;
    check_room(&mut chat, 1).await;
    for (index, key) in ["Alt-Down", "Ctrl-N", "F6"].into_iter().enumerate() {
        chat.act("next-room", key).await;
        check_room(&mut chat, index + 2).await;
    }
    for (index, key) in ["Alt-Up", "Ctrl-P", "F5"].into_iter().enumerate() {
        chat.act("previous-room", key).await;
        check_room(&mut chat, 3 - index).await;
    }
    for number in (1..=9).rev() {
        chat.act(&format!("room-{number}"), &format!("Alt-{number}")).await;
        check_room(&mut chat, number).await;
    }
    for (key, typed, number) in [("Ctrl-T", "sev", 7), ("Alt-k", "tw", 2)] {
        chat.act("switcher", key).await;
        chat.shows("─ Go to ─").await;
        chat.write(typed).await;
        chat.shows(&format!("> {typed}")).await;
        chat.press("Enter").await;
        check_room(&mut chat, number).await;
    }
    // A key behind Esc is an Alt-key.
    chat.act("escape", "Esc").await;
    chat.write("4").await;
    check_room(&mut chat, 4).await;

    chat.command("/next").await;
    check_room(&mut chat, 5).await;
    chat.command("/prev").await;
    check_room(&mut chat, 4).await;
    for number in [2, 9] {
        chat.command(&format!("/{number}")).await;
        check_room(&mut chat, number).await;
    }
    chat.command("/go").await;
    chat.shows("─ Go to ─").await;
    chat.press("Esc").await;
    chat.hides("─ Go to ─").await;
    chat.command("/go eig").await;
    check_room(&mut chat, 8).await;
    chat.end(&SCENE);
}
