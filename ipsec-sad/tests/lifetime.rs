//! Soft limits ask for a successor once, hard limits end the SA.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{PAIR, Pair, Setup, dropped, packet, run, telling_events};
use ipsec_sad::{
    Direction, DropReason, Lifetime, LimitKind, Limits, Meta, SaState, SadEvent, Update, Verdict,
    WorkerConfig,
};

fn limited(soft: Limits, hard: Limits) -> Setup {
    Setup { lifetime: Lifetime { soft, hard }, ..Setup::default() }
}

fn kinds(events: &[SadEvent]) -> Vec<(&'static str, Direction, LimitKind)> {
    events
        .iter()
        .filter_map(|event| match *event {
            SadEvent::SoftLimit { direction, which, .. } => Some(("soft", direction, which)),
            SadEvent::HardLimit { direction, which, .. } => Some(("hard", direction, which)),
            _ => None,
        })
        .collect()
}

#[test]
fn time() {
    let seconds = |n| Limits { time: Some(Duration::from_secs(n)), ..Limits::default() };
    let mut pair = Pair::new(limited(seconds(50), seconds(60)));
    let start = pair.now;
    let late = pair.seal(&[packet(b"late")]).remove(0);
    assert_eq!(pair.b.poll_timeout(), Some(start + Duration::from_secs(50)));
    pair.b.handle_timeout(start + Duration::from_secs(49));
    assert_eq!(telling_events(&mut pair.b), []);
    pair.b.handle_timeout(start + Duration::from_secs(50));
    assert_eq!(
        kinds(&telling_events(&mut pair.b)),
        [("soft", Direction::Outbound, LimitKind::Time), ("soft", Direction::Inbound, LimitKind::Time)]
    );
    // An expired SA takes nothing, even before its timer is handled.
    assert_eq!(pair.b.poll_timeout(), Some(start + Duration::from_secs(60)));
    pair.now = start + Duration::from_secs(60);
    assert_eq!(pair.open_one(&late), dropped(DropReason::SaExpired));
    pair.b.handle_timeout(pair.now);
    assert_eq!(
        kinds(&telling_events(&mut pair.b)),
        [("hard", Direction::Outbound, LimitKind::Time), ("hard", Direction::Inbound, LimitKind::Time)]
    );
    assert!(pair.b.report().sas.iter().all(|sa| sa.state == SaState::Expired));
    assert_eq!(pair.b.poll_timeout(), None);

    pair.a.handle_timeout(pair.now);
    let next = run(&[packet(b"x")], Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    assert!(matches!(next[0].0, Verdict::Acquire(_)));
}

#[test]
fn bytes_and_packets() {
    let clear = packet(&[0; 72]);
    assert_eq!(clear.len(), 100);
    for (soft, hard, kind) in [
        (
            Limits { bytes: Some(300), ..Limits::default() },
            Limits { bytes: Some(500), ..Limits::default() },
            LimitKind::Bytes,
        ),
        (
            Limits { packets: Some(3), ..Limits::default() },
            Limits { packets: Some(5), ..Limits::default() },
            LimitKind::Packets,
        ),
    ] {
        let mut pair = Pair::new(limited(soft, hard));
        for number in 1..=5 {
            let sealed = pair.seal(std::slice::from_ref(&clear));
            assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
            let expected = |direction| match number {
                3 => vec![("soft", direction, kind)],
                5 => vec![("hard", direction, kind)],
                _ => vec![],
            };
            assert_eq!(kinds(&telling_events(&mut pair.a)), expected(Direction::Outbound), "packet {number}");
            assert_eq!(kinds(&telling_events(&mut pair.b)), expected(Direction::Inbound), "packet {number}");
        }
        let next = run(std::slice::from_ref(&clear), Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
        assert!(matches!(next[0].0, Verdict::Acquire(_)), "no more packets on an expired SA");
    }
}

#[test]
fn what_finds_the_ring_full_is_told_later() {
    let packets = |n| Limits { packets: Some(n), ..Limits::default() };
    let config = WorkerConfig { events: 1, ..WorkerConfig::default() };
    let mut pair = Pair::new(Setup { config, ..limited(packets(1), packets(2)) });
    // The ring takes the event of the first packet; the limits are reached behind it.
    let sealed = pair.seal(&[packet(b"x")]);
    pair.open(&sealed);
    let sealed = pair.seal(&[packet(b"x")]);
    pair.open(&sealed);
    let told = kinds(&telling_events(&mut pair.b));
    assert_eq!(
        told,
        [("soft", Direction::Inbound, LimitKind::Packets), ("hard", Direction::Inbound, LimitKind::Packets)]
    );
    let told = kinds(&telling_events(&mut pair.a));
    assert_eq!(
        told,
        [
            ("soft", Direction::Outbound, LimitKind::Packets),
            ("hard", Direction::Outbound, LimitKind::Packets)
        ]
    );
}

#[test]
fn a_removed_sa_leaves_no_timer() {
    let limits = Limits { time: Some(Duration::from_secs(9)), ..Limits::default() };
    let mut pair = Pair::new(limited(limits, limits));
    assert!(pair.a.poll_timeout().is_some());
    pair.a.apply(pair.now, Update::RemoveInbound(PAIR));
    pair.a.apply(pair.now, Update::RemoveOutbound(PAIR));
    assert_eq!(pair.a.poll_timeout(), None);
}

#[test]
fn a_burst_does_not_overrun_a_limit() {
    let clear = packet(&[0; 72]);
    for (hard, kind) in [
        (Limits { bytes: Some(1050), ..Limits::default() }, LimitKind::Bytes),
        (Limits { packets: Some(10), ..Limits::default() }, LimitKind::Packets),
    ] {
        let mut pair = Pair::new(limited(Limits::default(), hard));
        let mut unlimited = Pair::new(Setup::default());
        let burst = vec![clear.clone(); 30];
        let verdicts = run(&burst, Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
        let sent = verdicts.iter().filter(|(verdict, _)| matches!(verdict, Verdict::Send { .. })).count();
        let refused =
            verdicts.iter().filter(|(verdict, _)| *verdict == dropped(DropReason::SaExpired)).count();
        assert_eq!((sent, refused), (10, 20), "{kind:?}");
        assert_eq!(kinds(&telling_events(&mut pair.a)), [("hard", Direction::Outbound, kind)]);
        let report = pair.a.report();
        let sa = report.sas.iter().find(|sa| sa.direction == Direction::Outbound).unwrap();
        assert_eq!((sa.traffic.packets, sa.traffic.bytes, sa.state), (10, 1000, SaState::Expired));

        // Inbound the same, whatever the sender thinks of the limit.
        let sealed = unlimited.seal(&burst);
        let opened = pair.open(&sealed);
        let delivered = opened.iter().filter(|(verdict, _)| *verdict == Verdict::Deliver).count();
        assert_eq!(delivered, 10, "{kind:?}");
        assert!(opened[10..].iter().all(|(verdict, _)| *verdict == dropped(DropReason::SaExpired)));
        assert_eq!(kinds(&telling_events(&mut pair.b)), [("hard", Direction::Inbound, kind)]);
    }
}
