//! Signatures on certificates and revocation lists.

use super::certificate::{Certificate, Signed};
use super::error::CertificateError;
use super::fields::Fields;
use super::policy::Sha1Signatures;
use crate::error::CryptoError;
use crate::provider::CryptoProvider;
use crate::suite::{Hash, SignatureScheme};

/// The most signatures that are verified for one certificate: paths in a mesh of cross certificates end here.
pub(super) const MAX_SIGNATURES: usize = 48;

/// Algorithms that nobody should verify: forged certificates have been made with them.
const BROKEN: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.3", "md4WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.3.14.3.2.29", "sha1WithRSA"),
];

/// Who verifies, and how much of it is left to do.
pub(super) struct Verifier<'a> {
    pub(super) provider: &'a CryptoProvider,
    pub(super) sha1: Sha1Signatures,
    pub(super) left: usize,
}

/// What is signed: by an issuer, of a subject.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a> {
    pub(super) document: &'static str,
    pub(super) octets: &'a [u8],
    pub(super) signed: &'a Signed,
    /// Whose certificate or list.
    pub(super) subject: &'a dyn Fn() -> String,
}

impl Verifier<'_> {
    /// Checks a certificate's or list's signature with the issuer's key.
    pub(super) fn check(
        &mut self,
        statement: Statement<'_>,
        issuer: &Certificate,
    ) -> Result<(), CertificateError> {
        let Statement { document, octets, signed, subject } = statement;
        let Some(scheme) = SignatureScheme::from_algorithm_identifier(&signed.algorithm) else {
            return Err(refused(&signed.algorithm, subject()));
        };
        if scheme.row().hash == Some(Hash::Sha1) && self.sha1 == Sha1Signatures::Refused {
            return Err(CertificateError::WeakSignatureAlgorithm {
                subject: subject(),
                algorithm: scheme.row().name,
            });
        }
        let wrong =
            || CertificateError::BadSignature { document, subject: subject(), issuer: issuer.title() };
        let key = issuer.public_key()?;
        if !scheme.takes(key.algorithm()) {
            return Err(wrong());
        }
        self.left =
            self.left.checked_sub(1).ok_or(CertificateError::SearchTooLong { limit: MAX_SIGNATURES })?;
        match self.provider.verify(scheme, key, signed.message(octets), &signed.signature) {
            Ok(()) => Ok(()),
            Err(CryptoError::UnsupportedSignature { scheme, .. }) => {
                Err(CertificateError::UnsupportedSignatureAlgorithm {
                    subject: subject(),
                    algorithm: scheme.row().name.to_owned(),
                })
            }
            Err(_) => Err(wrong()),
        }
    }
}

/// Why an algorithm that has no row in the table is refused.
fn refused(algorithm: &[u8], subject: String) -> CertificateError {
    let oid = Fields::document("algorithm", "algorithm", algorithm)
        .and_then(|mut fields| fields.next("algorithm")?.oid())
        .map_or_else(|_| "an unreadable algorithm".to_owned(), |oid| oid.to_string());
    match BROKEN.iter().find(|(broken, _)| *broken == oid) {
        Some((_, algorithm)) => CertificateError::WeakSignatureAlgorithm { subject, algorithm },
        None => CertificateError::UnsupportedSignatureAlgorithm { subject, algorithm: oid },
    }
}
