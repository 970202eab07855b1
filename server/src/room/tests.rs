use std::sync::Arc;

use bytes::Bytes;
use chat_protocol::{Acked, MessageId};

use super::*;
use crate::backbone::ItemAnswer;

const EPOCH: Epoch = Epoch(0xc0ffee);

/// What a room said, in order.
#[derive(Default)]
struct Desk {
    calls: Vec<Call>,
    frames: Vec<(ConnId, Frame)>,
    /// Outboxes that take no more than one entry.
    narrow: Vec<ConnId>,
}

impl Outlet for Desk {
    fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    fn send(&mut self, to: ConnId, frame: Frame) -> bool {
        let full = matches!(frame, Frame::Entry(..)) && self.narrow.contains(&to);
        self.frames.push((to, frame));
        !full
    }
}

/// A room at a place in its log, and a clock.
struct Room {
    core: RoomCore,
    desk: Desk,
    now: Moment,
}

fn id(name: &str, n: u64) -> MessageId {
    MessageId::new(ClientId::parse(name).unwrap(), n)
}

/// The `n`th entry of a log in which `name` says everything from `from` on and `x` what is before.
fn entry_of(name: &str, from: u64, n: u64) -> Arc<Entry> {
    let author = |n| if n >= from { id(name, n) } else { id("x", n) };
    let prev = (n > 1).then(|| author(n - 1));
    let body = Bytes::from(format!(r#"{{"content":"{n}"}}"#));
    Arc::new(Entry { seq: Seq(n), id: author(n), prev, generation: 1, digest: n, body })
}

fn entry(n: u64) -> Arc<Entry> {
    entry_of("x", 1, n)
}

fn entries(from: u64, to: u64) -> Vec<Arc<Entry>> {
    (from..=to).map(entry).collect()
}

fn place(n: u64) -> Place {
    Place { epoch: EPOCH, seq: Seq(n), id: (n > 0).then(|| id("x", n)) }
}

fn head(n: u64) -> Head {
    Head { place: place(n), first: Seq(1), before: None }
}

fn page(from: u64, to: u64, at: u64) -> Input {
    Input::Paged(Ok(Page::Ok { head: place(at), entries: entries(from, to) }))
}

fn resume(n: u64) -> Resume {
    let tail = (n.saturating_sub(31).max(1)..=n).map(|n| id("x", n)).collect();
    Resume { room: RoomName::general(), epoch: EPOCH, seq: Seq(n), id: (n > 0).then(|| id("x", n)), tail }
}

fn publishing(conn: u64, n: u64) -> Publishing {
    let body = Some(Bytes::from_static(br#"{"content":"said"}"#));
    let client = ClientId::parse("me").unwrap();
    let (acked, refusal, re) = (None, None, None);
    Publishing { conn: ConnId(conn), client, generation: 1, n: Some(n), acked, digest: n, body, refusal, re }
}

impl Room {
    /// Whose log stands at `at`; this node has nothing of it but the head. Member 1 is in.
    fn at(at: u64) -> Self {
        let core = RoomCore::new(RoomName::general(), Duration::ZERO);
        let mut room = Self { core, desk: Desk::default(), now: Duration::ZERO };
        room.join(1, None);
        room.calls(&[Call::Head]);
        room.input(Input::Head(Ok(Some(head(at)))));
        assert!(matches!(room.frames(1).as_slice(), [Frame::Joined { .. }]));
        room
    }

    /// As [`Room::at`], and the entries above `from` came by the feed.
    fn with_ring(from: u64, to: u64) -> Self {
        let mut room = Self::at(from);
        room.feed(entries(from + 1, to));
        room.frames(1);
        room
    }

    fn input(&mut self, input: Input) {
        self.core.handle(self.now, input, &mut self.desk);
    }

    /// Answers what is asked of the log, which holds everything up to a place, until nothing more is asked.
    fn serve_pages(&mut self, head: u64) {
        loop {
            let calls = self.called();
            if calls.is_empty() {
                return;
            }
            for call in calls {
                let Call::Page(after) = call else { panic!("{call:?}") };
                self.input(page(after.seq.0 + 1, (after.seq.0 + 500).min(head), head));
            }
        }
    }

    fn feed(&mut self, entries: Vec<Arc<Entry>>) {
        self.input(Input::Feed(EPOCH, entries));
    }

    fn join(&mut self, conn: u64, resume: Option<Resume>) {
        self.input(Input::Join(Joining { conn: ConnId(conn), resume, last_n: 0, re: None }));
    }

    fn tick(&mut self, after: Duration) {
        self.now += after;
        self.input(Input::Tick);
    }

    /// The calls made since the last look.
    fn called(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.desk.calls)
    }

    fn calls(&mut self, expected: &[Call]) {
        assert_eq!(self.called(), expected);
    }

    /// Answers the calls made since the last look as a log with one entry, of which no node knows more; those that no
    /// log answers so are left.
    fn serve_one_entry(&mut self) -> Vec<Call> {
        let mut left = Vec::new();
        for call in self.called() {
            self.input(match call {
                Call::Read(_) => Input::Read(Ok(Page::Ok { head: place(1), entries: Vec::new() })),
                Call::Page(_) => Input::Paged(Ok(Page::Ok { head: place(1), entries: entries(1, 1) })),
                Call::Head => Input::Head(Ok(Some(head(1)))),
                Call::Ask => Input::Asking(Ok(Asked { round: 1, nodes: Vec::new() })),
                other => {
                    left.push(other);
                    continue;
                }
            });
        }
        left
    }

    /// What a member was told since the last look.
    fn frames(&mut self, conn: u64) -> Vec<Frame> {
        let of_conn = |to: &ConnId| to.0 == conn;
        let all = std::mem::take(&mut self.desk.frames);
        let (told, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(to, _)| of_conn(to));
        self.desk.frames = rest;
        told.into_iter().map(|(_, frame)| frame).collect()
    }

    /// The same in short: places of entries, names of other frames.
    fn told(&mut self, conn: u64) -> String {
        let told = self.frames(conn);
        let words = told.iter().map(|frame| match frame {
            Frame::Entry(seq, _) => format!("{seq}"),
            Frame::Joined { head, .. } => format!("joined@{}", head.seq),
            Frame::Resumed(resumed) => {
                let more = if resumed.more { "+" } else { "" };
                format!("resumed:{}-{}={}{more}", resumed.from, resumed.to, resumed.recovered)
            }
            Frame::Reset(reset) => {
                let lost_to = reset.lost_to.map_or("?".to_owned(), |seq| seq.to_string());
                format!("reset:{}@{}:{}-{lost_to}", reset.reason, reset.seq, reset.lost_from)
            }
            Frame::Rewind(_, to) => format!("rewind:{to}"),
            Frame::Ack(ack) => {
                let seq = ack.seq.map_or("-".to_owned(), |seq| seq.to_string());
                format!("ack:{}@{seq}{}", ack.n, if ack.duplicate { "dup" } else { "" })
            }
            Frame::Error(error) => format!("{}:{:?}:{:?}", error.code, error.n, error.expect_n),
            Frame::Fenced => "fenced".to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Publishes as member 1; the log's answer to what is in flight.
    fn publish(&mut self, n: u64) {
        self.input(Input::Publish(publishing(1, n)));
    }

    /// The numbers of the batch that was sent since the last look.
    fn sent(&mut self) -> Vec<u64> {
        let numbers = |call: Call| match call {
            Call::Publish(_, items) => items.into_iter().map(|item| item.id.n).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        self.called().into_iter().flat_map(numbers).collect()
    }

    fn judged(&mut self, head: u64, items: Vec<ItemAnswer>) {
        self.input(Input::Published(Ok(Published::Ok { head: place(head), items })));
    }
}

fn placed(n: u64) -> ItemAnswer {
    ItemAnswer::Placed { seq: Seq(n), prev: (n > 1).then(|| id("x", n - 1)) }
}

#[test]
fn an_entry_of_the_feed_reaches_every_member_once() {
    let mut room = Room::at(0);
    room.join(2, None);
    room.feed(entries(1, 2));
    room.feed(entries(2, 3));
    assert_eq!((room.told(1), room.told(2)), ("1 2 3".into(), "joined@0 1 2 3".into()));
    room.input(Input::Leave(ConnId(2)));
    room.feed(entries(4, 4));
    assert_eq!((room.told(1), room.told(2)), ("4".into(), String::new()));
    room.calls(&[]);
}

#[test]
fn a_resume_within_the_ring_asks_nobody() {
    let mut room = Room::with_ring(0, 5);
    room.join(2, Some(resume(3)));
    room.join(3, Some(resume(5)));
    room.join(4, Some(resume(0)));
    assert_eq!(room.told(2), "joined@5 4 5 resumed:3-5=2");
    assert_eq!(room.told(3), "joined@5 resumed:5-5=0");
    assert_eq!(room.told(4), "joined@5 1 2 3 4 5 resumed:0-5=5");
    room.calls(&[]);
}

#[test]
fn a_resume_at_the_beginning_of_the_ring_asks_nobody() {
    let mut room = Room::at(5);
    let newest = Resume { tail: vec![id("x", 5)], ..resume(5) };
    room.join(2, Some(newest.clone()));
    assert_eq!(room.told(2), "joined@5 resumed:5-5=0");
    room.calls(&[]);
    // Another message under that number is no proof: the log is looked at.
    room.join(3, Some(Resume { tail: vec![id("y", 5)], ..newest }));
    room.calls(&[Call::Page(Place { id: None, ..place(4) })]);
}

#[test]
fn numbers_of_a_log_that_is_gone_are_not_believed() {
    let core = RoomCore::new(RoomName::general(), Duration::ZERO);
    let mut room = Room { core, desk: Desk::default(), now: Duration::ZERO };
    room.input(Input::Join(Joining { conn: ConnId(1), resume: Some(resume(5)), last_n: 7, re: None }));
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(None)));
    room.calls(&[Call::Ask]);
    room.input(Input::Asking(Ok(Asked { round: 1, nodes: Vec::new() })));
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(None)));
    room.calls(&[Call::Create(1, None)]);
    let begun = Head { place: Place::start(Epoch(1)), first: Seq(1), before: None };
    room.input(Input::Head(Ok(Some(begun))));
    let numbers: Vec<u64> = room
        .frames(1)
        .iter()
        .filter_map(|frame| match frame {
            Frame::Joined { last_n, .. } => Some(*last_n),
            Frame::Reset(reset) => Some(reset.last_n),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [0, 0]);
}

#[test]
fn a_resume_below_the_ring_is_paged_and_live_entries_wait_their_turn() {
    let mut room = Room::at(100);
    room.join(2, Some(resume(60)));
    assert_eq!(room.told(2), "joined@100");
    let after = Place { id: None, ..place(28) };
    room.calls(&[Call::Page(after)]);
    room.feed(entries(101, 101));
    assert_eq!((room.told(1), room.told(2)), ("101".into(), String::new()));
    room.input(page(29, 100, 101));
    let expected: Vec<String> = (61..=100).map(|n| n.to_string()).collect();
    let told = room.told(2);
    assert_eq!(told, format!("{} resumed:60-101=41", expected.join(" ") + " 101"), "{told}");
}

#[test]
fn one_page_serves_everybody_who_lies_in_it() {
    let mut room = Room::at(100);
    for conn in 2..=9 {
        room.join(conn, Some(resume(60)));
    }
    assert_eq!(room.called().len(), 1, "one read, however many come back");
    room.input(page(29, 100, 100));
    room.calls(&[]);
    for conn in 2..=9 {
        assert!(room.told(conn).ends_with("100 resumed:60-100=40"));
    }
}

#[test]
fn what_is_not_replayed_is_looked_for_before_it_is_promised() {
    let mut room = Room::with_ring(9_000, 11_000);
    room.join(2, Some(resume(0)));
    assert_eq!(room.told(2), "joined@11000");
    room.calls(&[Call::Page(Place::start(EPOCH))]);
    room.input(Input::Paged(Ok(Page::Trimmed { head: place(11_000), first: Seq(767) })));
    room.serve_pages(11_000);
    let told = room.told(2);
    assert!(told.starts_with("reset:trimmed@766:1-766 1001 1002"), "{told:.60}");
    assert!(told.ends_with("11000 resumed:1000-11000=10000+"));
}

#[test]
fn a_replay_is_the_newest_ten_thousand_and_promises_what_the_log_still_has() {
    let mut room = Room::with_ring(9_000, 11_000);
    room.join(2, Some(resume(0)));
    room.serve_pages(11_000);
    let told = room.told(2);
    assert!(told.starts_with("joined@11000 1001"), "{told:.60}");
    assert!(told.ends_with("11000 resumed:1000-11000=10000+"));
}

#[test]
fn where_all_that_is_missing_is_gone_the_rest_is_replayed() {
    let mut room = Room::with_ring(10_500, 11_000);
    room.join(2, Some(resume(0)));
    room.called();
    room.input(Input::Paged(Ok(Page::Trimmed { head: place(11_000), first: Seq(10_501) })));
    let told = room.told(2);
    assert!(told.starts_with("joined@11000 reset:trimmed@10500:1-10500 10501"), "{told:.60}");
    assert!(told.ends_with("11000 resumed:10500-11000=500"));
}

#[test]
fn another_epoch_is_reset_and_everything_follows() {
    let mut room = Room::with_ring(0, 2);
    room.join(2, Some(Resume { epoch: Epoch(7), ..resume(41) }));
    assert_eq!(room.told(2), "joined@2 reset:epoch@0:42-? 1 2");
}

#[test]
fn the_range_that_is_gone_is_told_where_it_is_known() {
    let mut room = Room::at(0);
    let before = Some((EPOCH, Seq(50)));
    let place = Place::start(Epoch(9));
    room.input(Input::Stale);
    room.calls(&[Call::Read(super::Place::start(EPOCH))]);
    room.input(Input::Read(Ok(Page::Epoch(Head { place, first: Seq(1), before }))));
    assert_eq!(room.told(1), "reset:epoch@0:1-50");
}

#[test]
fn a_place_from_the_future_is_read_then_asked_about_then_rewound() {
    let mut room = Room::with_ring(0, 3);
    room.join(2, Some(resume(5)));
    room.tick(Duration::ZERO);
    room.calls(&[Call::Read(place(3))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(3), entries: Vec::new() })));
    room.tick(Duration::ZERO);
    room.calls(&[Call::Ask]);
    room.input(Input::Asking(Ok(Asked { round: 1, nodes: Vec::new() })));
    room.calls(&[Call::Head]);
    assert_eq!(room.told(2), "", "not before everybody was asked");
    room.input(Input::Head(Ok(Some(head(3)))));
    assert_eq!(room.told(2), "joined@3 rewind:3 resumed:3-3=0");
    assert_eq!(room.told(1), "", "others are not disturbed");
}

#[test]
fn a_place_from_the_future_that_the_log_has_is_let_in_without_a_question() {
    let mut room = Room::with_ring(0, 3);
    room.join(2, Some(resume(5)));
    room.tick(Duration::ZERO);
    room.calls(&[Call::Read(place(3))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(6), entries: entries(4, 6) })));
    assert_eq!((room.told(1), room.told(2)), ("4 5 6".into(), "joined@6 6 resumed:5-6=1".into()));
    room.calls(&[]);
}

