//! AH, AH around ESP, and transport mode: what is agreed on and what is installed.
#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::collections::BTreeMap;

use ipsec_ike::diagnosis::Code;
use ipsec_ike::proto::Spi;
use ipsec_ike::proto::registry::IpProtocol;
use ipsec_ike::sad::{Encap, Mode, ProtocolKind, Selector, TransportChecksum};
use ipsec_ike::{ChildMode, Command, Event, NatTraversal};
use support::{Installed, LEFT, Pair, RIGHT, Setup};

fn up(setup: &Setup, nat: Option<&str>) -> Pair {
    let mut right = setup.mirrored();
    if nat.is_some() {
        right.remote = Some(ipsec_ike::RemoteAddress::Any);
        right.remote_id = Some(LEFT);
    }
    let mut pair = Pair::new(setup, &right);
    pair.nat = nat.map(|address| address.parse().unwrap());
    pair.up();
    pair.settle();
    pair
}

fn hosts(setup: Setup) -> Setup {
    Setup { mode: ChildMode::Transport, local_net: "0.0.0.0/0", remote_net: "0.0.0.0/0", ..setup }
}

fn of_kind(sas: &BTreeMap<Spi, Installed>, kind: ProtocolKind) -> &Installed {
    sas.values().find(|sa| sa.kind == kind).unwrap()
}

#[test]
fn ah_alone_has_an_integrity_key_and_nothing_else() {
    for (suite, length) in
        [("ah-sha1", 20), ("ah-sha256-modp2048", 32), ("ah-sha512", 64), ("ah-aesxcbc", 16)]
    {
        let pair = up(&Setup { esp: vec![suite], ..Setup::default() }, None);
        pair.assert_agree(1);
        let sa = of_kind(&pair.left.inbound, ProtocolKind::Ah);
        assert_eq!((sa.keys.len(), sa.mode, sa.encap), (length, Mode::TUNNEL, Encap::Raw), "{suite}");
        let said = pair.left.events.iter().find_map(|event| match event {
            Event::ChildUp(up) => Some(up.suite.to_string()),
            _ => None,
        });
        assert_eq!(said.as_deref(), Some(suite));
    }
}

#[test]
fn ah_around_esp_is_two_pairs_that_come_and_go_together() {
    for mode in [ChildMode::Tunnel, ChildMode::Transport] {
        let setup = Setup { esp: vec!["ah-sha256+aes128-sha1-modp2048"], ..Setup::default() };
        let setup = if mode == ChildMode::Transport { hosts(setup) } else { setup };
        let mut pair = up(&setup, None);
        pair.assert_agree(2);
        for sas in [&pair.left.inbound, &pair.right.outbound] {
            let (ah, esp) = (of_kind(sas, ProtocolKind::Ah), of_kind(sas, ProtocolKind::Esp));
            assert_eq!((ah.within, esp.within), (None, Some(ah.pair)));
            // AH goes between the gateways, around what ESP makes.
            assert_eq!(ah.mode, Mode::TRANSPORT);
            assert_eq!(ah.selector.protocol, Some(IpProtocol::ESP));
            let expected = if mode == ChildMode::Tunnel { Mode::TUNNEL } else { Mode::TRANSPORT };
            assert_eq!(esp.mode, expected);
        }
        // One child for whoever looks.
        assert_eq!((pair.left.children(), pair.right.children()), (1, 1));
        let down = Command::Down { connection: "peer".into(), child: Some("net".into()) };
        pair.left.ike.command(pair.now, down).unwrap();
        pair.settle();
        assert_eq!((pair.left.children(), pair.right.children()), (0, 0));
        assert!(pair.left.inbound.is_empty() && pair.left.outbound.is_empty());
        assert!(pair.right.inbound.is_empty() && pair.right.outbound.is_empty());
    }
}

