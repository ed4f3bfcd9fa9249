//! What an explanation foretells is what the worker does then.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/policies.rs"]
mod policies;

use std::sync::Arc;

use common::{PAIR, Pair, Setup, TEMPLATE, net, networks, packet, run, udp};
use ipsec_proto::ip::{Addresses, Header};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::Reason;
use ipsec_sad::{
    Action, CacheState, Direction, DropReason, Flow, Granularity, Meta, Next, Origin, PacketExplanation,
    PairId, Policy, PolicyId, SaReason, Selector, SelectorField, Spd, TemplateId, Update, Verdict, Worker,
};
use proptest::prelude::*;

/// An IPv4 packet of any protocol, now and then a later fragment, or cut short.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let addresses = (0_u8..4, 0_u8..8, 0_u8..4, 0_u8..8);
    let protocol = prop_oneof![Just(1_u8), Just(6), Just(17), Just(47)];
    let payload = proptest::collection::vec(prop_oneof![Just(0_u8), 0_u8..4], 0..8);
    (addresses, protocol, payload, proptest::bool::weighted(0.1)).prop_map(
        |((net_a, host_a, net_b, host_b), protocol, payload, later)| {
            let addresses =
                Addresses::new([10, 0, net_a, host_a].into(), [10, 0, net_b, host_b].into()).unwrap();
            let header = Header::new(addresses, IpProtocol(protocol));
            let mut packet = vec![0; header.header_len() + payload.len()];
            header.emit(payload.len(), &mut packet).unwrap();
            packet[header.header_len()..].copy_from_slice(&payload);
            packet[7] = u8::from(later);
            packet
        },
    )
}

