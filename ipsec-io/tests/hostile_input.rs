//! Noise from the network and from the protected side: no panic, no state, no amplification, and all of it counted.
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]
#![cfg(any(feature = "portable", feature = "fast"))]

mod common;

use std::time::Duration;

use common::{Setup, World, ip, ping};
use ipsec_io::crypto::{SecureRandom, Seeded};
use ipsec_io::memory::Conditions;
use ipsec_io::node::NodeOutput;
use ipsec_io::proto::Path;
use ipsec_io::sad::{Batch, Encap, Meta, Verdict};

/// Every length up to 2048, and some up to the longest there is.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=2048).chain((2049..65_507).step_by(4099)).chain([65_507])
}

#[test]
fn datagrams_of_every_length_on_every_port_leave_no_state() {
    let mut world = World::new(Setup::left().config(), Setup::right().config(), 1, Conditions::default());
    let mut random = Seeded::from_u64(7);
    let mut batch = Batch::new(3, 65_535);
    let (mut received, mut sent) = (0, 0);
    for length in lengths() {
        let mut octets = vec![0; length];
        random.fill(&mut octets);
        batch.clear();
        for (port, encap) in [(500, Encap::Udp), (4500, Encap::Udp), (0, Encap::Raw)] {
            // Marked as IKE every other time.
            if port == 4500 && length % 2 == 0 && length >= 4 {
                octets[..4].fill(0);
            }
            let path = Path::new((ip("192.0.2.1"), port).into(), (ip("192.0.2.2"), port).into());
            batch.push(Meta::Wire { path, encap, traffic_class: None }, &octets).unwrap();
            received += length;
        }
        world.left.node.handle_wire(world.now, &mut batch);
        assert!(batch.iter().all(|packet| matches!(packet.verdict, Verdict::Consumed | Verdict::Drop(_))));
        let mut out = Vec::new();
        while let Some(output) = world.left.node.poll_output(&mut out) {
            assert!(!matches!(output, NodeOutput::Ask { .. } | NodeOutput::KeyLog(_)));
        }
        sent += out.len();
    }
    assert!(sent < received / 10, "{sent} octets for {received}");
    let report = world.left.node.report(world.now);
    assert!(report.ike_sas.is_empty() && report.children.is_empty());
    let ike = report.ike;
    assert_eq!(ike.received, ike.discarded + ike.refused + ike.duplicates + ike.accepted, "{ike:?}");
    assert_eq!((ike.accepted, report.waiting.packets), (0, 0));
    let dropped: u64 = report.drops.iter().map(|drop| drop.packets).sum();
    let lengths = lengths().count() as u64;
    assert!(dropped >= lengths && dropped <= 2 * lengths, "raw ESP, and what is not IKE on port 4500");
}

#[test]
fn a_tunnel_survives_noise_and_its_own_datagrams_bent() {
    let mut world = World::new(Setup::left().config(), Setup::right().config(), 2, Conditions::default());
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    world.run(Duration::from_secs(2));
    assert_eq!(world.right.delivered.len(), 1);

    // One sealed packet, with every octet changed in turn, and cut at every length.
    let mut sealed = Batch::new(1, 2048);
    sealed.push(Meta::Clear, &ping("10.1.0.5", "10.2.0.7", 2)).unwrap();
    world.left.node.handle_link(world.now, &mut sealed);
    let Some(Verdict::Send { path, encap, .. }) = sealed.verdict(0) else {
        panic!("{:?}", sealed.verdict(0))
    };
    let good = sealed.packet(0).unwrap().to_vec();
    let bent = (0..good.len()).map(|at| {
        let mut bent = good.clone();
        bent[at] ^= 0x40;
        bent
    });
    let cut = (0..good.len()).map(|length| good[..length].to_vec());
    let meta = Meta::Wire { path: path.reversed(), encap, traffic_class: None };
    let mut batch = Batch::new(1, 2048);
    for octets in bent.chain(cut) {
        batch.clear();
        batch.push(meta, &octets).unwrap();
        world.right.node.handle_wire(world.now, &mut batch);
        assert!(matches!(batch.verdict(0), Some(Verdict::Drop(_))), "{:?}", batch.verdict(0));
    }
    // The untouched one passes still, once.
    for expected in [true, false] {
        batch.clear();
        batch.push(meta, &good).unwrap();
        world.right.node.handle_wire(world.now, &mut batch);
        assert_eq!(batch.verdict(0) == Some(Verdict::Deliver), expected);
    }
    assert_eq!(world.right.node.report(world.now).children.len(), 1);
}

#[test]
fn noise_from_the_protected_side_is_dropped_and_asks_for_nothing() {
    let mut world = World::new(Setup::left().config(), Setup::right().config(), 3, Conditions::default());
    let mut random = Seeded::from_u64(9);
    let mut batch = Batch::new(1, 65_535);
    for length in lengths() {
        let mut octets = vec![0; length];
        random.fill(&mut octets);
        batch.clear();
        batch.push(Meta::Clear, &octets).unwrap();
        world.left.node.handle_link(world.now, &mut batch);
        assert!(matches!(batch.verdict(0), Some(Verdict::Drop(_))), "{:?}", batch.verdict(0));
    }
    let report = world.left.node.report(world.now);
    assert_eq!(report.drops.iter().map(|drop| drop.packets).sum::<u64>(), lengths().count() as u64);
    assert!(world.left.node.poll_output(&mut Vec::new()).is_none());
}
