//! ISAKMP SAs that stand: forgotten by the peer, worn out, too many, gone.

use std::time::Duration;

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::*;
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

fn up() -> (Pair, Peer) {
    let mut pair = Pair::alike(&Setup::default());
    let peer = Peer::up(&mut pair, 1);
    (pair, peer)
}

fn down_child(pair: &mut Pair) {
    let command = Command::Down { connection: "peer".into(), child: Some("net".into()) };
    pair.left.ike.command(pair.now, command).unwrap();
}

fn alive(peer: &Peer, number: u32) -> Vec<u8> {
    let spi = SpiBytes::from_cookies(peer.cookies.0, peer.cookies.1);
    let mut alive = Notify::new(ProtocolId::ISAKMP, spi, NotifyType::R_U_THERE);
    alive.data = number.to_be_bytes().to_vec();
    peer.inform(number, &[Payload::Notify(alive)])
}

#[test]
fn an_isakmp_sa_that_its_peer_has_forgotten_is_given_up_for_a_fresh_one() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.run(Duration::from_secs(30));
    let fresh = Pair::seeded(&Setup::default(), &Setup::default().mirrored(), 9);
    pair.right = fresh.right;
    down_child(&mut pair);
    pair.up();
    pair.run(Duration::from_secs(60));
    assert!(matches!(pair.left.outcome(), Some(Outcome::Done)), "{:?}", pair.left.outcome());
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (1, 1));
    pair.assert_agree(1);
}

#[test]
fn a_peer_that_is_gone_is_tried_once_more_and_then_given_up() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.run(Duration::from_secs(30));
    pair.fate = Box::new(|_| Fate::Drop);
    down_child(&mut pair);
    pair.up();
    pair.run(Duration::from_secs(120));
    assert_eq!(pair.left.failure().code, diagnosis::Code::PeerUnreachable);
    assert_eq!((pair.left.ike_sas(), pair.left.ike.poll_timeout()), (0, None));
}

#[test]
fn a_peer_that_lives_and_drops_the_quick_mode_keeps_its_isakmp_sa() {
    let mut pair = Pair::alike(&Setup::default());
    pair.fate = Box::new(|datagram| if datagram.octets[18] == 32 { Fate::Drop } else { Fate::Deliver });
    pair.up();
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.left.failure().code, diagnosis::Code::QuickModeUnanswered);
    assert_eq!(pair.left.ike_sas(), 1);
}

#[test]
fn a_message_id_is_used_for_as_long_as_its_sa_lives() {
    let (mut pair, peer) = up();
    let qm1 = peer.good_qm1(7, 0x1000);
    peer.child(&mut pair, 7, 0x1000);
    pair.run(Duration::from_secs(90));
    // Liveness checks of three hours, at one in ten seconds each way.
    for number in 1000..1600_u32 {
        assert!(say(&mut pair, &alive(&peer, number)).is_accepted());
    }
    let again = say(&mut pair, &qm1);
    assert_eq!(again.disposition, Disposition::Discarded(DiscardReason::MessageId));
    assert_eq!(pair.right.children(), 1);
}

#[test]
fn where_no_more_message_ids_can_be_remembered_the_sa_makes_room_for_another() {
    let limits = Limits { message_ids: 200, ..Limits::default() };
    let mut pair = Pair::alike(&Setup { limits, ..Setup::default() });
    let peer = Peer::up(&mut pair, 1);
    peer.child(&mut pair, 7, 0x1000);
    let mut renewals = 0;
    let mut refused = 0;
    for number in 1000..1200_u32 {
        let answer = say(&mut pair, &alive(&peer, number));
        renewals += answer.datagrams.iter().filter(|datagram| datagram.octets[18] == 2).count();
        refused += u32::from(!answer.is_accepted());
    }
    assert_eq!(renewals, 1, "the successor is called for once, before the end");
    assert!(refused > 0);
    // What is under way is left: nothing that stands, but the children.
    let report = pair.right.ike.report(pair.now);
    assert!(report.ike_sas.iter().all(|sa| sa.state != IkeState::MmActive));
    assert_eq!((report.children.len(), report.counters.at_limit), (1, 1));
}

#[test]
fn an_isakmp_sa_is_renewed_before_it_ends_while_it_has_children() {
    let setup = Setup { ike_lifetime: Duration::from_secs(120), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.run(Duration::from_secs(130));
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (1, 1));
}

#[test]
fn an_isakmp_sa_without_children_ends_and_the_peer_is_told() {
    let setup = Setup { ike_lifetime: Duration::from_secs(120), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.settle();
    down_child(&mut pair);
    // The right side would keep it longer.
    pair.run(Duration::from_secs(119));
    let seen = pair.transcript.len();
    pair.run(Duration::from_secs(2));
    assert!(pair.transcript.len() > seen);
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (0, 0));
}

#[test]
fn a_renewal_that_fails_is_tried_again_while_the_old_sa_lasts() {
    let setup = Setup { ike_lifetime: Duration::from_secs(3600), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.run(Duration::from_secs(3000));
    pair.fate = Box::new(|datagram| if datagram.octets[18] == 2 { Fate::Drop } else { Fate::Deliver });
    pair.run(Duration::from_secs(300));
    assert_eq!(pair.left.ike.report(pair.now).counters.ike_up, 1);
    pair.fate = Box::new(|_| Fate::Deliver);
    pair.run(Duration::from_secs(280));
    assert_eq!(pair.left.ike.report(pair.now).counters.ike_up, 2);
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (1, 1));
}

#[test]
fn one_peer_has_a_bound_on_its_isakmp_sas_and_the_oldest_goes() {
    let mut pair = Pair::alike(&Setup::default());
    let limit = Limits::default().ike_sas_per_peer;
    for seed in 1..=40 {
        Peer::up(&mut pair, seed);
    }
    let report = pair.right.ike.report(pair.now);
    assert_eq!(report.ike_sas.len(), limit);
    let youngest = Peer::new(40).cookies.0;
    assert_eq!(report.ike_sas.last().unwrap().cookies.initiator, youngest);
    assert_eq!(report.counters.at_limit, 40 - limit as u64);
}

#[test]
fn a_question_that_nobody_waits_for_leaves_no_timer() {
    let setup = Setup { local: Some(LocalAddress::Any), ..Setup::default() };
    let mut pair = Pair::alike(&setup);
    pair.up();
    pair.left.ike.command(pair.now, Command::Clear).unwrap();
    pair.collect();
    assert_eq!(pair.left.ike.poll_timeout(), None);
}
