//! SPIs of any size, as proposals, notifies and deletes carry them (RFC 2408 §3.5, §3.14, §3.15).

use core::fmt;

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::net::{Cookie, Spi};

/// An SPI of 0 to 16 octets: nothing, 4 octets for ESP and AH, 2 for IPCOMP, one cookie or both for ISAKMP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpiBytes {
    octets: [u8; Self::MAX],
    len: u8,
}

impl SpiBytes {
    /// The largest SPI size RFC 2408 §3.5 allows.
    pub const MAX: usize = 16;
    /// No SPI.
    pub const EMPTY: Self = Self { octets: [0; Self::MAX], len: 0 };

    /// An SPI of these octets; `None` when there are more than 16.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let mut spi = Self::EMPTY;
        spi.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        spi.len = u8::try_from(octets.len()).ok()?;
        Some(spi)
    }

    /// Both cookies, by which RFC 2408 §3.15 and RFC 2407 §4.6.3 name an ISAKMP SA.
    #[must_use]
    pub fn from_cookies(initiator: Cookie, responder: Cookie) -> Self {
        let mut octets = [0; Self::MAX];
        octets[..8].copy_from_slice(&initiator.0);
        octets[8..].copy_from_slice(&responder.0);
        Self { octets, len: 16 }
    }

    /// The octets.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Octets.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no SPI.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The SPI of an ESP or AH SA, if there are 4 octets.
    #[must_use]
    pub fn as_spi(&self) -> Option<Spi> {
        Some(Spi::from_be_bytes(self.as_slice().try_into().ok()?))
    }

    /// The initiator's and the responder's cookie, if there are 16 octets.
    #[must_use]
    pub fn as_cookies(&self) -> Option<(Cookie, Cookie)> {
        let (initiator, responder) = self.as_slice().split_first_chunk::<8>()?;
        Some((Cookie(*initiator), Cookie(responder.try_into().ok()?)))
    }

    /// Reads `len` octets, whose size stood in the field at `size_at`.
    pub(crate) fn parse(
        r: &mut Reader<'_>,
        field: &'static str,
        size_at: usize,
        len: u8,
    ) -> Result<Self, DecodeError> {
        if usize::from(len) > Self::MAX {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, field, size_at, u64::from(len)));
        }
        let octets = r.take(field, usize::from(len))?;
        Self::new(octets).ok_or(DecodeError::new(DecodeErrorKind::BadLength, field, size_at, u64::from(len)))
    }
}

impl From<Spi> for SpiBytes {
    fn from(spi: Spi) -> Self {
        let mut octets = [0; Self::MAX];
        octets[..4].copy_from_slice(&spi.to_be_bytes());
        Self { octets, len: 4 }
    }
}

impl fmt::Display for SpiBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        f.write_str("0x")?;
        self.as_slice().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for SpiBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpiBytes({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn sizes_decide_what_it_is() {
        let esp = SpiBytes::from(Spi(0x0102_0304));
        assert_eq!((esp.as_spi(), esp.as_cookies(), esp.len()), (Some(Spi(0x0102_0304)), None, 4));
        let both = SpiBytes::from_cookies(Cookie([1; 8]), Cookie([2; 8]));
        assert_eq!(both.as_cookies(), Some((Cookie([1; 8]), Cookie([2; 8]))));
        assert_eq!(both.as_spi(), None);
        assert_eq!(SpiBytes::new(&[0; 17]), None);
        assert!(SpiBytes::new(&[]).is_some_and(|s| s.is_empty()));
        assert_eq!(format!("{esp} {}", SpiBytes::EMPTY), "0x01020304 none");
    }
}
