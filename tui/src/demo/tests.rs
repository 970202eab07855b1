//! What a command of the demo leads to, beside what a person sees of it.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_client_dials_at_once_when_nodes_are_back() {
    let (client, mut asked) = mpsc::channel(1);
    let setup = Setup { redis: None, log_file: None, client: client.downgrade() };
    let demo = start(setup).await.unwrap();
    demo.commands.send(DemoCommand::KillAll).await.unwrap();
    demo.commands.send(DemoCommand::Revive).await.unwrap();
    let command = timeout(DEADLINE, asked.recv()).await.unwrap();
    assert_eq!(command, Some(NetCommand::ReconnectNow));
    demo.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_redis_is_not_repeated() {
    let (client, _asked) = mpsc::channel(1);
    let redis = Some("rediss://:secret@a".to_owned());
    let refused = start(Setup { redis, log_file: None, client: client.downgrade() }).await;
    let error = format!("{:#}", refused.err().unwrap());
    assert!(error.starts_with("--redis cannot be that: a URL as redis://"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
