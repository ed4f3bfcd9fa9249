//! One thing that happened, whichever layer it happened in.

use std::fmt;
use std::net::SocketAddr;

use ipsec_ike::{Event, Now};
use ipsec_proto::{Path, Spi};
use ipsec_sad::{AcquireId, AuditEvent, DropReason, Flow, PairId, PolicyId};

use crate::node::GuardDirection;

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed, and stays failed unless somebody acts.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What an operator wants to see: SAs that come and go.
    Info,
    /// Every message of a negotiation.
    Debug,
    /// What anybody can cause by sending datagrams.
    Trace,
}

impl Level {
    /// The word in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Entity {
    /// A datagram of IKE.
    Message,
    /// An IKE SA.
    Ike,
    /// A pair of IPsec SAs.
    Child,
    /// A packet of traffic.
    Packet,
    /// A policy.
    Policy,
    /// A command.
    Command,
    /// The gateway as a whole.
    Gateway,
}

impl Entity {
    /// The word in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Ike => "ike",
            Self::Child => "child",
            Self::Packet => "packet",
            Self::Policy => "policy",
            Self::Command => "command",
            Self::Gateway => "gateway",
        }
    }
}

/// What happened between the layers, in the node or in the gateway's loop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeEvent {
    /// A packet waits for an SA, and a negotiation was asked for.
    Acquire {
        /// The name under which it waits.
        id: AcquireId,
        /// The policy that wants it protected.
        policy: PolicyId,
        /// The packet.
        flow: Flow,
    },
    /// A negotiation has ended well, and the packets that waited were sent.
    Released {
        /// The name under which they waited.
        id: AcquireId,
        /// How many were sent.
        packets: usize,
    },
    /// A negotiation has failed, and the packets that waited were dropped.
    GivenUp {
        /// The name under which they waited.
        id: AcquireId,
        /// How many were dropped.
        packets: usize,
        /// The reason they are counted under.
        reason: DropReason,
    },
    /// The data plane could not take an SA in.
    InstallFailed {
        /// The pair it belongs to.
        pair: PairId,
        /// Its SPI.
        spi: Spi,
        /// Why, as a sentence.
        reason: String,
    },
    /// The configuration was replaced.
    Reloaded {
        /// Connections in it.
        connections: usize,
        /// Policies in the SPD.
        policies: usize,
    },
    /// Records that strangers can cause were left out, to keep a flood of datagrams out of the logs.
    Withheld {
        /// How many.
        records: u64,
    },
    /// The host's packet filter dropped packets in clear that a policy does not let pass.
    ClearDropped {
        /// The policy's name.
        policy: String,
        /// Which way they went.
        direction: GuardDirection,
        /// How many since the last such record of this policy and direction.
        packets: u64,
    },
    /// A backend reported an error of the system; traffic goes on.
    Backend {
        /// `wire`, `link`, or `clear` for what a policy lets pass in clear.
        side: &'static str,
        /// Packets dropped since the last such record.
        dropped: usize,
        /// What the system said.
        error: String,
    },
}

/// The layers' own words for what happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// The control plane's.
    Ike(Event),
    /// The data plane's: a refused packet that has to be audited.
    Audit(AuditEvent),
    /// The node's own.
    Node(NodeEvent),
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// When.
    pub at: Now,
    /// What.
    pub what: What,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Number(u64),
    /// A word or a sentence.
    Text(String),
    /// Yes or no.
    Truth(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => f.write_str(text),
            Self::Truth(truth) => fmt::Display::fmt(truth, f),
        }
    }
}

/// What all sinks show of a record.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) code: &'static str,
    pub(super) level: Level,
    pub(super) entity: Entity,
    pub(super) connection: Option<String>,
    pub(super) path: Option<Path>,
    pub(super) spi: Option<String>,
    pub(super) fields: Vec<(&'static str, Value)>,
    pub(super) message: String,
}

impl Record {
    /// Its stable code: dots between words, `ike.up`, `child.failed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.describe().code
    }

    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        self.describe().level
    }

    /// What it is about.
    #[must_use]
    pub fn entity(&self) -> Entity {
        self.describe().entity
    }

    /// The connection's name, where there is one.
    #[must_use]
    pub fn connection(&self) -> Option<String> {
        self.describe().connection
    }

    /// The peer's address and port, where there is one.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.describe().path.map(|path| path.remote)
    }

    /// The SPIs or cookies it concerns, as operators write them.
    #[must_use]
    pub fn spi(&self) -> Option<String> {
        self.describe().spi
    }

    /// What else is known, in a fixed order for each code.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, Value)> {
        self.describe().fields
    }

    /// It as a sentence.
    #[must_use]
    pub fn message(&self) -> String {
        self.describe().message
    }
}
