//! Owns the names and numbers that identify things on the wire: newtypes that cannot hold a bad value.
//! Whoever has one need not check it again. Cloning one copies a pointer.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::ErrorCode;
use crate::limits;
use crate::text;

mod place;

pub use place::{Epoch, Seq};

/// Why a name or id was refused; begins with its [`ErrorCode`] when it travels inside a JSON error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct IdError {
    /// The wire's code for it.
    pub code: ErrorCode,
    /// What is wrong and what is allowed.
    pub reason: String,
}

impl IdError {
    fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// As it travels inside a JSON error.
    fn tagged(self) -> String {
        self.code.tagged(&self.reason)
    }
}

/// Reads a text where it stands: an id is stored once, not first as the text that it is read from.
fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    struct Parsed<T>(fn(&str) -> Result<T, String>);
    impl<T> de::Visitor<'_> for Parsed<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.0)(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Parsed(parse))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and normalises.
            ///
            /// # Errors
            /// [`IdError`] says what is wrong and what is allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $check(text).map(|text| Self(text.into()))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer, |text| Self::parse(text).map_err(IdError::tagged))
            }
        }
    };
}

text_id! {
    /// A room: 1 to 64 letters, digits, `-`, `_`, `.`; folded to lower case. The system's own names begin
    /// with `~` (hidden user rooms, node channels), those of direct rooms with `dm-`.
    RoomName, check_room
}
text_id! {
    /// A user's name: 1 to 32 graphemes without space, control, zero-width or bidi characters.
    UserName, check_user_name
}
text_id! {
    /// One running client, or the producer a server lends to a client that brings none. Random, 128 bits as a rule.
    ClientId, check_id
}
text_id! {
    /// A user. Public; what proves it is the session.
    UserId, check_id
}
text_id! {
    /// A node of the cluster.
    NodeId, check_node
}
text_id! {
    /// What a request carries as `re`; its answer or error repeats it.
    Re, check_re
}

fn check_room(text: &str) -> Result<Cow<'_, str>, IdError> {
    let bad = |reason: String| IdError::new(ErrorCode::BadRoom, reason);
    let name = text::fold(text.trim());
    let chars = name.chars().count();
    if chars == 0 {
        return Err(bad("room name is empty: use 1 to 64 letters, digits, '-', '_', '.'".into()));
    }
    if chars > limits::ROOM_NAME_CHARS_MAX {
        return Err(bad(format!(
            "room name has {chars} characters, {} are allowed",
            limits::ROOM_NAME_CHARS_MAX
        )));
    }
    let plain = name.strip_prefix('~').unwrap_or(&name);
    match plain.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        Some(c) => Err(bad(format!("room name holds {}: use letters, digits, '-', '_', '.'", shown(c)))),
        None if plain.is_empty() => Err(bad("room name is empty behind '~'".into())),
        None => Ok(name),
    }
}

fn check_user_name(text: &str) -> Result<Cow<'_, str>, IdError> {
    let bad = |reason: String| IdError::new(ErrorCode::BadName, reason);
    let graphemes = text::graphemes(text);
    if graphemes == 0 {
        return Err(bad("name is empty: use 1 to 32 letters".into()));
    }
    if graphemes > limits::USER_NAME_GRAPHEMES_MAX || text.len() > limits::USER_NAME_BYTES_MAX {
        return Err(bad(format!(
            "name is too long: {} letters are allowed",
            limits::USER_NAME_GRAPHEMES_MAX
        )));
    }
    let mut before = None;
    let is_bad = |c: &char| {
        // How a sign is drawn: of letters nothing is to be seen of it.
        let is_sign = before.replace(*c).is_some_and(|c: char| !c.is_ascii() && !c.is_alphanumeric());
        let is_style = is_sign && matches!(c, '\u{FE0E}' | '\u{FE0F}');
        c.is_whitespace() || c.is_control() || (text::is_hidden_in_name(*c) && !is_style)
    };
    match text.chars().find(is_bad) {
        Some(c) => Err(bad(format!("name holds {}: use visible characters without spaces", shown(c)))),
        None => Ok(text.into()),
    }
}

fn check_ascii<'a>(
    text: &'a str,
    max: usize,
    what: &str,
    allowed: fn(u8) -> bool,
) -> Result<Cow<'a, str>, IdError> {
    if text.is_empty() || text.len() > max || !text.bytes().all(allowed) {
        return Err(IdError::new(
            ErrorCode::BadJson,
            format!("{what} must be 1 to {max} letters, digits, '-', '_', '.'"),
        ));
    }
    Ok(text.into())
}

fn is_id_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

