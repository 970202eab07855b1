//! Owns Tab: completes commands, rooms and names, and goes round their candidates.

use crate::app::{App, Completion};
use crate::command::COMMANDS;

/// Letters of a shortcode from which on it is completed: fewer are a smiley.
const SHORTCODE_MIN: usize = 2;
/// Emoji that Tab goes round.
const EMOJI_MAX: usize = 20;

/// Completes the word before the cursor, or goes on to its next candidate.
pub(super) fn next(app: &mut App) {
    let is_as_left =
        |last: &Completion| last.left.0 == app.composer.text() && last.left.1 == app.composer.cursor();
    let mut completion = match app.completion.take().filter(is_as_left) {
        Some(last) => Completion { index: (last.index + 1) % last.options.len(), ..last },
        None => {
            let (start, options) = candidates(app);
            if options.is_empty() {
                return;
            }
            Completion { start, options, index: 0, left: Default::default() }
        }
    };
    app.composer.replace_before(completion.start, &completion.options[completion.index]);
    completion.left = (app.composer.text().to_owned(), app.composer.cursor());
    app.completion = Some(completion);
}

fn candidates(app: &App) -> (usize, Vec<String>) {
    let before = &app.composer.text()[..app.composer.cursor()];
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let word = before[start..].to_lowercase();
    if word.is_empty() {
        return (start, Vec::new());
    }
    if let Some(name) = word.strip_prefix(':').filter(|name| name.len() >= SHORTCODE_MIN) {
        return (start, emoji(name.trim_end_matches(':')));
    }
    let takes_room = ["/join ", "/leave ", "/go ", "/who "].iter().any(|name| before.starts_with(name));
    let takes_theme = before.starts_with("/theme ");
    let options = match word.strip_prefix('/') {
        Some(name) if start == 0 => commands(app, name),
        _ if takes_theme => themes(app, &word),
        _ if takes_room => rooms(app, word.trim_start_matches('#'), ""),
        _ => match word.strip_prefix('#') {
            Some(name) => rooms(app, name, "#"),
            None => names(app, word.trim_start_matches('@'), start == 0),
        },
    };
    (start, options)
}

fn commands(app: &App, beginning: &str) -> Vec<String> {
    let known = COMMANDS.iter().filter(|entry| app.demo || !entry.demo);
    known.filter(|entry| entry.name.starts_with(beginning)).map(|entry| format!("/{} ", entry.name)).collect()
}

fn themes(app: &App, beginning: &str) -> Vec<String> {
    let known = app.settings.themes().filter(|name| name.to_lowercase().starts_with(beginning));
    known.map(str::to_owned).collect()
}

/// Those whose shortcode begins so, as on GitHub; the shortest first, as what was typed whole comes before what it begins.
fn emoji(beginning: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = emojis::iter()
        .filter_map(|emoji| {
            let shortest = emoji.shortcodes().filter(|code| code.starts_with(beginning)).map(str::len).min();
            Some((shortest?, emoji.as_str()))
        })
        .collect();
    found.sort_by_key(|(length, _)| *length);
    found.into_iter().take(EMOJI_MAX).map(|(_, emoji)| format!("{emoji} ")).collect()
}

fn rooms(app: &App, beginning: &str, sign: &str) -> Vec<String> {
    let names = app.rooms.iter().map(|room| room.name.as_str());
    names.filter(|name| name.starts_with(beginning)).map(|name| format!("{sign}{name} ")).collect()
}

fn names(app: &App, beginning: &str, is_address: bool) -> Vec<String> {
    let Some(room) = app.rooms.current() else { return Vec::new() };
    let end = if is_address { ": " } else { " " };
    let mut names: Vec<&str> = room.members.iter().map(|member| member.name.as_str()).collect();
    names.dedup();
    let fits = |name: &&str| name.to_lowercase().starts_with(beginning) && **name != *app.me.name;
    names.into_iter().filter(fits).map(|name| format!("{name}{end}")).collect()
}
