//! A node, and a client of it: what tests say to each other through real sockets. Every wait has a deadline.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use chat_protocol::NodeId;
use chat_server::config::{Config, RedisUrl};
use chat_server::{Cluster, Killer, Server};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tungstenite::Message;

/// Longest wait for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for `work`, at most as long as what must come may take.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(DEADLINE, work).await.expect("nothing came in time")
}

/// A node in this process; it dies when dropped.
pub(crate) struct TestNode {
    pub(crate) tcp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) killer: Killer,
    tasks: TaskTracker,
}

impl TestNode {
    /// A cluster of its own.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(&Cluster::default(), "one", change)
    }

    /// A node of a cluster.
    pub(crate) fn of(cluster: &Cluster, name: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::loopback(NodeId::parse(name).unwrap());
        change(&mut config);
        Self::run(cluster.bind(config).unwrap())
    }

    /// A node that meets others in a Redis.
    pub(crate) async fn on_redis(url: &str, name: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::loopback(NodeId::parse(name).unwrap());
        config.redis.url = Some(RedisUrl::parse(url).unwrap());
        change(&mut config);
        Self::run(Server::bind(config).await.unwrap())
    }

    fn run(server: Server) -> Self {
        let (tcp, http) = (server.tcp_addr().unwrap(), server.http_addr().unwrap());
        let (shutdown, killer, tasks) = (CancellationToken::new(), server.killer(), TaskTracker::new());
        tasks.spawn(server.run(shutdown.clone()));
        tasks.close();
        Self { tcp, http, shutdown, killer, tasks }
    }

    /// Waits until the node has stopped.
    pub(crate) async fn stopped(&self) {
        within(self.tasks.wait()).await;
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.killer.kill();
    }
}

/// Which of the two ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Tcp,
    WebSocket,
}

pub(crate) const BOTH: [Way; 2] = [Way::Tcp, Way::WebSocket];

enum Wire {
    Tcp(BufReader<TcpStream>),
    WebSocket(Box<WebSocketStream<TcpStream>>),
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The WebSocket close code; none on TCP, or where the connection just ended.
    pub(crate) code: Option<u16>,
    /// The reason in words, or the code of the last `error` on TCP.
    pub(crate) reason: String,
}

/// A client that speaks JSON.
pub(crate) struct TestClient {
    wire: Wire,
    /// Came in before what was waited for.
    backlog: VecDeque<Value>,
}

impl TestClient {
    /// Connects and says nothing.
    pub(crate) async fn connect(node: &TestNode, way: Way) -> Self {
        let wire = match way {
            Way::Tcp => Wire::Tcp(BufReader::new(within(TcpStream::connect(node.tcp)).await.unwrap())),
            Way::WebSocket => Wire::WebSocket(Box::new(web_socket(node, "/ws").await)),
        };
        Self { wire, backlog: VecDeque::new() }
    }

    /// Connects and says hello under a name; the client and its `welcome`.
    pub(crate) async fn hello(node: &TestNode, way: Way, hello: Value) -> (Self, Value) {
        let mut client = Self::connect(node, way).await;
        let mut words = json!({"type": "hello", "v": 1});
        words.as_object_mut().unwrap().extend(hello.as_object().unwrap().clone());
        client.say(words).await;
        let welcome = client.wait("welcome").await;
        (client, welcome)
    }

    /// Connects by TCP, says hello under a name and joins `general`.
    pub(crate) async fn joined(node: &TestNode, name: &str) -> Self {
        let (mut client, _) = Self::hello(node, Way::Tcp, json!({"name": name})).await;
        client.join("general").await;
        client
    }

    pub(crate) async fn join(&mut self, room: &str) -> Value {
        self.say(json!({"type": "join", "room": room})).await;
        self.wait_for(|frame| frame["type"] == "room_users" && frame["room"] == room).await
    }

    /// Sends a message with a number to `general` and waits for its ack.
    pub(crate) async fn send(&mut self, n: u64, content: &str) -> Value {
        self.say(message(n, content)).await;
        self.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.text(&frame.to_string()).await;
    }

    /// Sends one frame of text.
    pub(crate) async fn text(&mut self, text: &str) {
        match &mut self.wire {
            Wire::Tcp(_) => self.raw(format!("{text}\n").as_bytes()).await,
            Wire::WebSocket(socket) => within(socket.send(Message::text(text))).await.unwrap(),
        }
    }

