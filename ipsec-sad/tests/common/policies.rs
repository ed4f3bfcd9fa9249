//! Random policies and flows that meet each other, and the naive scan of the sentences that define the search.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::Match;
use ipsec_sad::{
    Action, AddressRange, Addresses, Applies, Direction, Flow, InterfaceId, Origin, Policy, PolicyId,
    PolicySource, PortRange, Ports, RealmId, Realms, Selector, Spd, TemplateId,
};
use proptest::prelude::*;

/// The oracle: built-in ones by order; hashed by most specified fields, ties by order; then ordered by order; then the
/// default. Of the winner's dynamic ones the first that covers the flow.
pub fn scan(policies: &[Policy], default: Action, flow: &Flow, direction: Direction) -> Match {
    let written = || policies.iter().filter(|policy| !matches!(policy.source, PolicySource::Dynamic { .. }));
    let covers = |policy: &&Policy| policy.covers(flow, direction);
    let is_built_in = |policy: &&Policy| policy.source == PolicySource::BuiltIn;
    let built_in = written().filter(is_built_in).find(covers);
    let configured = || written().filter(|policy| !is_built_in(policy)).filter(covers);
    let hashed = configured()
        .filter(|policy| policy.is_hashed())
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .max_by_key(|policy| policy.specified_fields());
    let ordered = configured().find(|policy| !policy.is_hashed());
    let winner = built_in.or(hashed).or(ordered);
    let child = winner.and_then(|winner| {
        let is_child =
            |policy: &&Policy| matches!(policy.source, PolicySource::Dynamic { parent, .. } if parent == winner.id);
        policies.iter().filter(is_child).find(covers)
    });
    match child.or(winner) {
        Some(policy) => Match { policy: Some(policy.id), action: policy.action },
        None => Match { policy: None, action: default },
    }
}

/// Few addresses and ports, so that policies meet.
pub fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        4 => (0_u8..4, 0_u8..8).prop_map(|(net, host)| IpAddr::V4(Ipv4Addr::new(10, 0, net, host))),
        1 => (0_u16..6).prop_map(|host| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host))),
        1 => (0_u8..4, 0_u8..8).prop_map(|(net, host)| {
            IpAddr::V6(Ipv4Addr::new(10, 0, net, host).to_ipv6_mapped())
        }),
    ]
}

pub fn masked(address: IpAddr, length: u8) -> AddressRange {
    match address {
        IpAddr::V4(v4) => {
            let length = length.min(32);
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            AddressRange::prefix(Ipv4Addr::from_bits(v4.to_bits() & mask).into(), length).unwrap()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            AddressRange::prefix(Ipv6Addr::from_bits(v6.to_bits() & mask).into(), length).unwrap()
        }
    }
}

pub fn addresses() -> impl Strategy<Value = Addresses> {
    prop_oneof![
        2 => Just(Addresses::Any),
        3 => address().prop_map(Addresses::from),
        2 => (address(), 0_u8..=128).prop_map(|(address, length)| masked(address, length).into()),
        2 => (address(), address()).prop_map(|(a, b)| {
            AddressRange::new(a.min(b), a.max(b)).map_or(Addresses::Any, Addresses::Range)
        }),
    ]
}

pub fn ports() -> impl Strategy<Value = PortRange> {
    prop_oneof![
        3 => Just(PortRange::ANY),
        2 => (0_u16..4).prop_map(PortRange::single),
        2 => (0_u16..4, 0_u16..4).prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b)).unwrap()),
        1 => (0_u8..3).prop_map(PortRange::icmp_type),
        1 => (0_u8..3, 0_u8..3).prop_map(|(kind, code)| PortRange::icmp(kind, code)),
        1 => Just(PortRange::OPAQUE),
        1 => Just(PortRange::NONE),
    ]
}

pub fn protocol() -> impl Strategy<Value = IpProtocol> {
    prop_oneof![
        Just(IpProtocol::TCP),
        Just(IpProtocol::UDP),
        Just(IpProtocol::ICMP),
        Just(IpProtocol::MOBILITY),
        Just(IpProtocol::GRE)
    ]
}

pub fn realm() -> impl Strategy<Value = Option<RealmId>> {
    proptest::option::weighted(0.1, (0_u32..2).prop_map(RealmId))
}

