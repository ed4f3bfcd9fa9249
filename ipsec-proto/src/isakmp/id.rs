//! The Identification payload of the IPsec DOI (RFC 2407 §4.6.2).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, EncodeError};
use crate::registry::{IdType, IpProtocol};

/// Who is talking (IDii, IDir in phase 1) or what may pass (IDci, IDcr in phase 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id {
    /// The protocol the identity is limited to; 0 is any. In phase 1: 0, or UDP with port 500.
    pub protocol: IpProtocol,
    /// The port the identity is limited to; 0 is any.
    pub port: u16,
    /// The identity.
    pub value: IdValue,
}

/// The identification data, by type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdValue {
    /// One address (ID_IPV4_ADDR, ID_IPV6_ADDR).
    Address(IpAddr),
    /// An IPv4 network address and mask (ID_IPV4_ADDR_SUBNET).
    Ipv4Subnet(Ipv4Addr, Ipv4Addr),
    /// An IPv6 network address and mask (ID_IPV6_ADDR_SUBNET).
    Ipv6Subnet(Ipv6Addr, Ipv6Addr),
    /// First and last address of a range (ID_IPV4_ADDR_RANGE).
    Ipv4Range(Ipv4Addr, Ipv4Addr),
    /// First and last address of a range (ID_IPV6_ADDR_RANGE).
    Ipv6Range(Ipv6Addr, Ipv6Addr),
    /// A domain name (ID_FQDN), as received: hostile peers may send anything.
    Fqdn(Vec<u8>),
    /// A mailbox (ID_USER_FQDN), as received.
    UserFqdn(Vec<u8>),
    /// A DER distinguished name (ID_DER_ASN1_DN), as received.
    DerAsn1Dn(Vec<u8>),
    /// Opaque octets (ID_KEY_ID).
    KeyId(Vec<u8>),
    /// A type without an interpretation here.
    Other(IdType, Vec<u8>),
}

impl Id {
    /// An identity for any protocol and port.
    #[must_use]
    pub const fn new(value: IdValue) -> Self {
        Self { protocol: IpProtocol(0), port: 0, value }
    }

    /// The type of the identity.
    #[must_use]
    pub const fn kind(&self) -> IdType {
        self.value.kind()
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`Truncated`](crate::DecodeErrorKind::Truncated) or [`TrailingOctets`](crate::DecodeErrorKind::TrailingOctets)
    /// when an address, subnet or range has not exactly its size.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = IdType(r.u8("ID type")?);
        let protocol = IpProtocol(r.u8("ID protocol")?);
        let port = r.u16("ID port")?;
        let value = match kind {
            IdType::IPV4_ADDR => IdValue::Address(v4(r)?.into()),
            IdType::IPV6_ADDR => IdValue::Address(v6(r)?.into()),
            IdType::IPV4_ADDR_SUBNET => IdValue::Ipv4Subnet(v4(r)?, v4(r)?),
            IdType::IPV6_ADDR_SUBNET => IdValue::Ipv6Subnet(v6(r)?, v6(r)?),
            IdType::IPV4_ADDR_RANGE => IdValue::Ipv4Range(v4(r)?, v4(r)?),
            IdType::IPV6_ADDR_RANGE => IdValue::Ipv6Range(v6(r)?, v6(r)?),
            IdType::FQDN => IdValue::Fqdn(r.rest().to_vec()),
            IdType::USER_FQDN => IdValue::UserFqdn(r.rest().to_vec()),
            IdType::DER_ASN1_DN => IdValue::DerAsn1Dn(r.rest().to_vec()),
            IdType::KEY_ID => IdValue::KeyId(r.rest().to_vec()),
            other => IdValue::Other(other, r.rest().to_vec()),
        };
        r.finish("ID data")?;
        Ok(Self { protocol, port, value })
    }

    /// Writes the body. Its octets are IDii_b, IDir_b and so on (RFC 2409 §3.2).
    ///
    /// # Errors
    /// None of its own.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u8(self.kind().0);
        w.u8(self.protocol.0);
        w.u16(self.port);
        match &self.value {
            IdValue::Address(IpAddr::V4(a)) => w.bytes(&a.octets()),
            IdValue::Address(IpAddr::V6(a)) => w.bytes(&a.octets()),
            IdValue::Ipv4Subnet(a, b) | IdValue::Ipv4Range(a, b) => {
                w.bytes(&a.octets());
                w.bytes(&b.octets());
            }
            IdValue::Ipv6Subnet(a, b) | IdValue::Ipv6Range(a, b) => {
                w.bytes(&a.octets());
                w.bytes(&b.octets());
            }
            IdValue::Fqdn(data)
            | IdValue::UserFqdn(data)
            | IdValue::DerAsn1Dn(data)
            | IdValue::KeyId(data)
            | IdValue::Other(_, data) => w.bytes(data),
        }
        Ok(())
    }
}

