//! Every theme that comes with the program, and the two ways to do without: no colours, no signs beyond ASCII.

use chat_testbed::Terminal;

use super::album::{Album, says, shows};
use super::readme::F9;

/// A picture: its name, variables and arguments of its run, its title.
const LOOKS: [(&str, &[&str], &[&str], &str); 6] = [
    ("dark", &[], &[], "dark"),
    ("light", &["CHAT_TUI_THEME=light"], &[], "light"),
    ("16-colour", &["CHAT_TUI_THEME=16-colour", "TERM=xterm"], &[], "16-colour"),
    ("high-contrast", &["CHAT_TUI_THEME=high-contrast"], &[], "high-contrast"),
    ("no-color", &["NO_COLOR=1"], &[], "NO_COLOR=1"),
    ("ascii", &[], &["--ascii"], "--ascii"),
];

pub(crate) async fn take(album: &Album) {
    for (name, variables, arguments, title) in LOOKS {
        let arguments = [arguments, &["--highlight", "anything"]].concat();
        let home = format!("theme-{name}");
        let mut terminal = Terminal::start(album.demo(&home, variables, &arguments), (80, 24));
        shows(&mut terminal, "coffee is ready").await;
        terminal.enter("*bold*, _italic_, `code`, https://example.com");
        shows(&mut terminal, "example.com").await;
        terminal.press(F9);
        says(&mut terminal, &[" recovered, 0 lost, 0 dup"]).await;
        shows(&mut terminal, "anything missing?").await;
        album.save(&format!("themes/{name}.svg"), title, &terminal);
    }
}
