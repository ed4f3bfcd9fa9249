//! What a quick mode negotiates: ESP, AH, or both, each with its algorithms, and the group of its key exchange.

use core::fmt;
use core::str::FromStr;

use ipsec_crypto::{Cipher, CryptoError, EspSuite, Group, Integrity, ProtectionSuite};
use ipsec_proto::registry::{
    AhTransform, AuthenticationAlgorithm, EspTransform, GroupDescription, ProtocolId,
};
use ipsec_sad::ProtocolKind;

/// The security protocols of a child, with their algorithms (RFC 2407 §4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocols {
    /// ESP alone (RFC 4303).
    Esp(ProtectionSuite),
    /// AH alone (RFC 4302).
    Ah(Integrity),
    /// Both, AH outside: `[IP][AH][ESP]...` (RFC 2401 §4.5, "transport adjacency").
    AhEsp(Integrity, ProtectionSuite),
}

/// One proposal of a child: `aes128-sha1`, `aes128-sha1-modp2048` with perfect forward secrecy, `ah-sha256` for AH,
/// `ah-sha256+aes128-sha1` for AH around ESP.
///
/// ```
/// let suite: ipsec_ike::ChildSuite = "ah-sha256+aes128-sha1-modp2048".parse()?;
/// assert!(matches!(suite.protocols, ipsec_ike::Protocols::AhEsp(..)));
/// assert_eq!(suite.to_string(), "ah-sha256+aes128-sha1-modp2048");
/// # Ok::<(), ipsec_ike::crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChildSuite {
    /// The protocols and their algorithms.
    pub protocols: Protocols,
    /// The group of the key exchange in Quick Mode, for perfect forward secrecy (RFC 2409 §5.5).
    pub group: Option<Group>,
}

/// The numbers that IKEv1 has for one protocol of a suite (RFC 2407 §4.4.3, §4.4.4, §4.5); `None` where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: ProtocolKind,
    pub(crate) protection: ProtectionSuite,
}

impl Part {
    pub(crate) const fn protocol(self) -> ProtocolId {
        protocol_id(self.kind)
    }

    /// The transform identifier.
    pub(crate) fn transform(self) -> Option<u8> {
        match self.kind {
            ProtocolKind::Esp => self.protection.cipher.encryption.row().ikev1_esp,
            ProtocolKind::Ah => self.protection.integrity.and_then(|integrity| integrity.row().ikev1_ah),
        }
    }

    /// A transform identifier as text.
    pub(crate) fn transform_text(self, id: u8) -> String {
        match self.kind {
            ProtocolKind::Esp => EspTransform(id).to_string(),
            ProtocolKind::Ah => AhTransform(id).to_string(),
        }
    }

    pub(crate) fn key_length(self) -> Option<u16> {
        self.protection.cipher.key_length_attribute()
    }

    pub(crate) fn integrity(self) -> Option<AuthenticationAlgorithm> {
        self.protection
            .integrity
            .and_then(|integrity| integrity.row().ikev1_auth)
            .map(AuthenticationAlgorithm)
    }

    /// Whether IKEv1 has a number for everything in it.
    pub(crate) fn is_numbered(self) -> bool {
        self.transform().is_some() && (self.protection.integrity.is_none() || self.integrity().is_some())
    }

    /// Octets of key material, the integrity key behind the encryption key (RFC 2409 §5.5).
    pub(crate) fn keymat_len(self) -> usize {
        self.protection.key_len() + self.protection.integrity_key_len()
    }
}

/// The number of a protocol in proposals, notifies and deletes (RFC 2407 §4.4.1).
pub(crate) const fn protocol_id(kind: ProtocolKind) -> ProtocolId {
    match kind {
        ProtocolKind::Esp => ProtocolId::ESP,
        ProtocolKind::Ah => ProtocolId::AH,
    }
}

impl ChildSuite {
    /// Its protocols, the outer one first.
    pub(crate) fn parts(self) -> impl Iterator<Item = Part> + Clone {
        let esp = |protection| Part { kind: ProtocolKind::Esp, protection };
        let ah = |integrity| Part {
            kind: ProtocolKind::Ah,
            protection: ProtectionSuite { cipher: Cipher::NULL, integrity: Some(integrity) },
        };
        let parts = match self.protocols {
            Protocols::Esp(suite) => [None, Some(esp(suite))],
            Protocols::Ah(integrity) => [Some(ah(integrity)), None],
            Protocols::AhEsp(integrity, suite) => [Some(ah(integrity)), Some(esp(suite))],
        };
        parts.into_iter().flatten()
    }

    /// Its protocols, the outer one first, each with its algorithms; AH as NULL encryption with integrity.
    pub fn protections(self) -> impl Iterator<Item = (ProtocolKind, ProtectionSuite)> {
        self.parts().map(|part| (part.kind, part.protection))
    }

    /// The protocol, where there is just one.
    pub(crate) const fn only_kind(self) -> Option<ProtocolKind> {
        match self.protocols {
            Protocols::Esp(_) => Some(ProtocolKind::Esp),
            Protocols::Ah(_) => Some(ProtocolKind::Ah),
            Protocols::AhEsp(..) => None,
        }
    }

    /// Whether AH is part of it: it protects addresses, so it passes no NAT (RFC 3947 §1, RFC 3715 §2.1).
    #[must_use]
    pub const fn has_ah(self) -> bool {
        matches!(self.protocols, Protocols::Ah(_) | Protocols::AhEsp(..))
    }

    /// The protocols' names, for a person.
    pub(crate) fn protocol_names(self) -> String {
        self.parts().map(|part| part.protocol().to_string()).collect::<Vec<_>>().join(" with ")
    }

    pub(crate) fn pfs_number(self) -> Option<GroupDescription> {
        self.group.map(|group| GroupDescription(group.number()))
    }
}

impl From<EspSuite> for ChildSuite {
    fn from(suite: EspSuite) -> Self {
        Self { protocols: Protocols::Esp(suite.protection()), group: suite.group }
    }
}

impl FromStr for ChildSuite {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let Some(ah) = text.strip_prefix("ah-") else { return text.parse::<EspSuite>().map(Self::from) };
        let (ah, esp) = ah.split_once('+').map_or((ah, None), |(ah, esp)| (ah, Some(esp)));
        // AH is what ESP is without encryption, as far as algorithms go.
        let ah: EspSuite = format!("null-{ah}").parse()?;
        let integrity = ah.integrity.ok_or_else(|| CryptoError::MissingPart {
            proposal: text.to_owned(),
            part: "integrity algorithm",
        })?;
        let Some(esp) = esp else { return Ok(Self { protocols: Protocols::Ah(integrity), group: ah.group }) };
        let esp: EspSuite = esp.parse()?;
        if let Some(group) = ah.group {
            return Err(CryptoError::UnexpectedPart { proposal: text.to_owned(), part: group.name() });
        }
        Ok(Self { protocols: Protocols::AhEsp(integrity, esp.protection()), group: esp.group })
    }
}

impl fmt::Display for ChildSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self.protocols {
            Protocols::Esp(suite) => suite.to_string(),
            Protocols::Ah(integrity) => format!("ah-{integrity}"),
            Protocols::AhEsp(integrity, suite) => format!("ah-{integrity}+{suite}"),
        };
        if let Some(group) = self.group {
            text.push_str(&format!("-{group}"));
        }
        f.pad(&text)
    }
}
