//! The Signature payload (RFC 2408 §3.12).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// SIG_I or SIG_R.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature(pub Vec<u8>);

impl Signature {
    /// Lengths in octets: up to RSA with 16384 bits.
    pub const LENGTHS: RangeInclusive<usize> = 1..=2048;

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] outside [`Self::LENGTHS`].
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let octets = r.rest();
        if !Self::LENGTHS.contains(&octets.len()) {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "signature", at, octets.len() as u64));
        }
        Ok(Self(octets.to_vec()))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] outside [`Self::LENGTHS`].
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if !Self::LENGTHS.contains(&self.0.len()) {
            return Err(EncodeError::Inconsistent { field: "signature" });
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
        for len in [Signature::LENGTHS.start(), Signature::LENGTHS.end()] {
            let value = Signature(vec![7; *len]);
            let mut out = vec![];
            value.emit(&mut Writer::new(&mut out)).unwrap();
            assert_eq!(Signature::parse(&mut Reader::new(&out)), Ok(value));
        }
        for len in [Signature::LENGTHS.start() - 1, Signature::LENGTHS.end() + 1] {
            let octets = vec![7; len];
            let error = Signature::parse(&mut Reader::at(&octets, 32)).unwrap_err();
            assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 32, len as u64));
            assert!(Signature(octets).emit(&mut Writer::new(&mut vec![])).is_err());
        }
    }
}
