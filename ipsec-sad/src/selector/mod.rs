//! What a policy or an SA covers: address ranges, a protocol, port ranges, written local to remote.
//!
//! RFC 4301 §4.4.1.1 names the fields. A selector is written once, from the local to the remote side; the
//! direction of the packet says which of its addresses is which.

mod address;
mod parse;
mod port;

use core::fmt;

pub use address::{AddressRange, AddressRangeError, Addresses};
use ipsec_proto::registry::IpProtocol;
pub(crate) use parse::ProtocolName;
pub use parse::SelectorParseError;
pub use port::PortRange;

use crate::flow::{Direction, Flow, Oriented};

/// What a policy or an SA covers, written local to remote (RFC 4301 §4.4.1.1).
///
/// A port field that is not [`PortRange::ANY`] or [`PortRange::OPAQUE`] never matches a packet whose ports are absent or
/// hidden in an earlier fragment.
///
/// ICMP and the Mobility Header have one value where others have two ports. The local field says what may be sent, the
/// remote one what may be received (RFC 4301 §4.4.1.3): `icmp type 8 <-> type 0` pings and is answered, but can't be
/// pinged. A fragment that hides the value must be covered by both. A port field without a protocol covers protocols
/// with ports, never these.
///
/// A later fragment of IPv6 may hide its protocol too. It shows the extension header that stands first in the hidden
/// part, `ipv6-opts` say, and is covered by that protocol or none.
///
/// Reads what it prints: `10.1.0.0/24 <-> 10.2.0.0/24 tcp 80`, `any <-> fd00::1 udp 53 <-> any`, `any <-> any icmp type 8`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The addresses on our side.
    pub local: Addresses,
    /// The addresses on the other side.
    pub remote: Addresses,
    /// The protocol after all IPv6 extension headers; `None` is any.
    pub protocol: Option<IpProtocol>,
    /// The ports on our side; for ICMP and the Mobility Header what may be sent.
    pub local_port: PortRange,
    /// The ports on the other side; for ICMP and the Mobility Header what may be received.
    pub remote_port: PortRange,
}

impl Selector {
    /// Everything: no field specified.
    pub const ANY: Self = Self {
        local: Addresses::Any,
        remote: Addresses::Any,
        protocol: None,
        local_port: PortRange::ANY,
        remote_port: PortRange::ANY,
    };

    /// Everything between two sets of addresses.
    pub fn between(local: impl Into<Addresses>, remote: impl Into<Addresses>) -> Self {
        Self { local: local.into(), remote: remote.into(), ..Self::ANY }
    }

    /// Exactly `flow`, seen in `direction`: its two addresses, its protocol and its ports.
    ///
    /// Ports that are absent or hidden become [`PortRange::ANY`], and so does what answers to an ICMP message may be.
    #[must_use]
    pub fn of_flow(flow: &Flow, direction: Direction) -> Self {
        let view = flow.oriented(direction);
        let port = |port: Option<u16>| port.map_or(PortRange::ANY, PortRange::single);
        let (sent, received) = match direction {
            Direction::Outbound => (view.message, None),
            Direction::Inbound => (None, view.message),
        };
        Self {
            local: view.local.into(),
            remote: view.remote.into(),
            protocol: Some(flow.protocol),
            local_port: port(view.local_port.or(sent)),
            remote_port: port(view.remote_port.or(received)),
        }
    }

    /// Whether a packet of `flow`, going in `direction`, is covered.
    #[must_use]
    pub fn matches(&self, flow: &Flow, direction: Direction) -> bool {
        self.mismatch(flow, direction).is_none()
    }

    /// The first field that keeps `flow` from being covered, in the order of the fields.
    #[must_use]
    pub fn mismatch(&self, flow: &Flow, direction: Direction) -> Option<SelectorField> {
        self.mismatch_oriented(&flow.oriented(direction))
    }

    pub(crate) fn mismatch_oriented(&self, view: &Oriented) -> Option<SelectorField> {
        if !self.local.contains(view.local) {
            Some(SelectorField::Local)
        } else if !self.remote.contains(view.remote) {
            Some(SelectorField::Remote)
        } else if self.protocol.is_some_and(|protocol| protocol != view.protocol) {
            Some(SelectorField::Protocol)
        } else {
            self.port_mismatch(view)
        }
    }