pub fn interface(weight: f64) -> impl Strategy<Value = Option<InterfaceId>> {
    proptest::option::weighted(weight, (1_u32..3).prop_map(|number| InterfaceId::new(number).unwrap()))
}

pub fn selector() -> impl Strategy<Value = Selector> {
    (addresses(), addresses(), proptest::option::of(protocol()), ports(), ports()).prop_map(
        |(local, remote, protocol, local_port, remote_port)| {
            let selector = Selector { local, remote, protocol, local_port, remote_port };
            if selector.mixes_families() { Selector { remote: Addresses::Any, ..selector } } else { selector }
        },
    )
}

pub fn flow() -> impl Strategy<Value = Flow> {
    let ports = prop_oneof![
        4 => (0_u16..4, 0_u16..4).prop_map(|(source, destination)| Ports::Transport { source, destination }),
        2 => (0_u8..3, 0_u8..3).prop_map(|(kind, code)| Ports::Icmp { kind, code }),
        1 => (0_u8..3).prop_map(|kind| Ports::Mobility { kind }),
        1 => Just(Ports::Opaque),
        1 => Just(Ports::None),
    ];
    // Ports that do not go with their protocol are in: whoever makes a flow may be wrong.
    let origin = ((0_u32..2).prop_map(RealmId), interface(0.5));
    (address(), address(), protocol(), ports, origin).prop_map(
        |(source, destination, protocol, ports, origin)| {
            let protocol = match ports {
                Ports::Icmp { .. } => IpProtocol::ICMP,
                _ => protocol,
            };
            let (realm, interface) = origin;
            Flow::new(source, destination, protocol, ports).at(Origin { realm, interface })
        },
    )
}

/// A flow that some packet has: of one family, with what its protocol has in the place of ports.
pub fn real_flow() -> impl Strategy<Value = Flow> {
    (flow(), any::<bool>()).prop_map(|(flow, udp)| {
        let protocol = match flow.ports {
            Ports::Transport { .. } => {
                if udp {
                    IpProtocol::UDP
                } else {
                    IpProtocol::TCP
                }
            }
            Ports::Icmp { .. } => IpProtocol::ICMP,
            Ports::Mobility { .. } => IpProtocol::MOBILITY,
            Ports::Opaque => flow.protocol,
            _ => IpProtocol::GRE,
        };
        let destination = match (flow.source, flow.destination) {
            (IpAddr::V6(_), IpAddr::V4(v4)) => IpAddr::V6(v4.to_ipv6_mapped()),
            (IpAddr::V4(_), IpAddr::V6(v6)) => IpAddr::V4(Ipv4Addr::new(10, 0, 0, v6.octets()[15])),
            (_, destination) => destination,
        };
        Flow { protocol, destination, ..flow }
    })
}

pub fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Outbound), Just(Direction::Inbound)]
}

/// A policy but for its number and its source.
pub fn policy() -> impl Strategy<Value = Policy> {
    let applies = prop_oneof![
        4 => Just(Applies::BothWays),
        1 => Just(Applies::OutboundOnly),
        1 => Just(Applies::InboundOnly)
    ];
    let action = prop_oneof![
        Just(Action::Bypass),
        Just(Action::Discard),
        (0_u32..9).prop_map(|template| Action::Protect(TemplateId(template)))
    ];
    (selector(), applies, action, (realm(), realm()), interface(0.1)).prop_map(
        |(selector, applies, action, (inner, outer), interface)| Policy {
            applies,
            realms: Realms { inner, outer },
            interface,
            ..Policy::new(PolicyId(0), "", selector, action)
        },
    )
}

pub fn policies(max: usize) -> impl Strategy<Value = Vec<Policy>> {
    let built_in = proptest::bool::weighted(0.05);
    proptest::collection::vec((policy(), built_in), 0..max).prop_map(|list| {
        (0..)
            .zip(list)
            .map(|(id, (policy, built_in))| Policy {
                id: PolicyId(id),
                name: format!("p{id}"),
                source: if built_in { PolicySource::BuiltIn } else { PolicySource::Configured },
                ..policy
            })
            .collect()
    })
}

pub fn spd(policies: &[Policy]) -> Spd {
    Spd::builder(Action::Discard).extend(policies.iter().cloned()).build().unwrap()
}
