//! Counters.

use crate::drop::DropReason;

/// Dropped packets by reason. The reasons always add up to the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drops {
    by_reason: [u64; DropReason::ALL.len()],
    total: u64,
}

impl Default for Drops {
    fn default() -> Self {
        Self { by_reason: [0; DropReason::ALL.len()], total: 0 }
    }
}

impl Drops {
    /// Packets dropped.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Packets dropped for `reason`.
    #[must_use]
    pub fn count(&self, reason: DropReason) -> u64 {
        self.by_reason.get(reason.index()).copied().unwrap_or_default()
    }

    /// Every reason with its count, those without a packet too.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.iter().copied().zip(self.by_reason)
    }

    pub(crate) fn add(&mut self, reason: DropReason, packets: u64) {
        if let Some(count) = self.by_reason.get_mut(reason.index()) {
            *count += packets;
            self.total += packets;
        }
    }
}

/// Packets and octets of IP packets in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Octets of the clear packets, headers included.
    pub bytes: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, octets: usize) {
        self.packets += 1;
        self.bytes += octets as u64;
    }
}

/// Packets that a worker was given, and how many of them AH and ESP protect. A packet in both counts in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handled {
    /// All, whatever became of them. A packet handed to another worker counts there.
    pub all: u64,
    /// Inbound: packets with an AH header. Outbound: packets that were given one.
    pub ah: u64,
    /// Inbound: packets with an ESP header. Outbound: packets that were given one.
    pub esp: u64,
}

/// How many SAs, each direction by itself, a worker has had. `added` is always `live` + `expired` + `deleted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaCounts {
    /// Installed.
    pub added: u64,
    /// Removed after they had passed a hard limit.
    pub expired: u64,
    /// Removed or replaced before that.
    pub deleted: u64,
}

impl SaCounts {
    /// SAs that are there.
    #[must_use]
    pub const fn live(&self) -> u64 {
        self.added.saturating_sub(self.expired).saturating_sub(self.deleted)
    }
}
