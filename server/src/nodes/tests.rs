use chat_protocol::NodeId;

use super::*;

fn node(name: &str, uptime_s: u64) -> NodeInfo {
    NodeInfo {
        node: NodeId::parse(name).unwrap(),
        version: "0.1.0".to_owned(),
        uptime_s,
        connections: 0,
        rooms: 0,
        draining: false,
        lag_ms: None,
        you: false,
    }
}

fn cluster() -> [NodeInfo; 3] {
    [
        NodeInfo { connections: 5_000, rooms: 10, lag_ms: Some(1), ..node("node-2", 187_200) },
        NodeInfo { connections: 12, rooms: 3, lag_ms: Some(14), draining: true, ..node("node-10", 7_860) },
        NodeInfo { version: "0.2.0\u{1b}[2J".to_owned(), ..node("a", 59) },
    ]
}

#[test]
fn people_get_a_table() {
    let expected = "\
NODE     VERSION   UPTIME  CONNECTIONS  ROOMS    LAG  DRAINING
a        0.2.0[2J     59s            0      0      -  no
node-10  0.1.0     2h 11m           12      3  14 ms  yes
node-2   0.1.0      2d 4h         5000     10   1 ms  no
";
    assert_eq!(table(&cluster()), expected);
}

#[test]
fn programs_get_an_array() {
    let found: Value = serde_json::from_str(&json(&cluster())).unwrap();
    assert_eq!(found.as_array().map(Vec::len), Some(3));
    assert_eq!(
        found[1],
        json!({"node": "node-10", "version": "0.1.0", "uptime_s": 7_860, "connections": 12, "rooms": 3,
            "lag_ms": 14, "draining": true})
    );
    assert_eq!(found[0]["lag_ms"], Value::Null);
    assert_eq!(json(&[]), "[]\n");
}

#[test]
fn uptimes_have_two_units() {
    for (seconds, expected) in
        [(0, "0s"), (60, "1m 0s"), (3_599, "59m 59s"), (86_399, "23h 59m"), (86_400, "1d 0h")]
    {
        assert_eq!(uptime(seconds), expected);
    }
}
