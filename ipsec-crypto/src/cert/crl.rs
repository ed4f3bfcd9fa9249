//! Revocation lists (RFC 5280 §5).

use std::fmt;
use std::ops::Range;

use super::certificate::{Certificate, Signed, read_serial};
use super::error::{CertificateError, RevocationReason};
use super::extensions::{Extension, for_each, full_names};
use super::fields::{ENUMERATED, Field, Fields, INTEGER, SEQUENCE, at_most, constructed, primitive};
use super::name::DistinguishedName;
use super::pem;

/// The longest revocation list, in octets.
pub const MAX_CRL_LEN: usize = 16 << 20;

/// A revocation list: complete and well-formed, which does not say that anybody should trust it.
///
/// Delta lists, indirect lists and lists of some reasons alone are refused: they do not tell by themselves whether a
/// certificate is revoked (RFC 5280 §5.2.4, §5.2.5).
#[derive(Clone)]
pub struct Crl {
    der: Vec<u8>,
    pub(super) signed: Signed,
    issuer: DistinguishedName,
    this_update: u64,
    next_update: u64,
    /// Ordered by serial number.
    entries: Vec<Entry>,
    scope: Scope,
}

#[derive(Clone)]
struct Entry {
    /// Where the number is in the list.
    serial: Range<usize>,
    date: u64,
    reason: RevocationReason,
}

/// Which certificates of its issuer a list is about.
#[derive(Clone, Default)]
struct Scope {
    holders: Holders,
    /// Those with one of these distribution points, as DER of `GeneralName`; `None` for all.
    points: Option<Vec<Vec<u8>>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Holders {
    #[default]
    All,
    EndEntities,
    Authorities,
}

impl Crl {
    /// Reads one revocation list in DER.
    ///
    /// # Errors
    /// [`CertificateError::BadEncoding`], [`CertificateError::TooMuch`], [`CertificateError::UnsupportedCriticalExtension`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        at_most("octets of a revocation list", der.len(), MAX_CRL_LEN)?;
        let (signed, mut fields) =
            Signed::read(Fields::document("revocation list", "certificateList", der)?)?;
        let is_v2 = match fields.optional(INTEGER, "version")? {
            Some(version) if version.value() == [1] => true,
            Some(version) => return Err(version.fault("it is not version 2".into())),
            None => false,
        };
        signed.confirm(&mut fields)?;
        let issuer = DistinguishedName::read(fields.next("issuer")?)?;
        let this_update = fields.next("thisUpdate")?.time()?;
        // A list that never ends would hide every later revocation; RFC 5280 §5.1.2.5 demands the field.
        let next_update = fields.next("nextUpdate")?.time()?;
        let mut entries = Vec::new();
        if let Some(revoked) = fields.optional(SEQUENCE, "revokedCertificates")? {
            let mut revoked = revoked.fields(SEQUENCE)?;
            while revoked.tag().is_some() {
                entries.push(read_entry(revoked.next("revokedCertificate")?, is_v2, &issuer)?);
            }
        }
        entries.sort_by(|one, other| der[one.serial.clone()].cmp(&der[other.serial.clone()]));
        let mut scope = Scope::default();
        if let Some(extensions) = fields.optional(constructed(0), "crlExtensions")? {
            if !is_v2 {
                return Err(extensions.fault("version 1 has no extensions".into()));
            }
            let mut inside = extensions.fields(constructed(0))?;
            for_each(inside.next("crlExtensions")?, |extension| scope.take(&extension, &issuer))?;
            inside.end("crlExtensions")?;
        }
        fields.end("tbsCertList")?;
        Ok(Self { der: der.to_vec(), signed, issuer, this_update, next_update, entries, scope })
    }

    /// Reads all revocation lists of a file: sections `X509 CRL` of a PEM bundle, others skipped; or one in DER.
    ///
    /// # Errors
    /// As [`from_der`](Self::from_der); [`CertificateError::BadPem`], [`CertificateError::NothingFound`].
    pub fn from_file(octets: &[u8]) -> Result<Vec<Self>, CertificateError> {
        pem::read("X509 CRL", octets, Self::from_der)
    }

    /// The list as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whose list it is.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was issued, in seconds since 1970.
    #[must_use]
    pub fn this_update(&self) -> u64 {
        self.this_update
    }

    /// When the next one is due at the latest, in seconds since 1970.
    #[must_use]
    pub fn next_update(&self) -> u64 {
        self.next_update
    }

