//! Integrity algorithms of ESP, AH and IKE.

mod hmac;
mod other;

use super::names::named;
use super::{Names, Status, Support};

/// An integrity algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Integrity {
    /// HMAC-MD5-96 (RFC 2403).
    HmacMd5_96,
    /// HMAC-SHA-1-96 (RFC 2404).
    HmacSha1_96,
    /// DES-MAC (never specified).
    DesMac,
    /// KPDK: keyed MD5 (RFC 1828).
    KpdkMd5,
    /// HMAC-SHA-256-128 (RFC 4868).
    HmacSha256_128,
    /// HMAC-SHA-256 truncated to 96 bits (a draft, old Linux kernels).
    HmacSha256_96,
    /// HMAC-SHA-384-192 (RFC 4868).
    HmacSha384_192,
    /// HMAC-SHA-512-256 (RFC 4868).
    HmacSha512_256,
    /// HMAC-RIPEMD-160-96 (RFC 2857).
    HmacRipemd160_96,
    /// AES-XCBC-MAC-96 (RFC 3566).
    AesXcbc96,
    /// AES-CMAC-96 (RFC 4494).
    AesCmac96,
    /// RSA signatures on packets (RFC 4359).
    SigRsa,
    /// HMAC-MD5 in its whole length (RFC 4595, for Fibre Channel).
    HmacMd5_128,
    /// HMAC-SHA-1 in its whole length (RFC 4595, for Fibre Channel).
    HmacSha1_160,
    /// AES-GMAC of AH with 128-bit keys (RFC 4543); ESP has it as an encryption algorithm.
    AesGmac128,
    /// AES-GMAC of AH with 192-bit keys (RFC 4543); ESP has it as an encryption algorithm.
    AesGmac192,
    /// AES-GMAC of AH with 256-bit keys (RFC 4543); ESP has it as an encryption algorithm.
    AesGmac256,
    /// Camellia-XCBC-96 (a draft, strongSwan).
    CamelliaXcbc96,
}

/// What there is to know about an integrity algorithm.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IntegrityRow {
    /// The algorithm.
    pub id: Integrity,
    /// Our name for it, which is strongSwan's.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
    /// Value of IKEv1's phase 2 attribute Authentication Algorithm (RFC 2407 §4.5).
    pub ikev1_auth: Option<u16>,
    /// AH transform identifier of IKEv1's phase 2 (RFC 2407 §4.4.3).
    pub ikev1_ah: Option<u8>,
    /// IKEv2 transform ID of type 3 (RFC 7296 §3.3.2).
    pub ikev2: Option<u16>,
    /// Octets of key: fixed, the length of the untruncated output for HMAC.
    pub key: usize,
    /// Octets of the untruncated output.
    pub output: usize,
    /// Octets of ICV in each packet.
    pub icv: usize,
    /// How far it may be trusted.
    pub status: Status,
    /// Where the status is said.
    pub status_source: &'static str,
    /// Whether it is implemented.
    pub support: Support,
    /// Whether the `legacy` feature and an explicit line of configuration are needed.
    pub legacy: bool,
}

static ROWS: [IntegrityRow; 18] = [
    hmac::HMAC_MD5_96,
    hmac::HMAC_SHA1_96,
    other::DES_MAC,
    other::KPDK_MD5,
    hmac::HMAC_SHA256_128,
    hmac::HMAC_SHA256_96,
    hmac::HMAC_SHA384_192,
    hmac::HMAC_SHA512_256,
    hmac::HMAC_RIPEMD160_96,
    other::AES_XCBC96,
    other::AES_CMAC96,
    other::SIG_RSA,
    hmac::HMAC_MD5_128,
    hmac::HMAC_SHA1_160,
    other::AES_GMAC128,
    other::AES_GMAC192,
    other::AES_GMAC256,
    other::CAMELLIA_XCBC96,
];
named!(
    Integrity,
    IntegrityRow,
    "integrity algorithm",
    "accepted are names such as `sha256`, `AUTH_HMAC_SHA1_96`, `esp-sha-hmac`, `HMAC_MD5`, `hmac(sha256) 128`"
);

impl Integrity {
    /// Finds the algorithm of an IKEv1 Authentication Algorithm attribute value (RFC 2407 §4.5).
    pub fn from_ikev1_auth(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_auth == Some(value)).map(|row| row.id)
    }

    /// Finds the algorithm of an AH transform identifier of IKEv1 (RFC 2407 §4.4.3).
    pub fn from_ikev1_ah(value: u8) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_ah == Some(value)).map(|row| row.id)
    }

    /// Finds the algorithm of an IKEv2 transform ID of type 3 (RFC 7296 §3.3.2).
    pub fn from_ikev2(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2 == Some(value)).map(|row| row.id)
    }

    /// Octets of key to take from the keying material.
    pub fn key_len(self) -> usize {
        self.row().key
    }

    /// Octets of ICV in each packet.
    pub fn icv_len(self) -> usize {
        self.row().icv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for row in Integrity::rows() {
            assert!(row.ikev1_auth.is_none_or(|id| Integrity::from_ikev1_auth(id) == Some(row.id)));
            assert!(row.ikev1_ah.is_none_or(|id| Integrity::from_ikev1_ah(id) == Some(row.id)));
            assert!(row.ikev2.is_none_or(|id| Integrity::from_ikev2(id) == Some(row.id)));
            assert!(row.icv <= crate::MAX_ICV_LEN);
        }
    }
}