/// Whether the worker did what was foretold.
fn is_as_foretold(
    foretold: &PacketExplanation,
    verdict: Verdict,
    pending_before: usize,
    worker: &Worker,
) -> bool {
    let pending = worker.report().acquires;
    match (foretold.next, verdict) {
        (Next::Bypass, Verdict::Bypass) => true,
        (Next::Drop(reason), Verdict::Drop(found)) => reason == found,
        (Next::Acquire { .. }, Verdict::Acquire(_)) => pending == pending_before + 1,
        (Next::Wait(id), Verdict::Acquire(found)) => id == found && pending == pending_before,
        (Next::Send { pair, .. }, Verdict::Send { .. }) => {
            foretold.sas.iter().any(|sa| sa.pair == pair && matches!(sa.reason, SaReason::Chosen(_)))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_worker_does_what_explain_foretells(
        policies in policies::policies(12),
        sas in proptest::collection::vec((policies::selector(), 0_u32..9, any::<bool>()), 0..6),
        packets in proptest::collection::vec((any_packet(), any::<bool>(), 0_u32..3), 1..40),
    ) {
        let mut pair = Pair::without_sas(Setup::default());
        pair.a.apply(pair.now, Update::Policies(Arc::new(policies::spd(&policies))));
        for (number, (selector, _, active)) in (1..).zip(sas) {
            pair.connect(PairId(number), selector);
            if !active {
                // Installed again, and not yet used.
                let again = pair.outbound(PairId(number), ipsec_proto::Spi(5000), common::path(), selector);
                pair.a.apply(pair.now, Update::InstallOutbound(again));
            }
        }
        for (packet, outbound, interface) in packets {
            let interface = ipsec_sad::InterfaceId::new(interface);
            let origin = Origin { interface, ..Origin::default() };
            let direction = if outbound { Direction::Outbound } else { Direction::Inbound };
            let foretold = pair.a.explain_packet(pair.now, &packet, origin, direction).unwrap();
            prop_assert_eq!(foretold.flow, Flow::parse(&packet).unwrap().at(origin));
            let before = pair.a.report();
            let now = pair.now;
            let found = run(&[packet], Meta::ClearAt(origin), |batch| match direction {
                Direction::Outbound => pair.a.outbound(now, batch),
                Direction::Inbound => pair.a.clear_inbound(now, batch),
            });
            let verdict = found[0].0;
            prop_assert!(is_as_foretold(&foretold, verdict, before.acquires, &pair.a), "{foretold:?}: {verdict:?}");
            let after = pair.a.report();
            let hit = after.cache_hits > before.cache_hits;
            prop_assert_eq!(hit, foretold.cache == CacheState::Hit);
            let used = |report: &ipsec_sad::SadReport| {
                let of = |id| report.policies.iter().find(|policy| policy.id == id).unwrap().used.hits;
                foretold.policy.found.policy.map_or(report.default_use.hits, of)
            };
            prop_assert_eq!(used(&after), used(&before) + 1, "the policy that is counted");
        }
    }
}

fn explained(pair: &Pair, packet: &[u8]) -> PacketExplanation {
    pair.a.explain_packet(pair.now, packet, Origin::default(), Direction::Outbound).unwrap()
}

#[test]
fn the_newest_usable_sa_goes_first_and_each_says_why() {
    let mut pair = Pair::without_sas(Setup::default());
    let hosts = Selector::between(net("10.1.0.1"), net("10.2.0.1"));
    let flow = Selector::of_flow(&Flow::parse(&packet(b"")).unwrap(), Direction::Outbound);
    pair.connect(PAIR, networks());
    pair.connect(PairId(2), hosts);
    pair.connect(PairId(3), flow);
    pair.connect(PairId(4), Selector { remote: net("10.2.0.9").into(), ..networks() });
    let unused = pair.outbound(PairId(5), ipsec_proto::Spi(5000), common::path(), networks());
    pair.a.apply(pair.now, Update::InstallOutbound(unused));
    let reasons = |pair: &Pair| {
        let explained = explained(pair, &packet(b""));
        explained.sas.iter().map(|sa| (sa.pair.0, sa.reason)).collect::<Vec<_>>()
    };
    use Granularity as By;
    use SaReason as R;
    assert_eq!(
        reasons(&pair),
        [
            (5, R::NotActive),
            (4, R::Differs(SelectorField::Remote)),
            (3, R::Chosen(By::Flow)),
            (2, R::NewerChosen(By::Host)),
            (1, R::NewerChosen(By::Policy)),
        ]
    );
    let next = |pair: &Pair| match explained(pair, &packet(b"")).next {
        Next::Send { pair, .. } => pair.0,
        other => panic!("{other:?}"),
    };
    assert_eq!(next(&pair), 3);
    // The newest in use goes first, and what the worker does is the same.
    pair.a.apply(pair.now, Update::Activate(PairId(5)));
    assert_eq!(next(&pair), 5);
    for gone in [5, 3] {
        pair.a.apply(pair.now, Update::Remove(PairId(gone)));
    }
    assert_eq!(next(&pair), 2);
    pair.seal(&[packet(b"")]);
    let report = pair.a.report();
    let sealed = report.sas.iter().find(|sa| sa.traffic.packets == 1).unwrap();
    assert_eq!((sealed.pair, sealed.direction), (PairId(2), Direction::Outbound));
}

#[test]
fn the_cache_and_a_hold_down_are_told() {
    let mut pair = Pair::without_sas(Setup::default());
    let cache = |pair: &Pair| explained(pair, &packet(b"")).cache;
    assert_eq!(cache(&pair), CacheState::Miss);
    assert!(
        matches!(explained(&pair, &packet(b"")).next, Next::Acquire { proposal, .. } if proposal == networks())
    );
    let until = pair.now + std::time::Duration::from_secs(9);
    pair.a.apply(pair.now, Update::HoldDown { template: TEMPLATE, until });
    assert_eq!(explained(&pair, &packet(b"")).next, Next::Drop(DropReason::NoSa));
    pair.connect(PAIR, networks());
    pair.seal(&[packet(b"")]);
    assert_eq!(cache(&pair), CacheState::Hit);
    pair.a_out.as_ref().unwrap().skip_to(u32::MAX.into());
    assert_eq!(cache(&pair), CacheState::Worn);
    assert_eq!(explained(&pair, &packet(b"")).sas[0].reason, SaReason::Exhausted);
    pair.a.apply(pair.now, Update::Activate(PAIR));
    assert_eq!(cache(&pair), CacheState::Miss, "what it knew is of another generation");
}

#[test]
fn a_clear_packet_that_should_be_protected_says_so() {
    let pair = Pair::new(Setup::default());
    let answer = udp("10.2.0.1", "10.1.0.1", 53, b"");
    let explained = pair.a.explain_packet(pair.now, &answer, Origin::default(), Direction::Inbound).unwrap();
    assert_eq!(explained.next, Next::Drop(DropReason::ClearWhereProtectRequired));
    assert_eq!((explained.cache, explained.sas.len()), (CacheState::NotAsked, 0));
    assert!(pair.a.explain_packet(pair.now, &[0x45], Origin::default(), Direction::Inbound).is_err());

    let mut fragment = packet(b"");
    fragment[7] = 1;
    let web: Selector = "any <-> any udp 53".parse().unwrap();
    let spd = Spd::builder(Action::Discard)
        .push(Policy::new(PolicyId(1), "dns", web, Action::Protect(TemplateId(1))))
        .build()
        .unwrap();
    let mut pair = Pair::without_sas(Setup::default());
    pair.a.apply(pair.now, Update::Policies(Arc::new(spd)));
    let hidden = self::explained(&pair, &fragment);
    assert_eq!(hidden.with_hidden_ports().collect::<Vec<_>>(), [PolicyId(1)]);
    assert!(hidden.policy.candidates.iter().all(|candidate| candidate.reason != Reason::Won));
    assert_eq!(hidden.next, Next::Drop(DropReason::NoPolicy));
}
