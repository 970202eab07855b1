use std::sync::Arc;

use chat_protocol::{
    ClientId, Kind, MessageBody, MessageId, NodeId, RoomName, Seq, ServerMessage, UserId, decode_server,
    encode_body, limits, text,
};
use proptest::prelude::*;

use super::query::fold;
use super::*;
use crate::backbone::Entry;

/// What is wrong with a query, without what is understood.
fn wrong(query: &str) -> String {
    let error = Query::parse(query).unwrap_err().to_string();
    let (wrong, understood) = error.split_once(": a search holds words").unwrap();
    assert!(understood.contains("from:NAME"), "{error}");
    wrong.to_owned()
}

fn finds(query: &str, content: &str) -> bool {
    Query::parse(query).unwrap().is_in(content)
}

#[test]
fn all_words_must_occur_whatever_their_case_and_form() {
    let said = "Release Day: the Straße is ﬁne";
    for query in ["release", "DAY release", "STRASSE", "fine", "ﬁne", "elea", "  the\t is "] {
        assert!(finds(query, said), "{query}");
    }
    for query in ["release night", "thestraße"] {
        assert!(!finds(query, said), "{query}");
    }
    assert!(finds("οδος", "ΟΔΟΣΗΜΑ") && finds("ΟΔΟΣ", "η οδος"), "a last sigma is a sigma");
}

#[test]
fn a_phrase_stands_together_whatever_the_space() {
    for (query, content, found) in [
        ("\"release day\"", "Release\n  day", true),
        ("\" Release   Day \"", "the release day", true),
        ("\"release day\"", "day release", false),
        ("\"release\"day", "release Monday", true),
        ("\"not closed", "a quote not closed", true),
        ("say\"x", "say\"x", true),
    ] {
        assert_eq!(finds(query, content), found, "{query} in {content}");
    }
}

#[test]
fn links_are_found() {
    for (content, found) in [
        ("see HTTPS://example.org/x", true),
        ("(http://[::1]/)", true),
        ("https:// is how it begins", false),
        ("ftp://example.org http:/x", false),
        ("http:// https://ö.example", true),
    ] {
        assert_eq!(finds("has:link", content), found, "{content}");
        assert_eq!(finds("HAS:Link", content), found, "{content}");
    }
}

#[test]
fn what_is_no_condition_is_a_word() {
    for (query, content) in
        [("http://x.y", "to HTTP://X.Y/z"), ("12:30", "at 12:30"), ("note:this", "a note:this")]
    {
        assert!(finds(query, content), "{query}");
    }
    assert!(finds("\"from:\"", "mail from: alice"));
}

#[test]
fn what_means_nothing_is_said() {
    for (query, is_wrong) in [
        ("", "there is nothing to search for"),
        (" \t ", "there is nothing to search for"),
        ("\"\"", "a phrase is empty"),
        ("\" \"", "a phrase is empty"),
        ("\"", "a phrase is empty"),
        ("x from:", "from: stands there without a value"),
        ("from:\"\"", "from: stands there without a value"),
        ("note: x", "note: stands there without a value"),
        ("has:cake", "has:cake is not known"),
        ("before:yesterday", "yesterday is no date"),
        ("after:2026-02-30", "2026-02-30 is no date"),
        ("after:2026-1-1", "2026-1-1 is no date"),
        ("before:2026-11-21T25:00:00Z", "2026-11-21T25:00:00Z is no date"),
        ("before:2026-11-21T10:00:00", "2026-11-21T10:00:00 is no date"),
    ] {
        assert_eq!(wrong(query), is_wrong, "{query}");
    }
    let words = |count: usize| vec!["x"; count].join(" ");
    assert!(Query::parse(&words(limits::SEARCH_TERMS_MAX)).is_ok());
    assert_eq!(wrong(&words(limits::SEARCH_TERMS_MAX + 1)), "17 words and conditions, 16 are allowed");
}

