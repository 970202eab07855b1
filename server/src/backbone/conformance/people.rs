//! Owns the cases of who is where and who is who: leases, presence, names, sessions, clients.

use super::*;
use crate::backbone::{BackboneError, Rank};

async fn nodes(link: &Link) -> Vec<String> {
    link.backbone.nodes().await.unwrap().into_iter().map(|info| info.node.to_string()).collect()
}

async fn present(link: &Link) -> Vec<String> {
    let users = link.backbone.present(&room()).await.unwrap();
    users.into_iter().map(|user| user.username).collect()
}

async fn renew(link: &Link, node: &str) -> bool {
    link.backbone.renew(info(node)).await.unwrap()
}

pub(in crate::backbone) async fn a_lease_is_new_or_held<F: Fixture>(fixture: F) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    assert!(!renew(&a, "a").await, "it is new: everything has to be said");
    assert!(renew(&a, "a").await);
    assert!(!renew(&b, "b").await);
    assert_eq!(nodes(&a).await, ["a", "b"]);
    fixture.wait(F::LEASE / 2).await;
    assert!(renew(&a, "a").await);
    fixture.wait(F::LEASE / 2).await;
    assert_eq!(nodes(&b).await, ["a"]);
    assert!(!renew(&b, "b").await, "it was lost");
    fixture.flush().await;
    assert!(!renew(&a, "a").await, "it was lost");
}

pub(in crate::backbone) async fn a_node_that_departs_is_gone_with_its_users(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    for (link, node) in [(&a, "a"), (&b, "b")] {
        renew(link, node).await;
        link.backbone.enter(&room(), user(&format!("user-{node}"), node)).await.unwrap();
    }
    a.backbone.depart().await.unwrap();
    assert_eq!((nodes(&b).await, present(&b).await), (vec!["b".to_owned()], vec!["user-b".to_owned()]));
}

pub(in crate::backbone) async fn a_lost_lease_takes_its_users_along<F: Fixture>(fixture: F) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    renew(&a, "a").await;
    renew(&b, "b").await;
    a.backbone.enter(&room(), user("alice", "a")).await.unwrap();
    assert_eq!(present(&b).await, ["alice"]);
    fixture.wait(F::LEASE).await;
    assert_eq!((present(&b).await, b.backbone.rooms(None, 9).await.unwrap()), (vec![], vec![]));
    renew(&a, "a").await;
    assert_eq!(present(&b).await, [""; 0], "who has lost a lease says everything anew");
    a.backbone.enter(&room(), user("alice", "a")).await.unwrap();
    assert_eq!(present(&b).await, ["alice"]);
}

pub(in crate::backbone) async fn a_node_that_comes_back_brings_nobody_along(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    renew(&a, "a").await;
    renew(&b, "b").await;
    a.backbone.enter(&room(), user("alice", "a")).await.unwrap();
    b.backbone.enter(&room(), user("bob", "b")).await.unwrap();
    a.backbone.cut();
    let again = fixture.connect("a").await;
    assert!(!renew(&again, "a").await, "everything has to be said anew");
    renew(&b, "b").await;
    b.backbone.enter(&room(), user("bob", "b")).await.unwrap();
    assert_eq!(present(&again).await, ["bob"]);
}

pub(in crate::backbone) async fn a_user_counts_once_whatever_the_nodes(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    for (link, node) in [(&a, "a"), (&b, "b")] {
        renew(link, node).await;
        link.backbone.enter(&room(), user("alice", node)).await.unwrap();
    }
    a.backbone.enter(&room(), user("bob", "a")).await.unwrap();
    assert_eq!(present(&a).await, ["alice", "bob"]);
    let alice = user("alice", "a").user_id;
    a.backbone.exit(&room(), &alice, false).await.unwrap();
    assert_eq!(present(&b).await, ["alice", "bob"], "alice is still on b");
    b.backbone.exit(&room(), &alice, false).await.unwrap();
    assert_eq!(present(&b).await, ["bob"]);
}

pub(in crate::backbone) async fn the_directory_lists_rooms_with_users(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    renew(&a, "a").await;
    renew(&b, "b").await;
    for name in ["zebra", "apple", "~u.alice", "dm-1"] {
        a.backbone.enter(&RoomName::parse(name).unwrap(), user("alice", "a")).await.unwrap();
    }
    let apple = RoomName::parse("apple").unwrap();
    b.backbone.enter(&apple, user("bob", "b")).await.unwrap();
    let zebra = RoomName::parse("zebra").unwrap();
    assert_eq!(b.backbone.rooms(None, 9).await.unwrap(), [(apple.clone(), 2), (zebra.clone(), 1)]);
    assert_eq!(b.backbone.rooms(None, 1).await.unwrap(), [(apple.clone(), 2)]);
    assert_eq!(b.backbone.rooms(Some(&apple), 9).await.unwrap(), [(zebra.clone(), 1)]);
    let between = RoomName::parse("bee").unwrap();
    assert_eq!(b.backbone.rooms(Some(&between), 1).await.unwrap(), [(zebra.clone(), 1)]);
    assert_eq!(b.backbone.rooms(Some(&zebra), 9).await.unwrap(), []);
    a.backbone.exit(&zebra, &user("alice", "a").user_id, false).await.unwrap();
    assert_eq!(b.backbone.rooms(None, 9).await.unwrap().len(), 1);
}

