//! What the data plane tells the control side.

use std::time::Instant;

use ipsec_proto::{Path, Spi};

use crate::flow::{Direction, Flow};
use crate::sad::{LimitKind, PairId};
use crate::selector::Selector;
use crate::spd::{PolicyId, TemplateId};
use crate::verdict::AcquireId;

/// A fact from the data plane that the control side acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SadEvent {
    /// A packet needs an SA that does not exist. Comes once; the id stays with the packets until
    /// [`Update::Activate`](crate::Update::Activate), [`Update::HoldDown`](crate::Update::HoldDown) or
    /// [`Update::AcquireFailed`](crate::Update::AcquireFailed) ends it.
    Acquire {
        /// What waiting packets carry as their verdict.
        id: AcquireId,
        /// The policy that wants the packet protected.
        policy: PolicyId,
        /// What to negotiate.
        template: TemplateId,
        /// The packet that asked.
        flow: Flow,
        /// The selectors to propose: the policy's keying granularity applied to the packet.
        proposal: Selector,
    },
    /// An SA has passed a soft limit: negotiate its successor.
    SoftLimit {
        /// The SA's pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
        /// Which half of the pair.
        direction: Direction,
        /// Which limit.
        which: LimitKind,
    },
    /// An SA has passed a hard limit and carries no more packets: delete the pair.
    HardLimit {
        /// The SA's pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
        /// Which half of the pair.
        direction: Direction,
        /// Which limit.
        which: LimitKind,
    },
    /// An outbound SA has used most of its sequence numbers: negotiate its successor.
    SequenceLow {
        /// The SA's pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
    },
    /// The newest authenticated packet of an SA came from another address or port than the SA knows: a NAT has a new
    /// mapping. Nothing is changed until [`Update::MovePath`](crate::Update::MovePath).
    PeerMoved {
        /// The SA's pair.
        pair: PairId,
        /// The inbound SA.
        spi: Spi,
        /// Where the packet came from.
        path: Path,
    },
    /// ESP came in with an SPI that no SA has. Not authenticated, and limited in rate.
    UnknownSpi {
        /// The SPI.
        spi: Spi,
        /// Where the packet came from.
        path: Path,
    },
    /// The path of an outbound SA takes shorter packets than was known, as an ICMP message says that was believed. The
    /// tunnel device's MTU should follow.
    PathMtu {
        /// The SA's pair.
        pair: PairId,
        /// The longest outer packet, in octets.
        mtu: u16,
        /// The longest packet inside.
        inner: u16,
    },
    /// The first authenticated packet on an inbound SA: the peer uses the pair, so may we.
    FirstInbound {
        /// The SA's pair.
        pair: PairId,
        /// The inbound SA.
        spi: Spi,
    },
    /// A saved SA has used half of what its last stored checkpoint lets it: make another, see
    /// [`Worker::checkpoint`](crate::Worker::checkpoint).
    CheckpointDue {
        /// The SA's pair.
        pair: PairId,
        /// The SA.
        spi: Spi,
        /// Which half of the pair.
        direction: Direction,
    },
    /// An authenticated packet came in on the pair; at most one such event an interval and SA.
    LastHeard {
        /// The SA's pair.
        pair: PairId,
        /// When.
        at: Instant,
    },
}