#[test]
fn times_are_utc_and_a_date_is_its_first_moment() {
    let admits = |query: &str, at: &str| Query::parse(query).unwrap().admits_time(at.parse().unwrap());
    for (query, at, admitted) in [
        ("after:2026-11-21", "2026-11-21T00:00:00Z", true),
        ("after:2026-11-21", "2026-11-20T23:59:59.999Z", false),
        ("before:2026-11-21", "2026-11-20T23:59:59.999Z", true),
        ("before:2026-11-21", "2026-11-21T00:00:00Z", false),
        ("after:2026-11-20 before:2026-11-21", "2026-11-20T12:00:00Z", true),
        ("after:2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00Z", true),
        ("after:2026-11-21t10:00:00z", "2026-11-21T09:59:59Z", false),
        ("After:\"2026-11-21\"", "2026-11-21T00:00:00Z", true),
    ] {
        assert_eq!(admits(query, at), admitted, "{query} at {at}");
    }
}

#[test]
fn an_author_is_named_by_name_or_id() {
    let admits = |query: &str, name: &str, id: &str| Query::parse(query).unwrap().admits_author(name, id);
    assert!(admits("from:ALICE", "alice", "u1") && admits("from:ａlice", "Alice", "u1"));
    assert!(admits("from:u1", "alice", "u1") && !admits("from:U1", "alice", "u1"));
    assert!(!admits("from:ali", "alice", "u1"), "the whole name");
    assert!(!admits("from:alice from:bob", "alice", "u1"), "nobody is both");
    assert!(admits("x", "alice", "u1"));
}

fn body(sender: &str, content: &str, second: u64) -> MessageBody {
    MessageBody {
        sender: sender.to_owned(),
        sender_id: UserId::parse(&format!("id-{sender}")).unwrap(),
        content: content.to_owned(),
        timestamp: format!("2026-11-21T10:{:02}:{:02}.000Z", second / 60, second % 60),
        node: NodeId::parse("one").unwrap(),
        kind: None,
        reference: None,
        reference_id: None,
        reply: None,
        quote: None,
        enc: None,
    }
}

fn message_id(seq: u64) -> MessageId {
    MessageId::new(ClientId::parse("c").unwrap(), seq)
}

/// A log from its first entry on.
fn log(bodies: impl IntoIterator<Item = MessageBody>) -> Vec<Arc<Entry>> {
    let entry = |(seq, body): (u64, MessageBody)| {
        let (id, body) = (message_id(seq), encode_body(&body));
        Arc::new(Entry { seq: Seq(seq), id, prev: None, generation: 1, digest: 0, body })
    };
    (1..).zip(bodies).map(entry).collect()
}

fn said(contents: &[&str]) -> Vec<Arc<Entry>> {
    log((1..).zip(contents).map(|(second, content)| body("alice", content, second)))
}

fn of_kind(kind: Kind, content: &str, target: u64) -> MessageBody {
    let (reference, reference_id) = (Some(Seq(target)), Some(message_id(target)));
    MessageBody { kind: Some(kind), reference, reference_id, ..body("alice", content, 59) }
}

fn scan(query: &str, limit: usize) -> Scan {
    Scan::new(Query::parse(query).unwrap(), limit, Edits::default())
}

/// Places and texts of what was found.
fn found(scan: Scan) -> Vec<(u64, String)> {
    let read = |payload: &chat_protocol::Payload| match decode_server(payload.json()).unwrap() {
        ServerMessage::Message(message) => (message.seq.0, message.body.content),
        other => panic!("{other:?}"),
    };
    scan.done().2.iter().map(read).collect()
}

/// What one page gives.
fn in_page(query: &str, entries: &[Arc<Entry>]) -> Vec<u64> {
    let mut scan = scan(query, 50);
    scan.page(&RoomName::general(), entries);
    found(scan).into_iter().map(|(seq, _)| seq).collect()
}

