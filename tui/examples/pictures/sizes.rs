//! Every breakpoint of the layout, on a demo in which much is said.

use chat_testbed::Terminal;

use super::album::{Album, rests, says, shows};
use super::readme::F9;

const SIZES: [(u16, u16, &str); 4] = [
    (50, 20, "The chat alone"),
    (80, 24, "Rooms and chat"),
    (120, 40, "Rooms, chat, users, link"),
    (200, 60, "The same, with room"),
];
/// What widths, lines and markup are tried with.
const SAID: [&str; 7] = [
    "the plan is in `docs/plan.md`, *please* read it _before_ noon",
    "see https://example.com/release/notes#known-problems for what is left",
    "東京から、おはようございます 🙂",
    "a long one, to see where it is broken: what was said is never cut, it goes on in the next row under the one before, and the time and the name stand in their own columns",
    "naïve café, Ärger, łódź, Ελληνικά, кириллица, e\u{301} and e",
    "> quoted, and answered below",
    "100 % of 3 < 4 & 5 > 4",
];
/// The last of what the bots say in #general before they begin again.
const LAST: &str = "four it is, I book";

pub(crate) async fn take(album: &Album) {
    let mut terminal = Terminal::start(album.demo("sizes", &[], &["--highlight", "Friday"]), (120, 40));
    shows(&mut terminal, "three nodes run in this program").await;
    for said in SAID {
        terminal.enter(said);
        let end: String = said.chars().skip(said.chars().count().saturating_sub(4)).collect();
        rests(&mut terminal, said, |terminal| terminal.contents().contains(&end)).await;
    }
    terminal.press(F9);
    says(&mut terminal, &[" recovered, 0 lost, 0 dup"]).await;
    shows(&mut terminal, "lunch at noon?").await;
    terminal.press(F9);
    says(&mut terminal, &[" 0 lost, 0 dup"]).await;
    terminal.enter("/revive");
    let nodes = |terminal: &Terminal| {
        ["node-1  ", "node-2  ", "node-3  "].iter().all(|node| terminal.contents().contains(node))
    };
    rests(&mut terminal, "three nodes in the link panel", nodes).await;
    shows(&mut terminal, LAST).await;
    for (columns, rows, title) in SIZES {
        if rows == 60 {
            let twice = |terminal: &Terminal| terminal.contents().matches(LAST).count() > 1;
            rests(&mut terminal, "all of it twice", twice).await;
        }
        terminal.resize(columns, rows);
        // A frame of the new size has the status line where that belongs now.
        says(&mut terminal, &["● node-"]).await;
        album.save(&format!("sizes/{columns}x{rows}.svg"), title, &terminal);
    }
}
