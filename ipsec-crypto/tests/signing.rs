//! Signing, over every provider: what one makes all verify, RSA gives OpenSSL's octets, and nothing wrong is signed with.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{hex, providers, rows};
use ipsec_crypto::suite::{SignatureEncoding, SignatureInput};
use ipsec_crypto::{
    CryptoError, CryptoProvider, KeyFault, PrivateKey, SecureRandom, Seeded, SignatureScheme,
};

fn rsa() -> PrivateKey {
    PrivateKey::from_pkcs8(include_bytes!("data/keys/rsa.pkcs8.der")).unwrap()
}

/// RSA of 2048 bits, and RFC 4754's keys on P-256, P-384 and P-521.
fn keys() -> Vec<PrivateKey> {
    let curves = rows(include_str!("data/ecdsa_rfc4754.txt"));
    let curves = curves.into_iter().map(|[_, _, key, _, _]| PrivateKey::from_pkcs8(&hex(key)).unwrap());
    std::iter::once(rsa()).chain(curves).collect()
}

/// What a scheme can sign: 3 octets, or as many as its hash has.
fn input(scheme: SignatureScheme) -> Vec<u8> {
    let row = scheme.row();
    match row.input {
        SignatureInput::Message => b"abc".to_vec(),
        SignatureInput::Digest => vec![0xd1; row.hash.map_or(20, |hash| hash.row().output)],
    }
}

#[test]
fn what_one_provider_signs_all_verify() {
    for (seed, signing) in providers().into_iter().enumerate() {
        let mut random = Seeded::from_u64(seed as u64);
        let mut made = 0;
        for key in keys() {
            for algorithm in signing.signatures.iter().filter(|scheme| scheme.id().takes(key.algorithm())) {
                let (scheme, input) = (algorithm.id(), input(algorithm.id()));
                let signer = signing.signer(scheme, &key).unwrap();
                assert_eq!(format!("{signer:?}"), format!("Signer({scheme})"));
                let signature = signer.sign(&input, &mut random).unwrap();
                let width = key.public().bits().div_ceil(8) as usize;
                match scheme.row().encoding {
                    SignatureEncoding::Fixed => assert_eq!(signature.len(), 2 * width, "{scheme}"),
                    SignatureEncoding::Der => assert_eq!(signature[0], 0x30, "{scheme}"),
                    _ => assert_eq!(signature.len(), width, "{scheme}"),
                }
                made += 1;
                for verifying in providers() {
                    let verify = |input: &[u8], signature: &[u8]| {
                        verifying.verify(scheme, key.public(), input, signature)
                    };
                    assert_eq!(verify(&input, &signature), Ok(()), "{} {scheme}", verifying.name);
                    let refused = Err(CryptoError::BadSignature { scheme });
                    let mut other = input.clone();
                    other[0] ^= 0x80;
                    assert_eq!(verify(&other, &signature), refused, "{} {scheme}", verifying.name);
                    for at in [0, signature.len() / 2, signature.len() - 1] {
                        let mut forged = signature.clone();
                        forged[at] ^= 1;
                        assert_eq!(verify(&input, &forged), refused, "{} {scheme} {at}", verifying.name);
                    }
                    assert_eq!(verify(&input, &signature[1..]), refused);
                    assert_eq!(verify(&input, &[]), refused);
                }
            }
        }
        assert_eq!(made, 5 + 9 + 6, "five of RSA, three of DER and two fixed a curve");
    }
}

#[test]
fn rsa_gives_the_octets_that_openssl_gives() {
    let key = rsa();
    for provider in providers() {
        let sign = |scheme, input: &[u8]| {
            let signer = provider.signer(scheme, &key).unwrap();
            signer.sign(input, &mut Seeded::from_u64(input.len() as u64)).unwrap()
        };
        for [name, signature] in rows(include_str!("data/rsa_openssl.txt")) {
            let scheme = name.parse().unwrap();
            assert_eq!(sign(scheme, b"abc"), hex(signature), "{} {name}", provider.name);
            assert_eq!(provider.verify(scheme, key.public(), b"abc", &hex(signature)), Ok(()));
        }
        for [digest, signature] in rows(include_str!("data/rsa_raw_openssl.txt")) {
            let (digest, signature) = (hex(digest), hex(signature));
            let raw = SignatureScheme::RsaRaw;
            assert_eq!(sign(raw, &digest), signature, "{} {}", provider.name, digest.len());
            assert_eq!(provider.verify(raw, key.public(), &digest, &signature), Ok(()));
            for scheme in [SignatureScheme::RsaSha1, SignatureScheme::RsaSha256] {
                let refused = Err(CryptoError::BadSignature { scheme });
                assert_eq!(provider.verify(scheme, key.public(), &digest, &signature), refused);
            }
        }
    }
}

