//! The ESP packet format (RFC 4303 §2): header, padding and trailer. Encryption and ICV belong to the layers above.
//!
//! ```text
//! +-----+-----------------+----+--------------------+-----------+------------+-------------+-----+
//! | SPI | Sequence Number | IV | Payload, maybe TFC | 1 2 3 ... | Pad Length | Next Header | ICV |
//! +-----+-----------------+----+--------------------+-----------+------------+-------------+-----+
//! ```

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::net::Spi;
use crate::registry::IpProtocol;

/// Octets of the header: SPI and sequence number.
pub const HEADER_LEN: usize = 8;
/// Octets of the trailer after the padding: pad length and next header.
pub const TRAILER_LEN: usize = 2;
/// The most octets of padding.
pub const MAX_PADDING: usize = 255;
/// What ciphertext is aligned to at least (RFC 4303 §2.4).
pub const ALIGNMENT: usize = 4;

/// SPI and sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header {
    /// The SPI.
    pub spi: Spi,
    /// The sequence number's lower 32 bits: all of it without ESN.
    pub sequence: u32,
}

impl Header {
    /// Reads the header and returns it with what follows: IV, ciphertext, ICV.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`]; [`DecodeErrorKind::BadValue`] for SPI 0, which must not be on the wire
    /// (RFC 4303 §2.1).
    pub fn parse(packet: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut r = Reader::new(packet);
        let spi = Spi(r.u32("ESP SPI")?);
        let sequence = r.u32("ESP sequence number")?;
        if spi == Spi::ZERO {
            return Err(DecodeError::new(DecodeErrorKind::BadValue, "ESP SPI", 0, 0));
        }
        Ok((Self { spi, sequence }, r.rest()))
    }

    /// The header's octets.
    #[must_use]
    pub fn to_octets(self) -> [u8; HEADER_LEN] {
        let mut octets = [0; HEADER_LEN];
        octets[..4].copy_from_slice(&self.spi.to_be_bytes());
        octets[4..].copy_from_slice(&self.sequence.to_be_bytes());
        octets
    }
}

/// Octets of padding that make payload, padding and trailer a multiple of `block` and of 4. `block` 0 counts as 1.
#[must_use]
pub const fn padding_len(payload_len: usize, block: usize) -> usize {
    // Ciphers' block sizes are powers of two, so the larger of the two is a multiple of the other.
    let unit = if block > ALIGNMENT { block } else { ALIGNMENT };
    match payload_len.saturating_add(TRAILER_LEN) % unit {
        0 => 0,
        over => unit - over,
    }
}

/// Fills `out` with padding 1, 2, 3, …, pad length and next header (RFC 4303 §2.4).
///
/// # Errors
/// [`EncodeError::BufferTooSmall`] below 2 octets, [`EncodeError::TooLong`] for more than 255 octets of padding.
pub fn emit_trailer(out: &mut [u8], next_header: IpProtocol) -> Result<(), EncodeError> {
    let have = out.len();
    let Some((padding, [pad_len, next])) = out.split_last_chunk_mut::<TRAILER_LEN>() else {
        return Err(EncodeError::BufferTooSmall { need: TRAILER_LEN, have });
    };
    let value = padding.len();
    *pad_len = u8::try_from(value).map_err(|_| EncodeError::TooLong {
        field: "ESP pad length",
        value,
        limit: MAX_PADDING,
    })?;
    *next = next_header.0;
    padding.iter_mut().zip(1..=u8::MAX).for_each(|(octet, n)| *octet = n);
    Ok(())
}

/// What the end of a decrypted packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trailer {
    /// Octets of payload before the padding, TFC padding included.
    pub payload_len: usize,
    /// Octets of padding.
    pub pad_len: u8,
    /// What the payload is; [`IpProtocol::IPV6_NO_NEXT`] marks a dummy packet (RFC 4303 §2.6).
    pub next_header: IpProtocol,
}

impl Trailer {
    /// Reads the trailer of a plaintext that is already authenticated, and checks that the padding is 1, 2, 3, …
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`], [`DecodeErrorKind::BadLength`] when the padding exceeds the plaintext,
    /// [`DecodeErrorKind::BadValue`] for other padding. Without integrity these errors must not be told apart on the wire.
    pub fn parse(plaintext: &[u8]) -> Result<Self, DecodeError> {
        let have = plaintext.len();
        let Some((before, &[pad_len, next])) = plaintext.split_last_chunk::<TRAILER_LEN>() else {
            let kind = DecodeErrorKind::Truncated { need: TRAILER_LEN, have };
            return Err(DecodeError::new(kind, "ESP trailer", 0, have as u64));
        };
        let Some((payload, padding)) =
            before.len().checked_sub(usize::from(pad_len)).and_then(|n| before.split_at_checked(n))
        else {
            let value = u64::from(pad_len);
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "ESP pad length", before.len(), value));
        };
        if let Some((i, octet)) = padding.iter().enumerate().find(|(i, octet)| usize::from(**octet) != i + 1)
        {
            let at = payload.len().saturating_add(i);
            return Err(DecodeError::new(DecodeErrorKind::BadValue, "ESP padding", at, u64::from(*octet)));
        }
        Ok(Self { payload_len: payload.len(), pad_len, next_header: IpProtocol(next) })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn headers_round_trip() {
        let header = Header { spi: Spi(0xc0a8_0001), sequence: 7 };
        let octets = header.to_octets();
        assert_eq!(octets, [0xc0, 0xa8, 0, 1, 0, 0, 0, 7]);
        assert_eq!(Header::parse(&octets), Ok((header, &[][..])));
        assert_eq!(Header::parse(&octets[..7]).unwrap_err().field, "ESP sequence number");
        assert_eq!(Header::parse(&[0; 8]).unwrap_err().kind, DecodeErrorKind::BadValue);
    }

    #[test]
    fn every_payload_is_padded_to_the_block_and_reads_back() {
        for block in [0, 1, 4, 8, 16, 64, 128] {
            for len in 0..300 {
                let pad = padding_len(len, block);
                let total = len + pad + TRAILER_LEN;
                assert!(total.is_multiple_of(block.max(4)) && pad < block.max(4));
                let mut plaintext: Vec<u8> = vec![0xaa; total];
                emit_trailer(&mut plaintext[len..], IpProtocol::IPV4).unwrap();
                let trailer = Trailer::parse(&plaintext).unwrap();
                assert_eq!((trailer.payload_len, usize::from(trailer.pad_len)), (len, pad));
                assert_eq!(trailer.next_header, IpProtocol::IPV4);
            }
        }
    }

    #[test]
    fn bad_trailers_are_refused() {
        assert_eq!(Trailer::parse(&[4]).unwrap_err().kind, DecodeErrorKind::Truncated { need: 2, have: 1 });
        assert_eq!(Trailer::parse(&[1, 2, 3, 4]).unwrap_err().kind, DecodeErrorKind::BadLength);
        let error = Trailer::parse(&[9, 1, 2, 4, 3, 41]).unwrap_err();
        assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadValue, 3, 4));
        assert!(emit_trailer(&mut [0; 1], IpProtocol::IPV6).is_err());
        assert!(emit_trailer(&mut [0; 258], IpProtocol::IPV6).is_err());
        let mut largest = [0; 257];
        emit_trailer(&mut largest, IpProtocol::IPV6).unwrap();
        assert_eq!(Trailer::parse(&largest).unwrap().pad_len, 255);
    }
}
