//! Who gets clients: tiers, checks, clients' own luck.

use super::*;

#[tokio::test]
async fn backups_get_clients_only_while_no_primary_is_healthy() {
    let (primary, backup) = (Node::start().await, Node::start().await);
    let front = Front::with(vec![primary.backend.clone()], |config| {
        config.backups = vec![backup.backend.clone()];
    });
    let mut before = (connect(front.tcp).await, primary.accept().await);
    let _more = (connect(front.tcp).await, primary.accept().await);
    primary.answer(503);
    front.has_healthy(1).await;
    let mut during = (connect(front.tcp).await, backup.accept().await);
    primary.answer(200);
    front.has_healthy(2).await;
    let _after = (connect(front.tcp).await, primary.accept().await);
    talks(&mut before.0, &mut before.1).await;
    talks(&mut during.0, &mut during.1).await;
}

#[tokio::test]
async fn a_node_that_is_not_ready_keeps_its_clients_and_gets_no_more() {
    let (mut one, mut two) = (Node::start().await, Node::start().await);
    let front = Front::with(vec![one.backend.clone(), two.backend.clone()], |config| {
        // Its own word counts at once, whatever is asked of failed checks.
        config.check.fall = 1_000_000;
    });
    let mut old = (connect(front.tcp).await, one.accept().await);
    one.answer(503);
    front.has_healthy(1).await;
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push((connect(front.tcp).await, two.accept().await));
        let mut web = connect(front.http).await;
        web.write_all(b"GET /ws").await.unwrap();
        kept.push((web, two.accept_http().await));
    }
    assert_eq!(front.backends.loads(), [(one.backend.clone(), 1), (two.backend.clone(), 8)]);
    talks(&mut old.0, &mut old.1).await;
    one.answer(200);
    front.has_healthy(2).await;
    let mut web = connect(front.http).await;
    web.write_all(b"GET /ws").await.unwrap();
    drop(one.accept_http().await);
}

#[tokio::test]
async fn a_node_that_hangs_falls_after_as_many_checks_and_rises_after_as_many() {
    let (one, two) = (Node::start().await, Node::start().await);
    let front = Front::with(vec![one.backend.clone(), two.backend.clone()], |config| {
        (config.check.fall, config.check.rise) = (3, 4);
    });
    until(|| one.checks() > 0 && two.checks() > 0).await;
    let before = one.checks();
    one.answer(500);
    front.has_healthy(1).await;
    // One more may have been answered well meanwhile, and one badly before it was heard of.
    assert!((3..=5).contains(&(one.checks() - before)), "{} checks", one.checks() - before);
    let before = one.checks();
    one.answer(200);
    front.has_healthy(2).await;
    assert!((4..=6).contains(&(one.checks() - before)), "{} checks", one.checks() - before);
}

#[tokio::test]
async fn a_check_that_is_not_answered_in_time_has_failed() {
    let (deaf, node) = (TcpListener::bind(ANY_PORT).await.unwrap(), Node::start().await);
    let port = Some(deaf.local_addr().unwrap().port());
    let backend = Backend { host: "127.0.0.1".into(), tcp: port, http: port };
    let front = Front::with(vec![backend, node.backend.clone()], |config| config.check.timeout = SOON);
    front.has_healthy(1).await;
    let _client = (connect(front.tcp).await, node.accept().await);
}

#[tokio::test]
async fn one_refused_client_puts_a_node_out_at_once_and_checks_bring_it_back() {
    for (every, comes_back) in [(NEVER, false), (SOON, true)] {
        let (port, healthy, node) = (Dead::start(), Node::start().await, Node::start().await);
        let half = Backend { tcp: Some(port.port), ..healthy.backend.clone() };
        let listener = port.open();
        let front = Front::with(vec![half.clone(), node.backend.clone()], |config| {
            (config.check.every, config.check.rise) = (every, 3);
            // Only a refused client puts it out.
            config.check.fall = 1_000_000;
        });
        // A check has found both of its ports well.
        assert!(is_check(&within(listener.accept()).await.unwrap().0).await);
        drop(listener);
        let mut clients = vec![(connect(front.tcp).await, node.accept().await)];
        assert_eq!(front.backends.healthy(), 1);
        if comes_back {
            let before = healthy.checks();
            let listener = port.open();
            front.has_healthy(2).await;
            assert!(healthy.checks() - before >= 3, "{} checks", healthy.checks() - before);
            clients.push((connect(front.tcp).await, accept_client(&listener).await));
        } else {
            for _ in 0..3 {
                clients.push((connect(front.tcp).await, node.accept().await));
            }
            assert_eq!(front.backends.loads(), [(half, 0), (node.backend.clone(), 4)]);
        }
    }
}

