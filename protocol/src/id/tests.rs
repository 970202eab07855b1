use super::*;

fn room(text: &str) -> Result<String, String> {
    RoomName::parse(text).map(|room| room.to_string()).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<String, String> {
    UserName::parse(text).map(|name| name.to_string()).map_err(|error| error.to_string())
}

#[test]
fn rooms_fold_to_lower_case_and_refuse_the_rest() {
    assert_eq!(room("Release-Day_1.0").unwrap(), "release-day_1.0");
    assert_eq!(room("Büro").unwrap(), "büro");
    assert_eq!(room(&"a".repeat(64)).unwrap().len(), 64);
    for bad in ["", "   ", "a b", "a/b", "#a", "a\u{1b}", "a\u{202e}b", "~"] {
        assert!(room(bad).is_err(), "{bad:?}");
    }
    assert_eq!(room(&"a".repeat(65)).unwrap_err(), "room name has 65 characters, 64 are allowed");
    assert_eq!(
        room("a\u{1b}b").unwrap_err(),
        "room name holds the character U+001B: use letters, digits, '-', '_', '.'"
    );
}

#[test]
fn names_are_visible_and_short() {
    assert_eq!(name("Alice").unwrap(), "Alice");
    assert_eq!(name("Zoë👩\u{fe0f}").unwrap(), "Zoë👩\u{fe0f}");
    let styled = UserName::parse("Zoë👩\u{fe0f}").unwrap();
    assert_eq!(styled.key(), UserName::parse("zoë👩").unwrap().key(), "the same to a reader");
    let unseen = ["bob\u{fe0f}", "bob\u{34f}", "bob\u{e0100}", "\u{17b4}bob", "\u{600}bob", "\u{fe0f}"];
    for bad in
        unseen.iter().chain(&["", "a b", "a\nb", "a\u{7}", "a\u{200b}b", "\u{202e}ecila", &"x".repeat(33)])
    {
        assert!(name(bad).is_err(), "{bad:?}");
    }
    assert!(UserName::parse("GUEST-1").unwrap().is_reserved());
    assert!(UserName::parse("Server").unwrap().is_reserved());
    assert!(UserName::parse("0123456789abcdef0123456789ABCDEF").unwrap().is_reserved(), "it is an id");
}

#[test]
fn a_taken_name_is_numbered_within_the_limit() {
    assert_eq!(UserName::parse("alice").unwrap().numbered(2).as_str(), "alice-2");
    let long = UserName::parse(&"x".repeat(32)).unwrap().numbered(12);
    assert_eq!(long.as_str().len(), 32);
    assert!(long.as_str().ends_with("x-12"));
}

#[test]
fn message_ids_read_back() {
    let id = MessageId::new(ClientId::parse("guest-1a2b").unwrap(), 7);
    assert_eq!(id.to_string(), "guest-1a2b/7");
    assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
    assert!("nothing".parse::<MessageId>().is_err());
    assert!("a/minus".parse::<MessageId>().is_err());
    assert_eq!("a/9007199254740991".parse::<MessageId>().unwrap().n, (1 << 53) - 1);
    let error = "a/9007199254740992".parse::<MessageId>().unwrap_err();
    assert_eq!(error.to_string(), "n in a message id must be at most 9007199254740991");
}

#[test]
fn random_ids_differ_and_are_valid() {
    assert_ne!(ClientId::random(), ClientId::random());
    assert_eq!(ClientId::random().as_str().len(), 32);
    let epoch = Epoch::random();
    assert_eq!(serde_json::from_str::<Epoch>(&serde_json::to_string(&epoch).unwrap()).unwrap(), epoch);
}
