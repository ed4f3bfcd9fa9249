//! Where a peer is: what moves it, and what does not.

use std::time::Duration;

use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn down_child(pair: &mut Pair) {
    let command = Command::Down { connection: "peer".into(), child: Some("net".into()) };
    pair.left.ike.command(pair.now, command).unwrap();
}

#[test]
fn without_a_nat_the_traffic_stays_with_the_authenticated_address() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    // Somebody on the way sends the captured QM1 first, from a victim's address.
    let answer = say_from(&mut pair, "203.0.113.66:500", &peer.good_qm1(7, 0x1000));
    assert!(answer.is_accepted());
    let report = pair.right.ike.report(pair.now);
    let places = [report.children[0].path, report.ike_sas[0].path, answer.datagrams[0].path.reversed()];
    assert!(places.iter().all(|path| path.remote.to_string() == "192.0.2.1:500"), "{places:?}");
    // Nor does a duplicate draw anything to where it comes from.
    let again = say_from(&mut pair, "203.0.113.66:500", &peer.good_qm1(7, 0x1000));
    assert_eq!(again.datagrams[0].path.local.to_string(), "192.0.2.1:500");
}

#[test]
fn mm5_from_another_port_moves_nothing_without_a_nat() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    peer.exchange_keys(&mut pair);
    let answer = say_from(&mut pair, "192.0.2.1:1234", &peer.mm5());
    assert!(answer.is_accepted());
    assert_eq!(pair.right.ike.report(pair.now).ike_sas[0].path.remote.port(), 500);
}

/// A left side behind a NAT with this address outside.
fn behind(nat: &str) -> Pair {
    let mut right = Setup::default().mirrored();
    right.remote = Some(RemoteAddress::Any);
    right.remote_id = Some("192.0.2.1");
    let mut pair = Pair::seeded(&Setup::default(), &right, 3);
    pair.nat = Some(nat.parse().unwrap());
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    pair
}

#[test]
fn after_a_new_nat_mapping_what_we_say_goes_to_it() {
    let mut pair = behind("198.51.100.1");
    // The NAT has another address now; the left side renews its child.
    pair.nat = Some("198.51.100.2".parse().unwrap());
    down_child(&mut pair);
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    pair.right.ike.command(pair.now, Command::Clear).unwrap();
    let mut out = Vec::new();
    let mut said = 0;
    while let Some(output) = pair.right.ike.poll_output(&mut out) {
        if let Output::Transmit(Transmit { path, .. }) = output {
            assert_eq!(path.remote.ip().to_string(), "198.51.100.2");
            said += 1;
        }
    }
    assert_eq!(said, 2, "a delete of the child and one of the ISAKMP SA");
    assert_eq!(pair.right.ike.poll_timeout(), None);
}

#[test]
fn the_children_move_with_the_next_authentic_message() {
    let mut pair = behind("198.51.100.1");
    pair.nat = Some("198.51.100.2".parse().unwrap());
    // A delete of nothing that stands is authentic all the same.
    down_child(&mut pair);
    pair.up();
    pair.collect();
    let first = pair.wire.pop_front().unwrap();
    let mut bent = first.clone();
    bent.octets[30] ^= 1;
    pair.deliver(&bent);
    let place = |pair: &Pair| pair.right.ike.report(pair.now).ike_sas[0].path.remote.ip().to_string();
    assert_eq!(place(&pair), "198.51.100.1", "what is not authentic moves nothing");
    pair.deliver(&first);
    assert_eq!(place(&pair), "198.51.100.2");
}

#[test]
fn a_nats_mapping_is_kept_alive_as_long_as_a_child_uses_it_and_no_longer() {
    let setup = Setup { ike_lifetime: Duration::from_secs(60), nat: NatTraversal::Force, ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.settle();
    // Phase 1 cannot be renewed.
    pair.fate = Box::new(|datagram| match datagram.octets.get(18) {
        Some(2) => Fate::Drop,
        _ => Fate::Deliver,
    });
    pair.run(Duration::from_secs(150));
    assert_eq!((pair.left.ike_sas(), pair.left.children()), (0, 1));
    let keepalives = |pair: &Pair| {
        let all = pair.transcript.iter();
        all.filter(|sent| sent.framing == Framing::Keepalive && sent.to == End::Right).count()
    };
    let before = keepalives(&pair);
    pair.run(Duration::from_secs(200));
    assert_eq!(keepalives(&pair) - before, 10, "one in 20 s");
    down_child(&mut pair);
    let before = keepalives(&pair);
    pair.run(Duration::from_secs(200));
    assert_eq!(keepalives(&pair), before);
}
