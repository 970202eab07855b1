//! What a client finds of the run before it: after a clean quit, a crash, beside another one.

use std::sync::atomic::{AtomicU32, Ordering};

use chat_protocol::{Epoch, RoomName, Seq, UserName};

use super::*;
use crate::net::event::Transport;
use crate::net::saved::{SavedAcked, SavedOut, SavedRoom};

/// A directory of its own for each test, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("chat-tui-state-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self) -> (StateFile, SavedClient, Option<Note>) {
        open(&self.0, "key").unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.join("key.json")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn used(client: SavedClient) -> SavedClient {
    let unsent = vec![SavedOut { n: 7, content: "later".into(), kind: None, of: None }];
    let room = RoomName::parse("general").unwrap();
    SavedClient {
        session: Some("s-1".into()),
        name: Some(UserName::parse("alice").unwrap()),
        generation: 3,
        rooms: vec![SavedRoom { room, next_n: 8, acked: None, unsent, acknowledged: Vec::new() }],
        ..client
    }
}

#[test]
fn a_clean_quit_is_taken_up_again() {
    let scratch = Scratch::new();
    let (file, fresh, note) = scratch.open();
    assert!(fresh.client_id.is_some() && fresh.session.is_none() && note.is_none());
    let left = used(fresh);
    file.close(left.clone()).unwrap();
    let (_file, found, note) = scratch.open();
    assert_eq!((found, note), (left, None));
}

#[test]
fn what_was_acknowledged_longer_than_two_minutes_ago_is_not_taken_up() {
    let mut client = used(SavedClient::default());
    let out = SavedOut { n: 6, content: "just now".into(), kind: None, of: None };
    client.rooms[0].acknowledged.push(SavedAcked { out, place: Some((Epoch(1), Seq(9))), left_ms: 110_000 });
    let stored = Stored { closed_at: 1_000, ..Stored::new(false, client) };
    let left = |now| {
        let rooms = stored.clone().into_client(now).rooms;
        rooms[0].acknowledged.iter().map(|acked| acked.left_ms).collect::<Vec<_>>()
    };
    assert_eq!((left(11_000), left(110_999), left(111_000)), (vec![100_000], vec![1], vec![]));
    assert_eq!(left(0), [110_000], "a clock that went back");
}

/// The file as it was written before it kept what was acknowledged.
#[test]
fn a_file_of_the_first_version_is_read() {
    let scratch = Scratch::new();
    let (file, fresh, _) = scratch.open();
    file.close(used(fresh)).unwrap();
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(scratch.file()).unwrap()).unwrap();
    stored.as_object_mut().unwrap().remove("closed_at");
    stored["client"]["rooms"][0].as_object_mut().unwrap().remove("acknowledged");
    fs::write(scratch.file(), stored.to_string()).unwrap();
    let (_file, found, note) = scratch.open();
    assert_eq!((found.rooms[0].unsent.len(), found.rooms[0].acknowledged.len(), note), (1, 0, None));
}

#[test]
fn after_a_crash_only_the_session_is_trusted() {
    let scratch = Scratch::new();
    let (file, fresh, _) = scratch.open();
    let left = used(fresh);
    file.close(left.clone()).unwrap();
    let (file, ..) = scratch.open();
    drop(file);
    let (_file, found, note) = scratch.open();
    assert_eq!(note, Some(Note::Crashed { unsent: 1 }));
    assert_eq!((found.session, found.name), (left.session, left.name));
    assert_ne!(found.client_id, left.client_id);
    assert_eq!((found.generation, found.rooms), (0, Vec::new()));
}

#[test]
fn the_first_runs_session_survives_its_crash() {
    let scratch = Scratch::new();
    let (mut file, fresh, _) = scratch.open();
    file.keep_session(&used(fresh)).unwrap();
    drop(file);
    let (_file, found, note) = scratch.open();
    assert_eq!((found.session.as_deref(), note), (Some("s-1"), Some(Note::Crashed { unsent: 0 })));
}

#[test]
fn beside_another_one_a_client_has_its_own_id_and_writes_nothing() {
    let scratch = Scratch::new();
    let (file, fresh, _) = scratch.open();
    file.close(used(fresh)).unwrap();
    let (first, one, _) = scratch.open();
    let (mut second, two, note) = scratch.open();
    assert_eq!(note, Some(Note::InUse));
    assert_eq!(two.session, one.session);
    assert_ne!(two.client_id, one.client_id);
    assert!(two.rooms.is_empty());
    let before = fs::read(scratch.file()).unwrap();
    second.keep_session(&SavedClient { session: Some("other".into()), ..two.clone() }).unwrap();
    second.close(two).unwrap();
    assert_eq!(fs::read(scratch.file()).unwrap(), before);
    first.close(one.clone()).unwrap();
    assert_eq!(scratch.open().1, one);
}

#[test]
fn a_damaged_file_begins_anew() {
    let scratch = Scratch::new();
    for damage in ["", "{", "{\"format\":9,\"open\":false,\"client\":{}}", "\u{0}\u{0}"] {
        let (file, fresh, _) = scratch.open();
        file.close(used(fresh)).unwrap();
        fs::write(scratch.file(), damage).unwrap();
        let (file, found, note) = scratch.open();
        assert_eq!((found.session, note), (None, Some(Note::Unreadable)), "{damage:?}");
        file.close(SavedClient::default()).unwrap();
    }
}

#[test]
fn what_an_older_version_kept_of_a_room_is_no_damage() {
    let scratch = Scratch::new();
    let (file, fresh, _) = scratch.open();
    let left = used(fresh);
    file.close(left.clone()).unwrap();
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(scratch.file()).unwrap()).unwrap();
    stored["client"]["rooms"][0]["last"] = serde_json::json!([1, 4, "c1:4"]);
    fs::write(scratch.file(), stored.to_string()).unwrap();
    let (_file, found, note) = scratch.open();
    assert_eq!((found, note), (left, None));
}

#[test]
fn a_passing_client_borrows_the_user_and_leaves_the_rest() {
    let scratch = Scratch::new();
    assert_eq!(peek(&scratch.0, "key"), SavedClient::default());
    let session = |text: &str| SavedClient { session: Some(text.into()), ..SavedClient::default() };
    remember(&scratch.0, "key", &session("s-0")).unwrap();
    assert_eq!(peek(&scratch.0, "key"), session("s-0"));
    let (file, fresh, note) = scratch.open();
    assert_eq!((fresh.session.as_deref(), note), (Some("s-0"), None));
    remember(&scratch.0, "key", &session("in use")).unwrap();
    let left = used(fresh);
    file.close(left.clone()).unwrap();
    remember(&scratch.0, "key", &SavedClient { session: Some("s-2".into()), ..left.clone() }).unwrap();
    assert_eq!(scratch.open().1, SavedClient { session: Some("s-2".into()), ..left });
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let (_file, ..) = scratch.open();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&scratch.file()), mode(&scratch.0)), (0o600, 0o700));
}

#[test]
fn each_list_of_hosts_has_its_own_file() {
    let lb = Endpoint::new("lb.example.com", 12345, Transport::Tcp);
    let other = Endpoint::new("::1", 12345, Transport::Tcp);
    assert_eq!(key(std::slice::from_ref(&lb)), key(std::slice::from_ref(&lb)));
    assert_ne!(key(std::slice::from_ref(&lb)), key(&[lb.clone(), other.clone()]));
    assert!(key(&[lb, other.clone()]).starts_with("lb.example.com-"));
    assert!(key(&[other]).starts_with("__1-"));
}
