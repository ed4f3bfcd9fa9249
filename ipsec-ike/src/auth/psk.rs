//! Authentication with a pre-shared key (RFC 2409 §5.4).

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A pre-shared key: wiped when dropped, never printed, compared in constant time.
pub struct PreSharedKey(Zeroizing<Vec<u8>>);

impl PreSharedKey {
    /// The key of these octets.
    #[must_use]
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Its length in octets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no octets at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the other key has the same octets; how long the answer takes tells the length at most.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_and_not_printed() {
        let key = PreSharedKey::new(b"secret".to_vec());
        assert!(key.is_same(&PreSharedKey::new(b"secret".to_vec())));
        assert!(!key.is_same(&PreSharedKey::new(b"secreT".to_vec())));
        assert!(!key.is_same(&PreSharedKey::new(b"secret ".to_vec())));
        assert!(!format!("{key:?}").contains("secret"));
    }
}
