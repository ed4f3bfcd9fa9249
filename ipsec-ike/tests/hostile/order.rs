//! Every message in every state.

use ipsec_ike::proto::registry::ExchangeType;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

#[test]
fn a_message_out_of_its_turn_changes_nothing() {
    // One peer that has gone all the way tells what its messages look like; each is then said in each state of an
    // SA that is not there yet, with that SA's cookies.
    for reached in 0..=2 {
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        if reached >= 1 {
            let mm2 = say(&mut pair, &peer.mm1());
            peer.take_mm2(mm2.octets());
        }
        if reached >= 2 {
            let mm4 = say(&mut pair, &peer.mm3());
            peer.take_mm4(mm4.octets(), PSK);
        }
        let mut other = Pair::alike(&Setup::default());
        let mut full = Peer::up(&mut other, 1);
        full.cookies = peer.cookies;
        let before = standing(&pair);
        let out_of_turn: Vec<(&str, Vec<u8>)> = vec![
            ("MM3", full.mm3()),
            ("MM5", full.mm5()),
            ("QM1", full.good_qm1(3, 0x1000)),
            ("informational", full.inform(4, &[])),
            ("QM in clear", full.clear(ExchangeType::QUICK_MODE, 3, &[])),
        ];
        for (name, octets) in out_of_turn {
            if (reached, name) == (1, "MM3") || (reached, name) == (2, "MM3") {
                continue; // its turn, or a duplicate
            }
            let answer = say(&mut pair, &octets);
            assert!(!answer.is_accepted(), "{name} with {reached}: {:?}", answer.disposition);
            assert_eq!(standing(&pair), before, "{name} with {reached}");
        }
    }
}

#[test]
fn a_standing_sa_takes_no_more_of_phase_1() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::up(&mut pair, 1);
    peer.child(&mut pair, 77, 0x1000);
    let before = standing(&pair);
    let cookie = peer.cookies.1;
    peer.cookies.1 = proto::Cookie::ZERO;
    let mm1 = peer.mm1();
    peer.cookies.1 = cookie;
    let mut more = vec![mm1, peer.mm3()];
    // Another MM5 under the same keys, its identity changed.
    more.push(peer.mm5_with(&[1, 0, 0, 0, 192, 0, 2, 9], &[]));
    for octets in more {
        let answer = say(&mut pair, &octets);
        assert!(
            matches!(answer.disposition, Disposition::Discarded(DiscardReason::WrongState)),
            "{:?}",
            answer.disposition
        );
        assert!(answer.datagrams.is_empty());
    }
    assert_eq!(standing(&pair), before);
}

#[test]
fn main_mode_messages_with_a_message_id_are_none() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    let mut mm1 = peer.mm1();
    mm1[20..24].copy_from_slice(&[0, 0, 0, 1]);
    let answer = say(&mut pair, &mm1);
    assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::MessageId));
    assert_eq!(pair.right.ike_sas(), 0);
}

#[test]
fn zero_cookies_are_nobodys() {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    peer.cookies.0 = proto::Cookie::ZERO;
    let mm1 = peer.mm1();
    let answer = say(&mut pair, &mm1);
    assert_eq!(answer.disposition, Disposition::Discarded(DiscardReason::UnknownCookies));
    assert_eq!((answer.datagrams.len(), pair.right.ike_sas()), (0, 0));
}
