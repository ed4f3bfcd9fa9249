//! NAT discovery and original address payloads (RFC 3947 §3.2, §5.2).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::registry::{IdType, PayloadType};

/// Which payload numbers a peer uses for the two payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum NatNumbers {
    /// 20 and 21 (RFC 3947 §9).
    #[default]
    Rfc3947,
    /// 130 and 131 (draft-ietf-ipsec-nat-t-ike-00 to -03).
    Draft,
}

impl NatNumbers {
    /// The payload type of NAT-D.
    #[must_use]
    pub const fn nat_d(self) -> PayloadType {
        match self {
            Self::Rfc3947 => PayloadType::NAT_D,
            Self::Draft => PayloadType::NAT_D_DRAFT,
        }
    }

    /// The payload type of NAT-OA.
    #[must_use]
    pub const fn nat_oa(self) -> PayloadType {
        match self {
            Self::Rfc3947 => PayloadType::NAT_OA,
            Self::Draft => PayloadType::NAT_OA_DRAFT,
        }
    }
}

/// NAT-D: HASH(CKY-I | CKY-R | IP | Port) of one end of the path. The first one in a message describes the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NatDiscovery {
    /// The payload number used.
    pub numbers: NatNumbers,
    /// The hash, as long as the negotiated hash algorithm's output.
    pub hash: Vec<u8>,
}

/// NAT-OA: the address one end has on its own side of a NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NatOriginal {
    /// The payload number used.
    pub numbers: NatNumbers,
    /// The address.
    pub address: IpAddr,
}

impl NatDiscovery {
    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] unless there are 16 to 64 octets of hash.
    pub fn parse(numbers: NatNumbers, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let hash = r.rest();
        if !(16..=64).contains(&hash.len()) {
            let value = hash.len() as u64;
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "NAT-D hash", at, value));
        }
        Ok(Self { numbers, hash: hash.to_vec() })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// [`EncodeError::Inconsistent`] unless there are 16 to 64 octets of hash.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        if !(16..=64).contains(&self.hash.len()) {
            return Err(EncodeError::Inconsistent { field: "NAT-D hash" });
        }
        w.bytes(&self.hash);
        Ok(())
    }
}

impl NatOriginal {
    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadValue`] for an ID type that is not an address; wrong lengths and RESERVED fields.
    pub fn parse(numbers: NatNumbers, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.offset();
        let kind = IdType(r.u8("NAT-OA ID type")?);
        let [a, b, c] = r.array("NAT-OA RESERVED")?;
        if (a, b, c) != (0, 0, 0) {
            let value = u64::from(u32::from_be_bytes([0, a, b, c]));
            let at = at.saturating_add(1);
            return Err(DecodeError::new(DecodeErrorKind::ReservedNotZero, "NAT-OA RESERVED", at, value));
        }
        let address = match kind {
            IdType::IPV4_ADDR => IpAddr::from(r.array::<4>("NAT-OA address")?),
            IdType::IPV6_ADDR => IpAddr::from(r.array::<16>("NAT-OA address")?),
            _ => {
                return Err(DecodeError::new(
                    DecodeErrorKind::BadValue,
                    "NAT-OA ID type",
                    at,
                    u64::from(kind.0),
                ));
            }
        };
        r.finish("NAT-OA address")?;
        Ok(Self { numbers, address })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// None of its own.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self.address {
            IpAddr::V4(address) => {
                w.bytes(&[IdType::IPV4_ADDR.0, 0, 0, 0]);
                w.bytes(&address.octets());
            }
            IpAddr::V6(address) => {
                w.bytes(&[IdType::IPV6_ADDR.0, 0, 0, 0]);
                w.bytes(&address.octets());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn original_addresses_round_trip() {
        for address in ["192.0.2.7".parse::<IpAddr>().unwrap(), "2001:db8::7".parse().unwrap()] {
            let value = NatOriginal { numbers: NatNumbers::Rfc3947, address };
            let mut out = vec![];
            value.emit(&mut Writer::new(&mut out)).unwrap();
            assert_eq!(NatOriginal::parse(NatNumbers::Rfc3947, &mut Reader::new(&out)), Ok(value));
        }
        let parse = |octets: &[u8]| NatOriginal::parse(NatNumbers::Draft, &mut Reader::new(octets));
        assert_eq!(parse(&[2, 0, 0, 0, 1, 2, 3, 4]).unwrap_err().kind, DecodeErrorKind::BadValue);
        assert_eq!(parse(&[1, 0, 1, 0, 1, 2, 3, 4]).unwrap_err().kind, DecodeErrorKind::ReservedNotZero);
        assert_eq!(parse(&[1, 0, 0, 0, 1, 2, 3, 4, 5]).unwrap_err().kind, DecodeErrorKind::TrailingOctets);
    }

    #[test]
    fn discovery_hashes_have_a_hash_s_length() {
        let parse = |len| NatDiscovery::parse(NatNumbers::Draft, &mut Reader::new(&vec![1; len]));
        assert!(parse(15).is_err() && parse(65).is_err());
        assert_eq!(parse(20).unwrap().numbers.nat_d(), PayloadType(130));
    }
}
