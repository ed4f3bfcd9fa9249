//! What a packet is, as far as policy goes: two addresses, a protocol, ports or a type of message, and where it is.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::net::IpAddr;

use ipsec_proto::DecodeError;
use ipsec_proto::ip::{NextLayer, Packet};
use ipsec_proto::registry::IpProtocol;

use crate::realm::{InterfaceId, Origin};
use crate::selector::{ProtocolName, has_messages};

/// Which way a packet goes, seen from the protected side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the protected side to the network: source is local, destination is remote.
    Outbound,
    /// From the network to the protected side: source is remote, destination is local.
    Inbound,
}

/// What stands behind the protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ports {
    /// The protocol has no ports.
    None,
    /// TCP, UDP, UDP-Lite, SCTP or DCCP.
    Transport {
        /// The sender's port.
        source: u16,
        /// The receiver's port.
        destination: u16,
    },
    /// ICMP or ICMPv6.
    Icmp {
        /// The message type.
        kind: u8,
        /// The message code.
        code: u8,
    },
    /// The Mobility Header of IPv6 (RFC 6275 §6.1).
    Mobility {
        /// The message type.
        kind: u8,
    },
    /// The ports can't be seen: a fragment that is not the first, or a first one too short to hold them
    /// (RFC 4301 §4.4.1.1, OPAQUE).
    Opaque,
}

/// What policy and SA selection see of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// The packet's source address.
    pub source: IpAddr,
    /// The packet's destination address.
    pub destination: IpAddr,
    /// The protocol behind all IPv6 extension headers.
    pub protocol: IpProtocol,
    /// The ports.
    pub ports: Ports,
    /// Its realm and interface.
    pub origin: Origin,
}

/// A flow turned so that it can be compared with a selector.
#[derive(Clone, Copy)]
pub(crate) struct Oriented {
    pub(crate) local: IpAddr,
    pub(crate) remote: IpAddr,
    pub(crate) protocol: IpProtocol,
    pub(crate) local_port: Option<u16>,
    pub(crate) remote_port: Option<u16>,
    /// Of ICMP type * 256 + code, of the Mobility Header type * 256.
    pub(crate) message: Option<u16>,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
}

impl Flow {
    /// A flow in the realm and on the interface there is where none are told apart.
    pub fn new(
        source: impl Into<IpAddr>,
        destination: impl Into<IpAddr>,
        protocol: IpProtocol,
        ports: Ports,
    ) -> Self {
        let (source, destination) = (source.into(), destination.into());
        Self { source, destination, protocol, ports, origin: Origin::default() }
    }

    /// The same flow at another place.
    #[must_use]
    pub const fn at(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The flow of an IP packet.
    ///
    /// # Errors
    /// What [`Packet::parse`] finds wrong with the IP headers.
    pub fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        Packet::parse(packet).map(|packet| Self::of(&packet))
    }

    /// The flow of a packet that is parsed already.
    #[must_use]
    pub fn of(packet: &Packet<'_>) -> Self {
        let ports = match packet.next_layer() {
            NextLayer::Ports { source, destination } => Ports::Transport { source, destination },
            NextLayer::Icmp { kind, code } => Ports::Icmp { kind, code },
            NextLayer::Mobility { kind } => Ports::Mobility { kind },
            NextLayer::Other => Ports::None,
            NextLayer::Opaque => Ports::Opaque,
        };
        Self::new(packet.source(), packet.destination(), packet.protocol(), ports)
    }

    /// The flow that answers come back with: addresses and ports exchanged, types of messages kept.
    #[must_use]
    pub const fn reversed(self) -> Self {
        let ports = match self.ports {
            Ports::Transport { source, destination } => {
                Ports::Transport { source: destination, destination: source }
            }
            other => other,
        };
        Self { source: self.destination, destination: self.source, ports, ..self }
    }

