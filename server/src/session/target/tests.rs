use chat_protocol::{ClientId, Epoch, NodeId, UserId, encode_body};

use super::*;
use crate::backbone::Place;

fn id(n: u64) -> MessageId {
    MessageId::new(ClientId::parse("c").unwrap(), n)
}

/// An entry of alice's: its place is its number.
fn entry(n: u64, by: &str, kind: Option<Kind>, of: Option<u64>) -> Arc<Entry> {
    let body = encode_body(&MessageBody {
        sender: by.into(),
        sender_id: UserId::parse(by).unwrap(),
        content: format!("text {n} \"refId\":\"c/{n}\""),
        timestamp: "2026-11-21T10:00:00.000Z".into(),
        node: NodeId::parse("n").unwrap(),
        kind,
        reference: of.map(Seq),
        reference_id: of.map(id),
        reply: None,
        quote: None,
        enc: None,
    });
    Arc::new(Entry { seq: Seq(n), id: id(n), prev: None, generation: 0, digest: 0, body })
}

/// A log that begins at 5.
fn log() -> Vec<Arc<Entry>> {
    vec![
        entry(5, "alice", None, None),
        entry(6, "bob", Some(Kind::Action), None),
        entry(7, "alice", Some(Kind::Edit), Some(5)),
        entry(8, "mallory", Some(Kind::Delete), Some(5)),
        entry(9, "bob", Some(Kind::Delete), Some(6)),
        entry(10, "alice", Some(Kind::Topic), None),
    ]
}

fn find(seq: u64, named: Option<u64>, by: Option<u64>) -> Result<(u64, String), String> {
    let place = Place { epoch: Epoch(1), seq: Seq(10), id: Some(id(10)) };
    let head = Head { place, first: Seq(5), before: None };
    let (named, by) = (named.map(id), by.map(id));
    let found = judge(&head, &log(), Named { seq: Seq(seq), id: named.as_ref(), by: by.as_ref() });
    found.map(|found| (found.seq.0, found.body.content)).map_err(|error| {
        assert_eq!(error.code, ErrorCode::NoMessage);
        error.message
    })
}

#[test]
fn a_message_reads_as_its_author_left_it() {
    assert_eq!(find(5, None, None), Ok((5, "text 7 \"refId\":\"c/7\"".into())), "mallory's delete is none");
}

#[test]
fn its_id_finds_it_where_it_was_moved() {
    assert_eq!(find(9, Some(5), None).unwrap().0, 5);
    assert!(find(5, Some(77), None).unwrap_err().contains("not at 5"));
}

#[test]
fn what_was_taken_back_is_gone_but_for_the_delete_that_comes_again() {
    assert!(find(6, None, Some(1)).unwrap_err().contains("deleted"));
    assert_eq!(find(6, None, Some(9)).unwrap().0, 6);
}

#[test]
fn what_nobody_said_and_what_is_not_there_is_named() {
    for (seq, says) in
        [(0, "no longer kept"), (4, "begins at 5"), (7, "nothing"), (9, "nothing"), (10, "nothing")]
    {
        let error = find(seq, None, None).unwrap_err();
        assert!(error.contains(says), "{seq}: {error}");
    }
}
