//! Each line waits for its visible effect, and not for ever.

use super::*;
use crate::net::event::{LinkStatus, Origin, Recovery, Totals, Transport};
use crate::plain::input::parse;
use crate::plain::samples::{entry, node, room};
use crate::plain::talk::Cluster;

struct Stage {
    script: Script,
    talk: Talk,
    now: Moment,
}

impl Stage {
    /// A script whose start is met.
    fn new(text: &str) -> Self {
        let script = Script::new(text, vec![room("general")], Moment::ZERO);
        let mut stage =
            Self { script, talk: Talk::new(room("general"), Cluster::Demo), now: Moment::from_secs(1) };
        assert_eq!(stage.play(), None, "not online yet");
        stage.online("node-1", None);
        assert_eq!(stage.play(), None, "no room yet");
        let (users, count, head) = (Vec::new(), 1, chat_protocol::Seq(0));
        stage.event(&NetEvent::Joined {
            room: room("general"),
            users,
            count,
            epoch: chat_protocol::Epoch(1),
            head,
            topic: String::new(),
        });
        stage
    }

    /// Plays the next line if it is time; gives what it led to.
    fn play(&mut self) -> Option<Effect> {
        let line = self.script.next_line(&self.talk, self.now).unwrap()?;
        let effect = self.talk.input(parse(&line).unwrap().unwrap());
        self.script.played(&effect, &self.talk).unwrap();
        self.now += Duration::from_secs(1);
        Some(effect)
    }

    fn event(&mut self, event: &NetEvent) {
        self.talk.event(event);
        self.script.observe(event);
    }

    fn link(&mut self, state: LinkState, recovery: Option<Recovery>) {
        self.event(&NetEvent::Link(LinkStatus { state, recovery, ..LinkStatus::default() }));
    }

    fn online(&mut self, name: &str, recovered_at: Option<Moment>) {
        let (since, heard) = (self.now, self.now);
        let recovery = recovered_at.map(|at| Recovery {
            planned: false,
            at,
            from: node("node-1"),
            to: node(name),
            took: Duration::ZERO,
            counted: Totals::default(),
        });
        let state =
            LinkState::Online { node: node(name), transport: Transport::Tcp, since, heard, suspect: false };
        self.link(state, recovery);
    }

    fn down(&mut self, attempt: u32) {
        let (since, retry_at) = (self.now, self.now);
        self.link(LinkState::Down { since, reason: "refused".into(), attempt, retry_at }, None);
    }

    fn out(&mut self, out: u64, state: OutState) {
        self.event(&NetEvent::Out { out: OutId(out), room: room("general"), state });
    }
}

#[test]
fn speech_waits_for_its_own_entry() {
    let mut stage = Stage::new("one\n\ntwo");
    assert!(stage.play().is_some());
    stage.out(1, OutState::Queued);
    stage.out(1, OutState::Acked);
    assert_eq!(stage.play(), None, "acknowledged is not seen");
    let entry = |out| NetEvent::Entry { message: entry("general", 1, "x"), out, origin: Origin::Live };
    stage.event(&entry(None));
    stage.event(&entry(Some(OutId(9))));
    assert_eq!(stage.play(), None, "somebody else's");
    stage.event(&entry(Some(OutId(1))));
    assert!(stage.play().is_some());
    assert!(!stage.script.is_over(&stage.talk));
    stage.event(&entry(Some(OutId(2))));
    assert!(stage.script.is_over(&stage.talk));
}

#[test]
fn speech_while_the_link_is_down_waits_until_it_is_queued() {
    let mut stage = Stage::new("one\ntwo");
    stage.down(2);
    assert_eq!(stage.play(), None, "the start wants a link");
    stage.online("node-1", None);
    assert!(stage.play().is_some());
    stage.down(2);
    assert_eq!(stage.play(), None);
    stage.out(1, OutState::Queued);
    assert!(stage.play().is_some());
}

#[test]
fn a_kill_waits_for_another_node_and_the_figures() {
    let mut stage = Stage::new("/kill\n/kill all\n/revive\n/quit");
    assert_eq!(stage.play(), Some(Effect::Demo(DemoCommand::Kill)));
    stage.online("node-1", Some(stage.now));
    assert_eq!(stage.play(), None, "still the same node");
    stage.online("node-2", Some(stage.now));
    assert_eq!(stage.play(), Some(Effect::Demo(DemoCommand::KillAll)));
    stage.down(1);
    assert_eq!(stage.play(), None, "the first try may come at once");
    stage.down(2);
    assert_eq!(stage.play(), Some(Effect::Demo(DemoCommand::Revive)));
    stage.online("node-2", Some(Moment::from_secs(1)));
    assert_eq!(stage.play(), None, "the figures are old ones");
    stage.online("node-3", Some(stage.now));
    assert_eq!(stage.play(), Some(Effect::Quit));
}

#[test]
fn what_does_not_come_or_makes_no_sense_is_named() {
    let mut stage = Stage::new("\n/kill\nhi");
    stage.play();
    stage.now = stage.script.deadline();
    let error = stage.script.next_line(&stage.talk, stage.now).unwrap_err().to_string();
    assert_eq!(
        error,
        "script line 2 (/kill): another node and what was recovered did not come within 30 s; the link is online on node-1"
    );

    let mut stage = Stage::new("hi");
    stage.play();
    stage.out(1, OutState::Failed("too long".into()));
    let error = stage.script.next_line(&stage.talk, stage.now).unwrap_err().to_string();
    assert_eq!(error, "script line 1 (hi): it was refused: too long");

    let mut stage = Stage::new("hi");
    stage.script.next_line(&stage.talk, stage.now).unwrap();
    let error = stage.script.played(&Effect::Refuse("no".into()), &stage.talk).unwrap_err().to_string();
    assert_eq!(error, "script line 1 (hi): no");
}
