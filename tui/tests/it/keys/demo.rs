//! The demo's own: nodes die, come back, keep a message. And help, which lists every command there is.

use std::collections::BTreeSet;

use super::tmux::{Picture, SIZE};
use super::{Chat, SCENES, Scene, status};

pub(super) const SCENE: Scene = Scene { keys: &[("demo-kill", "F9")], commands: "/kill /revive /withhold" };

async fn start(test: &str) -> Chat {
    let mut chat = Chat::shell(test).await;
    chat.open("--demo --name dana").await;
    chat.online().await;
    // We are in, and somebody is there to talk while we are away.
    chat.shows("morning! coffee is ready").await;
    chat
}

/// Waits for the next failover from a node; gives the node it went to.
async fn failed_over(chat: &mut Chat, from: &str) -> String {
    let is_it = |picture: &Picture| {
        let status = status(picture);
        status.contains(&format!("← {from} ")) && status.contains(" recovered, 0 lost, 0 dup")
    };
    node(&chat.until("a failover without loss", is_it).await)
}

/// The node in the status line.
fn node(picture: &Picture) -> String {
    status(picture).split_whitespace().nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn nodes_of_the_demo_die_and_come_back_at_a_key() {
    let mut chat = start("demo").await;
    let first = node(&chat.picture().await);
    chat.act("demo-kill", "F9").await;
    let second = failed_over(&mut chat, &first).await;
    chat.command("/kill").await;
    failed_over(&mut chat, &second).await;
    chat.command("/kill all").await;
    chat.shows("! OFFLINE").await;
    chat.command("/revive").await;
    chat.until("a node again", |picture| status(picture).starts_with("● node-")).await;
    chat.command("/withhold").await;
    chat.until("a loss that is counted", |picture| status(picture).contains("1 lost")).await;
    chat.end(&SCENE);
}

/// How wide help is.
const HELP_CELLS: usize = 86;
/// On a screen of so many rows help is seen whole.
const ALL_ROWS: usize = 150;

/// Commands that a line of help names.
fn commands(row: &str) -> Vec<String> {
    // Left of help stands what lies under it.
    let row: String = row.chars().skip((SIZE.0 - HELP_CELLS) / 2).collect();
    let row = row.trim_start();
    // What it does stands behind two spaces at least.
    let (ways, _) = row.split_once("  ").unwrap_or((row, ""));
    let names = ways.split(' ').filter(|word| word.starts_with('/') && word.len() > 1);
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_command_that_help_names_is_entered_in_a_terminal_here() {
    let mut chat = start("help").await;
    chat.resize((SIZE.0, ALL_ROWS)).await;
    chat.press("F1").await;
    // Its lowest row is drawn last.
    let picture = chat.shows("─ Esc closes ─").await;
    let rows = picture.row_of("─ Help ─").unwrap()..picture.row_of("─ Esc closes ─").unwrap();
    let mut named: BTreeSet<String> = picture.rows[rows].iter().flat_map(|row| commands(row)).collect();
    let text = named.take("//text").expect("help says how text begins with a slash");
    let number = named.take("/1").expect("help says how a room is shown by its number");
    assert!(named.len() > 30, "{named:?}");
    let entered: BTreeSet<String> = SCENES.iter().flat_map(|scene| scene.presses()).collect();
    let missing: Vec<&String> = named.iter().filter(|command| !entered.contains(*command)).collect();
    assert!(missing.is_empty(), "no scene enters {missing:?}");
    assert!(entered.contains("//half"), "no scene says {text}");
    assert!(entered.contains("/2"), "no scene enters {number}");
    // And those that scenes enter are commands, but for these.
    let none = ["//half", "/2", "/9", "/jion", "/invite"];
    let known = |press: &&String| press.starts_with('/') && !none.contains(&press.as_str());
    let unknown: Vec<&String> =
        entered.iter().filter(known).filter(|press| !named.contains(*press)).collect();
    assert!(unknown.is_empty(), "help does not name {unknown:?}");
}