#[test]
fn the_tail_finds_the_point_where_histories_part() {
    let mut room = Room::at(0);
    room.feed((1..=6).map(|n| entry_of("y", 4, n)).collect());
    room.frames(1);
    room.join(2, Some(resume(5)));
    assert_eq!(room.told(2), "joined@6 rewind:3 4 5 6 resumed:3-6=3");
}

#[test]
fn a_full_outbox_lags_and_catches_up() {
    let mut room = Room::at(0);
    room.desk.narrow.push(ConnId(2));
    room.join(2, None);
    room.feed(entries(1, 3));
    assert_eq!((room.told(1), room.told(2)), ("1 2 3".into(), "joined@0 1".into()));
    room.feed(entries(4, 4));
    assert_eq!(room.told(2), "");
    room.input(Input::Drained(ConnId(2)));
    assert_eq!(room.told(2), "2");
    room.desk.narrow.clear();
    room.input(Input::Drained(ConnId(2)));
    assert_eq!(room.told(2), "3 4");
    room.feed(entries(5, 5));
    assert_eq!(room.told(2), "5");
}

#[test]
fn who_joins_again_while_lagging_misses_nothing() {
    let mut room = Room::at(0);
    room.desk.narrow.push(ConnId(2));
    room.join(2, None);
    room.feed(entries(1, 3));
    assert_eq!(room.told(2), "joined@0 1");
    room.join(2, None);
    room.desk.narrow.clear();
    room.input(Input::Drained(ConnId(2)));
    assert_eq!(room.told(2), "joined@3 2 3");
}

