//! What rooms there are, in which order, and what is known of them.

use super::{Chat, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene =
    Scene { keys: &[], commands: "/join /leave /pin /mute /order /rooms /topic /who /nodes" };

/// Waits until the list of rooms is this: each with the sign before it, if it has one.
async fn listed(chat: &mut Chat, rooms: &[&str]) {
    let line = |(index, room): (usize, &&str)| {
        let gap = if room.starts_with(['+', '-']) { "" } else { " " };
        format!("{}{gap}{room}", index + 1)
    };
    let wanted: Vec<String> = rooms.iter().enumerate().map(line).collect();
    chat.until(&format!("the rooms {rooms:?}"), |picture| {
        let pane = picture.rows.iter().map(|row| row.chars().take(14).collect::<String>());
        let pane: Vec<String> =
            pane.skip(1).map(|row| row.trim_matches(['▶', ' ']).to_owned()).take(wanted.len() + 1).collect();
        pane[..wanted.len()] == wanted && pane[wanted.len()].is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_joined_left_sorted_and_told_about() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("lists", &cluster, &["general", "ops"]).await;
    listed(&mut chat, &["general", "ops"]).await;
    for room in ["random", "apples"] {
        chat.command(&format!("/join {room}")).await;
        chat.room(&format!("#{room}")).await;
    }
    listed(&mut chat, &["general", "ops", "random", "apples"]).await;

    chat.command("/order name").await;
    listed(&mut chat, &["apples", "general", "ops", "random"]).await;
    chat.command("/order joined").await;
    listed(&mut chat, &["general", "ops", "random", "apples"]).await;
    chat.enter("something").await;
    chat.command("/order activity").await;
    listed(&mut chat, &["apples", "general", "ops", "random"]).await;
    chat.command("/order joined").await;
    chat.command("/pin").await;
    chat.shows("#apples is pinned").await;
    listed(&mut chat, &["+apples", "general", "ops", "random"]).await;
    chat.command("/pin").await;
    chat.shows("#apples is pinned no more").await;
    listed(&mut chat, &["general", "ops", "random", "apples"]).await;
    chat.command("/mute").await;
    chat.shows("#apples is muted: nothing in it calls you").await;
    listed(&mut chat, &["general", "ops", "random", "-apples"]).await;
    chat.command("/mute").await;
    chat.shows("#apples is muted no more").await;

    chat.command("/leave").await;
    listed(&mut chat, &["general", "ops", "random"]).await;
    chat.room("#random").await;
    chat.command("/leave ops").await;
    listed(&mut chat, &["general", "random"]).await;
    chat.room("#random").await;

    chat.command("/topic").await;
    chat.shows("#random has no topic").await;
    chat.command("/topic release day").await;
    chat.until("the topic above the messages", |picture| picture.rows[0].contains("#random  release day"))
        .await;
    chat.command("/topic").await;
    chat.shows("#random: release day").await;
    chat.command("/rooms").await;
    chat.shows("  #random 1 user release day").await;
    chat.command("/topic -").await;
    chat.until("no topic", |picture| !picture.rows[0].contains("release")).await;
    chat.command("/who").await;
    chat.until("who is here", |picture| picture.has("#random: 1 user") && picture.has("  dana on node-"))
        .await;
    chat.command("/who general").await;
    chat.shows("#general: 1 user").await;
    chat.command("/nodes").await;
    chat.until("three nodes, ours among them", |picture| {
        let nodes = picture.rows.iter().filter(|row| row.contains(" connections, "));
        let (all, ours) =
            nodes.fold((0, 0), |(all, ours), row| (all + 1, ours + usize::from(row.contains("(you"))));
        (all, ours) == (3, 1)
    })
    .await;
    chat.end(&SCENE);
}
