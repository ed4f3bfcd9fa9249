//! Pseudo-random functions; IKEv1 negotiates them as hash algorithms.

use super::names::named;
use super::{Names, Status, Support};

/// A pseudo-random function, and the hash function inside it: what IKEv1 calls the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Prf {
    /// HMAC-MD5 (RFC 2104).
    HmacMd5,
    /// HMAC-SHA-1 (RFC 2104).
    HmacSha1,
    /// HMAC-Tiger.
    HmacTiger,
    /// HMAC-SHA-256 (RFC 4868).
    HmacSha256,
    /// HMAC-SHA-384 (RFC 4868).
    HmacSha384,
    /// HMAC-SHA-512 (RFC 4868).
    HmacSha512,
    /// AES-XCBC-PRF-128 (RFC 4434).
    AesXcbc,
    /// AES-CMAC-PRF-128 (RFC 4615).
    AesCmac,
    /// HMAC-Streebog-512 (RFC 9385).
    HmacStreebog512,
    /// Camellia-XCBC-PRF-128 (a draft, strongSwan).
    CamelliaXcbc,
}

/// What there is to know about a pseudo-random function.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PrfRow {
    /// The function.
    pub id: Prf,
    /// Our name for it: the hash's.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
    /// Value of IKEv1's phase 1 attribute Hash Algorithm (RFC 2409 appendix A).
    pub ikev1_phase1: Option<u16>,
    /// IKEv2 transform ID of type 2 (RFC 7296 §3.3.2).
    pub ikev2: Option<u16>,
    /// Octets of output, which is also the preferred key length.
    pub output: usize,
    /// Octets of the hash inside it; 0 for functions without one.
    pub hash: usize,
    /// How far it may be trusted.
    pub status: Status,
    /// Where the status is said.
    pub status_source: &'static str,
    /// Whether it is implemented.
    pub support: Support,
    /// Whether the `legacy` feature and an explicit line of configuration are needed.
    pub legacy: bool,
}

