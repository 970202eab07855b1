//! The demo on a real Redis: its nodes are processes, which die by SIGKILL and never outlive it.

use std::os::fd::OwnedFd;
use std::process::ExitStatus;

use chat_testbed::{RedisOptions, RedisServer};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::fake::{DEADLINE, within};
use crate::program::{chat_tui, run, text};

const PASSWORD: &str = "open-sesame";

async fn redis() -> RedisServer {
    RedisServer::start(RedisOptions::default().password(PASSWORD)).await.unwrap()
}

/// The demo without a terminal, and its nodes.
struct Demo {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    notices: Lines<BufReader<ChildStderr>>,
}

impl Demo {
    fn start(test: &str, redis: &RedisServer) -> Self {
        let args = ["--demo", "--redis", &redis.url(), "--plain", "--name", "dana"];
        let mut child = chat_tui(test, &args).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let notices = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdin, lines, notices }
    }

    /// The processes it says that its nodes are, in order.
    async fn nodes(&mut self, redis: &RedisServer) -> Vec<Node> {
        let notice = within("the first notice", self.notices.next_line()).await.unwrap().unwrap();
        let begin = format!(
            "chat-tui: three nodes run as processes of their own on redis://:***@{} (pids ",
            redis.addr()
        );
        let pids = notice.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(')')).expect(&notice);
        let nodes: Vec<_> = pids.split(", ").map(|pid| Node::open(pid.parse().unwrap())).collect();
        assert_eq!(nodes.len(), 3, "{notice}");
        nodes
    }

    async fn enter(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Reads on to a line with this part.
    async fn until(&mut self, part: &str) -> String {
        let mut lines = Vec::new();
        self.read(&mut lines, part).await;
        lines.pop().unwrap()
    }

    /// Reads on to a line with this part, and keeps what was read.
    async fn read(&mut self, lines: &mut Vec<String>, part: &str) {
        within(part, async {
            loop {
                lines.push(self.lines.next_line().await.unwrap().expect("it runs"));
                if lines.last().unwrap().contains(part) {
                    return;
                }
            }
        })
        .await;
    }

    /// Reads on until each of these parts was in a line, in whatever order.
    async fn until_all(&mut self, parts: &[&str]) {
        let mut awaited = parts.to_vec();
        while !awaited.is_empty() {
            let line =
                within(&awaited.join(" and "), self.lines.next_line()).await.unwrap().expect("it runs");
            awaited.retain(|part| !line.contains(part));
        }
    }

    /// The processes whose parent it is.
    fn children(&self) -> Vec<Node> {
        let me = self.child.id().unwrap().to_string();
        let parent_of = |pid: i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name before it may hold anything; state and parent follow its last bracket.
            stat.rsplit_once(") ")?.1.split(' ').nth(1).map(str::to_owned)
        };
        let processes = std::fs::read_dir("/proc").unwrap();
        let pids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        pids.filter(|pid| parent_of(*pid).as_deref() == Some(&me)).map(Node::open).collect()
    }

    async fn end(mut self) -> ExitStatus {
        within("the demo's end", self.child.wait()).await.unwrap()
    }
}

/// A process of the demo's.
struct Node {
    pid: Pid,
    /// Stands for this very process, whoever gets its number next.
    handle: OwnedFd,
}

impl Node {
    fn open(pid: i32) -> Self {
        let pid = Pid::from_raw(pid).unwrap();
        Self { pid, handle: pidfd_open(pid, PidfdFlags::empty()).expect("it runs") }
    }

    /// Waits for its end.
    async fn ended(&self) {
        let handle = self.handle.try_clone().unwrap();
        let waits = tokio::task::spawn_blocking(move || {
            let deadline = DEADLINE.try_into().unwrap();
            poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&deadline))
        });
        assert_eq!(waits.await.unwrap(), Ok(1), "waited in vain for the end of {:?}", self.pid);
    }
}

async fn all_ended(nodes: &[Node]) {
    for node in nodes {
        node.ended().await;
    }
}

