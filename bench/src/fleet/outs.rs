//! Owns which message stands behind which name: the names under which a client gave its words to the network side,
//! and those that a program which starts anew gives to what it had not got rid of. Pure.

use std::collections::{HashMap, HashSet};

use chat_tui::net::event::OutId;
use chat_tui::net::saved::SavedClient;

use crate::record::Words;

/// The network side numbers what it restores from here on, in the order in which it was saved. The constant is its
/// own: the test below asks it.
const RESTORED: u64 = 1 << 48;

/// What was said, and of which it is not known what became.
#[derive(Debug, Default)]
pub(super) struct Outs(HashMap<OutId, Words>);

impl Outs {
    /// A name for words that are about to be said: a client's own are unique by their number.
    pub(super) fn say(&mut self, words: Words) -> OutId {
        let out = OutId(u64::from(words.1));
        self.0.insert(out, words);
        out
    }

    pub(super) fn words(&self, out: OutId) -> Option<Words> {
        self.0.get(&out).copied()
    }

    /// It is known what became of it.
    pub(super) fn settle(&mut self, out: OutId) {
        self.0.remove(&out);
    }

    /// The program starts with this: from here on the names are others. Gives what was acknowledged while nobody
    /// listened any more.
    pub(super) fn restore(&mut self, saved: &SavedClient) -> Vec<Words> {
        let open: HashSet<Words> = std::mem::take(&mut self.0).into_values().collect();
        let unsent = saved.rooms.iter().flat_map(|room| &room.unsent);
        for (name, out) in (RESTORED + 1..).zip(unsent) {
            self.0.extend(Words::of(&out.content).map(|words| (OutId(name), words)));
        }
        let acknowledged = saved.rooms.iter().flat_map(|room| &room.acknowledged);
        acknowledged
            .filter_map(|acked| Words::of(&acked.out.content))
            .filter(|words| open.contains(words))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use chat_tui::net::endpoint::Endpoint;
    use chat_tui::net::event::{Moment, NetEvent, Transport};
    use chat_tui::net::link::{Happening, Input, Link, LinkOptions, Output};
    use chat_tui::net::saved::{SavedAcked, SavedOut, SavedRoom};

    use super::*;
    use crate::fleet::room;

    fn out(n: u32) -> SavedOut {
        SavedOut { n: u64::from(n), content: Words(7, n).content(40), kind: None, of: None }
    }

    fn saved(rooms: &[(u32, &[u32])]) -> SavedClient {
        let room = |(number, unsent): &(u32, &[u32])| SavedRoom {
            room: room(*number),
            next_n: 100,
            acked: None,
            unsent: unsent.iter().map(|n| out(*n)).collect(),
            acknowledged: Vec::new(),
        };
        SavedClient { rooms: rooms.iter().map(room).collect(), ..SavedClient::default() }
    }

    /// The names that a network side which starts with this gives to what is not sent, room by room.
    fn names(saved: SavedClient) -> Vec<OutId> {
        let endpoints = vec![Endpoint::new("nowhere", 1, Transport::Tcp)];
        let options = LinkOptions {
            endpoints,
            name: None,
            rooms: Vec::new(),
            saved,
            seed: 1,
            ..LinkOptions::default()
        };
        let mut link = Link::new(options, Moment::ZERO);
        // It tells what still waits.
        link.handle(Moment::ZERO, Input::First(Happening::DialFailed("refused".to_owned())));
        let outputs = std::iter::from_fn(|| link.poll_output());
        let name = |output| match output {
            Output::Event(NetEvent::Out { out, .. }) => Some(out),
            _ => None,
        };
        outputs.filter_map(name).collect()
    }

    #[test]
    fn what_is_restored_has_the_names_that_the_network_side_gives_it() {
        let saved = saved(&[(0, &[3, 4]), (1, &[5])]);
        let mut outs = Outs::default();
        outs.restore(&saved);
        let words: Vec<Option<Words>> = names(saved).into_iter().map(|out| outs.words(out)).collect();
        assert_eq!(words, [Some(Words(7, 3)), Some(Words(7, 4)), Some(Words(7, 5))]);
    }

    #[test]
    fn a_second_start_gives_the_names_anew() {
        let mut outs = Outs::default();
        outs.restore(&saved(&[(0, &[3, 4])]));
        outs.restore(&saved(&[(0, &[4])]));
        assert_eq!(outs.words(OutId(RESTORED + 1)), Some(Words(7, 4)));
        assert_eq!(outs.words(OutId(RESTORED + 2)), None);
    }

    #[test]
    fn an_acknowledgement_that_came_when_the_program_ended_is_known_once() {
        let mut saved = saved(&[(0, &[])]);
        saved.rooms[0].acknowledged =
            [1, 2].map(|n| SavedAcked { out: out(n), place: None, left_ms: 60_000 }).to_vec();
        let mut outs = Outs::default();
        let settled = outs.say(Words(7, 1));
        outs.settle(settled);
        outs.say(Words(7, 2));
        assert_eq!(outs.restore(&saved), [Words(7, 2)]);
        assert_eq!(outs.restore(&saved), []);
    }
}
