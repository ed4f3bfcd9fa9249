//! From an end entity to a trust anchor: building paths (RFC 4158) and validating them (RFC 5280 §6.1).

use super::certificate::Certificate;
use super::crl::Crl;
use super::error::{CertificateError, UsageFault};
use super::identity::ExpectedIdentity;
use super::policy::{CertificatePolicy, MAX_AUTHORITIES, RevocationDepth};
use super::revocation::{self, RevocationStatus};
use super::signature::{MAX_SIGNATURES, Statement, Verifier};
use super::store::{Intermediates, TrustAnchors};
use crate::key::PublicKey;
use crate::provider::CryptoProvider;
use crate::suite::KeyAlgorithm;

/// The most certificates that are put on top of a path while it is searched, over all attempts.
const MAX_STEPS: usize = 256;

/// All that a certificate is judged by.
#[derive(Clone, Copy, Debug)]
pub struct CertificateCheck<'a> {
    /// Who is trusted.
    pub anchors: &'a TrustAnchors,
    /// What may stand between.
    pub intermediates: &'a Intermediates,
    /// The revocation lists at hand.
    pub crls: &'a [Crl],
    /// The time, in seconds since 1970.
    pub time: u64,
    /// Whose certificate it must be; `None` if the caller compares.
    pub identity: Option<&'a ExpectedIdentity>,
    /// What the configuration demands.
    pub policy: CertificatePolicy,
}

/// A certificate that was found good, and why.
#[derive(Clone, Debug)]
pub struct VerifiedPath<'a> {
    certificates: Vec<&'a Certificate>,
    key: &'a PublicKey,
    revocation: RevocationStatus,
}

impl<'a> VerifiedPath<'a> {
    /// The path: the end entity's certificate first, the trust anchor last. One certificate, if it is itself trusted.
    #[must_use]
    pub fn certificates(&self) -> &[&'a Certificate] {
        &self.certificates
    }

    /// The end entity's key: what its signatures are verified with.
    #[must_use]
    pub fn public_key(&self) -> &'a PublicKey {
        self.key
    }

    /// What the revocation lists say.
    #[must_use]
    pub fn revocation(&self) -> RevocationStatus {
        self.revocation
    }
}

impl Certificate {
    /// Judges the certificate as that of an IKE peer: searches a path to a trust anchor, and checks each certificate of it.
    ///
    /// Other paths are tried when one is bad; the error is that of the path that came furthest.
    ///
    /// # Errors
    /// All of [`CertificateError`] but those of reading files.
    pub fn verify<'a>(
        &'a self,
        provider: &'a CryptoProvider,
        check: &CertificateCheck<'a>,
    ) -> Result<VerifiedPath<'a>, CertificateError> {
        let verifier = Verifier { provider, sha1: check.policy.sha1_signatures, left: MAX_SIGNATURES };
        let mut search = Search { check: *check, verifier, steps: MAX_STEPS };
        let mut path = vec![self];
        if check.anchors.as_slice().contains(self) {
            return search.validate(&path);
        }
        search.extend(&mut path)
    }
}

struct Search<'a> {
    check: CertificateCheck<'a>,
    verifier: Verifier<'a>,
    steps: usize,
}

