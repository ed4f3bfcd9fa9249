//! Proposals: the parts of a suite in one line, in any dialect.
//!
//! The parts are joined by hyphens, as strongSwan and we do, or by spaces, commas or semicolons: `aes128-sha1-modp2048`,
//! `esp-aes 256 esp-sha-hmac`, `cbc(aes) hmac(sha256) 128`, `encr aes 256, hash sha256, group 14`, `DES_CBC_8 HMAC_MD5`.

use std::fmt;
use std::str::FromStr;

use super::words::Words;
use super::{Cipher, Dialect, Group, Integrity, Prf};
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
pub(super) fn place<T>(
    slot: &mut Option<T>,
    value: T,
    part: &'static str,
    proposal: &str,
) -> Result<(), CryptoError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(CryptoError::RepeatedPart { proposal: proposal.to_owned(), part }),
    }
}

pub(super) fn demand<T>(slot: Option<T>, part: &'static str, proposal: &str) -> Result<T, CryptoError> {
    slot.ok_or_else(|| CryptoError::MissingPart { proposal: proposal.to_owned(), part })
}

const IKE_FORMS: &str = "accepted are a cipher, a hash and a group: `aes256-sha256-modp3072`, \
                         `encr aes 256, hash sha256, group 14`";
const ESP_FORMS: &str = "accepted are a cipher and an integrity algorithm, or a combined mode, and at most one group: \
                         `aes256-sha256`, `aes128gcm16-x25519`, `esp-aes 256 esp-sha-hmac`, `cbc(aes) hmac(sha256) 128`";

/// What one name of a proposal turned out to be.
enum Part {
    Cipher(Cipher),
    Prf(Prf),
    Integrity(Integrity),
    Group(Group),
    /// A word of `ip xfrm` that says what kind of algorithm comes next.
    Filler,
}

impl FromStr for IkeSuite {
    type Err = CryptoError;

