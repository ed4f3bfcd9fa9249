//! The same message again, and messages turned round.

use std::time::Duration;

use ipsec_ike::proto::registry::ExchangeType;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

#[test]
fn each_message_again_gets_the_same_octets_and_changes_nothing() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    let mut answered = Vec::new();
    let mut ask = |pair: &mut Pair, octets: Vec<u8>| {
        let first = say(pair, &octets);
        assert!(first.is_accepted(), "{:?}", first.disposition);
        let before = standing(pair);
        for _ in 0..3 {
            let again = say(pair, &octets);
            assert_eq!(again.disposition, Disposition::Duplicate);
            assert_eq!(again.octets(), first.octets());
        }
        assert_eq!(standing(pair), before);
        answered.push(octets);
        first.octets().to_vec()
    };
    let mm1 = peer.mm1();
    let mm2 = ask(&mut pair, mm1);
    peer.take_mm2(&mm2);
    let mm4 = ask(&mut pair, peer.mm3());
    peer.take_mm4(&mm4, PSK);
    let mm6 = ask(&mut pair, peer.mm5());
    peer.take_mm6(&mm6);
    let qm1 = peer.good_qm1(77, 0x1000);
    let qm2 = ask(&mut pair, qm1.clone());
    assert_eq!(answered.len(), 4);

    // QM3 again is known and answered with nothing; what was before it is stale.
    let qm3 = peer.qm3(77, &[0x22; 16], &qm1, &qm2);
    assert!(say(&mut pair, &qm3).is_accepted());
    let before = standing(&pair);
    assert_eq!(say(&mut pair, &qm3).disposition, Disposition::Duplicate);
    for old in &answered {
        let again = say(&mut pair, old);
        assert!(!again.is_accepted(), "{:?}", again.disposition);
        assert!(again.sent() <= old.len());
    }
    assert_eq!(standing(&pair), before);
}

#[test]
fn after_the_exchange_is_forgotten_its_message_id_is_not() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    let qm1 = peer.good_qm1(77, 0x1000);
    peer.child(&mut pair, 77, 0x1000);
    pair.run(Duration::from_secs(100));
    let before = standing(&pair);
    let again = say(&mut pair, &qm1);
    assert_eq!(again.disposition, Disposition::Discarded(DiscardReason::MessageId));
    assert_eq!((again.datagrams.len(), standing(&pair)), (0, before));
}

#[test]
fn cookies_turned_round_or_mixed_name_no_sa() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    peer.child(&mut pair, 77, 0x1000);
    let before = standing(&pair);
    let (ours, theirs) = (peer.cookies.0, peer.cookies.1);
    let messages = [peer.mm3(), peer.mm5(), peer.good_qm1(78, 0x1001), peer.inform(79, &[])];
    let pairs = [(theirs, ours), (ours, ours), (theirs, theirs), (proto::Cookie([9; 8]), theirs)];
    for message in messages {
        for (initiator, responder) in pairs {
            let mut octets = message.clone();
            octets[..8].copy_from_slice(&initiator.0);
            octets[8..16].copy_from_slice(&responder.0);
            let answer = say(&mut pair, &octets);
            assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::UnknownCookies));
            assert!(answer.datagrams.is_empty());
        }
    }
    assert_eq!(standing(&pair), before);
}

#[test]
fn an_initiators_own_messages_coming_back_are_not_taken() {
    // The right side calls; the left one is a mirror.
    let mut pair = Pair::alike(&Setup::default());
    let command = Command::Up { connection: "peer".into(), child: None };
    pair.right.ike.command(pair.now, command).unwrap();
    pair.collect();
    let mm1 = pair.wire.pop_front().unwrap();
    let before = standing(&pair);
    assert_eq!(say(&mut pair, &mm1.octets).disposition, Disposition::Discarded(DiscardReason::Reflected));
    // With a made-up responder's cookie it is an MM2 that chose what we offered: our own SA payload has one
    // proposal with one transform. Only the exchange that follows can tell, and it does.
    let mut as_mm2 = mm1.octets.clone();
    as_mm2[8..16].copy_from_slice(&[7; 8]);
    let answer = say(&mut pair, &as_mm2);
    if answer.is_accepted() {
        let mm3 = answer.octets().to_vec();
        let reflected = say(&mut pair, &mm3);
        assert_eq!(reflected.refusal().cause, Cause::Reflected);
        assert!(reflected.datagrams.is_empty());
    } else {
        assert_eq!(standing(&pair), before);
    }
}

#[test]
fn a_message_of_another_exchange_type_is_not_run() {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    let before = standing(&pair);
    for exchange in (0..=255).map(ExchangeType) {
        let known =
            [ExchangeType::IDENTITY_PROTECTION, ExchangeType::QUICK_MODE, ExchangeType::INFORMATIONAL];
        if !known.contains(&exchange) {
            let octets = peer.hashed(exchange, 5, &[]);
            let answer = say(&mut pair, &octets);
            assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::Exchange));
            assert!(answer.datagrams.is_empty());
        }
    }
    assert_eq!(standing(&pair), before);
}