fn check_id(text: &str) -> Result<Cow<'_, str>, IdError> {
    check_ascii(text, limits::ID_CHARS_MAX, "id", is_id_byte)
}

fn check_node(text: &str) -> Result<Cow<'_, str>, IdError> {
    check_ascii(text, limits::ID_CHARS_MAX, "node name", is_id_byte)
}

fn check_re(text: &str) -> Result<Cow<'_, str>, IdError> {
    if text.chars().count() > limits::RE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(IdError::new(ErrorCode::BadJson, "re must be at most 32 characters without controls"));
    }
    Ok(text.into())
}

fn shown(c: char) -> String {
    if c.is_control() || c.is_whitespace() || text::is_invisible(c) {
        format!("the character U+{:04X}", u32::from(c))
    } else {
        format!("'{c}'")
    }
}

impl RoomName {
    /// The room everyone lands in when none is named.
    pub fn general() -> Self {
        Self("general".into())
    }

    /// The hidden room of a user, which all of the user's clients are in.
    pub fn of_user(user: &UserId) -> Self {
        Self(format!("~u.{user}").into())
    }

    /// True for names that a request may not join: the system's (`~`) and direct rooms' (`dm-`).
    pub fn is_reserved(&self) -> bool {
        self.is_hidden() || self.is_direct()
    }

    /// True for the rooms of two users.
    pub fn is_direct(&self) -> bool {
        self.0.starts_with("dm-")
    }

    /// True for the system's rooms, which no list shows.
    pub fn is_hidden(&self) -> bool {
        self.0.starts_with('~')
    }
}

/// Hexadecimal digits of an id made here: 128 bits.
const RANDOM_ID_CHARS: usize = 32;

impl UserName {
    /// The form in which names are compared: one user at a time has a key.
    pub fn key(&self) -> String {
        text::fold(&self.0).replace(['\u{FE0E}', '\u{FE0F}'], "")
    }

    /// True for names nobody may ask for: `guest-*`, `server`, `system`, and what looks like a user id.
    pub fn is_reserved(&self) -> bool {
        let key = self.key();
        // Who is asked for by id is not to be somebody of that name.
        let is_id = key.len() == RANDOM_ID_CHARS && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id || key.starts_with("guest-") || key == "server" || key == "system"
    }

    /// The next name to try when this one is taken: `alice-2` and so on, still within the limits.
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let mut stem = self.0.to_string();
        while text::graphemes(&stem) + suffix.len() > limits::USER_NAME_GRAPHEMES_MAX
            || stem.len() + suffix.len() > limits::USER_NAME_BYTES_MAX
        {
            stem.pop();
        }
        Self(format!("{stem}{suffix}").into())
    }
}

/// What a server's own producers begin with.
const PRODUCER: &str = "producer.";

/// 128 random bits as 32 hexadecimal digits.
///
/// # Panics
/// When the operating system has no random source, which no supported one lacks after boot.
fn random_hex() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system has a random source");
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl ClientId {
    /// A new random id.
    pub fn random() -> Self {
        Self(random_hex().into())
    }

    /// A new random id under which a server numbers what a client does not.
    pub fn producer() -> Self {
        Self(format!("{PRODUCER}{}", random_hex()).into())
    }

    /// True for ids that a server lends: nobody may ask for one, they are public in message ids.
    pub fn is_lent(&self) -> bool {
        self.0.starts_with(PRODUCER) || self.0.starts_with("guest-")
    }
}

impl UserId {
    /// A new random id.
    pub fn random() -> Self {
        Self(random_hex().into())
    }
}

/// The identity of a message: `<client_id>/<n>`. The same for a retry, a repair and a second publish;
/// readers drop ids they know.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// Who numbered it.
    pub client: ClientId,
    /// The number that client gave it in its room, from 1.
    pub n: u64,
}

impl MessageId {
    /// The id of `client`'s message `n`.
    pub fn new(client: ClientId, n: u64) -> Self {
        Self { client, n }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.client, self.n)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for MessageId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = || IdError::new(ErrorCode::BadJson, "message id must be <client_id>/<n>");
        let (client, n) = text.rsplit_once('/').ok_or_else(bad)?;
        let (client, n) = (ClientId::parse(client)?, n.parse().map_err(|_| bad())?);
        if n > limits::NUMBER_MAX {
            let reason = format!("n in a message id must be at most {}", limits::NUMBER_MAX);
            return Err(IdError::new(ErrorCode::BadJson, reason));
        }
        Ok(Self { client, n })
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| text.parse().map_err(IdError::tagged))
    }
}

#[cfg(test)]
mod tests;