#[test]
fn the_newest_comes_first_and_a_full_answer_says_where_to_go_on() {
    let (entries, room) = (said(&["a fox", "a dog", "fox and dog", "dog", "fox"]), RoomName::general());
    let mut first = scan("fox", 2);
    assert_eq!(first.page(&room, &entries), Stopped::Full(Seq(3)));
    assert_eq!(first.entries_left(), limits::SEARCH_ENTRIES_MAX - 3);
    assert_eq!(found(first), [(5, "fox".to_owned()), (3, "fox and dog".to_owned())]);
    let mut rest = scan("fox", 2);
    assert_eq!(rest.page(&room, &entries[..2]), Stopped::Through);
    assert_eq!(found(rest), [(1, "a fox".to_owned())]);
}

#[test]
fn an_answer_is_cut_at_a_frame_and_nothing_is_left_out() {
    let long = "x".repeat(16_000);
    let (entries, room) = (said(&[long.as_str(); 40]), RoomName::general());
    let (mut seqs, mut end) = (Vec::new(), 40);
    loop {
        let mut scan = scan("x", 50);
        let stopped = scan.page(&room, &entries[..end]);
        let bytes: usize = scan.found.iter().map(chat_protocol::Payload::size).sum();
        assert!(bytes < limits::SERVER_FRAME_BYTES_MAX, "{bytes}");
        seqs.extend(found(scan).into_iter().map(|(seq, _)| seq));
        match stopped {
            Stopped::Full(seq) => end = seq.0 as usize - 1,
            _ => break,
        }
    }
    assert_eq!(seqs, (1..=40).rev().collect::<Vec<_>>());
}

#[test]
fn only_what_somebody_said_is_found() {
    let kinds = [Kind::Action, Kind::Topic, Kind::Notice, Kind::Other];
    let entries = log(kinds.map(|kind| MessageBody { kind: Some(kind), ..body("alice", "fox", 1) }));
    assert_eq!(in_page("fox", &entries), [1]);
    assert_eq!(in_page("from:alice", &entries), [1]);
}

#[test]
fn conditions_are_of_the_message_itself() {
    let entries = log([body("alice", "fox", 1), body("bob", "fox", 2), body("alice", "dog", 3)]);
    assert_eq!(in_page("from:alice fox", &entries), [1]);
    assert_eq!(in_page("from:id-bob", &entries), [2]);
    assert_eq!(in_page("after:2026-11-21T10:00:02Z", &entries), [3, 2]);
    assert_eq!(in_page("before:2026-11-21T10:00:02Z fox", &entries), [1]);
}

#[test]
fn a_page_that_is_too_old_ends_the_search() {
    let (entries, room) = (said(&["fox", "fox", "fox"]), RoomName::general());
    let mut within = scan("after:2026-11-21T10:00:03Z fox", 50);
    assert_eq!(within.page(&room, &entries), Stopped::Through, "one entry is young enough");
    assert_eq!(within.page(&room, &entries[..2]), Stopped::Past);
    assert_eq!(scan("fox", 50).page(&room, &entries[..2]), Stopped::Through);
    assert_eq!(scan("after:2026-11-22 fox", 50).page(&room, &[]), Stopped::Through);
}

#[test]
fn an_edited_message_is_found_by_its_newest_text_and_a_deleted_one_is_not() {
    let entries = log([
        body("alice", "a fox", 1),
        body("alice", "a wolf", 2),
        body("alice", "a fox too", 3),
        of_kind(Kind::Edit, "a hare", 1),
        of_kind(Kind::Edit, "a FOX after all", 2),
        of_kind(Kind::Edit, "a fox, still", 1),
        of_kind(Kind::Edit, "an owl", 1),
        of_kind(Kind::Delete, "", 3),
    ]);
    let mut fox = scan("fox", 50);
    fox.page(&RoomName::general(), &entries);
    assert_eq!(found(fox), [(2, "a FOX after all".to_owned())]);
    assert_eq!(in_page("owl", &entries), [1]);
    assert_eq!(in_page("hare", &entries), [0; 0], "an edit itself is not found, nor what was said between");
    assert_eq!(in_page("wolf", &entries), [0; 0]);
    assert_eq!(in_page("from:alice", &entries), [2, 1]);
}

