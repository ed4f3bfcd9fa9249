//! Keeps a stranger who sends datagrams from filling the logs.

use std::time::{Duration, Instant};

use ipsec_ike::Event;

use crate::events::{NodeEvent, Record, What};

/// Records that strangers can cause, per second. What is left out is still in the counters.
const PER_SECOND: u32 = 50;

/// Counts the records of the present second.
#[derive(Debug, Default)]
pub(super) struct Flood {
    since: Option<Instant>,
    passed: u32,
    withheld: u64,
}

impl Flood {
    /// Whether the record may pass; before it, maybe a record of how many were left out.
    pub(super) fn admit(&mut self, record: &Record) -> (bool, Option<Record>) {
        if !is_cheap(&record.what) {
            return (true, None);
        }
        let now = record.at.mono;
        let fresh =
            self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1));
        let mut notice = None;
        if fresh {
            self.since = Some(now);
            self.passed = 0;
            let records = std::mem::take(&mut self.withheld);
            if records > 0 {
                notice = Some(Record { at: record.at, what: What::Node(NodeEvent::Withheld { records }) });
            }
        }
        if self.passed < PER_SECOND {
            self.passed += 1;
            (true, notice)
        } else {
            self.withheld += 1;
            (false, notice)
        }
    }
}

/// Whether anybody who can send a datagram can cause it.
const fn is_cheap(what: &What) -> bool {
    matches!(
        what,
        What::Audit(_)
            | What::Ike(
                Event::Refused { .. }
                    | Event::Discarded { .. }
                    | Event::Duplicate { .. }
                    | Event::Hint { .. }
                    | Event::AtLimit { .. }
            )
    )
}

#[cfg(test)]
mod tests {
    use ipsec_ike::{Now, UnixTime};
    use ipsec_sad::{AuditEvent, AuditKind, Direction, DropReason};

    use super::*;

    #[test]
    fn a_flood_is_cut_and_told_of_and_other_records_pass() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let start = Instant::now();
        let at = |millis| Now {
            mono: start + Duration::from_millis(millis),
            utc: UnixTime::from_epoch(Duration::from_millis(millis)),
        };
        let audit = |now: Now| Record {
            at: now,
            what: What::Audit(AuditEvent {
                at: now.mono,
                kind: AuditKind::NoSa,
                reason: DropReason::UnknownSpi,
                direction: Direction::Inbound,
                pair: None,
                spi: None,
                protocol: None,
                sequence: None,
                path: None,
                flow_label: None,
                flow: None,
                selector: None,
                policy: None,
            }),
        };
        let mut flood = Flood::default();
        let passed = (0..1000).filter(|number| flood.admit(&audit(at(number / 2))).0).count();
        assert_eq!(passed, 50);
        let ours =
            Record { at: at(600), what: What::Node(NodeEvent::Reloaded { connections: 1, policies: 1 }) };
        assert!(flood.admit(&ours).0);
        let (admitted, notice) = flood.admit(&audit(at(1000)));
        assert!(admitted);
        assert!(notice.is_some_and(|notice| notice.text().contains("950 records")));
    }
}
