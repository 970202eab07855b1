//! Owns the record of a run: one line of JSON for everything that a client said, was shown or was told, and for
//! everything that was done to the cluster. Written while it happens, judged afterwards by `check`; knows
//! neither clients nor clusters.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use chat_protocol::{Epoch, Seq};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A message by who says it and which of its own it is, from 1: written into its content, so that what is shown
/// can be compared with what was said without any help of the system under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Words(pub u32, pub u32);

impl Words {
    /// The content that carries it, filled to `bytes`.
    pub fn content(self, bytes: usize) -> String {
        let head = format!("{}.{} ", self.0, self.1);
        let rest = bytes.saturating_sub(head.len());
        head + &"x".repeat(rest)
    }

    /// Reads it off a content.
    pub fn of(content: &str) -> Option<Self> {
        let (client, n) = content.split(' ').next()?.split_once('.')?;
        Some(Self(client.parse().ok()?, n.parse().ok()?))
    }
}

/// What a message does to the one that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Gives it another text.
    Edit,
    /// Takes it back.
    Delete,
    /// Answers it.
    Reply,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in microseconds after the run began.
    pub t: u64,
    /// To which client; to none: to the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c: Option<u32>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen. Rooms are numbers: `r` is the room everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum What {
    /// The client's program was started, as after a restart of the machine it has what it saved.
    Started,
    /// What is played.
    Plan {
        /// By its name on the command line.
        scenario: String,
    },
    /// The client is in a room whose log ends at `s`: what follows is for it.
    Entered {
        /// The room.
        r: u32,
        /// Which life of its log.
        life: Epoch,
        /// The last place of its log.
        s: Seq,
    },
    /// The client was given a message to send.
    Said {
        /// The room.
        r: u32,
        /// The message.
        m: Words,
    },
    /// The client was told that its message is in the log.
    Acked {
        /// The message.
        m: Words,
    },
    /// The client was told that its message will never arrive.
    Failed {
        /// The message.
        m: Words,
        /// Why.
        why: String,
    },
    /// The client was shown an entry.
    Shown {
        /// The room.
        r: u32,
        /// Its place.
        s: Seq,
        /// The message.
        m: Words,
    },
    /// The client was shown an entry that is not what anybody said, byte by byte.
    Garbled {
        /// The room.
        r: u32,
        /// Its place.
        s: Seq,
    },
    /// The client was told to forget what stands above a place.
    Rewound {
        /// The room.
        r: u32,
        /// The place.
        s: Seq,
    },
    /// The client was told that history is gone.
    Reset {
        /// The room.
        r: u32,
        /// Which life of its log follows.
        life: Epoch,
        /// The first place that is gone.
        from: Seq,
        /// The last; none if nobody knows.
        to: Option<Seq>,
    },
    /// The client is on a node.
    Online {
        /// Its name.
        node: String,
    },
    /// The client has no connection any more.
    Lost,
    /// The client has lost its node and has everything again.
    Back {
        /// How long it took, by its own count, in microseconds.
        took: u64,
        /// It was asked to move, and had a connection all the time.
        planned: bool,
    },
    /// The client was told that its node cannot reach the others.
    CutOff,
    /// The client was shown an error.
    Trouble {
        /// The wire's code and the text.
        why: String,
    },
    /// The client's program has ended, with what it counted itself.
    Ended {
        /// Places it never saw.
        lost: u64,
        /// Repeats that it dropped.
        dup: u64,
        /// Messages that are still in its outbox.
        queued: u64,
    },
    /// The client stops reading, of its own will: until [`What::Reading`] its silence is its own.
    Paused,
    /// The client reads again.
    Reading,
    /// Something is broken in the cluster.
    Fault {
        /// What.
        what: String,
        /// The node it strikes, where it strikes one.
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<String>,
    },
    /// Something is well again.
    Mended {
        /// What.
        what: String,
    },
    /// Nothing is said any more, nothing broken: from here on all are to come to the same end.
    Calm,
    /// The client is one of this user.
    Is {
        /// The user.
        u: u32,
    },
    /// A room of two users: nobody else may be shown anything of it.
    Pair {
        /// The room.
        r: u32,
        /// One of them.
        u: u32,
        /// The other.
        v: u32,
    },
    /// What the client has just said is about another message.
    About {
        /// What it has said.
        m: Words,
        /// What that is about.
        of: Words,
        /// What it does to it.
        how: How,
    },
    /// What the client has just said has no number, and no ack: it may be gone where its node dies.
    Fleeting {
        /// The message.
        m: Words,
    },
    /// The entry that the client was just shown is about another one.
    Refers {
        /// The room.
        r: u32,
        /// The entry.
        m: Words,
        /// The message of the id that it names; none: of no message.
        of: Option<Words>,
        /// The place that it names.
        s: Seq,
    },
    /// The client has shown a room up to a place, and tells it.
    Marks {
        /// The room.
        r: u32,
        /// Which life of its log.
        life: Epoch,
        /// The place.
        s: Seq,
    },
    /// The client was told that another client of its user has read a room up to a place.
    Read {
        /// The room.
        r: u32,
        /// Which life of its log.
        life: Epoch,
        /// The place.
        s: Seq,
    },
    /// The client was welcomed by a server that knows its user to have read a room up to a place.
    Knows {
        /// The room.
        r: u32,
        /// Which life of its log.
        life: Epoch,
        /// The place.
        s: Seq,
    },
    /// The client has asked for a room of two others, and was refused.
    Barred {
        /// The room.
        r: u32,
    },
    /// The client has asked for the room with another user and was told that there is none: it asks again.
    NotFound,
    /// The client was given a page of a room's history.
    Page {
        /// The room.
        r: u32,
        /// How many entries it has.
        entries: u64,
    },
}

