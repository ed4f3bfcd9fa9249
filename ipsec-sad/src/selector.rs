//! What a policy or an SA covers: address ranges, a protocol, port ranges, written local to remote.
//!
//! RFC 4301 §4.4.1.1 names the fields. A selector is written once, from the local to the remote side; the
//! direction of the packet says which of its addresses is which.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipsec_proto::registry::IpProtocol;

use crate::flow::{Direction, Flow, Oriented, Ports};

/// A contiguous range of addresses of one family, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

/// Why a text or a pair of addresses is not an [`AddressRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRangeError {
    /// One end is IPv4 and the other IPv6.
    #[error("the two ends of the range are of different address families")]
    MixedFamilies,
    /// The first address is above the last.
    #[error("the first address of the range is above the last")]
    Reversed,
    /// The prefix length is above 32 (IPv4) or 128 (IPv6), or not a number.
    #[error("the prefix length is not a number from 0 to {max}")]
    PrefixLength {
        /// The longest prefix of this address family, in bits.
        max: u8,
    },
    /// The address of a prefix has bits set behind the prefix.
    #[error("the address has bits set behind the prefix: write {network}/{length}")]
    HostBits {
        /// The address with those bits cleared.
        network: IpAddr,
        /// The prefix length as given, in bits.
        length: u8,
    },
    /// The text is not an address.
    #[error("not an IPv4 or IPv6 address")]
    Address,
}

impl AddressRange {
    /// All of IPv4, `0.0.0.0/0`.
    pub const ANY_V4: Self =
        Self { first: IpAddr::V4(Ipv4Addr::UNSPECIFIED), last: IpAddr::V4(Ipv4Addr::BROADCAST) };
    /// All of IPv6, `::/0`.
    pub const ANY_V6: Self =
        Self { first: IpAddr::V6(Ipv6Addr::UNSPECIFIED), last: IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)) };

    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`AddressRangeError::MixedFamilies`] and [`AddressRangeError::Reversed`].
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, AddressRangeError> {
        if first.is_ipv4() != last.is_ipv4() {
            Err(AddressRangeError::MixedFamilies)
        } else if first > last {
            Err(AddressRangeError::Reversed)
        } else {
            Ok(Self { first, last })
        }
    }

    /// One address.
    #[must_use]
    pub const fn single(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }

    /// The prefix `address`/`length`.
    ///
    /// # Errors
    /// [`AddressRangeError::PrefixLength`] and [`AddressRangeError::HostBits`].
    pub fn prefix(address: IpAddr, length: u8) -> Result<Self, AddressRangeError> {
        let max = if address.is_ipv4() { 32 } else { 128 };
        if length > max {
            return Err(AddressRangeError::PrefixLength { max });
        }
        let host = host_mask(max - length);
        let bits = address_bits(address);
        let network = address_from(address, bits & !host);
        if network != address {
            return Err(AddressRangeError::HostBits { network, length });
        }
        Ok(Self { first: address, last: address_from(address, bits | host) })
    }

    /// All of IPv4, `0.0.0.0/0`.
    #[must_use]
    pub const fn any_v4() -> Self {
        Self::ANY_V4
    }

    /// All of IPv6, `::/0`.
    #[must_use]
    pub const fn any_v6() -> Self {
        Self::ANY_V6
    }

    /// The lowest address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    #[must_use]
    pub const fn last(&self) -> IpAddr {
        self.last
    }

    /// Whether the range is one address.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.first == self.last
    }

    /// Whether the addresses are IPv4.
    #[must_use]
    pub const fn is_ipv4(&self) -> bool {
        self.first.is_ipv4()
    }

    /// Whether `address` is in the range; an address of the other family never is.
    #[must_use]
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        // The ends have one family and `IpAddr` orders all of IPv4 before all of IPv6.
        self.first <= address && address <= self.last
    }

    /// Whether every address of `other` is in this range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// The addresses in both ranges.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last)).ok()
    }

    /// The range as network address and prefix length, if it is exactly one prefix.
    #[must_use]
    pub fn as_prefix(&self) -> Option<(IpAddr, u8)> {
        let (first, last) = (address_bits(self.first), address_bits(self.last));
        let host = first ^ last;
        let aligned = host & host.wrapping_add(1) == 0 && first & host == 0;
        let width: u32 = if self.is_ipv4() { 32 } else { 128 };
        let length = width - host.count_ones();
        aligned.then_some((self.first, u8::try_from(length).ok()?))
    }
}

/// The low `bits` bits set.
fn host_mask(bits: u8) -> u128 {
    1_u128.checked_shl(bits.into()).map_or(u128::MAX, |value| value - 1)
}

