//! One certificate, read and kept as it was received (RFC 5280 §4.1).

use std::fmt;
use std::ops::Range;

use x509_cert::der::asn1::IntRef;

use super::alternative::AlternativeName;
use super::error::CertificateError;
use super::extensions::Extensions;
use super::fields::{Fields, INTEGER, SEQUENCE, at_most, constructed, primitive};
use super::name::DistinguishedName;
use super::pem;
use crate::error::{CryptoError, KeyFault};
use crate::key::PublicKey;
use crate::provider::CryptoProvider;
use crate::suite::Prf;

/// The longest certificate, in octets: what a payload of ISAKMP holds.
pub const MAX_CERTIFICATE_LEN: usize = 0xffff;
/// The longest serial number, in octets: more than RFC 5280 §4.1.2.2 allows, as others accept.
pub(super) const MAX_SERIAL_LEN: usize = 32;

/// A certificate: well-formed, which does not say that anybody should trust it.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    pub(super) signed: Signed,
    serial: Vec<u8>,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    not_before: u64,
    not_after: u64,
    spki: Range<usize>,
    key: Result<PublicKey, KeyFault>,
    pub(super) extensions: Extensions,
}

/// Where the parts of a signed document are.
#[derive(Clone)]
pub(super) struct Signed {
    message: Range<usize>,
    /// The AlgorithmIdentifier in DER.
    pub(super) algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Signed {
    /// Reads the three parts of `SIGNED{}`; the fields of the first are returned.
    pub(super) fn read<'a>(mut outer: Fields<'a>) -> Result<(Self, Fields<'a>), CertificateError> {
        let message = outer.next("tbs")?;
        let algorithm = outer.next("signatureAlgorithm")?.tagged(SEQUENCE)?;
        let signature = outer.next("signatureValue")?.bits()?;
        outer.end("signatureValue")?;
        let signed = Self {
            message: message.range(),
            algorithm: algorithm.octets().to_vec(),
            signature: signature.to_vec(),
        };
        Ok((signed, message.fields(SEQUENCE)?))
    }

    /// Checks the algorithm that is inside what is signed: it must be the one outside (RFC 5280 §4.1.1.2, §5.1.1.2).
    pub(super) fn confirm(&self, fields: &mut Fields<'_>) -> Result<(), CertificateError> {
        let inside = fields.next("signature")?;
        if inside.octets() == self.algorithm {
            Ok(())
        } else {
            Err(inside.fault("it is not the algorithm of the signature".into()))
        }
    }

    /// What is signed.
    pub(super) fn message<'a>(&self, document: &'a [u8]) -> &'a [u8] {
        document.get(self.message.clone()).unwrap_or_default()
    }
}

