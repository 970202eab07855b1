//! Owns the wire between the demo's client and the front-end: it passes bytes on, reads off the welcome which
//! node the client is on, and on request withholds one message of somebody else's. Nothing here tells the
//! client that a message is missing: that it says "1 lost" shows that losses are counted, not claimed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use chat_protocol::{ClientId, NodeId, ServerMessage, decode_server};
use chat_server::socket;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The wire; clones share it.
#[derive(Clone)]
pub(super) struct Wire {
    front: SocketAddr,
    /// Where the client is; the welcome says it.
    node: watch::Sender<Option<NodeId>>,
    /// Messages still to be withheld. Counted down by the connection that withholds one.
    wanted: Arc<AtomicUsize>,
}

impl Wire {
    /// A wire to the front-end at `front`, and where the client is to dial.
    pub(super) fn start(
        front: SocketAddr,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<(Self, SocketAddr)> {
        let listener = socket::bind((Ipv4Addr::LOCALHOST, 0).into(), "--demo")?;
        let addr = listener.local_addr()?;
        let wire = Self { front, node: watch::channel(None).0, wanted: Arc::default() };
        tasks.spawn(shutdown.clone().run_until_cancelled_owned(wire.clone().serve(listener)));
        Ok((wire, addr))
    }

    /// The node the client was on last.
    pub(super) fn node(&self) -> Option<NodeId> {
        self.node.borrow().clone()
    }

    /// Withholds the next message of somebody else's.
    pub(super) fn withhold_one(&self) {
        self.wanted.fetch_add(1, Ordering::Relaxed);
    }

    /// The client has one connection, and two while it moves: the old one serves it until the new one does.
    async fn serve(self, listener: TcpListener) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                (client, _) = socket::accept(&listener) => connections.push(self.pass(client)),
                Some(()) = connections.next() => {}
            }
        }
    }

    /// Passes one connection on to its end, and then, as the front-end does, a reset as a reset. The end of what
    /// the client says is one, too: it never closes one direction alone, and a node that took it for that would
    /// still have to speak to somebody who is gone.
    async fn pass(&self, mut client: TcpStream) {
        let Ok(mut front) = TcpStream::connect(self.front).await else {
            return socket::reset_on_drop(&client);
        };
        if socket::tune(&client).and(socket::tune(&front)).is_err() {
            return;
        }
        let (mut from_client, to_client) = client.split();
        let (from_front, mut to_front) = front.split();
        let there = async {
            copy(&mut from_client, &mut to_front).await?;
            Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))
        };
        let ended = tokio::try_join!(there, self.back(from_front, to_client));
        if ended.is_err() {
            socket::reset_on_drop(&client);
            socket::reset_on_drop(&front);
        }
    }

    /// Passes on what the server says, line by line.
    async fn back(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let (mut input, mut output, mut me) = (BytesMut::new(), BytesMut::new(), None);
        while from.read_buf(&mut input).await? > 0 {
            while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
                let line = input.split_to(end + 1);
                if !self.withholds(&line, &mut me) {
                    output.extend_from_slice(&line);
                }
            }
            to.write_all(&output).await?;
            output.clear();
        }
        to.shutdown().await
    }

    /// True for the message that is not to arrive. Takes note of who and where the client is.
    fn withholds(&self, line: &[u8], me: &mut Option<ClientId>) -> bool {
        if me.is_some() && self.wanted.load(Ordering::Relaxed) == 0 {
            return false;
        }
        match decode_server(line) {
            Ok(ServerMessage::Welcome(welcome)) => {
                *me = Some(welcome.client_id);
                self.node.send_replace(Some(welcome.node));
                false
            }
            // One's own is shown already, and acknowledged: its loss would be none.
            Ok(ServerMessage::Message(message)) if me.as_ref() != Some(&message.id.client) => {
                let one_less = |wanted: usize| wanted.checked_sub(1);
                self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
            }
            _ => false,
        }
    }
}
