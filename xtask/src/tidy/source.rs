//! Owns one source file as the rules see it: code without comments and texts, tests apart from the rest.

/// A source file.
#[derive(Debug)]
pub(super) struct Source {
    /// Below the workspace, with `/`.
    pub(super) path: String,
    /// As it stands.
    pub(super) text: String,
    /// The module it is: the crate's name, then the path below it.
    pub(super) module: Vec<String>,
    /// It is a test as a whole.
    pub(super) is_test: bool,
    /// Its code apart from tests; comments and the contents of texts are blank.
    pub(super) production: String,
    /// Its tests, likewise.
    pub(super) tests: String,
}

impl Source {
    /// Reads a file's text.
    pub(super) fn new(path: String, text: String) -> Self {
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        let code = blank(&text);
        let (production, tests) = if is_test { (String::new(), code) } else { split(&code) };
        Self { module: module_of(&path), path, text, is_test, production, tests }
    }
}

/// `server/src/session/auth.rs` is `chat_server::session::auth`.
fn module_of(path: &str) -> Vec<String> {
    let mut parts = path.trim_end_matches(".rs").split('/');
    let folder = parts.next().unwrap_or_default();
    let name = if folder == "xtask" { folder.to_owned() } else { format!("chat_{folder}") };
    let below = parts.skip(1).filter(|part| !matches!(*part, "lib" | "main")).map(str::to_owned);
    std::iter::once(name).chain(below).collect()
}

/// Parts the code at its first inline test module, which stands last in a file.
fn split(code: &str) -> (String, String) {
    let mut from = 0;
    while let Some(at) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
        let mut following = code[at..].lines().skip(1).skip_while(|line| line.trim_start().starts_with("#["));
        if following.next().is_some_and(|line| line.starts_with("mod ") && line.trim_end().ends_with('{')) {
            return (code[..at].to_owned(), code[at..].to_owned());
        }
        from = at + 1;
    }
    (code.to_owned(), String::new())
}

/// Blanks comments and the contents of texts; every line stays where it is.
fn blank(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, blanked.chars().next_back());
        if length == 0 {
            blanked.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            // Something stays behind, so that what stood on either side does not grow together.
            blanked.push(' ');
            blanked.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
    }
    blanked
}

/// The length of the comment, text or character at the beginning of `code`; 0 where there is none.
fn skipped(code: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if code.starts_with("//") {
        code.find('\n').unwrap_or(code.len())
    } else if code.starts_with("/*") {
        block_comment(code)
    } else if let Some(text) = code.strip_prefix('"') {
        1 + quoted(text, '"')
    } else if code.starts_with('r') && !in_word {
        raw_text(code, 1)
    } else if code.starts_with("br") && !in_word {
        raw_text(code, 2)
    } else if code.starts_with('\'') {
        character(code)
    } else {
        0
    }
}

fn block_comment(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, _) in code.char_indices() {
        if code[at..].starts_with("/*") {
            depth += 1;
        } else if code[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    code.len()
}

/// The length up to and with the closing quote.
fn quoted(code: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn raw_text(code: &str, prefix: usize) -> usize {
    let hashes = code[prefix..].chars().take_while(|c| *c == '#').count();
    let begin = prefix + hashes;
    if !code[begin..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    code[begin + 1..].find(&end).map_or(code.len(), |at| begin + 1 + at + end.len())
}

/// A character; a lifetime is none.
fn character(code: &str) -> usize {
    let mut inner = code[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), _) => 1 + quoted(&code[1..], '\''),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: &str) {
        let squeezed: Vec<String> = blank(code).split_whitespace().map(str::to_owned).collect();
        assert_eq!(squeezed.join(" "), expected, "{code}");
    }

    #[test]
    fn comments_and_texts_are_blank() {
        check("a // tokio::x\nb", "a b");
        check("a /* one /* two */ tokio */ b", "a b");
        check(r#"f("tokio \" still", b"x", 'c', '"', '\'', b)"#, "f( , b , , , , b)");
        check("f(r#\"raw \" tokio\"#, br\"x\", for_raw)", "f( , , for_raw)");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
    }

    #[test]
    fn an_inline_test_module_is_apart_and_a_declared_one_is_not() {
        let text = "//! x\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let source = Source::new("server/src/hub.rs".into(), text.into());
        assert!(source.production.contains("fn a") && !source.production.contains("fn b"));
        assert!(source.tests.contains("fn b"));
        let text = "#[cfg(test)]\nmod tests;\nfn a() {}\n";
        assert!(Source::new("server/src/hub.rs".into(), text.into()).production.contains("fn a"));
    }

    #[test]
    fn a_file_is_a_module() {
        for (path, module) in [
            ("server/src/session/auth.rs", "chat_server::session::auth"),
            ("server/src/lib.rs", "chat_server"),
            ("tui/src/net.rs", "chat_tui::net"),
            ("xtask/src/main.rs", "xtask"),
        ] {
            assert_eq!(module_of(path).join("::"), module);
        }
    }
}
