//! Owns the rules: which part may never name what, and what no file may hold. Each row with its reason.

/// A part of the code and what it may never name, tests aside.
pub(super) struct Arrow {
    /// Files and folders, without `.rs`.
    pub(super) parts: &'static [&'static str],
    /// Those among them that may.
    pub(super) except: &'static [&'static str],
    /// Beginnings of paths; `*::Name` is a name anywhere.
    pub(super) never: &'static [&'static str],
    /// Why.
    pub(super) why: &'static str,
}

impl Arrow {
    pub(super) fn holds_for(&self, path: &str) -> bool {
        let is_in =
            |part: &&str| path.strip_prefix(*part).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
        self.parts.iter().any(is_in) && !self.except.iter().any(is_in)
    }
}

/// The arrows of docs/architecture.md, each as what must not be.
#[rustfmt::skip] // One row a rule.
pub(super) const ARROWS: &[Arrow] = &[
    Arrow { parts: &["protocol/src"], except: &[],
        never: &["tokio", "tokio_util", "futures_util", "mio", "hyper", "tungstenite", "tokio_tungstenite", "std::net", "std::thread", "std::fs"],
        why: "protocol knows no runtime and no socket: whoever has bytes can use it" },
    Arrow { parts: &["protocol/src"], except: &[], never: &["chat_server", "chat_tui"],
        why: "both programs stand on protocol, not the other way round" },
    Arrow { parts: &["server/src"], except: &[], never: &["chat_tui"],
        why: "the server knows no client" },
    Arrow { parts: &["tui/src"], except: &["tui/src/demo"], never: &["chat_server"],
        why: "the client knows a server only in the demo" },
    Arrow { parts: &["protocol/src", "server/src", "tui/src"], except: &[], never: &["chat_testbed"],
        why: "tests stand on the testbed, the product does not" },
    Arrow { parts: &["testbed/src"], except: &[], never: &["chat_protocol", "chat_server", "chat_tui", "redis"],
        why: "what judges the product must not share its mistakes" },
    Arrow { parts: &["bench/src"], except: &[], never: &["chat_server", "chat_tui::demo", "chat_tui::run", "redis"],
        why: "what is broken is the program that operators start, and what notices is the network side that people run" },
    Arrow { parts: &["server/src/connection"], except: &[], never: &["chat_server::listener"],
        why: "listener -> connection" },
    Arrow { parts: &["server/src/session", "server/src/hub"], except: &[],
        never: &["chat_server::listener", "chat_server::connection", "chat_server::balancer", "hyper", "hyper_util", "http_body_util",
            "tungstenite", "tokio_tungstenite", "redis", "tokio::net"],
        why: "what a user may do does not depend on how the bytes came" },
    Arrow { parts: &["server/src/hub"], except: &[], never: &["chat_server::session"],
        why: "session -> hub" },
    Arrow { parts: &["server/src/room"], except: &[],
        never: &["chat_server::hub", "chat_server::session", "chat_server::connection", "chat_server::listener"],
        why: "hub -> room" },
    Arrow { parts: &["server/src/room"], except: &[],
        never: &["*::encode_body", "*::encode_line", "*::LineCodec", "serde_json"],
        why: "a body is encoded once, where it is published; a room shares the bytes" },
    Arrow { parts: &["server/src/outbox"], except: &[],
        never: &["chat_server::room", "chat_server::hub", "chat_server::session", "chat_server::connection", "chat_server::listener"],
        why: "room -> outbox" },
    Arrow { parts: &["server/src/backbone"], except: &[],
        never: &["chat_server::hub", "chat_server::session", "chat_server::connection", "chat_server::listener"],
        why: "a backbone yields a stream; who reads it is not its affair" },
    Arrow { parts: &["server/src", "tui/src"], except: &["server/src/lib", "server/src/backbone"],
        never: &["chat_server::backbone::memory", "chat_server::backbone::redis", "*::MemoryBackbone", "*::RedisBackbone"],
        why: "only server/src/lib.rs names a concrete backbone" },
    Arrow { parts: &["server/src/balancer"], except: &[],
        never: &["chat_server::session", "chat_server::hub", "chat_server::room", "chat_server::backbone", "chat_server::connection",
            "chat_server::directory", "chat_server::presence", "chat_server::outbox", "chat_protocol"],
        why: "the front-end knows bytes and addresses, nothing of what is said" },
    Arrow { parts: &["tui/src/update"], except: &[],
        never: &["ratatui", "std::io", "std::fs", "std::net", "tokio", "*::Instant", "*::SystemTime", "chat_tui::view", "chat_tui::terminal"],
        why: "update is pure: the same events give the same model" },
    Arrow { parts: &["tui/src/app"], except: &[],
        never: &["chat_tui::view", "chat_tui::update", "std::io", "std::fs", "std::net", "tokio", "*::Instant", "*::SystemTime"],
        why: "the model is plain data" },
    Arrow { parts: &["tui/src/view"], except: &[],
        never: &["chat_tui::net::link", "chat_tui::net::transport", "chat_tui::net::endpoint", "chat_tui::net::outbox", "chat_tui::update",
            "tokio", "std::net", "std::fs"],
        why: "a view draws the model; of the network it knows the words of net::event alone" },
    Arrow { parts: &["tui/src/net"], except: &[],
        never: &["chat_tui::view", "chat_tui::app", "chat_tui::update", "chat_tui::terminal", "ratatui", "crossterm"],
        why: "the network meets the screen in net::event alone" },
    Arrow { parts: &["tui/src/net/link", "tui/src/net/backoff", "tui/src/net/outbox"], except: &[],
        never: &["tokio", "std::net", "std::thread", "*::Instant", "*::SystemTime"],
        why: "the link's cores take time and bytes from outside, so that a simulator can play them" },
];

