//! aws-lc-rs.

use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use super::{AAD, Combined, Direction, Hash, IV, Peer, Sample, Work};

pub const PEER: Peer = Peer {
    name: "aws-lc-rs",
    combined,
    cbc,
    hmac: mac,
    cbc_hmac: |hash, sample| Some(cbc(sample)?.then(mac(hash, sample)?)),
    exchange,
};

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
            key.open_in_place_separate_tag(nonce(), Aad::from(AAD), icv, text).expect("not forged");
        }),
    })
}

fn cbc(sample: &Sample) -> Option<Work> {
    let key = UnboundCipherKey::new(&AES_128, &sample.key).expect("16 octets");
    Some(match sample.direction {
        Direction::Seal => {
            let key = EncryptingKey::cbc(key).expect("CBC");
            Work::in_place(&sample.clear, &sample.sealed, move |text| {
                let iv = EncryptionContext::Iv128(FixedLength::from(IV));
                key.less_safe_encrypt(text, iv).expect("whole blocks");
            })
        }
        Direction::Open => {
            let key = DecryptingKey::cbc(key).expect("CBC");
            Work::in_place(&sample.sealed, &sample.clear, move |text| {
                let iv = DecryptionContext::Iv128(FixedLength::from(IV));
                key.decrypt(text, iv).expect("whole blocks");
            })
        }
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
        hmac::sign_to_buffer(&key, message, &mut mac[..]).expect("room");
    }))
}

fn exchange(curve: &str, peer: &[u8]) -> Option<Work> {
    let (algorithm, point) = super::named_curve(
        curve,
        peer,
        [&agreement::X25519, &agreement::ECDH_P256, &agreement::ECDH_P384, &agreement::ECDH_P521],
    )?;
    Some(Work::one(move || {
        let private = PrivateKey::generate(algorithm).expect("randomness");
        black_box(private.compute_public_key().expect("a point"));
        let secret = agree(&private, UnparsedPublicKey::new(algorithm, black_box(&point)), (), |secret| {
            black_box(secret);
            Ok(())
        });
        secret.expect("a good value");
    }))
}

/// The same with a scalar that the caller has drawn, which is what a provider must do that takes its randomness as an
/// argument. The library then computes the public value twice: once, and again to compare.
pub fn exchange_given_scalar(curve: &str, peer: &[u8]) -> Option<Work> {
    let (algorithm, point) = super::named_curve(
        curve,
        peer,
        [&agreement::X25519, &agreement::ECDH_P256, &agreement::ECDH_P384, &agreement::ECDH_P521],
    )?;
    let scalar = vec![1; [32, 32, 48, 66][super::curve_index(curve)?]];
    Some(Work::one(move || {
        let private = PrivateKey::from_private_key(algorithm, black_box(&scalar)).expect("in range");
        black_box(private.compute_public_key().expect("a point"));
        let secret = agree(&private, UnparsedPublicKey::new(algorithm, black_box(&point)), (), |secret| {
            black_box(secret);
            Ok(())
        });
        secret.expect("a good value");
    }))
}