impl Certificate {
    /// Reads one certificate in DER, version 3 alone.
    ///
    /// # Errors
    /// [`CertificateError::BadEncoding`], [`CertificateError::TooMuch`]. A key that this crate can't use and a critical
    /// extension that it does not know are no errors before somebody wants to rely on the certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        at_most("octets of a certificate", der.len(), MAX_CERTIFICATE_LEN)?;
        let (signed, mut fields) = Signed::read(Fields::document("certificate", "certificate", der)?)?;
        let version = fields.optional(constructed(0), "version")?;
        match version.map(|version| version.value()) {
            Some([INTEGER, 1, 2]) => {}
            _ => {
                let field = version.map_or_else(|| fields.next("version"), Ok)?;
                return Err(field.fault("it is not version 3".into()));
            }
        }
        let serial = read_serial(&mut fields)?;
        signed.confirm(&mut fields)?;
        let issuer_field = fields.next("issuer")?;
        let issuer = DistinguishedName::read(issuer_field)?;
        if issuer.is_empty() {
            return Err(issuer_field.fault("it is empty".into()));
        }
        let mut validity = fields.next("validity")?.fields(SEQUENCE)?;
        let not_before = validity.next("notBefore")?.time()?;
        let not_after = validity.next("notAfter")?.time()?;
        validity.end("validity")?;
        let subject = DistinguishedName::read(fields.next("subject")?)?;
        let spki = fields.next("subjectPublicKeyInfo")?.tagged(SEQUENCE)?;
        let key = match PublicKey::from_spki(spki.octets()) {
            Ok(key) => Ok(key),
            Err(CryptoError::BadKey { reason: KeyFault::Encoding { what } }) => {
                return Err(spki.fault(format!("not a well-formed {what}")));
            }
            Err(CryptoError::BadKey { reason }) => Err(reason),
            Err(other) => return Err(spki.fault(other.to_string())),
        };
        fields.optional(primitive(1), "issuerUniqueID")?;
        fields.optional(primitive(2), "subjectUniqueID")?;
        let extensions = match fields.optional(constructed(3), "extensions")? {
            Some(outer) => {
                let mut inside = outer.fields(constructed(3))?;
                let extensions = Extensions::read(inside.next("extensions")?)?;
                inside.end("extensions")?;
                extensions
            }
            None => Extensions::default(),
        };
        fields.end("tbsCertificate")?;
        Ok(Self {
            der: der.to_vec(),
            signed,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki: spki.range(),
            key,
            extensions,
        })
    }

    /// Reads all certificates of a file: sections `CERTIFICATE` of a PEM bundle in their order, others skipped; or one in DER.
    ///
    /// # Errors
    /// As [`from_der`](Self::from_der); [`CertificateError::BadPem`], [`CertificateError::NothingFound`].
    pub fn from_file(octets: &[u8]) -> Result<Vec<Self>, CertificateError> {
        pem::read("CERTIFICATE", octets, Self::from_der)
    }

    /// The certificate as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The serial number: a number in two's complement, big-endian.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Whose certificate it is. May be empty if there are alternative names.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The other names of the subject.
    #[must_use]
    pub fn alternative_names(&self) -> &[AlternativeName] {
        &self.extensions.alternative_names
    }

    /// The first and the last second of the validity, in seconds since 1970.
    #[must_use]
    pub fn validity(&self) -> (u64, u64) {
        (self.not_before, self.not_after)
    }

    /// The public key.
    ///
    /// # Errors
    /// [`CertificateError::UnsupportedKey`], [`CertificateError::WeakKey`] for a key that is too short to be used at all.
    pub fn public_key(&self) -> Result<&PublicKey, CertificateError> {
        self.key.as_ref().map_err(|fault| match fault {
            KeyFault::TooShort { bits, least } => CertificateError::WeakKey {
                subject: self.title(),
                algorithm: "RSA",
                bits: *bits,
                minimum: *least,
            },
            KeyFault::Unsupported { found } => {
                CertificateError::UnsupportedKey { subject: self.title(), algorithm: found.clone() }
            }
            other => CertificateError::UnsupportedKey { subject: self.title(), algorithm: other.to_string() },
        })
    }

    /// The SubjectPublicKeyInfo in DER, whatever its algorithm.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        self.der.get(self.spki.clone()).unwrap_or_default()
    }

    /// The SHA-1 of the SubjectPublicKeyInfo, by which certificate requests and key identities name a key. A name, no proof.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedPrf`] of a provider without SHA-1.
    pub fn key_id(&self, provider: &CryptoProvider) -> Result<Vec<u8>, CryptoError> {
        provider.prf(Prf::HmacSha1).map(|sha1| sha1.hash(&[self.spki()]))
    }

    /// `subjectKeyIdentifier`, if there is one.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions.subject_key_id.as_deref()
    }

    /// Whether it says of itself that it may issue certificates (`basicConstraints`, RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether subject and issuer are the same.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// What an error calls it: the subject, or else an alternative name.
    pub(super) fn title(&self) -> String {
        match self.alternative_names().first() {
            Some(name) if self.subject.is_empty() => name.to_string(),
            _ => self.subject.short(),
        }
    }
}

/// The serial number of a certificate or of an entry in a revocation list.
pub(super) fn read_serial(fields: &mut Fields<'_>) -> Result<Vec<u8>, CertificateError> {
    let field = fields.next("serialNumber")?;
    field.decode::<IntRef<'_>>()?;
    at_most("octets of a serial number", field.value().len(), MAX_SERIAL_LEN)?;
    Ok(field.value().to_vec())
}

/// A serial number in hexadecimal, as tools print it.
pub(super) fn serial_text(serial: &[u8]) -> String {
    let digits = match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    digits.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.title(), serial_text(&self.serial))
    }
}
