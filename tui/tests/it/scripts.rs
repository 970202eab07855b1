//! `tail`, `send`, `doctor` as programs, on real nodes behind the real front-end: what stands on which output, and the
//! exit codes.

mod docs;
mod doctor;
mod send;
mod tail;

use chat_protocol::NodeId;
use chat_server::Cluster;
use chat_server::config::Config;
use chat_tui::net::event::Transport;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::fake::within;
use crate::front::{FrontEnd, Node};
use crate::program::{chat_tui, run, text};

/// Nodes of one cluster behind a front-end.
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    front: FrontEnd,
    pub(crate) nodes: Vec<Node>,
}

impl Place {
    pub(crate) fn start(count: usize) -> Self {
        let (cluster, mut front) = (Cluster::default(), FrontEnd::start());
        let node = |at: usize| {
            let mut config = Config::loopback(NodeId::parse(&format!("node-{}", at + 1)).unwrap());
            config.limits.messages_per_second = 0;
            cluster.bind(config).unwrap()
        };
        let servers: Vec<_> = (0..count).map(node).collect();
        let nodes: Vec<_> = servers.into_iter().map(|server| front.run(server)).collect();
        front.offer(nodes.iter());
        Self { cluster, front, nodes }
    }

    pub(crate) fn host(&self, transport: Transport) -> String {
        format!("{transport}://{}", self.front.endpoint(transport).authority())
    }

    /// Says something, and waits until the cluster has it.
    pub(crate) async fn say(&self, test: &str, room: &str, content: &str) {
        let host = self.host(Transport::Tcp);
        let command = chat_tui(test, &["--host", &host, "send", "--room", room, "--", content]);
        let output = run(command, "").await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

/// A program that runs, and what it says.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Lines<BufReader<ChildStdout>>,
    pub(crate) notices: Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn start(test: &str, args: &[&str]) -> Self {
        let mut child = chat_tui(test, args).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let notices = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, notices }
    }

    pub(crate) async fn line(&mut self) -> String {
        next(&mut self.lines).await
    }

    /// Reads notices on to one with this part.
    pub(crate) async fn told(&mut self, part: &str) -> String {
        loop {
            let notice = within(part, self.notices.next_line()).await.unwrap().expect("it runs");
            if notice.contains(part) {
                return notice;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) async fn code(mut self) -> Option<i32> {
        within("the program's end", self.child.wait()).await.unwrap().code()
    }
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>) -> String {
    within("a line", lines.next_line()).await.unwrap().expect("it runs")
}
