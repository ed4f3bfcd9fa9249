//! Why a certificate is not believed.

use std::fmt;
use std::time::Duration;

use x509_cert::der::DateTime;

/// Why a certificate, a revocation list or a path was refused: what was found, where, and what to do about it.
///
/// Texts from certificates are escaped and cut, whoever wrote them: they can be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A field is not encoded as RFC 5280 wants it.
    #[error("{document} is badly encoded at octet {offset}, field {field}: {fault}; have it issued again")]
    BadEncoding {
        /// What was read: `certificate`, `revocation list`, `name`.
        document: &'static str,
        /// The field, as RFC 5280 names it.
        field: &'static str,
        /// Where the fault is, in octets from the start.
        offset: usize,
        /// What is wrong.
        fault: String,
    },
    /// The text around the encoding is damaged (RFC 7468).
    #[error("section {section} of the PEM file is damaged: {fault}; copy the file again")]
    BadPem {
        /// Which one, counted from 1.
        section: usize,
        /// What is wrong.
        fault: String,
    },
    /// A file without a section of the kind that was looked for.
    #[error("the file has no section `{label}`; name the file that has it")]
    NothingFound {
        /// The label of the section, such as `CERTIFICATE`.
        label: &'static str,
    },
    /// More than is looked at.
    #[error("{what}: {got}, and at most {limit} are accepted; remove what is not needed")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A critical extension that is not understood, so the certificate must not be used (RFC 5280 §4.2).
    #[error(
        "`{subject}` has the critical extension {oid}, which is not understood; have it issued without, or not critical"
    )]
    UnsupportedCriticalExtension {
        /// Whose certificate or revocation list.
        subject: String,
        /// The extension's object identifier.
        oid: String,
    },
    /// The validity is over.
    #[error("`{subject}` expired at {}, it is {}; renew it, or set the clock", Utc(*.not_after), Utc(*.now))]
    Expired {
        /// Whose certificate.
        subject: String,
        /// The last second of its validity, in seconds since 1970.
        not_after: u64,
        /// The time it was checked for, in seconds since 1970.
        now: u64,
    },
    /// The validity has not begun.
    #[error("`{subject}` is not valid before {}, it is {}; set the clock, or wait", Utc(*.not_before), Utc(*.now))]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// The first second of its validity, in seconds since 1970.
        not_before: u64,
        /// The time it was checked for, in seconds since 1970.
        now: u64,
    },
    /// A revocation list of its issuer names it.
    #[error("`{subject}` was revoked at {}, serial number {serial}, reason {reason}; use another certificate", Utc(*.date))]
    Revoked {
        /// Whose certificate.
        subject: String,
        /// Its serial number, in hexadecimal.
        serial: String,
        /// Why, as the list says.
        reason: RevocationReason,
        /// Since when, in seconds since 1970.
        date: u64,
    },
    /// No certificate of the issuer is there, or none that leads to a trust anchor.
    #[error(
        "`{subject}` was issued by `{issuer}`, which is not known; add the certificate of that authority"
    )]
    UnknownIssuer {
        /// Whose certificate.
        subject: String,
        /// Who issued it.
        issuer: String,
    },
    /// The certificate belongs to somebody else (RFC 4945 §3.1, §5.1.3.6).
    #[error("the certificate is not for {expected}, but for {}; correct the identity or have the name added", List(.found))]
    IdentityMismatch {
        /// The identity that was asked for.
        expected: String,
        /// The identities that the certificate has.
        found: Vec<String>,
    },
    /// The certificate must not be used for what it was used for.
    #[error("`{subject}` {fault}")]
    WrongUsage {
        /// Whose certificate.
        subject: String,
        /// What forbids it.
        fault: UsageFault,
    },
    /// The key can be broken.
    #[error(
        "`{subject}` has a {algorithm} key of {bits} bits, less than {minimum}; have a longer one certified"
    )]
    WeakKey {
        /// Whose certificate.
        subject: String,
        /// The key's algorithm.
        algorithm: &'static str,
        /// Its length in bits.
        bits: u32,
        /// The shortest that is accepted, in bits.
        minimum: u32,
    },
    /// A key of an algorithm that this crate does not do.
    #[error("`{subject}` has a key of the algorithm {algorithm}, which can't be used; use RSA or ECDSA")]
    UnsupportedKey {
        /// Whose certificate.
        subject: String,
        /// The algorithm, by name or object identifier.
        algorithm: String,
    },
    /// More certificates than the issuer's `pathLenConstraint` or the configuration allows (RFC 5280 §4.2.1.9).
    #[error(
        "`{subject}` allows {limit} authorities below it, the path has more; have the certificate issued higher up"
    )]
    PathTooLong {
        /// Whose limit: an authority's name, or `the configuration`.
        subject: String,
        /// How many authorities may stand below it (or, for the configuration, in the path).
        limit: usize,
    },
    /// There were so many ways to try that the search was ended.
    #[error(
        "the certificates given can be joined in too many ways ({limit} tried); send only those of one path"
    )]
    SearchTooLong {
        /// Steps, or signatures, that were tried.
        limit: usize,
    },
    /// The signature is not the issuer's.
    #[error(
        "the signature of `{issuer}` on {document} `{subject}` is wrong; get the right certificate of the authority"
    )]
    BadSignature {
        /// What is signed: `certificate` or `revocation list`.
        document: &'static str,
        /// Whose certificate or list.
        subject: String,
        /// Who should have signed.
        issuer: String,
    },
    /// A signature by an algorithm that can be forged, or one that was not allowed.
    #[error(
        "`{subject}` is signed with {algorithm}, which is too weak; have it issued with SHA-256 or better"
    )]
    WeakSignatureAlgorithm {
        /// Whose certificate or list.
        subject: String,
        /// The algorithm's name.
        algorithm: &'static str,
    },
    /// A signature by an algorithm that this crate or its provider does not do.
    #[error(
        "`{subject}` is signed with {algorithm}, which can't be verified; have it issued with RSA or ECDSA"
    )]
    UnsupportedSignatureAlgorithm {
        /// Whose certificate or list.
        subject: String,
        /// The algorithm, by name or object identifier.
        algorithm: String,
    },
    /// An authority named somebody it must not (RFC 5280 §4.2.1.10).
    #[error(
        "`{issuer}` may not certify `{name}` of `{subject}`: {rule}; have it issued by another authority"
    )]
    NameConstraint {
        /// Whose certificate.
        subject: String,
        /// The name in it.
        name: String,
        /// Whose constraint.
        issuer: String,
        /// The constraint.
        rule: String,
    },
    /// The revocation list is out of date.
    #[error("the revocation list of `{issuer}` expired at {}, it is {}; fetch a new one", Utc(*.next_update), Utc(*.now))]
    CrlExpired {
        /// Who issues the list.
        issuer: String,
        /// When the next one was due, in seconds since 1970.
        next_update: u64,
        /// The time it was checked for, in seconds since 1970.
        now: u64,
    },
    /// The revocation list is dated in the future.
    #[error("the revocation list of `{issuer}` is of {}, it is {}; set the clock", Utc(*.this_update), Utc(*.now))]
    CrlNotYetValid {
        /// Who issues the list.
        issuer: String,
        /// When it was issued, in seconds since 1970.
        this_update: u64,
        /// The time it was checked for, in seconds since 1970.
        now: u64,
    },
    /// No revocation list covers the certificate, and one is required.
    #[error("no revocation list of `{issuer}` covers `{subject}`; fetch one, or require none")]
    CrlMissing {
        /// Whose certificate.
        subject: String,
        /// Who should have issued the list.
        issuer: String,
    },
}

