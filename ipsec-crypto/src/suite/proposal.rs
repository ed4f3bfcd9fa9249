//! Proposals as strongSwan spells them: parts joined by hyphens.

use std::fmt;
use std::str::FromStr;

use super::{Cipher, Group, Integrity, Prf};
use crate::error::CryptoError;
use crate::protection::ProtectionSuite;

/// What IKEv1's phase 1 negotiates, authentication method and lifetimes aside: `aes128-sha1-modp2048`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IkeSuite {
    /// The cipher of the IKE messages.
    pub cipher: Cipher,
    /// The hash, used as pseudo-random function.
    pub prf: Prf,
    /// The key exchange group.
    pub group: Group,
}

/// What a phase 2 negotiates for ESP: `aes128-sha1`, or `aes128-sha1-modp2048` with perfect forward secrecy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EspSuite {
    /// The cipher.
    pub cipher: Cipher,
    /// The integrity algorithm; none beside a combined-mode cipher.
    pub integrity: Option<Integrity>,
    /// The group of the key exchange in Quick Mode, for perfect forward secrecy (RFC 2409 §5.5).
    pub group: Option<Group>,
}

impl EspSuite {
    /// The part that protects packets.
    pub fn protection(self) -> ProtectionSuite {
        ProtectionSuite { cipher: self.cipher, integrity: self.integrity }
    }
}

/// Puts a part into its place, once.
fn place<T>(slot: &mut Option<T>, value: T, part: &'static str, proposal: &str) -> Result<(), CryptoError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(CryptoError::RepeatedPart { proposal: proposal.to_owned(), part }),
    }
}

fn demand<T>(slot: Option<T>, part: &'static str, proposal: &str) -> Result<T, CryptoError> {
    slot.ok_or_else(|| CryptoError::MissingPart { proposal: proposal.to_owned(), part })
}

fn unknown(name: &str) -> CryptoError {
    CryptoError::UnknownName { kind: "part of a proposal", name: name.to_owned() }
}

impl FromStr for IkeSuite {
    type Err = CryptoError;

    fn from_str(proposal: &str) -> Result<Self, CryptoError> {
        let (mut cipher, mut prf, mut group) = (None, None, None);
        for name in proposal.split('-') {
            if let Some(found) = Cipher::from_name(name) {
                place(&mut cipher, found, "cipher", proposal)?;
            } else if let Some(found) = Prf::from_name(name) {
                place(&mut prf, found, "hash", proposal)?;
            } else if let Some(found) = Group::from_name(name) {
                place(&mut group, found, "group", proposal)?;
            } else {
                return Err(unknown(name));
            }
        }
        Ok(Self {
            cipher: demand(cipher, "cipher", proposal)?,
            prf: demand(prf, "hash", proposal)?,
            group: demand(group, "group", proposal)?,
        })
    }
}

impl FromStr for EspSuite {
    type Err = CryptoError;

    fn from_str(proposal: &str) -> Result<Self, CryptoError> {
        let (mut cipher, mut integrity, mut group) = (None, None, None);
        for name in proposal.split('-') {
            if let Some(found) = Cipher::from_name(name) {
                place(&mut cipher, found, "cipher", proposal)?;
            } else if let Some(found) = Integrity::from_name(name) {
                place(&mut integrity, found, "integrity algorithm", proposal)?;
            } else if let Some(found) = Group::from_name(name) {
                place(&mut group, found, "group", proposal)?;
            } else {
                return Err(unknown(name));
            }
        }
        let suite = Self { cipher: demand(cipher, "cipher", proposal)?, integrity, group };
        suite.protection().check()?;
        Ok(suite)
    }
}

impl FromStr for ProtectionSuite {
    type Err = CryptoError;

    fn from_str(proposal: &str) -> Result<Self, CryptoError> {
        let suite: EspSuite = proposal.parse()?;
        match suite.group {
            None => Ok(suite.protection()),
            Some(group) => Err(unknown(group.name())),
        }
    }
}

impl fmt::Display for IkeSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}-{}", self.cipher, self.prf, self.group))
    }
}

impl fmt::Display for EspSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            Some(group) => f.pad(&format!("{}-{group}", self.protection())),
            None => self.protection().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_read_back_what_they_print() {
        for spelling in ["aes128-sha1-modp2048", "aes256-sha256-modp3072", "3des-md5-modp1024"] {
            assert_eq!(spelling.parse::<IkeSuite>().unwrap().to_string(), spelling);
            assert_eq!(spelling.parse::<EspSuite>().unwrap().to_string(), spelling);
        }
        for spelling in ["aes128-sha1", "null-sha256", "aes256gcm16", "aes256gcm16-x25519"] {
            assert_eq!(spelling.parse::<EspSuite>().unwrap().to_string(), spelling);
        }
        assert_eq!("SHA1-MODP2048-AES".parse::<IkeSuite>().unwrap().to_string(), "aes128-sha1-modp2048");
    }

    #[test]
    fn what_is_missing_double_or_unknown_is_said() {
        for (spelling, message) in [
            ("aes128-sha1", "proposal `aes128-sha1` names no group"),
            (
                "aes128-aes256-sha1-modp2048",
                "proposal `aes128-aes256-sha1-modp2048` names more than one cipher",
            ),
            ("aes128-sha0-modp2048", "`sha0` names no part of a proposal"),
            ("", "`` names no part of a proposal"),
        ] {
            assert_eq!(spelling.parse::<IkeSuite>().unwrap_err().to_string(), message);
        }
        assert!(matches!("aes128".parse::<EspSuite>(), Err(CryptoError::IntegrityRequired { .. })));
        assert!(matches!("null-modp2048".parse::<EspSuite>(), Err(CryptoError::IntegrityRequired { .. })));
        assert!(matches!(
            "aes128gcm16-sha1".parse::<EspSuite>(),
            Err(CryptoError::IntegrityNotAllowed { .. })
        ));
        assert!("aes128-sha1-modp2048".parse::<ProtectionSuite>().is_err());
    }
}
