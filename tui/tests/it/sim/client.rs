//! A client of the virtual world: the production link, and a screen that only remembers.

use std::collections::BTreeMap;

use chat_protocol::{MessageId, RoomName, Seq};
use chat_server::room::ConnId;
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{LinkStatus, Moment, NetCommand, NetEvent, OutId, OutState, Transport};
use chat_tui::net::link::{Link, LinkOptions};
use chat_tui::net::saved::SavedClient;

pub(super) struct Client {
    index: usize,
    pub(super) link: Link,
    pub(super) conn: Option<ConnId>,
    pub(super) dial: Option<u64>,
    /// What stands on the screen, in order.
    pub(super) shown: Vec<(Seq, MessageId, String)>,
    pub(super) outs: BTreeMap<OutId, (String, OutState)>,
    pub(super) status: LinkStatus,
    pub(super) rewinds: usize,
    pub(super) resets: usize,
    said: u64,
    /// The page before its first place in the room has not come yet.
    pub(super) wants_history: Option<Seq>,
    pub(super) is_in: bool,
}

impl Client {
    pub(super) fn new(index: usize, seed: u64, room: &RoomName) -> Self {
        let options = LinkOptions {
            endpoints: vec![Endpoint::new("lb", 1, Transport::Tcp)],
            name: None,
            rooms: vec![room.clone()],
            saved: SavedClient::default(),
            seed,
        };
        Self {
            index,
            link: Link::new(options, Moment::ZERO),
            conn: None,
            dial: None,
            shown: Vec::new(),
            outs: BTreeMap::new(),
            status: LinkStatus::default(),
            rewinds: 0,
            resets: 0,
            said: 0,
            wants_history: None,
            is_in: false,
        }
    }

    pub(super) fn next_text(&self, _n: u64) -> String {
        format!("{}:{}", self.index, self.said + 1)
    }

    pub(super) fn say(&mut self, content: String, room: &RoomName) -> NetCommand {
        self.said += 1;
        let out = OutId(self.said);
        self.outs.insert(out, (content.clone(), OutState::Queued));
        NetCommand::Say { out, room: room.clone(), content, kind: None }
    }

    pub(super) fn told(&mut self, event: NetEvent) {
        match event {
            NetEvent::Entry { message, .. } => {
                self.shown.push((message.seq, message.id, message.body.content));
            }
            NetEvent::Rewound { to, .. } => {
                self.rewinds += 1;
                while self.shown.last().is_some_and(|(seq, ..)| *seq > to) {
                    self.shown.pop();
                }
            }
            NetEvent::Joined { head, .. } if !std::mem::replace(&mut self.is_in, true) => {
                self.wants_history = Some(head.next());
            }
            NetEvent::History { messages, more: false, .. } => {
                self.wants_history = None;
                let older =
                    messages.into_iter().map(|message| (message.seq, message.id, message.body.content));
                self.shown.splice(0..0, older);
            }
            NetEvent::Reset { .. } => self.resets += 1,
            NetEvent::Out { out, state, .. } => {
                if let Some((_, known)) = self.outs.get_mut(&out) {
                    *known = state;
                }
            }
            NetEvent::Link(status) => self.status = status,
            _ => {}
        }
    }
}
