//! Owns what a connection to the TCP port is: JSON lines or plain text, decided by its first byte.

use bytes::BytesMut;
use tokio::net::TcpStream;

use super::{Door, Permit};
use crate::connection::{self, Framing};

/// Serves one connection.
pub(crate) async fn serve(door: Door, stream: TcpStream, permit: Permit) {
    let framing = Framing::tcp(door.hub.config.limits.wire.frame_bytes);
    connection::serve(stream, BytesMut::new(), framing, door.hub, door.ends).await;
    drop(permit);
}
