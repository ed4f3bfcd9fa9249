//! Signatures: how a message and a key become the octets of a Signature or Authentication payload.

mod ecdsa;
mod other;
mod rsa;

use super::names::named;
use super::{Hash, Names, Status, Support};

/// A signature scheme: key algorithm, hash and encoding together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// RSA with PKCS#1 v1.5 around the octets given, without DigestInfo: IKEv1 signs HASH_I and HASH_R so (RFC 2409 §5.1).
    RsaRaw,
    /// RSA with PKCS#1 v1.5 and SHA-1 (RFC 7296 §2.15).
    RsaSha1,
    /// RSA with PKCS#1 v1.5 and SHA-256 (RFC 7427 appendix A.1).
    RsaSha256,
    /// RSA with PKCS#1 v1.5 and SHA-384 (RFC 7427 appendix A.1).
    RsaSha384,
    /// RSA with PKCS#1 v1.5 and SHA-512 (RFC 7427 appendix A.1).
    RsaSha512,
    /// RSASSA-PSS with its default parameters (RFC 7427 appendix A.4.2).
    RsaPssSha1,
    /// RSASSA-PSS with SHA-256, and a salt as long as the hash (RFC 7427 appendix A.4).
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384, and a salt as long as the hash (RFC 7427 appendix A.4).
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512, and a salt as long as the hash (RFC 7427 appendix A.4).
    RsaPssSha512,
    /// ECDSA on P-256 over the octets given, as r | s: IKEv1 signs HASH_I and HASH_R so, made with HMAC-SHA-256 (RFC 2409 §5.1, RFC 4754).
    Ecdsa256Raw,
    /// ECDSA on P-384 over the octets given, as r | s: IKEv1 signs HASH_I and HASH_R so, made with HMAC-SHA-384 (RFC 2409 §5.1, RFC 4754).
    Ecdsa384Raw,
    /// ECDSA on P-521 over the octets given, as r | s: IKEv1 signs HASH_I and HASH_R so, made with HMAC-SHA-512 (RFC 2409 §5.1, RFC 4754).
    Ecdsa521Raw,
    /// ECDSA on P-256 with SHA-256, as r | s (RFC 4754).
    Ecdsa256,
    /// ECDSA on P-384 with SHA-384, as r | s (RFC 4754).
    Ecdsa384,
    /// ECDSA on P-521 with SHA-512, as r | s (RFC 4754).
    Ecdsa521,
    /// ECDSA with SHA-1, in DER (RFC 7427 appendix A.3.1).
    EcdsaSha1,
    /// ECDSA on the key's curve with SHA-256, in DER (RFC 7427 appendix A.3).
    EcdsaSha256,
    /// ECDSA on the key's curve with SHA-384, in DER (RFC 7427 appendix A.3).
    EcdsaSha384,
    /// ECDSA on the key's curve with SHA-512, in DER (RFC 7427 appendix A.3).
    EcdsaSha512,
    /// Ed25519 (RFC 8420).
    Ed25519,
    /// Ed448 (RFC 8420).
    Ed448,
    /// DSA with SHA-1: r | s in IKEv1 (RFC 2409 §5.1), DER in IKEv2.
    Dss,
    /// DSA with SHA-256, in DER (RFC 7427 appendix A.2.2).
    DsaSha256,
}

/// What kind of key it is, and on which curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA (RFC 8017).
    Rsa,
    /// Elliptic curve P-256 (RFC 5480).
    EcP256,
    /// Elliptic curve P-384 (RFC 5480).
    EcP384,
    /// Elliptic curve P-521 (RFC 5480).
    EcP521,
    /// Ed25519 (RFC 8410): named only.
    Ed25519,
    /// Ed448 (RFC 8410): named only.
    Ed448,
    /// DSA (RFC 3279): named only.
    Dsa,
}

impl std::fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Rsa => "RSA",
            Self::EcP256 => "EC P-256",
            Self::EcP384 => "EC P-384",
            Self::EcP521 => "EC P-521",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Dsa => "DSA",
        })
    }
}

/// What a scheme is given to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureInput {
    /// The message: the scheme hashes it.
    Message,
    /// What a hash or MAC gave already: the scheme takes it as it is.
    Digest,
}

/// How the signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureEncoding {
    /// One number as long as the modulus, of PKCS#1 v1.5 (RFC 8017 §8.2).
    Pkcs1,
    /// One number as long as the modulus, of PSS (RFC 8017 §8.1).
    Pss,
    /// Two numbers of fixed width, one behind the other (RFC 4754 §7, RFC 8032).
    Fixed,
    /// A DER sequence of two numbers (RFC 3279 §2.2.3).
    Der,
}

/// What there is to know about a signature scheme.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignatureRow {
    /// The scheme.
    pub id: SignatureScheme,
    /// Our name for it.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
    /// The keys it takes.
    pub keys: &'static [KeyAlgorithm],
    /// The hash that belongs to it. With [`SignatureInput::Digest`]: the hash whose HMAC makes HASH_I and HASH_R, whatever was
    /// negotiated (RFC 2409 §5.1); `None` for the negotiated one.
    pub hash: Option<Hash>,
    /// What it is given.
    pub input: SignatureInput,
    /// How the signature is written.
    pub encoding: SignatureEncoding,
    /// Value of IKEv1's phase 1 attribute Authentication Method (RFC 2409 appendix A, RFC 4754 §9).
    pub ikev1_auth: Option<u16>,
    /// IKEv2 Auth Method (RFC 7296 §3.8). Schemes without one go by method 14 and their AlgorithmIdentifier.
    pub ikev2_auth: Option<u8>,
    /// The object identifier, dotted.
    pub oid: Option<&'static str>,
    /// The whole AlgorithmIdentifier in DER, as IKEv2's method 14 and certificates carry it (RFC 7427 appendix A).
    pub algorithm_identifier: Option<&'static [u8]>,
    /// How far it may be trusted.
    pub status: Status,
    /// Where the status is said.
    pub status_source: &'static str,
    /// Whether it is implemented.
    pub support: Support,
    /// Whether the `legacy` feature and an explicit line of configuration are needed.
    pub legacy: bool,
}

