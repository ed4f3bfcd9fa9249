//! Notifies and deletes: forged, oversized, repeated.

use std::time::Duration;

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::*;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn up() -> (Pair, Peer) {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    peer.child(&mut pair, 7, 0x1000);
    (pair, peer)
}

fn about(peer: &Peer, kind: NotifyType) -> Payload {
    let spi = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    Payload::Notify(Notify::new(ProtocolId::ISAKMP, spi, kind))
}

#[test]
fn nothing_in_clear_ends_or_answers_anything() {
    let (mut pair, peer) = up();
    let before = standing(&pair);
    for kind in (0..=40).chain([16384, 24576, 24577, 24578, 36136, 36137, 65535]).map(NotifyType) {
        let answer = say(&mut pair, &peer.clear(ExchangeType::INFORMATIONAL, 9, &[about(&peer, kind)]));
        assert!(answer.datagrams.is_empty(), "{kind}");
    }
    let both = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    for delete in [
        Delete::new(ProtocolId::ISAKMP, vec![both]),
        Delete::new(ProtocolId::ESP, vec![SpiBytes::new(&0x1000_u32.to_be_bytes()).unwrap()]),
    ] {
        let octets = peer.clear(ExchangeType::INFORMATIONAL, 9, &[Payload::Delete(delete)]);
        let answer = say(&mut pair, &octets);
        assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::InClear));
        assert!(answer.datagrams.is_empty());
    }
    assert_eq!(standing(&pair), before);
}

#[test]
fn notifies_in_clear_do_not_end_a_negotiation_in_any_state() {
    for reached in 1..=2 {
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm2 = say(&mut pair, &peer.mm1());
        peer.take_mm2(mm2.octets());
        if reached == 2 {
            let mm4 = say(&mut pair, &peer.mm3());
            peer.take_mm4(mm4.octets(), PSK);
        }
        let before = standing(&pair);
        for kind in (1..=30).map(NotifyType) {
            say(&mut pair, &peer.clear(ExchangeType::INFORMATIONAL, 9, &[about(&peer, kind)]));
        }
        assert_eq!(standing(&pair), before);
    }
}

#[test]
fn an_informational_with_a_wrong_hash_does_nothing_and_its_message_id_stays_free() {
    let (mut pair, peer) = up();
    let both = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    let delete = peer.inform(9, &[Payload::Delete(Delete::new(ProtocolId::ISAKMP, vec![both]))]);
    let before = standing(&pair);
    // The hash covers the message id and the payloads; the flags are not under it.
    for at in (16..19).chain(20..delete.len() - 16) {
        let mut bad = delete.clone();
        bad[at] ^= 2;
        let answer = say(&mut pair, &bad);
        assert!(!answer.is_accepted(), "octet {at}");
        assert!(answer.datagrams.is_empty());
        assert_eq!(standing(&pair), before, "octet {at}");
    }
    assert!(say(&mut pair, &delete).is_accepted());
    assert_eq!(pair.right.ike_sas(), 0);
    assert_eq!(pair.right.children(), 1, "the children are not the ISAKMP SA's");
}

#[test]
fn a_delete_with_more_spis_than_it_has_is_refused_and_one_with_thousands_ends_only_what_it_names() {
    let (mut pair, peer) = up();
    let before = standing(&pair);
    let cases =
        [(4_u8, 65535_u16, 4_usize), (4, 2, 4), (0, 65535, 0), (255, 1, 255), (16, 4096, 16), (4, 0, 4)];
    for (number, (size, count, data)) in (20..).zip(cases) {
        let mut body = vec![0, 0, 0, 1, 3, size];
        body.extend(count.to_be_bytes());
        body.extend(std::iter::repeat_n(0x10, data));
        let length = u16::try_from(body.len() + 4).unwrap().to_be_bytes();
        let rest = [&[0, 0, length[0], length[1]][..], &body].concat();
        let octets = peer.hashed_text(ExchangeType::INFORMATIONAL, number, PayloadType::DELETE, &rest);
        let answer = say(&mut pair, &octets);
        let refused = matches!(answer.disposition, Disposition::Refused(_));
        assert!(refused || data == 0, "{size} {count} {data}: {:?}", answer.disposition);
        assert_eq!(standing(&pair), before);
    }
    let many = (0..16_000_u32).map(|spi| SpiBytes::new(&(spi | 1 << 31).to_be_bytes()).unwrap()).collect();
    let delete = peer.inform(10, &[Payload::Delete(Delete::new(ProtocolId::ESP, many))]);
    assert!(say(&mut pair, &delete).is_accepted());
    assert_eq!(pair.right.children(), 1);
}

