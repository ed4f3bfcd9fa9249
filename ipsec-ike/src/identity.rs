//! Who somebody is (RFC 2407 §4.6.2): type and data, as the ID payload carries them.

use core::fmt;
use core::str::FromStr;
use std::net::IpAddr;

use ipsec_proto::registry::IdType;

/// The longest identification data that is accepted, in octets: generous for names, small enough to be printed.
pub const MAX_LENGTH: usize = 512;

/// An identity: equal to another if the type is equal and the data is, names without regard to case.
#[derive(Clone)]
pub struct Identity {
    kind: IdType,
    data: Vec<u8>,
}

impl Identity {
    /// The identity of a type with its data, as on the wire.
    #[must_use]
    pub const fn from_wire(kind: IdType, data: Vec<u8>) -> Self {
        Self { kind, data }
    }

    /// An address: `ID_IPV4_ADDR` or `ID_IPV6_ADDR`.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { kind: IdType::IPV4_ADDR, data: v4.octets().to_vec() },
            IpAddr::V6(v6) => Self { kind: IdType::IPV6_ADDR, data: v6.octets().to_vec() },
        }
    }

    /// A host's name: `ID_FQDN`.
    #[must_use]
    pub fn fqdn(name: &str) -> Self {
        Self { kind: IdType::FQDN, data: name.as_bytes().to_vec() }
    }

    /// A user at a host: `ID_USER_FQDN`.
    #[must_use]
    pub fn user_fqdn(name: &str) -> Self {
        Self { kind: IdType::USER_FQDN, data: name.as_bytes().to_vec() }
    }

    /// Octets that mean something to the two ends only: `ID_KEY_ID`.
    #[must_use]
    pub const fn key_id(octets: Vec<u8>) -> Self {
        Self { kind: IdType::KEY_ID, data: octets }
    }

    /// The type.
    #[must_use]
    pub const fn kind(&self) -> IdType {
        self.kind
    }

    /// The data, as on the wire.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    fn as_address(&self) -> Option<IpAddr> {
        match self.kind {
            IdType::IPV4_ADDR => <[u8; 4]>::try_from(self.data.as_slice()).ok().map(IpAddr::from),
            IdType::IPV6_ADDR => <[u8; 16]>::try_from(self.data.as_slice()).ok().map(IpAddr::from),
            _ => None,
        }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match self.kind {
                IdType::FQDN | IdType::USER_FQDN => self.data.eq_ignore_ascii_case(&other.data),
                _ => self.data == other.data,
            }
    }
}

impl Eq for Identity {}

impl fmt::Display for Identity {
    /// Prints what [`FromStr`] reads; what is not printable ASCII comes out escaped, whoever sent it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.as_address() {
            return write!(f, "{address}");
        }
        match self.kind {
            IdType::FQDN | IdType::USER_FQDN => write!(f, "{}", self.data.escape_ascii()),
            kind => {
                if kind == IdType::KEY_ID {
                    f.write_str("keyid:")?;
                } else {
                    write!(f, "{kind}:")?;
                }
                self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.kind)
    }
}

/// A text that is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is nothing, or too much.
    #[error("an identity has 1 to {MAX_LENGTH} characters")]
    Length,
    /// `keyid:` without an even number of hexadecimal digits behind it.
    #[error("`keyid:` is followed by an even number of hexadecimal digits")]
    KeyId,
    /// A name with blanks or characters outside ASCII.
    #[error("a name has printable ASCII characters only")]
    Characters,
}

impl FromStr for Identity {
    type Err = IdentityError;

    /// Reads an address, `user@host`, `keyid:` and hexadecimal digits, or else a host's name, which may have a
    /// leading `@` (`@gw.example`), so that a name which looks like an address can be written.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(IdentityError::Length);
        }
        if !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(IdentityError::Characters);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::address(address));
        }
        if let Some(digits) = text.strip_prefix("keyid:") {
            let octets = digits.as_bytes().chunks(2).map(hex_octet).collect::<Option<Vec<_>>>();
            return octets.filter(|octets| !octets.is_empty()).map(Self::key_id).ok_or(IdentityError::KeyId);
        }
        match text.strip_prefix('@') {
            Some("") => Err(IdentityError::Length),
            Some(name) => Ok(Self::fqdn(name)),
            None if text.contains('@') => Ok(Self::user_fqdn(text)),
            None => Ok(Self::fqdn(text)),
        }
    }
}

fn hex_octet(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(*high)? << 4 | digit(*low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_the_types_that_they_look_like() {
        for (text, kind) in [
            ("192.0.2.1", IdType::IPV4_ADDR),
            ("2001:db8::1", IdType::IPV6_ADDR),
            ("gw.example", IdType::FQDN),
            ("@192.0.2.1", IdType::FQDN),
            ("user@example", IdType::USER_FQDN),
            ("keyid:00ff", IdType::KEY_ID),
        ] {
            let identity: Identity = text.parse().unwrap();
            assert_eq!(identity.kind(), kind, "{text}");
        }
        assert_eq!("keyid:0".parse::<Identity>(), Err(IdentityError::KeyId));
        assert_eq!("@".parse::<Identity>(), Err(IdentityError::Length));
        assert_eq!("a b".parse::<Identity>(), Err(IdentityError::Characters));
    }

    #[test]
    fn names_compare_without_case_and_other_types_exactly() {
        assert_eq!(Identity::fqdn("GW.example"), Identity::fqdn("gw.EXAMPLE"));
        assert_ne!(Identity::key_id(vec![b'a']), Identity::key_id(vec![b'A']));
        assert_ne!(Identity::fqdn("a@b"), Identity::user_fqdn("a@b"));
    }

    #[test]
    fn hostile_data_prints_harmlessly() {
        let identity = Identity::from_wire(IdType::FQDN, b"a\x1b[2J\n\xff".to_vec());
        assert_eq!(identity.to_string(), "a\\x1b[2J\\n\\xff");
        assert_eq!(Identity::from_wire(IdType::IPV4_ADDR, vec![1, 2, 3]).to_string(), "ID_IPV4_ADDR:010203");
    }
}
