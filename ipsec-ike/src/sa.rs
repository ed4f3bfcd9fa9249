//! What is kept of an ISAKMP SA, of its exchanges, and of the IPsec SAs that came out of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_proto::net::{Path, Spi};
use ipsec_sad::{AcquireId, PairId, ProtocolKind, Selector, TemplateId};

use crate::config::{Child, Connection};
use crate::diagnosis::Diagnoser;
use crate::event::Cookies;
use crate::identity::Identity;
use crate::natt::NatFound;
use crate::retransmit::Outstanding;
use crate::state::{MessageNumber, QuickState, Role};
use crate::suite::ChildSuite;
use crate::v1::main::Phase1;
use crate::v1::quick;

/// An ISAKMP SA's number within this process; greater is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SaId(pub(crate) u64);

/// How often a child has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    /// The ISAKMP SA that it was tried under turned out to be dead.
    Again,
}

/// A child that is wanted, and for whom.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) child: Child,
    pub(crate) acquires: Vec<AcquireId>,
    pub(crate) replaces: Option<PairId>,
    pub(crate) attempt: Attempt,
}

/// The message ids that an ISAKMP SA has seen, ours among them so that a reflected message is known (RFC 2409 §5.5:
/// they are unique under one SA). None is forgotten while the SA lives, or its message could come again.
#[derive(Debug, Default)]
pub(crate) struct UsedIds(BTreeSet<u32>);

impl UsedIds {
    pub(crate) fn contains(&self, id: u32) -> bool {
        self.0.contains(&id)
    }

    pub(crate) fn insert(&mut self, id: u32) {
        self.0.insert(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The last request and what it was answered with: a duplicate gets the same octets again.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Vec<u8>,
}

/// The addresses of an initiator that still asks for them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Addressing {
    pub(crate) local: Option<IpAddr>,
    pub(crate) remote: Option<IpAddr>,
}

/// An ISAKMP SA, from its first message on.
#[derive(Debug)]
pub(crate) struct IkeSa {
    pub(crate) role: Role,
    pub(crate) cookies: Cookies,
    /// Where the peer is: it moves by authentic messages only.
    pub(crate) path: Path,
    /// The address that MM1 came from, by which a responder knows it again.
    pub(crate) source: IpAddr,
    /// The connection; for a responder the first candidate, until MM5 settles it.
    pub(crate) connection: Arc<Connection>,
    pub(crate) name: Arc<str>,
    pub(crate) candidates: Vec<Arc<Connection>>,
    pub(crate) phase1: Phase1,
    pub(crate) addressing: Addressing,
    pub(crate) diagnoser: Diagnoser,
    pub(crate) outstanding: Option<(MessageNumber, Outstanding)>,
    pub(crate) answered: Answered,
    pub(crate) started: Instant,
    /// When the last authentic message came.
    pub(crate) heard: Instant,
    /// The ISAKMP SA that this one takes the place of.
    pub(crate) renews: Option<SaId>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) exchanges: BTreeMap<u32, Exchange>,
    pub(crate) used_ids: UsedIds,
    /// When the last notify in clear was sent, so that the next one waits.
    pub(crate) clear_notify_at: Option<Instant>,
}

/// A quick mode.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) phase: QuickPhase,
    pub(crate) outstanding: Option<(MessageNumber, Outstanding)>,
    pub(crate) answered: Answered,
    pub(crate) diagnoser: Diagnoser,
    pub(crate) started: Instant,
}

/// A quick mode's state, by role and message that is due.
#[derive(Debug)]
pub(crate) enum QuickPhase {
    Initiator(Box<quick::WaitMsg2>, Wanted),
    Responder(Box<quick::WaitMsg3>, PairId),
    Done,
}

impl QuickPhase {
    pub(crate) const fn name(&self) -> QuickState {
        match self {
            Self::Initiator(..) => QuickState::QmWaitMsg2,
            Self::Responder(..) => QuickState::QmWaitMsg3,
            Self::Done => QuickState::QmDone,
        }
    }
}

/// How far a pair of IPsec SAs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildPhase {
    /// Responder: QM2 is sent; the outbound SA waits for QM3 or a packet.
    Pending,
    /// In use.
    Up,
    /// A newer pair has taken its place; it stays for packets under way.
    Replaced,
}

/// The two SPIs of a pair of IPsec SAs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spis {
    pub(crate) kind: ProtocolKind,
    pub(crate) inbound: Spi,
    pub(crate) outbound: Spi,
}

/// The pair that another one's packets travel in: AH around ESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carrier {
    pub(crate) pair: PairId,
    pub(crate) spis: Spis,
}

/// A pair of IPsec SAs, with the pair around it where there is one. It does not belong to an ISAKMP SA: it outlives it.
#[derive(Debug)]
pub(crate) struct ChildSa {
    pub(crate) connection: Arc<str>,
    pub(crate) child: Arc<str>,
    pub(crate) template: TemplateId,
    pub(crate) remote_id: Identity,
    pub(crate) spis: Spis,
    pub(crate) carrier: Option<Carrier>,
    pub(crate) suite: ChildSuite,
    pub(crate) selector: Selector,
    pub(crate) path: Path,
    pub(crate) in_udp: bool,
    pub(crate) nat: NatFound,
    pub(crate) role: Role,
    pub(crate) phase: ChildPhase,
    pub(crate) created: Instant,
    pub(crate) lifetime: Duration,
    pub(crate) acquires: Vec<AcquireId>,
    pub(crate) replaces: Option<PairId>,
    /// The quick mode that makes it, while it is pending.
    pub(crate) exchange: Option<(SaId, u32)>,
}

impl ChildSa {
    /// The SPIs of both protocols, the inner one's first.
    pub(crate) fn all_spis(&self) -> impl Iterator<Item = Spis> + use<> {
        [Some(self.spis), self.carrier.map(|carrier| carrier.spis)].into_iter().flatten()
    }
}
