//! Owns the cells that are counted in: lock-free, and for a busy count one cell a thread. A sum read while others
//! count may lack what is being counted; nothing is ever lost from it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Cells of a count; more threads than that share some.
const SHARDS: usize = 8;

/// Upper bounds of the histograms' buckets, in microseconds; one more bucket has none.
const BOUNDS_MICROS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000,
];

/// A cell with a cache line of its own: threads that count do not wait for each other's writes.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell(AtomicU64);

/// The cell of the thread that asks.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    OWN.with(|own| *own)
}

/// Something that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count([Cell; SHARDS]);

impl Count {
    pub(crate) fn add(&self, count: u64) {
        if count > 0 {
            self.0[shard()].0.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum()
    }
}

/// How long something took, by [`BOUNDS_MICROS`].
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    pub(crate) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// All in seconds: their sum, and for each bucket its upper bound and how many are in it alone.
    pub(super) fn read(&self) -> (f64, Vec<(f64, u64)>) {
        let bounds = BOUNDS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        (self.micros.load(Ordering::Relaxed) as f64 / 1e6, bounds.zip(counts).collect())
    }
}
