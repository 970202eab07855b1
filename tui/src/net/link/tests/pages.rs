//! Answers that come in pages, and parts of logs beside the backlog.

use chat_protocol::{Re, RoomInfo, SearchFrom, User};

use super::*;
use crate::net::event::Window;

fn re(mark: &str) -> Option<Re> {
    Some(Re::parse(mark).unwrap())
}

fn users(ids: std::ops::Range<u64>) -> Vec<User> {
    let user = |number: u64| User {
        user_id: UserId::parse(&format!("u{number:05}")).unwrap(),
        username: format!("n{number}"),
        node: node("node-1"),
        away: None,
    };
    ids.map(user).collect()
}

fn who(ids: std::ops::Range<u64>, more: bool, re: Option<Re>) -> ServerMessage {
    ServerMessage::Who { room: room(), users: users(ids), count: 9_000, more, re }
}

fn asks_who(after: Option<u64>) -> ClientMessage {
    let after = after.map(|number| UserId::parse(&format!("u{number:05}")).unwrap());
    ClientMessage::Who { room: Some(room()), limit: None, after }
}

fn found(seqs: &[u64]) -> Vec<RoomMessage> {
    let body = || MessageBody {
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
    seqs.iter()
        .map(|seq| RoomMessage { room: room(), seq: Seq(*seq), id: other(*seq), body: body() })
        .collect()
}

fn from(before: u64) -> Option<SearchFrom> {
    Some(SearchFrom { room: room(), before: Seq(before) })
}

fn finds(seqs: &[u64], next: Option<SearchFrom>, mark: &str) -> ServerMessage {
    let (messages, more) = (found(seqs), next.is_some());
    ServerMessage::Search { room: Some(room()), epoch: Some(EPOCH), messages, more, next, re: re(mark) }
}

fn search(limit: Option<usize>) -> NetCommand {
    NetCommand::Search { query: "x".to_owned(), room: Some(room()), from: None, limit }
}

fn asks(from: Option<SearchFrom>, limit: Option<usize>) -> ClientMessage {
    ClientMessage::Search { query: "x".to_owned(), room: Some(room()), before: None, from, limit }
}

/// What a search told: places, and where it goes on.
fn told(bench: &mut Bench) -> Option<(Vec<u64>, Option<SearchFrom>)> {
    match bench.events.pop()? {
        NetEvent::Answer(ServerMessage::Search { messages, next, more, .. }) => {
            assert_eq!(more, next.is_some());
            Some((messages.iter().map(|message| message.seq.0).collect(), next))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_users_of_a_large_room_are_one_answer() {
    let mut bench = Bench::online(4);
    bench.command(NetCommand::Who(room()));
    // Two at once do not mix.
    bench.command(NetCommand::Who(room()));
    bench.server(&who(0..500, true, None));
    bench.server(&who(0..500, true, None));
    assert_eq!(bench.sent, [asks_who(None), asks_who(None), asks_who(Some(499)), asks_who(Some(499))]);
    bench.server(&who(500..900, true, re("page-2")));
    bench.server(&who(500..1_000, false, re("page-1")));
    let [NetEvent::Answer(ServerMessage::Who { users: told, count, more, .. })] = &bench.events[..] else {
        panic!("{:?}", bench.events)
    };
    assert_eq!((told, *count, *more), (&users(0..1_000), 9_000, false));
    bench.server(&who(900..1_000, false, re("page-3")));
    assert_eq!(bench.events[1], bench.events[0]);
}

#[test]
fn pages_end_where_there_is_no_end() {
    let mut bench = Bench::online(4);
    bench.command(NetCommand::Who(room()));
    bench.server(&who(0..500, true, None));
    for page in 1..10 {
        assert_eq!(bench.events, [], "{page}");
        bench.server(&who(page * 500..(page + 1) * 500, true, re(&format!("page-{page}"))));
    }
    assert_eq!(bench.sent.len(), 10);
    let [NetEvent::Answer(ServerMessage::Who { users, more: true, .. })] = &bench.events[..] else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(users.len(), 5_000);
    // One that says there is more and brings nothing.
    bench.events.clear();
    bench.command(NetCommand::Rooms);
    bench.server(&ServerMessage::Rooms { rooms: vec![], more: true, re: None });
    let empty = ServerMessage::Rooms { rooms: vec![], more: true, re: None };
    assert_eq!(bench.events, [NetEvent::Answer(empty)]);
}

#[test]
fn the_directory_is_one_answer() {
    let mut bench = Bench::online(4);
    let info = |name: &str| RoomInfo { room: RoomName::parse(name).unwrap(), topic: String::new(), count: 1 };
    bench.command(NetCommand::Rooms);
    bench.server(&ServerMessage::Rooms { rooms: vec![info("a"), info("b")], more: true, re: None });
    let after = Some(RoomName::parse("b").unwrap());
    assert_eq!(bench.sent.pop(), Some(ClientMessage::Rooms { limit: None, after }));
    bench.server(&ServerMessage::Rooms { rooms: vec![info("c")], more: false, re: re("page-1") });
    let rooms = vec![info("a"), info("b"), info("c")];
    assert_eq!(bench.events, [NetEvent::Answer(ServerMessage::Rooms { rooms, more: false, re: None })]);
}

#[test]
fn a_search_goes_on_until_enough_was_found() {
    let mut bench = Bench::online(4);
    bench.command(search(Some(3)));
    bench.server(&finds(&[90], from(80), "page-1"));
    bench.server(&finds(&[], from(70), "page-2"));
    bench.server(&finds(&[69, 65], from(65), "page-3"));
    assert_eq!(bench.sent, [asks(None, Some(3)), asks(from(80), Some(2)), asks(from(70), Some(2))]);
    assert_eq!(told(&mut bench), Some((vec![90, 69, 65], from(65))));
    bench.sent.clear();
    bench.command(search(Some(3)));
    for page in 4..9 {
        assert_eq!(bench.events, []);
        bench.server(&finds(&[], from(100 - page), &format!("page-{page}")));
    }
    assert_eq!(told(&mut bench), Some((vec![], from(92))), "five answers are what a server gives at once");
    bench.command(search(None));
    bench.server(&finds(&[9, 8], from(8), "page-9"));
    assert_eq!(
        told(&mut bench),
        Some((vec![9, 8], from(8))),
        "without a limit the first that finds something"
    );
}

#[test]
fn what_was_found_before_a_refusal_is_told() {
    let refusal = |code: ErrorCode, mark: &str| {
        let error = ErrorMessage { re: re(mark), retry_ms: Some(100), ..ErrorMessage::new(code, "no") };
        ServerMessage::Error(error)
    };
    let mut bench = Bench::online(4);
    bench.command(search(Some(3)));
    bench.server(&finds(&[90], from(80), "page-1"));
    bench.server(&refusal(ErrorCode::RateLimited, "page-2"));
    assert_eq!(told(&mut bench), Some((vec![90], from(80))));
    bench.command(search(Some(3)));
    bench.server(&refusal(ErrorCode::RateLimited, "page-3"));
    assert!(matches!(bench.events.pop(), Some(NetEvent::Trouble { code: ErrorCode::RateLimited, .. })));
    // The one that was refused is not taken for the one that is answered.
    bench.command(NetCommand::Search {
        query: "y".to_owned(),
        room: Some(room()),
        from: None,
        limit: Some(2),
    });
    bench.server(&finds(&[7], from(7), "page-4"));
    let goes_on = matches!(bench.sent.pop(), Some(ClientMessage::Search { query, .. }) if query == "y");
    assert!(goes_on, "{:?}", bench.sent);
}

#[test]
fn a_search_goes_on_at_the_server_that_the_client_moves_to() {
    let mut bench = Bench::online(4);
    bench.command(search(Some(3)));
    bench.server(&finds(&[90], from(80), "page-1"));
    bench.server(&moving::drain(0));
    bench.pass(Duration::ZERO);
    bench.asks();
    bench.sent.clear();
    bench.events.clear();
    bench.takes("node-2");
    assert!(bench.sent.contains(&asks(from(80), Some(2))), "{:?}", bench.sent);
    bench.events.clear();
    bench.server(&finds(&[7], None, "page-2"));
    assert_eq!(told(&mut bench), Some((vec![90, 7], None)));
}

#[test]
fn a_part_of_a_log_is_not_the_backlog() {
    let mut bench = Bench::online(100);
    bench.command(NetCommand::History { room: room(), before: Some(Seq(50)), limit: 2 });
    let window = Window::Around(Seq(9));
    bench.command(NetCommand::Look { room: room(), window, limit: 3 });
    let around = ClientMessage::History {
        room: Some(room()),
        epoch: None,
        before: None,
        after: None,
        around: Some(Seq(9)),
        limit: Some(3),
    };
    assert_eq!(bench.sent.pop(), Some(around));
    let page = |seqs: &[u64], mark: Option<Re>| ServerMessage::History {
        room: room(),
        epoch: EPOCH,
        messages: found(seqs),
        more: true,
        re: mark,
    };
    bench.server(&page(&[8, 9, 10], Some(window.mark())));
    let messages = found(&[8, 9, 10]);
    assert_eq!(bench.events, [NetEvent::Looked { room: room(), window, epoch: EPOCH, messages, more: true }]);
    bench.events.clear();
    // The same entries are as new to the backlog as before.
    bench.server(&page(&[8, 9, 48, 49], None));
    let messages = found(&[8, 9, 48, 49]);
    assert_eq!(bench.events, [NetEvent::History { room: room(), messages, more: true }]);
    for window in [Window::After(Seq(0)), Window::Around(Seq(chat_protocol::limits::NUMBER_MAX))] {
        assert_eq!(Window::of(&window.mark()), Some(window));
    }
    assert_eq!(["after-x", "page-1", "x"].map(|mark| Window::of(&Re::parse(mark).unwrap())), [None; 3]);
}

#[test]
fn offline_nothing_is_waited_for() {
    let mut bench = Bench::new();
    for command in [search(None), NetCommand::Look { room: room(), window: Window::After(Seq(1)), limit: 1 }]
    {
        bench.events.clear();
        bench.command(command);
        assert!(bench.is_troubled());
    }
}