impl IdValue {
    /// A network: the one address itself when the prefix covers all its bits, as most peers expect.
    ///
    /// Bits beyond `prefix_len` are cleared; a length beyond the address's size means all of it.
    #[must_use]
    pub fn network(address: IpAddr, prefix_len: u8) -> Self {
        match address {
            IpAddr::V4(address) if prefix_len < 32 => {
                let mask = !u32::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
                Self::Ipv4Subnet(Ipv4Addr::from_bits(address.to_bits() & mask), Ipv4Addr::from_bits(mask))
            }
            IpAddr::V6(address) if prefix_len < 128 => {
                let mask = !u128::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
                Self::Ipv6Subnet(Ipv6Addr::from_bits(address.to_bits() & mask), Ipv6Addr::from_bits(mask))
            }
            address => Self::Address(address),
        }
    }

    /// The type number.
    #[must_use]
    pub const fn kind(&self) -> IdType {
        match self {
            Self::Address(IpAddr::V4(_)) => IdType::IPV4_ADDR,
            Self::Address(IpAddr::V6(_)) => IdType::IPV6_ADDR,
            Self::Ipv4Subnet(..) => IdType::IPV4_ADDR_SUBNET,
            Self::Ipv6Subnet(..) => IdType::IPV6_ADDR_SUBNET,
            Self::Ipv4Range(..) => IdType::IPV4_ADDR_RANGE,
            Self::Ipv6Range(..) => IdType::IPV6_ADDR_RANGE,
            Self::Fqdn(_) => IdType::FQDN,
            Self::UserFqdn(_) => IdType::USER_FQDN,
            Self::DerAsn1Dn(_) => IdType::DER_ASN1_DN,
            Self::KeyId(_) => IdType::KEY_ID,
            Self::Other(kind, _) => *kind,
        }
    }

    /// First and last address, if the identity is one address, a subnet with a contiguous mask, or a range in order.
    #[must_use]
    pub fn address_range(&self) -> Option<(IpAddr, IpAddr)> {
        match *self {
            Self::Address(a) => Some((a, a)),
            Self::Ipv4Subnet(a, mask) => {
                let mask = mask.to_bits();
                let first = a.to_bits() & mask;
                (mask.leading_ones() == mask.count_ones())
                    .then(|| (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(first | !mask).into()))
            }
            Self::Ipv6Subnet(a, mask) => {
                let mask = mask.to_bits();
                let first = a.to_bits() & mask;
                (mask.leading_ones() == mask.count_ones())
                    .then(|| (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(first | !mask).into()))
            }
            Self::Ipv4Range(a, b) => (a <= b).then_some((a.into(), b.into())),
            Self::Ipv6Range(a, b) => (a <= b).then_some((a.into(), b.into())),
            _ => None,
        }
    }
}

impl fmt::Display for IdValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(a) => write!(f, "{a}"),
            Self::Ipv4Subnet(a, mask) => subnet(f, a, mask, mask.to_bits().into(), 32),
            Self::Ipv6Subnet(a, mask) => subnet(f, a, mask, mask.to_bits(), 128),
            Self::Ipv4Range(a, b) => write!(f, "{a}-{b}"),
            Self::Ipv6Range(a, b) => write!(f, "{a}-{b}"),
            Self::Fqdn(name) | Self::UserFqdn(name) => write!(f, "{}", name.escape_ascii()),
            Self::DerAsn1Dn(data) => write!(f, "dn:{}", hex(data)),
            Self::KeyId(data) => write!(f, "key-id:{}", hex(data)),
            Self::Other(kind, data) => write!(f, "{kind}:{}", hex(data)),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        match (self.protocol.0, self.port) {
            (0, 0) => Ok(()),
            (_, 0) => write!(f, " [{}]", self.protocol),
            (_, port) => write!(f, " [{}/{port}]", self.protocol),
        }
    }
}

