//! Lifetimes of SAs: soft limits ask for a successor, hard limits end the SA (RFC 4301 §4.4.2.1).

use std::time::Duration;

/// Limits of one kind, soft or hard. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time since the SA was made.
    pub time: Option<Duration>,
    /// Octets of ESP payload: the packets inside, without padding and headers of ours.
    pub bytes: Option<u64>,
    /// Packets.
    pub packets: Option<u64>,
}

/// The limits of an SA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// At these the control side is asked for a successor, once.
    pub soft: Limits,
    /// At these the SA stops carrying packets.
    pub hard: Limits,
}

/// Which of the limits was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// [`Limits::time`].
    Time,
    /// [`Limits::bytes`].
    Bytes,
    /// [`Limits::packets`].
    Packets,
}

impl Limits {
    /// The traffic limit that `bytes` or `packets` has reached.
    pub(crate) fn reached(&self, bytes: u64, packets: u64) -> Option<LimitKind> {
        if self.bytes.is_some_and(|limit| bytes >= limit) {
            Some(LimitKind::Bytes)
        } else if self.packets.is_some_and(|limit| packets >= limit) {
            Some(LimitKind::Packets)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_reached_at_its_number_and_none_is_never() {
        let limits = Limits { time: None, bytes: Some(100), packets: Some(10) };
        assert_eq!(limits.reached(99, 9), None);
        assert_eq!(limits.reached(100, 9), Some(LimitKind::Bytes));
        assert_eq!(limits.reached(99, 10), Some(LimitKind::Packets));
        assert_eq!(Limits::default().reached(u64::MAX, u64::MAX), None);
    }
}