#[test]
fn a_hole_is_filled_by_one_read() {
    let mut room = Room::at(0);
    room.feed(entries(3, 4));
    room.feed(entries(6, 6));
    room.calls(&[Call::Read(place(0))]);
    assert_eq!(room.told(1), "", "nothing is given out of order");
    room.input(Input::Read(Ok(Page::Ok { head: place(6), entries: entries(1, 5) })));
    assert_eq!(room.told(1), "1 2 3 4 5 6");
    room.calls(&[]);
}

#[test]
fn an_answer_before_the_feed_and_after_it_come_to_the_same() {
    for feed_first in [true, false] {
        let mut room = Room::at(0);
        room.publish(1);
        assert_eq!(room.sent(), [1]);
        let said = Entry { id: id("me", 1), ..(*entry(1)).clone() };
        let judged = |room: &mut Room| {
            let head = Place { epoch: EPOCH, seq: Seq(1), id: Some(id("me", 1)) };
            room.input(Input::Published(Ok(Published::Ok { head, items: vec![placed(1)] })));
        };
        if feed_first {
            room.feed(vec![Arc::new(said)]);
            judged(&mut room);
            assert_eq!(room.told(1), "1 ack:1@1");
        } else {
            judged(&mut room);
            room.feed(vec![Arc::new(said)]);
            assert_eq!(room.told(1), "ack:1@1 1");
        }
        room.calls(&[]);
    }
}

