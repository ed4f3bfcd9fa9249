//! The compiled index finds what a scan of the three sentences of the search finds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/policies.rs"]
mod policies;

use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::{Difference, Reason, Stage};
use ipsec_sad::{
    Action, AddressRange, Addresses, Direction, Flow, Policy, PolicyId, PortRange, Ports, Selector,
    SelectorField, Spd, SpdError, TemplateId,
};
use policies::{addresses, direction, flow, policies, scan, selector, spd};
use proptest::prelude::*;

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
    // What has OPAQUE in a port field is for such packets only (RFC 4301 §7.2).
    let fragments = Selector { remote_port: PortRange::OPAQUE, ..all_ports };
    assert!(fragments.matches(&fragment, Direction::Outbound));
    assert!(!fragments.matches(&tcp([10, 1, 0, 1], [10, 2, 0, 1], 80), Direction::Outbound));

    let spd = Spd::builder(Action::Discard)
        .push(Policy::new(PolicyId(1), "web", web, Action::Bypass))
        .build()
        .unwrap();
    let explanation = spd.explain(&fragment, Direction::Outbound);
    assert_eq!(
        explanation.candidates[0].reason,
        Reason::Differs(Difference::HiddenPorts(SelectorField::RemotePort))
    );
}

#[test]
fn what_is_sent_and_what_is_received_are_two_fields_of_a_message() {
    let ping: Selector = "any <-> any icmp type 8 <-> type 0".parse().unwrap();
    let icmp =
        |kind| Flow::new([10, 0, 0, 1], [10, 0, 0, 2], IpProtocol::ICMP, Ports::Icmp { kind, code: 0 });
    let matching =
        |selector: Selector, direction| [0, 8].map(|kind| selector.matches(&icmp(kind), direction));
    assert_eq!(matching(ping, Direction::Outbound), [false, true]);
    assert_eq!(matching(ping, Direction::Inbound), [true, false], "can't be pinged");
    // RFC 4301 §4.4.1.3 C: sent, not received.
    let sent_only: Selector = "any <-> any icmp type 8 <-> opaque".parse().unwrap();
    assert_eq!(matching(sent_only, Direction::Outbound), [false, true]);
    assert_eq!(matching(sent_only, Direction::Inbound), [false, false]);
    let hidden = Flow { ports: Ports::Opaque, ..icmp(8) };
    assert!(!sent_only.matches(&hidden, Direction::Outbound) && !ping.matches(&hidden, Direction::Inbound));
    let update = Flow { protocol: IpProtocol::MOBILITY, ports: Ports::Mobility { kind: 5 }, ..icmp(0) };
    let updates: Selector = "any <-> any mobility-header type 5 code 0".parse().unwrap();
    assert_eq!(updates.local_port, PortRange::mobility(5));
    assert!(updates.matches(&update, Direction::Outbound) && updates.matches(&update, Direction::Inbound));
    assert!(!updates.matches(&icmp(5), Direction::Outbound));
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
