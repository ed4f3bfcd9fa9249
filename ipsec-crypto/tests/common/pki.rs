//! The certificates and revocation lists of `tests/data/pki`.

use std::fs;
use std::path::Path;

use ipsec_crypto::cert::{
    Certificate, CertificateCheck, CertificateError, CertificatePolicy, Crl, Intermediates, RevocationStatus,
    TrustAnchors,
};
use ipsec_crypto::{CryptoProvider, PublicKey};

/// 2030-01-01: when the cases are judged.
pub(crate) const NOW: u64 = 1_893_456_000;

pub(crate) fn octets(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pki").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn text(file: &str) -> String {
    String::from_utf8(octets(file)).unwrap()
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&octets(&format!("{name}.der"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn crl(name: &str) -> Crl {
    Crl::from_der(&octets(&format!("{name}.crl.der"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names between commas; `-` for none.
pub(crate) fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|name| *name != "-")
}

/// Everything beside the end entity's certificate.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) anchors: TrustAnchors,
    pub(crate) intermediates: Intermediates,
    pub(crate) crls: Vec<Crl>,
}

/// What is left of a path when its certificates are gone.
pub(crate) type Verdict = Result<(usize, PublicKey, RevocationStatus), CertificateError>;

impl Surroundings {
    pub(crate) fn new(anchors: &str, intermediates: &str, crls: &str) -> Self {
        let mut between = Intermediates::default();
        names(intermediates).for_each(|name| between.add(certificate(name)).unwrap());
        Self {
            anchors: names(anchors).map(certificate).collect(),
            intermediates: between,
            crls: names(crls).map(crl).collect(),
        }
    }

    pub(crate) fn check(&self) -> CertificateCheck<'_> {
        CertificateCheck {
            anchors: &self.anchors,
            intermediates: &self.intermediates,
            crls: &self.crls,
            time: NOW,
            identity: None,
            policy: CertificatePolicy::default(),
        }
    }

    pub(crate) fn judge(&self, provider: &CryptoProvider, certificate: &Certificate) -> Verdict {
        judge(provider, certificate, &self.check())
    }
}

pub(crate) fn judge(
    provider: &CryptoProvider,
    certificate: &Certificate,
    check: &CertificateCheck<'_>,
) -> Verdict {
    certificate
        .verify(provider, check)
        .map(|path| (path.certificates().len(), path.public_key().clone(), path.revocation()))
}
