//! Owns the cases that every backbone must meet, whatever keeps its data. A backbone brings a [`Fixture`] and
//! makes a test of each name in [`each_case`]; the cases know nothing of it but the trait.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{Acked, ClientId, Epoch, MessageId, NodeId, NodeInfo, RoomName, Seq, User, UserId};
use tokio::time::timeout;

use super::{
    Backbone, Entry, FeedEvent, Head, Item, ItemAnswer, Link, Page, Place, Published, Repaired, Run,
};

pub(super) mod feed;
pub(super) mod people;
pub(super) mod publish;
pub(super) mod reading;
pub(super) mod recovery;
pub(super) mod topics;

/// Longest wait for an event that must come.
const DEADLINE: Duration = Duration::from_secs(10);
/// What the ids of marks in a feed begin with.
const MARK: &str = "mark-";

/// A cluster on the backbone under test, empty at first.
pub(super) trait Fixture: Send + Sync {
    /// How long a node's lease lasts here.
    const LEASE: Duration;
    /// How long a recovery round keeps a room closed here.
    const SETTLE: Duration;
    /// How long a name is held for its user here.
    const NAME_HOLD: Duration;
    /// More events than a node's feed holds here.
    const TOO_MANY: u64;

    /// A node's connection.
    fn connect(&self, node: &str) -> impl Future<Output = Link> + Send;
    /// Everything is gone.
    fn flush(&self) -> impl Future<Output = ()> + Send;
    /// A room's entries above a place are gone with their records.
    fn roll_back(&self, room: &RoomName, to: Seq) -> impl Future<Output = ()> + Send;
    /// A room's records are gone, its entries are not: they expire, or are evicted.
    fn forget_records(&self, room: &RoomName) -> impl Future<Output = ()> + Send;
    /// A partition between a node and the backbone begins or ends.
    fn set_reachable(&self, node: &str, reachable: bool) -> impl Future<Output = ()> + Send;
    /// Time goes by.
    fn wait(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// Hands every case to a macro, as `module::name`.
macro_rules! each_case {
    ($run:ident) => {
        $run! {
            publish::places_are_contiguous_and_each_entry_names_the_one_before;
            publish::numbers_count_for_each_client_and_room_alone;
            publish::a_batch_is_judged_item_by_item;
            publish::a_repeat_is_told_its_place_where_it_is_the_newest;
            publish::other_content_under_a_taken_number_is_refused;
            publish::a_skipped_number_is_a_gap;
            publish::acknowledged_numbers_that_were_lost_are_gone_back_to;
            publish::the_acknowledged_message_stands_in_for_a_lost_record;
            publish::an_acknowledged_message_of_another_life_proves_nothing;
            publish::void_uses_numbers_up_without_an_entry;
            publish::a_lower_generation_is_fenced;
            publish::nothing_is_written_without_a_log;
            publish::nothing_is_written_for_a_caller_that_knows_another_log;
            publish::a_caller_that_knows_less_may_publish;
            recovery::a_round_closes_the_room_until_it_ends;
            recovery::one_question_a_round;
            recovery::asking_reaches_every_other_node;
            recovery::an_answer_reaches_the_asker_alone;
            recovery::create_never_overwrites_and_remembers_what_was_before;
            recovery::making_a_log_ends_the_round_before_it;
            recovery::repair_extends_a_rolled_back_log;
            recovery::repair_of_what_is_there_changes_nothing;
            recovery::repair_brings_a_flushed_log_back_with_its_records;
            recovery::records_from_below_the_run_come_back_with_it;
            recovery::a_log_is_made_only_in_the_round_in_which_all_were_asked;
            recovery::a_log_in_which_nothing_was_written_goes_on;
            recovery::the_front_goes_back_in_a_round;
            recovery::the_front_goes_back_also_when_its_round_is_over;
            recovery::a_run_with_another_message_is_a_fork;
            recovery::a_run_with_a_message_that_stands_elsewhere_is_a_fork;
            recovery::a_run_above_the_head_is_a_hole_and_opens_a_round;
            recovery::a_run_of_another_life_is_told_of_this_one;
            recovery::a_run_that_is_not_contiguous_is_bad;
            reading::a_read_goes_on_behind_a_place;
            reading::a_read_says_when_the_place_is_not_in_the_log;
            reading::a_read_below_the_first_entry_is_trimmed;
            reading::history_ends_before_a_place;
            reading::the_newest_number_of_a_client_is_known;
            feed::entries_reach_subscribers_in_order;
            feed::a_round_is_told_to_every_node;
            feed::presence_is_told_in_the_room;
            feed::typing_is_told_in_the_room_and_kept_nowhere;
            feed::a_full_feed_drops_typing_first_and_is_not_stale_for_it;
            feed::a_full_feed_is_followed_by_stale;
            feed::a_partition_is_followed_by_stale;
            feed::a_node_that_is_cut_off_changes_nothing;
            people::a_lease_is_new_or_held;
            people::a_node_that_departs_is_gone_with_its_users;
            people::a_lost_lease_takes_its_users_along;
            people::a_node_that_comes_back_brings_nobody_along;
            people::a_user_counts_once_whatever_the_nodes;
            people::the_directory_lists_rooms_with_users;
            topics::the_later_topic_stands_whatever_comes_last;
            topics::topics_come_in_the_order_in_which_rooms_are_named;
            topics::a_flush_takes_topics_and_a_reminder_brings_them_back;
            people::a_name_belongs_to_one_user;
            people::a_name_is_held_for_its_user;
            people::a_name_outlives_its_node_by_the_hold;
            people::rooms_are_remembered_for_their_user;
            people::the_first_session_key_stands;
            people::a_client_is_one_users_and_every_node_hears_of_it;
        }
    };
}
pub(super) use each_case;

fn room() -> RoomName {
    RoomName::general()
}

/// Makes a log as a node does: if there is none, and after all were asked.
async fn make(backbone: &dyn Backbone, room: &RoomName, before: Option<Place>) -> Head {
    if let Some(head) = backbone.head(room).await.unwrap() {
        return head;
    }
    let round = backbone.ask(room).await.unwrap().round;
    backbone.create(room, round, before).await.unwrap().expect("the round is open")
}

fn client(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

fn id(name: &str, n: u64) -> MessageId {
    MessageId::new(client(name), n)
}

fn user(name: &str, node: &str) -> User {
    let (user_id, node) = (UserId::parse(name).unwrap(), NodeId::parse(node).unwrap());
    User { user_id, username: name.into(), node, away: None }
}

pub(super) fn info(node: &str) -> NodeInfo {
    let (node, version) = (NodeId::parse(node).unwrap(), "0".into());
    NodeInfo {
        node,
        version,
        uptime_s: 0,
        connections: 0,
        rooms: 0,
        draining: false,
        lag_ms: None,
        you: false,
    }
}

/// A client's message `n`; its content follows from its number.
fn item(name: &str, n: u64) -> Item {
    let body = Some(Bytes::from(format!(r#"{{"content":"{name} {n}"}}"#)));
    Item { id: id(name, n), generation: 1, acked: None, digest: n, body }
}

fn void(name: &str, n: u64) -> Item {
    Item { body: None, ..item(name, n) }
}

fn acked(item: Item, n: u64, epoch: Epoch, seq: u64) -> Item {
    Item { acked: Some(Acked { n, epoch, seq: Seq(seq) }), ..item }
}

/// A room's log as one node sees it.
struct Log {
    backbone: Arc<dyn Backbone>,
    room: RoomName,
}

impl Log {
    /// Of a node, made if there is none.
    async fn made(link: &Link) -> Self {
        let log = Self { backbone: link.backbone.clone(), room: room() };
        make(&*log.backbone, &log.room, None).await;
        log
    }

    /// With entries of one client, `n` 1 to `count`.
    async fn filled(link: &Link, name: &str, count: u64) -> Self {
        let log = Self::made(link).await;
        let items: Vec<Item> = (1..=count).map(|n| item(name, n)).collect();
        log.put(items).await;
        log
    }

    async fn publish(&self, known: Option<Place>, items: Vec<Item>) -> Published {
        self.backbone.publish(&self.room, known, items).await.unwrap()
    }

    /// Publishes what has to be judged; the judgement.
    async fn put(&self, items: Vec<Item>) -> Vec<ItemAnswer> {
        match self.publish(None, items).await {
            Published::Ok { items, .. } => items,
            refused => panic!("{refused:?}"),
        }
    }

    async fn try_head(&self) -> Option<Head> {
        self.backbone.head(&self.room).await.unwrap()
    }

    async fn head(&self) -> Head {
        self.try_head().await.expect("there is a log")
    }

    async fn epoch(&self) -> Epoch {
        self.head().await.place.epoch
    }

    async fn read(&self, after: Place, limit: usize) -> Page {
        self.backbone.read(&self.room, after, limit).await.unwrap()
    }

    /// What stands in the log from its first entry on.
    async fn entries(&self) -> Vec<Arc<Entry>> {
        let head = self.head().await;
        let after = Place { epoch: head.place.epoch, seq: head.first.before(), id: None };
        match self.read(after, usize::MAX).await {
            Page::Ok { entries, .. } => entries,
            refused => panic!("{refused:?}"),
        }
    }

    async fn ids(&self) -> Vec<MessageId> {
        self.entries().await.iter().map(|entry| entry.id.clone()).collect()
    }

    /// Everything in the log, as a node keeps it.
    async fn run(&self) -> Run {
        Run { epoch: self.epoch().await, entries: self.entries().await, records: Vec::new() }
    }

    async fn repair(&self, run: Run) -> Repaired {
        self.backbone.repair(&self.room, run).await.unwrap()
    }

    async fn last_n(&self, name: &str) -> u64 {
        let n = self.backbone.last_n(&self.room, &client(name)).await.unwrap();
        let glance = self.backbone.glance(&self.room, &client(name)).await.unwrap();
        assert_eq!((glance.head, glance.last_n), (self.try_head().await, n), "one question says the same");
        n
    }
}

fn placed(seq: u64, prev: Option<MessageId>) -> ItemAnswer {
    ItemAnswer::Placed { seq: Seq(seq), prev }
}

/// The next event.
async fn next(link: &mut Link) -> FeedEvent {
    timeout(DEADLINE, link.feed.recv()).await.expect("an event in time").expect("the feed goes on")
}

/// Everything told to a node until now: a mark is sent behind it.
pub(super) async fn told(link: &mut Link) -> Vec<FeedEvent> {
    let (mark, owner) = (client(&format!("{MARK}{}", ClientId::random())), UserId::random());
    link.backbone.fence(&mark, &owner, 1).await.unwrap();
    let mut told = Vec::new();
    loop {
        match next(link).await {
            FeedEvent::Fence { client, .. } if client == mark => return told,
            FeedEvent::Fence { client, .. } if client.as_str().starts_with(MARK) => {}
            event => told.push(event),
        }
    }
}
