//! The Notification payload (RFC 2408 §3.14).

use alloc::vec::Vec;

use crate::codec::{Reader, Writer, octet};
use crate::error::{DecodeError, EncodeError};
use crate::isakmp::SpiBytes;
use crate::registry::{Doi, NotifyType, ProtocolId};

/// An error or a status, about the SA its protocol and SPI name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notify {
    /// The DOI of type and data.
    pub doi: Doi,
    /// The protocol of the SA in question.
    pub protocol: ProtocolId,
    /// The SPI of the SA in question: none, one of ESP or AH, or both cookies.
    pub spi: SpiBytes,
    /// The notify message type.
    pub kind: NotifyType,
    /// The notification data.
    pub data: Vec<u8>,
}

impl Notify {
    /// A notify of the IPsec DOI without data.
    #[must_use]
    pub const fn new(protocol: ProtocolId, spi: SpiBytes, kind: NotifyType) -> Self {
        Self { doi: Doi::IPSEC, protocol, spi, kind, data: Vec::new() }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`BadLength`](crate::DecodeErrorKind::BadLength) for an SPI of more than 16 octets,
    /// [`Truncated`](crate::DecodeErrorKind::Truncated) when the octets end too early.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let doi = Doi(r.u32("N DOI")?);
        let protocol = ProtocolId(r.u8("N protocol ID")?);
        let size_at = r.offset();
        let spi_size = r.u8("N SPI size")?;
        let kind = NotifyType(r.u16("N message type")?);
        let spi = SpiBytes::parse(r, "N SPI size", size_at, spi_size)?;
        Ok(Self { doi, protocol, spi, kind, data: r.rest().to_vec() })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// None of its own: an SPI always fits its size field.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u32(self.doi.0);
        w.u8(self.protocol.0);
        w.u8(octet("N SPI size", self.spi.len())?);
        w.u16(self.kind.0);
        w.bytes(self.spi.as_slice());
        w.bytes(&self.data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::net::Spi;

    #[test]
    fn round_trip_byte_by_byte() {
        let mut notify = Notify::new(ProtocolId::ESP, Spi(0x0a0b_0c0d).into(), NotifyType::REPLAY_STATUS);
        notify.data = vec![0, 0, 0, 1];
        let mut out = vec![];
        notify.emit(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, [0, 0, 0, 1, 3, 4, 0x60, 0x01, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0, 1]);
        assert_eq!(Notify::parse(&mut Reader::new(&out)), Ok(notify));
    }

    #[test]
    fn the_spi_must_fit() {
        let large = [0, 0, 0, 1, 1, 17, 0, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let error = Notify::parse(&mut Reader::new(&large)).unwrap_err();
        assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::BadLength, 5, 17));
        let error = Notify::parse(&mut Reader::new(&[0, 0, 0, 1, 1, 4, 0, 14, 0])).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Truncated { need: 4, have: 1 });
    }
}