/// Takes down what happens.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    // Held for one line: the file's buffer takes it.
    file: Mutex<BufWriter<File>>,
    /// The first thing that the file could not take; a record with a hole judges nothing.
    failed: Mutex<Option<std::io::Error>>,
}

impl Recorder {
    /// A record that begins now, in a new file.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { started: Instant::now(), file: Mutex::new(BufWriter::new(file)), failed: Mutex::default() })
    }

    /// When the run began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Something happened to a client.
    pub fn client(&self, client: u32, what: What) {
        self.write(Some(client), what);
    }

    /// Something is broken: at a node, or for all.
    pub fn fault(&self, what: impl Into<String>, node: Option<String>) {
        self.write(None, What::Fault { what: what.into(), node });
    }

    /// What is going to be played.
    pub fn plan(&self, scenario: String) {
        self.write(None, What::Plan { scenario });
    }

    /// A room is of two users alone.
    pub fn pair(&self, r: u32, (u, v): (u32, u32)) {
        self.write(None, What::Pair { r, u, v });
    }

    /// Something is well again.
    pub fn mended(&self, what: impl Into<String>) {
        self.write(None, What::Mended { what: what.into() });
    }

    /// Nothing is said any more, nothing broken.
    pub fn calm(&self) {
        self.write(None, What::Calm);
    }

    fn write(&self, c: Option<u32>, what: What) {
        let mut file = self.file.lock();
        let t = self.started.elapsed().as_micros() as u64;
        let mut line = serde_json::to_vec(&Event { t, c, what }).expect("plain data");
        line.push(b'\n');
        if let Err(error) = file.write_all(&line) {
            self.failed.lock().get_or_insert(error);
        }
    }

    /// Everything is in the file.
    ///
    /// # Errors
    /// When the file could not take it.
    pub fn finish(&self) -> anyhow::Result<()> {
        let flushed = self.file.lock().flush();
        let failed = self.failed.lock().take();
        failed.map_or(flushed, Err).context("the record could not be written: is the disk full?")
    }
}

/// Reads a record, event by event.
///
/// # Errors
/// When the file cannot be read or a line of it is none of ours.
pub fn read(path: &Path, mut each: impl FnMut(Event)) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let at = || format!("{}:{}: not an event of a run", path.display(), number + 1);
        each(serde_json::from_str(&line.with_context(at)?).with_context(at)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_off_the_content_that_carries_them() {
        let words = Words(17, 4);
        assert_eq!(words.content(40).len(), 40);
        assert_eq!(Words::of(&words.content(40)), Some(words));
        assert_eq!(Words::of("hello there"), None);
    }

    #[test]
    fn an_event_is_one_flat_line() {
        let event = Event { t: 7, c: Some(3), what: What::Shown { r: 1, s: Seq(9), m: Words(2, 5) } };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(line, r#"{"t":7,"c":3,"e":"shown","r":1,"s":9,"m":[2,5]}"#);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
