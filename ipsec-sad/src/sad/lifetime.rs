//! Lifetimes of SAs: soft limits ask for a successor, hard limits end the SA (RFC 4301 §4.4.2.1).
//!
//! | limit | default of a child SA |
//! | --- | --- |
//! | hard, time | 1 h ([`Lifetime::CHILD_TIME`]) |
//! | hard, bytes and packets | none; sequence numbers and the cipher's own limits end an SA too |
//! | soft | 85 to 95 % of each hard limit, drawn anew for each SA, so that those made together don't end together |

use std::time::Duration;

use ipsec_crypto::SecureRandom;

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
    /// At these the SA stops carrying packets. A packet that would pass one is not carried any more (RFC 4301 §4.4.2.1 (c)).
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

/// Soft limits lie from here on, in ten-thousandths of the hard ones.
const SOFT_FROM: u64 = 8500;
/// The width of the range that they are drawn from.
const SOFT_WIDTH: u64 = 1000;
const WHOLE: u64 = 10_000;

impl Lifetime {
    /// How long a child SA lives whose configuration says nothing.
    pub const CHILD_TIME: Duration = Duration::from_secs(3600);

    /// The lifetime of a child SA whose configuration says nothing: [`Lifetime::CHILD_TIME`], and a soft limit before.
    #[must_use]
    pub fn child(random: &mut dyn SecureRandom) -> Self {
        Self::jittered(Limits { time: Some(Self::CHILD_TIME), ..Limits::default() }, random)
    }

    /// Soft limits at 85 to 95 % of the hard ones, one share for all three, drawn from `random`.
    #[must_use]
    pub fn jittered(hard: Limits, random: &mut dyn SecureRandom) -> Self {
        let mut octets = [0; 8];
        random.fill(&mut octets);
        let share = SOFT_FROM + u64::from_ne_bytes(octets) % (SOFT_WIDTH + 1);
        let part = |number: u64| {
            let part = u128::from(number) * u128::from(share) / u128::from(WHOLE);
            u64::try_from(part).unwrap_or(number)
        };
        let soft = Limits {
            time: hard.time.map(|time| {
                let nanoseconds = time.subsec_nanos().into();
                Duration::from_nanos(part(nanoseconds)) + part_of_seconds(time.as_secs(), share)
            }),
            bytes: hard.bytes.map(part),
            packets: hard.packets.map(part),
        };
        Self { soft, hard }
    }
}

/// `seconds` * `share` / 10 000.
fn part_of_seconds(seconds: u64, share: u64) -> Duration {
    let milliseconds = u128::from(seconds) * u128::from(share) / 10;
    u64::try_from(milliseconds).map_or(Duration::from_secs(seconds), Duration::from_millis)
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

    /// The traffic limit that a packet of `octets` would pass after `bytes` and `packets` before it.
    pub(crate) fn passed_by(&self, bytes: u64, packets: u64, octets: u64) -> Option<LimitKind> {
        if self.bytes.is_some_and(|limit| bytes.saturating_add(octets) > limit) {
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
    use std::collections::BTreeSet;

    use ipsec_crypto::Seeded;

    use super::*;

    #[test]
    fn a_limit_is_reached_at_its_number_and_none_is_never() {
        let limits = Limits { time: None, bytes: Some(100), packets: Some(10) };
        assert_eq!(limits.reached(99, 9), None);
        assert_eq!(limits.reached(100, 9), Some(LimitKind::Bytes));
        assert_eq!(limits.reached(99, 10), Some(LimitKind::Packets));
        assert_eq!(Limits::default().reached(u64::MAX, u64::MAX), None);
        assert_eq!(limits.passed_by(60, 9, 40), None);
        assert_eq!(limits.passed_by(60, 9, 41), Some(LimitKind::Bytes));
        assert_eq!(limits.passed_by(60, 10, 1), Some(LimitKind::Packets));
        assert_eq!(Limits::default().passed_by(u64::MAX, u64::MAX, 1), None);
    }

    #[test]
    fn soft_limits_lie_from_85_to_95_percent_and_differ() {
        let mut random = Seeded::from_u64(3);
        let mut seen = BTreeSet::new();
        for _ in 0..2000 {
            let hard = Limits { bytes: Some(u64::MAX), packets: Some(10_000), ..Limits::default() };
            let Lifetime { soft, hard: same } = Lifetime::jittered(hard, &mut random);
            assert_eq!(same, hard);
            assert!((8500..=9500).contains(&soft.packets.unwrap()));
            let tenth = u64::MAX / 20;
            assert!((17 * tenth..=19 * tenth + 20).contains(&soft.bytes.unwrap()));
            seen.insert(soft.packets);

            let Lifetime { soft, hard } = Lifetime::child(&mut random);
            assert_eq!(hard, Limits { time: Some(Duration::from_secs(3600)), ..Limits::default() });
            let soft = soft.time.unwrap();
            assert!((Duration::from_secs(3060)..=Duration::from_secs(3420)).contains(&soft), "{soft:?}");
        }
        assert!(seen.len() > 700, "{}", seen.len());
        let longest = Limits { time: Some(Duration::MAX), ..Limits::default() };
        assert!(Lifetime::jittered(longest, &mut random).soft.time.unwrap() <= Duration::MAX);
    }
}
