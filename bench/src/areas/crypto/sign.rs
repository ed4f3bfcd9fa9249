//! Signatures of RSA and ECDSA, each with a key prepared once for signing and one in DER for verifying.

use std::hint::black_box;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, ParsedPublicKey, VerificationAlgorithm,
};
use ipsec_crypto::{PrivateKey, Seeded, Signer};

use super::providers;
use crate::report::{Group, Race, Report};

/// A digest or a message.
const INPUT: [u8; 32] = [7; 32];
const MODULUS: usize = 256;

/// A fresh RSA key of 2048 bits as PKCS#8.
pub fn rsa_key() -> Vec<u8> {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("randomness");
    AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("memory").as_ref().to_vec()
}

/// Runs all of it.
pub fn run(report: &mut Report) {
    rsa(report);
    for (scheme, signing, verifying) in [
        ("ecdsa256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING, &signature::ECDSA_P256_SHA256_FIXED),
        ("ecdsa384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING, &signature::ECDSA_P384_SHA384_FIXED),
        ("ecdsa521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING, &signature::ECDSA_P521_SHA512_FIXED),
    ] {
        ecdsa(report, scheme, signing, verifying);
    }
}

/// Our part of both races: signers and verifiers of each provider.
fn ours(scheme: &str, pkcs8: &[u8], sign: bool) -> Race<'static> {
    let key = PrivateKey::from_pkcs8(pkcs8).expect("a good key");
    let id = scheme.parse().expect("the table names it");
    let name = if sign { format!("crypto/{scheme}-sign") } else { format!("crypto/{scheme}-verify") };
    let mut race = Race::new(name);
    for (name, provider) in providers() {
        let (signer, public) =
            (provider.signer(id, &key).expect("both providers have it"), key.public().clone());
        let mut random = Seeded::from_u64(3);
        let signature = signer.sign(&INPUT, &mut random).expect("it fits");
        race = if sign {
            race.add(name, move || {
                black_box(signer.sign(black_box(&INPUT), &mut random).expect("it fits"));
            })
        } else {
            race.add(name, move || {
                provider.verify(id, &public, &INPUT, black_box(&signature)).expect("a good signature");
            })
        };
    }
    race
}

fn bound(report: &mut Report, group: &Group) {
    report.bound(group, "fast", &["aws-lc-rs"], 1.10);
}

fn rsa(report: &mut Report) {
    let names = ["rsa-sha256-sign", "rsa-sha256-verify", "rsa-raw-sign", "rsa-raw-verify"];
    if !names.iter().any(|name| report.wants(&format!("crypto/{name}"))) {
        return;
    }
    let pkcs8 = rsa_key();
    let random = SystemRandom::new();
    let pair = KeyPair::from_pkcs8(&pkcs8).expect("a good key");
    let sign = || {
        let mut made = [0; MODULUS];
        pair.sign(&signature::RSA_PKCS1_SHA256, &random, black_box(&INPUT), &mut made).expect("it fits");
        made
    };
    let made = sign();
    if report.wants("crypto/rsa-sha256-sign") {
        let ring = ring::signature::RsaKeyPair::from_pkcs8(&pkcs8).expect("a good key");
        let ring_random = ring::rand::SystemRandom::new();
        let race = ours("rsa-sha256", &pkcs8, true)
            .add("aws-lc-rs", || {
                black_box(sign());
            })
            .add("ring", || {
                let mut made = [0; MODULUS];
                ring.sign(&ring::signature::RSA_PKCS1_SHA256, &ring_random, black_box(&INPUT), &mut made)
                    .expect("it fits");
            });
        bound(report, &race.run());
    }
    if report.wants("crypto/rsa-sha256-verify") {
        let public = pair.public_key().as_ref();
        let parsed =
            ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public).expect("a good key");
        let race = ours("rsa-sha256", &pkcs8, false)
            .add("aws-lc-rs", || {
                let key = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public);
                key.verify(&INPUT, black_box(&made)).expect("a good signature");
            })
            .add("aws-lc-rs, key parsed", || {
                parsed.verify_sig(&INPUT, black_box(&made)).expect("a good signature");
            })
            .add("ring", || {
                let key = ring::signature::UnparsedPublicKey::new(
                    &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                    public,
                );
                key.verify(&INPUT, black_box(&made)).expect("a good signature");
            });
        bound(report, &race.run());
    }
    // What IKEv1 signs has no DigestInfo, and no other library here does that by a safe interface.
    for (name, sign) in [("crypto/rsa-raw-sign", true), ("crypto/rsa-raw-verify", false)] {
        if report.wants(name) {
            report.note(&ours("rsa-raw", &pkcs8, sign).run());
        }
    }
}

fn ecdsa(
    report: &mut Report,
    scheme: &str,
    signing: &'static EcdsaSigningAlgorithm,
    verifying: &'static dyn VerificationAlgorithm,
) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).expect("randomness");
    let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref()).expect("a good key");
    if report.wants(&format!("crypto/{scheme}-sign")) {
        let race = ours(scheme, pkcs8.as_ref(), true).add("aws-lc-rs", || {
            black_box(pair.sign(&random, black_box(&INPUT)).expect("randomness"));
        });
        bound(report, &race.run());
    }
    if report.wants(&format!("crypto/{scheme}-verify")) {
        let made = pair.sign(&random, &INPUT).expect("randomness");
        let race = ours(scheme, pkcs8.as_ref(), false).add("aws-lc-rs", || {
            let key = signature::UnparsedPublicKey::new(verifying, pair.public_key().as_ref());
            key.verify(&INPUT, black_box(made.as_ref())).expect("a good signature");
        });
        bound(report, &race.run());
    }
}

/// A signer of each provider, by the provider's name, with one fresh RSA key.
pub fn rsa_signers() -> Vec<(&'static str, Box<dyn Signer>)> {
    let key = PrivateKey::from_pkcs8(&rsa_key()).expect("a good key");
    let scheme = "rsa-raw".parse().expect("the table names it");
    let signer = |provider: ipsec_crypto::CryptoProvider| {
        provider.signer(scheme, &key).expect("both providers have it")
    };
    providers().map(|(name, provider)| (name, signer(provider))).into()
}
