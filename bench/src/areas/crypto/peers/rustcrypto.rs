//! RustCrypto's crates.

use aes::Aes128;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{AAD, Combined, Direction, Hash, IV, NOTHING, Peer, Sample, Work};

pub const PEER: Peer = Peer {
    name: "rustcrypto",
    combined,
    cbc,
    hmac: mac,
    cbc_hmac: |hash, sample| Some(cbc(sample)?.then(mac(hash, sample)?)),
    ..NOTHING
};

fn combined(which: Combined, sample: &Sample) -> Option<Work> {
    Some(match which {
        Combined::Aes128Gcm => aead::<Aes128Gcm>(sample),
        Combined::Aes256Gcm => aead::<Aes256Gcm>(sample),
        Combined::ChaCha20Poly1305 => aead::<ChaCha20Poly1305>(sample),
    })
}

fn aead<A: AeadInOut + KeyInit + 'static>(sample: &Sample) -> Work {
    let (key, nonce) = sample.key_and_nonce();
    let aead = A::new_from_slice(key).expect("the algorithm's own length");
    let nonce = aes_gcm::aead::Nonce::<A>::try_from(&nonce[..]).expect("12 octets");
    match sample.direction {
        Direction::Seal => sample.sealing(move |text, icv| {
            let tag = aead.encrypt_inout_detached(&nonce, &AAD, text.into()).expect("short enough");
            icv.copy_from_slice(&tag);
        }),
        Direction::Open => sample.opening(move |text, icv| {
            let tag = (&*icv).try_into().expect("16 octets");
            aead.decrypt_inout_detached(&nonce, &AAD, text.into(), tag).expect("not forged");
        }),
    }
}

fn cbc(sample: &Sample) -> Option<Work> {
    let key = Aes128::new_from_slice(&sample.key).expect("16 octets");
    Some(match sample.direction {
        Direction::Seal => Work::in_place(&sample.clear, &sample.sealed, move |text| {
            let (blocks, _) = Array::slice_as_chunks_mut(text);
            cbc::Encryptor::inner_iv_init(&key, &IV.into()).encrypt_blocks(blocks);
        }),
        Direction::Open => Work::in_place(&sample.sealed, &sample.clear, move |text| {
            let (blocks, _) = Array::slice_as_chunks_mut(text);
            cbc::Decryptor::inner_iv_init(&key, &IV.into()).decrypt_blocks(blocks);
        }),
    })
}

fn mac(hash: Hash, sample: &Sample) -> Option<Work> {
    Some(match hash {
        Hash::Sha1 => keyed::<Hmac<Sha1>>(sample),
        Hash::Sha256 => keyed::<Hmac<Sha256>>(sample),
        Hash::Sha384 => keyed::<Hmac<Sha384>>(sample),
        Hash::Sha512 => keyed::<Hmac<Sha512>>(sample),
    })
}

fn keyed<M: Mac + KeyInit + Clone + 'static>(sample: &Sample) -> Work {
    let keyed = <M as KeyInit>::new_from_slice(&sample.mac_key).expect("any length");
    sample.mac(move |message, mac| {
        let mut keyed = keyed.clone();
        keyed.update(message);
        let tag = keyed.finalize().into_bytes();
        mac[..tag.len()].copy_from_slice(&tag);
    })
}