/// Every curve there is a key for.
const CURVES: &[KeyAlgorithm] = &[KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::EcP521];

static ROWS: [SignatureRow; 23] = [
    rsa::RSA_RAW,
    rsa::RSA_SHA1,
    rsa::RSA_SHA256,
    rsa::RSA_SHA384,
    rsa::RSA_SHA512,
    rsa::RSA_PSS_SHA1,
    rsa::RSA_PSS_SHA256,
    rsa::RSA_PSS_SHA384,
    rsa::RSA_PSS_SHA512,
    ecdsa::ECDSA256_RAW,
    ecdsa::ECDSA384_RAW,
    ecdsa::ECDSA521_RAW,
    ecdsa::ECDSA256,
    ecdsa::ECDSA384,
    ecdsa::ECDSA521,
    ecdsa::ECDSA_SHA1,
    ecdsa::ECDSA_SHA256,
    ecdsa::ECDSA_SHA384,
    ecdsa::ECDSA_SHA512,
    other::ED25519,
    other::ED448,
    other::DSS,
    other::DSA_SHA256,
];

named!(
    SignatureScheme,
    SignatureRow,
    "signature scheme",
    "accepted are names such as `rsa-sha256`, `ecdsa256`, `rsa-sig`, `sha256WithRSAEncryption`"
);

/// The octets inside a short DER sequence.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    match der {
        [0x30, len, content @ ..] if *len < 0x80 && usize::from(*len) == content.len() => Some(content),
        _ => None,
    }
}

const NULL: &[u8] = &[5, 0];

impl SignatureScheme {
    /// Finds the schemes of an IKEv1 Authentication Method (RFC 2409 appendix A).
    pub fn from_ikev1_auth(method: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_auth == Some(method)).map(|row| row.id)
    }

    /// Finds the scheme of an IKEv2 Auth Method that stands for one (RFC 7296 §3.8).
    pub fn from_ikev2_auth(method: u8) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2_auth == Some(method)).map(|row| row.id)
    }

    /// Finds the scheme of an AlgorithmIdentifier in DER: of IKEv2's method 14 (RFC 7427 §3), of a certificate.
    ///
    /// Where NULL parameters belong they may be missing (RFC 4055 §5); otherwise the octets must be those of the table.
    pub fn from_algorithm_identifier(der: &[u8]) -> Option<Self> {
        let given = sequence(der)?;
        ROWS.iter()
            .find(|row| {
                let Some(known) = row.algorithm_identifier.and_then(sequence) else { return false };
                known == given || known.strip_suffix(NULL).is_some_and(|bare| bare == given)
            })
            .map(|row| row.id)
    }

    /// Whether it takes this kind of key.
    pub fn takes(self, key: KeyAlgorithm) -> bool {
        self.row().keys.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// An object identifier as dots and numbers, from its DER.
    fn dotted(der: &[u8]) -> String {
        let [6, len, content @ ..] = der else { panic!("no OBJECT IDENTIFIER") };
        let (mut numbers, mut value) = (Vec::new(), 0u32);
        for octet in &content[..usize::from(*len)] {
            value = value << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                numbers.push(std::mem::take(&mut value));
            }
        }
        let mut text = format!("{}.{}", numbers[0] / 40, numbers[0] % 40);
        if numbers[0] >= 80 {
            text = format!("2.{}", numbers[0] - 80);
        }
        for number in &numbers[1..] {
            write!(text, ".{number}").unwrap();
        }
        text
    }

    #[test]
    fn numbers_and_identifiers_lead_back_to_their_rows() {
        for row in SignatureScheme::rows() {
            assert!(row.ikev1_auth.is_none_or(|id| SignatureScheme::from_ikev1_auth(id) == Some(row.id)));
            assert!(row.ikev2_auth.is_none_or(|id| SignatureScheme::from_ikev2_auth(id) == Some(row.id)));
            assert_eq!(row.oid.is_some(), row.algorithm_identifier.is_some());
            let (Some(oid), Some(der)) = (row.oid, row.algorithm_identifier) else { continue };
            assert_eq!(SignatureScheme::from_algorithm_identifier(der), Some(row.id), "{}", row.name);
            assert_eq!(dotted(&der[2..]), oid, "{}", row.name);
            for cut in 0..der.len() {
                assert_eq!(SignatureScheme::from_algorithm_identifier(&der[..cut]), None);
            }
        }
    }

    #[test]
    fn missing_null_parameters_are_taken_and_nothing_else() {
        let find = SignatureScheme::from_algorithm_identifier;
        let bare = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
        assert_eq!(find(bare), Some(SignatureScheme::RsaSha256));
        let with_null = b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00";
        assert_eq!(find(with_null), None, "ECDSA has no parameters (RFC 5758 section 3.2)");
        let empty_pss = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00";
        assert_eq!(find(empty_pss), None);
    }
}
