//! What comes out of [`Ike`](crate::Ike): datagrams, orders and facts, in one ordered drain; and what goes in as commands.

use core::fmt;
use core::ops::Range;
use std::net::IpAddr;
use std::sync::Arc;

use ipsec_crypto::Secret;
use ipsec_proto::net::{Path, Spi};
use ipsec_sad::{PairId, ReservedSpi, SaParams};

use crate::config::Config;
use crate::event::{Cookies, DiscardReason, Event, RequestId};
use crate::refusal::Refusal;
use crate::suite::IkeSuite;

/// One thing to be done or known. Carry it out before the next is taken: the order is part of the protocol.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// A datagram to be sent.
    Transmit(Transmit),
    /// An order for the data plane or the embedding program; it may hold keys.
    Effect(Effect),
    /// A fact.
    Event(Event),
}

/// A datagram to be sent: an ISAKMP message, or a NAT keepalive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The way it is to take; its local port is one of [`Config::ports`].
    pub path: Path,
    /// Where its octets are in the buffer that was passed to [`poll_output`](crate::Ike::poll_output).
    pub range: Range<usize>,
    /// What has to be in front of it, and what it is.
    pub framing: Framing,
}

/// What stands in front of a datagram's octets on the wire (RFC 3948 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Nothing: IKE on its own port.
    Bare,
    /// The non-ESP marker, four zero octets: IKE on the port that ESP uses too.
    NonEspMarker,
    /// Nothing: the single octet 0xFF of a keepalive.
    Keepalive,
}

/// A question to the embedding program, which is answered by [`Ike::answer`](crate::Ike::answer).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// What is asked. No answer within [`Timing::question`](crate::Timing::question) counts as a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The addresses of a DNS name. Asked each time we initiate to a peer that is configured by name.
    Resolve {
        /// The name.
        name: String,
    },
    /// The address that a datagram to this peer would leave from. Asked where the local address is not configured.
    Source {
        /// The peer.
        remote: IpAddr,
    },
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The addresses asked for, best first; for [`Question::Source`] the first one is taken.
    Addresses(Vec<IpAddr>),
    /// There is none, with the reason for the operator.
    None {
        /// Why, as the resolver or the routing table says.
        reason: String,
    },
}

/// Keys, for a protocol analyser's key tables. Sent only where the configuration asks for it.
#[non_exhaustive]
pub enum KeyLog {
    /// The key of an ISAKMP SA: Wireshark's `ikev1_decryption_table` wants the initiator's cookie and this.
    Ike {
        /// The SA.
        cookies: Cookies,
        /// What was agreed.
        suite: IkeSuite,
        /// The encryption key.
        encryption: Secret,
    },
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ike { cookies, suite, .. } => {
                f.debug_struct("Ike").field("cookies", cookies).field("suite", suite).finish_non_exhaustive()
            }
        }
    }
}

/// An order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Effect {
    /// Install the SA that the peer sends with. It comes before the message that lets the peer send.
    InstallInbound {
        /// The SA, keys included.
        params: Box<SaParams>,
        /// The SPI that it takes.
        reserved: ReservedSpi,
    },
    /// Install the SA that we send with; it is not used before [`Effect::UseOutbound`].
    InstallOutbound {
        /// The SA, keys included.
        params: Box<SaParams>,
    },
    /// The peer has shown that it can receive: send with this pair's outbound SA from now on.
    UseOutbound {
        /// The pair.
        pair: PairId,
    },
    /// Take both SAs of a pair out.
    Remove {
        /// The pair.
        pair: PairId,
        /// Its inbound SPI.
        inbound: Spi,
        /// Its outbound SPI.
        outbound: Spi,
    },
    /// The peer is elsewhere, as an authenticated message shows: send this pair's packets there.
    MovePath {
        /// The pair.
        pair: PairId,
        /// The new way.
        path: Path,
    },
    /// Keys for a protocol analyser.
    KeyLog(KeyLog),
    /// A question.
    Ask {
        /// Its number.
        id: AskId,
        /// What is asked.
        question: Question,
    },
}

/// An operator's wish.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Command {
    /// Bring up a connection: one child of it, or all.
    Up {
        /// The connection's name.
        connection: String,
        /// The child's name; all children where `None`.
        child: Option<String>,
    },
    /// Take down a connection: one child of it, or all with the ISAKMP SAs.
    Down {
        /// The connection's name.
        connection: String,
        /// The child's name; everything where `None`.
        child: Option<String>,
    },
    /// Take everything down, telling every peer: what a daemon does before it ends.
    Clear,
    /// Take up a new configuration. What is unchanged stays.
    Reload(Arc<Config>),
}

/// A command that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such connection.
    #[error("no connection is named {name}: `status` lists them")]
    UnknownConnection {
        /// The name that was given.
        name: String,
    },
    /// The connection has no such child.
    #[error("connection {connection} has no child {child}: `status` lists them")]
    UnknownChild {
        /// The connection.
        connection: String,
        /// The name that was given.
        child: String,
    },
    /// The peer has no address to write to.
    #[error(
        "connection {connection} cannot be started from here: its remote address is a range or %any, so the peer has to start"
    )]
    ResponderOnly {
        /// The connection.
        connection: String,
    },
}

/// Why an [`Ike`](crate::Ike) could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The configuration names an algorithm that the provider does not have.
    #[error(
        "connection {connection}: the provider has no {algorithm}: choose another, or build with the feature that has it"
    )]
    Algorithm {
        /// The connection.
        connection: String,
        /// The algorithm's name.
        algorithm: String,
    },
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Randomness,
}

/// What became of a datagram. Nothing in it makes the caller do anything: it is for counters and traces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// It was what we waited for.
    Accepted,
    /// It was here before; its answer was sent again if there is one.
    Duplicate,
    /// It was read and refused.
    Refused(Box<Refusal>),
    /// It was let fall.
    Discarded(DiscardReason),
}

/// What [`Ike::command`](crate::Ike::command) gives back, again here for the reader: a number, later one [`Event::Done`].
pub type CommandResult = Result<RequestId, CommandError>;
