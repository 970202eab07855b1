//! Owns the table of settings: section, key, why it is there, the field it fills. Everything else (file,
//! environment names, `check-config`, the example file) is read off this table.

use super::Config;
use super::value::{Setting, Value};

/// The environment name of a setting is `CHAT_SERVER_<SECTION>__<KEY>`.
pub(super) const ENV_PREFIX: &str = "CHAT_SERVER_";

/// A setting.
#[derive(Debug)]
pub(super) struct Key {
    /// The section it stands in.
    pub(super) section: &'static str,
    /// Its name there.
    pub(super) name: &'static str,
    /// Why one would change it.
    pub(super) why: &'static str,
    /// The least value of a number.
    min: u64,
    /// What the example file says where the default depends on the machine; empty: the default.
    pub(super) example: &'static str,
    read: fn(&mut Config, &Value) -> Result<(), &'static str>,
    /// The value as it stands in a configuration, as TOML.
    pub(super) write: fn(&Config) -> String,
}

impl Key {
    /// Fills the field.
    pub(super) fn set(&self, config: &mut Config, value: &Value) -> Result<(), String> {
        (self.read)(config, value).map_err(str::to_owned)?;
        match value.number() {
            Some(number) if number < self.min => Err(format!("the least is {}", self.min)),
            _ => Ok(()),
        }
    }

    /// The name of its environment variable.
    pub(super) fn env_name(&self) -> String {
        format!("{ENV_PREFIX}{}__{}", self.section, self.name).to_uppercase()
    }
}

macro_rules! key {
    ($section:literal, $name:literal, $($field:ident).+, $why:literal) => {
        key!($section, $name, $($field).+, $why, min 0, example "")
    };
    ($section:literal, $name:literal, $($field:ident).+, $why:literal, min $min:literal) => {
        key!($section, $name, $($field).+, $why, min $min, example "")
    };
    ($section:literal, $name:literal, $($field:ident).+, $why:literal, min $min:literal, example $example:literal) => {
        Key {
            section: $section,
            name: $name,
            why: $why,
            min: $min,
            example: $example,
            read: |config, value| {
                config.$($field).+ = Setting::read(value)?;
                Ok(())
            },
            write: |config| config.$($field).+.write(),
        }
    };
}

