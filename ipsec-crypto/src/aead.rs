//! Combined-mode algorithms: encryption and integrity in one, or, for GMAC, integrity alone under the same interface.

use std::fmt::Debug;

use crate::error::CryptoError;
use crate::protection::{InOut, Outcome};
use crate::suite::Encryption;

/// One combined-mode algorithm of a provider, in all its key lengths.
pub trait AeadAlgorithm: Send + Sync + Debug {
    /// Which algorithm this is.
    fn id(&self) -> Encryption;

    /// Prepares a key: the algorithm's own key with the salt behind it, as keying material is dealt out
    /// (RFC 4106 §8.1, RFC 4309 §7.1, RFC 4543 §4, RFC 7634 §2).
    ///
    /// # Errors
    /// [`CryptoError::BadKeyLength`] when `key` is as long as none of the algorithm's key lengths with salt.
    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError>;
}

/// A prepared key of a combined-mode algorithm, with its salt. `Debug` names the algorithm and nothing else.
///
/// The nonce is the salt and the packet's IV. Two packets sealed under one key with one IV give their texts away and
/// the power to forge: whoever seals must never repeat an IV. Neither method allocates.
pub trait AeadKey: Send + Sync + Debug {
    /// Encrypts the text and writes the ICV over additional data and text.
    ///
    /// [`Outcome::Done`], or [`Outcome::BadLength`] with nothing done.
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome;

    /// Verifies the ICV in constant time and decrypts the text.
    ///
    /// [`Outcome::Done`]; [`Outcome::Forged`], with no clear text given out; or [`Outcome::BadLength`] with nothing done.
    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome;
}
