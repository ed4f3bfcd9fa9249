//! The first packet asks for an SA, once; then it waits, passes, or is held down.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PAIR, Pair, Setup, TEMPLATE, dropped, networks, networks_v6, packet, run, telling_events, udp};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    AcquireId, Action, DropReason, Granularity, Meta, PairId, Policy, PolicyId, PortRange, SadEvent,
    Selector, Spd, Update, Verdict, WorkerConfig,
};

fn verdicts(pair: &mut Pair, packets: &[Vec<u8>]) -> Vec<Verdict> {
    run(packets, Meta::Clear, |batch| pair.a.outbound(pair.now, batch)).into_iter().map(|(v, _)| v).collect()
}

fn acquire(pair: &mut Pair, packet: Vec<u8>) -> Option<AcquireId> {
    match verdicts(pair, &[packet])[..] {
        [Verdict::Acquire(id)] => Some(id),
        _ => None,
    }
}

#[test]
fn one_event_for_all_packets_of_a_policy() {
    let mut pair = Pair::without_sas(Setup::default());
    let packets =
        [packet(b"1"), udp("10.1.0.7", "10.2.0.9", 80, b"2"), udp("fd00:1::1", "fd00:2::1", 53, b"3")];
    let found = verdicts(&mut pair, &packets);
    let [Verdict::Acquire(v4), Verdict::Acquire(same), Verdict::Acquire(v6)] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(v4, same);
    assert_ne!(v4, v6);
    let flow = ipsec_sad::Flow::parse(&packets[0]).unwrap();
    let events = telling_events(&mut pair.a);
    assert_eq!(
        events[0],
        SadEvent::Acquire { id: v4, policy: PolicyId(1), template: TEMPLATE, flow, proposal: networks() }
    );
    assert!(
        matches!(events[1], SadEvent::Acquire { id, proposal, .. } if id == v6 && proposal == networks_v6())
    );
    assert_eq!(events.len(), 2);
    assert_eq!(acquire(&mut pair, packet(b"again")), Some(v4));
    assert_eq!(telling_events(&mut pair.a), []);

    pair.connect(PAIR, networks());
    let sealed = pair.seal(&[packet(b"1")]);
    assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
    assert_eq!(pair.a.report().acquires, 1, "the other network still waits");
}

#[test]
fn a_failure_holds_down_and_lets_go() {
    let mut pair = Pair::without_sas(Setup::default());
    let id = acquire(&mut pair, packet(b"1")).unwrap();
    let until = pair.now + Duration::from_secs(10);
    pair.a.apply(pair.now, Update::AcquireFailed { id, until });
    pair.a.record_drops(DropReason::NoSa, 1);
    assert_eq!(verdicts(&mut pair, &[packet(b"2")]), [dropped(DropReason::NoSa)]);
    assert!(acquire(&mut pair, udp("fd00:1::1", "fd00:2::1", 53, b"")).is_some(), "another proposal may ask");
    assert_eq!(pair.a.report().drops.count(DropReason::NoSa), 2);
    pair.now = until;
    let next = acquire(&mut pair, packet(b"3")).unwrap();
    assert_ne!(next, id);
    assert_eq!(telling_events(&mut pair.a).len(), 3);

    // A whole template.
    let until = pair.now + Duration::from_secs(10);
    pair.a.apply(pair.now, Update::HoldDown { template: TEMPLATE, until });
    let both = [packet(b"4"), udp("fd00:1::1", "fd00:2::1", 53, b"")];
    assert_eq!(verdicts(&mut pair, &both), [dropped(DropReason::NoSa); 2]);
    assert_eq!(pair.a.report().acquires, 0);
    // The peer brings up an SA by itself: the hold-down is over.
    pair.connect(PAIR, networks());
    pair.seal(&[packet(b"5")]);
}

