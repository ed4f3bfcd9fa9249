//! The payloads that are octets of a bounded length and nothing else: Key Exchange, Nonce, Hash, Signature.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// A row a payload: what it is, its type, the lengths it may have in octets, and its name in errors.
macro_rules! octets {
    ($($(#[$doc:meta])* $name:ident, $lengths:expr, $field:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(pub Vec<u8>);

        impl $name {
            /// The lengths it may have, in octets.
            pub const LENGTHS: RangeInclusive<usize> = $lengths;

            /// Reads the body.
            ///
            /// # Errors
            /// [`DecodeErrorKind::BadLength`] outside [`Self::LENGTHS`].
            pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = r.offset();
                let octets = r.rest();
                if !Self::LENGTHS.contains(&octets.len()) {
                    return Err(DecodeError::new(DecodeErrorKind::BadLength, $field, at, octets.len() as u64));
                }
                Ok(Self(octets.to_vec()))
            }

            /// Writes the body.
            ///
            /// # Errors
            /// [`EncodeError::Inconsistent`] outside [`Self::LENGTHS`].
            pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
                if !Self::LENGTHS.contains(&self.0.len()) {
                    return Err(EncodeError::Inconsistent { field: $field });
                }
                w.bytes(&self.0);
                Ok(())
            }
        }
    )+};
}

octets! {
    /// A Diffie-Hellman public value (RFC 2408 §3.7), up to MODP8192; its length must be that of the group's prime, which
    /// the caller knows (RFC 2409 §5).
    KeyExchange, 1..=1024, "KE data";
    /// A nonce, Ni or Nr (RFC 2408 §3.13), of the lengths of RFC 2409 §5.
    Nonce, 8..=256, "nonce";
    /// HASH_I, HASH_R or HASH(n) (RFC 2408 §3.11), from MD5 to SHA2-512. Compare in constant time.
    Hash, 16..=64, "hash";
    /// SIG_I or SIG_R (RFC 2408 §3.12), up to RSA with 16384 bits.
    Signature, 1..=2048, "signature";
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    macro_rules! check {
        ($name:ident) => {
            for len in [*$name::LENGTHS.start(), *$name::LENGTHS.end()] {
                let value = $name(vec![7; len]);
                let mut out = vec![];
                value.emit(&mut Writer::new(&mut out)).unwrap();
                assert_eq!($name::parse(&mut Reader::new(&out)), Ok(value));
            }
            for len in [$name::LENGTHS.start() - 1, $name::LENGTHS.end() + 1] {
                let octets = vec![7; len];
                let error = $name::parse(&mut Reader::at(&octets, 32)).unwrap_err();
                assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 32, len as u64));
                assert!($name(octets).emit(&mut Writer::new(&mut vec![])).is_err());
            }
        };
    }

    #[test]
    fn lengths_are_checked_both_ways() {
        check!(KeyExchange);
        check!(Nonce);
        check!(Hash);
        check!(Signature);
    }
}