#[test]
fn one_batch_is_in_flight_and_the_rest_follows_together() {
    let mut room = Room::at(0);
    for n in 1..=4 {
        room.publish(n);
    }
    assert_eq!(room.sent(), [1]);
    room.judged(1, vec![placed(1)]);
    assert_eq!(room.sent(), [2, 3, 4]);
}

#[test]
fn an_unknown_outcome_is_sent_again_unchanged_and_first() {
    let mut room = Room::at(0);
    room.publish(1);
    room.publish(2);
    assert_eq!(room.sent(), [1]);
    room.input(Input::Published(Err(BackboneError::Unavailable("gone".into()))));
    // The log is read first: what was sent may be in it.
    room.calls(&[Call::Read(place(0))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(0), entries: Vec::new() })));
    room.tick(Duration::from_secs(1));
    assert_eq!(room.sent(), [1, 2]);
    room.judged(2, vec![ItemAnswer::Duplicate(Some(Seq(1))), placed(2)]);
    assert!(room.told(1).starts_with("ack:1@1dup"));
}

#[test]
fn once_the_backbone_is_back_nothing_waits_for_a_pause_to_end() {
    let gone = || BackboneError::Unavailable("gone".into());
    let mut room = Room::at(0);
    room.publish(1);
    assert_eq!(room.sent(), [1]);
    room.input(Input::Published(Err(gone())));
    for _ in 0..2 {
        room.calls(&[Call::Read(place(0))]);
        room.input(Input::Read(Err(gone())));
    }
    room.calls(&[]);
    room.input(Input::Stale);
    room.calls(&[Call::Read(place(0))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(0), entries: Vec::new() })));
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(Some(Head { place: place(0), first: Seq(1), before: None }))));
    assert_eq!(room.sent(), [1]);
}

