//! The rows of AES in all its modes.

use super::{Encryption, EncryptionRow};
use crate::suite::{Names, Status, Support, WeakKeys};

pub(super) const CBC: EncryptionRow = EncryptionRow {
    id: Encryption::AesCbc,
    name: "aes-cbc",
    names: Names {
        ours: &["aes#", "aes", "aes-cbc", "aes-#", "aes #", "aes#cbc", "aes-cbc-#", "rijndael"],
        iana: &["ENCR_AES_CBC", "ESP_AES", "ESP_AES-CBC", "AES-CBC"],
        strongswan: &["aes#", "aes"],
        libreswan: &["AES_CBC_#", "AES_CBC", "aes#", "aes"],
        cisco_transform: &["esp-aes #", "esp-aes", "esp-aes-#", "esp-#-aes"],
        cisco_policy: &[
            "encr aes #",
            "encr aes",
            "encryption aes #",
            "encryption aes",
            "encryption aes-#",
            "encryption aes-cbc-#",
        ],
        aix: &["AES_CBC_#"],
        xfrm: &["cbc(aes)", "aes"],
        setkey: &["rijndael-cbc", "aes-cbc"],
        wireshark: &["AES-CBC [RFC3602]", "AES-CBC-# [RFC3602]"],
    },
    ikev1_phase1: Some(7),
    ikev1_esp: Some(12),
    ikev2: Some(12),
    key_bits: &[128, 192, 256],
    default_key_bits: 128,
    key_length_attribute: true,
    weak_keys: WeakKeys::None,
    salt: 0,
    iv: 16,
    block: 16,
    icv: 0,
    status: Status::Modern,
    status_source: "RFC 8221 section 5",
    support: Support::Native,
    legacy: false,
};

pub(super) const CTR: EncryptionRow = EncryptionRow {
    id: Encryption::AesCtr,
    name: "aes-ctr",
    names: Names {
        ours: &["aes#ctr", "aes-ctr", "aes-ctr-#"],
        iana: &["ENCR_AES_CTR", "ESP_AES-CTR", "AES-CTR"],
        strongswan: &["aes#ctr"],
        libreswan: &["AES_CTR_#", "AES_CTR", "aes_ctr#"],
        xfrm: &["rfc3686(ctr(aes))"],
        setkey: &["aes-ctr"],
        wireshark: &["AES-CTR [RFC3686]", "AES-CTR-# [RFC5930]"],
        ..Names::NONE
    },
    ikev1_phase1: None,
    ikev1_esp: Some(13),
    ikev2: Some(13),
    salt: 4,
    iv: 8,
    block: 1,
    status_source: "RFC 3686",
    ..CBC
};

pub(super) const CCM_8: EncryptionRow = EncryptionRow {
    id: Encryption::AesCcm8,
    name: "aes-ccm-8",
    names: Names {
        ours: &["aes#ccm8", "aes-ccm-8", "aes-ccm-8-#"],
        iana: &["ENCR_AES_CCM_8", "ESP_AES-CCM_8", "AES-CCM-8"],
        strongswan: &["aes#ccm8", "aes#ccm64"],
        libreswan: &["AES_CCM_8_#", "AES_CCM_8", "aes_ccm_a#", "aes_ccm_a"],
        xfrm: &["rfc4309(ccm(aes)) 64"],
        wireshark: &["AES-CCM-# with 8 octet ICV [RFC5282]"],
        ..Names::NONE
    },
    ikev1_esp: Some(14),
    ikev2: Some(14),
    salt: 3,
    icv: 8,
    status_source: "RFC 8221 section 5",
    ..CTR
};

