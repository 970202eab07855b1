//! What input leads to, and when a session has nothing left to wait for.

use super::*;
use crate::plain::input::parse;
use crate::plain::samples::entry;

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn talk() -> Talk {
    Talk::new(room("general"), Cluster::Remote)
}

fn input(talk: &mut Talk, line: &str) -> Effect {
    talk.input(parse(line).unwrap().unwrap())
}

fn joined(name: &str) -> NetEvent {
    NetEvent::Joined {
        room: room(name),
        users: Vec::new(),
        count: 1,
        epoch: chat_protocol::Epoch(1),
        head: chat_protocol::Seq(0),
        topic: String::new(),
    }
}

fn said_in(effect: &Effect) -> &RoomName {
    match effect {
        Effect::Net(NetCommand::Say { room, .. }) => room,
        other => panic!("{other:?}"),
    }
}

#[test]
fn speech_goes_to_the_room_joined_last_and_back_when_it_is_left() {
    let mut talk = talk();
    talk.event(&joined("general"));
    assert_eq!(said_in(&input(&mut talk, "a")), &room("general"));
    input(&mut talk, "/join ops");
    talk.event(&joined("ops"));
    assert_eq!(said_in(&input(&mut talk, "b")), &room("ops"));
    talk.event(&NetEvent::Left(room("ops")));
    assert_eq!(said_in(&input(&mut talk, "c")), &room("general"));
}

#[test]
fn it_is_settled_when_all_is_acknowledged_and_answered() {
    let mut talk = talk();
    assert!(talk.is_settled());
    input(&mut talk, "a");
    input(&mut talk, "b");
    assert_eq!(talk.undelivered(), 2);
    let out = |out, state| NetEvent::Out { out: OutId(out), room: room("general"), state };
    assert!(!talk.event(&out(1, OutState::Queued)).unwrap().was_queued);
    assert!(talk.event(&out(1, OutState::Sent)).unwrap().was_queued);
    talk.event(&out(1, OutState::Acked));
    talk.event(&out(2, OutState::Failed("too long".into())));
    assert!(talk.is_settled());
    input(&mut talk, "/who");
    assert!(!talk.is_settled());
    talk.event(&NetEvent::Answer(chat_protocol::ServerMessage::Nodes { nodes: Vec::new(), re: None }));
    assert!(talk.is_settled());
    talk.event(&NetEvent::Link(LinkStatus { queued: 1, ..LinkStatus::default() }));
    assert!(!talk.is_settled(), "an earlier run's message waits");
}

#[test]
fn the_demos_commands_are_for_the_demo() {
    assert!(matches!(input(&mut talk(), "/kill"), Effect::Refuse(_)));
    let mut demo = Talk::new(room("general"), Cluster::Demo);
    assert_eq!(input(&mut demo, "/kill"), Effect::Demo(DemoCommand::Kill));
}

#[test]
fn a_change_is_of_ones_last_message_and_a_reply_to_somebody_elses() {
    let mut talk = talk();
    talk.event(&joined("general"));
    let refused = |effect: &Effect| matches!(effect, Effect::Refuse(_));
    for line in ["/edit better", "/delete", "/reply yes"] {
        assert!(refused(&input(&mut talk, line)), "{line}: there is none yet");
    }
    let me = chat_protocol::UserId::parse("me").unwrap();
    talk.event(&NetEvent::Welcome { user_id: me.clone(), name: "me".into(), name_wanted: None });
    let said = |talk: &mut Talk, seq: u64, change: &dyn Fn(&mut chat_protocol::MessageBody)| {
        let mut message = crate::plain::samples::entry("general", seq, "x");
        change(&mut message.body);
        talk.event(&NetEvent::Entry { message, out: None, origin: crate::net::event::Origin::Live });
    };
    said(&mut talk, 1, &|_| {});
    said(&mut talk, 2, &|body| body.sender_id = me.clone());
    said(&mut talk, 3, &|body| body.sender_id = me.clone());
    let place = |effect: Effect| match effect {
        Effect::Net(NetCommand::SayOf { words, .. }) => (words.kind, words.of.unwrap().seq.0, words.content),
        other => panic!("{other:?}"),
    };
    assert_eq!(place(input(&mut talk, "/edit better")), (Some(Kind::Edit), 3, "better".into()));
    assert_eq!(place(input(&mut talk, "/delete")), (Some(Kind::Delete), 3, String::new()));
    assert_eq!(place(input(&mut talk, "/reply yes")), (None, 1, "yes".into()));
    assert_eq!(talk.undelivered(), 3);
    let of = crate::plain::samples::entry("general", 3, "x").id;
    said(&mut talk, 4, &|body| (body.kind, body.reference_id) = (Some(Kind::Delete), Some(of.clone())));
    assert!(refused(&input(&mut talk, "/edit it is gone")));
    assert_eq!(input(&mut talk, "/topic"), Effect::Print("[general] has no topic".into()));
    said(&mut talk, 5, &|body| {
        (body.kind, body.content) = (Some(Kind::Topic), "a\u{1b}b".into());
    });
    assert_eq!(input(&mut talk, "/topic"), Effect::Print("[general] ab".into()));
}

#[test]
fn a_search_goes_on_and_what_it_found_has_numbers() {
    let mut talk = talk();
    let asks = |query: &str, room: Option<RoomName>, from: Option<SearchFrom>| {
        Effect::Net(NetCommand::Search { query: query.into(), room, from, limit: Some(20) })
    };
    assert_eq!(input(&mut talk, "/search -a a fox"), asks("a fox", None, None));
    assert_eq!(input(&mut talk, "/search a fox"), asks("a fox", Some(room("general")), None));
    let next = SearchFrom { room: room("general"), before: Seq(4) };
    let messages = vec![entry("general", 9, "a fox"), entry("general", 4, "a fox")];
    let (place, epoch, more) = (Some(room("general")), None, true);
    let answer =
        ServerMessage::Search { room: place, epoch, messages, more, next: Some(next.clone()), re: None };
    talk.event(&NetEvent::Answer(answer));
    assert!(!talk.is_settled(), "one was not answered");
    let text = "no".to_owned();
    talk.event(&NetEvent::Trouble { room: None, code: ErrorCode::BadQuery, text });
    assert!(talk.is_settled());
    let window = Window::Around(Seq(4));
    let look = NetCommand::Look { room: room("general"), window, limit: 11 };
    assert_eq!(input(&mut talk, "/context 2"), Effect::Net(look));
    assert!(matches!(input(&mut talk, "/context 3"), Effect::Refuse(_)));
    assert_eq!(input(&mut talk, "/search"), asks("a fox", Some(room("general")), Some(next)));
    assert!(matches!(input(&mut talk, "/search"), Effect::Refuse(_)), "it is on its way");
}
