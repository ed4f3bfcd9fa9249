//! The rows of HMAC.

use super::{Integrity, IntegrityRow};
use crate::suite::{Names, Status, Support};

pub(super) const HMAC_MD5_96: IntegrityRow = IntegrityRow {
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
};

pub(super) const HMAC_SHA1_96: IntegrityRow = IntegrityRow {
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
};

pub(super) const HMAC_SHA256_128: IntegrityRow = IntegrityRow {
    id: Integrity::HmacSha256_128,
    name: "sha256",
    names: Names {
        ours: &["sha256", "sha2-256", "hmac-sha256", "hmac-sha2-256", "hmac-sha256-128", "hmac-sha2-256-128"],
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
};

pub(super) const HMAC_SHA256_96: IntegrityRow = IntegrityRow {
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
};

pub(super) const HMAC_SHA384_192: IntegrityRow = IntegrityRow {
    id: Integrity::HmacSha384_192,
    name: "sha384",
    names: Names {
        ours: &["sha384", "sha2-384", "hmac-sha384", "hmac-sha2-384", "hmac-sha384-192", "hmac-sha2-384-192"],
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
};

pub(super) const HMAC_SHA512_256: IntegrityRow = IntegrityRow {
    id: Integrity::HmacSha512_256,
    name: "sha512",
    names: Names {
        ours: &["sha512", "sha2-512", "hmac-sha512", "hmac-sha2-512", "hmac-sha512-256", "hmac-sha2-512-256"],
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
};

pub(super) const HMAC_RIPEMD160_96: IntegrityRow = IntegrityRow {
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
};

pub(super) const HMAC_MD5_128: IntegrityRow = IntegrityRow {
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
};

pub(super) const HMAC_SHA1_160: IntegrityRow = IntegrityRow {
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
};
