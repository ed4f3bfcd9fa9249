//! Whether a certificate is revoked (RFC 5280 §6.3).

use super::certificate::{Certificate, serial_text};
use super::crl::Crl;
use super::error::{CertificateError, UsageFault};
use super::policy::RevocationPolicy;
use super::signature::{Statement, Verifier};

/// What the revocation lists say of the certificates of a path that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationStatus {
    /// A valid list covers each certificate that was to be checked, and names none of them.
    Good,
    /// For at least one certificate there is no valid list; the policy lets it pass.
    Unknown,
}

/// Looks a certificate up in every list of its issuer, the newest first.
///
/// Only a list that is of now and about the certificate says that all is well. That it is revoked is believed from any list that its
/// issuer signed: one that is out of date, or about others, does not name a serial number by mistake.
pub(super) fn check(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: &[Crl],
    now: u64,
    policy: RevocationPolicy,
    verifier: &mut Verifier<'_>,
) -> Result<RevocationStatus, CertificateError> {
    let mut candidates: Vec<&Crl> = crls.iter().filter(|crl| crl.issuer() == certificate.issuer()).collect();
    candidates.sort_by_key(|crl| std::cmp::Reverse(crl.this_update()));
    let mut fault = None;
    for crl in candidates {
        match verify(crl, issuer, verifier) {
            Ok(()) => revoked(certificate, crl)?,
            Err(error @ CertificateError::SearchTooLong { .. }) => return Err(error),
            Err(error) => {
                fault.get_or_insert(error);
                continue;
            }
        }
        match current(crl, now) {
            Ok(()) if crl.covers(certificate) => return Ok(RevocationStatus::Good),
            Ok(()) => {}
            Err(error) => {
                fault.get_or_insert(error);
            }
        }
    }
    match policy {
        RevocationPolicy::IfAvailable => Ok(RevocationStatus::Unknown),
        RevocationPolicy::Require => Err(fault.unwrap_or_else(|| CertificateError::CrlMissing {
            subject: certificate.title(),
            issuer: certificate.issuer().short(),
        })),
    }
}

fn revoked(certificate: &Certificate, crl: &Crl) -> Result<(), CertificateError> {
    match crl.find(certificate.serial()) {
        None => Ok(()),
        Some((reason, date)) => Err(CertificateError::Revoked {
            subject: certificate.title(),
            serial: serial_text(certificate.serial()),
            reason,
            date,
        }),
    }
}

/// Whether the issuer signed the list, and may.
fn verify(crl: &Crl, issuer: &Certificate, verifier: &mut Verifier<'_>) -> Result<(), CertificateError> {
    if issuer.extensions.key_usage.is_some_and(|usage| !usage.crl_sign()) {
        let fault = UsageFault::NotForRevocation;
        return Err(CertificateError::WrongUsage { subject: issuer.title(), fault });
    }
    let name = || crl.issuer().short();
    let statement =
        Statement { document: "revocation list", octets: crl.as_der(), signed: &crl.signed, subject: &name };
    verifier.check(statement, issuer)
}

fn current(crl: &Crl, now: u64) -> Result<(), CertificateError> {
    let issuer = crl.issuer().short();
    let (this_update, next_update) = (crl.this_update(), crl.next_update());
    if now < this_update {
        Err(CertificateError::CrlNotYetValid { issuer, this_update, now })
    } else if now > next_update {
        Err(CertificateError::CrlExpired { issuer, next_update, now })
    } else {
        Ok(())
    }
}
