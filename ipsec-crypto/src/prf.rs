//! Pseudo-random functions, and the hash functions inside them.

use std::fmt::Debug;

use crate::secret::Secret;
use crate::suite::Prf;

/// One pseudo-random function of a provider.
pub trait PrfAlgorithm: Send + Sync + Debug {
    /// Which function this is.
    fn id(&self) -> Prf;

    /// Octets of a result of [`mac`](Self::mac).
    fn output_len(&self) -> usize;

    /// `prf(key, parts[0] | parts[1] | …)` (RFC 2409 §3.2). Keys of any length.
    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Secret;

    /// The bare hash of the concatenated parts: IKEv1's NAT-D (RFC 3947 §3.2) and first IV (RFC 2409 appendix B).
    ///
    /// Empty from functions that contain no hash, such as AES-CMAC: IKEv1 cannot negotiate them.
    fn hash(&self, parts: &[&[u8]]) -> Vec<u8>;
}
