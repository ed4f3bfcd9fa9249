//! Where issuers are looked for.

use super::certificate::Certificate;
use super::error::CertificateError;
use super::fields::at_most;

/// The most certificates beside the end entity's that are looked at in one search.
pub const MAX_INTERMEDIATES: usize = 32;

/// The certificates that are trusted without proof: authorities, or single peers whose certificates are known.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Trusts a certificate. One that is there already stays once.
    pub fn add(&mut self, certificate: Certificate) {
        if !self.0.contains(&certificate) {
            self.0.push(certificate);
        }
    }

    /// The certificates, in the order they came.
    #[must_use]
    pub fn as_slice(&self) -> &[Certificate] {
        &self.0
    }
}

impl FromIterator<Certificate> for TrustAnchors {
    fn from_iter<I: IntoIterator<Item = Certificate>>(certificates: I) -> Self {
        let mut all = Self::default();
        certificates.into_iter().for_each(|certificate| all.add(certificate));
        all
    }
}

/// Certificates that may be in a path, none of them trusted: what the peer sent, and what the configuration has.
#[derive(Clone, Debug, Default)]
pub struct Intermediates(Vec<Certificate>);

impl Intermediates {
    /// Adds a certificate. One that is there already stays once.
    ///
    /// # Errors
    /// [`CertificateError::TooMuch`] when there are [`MAX_INTERMEDIATES`] already; the certificate is left out.
    pub fn add(&mut self, certificate: Certificate) -> Result<(), CertificateError> {
        if !self.0.contains(&certificate) {
            at_most("certificates beside the end entity's", self.0.len() + 1, MAX_INTERMEDIATES)?;
            self.0.push(certificate);
        }
        Ok(())
    }

    /// The certificates, in the order they came.
    #[must_use]
    pub fn as_slice(&self) -> &[Certificate] {
        &self.0
    }
}
