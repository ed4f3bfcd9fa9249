//! The Hash payload (RFC 2408 §3.11).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// HASH_I, HASH_R or HASH(n). Compare in constant time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hash(pub Vec<u8>);

impl Hash {
    /// Lengths in octets: from MD5 to SHA2-512.
    pub const LENGTHS: RangeInclusive<usize> = 16..=64;

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] outside [`Self::LENGTHS`].
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let octets = r.rest();
        if !Self::LENGTHS.contains(&octets.len()) {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "hash", at, octets.len() as u64));
        }
        Ok(Self(octets.to_vec()))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] outside [`Self::LENGTHS`].
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if !Self::LENGTHS.contains(&self.0.len()) {
            return Err(EncodeError::Inconsistent { field: "hash" });
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
        for len in [Hash::LENGTHS.start(), Hash::LENGTHS.end()] {
            let value = Hash(vec![7; *len]);
            let mut out = vec![];
            value.emit(&mut Writer::new(&mut out)).unwrap();
            assert_eq!(Hash::parse(&mut Reader::new(&out)), Ok(value));
        }
        for len in [Hash::LENGTHS.start() - 1, Hash::LENGTHS.end() + 1] {
            let octets = vec![7; len];
            let error = Hash::parse(&mut Reader::at(&octets, 32)).unwrap_err();
            assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 32, len as u64));
            assert!(Hash(octets).emit(&mut Writer::new(&mut vec![])).is_err());
        }
    }
}
