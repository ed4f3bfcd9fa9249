//! What happened, as facts: `Clone`, free of secrets, in the order it happened.

use std::sync::Arc;
use std::time::Duration;

use ipsec_proto::net::{Cookie, Path, Spi};
use ipsec_proto::registry::NotifyType;
use ipsec_sad::{AcquireId, PairId, Selector, TemplateId};

use crate::diagnosis::Diagnosis;
use crate::identity::Identity;
use crate::natt::NatFound;
use crate::refusal::Refusal;
use crate::state::{MessageNumber, Phase, Role};
use crate::suite::{ChildSuite, IkeSuite};

/// The number of a command, in the order they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// The two cookies that name an ISAKMP SA (RFC 2408 §2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cookies {
    /// The initiator's.
    pub initiator: Cookie,
    /// The responder's; zero before MM2.
    pub responder: Cookie,
}

impl core::fmt::Display for Cookies {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.initiator, self.responder)
    }
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sense {
    /// From us to the peer.
    Sent,
    /// From the peer to us.
    Received,
}

/// Why an SA went away.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownReason {
    /// A command on our side.
    Command,
    /// The peer deleted it, in an authenticated message.
    DeletedByPeer,
    /// Its lifetime ended.
    Expired,
    /// A newer one took its place.
    Replaced,
    /// The connection is no longer configured, or not as it was.
    Reconfigured,
    /// The negotiation failed; the diagnosis says why.
    Failed(Box<Diagnosis>),
    /// It was given up for another at a limit.
    Evicted,
}

impl core::fmt::Display for DownReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Command => f.write_str("by command"),
            Self::DeletedByPeer => f.write_str("deleted by the peer"),
            Self::Expired => f.write_str("its lifetime ended"),
            Self::Replaced => f.write_str("replaced by a newer one"),
            Self::Reconfigured => f.write_str("the configuration changed"),
            Self::Failed(diagnosis) => write!(f, "{diagnosis}"),
            Self::Evicted => f.write_str("given up at a limit"),
        }
    }
}

/// Why a datagram was let fall without a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DiscardReason {
    /// No ISAKMP header, or its length is not the datagram's.
    NotIsakmp,
    /// A version that we do not speak.
    Version,
    /// Its cookies name no SA of ours.
    UnknownCookies,
    /// An exchange type that we do not run.
    Exchange,
    /// It belongs to another state than the SA is in.
    WrongState,
    /// It came in clear where encryption is due.
    InClear,
    /// Its message id is zero where it may not be, or was used before.
    MessageId,
    /// A limit is reached.
    Limit,
    /// It is one of our own messages.
    Reflected,
    /// The negotiation is not with this address.
    WrongAddress,
}

impl DiscardReason {
    /// A short stable name, as in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotIsakmp => "not-isakmp",
            Self::Version => "version",
            Self::UnknownCookies => "unknown-cookies",
            Self::Exchange => "exchange",
            Self::WrongState => "wrong-state",
            Self::InClear => "in-clear",
            Self::MessageId => "message-id",
            Self::Limit => "limit",
            Self::Reflected => "reflected",
            Self::WrongAddress => "wrong-address",
        }
    }
}

/// An ISAKMP SA that stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IkeUp {
    /// The connection's name.
    pub connection: Arc<str>,
    /// Where the peer is.
    pub path: Path,
    /// Its name on the wire.
    pub cookies: Cookies,
    /// Our role in phase 1.
    pub role: Role,
    /// What was agreed.
    pub suite: IkeSuite,
    /// Who we said we are.
    pub local_id: Identity,
    /// Who the peer has proven to be.
    pub remote_id: Identity,
    /// Where a NAT was found.
    pub nat: NatFound,
    /// How long it will live.
    pub lifetime: Duration,
}

/// A pair of IPsec SAs that stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChildUp {
    /// The connection's name.
    pub connection: Arc<str>,
    /// The child's name.
    pub child: Arc<str>,
    /// The data plane's word for the child.
    pub template: TemplateId,
    /// The acquires that asked for it.
    pub acquires: Vec<AcquireId>,
    /// The pair.
    pub pair: PairId,
    /// The SPI the peer sends with.
    pub inbound: Spi,
    /// The SPI we send with.
    pub outbound: Spi,
    /// What was agreed.
    pub suite: ChildSuite,
    /// What it covers, local to remote.
    pub selector: Selector,
    /// Our role in the quick mode.
    pub role: Role,
    /// How long it will live.
    pub lifetime: Duration,
    /// Where the packets go, and whether in UDP.
    pub path: Path,
    /// Whether ESP is carried in UDP.
    pub in_udp: bool,
    /// The pair that it takes the place of.
    pub replaces: Option<PairId>,
}