static ROWS: [PrfRow; 10] = [
    PrfRow {
        id: Prf::HmacMd5,
        name: "md5",
        names: Names {
            ours: &["md5", "hmac-md5"],
            iana: &["PRF_HMAC_MD5", "MD5", "HMAC_MD5"],
            strongswan: &["md5", "prfmd5"],
            libreswan: &["HMAC_MD5", "md5"],
            cisco_policy: &["hash md5", "prf md5", "md5"],
            aix: &["MD5"],
            wireshark: &["MD5"],
            ..Names::NONE
        },
        ikev1_phase1: Some(1),
        ikev2: Some(1),
        output: 16,
        hash: 16,
        status: Status::Broken,
        status_source: "RFC 8247 section 2.2",
        support: Support::Native,
        legacy: true,
    },
    PrfRow {
        id: Prf::HmacSha1,
        name: "sha1",
        names: Names {
            ours: &["sha1", "sha", "hmac-sha1"],
            iana: &["PRF_HMAC_SHA1", "SHA", "HMAC_SHA1"],
            strongswan: &["sha1", "prfsha1", "sha"],
            libreswan: &["HMAC_SHA1", "sha1"],
            cisco_policy: &["hash sha", "prf sha1", "prf sha", "hash sha1", "sha"],
            aix: &["SHA"],
            wireshark: &["SHA"],
            ..Names::NONE
        },
        ikev1_phase1: Some(2),
        ikev2: Some(2),
        output: 20,
        hash: 20,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.2",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::HmacTiger,
        name: "tiger",
        names: Names {
            ours: &["tiger"],
            iana: &["PRF_HMAC_TIGER", "Tiger", "HMAC_TIGER"],
            wireshark: &["TIGER"],
            ..Names::NONE
        },
        ikev1_phase1: Some(3),
        ikev2: Some(3),
        output: 24,
        hash: 24,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("no user"),
        legacy: true,
    },
    PrfRow {
        id: Prf::HmacSha256,
        name: "sha256",
        names: Names {
            ours: &["sha256", "sha2-256", "hmac-sha256"],
            iana: &["PRF_HMAC_SHA2_256", "SHA2-256", "HMAC_SHA2_256"],
            strongswan: &["sha256", "prfsha256", "sha2_256"],
            libreswan: &["HMAC_SHA2_256", "sha2_256", "sha256"],
            cisco_policy: &["hash sha256", "prf sha256", "sha256"],
            wireshark: &["SHA2-256"],
            ..Names::NONE
        },
        ikev1_phase1: Some(4),
        ikev2: Some(5),
        output: 32,
        hash: 32,
        status: Status::Modern,
        status_source: "RFC 8247 section 2.2",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::HmacSha384,
        name: "sha384",
        names: Names {
            ours: &["sha384", "sha2-384", "hmac-sha384"],
            iana: &["PRF_HMAC_SHA2_384", "SHA2-384", "HMAC_SHA2_384"],
            strongswan: &["sha384", "prfsha384", "sha2_384"],
            libreswan: &["HMAC_SHA2_384", "sha2_384", "sha384"],
            cisco_policy: &["hash sha384", "prf sha384", "sha384"],
            wireshark: &["SHA2-384"],
            ..Names::NONE
        },
        ikev1_phase1: Some(5),
        ikev2: Some(6),
        output: 48,
        hash: 48,
        status: Status::Modern,
        status_source: "RFC 4868",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::HmacSha512,
        name: "sha512",
        names: Names {
            ours: &["sha512", "sha2-512", "hmac-sha512"],
            iana: &["PRF_HMAC_SHA2_512", "SHA2-512", "HMAC_SHA2_512"],
            strongswan: &["sha512", "prfsha512", "sha2_512"],
            libreswan: &["HMAC_SHA2_512", "sha2_512", "sha512"],
            cisco_policy: &["hash sha512", "prf sha512", "sha512"],
            wireshark: &["SHA2-512"],
            ..Names::NONE
        },
        ikev1_phase1: Some(6),
        ikev2: Some(7),
        output: 64,
        hash: 64,
        status: Status::Modern,
        status_source: "RFC 8247 section 2.2",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::AesXcbc,
        name: "aesxcbc",
        names: Names {
            ours: &["aesxcbc", "aes-xcbc"],
            iana: &["PRF_AES128_XCBC"],
            strongswan: &["prfaesxcbc", "aesxcbc"],
            libreswan: &["AES_XCBC", "aes_xcbc"],
            ..Names::NONE
        },
        ikev1_phase1: None,
        ikev2: Some(4),
        output: 16,
        hash: 0,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.2",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::AesCmac,
        name: "aescmac",
        names: Names {
            ours: &["aescmac", "aes-cmac"],
            iana: &["PRF_AES128_CMAC"],
            strongswan: &["prfaescmac", "aescmac"],
            ..Names::NONE
        },
        ikev1_phase1: None,
        ikev2: Some(8),
        output: 16,
        hash: 0,
        status: Status::Legacy,
        status_source: "RFC 4615",
        support: Support::Native,
        legacy: false,
    },
    PrfRow {
        id: Prf::HmacStreebog512,
        name: "streebog512",
        names: Names {
            ours: &["streebog512", "hmac-streebog512"],
            iana: &["PRF_HMAC_STREEBOG_512"],
            ..Names::NONE
        },
        ikev1_phase1: None,
        ikev2: Some(9),
        output: 64,
        hash: 64,
        status: Status::Legacy,
        status_source: "RFC 9385",
        support: Support::NamedOnly("a national algorithm; not implemented"),
        legacy: false,
    },
    PrfRow {
        id: Prf::CamelliaXcbc,
        name: "camelliaxcbc",
        names: Names {
            ours: &["camelliaxcbc"],
            strongswan: &["prfcamelliaxcbc", "camelliaxcbc"],
            ..Names::NONE
        },
        ikev1_phase1: None,
        ikev2: None,
        output: 16,
        hash: 0,
        status: Status::Legacy,
        status_source: "never specified",
        support: Support::NamedOnly("one implementation's own; not implemented"),
        legacy: false,
    },
];

named!(
    Prf,
    PrfRow,
    "hash",
    "accepted are names such as `sha256`, `PRF_HMAC_SHA2_256`, `prfsha256`, `hash sha256`"
);

impl Prf {
    /// Finds the function of an IKEv1 Hash Algorithm attribute value (RFC 2409 appendix A).
    pub fn from_ikev1_phase1(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_phase1 == Some(value)).map(|row| row.id)
    }

    /// Finds the function of an IKEv2 transform ID of type 2 (RFC 7296 §3.3.2).
    pub fn from_ikev2(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2 == Some(value)).map(|row| row.id)
    }

    /// Octets of output.
    pub fn output_len(self) -> usize {
        self.row().output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for row in Prf::rows() {
            assert!(row.ikev1_phase1.is_none_or(|id| Prf::from_ikev1_phase1(id) == Some(row.id)));
            assert!(row.ikev2.is_none_or(|id| Prf::from_ikev2(id) == Some(row.id)));
        }
    }
}