    pub(crate) fn oriented(&self, direction: Direction) -> Oriented {
        // What does not go with the protocol is as good as hidden.
        let (mut local_port, mut remote_port, message) = match (self.ports, has_messages(self.protocol)) {
            (Ports::Transport { source, destination }, false) => (Some(source), Some(destination), None),
            (Ports::Icmp { kind, code }, true) => (None, None, Some(u16::from_be_bytes([kind, code]))),
            (Ports::Mobility { kind }, true) => (None, None, Some(u16::from_be_bytes([kind, 0]))),
            _ => (None, None, None),
        };
        let (mut local, mut remote) = (self.source, self.destination);
        if direction == Direction::Inbound {
            (local, remote, local_port, remote_port) = (remote, local, remote_port, local_port);
        }
        let Self { protocol, origin, .. } = *self;
        Oriented { local, remote, protocol, local_port, remote_port, message, direction, origin }
    }
}

impl Hash for Flow {
    /// In few words: every packet's flow is hashed.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                state.write_u64(u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits()));
            }
            (source, destination) => {
                for address in [source, destination] {
                    state.write_u128(match address {
                        IpAddr::V4(v4) => v4.to_bits().into(),
                        IpAddr::V6(v6) => v6.to_bits(),
                    });
                }
            }
        }
        let ports = match self.ports {
            Ports::None => 0,
            Ports::Opaque => 1 << 32,
            Ports::Transport { source, destination } => {
                2 << 32 | u64::from(source) << 16 | u64::from(destination)
            }
            Ports::Icmp { kind, code } => 3 << 32 | u64::from(kind) << 8 | u64::from(code),
            Ports::Mobility { kind } => 4 << 32 | u64::from(kind),
        };
        state.write_u64(ports << 8 | u64::from(self.protocol.0));
        if self.origin != Origin::default() {
            let interface = self.origin.interface.map_or(0, InterfaceId::get);
            state.write_u64(u64::from(self.origin.realm.0) << 32 | u64::from(interface));
        }
    }
}

impl fmt::Display for Flow {
    /// `10.1.0.1:1024 -> 10.2.0.1:80 tcp`, or `10.1.0.1 -> 10.2.0.1 icmp type 8 code 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, ports, .. } = self;
        let protocol = ProtocolName(self.protocol);
        match *ports {
            Ports::None => write!(f, "{source} -> {destination} {protocol}"),
            Ports::Opaque => write!(f, "{source} -> {destination} {protocol} fragment"),
            Ports::Icmp { kind, code } => {
                write!(f, "{source} -> {destination} {protocol} type {kind} code {code}")
            }
            Ports::Mobility { kind } => write!(f, "{source} -> {destination} {protocol} type {kind}"),
            Ports::Transport { source: from, destination: to } => {
                let (from, to) =
                    (std::net::SocketAddr::new(*source, from), std::net::SocketAddr::new(*destination, to));
                write!(f, "{from} -> {to} {protocol}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: [u8; 24] =
        [0x45, 0, 0, 24, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 0, 80];

    #[test]
    fn packets_show_their_ports_or_hide_them() {
        let flow = Flow::parse(&SYN).unwrap();
        assert_eq!(flow.to_string(), "10.0.0.1:40000 -> 10.0.0.2:80 tcp");
        assert_eq!(flow.reversed().to_string(), "10.0.0.2:80 -> 10.0.0.1:40000 tcp");
        assert_eq!(flow.reversed().reversed(), flow);

        let mut later_fragment = SYN;
        later_fragment[7] = 1;
        assert_eq!(Flow::parse(&later_fragment).unwrap().ports, Ports::Opaque);
        let mut gre = SYN;
        gre[9] = 47;
        assert_eq!(Flow::parse(&gre).unwrap().ports, Ports::None);
        let mut icmp = SYN;
        icmp[9] = 1;
        let icmp = Flow::parse(&icmp).unwrap();
        assert_eq!(icmp.ports, Ports::Icmp { kind: 0x9c, code: 0x40 });
        assert_eq!(icmp.reversed().ports, icmp.ports);
        assert!(Flow::parse(&SYN[..19]).is_err() && Flow::parse(&[]).is_err());
    }
}