#[test]
fn out_of_order_is_told_once_and_higher_numbers_are_dropped() {
    let mut room = Room::at(0);
    room.publish(3);
    assert_eq!(room.sent(), [3]);
    room.publish(4);
    room.judged(0, vec![ItemAnswer::Gap(0)]);
    room.publish(5);
    assert_eq!(room.told(1), "out_of_order:Some(3):Some(1)");
    room.calls(&[]);
    room.publish(1);
    assert_eq!(room.sent(), [1], "it goes on where it was told to");
}

#[test]
fn a_refused_number_gates_those_above_it() {
    let mut room = Room::at(0);
    let refusal = Some(ErrorMessage::new(chat_protocol::ErrorCode::RateLimited, "too fast"));
    room.input(Input::Publish(Publishing { refusal, ..publishing(1, 1) }));
    room.publish(2);
    assert_eq!(room.told(1), "rate_limited:Some(1):None");
    room.calls(&[]);
    room.publish(1);
    assert_eq!(room.sent(), [1]);
}

/// What was not answered yet is sent once more, and refused for its haste.
#[test]
fn a_refused_number_that_the_log_has_by_then_gates_nobody() {
    for (answer, told) in [(placed(1), "ack:1@1 1"), (ItemAnswer::Reused, "n_reused:Some(1):None")] {
        let mut room = Room::at(0);
        room.publish(1);
        assert_eq!(room.sent(), [1]);
        let refusal = Some(ErrorMessage::new(chat_protocol::ErrorCode::RateLimited, "too fast"));
        room.input(Input::Publish(Publishing { refusal, ..publishing(1, 1) }));
        room.judged(1, vec![answer]);
        assert_eq!(room.told(1), format!("rate_limited:Some(1):None {told}"));
        room.publish(2);
        assert_eq!(room.sent(), [2], "who waits for the first would wait for good");
    }
}

