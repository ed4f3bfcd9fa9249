//! Many at once.

use std::time::Duration;

use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn open_to_all() -> Pair {
    let mut right = Setup::default().mirrored();
    right.remote = Some(RemoteAddress::Any);
    right.remote_id = Some("192.0.2.1");
    Pair::new(&Setup::default(), &right)
}

#[test]
fn floods_from_one_and_from_many_sources_are_bounded_and_the_peer_still_comes_up() {
    for sources in [1_u32, 20_000] {
        let mut pair = open_to_all();
        let mut octets = 0;
        for nth in 0..20_000_u32 {
            let [_, a, b, c] = (nth % sources).to_be_bytes();
            let source = format!("10.{a}.{b}.{c}:500");
            let mm1 = Peer::new(u64::from(nth) + 100).mm1();
            let answer = say_from(&mut pair, &source, &mm1);
            octets += answer.sent();
            assert!(answer.sent() <= mm1.len());
        }
        assert!(octets > 0);
        let limits = Limits::default();
        let report = pair.right.ike.report(pair.now);
        let bound = if sources == 1 { limits.half_open_per_source } else { limits.half_open };
        assert!(report.half_open <= bound && report.ike_sas.len() <= bound, "{}", report.half_open);
        let peer = Peer::up(&mut pair, 1);
        peer.child(&mut pair, 7, 0x1000);
        assert_eq!(pair.right.children(), 1);
        pair.run(Duration::from_secs(90));
        let report = pair.right.ike.report(pair.now);
        assert_eq!((report.half_open, report.ike_sas.len()), (0, 1));
    }
}

#[test]
fn before_the_source_has_proven_itself_no_answer_is_larger_than_its_question() {
    // The proof is the responder's cookie that comes back in MM3: what is answered to MM1, in whatever form, is bounded.
    use ipsec_ike::proto::isakmp::{Payload, VendorId};
    let mut pair = open_to_all();
    for vendors in 0..4_usize {
        let mut payloads = vec![Payload::Sa(phase1_sa(vec![phase1_attributes()]))];
        payloads.extend((0..vendors).map(|_| Payload::Vendor(VendorId(vec![0xaf; 16]))));
        let mm1 = Peer::new(vendors as u64 + 1).mm1_with(&payloads);
        assert!(say(&mut pair, &mm1).sent() <= mm1.len());
        pair.run(Duration::from_secs(35));
    }
    assert_eq!(pair.transcript.len(), 4, "a responder does not repeat MM2 by itself");
}

#[test]
fn retransmission_backs_off_and_ends() {
    let mut pair = Pair::alike(&Setup::default());
    pair.fate = Box::new(|_| Fate::Drop);
    pair.up();
    let mut times = Vec::new();
    let mut seen = 0;
    for tick in 0..600_u64 {
        pair.run(Duration::from_millis(100));
        if pair.transcript.len() > seen {
            assert_eq!(pair.transcript.len(), seen + 1);
            seen += 1;
            times.push(tick);
        }
    }
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.windows(2).all(|pair| pair[1] + 1 >= pair[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| (4..=41).contains(wait)), "{waits:?}");
    assert_eq!((pair.left.ike_sas(), pair.left.ike.poll_timeout()), (0, None));
}

#[test]
fn one_ipv6_network_does_not_lock_the_others_out() {
    let limits = Limits { half_open: 40, half_open_per_source: 4, ..Limits::default() };
    let mut right = Setup { limits, remote: Some(RemoteAddress::Any), ..Setup::default() }.mirrored();
    right.remote_id = Some("192.0.2.1");
    let right = Setup { limits, remote: Some(RemoteAddress::Any), local: Some(LocalAddress::Any), ..right };
    let mut pair = Pair::new(&Setup::default(), &right);
    for host in 1..=60_u64 {
        let source = format!("[2001:db8::{host:x}]:500");
        let mut peer = Peer::new(host + 50);
        let mm2 = say_from(&mut pair, &source, &peer.mm1());
        let Some(mm2) = mm2.datagrams.first() else { continue };
        peer.take_mm2(&mm2.octets);
        say_from(&mut pair, &source, &peer.mm3());
    }
    let mm2 = say(&mut pair, &Peer::new(1).mm1());
    assert!(mm2.is_accepted(), "{:?}", mm2.disposition);
}

#[test]
fn callers_who_show_that_they_receive_lock_nobody_out_either() {
    let limits = Limits { half_open: 8, ..Limits::default() };
    let mut right = Setup { limits, ..Setup::default().mirrored() };
    right.remote = Some(RemoteAddress::Any);
    right.remote_id = Some("192.0.2.1");
    let mut pair = Pair::new(&Setup::default(), &right);
    for host in 1..=20_u64 {
        let source = format!("198.51.100.{host}:500");
        let mut peer = Peer::new(host + 50);
        let mm2 = say_from(&mut pair, &source, &peer.mm1());
        peer.take_mm2(mm2.octets());
        assert!(say_from(&mut pair, &source, &peer.mm3()).is_accepted());
    }
    assert_eq!(pair.right.ike.report(pair.now).half_open, 8);
    Peer::up(&mut pair, 1);
}

#[test]
fn a_peer_under_way_often_survives_a_flood_between_its_messages() {
    let mut pair = open_to_all();
    let mut up = 0;
    for round in 0..6_u64 {
        let mut peer = Peer::new(round + 1);
        let mm2 = say(&mut pair, &peer.mm1());
        peer.take_mm2(mm2.octets());
        // As many as there is room for, within one round trip: whoever drops the oldest drops the peer each time.
        for nth in 0..1000_u64 {
            let source = format!("10.{round}.{}.{}:500", nth / 256, nth % 256);
            say_from(&mut pair, &source, &Peer::new(round * 2000 + nth + 100).mm1());
        }
        up += u32::from(say(&mut pair, &peer.mm3()).is_accepted());
    }
    assert!(up >= 2, "{up} of six");
}
