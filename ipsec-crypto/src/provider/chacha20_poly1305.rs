//! ChaCha20-Poly1305 (RFC 7634).

use std::fmt;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag};
use zeroize::Zeroize;

use super::{in_out, key_and_salt};
use crate::aead::{AeadAlgorithm, AeadKey};
use crate::error::CryptoError;
use crate::protection::{InOut, Outcome};
use crate::suite::Encryption;

const SALT: usize = 4;

#[derive(Debug)]
pub(super) struct ChaCha20Poly1305;

impl AeadAlgorithm for ChaCha20Poly1305 {
    fn id(&self) -> Encryption {
        Encryption::ChaCha20Poly1305
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let (key, salt) = key_and_salt::<SALT>(self.id(), key)?;
        let cipher = chacha20poly1305::ChaCha20Poly1305::new_from_slice(key).map_err(|_| {
            CryptoError::BadKeyLength {
                algorithm: self.id().name(),
                expected: 32 + SALT,
                got: key.len() + SALT,
            }
        })?;
        Ok(Box::new(ChaChaKey { cipher, salt }))
    }
}

struct ChaChaKey {
    cipher: chacha20poly1305::ChaCha20Poly1305,
    salt: [u8; SALT],
}

impl Drop for ChaChaKey {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

impl AeadKey for ChaChaKey {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let (Some(nonce), Ok(icv)) = (super::nonce(self.salt, iv), <&mut [u8; 16]>::try_from(icv)) else {
            return Outcome::BadLength;
        };
        let Some(buffer) = in_out(text) else { return Outcome::BadLength };
        match self.cipher.encrypt_inout_detached(&nonce.into(), aad, buffer) {
            Ok(tag) => {
                *icv = tag.into();
                Outcome::Done
            }
            Err(_) => Outcome::BadLength,
        }
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let (Some(nonce), Ok(icv)) = (super::nonce(self.salt, iv), <&Tag>::try_from(icv)) else {
            return Outcome::BadLength;
        };
        let Some(buffer) = in_out(text) else { return Outcome::BadLength };
        match self.cipher.decrypt_inout_detached(&nonce.into(), aad, buffer, icv) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Forged,
        }
    }
}

impl fmt::Debug for ChaChaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AeadKey(chacha20-poly1305)")
    }
}
