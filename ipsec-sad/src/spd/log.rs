//! Which packets of a policy are told of: those whose policy has its log flag, at a limited rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Action, Place, PolicyId, Spd};
use crate::flow::{Direction, Flow};

/// How many packets of one policy are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRate {
    /// That many at once.
    pub burst: u32,
    /// One more after each such time.
    pub interval: Duration,
}

impl Default for LogRate {
    /// Ten at once, then one a second.
    fn default() -> Self {
        Self { burst: 10, interval: Duration::from_secs(1) }
    }
}

/// A packet that a policy with its log flag decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// When.
    pub at: Instant,
    /// The policy.
    pub policy: PolicyId,
    /// What it says.
    pub action: Action,
    /// Which way the packet went.
    pub direction: Direction,
    /// The packet.
    pub flow: Flow,
    /// Packets of this policy since the last that was told of, which were not.
    pub suppressed: u64,
}

/// A token bucket: full at the start, a token a packet.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: u32,
    /// When the last token was put in.
    filled: Instant,
    suppressed: u64,
}

impl Bucket {
    /// Takes a token, if there is one: then says how many packets had found none since the last that did.
    fn take(&mut self, rate: LogRate, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled);
        let earned = match rate.interval.as_nanos() {
            0 => u128::from(rate.burst),
            interval => passed.as_nanos() / interval,
        };
        if u128::from(self.tokens) + earned >= u128::from(rate.burst) {
            (self.tokens, self.filled) = (rate.burst, now);
        } else if let Ok(earned @ 1..) = u32::try_from(earned) {
            self.tokens += earned;
            // What has passed of the next interval still counts.
            self.filled += rate.interval * earned;
        }
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                Some(core::mem::take(&mut self.suppressed))
            }
            None => {
                self.suppressed += 1;
                None
            }
        }
    }
}

/// The buckets of the policies with a log flag, by place.
#[derive(Default)]
pub(crate) struct LogLimits {
    buckets: BTreeMap<Place, (PolicyId, Action, Option<Bucket>)>,
}

impl LogLimits {
    /// Those of `spd`. A policy that had one before keeps it, by id: an edit must not refill it.
    pub(crate) fn carry_over(&self, spd: &Spd) -> Self {
        let before: BTreeMap<PolicyId, Option<Bucket>> =
            self.buckets.values().map(|&(id, _, bucket)| (id, bucket)).collect();
        let logged = spd.logged().map(|(place, policy)| {
            (place, (policy.id, policy.action, before.get(&policy.id).copied().flatten()))
        });
        Self { buckets: logged.collect() }
    }

    /// What is to be told of a packet that the policy at `place` decides on.
    pub(crate) fn note(
        &mut self,
        place: Place,
        rate: LogRate,
        now: Instant,
        direction: Direction,
        flow: &Flow,
    ) -> Option<PolicyLog> {
        let &mut (policy, action, ref mut bucket) = self.buckets.get_mut(&place)?;
        let bucket = bucket.get_or_insert(Bucket { tokens: rate.burst, filled: now, suppressed: 0 });
        let suppressed = bucket.take(rate, now)?;
        Some(PolicyLog { at: now, policy, action, direction, flow: *flow, suppressed })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test has no loop to get the time from")]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let rate = LogRate { burst: 2, interval: Duration::from_secs(1) };
        let mut bucket = Bucket { tokens: 2, filled: start, suppressed: 0 };
        let mut at = |millis| bucket.take(rate, start + Duration::from_millis(millis));
        assert_eq!([at(0), at(0), at(0), at(999)], [Some(0), Some(0), None, None]);
        assert_eq!([at(1000), at(1000)], [Some(2), None]);
        assert_eq!([at(2500), at(2500)], [Some(1), None]);
        assert_eq!(at(3000), Some(1), "half an interval was left over");
        assert_eq!(
            [at(60_000), at(60_000), at(60_000)],
            [Some(0), Some(0), None],
            "never more than the burst"
        );
        let endless = LogRate { burst: 1, interval: Duration::ZERO };
        let mut bucket = Bucket { tokens: 0, filled: start, suppressed: 0 };
        assert!((0..9).all(|_| bucket.take(endless, start).is_some()));
    }
}
