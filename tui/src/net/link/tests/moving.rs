use super::*;
use crate::net::event::Recovery;

/// What a refusal is said with.
const REFUSALS: [ErrorCode; 2] = [ErrorCode::ShuttingDown, ErrorCode::Unavailable];

pub(super) fn drain(reconnect_in_ms: u64) -> ServerMessage {
    ServerMessage::Drain { reconnect_in_ms }
}

impl Bench {
    /// Online at a place, and on the way to another server.
    fn moving(seq: u64) -> Self {
        let mut bench = Self::online(seq);
        bench.server(&drain(0));
        bench.pass(Duration::ZERO);
        assert_eq!(bench.beside.dials.len(), 1);
        bench
    }

    /// And that one was asked to take the client.
    fn asking(seq: u64) -> (Self, Hello) {
        let mut bench = Self::moving(seq);
        let hello = bench.asks();
        (bench, hello)
    }

    fn on_beside(&mut self, happening: Happening) {
        self.input(Input::Beside(happening));
    }

    fn other_server(&mut self, message: &ServerMessage) {
        self.on_beside(Happening::Frame(encode_line(message)));
    }

    fn knocks(&mut self) {
        self.on_beside(Happening::Dialled { transport: Transport::Tcp });
        assert_eq!(self.beside.sent.pop(), Some(ClientMessage::Ping { t: None }));
        assert!(!self.beside.holds, "nothing is at stake yet");
    }

    pub(super) fn asks(&mut self) -> Hello {
        self.knocks();
        self.other_server(&ServerMessage::Pong { t: None, re: None });
        assert!(self.beside.holds);
        match self.beside.sent.pop() {
            Some(ClientMessage::Hello(hello)) => hello,
            other => panic!("expected hello, got {other:?}"),
        }
    }

    fn refuses(&mut self, code: ErrorCode) {
        let drops = self.beside.drops;
        self.other_server(&ServerMessage::Error(ErrorMessage::new(code, "not here")));
        assert_eq!((self.beside.drops, self.beside.holds), (drops + 1, false));
    }

    pub(super) fn takes(&mut self, node: &str) {
        let client = self.link.identity.client.clone();
        self.other_server(&Self::welcomes(node, client));
        assert_eq!((self.beside.promotes, self.beside.holds), (1, false));
    }

    /// From now until the next dial beside the connection.
    fn wait_for_second_dial(&mut self) -> Duration {
        let (from, dials) = (self.now, self.beside.dials.len());
        while self.beside.dials.len() == dials {
            self.now = self.link.deadline().expect("a try is due").max(self.now);
            self.input(Input::Tick);
            self.is_alive();
        }
        self.now - from
    }

    /// The first server answers whatever it is asked.
    fn is_alive(&mut self) {
        if !self.beside.holds {
            self.server(&ServerMessage::Pong { t: None, re: None });
        }
    }

    fn node(&self) -> &str {
        match &self.link.status.state {
            LinkState::Online { node, .. } => node.as_str(),
            state => panic!("{state:?}"),
        }
    }

    /// Every status that the front-end was told is online.
    fn is_told_of_no_loss(&self) -> bool {
        self.events.iter().all(|event| match event {
            NetEvent::Link(status) => matches!(status.state, LinkState::Online { suspect: false, .. }),
            NetEvent::Trouble { .. } => false,
            _ => true,
        })
    }

    pub(super) fn command(&mut self, command: NetCommand) {
        self.input(Input::Command(command));
    }

    /// Gone the ordinary way: down, nothing beside it, and later back as who it was.
    fn comes_back_as_itself(&mut self) {
        assert!(self.is_down());
        assert_eq!((self.hangups, self.beside.holds), (1, false));
        let before = self.link.identity.client.clone();
        self.wait_for_dial();
        let hello = self.connect("node-3");
        assert_eq!((hello.client_id, hello.if_ready), (Some(before), false));
        assert_eq!((hello.generation, hello.resume[0].seq), (Some(3), Seq(4)));
    }
}

#[test]
fn a_client_moves_when_a_server_that_drains_says_so() {
    let mut bench = Bench::online(4);
    bench.server(&drain(1_000));
    bench.pass(ms(999));
    assert!(bench.beside.dials.is_empty());
    bench.pass(ms(1));
    assert_eq!((bench.beside.dials.len(), bench.dials, bench.hangups), (1, 1, 0));
    assert!(bench.is_told_of_no_loss());
}

