//! Bounds-checked reading and length-patching writing of big-endian fields.

use alloc::vec::Vec;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// Reads big-endian fields off a slice. Never reads past the end; every error carries the field's name and offset.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    octets: &'a [u8],
    position: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    /// A reader over `octets`, whose offsets in errors count from their start.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self::at(octets, 0)
    }

    /// A reader over `octets` that lie `base` octets into the datagram: offsets in errors count from the datagram's start.
    #[must_use]
    pub const fn at(octets: &'a [u8], base: usize) -> Self {
        Self { octets, position: 0, base }
    }

    /// Offset of the next octet, counted from the start of the datagram.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.base.saturating_add(self.position)
    }

    /// Octets not read yet.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.octets.len().saturating_sub(self.position)
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Takes the next `len` octets.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when fewer are left.
    pub fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.octets.get(self.position..).unwrap_or_default();
        let Some(taken) = rest.get(..len) else {
            let kind = DecodeErrorKind::Truncated { need: len, have: rest.len() };
            return Err(DecodeError::new(kind, field, self.offset(), rest.len() as u64));
        };
        self.position = self.position.saturating_add(len);
        Ok(taken)
    }

    /// Takes all that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.octets.get(self.position..).unwrap_or_default();
        self.position = self.octets.len();
        rest
    }

    /// Takes `N` octets as an array.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    /// Reads one octet.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    /// Reads a 16-bit number.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// Reads a 64-bit number.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    /// A reader over the next `len` octets, which are taken from this one.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn sub(&mut self, field: &'static str, len: usize) -> Result<Self, DecodeError> {
        let base = self.offset();
        Ok(Self::at(self.take(field, len)?, base))
    }

    /// Asserts that nothing is left.
    ///
    /// # Errors
    /// [`DecodeErrorKind::TrailingOctets`] with their number as value.
    pub fn finish(&self, field: &'static str) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            n => Err(DecodeError::new(DecodeErrorKind::TrailingOctets, field, self.offset(), n as u64)),
        }
    }
}

/// Appends big-endian fields to a vector; lengths are patched once their contents are written.
#[derive(Debug)]
pub struct Writer<'v> {
    out: &'v mut Vec<u8>,
}

impl<'v> Writer<'v> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'v mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Octets in the vector, including those that were there before.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether the vector is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Appends octets as they are.
    pub fn bytes(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// Appends one octet.
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// Appends a 16-bit number.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends a 32-bit number.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends a 64-bit number.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends a 16-bit length, then what `contents` writes; the length counts the contents alone.
    ///
    /// # Errors
    /// What `contents` returns; [`EncodeError::TooLong`] when the contents exceed 65535 octets.
    pub fn u16_prefixed(
        &mut self,
        field: &'static str,
        contents: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let at = self.len();
        self.u16(0);
        contents(self)?;
        let written = self.len().saturating_sub(at.saturating_add(2));
        self.patch_u16(field, at, written)
    }

    /// Appends a generic header (next payload, RESERVED, length), then what `body` writes; the length counts both.
    /// Payloads, proposals and transforms all begin like this (RFC 2408 §3.2, §3.5, §3.6).
    ///
    /// # Errors
    /// What `body` returns; [`EncodeError::TooLong`] when header and body exceed 65535 octets.
    pub fn generic(
        &mut self,
        field: &'static str,
        next: u8,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let start = self.len();
        self.u8(next);
        self.u8(0);
        self.u16(0);
        body(self)?;
        let written = self.len().saturating_sub(start);
        self.patch_u16(field, start.saturating_add(2), written)
    }

    fn patch_u16(&mut self, field: &'static str, at: usize, value: usize) -> Result<(), EncodeError> {
        let length = u16::try_from(value).map_err(|_| EncodeError::TooLong {
            field,
            value,
            limit: usize::from(u16::MAX),
        })?;
        if let Some(slot) = self.out.get_mut(at..at.saturating_add(2)) {
            slot.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Patches a 32-bit number written before at offset `at` of the vector.
    pub(crate) fn patch_u32(&mut self, at: usize, value: u32) {
        if let Some(slot) = self.out.get_mut(at..at.saturating_add(4)) {
            slot.copy_from_slice(&value.to_be_bytes());
        }
    }
}

/// A count or length as the one octet it is written in.
pub(crate) fn octet(field: &'static str, value: usize) -> Result<u8, EncodeError> {
    u8::try_from(value).map_err(|_| EncodeError::TooLong { field, value, limit: usize::from(u8::MAX) })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn reads_in_order_and_names_the_missing_field() {
        let mut r = Reader::at(&[1, 0, 2, 0, 0, 0, 3, 9], 100);
        assert_eq!(r.u8("a"), Ok(1));
        assert_eq!(r.u16("b"), Ok(2));
        assert_eq!(r.u32("c"), Ok(3));
        let error = r.u16("d").unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Truncated { need: 2, have: 1 });
        assert_eq!((error.field, error.at, error.value), ("d", 107, 1));
        assert_eq!(r.finish("tail").unwrap_err().kind, DecodeErrorKind::TrailingOctets);
        assert_eq!(r.rest(), &[9]);
        assert!(r.is_empty());
        assert_eq!(r.finish("tail"), Ok(()));
    }

    #[test]
    fn a_sub_reader_keeps_absolute_offsets() {
        let mut r = Reader::new(&[1, 2, 3, 4]);
        r.u8("first").unwrap();
        let mut sub = r.sub("sub", 2).unwrap();
        assert_eq!(sub.offset(), 1);
        sub.u8("x").unwrap();
        assert_eq!(sub.u16("y").unwrap_err().at, 2);
        assert_eq!(r.remaining(), 1);
        assert!(r.sub("too far", usize::MAX).is_err());
    }

    #[test]
    fn lengths_are_patched() {
        let mut out = vec![0xff];
        let mut w = Writer::new(&mut out);
        w.generic("outer", 7, |w| {
            w.u16_prefixed("inner", |w| {
                w.bytes(b"abc");
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(out, [0xff, 7, 0, 0, 9, 0, 3, b'a', b'b', b'c']);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = vec![];
        let error = Writer::new(&mut out).u16_prefixed("blob", |w| {
            w.bytes(&vec![0; 65536]);
            Ok(())
        });
        assert_eq!(error, Err(EncodeError::TooLong { field: "blob", value: 65536, limit: 65535 }));
    }
}