/// The address as a number.
fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The number `bits` as an address of the family of `family`.
fn address_from(family: IpAddr, bits: u128) -> IpAddr {
    match family {
        // The mask of an IPv4 prefix has 32 bits at most, and so has the number.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self::single(address)
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    /// Reads `10.0.0.1`, `10.1.0.0/24` or `10.0.0.1-10.0.0.9`, and the same with IPv6 addresses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = |part: &str| part.trim().parse::<IpAddr>().map_err(|_| AddressRangeError::Address);
        if let Some((network, length)) = text.split_once('/') {
            let network = address(network)?;
            let max = if network.is_ipv4() { 32 } else { 128 };
            let length = length.trim().parse().map_err(|_| AddressRangeError::PrefixLength { max })?;
            Self::prefix(network, length)
        } else if let Some((first, last)) = text.split_once('-') {
            Self::new(address(first)?, address(last)?)
        } else {
            address(text).map(Self::single)
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            write!(f, "{}", self.first)
        } else if let Some((network, length)) = self.as_prefix() {
            write!(f, "{network}/{length}")
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address field of a selector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addresses {
    /// Every address of both families: an unspecified field.
    Any,
    /// The addresses of a range, so of one family.
    Range(AddressRange),
}

impl Addresses {
    /// Whether `address` is covered.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Range(range) => range.contains(address),
        }
    }

    /// Whether every address of `other` is covered.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Range(_), Self::Any) => false,
            (Self::Range(ours), Self::Range(theirs)) => ours.covers(theirs),
        }
    }

    /// The addresses in both, `None` if there are none.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, set) | (set, Self::Any) => Some(*set),
            (Self::Range(ours), Self::Range(theirs)) => ours.intersect(theirs).map(Self::Range),
        }
    }

    /// The range, if the field is specified.
    #[must_use]
    pub const fn range(&self) -> Option<&AddressRange> {
        match self {
            Self::Any => None,
            Self::Range(range) => Some(range),
        }
    }
}

impl From<AddressRange> for Addresses {
    fn from(range: AddressRange) -> Self {
        Self::Range(range)
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Self {
        Self::Range(AddressRange::single(address))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Range(range) => fmt::Display::fmt(range, f),
        }
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A range of ports, both ends included. With ICMP the numbers are message type * 256 + code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Every port, and packets without ports or with hidden ones too: an unspecified field.
    pub const ANY: Self = Self { first: 0, last: u16::MAX };

    /// The range from `first` to `last`, `None` if they are the wrong way round.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// One port.
    #[must_use]
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The ICMP messages of type `kind`, whatever their code (RFC 4301 §4.4.1.1).
    #[must_use]
    pub const fn icmp_type(kind: u8) -> Self {
        Self { first: u16::from_be_bytes([kind, 0]), last: u16::from_be_bytes([kind, u8::MAX]) }
    }

    /// The ICMP message `kind` with `code`.
    #[must_use]
    pub const fn icmp(kind: u8, code: u8) -> Self {
        Self::single(u16::from_be_bytes([kind, code]))
    }

    /// The lowest port.
    #[must_use]
    pub const fn first(&self) -> u16 {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub const fn last(&self) -> u16 {
        self.last
    }

    /// Whether the field is unspecified.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.first == 0 && self.last == u16::MAX
    }

    /// Whether the range is one port.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.first == self.last
    }

