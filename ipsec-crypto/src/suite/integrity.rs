//! Integrity algorithms of ESP, AH and IKE.

use super::named::named;
use super::{Status, Support};

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
}

/// What there is to know about an integrity algorithm.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IntegrityRow {
    /// The algorithm.
    pub id: Integrity,
    /// Our name for it, which is strongSwan's.
    pub name: &'static str,
    /// Other names: IANA's, Cisco's, Wireshark's, Linux's.
    pub aliases: &'static [&'static str],
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

static ROWS: [IntegrityRow; 17] = [
    IntegrityRow {
        id: Integrity::HmacMd5_96,
        name: "md5",
        aliases: &[
            "hmac-md5",
            "hmac-md5-96",
            "AUTH_HMAC_MD5_96",
            "HMAC_MD5_96",
            "esp-md5-hmac",
            "ah-md5-hmac",
            "hmac(md5)",
        ],
        ikev1_auth: Some(1),
        ikev1_ah: Some(2),
        ikev2: Some(1),
        key: 16,
        output: 16,
        icv: 12,
        status: Status::Broken,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::HmacSha1_96,
        name: "sha1",
        aliases: &[
            "sha",
            "hmac-sha",
            "hmac-sha1",
            "hmac-sha1-96",
            "AUTH_HMAC_SHA1_96",
            "HMAC_SHA1_96",
            "esp-sha-hmac",
            "ah-sha-hmac",
            "hmac(sha1)",
        ],
        ikev1_auth: Some(2),
        ikev1_ah: Some(3),
        ikev2: Some(2),
        key: 20,
        output: 20,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::DesMac,
        name: "des-mac",
        aliases: &["AUTH_DES_MAC", "DES_MAC"],
        ikev1_auth: Some(3),
        ikev1_ah: Some(4),
        ikev2: Some(3),
        key: 8,
        output: 8,
        icv: 8,
        status: Status::Broken,
        status_source: "RFC 8221 section 6",
        support: Support::NamedOnly("never specified"),
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::KpdkMd5,
        name: "kpdk-md5",
        aliases: &["AUTH_KPDK_MD5", "KPDK", "KPDK_MD5"],
        ikev1_auth: Some(4),
        ikev1_ah: None,
        ikev2: Some(4),
        key: 16,
        output: 16,
        icv: 16,
        status: Status::Broken,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::HmacSha256_128,
        name: "sha256",
        aliases: &[
            "sha2-256",
            "sha2_256",
            "hmac-sha256",
            "hmac-sha2-256",
            "hmac-sha2-256-128",
            "hmac-sha256-128",
            "AUTH_HMAC_SHA2_256_128",
            "HMAC_SHA2_256_128",
            "esp-sha256-hmac",
            "ah-sha256-hmac",
            "hmac(sha256)",
        ],
        ikev1_auth: Some(5),
        ikev1_ah: Some(5),
        ikev2: Some(12),
        key: 32,
        output: 32,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::HmacSha256_96,
        name: "sha256_96",
        aliases: &["hmac-sha256-96", "HMAC_SHA2_256_96"],
        ikev1_auth: None,
        ikev1_ah: None,
        ikev2: None,
        key: 32,
        output: 32,
        icv: 12,
        status: Status::Legacy,
        status_source: "draft-ietf-ipsec-ciph-sha-256-00",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::HmacSha384_192,
        name: "sha384",
        aliases: &[
            "sha2-384",
            "sha2_384",
            "hmac-sha384",
            "hmac-sha2-384",
            "hmac-sha2-384-192",
            "hmac-sha384-192",
            "AUTH_HMAC_SHA2_384_192",
            "HMAC_SHA2_384_192",
            "esp-sha384-hmac",
            "ah-sha384-hmac",
            "hmac(sha384)",
        ],
        ikev1_auth: Some(6),
        ikev1_ah: Some(6),
        ikev2: Some(13),
        key: 48,
        output: 48,
        icv: 24,
        status: Status::Modern,
        status_source: "RFC 4868",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::HmacSha512_256,
        name: "sha512",
        aliases: &[
            "sha2-512",
            "sha2_512",
            "hmac-sha512",
            "hmac-sha2-512",
            "hmac-sha2-512-256",
            "hmac-sha512-256",
            "AUTH_HMAC_SHA2_512_256",
            "HMAC_SHA2_512_256",
            "esp-sha512-hmac",
            "ah-sha512-hmac",
            "hmac(sha512)",
        ],
        ikev1_auth: Some(7),
        ikev1_ah: Some(7),
        ikev2: Some(14),
        key: 64,
        output: 64,
        icv: 32,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::HmacRipemd160_96,
        name: "ripemd160",
        aliases: &["hmac-ripemd", "hmac-ripemd-160-96", "HMAC_RIPEMD", "hmac(rmd160)"],
        ikev1_auth: Some(8),
        ikev1_ah: Some(8),
        ikev2: None,
        key: 20,
        output: 20,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 2857",
        support: Support::NamedOnly("not implemented"),
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::AesXcbc96,
        name: "aesxcbc",
        aliases: &["aes-xcbc-mac", "AUTH_AES_XCBC_96", "AES_XCBC_96", "xcbc(aes)"],
        ikev1_auth: Some(9),
        ikev1_ah: Some(9),
        ikev2: Some(5),
        key: 16,
        output: 16,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::AesCmac96,
        name: "aescmac",
        aliases: &["aes-cmac", "AUTH_AES_CMAC_96", "AES_CMAC_96", "cmac(aes)"],
        ikev1_auth: None,
        ikev1_ah: None,
        ikev2: Some(8),
        key: 16,
        output: 16,
        icv: 12,
        status: Status::Modern,
        status_source: "RFC 4494",
        support: Support::Native,
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::SigRsa,
        name: "sig-rsa",
        aliases: &["SIG_RSA"],
        ikev1_auth: Some(10),
        ikev1_ah: Some(10),
        ikev2: None,
        key: 0,
        output: 0,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 4359",
        support: Support::NamedOnly("meant for multicast; not implemented"),
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::HmacMd5_128,
        name: "md5_128",
        aliases: &["AUTH_HMAC_MD5_128", "HMAC_MD5_128"],
        ikev1_auth: None,
        ikev1_ah: None,
        ikev2: Some(6),
        key: 16,
        output: 16,
        icv: 16,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("for Fibre Channel only"),
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::HmacSha1_160,
        name: "sha1_160",
        aliases: &["AUTH_HMAC_SHA1_160", "HMAC_SHA1_160"],
        ikev1_auth: None,
        ikev1_ah: None,
        ikev2: Some(7),
        key: 20,
        output: 20,
        icv: 20,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("for Fibre Channel only"),
        legacy: true,
    },
    IntegrityRow {
        id: Integrity::AesGmac128,
        name: "aes128gmac-ah",
        aliases: &["AUTH_AES_128_GMAC", "AES_128_GMAC", "AH_AES-128-GMAC", "AES-128-GMAC"],
        ikev1_auth: Some(11),
        ikev1_ah: Some(11),
        ikev2: Some(9),
        key: 20,
        output: 16,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::NamedOnly("needs an IV in AH; not implemented"),
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::AesGmac192,
        name: "aes192gmac-ah",
        aliases: &["AUTH_AES_192_GMAC", "AES_192_GMAC", "AH_AES-192-GMAC", "AES-192-GMAC"],
        ikev1_auth: Some(12),
        ikev1_ah: Some(12),
        ikev2: Some(10),
        key: 28,
        output: 16,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::NamedOnly("needs an IV in AH; not implemented"),
        legacy: false,
    },
    IntegrityRow {
        id: Integrity::AesGmac256,
        name: "aes256gmac-ah",
        aliases: &["AUTH_AES_256_GMAC", "AES_256_GMAC", "AH_AES-256-GMAC", "AES-256-GMAC"],
        ikev1_auth: Some(13),
        ikev1_ah: Some(13),
        ikev2: Some(11),
        key: 36,
        output: 16,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::NamedOnly("needs an IV in AH; not implemented"),
        legacy: false,
    },
];

named!(Integrity, IntegrityRow, "integrity algorithm");

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
