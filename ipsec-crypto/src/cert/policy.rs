//! What a path must satisfy beside RFC 5280: the configuration's part.

use x509_cert::der::asn1::ObjectIdentifier;

/// The most authorities between an end entity and its trust anchor, whatever the configuration says.
pub const MAX_AUTHORITIES: usize = 8;

/// What a configuration demands of certificates. The default refuses what RFC 8247 and NIST call too weak, takes what gateways
/// in the field use, and looks into the revocation lists that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificatePolicy {
    /// What is done without a valid revocation list.
    pub revocation: RevocationPolicy,
    /// For which certificates of a path revocation is checked.
    pub revocation_depth: RevocationDepth,
    /// Which `extKeyUsage` is good for IKE.
    pub extended_key_usage: ExtendedKeyUsagePolicy,
    /// What is done with signatures that were made with SHA-1.
    pub sha1_signatures: Sha1Signatures,
    /// The shortest RSA modulus of the path, in bits.
    pub min_rsa_bits: u32,
    /// The shortest curve of the path, in bits.
    pub min_ec_bits: u32,
    /// The most authorities between an end entity and its trust anchor, up to [`MAX_AUTHORITIES`].
    pub max_authorities: usize,
}

impl Default for CertificatePolicy {
    fn default() -> Self {
        Self {
            revocation: RevocationPolicy::IfAvailable,
            revocation_depth: RevocationDepth::Path,
            extended_key_usage: ExtendedKeyUsagePolicy::Field,
            sha1_signatures: Sha1Signatures::Refused,
            min_rsa_bits: 2048,
            min_ec_bits: 256,
            max_authorities: MAX_AUTHORITIES,
        }
    }
}

/// What is done without a valid revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationPolicy {
    /// A certificate without a valid list that covers it is refused: strongSwan's `revocation = strict`.
    Require,
    /// Lists that are missing, out of date or badly signed leave the status unknown, which the result says; a list that names
    /// the certificate revokes it all the same, if its signature is good: strongSwan's `revocation = relaxed`.
    IfAvailable,
}

/// For which certificates of a path revocation is checked. Trust anchors are never revoked by a list: remove them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationDepth {
    /// The end entity's alone.
    EndEntity,
    /// The end entity's and those of the authorities below the trust anchor.
    Path,
}

/// Which `extKeyUsage` is good for IKE, where there is one: in the end entity's certificate, and in those of authorities, which
/// restrict what they issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedKeyUsagePolicy {
    /// `id-kp-ipsecIKE` or `anyExtendedKeyUsage`, as RFC 4945 §5.1.3.12 says.
    Rfc4945,
    /// Also what gateways have in the field: `serverAuth`, `clientAuth`, the deprecated `ipsecEndSystem`, `ipsecTunnel` and
    /// `ipsecUser`, and `iKEIntermediate`, which Windows and macOS look for.
    Field,
    /// Any, as strongSwan does.
    Any,
}

/// Purposes by object identifier, name, and whether RFC 4945 takes them.
const PURPOSES: &[(&str, &str, bool)] = &[
    ("1.3.6.1.5.5.7.3.17", "ipsecIKE", true),
    ("2.5.29.37.0", "anyExtendedKeyUsage", true),
    ("1.3.6.1.5.5.7.3.1", "serverAuth", false),
    ("1.3.6.1.5.5.7.3.2", "clientAuth", false),
    ("1.3.6.1.5.5.7.3.5", "ipsecEndSystem", false),
    ("1.3.6.1.5.5.7.3.6", "ipsecTunnel", false),
    ("1.3.6.1.5.5.7.3.7", "ipsecUser", false),
    ("1.3.6.1.5.5.8.2.2", "iKEIntermediate", false),
];

impl ExtendedKeyUsagePolicy {
    /// Whether one of these purposes is enough; if not, what they are called.
    pub(super) fn check(self, purposes: &[ObjectIdentifier]) -> Result<(), Vec<String>> {
        let rows = || {
            purposes.iter().map(|purpose| {
                let oid = purpose.to_string();
                let row = PURPOSES.iter().find(|row| row.0 == oid);
                (row.map(|row| row.2), row.map_or(oid, |row| row.1.to_owned()))
            })
        };
        let is_good = match self {
            Self::Any => true,
            Self::Rfc4945 => rows().any(|(is_ours, _)| is_ours == Some(true)),
            Self::Field => rows().any(|(is_ours, _)| is_ours.is_some()),
        };
        if is_good { Ok(()) } else { Err(rows().map(|(_, name)| name).take(8).collect()) }
    }
}

/// What is done with signatures that were made with SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sha1Signatures {
    /// They are refused: collisions can be computed, and a certificate forged (RFC 6194).
    Refused,
    /// They are accepted, for peers that have nothing else. Needs the feature `legacy`.
    #[cfg(feature = "legacy")]
    Accepted,
}
