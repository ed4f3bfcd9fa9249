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
pub(super) fn check(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: &[Crl],
    now: u64,
    policy: RevocationPolicy,
    verifier: &mut Verifier<'_>,
) -> Result<RevocationStatus, CertificateError> {
    let mut candidates: Vec<&Crl> = crls.iter().filter(|crl| crl.covers(certificate)).collect();
    candidates.sort_by_key(|crl| std::cmp::Reverse(crl.this_update()));
    let mut fault = None;
    for crl in candidates {
        match usable(crl, issuer, now, verifier) {
            Ok(()) => {}
            Err(error @ CertificateError::SearchTooLong { .. }) => return Err(error),
            // A list that was good once: who was revoked then still is.
            Err(error @ CertificateError::CrlExpired { .. }) => {
                revoked(certificate, crl)?;
                fault.get_or_insert(error);
                continue;
            }
            Err(error) => {
                fault.get_or_insert(error);
                continue;
            }
        }
        return revoked(certificate, crl).map(|()| RevocationStatus::Good);
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

/// Whether a list is the issuer's and of now. It is found to be out of date only after its signature was found good.
fn usable(
    crl: &Crl,
    issuer: &Certificate,
    now: u64,
    verifier: &mut Verifier<'_>,
) -> Result<(), CertificateError> {
    let name = || crl.issuer().short();
    if issuer.extensions.key_usage.is_some_and(|usage| !usage.crl_sign()) {
        let fault = UsageFault::NotForRevocation;
        return Err(CertificateError::WrongUsage { subject: issuer.title(), fault });
    }
    let statement =
        Statement { document: "revocation list", octets: crl.as_der(), signed: &crl.signed, subject: &name };
    verifier.check(statement, issuer)?;
    if now < crl.this_update() {
        return Err(CertificateError::CrlNotYetValid { issuer: name(), this_update: crl.this_update(), now });
    }
    if now > crl.next_update() {
        return Err(CertificateError::CrlExpired { issuer: name(), next_update: crl.next_update(), now });
    }
    Ok(())
}
