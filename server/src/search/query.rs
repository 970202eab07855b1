//! Owns the language of queries. What means nothing is refused rather than passed over: who mistypes a condition would
//! take what is found for the answer.

use std::borrow::Cow;

use chat_protocol::{limits, text};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What there is, for whoever has written something else.
const UNDERSTOOD: &str = "a search holds words, \"a phrase\", from:NAME, before:DATE, after:DATE and has:link, a date as \
     2026-11-21 or 2026-11-21T10:00:00Z";

/// Beginnings of links.
const LINKS: [&str; 2] = ["https://", "http://"];
/// Length of a date without a time.
const DATE_LENGTH: usize = "2026-11-21".len();

/// Why a query means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {UNDERSTOOD}")]
pub(crate) struct BadQuery(String);

/// What a message has to be to be found: all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// Anywhere in the text, folded.
    Word(String),
    /// The same, with any space between its words.
    Phrase(String),
    /// An author's name, folded, or user id, as written.
    From { name: String, id: String },
    /// Said before then.
    Before(Timestamp),
    /// Said then or later.
    After(Timestamp),
    /// With a link in it.
    Link,
}

/// A piece of a query as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Phrase(&'a str),
    Key(&'a str, &'a str),
    Word(&'a str),
}

impl Query {
    /// Understands a query.
    ///
    /// # Errors
    /// [`BadQuery`] says what is wrong, and what is understood.
    pub(crate) fn parse(query: &str) -> Result<Self, BadQuery> {
        let mut terms = Vec::new();
        let mut rest = query.trim_start();
        while !rest.is_empty() {
            let (token, behind) = token(rest);
            terms.push(term(token)?);
            rest = behind.trim_start();
        }
        match terms.len() {
            0 => Err(BadQuery("there is nothing to search for".to_owned())),
            count if count > limits::SEARCH_TERMS_MAX => {
                let max = limits::SEARCH_TERMS_MAX;
                Err(BadQuery(format!("{count} words and conditions, {max} are allowed")))
            }
            _ => Ok(Self { terms }),
        }
    }

    /// True where the author is one that is asked for, whatever was said.
    pub(crate) fn admits_author(&self, name: &str, user_id: &str) -> bool {
        let mut folded = None;
        self.terms.iter().all(|term| match term {
            Term::From { id, .. } if id == user_id => true,
            Term::From { name: wanted, .. } => folded.get_or_insert_with(|| fold(name)) == wanted,
            _ => true,
        })
    }

    /// True where it was said within the times that are asked for.
    pub(crate) fn admits_time(&self, at: Timestamp) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Before(before) => at < *before,
            Term::After(after) => *after <= at,
            _ => true,
        })
    }

    /// True where nothing said at or before this time can be found.
    pub(crate) fn is_past(&self, at: Timestamp) -> bool {
        self.terms.iter().any(|term| matches!(term, Term::After(after) if at < *after))
    }

    /// True where the text holds all that is asked for.
    pub(crate) fn is_in(&self, content: &str) -> bool {
        let (mut folded, mut spaced) = (None, None);
        self.terms.iter().all(|term| match term {
            Term::Word(word) => folded.get_or_insert_with(|| fold(content)).contains(word.as_str()),
            Term::Phrase(phrase) => {
                spaced.get_or_insert_with(|| evenly_spaced(&fold(content))).contains(phrase.as_str())
            }
            Term::Link => has_link(content),
            Term::From { .. } | Term::Before(_) | Term::After(_) => true,
        })
    }
}

/// The first piece, and what stands behind it. A quote that is not closed ends with the query.
fn token(rest: &str) -> (Token<'_>, &str) {
    if let Some(inner) = rest.strip_prefix('"') {
        let (phrase, behind) = quoted(inner);
        return (Token::Phrase(phrase), behind);
    }
    let (word, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let Some((key, value)) = word.split_once(':').filter(|(key, _)| is_key(key)) else {
        return (Token::Word(word), behind);
    };
    if value.starts_with('"') {
        let (value, behind) = quoted(&rest[key.len() + 2..]);
        return (Token::Key(key, value), behind);
    }
    (Token::Key(key, value), behind)
}

fn quoted(inner: &str) -> (&str, &str) {
    inner.split_once('"').unwrap_or((inner, ""))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn term(token: Token<'_>) -> Result<Term, BadQuery> {
    match token {
        Token::Word(word) => Ok(Term::Word(fold(word).into_owned())),
        Token::Phrase(phrase) => match evenly_spaced(&fold(phrase)) {
            empty if empty.is_empty() => Err(BadQuery("a phrase is empty".to_owned())),
            phrase => Ok(Term::Phrase(phrase)),
        },
        Token::Key(key, value) => condition(key, value),
    }
}

fn condition(key: &str, value: &str) -> Result<Term, BadQuery> {
    let known = key.to_ascii_lowercase();
    match known.as_str() {
        _ if value.is_empty() => Err(BadQuery(format!("{key}: stands there without a value"))),
        "from" => Ok(Term::From { name: fold(value).into_owned(), id: value.to_owned() }),
        "before" => moment(value).map(Term::Before),
        "after" => moment(value).map(Term::After),
        "has" if value.eq_ignore_ascii_case("link") => Ok(Term::Link),
        "has" => Err(BadQuery(format!("has:{value} is not known"))),
        // An address or a time of day, say.
        _ => Ok(Term::Word(fold(&format!("{key}:{value}")).into_owned())),
    }
}

/// A date is its first moment, in UTC.
fn moment(value: &str) -> Result<Timestamp, BadQuery> {
    let date = || {
        let date: Date = value.parse().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let found = if value.len() == DATE_LENGTH { date() } else { value.parse().ok() };
    found.ok_or_else(|| BadQuery(format!("{value} is no date")))
}

/// The form in which texts are compared: as names are, and a sigma at the end of a word like any other, as words are
/// found within others.
pub(super) fn fold(content: &str) -> Cow<'_, str> {
    if content.is_ascii() {
        return match content.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(content.to_ascii_lowercase()),
            false => Cow::Borrowed(content),
        };
    }
    let folded = text::fold(content);
    if folded.contains('ς') { Cow::Owned(folded.replace('ς', "σ")) } else { folded }
}

fn evenly_spaced(content: &str) -> String {
    content.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has_link(content: &str) -> bool {
    let folded = content.to_ascii_lowercase();
    let begins = |link: &str| {
        folded.match_indices(link).any(|(at, found)| {
            folded[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[')
        })
    };
    LINKS.iter().any(|link| begins(link))
}
