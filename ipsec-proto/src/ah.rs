//! The Authentication Header (RFC 4302 §2).
//!
//! ```text
//! +-------------+-------------+---------------+-----+-----------------+--------------+
//! | Next Header | Payload Len |   RESERVED    | SPI | Sequence Number | ICV, padding |
//! +-------------+-------------+---------------+-----+-----------------+--------------+
//! ```

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::ip::Version;
use crate::net::Spi;
use crate::registry::IpProtocol;

/// Octets before the ICV.
pub const FIXED_LEN: usize = 12;

/// The fields of an AH before its ICV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// What follows the AH.
    pub next_header: IpProtocol,
    /// The SPI.
    pub spi: Spi,
    /// The sequence number's lower 32 bits: all of it without ESN.
    pub sequence: u32,
}

/// An AH as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// The fields before the ICV.
    pub header: Header,
    /// The ICV, and what aligns the AH to 8 octets in IPv6.
    pub icv: &'a [u8],
    /// What follows the AH.
    pub payload: &'a [u8],
}

/// Octets of a whole AH: a multiple of 4 in IPv4 and of 8 in IPv6 (RFC 4302 §3.3.3.2.1).
#[must_use]
pub const fn header_len(icv_len: usize, version: Version) -> usize {
    let unit = match version {
        Version::V4 => 4,
        Version::V6 => 8,
    };
    FIXED_LEN.saturating_add(icv_len).div_ceil(unit).saturating_mul(unit)
}

impl<'a> View<'a> {
    /// Reads an AH. RESERVED is not judged: it is covered by the ICV and otherwise ignored (RFC 4302 §2.3).
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`]; [`DecodeErrorKind::BadLength`] for a payload length below the fixed part;
    /// [`DecodeErrorKind::BadValue`] for SPI 0.
    pub fn parse(packet: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(packet);
        let next_header = IpProtocol(r.u8("AH next header")?);
        let words = r.u8("AH payload length")?;
        r.u16("AH RESERVED")?;
        let spi = Spi(r.u32("AH SPI")?);
        let sequence = r.u32("AH sequence number")?;
        // In 32-bit words, minus two.
        let total = usize::from(words).saturating_add(2).saturating_mul(4);
        let Some(icv_len) = total.checked_sub(FIXED_LEN) else {
            return Err(DecodeError::new(
                DecodeErrorKind::BadLength,
                "AH payload length",
                1,
                u64::from(words),
            ));
        };
        if spi == Spi::ZERO {
            return Err(DecodeError::new(DecodeErrorKind::BadValue, "AH SPI", 4, 0));
        }
        let icv = r.take("AH ICV", icv_len)?;
        Ok(Self { header: Header { next_header, spi, sequence }, icv, payload: r.rest() })
    }
}

impl Header {
    /// Writes an AH that fills `out`; the ICV and its padding are left zero, as its computation needs them.
    ///
    /// # Errors
    /// [`EncodeError::BufferTooSmall`] below 12 octets, [`EncodeError::Inconsistent`] unless a multiple of 4,
    /// [`EncodeError::TooLong`] above 1028.
    pub fn emit(&self, out: &mut [u8]) -> Result<(), EncodeError> {
        let have = out.len();
        let Some((fixed, icv)) = out.split_first_chunk_mut::<FIXED_LEN>() else {
            return Err(EncodeError::BufferTooSmall { need: FIXED_LEN, have });
        };
        if !have.is_multiple_of(4) {
            return Err(EncodeError::Inconsistent { field: "AH payload length" });
        }
        let value = (have / 4).saturating_sub(2);
        let words = u8::try_from(value).map_err(|_| EncodeError::TooLong {
            field: "AH payload length",
            value,
            limit: usize::from(u8::MAX),
        })?;
        fixed[..4].copy_from_slice(&[self.next_header.0, words, 0, 0]);
        fixed[4..8].copy_from_slice(&self.spi.to_be_bytes());
        fixed[8..].copy_from_slice(&self.sequence.to_be_bytes());
        icv.fill(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn round_trips_with_an_icv_of_96_bits() {
        let header = Header { next_header: IpProtocol::TCP, spi: Spi(0x1000), sequence: 2 };
        let mut out = vec![0xff; header_len(12, Version::V4)];
        header.emit(&mut out).unwrap();
        assert_eq!(out[..12], [6, 4, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 2]);
        out.extend([1, 2, 3]);
        let view = View::parse(&out).unwrap();
        assert_eq!((view.header, view.icv, view.payload), (header, &[0; 12][..], &[1, 2, 3][..]));
    }

    #[test]
    fn ipv6_aligns_to_eight_octets() {
        assert_eq!((header_len(12, Version::V6), header_len(16, Version::V4)), (24, 28));
        assert_eq!(header_len(16, Version::V6), 32);
    }

    #[test]
    fn bad_headers_are_refused() {
        let kind = |octets: &[u8]| View::parse(octets).unwrap_err().kind;
        assert_eq!(kind(&[6, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]), DecodeErrorKind::BadLength);
        assert_eq!(kind(&[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), DecodeErrorKind::BadValue);
        assert_eq!(
            kind(&[6, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
            DecodeErrorKind::Truncated { need: 12, have: 0 }
        );
        let header = Header { next_header: IpProtocol::TCP, spi: Spi(0x1000), sequence: 2 };
        assert!(header.emit(&mut [0; 11]).is_err() && header.emit(&mut [0; 13]).is_err());
        assert!(header.emit(&mut [0; 1028]).is_ok() && header.emit(&mut [0; 1032]).is_err());
    }
}
