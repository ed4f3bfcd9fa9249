//! Tunnels come up: every suite, with and without PFS, through a NAT, from either side.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::time::Duration;

use ipsec_ike::crypto::CryptoProvider;
use ipsec_ike::sad::{Encap, SadEvent};
use ipsec_ike::*;
use support::*;

fn assert_up(pair: &Pair) {
    assert!(matches!(pair.left.outcome(), Some(Outcome::Done)), "{:#?}", pair.left.events);
    pair.assert_agree(1);
}

#[test]
fn the_ladder_has_nine_rungs() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.settle();
    assert_up(&pair);
    assert_eq!(pair.left.ladder(), ["MM1", "MM3", "MM5", "QM1", "QM3"]);
    assert_eq!(pair.right.ladder(), ["MM2", "MM4", "MM6", "QM2"]);
    assert_eq!(pair.transcript.len(), 9);
    assert!(pair.transcript.iter().all(|datagram| datagram.path.local.port() == 500));
}

#[test]
fn every_suite_of_both_phases_comes_up() {
    let provider = CryptoProvider::portable();
    let mut tried = 0;
    for cipher in ["aes128", "aes192", "aes256", "3des"] {
        for hash in ["sha1", "sha256", "sha384", "sha512", "md5"] {
            let (ike, esp) = (format!("{cipher}-{hash}-modp2048"), format!("{cipher}-{hash}"));
            let (Ok(suite), Ok(child)) = (ike.parse::<IkeSuite>(), esp.parse::<EspSuite>()) else {
                panic!("{ike} and {esp} are spelt as strongSwan spells them")
            };
            let here = provider.supports_cipher(suite.cipher)
                && provider.supports_prf(suite.prf)
                && provider.supports_protection(child.protection());
            if !here {
                continue;
            }
            tried += 1;
            let setup = Setup { ike: vec![ike.leak()], esp: vec![esp.leak()], ..Setup::default() };
            let mut pair = Pair::alike(&setup);
            pair.up();
            pair.settle();
            assert_up(&pair);
        }
    }
    assert!(tried >= 12, "only {tried} suites are there");
}

#[test]
fn groups_and_pfs_come_up() {
    for group in ["modp2048", "modp3072", "modp4096", "ecp256", "ecp384", "ecp521", "x25519"] {
        let (ike, esp) = (format!("aes256-sha256-{group}"), format!("aes256-sha256-{group}"));
        let setup = Setup { ike: vec![ike.leak()], esp: vec![esp.leak()], ..Setup::default() };
        let mut pair = Pair::alike(&setup);
        pair.up();
        pair.settle();
        assert_up(&pair);
    }
}

#[test]
fn a_nat_moves_both_ends_to_4500_and_esp_into_udp() {
    let setup =
        Setup { local_id: Some("left.example"), remote_id: Some("right.example"), ..Setup::default() };
    let responder = Setup { remote: Some(RemoteAddress::Any), ..setup.mirrored() };
    let mut pair = Pair::new(&setup, &responder);
    pair.nat = Some("198.51.100.1".parse().unwrap());
    pair.up();
    pair.settle();
    assert_up(&pair);
    let up = |side: &Side| {
        side.events
            .iter()
            .find_map(|event| match event {
                Event::IkeUp(up) => Some((**up).clone()),
                _ => None,
            })
            .unwrap()
    };
    assert_eq!(up(&pair.left).nat, NatFound { here: Behind::Nat, there: Behind::Open });
    assert_eq!(up(&pair.right).nat, NatFound { here: Behind::Open, there: Behind::Nat });
    assert_eq!(up(&pair.right).path.remote, "198.51.100.1:24500".parse().unwrap());
    assert!(pair.right.outbound.values().all(|sa| sa.encap == Encap::Udp && sa.path.remote.port() == 24500));
    let ports: Vec<_> = pair.transcript.iter().map(|datagram| datagram.path.local.port() % 20000).collect();
    assert_eq!(ports, [500, 500, 500, 500, 4500, 4500, 4500, 4500, 4500]);
    assert!(pair.transcript[4..].iter().all(|datagram| datagram.framing == Framing::NonEspMarker));
}

