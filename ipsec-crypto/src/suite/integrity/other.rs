//! The rows of everything else: block ciphers, keyed MD5, signatures.

use super::{Integrity, IntegrityRow};
use crate::suite::{Names, Status, Support};

pub(super) const DES_MAC: IntegrityRow = IntegrityRow {
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
};

pub(super) const KPDK_MD5: IntegrityRow = IntegrityRow {
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
};

pub(super) const AES_XCBC96: IntegrityRow = IntegrityRow {
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
};

pub(super) const AES_CMAC96: IntegrityRow = IntegrityRow {
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
};

pub(super) const SIG_RSA: IntegrityRow = IntegrityRow {
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
};

pub(super) const AES_GMAC128: IntegrityRow = IntegrityRow {
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
};

pub(super) const AES_GMAC192: IntegrityRow = IntegrityRow {
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
};

pub(super) const AES_GMAC256: IntegrityRow = IntegrityRow {
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
};

pub(super) const CAMELLIA_XCBC96: IntegrityRow = IntegrityRow {
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
};
