//! How often something may be done for strangers.

use std::time::{Duration, Instant};

/// A token bucket over whole seconds: at most so many a second.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    since: Option<Instant>,
    used: u32,
}

impl Bucket {
    pub(super) fn take(&mut self, now: Instant, per_second: u32) -> bool {
        let fresh =
            self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1));
        if fresh {
            self.since = Some(now);
            self.used = 0;
        }
        let granted = self.used < per_second;
        self.used += u32::from(granted);
        granted
    }
}