#[test]
fn a_move_is_served_by_the_old_server_until_the_new_one_takes_over() {
    let mut bench = Bench::moving(4);
    bench.entries([5]);
    bench.knocks();
    bench.entries([6]);
    bench.say(1);
    bench.ack(1, 8);
    bench.sent.clear();
    bench.other_server(&ServerMessage::Pong { t: None, re: None });
    let Some(ClientMessage::Hello(hello)) = bench.beside.sent.pop() else { panic!("no hello") };
    assert_eq!((hello.if_ready, hello.generation, hello.session.as_deref()), (true, Some(2), Some("s")));
    let (id, tail) = (Some(other(6)), vec![other(4), other(5), other(6)]);
    assert_eq!(hello.resume, [Resume { room: room(), epoch: EPOCH, seq: Seq(6), id, tail }]);
    assert_eq!(bench.node(), "node-1");

    bench.now += ms(30);
    bench.takes("node-2");
    assert_eq!((bench.node(), bench.hangups, bench.dials), ("node-2", 0, 1));
    bench.enter(8, 1);
    bench.entries([7]);
    bench.entry(8, MessageId::new(bench.link.identity.client.clone(), 1));
    bench.now += ms(10);
    bench.resumed(6, 8, 1);
    let counted = Totals { recovered: 2, lost: 0, dup: 0 };
    let (from, to, at) = (node("node-1"), node("node-2"), bench.now);
    let expected = Recovery { at, from, to, took: ms(40), planned: true, counted };
    assert_eq!(bench.link.status.recovery, Some(expected));
    assert_eq!((bench.link.status.failovers, bench.link.status.moves), (0, 1));
    assert!(bench.is_told_of_no_loss());
    assert!(bench.messages().is_empty(), "what is in the log is not sent again");
}

#[test]
fn what_is_said_at_any_moment_of_a_move_is_sent_to_who_takes_it() {
    let mut bench = Bench::moving(4);
    bench.say(1);
    bench.knocks();
    bench.say(2);
    assert_eq!(bench.said(), [n_and_text(1, "1"), n_and_text(2, "2")]);
    bench.other_server(&ServerMessage::Pong { t: None, re: None });
    bench.say(3);
    assert!(bench.said().is_empty(), "the first one may be over");
    assert_eq!((bench.link.unsent(), bench.link.save(bench.now).rooms[0].unsent.len()), (3, 3));
    bench.takes("node-2");
    bench.say(4);
    bench.sent.clear();
    bench.enter(5, 1);
    assert_eq!(bench.said(), [n_and_text(2, "2"), n_and_text(3, "3"), n_and_text(4, "4")]);
    let acked = bench.states().into_iter().filter(|(_, state)| *state == OutState::Acked);
    assert_eq!(acked.collect::<Vec<_>>(), [(1, OutState::Acked)], "no line goes back to queued");
}

#[test]
fn after_a_refusal_the_first_connection_is_what_it_was() {
    for code in REFUSALS {
        let (mut bench, _) = Bench::asking(4);
        bench.say(1);
        bench.pass(ms(1_999));
        bench.refuses(code);
        assert_eq!(bench.said(), [n_and_text(1, "1")]);
        bench.entries([5]);
        bench.ack(1, 6);
        let again = bench.wait_for_second_dial();
        assert!(again >= ms(250) && again <= ms(1_000), "soon, as its time is short: {again:?}");
        let hello = bench.asks();
        assert_eq!((hello.generation, hello.resume[0].seq), (Some(3), Seq(5)));
        bench.takes("node-2");
        assert_eq!((bench.hangups, bench.link.totals()), (0, Totals::default()));
        assert!(bench.is_told_of_no_loss());
    }
}

#[test]
fn a_first_connection_that_is_not_read_is_not_taken_for_silent() {
    let mut bench = Bench::online(4);
    bench.sent.clear();
    bench.pass(ms(4_000));
    bench.pongs();
    bench.server(&drain(0));
    // The next ping is sent, and before it can be answered nobody listens any more.
    bench.pass(ms(4_000));
    bench.asks();
    bench.pass(ms(1_900));
    bench.refuses(ErrorCode::ShuttingDown);
    bench.pass(ms(1_900));
    assert!(!bench.is_suspect());
    bench.pass(ms(100));
    assert!(bench.is_suspect(), "silent for two seconds in which it was read");
}

