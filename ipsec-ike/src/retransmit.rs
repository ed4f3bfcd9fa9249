//! When a request is sent again, and when it is given up (RFC 2408 §5.1).

use std::time::{Duration, Instant};

/// The back-off: the `n`th wait is `initial · 1.5ⁿ`, at most `ceiling`; after `attempts` transmissions and
/// their waits the request is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetransmitPolicy {
    /// The wait after the first transmission.
    pub initial: Duration,
    /// The longest wait between two transmissions.
    pub ceiling: Duration,
    /// Transmissions in all, the first included: at least 1.
    pub attempts: u32,
}

impl Default for RetransmitPolicy {
    /// Half a second, then half as much again each time up to four seconds, twelve transmissions: a peer that
    /// is silent is given up after 34 seconds, and one that loses every third datagram is still reached.
    fn default() -> Self {
        Self { initial: Duration::from_millis(500), ceiling: Duration::from_secs(4), attempts: 12 }
    }
}

impl RetransmitPolicy {
    /// The wait that follows transmission number `sent` (1 for the first).
    #[must_use]
    pub fn wait(&self, sent: u32) -> Duration {
        let mut wait = self.initial.min(self.ceiling);
        for _ in 1..sent {
            wait = (wait * 3 / 2).min(self.ceiling);
            if wait == self.ceiling {
                break;
            }
        }
        wait
    }

    /// The time from the first transmission to giving up.
    #[must_use]
    pub fn total(&self) -> Duration {
        (1..=self.attempts).map(|sent| self.wait(sent)).sum()
    }
}

/// What is to be done when a request's wait has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send it again: this is transmission `number`; look again at `next`.
    Again { number: u32, next: Instant },
    /// Every transmission went unanswered.
    GiveUp,
}

/// A request that waits for its answer: the octets to repeat, and how often they were sent.
#[derive(Debug)]
pub(crate) struct Outstanding {
    pub(crate) octets: Vec<u8>,
    sent: u32,
}

impl Outstanding {
    /// The request was sent for the first time at `now`; also tells when to look again.
    pub(crate) fn first(octets: Vec<u8>, policy: &RetransmitPolicy, now: Instant) -> (Self, Instant) {
        (Self { octets, sent: 1 }, now + policy.wait(1))
    }

    /// How often it was sent.
    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    /// The wait has ended.
    pub(crate) fn due(&mut self, policy: &RetransmitPolicy, now: Instant) -> Due {
        if self.sent >= policy.attempts {
            return Due::GiveUp;
        }
        self.sent += 1;
        Due::Again { number: self.sent, next: now + policy.wait(self.sent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling_and_end() {
        let policy = RetransmitPolicy::default();
        let waits: Vec<_> = (1..=12).map(|sent| policy.wait(sent).as_millis()).collect();
        assert_eq!(waits[..6], [500, 750, 1125, 1687, 2531, 3796]);
        assert!(waits[6..].iter().all(|wait| *wait == 4000));
        assert!(policy.total() < Duration::from_secs(35));
    }

    #[test]
    fn attempts_count_the_first_transmission() {
        let policy = RetransmitPolicy { attempts: 2, ..RetransmitPolicy::default() };
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let start = Instant::now();
        let (mut outstanding, next) = Outstanding::first(vec![1], &policy, start);
        assert_eq!(next, start + Duration::from_millis(500));
        assert!(matches!(outstanding.due(&policy, next), Due::Again { number: 2, .. }));
        assert_eq!(outstanding.due(&policy, next), Due::GiveUp);
    }
}