#[test]
fn what_was_edited_on_a_newer_page_is_known_on_an_older_one() {
    let entries = log([body("alice", "a fox", 1), of_kind(Kind::Edit, "a hare", 1)]);
    let room = RoomName::general();
    let mut newer = scan("hare", 50);
    newer.page(&room, &entries[1..]);
    let (query, edits, none) = newer.done();
    assert!(none.is_empty());
    let mut older = Scan::new(query, 50, edits);
    older.page(&room, &entries[..1]);
    assert_eq!(found(older), [(1, "a hare".to_owned())]);
    let mut elsewhere = scan("hare", 50);
    elsewhere.page(&room, &entries[1..]);
    elsewhere.next_room();
    elsewhere.page(&RoomName::parse("ops").unwrap(), &entries[..1]);
    assert_eq!(found(elsewhere), [], "places and ids are a room's own");
}

#[test]
fn what_is_kept_of_edits_is_bounded() {
    let long = format!("fox {}", "x".repeat(4_000));
    let edits = (1..=2_000).map(|target| of_kind(Kind::Edit, &long, target));
    let mut scan = scan("fox", 50);
    scan.page(&RoomName::general(), &log(edits));
    let (_, edits, _) = scan.done();
    let (known, bytes) = edits.size();
    assert!(known <= 1_024 && bytes <= 64 * 1_024 && bytes > 32 * 1_024, "{known} {bytes}");
}

#[test]
fn what_nobody_can_read_is_passed_over() {
    let mut entries = said(&["fox", "fox"]);
    for broken in [&b"{\"x\":1}"[..], b"{\"sender\":1}", b"{"] {
        let entry = Entry { body: broken.into(), ..(*entries[0]).clone() };
        entries[0] = Arc::new(entry);
        assert_eq!(in_page("fox", &entries), [2]);
    }
}

proptest! {
    #[test]
    fn any_query_is_understood_or_refused(query in "\\PC{0,60}") {
        if let Ok(query) = Query::parse(&query) {
            query.is_in("some text");
        }
    }

    #[test]
    fn what_holds_a_word_is_found_by_it(before in "\\PC{0,9}", word in "[\\p{L}\\p{N}]{1,9}", after in "\\PC{0,9}") {
        // Marks behind a word can be drawn into its last letter.
        let content = format!("{before} {word} {after}");
        prop_assert!(finds(&word, &content), "{:?} in {:?}", word, content);
        let phrase = format!("\"{word}\"");
        prop_assert!(finds(&phrase, &content));
    }

    #[test]
    fn texts_fold_as_names_do(content in "[ -~\\n]{0,40}") {
        prop_assert_eq!(fold(&content).into_owned(), text::fold(&content));
    }

    #[test]
    fn pages_of_any_size_find_the_same(
        contents in prop::collection::vec("(fox|dog|fox dog|owl)", 0..40),
        page in 1_usize..9,
        limit in 1_usize..5,
    ) {
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        let (entries, room) = (said(&contents), RoomName::general());
        let (mut seqs, mut end) = (Vec::new(), entries.len());
        while end > 0 {
            let mut scan = scan("fox", limit);
            let from = end.saturating_sub(page);
            end = match scan.page(&room, &entries[from..end]) {
                Stopped::Full(seq) => seq.0 as usize - 1,
                _ => from,
            };
            seqs.extend(found(scan).into_iter().map(|(seq, _)| seq));
        }
        let wanted: Vec<u64> = (1..).zip(&contents).filter(|(_, said)| said.contains("fox")).map(|(seq, _)| seq).collect();
        seqs.reverse();
        prop_assert_eq!(seqs, wanted);
    }
}
