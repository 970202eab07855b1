//! A client's connections: the first one, and the second one of a move, which becomes the first. What arrives on the
//! first while it is not read waits, as it does in a socket.

use std::collections::VecDeque;

use chat_server::room::ConnId;
use chat_tui::net::event::Transport;
use chat_tui::net::link::{Happening, Input};

use super::world::{Conn, Event, MS, World};

/// How long a load balancer does not know that a node drains.
const UNNOTICED: std::time::Duration = std::time::Duration::from_millis(300);

/// The ways from one client to the nodes.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) first: Option<ConnId>,
    pub(super) beside: Option<ConnId>,
    dial: Option<u64>,
    dial_beside: Option<u64>,
    is_held: bool,
    /// What has arrived on the first one since it is not read.
    unread: VecDeque<Happening>,
}

impl Ways {
    pub(super) fn lead_over(&self, conn: ConnId) -> bool {
        self.first == Some(conn) || self.beside == Some(conn)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ConnId> {
        self.first.into_iter().chain(self.beside)
    }

    /// Gives nothing of the first one until it is read again.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    fn drop_first(&mut self) -> Option<ConnId> {
        (self.dial, self.is_held) = (None, false);
        self.unread.clear();
        self.first.take()
    }
}

impl World {
    pub(super) fn client_on(&self, conn: ConnId) -> Option<usize> {
        let client = self.conns.get(&conn)?.client;
        self.clients[client].ways.lead_over(conn).then_some(client)
    }

    /// Something arrives at the client's end of a connection.
    pub(super) fn hears(&mut self, conn: ConnId, happening: Happening) {
        let Some(client) = self.client_on(conn) else { return };
        let ways = &mut self.clients[client].ways;
        let is_over = matches!(happening, Happening::Closed(_));
        if ways.beside == Some(conn) {
            ways.beside.take_if(|_| is_over);
            return self.client_input(client, Input::Beside(happening));
        }
        if ways.is_held {
            return ways.unread.push_back(happening);
        }
        ways.first.take_if(|_| is_over);
        self.client_input(client, Input::First(happening));
    }

    /// The first connection is read again.
    pub(super) fn read_on(&mut self, client: usize) {
        self.clients[client].ways.is_held = false;
        while let Some(conn) = self.clients[client].ways.first
            && let Some(happening) = self.clients[client].ways.unread.pop_front()
        {
            self.hears(conn, happening);
        }
    }

    pub(super) fn dial(&mut self, client: usize) {
        self.hang_up(client);
        let dial = self.begin_dial(client);
        self.clients[client].ways.dial = Some(dial);
    }

    pub(super) fn dial_beside(&mut self, client: usize) {
        let dial = self.begin_dial(client);
        self.clients[client].ways.dial_beside = Some(dial);
    }

    fn begin_dial(&mut self, client: usize) -> u64 {
        let (dial, delay) = (self.fresh(), self.delay());
        self.after(delay, Event::Dialled { client, dial });
        dial
    }

    pub(super) fn hang_up(&mut self, client: usize) {
        if let Some(conn) = self.clients[client].ways.drop_first() {
            let delay = self.delay();
            self.after(delay, Event::Gone(conn));
        }
    }

    /// The second connection is dropped; what waits on the first one is read after what the link does now.
    pub(super) fn drop_beside(&mut self, client: usize) {
        let ways = &mut self.clients[client].ways;
        ways.dial_beside = None;
        let (conn, is_held) = (ways.beside.take(), ways.is_held);
        if is_held {
            self.after(MS / 1_000, Event::ReadOn(client));
        }
        if let Some(conn) = conn {
            let delay = self.delay();
            self.after(delay, Event::Gone(conn));
        }
    }

    /// The second one, dialled or not, is the first now.
    pub(super) fn promote_beside(&mut self, client: usize) {
        self.hang_up(client);
        let ways = &mut self.clients[client].ways;
        (ways.first, ways.dial) = (ways.beside.take(), ways.dial_beside.take());
    }

    pub(super) fn dialled(&mut self, client: usize, dial: u64) {
        let ways = &mut self.clients[client].ways;
        let is_first = ways.dial.take_if(|waiting| *waiting == dial).is_some();
        if !is_first && ways.dial_beside.take_if(|waiting| *waiting == dial).is_none() {
            return;
        }
        let input = if is_first { Input::First } else { Input::Beside };
        let Some(node) = self.balance() else {
            return self.client_input(client, input(Happening::DialFailed("no server".into())));
        };
        let conn = ConnId(self.fresh());
        let (now, busy) = (self.now, std::time::Duration::ZERO);
        self.conns.insert(conn, Conn { client, node, to_node: now, to_client: now, busy, is_gone: false });
        let ways = &mut self.clients[client].ways;
        *(if is_first { &mut ways.first } else { &mut ways.beside }) = Some(conn);
        self.client_input(client, input(Happening::Dialled { transport: Transport::Tcp }));
    }

    /// The node that a load balancer leads to. One that drains does so for a while: its TCP port refuses, behind its
    /// HTTP port the hello is refused.
    fn balance(&mut self) -> Option<u64> {
        let taken = |world: &Self, key: u64| {
            let drains = world.nodes[&key].draining;
            drains.is_none_or(|since| world.now < since + UNNOTICED)
        };
        let open = self.keys.iter().filter(|key| taken(self, **key)).count();
        if open == 0 {
            return None;
        }
        let nth = self.rng.usize(0..open);
        let key = self.keys.iter().copied().filter(|key| taken(self, *key)).nth(nth)?;
        let refuses = self.nodes[&key].draining.is_some() && self.rng.bool();
        (!refuses).then_some(key)
    }
}