    fn port_mismatch(&self, view: &Oriented) -> Option<SelectorField> {
        let (local, remote) = match (view.message, self.protocol) {
            (None, _) => {
                (self.local_port.matches(view.local_port), self.remote_port.matches(view.remote_port))
            }
            (Some(_), None) => (self.local_port.is_any(), self.remote_port.is_any()),
            (message @ Some(_), Some(_)) => match view.direction {
                Direction::Outbound => (self.local_port.matches(message), true),
                Direction::Inbound => (true, self.remote_port.matches(message)),
            },
        };
        match (local, remote) {
            (false, _) => Some(SelectorField::LocalPort),
            (true, false) => Some(SelectorField::RemotePort),
            (true, true) => None,
        }
    }

    /// Whether every packet that `other` covers is covered.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.local.covers(&other.local)
            && self.remote.covers(&other.remote)
            && (self.protocol.is_none() || self.protocol == other.protocol)
            && self.local_port.covers(&other.local_port)
            && self.remote_port.covers(&other.remote_port)
            && (!self.ports_exclude_messages_of(other)
                || (other.local_port.is_opaque() && other.remote_port.is_opaque()))
    }

    /// What both cover, `None` if that is nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let protocol = match (self.protocol, other.protocol) {
            (Some(ours), Some(theirs)) if ours != theirs => return None,
            (ours, theirs) => ours.or(theirs),
        };
        let (mut local_port, mut remote_port) =
            (self.local_port.intersect(&other.local_port), self.remote_port.intersect(&other.remote_port));
        if self.ports_exclude_messages_of(other) || other.ports_exclude_messages_of(self) {
            // Of such a protocol only what hides its message is covered by both.
            let hidden = |port: Option<PortRange>| port?.intersect(&PortRange::OPAQUE);
            (local_port, remote_port) = (Some(hidden(local_port)?), Some(hidden(remote_port)?));
        } else if protocol.is_some_and(has_messages) && (local_port.is_some() || remote_port.is_some()) {
            // Two fields for two directions: one may be empty.
            local_port = local_port.or(Some(PortRange::NONE));
            remote_port = remote_port.or(Some(PortRange::NONE));
        }
        Some(Self {
            local: self.local.intersect(&other.local)?,
            remote: self.remote.intersect(&other.remote)?,
            protocol,
            local_port: local_port?,
            remote_port: remote_port?,
        })
    }

    /// Our port fields are specified without a protocol, so they cover no message of ICMP, and `other` is about such a
    /// protocol alone.
    fn ports_exclude_messages_of(&self, other: &Self) -> bool {
        self.protocol.is_none() && self.has_ports() && other.protocol.is_some_and(has_messages)
    }

    pub(crate) const fn has_ports(&self) -> bool {
        !(self.local_port.is_any() && self.remote_port.is_any())
    }

    /// The selector as the other side would write it.
    #[must_use]
    pub const fn mirror(&self) -> Self {
        Self {
            local: self.remote,
            remote: self.local,
            protocol: self.protocol,
            local_port: self.remote_port,
            remote_port: self.local_port,
        }
    }

    /// Whether no packet at all can be covered, because the two address fields are of different families.
    #[must_use]
    pub fn mixes_families(&self) -> bool {
        match (self.local.range(), self.remote.range()) {
            (Some(local), Some(remote)) => local.is_ipv4() != remote.is_ipv4(),
            _ => false,
        }
    }
}

/// Whether the port fields hold types of messages: ICMP, ICMPv6, Mobility Header.
pub(crate) fn has_messages(protocol: IpProtocol) -> bool {
    [IpProtocol::ICMP, IpProtocol::ICMPV6, IpProtocol::MOBILITY].contains(&protocol)
}

/// A field of a [`Selector`], named where a comparison is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SelectorField {
    /// [`Selector::local`].
    Local,
    /// [`Selector::remote`].
    Remote,
    /// [`Selector::protocol`].
    Protocol,
    /// [`Selector::local_port`].
    LocalPort,
    /// [`Selector::remote_port`].
    RemotePort,
}

impl fmt::Display for SelectorField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local address",
            Self::Remote => "remote address",
            Self::Protocol => "protocol",
            Self::LocalPort => "local port",
            Self::RemotePort => "remote port",
        })
    }
}
