use chat_protocol::{
    Ack, Epoch, ErrorCode, ErrorMessage, Hello, MessageBody, MessageId, NodeId, Outgoing, Resume, Resumed,
    RoomMessage, RoomUsers, Seq, ServerMessage, UserId, Welcome, encode_line,
};

use super::*;
use crate::net::event::Totals;

mod moving;
mod pages;
mod user;

const EPOCH: Epoch = Epoch(7);
/// Longer than any first try waits.
const FIRST_TRY_MAX: Duration = SPREAD_MIN;

fn room() -> RoomName {
    RoomName::general()
}

fn node(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A link, its clock, and what it asked for since somebody last looked.
struct Bench {
    link: Link,
    now: Moment,
    sent: Vec<ClientMessage>,
    events: Vec<NetEvent>,
    dials: usize,
    hangups: usize,
    beside: Second,
}

/// The second connection, as the link wants it.
#[derive(Debug, Default)]
struct Second {
    dials: Vec<Endpoint>,
    sent: Vec<ClientMessage>,
    /// The first one is not to be read.
    holds: bool,
    promotes: usize,
    drops: usize,
}

impl Bench {
    fn new() -> Self {
        Self::with(1, SavedClient::default())
    }

    fn with(seed: u64, saved: SavedClient) -> Self {
        Self::to(vec![Endpoint::new("lb", 1, Transport::Tcp)], seed, saved)
    }

    fn to(endpoints: Vec<Endpoint>, seed: u64, saved: SavedClient) -> Self {
        let options =
            LinkOptions { endpoints, name: None, rooms: vec![room()], saved, seed, ..LinkOptions::default() };
        let (link, now) = (Link::new(options, Moment::ZERO), Moment::ZERO);
        let (sent, events, beside) = (Vec::new(), Vec::new(), Second::default());
        let mut bench = Self { link, now, sent, events, dials: 0, hangups: 0, beside };
        bench.drain();
        bench
    }

    /// In the room at a place, on node-1.
    fn online(seq: u64) -> Self {
        let mut bench = Self::new();
        bench.connect("node-1");
        bench.enter(seq, 0);
        bench.sent.clear();
        bench.events.clear();
        bench
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll_output() {
            match output {
                Output::Dial(_) => self.dials += 1,
                Output::Hangup => self.hangups += 1,
                Output::Send(request) => self.sent.push(request.message),
                Output::DialBeside(endpoint) => self.beside.dials.push(endpoint),
                Output::SendBeside(request) => self.beside.sent.push(request.message),
                Output::HoldFirst => self.beside.holds = true,
                Output::Promote => {
                    self.beside.promotes += 1;
                    self.beside.holds = false;
                }
                Output::DropBeside => {
                    self.beside.drops += 1;
                    self.beside.holds = false;
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.link.handle(self.now, input);
        self.drain();
    }

    fn server(&mut self, message: &ServerMessage) {
        assert!(!self.beside.holds, "the first connection is not read");
        self.input(Input::First(Happening::Frame(encode_line(message))));
    }

    /// Lets time pass, with each tick at its moment.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.link.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = until;
    }

    /// Dialled and welcomed under its own id; gives its hello.
    fn connect(&mut self, to: &str) -> Hello {
        let hello = self.dialled();
        self.welcome(to, hello.client_id.clone().unwrap());
        hello
    }

    fn dialled(&mut self) -> Hello {
        self.input(Input::First(Happening::Dialled { transport: Transport::Tcp }));
        match self.sent.pop() {
            Some(ClientMessage::Hello(hello)) => hello,
            other => panic!("expected hello, got {other:?}"),
        }
    }

    fn welcome(&mut self, to: &str, client_id: ClientId) {
        self.server(&Self::welcomes(to, client_id));
    }

    fn welcomes(to: &str, client_id: ClientId) -> ServerMessage {
        ServerMessage::Welcome(Welcome {
            user_id: UserId::parse("u").unwrap(),
            client_id,
            session: "s".to_owned(),
            name: "me".to_owned(),
            name_wanted: None,
            node: node(to),
            ready: true,
            away: None,
            ignored: Vec::new(),
            rooms: Vec::new(),
            re: None,
        })
    }

    fn enter(&mut self, seq: u64, last_n: u64) {
        let (seq, id) = (Seq(seq), Some(other(seq)));
        let (users, count, more) = (Vec::new(), 1, false);
        let users = RoomUsers {
            room: room(),
            users,
            count,
            more,
            topic: String::new(),
            epoch: EPOCH,
            seq,
            id,
            last_n,
            re: None,
        };
        self.server(&ServerMessage::RoomUsers(users));
    }

    fn entry(&mut self, seq: u64, id: MessageId) {
        let body = MessageBody {
            sender: "a".to_owned(),
            sender_id: UserId::parse("u").unwrap(),
            content: "x".to_owned(),
            timestamp: "2026-01-01T00:00:00.000Z".to_owned(),
            node: node("node-1"),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        };
        self.server(&ServerMessage::Message(RoomMessage { room: room(), seq: Seq(seq), id, body }));
    }

    /// Entries of somebody else's.
    fn entries(&mut self, seqs: impl IntoIterator<Item = u64>) {
        seqs.into_iter().for_each(|seq| self.entry(seq, other(seq)));
    }

    fn resumed(&mut self, from: u64, to: u64, last_n: u64) {
        let (from, to, recovered) = (Seq(from), Seq(to), to - from);
        let resumed = Resumed { room: room(), epoch: EPOCH, from, to, recovered, last_n, more: false };
        self.server(&ServerMessage::Resumed(resumed));
    }

    fn ack(&mut self, n: u64, seq: u64) {
        let id = MessageId::new(self.link.identity.client.clone(), n);
        let ack = Ack { room: room(), n, seq: Some(Seq(seq)), id, epoch: EPOCH, duplicate: false, re: None };
        self.server(&ServerMessage::Ack(ack));
    }

    fn say(&mut self, out: u64) {
        let (out, content) = (OutId(out), out.to_string());
        self.input(Input::Command(NetCommand::Say { out, room: room(), content, kind: None }));
    }

    fn lose(&mut self) {
        self.input(Input::First(Happening::Closed("reset".to_owned())));
    }

    /// From now until the next dial.
    fn wait_for_dial(&mut self) -> Duration {
        let (from, dials) = (self.now, self.dials);
        while self.dials == dials {
            self.now = self.link.deadline().expect("a retry is due");
            self.input(Input::Tick);
        }
        self.now - from
    }

    fn messages(&mut self) -> Vec<Outgoing> {
        let sent = std::mem::take(&mut self.sent).into_iter();
        sent.filter_map(|message| match message {
            ClientMessage::Message(outgoing) => Some(outgoing),
            _ => None,
        })
        .collect()
    }

    fn said(&mut self) -> Vec<(u64, String)> {
        self.messages().into_iter().map(|sent| (sent.n.unwrap(), sent.content)).collect()
    }

    fn states(&mut self) -> Vec<(u64, OutState)> {
        let events = std::mem::take(&mut self.events).into_iter();
        events
            .filter_map(|event| match event {
                NetEvent::Out { out, state, .. } => Some((out.0, state)),
                _ => None,
            })
            .collect()
    }

    fn pongs(&mut self) {
        let mut pings = self.sent.iter().filter_map(|sent| match sent {
            ClientMessage::Ping { t } => Some(*t),
            _ => None,
        });
        let t = pings.next_back().expect("a ping");
        self.sent.clear();
        self.server(&ServerMessage::Pong { t, re: None });
    }

    fn is_suspect(&self) -> bool {
        matches!(self.link.status.state, LinkState::Online { suspect: true, .. })
    }

    fn is_down(&self) -> bool {
        matches!(self.link.status.state, LinkState::Down { .. })
    }
}

fn other(seq: u64) -> MessageId {
    MessageId::new(ClientId::parse("other").unwrap(), seq)
}

fn n_and_text(n: u64, text: &str) -> (u64, String) {
    (n, text.to_owned())
}

#[test]
fn it_dials_at_once_and_says_hello_first() {
    let mut bench = Bench::new();
    assert_eq!(bench.dials, 1);
    assert!(matches!(bench.link.status.state, LinkState::Dialling { attempt: 1, .. }));
    let hello = bench.connect("node-1");
    assert_eq!((hello.generation, hello.resume), (Some(1), Vec::new()));
    let join = bench.sent.first();
    assert_eq!(join, Some(&ClientMessage::Join { room: room() }), "the rooms wished are joined");
    assert!(matches!(bench.link.status.state, LinkState::Online { .. }));
}

#[test]
fn after_a_loss_hello_brings_the_place_and_the_tail() {
    let mut bench = Bench::online(4);
    bench.entries([5, 6]);
    bench.lose();
    bench.wait_for_dial();
    let hello = bench.connect("node-2");
    let (id, tail) = (Some(other(6)), vec![other(4), other(5), other(6)]);
    assert_eq!(hello.resume, [Resume { room: room(), epoch: EPOCH, seq: Seq(6), id, tail }]);
    assert_eq!((hello.generation, hello.session.as_deref()), (Some(2), Some("s")));
    assert!(!bench.sent.contains(&ClientMessage::Join { room: room() }), "its resume entry enters it");
}

#[test]
fn the_first_try_falls_within_the_spread_that_the_server_told() {
    let waits: Vec<Duration> = (0..200)
        .map(|seed| {
            let mut bench = Bench::with(seed, SavedClient::default());
            bench.connect("node-1");
            bench.server(&ServerMessage::Ping { t: 1, spread_ms: 800 });
            assert!(bench.sent.contains(&ClientMessage::Pong { t: 1 }));
            bench.lose();
            bench.wait_for_dial()
        })
        .collect();
    assert!(waits.iter().all(|wait| *wait <= ms(800)));
    assert!(
        waits.iter().any(|wait| *wait < ms(100)) && waits.iter().any(|wait| *wait > ms(700)),
        "{waits:?}"
    );
}

#[test]
fn later_tries_wait_longer_up_to_ten_seconds() {
    let mut longest = [Duration::ZERO; 9];
    for seed in 0..200 {
        let mut bench = Bench::with(seed, SavedClient::default());
        bench.connect("node-1");
        bench.lose();
        bench.wait_for_dial();
        for longest in &mut longest {
            bench.input(Input::First(Happening::DialFailed("refused".to_owned())));
            *longest = bench.wait_for_dial().max(*longest);
        }
    }
    for (longest, limit) in longest.into_iter().zip([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
        assert!(longest <= ms(limit) && longest > ms(limit * 9 / 10), "{longest:?} of {limit} ms");
    }
}

#[test]
fn a_failover_is_told_with_what_it_cost() {
    let mut bench = Bench::online(4);
    bench.entries([5]);
    bench.lose();
    let waited = bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(8, 0);
    bench.entries([6, 7, 8]);
    assert_eq!(bench.link.status.failovers, 0, "not over before the replay is");
    bench.now += ms(20);
    bench.resumed(5, 8, 0);
    assert_eq!(bench.link.status.failovers, 1);
    let recovery = bench.link.status.recovery.clone().unwrap();
    assert_eq!((recovery.from, recovery.to), (node("node-1"), node("node-2")));
    assert_eq!(recovery.took, waited + ms(20));
    assert_eq!(recovery.counted, Totals { recovered: 3, lost: 0, dup: 0 });
}

#[test]
fn a_message_withheld_from_a_failover_is_told_as_one_lost() {
    let mut bench = Bench::online(4);
    bench.lose();
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(7, 0);
    bench.entries([5, 7]);
    bench.resumed(4, 7, 0);
    let counted = bench.link.status.recovery.clone().unwrap().counted;
    assert_eq!(counted, Totals { recovered: 2, lost: 1, dup: 0 });
}

#[test]
fn lost_again_in_the_middle_of_a_replay_is_one_failover() {
    let mut bench = Bench::online(4);
    bench.lose();
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(6, 0);
    bench.entries([5]);
    bench.lose();
    bench.wait_for_dial();
    let hello = bench.connect("node-3");
    assert_eq!(hello.resume[0].seq, Seq(5));
    bench.enter(6, 0);
    bench.entries([6]);
    bench.resumed(5, 6, 0);
    assert_eq!(bench.link.status.failovers, 1);
    let recovery = bench.link.status.recovery.clone().unwrap();
    assert_eq!((recovery.from, recovery.to), (node("node-1"), node("node-3")));
    assert_eq!(recovery.counted.recovered, 2);
}

#[test]
fn a_server_that_does_not_answer_is_suspect_after_two_seconds_and_dead_after_ten() {
    let mut bench = Bench::online(4);
    bench.sent.clear();
    bench.pass(ms(4_000));
    bench.pongs();
    let heard = bench.now;
    bench.pass(ms(5_900));
    assert!(!bench.is_suspect(), "asked after 4 s, and 1.9 s have gone by");
    bench.pass(ms(200));
    assert!(bench.is_suspect());
    bench.pass((heard + ms(9_990)) - bench.now);
    assert!(!bench.is_down());
    bench.pass(ms(10));
    assert!(bench.is_down());
    assert_eq!(bench.hangups, 1);
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(4, 0);
    bench.resumed(4, 4, 0);
    let took = bench.link.status.recovery.clone().unwrap().took;
    assert_eq!(took, bench.now - heard, "it was lost when it fell silent");
}

#[test]
fn who_takes_nothing_more_lives_and_judges_nobody() {
    let mut bench = Bench::online(4);
    bench.sent.clear();
    for _ in 0..10 {
        bench.now = bench.link.ping_due().expect("it is online");
        bench.input(Input::PingDue);
    }
    let pings = bench.sent.iter().filter(|sent| matches!(sent, ClientMessage::Ping { .. })).count();
    assert_eq!(pings, 10, "a server that hears nothing takes a client for gone");
    assert!(matches!(bench.link.status.state, LinkState::Online { suspect: false, .. }), "40 s unread");
    bench.entries([5]);
    assert!(matches!(bench.link.status.state, LinkState::Online { suspect: false, .. }));
}

#[test]
fn a_suspect_that_is_heard_again_is_none() {
    let mut bench = Bench::online(4);
    bench.sent.clear();
    bench.pass(ms(4_000));
    bench.pongs();
    bench.pass(ms(6_100));
    assert!(bench.is_suspect());
    bench.entries([5]);
    assert!(!bench.is_suspect());
    bench.pass(ms(100));
    assert!(!bench.is_suspect());
}

#[test]
fn a_server_without_a_welcome_is_left_after_ten_seconds() {
    let mut bench = Bench::new();
    bench.dialled();
    bench.pass(HELLO_MAX);
    assert_eq!(bench.hangups, 1);
    assert!(bench.is_down());
}

#[test]
fn the_id_that_the_server_gives_is_taken_and_numbers_begin_anew() {
    let mut bench = Bench::online(4);
    bench.say(1);
    bench.ack(1, 5);
    bench.say(2);
    bench.lose();
    bench.wait_for_dial();
    bench.sent.clear();
    bench.dialled();
    let given = ClientId::parse("given").unwrap();
    bench.welcome("node-2", given.clone());
    bench.enter(5, 0);
    assert_eq!(bench.said(), [n_and_text(1, "2")]);
    assert_eq!(bench.link.save(bench.now).client_id, Some(given));
}

#[test]
fn a_fenced_client_comes_back_as_another() {
    let mut bench = Bench::online(4);
    bench.say(1);
    let before = bench.link.save(bench.now).client_id;
    bench.server(&ServerMessage::Error(ErrorMessage::new(ErrorCode::Fenced, "taken over")));
    bench.lose();
    bench.wait_for_dial();
    bench.sent.clear();
    let hello = bench.connect("node-2");
    assert_ne!(hello.client_id, before);
    bench.enter(4, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
}

#[test]
fn a_log_that_knows_numbers_never_given_makes_it_another_client() {
    let mut bench = Bench::new();
    bench.say(1);
    let first = bench.connect("node-1");
    bench.sent.clear();
    bench.enter(40, 17);
    assert_eq!(bench.hangups, 1);
    assert!(bench.messages().is_empty(), "it never guesses");
    bench.wait_for_dial();
    let second = bench.connect("node-1");
    assert_ne!(second.client_id, first.client_id);
    bench.enter(40, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
}

#[test]
fn what_is_said_offline_is_queued_and_sent_in_order() {
    let mut bench = Bench::online(4);
    bench.lose();
    bench.events.clear();
    (1..=3).for_each(|out| bench.say(out));
    assert_eq!(bench.states(), [1, 2, 3].map(|out| (out, OutState::Queued)));
    assert_eq!(bench.link.unsent(), 3);
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(4, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1"), n_and_text(2, "2"), n_and_text(3, "3")]);
    assert_eq!(bench.states(), [1, 2, 3].map(|out| (out, OutState::Sent)));
    (1..=3).for_each(|n| bench.ack(n, n + 4));
    assert_eq!(bench.states(), [1, 2, 3].map(|out| (out, OutState::Acked)));
    assert_eq!(bench.link.unsent(), 0);
}

#[test]
fn what_the_log_has_is_not_sent_again_and_what_it_lacks_is() {
    let mut bench = Bench::online(4);
    (1..=2).for_each(|out| bench.say(out));
    bench.lose();
    bench.events.clear();
    bench.sent.clear();
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(5, 1);
    assert_eq!(bench.said(), [n_and_text(2, "2")]);
    assert_eq!(bench.states(), [(1, OutState::Acked), (2, OutState::Sent)]);
}

#[test]
fn who_is_told_again_who_is_here_sends_nothing_again() {
    let mut bench = Bench::online(4);
    (1..=2).for_each(|out| bench.say(out));
    assert_eq!(bench.said(), [n_and_text(1, "1"), n_and_text(2, "2")]);
    bench.enter(4, 0);
    assert_eq!(bench.said(), [], "their answers are on the way");
    bench.lose();
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(4, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1"), n_and_text(2, "2")], "they are not, behind a lost link");
}

#[test]
fn what_was_rewound_is_shown_again_and_sent_again() {
    let mut bench = Bench::online(4);
    bench.say(1);
    let own = MessageId::new(bench.link.identity.client.clone(), 1);
    bench.entry(5, own.clone());
    bench.ack(1, 5);
    bench.sent.clear();
    bench.events.clear();
    bench.server(&ServerMessage::Rewind { room: room(), epoch: EPOCH, to: Seq(4) });
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
    bench.entries([5]);
    bench.entry(6, own);
    let shown = bench.events.iter().filter(|event| matches!(event, NetEvent::Entry { .. })).count();
    assert_eq!((shown, bench.link.status.totals), (2, Totals::default()));
}

#[test]
fn a_room_that_was_left_and_entered_again_has_lost_nothing() {
    let mut bench = Bench::online(4);
    bench.input(Input::Command(NetCommand::Leave(room())));
    bench.entries([5]);
    bench.server(&ServerMessage::Left { room: room(), re: None });
    bench.input(Input::Command(NetCommand::Join(room())));
    bench.enter(9, 0);
    bench.entries([10]);
    assert_eq!(bench.link.status.totals, Totals::default());
}

/// Two stays in a room within one round trip: the first one's answers are not the second one's.
#[test]
fn a_room_that_is_left_twice_is_entered_behind_the_second_answer() {
    let left = || ServerMessage::Left { room: room(), re: None };
    let mut bench = Bench::online(4);
    for _ in 0..2 {
        bench.input(Input::Command(NetCommand::Leave(room())));
        bench.input(Input::Command(NetCommand::Join(room())));
    }
    bench.server(&left());
    bench.events.clear();
    bench.enter(4, 0);
    bench.entries([5]);
    assert_eq!(bench.events, [], "of the stay that is over");
    bench.server(&left());
    bench.enter(5, 0);
    bench.entries([6]);
    let shown = bench.events.iter().filter(|event| matches!(event, NetEvent::Entry { .. })).count();
    assert_eq!((shown, bench.link.status.totals), (1, Totals::default()));
}

#[test]
fn a_room_that_is_being_left_is_left_once() {
    let mut bench = Bench::online(4);
    bench.input(Input::Command(NetCommand::Leave(room())));
    bench.input(Input::Command(NetCommand::Leave(room())));
    assert_eq!(bench.sent, [ClientMessage::Leave { room: Some(room()) }]);
}

#[test]
fn a_room_that_is_left_while_it_is_resumed_is_left_on_the_server() {
    let mut bench = Bench::online(4);
    bench.lose();
    bench.wait_for_dial();
    let client = bench.dialled().client_id.unwrap();
    bench.input(Input::Command(NetCommand::Leave(room())));
    bench.welcome("node-2", client);
    assert!(bench.sent.contains(&ClientMessage::Leave { room: Some(room()) }));
}

/// The refusal would be taken for that of the join behind it.
#[test]
fn a_room_that_was_not_entered_is_left_without_asking() {
    let mut bench = Bench::online(4);
    let ops = RoomName::parse("ops").unwrap();
    bench.input(Input::Command(NetCommand::Leave(ops.clone())));
    assert_eq!((bench.sent, bench.events), (Vec::new(), vec![NetEvent::Left(ops)]));
}

/// A server that hears nothing of a client any more, say: the user is told what became of the link, not of a mistake.
#[test]
fn a_server_that_forbids_the_connection_is_left() {
    let mut bench = Bench::online(4);
    bench.server(&ServerMessage::Error(ErrorMessage::new(ErrorCode::Forbidden, "no pong in three pings")));
    assert!(bench.is_down());
    assert!(!bench.events.iter().any(|event| matches!(event, NetEvent::Trouble { .. })));
    let LinkState::Down { reason, .. } = &bench.link.status.state else { panic!("it is down") };
    assert_eq!(reason, "no pong in three pings");
}

/// Otherwise it would be taken for a room that is being left for as long as the link is up.
#[test]
fn a_room_that_could_not_be_left_can_be_entered() {
    let mut bench = Bench::online(4);
    bench.input(Input::Command(NetCommand::Leave(room())));
    let refused = ErrorMessage::new(ErrorCode::NotInRoom, "not joined");
    bench.server(&ServerMessage::Error(ErrorMessage { room: Some(room()), ..refused }));
    assert!(bench.events.contains(&NetEvent::Left(room())));
    bench.input(Input::Command(NetCommand::Join(room())));
    bench.enter(5, 0);
    assert!(bench.events.iter().any(|event| matches!(event, NetEvent::Joined { .. })));
}

#[test]
fn rooms_joined_while_the_link_is_down_are_entered_once_it_is_up() {
    let mut bench = Bench::online(4);
    bench.lose();
    let ops = RoomName::parse("ops").unwrap();
    bench.input(Input::Command(NetCommand::Join(ops.clone())));
    bench.wait_for_dial();
    let hello = bench.connect("node-2");
    assert_eq!(hello.resume.len(), 1, "only where there is a place");
    assert!(bench.sent.contains(&ClientMessage::Join { room: ops }));
}

#[test]
fn what_a_run_leaves_the_next_one_sends() {
    let mut bench = Bench::online(4);
    bench.say(1);
    bench.ack(1, 5);
    bench.say(2);
    let saved = bench.link.save(bench.now);
    let mut next = Bench::with(2, saved.clone());
    let hello = next.connect("node-1");
    assert_eq!((hello.client_id, hello.generation), (saved.client_id, Some(2)));
    next.enter(5, 1);
    assert_eq!(next.said(), [n_and_text(2, "2")]);
}

#[test]
fn a_room_that_cannot_be_entered_for_now_is_entered_later_and_nothing_fails() {
    let mut bench = Bench::new();
    bench.connect("node-1");
    bench.say(1);
    let error = ErrorMessage::new(ErrorCode::Unavailable, "the backbone cannot be reached");
    bench.server(&ServerMessage::Error(ErrorMessage { room: Some(room()), ..error }));
    assert!(matches!(bench.link.status.state, LinkState::Down { .. }), "another node may do it");
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(0, 0);
    let kept = |message: &ClientMessage| matches!(message, ClientMessage::Message(out) if out.content == "1");
    assert_eq!(bench.sent.iter().filter(|message| kept(message)).count(), 1);
}

#[test]
fn servers_that_hang_up_at_once_are_not_stormed() {
    let mut bench = Bench::new();
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        bench.connect("node-1");
        bench.lose();
        longest = longest.max(bench.wait_for_dial());
    }
    assert!(longest > Duration::from_secs(1), "the wait grows: {longest:?}");
}

/// The server's word that it cannot reach the others.
fn cut_off(retry_ms: Option<u64>) -> ServerMessage {
    let error = ErrorMessage::new(ErrorCode::Unavailable, "this server cannot reach the others");
    ServerMessage::Error(ErrorMessage { retry_ms, ..error })
}

impl Bench {
    /// Since when the server is said to be cut off.
    fn is_cut_off(&self) -> Option<Moment> {
        self.link.status.cut_off
    }

    fn is_troubled(&self) -> bool {
        self.events.iter().any(|event| matches!(event, NetEvent::Trouble { .. }))
    }
}

#[test]
fn a_server_alone_is_a_state_of_the_link_until_something_comes_through() {
    let mut bench = Bench::online(5);
    let since = bench.now;
    bench.server(&cut_off(Some(2_000)));
    bench.pass(ms(2_000));
    bench.server(&cut_off(Some(2_000)));
    assert_eq!(bench.is_cut_off(), Some(since), "counted from the first word");
    assert!(!bench.is_troubled(), "not a line among the messages");
    assert_eq!((bench.hangups, bench.link.phase), (0, Phase::Up));
    bench.entry(6, other(6));
    assert_eq!(bench.is_cut_off(), None);
    bench.say(1);
    bench.server(&cut_off(Some(2_000)));
    assert!(bench.is_cut_off().is_some());
    assert_eq!(bench.link.unsent(), 1, "what was sent waits");
    bench.ack(1, 7);
    assert_eq!(bench.is_cut_off(), None);
}

#[test]
fn a_server_alone_that_says_so_no_more_is_well() {
    let mut bench = Bench::online(5);
    bench.server(&cut_off(Some(2_000)));
    bench.pass(ms(4_999));
    assert!(bench.is_cut_off().is_some());
    bench.pass(ms(1));
    assert_eq!(bench.is_cut_off(), None, "twice retry_ms and a second");
    bench.server(&cut_off(Some(u64::MAX)));
    bench.input(Input::First(Happening::Closed("reset".to_owned())));
    assert_eq!(bench.is_cut_off(), None, "another link is another matter");
}

#[test]
fn a_server_alone_that_takes_nobody_in_is_left_at_once() {
    let mut bench = Bench::new();
    bench.dialled();
    bench.server(&cut_off(None));
    assert_eq!((bench.hangups, bench.is_troubled()), (1, false));
    let LinkState::Down { reason, .. } = &bench.link.status.state else { panic!("{:?}", bench.link.status) };
    assert_eq!(reason, "the server cannot reach the others");
}

fn typing_sent(bench: &Bench) -> usize {
    bench.sent.iter().filter(|sent| matches!(sent, ClientMessage::Typing { .. })).count()
}

#[test]
fn typing_is_told_at_once_or_never() {
    let mut bench = Bench::new();
    bench.input(Input::Command(NetCommand::Typing(room())));
    bench.connect("node-1");
    bench.input(Input::Command(NetCommand::Typing(room())));
    bench.enter(3, 0);
    assert_eq!(typing_sent(&bench), 0, "it was not in the room");
    bench.input(Input::Command(NetCommand::Typing(room())));
    assert_eq!(typing_sent(&bench), 1);
    let (user_id, username) = (UserId::random(), "bob".to_owned());
    bench.events.clear();
    bench.server(&ServerMessage::Typing { room: room(), user_id: user_id.clone(), username });
    assert_eq!(bench.events, [NetEvent::Typing { room: room(), user_id, name: "bob".into() }]);
}

#[test]
fn a_server_that_knows_no_typing_is_asked_once_a_connection_and_nobody_sees_it() {
    let mut bench = Bench::online(3);
    let refused = |code, re: &str| {
        let re = chat_protocol::Re::parse(re).ok();
        ServerMessage::Error(ErrorMessage { re, ..ErrorMessage::new(code, "no") })
    };
    bench.input(Input::Command(NetCommand::Typing(room())));
    bench.server(&refused(ErrorCode::NotInRoom, "typing"));
    bench.input(Input::Command(NetCommand::Typing(room())));
    assert_eq!(typing_sent(&bench), 2, "it may be in the room by now");
    bench.server(&refused(ErrorCode::Unsupported, "typing"));
    bench.input(Input::Command(NetCommand::Typing(room())));
    assert_eq!((typing_sent(&bench), bench.events.len()), (2, 0), "{:?}", bench.events);
    bench.server(&refused(ErrorCode::Unsupported, "another"));
    assert_eq!(bench.events.len(), 1);
}