#[test]
fn the_same_delete_twice_in_one_message_and_again_is_harmless() {
    let (mut pair, peer) = up();
    let child = || {
        Payload::Delete(Delete::new(
            ProtocolId::ESP,
            vec![SpiBytes::new(&0x1000_u32.to_be_bytes()).unwrap(); 3],
        ))
    };
    let both = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    let whole = || Payload::Delete(Delete::new(ProtocolId::ISAKMP, vec![both; 3]));
    let answer = say(
        &mut pair,
        &peer.inform(9, &[child(), child(), whole(), whole(), about(&peer, NotifyType::R_U_THERE)]),
    );
    assert!(answer.is_accepted());
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (0, 0));
    let answer = say(&mut pair, &peer.inform(10, &[child(), whole()]));
    assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::UnknownCookies));
    pair.run(Duration::from_secs(100));
    assert_eq!(pair.right.ike.poll_timeout(), None);
    assert!(pair.right.inbound.is_empty() && pair.right.outbound.is_empty());
}

#[test]
fn our_own_inbound_spi_and_others_sas_cannot_be_deleted() {
    let (mut pair, peer) = up();
    let inbound = pair.right.ike.report(pair.now).children[0].inbound;
    let wrong = [
        Delete::new(ProtocolId::ESP, vec![SpiBytes::from(inbound)]),
        Delete::new(ProtocolId::AH, vec![SpiBytes::new(&0x1000_u32.to_be_bytes()).unwrap()]),
        Delete::new(ProtocolId::ISAKMP, vec![SpiBytes::from_cookies(peer.cookies.1, peer.cookies.0)]),
        Delete::new(ProtocolId::ISAKMP, vec![SpiBytes::from_cookies(peer.cookies.0, peer.cookies.0)]),
    ];
    for (number, delete) in (20..).zip(wrong) {
        say(&mut pair, &peer.inform(number, &[Payload::Delete(delete)]));
        assert_eq!((pair.right.ike_sas(), pair.right.children()), (1, 1));
    }
}

#[test]
fn liveness_is_answered_under_the_keys_with_its_own_number() {
    let (mut pair, peer) = up();
    let Payload::Notify(mut question) = about(&peer, NotifyType::R_U_THERE) else { unreachable!() };
    question.data = vec![0xde, 0xad, 0xbe, 0xef];
    let answer = say(&mut pair, &peer.inform(9, &[Payload::Notify(question.clone())]));
    let told = peer.read_informational(answer.octets());
    let Payload::Notify(ack) = &told[1] else { panic!("{told:?}") };
    assert_eq!((ack.kind, &ack.data), (NotifyType::R_U_THERE_ACK, &question.data));
    // For cookies that are not this SA's there is none.
    question.spi = SpiBytes::from_cookies(peer.cookies.1, peer.cookies.0);
    let answer = say(&mut pair, &peer.inform(10, &[Payload::Notify(question)]));
    assert!(answer.datagrams.is_empty());
}

#[test]
fn an_error_notify_does_not_end_what_stands() {
    let (mut pair, peer) = up();
    let before = pair.right.ike.report(pair.now).children.len();
    for (number, kind) in (20..).zip((1..=30).map(NotifyType)) {
        say(&mut pair, &peer.inform(number, &[about(&peer, kind)]));
    }
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (1, before));
}

#[test]
fn a_delete_of_the_isakmp_sa_first_does_not_hide_the_deletes_behind_it() {
    let (mut pair, peer) = up();
    let both = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    let child = SpiBytes::new(&0x1000_u32.to_be_bytes()).unwrap();
    let deletes = [
        Payload::Delete(Delete::new(ProtocolId::ISAKMP, vec![both])),
        Payload::Delete(Delete::new(ProtocolId::ESP, vec![child])),
    ];
    assert!(say(&mut pair, &peer.inform(9, &deletes)).is_accepted());
    assert_eq!((pair.right.ike_sas(), pair.right.children()), (0, 0));
}
