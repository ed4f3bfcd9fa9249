//! Traces: what the data plane does, packet by packet, in nine classes that are switched one by one.
//!
//! A class that is off costs one test of a mask. What is traced is plain data; text is made of it by whoever reads it.

use core::fmt;
use std::time::Instant;

use ipsec_crypto::ProtectionSuite;
use ipsec_proto::Spi;

use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::PairId;
use crate::spd::{Action, PolicyId};

/// A class of traces. The names are those of the trace hooks that AIX has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraceClass {
    /// Dropped packets that no policy wanted dropped.
    Error,
    /// Packets that a policy, or an SA's selectors, refused.
    Filter,
    /// The policy of every packet.
    FilterInfo,
    /// SAs that come, go and end, and packets that miss one.
    Tunnel,
    /// The SA of every packet.
    TunnelInfo,
    /// Packets whose headers, trailers or lengths are wrong.
    Capsulation,
    /// Every packet that was encapsulated or decapsulated.
    CapsulationInfo,
    /// Packets that the algorithms refused.
    Crypto,
    /// The algorithms of every packet.
    CryptoInfo,
}

impl TraceClass {
    /// All nine.
    pub const ALL: [Self; 9] = [
        Self::Error,
        Self::Filter,
        Self::FilterInfo,
        Self::Tunnel,
        Self::TunnelInfo,
        Self::Capsulation,
        Self::CapsulationInfo,
        Self::Crypto,
        Self::CryptoInfo,
    ];

    /// The name in configurations and records: lower case, words joined by hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Filter => "filter",
            Self::FilterInfo => "filter-info",
            Self::Tunnel => "tunnel",
            Self::TunnelInfo => "tunnel-info",
            Self::Capsulation => "capsulation",
            Self::CapsulationInfo => "capsulation-info",
            Self::Crypto => "crypto",
            Self::CryptoInfo => "crypto-info",
        }
    }

    /// The class with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// The class of a dropped packet, besides [`TraceClass::Error`].
    const fn of_drop(reason: DropReason) -> Self {
        match reason {
            DropReason::PolicyDiscard
            | DropReason::NoPolicy
            | DropReason::SelectorMismatch
            | DropReason::OutsideBundle
            | DropReason::SourceRoute
            | DropReason::ClearWhereProtectRequired => Self::Filter,
            DropReason::NoSa
            | DropReason::AcquireLimit
            | DropReason::AcquireQueueFull
            | DropReason::SequenceExhausted
            | DropReason::CheckpointDue
            | DropReason::WrongSource
            | DropReason::UnknownSpi
            | DropReason::SaExpired
            | DropReason::BundleBroken
            | DropReason::Replayed
            | DropReason::TooOld => Self::Tunnel,
            DropReason::SealFailed | DropReason::IntegrityFailed => Self::Crypto,
            _ => Self::Capsulation,
        }
    }
}

impl fmt::Display for TraceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of classes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct TraceMask(u16);

impl TraceMask {
    /// Nothing is traced.
    pub const NONE: Self = Self(0);
    /// Everything is.
    pub const ALL: Self = Self((1 << TraceClass::ALL.len()) - 1);

    /// One class.
    #[must_use]
    pub const fn of(class: TraceClass) -> Self {
        Self(class.bit())
    }

    /// These and `class`.
    #[must_use]
    pub const fn with(self, class: TraceClass) -> Self {
        Self(self.0 | class.bit())
    }

    /// The classes of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `class` is one of them.
    #[must_use]
    pub const fn contains(self, class: TraceClass) -> bool {
        self.0 & class.bit() != 0
    }

    /// Whether some class is in both.
    #[must_use]
    #[inline]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The classes of a packet dropped for `reason`.
    #[must_use]
    pub const fn of_drop(reason: DropReason) -> Self {
        let class = Self::of(TraceClass::of_drop(reason));
        match reason {
            DropReason::PolicyDiscard | DropReason::NoPolicy | DropReason::Dummy => class,
            _ => class.with(TraceClass::Error),
        }
    }
}

