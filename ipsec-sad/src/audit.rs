//! Auditable events (RFC 4303 §4, RFC 4301 §5.2): what an audit log should say about a packet that was refused.

use std::time::Instant;

use ipsec_proto::{Path, Spi};

use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::PairId;

/// A refused packet whose refusal the RFCs call auditable.
///
/// The addresses are the outer ones where the packet came or would go in an SA. Fields that do not exist for a reason
/// are `None`: an unknown SPI has no pair, a clear packet no SPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When the packet was processed.
    pub at: Instant,
    /// What was wrong with it.
    pub reason: DropReason,
    /// The way it went.
    pub direction: Direction,
    /// The SA pair it belongs to.
    pub pair: Option<PairId>,
    /// Its SPI.
    pub spi: Option<Spi>,
    /// Its sequence number: with ESN and an SA, all 64 bits.
    pub sequence: Option<u64>,
    /// The outer addresses.
    pub path: Option<Path>,
    /// The clear packet, or the packet inside.
    pub flow: Option<Flow>,
}

impl AuditEvent {
    /// Whether the RFCs want an audit log entry for a packet dropped for `reason`.
    #[must_use]
    pub const fn is_auditable(reason: DropReason) -> bool {
        matches!(
            reason,
            DropReason::UnknownSpi
                | DropReason::Replayed
                | DropReason::TooOld
                | DropReason::IntegrityFailed
                | DropReason::SequenceExhausted
                | DropReason::SelectorMismatch
                | DropReason::ClearWhereProtectRequired
        )
    }
}
