use super::*;

#[test]
fn what_threads_count_comes_together() {
    let count = Arc::new(Count::default());
    std::thread::scope(|scope| {
        for _ in 0..20 {
            let count = count.clone();
            scope.spawn(move || (0..1_000).for_each(|_| count.add(2)));
        }
    });
    assert_eq!(count.sum(), 40_000);
}

#[test]
fn a_duration_falls_into_the_bucket_that_holds_its_bound() {
    let histogram = Histogram::default();
    for micros in [0, 250, 251, 5_000_000, 5_000_001] {
        histogram.observe(Duration::from_micros(micros));
    }
    let (sum, buckets) = histogram.read();
    assert!((sum - 10.000_502).abs() < 1e-9, "{sum}");
    let filled: Vec<(f64, u64)> = buckets.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(filled, [(0.000_25, 2), (0.000_5, 1), (5.0, 1), (f64::INFINITY, 1)]);
}

#[test]
fn the_text_is_open_metrics_with_a_name_once() {
    let metrics = Arc::new(Metrics::default());
    metrics.received.add(3);
    metrics.ack.observe(Duration::from_millis(2));
    let readings = Readings { feed_lag: Some(Duration::from_micros(700)), ..Readings::default() };
    let text = scrape(metrics, Readings { ready: Switch(true), lagged: 2, ..readings });
    for line in [
        "# TYPE chat_messages_received counter",
        "chat_messages_received_total 3",
        "# TYPE chat_ready gauge",
        "chat_ready 1",
        "chat_draining 0",
        "chat_clients_lagged_total 2",
        "chat_feed_lag_seconds 0.0007",
        "chat_ack_latency_seconds_count 1",
        "chat_ack_latency_seconds_sum 0.002",
        "chat_ack_latency_seconds_bucket{le=\"0.001\"} 0",
        "chat_ack_latency_seconds_bucket{le=\"0.0025\"} 1",
        "chat_ack_latency_seconds_bucket{le=\"+Inf\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(
        text.contains(concat!("chat_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n")),
        "{text}"
    );
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let declared = names.len();
    names.dedup();
    assert_eq!((names.len(), text.matches("# HELP ").count()), (declared, declared));
    assert!(names.iter().all(|name| name.starts_with("chat_")));
}
