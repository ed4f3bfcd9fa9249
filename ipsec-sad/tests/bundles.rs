//! Packets in more than one SA: AH around ESP, ESP in ESP, four deep and no deeper.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Pair, dropped, packet, run};
use ipsec_proto::ip::Packet;
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{DropReason, Meta, Mode, PairId, Update, Verdict};

/// AH in transport mode around ESP in tunnel mode: `IP AH ESP (packet)`.
fn ah_around_esp() -> Pair {
    let carrier = PairId(2);
    let mut pair = Pair::with_one("aes128gcm16", |_, params| params.within = Some(carrier));
    pair.one_way(carrier, "ah-sha256", |_, params| params.mode = Mode::TRANSPORT);
    pair
}

#[test]
fn ah_goes_around_esp() {
    let mut pair = ah_around_esp();
    let clear = packet(b"twice protected");
    let sealed = pair.send(&clear);
    let outer = Packet::parse(&sealed).unwrap();
    assert_eq!(outer.protocol(), IpProtocol::AH);
    let ah = ipsec_proto::ah::View::parse(outer.payload()).unwrap();
    assert_eq!(ah.header.next_header, IpProtocol::ESP);
    assert_eq!(pair.take(&sealed), (Verdict::Deliver, clear.clone()));

    let (sent, got) = (pair.a.report().totals, pair.b.report().totals);
    assert_eq!((sent.outbound.all, sent.outbound.ah, sent.outbound.esp), (1, 1, 1));
    assert_eq!((got.inbound.all, got.inbound.ah, got.inbound.esp), (1, 1, 1));
    assert_eq!(got.opened.packets, 1);
    // Either number is good for one packet.
    assert_eq!(pair.take(&sealed).0, dropped(DropReason::Replayed));
}

#[test]
fn esp_that_must_come_in_ah_is_refused_without() {
    let mut pair = ah_around_esp();
    let sealed = pair.send(&packet(b"bare"));
    let outer = Packet::parse(&sealed).unwrap();
    let ah = ipsec_proto::ah::View::parse(outer.payload()).unwrap();
    let mut bare = sealed[..20].to_vec();
    bare.extend(ah.payload);
    assert!(ipsec_proto::ip::refit(&mut bare, 9, IpProtocol::ESP));
    assert_eq!(pair.take(&bare).0, dropped(DropReason::OutsideBundle));
    assert!(pair.b.next_audit().is_some());
    assert_eq!(pair.take(&sealed).0, Verdict::Deliver, "it was not marked as received");
}

#[test]
fn a_broken_bundle_drops_and_sends_nothing_bare() {
    let mut pair = ah_around_esp();
    pair.a.apply(pair.now, Update::Remove(PairId(2)));
    assert_eq!(pair.out(&packet(b"")).0, dropped(DropReason::BundleBroken));
}

/// `depth` tunnels, each in the next.
fn nested(depth: u64) -> Pair {
    let within = |id: u64| (id < depth).then_some(PairId(id + 1));
    let mut pair = Pair::with_one("aes128-sha256", |_, params| params.within = within(1));
    for id in 2..=depth {
        pair.one_way(PairId(id), if id % 2 == 0 { "aes128gcm16" } else { "ah-sha512" }, |_, params| {
            params.within = within(id);
        });
    }
    pair
}

#[test]
fn four_sas_deep_and_no_deeper() {
    for depth in 1..=4 {
        let mut pair = nested(depth);
        let clear: Vec<_> = (0..40_u8).map(|n| packet(&vec![n; 10 * usize::from(n)])).collect();
        let sealed = run(&clear, Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
        let sealed: Vec<_> = sealed.into_iter().map(|(_, octets)| octets).collect();
        let opened = run(&sealed, Meta::Packet, |batch| pair.b.inbound(pair.now, batch));
        for (opened, clear) in opened.into_iter().zip(clear) {
            assert_eq!(opened, (Verdict::Deliver, clear), "{depth}");
        }
        assert_eq!(pair.b.report().totals.opened.packets, 40);
    }
    let mut pair = nested(5);
    assert_eq!(pair.out(&packet(b"")).0, dropped(DropReason::NestedTooDeep));
}

#[test]
fn a_packet_nested_too_deep_is_dropped_on_arrival() {
    // The sender has SAs with the same numbers and keys, by the same randomness, and does not know that the receiver's
    // fifth SA carries the fourth: it seals the four, then the fifth by itself.
    let mut four = nested(4);
    let sealed = four.send(&packet(b"deep"));
    let mut five = nested(5);
    five.a.apply(five.now, Update::Policies(std::sync::Arc::new(common::protect(&[]))));
    let policy = ipsec_sad::Policy::new(
        ipsec_sad::PolicyId(1),
        "the fifth",
        ipsec_sad::Selector::ANY,
        ipsec_sad::Action::Protect(ipsec_sad::TemplateId(1005)),
    );
    let spd = ipsec_sad::Spd::builder(ipsec_sad::Action::Discard).push(policy).build().unwrap();
    five.a.apply(five.now, Update::Policies(std::sync::Arc::new(spd)));
    let deep = five.send(&sealed);
    assert_eq!(five.take(&deep).0, dropped(DropReason::NestedTooDeep));
}