#[test]
fn a_bundle_is_renewed_when_either_of_its_pairs_reaches_a_limit() {
    use ipsec_ike::sad::{LimitKind, SadEvent};
    for kind in [ProtocolKind::Ah, ProtocolKind::Esp] {
        let mut pair = up(&Setup { esp: vec!["ah-sha1+aes128-sha1"], ..Setup::default() }, None);
        let (spi, sa) = pair.left.inbound.iter().find(|(_, sa)| sa.kind == kind).unwrap();
        let direction = ipsec_ike::sad::Direction::Inbound;
        let event = SadEvent::SoftLimit { pair: sa.pair, spi: *spi, direction, which: LimitKind::Bytes };
        pair.left.ike.handle_sad(pair.now, event);
        pair.settle();
        assert_eq!(pair.left.inbound.len(), 4, "{kind:?}");
        assert_eq!(pair.left.in_use.len(), 4);
    }
}

#[test]
fn transport_mode_covers_the_two_hosts() {
    let pair = up(&hosts(Setup::default()), None);
    pair.assert_agree(1);
    let sa = of_kind(&pair.left.inbound, ProtocolKind::Esp);
    let [left, right] = [LEFT, RIGHT].map(|host| host.parse::<std::net::IpAddr>().unwrap());
    assert_eq!(sa.selector, Selector::between(left, right));
    assert_eq!((sa.mode, sa.encap), (Mode::TRANSPORT, Encap::Raw));
}

#[test]
fn transport_mode_behind_a_nat_knows_the_addresses_that_were_used() {
    let public = "203.0.113.9";
    let pair = up(&hosts(Setup::default()), Some(public));
    let keys = |sas: &BTreeMap<Spi, Installed>| sas.values().map(|sa| sa.keys.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&pair.left.inbound), keys(&pair.right.outbound));
    let [left, right, public] = [LEFT, RIGHT, public].map(|host| host.parse::<std::net::IpAddr>().unwrap());
    let sa = of_kind(&pair.right.inbound, ProtocolKind::Esp);
    assert_eq!(sa.selector, Selector::between(right, public));
    assert_eq!(sa.encap, Encap::Udp);
    let checksum = TransportChecksum::Adjust { source: left, destination: right };
    assert_eq!(sa.mode, Mode::Transport { checksum });
    let sa = of_kind(&pair.left.inbound, ProtocolKind::Esp);
    assert_eq!(sa.selector, Selector::between(left, right));
    let checksum = TransportChecksum::Adjust { source: right, destination: public };
    assert_eq!(sa.mode, Mode::Transport { checksum });
}

#[test]
fn a_nat_in_the_way_of_ah_is_named_by_both_ends() {
    let setup = Setup { esp: vec!["ah-sha256"], nat: NatTraversal::Force, ..Setup::default() };
    let pair = up(&setup, None);
    assert_eq!(pair.left.failure().code, Code::AhThroughNat, "{}", pair.left.failure());
    // The initiator still has ESP to offer; the responder has not.
    let left = Setup { esp: vec!["ah-sha256", "aes128-sha1"], ..setup.clone() };
    let mut pair = Pair::new(&left, &setup.mirrored());
    pair.up();
    pair.settle();
    let (refusal, diagnosis) = pair.right.refusals()[0];
    assert_eq!(diagnosis.code, Code::AhThroughNat, "{refusal}");
    // With ESP on both ends, what passes is taken.
    let pair = up(&left, None);
    pair.assert_agree(1);
    assert_eq!(of_kind(&pair.left.inbound, ProtocolKind::Esp).encap, Encap::Udp);
}

#[test]
fn a_mode_or_a_protocol_that_differs_is_named() {
    for (left, right, theirs) in [
        (hosts(Setup::default()), Setup { mode: ChildMode::Tunnel, ..hosts(Setup::default()) }, "Transport"),
        (Setup { esp: vec!["ah-sha1"], ..Setup::default() }, Setup::default(), "AH"),
        (Setup { esp: vec!["ah-sha1+aes128-sha1"], ..Setup::default() }, Setup::default(), "AH with ESP"),
    ] {
        let mut pair = Pair::new(&left, &right.mirrored());
        pair.up();
        pair.settle();
        let (refusal, diagnosis) = pair.right.refusals()[0];
        assert_eq!(diagnosis.code, Code::Phase2Proposal);
        assert!(refusal.mismatches.iter().any(|mismatch| mismatch.theirs == theirs), "{refusal}");
        assert_eq!(pair.left.failure().code, Code::Phase2Proposal);
    }
}
