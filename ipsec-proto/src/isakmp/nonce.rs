//! The Nonce payload (RFC 2408 §3.13).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// A nonce: Ni or Nr.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nonce(pub Vec<u8>);

impl Nonce {
    /// Lengths in octets (RFC 2409 §5).
    pub const LENGTHS: RangeInclusive<usize> = 8..=256;

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] outside [`Self::LENGTHS`].
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let octets = r.rest();
        if !Self::LENGTHS.contains(&octets.len()) {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "nonce", at, octets.len() as u64));
        }
        Ok(Self(octets.to_vec()))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] outside [`Self::LENGTHS`].
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if !Self::LENGTHS.contains(&self.0.len()) {
            return Err(EncodeError::Inconsistent { field: "nonce" });
        }
        w.bytes(&self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn lengths_are_checked_both_ways() {
        for len in [Nonce::LENGTHS.start(), Nonce::LENGTHS.end()] {
            let value = Nonce(vec![7; *len]);
            let mut out = vec![];
            value.emit(&mut Writer::new(&mut out)).unwrap();
            assert_eq!(Nonce::parse(&mut Reader::new(&out)), Ok(value));
        }
        for len in [Nonce::LENGTHS.start() - 1, Nonce::LENGTHS.end() + 1] {
            let octets = vec![7; len];
            let error = Nonce::parse(&mut Reader::at(&octets, 32)).unwrap_err();
            assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 32, len as u64));
            assert!(Nonce(octets).emit(&mut Writer::new(&mut vec![])).is_err());
        }
    }
}
