//! The link, where it is lost: a person need not wait for the countdown.

use std::time::Duration;

use tokio::time::Instant;

use super::tmux::Picture;
use super::{Chat, Scene, status};
use crate::cluster::{NODES, RateLimit, TestCluster};

pub(super) const SCENE: Scene = Scene { keys: &[("reconnect", "Alt-r F3")], commands: "/reconnect" };

/// A countdown long enough to tell a dial before its end from one at its end.
const LONG: Duration = Duration::from_secs(4);

/// The number of the next try, and how long it would be until then.
fn countdown(picture: &Picture) -> Option<(u32, Duration)> {
    let (_, rest) = status(picture).split_once(" try ")?;
    let (number, rest) = rest.split_once(" in ")?;
    let (seconds, _) = rest.split_once("s [Alt-r now]")?;
    Some((number.parse().ok()?, Duration::from_secs_f64(seconds.parse().ok()?)))
}

/// Waits for a countdown that is long; shorter ones are cut short, as each makes the next longer.
async fn long_countdown(chat: &mut Chat) -> (u32, Duration) {
    loop {
        let picture = chat.until("a countdown", |picture| countdown(picture).is_some()).await;
        let (number, rest) = countdown(&picture).unwrap();
        if rest >= LONG {
            return (number, rest);
        }
        chat.press("Alt-r").await;
        chat.until("the next try", |picture| countdown(picture).is_some_and(|(next, _)| next > number)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_link_is_dialled_when_asked() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut chat = Chat::join("link", &cluster, &["general"]).await;
    (0..NODES).for_each(|index| cluster.kill(index));
    for way in ["Alt-r", "F3", "/reconnect"] {
        let (number, rest) = long_countdown(&mut chat).await;
        let asked = Instant::now();
        match way {
            "/reconnect" => chat.command(way).await,
            key => chat.act("reconnect", key).await,
        }
        chat.until("the next try", |picture| countdown(picture).is_some_and(|(next, _)| next > number)).await;
        assert!(asked.elapsed() < rest, "{way}: the countdown was not cut short");
    }
    chat.end(&SCENE);
}
