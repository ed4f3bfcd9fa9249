//! A sequence number is never used twice: the SA ends with the last one.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{PAIR, Pair, Setup, dropped, networks, packet, run, telling_events};
use ipsec_sad::{DropReason, Esn, Meta, PairId, SaState, SadEvent, Verdict};

const LAST: u64 = u32::MAX as u64;

#[test]
fn the_last_number_is_used_and_nothing_after_it() {
    let mut pair = Pair::new(Setup::default());
    pair.a_out.as_ref().unwrap().skip_to(LAST - 2);
    let packets = vec![packet(b"x"); 5];
    let sealed = run(&packets, Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    let sent: Vec<u32> = sealed
        .iter()
        .filter(|(verdict, _)| matches!(verdict, Verdict::Send { .. }))
        .map(|(_, octets)| u32::from_be_bytes(octets[4..8].try_into().unwrap()))
        .collect();
    assert_eq!(sent, [u32::MAX - 1, u32::MAX]);
    for (verdict, _) in &sealed[2..] {
        assert_eq!(*verdict, dropped(DropReason::SequenceExhausted));
    }
    let audit = pair.a.next_audit().unwrap();
    assert_eq!((audit.reason, audit.sequence), (DropReason::SequenceExhausted, Some(LAST)));
    assert_eq!(pair.a.report().sas[1].state, SaState::Exhausted);

    // From then on there is no SA, also where the flow was cached, and a new one is asked for.
    let spi = pair.a_out.as_ref().unwrap().spi();
    assert_eq!(telling_events(&mut pair.a), [SadEvent::SequenceLow { pair: PAIR, spi }]);
    let next = run(&packets, Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    assert!(next.iter().all(|(verdict, _)| matches!(verdict, Verdict::Acquire(_))));
    assert!(matches!(telling_events(&mut pair.a)[..], [SadEvent::Acquire { .. }]));
    pair.connect(PairId(2), networks());
    let sealed = pair.seal(&packets);
    assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
}

#[test]
fn the_control_side_is_told_before_the_end() {
    let mut pair = Pair::new(Setup::default());
    let sa = pair.a_out.clone().unwrap();
    sa.skip_to(LAST / 16 * 15 - 16);
    pair.seal(&[packet(b"x")]);
    assert_eq!(telling_events(&mut pair.a), []);
    sa.skip_to(LAST / 16 * 15 + 16);
    pair.seal(&[packet(b"x")]);
    assert_eq!(telling_events(&mut pair.a), [SadEvent::SequenceLow { pair: PAIR, spi: sa.spi() }]);
    pair.seal(&[packet(b"x")]);
    assert_eq!(telling_events(&mut pair.a), [], "once");
}

#[test]
fn extended_numbers_end_too() {
    let mut pair = Pair::new(Setup { esn: Esn::On, ..Setup::default() });
    pair.a_out.as_ref().unwrap().skip_to(u64::MAX - 1);
    let packets = vec![packet(b"x"); 2];
    let sealed = run(&packets, Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    assert!(matches!(sealed[0].0, Verdict::Send { .. }));
    assert_eq!(sealed[1].0, dropped(DropReason::SequenceExhausted));
}

#[test]
fn two_workers_never_share_a_number() {
    let mut pair = Pair::new(Setup::default());
    let sa = pair.a_out.clone().unwrap();
    let mut other = Pair::without_sas(Setup::default()).a;
    other.apply(pair.now, ipsec_sad::Update::InstallOutbound(sa));
    other.apply(pair.now, ipsec_sad::Update::Activate(PAIR));
    let packets = vec![packet(b"x"); 100];
    let now = pair.now;
    let numbers = |worker: &mut ipsec_sad::Worker| -> Vec<u32> {
        (0..50)
            .flat_map(|_| run(&packets, Meta::Clear, |batch| worker.outbound(now, batch)))
            .map(|(_, octets)| u32::from_be_bytes(octets[4..8].try_into().unwrap()))
            .collect()
    };
    let mut all = std::thread::scope(|scope| {
        let one = scope.spawn(|| numbers(&mut pair.a));
        let mut all = numbers(&mut other);
        all.extend(one.join().unwrap());
        all
    });
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=10_000));
}
