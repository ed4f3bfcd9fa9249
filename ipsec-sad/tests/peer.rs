//! What authenticated packets tell about the peer, and what others can't.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{PAIR, Pair, Setup, dropped, events, networks, packet, run, telling_events};
use ipsec_proto::{Path, Spi};
use ipsec_sad::{DropReason, Encap, Meta, PairId, SadEvent, SourceCheck, Update, Verdict};

fn from(port: u16) -> (Path, Meta) {
    let path = Path::new(common::path().remote, ([198, 51, 100, 7], port).into());
    (path, Meta::Wire { path, encap: Encap::Udp, traffic_class: None })
}

#[test]
fn the_first_packet_is_told_once() {
    let mut pair = Pair::new(Setup::default());
    let spi = pair.a_out.as_ref().unwrap().spi();
    let mut forged = pair.seal(&[packet(b"x")]).remove(0);
    *forged.last_mut().unwrap() ^= 1;
    pair.open_one(&forged);
    assert_eq!(events(&mut pair.b), [], "a forged packet says nothing");
    for expected in [vec![SadEvent::FirstInbound { pair: PAIR, spi }], vec![]] {
        let sealed = pair.seal(&[packet(b"x")]);
        pair.open(&sealed);
        assert_eq!(telling_events(&mut pair.b), expected);
    }
}

