//! AES-GCM with its whole tag and ChaCha20-Poly1305 by aws-lc.

use std::fmt;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use zeroize::Zeroize;

use super::super::{key_and_salt, nonce};
use crate::aead::{AeadAlgorithm, AeadKey};
use crate::error::CryptoError;
use crate::protection::{InOut, Outcome};
use crate::suite::Encryption;

pub(super) const GCM_16: &dyn AeadAlgorithm = &Aead(Encryption::AesGcm16);
pub(super) const CHACHA20_POLY: &dyn AeadAlgorithm = &Aead(Encryption::ChaCha20Poly1305);

const SALT: usize = 4;
const TAG: usize = 16;

#[derive(Debug)]
struct Aead(Encryption);

impl AeadAlgorithm for Aead {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let (key, salt) = key_and_salt::<SALT>(self.0, key)?;
        let algorithm: &Algorithm = match (self.0, key.len()) {
            (Encryption::ChaCha20Poly1305, _) => &CHACHA20_POLY1305,
            (_, 16) => &AES_128_GCM,
            (_, 24) => &AES_192_GCM,
            _ => &AES_256_GCM,
        };
        let unbound = UnboundKey::new(algorithm, key).map_err(|_| CryptoError::BadKeyLength {
            algorithm: self.0.name(),
            expected: algorithm.key_len(),
            got: key.len(),
        })?;
        Ok(Box::new(Key { id: self.0, key: LessSafeKey::new(unbound), salt }))
    }
}

struct Key {
    id: Encryption,
    key: LessSafeKey,
    salt: [u8; SALT],
}

impl Drop for Key {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

impl AeadKey for Key {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let (Some(nonce), Ok(icv), true) =
            (nonce(self.salt, iv), <&mut [u8; TAG]>::try_from(icv), text.lengths_agree())
        else {
            return Outcome::BadLength;
        };
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(aad));
        let sealed = match text {
            InOut::InPlace(text) => self
                .key
                .seal_in_place_separate_tag(nonce, aad, text)
                .map(|tag| icv.copy_from_slice(tag.as_ref())),
            InOut::Copy { from, to } => self.key.seal_out_of_place_scatter(nonce, aad, from, to, &[], icv),
        };
        sealed.map_or(Outcome::BadLength, |()| Outcome::Done)
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let (Some(nonce), TAG, true) = (nonce(self.salt, iv), icv.len(), text.lengths_agree()) else {
            return Outcome::BadLength;
        };
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(aad));
        // On failure the library wipes what it has decrypted.
        let opened = match text {
            InOut::InPlace(text) => self.key.open_in_place_separate_tag(nonce, aad, icv, text).map(|_| ()),
            InOut::Copy { from, to } => self.key.open_separate_gather(nonce, aad, from, icv, to),
        };
        opened.map_or(Outcome::Forged, |()| Outcome::Done)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({})", self.id)
    }
}
