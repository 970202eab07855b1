//! What the front-end tells of itself, on a port of its own.

use serde_json::{Value, json};

use super::*;
use crate::metrics::parse;

async fn status(front: &Front) -> Value {
    let (status, body) = get(front.admin, "/status").await;
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn status_and_metrics_say_what_happened() {
    let (one, two, dead) = (Node::start().await, Node::start().await, Dead::start());
    let front = Front::with(vec![one.backend.clone(), two.backend.clone()], |config| {
        config.backups = vec![dead.backend()];
    });
    front.has_healthy(2).await;
    let (mut client, mut server) = (connect(front.tcp).await, one.accept().await);
    talks(&mut client, &mut server).await;
    two.answer(503);
    front.has_healthy(1).await;

    let said = status(&front).await;
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!([&said["ready"], &said["draining"], &said["send_proxy"]], [true, false, false]);
    assert_eq!((&said["policy"], &said["connections"]), (&json!("least-connections"), &json!(1)));
    assert_eq!((&said["accepted"], &said["refused"]), (&json!(1), &json!(0)));
    assert!(said["uptime_s"].as_u64().is_some_and(|uptime| uptime < 60), "{said}");
    let [first, second, third] = &said["backends"].as_array().unwrap()[..] else { panic!("{said}") };
    let names = [first, second, third].map(|backend| backend["backend"].as_str().unwrap().to_owned());
    assert_eq!(names, [&one.backend, &two.backend, &dead.backend()].map(Backend::to_string));
    assert_eq!(
        ["tier", "healthy", "why"].map(|key| &first[key]),
        [&json!("primary"), &json!(true), &json!(null)]
    );
    assert_eq!(["connections", "picks", "refusals"].map(|key| &first[key]), [1, 1, 0]);
    assert_eq!(["bytes_to_backend", "bytes_to_clients"].map(|key| &first[key]), [5, 8]);
    assert_eq!((&second["healthy"], &second["ejections"]), (&json!(false), &json!(1)));
    assert!(second["why"].as_str().unwrap().contains("/ready answered 503"), "{second}");
    assert_eq!((&third["healthy"], &third["tier"]), (&json!(false), &json!("backup")));
    assert!(third["why"].as_str().unwrap().starts_with("check failed: "), "{third}");

    let (_, text) = get(front.admin, "/metrics").await;
    let samples = parse(&text);
    let of = |name: &str, backend: &Backend, tier: &str| {
        samples[&format!("chat_balancer_backend_{name}{{backend=\"{backend}\",tier=\"{tier}\"}}")]
    };
    assert_eq!((samples["chat_balancer_ready"], samples["chat_balancer_draining"]), (1.0, 0.0));
    assert_eq!((samples["chat_balancer_accepted_total"], samples["chat_balancer_refused_total"]), (1.0, 0.0));
    assert_eq!(samples["chat_balancer_connect_seconds_count"], 1.0);
    assert_eq!(of("healthy", &one.backend, "primary"), 1.0);
    assert_eq!(of("healthy", &two.backend, "primary"), 0.0);
    assert_eq!(of("healthy", &dead.backend(), "backup"), 0.0);
    assert_eq!(of("connections", &one.backend, "primary"), 1.0);
    assert_eq!(of("picks_total", &one.backend, "primary"), 1.0);
    assert_eq!(of("sent_bytes_total", &one.backend, "primary"), 5.0);
    assert_eq!(of("received_bytes_total", &one.backend, "primary"), 8.0);
    assert_eq!(of("ejections_total", &two.backend, "primary"), 1.0);
    assert!(of("failed_checks_total", &dead.backend(), "backup") >= 1.0);
}

#[tokio::test]
async fn who_is_refused_is_counted() {
    let dead = Dead::start();
    let front = Front::start(vec![dead.backend()]);
    front.has_healthy(0).await;
    assert_reset(&mut connect(front.tcp).await).await;
    let said = status(&front).await;
    assert_eq!((&said["accepted"], &said["refused"], &said["ready"]), (&json!(1), &json!(1), &json!(false)));
    assert_eq!(said["backends"][0]["refusals"], 1);
    let why = said["backends"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("refused a client: ") || why.starts_with("check failed: "), "{why}");
}

#[tokio::test]
async fn other_load_balancers_get_their_answers() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    assert_eq!(get(front.admin, "/live").await, (200, "live\n".to_owned()));
    assert_eq!(get(front.admin, "/ready").await, (200, "ready\n".to_owned()));
    node.answer(503);
    front.has_healthy(0).await;
    assert_eq!(get(front.admin, "/ready").await, (503, "not ready: no backend is healthy\n".to_owned()));
    assert_eq!(get(front.admin, "/live").await.0, 200);
    let (status, body) = get(front.admin, "/nonsense").await;
    assert_eq!((status, body.contains("/status")), (404, true));
}

#[tokio::test]
async fn a_head_of_a_question_has_a_limit() {
    let front = Front::start(Vec::new());
    tokio::time::timeout(Duration::from_secs(9), crate::http::refuses_a_long_head(front.admin))
        .await
        .expect("it is the size that ends it, not the time");
    assert_eq!(get(front.admin, "/live").await.0, 200);
}
