//! Auditable events (RFC 4301 §5, RFC 4302 §4, RFC 4303 §4): what an audit log should say about a packet that was refused.

use core::fmt;
use std::time::Instant;

use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi};

use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::PairId;
use crate::selector::Selector;
use crate::spd::PolicyId;

/// What a log entry about an event should hold, by the RFCs' lists. Every event has its time and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditField {
    /// [`AuditEvent::spi`].
    Spi,
    /// [`AuditEvent::protocol`].
    Protocol,
    /// The packet's source and destination: [`AuditEvent::path`] of one in an SA, [`AuditEvent::flow`] of a clear one.
    Addresses,
    /// [`AuditEvent::sequence`].
    Sequence,
    /// [`AuditEvent::flow_label`], of an IPv6 packet.
    FlowLabel,
    /// The packet's selector values: [`AuditEvent::flow`].
    Flow,
    /// The selectors of the SA: [`AuditEvent::selector`].
    Selector,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, [$($field:ident),*];)*) => {
        /// The events that the RFCs call auditable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum AuditKind {
            $($(#[$doc])* $variant,)*
        }

        impl AuditKind {
            /// Every kind, in the order of the packet's way.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in records: lower case, words joined by hyphens.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The fields that the RFCs want in the log entry.
            #[must_use]
            pub const fn fields(self) -> &'static [AuditField] {
                match self {
                    $(Self::$variant => &[$(AuditField::$field,)*],)*
                }
            }
        }
    };
}

kinds! {
    /// No SA for a received packet (RFC 4301 §5.2 step 3a, RFC 4302 §3.4.2, RFC 4303 §3.4.2).
    NoSa, "no-sa", [Spi, Protocol, Addresses, Sequence, FlowLabel];
    /// A packet offered to AH or ESP is a fragment (RFC 4302 §3.4.1, RFC 4303 §3.4.1).
    Fragment, "fragment", [Spi, Protocol, Addresses, Sequence, FlowLabel];
    /// The anti-replay check has failed (RFC 4302 §3.4.3, RFC 4303 §3.4.3).
    Replay, "replay", [Spi, Protocol, Addresses, Sequence, FlowLabel];
    /// The integrity check has failed (RFC 4302 §3.4.4, RFC 4303 §3.4.4).
    Integrity, "integrity", [Spi, Protocol, Addresses, Sequence, FlowLabel];
    /// The packet in an SA is not covered by the SA's selectors (RFC 4301 §5.2 step 5).
    Selectors, "selectors", [Spi, Protocol, Addresses, Flow, Selector];
    /// A clear packet that no policy lets in (RFC 4301 §5.2 step 3b).
    ClearInbound, "clear-inbound", [Addresses, Flow];
    /// Sending would pass the last sequence number (RFC 4301 §4.4.2.1, RFC 4302 §3.3.2, RFC 4303 §3.3.3).
    SequenceOverflow, "sequence-overflow", [Spi, Protocol, Addresses, Sequence, FlowLabel, Selector];
    /// A packet that may not go out (RFC 4301 §5.1.1).
    Outbound, "outbound", [Addresses, Flow];
}

