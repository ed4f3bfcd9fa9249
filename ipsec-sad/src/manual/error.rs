//! What is wrong with a manual tunnel: the field, its value, and how to mend it.

use core::fmt;
use std::net::IpAddr;

use ipsec_proto::Spi;

use super::table::Rule;
use crate::sad::{InstallError, SpiHolder};

/// The part of a definition, or of a text that is read, that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The tunnel's name.
    Name,
    /// Our address.
    Local,
    /// The peer's address.
    Remote,
    /// The mode.
    Mode,
    /// The header format.
    Format,
    /// The protected addresses on our side.
    TrafficLocal,
    /// The protected addresses on the other side.
    TrafficRemote,
    /// The protected protocol.
    Protocol,
    /// A protected port.
    Port,
    /// An SPI that we send with.
    OutboundSpi,
    /// An SPI that we receive with.
    InboundSpi,
    /// The algorithms of ESP.
    Esp,
    /// The algorithm of AH.
    Ah,
    /// The key of ESP's encryption.
    EncryptionKey,
    /// The key of ESP's integrity.
    IntegrityKey,
    /// The key of AH.
    AhKey,
    /// Replay protection.
    AntiReplay,
    /// A line of a text, with its number from 1.
    Line(usize),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Local => "local address",
            Self::Remote => "remote address",
            Self::Mode => "mode",
            Self::Format => "header format",
            Self::TrafficLocal => "local network",
            Self::TrafficRemote => "remote network",
            Self::Protocol => "protocol",
            Self::Port => "port",
            Self::OutboundSpi => "outbound SPI",
            Self::InboundSpi => "inbound SPI",
            Self::Esp => "ESP",
            Self::Ah => "AH",
            Self::EncryptionKey => "encryption key",
            Self::IntegrityKey => "integrity key",
            Self::AhKey => "AH key",
            Self::AntiReplay => "anti-replay",
            Self::Line(number) => return write!(f, "line {number}"),
        })
    }
}

/// What is wrong, with what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManualFault {
    /// No name, or one with other characters.
    #[error("a name has 1 to 64 letters, digits, '-', '_' or '.'")]
    BadName,
    /// Another tunnel has the name.
    #[error("a tunnel of this name is defined: choose another name, or remove or change that one")]
    NameTaken,
    /// There is no such tunnel.
    #[error("no tunnel of this name is defined")]
    Unknown,
    /// It is in use.
    #[error("the tunnel is active: deactivate it first")]
    Active,
    /// It is not in use.
    #[error("the tunnel is not active")]
    NotActive,
    /// The source is no address.
    #[error("not an IP address: host names are for the destination only, write the local address itself")]
    SourceIsName,
    /// The source is no address of this machine.
    #[error("not an address of this machine: {}", locals_fix(locals))]
    SourceNotLocal {
        /// The addresses it has, of the same family.
        locals: Vec<IpAddr>,
    },
    /// IPv4 at one end, IPv6 at the other.
    #[error("the two ends are of different address families: give both as IPv4 or both as IPv6")]
    MixedFamilies,
    /// Unspecified or multicast.
    #[error("not the address of one host: give the peer's unicast address")]
    NotAHost,
    /// A range that is no prefix.
    #[error("not one prefix: give a network such as 10.1.0.0/16, one tunnel for each")]
    NotAPrefix,
    /// A port without TCP, UDP or their like.
    #[error("ports need TCP, UDP, UDP-Lite, SCTP or DCCP: give the protocol, or leave the ports out")]
    PortsWithoutProtocol,
    /// An SPI from 0 to 255 (RFC 4303 §2.1).
    #[error("SPIs up to 255 are reserved: choose one from 256 on")]
    SpiReserved,
    /// AH and ESP of one direction have one SPI.
    #[error("AH and ESP have the same SPI: each SA needs its own")]
    SpiTwice,
    /// The SPI is another's.
    #[error("in use by {holder}: choose another SPI, or deactivate that one first")]
    SpiInUse {
        /// Whose.
        holder: SpiHolder,
    },
    /// An active tunnel sends to the same peer with the SPI.
    #[error("the active tunnel {tunnel:?} sends to the same peer with it: each tunnel needs its own SPIs")]
    PeerSpiInUse {
        /// The other tunnel.
        tunnel: String,
    },
    /// The key is too long or too short.
    #[error("{algorithm} takes a key of {expected} octets")]
    KeyLength {
        /// The algorithm.
        algorithm: String,
        /// Octets.
        expected: usize,
    },
    /// A combination that the table has not.
    #[error("{}: {} ({}): {}", .0.name, .0.says, .0.source, .0.fix)]
    Illegal(&'static Rule),
    /// The target of an export has no word for it.
    #[error("{target} can't express it: {fix}")]
    NotExpressible {
        /// `ip xfrm` or `setkey`.
        target: &'static str,
        /// What can be done.
        fix: &'static str,
    },
    /// A text can't be read.
    #[error("{0}")]
    Syntax(&'static str),
    /// Something is missing that a whole tunnel needs.
    #[error("missing: {0}")]
    Missing(&'static str),
    /// The data plane refuses the SA.
    #[error(transparent)]
    Install(#[from] InstallError),
}

fn locals_fix(locals: &[IpAddr]) -> String {
    if locals.is_empty() {
        return "it has none of this family, configure one first".to_owned();
    }
    let listed: Vec<String> = locals.iter().map(ToString::to_string).collect();
    format!("choose one of {}", listed.join(", "))
}

/// Why a manual tunnel can't be defined, changed, activated, exported or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {value:?}: {fault}")]
pub struct ManualError {
    /// What is wrong.
    pub field: Field,
    /// Its value; of keys the length only.
    pub value: String,
    /// Why, and what would be right.
    #[source]
    pub fault: ManualFault,
}

impl ManualError {
    pub(super) fn new(field: Field, value: impl Into<String>, fault: ManualFault) -> Self {
        Self { field, value: value.into(), fault }
    }

    pub(super) fn spi(field: Field, spi: Spi, fault: ManualFault) -> Self {
        Self::new(field, spi.to_string(), fault)
    }

    /// About line `number` of a text, counted from 1.
    pub(super) fn line(number: usize, value: impl Into<String>, says: &'static str) -> Self {
        Self::new(Field::Line(number), value, ManualFault::Syntax(says))
    }
}