#[test]
fn the_end_behind_the_nat_keeps_the_mapping_alive() {
    let setup = Setup { nat: NatTraversal::Force, ..Setup::default() };
    let mut pair = Pair::new(&setup, &Setup::default().mirrored());
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    let before = pair.transcript.len();
    pair.run(Duration::from_secs(65));
    let keepalives = &pair.transcript[before..];
    assert_eq!(keepalives.len(), 3);
    assert!(keepalives.iter().all(|datagram| {
        datagram.framing == Framing::Keepalive && datagram.octets == [0xff] && datagram.to == End::Right
    }));
}

#[test]
fn without_nat_traversal_everything_stays_on_500() {
    let off = Setup { nat: NatTraversal::Off, ..Setup::default() };
    for (left, right) in
        [(off.clone(), off.clone()), (off.clone(), Setup::default()), (Setup::default(), off)]
    {
        let mut pair = Pair::new(&left, &right.mirrored());
        pair.up();
        pair.settle();
        assert_up(&pair);
        assert!(pair.transcript.iter().all(|datagram| datagram.path.local.port() == 500));
    }
}

#[test]
fn the_first_common_suite_in_the_initiators_order_is_taken() {
    let left = Setup {
        ike: vec!["aes256-sha512-modp3072", "aes192-sha256-modp2048", "aes128-sha1-modp2048"],
        esp: vec!["aes256-sha512", "aes128-sha256", "aes128-sha1"],
        ..Setup::default()
    };
    let right = Setup {
        ike: vec!["aes128-sha1-modp2048", "aes192-sha256-modp2048"],
        esp: vec!["aes128-sha1", "aes128-sha256"],
        ..Setup::default().mirrored()
    };
    let mut pair = Pair::new(&left, &right);
    pair.up();
    pair.settle();
    assert_up(&pair);
    let report = pair.right.ike.report(pair.now);
    assert_eq!(report.ike_sas[0].suite.unwrap().to_string(), "aes192-sha256-modp2048");
    assert_eq!(report.children[0].suite.to_string(), "aes128-sha256");
}

#[test]
fn proposed_identities_may_be_narrower_than_the_childs() {
    let left = Setup { local_net: "10.1.0.64/26", remote_net: "10.2.0.9", ..Setup::default() };
    let mut pair = Pair::new(&left, &Setup::default().mirrored());
    pair.up();
    pair.settle();
    assert_up(&pair);
    assert_eq!(
        pair.right.inbound.values().next().unwrap().selector.to_string().matches("10.1.0.64/26").count(),
        1
    );
}

#[test]
fn everything_may_be_covered() {
    let left = Setup { remote_net: "0.0.0.0/0", ..Setup::default() };
    let mut pair = Pair::alike(&left);
    pair.up();
    pair.settle();
    assert_up(&pair);
}

#[test]
fn the_responder_sends_after_qm3_or_the_first_packet() {
    let mut pair = Pair::alike(&Setup::default());
    pair.fate = Box::new(|datagram| {
        // QM3 is the shortest encrypted message of the ladder.
        let qm3 = datagram.octets[18] == 32 && datagram.to == End::Right && datagram.octets.len() < 80;
        if qm3 { Fate::Drop } else { Fate::Deliver }
    });
    pair.up();
    pair.settle();
    assert_eq!((pair.left.in_use.len(), pair.right.in_use.len()), (1, 0));
    assert_eq!(pair.right.inbound.len(), 1, "what the initiator sends is understood already");
    let (spi, pair_id) = {
        let child = &pair.right.ike.report(pair.now).children[0];
        (child.inbound, child.pair)
    };
    pair.right.ike.handle_sad(pair.now, SadEvent::FirstInbound { pair: pair_id, spi });
    pair.settle();
    pair.assert_agree(1);
    let before = pair.transcript.len();
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.transcript.len(), before, "QM2 is not repeated any more");
}

