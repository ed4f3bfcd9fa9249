//! All packets there are, in cells that no selector cuts: what [`diff`](super::diff) and [`lint`](super::lint) reason with.
//!
//! A region holds packets of one direction, one address family and one kind of ports. In it every policy is a box, so
//! cutting a cell where boxes begin and end leaves cells in which one policy decides on all packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipsec_proto::registry::IpProtocol;

use super::index::{interface_number, realm_of};
use super::{Policy, PolicySource, Spd};
use crate::flow::{Direction, Flow, Ports};
use crate::realm::{InterfaceId, Origin, RealmId};
use crate::selector::{Addresses, PortRange, has_messages};

const DIMENSIONS: usize = 7;
const LOCAL: usize = 0;
const REMOTE: usize = 1;
const PROTOCOL: usize = 2;
const LOCAL_PORT: usize = 3;
const REMOTE_PORT: usize = 4;
const REALM: usize = 5;
const INTERFACE: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    low: u128,
    high: u128,
}

impl Interval {
    const ALL: Self = Self { low: 0, high: u128::MAX };

    const fn one(value: u128) -> Self {
        Self { low: value, high: value }
    }

    fn intersect(self, other: Self) -> Option<Self> {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }
}

/// A box of packets of one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell([Interval; DIMENSIONS]);

impl Cell {
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for (ours, theirs) in both.0.iter_mut().zip(&other.0) {
            *ours = ours.intersect(*theirs)?;
        }
        Some(both)
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        self.intersect(other) == Some(*other)
    }

    /// The cell in two, cut where `other` begins or ends in it; `None` if `other` covers it. The first part lies outside of
    /// `other`.
    pub(super) fn cut(&self, other: &Self) -> Option<[Self; 2]> {
        for (dimension, (ours, theirs)) in self.0.iter().zip(&other.0).enumerate() {
            let with = |interval: Interval| {
                let mut cell = *self;
                if let Some(place) = cell.0.get_mut(dimension) {
                    *place = interval;
                }
                cell
            };
            let Interval { low, high } = *ours;
            if low < theirs.low {
                return Some([
                    with(Interval { low, high: theirs.low - 1 }),
                    with(Interval { low: theirs.low, high }),
                ]);
            }
            if theirs.high < high {
                return Some([
                    with(Interval { low: theirs.high + 1, high }),
                    with(Interval { low, high: theirs.high }),
                ]);
            }
        }
        None
    }

    fn at(&self, dimension: usize) -> Interval {
        self.0.get(dimension).copied().unwrap_or(Interval::ALL)
    }
}

/// What packets of a region show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Two ports.
    Ports,
    /// A message type, which lies in the dimension of the local port.
    Message,
    /// Nothing, or nothing that can be seen.
    Hidden,
}

/// The packets of one direction, one family and one kind.
pub(super) struct Region {
    pub(super) direction: Direction,
    is_ipv4: bool,
    kind: Kind,
    pub(super) all: Cell,
}

/// The protocols with ports.
const WITH_PORTS: [IpProtocol; 5] =
    [IpProtocol::TCP, IpProtocol::UDP, IpProtocol(33), IpProtocol::SCTP, IpProtocol::UDPLITE];
/// The protocols with types of messages.
const WITH_MESSAGES: [IpProtocol; 3] = [IpProtocol::ICMP, IpProtocol::ICMPV6, IpProtocol::MOBILITY];
/// All other protocols, and those with ports where they hide them.
const OTHERS: [(u8, u8); 4] = [(0, 0), (2, 57), (59, 134), (136, 255)];

/// All packets there are.
pub(super) fn regions() -> impl Iterator<Item = Region> {
    let directions = [Direction::Outbound, Direction::Inbound];
    directions.into_iter().flat_map(|direction| {
        [true, false].into_iter().flat_map(move |is_ipv4| {
            let region = move |kind, (first, last): (u8, u8)| {
                let addresses = Interval { low: 0, high: if is_ipv4 { u32::MAX.into() } else { u128::MAX } };
                let numbers = Interval { low: 0, high: u32::MAX.into() };
                let ports = Interval { low: 0, high: u16::MAX.into() };
                let (local_port, remote_port) = match kind {
                    Kind::Ports => (ports, ports),
                    Kind::Message => (ports, Interval::one(0)),
                    Kind::Hidden => (Interval::one(0), Interval::one(0)),
                };
                let protocol = Interval { low: first.into(), high: last.into() };
                let all = Cell([addresses, addresses, protocol, local_port, remote_port, numbers, numbers]);
                Region { direction, is_ipv4, kind, all }
            };
            let one = |protocol: IpProtocol| (protocol.0, protocol.0);
            WITH_PORTS
                .into_iter()
                .map(move |protocol| region(Kind::Ports, one(protocol)))
                .chain(WITH_MESSAGES.into_iter().map(move |protocol| region(Kind::Message, one(protocol))))
                .chain(WITH_MESSAGES.into_iter().map(move |protocol| region(Kind::Hidden, one(protocol))))
                .chain(OTHERS.into_iter().map(move |range| region(Kind::Hidden, range)))
        })
    })
}

