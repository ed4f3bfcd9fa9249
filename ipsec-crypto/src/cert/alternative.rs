//! The other names of a certificate (RFC 5280 §4.2.1.6).

use std::fmt;
use std::net::IpAddr;

use super::error::CertificateError;
use super::fields::{Field, constructed, primitive};
use super::name::{DistinguishedName, escaped};

/// A name in `subjectAltName`. IKE's identities are the first three (RFC 4945 §5.1.3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlternativeName {
    /// `dNSName`: what an identity of type `ID_FQDN` is compared with.
    Dns(String),
    /// `rfc822Name`: what an identity of type `ID_USER_FQDN` is compared with.
    Email(String),
    /// `iPAddress`: what an identity of type `ID_IPV4_ADDR` or `ID_IPV6_ADDR` is compared with.
    Address(IpAddr),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `directoryName`: compared with an identity of type `ID_DER_ASN1_DN`, as the subject is.
    Directory(DistinguishedName),
    /// A form of name that IKE has no identity for.
    Other {
        /// Which one: the number of its tag, 0, 3, 5 or 8.
        form: u8,
        /// The name's encoding, with its tag.
        der: Vec<u8>,
    },
}

/// A `GeneralName` as it stands: a constraint's address has a mask too.
pub(super) enum GeneralName<'a> {
    Dns(&'a str),
    Email(&'a str),
    Uri(&'a str),
    Address(&'a [u8]),
    Directory(DistinguishedName),
    Other(u8),
}

impl<'a> GeneralName<'a> {
    pub(super) fn read(field: Field<'a>) -> Result<Self, CertificateError> {
        const DNS: u8 = primitive(2);
        const EMAIL: u8 = primitive(1);
        const URI: u8 = primitive(6);
        const ADDRESS: u8 = primitive(7);
        const DIRECTORY: u8 = constructed(4);
        let ia5 = || match std::str::from_utf8(field.value()) {
            Ok(text) if text.is_ascii() => Ok(text),
            _ => Err(field.fault("the name is not ASCII".into())),
        };
        match field.tag() {
            DNS => ia5().map(Self::Dns),
            EMAIL => ia5().map(Self::Email),
            URI => ia5().map(Self::Uri),
            ADDRESS => Ok(Self::Address(field.value())),
            DIRECTORY => {
                let mut inside = field.fields(DIRECTORY)?;
                let name = DistinguishedName::read(inside.next("directoryName")?)?;
                inside.end("directoryName")?;
                Ok(Self::Directory(name))
            }
            tag @ (0x88 | 0xa0 | 0xa3 | 0xa5) => Ok(Self::Other(tag & 0x1f)),
            tag => Err(field.fault(format!("tag {tag:#04x} is no form of name"))),
        }
    }
}

impl AlternativeName {
    pub(super) fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        Ok(match GeneralName::read(field)? {
            GeneralName::Dns(name) => Self::Dns(name.to_owned()),
            GeneralName::Email(name) => Self::Email(name.to_owned()),
            GeneralName::Uri(name) => Self::Uri(name.to_owned()),
            GeneralName::Address(octets) => Self::Address(
                address(octets)
                    .ok_or_else(|| field.fault(format!("an address of {} octets", octets.len())))?,
            ),
            GeneralName::Directory(name) => Self::Directory(name),
            GeneralName::Other(form) => Self::Other { form, der: field.octets().to_vec() },
        })
    }
}

/// An address in network order.
pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

impl fmt::Display for AlternativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(&escaped(name)),
            Self::Address(address) => address.fmt(f),
            Self::Directory(name) => f.write_str(&name.short()),
            Self::Other { form, .. } => write!(f, "a name of form [{form}]"),
        }
    }
}
