//! Integrity algorithms of ESP, AH and IKE.

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
    IntegrityRow {
        id: Integrity::HmacMd5_96,
        name: "md5",
        names: Names {
            ours: &["md5", "hmac-md5", "hmac-md5-96"],
            iana: &["AUTH_HMAC_MD5_96", "HMAC-MD5", "AH_MD5"],
            strongswan: &["md5"],
            libreswan: &["HMAC_MD5_96", "md5", "hmac_md5"],
            cisco_transform: &["esp-md5-hmac", "ah-md5-hmac"],
            aix: &["HMAC_MD5"],
            xfrm: &["hmac(md5) 96", "hmac(md5)", "md5"],
            setkey: &["hmac-md5"],
            wireshark: &["HMAC-MD5-96 [RFC2403]", "HMAC_MD5_96 [RFC2403]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["sha1", "sha", "hmac-sha", "hmac-sha1", "hmac-sha1-96"],
            iana: &["AUTH_HMAC_SHA1_96", "HMAC-SHA", "AH_SHA"],
            strongswan: &["sha1", "sha"],
            libreswan: &["HMAC_SHA1_96", "sha1", "hmac_sha1"],
            cisco_transform: &["esp-sha-hmac", "ah-sha-hmac"],
            aix: &["HMAC_SHA"],
            xfrm: &["hmac(sha1) 96", "hmac(sha1)", "sha1"],
            setkey: &["hmac-sha1"],
            wireshark: &["HMAC-SHA-1-96 [RFC2404]", "HMAC_SHA1_96 [RFC2404]"],
            ..Names::NONE
        },
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
        names: Names { ours: &["des-mac"], iana: &["AUTH_DES_MAC", "DES-MAC", "AH_DES"], ..Names::NONE },
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
        names: Names {
            ours: &["kpdk-md5", "keyed-md5"],
            iana: &["AUTH_KPDK_MD5", "KPDK"],
            aix: &["KEYED_MD5"],
            setkey: &["keyed-md5"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &[
                "sha256",
                "sha2-256",
                "hmac-sha256",
                "hmac-sha2-256",
                "hmac-sha256-128",
                "hmac-sha2-256-128",
            ],
            iana: &["AUTH_HMAC_SHA2_256_128", "HMAC-SHA2-256", "AH_SHA2-256"],
            strongswan: &["sha256", "sha2_256"],
            libreswan: &["HMAC_SHA2_256_128", "sha2_256", "sha2", "sha256", "hmac_sha2_256"],
            cisco_transform: &["esp-sha256-hmac", "ah-sha256-hmac"],
            xfrm: &["hmac(sha256) 128"],
            setkey: &["hmac-sha2-256", "hmac-sha256"],
            wireshark: &["HMAC-SHA-256-128 [RFC4868]", "HMAC_SHA2_256_128 [RFC4868]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["sha256_96", "hmac-sha256-96", "hmac-sha2-256-96"],
            strongswan: &["sha256_96", "sha2_256_96"],
            libreswan: &["HMAC_SHA2_256_TRUNCBUG", "sha2_256_truncbug"],
            xfrm: &["hmac(sha256) 96", "hmac(sha256)", "sha256"],
            wireshark: &[
                "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]",
                "HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]",
            ],
            ..Names::NONE
        },
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
        names: Names {
            ours: &[
                "sha384",
                "sha2-384",
                "hmac-sha384",
                "hmac-sha2-384",
                "hmac-sha384-192",
                "hmac-sha2-384-192",
            ],
            iana: &["AUTH_HMAC_SHA2_384_192", "HMAC-SHA2-384", "AH_SHA2-384"],
            strongswan: &["sha384", "sha2_384"],
            libreswan: &["HMAC_SHA2_384_192", "sha2_384", "sha384", "hmac_sha2_384"],
            cisco_transform: &["esp-sha384-hmac", "ah-sha384-hmac"],
            xfrm: &["hmac(sha384) 192", "hmac(sha384)", "sha384"],
            setkey: &["hmac-sha2-384", "hmac-sha384"],
            wireshark: &["HMAC-SHA-384-192 [RFC4868]", "HMAC_SHA2_384_192 [RFC4868]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &[
                "sha512",
                "sha2-512",
                "hmac-sha512",
                "hmac-sha2-512",
                "hmac-sha512-256",
                "hmac-sha2-512-256",
            ],
            iana: &["AUTH_HMAC_SHA2_512_256", "HMAC-SHA2-512", "AH_SHA2-512"],
            strongswan: &["sha512", "sha2_512"],
            libreswan: &["HMAC_SHA2_512_256", "sha2_512", "sha512", "hmac_sha2_512"],
            cisco_transform: &["esp-sha512-hmac", "ah-sha512-hmac"],
            xfrm: &["hmac(sha512) 256", "hmac(sha512)", "sha512"],
            setkey: &["hmac-sha2-512", "hmac-sha512"],
            wireshark: &["HMAC-SHA-512-256 [RFC4868]", "HMAC_SHA2_512_256 [RFC4868]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["ripemd160", "hmac-ripemd160", "hmac-ripemd-160-96"],
            iana: &["HMAC-RIPEMD", "AH_RIPEMD"],
            xfrm: &["hmac(rmd160) 96", "hmac(rmd160)", "rmd160"],
            setkey: &["hmac-ripemd160"],
            wireshark: &["MAC-RIPEMD-160-96 [RFC2857]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["aesxcbc", "aes-xcbc", "aes-xcbc-mac"],
            iana: &["AUTH_AES_XCBC_96", "AES-XCBC-MAC", "AH_AES-XCBC-MAC"],
            strongswan: &["aesxcbc"],
            libreswan: &["AES_XCBC_96", "aes_xcbc"],
            aix: &["AES_XCBC_MAC_96"],
            xfrm: &["xcbc(aes) 96", "xcbc(aes)"],
            setkey: &["aes-xcbc-mac"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["aescmac", "aes-cmac"],
            iana: &["AUTH_AES_CMAC_96"],
            strongswan: &["aescmac"],
            libreswan: &["AES_CMAC_96", "aes_cmac"],
            xfrm: &["cmac(aes) 96", "cmac(aes)"],
            ..Names::NONE
        },
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
        names: Names { ours: &["sig-rsa"], iana: &["SIG-RSA", "AH_RSA"], ..Names::NONE },
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
        names: Names {
            ours: &["md5_128"],
            iana: &["AUTH_HMAC_MD5_128"],
            strongswan: &["md5_128"],
            xfrm: &["hmac(md5) 128"],
            wireshark: &["HMAC_MD5_128 [RFC4595]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["sha1_160"],
            iana: &["AUTH_HMAC_SHA1_160"],
            strongswan: &["sha1_160"],
            xfrm: &["hmac(sha1) 160"],
            wireshark: &["HMAC_SHA1_160 [RFC4595]"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["aes128gmac-ah"],
            iana: &["AUTH_AES_128_GMAC", "AES-128-GMAC", "AH_AES-128-GMAC"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["aes192gmac-ah"],
            iana: &["AUTH_AES_192_GMAC", "AES-192-GMAC", "AH_AES-192-GMAC"],
            ..Names::NONE
        },
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
        names: Names {
            ours: &["aes256gmac-ah"],
            iana: &["AUTH_AES_256_GMAC", "AES-256-GMAC", "AH_AES-256-GMAC"],
            ..Names::NONE
        },
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
    IntegrityRow {
        id: Integrity::CamelliaXcbc96,
        name: "camelliaxcbc",
        names: Names { ours: &["camelliaxcbc"], strongswan: &["camelliaxcbc"], ..Names::NONE },
        ikev1_auth: None,
        ikev1_ah: None,
        ikev2: None,
        key: 16,
        output: 16,
        icv: 12,
        status: Status::Legacy,
        status_source: "never specified",
        support: Support::NamedOnly("one implementation's own; not implemented"),
        legacy: false,
    },
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
