//! Packets that wait for an SA: few for each negotiation, few in all, and none for ever.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipsec_sad::{AcquireId, TemplateId};

use super::config::NodeLimits;

/// What became of a packet that was to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parked {
    Yes,
    /// A limit is reached.
    Full,
}

#[derive(Debug)]
pub(super) struct Waiting {
    limits: NodeLimits,
    queues: BTreeMap<AcquireId, Queue>,
    packets: usize,
}

#[derive(Debug, Default)]
struct Queue {
    /// Known as soon as the data plane has told what the packets wait for.
    template: Option<TemplateId>,
    since: Option<Instant>,
    /// Set when the SA stands and the peer is given a moment to know it, too.
    release: Option<Instant>,
    packets: Vec<Vec<u8>>,
}

impl Queue {
    /// When something is to be done about it.
    fn due(&self, patience: Duration) -> Option<Instant> {
        self.release.or_else(|| self.since.map(|since| since + patience))
    }
}

/// What is to be done about packets that have waited long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Release(AcquireId),
    GiveUp(AcquireId),
}

impl Waiting {
    pub(super) const fn new(limits: NodeLimits) -> Self {
        Self { limits, queues: BTreeMap::new(), packets: 0 }
    }

    pub(super) const fn set_limits(&mut self, limits: NodeLimits) {
        self.limits = limits;
    }

    /// Packets that wait now.
    pub(super) const fn packets(&self) -> usize {
        self.packets
    }

    /// Negotiations that packets wait for.
    pub(super) fn acquires(&self) -> usize {
        self.queues.len()
    }

    pub(super) fn park(&mut self, now: Instant, id: AcquireId, packet: &[u8]) -> Parked {
        if self.packets >= self.limits.waiting {
            return Parked::Full;
        }
        let queue = self.queues.entry(id).or_default();
        queue.since.get_or_insert(now);
        if queue.packets.len() >= self.limits.waiting_per_acquire {
            return Parked::Full;
        }
        queue.packets.push(packet.to_vec());
        self.packets += 1;
        Parked::Yes
    }

    /// Notes what packets wait for.
    pub(super) fn name(&mut self, now: Instant, id: AcquireId, template: TemplateId) {
        let queue = self.queues.entry(id).or_default();
        queue.since.get_or_insert(now);
        queue.template = Some(template);
    }

    /// Takes the packets of one negotiation out, in the order they came.
    pub(super) fn take(&mut self, id: AcquireId) -> Option<Vec<Vec<u8>>> {
        let queue = self.queues.remove(&id)?;
        self.packets -= queue.packets.len();
        Some(queue.packets)
    }

    /// The negotiations for a template.
    pub(super) fn of_template(&self, template: TemplateId) -> Vec<AcquireId> {
        self.queues.iter().filter(|(_, queue)| queue.template == Some(template)).map(|(id, _)| *id).collect()
    }

    /// Lets the packets of one negotiation wait until `at`, and no longer.
    pub(super) fn release_at(&mut self, id: AcquireId, at: Instant) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.release.get_or_insert(at);
        }
    }

    /// When something is to be done about the next one.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queues.values().filter_map(|queue| queue.due(self.limits.patience)).min()
    }

    /// The negotiations whose packets have waited long enough.
    pub(super) fn due(&self, now: Instant) -> Vec<Due> {
        let due = self
            .queues
            .iter()
            .filter(|(_, queue)| queue.due(self.limits.patience).is_some_and(|at| now >= at));
        due.map(|(id, queue)| if queue.release.is_some() { Due::Release(*id) } else { Due::GiveUp(*id) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_what_is_taken_makes_room() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let now = Instant::now();
        let limits = NodeLimits { waiting_per_acquire: 3, waiting: 5, ..NodeLimits::default() };
        let mut waiting = Waiting::new(limits);
        let park = |waiting: &mut Waiting, id| waiting.park(now, AcquireId(id), &[0]);
        assert_eq!(
            [1, 1, 1, 1].map(|id| park(&mut waiting, id)),
            [Parked::Yes, Parked::Yes, Parked::Yes, Parked::Full]
        );
        assert_eq!([2, 2, 2].map(|id| park(&mut waiting, id)), [Parked::Yes, Parked::Yes, Parked::Full]);
        assert_eq!((waiting.packets(), waiting.acquires()), (5, 2));
        waiting.name(now, AcquireId(1), TemplateId(7));
        assert_eq!(waiting.of_template(TemplateId(7)), [AcquireId(1)]);
        assert_eq!(waiting.take(AcquireId(1)).map(|packets| packets.len()), Some(3));
        assert_eq!(waiting.take(AcquireId(1)), None);
        assert_eq!(park(&mut waiting, 2), Parked::Yes);
        let due = waiting.deadline().expect("something waits");
        assert!(waiting.due(due - Duration::from_nanos(1)).is_empty());
        assert_eq!(waiting.due(due), [Due::GiveUp(AcquireId(2))]);
        let soon = now + Duration::from_millis(50);
        waiting.release_at(AcquireId(2), soon);
        assert_eq!(waiting.deadline(), Some(soon));
        assert_eq!(waiting.due(soon), [Due::Release(AcquireId(2))]);
    }
}
