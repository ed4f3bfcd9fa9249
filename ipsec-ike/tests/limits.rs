//! What strangers can make us hold is bounded, and a peer that means it gets through.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::time::Duration;

use ipsec_ike::proto::Path;
use ipsec_ike::*;
use support::*;

/// MM1 of a fresh initiator.
fn mm1(seed: u64) -> Datagram {
    let mut pair = Pair::seeded(&Setup::default(), &Setup::default().mirrored(), seed);
    pair.up();
    pair.collect();
    pair.wire.pop_front().unwrap()
}

fn limited(limits: Limits) -> Pair {
    let right = Setup {
        limits,
        remote: Some(RemoteAddress::Any),
        remote_id: Some("192.0.2.1"),
        ..Setup::default().mirrored()
    };
    // A seed of its own: the cookie must differ from those of the flood.
    Pair::seeded(&Setup::default(), &right, 50_000)
}

#[test]
fn a_flood_of_first_messages_fills_no_memory_and_locks_nobody_out() {
    let limits = Limits { half_open: 20, half_open_per_source: 5, ..Limits::default() };
    let mut pair = limited(limits);
    for seed in 0..100 {
        let first = mm1(seed + 1);
        let source = format!("198.51.100.{}:500", seed % 25).parse().unwrap();
        let path = Path::new(first.path.local, source);
        assert_eq!(pair.right.ike.handle_datagram(pair.now, path, &first.octets), Disposition::Accepted);
        let report = pair.right.ike.report(pair.now);
        assert!(report.half_open <= 20 && report.ike_sas.len() <= 20);
    }
    let counters = pair.right.ike.report(pair.now).counters;
    assert_eq!(counters.half_open_evicted, 80);
    let mut out = Vec::new();
    while let Some(output) = pair.right.ike.poll_output(&mut out) {
        drop(output);
    }
    // One that shows that it receives is not given up for newer ones.
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    pair.run(Duration::from_secs(60));
    let report = pair.right.ike.report(pair.now);
    assert_eq!((report.half_open, report.ike_sas.len()), (0, 1));
}

#[test]
fn one_source_has_a_limit_of_its_own() {
    let limits = Limits { half_open_per_source: 3, ..Limits::default() };
    let mut pair = limited(limits);
    for seed in 0..10 {
        let first = mm1(seed + 1);
        pair.right.ike.handle_datagram(pair.now, first.path, &first.octets);
        assert!(pair.right.ike.report(pair.now).half_open <= 3);
    }
}

#[test]
fn at_the_limit_of_sas_new_ones_are_refused_in_silence() {
    let limits = Limits { ike_sas: 2, ..Limits::default() };
    let mut pair = limited(limits);
    for seed in 0..5 {
        let first = mm1(seed + 1);
        let disposition = pair.right.ike.handle_datagram(pair.now, first.path, &first.octets);
        let expected =
            if seed < 2 { Disposition::Accepted } else { Disposition::Discarded(DiscardReason::Limit) };
        assert_eq!(disposition, expected);
    }
    assert_eq!(pair.right.ike.report(pair.now).counters.at_limit, 3);
}

#[test]
fn answers_to_strangers_are_limited_in_rate_and_size() {
    let limits = Limits { clear_notifies_per_second: 4, ..Limits::default() };
    let right = Setup { limits, ike: vec!["aes256-sha512-modp4096"], ..Setup::default().mirrored() };
    let mut pair = Pair::new(&Setup::default(), &right);
    for seed in 0..50 {
        let first = mm1(seed + 1);
        pair.right.ike.handle_datagram(pair.now, first.path, &first.octets);
    }
    pair.collect();
    assert_eq!(pair.transcript.len(), 4);
    assert_eq!(pair.right.ike.report(pair.now).counters.notifies_withheld, 46);
    assert!(pair.right.ike.report(pair.now).ike_sas.is_empty());
}

#[test]
fn quick_modes_at_one_time_are_limited() {
    let limits = Limits { quick_modes: 1, ..Limits::default() };
    let mut pair = Pair::new(&Setup::default(), &Setup { limits, ..Setup::default().mirrored() });
    // QM3 never arrives, so the first one stays open.
    pair.fate = Box::new(|datagram| {
        let qm3 = datagram.octets[18] == 32 && datagram.to == End::Right && datagram.octets.len() < 80;
        if qm3 { Fate::Drop } else { Fate::Deliver }
    });
    pair.up();
    pair.settle();
    let child = pair.left.ike.report(pair.now).children[0].clone();
    let event = sad::SadEvent::SequenceLow { pair: child.pair, spi: child.outbound };
    pair.left.ike.handle_sad(pair.now, event);
    pair.settle();
    assert_eq!(pair.right.ike.report(pair.now).counters.at_limit, 1);
    assert!(
        pair.right.events.iter().any(|event| matches!(event, Event::AtLimit { limit: "quick_modes", .. }))
    );
}

#[test]
fn ten_thousand_failures_leave_nothing() {
    let right =
        Setup { remote: Some(RemoteAddress::Any), remote_id: Some("x"), ..Setup::default().mirrored() };
    let mut pair = Pair::new(&Setup::default(), &right);
    let first = mm1(1);
    for number in 0..10_000_u64 {
        let mut octets = first.octets.clone();
        octets[..8].copy_from_slice(&(number + 1).to_be_bytes());
        pair.right.ike.handle_datagram(pair.now, first.path, &octets);
        let mut out = Vec::new();
        while pair.right.ike.poll_output(&mut out).is_some() {}
    }
    pair.run(Duration::from_secs(60));
    let report = pair.right.ike.report(pair.now);
    assert_eq!((report.half_open, report.ike_sas.len()), (0, 0));
    assert_eq!(pair.right.ike.poll_timeout(), None);
}
