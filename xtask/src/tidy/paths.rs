//! Owns which paths code names: `use` trees spelled out, `crate`, `self` and `super` resolved. A reader of
//! tokens, not a compiler: names that a macro puts together escape it.

/// A path, segment by segment.
pub(super) type Path = Vec<String>;

/// Every path of two segments and more that `code` names, as seen from `module`; of `use` those of one, too.
pub(super) fn named(code: &str, module: &[String]) -> Vec<Path> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_use = *token == "use";
        let begins = is_word(token) && !is_use && (at == 0 || !matches!(tokens[at - 1], "." | "::"));
        if is_use || begins {
            let mut trees = Vec::new();
            at = tree(&tokens, at + usize::from(is_use), &[], &mut trees);
            found.extend(trees.into_iter().filter(|path| is_use || path.len() > 1));
        } else {
            at += 1;
        }
    }
    found.into_iter().map(|path| resolve(path, module)).collect()
}

/// True where `path` begins as `never` does; `*::Name` stands for a segment `Name` anywhere.
pub(super) fn matches(path: &[String], never: &str) -> bool {
    match never.strip_prefix("*::") {
        Some(name) => path.iter().any(|segment| segment == name),
        None => {
            let mut segments = path.iter();
            never.split("::").all(|part| segments.next().is_some_and(|segment| segment == part))
        }
    }
}

/// Reads a path or `use` tree that begins at `at`; answers where it ends.
fn tree(tokens: &[&str], mut at: usize, prefix: &[&str], found: &mut Vec<Path>) -> usize {
    let mut path = prefix.to_vec();
    if tokens.get(at) == Some(&"::") {
        at += 1;
    }
    while let Some(token) = tokens.get(at) {
        match *token {
            "{" => return group(tokens, at + 1, &path, found),
            "self" if !path.is_empty() => {}
            "*" => path.push("*"),
            word if is_word(word) => path.push(word),
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    // An alias hides nothing: the path was read before it.
    at += if tokens.get(at) == Some(&"as") { 2 } else { 0 };
    found.push(path.into_iter().map(str::to_owned).collect());
    at
}

fn group(tokens: &[&str], mut at: usize, prefix: &[&str], found: &mut Vec<Path>) -> usize {
    while let Some(token) = tokens.get(at) {
        match *token {
            "}" => return at + 1,
            "," => at += 1,
            _ => {
                let end = tree(tokens, at, prefix, found);
                at = end.max(at + 1);
            }
        }
    }
    at
}

fn resolve(path: Path, module: &[String]) -> Path {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("crate") => base.truncate(1),
        Some("self") => {}
        Some("super") => {
            base.pop();
        }
        _ => return path,
    }
    rest = &rest[1..];
    while rest.first().is_some_and(|segment| segment == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    base
}

/// Words, `::`, and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_part(first) {
            rest.find(|c| !is_part(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: &[&str]) {
        let module = ["chat_server", "session", "auth"].map(str::to_owned);
        let found: Vec<String> = named(code, &module).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{code}");
    }

    #[test]
    fn trees_are_spelled_out() {
        check("use a::{b, c::{d as e, self}, *};", &["a::b", "a::c::d", "a::c", "a::*"]);
        check("pub(crate) use ::tokio::net as n;", &["tokio::net"]);
        check("use hyper;", &["hyper"]);
    }

    #[test]
    fn paths_in_code_count() {
        check(
            "let x: tokio::net::TcpStream = y.z(std::io::empty());",
            &["tokio::net::TcpStream", "std::io::empty"],
        );
        check("tokio::select! { x = a.b() => {} }", &["tokio::select"]);
        check("f::<crate::hub::Hub>()", &["chat_server::hub::Hub"]);
    }

    #[test]
    fn neighbours_are_found_by_their_full_name() {
        check("use crate::hub;", &["chat_server::hub"]);
        check("use super::super::hub::Hub;", &["chat_server::hub::Hub"]);
        check(
            "use super::{rate_limit, super::hub};",
            &["chat_server::session::rate_limit", "chat_server::hub"],
        );
        check("self::inner::f()", &["chat_server::session::auth::inner::f"]);
    }

    #[test]
    fn a_pattern_is_a_beginning_or_a_name_anywhere() {
        let path = ["std", "time", "Instant"].map(str::to_owned);
        for (never, expected) in [
            ("std", true),
            ("std::time", true),
            ("time", false),
            ("std::io", false),
            ("*::Instant", true),
            ("std::time::Instant::now", false),
        ] {
            assert_eq!(matches(&path, never), expected, "{never}");
        }
    }
}
