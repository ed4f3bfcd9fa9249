//! Datagrams get lost, doubled and delayed: the tunnel comes up all the same, and nothing is done twice.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::time::Duration;

use ipsec_ike::*;
use support::*;

/// Loses the first copy of the `n`th distinct datagram.
fn lose_once(n: usize) -> Pair {
    let mut pair = Pair::alike(&Setup::default());
    let mut seen: Vec<Vec<u8>> = Vec::new();
    pair.fate = Box::new(move |datagram| {
        if seen.contains(&datagram.octets) {
            return Fate::Deliver;
        }
        seen.push(datagram.octets.clone());
        if seen.len() == n + 1 { Fate::Drop } else { Fate::Deliver }
    });
    pair
}

#[test]
fn each_message_may_be_lost_once() {
    for lost in 0..9 {
        let mut pair = lose_once(lost);
        pair.up();
        pair.run(Duration::from_secs(30));
        assert!(matches!(pair.left.outcome(), Some(Outcome::Done)), "message {lost}");
        pair.assert_agree(1);
        assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (1, 1));
    }
}

#[test]
fn every_message_may_come_twice() {
    let mut pair = Pair::alike(&Setup::default());
    pair.fate = Box::new(|_| Fate::Twice);
    pair.up();
    pair.run(Duration::from_secs(30));
    pair.assert_agree(1);
    assert_eq!((pair.left.children(), pair.right.children()), (1, 1));
    let ups = |side: &Side| side.events.iter().filter(|event| matches!(event, Event::ChildUp(_))).count();
    assert_eq!((ups(&pair.left), ups(&pair.right)), (1, 1));
}

#[test]
fn a_duplicate_is_answered_byte_for_byte_and_touches_nothing() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    // (request on the wire, how many messages in all once it is answered)
    for answered in [2, 4, 6, 8] {
        while pair.transcript.len() < answered {
            pair.collect();
            if let Some(datagram) = pair.wire.pop_front() {
                pair.deliver(&datagram);
            }
            pair.collect();
        }
        let request = pair.transcript[answered - 2].clone();
        let answer = pair.transcript[answered - 1].clone();
        let report = format!("{:?}", pair.right.ike.report(pair.now).ike_sas);
        assert_eq!(pair.deliver(&request), Some(Disposition::Duplicate));
        let before = pair.transcript.len();
        pair.collect();
        assert_eq!(pair.transcript.len(), before + 1);
        assert_eq!(pair.transcript.pop().unwrap().octets, answer.octets);
        pair.wire.pop_back();
        assert_eq!(format!("{:?}", pair.right.ike.report(pair.now).ike_sas), report);
    }
    pair.settle();
    pair.assert_agree(1);
    // A repeated QM2 gets QM3 again.
    let (qm2, qm3) = (pair.transcript[7].clone(), pair.transcript[8].clone());
    assert_eq!(pair.deliver(&qm2), Some(Disposition::Duplicate));
    pair.collect();
    assert_eq!(pair.transcript.last().unwrap().octets, qm3.octets);
}

#[test]
fn with_three_datagrams_in_ten_lost_it_comes_up_for_every_seed() {
    for seed in 0..100_u64 {
        let mut pair = Pair::seeded(&Setup::default(), &Setup::default().mirrored(), seed);
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        pair.fate = Box::new(move |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state % 10 < 3 { Fate::Drop } else { Fate::Deliver }
        });
        pair.up();
        pair.run(Duration::from_secs(120));
        assert!(matches!(pair.left.outcome(), Some(Outcome::Done)), "seed {seed}: {:?}", pair.left.outcome());
        pair.assert_agree(1);
    }
}

#[test]
fn old_messages_in_any_later_state_change_nothing() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.settle();
    pair.assert_agree(1);
    let recorded = pair.transcript.clone();
    let reports = |pair: &Pair| {
        let (left, right) = (pair.left.ike.report(pair.now), pair.right.ike.report(pair.now));
        format!("{:?} {:?} {:?} {:?}", left.ike_sas, left.children, right.ike_sas, right.children)
    };
    let before = reports(&pair);
    for datagram in recorded.iter().rev().chain(&recorded) {
        pair.deliver(datagram);
        pair.collect();
        pair.wire.clear();
        assert_eq!(reports(&pair), before);
    }
}

#[test]
fn reflected_messages_are_refused() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.settle();
    let recorded = pair.transcript.clone();
    // Every message back to its sender, at the end and while it is under way.
    for datagram in &recorded {
        let back = Datagram {
            to: if datagram.to == End::Left { End::Right } else { End::Left },
            path: datagram.path.reversed(),
            ..datagram.clone()
        };
        let disposition = pair.deliver(&back);
        assert!(!matches!(disposition, Some(Disposition::Accepted)), "{disposition:?}");
    }
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    let mut step = 0;
    loop {
        pair.collect();
        let Some(datagram) = pair.wire.pop_front() else { break };
        let back = Datagram {
            to: if datagram.to == End::Left { End::Right } else { End::Left },
            path: datagram.path.reversed(),
            ..datagram.clone()
        };
        let disposition = pair.deliver(&back);
        // A notify in clear is taken note of, whoever it comes from; it does nothing.
        let is_hint = datagram.octets[18] == 5;
        assert!(
            is_hint || !matches!(disposition, Some(Disposition::Accepted)),
            "step {step}: {disposition:?}"
        );
        pair.deliver(&datagram);
        step += 1;
    }
    assert!(pair.left.children() == 1 && pair.right.children() == 1);
}

#[test]
fn nobody_there_ends_in_bounded_time_with_a_sentence() {
    let mut pair = Pair::alike(&Setup::default());
    pair.fate = Box::new(|_| Fate::Drop);
    pair.up();
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.left.failure().code, diagnosis::Code::PeerUnreachable);
    assert!(pair.left.failure().to_string().contains("does not answer MM1 (MM_WAIT_MSG2)"));
    assert_eq!(pair.left.ike_sas(), 0);
    assert_eq!(pair.transcript.len(), 12, "twelve transmissions, all the same");
    assert!(pair.transcript.iter().all(|datagram| datagram.octets == pair.transcript[0].octets));
    assert_eq!(pair.left.ike.poll_timeout(), None, "no timer is left");
}
