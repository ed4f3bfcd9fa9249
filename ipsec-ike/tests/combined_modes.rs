//! Quick modes about ESP that IKEv1 learned late: combined modes, counter mode, NULL, and AES as integrity algorithm.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use ipsec_ike::crypto::{CryptoProvider, InOut, Job, Outcome as Sealing, open, seal};
use ipsec_ike::*;
use support::*;

const SUITES: &[(&str, usize)] = &[
    // Octets of key material of one SA: key, salt or nonce (RFC 4106 §8.1, RFC 3686 §5.1), integrity key.
    ("aes128gcm16", 16 + 4),
    ("aes192gcm12", 24 + 4),
    ("aes256gcm8", 32 + 4),
    ("aes128gcm16-modp2048", 16 + 4),
    ("aes128ccm16", 16 + 3),
    ("aes192ccm12", 24 + 3),
    ("aes256ccm8", 32 + 3),
    ("aes128gmac", 16 + 4),
    ("aes128ctr-sha256", 16 + 4 + 32),
    ("aes256ctr-aesxcbc", 32 + 4 + 16),
    ("null-sha1", 20),
];

fn up(left: &Setup, right: &Setup) -> Pair {
    let mut pair = Pair::new(left, &right.mirrored());
    pair.up();
    pair.settle();
    pair
}

#[test]
fn come_up_with_keys_that_carry_packets() {
    for &(suite, keymat) in SUITES {
        let setup = Setup { esp: vec![suite], ..Setup::default() };
        let pair = up(&setup, &setup);
        assert!(matches!(pair.left.outcome(), Some(Outcome::Done)), "{suite}: {:#?}", pair.left.events);
        pair.assert_agree(1);
        let agreed = pair.left.events.iter().find_map(|event| match event {
            Event::ChildUp(up) => Some(up.suite),
            _ => None,
        });
        let suite: ChildSuite = suite.parse().unwrap();
        assert_eq!(agreed, Some(suite));

        let (_, protection) = suite.protections().next().unwrap();
        let (Some(sender), Some(receiver)) =
            (pair.left.outbound.values().next(), pair.right.inbound.values().next())
        else {
            panic!("{suite} is installed on both sides")
        };
        let prepare = |keys: &[u8]| {
            assert_eq!(keys.len(), keymat, "{suite}");
            let (encryption, integrity) = keys.split_at(protection.key_len());
            CryptoProvider::portable().protection(protection, encryption, integrity).unwrap()
        };
        let (ours, theirs) = (prepare(&sender.keys), prepare(&receiver.keys));
        let (iv, mut icv) = (vec![7; protection.iv_len()], vec![0; protection.icv_len()]);
        let mut text = *b"in tunnel mode, a packet and its trailer";
        for (run, key) in [(seal as fn(&mut [Job<'_>]), &ours), (open, &theirs)] {
            let text = InOut::InPlace(&mut text);
            let mut jobs = [Job {
                key,
                aad: &[1; 8],
                esn_high: None,
                iv: &iv,
                text,
                icv: &mut icv,
                outcome: Sealing::Pending,
            }];
            run(&mut jobs);
            assert_eq!(jobs[0].outcome, Sealing::Done, "{suite}");
        }
        assert_eq!(&text, b"in tunnel mode, a packet and its trailer");
    }
}

#[test]
fn the_responder_finds_what_both_want_among_several() {
    let initiator = Setup { esp: vec!["aes256gcm16", "aes128gcm16", "aes128-sha256"], ..Setup::default() };
    for (wanted, expected) in [
        (vec!["aes128-sha256"], "aes128-sha256"),
        (vec!["aes128-sha256", "aes128gcm16"], "aes128gcm16"),
        (vec!["aes256gcm16"], "aes256gcm16"),
    ] {
        let pair = up(&initiator, &Setup { esp: wanted, ..Setup::default() });
        pair.assert_agree(1);
        let agreed = pair.right.events.iter().find_map(|event| match event {
            Event::ChildUp(up) => Some(up.suite.to_string()),
            _ => None,
        });
        assert_eq!(agreed.as_deref(), Some(expected));
    }
}

#[test]
fn another_icv_or_key_length_is_another_suite() {
    let initiator = Setup { esp: vec!["aes128gcm16"], ..Setup::default() };
    for other in ["aes128gcm12", "aes256gcm16", "aes128gmac", "aes128ccm16", "aes128-sha1"] {
        let pair = up(&initiator, &Setup { esp: vec![other], ..Setup::default() });
        assert!(matches!(pair.left.outcome(), Some(Outcome::Failed(_))), "{other}");
        assert!(pair.left.inbound.is_empty() && pair.right.inbound.is_empty());
    }
}
