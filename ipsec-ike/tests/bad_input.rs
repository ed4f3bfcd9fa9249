//! Truncated, flipped and invented messages: refused or let fall, the state as it was, and the exchange goes on.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use ipsec_ike::*;
use support::*;

const MESSAGES: usize = 9;

/// A pair in which the first `n` messages have arrived and the next one is on the wire.
fn before(n: usize) -> (Pair, Datagram) {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    loop {
        pair.collect();
        let datagram = pair.wire.pop_front().expect("the exchange goes on");
        if pair.transcript.len() == n + 1 {
            return (pair, datagram);
        }
        pair.deliver(&datagram);
    }
}

/// All that a message may change, but for counters and what is only told.
fn state(pair: &Pair) -> String {
    let sides = [&pair.left, &pair.right].map(|side| {
        let report = side.ike.report(pair.now);
        (format!("{:?} {:?}", report.ike_sas, report.children), side.inbound.clone(), side.outbound.clone())
    });
    format!("{sides:?}")
}

/// Delivers a damaged message. Gives back whether it was taken for good.
fn deliver_damaged(pair: &mut Pair, good: &Datagram, octets: Vec<u8>) -> bool {
    let disposition = pair.deliver(&Datagram { octets, ..good.clone() });
    pair.collect();
    pair.wire.clear();
    matches!(disposition, Some(Disposition::Accepted))
}

fn set_length(octets: &mut [u8]) {
    let length = u32::try_from(octets.len()).unwrap().to_be_bytes();
    if let Some(field) = octets.get_mut(24..28) {
        field.copy_from_slice(&length);
    }
}

#[test]
fn truncated_messages_change_nothing() {
    for n in 0..MESSAGES {
        let (mut pair, good) = before(n);
        let unchanged = state(&pair);
        for length in 0..good.octets.len() {
            let mut octets = good.octets[..length].to_vec();
            assert!(!deliver_damaged(&mut pair, &good, octets.clone()), "message {n} cut to {length}");
            // The same with a header that fits: only the payloads tell.
            set_length(&mut octets);
            let taken = deliver_damaged(&mut pair, &good, octets);
            assert!(!taken, "message {n} cut to {length}, length mended");
            assert_eq!(state(&pair), unchanged, "message {n} cut to {length}");
        }
        let mut longer = good.octets.clone();
        longer.extend([0; 16]);
        assert!(!deliver_damaged(&mut pair, &good, longer));
        pair.deliver(&good);
        pair.settle();
        pair.assert_agree(1);
    }
}

#[test]
fn flipped_bits_change_nothing_that_is_authenticated() {
    for n in 0..MESSAGES {
        let (mut pair, good) = before(n);
        let unchanged = state(&pair);
        // What no hash covers: everything in clear, the flags, and in MM5 the notify behind HASH_I.
        let encrypted = n >= 4;
        let uncovered = |at: usize| !encrypted || at == 19 || (n == 4 && at >= 28 + 12 + 24);
        for at in 0..good.octets.len() {
            // In clear, where most bits may be flipped for good, one bit an octet keeps the time short.
            let bits: Vec<usize> = if encrypted { (0..8).collect() } else { vec![at % 8] };
            for bit in bits {
                let mut octets = good.octets.clone();
                octets[at] ^= 1 << bit;
                if uncovered(at) {
                    if deliver_damaged(&mut pair, &good, octets) {
                        pair = before(n).0;
                    }
                    continue;
                }
                let taken = deliver_damaged(&mut pair, &good, octets);
                assert!(!taken, "message {n}, octet {at}, bit {bit}");
                assert_eq!(state(&pair), unchanged, "message {n}, octet {at}, bit {bit}");
            }
        }
        let (mut pair, good) = if encrypted { (pair, good) } else { before(n) };
        pair.deliver(&good);
        pair.settle();
        pair.assert_agree(1);
    }
}

#[test]
fn payloads_in_the_wrong_place_are_refused() {
    for n in 0..MESSAGES {
        let (mut pair, good) = before(n);
        let unchanged = state(&pair);
        // The encryption flag turned round.
        let mut octets = good.octets.clone();
        octets[19] ^= 1;
        assert!(!deliver_damaged(&mut pair, &good, octets), "message {n}");
        // A chain that refers to itself, and payloads of every type first.
        for kind in 0..=255 {
            let mut octets = good.octets.clone();
            if octets[16] == kind {
                continue;
            }
            octets[16] = kind;
            assert!(!deliver_damaged(&mut pair, &good, octets), "message {n}, first payload {kind}");
        }
        // A payload length of zero to three.
        for length in 0..4 {
            let mut octets = good.octets.clone();
            octets[30] = 0;
            octets[31] = length;
            assert!(!deliver_damaged(&mut pair, &good, octets), "message {n}, payload length {length}");
        }
        assert_eq!(state(&pair), unchanged, "message {n}");
        pair.deliver(&good);
        pair.settle();
        pair.assert_agree(1);
    }
}

#[test]
fn every_exchange_type_in_every_state_changes_nothing() {
    for n in 0..MESSAGES {
        let (mut pair, good) = before(n);
        let unchanged = state(&pair);
        for exchange in 0..=255 {
            if exchange == good.octets[18] {
                continue;
            }
            let mut octets = good.octets.clone();
            octets[18] = exchange;
            assert!(!deliver_damaged(&mut pair, &good, octets), "message {n}, exchange {exchange}");
        }
        assert_eq!(state(&pair), unchanged, "message {n}");
    }
}

#[test]
fn datagrams_of_every_length_are_let_fall() {
    let (mut pair, good) = before(4);
    let unchanged = state(&pair);
    let lengths = (0..=2048).chain([4096, 9000, 16384, 65535]);
    for length in lengths {
        for fill in [0x00, 0xff, 0x2a] {
            let mut octets = vec![fill; length];
            assert!(!deliver_damaged(&mut pair, &good, octets.clone()));
            // With a header that names the SA.
            if length >= 28 {
                octets[..28].copy_from_slice(&good.octets[..28]);
                set_length(&mut octets);
                assert!(!deliver_damaged(&mut pair, &good, octets));
            }
        }
    }
    assert_eq!(state(&pair), unchanged);
    pair.deliver(&good);
    pair.settle();
    pair.assert_agree(1);
}
