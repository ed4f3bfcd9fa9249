//! Key exchange.

use std::fmt::Debug;

use crate::error::{CryptoError, PublicValueFault};
use crate::random::SecureRandom;
use crate::secret::Secret;
use crate::suite::Group;

/// One key exchange group of a provider.
pub trait KeyExchange: Send + Sync + Debug {
    /// Which group this is.
    fn id(&self) -> Group;

    /// Octets of a public value, ours and the peer's.
    fn public_len(&self) -> usize;

    /// Checks a peer's public value before anything is spent on it: what [`KeyPair::agree`] would refuse, without
    /// using a private value up. The value is public, so this may take varying time.
    ///
    /// # Errors
    /// [`CryptoError::BadPublicValue`] (RFC 6989 §2).
    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError>;

    /// Draws a fresh private value and computes its public value. Constant time in the private value.
    ///
    /// Every provider draws alike, so that the same randomness gives the same octets and the self-test knows the answer: in
    /// one fill the octets of the private value, the most significant first; again for a curve if they are zero or not below
    /// its order; modulo a prime with the first bit set, and as many as twice the strength of RFC 3526 §8 wants.
    fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair>;
}

/// A private value, for one agreement. `Debug` names the group and nothing else.
pub trait KeyPair: Send + Debug {
    /// The public value, as it goes into the Key Exchange payload: padded to the group's length (RFC 2409 §5).
    fn public(&self) -> &[u8];

    /// The shared secret, padded to the group's length, from the peer's public value, which is checked first.
    ///
    /// # Errors
    /// [`CryptoError::BadPublicValue`] (RFC 6989 §2).
    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError>;
}

/// Checks a peer's value in a group modulo a safe prime: length of the prime, 1 < y < p - 1 (RFC 6989 §2.1).
///
/// The value is public, so this may take varying time. For a safe prime and generator 2 nothing more is needed:
/// every value in that range has an order of at least (p - 1) / 2.
pub fn check_modp_public(group: Group, prime: &[u8], peer: &[u8]) -> Result<(), CryptoError> {
    let fault = |reason| Err(CryptoError::BadPublicValue { group, reason });
    if peer.len() != prime.len() {
        return fault(PublicValueFault::Length { expected: prime.len(), got: peer.len() });
    }
    let (Some((peer_low, peer_high)), Some((prime_low, prime_high))) =
        (peer.split_last(), prime.split_last())
    else {
        return fault(PublicValueFault::TooSmall);
    };
    if peer_high.iter().all(|&octet| octet == 0) && *peer_low <= 1 {
        return fault(PublicValueFault::TooSmall);
    }
    // An odd prime: p - 1 differs from p in the last octet only. Equal lengths: octets compare as numbers do.
    if (peer_high, *peer_low) >= (prime_high, prime_low.saturating_sub(1)) {
        return fault(PublicValueFault::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_octet_value_against_arithmetic() {
        let prime = 0x0107u16;
        for y in 0..=u16::MAX {
            let good = y > 1 && y < prime - 1;
            assert_eq!(
                check_modp_public(Group::Modp2048, &prime.to_be_bytes(), &y.to_be_bytes()).is_ok(),
                good,
                "{y}"
            );
        }
        for peer in [&[][..], &[5], &[0, 0, 5]] {
            assert!(check_modp_public(Group::Modp2048, &prime.to_be_bytes(), peer).is_err());
        }
    }
}
