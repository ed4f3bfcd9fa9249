//! Virtual time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ipsec_ike::{Now, UnixTime};

/// 2026-01-01T00:00:00Z: when every simulation begins.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The moment `since_start` after the beginning of a simulation.
#[must_use]
pub fn at(since_start: Duration) -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other origin; all differences are virtual"
    )]
    let start = *START.get_or_init(Instant::now);
    Now { mono: start + since_start, utc: UnixTime::from_epoch(EPOCH + since_start) }
}

/// How long after the beginning of a simulation a moment is.
#[must_use]
pub fn since_start(moment: Instant) -> Duration {
    moment.saturating_duration_since(at(Duration::ZERO).mono)
}
