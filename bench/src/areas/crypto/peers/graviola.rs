//! Graviola.

use std::hint::black_box;

use graviola::aead::{AesGcm, ChaCha20Poly1305};
use graviola::hashing::{Sha256, Sha384, Sha512, hmac::Hmac};
use graviola::key_agreement::{p256, p384, x25519};

use super::{AAD, Combined, Direction, Hash, NOTHING, Peer, Sample, Work};

pub const PEER: Peer = Peer { name: "graviola", combined, hmac: mac, exchange, ..NOTHING };

/// It refuses to run without these.
fn runs_here() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("pclmulqdq")
        && std::is_x86_feature_detected!("adx")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    std::arch::is_aarch64_feature_detected!("aes")
}

fn combined(which: Combined, sample: &Sample) -> Option<Work> {
    if !runs_here() {
        return None;
    }
    let (key, nonce) = sample.key_and_nonce();
    let tag = |icv: &mut [u8]| -> [u8; 16] { (*icv).try_into().expect("16 octets") };
    Some(match (which, sample.direction) {
        (Combined::ChaCha20Poly1305, direction) => {
            let key = ChaCha20Poly1305::new(key.try_into().expect("32 octets"));
            match direction {
                Direction::Seal => sample.sealing(move |text, icv| {
                    key.encrypt(&nonce, &AAD, text, icv.try_into().expect("16 octets"));
                }),
                Direction::Open => sample.opening(move |text, icv| {
                    key.decrypt(&nonce, &AAD, text, &tag(icv)).expect("not forged");
                }),
            }
        }
        (_, direction) => {
            let key = AesGcm::new(key);
            match direction {
                Direction::Seal => sample.sealing(move |text, icv| {
                    key.encrypt(&nonce, &AAD, text, icv.try_into().expect("16 octets"));
                }),
                Direction::Open => sample.opening(move |text, icv| {
                    key.decrypt(&nonce, &AAD, text, &tag(icv)).expect("not forged");
                }),
            }
        }
    })
}

fn mac(hash: Hash, sample: &Sample) -> Option<Work> {
    if !runs_here() {
        return None;
    }
    macro_rules! with {
        ($hash:ty) => {{
            let keyed = Hmac::<$hash>::new(&sample.mac_key);
            Some(sample.mac(move |message, mac| {
                let mut keyed = keyed.clone();
                keyed.update(message);
                let tag = keyed.finish();
                mac[..tag.as_ref().len()].copy_from_slice(tag.as_ref());
            }))
        }};
    }
    match hash {
        // There is none.
        Hash::Sha1 => None,
        Hash::Sha256 => with!(Sha256),
        Hash::Sha384 => with!(Sha384),
        Hash::Sha512 => with!(Sha512),
    }
}

fn exchange(curve: &str, peer: &[u8]) -> Option<Work> {
    if !runs_here() {
        return None;
    }
    macro_rules! with {
        ($curve:ident) => {{
            let point = [&[4], peer].concat();
            Some(Work::one(move || {
                let private = $curve::PrivateKey::new_random().expect("randomness");
                black_box(private.public_key_uncompressed());
                let peer = $curve::PublicKey::from_x962_uncompressed(black_box(&point)).expect("a point");
                black_box(private.diffie_hellman(&peer).expect("a good value").0);
            }))
        }};
    }
    match curve {
        "x25519" => {
            let peer = peer.to_vec();
            Some(Work::one(move || {
                let private = x25519::PrivateKey::new_random().expect("randomness");
                black_box(private.public_key().as_bytes());
                let peer = x25519::PublicKey::try_from_slice(black_box(&peer)).expect("32 octets");
                black_box(private.diffie_hellman(&peer).expect("a good value").0);
            }))
        }
        "ecp256" => with!(p256),
        "ecp384" => with!(p384),
        _ => None,
    }
}