pub(super) const CCM_12: EncryptionRow = EncryptionRow {
    id: Encryption::AesCcm12,
    name: "aes-ccm-12",
    names: Names {
        ours: &["aes#ccm12", "aes-ccm-12", "aes-ccm-12-#"],
        iana: &["ENCR_AES_CCM_12", "ESP_AES-CCM_12", "AES-CCM-12"],
        strongswan: &["aes#ccm12", "aes#ccm96"],
        libreswan: &["AES_CCM_12_#", "AES_CCM_12", "aes_ccm_b#", "aes_ccm_b"],
        xfrm: &["rfc4309(ccm(aes)) 96"],
        wireshark: &["AES-CCM-# with 12 octet ICV [RFC5282]"],
        ..Names::NONE
    },
    ikev1_esp: Some(15),
    ikev2: Some(15),
    icv: 12,
    status: Status::Legacy,
    status_source: "RFC 4309 section 3.3",
    ..CCM_8
};

pub(super) const CCM_16: EncryptionRow = EncryptionRow {
    id: Encryption::AesCcm16,
    name: "aes-ccm-16",
    names: Names {
        ours: &["aes#ccm16", "aes-ccm-16", "aes-ccm-16-#"],
        iana: &["ENCR_AES_CCM_16", "ESP_AES-CCM_16", "AES-CCM-16"],
        strongswan: &["aes#ccm16", "aes#ccm128", "aes#ccm"],
        libreswan: &["AES_CCM_16_#", "AES_CCM_16", "aes_ccm_c#", "aes_ccm_c", "aes_ccm#", "aes_ccm"],
        xfrm: &["rfc4309(ccm(aes)) 128", "rfc4309(ccm(aes))"],
        wireshark: &["AES-CCM-# with 16 octet ICV [RFC5282]"],
        ..Names::NONE
    },
    ikev1_esp: Some(16),
    ikev2: Some(16),
    icv: 16,
    status_source: "RFC 4309 section 3.3",
    ..CCM_8
};

pub(super) const GCM_8: EncryptionRow = EncryptionRow {
    id: Encryption::AesGcm8,
    name: "aes-gcm-8",
    names: Names {
        ours: &["aes#gcm8", "aes-gcm-8", "aes-gcm-8-#"],
        iana: &["ENCR_AES_GCM_8", "ESP_AES-GCM_8", "AES-GCM-8"],
        strongswan: &["aes#gcm8", "aes#gcm64"],
        libreswan: &["AES_GCM_8_#", "AES_GCM_8", "aes_gcm_a#", "aes_gcm_a"],
        xfrm: &["rfc4106(gcm(aes)) 64"],
        wireshark: &["AES-GCM with 8 octet ICV [RFC4106]", "AES-GCM-# with 8 octet ICV [RFC5282]"],
        ..Names::NONE
    },
    ikev1_esp: Some(18),
    ikev2: Some(18),
    icv: 8,
    status: Status::Legacy,
    status_source: "RFC 8247 section 2.1",
    ..CTR
};

pub(super) const GCM_12: EncryptionRow = EncryptionRow {
    id: Encryption::AesGcm12,
    name: "aes-gcm-12",
    names: Names {
        ours: &["aes#gcm12", "aes-gcm-12", "aes-gcm-12-#"],
        iana: &["ENCR_AES_GCM_12", "ESP_AES-GCM_12", "AES-GCM-12"],
        strongswan: &["aes#gcm12", "aes#gcm96"],
        libreswan: &["AES_GCM_12_#", "AES_GCM_12", "aes_gcm_b#", "aes_gcm_b"],
        xfrm: &["rfc4106(gcm(aes)) 96"],
        wireshark: &["AES-GCM with 12 octet ICV [RFC4106]", "AES-GCM-# with 12 octet ICV [RFC5282]"],
        ..Names::NONE
    },
    ikev1_esp: Some(19),
    ikev2: Some(19),
    icv: 12,
    ..GCM_8
};