    fn from_str(proposal: &str) -> Result<Self, CryptoError> {
        let (mut cipher, mut prf, mut group) = (None, None, None);
        let known = |name: &str| {
            Cipher::from_name(name)
                .map(Part::Cipher)
                .or_else(|| Prf::from_name(name).map(Part::Prf))
                .or_else(|| Group::from_name(name).map(Part::Group))
        };
        let spellings =
            || Cipher::spellings().chain(Prf::spellings().chain(Group::spellings()).map(str::to_owned));
        for part in Words::of(proposal).names(known) {
            match part.map_err(|word| word.unknown(spellings(), IKE_FORMS))? {
                Part::Cipher(found) => place(&mut cipher, found, "cipher", proposal)?,
                Part::Prf(found) => place(&mut prf, found, "hash", proposal)?,
                Part::Group(found) => place(&mut group, found, "group", proposal)?,
                Part::Integrity(_) | Part::Filler => {}
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
        let known = |name: &str| {
            let filler = ["enc", "auth", "auth-trunc", "aead"].contains(&name).then_some(Part::Filler);
            filler
                .or_else(|| Cipher::from_name(name).map(Part::Cipher))
                .or_else(|| Integrity::from_name(name).map(Part::Integrity))
                .or_else(|| Group::from_name(name).map(Part::Group))
        };
        let spellings =
            || Cipher::spellings().chain(Integrity::spellings().chain(Group::spellings()).map(str::to_owned));
        for part in Words::of(proposal).names(known) {
            match part.map_err(|word| word.unknown(spellings(), ESP_FORMS))? {
                Part::Cipher(found) => place(&mut cipher, found, "cipher", proposal)?,
                Part::Integrity(found) => place(&mut integrity, found, "integrity algorithm", proposal)?,
                Part::Group(found) => place(&mut group, found, "group", proposal)?,
                Part::Prf(_) | Part::Filler => {}
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
            Some(group) => {
                Err(CryptoError::UnexpectedPart { proposal: proposal.to_owned(), part: group.name() })
            }
        }
    }
}

/// What a dialect puts between the parts of a proposal.
fn joint(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Ours | Dialect::StrongSwan | Dialect::Libreswan => "-",
        Dialect::CiscoPolicy => ", ",
        _ => " ",
    }
}

impl IkeSuite {
    /// The proposal in a dialect; `None` if the dialect lacks a name for one of the parts.
    pub fn name_in(self, dialect: Dialect) -> Option<String> {
        let parts = [
            self.cipher.name_in(dialect)?,
            self.prf.name_in(dialect)?.to_owned(),
            self.group.name_in(dialect)?.to_owned(),
        ];
        Some(parts.join(joint(dialect)))
    }
}

impl ProtectionSuite {
    /// The proposal in a dialect; `None` if the dialect lacks a name for one of the parts.
    ///
    /// ```
    /// use ipsec_crypto::{ProtectionSuite, suite::Dialect};
    /// let suite: ProtectionSuite = "aes256-sha256".parse()?;
    /// assert_eq!(suite.name_in(Dialect::CiscoTransform).as_deref(), Some("esp-aes 256 esp-sha256-hmac"));
    /// assert_eq!(suite.name_in(Dialect::Xfrm).as_deref(), Some("cbc(aes) hmac(sha256) 128"));
    /// # Ok::<(), ipsec_crypto::CryptoError>(())
    /// ```
    pub fn name_in(self, dialect: Dialect) -> Option<String> {
        let cipher = self.cipher.name_in(dialect)?;
        match self.integrity {
            Some(integrity) => Some([cipher.as_str(), integrity.name_in(dialect)?].join(joint(dialect))),
            None => Some(cipher),
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
        for (spelling, ours) in [
            ("esp-aes 256 esp-sha-hmac", "aes256-sha1"),
            ("esp-gcm 256", "aes256gcm16"),
            ("esp-3des esp-md5-hmac group2", "3des-md5-modp1024"),
            ("DES_CBC_8 HMAC_MD5", "des-md5"),
            ("DES_CBC_4 KEYED_MD5", "des-iv32-kpdk-md5"),
            ("aes128gcm16-x25519", "aes128gcm16-x25519"),
            ("enc cbc(aes) auth-trunc hmac(sha256) 128", "aes128-sha256"),
            ("aead rfc4106(gcm(aes)) 96", "aes128gcm12"),
            ("rfc7539esp(chacha20,poly1305)", "chacha20poly1305"),
            ("aes-256-sha2_256;modp2048", "aes256-sha256-modp2048"),
            ("AES-CBC [RFC3602] HMAC-SHA-256-128 [RFC4868]", "aes128-sha256"),
        ] {
            assert_eq!(spelling.parse::<EspSuite>().unwrap().to_string(), ours, "{spelling}");
        }
        let policy = "encr aes 256, hash sha256, group 14".parse::<IkeSuite>().unwrap();
        assert_eq!(policy.to_string(), "aes256-sha256-modp2048");
        assert_eq!(
            policy.name_in(Dialect::CiscoPolicy).as_deref(),
            Some("encr aes 256, hash sha256, group 14")
        );
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
            ("aes128-sha0-modp2048", "`sha0` names no part of a proposal, did you mean `sha1`?"),
            ("aes128--sha1-modp2048", "`` names no part of a proposal"),
            ("", "proposal `` names no cipher"),
        ] {
            let error = spelling.parse::<IkeSuite>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let error = "aes128-sha265".parse::<EspSuite>().unwrap_err();
        assert!(error.to_string().contains("did you mean `sha256`?; accepted are a cipher and"), "{error}");
        assert!(matches!("aes128".parse::<EspSuite>(), Err(CryptoError::IntegrityRequired { .. })));
        assert!(matches!("null-modp2048".parse::<EspSuite>(), Err(CryptoError::IntegrityRequired { .. })));
        assert!(matches!(
            "aes128gcm16-sha1".parse::<EspSuite>(),
            Err(CryptoError::IntegrityNotAllowed { .. })
        ));
        assert!("aes128-sha1-modp2048".parse::<ProtectionSuite>().is_err());
    }
}