impl fmt::Debug for TraceMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(TraceClass::ALL.into_iter().filter(|class| self.contains(*class))).finish()
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Traced {
    /// A packet was dropped.
    Dropped {
        /// Why.
        reason: DropReason,
        /// Its SPI.
        spi: Option<Spi>,
        /// Its sequence number.
        sequence: Option<u64>,
        /// The clear packet, or the packet inside.
        flow: Option<Flow>,
    },
    /// A policy, or the default, was found for a clear packet.
    Decided {
        /// The packet.
        flow: Flow,
        /// The policy; `None` is the default.
        policy: Option<PolicyId>,
        /// What it says.
        action: Action,
    },
    /// An SA was added.
    Added {
        /// Its pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
    },
    /// A pair's outbound SA is used from now on.
    Activated {
        /// The pair.
        pair: PairId,
    },
    /// An SA was removed.
    Removed {
        /// Its pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
    },
    /// An SA was found for a packet.
    Chosen {
        /// Its pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
    },
    /// The algorithms have sealed or opened a packet.
    Processed {
        /// The SA.
        spi: Spi,
        /// The packet's sequence number.
        sequence: u64,
        /// The algorithms.
        suite: ProtectionSuite,
    },
    /// A packet was encapsulated or decapsulated.
    Carried {
        /// The SA.
        spi: Spi,
        /// The packet's sequence number.
        sequence: u64,
        /// Octets of the clear packet.
        octets: usize,
    },
}

/// One trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When it was done.
    pub at: Instant,
    /// The classes it belongs to.
    pub classes: TraceMask,
    /// The way of the packet, or which SA of a pair.
    pub direction: Direction,
    /// What was done.
    pub what: Traced,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped { reason, spi, sequence, flow } => {
                write!(f, "dropped: {reason}")?;
                if let Some(spi) = spi {
                    write!(f, ", SPI {spi}")?;
                }
                if let Some(sequence) = sequence {
                    write!(f, ", sequence {sequence}")?;
                }
                match flow {
                    Some(flow) => write!(f, ", {flow}"),
                    None => Ok(()),
                }
            }
            Self::Decided { flow, policy: Some(policy), action } => {
                write!(f, "{flow}: policy {policy} says {action}")
            }
            Self::Decided { flow, policy: None, action } => write!(f, "{flow}: the default says {action}"),
            Self::Added { pair, spi } => write!(f, "SA {spi} of pair {pair} added"),
            Self::Activated { pair } => write!(f, "pair {pair} is used"),
            Self::Removed { pair, spi } => write!(f, "SA {spi} of pair {pair} removed"),
            Self::Chosen { pair, spi } => write!(f, "SA {spi} of pair {pair} found"),
            Self::Processed { spi, sequence, suite } => {
                write!(f, "SPI {spi}, sequence {sequence}: {suite} done")
            }
            Self::Carried { spi, sequence, octets } => {
                write!(f, "SPI {spi}, sequence {sequence}: {octets} octets carried")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A mask is known to the compiler.
    const _: () = assert!(TraceMask::ALL.contains(TraceClass::CryptoInfo));
    const _: () = assert!(!TraceMask::of(TraceClass::Filter).meets(TraceMask::of(TraceClass::FilterInfo)));

    #[test]
    fn classes_are_nine_and_found_by_name() {
        let mut mask = TraceMask::NONE;
        for class in TraceClass::ALL {
            assert_eq!(TraceClass::from_name(class.name()), Some(class));
            assert!(!mask.contains(class));
            mask = mask.with(class);
        }
        assert_eq!(mask, TraceMask::ALL);
        assert_eq!(TraceClass::from_name("none"), None);
    }

    #[test]
    fn a_policys_discard_is_no_error() {
        let classes = TraceMask::of_drop(DropReason::PolicyDiscard);
        assert_eq!(classes, TraceMask::of(TraceClass::Filter));
        let classes = TraceMask::of_drop(DropReason::IntegrityFailed);
        assert_eq!(classes, TraceMask::of(TraceClass::Crypto).with(TraceClass::Error));
    }
}
