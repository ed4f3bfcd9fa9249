//! Signatures.
//!
//! A scheme of a provider verifies with a [`PublicKey`] and prepares a [`Signer`] from a [`PrivateKey`]. What IKEv1 signs is
//! HASH_I or HASH_R (RFC 2409 §5.1): schemes with [`SignatureInput::Digest`](crate::suite::SignatureInput) take it as it is.

use std::fmt::Debug;

use crate::error::CryptoError;
use crate::key::{PrivateKey, PublicKey};
use crate::random::SecureRandom;
use crate::suite::SignatureScheme;

/// One signature scheme of a provider.
pub trait SignatureAlgorithm: Send + Sync + Debug {
    /// Which scheme this is.
    fn id(&self) -> SignatureScheme;

    /// Checks a signature: of a message, or of a digest where the scheme takes one. All of it is public, so this may take
    /// varying time.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] for a key of another algorithm, [`CryptoError::BadKey`] for a point that is not on its curve,
    /// [`CryptoError::BadSignature`] for everything that may be wrong with the signature.
    fn verify(&self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), CryptoError>;

    /// Prepares a private key, and checks that its parts belong together.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`], [`CryptoError::BadKey`].
    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError>;
}

/// A private key, prepared for one scheme. `Debug` names the scheme and nothing else.
pub trait Signer: Send + Sync + Debug {
    /// Signs: a message, or a digest where the scheme takes one. `random` blinds, and makes nonces where there are any.
    ///
    /// # Errors
    /// [`CryptoError::BadDigestLength`] for a digest that the key cannot hold; [`CryptoError::SigningFailed`] when the result
    /// was wrong, which was found before it was given out.
    fn sign(&self, input: &[u8], random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError>;
}
