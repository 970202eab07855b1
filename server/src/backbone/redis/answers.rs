//! Owns the reading of what scripts answer: Redis values into the backbone's words. An answer that cannot be
//! read is data that is not ours, or of another version.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{Epoch, MessageId, Seq};
use redis::Value;

use super::entry;
use super::topics::topic;
use crate::backbone::{
    BackboneError, Entry, Glance, Head, Item, ItemAnswer, Page, Place, Published, Repaired, Run,
};

type Read<T> = Option<T>;

/// What is said of an answer that is none of ours.
pub(super) fn understood<T>(what: &str, read: Read<T>) -> Result<T, BackboneError> {
    read.ok_or_else(|| {
        BackboneError::Unavailable(format!("redis holds something else where {what} should be"))
    })
}

/// An answer, read from its front on.
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn of(value: Value) -> Read<Self> {
        match value {
            Value::Array(values) | Value::Set(values) => Some(Self(values.into_iter())),
            _ => None,
        }
    }

    pub(super) fn value(&mut self) -> Read<Value> {
        self.0.next()
    }

    pub(super) fn bytes(&mut self) -> Read<Vec<u8>> {
        match self.0.next()? {
            Value::BulkString(bytes) => Some(bytes),
            Value::SimpleString(text) => Some(text.into_bytes()),
            _ => None,
        }
    }

    pub(super) fn text(&mut self) -> Read<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    /// A whole number, as one or as text.
    pub(super) fn number(&mut self) -> Read<u64> {
        match self.0.next()? {
            Value::Int(number) => number.try_into().ok(),
            Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
            _ => None,
        }
    }

    fn epoch(&mut self) -> Read<Epoch> {
        parse_epoch(&self.text()?)
    }

    /// Epoch, seq, id.
    fn place(&mut self) -> Read<Place> {
        let (epoch, seq) = (self.epoch()?, Seq(self.number()?));
        Some(Place { epoch, seq, id: parse_id(&self.text()?)? })
    }

    /// A place, the first entry kept, and the life before.
    fn head(&mut self) -> Read<Head> {
        let (place, first) = (self.place()?, Seq(self.number()?));
        let (epoch, seq) = (self.text()?, Seq(self.number()?));
        let before = if epoch.is_empty() { None } else { Some((parse_epoch(&epoch)?, seq)) };
        Some(Head { place, first, before })
    }
}

impl Iterator for Row {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.0.next()
    }
}

pub(super) fn parse_epoch(text: &str) -> Read<Epoch> {
    u64::from_str_radix(text, 16).ok().map(Epoch)
}

/// Empty: no id is known there.
pub(super) fn parse_id(text: &str) -> Read<Option<MessageId>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

pub(super) fn head(value: Value) -> Read<Option<Head>> {
    match value {
        Value::Nil => Some(None),
        value => Row::of(value)?.head().map(Some),
    }
}

/// Where a log stands, a client's number in it, and what the room is about.
pub(super) fn glance(value: Value) -> Read<Glance> {
    let mut row = Row::of(value)?;
    let (head, record) = (head(row.value()?)?, row.value()?);
    let last_n = if record == Value::Nil { 0 } else { record_n(record)? };
    Some(Glance { head, last_n, topic: topic(row.value()?)? })
}

pub(super) fn published(value: Value, items: &[Item]) -> Read<Published> {
    let mut row = Row::of(value)?;
    match row.text()?.as_str() {
        "OK" => placed(row, items),
        "NONE" => Some(Published::None),
        "LOST" => Some(Published::Lost),
        "EPOCH" => row.place().map(Published::Epoch),
        "BEHIND" => row.place().map(Published::Behind),
        "FORK" => row.place().map(Published::Fork),
        "SETTLING" => row.number().map(|left| Published::Settling(Duration::from_millis(left))),
        _ => None,
    }
}

/// The items were placed in order behind the place the script names, but for the exceptions.
fn placed(mut row: Row, items: &[Item]) -> Read<Published> {
    let mut head = row.place()?;
    let mut exceptions = Row::of(row.value()?)?;
    let mut answers: Vec<Option<ItemAnswer>> = vec![None; items.len()];
    while let Some(index) = exceptions.number() {
        let (word, number) = (exceptions.text()?, exceptions.number()?);
        let answer = match word.as_str() {
            "VOID" => ItemAnswer::Voided,
            "DUP" => ItemAnswer::Duplicate(Some(Seq(number)).filter(|seq| *seq > Seq::START)),
            "REUSED" => ItemAnswer::Reused,
            "GAP" => ItemAnswer::Gap(number),
            "BACK" => ItemAnswer::Back(number),
            "FENCED" => ItemAnswer::Fenced,
            _ => return None,
        };
        *answers.get_mut(usize::try_from(index).ok()?)? = Some(answer);
    }
    let mut judge = |(answer, item): (Option<ItemAnswer>, &Item)| {
        answer.unwrap_or_else(|| {
            head.seq = head.seq.next();
            let prev = head.id.replace(item.id.clone());
            ItemAnswer::Placed { seq: head.seq, prev }
        })
    };
    let items = answers.into_iter().zip(items).map(&mut judge).collect();
    Some(Published::Ok { head, items })
}

