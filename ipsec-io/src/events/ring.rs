//! The latest records of each peer, for "what happened before it went wrong".

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::Record;

/// Records kept per peer and peers kept, both few: whoever sends datagrams fills it.
#[derive(Clone, Debug)]
pub struct Ring {
    records_per_peer: usize,
    peers: usize,
    kept: BTreeMap<Option<IpAddr>, VecDeque<Record>>,
    /// Peers by their first record, oldest first.
    order: VecDeque<Option<IpAddr>>,
}

impl Default for Ring {
    /// 64 records of each of 1024 peers.
    fn default() -> Self {
        Self::new(64, 1024)
    }
}

impl Ring {
    /// A ring for some records of each of some peers; both are taken as 1 at least.
    #[must_use]
    pub fn new(records_per_peer: usize, peers: usize) -> Self {
        Self {
            records_per_peer: records_per_peer.max(1),
            peers: peers.max(1),
            kept: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Keeps a record, at the cost of its peer's oldest one, or of the peer that has been known longest.
    pub fn push(&mut self, record: Record) {
        let peer = record.peer().map(|peer| peer.ip());
        if !self.kept.contains_key(&peer) {
            while self.order.len() >= self.peers {
                if let Some(oldest) = self.order.pop_front() {
                    self.kept.remove(&oldest);
                }
            }
            self.order.push_back(peer);
        }
        let records = self.kept.entry(peer).or_default();
        if records.len() >= self.records_per_peer {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// The records of a peer, oldest first; of what concerns no peer for `None`.
    pub fn of(&self, peer: Option<IpAddr>) -> impl Iterator<Item = &Record> {
        self.kept.get(&peer).into_iter().flatten()
    }
}