pub(super) const GCM_16: EncryptionRow = EncryptionRow {
    id: Encryption::AesGcm16,
    name: "aes-gcm-16",
    names: Names {
        ours: &["aes#gcm16", "aes-gcm-16", "aes-gcm-16-#"],
        iana: &["ENCR_AES_GCM_16", "ESP_AES-GCM_16", "AES-GCM-16"],
        strongswan: &["aes#gcm16", "aes#gcm128", "aes#gcm"],
        libreswan: &["AES_GCM_16_#", "AES_GCM_16", "aes_gcm_c#", "aes_gcm_c", "aes_gcm#", "aes_gcm"],
        cisco_transform: &["esp-gcm #", "esp-gcm", "esp-gcm-#"],
        cisco_policy: &["encryption aes-gcm-#", "encryption aes-gcm"],
        xfrm: &["rfc4106(gcm(aes)) 128", "rfc4106(gcm(aes))"],
        setkey: &["aes-gcm-16"],
        wireshark: &[
            "AES-GCM with 16 octet ICV [RFC4106]",
            "AES-GCM [RFC4106]",
            "AES-GCM-# with 16 octet ICV [RFC5282]",
        ],
        ..Names::NONE
    },
    ikev1_esp: Some(20),
    ikev2: Some(20),
    icv: 16,
    status: Status::Modern,
    status_source: "RFC 8221 section 5",
    ..GCM_8
};

pub(super) const GMAC: EncryptionRow = EncryptionRow {
    id: Encryption::NullAesGmac,
    name: "null-aes-gmac",
    names: Names {
        ours: &["aes#gmac", "null-aes-gmac", "null-aes-gmac-#"],
        iana: &["ENCR_NULL_AUTH_AES_GMAC", "ESP_NULL_AUTH_AES-GMAC", "NULL-AUTH-AES-GMAC"],
        strongswan: &["aes#gmac"],
        libreswan: &["NULL_AUTH_AES_GMAC_#", "NULL_AUTH_AES_GMAC", "null_auth_aes_gmac#"],
        cisco_transform: &["esp-gmac #", "esp-gmac", "esp-gmac-#"],
        xfrm: &["rfc4543(gcm(aes)) 128", "rfc4543(gcm(aes))"],
        ..Names::NONE
    },
    ikev1_esp: Some(23),
    ikev2: Some(21),
    status_source: "RFC 8221 section 6",
    ..GCM_16
};

pub(super) const CCM_8_IIV: EncryptionRow = EncryptionRow {
    id: Encryption::AesCcm8Iiv,
    name: "aes-ccm-8-iiv",
    names: Names { ours: &["aes#ccm8iiv", "aes-ccm-8-iiv"], iana: &["ENCR_AES_CCM_8_IIV"], ..Names::NONE },
    ikev1_esp: None,
    ikev2: Some(29),
    iv: 0,
    status_source: "RFC 8750",
    support: IMPLICIT_IV,
    ..CCM_8
};

pub(super) const GCM_16_IIV: EncryptionRow = EncryptionRow {
    id: Encryption::AesGcm16Iiv,
    name: "aes-gcm-16-iiv",
    names: Names { ours: &["aes#gcm16iiv", "aes-gcm-16-iiv"], iana: &["ENCR_AES_GCM_16_IIV"], ..Names::NONE },
    ikev1_esp: None,
    ikev2: Some(30),
    iv: 0,
    status_source: "RFC 8750",
    support: IMPLICIT_IV,
    ..GCM_16
};

pub(super) const IMPLICIT_IV: Support =
    Support::NamedOnly("the IV is the sequence number and not sent; not implemented");

pub(super) const XTS: EncryptionRow = EncryptionRow {
    id: Encryption::AesXts,
    name: "aes-xts",
    names: Names { ours: &["aes#xts", "aes-xts"], iana: &["ENCR_XTS_AES", "XTS-AES"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: None,
    ikev2: Some(22),
    key_bits: &[256, 512],
    default_key_bits: 256,
    status: Status::Broken,
    status_source: "never specified for IPsec",
    support: Support::NamedOnly("a number reserved for IEEE P1619, never specified for IPsec"),
    ..CBC
};
