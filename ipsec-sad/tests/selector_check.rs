//! What an SA carries is what was negotiated for it, in both directions, and nothing protected passes in clear.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::{PAIR, Pair, Setup, dropped, net, networks, packet, protect, run, udp};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    Action, Direction, DropReason, Meta, PairId, Policy, PolicyId, PortRange, Selector, Spd, Update, Verdict,
};

#[test]
fn a_peer_that_sends_what_was_not_negotiated_is_dropped_and_audited() {
    let mut pair = Pair::new(Setup::default());
    // The peer's own policies allow it to send from 10.9.0.0/24; ours never agreed.
    pair.a.apply(pair.now, Update::Policies(Arc::new(protect(&[Selector::ANY]))));
    let spi = pair.a_out.as_ref().unwrap().spi();
    let everything = pair.outbound(PairId(7), spi, common::path(), Selector::ANY);
    pair.a.apply(pair.now, Update::Remove(PAIR));
    pair.a.apply(pair.now, Update::InstallOutbound(everything));
    pair.a.apply(pair.now, Update::Activate(PairId(7)));
    for (source, destination) in
        [("10.9.0.1", "10.2.0.1"), ("10.1.0.1", "10.2.1.1"), ("fd00:1::1", "fd00:2::1")]
    {
        let sealed = pair.seal(&[udp(source, destination, 53, b"spoofed")]);
        assert_eq!(
            pair.open_one(&sealed[0]),
            dropped(DropReason::SelectorMismatch),
            "{source} {destination}"
        );
        let audit = pair.b.next_audit().unwrap();
        assert_eq!((audit.reason, audit.spi), (DropReason::SelectorMismatch, Some(spi)));
        assert_eq!(audit.flow.unwrap().source, source.parse::<std::net::IpAddr>().unwrap());
    }
    let report = pair.b.report();
    let sa = report.sas.iter().find(|sa| sa.direction == Direction::Inbound).unwrap();
    assert_eq!((sa.dropped, sa.last_drop), (3, Some(DropReason::SelectorMismatch)));
    let sealed = pair.seal(&[packet(b"good")]);
    assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
}

#[test]
fn an_sa_is_used_only_for_what_its_selectors_cover() {
    let mut pair = Pair::without_sas(Setup::default());
    let dns = Selector { protocol: Some(IpProtocol::UDP), remote_port: PortRange::single(53), ..networks() };
    pair.connect(PAIR, dns);
    pair.seal(&[packet(b"to 53")]);
    let other = udp("10.1.0.1", "10.2.0.1", 54, b"to 54");
    let verdict = run(&[other], Meta::Clear, |batch| pair.a.outbound(pair.now, batch))[0].0;
    assert!(matches!(verdict, Verdict::Acquire(_)), "{verdict:?}");
}

#[test]
fn a_later_fragment_does_not_use_an_sa_with_ports() {
    let mut pair = Pair::without_sas(Setup::default());
    let dns = Selector { protocol: Some(IpProtocol::UDP), remote_port: PortRange::single(53), ..networks() };
    pair.connect(PAIR, dns);
    let mut fragment = packet(b"to 53");
    fragment[7] = 1;
    let verdict =
        run(std::slice::from_ref(&fragment), Meta::Clear, |batch| pair.a.outbound(pair.now, batch))[0].0;
    assert!(matches!(verdict, Verdict::Acquire(_)), "{verdict:?}");
    // With all ports it passes.
    pair.connect(PairId(2), networks());
    let sealed = pair.seal(&[fragment]);
    assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
}

#[test]
fn clear_packets_from_the_network_need_a_bypass() {
    let mut pair = Pair::new(Setup::default());
    let spd = Spd::builder(Action::Discard)
        .push(Policy::new(PolicyId(1), "tunnel", networks().mirror(), Action::Protect(common::TEMPLATE)))
        .push(Policy::new(
            PolicyId(2),
            "management",
            Selector::between(net("10.2.0.0/24"), net("192.0.2.0/24")),
            Action::Bypass,
        ))
        .push(Policy::new(
            PolicyId(3),
            "never",
            Selector::between(net("10.2.0.0/24"), net("198.51.100.0/24")),
            Action::Discard,
        ))
        .build()
        .unwrap();
    pair.b.apply(pair.now, Update::Policies(Arc::new(spd)));
    let packets = [
        udp("10.1.0.1", "10.2.0.1", 53, b"should be protected"),
        udp("192.0.2.9", "10.2.0.1", 22, b"management"),
        udp("198.51.100.1", "10.2.0.1", 22, b"never"),
        udp("203.0.113.1", "10.2.0.1", 22, b"unknown"),
        vec![0; 30],
    ];
    let verdicts: Vec<_> = run(&packets, Meta::Clear, |batch| pair.b.clear_inbound(pair.now, batch))
        .into_iter()
        .map(|(v, _)| v)
        .collect();
    assert_eq!(
        verdicts,
        [
            dropped(DropReason::ClearWhereProtectRequired),
            Verdict::Bypass,
            dropped(DropReason::PolicyDiscard),
            dropped(DropReason::NoPolicy),
            dropped(DropReason::MalformedPacket),
        ]
    );
    assert_eq!(pair.b.next_audit().unwrap().reason, DropReason::ClearWhereProtectRequired);
    let report = pair.b.report();
    assert_eq!(report.policies.iter().map(|policy| policy.used.hits).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(report.default_use.hits, 1);
    assert_eq!(report.totals.bypassed_inbound.packets, 1);
}

#[test]
fn a_policy_change_holds_for_cached_flows_at_once() {
    let mut pair = Pair::new(Setup::default());
    pair.seal(&[packet(b"x")]);
    pair.seal(&[packet(b"x")]);
    assert_eq!(pair.a.report().cache_hits, 1);
    let hits = pair.a.report().policies[0].used.hits;
    let spd = Spd::builder(Action::Bypass)
        .push(Policy::new(PolicyId(1), "p1", networks(), Action::Discard))
        .build()
        .unwrap();
    pair.a.apply(pair.now, Update::Policies(Arc::new(spd)));
    assert_eq!(pair.a.report().policies[0].used.hits, hits, "the counter of a policy that stays goes on");
    let verdict = run(&[packet(b"x")], Meta::Clear, |batch| pair.a.outbound(pair.now, batch))[0].0;
    assert_eq!(verdict, dropped(DropReason::PolicyDiscard));
}

#[test]
fn a_worker_without_policies_passes_nothing() {
    let mut worker = ipsec_sad::Worker::new(ipsec_sad::WorkerConfig::default(), &mut ipsec_crypto::OsRandom);
    let now = Pair::without_sas(Setup::default()).now;
    let verdict = run(&[packet(b"x")], Meta::Clear, |batch| worker.outbound(now, batch))[0].0;
    assert_eq!(verdict, dropped(DropReason::NoPolicy));
}