#[test]
fn a_repeat_is_acked_whatever_the_policy() {
    let mut room = Room::at(0);
    room.publish(1);
    room.sent();
    room.judged(1, vec![placed(1)]);
    room.told(1);
    let refusal = Some(ErrorMessage::new(chat_protocol::ErrorCode::RateLimited, "too fast"));
    room.input(Input::Publish(Publishing { refusal, ..publishing(1, 1) }));
    assert_eq!(room.sent(), [1], "dedupe comes before policy");
    room.judged(1, vec![ItemAnswer::Duplicate(Some(Seq(1)))]);
    assert_eq!(room.told(1), "ack:1@1dup");
}

#[test]
fn void_is_acked_without_a_place() {
    let mut room = Room::at(0);
    room.input(Input::Publish(Publishing { body: None, ..publishing(1, 2) }));
    assert_eq!(room.sent(), [2]);
    room.judged(0, vec![ItemAnswer::Voided]);
    assert_eq!(room.told(1), "ack:2@-");
}

#[test]
fn the_evidence_of_a_client_goes_with_its_message() {
    let mut room = Room::at(0);
    let acked = Some(Acked { n: 1, epoch: EPOCH, seq: Seq(1) });
    room.input(Input::Publish(Publishing { acked, ..publishing(1, 2) }));
    let called = room.called();
    let [Call::Publish(_, items)] = called.as_slice() else { panic!("{called:?}") };
    assert_eq!(items[0].acked, acked);
}

#[test]
fn who_was_overtaken_is_told_to_go() {
    let mut room = Room::at(0);
    room.publish(1);
    room.judged(0, vec![ItemAnswer::Fenced]);
    assert_eq!(room.told(1), "fenced");
}

#[test]
fn a_settling_room_is_asked_again_when_it_has_settled() {
    let mut room = Room::at(0);
    room.publish(1);
    room.sent();
    let left = Duration::from_millis(300);
    room.input(Input::Published(Ok(Published::Settling(left))));
    room.calls(&[]);
    assert_eq!(room.core.deadline(), Some(left));
    room.tick(left);
    assert_eq!(room.sent(), [1]);
}

#[test]
fn a_lost_log_is_brought_back() {
    let mut room = Room::with_ring(0, 3);
    room.publish(1);
    room.sent();
    room.input(Input::Published(Ok(Published::Lost)));
    room.calls(&[Call::Read(place(0))]);
    room.input(Input::Read(Ok(Page::Lost)));
    room.calls(&[Call::Repair(Run { epoch: EPOCH, entries: entries(1, 3), records: Vec::new() })]);
    room.input(Input::Repaired(Ok(Repaired::Ok { head: place(3), restored: 3 })));
    room.calls(&[Call::Read(place(3))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(3), entries: Vec::new() })));
    assert_eq!(room.sent(), [1], "what waited goes on");
    assert_eq!((room.told(1), room.core.figures().repairs), (String::new(), 1));
}

#[test]
fn another_life_resets_members_and_what_is_left_of_the_old_is_offered() {
    let mut room = Room::with_ring(0, 2);
    let place = Place::start(Epoch(9));
    room.input(Input::Feed(Epoch(9), Vec::new()));
    room.called();
    room.input(Input::Read(Ok(Page::Epoch(Head { place: place.clone(), first: Seq(1), before: None }))));
    assert_eq!(room.told(1), "reset:epoch@0:3-?");
    room.calls(&[Call::Read(place.clone())]);
    room.input(Input::Read(Ok(Page::Ok { head: place, entries: Vec::new() })));
    assert_eq!(room.sent(), [1, 2]);
    assert_eq!(room.core.figures().resets, 1);
}