pub(in crate::backbone) async fn a_name_belongs_to_one_user<F: Fixture>(fixture: F) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let (alice, other) = (UserId::random(), UserId::random());
    renew(&a, "a").await;
    assert!(a.backbone.claim_name("alice", &alice).await.unwrap());
    assert!(b.backbone.claim_name("alice", &alice).await.unwrap(), "it is the user's, on any node");
    assert!(!b.backbone.claim_name("alice", &other).await.unwrap());
    assert_eq!(b.backbone.name_owner("alice").await.unwrap(), Some(alice.clone()));
    assert_eq!(b.backbone.name_owner("nobody").await.unwrap(), None);
    b.backbone.release_name("alice", &other).await.unwrap();
    b.backbone.release_name("alice", &alice).await.unwrap();
    stay_online(&fixture, &a, F::NAME_HOLD * 2).await;
    assert!(!b.backbone.claim_name("alice", &other).await.unwrap(), "no time takes it while a node uses it");
    assert!(b.backbone.claim_name("bob", &other).await.unwrap());
}

pub(in crate::backbone) async fn a_name_outlives_its_node_by_the_hold<F: Fixture>(fixture: F) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let (alice, other) = (UserId::random(), UserId::random());
    renew(&a, "a").await;
    assert!(a.backbone.claim_name("alice", &alice).await.unwrap());
    fixture.wait(F::NAME_HOLD).await;
    assert!(
        !b.backbone.claim_name("alice", &other).await.unwrap(),
        "the node died a lease after its last word"
    );
    fixture.wait(F::LEASE).await;
    // Who comes under the same node's name has not claimed it.
    let again = fixture.connect("a").await;
    renew(&again, "a").await;
    assert!(b.backbone.claim_name("alice", &other).await.unwrap());
}

/// Lets time pass while a node renews its lease.
async fn stay_online<F: Fixture>(fixture: &F, link: &Link, time: Duration) {
    let step = F::LEASE / 2;
    for _ in 0..time.div_duration_f64(step).ceil() as u32 {
        renew(link, "a").await;
        fixture.wait(step).await;
    }
}

pub(in crate::backbone) async fn a_name_is_held_for_its_user<F: Fixture>(fixture: F) {
    let a = fixture.connect("a").await;
    let (alice, other) = (UserId::random(), UserId::random());
    let claim = async |user| a.backbone.claim_name("alice", user).await.unwrap();
    renew(&a, "a").await;
    claim(&alice).await;
    a.backbone.release_name("alice", &alice).await.unwrap();
    stay_online(&fixture, &a, F::NAME_HOLD / 2).await;
    assert!(!claim(&other).await);
    assert!(claim(&alice).await, "back in time");
    stay_online(&fixture, &a, F::NAME_HOLD).await;
    assert!(!claim(&other).await, "the hold ended with the return");
    a.backbone.release_name("alice", &alice).await.unwrap();
    fixture.wait(F::NAME_HOLD).await;
    assert!(claim(&other).await);
    assert!(!claim(&alice).await);
}

pub(in crate::backbone) async fn rooms_are_remembered_for_their_user(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let alice = UserId::random();
    let (one, two) = (RoomName::parse("one").unwrap(), RoomName::parse("two").unwrap());
    for (room, joined) in [(&one, true), (&two, true), (&one, true), (&one, false)] {
        a.backbone.remember(&alice, room, joined).await.unwrap();
    }
    assert_eq!(b.backbone.remembered(&alice).await.unwrap(), [two]);
    assert_eq!(b.backbone.remembered(&UserId::random()).await.unwrap(), []);
}

pub(in crate::backbone) async fn the_first_session_key_stands(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    assert_eq!(a.backbone.session_key([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(b.backbone.session_key([2; 32]).await.unwrap(), [1; 32]);
    fixture.flush().await;
    assert_eq!(
        b.backbone.session_key([2; 32]).await.unwrap(),
        [2; 32],
        "a flush loses it: it is offered again"
    );
}

pub(in crate::backbone) async fn a_client_is_one_users_and_every_node_hears_of_it(fixture: impl Fixture) {
    let (mut a, mut b) = (fixture.connect("a").await, fixture.connect("b").await);
    let (alice, other, phone) = (UserId::random(), UserId::random(), client("phone"));
    let rank = |answer: Result<Rank, BackboneError>| answer.unwrap();
    assert_eq!(rank(a.backbone.fence(&phone, &alice, 2).await), Rank::Newest);
    assert_eq!(rank(b.backbone.fence(&phone, &other, 3).await), Rank::Foreign);
    assert_eq!(rank(b.backbone.fence(&phone, &alice, 3).await), Rank::Newest);
    assert_eq!(rank(a.backbone.fence(&phone, &alice, 1).await), Rank::Overtaken);
    assert_eq!(rank(a.backbone.fence(&phone, &alice, 3).await), Rank::Foreign, "another program's");
    assert_eq!(rank(a.backbone.fence(&phone, &alice, 0).await), Rank::Newest, "it does not count them");
    for link in [&mut a, &mut b] {
        let events = told(link).await;
        let of_phone = |event: &FeedEvent| match event {
            FeedEvent::Fence { client, generation } if *client == phone => Some(*generation),
            _ => None,
        };
        // Who does not count its connections hears of the newest one that does.
        assert_eq!(events.iter().filter_map(of_phone).collect::<Vec<_>>(), [2, 3, 3]);
    }
}
