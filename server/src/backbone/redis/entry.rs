//! Owns the packed form in which entries lie in the log and travel through the feed: what a node packs once
//! is kept and told as it is. An entry: `u16` length and header `client/n generation digest`, `u32` length and
//! body, lengths big-endian. Seqs and the ids before follow from the batch an entry lies in.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use chat_protocol::{MessageId, Seq};

use crate::backbone::{Entry, Item};

/// Packs one entry.
fn pack(id: &MessageId, generation: u64, digest: u64, body: &[u8]) -> Vec<u8> {
    let header = format!("{id} {generation} {digest}");
    let mut packed = Vec::with_capacity(6 + header.len() + body.len());
    packed.extend((header.len() as u16).to_be_bytes());
    packed.extend(header.as_bytes());
    packed.extend((body.len() as u32).to_be_bytes());
    packed.extend(body);
    packed
}

/// An item on its way into the log; empty for a void one.
pub(super) fn pack_item(item: &Item) -> Vec<u8> {
    item.body.as_ref().map_or_else(Vec::new, |body| pack(&item.id, item.generation, item.digest, body))
}

/// Entries on their way back.
pub(super) fn pack_run(entries: &[Arc<Entry>]) -> Vec<u8> {
    entries.iter().flat_map(|entry| pack(&entry.id, entry.generation, entry.digest, &entry.body)).collect()
}

/// Reads a batch that ends at `last`; none where it is not one.
pub(super) fn unpack(mut packed: Bytes, last: u64, count: u64, prev: &str) -> Option<Vec<Arc<Entry>>> {
    let mut entries = Vec::new();
    let mut seq = last.checked_sub(count)?;
    let mut prev = if prev.is_empty() { None } else { Some(prev.parse().ok()?) };
    while !packed.is_empty() {
        let header = field(&mut packed, 2)?;
        let body = field(&mut packed, 4)?;
        let mut header = std::str::from_utf8(&header).ok()?.split(' ');
        let id: MessageId = header.next()?.parse().ok()?;
        let (generation, digest) = (header.next()?.parse().ok()?, header.next()?.parse().ok()?);
        seq += 1;
        let before = prev.replace(id.clone());
        entries.push(Arc::new(Entry { seq: Seq(seq), id, prev: before, generation, digest, body }));
    }
    (seq == last).then_some(entries)
}

fn field(packed: &mut Bytes, width: usize) -> Option<Bytes> {
    let length = packed.try_get_uint(width).ok()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= packed.len())?;
    Some(packed.split_to(length))
}