/// How a command ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it was to do.
    Done,
    /// What was asked for stood already.
    AlreadyUp,
    /// It failed, and this is why.
    Failed(Box<Diagnosis>),
    /// A later command or a new configuration took its object away.
    Cancelled,
}

/// A fact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A numbered message went out, or came in and was accepted.
    Message {
        /// Its number.
        number: MessageNumber,
        /// Which way it went.
        sense: Sense,
        /// The connection, where it is known.
        connection: Option<Arc<str>>,
        /// The way it took.
        path: Path,
        /// The SA it belongs to.
        cookies: Cookies,
        /// Its message id; 0 in phase 1.
        message_id: u32,
        /// Its length.
        octets: usize,
        /// Its payloads in order, for a person: `SA KE NONCE NAT-D NAT-D`.
        payloads: String,
    },
    /// A request goes out again.
    Retransmit {
        /// Which one.
        number: MessageNumber,
        /// The SA it belongs to.
        cookies: Cookies,
        /// The way it takes.
        path: Path,
        /// How often it has been sent now: 2 for the first repetition.
        sent: u32,
    },
    /// A duplicate came in and was answered from the cache, or needed no answer.
    Duplicate {
        /// The SA it belongs to.
        cookies: Cookies,
        /// Where it came from.
        path: Path,
        /// Whether an answer was sent again.
        answered: bool,
    },
    /// A NAT was looked for.
    Nat {
        /// The SA it belongs to.
        cookies: Cookies,
        /// What was found.
        found: NatFound,
        /// The path from now on.
        path: Path,
    },
    /// An ISAKMP SA stands.
    IkeUp(Box<IkeUp>),
    /// An ISAKMP SA is gone, or a negotiation of one has ended without it.
    IkeDown {
        /// The connection, where it was known.
        connection: Option<Arc<str>>,
        /// The peer's place.
        path: Path,
        /// Its name on the wire.
        cookies: Cookies,
        /// Why.
        reason: DownReason,
    },
    /// A pair of IPsec SAs stands.
    ChildUp(Box<ChildUp>),
    /// A child could not be had.
    ChildFailed {
        /// The connection's name.
        connection: Arc<str>,
        /// The child's name.
        child: Arc<str>,
        /// The data plane's word for it.
        template: TemplateId,
        /// The acquires that asked for it.
        acquires: Vec<AcquireId>,
        /// Why.
        diagnosis: Box<Diagnosis>,
    },
    /// An acquire names no child that we could negotiate.
    AcquireRefused {
        /// The data plane's word for what it wanted.
        template: TemplateId,
        /// The acquire.
        acquire: AcquireId,
        /// Why.
        diagnosis: Box<Diagnosis>,
    },
    /// A pair of IPsec SAs is gone.
    ChildDown {
        /// The connection's name.
        connection: Arc<str>,
        /// The child's name.
        child: Arc<str>,
        /// The data plane's word for it.
        template: TemplateId,
        /// The pair.
        pair: PairId,
        /// The SPI the peer sent with.
        inbound: Spi,
        /// The SPI we sent with.
        outbound: Spi,
        /// Why.
        reason: DownReason,
    },
    /// Something that a peer sent was refused.
    Refused {
        /// The connection, where it is known.
        connection: Option<Arc<str>>,
        /// Where it came from.
        path: Path,
        /// The SA it belongs to; zero where there is none yet.
        cookies: Cookies,
        /// What was wrong, with both sides' values.
        refusal: Box<Refusal>,
        /// What to do about it.
        diagnosis: Box<Diagnosis>,
    },
    /// An unauthenticated notify: recorded, believed in nothing.
    Hint {
        /// The connection, where it is known.
        connection: Option<Arc<str>>,
        /// Where it came from.
        path: Path,
        /// The SA it names.
        cookies: Cookies,
        /// What it says.
        notify: NotifyType,
    },
    /// An authenticated notify.
    Notified {
        /// The connection.
        connection: Arc<str>,
        /// The SA it came under.
        cookies: Cookies,
        /// What it says.
        notify: NotifyType,
    },
    /// A datagram was let fall.
    Discarded {
        /// Where it came from.
        path: Path,
        /// Why.
        reason: DiscardReason,
        /// Its length.
        octets: usize,
    },
    /// A negotiation that a peer started was refused or given up at a limit.
    AtLimit {
        /// The limit's name, as in [`Limits`](crate::Limits).
        limit: &'static str,
        /// Its value.
        value: usize,
        /// The peer that met it.
        path: Path,
    },
    /// A phase ended; what it took.
    Step {
        /// The SA it belongs to.
        cookies: Cookies,
        /// Which phase.
        phase: Phase,
        /// From its first message to its last.
        took: Duration,
    },
    /// A command has ended: exactly one for each.
    Done {
        /// Which command.
        request: RequestId,
        /// How.
        outcome: Outcome,
    },
}
