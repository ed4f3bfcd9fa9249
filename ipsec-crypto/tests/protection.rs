//! Sealing and opening packets: what is authenticated, and what is refused.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{job, providers};
use ipsec_crypto::{
    Cipher, CryptoError, CryptoProvider, Encryption, InOut, Integrity, Job, Outcome, Prf, Protection,
    ProtectionSuite, open, seal,
};
use proptest::prelude::*;

const CIPHERS: &[Cipher] = &[
    Cipher::NULL,
    Cipher::AES128,
    Cipher::AES192,
    Cipher::AES256,
    Cipher { encryption: Encryption::AesCtr, key_bits: 128 },
    Cipher { encryption: Encryption::AesCtr, key_bits: 192 },
    Cipher { encryption: Encryption::AesCtr, key_bits: 256 },
    #[cfg(feature = "legacy")]
    Cipher::TRIPLE_DES,
];

const INTEGRITY: &[(Integrity, Prf)] = &[
    (Integrity::HmacSha1_96, Prf::HmacSha1),
    (Integrity::HmacSha256_128, Prf::HmacSha256),
    (Integrity::HmacSha384_192, Prf::HmacSha384),
    (Integrity::HmacSha512_256, Prf::HmacSha512),
    (Integrity::HmacSha256_96, Prf::HmacSha256),
    (Integrity::AesXcbc96, Prf::AesXcbc),
    (Integrity::AesCmac96, Prf::AesCmac),
    #[cfg(feature = "legacy")]
    (Integrity::HmacMd5_96, Prf::HmacMd5),
];

fn suites() -> impl Iterator<Item = (ProtectionSuite, Prf)> {
    CIPHERS.iter().flat_map(|&cipher| {
        INTEGRITY
            .iter()
            .map(move |&(integrity, prf)| (ProtectionSuite { cipher, integrity: Some(integrity) }, prf))
    })
}

fn keys(suite: ProtectionSuite, fill: u8) -> (Vec<u8>, Vec<u8>) {
    let octets = |len: usize| (0..len).map(|i| fill.wrapping_mul(31).wrapping_add((i * 7) as u8)).collect();
    (octets(suite.key_len()), octets(suite.integrity_key_len()))
}

fn prepare(provider: &CryptoProvider, suite: ProtectionSuite, fill: u8) -> Protection {
    let (encryption, integrity) = keys(suite, fill);
    provider.protection(suite, &encryption, &integrity).unwrap()
}

