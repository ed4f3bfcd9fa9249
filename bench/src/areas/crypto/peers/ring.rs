//! ring.

use std::hint::black_box;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac;
use ring::rand::SystemRandom;

use super::{AAD, Combined, Direction, Hash, NOTHING, Peer, Sample, Work};

pub const PEER: Peer = Peer { name: "ring", combined, hmac: mac, exchange, ..NOTHING };

fn combined(which: Combined, sample: &Sample) -> Option<Work> {
    let algorithm = match which {
        Combined::Aes128Gcm => &AES_128_GCM,
        Combined::Aes256Gcm => &AES_256_GCM,
        Combined::ChaCha20Poly1305 => &CHACHA20_POLY1305,
    };
    let (key, nonce) = sample.key_and_nonce();
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the algorithm's own length"));
    let nonce = move || Nonce::assume_unique_for_key(nonce);
    Some(match sample.direction {
        Direction::Seal => sample.sealing(move |text, icv| {
            let tag = key.seal_in_place_separate_tag(nonce(), Aad::from(AAD), text).expect("short enough");
            icv.copy_from_slice(tag.as_ref());
        }),
        Direction::Open => sample.opening(move |text, icv| {
            let tag = (*icv).try_into().expect("16 octets");
            key.open_in_place_separate_tag(nonce(), Aad::from(AAD), tag, text, 0..).expect("not forged");
        }),
    })
}

fn mac(hash: Hash, sample: &Sample) -> Option<Work> {
    let algorithm = match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    let key = hmac::Key::new(algorithm, &sample.mac_key);
    Some(sample.mac(move |message, mac| {
        let tag = hmac::sign(&key, message);
        mac[..tag.as_ref().len()].copy_from_slice(tag.as_ref());
    }))
}

fn exchange(curve: &str, peer: &[u8]) -> Option<Work> {
    // There is no P-521.
    let algorithms = [&agreement::X25519, &agreement::ECDH_P256, &agreement::ECDH_P384];
    let (algorithm, point) = super::named_curve(curve, peer, algorithms)?;
    let random = SystemRandom::new();
    Some(Work::one(move || {
        let private = EphemeralPrivateKey::generate(algorithm, &random).expect("randomness");
        black_box(private.compute_public_key().expect("a point"));
        let peer = UnparsedPublicKey::new(algorithm, black_box(&point));
        agree_ephemeral(private, &peer, |secret| {
            black_box(secret);
        })
        .expect("a good value");
    }))
}
