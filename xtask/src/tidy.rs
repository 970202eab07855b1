//! Owns the tidy test: reads the sources and proves the arrows of docs/architecture.md and the habits of
//! the project. The rules are rows in `rules`; this file reads the sources and holds each against each.

mod manifest;
mod paths;
mod rules;
mod source;

use std::path::Path;

use anyhow::{Context, ensure};

use rules::{ARROWS, Arrow, BANS, Ban, Scope};
use source::Source;

/// Longest file, tests not counted, in lines.
const LINES_MAX: usize = 400;
/// The folders that hold Rust code, where they exist.
const FOLDERS: [&str; 6] = ["protocol", "server", "tui", "testbed", "bench", "xtask"];

/// Checks the workspace at `root`.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut broken = manifest::check(root)?;
    let sources = read(root)?;
    ensure!(!sources.is_empty(), "no sources below {}", root.display());
    broken.extend(sources.iter().flat_map(check));
    ensure!(broken.is_empty(), "{} of the rules are broken:\n{}", broken.len(), broken.join("\n"));
    Ok(())
}

/// What is wrong with one file.
fn check(source: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    if !source.is_test && !source.text.starts_with("//!") {
        broken.push(format!(
            "{}:1: does not open with //!, what it owns and what it does not know",
            source.path
        ));
    }
    let lines = source.production.lines().count();
    if !source.is_test && lines > LINES_MAX {
        broken.push(format!(
            "{}: {lines} lines without tests, {LINES_MAX} are the wall: split it",
            source.path
        ));
    }
    if spells_a_redis_key(source) {
        broken.push(format!(
            "{}: spells a key of Redis: server/src/backbone/redis/keys.rs has them all",
            source.path
        ));
    }
    broken.extend(BANS.iter().flat_map(|ban| check_ban(source, ban)));
    broken.extend(ARROWS.iter().flat_map(|arrow| check_arrow(source, arrow)));
    broken
}

/// Keys share a prefix; in the server no other text begins with it.
fn spells_a_redis_key(source: &Source) -> bool {
    let may = source.is_test || source.path.ends_with("backbone/redis/keys.rs");
    let code = source.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    !may && source.path.starts_with("server/src/") && code.contains("\"chat:")
}

fn check_arrow(source: &Source, arrow: &Arrow) -> Vec<String> {
    if source.is_test || !arrow.holds_for(&source.path) {
        return Vec::new();
    }
    let named = paths::named(&source.production, &source.module);
    let forbidden = named.iter().filter(|path| arrow.never.iter().any(|never| paths::matches(path, never)));
    forbidden.map(|path| format!("{}: names {}: {}", source.path, path.join("::"), arrow.why)).collect()
}

fn check_ban(source: &Source, ban: &Ban) -> Vec<String> {
    let code = match ban.scope {
        Scope::Everywhere => format!("{}{}", source.production, source.tests),
        Scope::Tests => source.tests.clone(),
    };
    let named = paths::named(&code, &source.module);
    let by_path = ban.paths.iter().any(|never| named.iter().any(|path| paths::matches(path, never)));
    let by_text = ban.texts.iter().any(|text| code.contains(text));
    if by_path || by_text { vec![format!("{}: {}: {}", source.path, ban.what, ban.why)] } else { Vec::new() }
}

fn read(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in FOLDERS.iter().map(|name| root.join(name)).filter(|folder| folder.is_dir()) {
        collect(root, &folder, &mut sources)?;
    }
    Ok(sources)
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let relative = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
            sources.push(Source::new(relative, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