#[test]
fn granularity_says_what_is_proposed_and_who_shares() {
    for (granularity, same_hosts, other_hosts) in [
        (Granularity::Policy, true, true),
        (Granularity::Host, true, false),
        (Granularity::Flow, false, false),
    ] {
        let mut pair = Pair::without_sas(Setup::default());
        let policy =
            Policy { granularity, ..Policy::new(PolicyId(1), "p", networks(), Action::Protect(TEMPLATE)) };
        let spd = Spd::builder(Action::Discard).push(policy).build().unwrap();
        pair.a.apply(pair.now, Update::Policies(Arc::new(spd)));
        let first = acquire(&mut pair, packet(b"")).unwrap();
        let Some(SadEvent::Acquire { proposal, .. }) = pair.a.next_event() else { panic!("no event") };
        let hosts = Selector::between(common::net("10.1.0.1"), common::net("10.2.0.1"));
        assert_eq!(
            proposal,
            match granularity {
                Granularity::Policy => networks(),
                Granularity::Host => hosts,
                Granularity::Flow => Selector {
                    protocol: Some(IpProtocol::UDP),
                    local_port: PortRange::single(40_000),
                    remote_port: PortRange::single(53),
                    ..hosts
                },
            }
        );
        let other_port = acquire(&mut pair, udp("10.1.0.1", "10.2.0.1", 54, b"")).unwrap();
        let other_host = acquire(&mut pair, udp("10.1.0.2", "10.2.0.1", 53, b"")).unwrap();
        assert_eq!(other_port == first, same_hosts);
        assert_eq!(other_host == first, other_hosts);
        // The SA for the first does not end the wait of those that need another.
        pair.connect(PAIR, proposal);
        pair.seal(&[packet(b"")]);
        assert_eq!(pair.a.report().acquires, 2 - usize::from(same_hosts) - usize::from(other_hosts));
    }
}

#[test]
fn acquires_are_bounded_and_never_lost() {
    let config = WorkerConfig { acquires: 2, ..WorkerConfig::default() };
    let mut pair = Pair::without_sas(Setup { config, ..Setup::default() });
    let policy = Policy {
        granularity: Granularity::Host,
        ..Policy::new(PolicyId(1), "p", networks(), Action::Protect(TEMPLATE))
    };
    let spd = Spd::builder(Action::Discard).push(policy).build().unwrap();
    pair.a.apply(pair.now, Update::Policies(Arc::new(spd)));
    let from = |host: u8| udp(&format!("10.1.0.{host}"), "10.2.0.1", 53, b"");
    let found = verdicts(&mut pair, &[from(1), from(2), from(3)]);
    assert!(matches!(found[..2], [Verdict::Acquire(_), Verdict::Acquire(_)]));
    assert_eq!(found[2], dropped(DropReason::AcquireLimit));

    // No room to tell: the packet is dropped and the next one asks again.
    let config = WorkerConfig { events: 1, ..WorkerConfig::default() };
    let mut pair = Pair::without_sas(Setup { config, ..Setup::default() });
    let v6 = udp("fd00:1::1", "fd00:2::1", 53, b"");
    let found = verdicts(&mut pair, &[packet(b""), v6.clone()]);
    assert_eq!(found[1], dropped(DropReason::AcquireLimit));
    assert_eq!(telling_events(&mut pair.a).len(), 1);
    assert!(acquire(&mut pair, v6).is_some());
    assert_eq!(telling_events(&mut pair.a).len(), 1);
}

#[test]
fn a_policy_that_goes_takes_its_acquire_along() {
    let mut pair = Pair::without_sas(Setup::default());
    let first = acquire(&mut pair, packet(b"")).unwrap();
    pair.a.apply(pair.now, Update::Policies(Arc::new(common::protect(&[]))));
    assert_eq!(pair.a.report().acquires, 0);
    pair.a.apply(pair.now, Update::Policies(Arc::new(common::protect(&[networks()]))));
    assert_ne!(acquire(&mut pair, packet(b"")), Some(first));
    let stale = Update::AcquireFailed { id: first, until: pair.now + Duration::from_secs(10) };
    pair.a.apply(pair.now, stale);
    assert!(
        acquire(&mut pair, packet(b"")).is_some(),
        "an answer to an acquire that is gone changes nothing"
    );
    pair.a.apply(pair.now, Update::Activate(PairId(99)));
}
