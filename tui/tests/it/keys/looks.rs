//! What stands on the screen, and how.

use super::{Chat, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene {
    keys: &[
        ("link", "Alt-c F2"),
        ("pane-rooms", "F7"),
        ("pane-users", "F8"),
        ("bare", "Alt-l F10"),
        ("mouse", "Alt-m"),
        ("help", "F1 Alt-h"),
        ("redraw", "Ctrl-L"),
        ("escape", "Esc"),
    ],
    commands: "/link /pane /bare /mouse /help /theme /version",
};

/// How a terminal is told of what is behind the letters of the light theme.
const WHITE_GROUND: &str = "48;5;231m";

/// A pane: its action, a text that is there with it alone, and each way to have it come or go.
type Pane = (&'static str, &'static str, &'static [&'static str]);

const PANES: [Pane; 3] = [
    ("pane-rooms", " Rooms ", &["F7", "/pane rooms"]),
    ("pane-users", "│ dana  ", &["F8", "/pane users"]),
    ("link", "─ Link ─", &["Alt-c", "F2", "/link", "/pane link"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panes_views_and_help_come_and_go() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("looks", &cluster, &["general", "ops"]).await;
    for (action, text, ways) in PANES {
        let mut is_there = action != "link";
        chat.until(text, |picture| picture.has(text) == is_there).await;
        for way in ways {
            match way.strip_prefix('/') {
                Some(_) => chat.command(way).await,
                None => chat.act(action, way).await,
            }
            is_there = !is_there;
            chat.until(&format!("{text} by {way}"), |picture| picture.has(text) == is_there).await;
        }
    }
    views(&mut chat).await;
    mouse(&mut chat).await;
    help(&mut chat).await;
    chat.command("/theme").await;
    chat.shows("the theme is dark; there are ").await;
    assert!(!chat.colours().await.contains(WHITE_GROUND));
    chat.command("/theme light").await;
    chat.shows("theme light; the next start has it with").await;
    assert!(chat.colours().await.contains(WHITE_GROUND));
    chat.command("/version").await;
    chat.shows(concat!("chat-tui ", env!("CARGO_PKG_VERSION"))).await;
    chat.end(&SCENE);
}

/// Bare and back; redrawn.
async fn views(chat: &mut Chat) {
    chat.enter("for copying").await;
    chat.said("dana", "for copying").await;
    for (key, back) in [("Alt-l", "F10"), ("F10", "Alt-l")] {
        chat.act("bare", key).await;
        chat.until("the message and no frames", |picture| picture.text().trim() == "for copying").await;
        chat.press(back).await;
        chat.said("dana", "for copying").await;
    }
    chat.command("/bare").await;
    chat.until("the message and no frames", |picture| picture.text().trim() == "for copying").await;
    chat.act("escape", "Esc").await;
    chat.said("dana", "for copying").await;

    chat.scribble("\x1b[3;20Hgarbage").await;
    chat.shows("garbage").await;
    chat.act("redraw", "Ctrl-L").await;
    chat.hides("garbage").await;
    chat.said("dana", "for copying").await;
}

/// The mouse is the program's, and works; then it is the terminal's again.
async fn mouse(chat: &mut Chat) {
    chat.act("mouse", "Alt-m").await;
    chat.until("the mouse is wanted", |picture| {
        picture.mouse && picture.has("the mouse scrolls and enters rooms; Shift selects text")
    })
    .await;
    // A click on the second room, as terminals tell it.
    chat.raw("\x1b[<0;5;3M\x1b[<0;5;3m").await;
    chat.room("#ops").await;
    chat.press("Alt-1").await;
    chat.room("#general").await;
    chat.act("mouse", "Alt-m").await;
    chat.until("the mouse is the terminal's", |picture| {
        !picture.mouse && picture.has("the mouse is the terminal's")
    })
    .await;
    for wanted in [true, false] {
        chat.command("/mouse").await;
        chat.until("the mouse", |picture| picture.mouse == wanted).await;
    }
}

async fn help(chat: &mut Chat) {
    for key in ["F1", "Alt-h"] {
        chat.act("help", key).await;
        chat.shows("─ Help ─").await;
        chat.press(key).await;
        chat.hides("─ Help ─").await;
    }
    // As a letter where one is written, for help where none is.
    chat.write("a?").await;
    chat.input("a?").await;
    chat.press("Ctrl-U").await;
    chat.input("").await;
    chat.write("?").await;
    chat.shows("─ Help ─").await;
    chat.press("Esc").await;
    chat.hides("─ Help ─").await;
    chat.command("/help").await;
    chat.shows("─ Help ─").await;
    chat.press("q").await;
    chat.hides("─ Help ─").await;
}
