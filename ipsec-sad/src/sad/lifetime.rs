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