#[test]
fn a_moved_peer_is_told_by_its_newest_packet_only() {
    let mut pair = Pair::new(Setup::default());
    let spi = pair.a_out.as_ref().unwrap().spi();
    let sealed = pair.seal(&vec![packet(b"x"); 6]);
    let receive = |pair: &mut Pair, number: usize, meta: Meta| {
        let found = run(&sealed[number..=number], meta, |batch| pair.b.inbound(pair.now, batch))[0].0;
        assert_eq!(found, Verdict::Deliver);
        let mut told = telling_events(&mut pair.b);
        told.retain(|event| matches!(event, SadEvent::PeerMoved { .. }));
        told
    };
    let (home, (path, moved)) = (pair.meta(), from(4501));
    assert_eq!(receive(&mut pair, 1, home), []);
    assert_eq!(receive(&mut pair, 2, moved), [SadEvent::PeerMoved { pair: PAIR, spi, path }]);
    assert_eq!(receive(&mut pair, 3, moved), [], "told before");
    assert_eq!(receive(&mut pair, 0, from(4502).1), [], "an old packet moves nobody");

    // Until the control side says so, nothing has moved.
    let sent_to = |pair: &mut Pair| {
        let back = common::udp("10.2.0.1", "10.1.0.1", 53, b"x");
        match run(&[back], Meta::Clear, |batch| pair.b.outbound(pair.now, batch))[0].0 {
            Verdict::Send { path, .. } => path,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sent_to(&mut pair), common::path().reversed());
    pair.b.apply(pair.now, Update::MovePath(PAIR, path));
    assert_eq!(sent_to(&mut pair), path);
    assert_eq!(receive(&mut pair, 4, moved), []);
    let back_home = SadEvent::PeerMoved { pair: PAIR, spi, path: common::path().reversed() };
    assert_eq!(receive(&mut pair, 5, home), [back_home]);
}

#[test]
fn the_peer_is_heard_at_most_once_an_interval() {
    let mut pair = Pair::new(Setup::default());
    let start = pair.now;
    let mut heard = Vec::new();
    for milliseconds in (0..2500).step_by(100) {
        pair.now = start + Duration::from_millis(milliseconds);
        let sealed = pair.seal(&[packet(b"x")]);
        pair.open(&sealed);
        heard.extend(events(&mut pair.b).into_iter().filter_map(|event| match event {
            SadEvent::LastHeard { pair: PAIR, at } => Some((at - start).as_millis()),
            _ => None,
        }));
    }
    assert_eq!(heard, [0, 1000, 2000]);
}

#[test]
fn unknown_spis_are_audited_and_told_sparingly() {
    let mut pair = Pair::new(Setup::default());
    let packets: Vec<Vec<u8>> =
        (0..50_u32).map(|n| [(0x0900_0000 + n).to_be_bytes(), [0; 4]].concat()).collect();
    for (verdict, _) in pair.open(&packets) {
        assert_eq!(verdict, dropped(DropReason::UnknownSpi));
    }
    let told = events(&mut pair.b);
    assert_eq!(told, [SadEvent::UnknownSpi { spi: Spi(0x0900_0000), path: common::path().reversed() }]);
    let audits: Vec<_> = std::iter::from_fn(|| pair.b.next_audit()).collect();
    assert_eq!(audits.len(), 50);
    assert!(audits.iter().all(|audit| audit.pair.is_none() && audit.reason == DropReason::UnknownSpi));
    pair.now += Duration::from_secs(1);
    pair.open(&packets[1..2]);
    assert_eq!(events(&mut pair.b).len(), 1);
}

#[test]
fn a_packet_for_another_workers_sa_is_handed_off() {
    use ipsec_sad::{SpiAllocator, Worker, WorkerConfig, WorkerId};
    let mut random = ipsec_crypto::Seeded::from_u64(3);
    let spis = SpiAllocator::new(4);
    let config = WorkerConfig { id: WorkerId(2), workers: 4, ..WorkerConfig::default() };
    let mut worker = Worker::new(config, &mut random);
    let pair = Pair::without_sas(Setup::default());
    let reserved: Vec<_> = (0..8).map(|_| spis.reserve(&mut random).unwrap()).collect();
    let packets: Vec<Vec<u8>> =
        reserved.iter().map(|spi| [spi.spi().to_be_bytes(), [0, 0, 0, 1]].concat()).collect();
    let found = run(&packets, pair.meta(), |batch| worker.inbound(pair.now, batch));
    for (spi, (verdict, _)) in reserved.iter().zip(found) {
        let expected = match spi.owner() {
            WorkerId(2) => dropped(DropReason::UnknownSpi),
            other => Verdict::Handoff(other),
        };
        assert_eq!(verdict, expected);
    }
    let owners: std::collections::BTreeSet<_> = reserved.iter().map(ipsec_sad::ReservedSpi::owner).collect();
    assert_eq!(owners.len(), 4, "the workers take turns");
}

#[test]
fn an_sa_may_look_at_the_source_address() {
    for (check, expected) in
        [(SourceCheck::Any, Verdict::Deliver), (SourceCheck::Peer, dropped(DropReason::WrongSource))]
    {
        let (home, mut pair) = (common::path(), Pair::new(Setup::default()));
        let at_b = pair.spis[1].reserve(&mut pair.random).unwrap();
        let out = pair.outbound(PairId(9), at_b.spi(), home, networks());
        let into = pair.inbound(PairId(9), at_b, home.reversed(), networks().mirror());
        pair.b.apply(pair.now, Update::InstallInbound(Box::new(into.with_source_check(check))));
        pair.a.apply(pair.now, Update::InstallOutbound(out));
        pair.a.apply(pair.now, Update::Activate(PairId(9)));
        let sealed = pair.seal(&[packet(b"x"), packet(b"y")]);
        let elsewhere = Path::new(home.remote, ([203, 0, 113, 9], 4500).into());
        let meta = Meta::Wire { path: elsewhere, encap: pair.setup.encap, traffic_class: None };
        let got = run(&sealed[..1], meta, |batch| pair.b.inbound(pair.now, batch)).remove(0);
        assert_eq!(got.0, expected, "{check:?}");
        // The peer's own packets pass, from whatever port.
        let port = Path::new(home.remote, (home.local.ip(), 9).into());
        let meta = Meta::Wire { path: port, encap: pair.setup.encap, traffic_class: None };
        let got = run(&sealed[1..], meta, |batch| pair.b.inbound(pair.now, batch)).remove(0);
        assert_eq!(got.0, Verdict::Deliver, "{check:?}");
    }
}