impl Region {
    /// The packets of the region that `policy` covers.
    pub(super) fn extent(&self, policy: &Policy) -> Option<Cell> {
        if !policy.applies_to(self.direction) {
            return None;
        }
        let selector = &policy.selector;
        let (local_port, remote_port) = match self.kind {
            Kind::Ports => (ports(selector.local_port)?, ports(selector.remote_port)?),
            Kind::Hidden => {
                let both_hide = selector.local_port.matches(None) && selector.remote_port.matches(None);
                both_hide.then_some((Interval::ALL, Interval::ALL))?
            }
            Kind::Message => match selector.protocol {
                // Without a protocol port fields speak of ports.
                None => (!selector.has_ports()).then_some((Interval::ALL, Interval::ALL))?,
                Some(_) => (ports(super::index::message_field(policy, self.direction))?, Interval::ALL),
            },
        };
        let protocol = selector.protocol.map_or(Interval::ALL, |protocol| Interval::one(protocol.0.into()));
        let one = |value: Option<u32>| value.map_or(Interval::ALL, |value| Interval::one(value.into()));
        let cell = Cell([
            self.addresses(&selector.local)?,
            self.addresses(&selector.remote)?,
            protocol,
            local_port,
            remote_port,
            one(realm_of(policy, self.direction).map(|RealmId(realm)| realm)),
            one(policy.interface.map(|interface| interface_number(Some(interface)))),
        ]);
        self.all.intersect(&cell)
    }

    fn addresses(&self, addresses: &Addresses) -> Option<Interval> {
        let Some(range) = addresses.range() else { return Some(Interval::ALL) };
        let number = |address| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        (range.is_ipv4() == self.is_ipv4)
            .then(|| Interval { low: number(range.first()), high: number(range.last()) })
    }

    /// A packet in a cell of the region; `None` if there is none, since the Mobility Header has types without codes.
    pub(super) fn example(&self, cell: &Cell) -> Option<Flow> {
        let low = |dimension| cell.at(dimension).low;
        let small = |dimension| u32::try_from(low(dimension)).unwrap_or(u32::MAX);
        let port = |dimension| u16::try_from(low(dimension)).unwrap_or(u16::MAX);
        let address = |dimension| {
            if self.is_ipv4 {
                IpAddr::V4(Ipv4Addr::from_bits(small(dimension)))
            } else {
                IpAddr::V6(Ipv6Addr::from_bits(low(dimension)))
            }
        };
        let protocol = IpProtocol(u8::try_from(low(PROTOCOL)).unwrap_or(u8::MAX));
        let mut message = port(LOCAL_PORT);
        if self.kind == Kind::Message && protocol == IpProtocol::MOBILITY {
            message = message.checked_next_multiple_of(256)?;
            (u128::from(message) <= cell.at(LOCAL_PORT).high).then_some(())?;
        }
        let [kind, code] = message.to_be_bytes();
        let ports = match self.kind {
            Kind::Ports => Ports::Transport { source: port(LOCAL_PORT), destination: port(REMOTE_PORT) },
            Kind::Message if protocol == IpProtocol::MOBILITY => Ports::Mobility { kind },
            Kind::Message => Ports::Icmp { kind, code },
            Kind::Hidden if has_messages(protocol) || WITH_PORTS.contains(&protocol) => Ports::Opaque,
            Kind::Hidden => Ports::None,
        };
        let origin = Origin { realm: RealmId(small(REALM)), interface: InterfaceId::new(small(INTERFACE)) };
        let outbound = Flow::new(address(LOCAL), address(REMOTE), protocol, ports).at(origin);
        Some(match self.direction {
            Direction::Outbound => outbound,
            Direction::Inbound => outbound.reversed(),
        })
    }
}

/// Visible ports.
fn ports(range: PortRange) -> Option<Interval> {
    let interval = Interval { low: range.first().into(), high: range.last().into() };
    (interval.low <= interval.high).then_some(interval)
}

/// All policies in the order of the search: of those that cover a packet the first decides.
pub(super) fn ranked(spd: &Spd) -> Vec<&Policy> {
    let mut written: Vec<(usize, &Policy)> = spd.policies().iter().enumerate().collect();
    written.sort_by_key(|(place, policy)| {
        let stage = match policy.source {
            PolicySource::BuiltIn => (0, 0),
            _ if policy.is_hashed() => (1, u32::MAX - policy.specified_fields()),
            _ => (2, 0),
        };
        (stage, *place)
    });
    let place = |place: usize| super::Place::try_from(place).unwrap_or(super::Place::MAX);
    // A dynamic policy covers nothing that the one it came from does not.
    let family = |(number, policy)| spd.children(place(number)).chain(core::iter::once(policy));
    written.into_iter().flat_map(family).collect()
}
