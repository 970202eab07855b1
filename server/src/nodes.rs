//! Owns how the nodes of a cluster are shown by `chat-server nodes`: as a table for people, as JSON for programs.
//! Pure; knows nothing of where they are asked.

use chat_protocol::{NodeInfo, text};
use serde_json::{Value, json};

const COLUMNS: usize = 7;
const HEADS: [&str; COLUMNS] = ["NODE", "VERSION", "UPTIME", "CONNECTIONS", "ROOMS", "LAG", "DRAINING"];
/// Figures stand at the right of their columns.
const IS_FIGURE: [bool; COLUMNS] = [false, false, true, true, true, true, false];

/// A line for each node, by name, below one that says what is what.
#[must_use]
pub fn table(nodes: &[NodeInfo]) -> String {
    let rows: Vec<[String; COLUMNS]> = [HEADS.map(str::to_owned)].into_iter().chain(cells(nodes)).collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn cells(nodes: &[NodeInfo]) -> impl Iterator<Item = [String; COLUMNS]> {
    by_name(nodes).into_iter().map(|info| {
        [
            info.node.to_string(),
            // Another node wrote it: it must not move a cursor.
            text::sanitize_line(&info.version).into_owned(),
            uptime(info.uptime_s),
            info.connections.to_string(),
            info.rooms.to_string(),
            info.lag_ms.map_or("-".to_owned(), |lag| format!("{lag} ms")),
            if info.draining { "yes" } else { "no" }.to_owned(),
        ]
    })
}

fn line(row: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let cells = row.iter().zip(widths).zip(IS_FIGURE).map(|((cell, width), is_figure)| {
        if is_figure { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
}

/// One array of objects, by name; `lag_ms` is null where a node has not measured it.
#[must_use]
pub fn json(nodes: &[NodeInfo]) -> String {
    let nodes: Vec<Value> = by_name(nodes)
        .into_iter()
        .map(|info| {
            json!({
                "node": info.node, "version": info.version, "uptime_s": info.uptime_s,
                "connections": info.connections, "rooms": info.rooms, "lag_ms": info.lag_ms,
                "draining": info.draining,
            })
        })
        .collect();
    format!("{}\n", Value::from(nodes))
}

fn by_name(nodes: &[NodeInfo]) -> Vec<&NodeInfo> {
    let mut nodes: Vec<&NodeInfo> = nodes.iter().collect();
    nodes.sort_by(|one, other| one.node.cmp(&other.node));
    nodes
}

/// The two largest units that say something.
fn uptime(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (1.., ..) => format!("{days}d {}h", hours % 24),
        (_, 1.., _) => format!("{hours}h {}m", minutes % 60),
        (.., 1..) => format!("{minutes}m {}s", seconds % 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests;