pub(super) fn page(value: Value, after: Seq, limit: usize) -> Read<Page> {
    let mut row = Row::of(value)?;
    match row.text()?.as_str() {
        "LOST" => Some(Page::Lost),
        "EPOCH" => Row::of(row.value()?)?.head().map(Page::Epoch),
        "BEHIND" => row.place().map(Page::Behind),
        "FORK" => row.place().map(Page::Fork),
        "TRIMMED" => Some(Page::Trimmed { head: row.place()?, first: Seq(row.number()?) }),
        "OK" => {
            let head = row.place()?;
            let entries = batches(row.value()?)?;
            let entries = entries.into_iter().flatten().filter(|entry| entry.seq > after).take(limit);
            Some(Page::Ok { head, entries: entries.collect() })
        }
        _ => None,
    }
}

pub(super) fn history(
    value: Value,
    before: Option<Seq>,
    limit: usize,
) -> Read<Option<(Head, Vec<Arc<Entry>>)>> {
    if value == Value::Nil {
        return Some(None);
    }
    let mut row = Row::of(value)?;
    let head = Row::of(row.value()?)?.head()?;
    let before = before.unwrap_or(head.place.seq.next());
    // The newest batch came first.
    let newest_first = batches(row.value()?)?.into_iter().flat_map(|batch| batch.into_iter().rev());
    let mut entries: Vec<_> = newest_first.filter(|entry| entry.seq < before).take(limit).collect();
    entries.reverse();
    Some(Some((head, entries)))
}

/// Batches as they lie in the stream: `[last-0, [n, count, p, id before, b, packed]]`.
pub(super) fn batches(value: Value) -> Read<Vec<Vec<Arc<Entry>>>> {
    Row::of(value)?.map(batch).collect()
}

fn batch(value: Value) -> Read<Vec<Arc<Entry>>> {
    let mut row = Row::of(value)?;
    let last = row.text()?.split_once('-')?.0.parse().ok()?;
    let mut fields = Row::of(row.value()?)?;
    let (_, count, _, prev, _) =
        (fields.value()?, fields.number()?, fields.value()?, fields.text()?, fields.value()?);
    entry::unpack(Bytes::from(fields.bytes()?), last, count, &prev)
}

/// A log's word on a repair, and the notice of the round it opened.
pub(super) fn repaired(value: Value) -> Read<(Repaired, Option<String>)> {
    let mut row = Row::of(value)?;
    let notice = |row: &mut Row| match row.value()? {
        Value::BulkString(notice) => String::from_utf8(notice).ok().map(Some),
        // Lua's false.
        Value::Nil => Some(None),
        _ => None,
    };
    match row.text()?.as_str() {
        "EPOCH" => Some((Repaired::Epoch(Row::of(row.value()?)?.head()?), None)),
        "FORK" => Some((Repaired::Fork(row.place()?), None)),
        "HOLE" => {
            let notice = notice(&mut row)?;
            Some((Repaired::Hole(row.place()?), notice))
        }
        "OK" => {
            let notice = notice(&mut row)?;
            let (head, restored) = (row.place()?, row.number()?.try_into().ok()?);
            Some((Repaired::Ok { head, restored }, notice))
        }
        _ => None,
    }
}

/// Each entry names the one before it, and stands behind it.
pub(super) fn is_contiguous(run: &Run) -> bool {
    let follows =
        |pair: &[Arc<Entry>]| pair[1].seq == pair[0].seq.next() && pair[1].prev.as_ref() == Some(&pair[0].id);
    run.entries.windows(2).all(follows)
}

/// `H epoch seq first epoch-before seq-before id`, behind the letter.
pub(super) fn notice(text: &str) -> Read<Head> {
    let mut words = text.split(' ');
    let (epoch, seq) = (parse_epoch(words.next()?)?, Seq(words.next()?.parse().ok()?));
    let first = Seq(words.next()?.parse().ok()?);
    let (before, ended) = (words.next()?, Seq(words.next()?.parse().ok()?));
    let before = if before.is_empty() { None } else { Some((parse_epoch(before)?, ended)) };
    let id = parse_id(words.next()?)?;
    Some(Head { place: Place { epoch, seq, id }, first, before })
}

/// A number as text.
pub(super) fn number(value: Value) -> Read<u64> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
        _ => None,
    }
}

/// The number in a client's record.
pub(super) fn record_n(value: Value) -> Read<u64> {
    match value {
        Value::BulkString(bytes) => Some(entry::record(&bytes)?.n),
        _ => None,
    }
}
