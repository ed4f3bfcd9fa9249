//! Deadlines: one ordered set, so that the next one and a change of one cost O(log n).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Why [`Ike::poll_timeout`](crate::Ike::poll_timeout) asks to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimerKind {
    /// A request has waited long enough for its answer.
    Retransmit,
    /// A responder's half-open negotiation has waited long enough for the peer.
    HalfOpen,
    /// An ISAKMP SA is to be replaced.
    IkeRenew,
    /// An ISAKMP SA has reached the end of its life.
    IkeLifetime,
    /// An IPsec SA is to be replaced.
    ChildRekey,
    /// An IPsec SA has reached the end of its life.
    ChildLifetime,
    /// A NAT's mapping is to be kept alive (RFC 3948 §2.3).
    Keepalive,
    /// A finished exchange no longer answers duplicates.
    Linger,
    /// The embedding program has left a question unanswered.
    Question,
}

/// A set of deadlines, at most one a key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(crate) const fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }

    /// Sets or moves the deadline of `key`.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        if let Some(old) = self.by_key.insert(key, at) {
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    /// Forgets `key`; nothing happens where it is not set.
    pub(crate) fn clear(&mut self, key: K) {
        if let Some(old) = self.by_key.remove(&key) {
            self.by_time.remove(&(old, key));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<(Instant, K)> {
        self.by_time.first().copied()
    }

    /// Takes the earliest deadline that has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moved_deadline_is_due_once_and_in_order() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        timers.set(1, at(5));
        timers.set(2, at(3));
        timers.set(1, at(1));
        assert_eq!(timers.next(), Some((at(1), 1)));
        assert_eq!(timers.take_due(at(0)), None);
        assert_eq!(timers.take_due(at(9)), Some(1));
        assert_eq!(timers.take_due(at(9)), Some(2));
        assert_eq!(timers.take_due(at(9)), None);
    }
}
