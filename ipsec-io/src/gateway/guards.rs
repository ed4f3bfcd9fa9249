//! What the host's packet filter has dropped: for the status, and as records that do not flood.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::events::NodeEvent;
use crate::node::{GuardDirection, GuardReport};

/// How often one policy and direction is spoken of at most.
const PAUSE: Duration = Duration::from_secs(10);

/// The counters as they were told last, and what of them has become records.
#[derive(Debug, Default)]
pub(super) struct Guards {
    last: Option<Vec<GuardReport>>,
    told: BTreeMap<(String, GuardDirection), Told>,
}

#[derive(Debug)]
struct Told {
    packets: u64,
    at: Instant,
}

impl Guards {
    /// Takes the counters, and gives a record for each that rose and was not spoken of lately.
    pub(super) fn take(&mut self, now: Instant, guards: Vec<GuardReport>) -> Vec<NodeEvent> {
        let mut events = Vec::new();
        for GuardReport { policy, direction, packets, .. } in &guards {
            let key = (policy.clone(), *direction);
            let before = self.told.get(&key);
            // A counter that is lower than it was has begun anew.
            let known = before.map_or(0, |told| told.packets);
            let new = packets.checked_sub(known).unwrap_or(*packets);
            let recent = before.is_some_and(|told| now.saturating_duration_since(told.at) < PAUSE);
            if new > 0 && !recent {
                events.push(NodeEvent::ClearDropped {
                    policy: policy.clone(),
                    direction: *direction,
                    packets: new,
                });
                self.told.insert(key, Told { packets: *packets, at: now });
            }
        }
        // Policies that are gone need no memory.
        self.told.retain(|(policy, direction), _| {
            guards.iter().any(|guard| guard.policy == *policy && guard.direction == *direction)
        });
        self.last = Some(guards);
        events
    }

    pub(super) fn report(&self) -> Option<Vec<GuardReport>> {
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_at_once_and_then_with_pauses() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let start = Instant::now();
        let mut guards = Guards::default();
        assert_eq!(guards.report(), None);
        let mut take = |seconds, packets| {
            let direction = GuardDirection::Inbound;
            let guard = GuardReport { policy: "site/net".into(), direction, packets, bytes: packets * 84 };
            let events = guards.take(start + Duration::from_secs(seconds), vec![guard]);
            assert_eq!(guards.report().map(|last| last[0].packets), Some(packets));
            let new = |event: &NodeEvent| match event {
                NodeEvent::ClearDropped { packets, .. } => *packets,
                other => panic!("{other:?}"),
            };
            events.iter().map(new).collect::<Vec<_>>()
        };
        assert_eq!(take(0, 0), [0; 0]);
        assert_eq!(take(2, 3), [3]);
        assert_eq!(take(4, 5), [0; 0]);
        assert_eq!(take(11, 6), [0; 0]);
        assert_eq!(take(12, 7), [4]);
        assert_eq!(take(30, 7), [0; 0]);
        // Begun anew, as after a restart of the filter.
        assert_eq!(take(50, 2), [2]);
        assert!(guards.take(start, Vec::new()).is_empty());
        assert!(guards.told.is_empty());
    }
}