/// Where a ban holds.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    /// In all code.
    Everywhere,
    /// In tests.
    Tests,
}

/// What no code may hold.
pub(super) struct Ban {
    /// What it is, for people.
    pub(super) what: &'static str,
    /// Where it is banned.
    pub(super) scope: Scope,
    /// As text outside of comments and texts.
    pub(super) texts: &'static [&'static str],
    /// As a path.
    pub(super) paths: &'static [&'static str],
    /// Why.
    pub(super) why: &'static str,
    /// Code that breaks it: the rule is tested by it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the rules"))]
    pub(super) sample: &'static str,
}

/// What no code may hold.
#[rustfmt::skip] // One row a rule.
pub(super) const BANS: &[Ban] = &[
    Ban { what: "an ignored test", scope: Scope::Everywhere, texts: &[concat!("#[", "ignore")], paths: &[],
        why: "a test runs, or is not there", sample: concat!("#[test]\n#[", "ignore = \"slow\"]\nfn t() {}") },
    Ban { what: "a sleeping test", scope: Scope::Tests, texts: &[], paths: &["*::sleep", "*::sleep_ms", "*::sleep_until"],
        why: "wait for an event with a deadline", sample: "use tokio::time::{self, sleep};" },
    Ban { what: "unfinished code", scope: Scope::Everywhere, texts: &["todo!(", "todo!{", "unimplemented!("], paths: &[],
        why: "what is not there yet is an issue, not a panic", sample: "fn f() { todo!() }" },
    Ban { what: "a debugging print", scope: Scope::Everywhere, texts: &["dbg!("], paths: &[],
        why: "logs have a home", sample: "fn f() { dbg!(1); }" },
    Ban { what: "a silenced lint", scope: Scope::Everywhere, texts: &["#[allow(", "#![allow("], paths: &[],
        why: "#[expect(lint, reason)] says why, and goes when it is not needed any more", sample: "#[allow(unused)]\nfn f() {}" },
];
