//! The compiled index finds what a scan of the three sentences of the search finds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::{Match, Reason, Stage};
use ipsec_sad::{
    Action, AddressRange, Addresses, Applies, Direction, Flow, InterfaceId, Origin, Policy, PolicyId,
    PolicySource, PortRange, Ports, RealmId, Realms, Selector, Spd, SpdError, TemplateId,
};
use proptest::prelude::*;

/// The oracle: built-in ones by order; hashed by most specified fields, ties by order; then ordered by order; then the
/// default. Of the winner's dynamic ones the first that covers the flow.
fn scan(policies: &[Policy], default: Action, flow: &Flow, direction: Direction) -> Match {
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
fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        4 => (0_u8..4, 0_u8..8).prop_map(|(net, host)| IpAddr::V4(Ipv4Addr::new(10, 0, net, host))),
        1 => (0_u16..6).prop_map(|host| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host))),
        1 => (0_u8..4, 0_u8..8).prop_map(|(net, host)| {
            IpAddr::V6(Ipv4Addr::new(10, 0, net, host).to_ipv6_mapped())
        }),
    ]
}

fn masked(address: IpAddr, length: u8) -> AddressRange {
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

fn addresses() -> impl Strategy<Value = Addresses> {
    prop_oneof![
        2 => Just(Addresses::Any),
        3 => address().prop_map(Addresses::from),
        2 => (address(), 0_u8..=128).prop_map(|(address, length)| masked(address, length).into()),
        2 => (address(), address()).prop_map(|(a, b)| {
            AddressRange::new(a.min(b), a.max(b)).map_or(Addresses::Any, Addresses::Range)
        }),
    ]
}

fn ports() -> impl Strategy<Value = PortRange> {
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

fn protocol() -> impl Strategy<Value = IpProtocol> {
    prop_oneof![
        Just(IpProtocol::TCP),
        Just(IpProtocol::UDP),
        Just(IpProtocol::ICMP),
        Just(IpProtocol::MOBILITY),
        Just(IpProtocol::GRE)
    ]
}

fn realm() -> impl Strategy<Value = Option<RealmId>> {
    proptest::option::weighted(0.1, (0_u32..2).prop_map(RealmId))
}

fn interface(weight: f64) -> impl Strategy<Value = Option<InterfaceId>> {
    proptest::option::weighted(weight, (1_u32..3).prop_map(|number| InterfaceId::new(number).unwrap()))
}

fn selector() -> impl Strategy<Value = Selector> {
    (addresses(), addresses(), proptest::option::of(protocol()), ports(), ports()).prop_map(
        |(local, remote, protocol, local_port, remote_port)| {
            let selector = Selector { local, remote, protocol, local_port, remote_port };
            if selector.mixes_families() { Selector { remote: Addresses::Any, ..selector } } else { selector }
        },
    )
}

fn flow() -> impl Strategy<Value = Flow> {
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

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Outbound), Just(Direction::Inbound)]
}

