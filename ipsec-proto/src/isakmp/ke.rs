//! The Key Exchange payload (RFC 2408 §3.7).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// A Diffie-Hellman public value; its length must be that of the group's prime, which the caller knows (RFC 2409 §5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyExchange(pub Vec<u8>);

impl KeyExchange {
    /// Lengths in octets: up to MODP8192.
    pub const LENGTHS: RangeInclusive<usize> = 1..=1024;

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] outside [`Self::LENGTHS`].
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let octets = r.rest();
        if !Self::LENGTHS.contains(&octets.len()) {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "KE data", at, octets.len() as u64));
        }
        Ok(Self(octets.to_vec()))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] outside [`Self::LENGTHS`].
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if !Self::LENGTHS.contains(&self.0.len()) {
            return Err(EncodeError::Inconsistent { field: "KE data" });
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
        for len in [KeyExchange::LENGTHS.start(), KeyExchange::LENGTHS.end()] {
            let value = KeyExchange(vec![7; *len]);
            let mut out = vec![];
            value.emit(&mut Writer::new(&mut out)).unwrap();
            assert_eq!(KeyExchange::parse(&mut Reader::new(&out)), Ok(value));
        }
        for len in [KeyExchange::LENGTHS.start() - 1, KeyExchange::LENGTHS.end() + 1] {
            let octets = vec![7; len];
            let error = KeyExchange::parse(&mut Reader::at(&octets, 32)).unwrap_err();
            assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 32, len as u64));
            assert!(KeyExchange(octets).emit(&mut Writer::new(&mut vec![])).is_err());
        }
    }
}
