//! Ciphers without integrity: what IKEv1 encrypts its messages with, and one half of encrypt-then-MAC.

use std::fmt::Debug;

use crate::error::CryptoError;
use crate::suite::Encryption;

/// One encryption algorithm of a provider, in all its key lengths.
pub trait CipherAlgorithm: Send + Sync + Debug {
    /// Which algorithm this is.
    fn id(&self) -> Encryption;

    /// Prepares a key.
    ///
    /// # Errors
    /// [`CryptoError::BadKeyLength`] when `key` is as long as none of the algorithm's key lengths.
    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError>;
}

/// A prepared key of a cipher that works on whole blocks.
///
/// `Debug` names the algorithm and nothing else.
pub trait CipherKey: Send + Sync + Debug {
    /// Octets of a block; 1 for ciphers that take any length.
    fn block_len(&self) -> usize;

    /// Octets of the IV; 0 for none.
    fn iv_len(&self) -> usize;

    /// Encrypts in place. In IKEv1 the next IV is the last block of the result (RFC 2409 appendix B).
    ///
    /// # Errors
    /// [`CryptoError::BadIvLength`], [`CryptoError::NotBlockAligned`]; the text is then untouched.
    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError>;

    /// Decrypts in place.
    ///
    /// # Errors
    /// As [`CipherKey::encrypt`].
    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError>;

    /// Encrypts from one buffer into another.
    ///
    /// # Errors
    /// As [`CipherKey::encrypt`], and [`CryptoError::LengthMismatch`].
    fn encrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        copy(from, to)?;
        self.encrypt(iv, to)
    }

    /// Decrypts from one buffer into another.
    ///
    /// # Errors
    /// As [`CipherKey::encrypt`], and [`CryptoError::LengthMismatch`].
    fn decrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        copy(from, to)?;
        self.decrypt(iv, to)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
    if from.len() != to.len() {
        return Err(CryptoError::LengthMismatch { from: from.len(), to: to.len() });
    }
    to.copy_from_slice(from);
    Ok(())
}
