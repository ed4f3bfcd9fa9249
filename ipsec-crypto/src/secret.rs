//! Octets that must not leak.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::CryptoError;

/// Secret octets: wiped when dropped, not `Clone`, not comparable but in constant time, and never printed.
///
/// ```
/// use ipsec_crypto::Secret;
/// let key = Secret::from_slice(&[7; 20]);
/// assert_eq!(format!("{key:?}"), "Secret(20 octets)");
/// assert!(key.ct_eq(&[7; 20]));
/// ```
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes the octets over. Spare capacity is given up first, by a copy whose source is wiped.
    pub fn new(octets: Vec<u8>) -> Self {
        let octets = Zeroizing::new(octets);
        Self::from_slice(&octets)
    }

    /// Copies the octets; wiping the source is the caller's.
    pub fn from_slice(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.into()))
    }

    /// The octets themselves.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Number of octets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in time that depends on the lengths only.
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }

    /// Cuts into the first `at` octets and the rest, as keying material is dealt out (RFC 2409 §5.5).
    ///
    /// # Errors
    /// [`CryptoError::BadKeyLength`] when there are fewer than `at` octets.
    pub fn split(self, at: usize) -> Result<(Self, Self), CryptoError> {
        match self.0.split_at_checked(at) {
            Some((head, tail)) => Ok((Self::from_slice(head), Self::from_slice(tail))),
            None => {
                Err(CryptoError::BadKeyLength { algorithm: "keying material", expected: at, got: self.len() })
            }
        }
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_every_place_and_refuses_beyond() {
        for at in 0..=4 {
            let (head, tail) = Secret::from_slice(&[1, 2, 3, 4]).split(at).unwrap();
            assert_eq!([head.as_slice(), tail.as_slice()].concat(), [1, 2, 3, 4]);
            assert_eq!(head.len(), at);
        }
        assert!(Secret::from_slice(&[1, 2, 3, 4]).split(5).is_err());
    }

    #[test]
    fn comparison_sees_length_and_content() {
        let secret = Secret::new(vec![1, 2, 3]);
        assert!(secret.ct_eq(&[1, 2, 3]));
        assert!(!secret.ct_eq(&[1, 2, 4]));
        assert!(!secret.ct_eq(&[1, 2]));
        assert!(!format!("{secret:?}").contains('['));
    }
}