    /// Writes bytes as they are, past every framing.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        let stream = match &mut self.wire {
            Wire::Tcp(stream) => stream.get_mut(),
            Wire::WebSocket(socket) => socket.get_mut(),
        };
        within(stream.write_all(bytes)).await.unwrap();
    }

    /// The socket, past every framing.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        match &mut self.wire {
            Wire::Tcp(stream) => stream.get_mut(),
            Wire::WebSocket(socket) => socket.get_mut(),
        }
    }

    /// The next frame of a type; what comes before it is kept.
    pub(crate) async fn wait(&mut self, kind: &str) -> Value {
        self.wait_for(|frame| frame["type"] == kind).await
    }

    /// The next error; its code.
    pub(crate) async fn error(&mut self) -> String {
        self.wait("error").await["code"].as_str().unwrap().to_owned()
    }

    /// The next frame that is what is waited for; what comes before it is kept.
    pub(crate) async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.backlog.iter().position(&wanted) {
            return self.backlog.remove(at).unwrap();
        }
        loop {
            let frame = self.receive().await.unwrap_or_else(|closed| {
                panic!("closed: {closed:?}, after {:?}", self.backlog);
            });
            if wanted(&frame) {
                return frame;
            }
            self.backlog.push_back(frame);
        }
    }

    /// A frame that came already while others were waited for.
    pub(crate) fn seen(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let at = self.backlog.iter().position(wanted)?;
        self.backlog.remove(at)
    }

    /// Everything that came before the answer to a question that the room itself answers.
    pub(crate) async fn until_now(&mut self, n: u64) -> Vec<Value> {
        let ack = self.send(n, "mark").await;
        let seq = ack["seq"].clone();
        self.wait_for(|frame| frame["type"] == "message" && frame["seq"] == seq).await;
        self.backlog.drain(..).collect()
    }

    /// True where the node answers, false where it has hung up.
    pub(crate) async fn answers_ping(&mut self) -> bool {
        let ping = "{\"type\":\"ping\"}\n".as_bytes();
        within(self.stream().write_all(ping)).await.is_ok() && self.receive().await.is_ok()
    }

    /// Contents of the next messages.
    pub(crate) async fn contents(&mut self, count: usize) -> Vec<String> {
        let mut contents = Vec::new();
        for _ in 0..count {
            contents.push(self.wait("message").await["content"].as_str().unwrap().to_owned());
        }
        contents
    }

    /// Waits for the end of the connection, whatever comes before.
    pub(crate) async fn closed(&mut self) -> Closed {
        loop {
            match self.receive().await {
                Ok(frame) => self.backlog.push_back(frame),
                Err(closed) => {
                    let last_error = self
                        .backlog
                        .iter()
                        .rfind(|frame| frame["type"] == "error")
                        .map(|frame| &frame["code"]);
                    let reason = match (&self.wire, last_error) {
                        (Wire::Tcp(_), Some(code)) => code.as_str().unwrap().to_owned(),
                        _ => closed.reason,
                    };
                    return Closed { reason, ..closed };
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<Value, Closed> {
        let until = Instant::now() + DEADLINE;
        loop {
            // Pings alone are no answer.
            assert!(Instant::now() < until, "nothing came in time, but {:?}", self.backlog);
            let text = match &mut self.wire {
                Wire::Tcp(stream) => line(stream).await?,
                Wire::WebSocket(socket) => web_socket_text(socket).await?,
            };
            // Before the first brace a node may greet a person.
            if !text.starts_with('{') {
                continue;
            }
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] == "ping" {
                // That the node has gone in the meantime shows at the next receive.
                let pong = json!({"type": "pong", "t": frame["t"]}).to_string();
                match &mut self.wire {
                    Wire::Tcp(stream) => drop(stream.write_all(format!("{pong}\n").as_bytes()).await),
                    Wire::WebSocket(socket) => drop(socket.send(Message::text(pong)).await),
                }
                continue;
            }
            return Ok(frame);
        }
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Result<String, Closed> {
    let mut line = String::new();
    match within(stream.read_line(&mut line)).await {
        Ok(count) if count > 0 => Ok(line),
        Ok(_) => Err(Closed { code: None, reason: "end".into() }),
        Err(error) => Err(Closed { code: None, reason: error.kind().to_string() }),
    }
}

async fn web_socket_text(socket: &mut WebSocketStream<TcpStream>) -> Result<String, Closed> {
    loop {
        match within(socket.next()).await {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(Message::Close(Some(frame)))) => {
                return Err(Closed { code: Some(frame.code.into()), reason: frame.reason.to_string() });
            }
            Some(Ok(Message::Close(None))) | None => return Err(Closed { code: None, reason: "end".into() }),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Closed { code: None, reason: error.to_string() }),
        }
    }
}

/// A WebSocket on a path of a node.
pub(crate) async fn web_socket(node: &TestNode, path: &str) -> WebSocketStream<TcpStream> {
    let stream = within(TcpStream::connect(node.http)).await.unwrap();
    let url = format!("ws://{}{path}", node.http);
    within(tokio_tungstenite::client_async(url, stream)).await.unwrap().0
}

/// A message to `general`.
pub(crate) fn message(n: u64, content: &str) -> Value {
    json!({"type": "message", "room": "general", "n": n, "content": content})
}

/// Whether a list of users names one. Changes of presence may be told with others, in the order of the users' ids.
pub(crate) fn lists(users: &Value, name: &str) -> bool {
    users.as_array().is_some_and(|users| users.iter().any(|user| user["username"] == name))
}

/// A person at a plain terminal.
pub(crate) struct Terminal(pub(crate) BufReader<TcpStream>);

impl Terminal {
    pub(crate) async fn connect(node: &TestNode) -> Self {
        Self(BufReader::new(within(TcpStream::connect(node.tcp)).await.unwrap()))
    }

    pub(crate) async fn type_in(&mut self, text: &str) {
        within(self.0.get_mut().write_all(text.as_bytes())).await.unwrap();
    }

    /// The next line that holds a text; those before it are passed over.
    pub(crate) async fn sees(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let line = line(&mut self.0).await.unwrap_or_else(|closed| panic!("{closed:?} after {seen}"));
            if line.contains(text) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// Everything until the node hangs up.
    pub(crate) async fn rest(mut self) -> String {
        let mut rest = String::new();
        // A reset is an end too.
        drop(within(self.0.read_to_string(&mut rest)).await);
        rest
    }
}

/// Asks the HTTP port; status and body.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = within(TcpStream::connect(addr)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    within(stream.write_all(request.as_bytes())).await.unwrap();
    let mut response = String::new();
    within(stream.read_to_string(&mut response)).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Asks the HTTP port until the answer has this status.
pub(crate) async fn becomes(addr: SocketAddr, path: &str, status: u16) {
    let mut again = interval(Duration::from_millis(20));
    within(async {
        while get(addr, path).await.0 != status {
            again.tick().await;
        }
    })
    .await;
}