#[tokio::test]
async fn a_node_that_says_it_is_ready_and_refuses_on_its_tcp_port_gets_no_clients() {
    let (dead, half, node) = (Dead::start(), Node::start().await, Node::start().await);
    let front =
        Front::start(vec![Backend { tcp: Some(dead.port), ..half.backend.clone() }, node.backend.clone()]);
    front.has_healthy(1).await;
    // Checks that find its HTTP port well do not bring it back.
    let before = half.checks();
    until(|| {
        assert_eq!(front.backends.healthy(), 1);
        half.checks() >= before + 10
    })
    .await;
    let status = crate::support::get(front.admin, "/status").await.1;
    assert!(status.contains("check failed: its TCP port: "), "{status}");
    let _now = dead.listen();
    front.has_healthy(2).await;
}

#[tokio::test]
async fn a_cluster_whose_checks_are_all_wrong_still_works_and_evenly() {
    let (one, two) = (Node::start().await, Node::start().await);
    one.answer(404);
    two.answer(404);
    let front = Front::start(vec![one.backend.clone(), two.backend.clone()]);
    front.has_healthy(0).await;
    let _first = (connect(front.tcp).await, one.accept().await);
    let _second = (connect(front.tcp).await, two.accept().await);
    let _third = (connect(front.tcp).await, one.accept().await);
    assert_eq!(front.backends.healthy(), 0);
}

#[tokio::test]
async fn where_all_are_gone_the_first_that_is_back_gets_clients_before_any_check() {
    let (gone, back) = (Dead::start(), Dead::start());
    let front = Front::with(vec![gone.backend(), back.backend()], |config| config.check.every = NEVER);
    front.has_healthy(0).await;
    assert_reset(&mut connect(front.tcp).await).await;
    let listener = back.listen();
    for _ in 0..3 {
        let mut client = connect(front.tcp).await;
        let mut server = accept_client(&listener).await;
        talks(&mut client, &mut server).await;
    }
    assert_eq!(front.backends.healthy(), 0, "only checks make it healthy");
}

#[tokio::test]
async fn a_node_without_http_is_checked_by_connecting() {
    let (dead, listener) = (Dead::start(), TcpListener::bind(ANY_PORT).await.unwrap());
    let plain = |port| Backend { host: "127.0.0.1".into(), tcp: Some(port), http: None };
    let front = Front::start(vec![plain(dead.port), plain(listener.local_addr().unwrap().port())]);
    front.has_healthy(1).await;
    // A check says nothing and is gone.
    let mut check = within(listener.accept()).await.unwrap().0;
    assert_eq!(within(check.read(&mut [0; 16])).await.unwrap(), 0);
    let _now = dead.listen();
    front.has_healthy(2).await;
    // Nobody has a port for this one.
    assert_eq!(get(front.http, "/ws").await.0, 503);
}

#[tokio::test]
async fn by_load_a_node_with_few_clients_and_many_bytes_gets_no_more() {
    let (one, two) = (Node::start().await, Node::start().await);
    let front = Front::with(vec![one.backend.clone(), two.backend.clone()], |config| {
        config.policy = chat_server::balancer::Policy::LeastLoad;
    });
    let (mut loud, mut hears) = (connect(front.tcp).await, one.accept().await);
    let mut clients = vec![(connect(front.tcp).await, two.accept().await)];
    let bytes = vec![0; 4_000_000];
    let mut heard = vec![0; bytes.len()];
    let (said, read) =
        within(async { tokio::join!(loud.write_all(&bytes), hears.read_exact(&mut heard)) }).await;
    said.unwrap();
    read.unwrap();
    // One in two: least connections would send the next one to the first node.
    for _ in 0..3 {
        clients.push((connect(front.tcp).await, two.accept().await));
    }
    assert_eq!(front.backends.loads(), [(one.backend.clone(), 1), (two.backend.clone(), 4)]);
}
