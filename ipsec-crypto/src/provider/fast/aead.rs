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

// Each of these makes the library's nonce where it is used up, and the two that copy are functions of their own: moved through a
// branch, the nonce is stored octet by octet, and the processor waits when the library reads it in larger pieces.
impl Key {
    #[inline(never)]
    fn seal_copy(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        from: &[u8],
        to: &mut [u8],
        icv: &mut [u8; TAG],
    ) -> Outcome {
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.key.seal_out_of_place_scatter(nonce, Aad::from(aad), from, to, &[], icv) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::BadLength,
        }
    }

    #[inline(never)]
    fn open_copy(&self, nonce: [u8; 12], aad: &[u8], from: &[u8], to: &mut [u8], icv: &[u8]) -> Outcome {
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.key.open_separate_gather(nonce, Aad::from(aad), from, icv, to) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Forged,
        }
    }
}

impl AeadKey for Key {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let (Some(nonce), Ok(icv), true) =
            (nonce(self.salt, iv), <&mut [u8; TAG]>::try_from(icv), text.lengths_agree())
        else {
            return Outcome::BadLength;
        };
        let text = match text {
            InOut::InPlace(text) => text,
            InOut::Copy { from, to } => return self.seal_copy(nonce, aad, from, to, icv),
        };
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.key.seal_in_place_separate_tag(nonce, Aad::from(aad), text) {
            Ok(tag) => {
                icv.copy_from_slice(tag.as_ref());
                Outcome::Done
            }
            Err(_) => Outcome::BadLength,
        }
    }

    /// On failure the library wipes what it has decrypted.
    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let (Some(nonce), TAG, true) = (nonce(self.salt, iv), icv.len(), text.lengths_agree()) else {
            return Outcome::BadLength;
        };
        let text = match text {
            InOut::InPlace(text) => text,
            InOut::Copy { from, to } => return self.open_copy(nonce, aad, from, to, icv),
        };
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.key.open_in_place_separate_tag(nonce, Aad::from(aad), icv, text) {
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Forged,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({})", self.id)
    }
}
