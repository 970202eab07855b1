//! How the front-end ends: nobody is cut off before the time is up.

use super::*;
use crate::support::get;

fn draining(backends: Vec<Backend>, drain: Duration) -> Front {
    Front::with(backends, |config| config.drain = drain)
}

#[tokio::test]
async fn connections_live_on_until_they_end_and_nobody_new_comes() {
    let node = Node::start().await;
    let mut front = draining(vec![node.backend.clone()], NEVER);
    let (mut client, mut server) = (connect(front.tcp).await, node.accept().await);
    talks(&mut client, &mut server).await;
    front.shutdown.cancel();
    within(async { while get(front.admin, "/ready").await != (503, "not ready: it drains\n".to_owned()) {} })
        .await;
    for closed in [front.tcp, front.http] {
        within(async { while TcpStream::connect(closed).await.is_ok() {} }).await;
    }
    assert_eq!(get(front.admin, "/live").await.0, 200);
    talks(&mut client, &mut server).await;
    // An ordinary end: the last words arrive, and it is over before the time is.
    server.write_all(b"last words").await.unwrap();
    drop(server);
    let mut heard = Vec::new();
    within(client.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(heard, b"last words");
    drop(client);
    front.ended().await;
}

#[tokio::test]
async fn when_the_time_is_up_they_are_closed() {
    let node = Node::start().await;
    let mut front = draining(vec![node.backend.clone()], Duration::from_millis(100));
    let (mut client, mut server) = (connect(front.tcp).await, node.accept().await);
    talks(&mut client, &mut server).await;
    front.shutdown.cancel();
    front.ended().await;
    for side in [&mut client, &mut server] {
        assert_eq!(within(side.read(&mut [0; 16])).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn who_waits_to_be_accepted_is_served_still() {
    let node = Node::start().await;
    let config = BalancerConfig { drain: NEVER, ..BalancerConfig::loopback(vec![node.backend.clone()]) };
    let balancer = Balancer::bind(config).unwrap();
    let mut client = connect(balancer.tcp_addr().unwrap().unwrap()).await;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let mut running = JoinSet::new();
    running.spawn(balancer.run(shutdown));
    let mut server = node.accept().await;
    talks(&mut client, &mut server).await;
    drop((client, server));
    within(running.join_next()).await.unwrap().unwrap();
}
