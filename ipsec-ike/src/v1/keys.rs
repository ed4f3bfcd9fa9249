//! Keys and IVs of IKEv1 (RFC 2409 §5, §5.5, appendix B).

use ipsec_crypto::{CipherKey, CryptoError, CryptoProvider, PrfAlgorithm, Secret};

use crate::event::Cookies;
use crate::suite::IkeSuite;

/// SKEYID for pre-shared keys: prf(psk, Ni_b | Nr_b).
pub(crate) fn skeyid_psk(prf: &dyn PrfAlgorithm, psk: &[u8], ni: &[u8], nr: &[u8]) -> Secret {
    prf.mac(psk, &[ni, nr])
}

/// SKEYID_d, SKEYID_a and SKEYID_e (RFC 2409 §5).
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) d: Secret,
    pub(crate) a: Secret,
    pub(crate) e: Secret,
}

pub(crate) fn derive(prf: &dyn PrfAlgorithm, skeyid: &Secret, gxy: &Secret, cookies: &Cookies) -> Derived {
    let (gxy, i, r) = (gxy.as_slice(), &cookies.initiator.0[..], &cookies.responder.0[..]);
    let d = prf.mac(skeyid.as_slice(), &[gxy, i, r, &[0]]);
    let a = prf.mac(skeyid.as_slice(), &[d.as_slice(), gxy, i, r, &[1]]);
    let e = prf.mac(skeyid.as_slice(), &[a.as_slice(), gxy, i, r, &[2]]);
    Derived { d, a, e }
}

/// The encryption key of phase 1: SKEYID_e if it is long enough, else Ka = K1 | K2 | … with K1 = prf(SKEYID_e, 0)
/// (RFC 2409 appendix B).
pub(crate) fn encryption_key(prf: &dyn PrfAlgorithm, skeyid_e: &Secret, length: usize) -> Secret {
    if let Some(enough) = skeyid_e.as_slice().get(..length) {
        return Secret::from_slice(enough);
    }
    let first = prf.mac(skeyid_e.as_slice(), &[&[0]]);
    expand(first, length, |last| prf.mac(skeyid_e.as_slice(), &[last]))
}

/// KEYMAT of one SA (RFC 2409 §5.5): prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b), chained to `length`.
pub(crate) fn keymat(
    prf: &dyn PrfAlgorithm,
    skeyid_d: &Secret,
    gqm: Option<&Secret>,
    protocol: u8,
    spi: [u8; 4],
    (ni, nr): (&[u8], &[u8]),
    length: usize,
) -> Secret {
    let gqm = gqm.map_or(&[][..], Secret::as_slice);
    let first = prf.mac(skeyid_d.as_slice(), &[gqm, &[protocol], &spi, ni, nr]);
    expand(first, length, |last| prf.mac(skeyid_d.as_slice(), &[last, gqm, &[protocol], &spi, ni, nr]))
}

/// K1 | K2 | … where each is made from the one before, cut to `length`.
fn expand(first: Secret, length: usize, next: impl Fn(&[u8]) -> Secret) -> Secret {
    let mut octets = Vec::with_capacity(length + first.len());
    let mut last = first;
    while octets.len() < length {
        octets.extend_from_slice(last.as_slice());
        last = next(last.as_slice());
    }
    octets.truncate(length);
    Secret::new(octets)
}

/// What an ISAKMP SA computes with.
#[derive(Debug)]
pub(crate) struct SaKeys {
    pub(crate) prf: &'static dyn PrfAlgorithm,
    pub(crate) skeyid: Secret,
    pub(crate) skeyid_d: Secret,
    pub(crate) skeyid_a: Secret,
    pub(crate) cipher: Box<dyn CipherKey>,
    /// For a protocol analyser, where the configuration asks for it.
    pub(crate) encryption: Secret,
}

impl SaKeys {
    pub(crate) fn new(
        provider: &CryptoProvider,
        suite: &IkeSuite,
        skeyid: Secret,
        gxy: &Secret,
        cookies: &Cookies,
    ) -> Result<Self, CryptoError> {
        let prf = provider.prf(suite.prf)?;
        let Derived { d, a, e } = derive(prf, &skeyid, gxy, cookies);
        let encryption = encryption_key(prf, &e, suite.cipher.key_len());
        let cipher = provider.cipher_key(suite.cipher, encryption.as_slice())?;
        Ok(Self { prf, skeyid, skeyid_d: d, skeyid_a: a, cipher, encryption })
    }

    /// The first IV of phase 1: hash(g^xi | g^xr), cut to a block (RFC 2409 appendix B).
    pub(crate) fn phase1_iv(&self, gxi: &[u8], gxr: &[u8]) -> Vec<u8> {
        self.iv(&[gxi, gxr])
    }

    /// The first IV of a phase 2 exchange: hash(last block of phase 1 | M-ID), cut to a block.
    pub(crate) fn phase2_iv(&self, last_block: &[u8], message_id: u32) -> Vec<u8> {
        self.iv(&[last_block, &message_id.to_be_bytes()])
    }

    fn iv(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut iv = self.prf.hash(parts);
        iv.truncate(self.cipher.iv_len());
        iv
    }

    /// prf(SKEYID_a, parts): HASH(1), HASH(2) and HASH(3) of phase 2.
    pub(crate) fn phase2_hash(&self, parts: &[&[u8]]) -> Secret {
        self.prf.mac(self.skeyid_a.as_slice(), parts)
    }
}

#[cfg(test)]
mod known_answers;