/// Writes `address/prefix`, or the mask itself when its ones are not contiguous.
fn subnet(
    f: &mut fmt::Formatter<'_>,
    address: &dyn fmt::Display,
    mask: &dyn fmt::Display,
    bits: u128,
    width: u32,
) -> fmt::Result {
    let ones = bits.count_ones();
    if bits.checked_shl(128 - width).unwrap_or(0).leading_ones() == ones {
        write!(f, "{address}/{ones}")
    } else {
        write!(f, "{address}/{mask}")
    }
}

fn hex(octets: &[u8]) -> String {
    use fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn v4(r: &mut Reader<'_>) -> Result<Ipv4Addr, DecodeError> {
    Ok(Ipv4Addr::from(r.array::<4>("ID data")?))
}

fn v6(r: &mut Reader<'_>) -> Result<Ipv6Addr, DecodeError> {
    Ok(Ipv6Addr::from(r.array::<16>("ID data")?))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::error::DecodeErrorKind;

    #[test]
    fn a_subnet_byte_by_byte() {
        let id = Id {
            protocol: IpProtocol::UDP,
            port: 1701,
            value: IdValue::network("10.1.2.3".parse().unwrap(), 16),
        };
        let mut out = vec![];
        id.emit(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, [4, 17, 0x06, 0xa5, 10, 1, 0, 0, 255, 255, 0, 0]);
        assert_eq!(id.to_string(), "10.1.0.0/16 [UDP/1701]");
        assert_eq!(Id::parse(&mut Reader::new(&out)), Ok(id));
    }

    #[test]
    fn networks_and_ranges_are_address_ranges() {
        let range = |value: &IdValue| value.address_range().map(|(a, b)| (a.to_string(), b.to_string()));
        let pair = |a: &str, b: &str| Some((a.to_string(), b.to_string()));
        let any = IdValue::network("192.0.2.1".parse().unwrap(), 0);
        assert_eq!(
            (any.to_string().as_str(), range(&any)),
            ("0.0.0.0/0", pair("0.0.0.0", "255.255.255.255"))
        );
        let v6 = IdValue::network("2001:db8::1".parse().unwrap(), 64);
        assert_eq!(v6.to_string(), "2001:db8::/64");
        assert_eq!(range(&v6), pair("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"));
        assert_eq!(IdValue::network("10.0.0.1".parse().unwrap(), 32).kind(), IdType::IPV4_ADDR);
        let odd = IdValue::Ipv4Subnet(Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(255, 0, 255, 0));
        assert_eq!((odd.to_string().as_str(), range(&odd)), ("10.0.0.0/255.0.255.0", None));
        let back = IdValue::Ipv4Range(Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(range(&back), None);
    }

    #[test]
    fn hostile_names_print_escaped() {
        assert_eq!(IdValue::Fqdn(b"a\x1b[2Jb\n".to_vec()).to_string(), "a\\x1b[2Jb\\n");
    }

    #[test]
    fn addresses_have_exactly_their_size() {
        let kind = |octets: &[u8]| Id::parse(&mut Reader::new(octets)).unwrap_err().kind;
        assert_eq!(kind(&[1, 0, 0, 0, 1, 2, 3]), DecodeErrorKind::Truncated { need: 4, have: 3 });
        assert_eq!(kind(&[1, 0, 0, 0, 1, 2, 3, 4, 5]), DecodeErrorKind::TrailingOctets);
        assert_eq!(kind(&[4, 0, 0, 0, 1, 2, 3, 4]), DecodeErrorKind::Truncated { need: 4, have: 0 });
    }
}
