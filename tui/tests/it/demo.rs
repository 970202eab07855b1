//! The demo without a terminal: a script of input, and the lines it led to.

use crate::program::{chat_tui, run, text};

/// The figures of the failovers, in order: from, to, recovered, and the rest.
fn failovers(lines: &str) -> Vec<(&str, &str, u64, &str)> {
    let figures = |line| -> Option<_> {
        let (nodes, counted) = str::strip_prefix(line, "-- ")?.split_once(": ")?;
        let (from, to) = nodes.split_once(" → ")?;
        let (recovered, rest) = counted.split_once(" recovered, ")?;
        Some((from, to, recovered.parse().ok()?, rest.split_once(" (")?.0))
    };
    lines.lines().filter_map(figures).collect()
}

#[tokio::test]
async fn the_script_of_the_docs_plays_through() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/demo.script");
    let args = ["--demo", "--plain", "--name", "dana", "--script", script];
    let output = run(chat_tui("script", &args), "").await;
    let lines = text(&output.stdout);
    assert!(output.status.success(), "{lines}\n{}", text(&output.stderr));
    let failovers = failovers(&lines);
    let [(from, to, recovered, rest), (_, _, _, rest_of_all)] = failovers[..] else {
        panic!("two failovers: {lines}");
    };
    assert!(from != to && recovered >= 1, "{lines}");
    assert_eq!([rest, rest_of_all], ["0 lost, 0 dup"; 2], "{lines}");
    let count = |text: &str| lines.lines().filter(|line| line.ends_with(text)).count();
    assert_eq!(count("-- queued: typed while every node is down"), 1, "{lines}");
    assert_eq!(count("-- delivered: typed while every node is down"), 1, "{lines}");
    for said in ["hello from the script", "still here", "typed while every node is down", "all of it arrived"]
    {
        assert_eq!(count(&format!("] dana: {said}")), 1, "{lines}");
    }
    assert!(lines.contains("-- connecting… try 2"), "{lines}");
}

#[tokio::test]
async fn a_message_that_is_withheld_is_counted() {
    let mut program = chat_tui("withheld", &["--demo", "--plain", "--name", "dana"]);
    let mut child = program.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stdout));
    let mut until = async |part: &str| {
        crate::fake::within(part, async {
            while !lines.next_line().await.unwrap().expect("it runs").contains(part) {}
        })
        .await;
    };
    until("connected to").await;
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"/withhold\n").await.unwrap();
    until("-- 1 lost on the way").await;
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"/quit\n").await.unwrap();
    assert!(crate::fake::within("the end", child.wait()).await.unwrap().success());
}