/// Encrypt, then MAC, as RFC 4303 §3.3.2.1 says it, with everything copied together.
fn naive(
    provider: &CryptoProvider,
    (suite, prf): (ProtectionSuite, Prf),
    aad: &[u8],
    esn_high: Option<u32>,
    iv: &[u8],
    clear: &[u8],
) -> (Vec<u8>, Vec<u8>) {
    let (encryption, integrity) = keys(suite, 3);
    let mut text = clear.to_vec();
    provider.cipher_key(suite.cipher, &encryption).unwrap().encrypt(iv, &mut text).unwrap();
    let mut all = [aad, iv, &text].concat();
    all.extend(esn_high.iter().flat_map(|high| high.to_be_bytes()));
    let mac = provider.prf(prf).unwrap().mac(&integrity, &[&all]);
    (text, mac.as_slice()[..suite.icv_len()].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_provider_seals_as_the_rfc_says_and_opens_what_another_sealed(
        aad in proptest::collection::vec(any::<u8>(), 0..16),
        esn_high in any::<Option<u32>>(),
        iv in any::<[u8; 16]>(),
        clear in proptest::collection::vec(any::<u8>(), 0..20).prop_map(|blocks| blocks.repeat(16)),
    ) {
        for (suite, prf) in suites() {
            let iv = &iv[..suite.iv_len()];
            for provider in providers() {
                let key = prepare(&provider, suite, 3);
                let (encrypted, expected) = naive(&CryptoProvider::portable(), (suite, prf), &aad, esn_high, iv, &clear);

                let (mut text, mut icv) = (clear.clone(), vec![0; suite.icv_len()]);
                let (mut to, mut icv_to) = (vec![0xee; clear.len()], vec![0; suite.icv_len()]);
                let mut jobs = [
                    job(&key, &aad, esn_high, iv, &mut text, &mut icv),
                    Job {
                        key: &key, aad: &aad, esn_high, iv,
                        text: InOut::Copy { from: &clear, to: &mut to },
                        icv: &mut icv_to, outcome: Outcome::Pending,
                    },
                ];
                seal(&mut jobs);
                prop_assert!(jobs.iter().all(|job| job.outcome == Outcome::Done));
                prop_assert_eq!(&text, &encrypted);
                prop_assert_eq!(&to, &encrypted);
                prop_assert_eq!(&icv, &expected);
                prop_assert_eq!(&icv_to, &expected);

                for other in providers() {
                    let key = prepare(&other, suite, 3);
                    let (mut text, mut icv) = (encrypted.clone(), expected.clone());
                    let (mut to, mut icv_to) = (vec![0xee; clear.len()], expected.clone());
                    let mut jobs = [
                        job(&key, &aad, esn_high, iv, &mut text, &mut icv),
                        Job {
                            key: &key, aad: &aad, esn_high, iv,
                            text: InOut::Copy { from: &encrypted, to: &mut to },
                            icv: &mut icv_to, outcome: Outcome::Pending,
                        },
                    ];
                    open(&mut jobs);
                    prop_assert!(jobs.iter().all(|job| job.outcome == Outcome::Done));
                    prop_assert_eq!(&text, &clear);
                    prop_assert_eq!(&to, &clear);
                }
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_a_forgery_and_decrypts_nothing() {
    for provider in providers() {
        for (suite, prf) in suites() {
            let key = prepare(&provider, suite, 3);
            let (aad, iv) = ([0, 0, 1, 2, 0, 0, 0, 9], vec![5; suite.iv_len()]);
            let (sealed, icv) = naive(&provider, (suite, prf), &aad, Some(1), &iv, &[0x61; 32]);
            let packet = [&aad[..], &iv, &sealed, &icv].concat();
            for bit in 0..packet.len() * 8 {
                let mut packet = packet.clone();
                packet[bit / 8] ^= 1 << (bit % 8);
                let (aad, rest) = packet.split_at_mut(8);
                let (iv, rest) = rest.split_at_mut(iv.len());
                let (text, icv) = rest.split_at_mut(32);
                let before = text.to_vec();
                let mut jobs = [job(&key, aad, Some(1), iv, text, icv)];
                open(&mut jobs);
                assert_eq!(jobs[0].outcome, Outcome::Forged, "{suite} bit {bit}");
                assert_eq!(text, before);
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
fn a_batch_may_mix_suites_lengths_and_faults() {
    let provider = CryptoProvider::default();
    let keys: Vec<_> = suites().map(|(suite, _)| prepare(&provider, suite, 3)).collect();
    let ivs: Vec<_> = keys.iter().map(|key| vec![1; key.suite().iv_len()]).collect();
    let mut texts: Vec<_> = (0..keys.len()).map(|i| vec![i as u8; i * 16]).collect();
    let mut icvs: Vec<_> = keys.iter().map(|key| vec![0; key.suite().icv_len()]).collect();
    let mut jobs: Vec<_> = keys
        .iter()
        .zip(&ivs)
        .zip(texts.iter_mut().zip(&mut icvs))
        .map(|((key, iv), (text, icv))| job(key, &[9; 8], None, iv, text, icv))
        .collect();
    seal(&mut jobs);
    assert!(jobs.iter().all(|job| job.outcome == Outcome::Done));
    jobs[2].icv[0] ^= 1;
    jobs[3].icv = &mut [];
    open(&mut jobs);
    let outcomes: Vec<_> = jobs.iter().map(|job| job.outcome).collect();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let expected = match index {
            2 => Outcome::Forged,
            3 => Outcome::BadLength,
            _ => Outcome::Done,
        };
        assert_eq!(outcome, expected, "{index}");
    }
    for (index, text) in texts.iter().enumerate().filter(|(index, _)| !(2..=3).contains(index)) {
        assert_eq!(*text, vec![index as u8; index * 16]);
    }
}

#[test]
fn wrong_lengths_are_refused_before_anything_happens() {
    let provider = CryptoProvider::default();
    for (suite, _) in suites() {
        let key = prepare(&provider, suite, 3);
        for (iv_by, text_by, icv_by) in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
            if text_by == 1 && suite.cipher.block_len() == 1 {
                continue;
            }
            for run in [seal as fn(&mut [Job<'_>]), open] {
                let iv = vec![0; suite.iv_len() + iv_by];
                let (mut text, mut icv) = (vec![4; 32 + text_by], vec![4; suite.icv_len() + icv_by]);
                let before = (text.clone(), icv.clone());
                let mut jobs = [job(&key, &[], None, &iv, &mut text, &mut icv)];
                run(&mut jobs);
                assert_eq!(jobs[0].outcome, Outcome::BadLength);
                assert_eq!((text, icv), before);
            }
        }
        let (iv, mut icv, mut to) = (vec![0; suite.iv_len()], vec![0; suite.icv_len()], [0; 16]);
        let text = InOut::Copy { from: &[0; 32], to: &mut to };
        let mut jobs = [Job {
            key: &key,
            aad: &[],
            esn_high: None,
            iv: &iv,
            text,
            icv: &mut icv,
            outcome: Outcome::Pending,
        }];
        seal(&mut jobs);
        assert_eq!(jobs[0].outcome, Outcome::BadLength);
    }
}

#[test]
fn unauthenticated_or_doubly_authenticated_suites_cannot_be_made() {
    let provider = CryptoProvider::default();
    for &cipher in CIPHERS {
        let suite = ProtectionSuite { cipher, integrity: None };
        let made = provider.protection(suite, &vec![0; suite.key_len()], &[]);
        assert_eq!(made.err(), Some(CryptoError::IntegrityRequired { cipher }));
        assert!(!provider.supports_protection(suite));
    }
    for (suite, _) in suites() {
        let (encryption, integrity) = keys(suite, 1);
        assert!(provider.supports_protection(suite));
        let longer = |key: &[u8]| [key, &[0]].concat();
        assert!(provider.protection(suite, &longer(&encryption), &integrity).is_err());
        assert!(provider.protection(suite, &encryption, &longer(&integrity)).is_err());
        assert!(provider.protection(suite, &encryption, &integrity[1..]).is_err());
        let debug = format!("{:?}", provider.protection(suite, &encryption, &integrity).unwrap());
        assert_eq!(debug, format!("Protection({suite})"));
    }
}