impl AuditKind {
    /// What the RFCs call a packet that is dropped for `reason`; `None` if they want no audit of it.
    #[must_use]
    pub const fn of(reason: DropReason, direction: Direction) -> Option<Self> {
        Some(match (direction, reason) {
            (_, DropReason::UnknownSpi | DropReason::WrongSource) => Self::NoSa,
            (_, DropReason::Fragmented) => Self::Fragment,
            (_, DropReason::Replayed | DropReason::TooOld) => Self::Replay,
            (_, DropReason::IntegrityFailed) => Self::Integrity,
            (_, DropReason::SelectorMismatch | DropReason::OutsideBundle) => Self::Selectors,
            (_, DropReason::SequenceExhausted) => Self::SequenceOverflow,
            (Direction::Inbound, DropReason::ClearWhereProtectRequired | DropReason::NoPolicy) => {
                Self::ClearInbound
            }
            (
                Direction::Outbound,
                DropReason::PolicyDiscard | DropReason::NoPolicy | DropReason::NoSa | DropReason::SaExpired,
            ) => Self::Outbound,
            _ => return None,
        })
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which kinds of events are audited: what RFC 4303 §4 wants an administrator to be able to switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditKinds(u16);

impl AuditKinds {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = {
        let mut all = Self::NONE;
        let mut index = 0;
        while index < AuditKind::ALL.len() {
            all = all.with(AuditKind::ALL[index]);
            index += 1;
        }
        all
    };

    /// These and `kind`.
    #[must_use]
    pub const fn with(self, kind: AuditKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// These without `kind`.
    #[must_use]
    pub const fn without(self, kind: AuditKind) -> Self {
        Self(self.0 & !kind.bit())
    }

    /// Whether `kind` is one of them.
    #[must_use]
    pub const fn contains(self, kind: AuditKind) -> bool {
        self.0 & kind.bit() != 0
    }
}

impl Default for AuditKinds {
    /// All but [`AuditKind::Outbound`]: hosts behind a gateway send much that is not meant to leave.
    fn default() -> Self {
        Self::ALL.without(AuditKind::Outbound)
    }
}

/// A refused packet whose refusal the RFCs call auditable.
///
/// Fields that do not exist for a kind are `None`: an unknown SPI has no pair, a clear packet no SPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When the packet was processed.
    pub at: Instant,
    /// What the RFCs call it.
    pub kind: AuditKind,
    /// What was wrong with it.
    pub reason: DropReason,
    /// The way it went.
    pub direction: Direction,
    /// The SA pair it belongs to.
    pub pair: Option<PairId>,
    /// Its SPI.
    pub spi: Option<Spi>,
    /// AH or ESP.
    pub protocol: Option<IpProtocol>,
    /// Its sequence number: with ESN and an SA, all 64 bits.
    pub sequence: Option<u64>,
    /// The outer addresses, where the packet came or would go in an SA.
    pub path: Option<Path>,
    /// The flow label of an IPv6 packet that can be seen in clear: outbound of the packet itself.
    pub flow_label: Option<u32>,
    /// The clear packet, or the packet inside.
    pub flow: Option<Flow>,
    /// The selectors of the SA.
    pub selector: Option<Selector>,
    /// The policy that decided.
    pub policy: Option<PolicyId>,
}

impl AuditEvent {
    /// Whether a field is there. A flow label is not missed in a packet of IPv4.
    #[must_use]
    pub fn has(&self, field: AuditField) -> bool {
        match field {
            AuditField::Spi => self.spi.is_some(),
            AuditField::Protocol => self.protocol.is_some(),
            AuditField::Addresses => self.path.is_some() || self.flow.is_some(),
            AuditField::Sequence => self.sequence.is_some(),
            AuditField::FlowLabel => {
                self.flow_label.is_some() || self.path.is_none_or(|path| path.remote.is_ipv4())
            }
            AuditField::Flow => self.flow.is_some(),
            AuditField::Selector => self.selector.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_reached_and_switched_alone() {
        for &kind in AuditKind::ALL {
            assert!(AuditKinds::ALL.contains(kind) && !AuditKinds::NONE.contains(kind));
            let without = AuditKinds::ALL.without(kind);
            assert!(AuditKind::ALL.iter().all(|&other| without.contains(other) == (other != kind)));
            assert_eq!(without.with(kind), AuditKinds::ALL);
            let reached = DropReason::ALL.iter().any(|&reason| {
                [Direction::Inbound, Direction::Outbound]
                    .into_iter()
                    .any(|direction| AuditKind::of(reason, direction) == Some(kind))
            });
            assert!(reached, "{kind}");
        }
        assert!(!AuditKinds::default().contains(AuditKind::Outbound));
    }
}