impl<'a> Search<'a> {
    /// Tries every issuer of the last certificate of the path, which is left as it was.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>) -> Result<VerifiedPath<'a>, CertificateError> {
        let Some(&head) = path.last() else { unreachable!("a path begins with the end entity") };
        let mut best =
            CertificateError::UnknownIssuer { subject: head.title(), issuer: head.issuer().short() };
        let (anchors, intermediates) = (self.check.anchors, self.check.intermediates);
        for anchor in likely_first(head, anchors.as_slice()) {
            // That is already in the path by another certificate of its own: without that one, the path was tried.
            if path.iter().any(|known| is_same_authority(known, anchor)) {
                continue;
            }
            path.push(anchor);
            let result = self.validate(path);
            path.pop();
            match result {
                Err(error) if !is_final(&error) => best = further(best, error),
                found_or_final => return found_or_final,
            }
        }
        let limit = self.check.policy.max_authorities.min(MAX_AUTHORITIES);
        for issuer in likely_first(head, intermediates.as_slice()) {
            // The same authority again is a loop (RFC 4158 §5.2).
            if path.iter().any(|known| is_same_authority(known, issuer)) {
                continue;
            }
            if path.len() > limit {
                let subject = "the configuration".to_owned();
                best = further(best, CertificateError::PathTooLong { subject, limit });
                break;
            }
            self.steps =
                self.steps.checked_sub(1).ok_or(CertificateError::SearchTooLong { limit: MAX_STEPS })?;
            path.push(issuer);
            let result = self.extend(path);
            path.pop();
            match result {
                Err(error) if !is_final(&error) => best = further(best, error),
                found_or_final => return found_or_final,
            }
        }
        Err(best)
    }

    /// Checks a whole path, end entity first, from the trust anchor down.
    fn validate(&mut self, path: &[&'a Certificate]) -> Result<VerifiedPath<'a>, CertificateError> {
        let (Some(&end_entity), Some(&anchor)) = (path.first(), path.last()) else {
            unreachable!("a path begins with the end entity")
        };
        self.check_each(anchor)?;
        // How many authorities may still come, and who says so (RFC 5280 §6.1.4 (l), (m)).
        let mut room: Option<(usize, &Certificate)> = None;
        let mut revocation = RevocationStatus::Good;
        for (depth, pair) in path.windows(2).enumerate().rev() {
            let &[certificate, issuer] = pair else { continue };
            check_authority(issuer)?;
            self.check_purposes(issuer)?;
            let is_anchor = depth + 2 == path.len();
            room = room_below(issuer, is_anchor, room)?;
            let subject = || certificate.title();
            let statement = Statement {
                document: "certificate",
                octets: certificate.as_der(),
                signed: &certificate.signed,
                subject: &subject,
            };
            self.verifier.check(statement, issuer)?;
            self.check_each(certificate)?;
            let is_end_entity = depth == 0;
            // Self-issued authorities change their keys under the same name (RFC 5280 §6.1.3 (b), (c)).
            if is_end_entity || !certificate.is_self_issued() {
                check_names(certificate, path.get(depth + 1..).unwrap_or_default())?;
            }
            if is_end_entity || self.check.policy.revocation_depth == RevocationDepth::Path {
                let CertificateCheck { crls, time, policy, .. } = self.check;
                let status = revocation::check(
                    certificate,
                    issuer,
                    crls,
                    time,
                    policy.revocation,
                    &mut self.verifier,
                )?;
                if status == RevocationStatus::Unknown {
                    revocation = status;
                }
            }
        }
        self.check_end_entity(end_entity)?;
        let key = end_entity.public_key()?;
        Ok(VerifiedPath { certificates: path.to_vec(), key, revocation })
    }

    /// What every certificate of a path must satisfy, the trust anchor too.
    fn check_each(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let now = self.check.time;
        let (not_before, not_after) = certificate.validity();
        if now < not_before {
            return Err(CertificateError::NotYetValid { subject: certificate.title(), not_before, now });
        }
        if now > not_after {
            return Err(CertificateError::Expired { subject: certificate.title(), not_after, now });
        }
        if let Some(oid) = certificate.extensions.unknown_critical {
            let (subject, oid) = (certificate.title(), oid.to_string());
            return Err(CertificateError::UnsupportedCriticalExtension { subject, oid });
        }
        let key = certificate.public_key()?;
        let policy = self.check.policy;
        let (algorithm, minimum) = match key.algorithm() {
            KeyAlgorithm::Rsa => ("RSA", policy.min_rsa_bits),
            _ => ("EC", policy.min_ec_bits),
        };
        if key.bits() < minimum {
            let (subject, bits) = (certificate.title(), key.bits());
            return Err(CertificateError::WeakKey { subject, algorithm, bits, minimum });
        }
        Ok(())
    }

    fn check_purposes(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let Some(purposes) = &certificate.extensions.extended_key_usage else { return Ok(()) };
        self.check.policy.extended_key_usage.check(purposes).map_err(|names| {
            let fault = UsageFault::NotForIke(names);
            CertificateError::WrongUsage { subject: certificate.title(), fault }
        })
    }

    fn check_end_entity(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let usage = certificate.extensions.key_usage;
        if usage.is_some_and(|usage| !usage.digital_signature() && !usage.non_repudiation()) {
            let fault = UsageFault::NotForSignatures;
            return Err(CertificateError::WrongUsage { subject: certificate.title(), fault });
        }
        self.check_purposes(certificate)?;
        match self.check.identity {
            Some(identity) => identity.check(certificate, self.verifier.provider),
            None => Ok(()),
        }
    }
}

/// Those that have the subject that issued the certificate; first those with the key that it names (RFC 4158 §3.5.12).
fn likely_first<'a>(
    certificate: &'a Certificate,
    candidates: &'a [Certificate],
) -> impl Iterator<Item = &'a Certificate> {
    let wanted = certificate.extensions.authority_key_id.as_deref();
    let has_key = move |issuer: &&Certificate| wanted.is_some() && issuer.subject_key_id() == wanted;
    let likely = candidates.iter().filter(move |issuer| has_key(issuer));
    let others = candidates.iter().filter(move |issuer| !has_key(issuer));
    likely.chain(others).filter(|issuer| issuer.subject() == certificate.issuer())
}

