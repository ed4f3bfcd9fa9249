//! What the RFCs call auditable is told, with every field they ask for.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{PAIR, Pair, Setup, networks, networks_v6, packet, path, run, udp};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    AuditEvent, AuditKind, AuditKinds, Direction, DropReason, Meta, OutboundSa, PairId, PolicyId, Update,
    Worker,
};

fn audits(worker: &mut Worker) -> Vec<AuditEvent> {
    std::iter::from_fn(|| worker.next_audit()).collect()
}

/// Provokes every kind that a packet can, and gives the events by kind.
fn provoke(audited: AuditKinds) -> BTreeMap<AuditKind, AuditEvent> {
    let mut pair = Pair::new(Setup { suite: "aes128gcm16", ..Setup::default() });
    pair.a.set_audited(audited);
    pair.b.set_audited(audited);
    let genuine = pair.seal(&[packet(b"x")]).remove(0);
    let mut forged = pair.seal(&[packet(b"y")]).remove(0);
    *forged.last_mut().unwrap() ^= 1;
    let mut unknown = genuine.clone();
    unknown[..4].copy_from_slice(&[0x11, 0, 0, 7]);
    pair.open(&[genuine.clone(), genuine, forged, unknown]);

    // `a` has a wider SA than `b`: what it sends is not covered there.
    pair.a.apply(pair.now, Update::Remove(PAIR));
    pair.b.apply(pair.now, Update::Remove(PAIR));
    let at_b = pair.spis[1].reserve(&mut pair.random).unwrap();
    let out = pair.outbound(PairId(7), at_b.spi(), path(), networks_v6());
    let into = pair.inbound(PairId(7), at_b, path().reversed(), networks().mirror());
    pair.a.apply(pair.now, Update::InstallOutbound(std::sync::Arc::clone(&out)));
    pair.a.apply(pair.now, Update::Activate(PairId(7)));
    pair.b.apply(pair.now, Update::InstallInbound(into));
    let outside = udp("fd00:1::1", "fd00:2::1", 53, b"x");
    let sealed = pair.seal(std::slice::from_ref(&outside));
    pair.open(&sealed);

    // The last sequence number.
    let nearly: &OutboundSa = &out;
    nearly.skip_to(u64::from(u32::MAX) - 1);
    let mut labelled = outside;
    labelled[1..4].copy_from_slice(&[0x0a, 0xbc, 0xde]);
    run(&[labelled.clone(), labelled], Meta::Clear, |batch| pair.a.outbound(pair.now, batch));

    let astray = udp("10.1.0.1", "203.0.113.1", 53, b"x");
    run(&[astray], Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    run(&[packet(b"x")], Meta::Clear, |batch| pair.b.clear_inbound(pair.now, batch));

    let told = audits(&mut pair.a).into_iter().chain(audits(&mut pair.b));
    told.map(|event| (event.kind, event)).collect()
}

#[test]
fn every_event_has_the_fields_that_the_rfcs_want() {
    let told = provoke(AuditKinds::ALL);
    for &kind in AuditKind::ALL {
        let Some(event) = told.get(&kind) else {
            // Backends give whole packets to ESP.
            assert_eq!(kind, AuditKind::Fragment);
            continue;
        };
        for &field in kind.fields() {
            assert!(event.has(field), "{kind} has no {field:?}: {event:?}");
        }
    }
    let overflow = told[&AuditKind::SequenceOverflow];
    assert_eq!(overflow.reason, DropReason::SequenceExhausted);
    assert_eq!(overflow.sequence, Some(u64::from(u32::MAX)));
    assert_eq!(overflow.flow_label, Some(0xa_bcde));
    assert_eq!(overflow.selector, Some(networks_v6()));
    assert_eq!(overflow.pair, Some(PairId(7)));
    let selectors = told[&AuditKind::Selectors];
    assert_eq!(selectors.selector, Some(networks().mirror()));
    assert_eq!(selectors.protocol, Some(IpProtocol::ESP));
    assert_eq!(selectors.path, Some(path().reversed()));
    let clear = told[&AuditKind::ClearInbound];
    assert_eq!((clear.policy, clear.direction), (Some(PolicyId(1)), Direction::Inbound));
    assert_eq!(clear.reason, DropReason::ClearWhereProtectRequired);
}

#[test]
fn an_administrator_chooses_what_is_audited() {
    assert!(provoke(AuditKinds::NONE).is_empty());
    let told = provoke(AuditKinds::NONE.with(AuditKind::Integrity));
    assert_eq!(told.keys().collect::<Vec<_>>(), [&AuditKind::Integrity]);
    let told = provoke(AuditKinds::default());
    assert!(!told.contains_key(&AuditKind::Outbound) && told.len() == 6, "{:?}", told.keys());
}
