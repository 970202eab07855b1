//! Owns the scripts: their text, and that each is sent by its hash, and whole where Redis does not know it.
//! What they answer is read in `answers`.

use std::fmt;
use std::sync::LazyLock;

use redis::Cmd;

/// A script and its SHA-1.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal)+;)*) => {
        $(
            $(#[$doc])*
            pub(super) static $name: LazyLock<Script> =
                LazyLock::new(|| Script::new(concat!($(include_str!(concat!("scripts/", $file, ".lua"))),+)));
        )*
    };
}

scripts! {
    PUBLISH = "publish";
    HEAD = "log" "head";
    READ = "log" "read";
    HISTORY = "log" "history";
    GLANCE = "log" "glance";
    ASK = "ask";
    CREATE = "log" "create";
    REPAIR = "log" "repair";
    RENEW = "renew";
    NODES = "nodes";
    ENTER = "enter";
    EXIT = "exit";
    CLAIM = "young" "claim";
    RELEASE = "release";
    REMEMBER = "remember";
    FENCE = "young" "fence";
    TOPIC = "topic";
}

/// One call: keys first, then arguments.
pub(super) struct Eval {
    script: &'static LazyLock<Script>,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Eval {
    pub(super) fn of(script: &'static LazyLock<Script>) -> Self {
        Self { script, keys: Vec::new(), arguments: Vec::new() }
    }

    pub(super) fn keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    pub(super) fn arg(mut self, argument: impl fmt::Display) -> Self {
        self.arguments.push(argument.to_string().into_bytes());
        self
    }

    pub(super) fn bytes(mut self, argument: Vec<u8>) -> Self {
        self.arguments.push(argument);
        self
    }

    /// By its hash: what Redis knows already.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// Whole, after NOSCRIPT: Redis knows it from then on.
    pub(super) fn whole(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, word: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(word);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}