#[tokio::test]
async fn nodes_die_by_force_and_nothing_is_lost() {
    let redis = redis().await;
    let mut demo = Demo::start("processes", &redis);
    let nodes = demo.nodes(&redis).await;
    let at = demo.until("-- connected to node-").await;
    let at = at.trim_start_matches("-- connected to ").split(' ').next().unwrap().to_owned();
    let index: usize = at.trim_start_matches("node-").parse().unwrap();
    // We are in, and somebody is there to talk while we are away.
    demo.until("[general] alice: ").await;
    demo.enter("before").await;
    demo.until("] dana: before").await;

    demo.enter("/kill").await;
    nodes[index - 1].ended().await;
    let recovered = demo.until(&format!("-- {at} → node-")).await;
    let (_, counted) = recovered.split_once(": ").unwrap();
    assert!(counted.contains(" recovered, 0 lost, 0 dup") && !counted.starts_with("0 "), "{recovered}");
    assert_eq!(demo.children().len(), 2, "nobody is left unburied");

    demo.enter("/kill all").await;
    all_ended(&nodes).await;
    demo.until("-- connecting… try 2").await;
    demo.enter("while all are down").await;
    demo.until("-- queued: while all are down").await;
    demo.enter("/revive").await;
    demo.until_all(&["-- delivered: while all are down", "0 lost, 0 dup"]).await;
    let revived = demo.children();
    assert_eq!(revived.len(), 3);

    demo.enter("/quit").await;
    assert!(demo.end().await.success());
    all_ended(&revived).await;
}

#[tokio::test]
async fn what_a_former_demo_left_is_not_counted() {
    let redis = redis().await;
    let mut former = Demo::start("former", &redis);
    former.until("[general] alice: ").await;
    former.child.start_kill().unwrap();
    former.end().await;

    let mut demo = Demo::start("latter", &redis);
    let mut lines = Vec::new();
    // All of the bots' names are taken for a while.
    demo.read(&mut lines, "[general] alice-2: ").await;
    demo.enter("/kill").await;
    demo.read(&mut lines, " dup (").await;
    assert!(lines.last().unwrap().contains(" recovered, 0 lost, 0 dup"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("on the way")), "{lines:#?}");
    demo.enter("/quit").await;
    assert!(demo.end().await.success());
}

#[tokio::test]
async fn no_node_outlives_a_demo_that_is_killed() {
    let redis = redis().await;
    let mut demo = Demo::start("outlived", &redis);
    let nodes = demo.nodes(&redis).await;
    demo.until("-- connected to node-").await;
    // As in the moment before /kill kills: it hangs, and does nothing of itself any more.
    kill_process(nodes[0].pid, Signal::STOP).unwrap();
    demo.child.start_kill().unwrap();
    all_ended(&nodes).await;
    assert!(!demo.end().await.success());
}

#[tokio::test]
async fn what_keeps_a_node_from_starting_is_the_programs_error() {
    let redis = redis().await;
    let refused = |url: String, test| async move {
        let output = run(chat_tui(test, &["--demo", "--redis", &url, "--plain"]), "").await;
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{url}");
        text(&output.stderr)
    };
    let error = refused(format!("redis://:open-says-me@{}", redis.addr()), "password").await;
    assert!(error.starts_with("chat-tui: the demo's node-"), "{error}");
    assert!(error.contains(" did not start: redis at redis://:***@127.0.0.1:"), "{error}");
    assert!(error.lines().count() == 1 && !error.contains("says-me"), "{error}");

    let addr = redis.addr();
    drop(redis);
    let error = refused(format!("redis://{addr}"), "no-redis").await;
    let why = format!(" did not start: redis at redis://{addr} cannot be reached");
    assert!(error.starts_with("chat-tui: the demo's node-") && error.contains(&why), "{error}");

    let error = refused("localhost:6379".into(), "no-url").await;
    assert!(
        error.starts_with("chat-tui: --redis cannot be that: a URL as redis://127.0.0.1:6379/0"),
        "{error}"
    );
}