#[test]
fn a_history_that_won_rewinds_those_who_saw_the_other() {
    let mut room = Room::with_ring(0, 4);
    let won: Vec<_> = (1..=5).map(|n| entry_of("y", 3, n)).collect();
    let top = Place { epoch: EPOCH, seq: Seq(5), id: Some(id("y", 5)) };
    room.input(Input::Round(Some(Head { place: top.clone(), first: Seq(1), before: None })));
    room.calls(&[Call::Read(place(4))]);
    room.input(Input::Read(Ok(Page::Fork(top.clone()))));
    room.calls(&[Call::Read(place(0))]);
    room.input(Input::Read(Ok(Page::Ok { head: top.clone(), entries: won })));
    assert_eq!(room.told(1), "rewind:2 3 4 5");
    room.calls(&[Call::Read(top.clone())]);
    room.input(Input::Read(Ok(Page::Ok { head: top, entries: Vec::new() })));
    assert_eq!(room.sent(), [3, 4], "what lost is offered to what won");
}

/// What this node holds is `x/1 … x/4`; where the log ends stands the same message, behind others.
#[test]
fn a_place_is_proved_by_what_stands_before_it() {
    let mut room = Room::with_ring(0, 4);
    room.input(Input::Stale);
    room.calls(&[Call::Read(place(0))]);
    let mut won = entries(1, 4);
    won[2] = entry_of("y", 3, 3);
    won[3] = Arc::new(Entry { prev: Some(id("y", 3)), ..(*won[3]).clone() });
    room.input(Input::Read(Ok(Page::Ok { head: place(4), entries: won })));
    assert_eq!(room.told(1), "rewind:2 3 4");
}

#[test]
fn a_log_that_ends_below_what_was_compared_lacks_it() {
    let mut room = Room::with_ring(0, 4);
    room.input(Input::Stale);
    room.called();
    room.input(Input::Read(Ok(Page::Ok { head: place(2), entries: entries(1, 2) })));
    room.calls(&[Call::Repair(Run { epoch: EPOCH, entries: entries(1, 4), records: Vec::new() })]);
}

/// An entry that stands elsewhere here is no hole: where both end they may agree.
#[test]
fn a_feed_that_contradicts_is_reason_to_compare() {
    let mut room = Room::with_ring(0, 4);
    room.input(Input::Feed(EPOCH, vec![entry_of("y", 1, 2)]));
    room.calls(&[Call::Read(place(0))]);
    room.input(Input::Read(Ok(Page::Ok { head: place(4), entries: entries(1, 4) })));
    assert_eq!((room.told(1), room.core.figures().rewinds), (String::new(), 0));
}

#[test]
fn a_room_nobody_knows_is_made_after_everybody_was_asked() {
    let mut room = Room {
        core: RoomCore::new(RoomName::general(), Duration::ZERO),
        desk: Desk::default(),
        now: Duration::ZERO,
    };
    room.join(1, None);
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(None)));
    room.calls(&[Call::Ask]);
    let other = NodeId::parse("other").unwrap();
    room.input(Input::Asking(Ok(Asked { round: 7, nodes: vec![other.clone()] })));
    room.calls(&[]);
    room.input(Input::Answered(other));
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(None)));
    room.calls(&[Call::Create(7, None)]);
    room.input(Input::Head(Ok(Some(head(0)))));
    assert_eq!(room.told(1), "joined@0");
}

#[test]
fn a_node_that_asks_is_answered_after_what_is_here_was_brought() {
    let mut room = Room::with_ring(0, 2);
    let other = NodeId::parse("other").unwrap();
    room.input(Input::Asked(other.clone()));
    room.calls(&[Call::Repair(Run { epoch: EPOCH, entries: entries(1, 2), records: Vec::new() })]);
    room.input(Input::Repaired(Ok(Repaired::Ok { head: place(2), restored: 0 })));
    assert!(room.called().contains(&Call::Answer(other)));
    let mut bare = Room::at(9);
    let other = NodeId::parse("other").unwrap();
    bare.input(Input::Asked(other.clone()));
    // It has nothing to bring; whether the log is still as it thinks, it looks at once.
    bare.calls(&[Call::Answer(other), Call::Read(place(9))]);
}

#[test]
fn an_idle_room_compares_heads_and_an_empty_one_is_over_in_time() {
    let mut room = Room::with_ring(0, 2);
    room.tick(Duration::from_secs(5));
    room.calls(&[Call::Head]);
    room.input(Input::Head(Ok(Some(head(2)))));
    room.calls(&[]);
    room.input(Input::Leave(ConnId(1)));
    assert!(!room.core.is_over(room.now), "it may be the last to know the log");
    room.tick(RING_KEPT);
    assert!(room.core.is_over(room.now));
}

