//! The two clocks that are passed in.

use std::time::{Duration, Instant};

/// Wall-clock time: what certificates and records need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// The moment `since_epoch` after 1970-01-01T00:00:00Z, without leap seconds.
    #[must_use]
    pub const fn from_epoch(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// The time since 1970-01-01T00:00:00Z, without leap seconds.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        self.0
    }
}

/// The present, as the embedding program reads it once for each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time: every timer runs by it, and it must not go backwards from call to call.
    pub mono: Instant,
    /// Wall-clock time.
    pub utc: UnixTime,
}
