//! Owns what a connection to the TCP port is: JSON lines or plain text, decided by its first byte.

use super::{Arrival, Door};
use crate::connection::{self, Ended, Framing};

/// Serves one connection.
pub(super) async fn serve(door: Door, Arrival { stream, input, place }: Arrival) {
    let framing = Framing::tcp(door.hub.config.limits.wire.frame_bytes);
    let ended = connection::serve(stream, input, framing, door.hub, door.ends).await;
    if ended == Ended::ProxyHeader {
        door.unexpected.came_from(place.addr());
    }
}