#[test]
fn a_try_that_leads_nowhere_costs_nothing() {
    let fails: [fn(&mut Bench); 3] = [
        |bench| bench.on_beside(Happening::DialFailed("refused".to_owned())),
        |bench| {
            bench.knocks();
            bench.on_beside(Happening::Closed("no server behind it".to_owned()));
        },
        |bench| {
            bench.knocks();
            bench.pass(ms(2_000));
        },
    ];
    for fail in fails {
        let mut bench = Bench::moving(4);
        fail(&mut bench);
        assert_eq!((bench.beside.drops, bench.beside.holds), (1, false));
        bench.entries([5]);
        bench.wait_for_second_dial();
        assert_eq!(bench.asks().generation, Some(2), "nobody was told of another");
        assert!(bench.is_told_of_no_loss());
    }
}

#[test]
fn a_hello_without_an_answer_is_given_up_with_both_connections() {
    let (mut bench, _) = Bench::asking(4);
    bench.pass(ms(1_999));
    assert!(!bench.is_down());
    bench.pass(ms(1));
    bench.comes_back_as_itself();

    let (mut bench, _) = Bench::asking(4);
    bench.on_beside(Happening::Closed("reset".to_owned()));
    bench.comes_back_as_itself();
}

#[test]
fn being_fenced_by_a_move_that_was_refused_too_late_is_no_other_program() {
    let (mut bench, _) = Bench::asking(4);
    bench.say(1);
    bench.refuses(ErrorCode::Unavailable);
    bench.events.clear();
    bench.server(&ServerMessage::Error(ErrorMessage::new(ErrorCode::Fenced, "taken over")));
    assert!(!bench.is_troubled());
    bench.comes_back_as_itself();
    // Another time it is one.
    let before = bench.link.identity.client.clone();
    bench.server(&ServerMessage::Error(ErrorMessage::new(ErrorCode::Fenced, "taken over")));
    assert_ne!(bench.link.identity.client, before);
}

