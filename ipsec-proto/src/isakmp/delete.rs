//! The Delete payload (RFC 2408 §3.15).

use alloc::vec::Vec;

use crate::codec::{Reader, Writer, octet};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::isakmp::SpiBytes;
use crate::registry::{Doi, ProtocolId};

/// SAs the sender has deleted. For ESP and AH the SPIs are the sender's inbound ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delete {
    /// The DOI.
    pub doi: Doi,
    /// The protocol of the SAs.
    pub protocol: ProtocolId,
    /// Octets of each SPI.
    pub spi_size: u8,
    /// The SPIs.
    pub spis: Vec<SpiBytes>,
}

impl Delete {
    /// A Delete of the IPsec DOI; the SPIs must all have the size of the first.
    #[must_use]
    pub fn new(protocol: ProtocolId, spis: Vec<SpiBytes>) -> Self {
        let spi_size = spis.first().map_or(0, |spi| spi.as_slice().len() as u8);
        Self { doi: Doi::IPSEC, protocol, spi_size, spis }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::CountMismatch`] when the number of SPIs is not what the octets hold,
    /// [`DecodeErrorKind::BadLength`] for an SPI size of 0 (with SPIs announced) or above 16.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let doi = Doi(r.u32("D DOI")?);
        let protocol = ProtocolId(r.u8("D protocol ID")?);
        let size_at = r.offset();
        let spi_size = r.u8("D SPI size")?;
        let count_at = r.offset();
        let count = r.u16("D number of SPIs")?;
        let size = usize::from(spi_size);
        if size > SpiBytes::MAX || (size == 0 && count != 0) {
            return Err(DecodeError::new(
                DecodeErrorKind::BadLength,
                "D SPI size",
                size_at,
                u64::from(spi_size),
            ));
        }
        if usize::from(count).saturating_mul(size) != r.remaining() {
            let kind = DecodeErrorKind::CountMismatch { found: r.remaining().checked_div(size).unwrap_or(0) };
            return Err(DecodeError::new(kind, "D number of SPIs", count_at, u64::from(count)));
        }
        let spis = (0..count)
            .map(|_| SpiBytes::parse(r, "D SPI size", size_at, spi_size))
            .collect::<Result<_, _>>()?;
        Ok(Self { doi, protocol, spi_size, spis })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] for SPIs of another size, [`EncodeError::TooLong`] above 65535 SPIs.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.spis.iter().any(|spi| spi.len() != usize::from(self.spi_size) || spi.is_empty()) {
            return Err(EncodeError::Inconsistent { field: "D SPI size" });
        }
        let count = u16::try_from(self.spis.len()).map_err(|_| EncodeError::TooLong {
            field: "D number of SPIs",
            value: self.spis.len(),
            limit: usize::from(u16::MAX),
        })?;
        w.u32(self.doi.0);
        w.u8(self.protocol.0);
        w.u8(octet("D SPI size", usize::from(self.spi_size))?);
        w.u16(count);
        self.spis.iter().for_each(|spi| w.bytes(spi.as_slice()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::net::{Cookie, Spi};

    #[test]
    fn round_trip_byte_by_byte() {
        let delete = Delete::new(ProtocolId::ESP, vec![Spi(0x100).into(), Spi(0x200).into()]);
        let mut out = vec![];
        delete.emit(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, [0, 0, 0, 1, 3, 4, 0, 2, 0, 0, 1, 0, 0, 0, 2, 0]);
        assert_eq!(Delete::parse(&mut Reader::new(&out)), Ok(delete));
    }

    #[test]
    fn spi_counts_beyond_the_data_are_refused() {
        let mut octets = [0, 0, 0, 1, 3, 4, 0xff, 0xff, 0, 0, 1, 0];
        let error = Delete::parse(&mut Reader::new(&octets)).unwrap_err();
        assert_eq!((error.kind, error.at), (DecodeErrorKind::CountMismatch { found: 1 }, 6));
        assert_eq!(error.value, 65535);
        octets[5] = 0;
        assert_eq!(Delete::parse(&mut Reader::new(&octets)).unwrap_err().kind, DecodeErrorKind::BadLength);
        octets[5] = 17;
        assert_eq!(Delete::parse(&mut Reader::new(&octets)).unwrap_err().at, 5);
    }

    #[test]
    fn mixed_sizes_cannot_be_written() {
        let spis = vec![Spi(1).into(), SpiBytes::from_cookies(Cookie([1; 8]), Cookie([2; 8]))];
        let error = Delete::new(ProtocolId::ESP, spis).emit(&mut Writer::new(&mut vec![]));
        assert_eq!(error, Err(EncodeError::Inconsistent { field: "D SPI size" }));
    }
}