/// A policy but for its number and its source.
fn policy() -> impl Strategy<Value = Policy> {
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

fn policies(max: usize) -> impl Strategy<Value = Vec<Policy>> {
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

fn spd(policies: &[Policy]) -> Spd {
    Spd::builder(Action::Discard).extend(policies.iter().cloned()).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_index_agrees_with_the_scan(
        policies in policies(80),
        flows in proptest::collection::vec((flow(), direction()), 1..60),
    ) {
        let spd = spd(&policies);
        for (flow, direction) in flows {
            let expected = scan(&policies, Action::Discard, &flow, direction);
            prop_assert_eq!(spd.lookup(&flow, direction), expected, "{} {:?}", flow, direction);
        }
    }

    #[test]
    fn explain_names_one_winner_and_a_true_reason_for_every_loser(
        policies in policies(30),
        flow in flow(),
        direction in direction(),
    ) {
        let spd = spd(&policies);
        let explanation = spd.explain(&flow, direction);
        prop_assert_eq!(explanation.found, spd.lookup(&flow, direction));
        prop_assert_eq!(explanation.candidates.len(), policies.len());
        let winners: Vec<_> =
            explanation.candidates.iter().filter(|c| c.reason == Reason::Won).map(|c| c.policy).collect();
        prop_assert_eq!(winners, explanation.found.policy.into_iter().collect::<Vec<_>>());
        for (candidate, policy) in explanation.candidates.iter().zip(&policies) {
            let policy = policies.iter().find(|other| other.id == candidate.policy).unwrap_or(policy);
            let matches = policy.covers(&flow, direction);
            let lost_by_mismatch = matches!(candidate.reason, Reason::Differs(_));
            prop_assert_eq!(matches, !lost_by_mismatch);
        }
    }

    #[test]
    fn the_mirror_seen_from_the_other_side_is_the_same_selector(selector in selector(), flow in flow()) {
        prop_assert_eq!(
            selector.matches(&flow, Direction::Outbound),
            selector.mirror().matches(&flow, Direction::Inbound)
        );
        prop_assert_eq!(selector.mirror().mirror(), selector);
    }

    #[test]
    fn intersection_and_cover_are_what_matching_says(a in selector(), b in selector(), flow in flow(), direction in direction()) {
        let both = a.matches(&flow, direction) && b.matches(&flow, direction);
        let intersection = a.intersect(&b);
        prop_assert_eq!(intersection.is_some_and(|i| i.matches(&flow, direction)), both);
        if let Some(intersection) = intersection {
            prop_assert!(a.covers(&intersection) && b.covers(&intersection));
        }
        if a.covers(&b) && b.matches(&flow, direction) {
            prop_assert!(a.matches(&flow, direction));
        }
    }

    #[test]
    fn a_selector_reads_what_it_prints(selector in selector()) {
        prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
    }

    #[test]
    fn the_selector_of_a_flow_covers_it(flow in flow(), direction in direction()) {
        prop_assert!(Selector::of_flow(&flow, direction).matches(&flow, direction));
    }

    #[test]
    fn a_range_reads_what_it_prints(range in addresses()) {
        if let Addresses::Range(range) = range {
            prop_assert_eq!(range.to_string().parse::<AddressRange>(), Ok(range));
            if let Some((network, length)) = range.as_prefix() {
                prop_assert_eq!(AddressRange::prefix(network, length), Ok(range));
            }
        }
    }
}

fn tcp(source: [u8; 4], destination: [u8; 4], to: u16) -> Flow {
    Flow::new(source, destination, IpProtocol::TCP, Ports::Transport { source: 40_000, destination: to })
}

#[test]
fn the_three_stages_in_order() {
    let net = |text: &str| text.parse::<AddressRange>().unwrap();
    let web =
        Selector { protocol: Some(IpProtocol::TCP), remote_port: PortRange::single(80), ..Selector::ANY };
    let spd = Spd::builder(Action::Discard)
        .push(Policy::new(
            PolicyId(1),
            "net",
            Selector::between(net("10.1.0.0/16"), net("10.2.0.0/16")),
            Action::Protect(TemplateId(1)),
        ))
        .push(Policy::new(PolicyId(2), "web", web, Action::Bypass))
        .push(Policy::new(
            PolicyId(3),
            "host",
            Selector { remote: net("10.2.0.9").into(), ..web },
            Action::Discard,
        ))
        .push(Policy::new(PolicyId(4), "rest", Selector::ANY, Action::Bypass))
        .build()
        .unwrap();
    let policy = |flow: &Flow| spd.lookup(flow, Direction::Outbound).policy;
    assert_eq!(policy(&tcp([10, 1, 0, 1], [10, 2, 0, 1], 22)), Some(PolicyId(1)));
    assert_eq!(
        policy(&tcp([10, 1, 0, 1], [10, 2, 0, 1], 80)),
        Some(PolicyId(2)),
        "hashed goes before ordered"
    );
    assert_eq!(policy(&tcp([10, 1, 0, 1], [10, 2, 0, 9], 80)), Some(PolicyId(3)), "more specified fields");
    assert_eq!(policy(&tcp([192, 0, 2, 1], [10, 2, 0, 9], 22)), Some(PolicyId(4)));

    let answer = tcp([10, 1, 0, 1], [10, 2, 0, 1], 22).reversed();
    assert_eq!(spd.lookup(&answer, Direction::Inbound).policy, Some(PolicyId(1)), "the mirror");
    assert_eq!(spd.lookup(&answer, Direction::Outbound).policy, Some(PolicyId(4)));

    let explanation = spd.explain(&tcp([10, 1, 0, 1], [10, 2, 0, 9], 80), Direction::Outbound);
    let reasons: Vec<_> = explanation.candidates.iter().map(|c| (c.stage, c.reason)).collect();
    assert_eq!(
        reasons,
        [
            (Stage::Ordered, Reason::AfterHashed),
            (Stage::Hashed { specified: 2 }, Reason::FewerFields),
            (Stage::Hashed { specified: 3 }, Reason::Won),
            (Stage::Ordered, Reason::AfterHashed),
        ]
    );
}

#[test]
fn a_fragment_never_matches_a_port_rule() {
    let web =
        Selector { protocol: Some(IpProtocol::TCP), remote_port: PortRange::single(80), ..Selector::ANY };
    let all_ports = Selector { protocol: Some(IpProtocol::TCP), ..Selector::ANY };
    let fragment = Flow { ports: Ports::Opaque, ..tcp([10, 1, 0, 1], [10, 2, 0, 1], 80) };
    assert!(!web.matches(&fragment, Direction::Outbound));
    assert!(all_ports.matches(&fragment, Direction::Outbound));
}

#[test]
fn what_is_not_an_spd_is_refused() {
    let policy = |id| Policy::new(PolicyId(id), "x", Selector::ANY, Action::Bypass);
    assert_eq!(
        Spd::builder(Action::Discard).push(policy(1)).push(policy(1)).build().unwrap_err(),
        SpdError::DuplicateId { id: PolicyId(1), name: "x".into() }
    );
    assert_eq!(Spd::builder(Action::Protect(TemplateId(1))).build().unwrap_err(), SpdError::DefaultProtects);
    let mixed = Selector::between(AddressRange::any_v4(), AddressRange::any_v6());
    assert_eq!(
        Spd::builder(Action::Discard)
            .push(Policy::new(PolicyId(1), "x", mixed, Action::Bypass))
            .build()
            .unwrap_err(),
        SpdError::MixedFamilies { id: PolicyId(1), name: "x".into() }
    );
}

#[test]
fn selectors_print_as_operators_write_them() {
    let net = |text: &str| text.parse::<AddressRange>().unwrap();
    let nets = Selector::between(net("10.1.0.0/24"), net("10.2.0.1-10.2.0.9"));
    assert_eq!(nets.to_string(), "10.1.0.0/24 <-> 10.2.0.1-10.2.0.9");
    let tcp = Selector { protocol: Some(IpProtocol::TCP), remote_port: PortRange::single(80), ..nets };
    assert_eq!(tcp.to_string(), "10.1.0.0/24 <-> 10.2.0.1-10.2.0.9 tcp 80");
    assert_eq!(Selector { ..tcp }.mirror().to_string(), "10.2.0.1-10.2.0.9 <-> 10.1.0.0/24 tcp 80 <-> any");
    let echo =
        Selector { protocol: Some(IpProtocol::ICMP), local_port: PortRange::icmp_type(8), ..Selector::ANY };
    assert_eq!(echo.to_string(), "any <-> any icmp type 8 <-> any");
    assert_eq!(Selector { protocol: Some(IpProtocol(253)), ..Selector::ANY }.to_string(), "any <-> any 253");
}