    /// Whether `port` is in the range.
    #[must_use]
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether every port of `other` is in the range.
    #[must_use]
    pub const fn covers(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// The ports in both ranges.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self::ANY
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            f.write_str("any")
        } else if self.is_single() {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a policy or an SA covers, written local to remote (RFC 4301 §4.4.1.1).
///
/// A port field that is not [`PortRange::ANY`] never matches a packet whose ports are absent or hidden in an earlier
/// fragment. For ICMP the one value type * 256 + code must lie in both port fields, so a policy for echo requests
/// has it in one field and `ANY` in the other; a port field without a protocol covers protocols with ports, not ICMP.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The addresses on our side.
    pub local: Addresses,
    /// The addresses on the other side.
    pub remote: Addresses,
    /// The protocol after all IPv6 extension headers; `None` is any.
    pub protocol: Option<IpProtocol>,
    /// The ports on our side.
    pub local_port: PortRange,
    /// The ports on the other side.
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
    /// Ports that are absent or hidden become [`PortRange::ANY`].
    #[must_use]
    pub fn of_flow(flow: &Flow, direction: Direction) -> Self {
        let (source_port, destination_port) = match flow.ports {
            Ports::None | Ports::Opaque => (PortRange::ANY, PortRange::ANY),
            Ports::Transport { source, destination } => {
                (PortRange::single(source), PortRange::single(destination))
            }
            Ports::Icmp { kind, code } => (PortRange::icmp(kind, code), PortRange::ANY),
        };
        let outbound = Self {
            local: flow.source.into(),
            remote: flow.destination.into(),
            protocol: Some(flow.protocol),
            local_port: source_port,
            remote_port: destination_port,
        };
        match direction {
            Direction::Outbound => outbound,
            Direction::Inbound => outbound.mirror(),
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
        } else if !self.port_matches(&self.local_port, view.local_port, view.ports) {
            Some(SelectorField::LocalPort)
        } else if !self.port_matches(&self.remote_port, view.remote_port, view.ports) {
            Some(SelectorField::RemotePort)
        } else {
            None
        }
    }

    fn port_matches(&self, range: &PortRange, port: Option<u16>, ports: Ports) -> bool {
        if range.is_any() {
            return true;
        }
        // Without a protocol a port field speaks of ports; the ICMP message type is not one.
        if self.protocol.is_none() && matches!(ports, Ports::Icmp { .. }) {
            return false;
        }
        port.is_some_and(|port| range.contains(port))
    }

    /// Whether every packet that `other` covers is covered.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.local.covers(&other.local)
            && self.remote.covers(&other.remote)
            && (self.protocol.is_none() || self.protocol == other.protocol)
            && self.local_port.covers(&other.local_port)
            && self.remote_port.covers(&other.remote_port)
            && !self.ports_exclude_icmp_of(other)
    }

    /// What both cover, `None` if that is nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let protocol = match (self.protocol, other.protocol) {
            (Some(ours), Some(theirs)) if ours != theirs => return None,
            (ours, theirs) => ours.or(theirs),
        };
        if self.ports_exclude_icmp_of(other) || other.ports_exclude_icmp_of(self) {
            return None;
        }
        Some(Self {
            local: self.local.intersect(&other.local)?,
            remote: self.remote.intersect(&other.remote)?,
            protocol,
            local_port: self.local_port.intersect(&other.local_port)?,
            remote_port: self.remote_port.intersect(&other.remote_port)?,
        })
    }

    /// Our port fields are specified without a protocol, so they cover no ICMP, and `other` is about ICMP alone.
    fn ports_exclude_icmp_of(&self, other: &Self) -> bool {
        self.protocol.is_none() && self.has_ports() && other.protocol.is_some_and(is_icmp)
    }

    fn has_ports(&self) -> bool {
        !(self.local_port.is_any() && self.remote_port.is_any())
    }

    /// The selector as the other side would write it.
    #[must_use]
    pub fn mirror(&self) -> Self {
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

/// Whether the port fields hold ICMP types and codes.
pub(crate) fn is_icmp(protocol: IpProtocol) -> bool {
    protocol == IpProtocol::ICMP || protocol == IpProtocol::ICMPV6
}

impl fmt::Display for Selector {
    /// `10.1.0.0/24 <-> 10.2.0.0/24 tcp 80`: a lone port is the remote one, `tcp 80 <-> any` a local one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <-> {}", self.local, self.remote)?;
        match self.protocol {
            Some(protocol) => write!(f, " {}", ProtocolName(protocol))?,
            None if self.has_ports() => f.write_str(" any")?,
            None => {}
        }
        if !self.has_ports() {
            return Ok(());
        }
        if self.protocol.is_some_and(is_icmp) {
            let range = self.local_port.intersect(&self.remote_port);
            return match range {
                Some(range) => write_icmp(f, range),
                None => f.write_str(" none"),
            };
        }
        if self.local_port.is_any() {
            write!(f, " {}", self.remote_port)
        } else {
            write!(f, " {} <-> {}", self.local_port, self.remote_port)
        }
    }
}

/// A protocol as operators write it: `tcp`, `ipv6-icmp`, `253`.
pub(crate) struct ProtocolName(pub(crate) IpProtocol);

impl fmt::Display for ProtocolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => name.chars().try_for_each(|letter| write!(f, "{}", letter.to_ascii_lowercase())),
            None => write!(f, "{}", self.0.0),
        }
    }
}

fn write_icmp(f: &mut fmt::Formatter<'_>, range: PortRange) -> fmt::Result {
    let [first_kind, first_code] = range.first.to_be_bytes();
    let [last_kind, last_code] = range.last.to_be_bytes();
    match (first_kind == last_kind, first_code, last_code) {
        (true, first, last) if first == last => write!(f, " type {first_kind} code {first}"),
        (true, 0, u8::MAX) => write!(f, " type {first_kind}"),
        _ => write!(f, " type {first_kind} code {first_code} - type {last_kind} code {last_code}"),
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A field of a [`Selector`], named where a comparison is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
