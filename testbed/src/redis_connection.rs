//! Owns a test's own connection to a Redis: commands out, RESP2 replies in. Kept apart from the client that
//! is tested, so that a mistake in that one cannot hide itself.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long Redis may take to answer what it does at once.
const REPLY_MAX: Duration = Duration::from_secs(10);
/// The longest bulk reply, in bytes, that a test asks for: a longer one is a mistake in the reading.
const BULK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What Redis answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A word, such as `OK`.
    Simple(String),
    /// An error's line, such as `NOAUTH …`.
    Error(String),
    /// A number.
    Int(i64),
    /// Bytes; none where there is no such thing.
    Bulk(Option<Vec<u8>>),
    /// Several replies; a null array is an empty one.
    Array(Vec<Reply>),
}

impl Reply {
    /// The reply as text: a word, an error's line, a number or bytes.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Simple(text) | Self::Error(text) => Some(text.clone()),
            Self::Int(number) => Some(number.to_string()),
            Self::Bulk(bytes) => bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            Self::Array(_) => None,
        }
    }
}

/// A connection to a Redis.
#[derive(Debug)]
pub struct RedisConnection(BufStream<TcpStream>);

impl RedisConnection {
    /// Connects, and says the password where there is one.
    ///
    /// # Errors
    /// When nobody listens there, or the password is refused.
    pub async fn open(addr: SocketAddr, password: Option<&str>) -> anyhow::Result<Self> {
        let stream = timeout(REPLY_MAX, TcpStream::connect(addr)).await.context("no connection in time")?;
        let stream = stream.with_context(|| format!("no Redis at {addr}"))?;
        stream.set_nodelay(true)?;
        let mut connection = Self(BufStream::new(stream));
        if let Some(password) = password {
            let reply = connection.command(&["AUTH", password]).await?;
            ensure!(reply == Reply::Simple("OK".into()), "AUTH: {reply:?}");
        }
        Ok(connection)
    }

    /// Sends a command and waits for its reply. An error of Redis is a reply, too.
    ///
    /// # Errors
    /// When the connection ends or Redis is silent for ten seconds.
    pub async fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> anyhow::Result<Reply> {
        self.command_within(arguments, REPLY_MAX).await
    }

    /// The same for a command that blocks: it has as long as is said.
    ///
    /// # Errors
    /// When the connection ends or Redis is silent for longer.
    pub async fn command_within<A: AsRef<[u8]>>(
        &mut self,
        arguments: &[A],
        patience: Duration,
    ) -> anyhow::Result<Reply> {
        let name = arguments.first().map(|name| String::from_utf8_lossy(name.as_ref()).into_owned());
        let name = name.context("a command has a name")?;
        let exchange = async {
            let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
            for argument in arguments.iter().map(AsRef::as_ref) {
                request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
                request.extend_from_slice(argument);
                request.extend_from_slice(b"\r\n");
            }
            self.0.write_all(&request).await?;
            self.0.flush().await?;
            self.reply().await
        };
        let reply = timeout(patience, exchange).await.with_context(|| format!("{name}: no reply in time"))?;
        reply.with_context(|| format!("{name} failed"))
    }

    /// Reads one reply. Boxed where it nests.
    async fn reply(&mut self) -> anyhow::Result<Reply> {
        let line = self.line().await?;
        let (kind, rest) = line.split_at_checked(1).context("an empty reply")?;
        Ok(match kind {
            "+" => Reply::Simple(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Int(rest.parse()?),
            "$" => Reply::Bulk(self.bulk(rest.parse()?).await?),
            "*" => {
                let count: i64 = rest.parse()?;
                let mut replies = Vec::new();
                for _ in 0..count {
                    replies.push(self.nested().await?);
                }
                Reply::Array(replies)
            }
            _ => bail!("not RESP2: {line}"),
        })
    }

    fn nested(&mut self) -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<Reply>> + Send + '_>> {
        Box::pin(self.reply())
    }

    async fn bulk(&mut self, length: i64) -> anyhow::Result<Option<Vec<u8>>> {
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        ensure!(length <= BULK_BYTES_MAX, "{length} bytes in one reply");
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