    /// How many certificates it revokes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it revokes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the list, of the certificate's issuer, is about the certificate: by the scope that its `issuingDistributionPoint`
    /// sets, which must fit the certificate's `cRLDistributionPoints` (RFC 4945 §5.1.3.13, RFC 5280 §6.3.3 (b)).
    pub(super) fn covers(&self, certificate: &Certificate) -> bool {
        let is_right_holder = match self.scope.holders {
            Holders::All => true,
            Holders::EndEntities => !certificate.is_authority(),
            Holders::Authorities => certificate.is_authority(),
        };
        is_right_holder
            && self.scope.points.as_ref().is_none_or(|points| {
                let theirs = certificate.extensions.distribution_points.as_deref().unwrap_or_default();
                points.iter().any(|point| theirs.contains(point))
            })
    }

    /// Why and since when a serial number is revoked.
    pub(super) fn find(&self, serial: &[u8]) -> Option<(RevocationReason, u64)> {
        let at = self
            .entries
            .binary_search_by(|entry| self.der.get(entry.serial.clone()).unwrap_or_default().cmp(serial))
            .ok()?;
        self.entries.get(at).map(|entry| (entry.reason, entry.date))
    }
}

fn read_entry(field: Field<'_>, is_v2: bool, issuer: &DistinguishedName) -> Result<Entry, CertificateError> {
    let mut fields = field.fields(SEQUENCE)?;
    let serial = fields.clone().next("userCertificate")?;
    read_serial(&mut fields)?;
    let date = fields.next("revocationDate")?.time()?;
    let mut reason = RevocationReason::Unspecified;
    if let Some(extensions) = fields.optional(SEQUENCE, "crlEntryExtensions")? {
        if !is_v2 {
            return Err(extensions.fault("version 1 has no extensions".into()));
        }
        for_each(extensions, |extension| match extension.id.as_bytes() {
            [0x55, 0x1d, 21] => {
                reason = read_reason(extension.value.wrapped("reasonCode")?)?;
                Ok(())
            }
            _ => not_critical(&extension, issuer),
        })?;
    }
    fields.end("revokedCertificate")?;
    let range = serial.range();
    Ok(Entry { serial: range.end - serial.value().len()..range.end, date, reason })
}

fn read_reason(field: Field<'_>) -> Result<RevocationReason, CertificateError> {
    Ok(match field.tagged(ENUMERATED)?.value() {
        [0] => RevocationReason::Unspecified,
        [1] => RevocationReason::KeyCompromise,
        [2] => RevocationReason::CaCompromise,
        [3] => RevocationReason::AffiliationChanged,
        [4] => RevocationReason::Superseded,
        [5] => RevocationReason::CessationOfOperation,
        [6] => RevocationReason::CertificateHold,
        [8] => RevocationReason::RemoveFromCrl,
        [9] => RevocationReason::PrivilegeWithdrawn,
        [10] => RevocationReason::AaCompromise,
        _ => return Err(field.fault("no such reason".into())),
    })
}

/// A list with a critical extension that is not understood tells nothing (RFC 5280 §5.2, §5.3).
fn not_critical(extension: &Extension<'_>, issuer: &DistinguishedName) -> Result<(), CertificateError> {
    if extension.is_critical {
        let (subject, oid) = (issuer.short(), extension.id.to_string());
        return Err(CertificateError::UnsupportedCriticalExtension { subject, oid });
    }
    Ok(())
}

impl Scope {
    fn take(
        &mut self,
        extension: &Extension<'_>,
        issuer: &DistinguishedName,
    ) -> Result<(), CertificateError> {
        match extension.id.as_bytes() {
            // issuingDistributionPoint (RFC 5280 §5.2.5)
            [0x55, 0x1d, 28] => self.read(extension.value.wrapped("issuingDistributionPoint")?),
            // deltaCRLIndicator, whatever its criticality
            [0x55, 0x1d, 27] => Err(extension.value.fault("a delta list alone tells nothing".into())),
            // authorityKeyIdentifier, cRLNumber
            [0x55, 0x1d, 20 | 35] => Ok(()),
            _ => not_critical(extension, issuer),
        }
    }

    fn read(&mut self, field: Field<'_>) -> Result<(), CertificateError> {
        let mut fields = field.fields(SEQUENCE)?;
        if let Some(point) = fields.optional(constructed(0), "distributionPoint")? {
            let mut names = Vec::new();
            full_names(point.fields(constructed(0))?, &mut names)?;
            self.points = Some(names);
        }
        while fields.tag().is_some() {
            const USERS: u8 = primitive(1);
            const AUTHORITIES: u8 = primitive(2);
            let flag = fields.next("issuingDistributionPoint")?;
            match (flag.tag(), flag.value()) {
                // A default that is written out.
                (USERS | AUTHORITIES | 0x84 | 0x85, [0]) => {}
                (USERS, [0xff]) if self.holders == Holders::All => self.holders = Holders::EndEntities,
                (AUTHORITIES, [0xff]) if self.holders == Holders::All => self.holders = Holders::Authorities,
                _ => return Err(flag.fault("an indirect or partial list alone tells nothing".into())),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {} entries)", self.issuer.short(), self.entries.len())
    }
}