#[test]
fn a_hole_that_nobody_fills_ends_and_what_stood_above_it_is_offered_anew() {
    let mut room = Room::with_ring(0, 1);
    room.feed(entries(3, 3));
    let mut offered = Vec::new();
    for _ in 0..100 {
        for call in room.serve_one_entry() {
            let Call::Publish(_, items) = call else { panic!("{call:?}") };
            offered.extend(items.into_iter().map(|item| item.id.n));
        }
        room.tick(Duration::from_millis(50));
    }
    assert_eq!(offered, [3], "the log that ends below the hole is offered what it lost, once");
}

#[test]
fn a_place_beyond_all_numbers_harms_nobody() {
    let mut room = Room::with_ring(0, 1);
    let (id, tail) = (Some(entries(1, 1)[0].id.clone()), Vec::new());
    let absurd = Resume { room: RoomName::general(), epoch: EPOCH, seq: Seq(u64::MAX), id, tail };
    room.join(2, Some(absurd));
    for _ in 0..20 {
        assert_eq!(room.serve_one_entry(), []);
        room.tick(Duration::from_millis(200));
    }
    room.told(2);
    room.feed(entries(2, 2));
    assert_eq!((room.told(1).ends_with('2'), room.told(2)), (true, "2".to_owned()));
}

/// A log that was emptied and brought back by a node that has only its end: whoever has the beginning brings that
/// within the round, and nothing is called gone before.
#[test]
fn what_a_round_may_bring_is_not_called_gone() {
    let mut room = Room::with_ring(100, 103);
    room.join(2, Some(resume(60)));
    let mut is_empty = true;
    let mut is_whole = false;
    for _ in 0..20 {
        for call in room.called() {
            room.input(match call {
                Call::Read(_) if is_empty => Input::Read(Ok(Page::Lost)),
                Call::Page(_) if is_empty => Input::Paged(Ok(Page::Lost)),
                Call::Repair(_) => {
                    is_empty = false;
                    Input::Repaired(Ok(Repaired::Ok { head: place(103), restored: 3 }))
                }
                Call::Read(after) => {
                    Input::Read(Ok(Page::Ok { head: place(103), entries: entries(after.seq.0 + 1, 103) }))
                }
                Call::Page(after) if is_whole => page(after.seq.0 + 1, 103, 103),
                Call::Page(_) => Input::Paged(Ok(Page::Trimmed { first: Seq(101), head: place(103) })),
                other => panic!("{other:?}"),
            });
        }
        if !is_empty && !is_whole {
            room.tick(Duration::from_millis(50));
            is_whole = true;
            room.input(Input::Round(Some(head(103))));
        } else {
            room.tick(Duration::from_millis(100));
        }
    }
    let told = room.told(2);
    assert!(!told.contains("reset") && told.contains(" 61 ") && told.contains(" 103"), "{told}");
}

/// A ring that has let go of its beginning is no reason to take what is late for new.
#[test]
fn a_late_word_of_what_a_ring_no_longer_holds_is_late() {
    let mut room = Room::with_ring(0, 2_500);
    room.called();
    room.now += Duration::from_secs(10);
    room.feed(entries(450, 452));
    assert_eq!((room.called(), room.told(1)), (Vec::new(), String::new()));
}

/// The log was emptied and written anew from 2 on, where the same message came first again.
#[test]
fn what_stood_above_a_hole_does_not_follow_what_was_said_anew() {
    let mut room = Room::with_ring(0, 1);
    room.feed(vec![entry(3)]);
    room.frames(1);
    room.feed(vec![entry(2), entry_of("y", 3, 3)]);
    assert_eq!(room.told(1), "2 3");
    let chain = room.core.chain.as_ref().unwrap();
    assert_eq!(chain.id_at(Seq(3)), Some(&id("y", 3)), "and not what stood there before");
    let log = [entry(1), entry(2), entry_of("y", 3, 3)];
    let head = Place { epoch: EPOCH, seq: Seq(3), id: Some(id("y", 3)) };
    let mut offered = Vec::new();
    while offered.is_empty() {
        let called = room.called();
        assert!(!called.is_empty(), "it is offered to the log, which may not have it");
        for call in called {
            match call {
                Call::Read(after) => {
                    let entries = log.iter().filter(|entry| entry.seq > after.seq).cloned().collect();
                    room.input(Input::Read(Ok(Page::Ok { entries, head: head.clone() })));
                }
                Call::Publish(_, items) => offered.extend(items.into_iter().map(|item| item.id)),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(offered, [id("x", 3)]);
}
