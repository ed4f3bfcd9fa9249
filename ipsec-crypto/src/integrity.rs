//! Integrity algorithms: the keyed checksums of ESP, AH and IKE.

use std::fmt::Debug;

use crate::error::CryptoError;
use crate::suite::Integrity;

/// One integrity algorithm of a provider.
pub trait IntegrityAlgorithm: Send + Sync + Debug {
    /// Which algorithm this is.
    fn id(&self) -> Integrity;

    /// Prepares a key: what depends on the key alone is computed here, once an SA.
    ///
    /// # Errors
    /// [`CryptoError::BadKeyLength`]: the key length of an integrity algorithm is fixed (RFC 2403, 2404, 4868 §2.1.1).
    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError>;
}

/// A prepared integrity key. `Debug` names the algorithm and nothing else.
pub trait IntegrityKey: Send + Sync + Debug {
    /// Computes the checksum over the concatenation of `parts`, truncated to the length of `icv`.
    ///
    /// `icv` is as long as the algorithm's ICV; octets beyond the untruncated checksum are left as they are.
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]);
}