#[test]
fn a_loss_while_the_second_is_dialled_goes_on_with_that_dial() {
    let mut bench = Bench::moving(4);
    bench.on_beside(Happening::DialProgress(DialStep::Connecting, "10.0.0.7:1 tcp".to_owned()));
    bench.say(1);
    bench.lose();
    assert_eq!((bench.beside.promotes, bench.beside.drops, bench.dials), (1, 0, 1));
    let LinkState::Dialling { attempt: 1, target, step: DialStep::Connecting, down_since: Some(_) } =
        &bench.link.status.state
    else {
        panic!("{:?}", bench.link.status.state)
    };
    assert_eq!(target, "10.0.0.7:1 tcp");
    assert!(!bench.connect("node-2").if_ready, "there is nothing to go back to");
    bench.sent.clear();
    bench.enter(4, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
    bench.resumed(4, 4, 0);
    assert_eq!((bench.link.status.failovers, bench.link.status.moves), (1, 0), "that was a loss");
}

#[test]
fn a_loss_while_the_second_is_knocked_at_says_hello_there_at_once() {
    let mut bench = Bench::moving(4);
    bench.knocks();
    bench.lose();
    assert_eq!(bench.beside.promotes, 1);
    let Some(ClientMessage::Hello(hello)) = bench.sent.pop() else { panic!("no hello") };
    assert_eq!((hello.generation, hello.resume[0].seq), (Some(2), Seq(4)));
    bench.welcome("node-2", hello.client_id.unwrap());
    assert_eq!(bench.node(), "node-2");
}

#[test]
fn a_drained_server_with_no_other_is_an_ordinary_loss_in_the_end() {
    let mut bench = Bench::moving(4);
    bench.on_beside(Happening::DialFailed("refused".to_owned()));
    bench.events.clear();
    let error = ErrorMessage::new(ErrorCode::ShuttingDown, "server is going away");
    bench.server(&ServerMessage::Error(error));
    assert_eq!((bench.is_troubled(), bench.hangups), (false, 1), "a state of the link, no line of text");
    let LinkState::Down { reason, .. } = &bench.link.status.state else { panic!("{:?}", bench.link.status) };
    assert_eq!(reason, "the server is going away");
    assert!(bench.wait_for_dial() <= FIRST_TRY_MAX);
}

/// How long after the first word that a server is cut off a client dials another.
fn patience(bench: &mut Bench) -> Duration {
    let from = bench.now;
    bench.server(&cut_off(Some(2_000)));
    while bench.beside.dials.is_empty() {
        bench.pass(ms(100));
        bench.is_alive();
        if (bench.now - from).as_millis().is_multiple_of(2_000) {
            bench.server(&cut_off(Some(2_000)));
        }
    }
    bench.now - from
}

#[test]
fn a_server_that_is_cut_off_is_left_after_five_seconds_by_each_client_at_its_time() {
    let waits: Vec<Duration> = (0..200)
        .map(|seed| {
            let mut bench = Bench::with(seed, SavedClient::default());
            bench.connect("node-1");
            patience(&mut bench)
        })
        .collect();
    assert!(waits.iter().all(|wait| *wait >= ms(5_000) && *wait <= ms(10_100)), "{waits:?}");
    let (shortest, longest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    assert!(*shortest < ms(5_500) && *longest > ms(9_500), "{shortest:?} to {longest:?}");
}

#[test]
fn where_all_are_cut_off_the_client_stays_and_asks_every_ten_seconds() {
    let mut bench = Bench::online(4);
    patience(&mut bench);
    for _ in 0..5 {
        bench.asks();
        bench.refuses(ErrorCode::Unavailable);
        let from = bench.now;
        let dials = bench.beside.dials.len();
        while bench.beside.dials.len() == dials {
            bench.server(&cut_off(Some(2_000)));
            bench.pass(ms(100));
        }
        let again = bench.now - from;
        assert!(again >= ms(7_500) && again <= ms(12_600), "{again:?}");
    }
    assert_eq!((bench.node(), bench.hangups, bench.beside.promotes), ("node-1", 0, 0));
    assert!(bench.is_cut_off().is_some() && bench.is_told_of_no_loss());
}

#[test]
fn a_server_that_reaches_the_others_again_is_not_left() {
    let mut bench = Bench::online(4);
    patience(&mut bench);
    bench.knocks();
    bench.entries([5]);
    assert_eq!((bench.beside.drops, bench.is_cut_off()), (1, None));
    bench.pass(ms(3_000));
    bench.is_alive();
    bench.pass(ms(9_000));
    assert_eq!(bench.beside.dials.len(), 1);

    // But one that drains is, whatever it reaches.
    let mut bench = Bench::moving(4);
    bench.server(&cut_off(Some(2_000)));
    bench.entries([5]);
    assert_eq!(bench.beside.drops, 0);
    bench.asks();
    bench.takes("node-2");
}

#[test]
fn that_a_server_is_cut_off_is_not_forgotten_while_it_is_not_read() {
    let mut bench = Bench::online(4);
    patience(&mut bench);
    bench.server(&cut_off(Some(2_000)));
    bench.pass(ms(4_000));
    bench.asks();
    bench.pass(ms(1_900));
    bench.refuses(ErrorCode::Unavailable);
    assert!(bench.is_cut_off().is_some());
    bench.pass(ms(1_000));
    assert_eq!(bench.is_cut_off(), None, "five seconds in which it was read");
}

fn ops() -> RoomName {
    RoomName::parse("ops").unwrap()
}

/// What the front-end wants while nobody knows which connection it is for.
fn wants(bench: &mut Bench) {
    bench.sent.clear();
    bench.events.clear();
    bench.command(NetCommand::Leave(room()));
    bench.command(NetCommand::Who(ops()));
    let say = |out| NetCommand::Say { out: OutId(out), room: ops(), content: out.to_string(), kind: None };
    bench.command(say(7));
    assert!(bench.sent.is_empty() && bench.beside.sent.is_empty());
    assert_eq!(bench.link.unsent(), 1, "it would survive the end of the program");
}

#[test]
fn what_is_wanted_meanwhile_is_done_by_whoever_has_the_client_then() {
    let expected = [
        ClientMessage::Leave { room: Some(room()) },
        ClientMessage::Who { room: Some(ops()), limit: None, after: None },
        ClientMessage::Join { room: ops() },
    ];
    let (mut bench, _) = Bench::asking(4);
    wants(&mut bench);
    bench.takes("node-2");
    bench.sent.retain(|sent| !matches!(sent, ClientMessage::Ping { .. }));
    assert_eq!(bench.sent, expected);

    let (mut bench, _) = Bench::asking(4);
    wants(&mut bench);
    bench.refuses(ErrorCode::ShuttingDown);
    assert_eq!(bench.sent, expected);

    let (mut bench, _) = Bench::asking(4);
    wants(&mut bench);
    bench.on_beside(Happening::Closed("reset".to_owned()));
    assert!(bench.events.contains(&NetEvent::Left(room())));
    assert!(bench.is_troubled(), "nobody can be asked now");
    bench.wait_for_dial();
    assert_eq!(bench.connect("node-2").resume, []);
    let joins = bench.sent.iter().filter(|sent| matches!(sent, ClientMessage::Join { .. }));
    assert_eq!(joins.collect::<Vec<_>>(), [&ClientMessage::Join { room: ops() }]);
}

#[test]
fn what_is_said_in_a_room_that_is_being_left_enters_it_again() {
    let (mut bench, _) = Bench::asking(4);
    bench.command(NetCommand::Leave(room()));
    bench.say(1);
    bench.refuses(ErrorCode::Unavailable);
    let expected = [ClientMessage::Leave { room: Some(room()) }, ClientMessage::Join { room: room() }];
    assert_eq!(bench.sent.split_off(bench.sent.len() - 2), expected);
    bench.server(&ServerMessage::Left { room: room(), re: None });
    bench.enter(9, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
}

#[test]
fn what_the_old_server_did_not_answer_is_asked_of_the_new_one() {
    let mut bench = Bench::online(4);
    let history = || NetCommand::History { room: room(), before: Some(Seq(4)), limit: 50 };
    let (messages, more) = (Vec::new(), false);
    bench.command(history());
    bench.server(&ServerMessage::History { room: room(), epoch: EPOCH, messages, more, re: None });
    bench.command(history());
    bench.command(NetCommand::Nodes);
    bench.command(NetCommand::Join(ops()));
    bench.command(NetCommand::Leave(ops()));
    bench.server(&drain(0));
    bench.pass(Duration::ZERO);
    bench.asks();
    bench.sent.clear();
    bench.events.clear();
    bench.takes("node-2");
    let histories = bench.sent.iter().filter(|sent| matches!(sent, ClientMessage::History { .. })).count();
    let nodes = bench.sent.iter().filter(|sent| **sent == ClientMessage::Nodes {}).count();
    assert_eq!((histories, nodes), (1, 1), "the answered one is not asked again");
    assert!(bench.events.contains(&NetEvent::Left(ops())), "it is in no room that it did not name");
    bench.pass(ms(1_000));
}

#[test]
fn what_was_asked_of_a_room_that_was_left_is_not_asked_again() {
    let mut bench = Bench::online(4);
    bench.command(NetCommand::History { room: room(), before: Some(Seq(4)), limit: 50 });
    bench.command(NetCommand::Who(room()));
    bench.command(NetCommand::Leave(room()));
    bench.command(NetCommand::Join(room()));
    bench.server(&drain(0));
    bench.pass(Duration::ZERO);
    bench.asks();
    bench.sent.clear();
    bench.takes("node-2");
    let is_question =
        |sent: &&ClientMessage| matches!(sent, ClientMessage::History { .. } | ClientMessage::Who { .. });
    assert!(bench.sent.contains(&ClientMessage::Join { room: room() }));
    assert_eq!(bench.sent.iter().filter(is_question).count(), 0);
}

#[test]
fn a_user_who_wants_to_reconnect_does_not_wait_for_the_next_try() {
    let mut bench = Bench::online(4);
    bench.command(NetCommand::ReconnectNow);
    assert_eq!((bench.beside.dials.len(), bench.hangups), (0, 0), "a good link is left alone");
    bench.server(&cut_off(Some(2_000)));
    bench.command(NetCommand::ReconnectNow);
    assert_eq!(bench.beside.dials.len(), 1);
    bench.command(NetCommand::ReconnectNow);
    assert_eq!(bench.beside.dials.len(), 1, "it is under way");
    bench.asks();
    bench.command(NetCommand::ReconnectNow);
    assert_eq!(bench.beside.dials.len(), 1);
    bench.refuses(ErrorCode::Unavailable);
    assert_eq!(bench.beside.dials.len(), 2, "asked for while it was not known");
}

/// Online with several addresses, in the order of their ports.
fn at_several(addresses: u16) -> Bench {
    let endpoints = (1..=addresses).map(|port| Endpoint::new("lb", port, Transport::Tcp)).collect();
    let mut bench = Bench::to(endpoints, 1, SavedClient::default());
    bench.connect("node-1");
    bench.enter(4, 0);
    bench
}

#[test]
fn of_several_addresses_the_one_that_works_is_tried_first_and_the_one_that_took_it_is_kept() {
    let mut bench = at_several(3);
    bench.server(&drain(0));
    bench.pass(Duration::ZERO);
    bench.on_beside(Happening::DialFailed("refused".to_owned()));
    bench.wait_for_second_dial();
    assert_eq!(bench.beside.dials.iter().map(|to| to.port).collect::<Vec<_>>(), [1, 2]);
    bench.asks();
    bench.takes("node-2");
    bench.server(&drain(0));
    bench.pass(Duration::ZERO);
    assert_eq!(bench.beside.dials.last().unwrap().port, 2);
}

#[test]
fn a_client_of_one_port_for_both_ways_leaves_a_server_that_is_cut_off_at_the_first_try() {
    let endpoints = vec![Endpoint::new("lb", 1, Transport::Tcp), Endpoint::new("lb", 1, Transport::Ws)];
    let mut bench = Bench::to(endpoints.clone(), 1, SavedClient::default());
    bench.connect("node-1");
    bench.enter(4, 0);
    patience(&mut bench);
    assert_eq!(bench.beside.dials, endpoints[..1]);
    bench.asks();
    bench.takes("node-2");
    assert_eq!((bench.node(), bench.hangups), ("node-2", 0));
}

#[test]
fn each_address_is_tried_soon_after_the_other_and_only_then_the_client_waits() {
    let mut bench = at_several(3);
    patience(&mut bench);
    for _ in 0..3 {
        for is_last in [false, false, true] {
            // Nobody is there, or somebody who is cut off as well.
            if is_last {
                bench.asks();
                bench.refuses(ErrorCode::Unavailable);
            } else {
                bench.on_beside(Happening::DialFailed("refused".to_owned()));
            }
            let (from, dials) = (bench.now, bench.beside.dials.len());
            while bench.beside.dials.len() == dials {
                bench.server(&cut_off(Some(2_000)));
                bench.pass(ms(50));
                bench.is_alive();
            }
            let again = bench.now - from;
            let due = if is_last { ms(7_500)..=ms(12_600) } else { ms(50)..=ms(1_000) };
            assert!(due.contains(&again), "{is_last}: {again:?}");
        }
    }
    let ports: Vec<_> = bench.beside.dials.iter().map(|to| to.port).collect();
    assert_eq!(ports, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_move_in_the_middle_of_a_recovery_is_the_same_story() {
    let mut bench = Bench::online(4);
    bench.lose();
    bench.wait_for_dial();
    bench.connect("node-2");
    bench.enter(8, 0);
    bench.entries([5, 6]);
    bench.server(&drain(0));
    bench.pass(Duration::ZERO);
    assert_eq!(bench.asks().resume[0].seq, Seq(6));
    bench.takes("node-3");
    bench.enter(8, 0);
    bench.entries([7, 8]);
    bench.resumed(6, 8, 0);
    let recovery = bench.link.status.recovery.clone().unwrap();
    assert_eq!((recovery.from, recovery.to, recovery.planned), (node("node-1"), node("node-3"), false));
    assert_eq!(recovery.counted, Totals { recovered: 4, lost: 0, dup: 0 });
}

#[test]
fn a_client_that_is_given_another_id_by_the_server_it_moved_to_numbers_anew() {
    let (mut bench, _) = Bench::asking(4);
    bench.say(1);
    let given = ClientId::parse("given").unwrap();
    bench.other_server(&Bench::welcomes("node-2", given.clone()));
    bench.enter(4, 0);
    assert_eq!(bench.said(), [n_and_text(1, "1")]);
    assert_eq!(bench.link.save(bench.now).client_id, Some(given));
}