#[test]
fn acquires_are_answered_by_the_child_that_serves_them() {
    use ipsec_ike::sad::{AcquireId, Flow, PolicyId, Ports, Selector, TemplateId};
    let mut pair = Pair::alike(&Setup::default());
    let icmp = proto::registry::IpProtocol::ICMP;
    let flow = Flow::new([10, 1, 0, 1], [10, 2, 0, 1], icmp, Ports::None);
    for id in [4, 5] {
        let template = TemplateId(7);
        let (id, policy, proposal) = (AcquireId(id), PolicyId(1), Selector::ANY);
        pair.left.ike.handle_sad(pair.now, SadEvent::Acquire { id, policy, template, flow, proposal });
    }
    pair.settle();
    pair.assert_agree(1);
    let served = pair.left.events.iter().find_map(|event| match event {
        Event::ChildUp(up) => Some(up.acquires.clone()),
        _ => None,
    });
    assert_eq!(served, Some(vec![AcquireId(4), AcquireId(5)]));
    let template = TemplateId(99);
    let (id, policy, proposal) = (AcquireId(6), PolicyId(1), Selector::ANY);
    pair.left.ike.handle_sad(pair.now, SadEvent::Acquire { id, policy, template, flow, proposal });
    pair.settle();
    assert!(matches!(pair.left.events.last(), Some(Event::AcquireRefused { acquire: AcquireId(6), .. })));
}

#[test]
fn a_child_for_commands_only_is_not_started_by_traffic() {
    use ipsec_ike::sad::{AcquireId, Flow, PolicyId, Ports, Selector, TemplateId};
    let by_command = Setup { start: Start::Command, ..Setup::default() };
    let mut pair = Pair::alike(&by_command);
    let icmp = proto::registry::IpProtocol::ICMP;
    let flow = Flow::new([10, 1, 0, 1], [10, 2, 0, 1], icmp, Ports::None);
    let (id, policy, template, proposal) = (AcquireId(4), PolicyId(1), TemplateId(7), Selector::ANY);
    pair.left.ike.handle_sad(pair.now, SadEvent::Acquire { id, policy, template, flow, proposal });
    pair.settle();
    let Some(Event::AcquireRefused { acquire, diagnosis, .. }) = pair.left.events.last() else {
        panic!("{:#?}", pair.left.events);
    };
    assert_eq!(*acquire, id);
    assert!(diagnosis.sentence.contains("not started by traffic"), "{}", diagnosis.sentence);
    assert_eq!(pair.left.children() + pair.right.children(), 0);
    pair.up();
    pair.settle();
    assert_up(&pair);
}

#[test]
fn a_name_and_a_source_are_asked_for() {
    let remote = RemoteAddress::Name { name: "right.example".into(), resolved: vec![] };
    let left = Setup {
        remote: Some(remote),
        remote_id: Some("192.0.2.2"),
        local: Some(LocalAddress::Any),
        ..Setup::default()
    };
    let mut pair = Pair::new(&left, &Setup::default().mirrored());
    pair.up();
    let mut asked = Vec::new();
    for answer in [RIGHT, LEFT] {
        let mut out = Vec::new();
        while let Some(output) = pair.left.ike.poll_output(&mut out) {
            if let Output::Effect(Effect::Ask { id, question }) = output {
                asked.push(question);
                pair.left.ike.answer(pair.now, id, Answer::Addresses(vec![answer.parse().unwrap()]));
                break;
            }
        }
    }
    assert_eq!(asked[0], Question::Resolve { name: "right.example".into() });
    assert_eq!(asked[1], Question::Source { remote: RIGHT.parse().unwrap() });
    pair.settle();
    assert_up(&pair);
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    let record = |seed| {
        let mut pair = Pair::seeded(&Setup::default(), &Setup::default().mirrored(), seed);
        pair.up();
        pair.settle();
        pair.transcript.into_iter().map(|datagram| datagram.octets).collect::<Vec<_>>()
    };
    assert_eq!(record(3), record(3));
    assert_ne!(record(3), record(4));
}
