//! Owns how a server's answers read: users, rooms and nodes as lines in the room shown.

use chat_protocol::{NodeInfo, RoomInfo, ServerMessage, User};

use super::search;
use crate::app::App;
use crate::app::line::Said;
use crate::app::text::clean_line;

/// Users named by one answer; the count is exact all the same.
const USERS_SHOWN: usize = 100;
/// Rooms listed by one answer: the backlog of the room shown is not for them.
const ROOMS_SHOWN: usize = 200;

/// An answer came.
pub(super) fn take(app: &mut App, message: ServerMessage) {
    match message {
        ServerMessage::Who { room, users, count, .. } => {
            let lines = who(&app.rooms.label(&room), &users, count);
            app.say_here(&Said::Notice, lines);
        }
        ServerMessage::Rooms { rooms, more, .. } => {
            let lines = directory(&rooms, more);
            app.say_here(&Said::Notice, lines);
        }
        ServerMessage::Nodes { nodes, .. } => {
            if app.nodes_asked > 0 {
                app.nodes_asked -= 1;
                let lines: Vec<String> = nodes.iter().map(node).collect();
                app.say_here(&Said::Notice, lines);
            }
            app.link.nodes = nodes;
        }
        ServerMessage::Search { messages, next, .. } => search::found(app, &messages, next),
        ServerMessage::Kicked { room, by, reason } => {
            let reason = reason.map(|reason| format!(": {}", clean_line(&reason))).unwrap_or_default();
            let text = format!("{} put you out of #{room}{reason}", clean_line(&by));
            app.say_here(&Said::Trouble, [text]);
        }
        // Answers to questions that this version does not ask.
        _ => {}
    }
}

fn who(room: &str, users: &[User], count: usize) -> Vec<String> {
    let mut lines = vec![format!("{room}: {}", users_counted(count))];
    lines.extend(users.iter().take(USERS_SHOWN).map(|user| {
        let away = if user.away.is_some() { " (away)" } else { "" };
        format!("  {} on {}{away}", clean_line(&user.username), user.node)
    }));
    let listed = users.len().min(USERS_SHOWN);
    if count > listed {
        lines.push(format!("  and {} more", count - listed));
    }
    lines
}

fn directory(rooms: &[RoomInfo], more: bool) -> Vec<String> {
    let rooms: Vec<&RoomInfo> = rooms.iter().filter(|room| !room.room.is_hidden()).collect();
    let mut lines = vec![format!("{} rooms{}", rooms.len(), if more { ", and more" } else { "" })];
    lines.extend(
        rooms.iter().take(ROOMS_SHOWN).map(|room| {
            format!("  #{} {} {}", room.room, users_counted(room.count), clean_line(&room.topic))
        }),
    );
    if rooms.len() > ROOMS_SHOWN {
        lines.push(format!("  and {} more", rooms.len() - ROOMS_SHOWN));
    }
    lines
}

fn node(node: &NodeInfo) -> String {
    format!(
        "{} {}: {} connections, {} rooms, up {}{}{}",
        node.node,
        clean_line(&node.version),
        node.connections,
        node.rooms,
        crate::app::text::uptime(std::time::Duration::from_secs(node.uptime_s)),
        if node.draining { ", draining" } else { "" },
        if node.you { " (you are here)" } else { "" },
    )
}

fn users_counted(count: usize) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}