/// Every setting, in the order in which it is shown.
#[rustfmt::skip] // One row a setting.
pub(super) const KEYS: &[Key] = &[
    key!("server", "node", node, "This node's name, unique in the cluster; empty: the machine's name.", min 0, example "\"\""),
    key!("server", "listen_tcp", listen_tcp, "Where raw TCP clients come in; \"off\" or empty: nowhere."),
    key!("server", "listen_http", listen_http, "Where HTTP and WebSocket clients come in; \"off\" or empty: nowhere."),
    key!("server", "proxy_protocol_from", proxy_protocol_from, "Load balancers that say whose connection it is by PROXY protocol, as [\"10.0.0.0/8\"]; from all others such a header closes the connection. Name only load balancers that send the header: behind one that does not, clients write it themselves and choose their address."),
    key!("server", "forwarded_from", forwarded_from, "Load balancers whose X-Forwarded-For is believed, as [\"10.0.0.0/8\"]; anybody else can write anything there."),
    key!("redis", "url", redis.url, "Where the nodes of a cluster meet, as redis://user:password@host:6379/0; empty: this node is alone."),
    key!("redis", "wait_ms", redis.wait, "How long a node that starts waits for Redis; 0: it ends at once with an error."),
    key!("redis", "ack", redis.ack, "When a message is accepted: \"primary\" has it, or it is \"replicated\" too, which is slower and survives more."),
    key!("limits", "content_chars", limits.wire.content_chars, "Longest message, in characters; 0 here and below: off."),
    key!("limits", "content_bytes", limits.wire.content_bytes, "Longest message, in bytes; has to fit into frame_bytes."),
    key!("limits", "frame_bytes", limits.wire.frame_bytes, "Longest line or WebSocket message of a client; what one client can make a node hold."),
    key!("limits", "rooms_per_connection", limits.wire.rooms, "Rooms a client may be in at once."),
    key!("limits", "messages_per_second", limits.messages_per_second, "Messages a connection may send in a second on average; off for load tests."),
    key!("limits", "messages_burst", limits.messages_burst, "Messages it may send at once after a pause, as a client does that comes back with a full outbox."),
    key!("limits", "connections_per_address", limits.connections_per_address, "Connections from one address; off, because behind a load balancer that [server] does not name all have its address."),
    key!("limits", "outbox_bytes", limits.outbox_bytes, "Bytes queued for a slow client before it is served from the log at its own speed."),
    key!("limits", "memory_bytes", limits.memory_bytes, "Bytes queued for all clients together: what slow clients can cost the node."),
    key!("limits", "resumes_per_second", limits.resumes_per_second, "Clients that come back a node takes in a second, as measured; those of a dead node spread accordingly, off: over 50 ms."),
    key!("timing", "ping_ms", timing.ping, "Between two pings; a client is gone after three without an answer.", min 1),
    key!("timing", "handshake_ms", timing.handshake, "For an HTTP or TLS handshake, so that half-open ones do not pile up.", min 1),
    key!("timing", "drain_ms", timing.drain, "For clients to move elsewhere at a shutdown; keep it under the supervisor's kill time."),
    key!("timing", "stall_ms", timing.stall, "Before a client is closed that reads nothing at all, or that has much to read and says nothing.", min 1),
    key!("timing", "lease_ms", timing.lease, "Silence after which the other nodes take this one for dead.", min 100),
    key!("timing", "leave_hold_ms", timing.leave_hold, "Before others are told that a lost connection's user has left; hides reconnects."),
    key!("timing", "settle_ms", timing.settle, "For all nodes to bring what they know when a room's log was lost; longer is safer and slower."),
    key!("log", "format", log.format, "\"text\" for people, \"json\" for machines; both on standard error."),
    key!("log", "level", log.level, "error, warn, info, debug, trace or off; also by module: \"info,chat_server::hub=debug\"."),
    key!("balancer", "listen_tcp", balancer.listen_tcp, "chat-server balance: where raw TCP clients come in; \"off\" or empty: nowhere."),
    key!("balancer", "listen_http", balancer.listen_http, "Where HTTP and WebSocket clients come in; \"off\" or empty: nowhere."),
    key!("balancer", "listen_admin", balancer.listen_admin, "Where operators ask: /status, /metrics, /ready, /live; open to the machine alone; \"off\": nowhere."),
    key!("balancer", "backends", balancer.backends, "The servers, each \"host:tcp-port:http-port\", a port it does not have as off."),
    key!("balancer", "backups", balancer.backups, "Servers that get clients only while none of the others is healthy."),
    key!("balancer", "policy", balancer.policy, "Who gets the next client: \"least-connections\", or \"least-load\", where recent bytes count as much."),
    key!("balancer", "send_proxy", balancer.send_proxy, "true: servers are told clients' addresses by PROXY protocol v2, and have to expect it."),
    key!("balancer", "check_ms", balancer.check.every, "From one check to the next (GET /ready, and whether the TCP port accepts), for each server; how soon a dead one is noticed that no client finds.", min 10),
    key!("balancer", "check_timeout_ms", balancer.check.timeout, "For one check; longer where the network is slow.", min 10),
    key!("balancer", "rise", balancer.check.rise, "Good checks in a row that bring a server back.", min 1),
    key!("balancer", "fall", balancer.check.fall, "Failed checks in a row that put one out; a refused client or its own 503 does at once.", min 1),
    key!("balancer", "drain_ms", balancer.drain, "How long connections live on at a shutdown; keep it under the supervisor's kill time."),
];
