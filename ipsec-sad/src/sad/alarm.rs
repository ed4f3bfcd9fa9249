//! What an SA has to tell the control side once, kept until it was told.

use core::sync::atomic::{AtomicU16, Ordering};

use super::LimitKind;

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    Soft(LimitKind),
    Hard(LimitKind),
    SequenceLow,
    FirstInbound,
    CheckpointDue,
}

const SOFT: u16 = 0b0000_0111;
const HARD: u16 = 0b0011_1000;

impl Alarm {
    const ALL: [Self; 9] = [
        Self::Soft(LimitKind::Time),
        Self::Soft(LimitKind::Bytes),
        Self::Soft(LimitKind::Packets),
        Self::Hard(LimitKind::Time),
        Self::Hard(LimitKind::Bytes),
        Self::Hard(LimitKind::Packets),
        Self::SequenceLow,
        Self::FirstInbound,
        Self::CheckpointDue,
    ];

    const fn bit(self) -> u16 {
        match self {
            Self::Soft(LimitKind::Time) => 1,
            Self::Soft(LimitKind::Bytes) => 1 << 1,
            Self::Soft(LimitKind::Packets) => 1 << 2,
            Self::Hard(LimitKind::Time) => 1 << 3,
            Self::Hard(LimitKind::Bytes) => 1 << 4,
            Self::Hard(LimitKind::Packets) => 1 << 5,
            Self::SequenceLow => 1 << 6,
            Self::FirstInbound => 1 << 7,
            Self::CheckpointDue => 1 << 8,
        }
    }

    /// Alarms of which one told is enough.
    const fn kin(self) -> u16 {
        match self {
            Self::Soft(_) => SOFT,
            Self::Hard(_) => HARD,
            other => other.bit(),
        }
    }
}

/// The alarms of one SA. Workers that share it agree on who tells.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    due: AtomicU16,
    told: AtomicU16,
}

impl Alarms {
    /// The fact holds from now on.
    pub(crate) fn raise(&self, alarm: Alarm) {
        self.due.fetch_or(alarm.bit(), Ordering::Relaxed);
    }

    /// The fact holds no more, and is told again when it does.
    pub(crate) fn withdraw(&self, alarm: Alarm) {
        self.due.fetch_and(!alarm.bit(), Ordering::Relaxed);
        self.told.fetch_and(!alarm.bit(), Ordering::Relaxed);
    }

    /// Whether some hard limit was passed.
    pub(crate) fn is_expired(&self) -> bool {
        self.due.load(Ordering::Relaxed) & HARD != 0
    }

    /// Whether something is due that was not told.
    pub(crate) fn is_owed(&self) -> bool {
        self.due.load(Ordering::Relaxed) & !self.told.load(Ordering::Relaxed) != 0
    }

    /// Hands every fact that was not told to `tell`, which says whether it could be told. Gives back `false` if
    /// something stays owed.
    pub(crate) fn settle(&self, mut tell: impl FnMut(Alarm) -> bool) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        let mut settled = true;
        for alarm in Alarm::ALL {
            if due & alarm.bit() == 0 {
                continue;
            }
            let before = self.told.fetch_or(alarm.kin(), Ordering::Relaxed);
            if before & alarm.kin() == 0 && !tell(alarm) {
                self.told.fetch_and(!alarm.kin(), Ordering::Relaxed);
                settled = false;
            }
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_told_once_and_kept_until_it_is() {
        let alarms = Alarms::default();
        let mut told = Vec::new();
        alarms.raise(Alarm::Soft(LimitKind::Bytes));
        alarms.raise(Alarm::Soft(LimitKind::Time));
        assert!(alarms.is_owed() && !alarms.is_expired());
        assert!(!alarms.settle(|_| false), "no room");
        assert!(alarms.settle(|alarm| {
            told.push(alarm);
            true
        }));
        alarms.raise(Alarm::Soft(LimitKind::Packets));
        alarms.raise(Alarm::Hard(LimitKind::Packets));
        assert!(alarms.is_expired());
        assert!(alarms.settle(|alarm| {
            told.push(alarm);
            true
        }));
        assert!(!alarms.is_owed());
        assert_eq!(told, [Alarm::Soft(LimitKind::Time), Alarm::Hard(LimitKind::Packets)]);
    }
}
