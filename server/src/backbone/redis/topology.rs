//! Owns which primary serves which key: by hash slot, as Redis Cluster counts them (CRC-16/XMODEM of the hash
//! tag, modulo 16,384; see "Key distribution model" in the Redis cluster specification). One primary serves all
//! of them until there are more.

use std::sync::Arc;

use super::link::Primary;

/// Hash slots of a cluster.
const SLOTS: u16 = 16_384;

/// The primaries, each with the last slot it serves, in order.
pub(super) struct Topology {
    primaries: Vec<(u16, Arc<Primary>)>,
}

impl Topology {
    /// One primary for everything.
    pub(super) fn single(primary: Arc<Primary>) -> Self {
        Self { primaries: vec![(SLOTS - 1, primary)] }
    }

    /// Which one serves a key or a sharded channel.
    pub(super) fn of(&self, key: &str) -> &Arc<Primary> {
        let slot = slot(key);
        let serves = self.primaries.iter().find(|(last, _)| slot <= *last);
        &serves.expect("the last slot is served").1
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Arc<Primary>> {
        self.primaries.iter().map(|(_, primary)| primary)
    }
}

fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    hashed.bytes().fold(0, crc16) % SLOTS
}

fn crc16(crc: u16, byte: u8) -> u16 {
    (0..8).fold(
        crc ^ (u16::from(byte) << 8),
        |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis_cluster() {
        assert_eq!(b"123456789".iter().fold(0, |crc, byte| crc16(crc, *byte)), 0x31C3);
        // As CLUSTER KEYSLOT says.
        assert_eq!((slot("foo"), slot("somekey"), slot("foo{hash_tag}")), (12_182, 11_058, 2_515));
        assert_eq!(slot("chat:{general}:log"), slot("chat:{general}:feed:0"));
        assert_eq!(slot("{}x"), slot("{}x"));
        assert_ne!(slot("{}x"), slot("{}y"));
    }
}