/// Why a certificate does not fit its use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageFault {
    /// An end entity's `keyUsage` lets it sign nothing (RFC 4945 §5.1.3.2).
    #[error(
        "has a key usage without digitalSignature and nonRepudiation; have it issued with digitalSignature"
    )]
    NotForSignatures,
    /// An end entity's or authority's `extKeyUsage` leaves IKE out (RFC 4945 §5.1.3.12).
    #[error("is for {} only, not for IKE; have it issued without an extended key usage, or with ipsecIKE", List(.0))]
    NotForIke(Vec<String>),
    /// It issued a certificate and is no authority (RFC 5280 §4.2.1.9).
    #[error(
        "issued a certificate but is no certification authority; use a certificate that an authority issued"
    )]
    NotAnAuthority,
    /// It issued a certificate and its `keyUsage` lacks `keyCertSign` (RFC 5280 §4.2.1.3).
    #[error(
        "issued a certificate but its key usage lacks keyCertSign; have the authority's certificate issued again"
    )]
    NotForCertificates,
    /// It issued a revocation list and its `keyUsage` lacks `cRLSign` (RFC 5280 §4.2.1.3).
    #[error(
        "issued a revocation list but its key usage lacks cRLSign; have the authority's certificate issued again"
    )]
    NotForRevocation,
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// Not said.
    Unspecified,
    /// The private key is known to others.
    KeyCompromise,
    /// The authority's private key is known to others.
    CaCompromise,
    /// The subject's name or belonging changed.
    AffiliationChanged,
    /// There is a newer certificate.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// Suspended; it may become good again.
    CertificateHold,
    /// Taken off hold, which only delta lists say.
    RemoveFromCrl,
    /// A right that the certificate gave was taken back.
    PrivilegeWithdrawn,
    /// The attribute authority's private key is known to others.
    AaCompromise,
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        })
    }
}

/// Seconds since 1970 as a date.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(date) => date.fmt(f),
            // After the year 9999.
            Err(_) => write!(f, "second {}", self.0),
        }
    }
}

/// Names in a row.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nobody");
        }
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_value_and_the_remedy() {
        let error = CertificateError::Expired { subject: "CN=a".into(), not_after: 86399, now: 1 << 40 };
        assert_eq!(
            error.to_string(),
            "`CN=a` expired at 1970-01-01T23:59:59Z, it is second 1099511627776; renew it, or set the clock"
        );
        let error = CertificateError::IdentityMismatch { expected: "b".into(), found: vec![] };
        assert!(error.to_string().contains("but for nobody;"), "{error}");
    }
}