#[test]
fn rsa_generates_the_signatures_of_wycheproof() {
    let mut key = rsa();
    let mut made = 0;
    for [name, first, second] in rows(include_str!("data/rsa_generate_wycheproof.txt")) {
        if name == "key" {
            key = PrivateKey::from_pkcs8(&hex(first)).unwrap();
            continue;
        }
        let (scheme, input, signature) = (name.parse().unwrap(), hex(first), hex(second));
        for provider in providers() {
            let signed = provider.signer(scheme, &key).unwrap().sign(&input, &mut Seeded::from_u64(made));
            assert_eq!(signed.as_ref(), Ok(&signature), "{} {name}", provider.name);
            assert_eq!(provider.verify(scheme, key.public(), &input, &signature), Ok(()));
            made += 1;
        }
    }
    assert_eq!(made, 32 * providers().len() as u64);
}

#[test]
fn portable_draws_blinding_and_nonces_from_the_randomness_given() {
    struct Counting(Seeded, usize);
    impl SecureRandom for Counting {
        fn fill(&mut self, out: &mut [u8]) {
            self.1 += out.len();
            self.0.fill(out);
        }
    }
    let portable = CryptoProvider::portable();
    for key in keys() {
        for algorithm in portable.signatures.iter().filter(|scheme| scheme.id().takes(key.algorithm())) {
            let scheme = algorithm.id();
            let signer = algorithm.signer(&key).unwrap();
            let sign = |seed| {
                let mut random = Counting(Seeded::from_u64(seed), 0);
                let signature = signer.sign(&input(scheme), &mut random).unwrap();
                assert!(random.1 >= key.public().bits() as usize / 8, "{scheme}: {} octets", random.1);
                signature
            };
            assert_eq!(sign(1), sign(1), "{scheme}");
            let same = scheme.row().encoding == SignatureEncoding::Pkcs1;
            assert_eq!(sign(1) == sign(2), same, "{scheme}");
        }
    }
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let refusal = |provider: &CryptoProvider, scheme, key: &PrivateKey, input: &[u8]| {
        let signed = provider.signer(scheme, key)?.sign(input, &mut Seeded::from_u64(0));
        let verified = provider.verify(scheme, key.public(), input, &[1; 256]);
        assert_eq!(signed.clone().map(|_| ()), verified, "{scheme}");
        signed
    };
    let keys = keys();
    for provider in providers() {
        let raw = SignatureScheme::RsaRaw;
        for got in [0, 246, 4096] {
            let expected = CryptoError::BadDigestLength { scheme: raw, got };
            assert_eq!(refusal(&provider, raw, &keys[0], &vec![1; got]), Err(expected));
        }
        assert!(provider.signer(raw, &keys[0]).unwrap().sign(&[1; 245], &mut Seeded::from_u64(0)).is_ok());
        let raw = SignatureScheme::Ecdsa256Raw;
        for got in [0, 20, 31, 33] {
            let expected = CryptoError::BadDigestLength { scheme: raw, got };
            assert_eq!(refusal(&provider, raw, &keys[1], &vec![1; got]), Err(expected));
        }
        for key in &keys {
            for algorithm in provider.signatures.iter().filter(|scheme| !scheme.id().takes(key.algorithm())) {
                let expected = CryptoError::WrongKey { scheme: algorithm.id(), key: key.algorithm() };
                assert_eq!(algorithm.signer(key).map(|_| ()), Err(expected));
            }
        }
    }
}

#[test]
fn private_keys_whose_numbers_do_not_belong_together_are_refused() {
    for key in keys() {
        assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.algorithm()));
        let der = key.pkcs8().as_slice();
        // Somewhere in the private exponent, and in the scalar.
        let at = if key.public().bits() > 521 { der.len() / 3 } else { 46 };
        let mut changed = der.to_vec();
        changed[at] ^= 1;
        let changed = PrivateKey::from_pkcs8(&changed).unwrap();
        assert_eq!(changed.public(), key.public());
        for provider in providers() {
            for algorithm in provider.signatures.iter().filter(|scheme| scheme.id().takes(key.algorithm())) {
                let signer = algorithm.signer(&changed).map(|_| ());
                let Err(CryptoError::BadKey { reason: KeyFault::Unsound { .. } }) = signer else {
                    panic!("{} {}: {signer:?}", provider.name, algorithm.id());
                };
            }
        }
    }
}