/// Whether two certificates certify the same key to the same name.
fn is_same_authority(one: &Certificate, other: &Certificate) -> bool {
    one.spki() == other.spki() && one.subject() == other.subject()
}

/// Whether the certificate may have issued another (RFC 5280 §6.1.4 (k), (n)).
fn check_authority(issuer: &Certificate) -> Result<(), CertificateError> {
    let fault = if !issuer.is_authority() {
        UsageFault::NotAnAuthority
    } else if issuer.extensions.key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        UsageFault::NotForCertificates
    } else {
        return Ok(());
    };
    Err(CertificateError::WrongUsage { subject: issuer.title(), fault })
}

/// How many authorities may stand below this one: as many as above it allowed, less itself, or fewer if it says so.
fn room_below<'a>(
    issuer: &'a Certificate,
    is_anchor: bool,
    above: Option<(usize, &'a Certificate)>,
) -> Result<Option<(usize, &'a Certificate)>, CertificateError> {
    let takes_room = !is_anchor && !issuer.is_self_issued();
    let inherited = match above {
        Some((0, limiter)) if takes_room => {
            let limit = limiter.extensions.basic_constraints.as_ref().and_then(|own| own.path_len_constraint);
            return Err(CertificateError::PathTooLong {
                subject: limiter.title(),
                limit: limit.map_or(0, usize::from),
            });
        }
        Some((room, limiter)) => Some((room - usize::from(takes_room), limiter)),
        None => None,
    };
    let own = issuer.extensions.basic_constraints.as_ref().and_then(|own| own.path_len_constraint);
    Ok(match (own.map(usize::from), inherited) {
        (Some(own), Some((room, limiter))) if room <= own => Some((room, limiter)),
        (Some(own), _) => Some((own, issuer)),
        (None, inherited) => inherited,
    })
}

/// Checks the names of a certificate against the constraints of every authority above it.
fn check_names(certificate: &Certificate, above: &[&Certificate]) -> Result<(), CertificateError> {
    for issuer in above {
        if let Some(constraints) = &issuer.extensions.name_constraints {
            constraints.check(certificate.subject(), certificate.alternative_names()).map_err(
                |(name, rule)| CertificateError::NameConstraint {
                    subject: certificate.title(),
                    name,
                    issuer: issuer.title(),
                    rule,
                },
            )?;
        }
    }
    Ok(())
}

/// Whether no other path needs to be tried.
fn is_final(error: &CertificateError) -> bool {
    matches!(error, CertificateError::SearchTooLong { .. })
}

/// Of two paths' errors, that of the one that came further; of equals, the first.
fn further(one: CertificateError, other: CertificateError) -> CertificateError {
    let rank = |error: &CertificateError| match error {
        // No path, or one by a namesake of the issuer.
        CertificateError::UnknownIssuer { .. } => 0,
        CertificateError::PathTooLong { .. } => 1,
        CertificateError::BadSignature { .. } => 2,
        _ => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}
