//! The rows of Camellia.

use super::{Encryption, EncryptionRow};
use crate::suite::{Names, Status, Support, WeakKeys};

pub(super) const CBC: EncryptionRow = EncryptionRow {
    id: Encryption::CamelliaCbc,
    name: "camellia-cbc",
    names: Names {
        ours: &["camellia#", "camellia", "camellia-cbc", "camellia-cbc-#"],
        iana: &["ENCR_CAMELLIA_CBC", "ESP_CAMELLIA", "CAMELLIA-CBC"],
        strongswan: &["camellia#", "camellia"],
        libreswan: &["CAMELLIA_CBC_#", "CAMELLIA_CBC", "camellia#", "camellia"],
        xfrm: &["cbc(camellia)", "camellia"],
        setkey: &["camellia-cbc"],
        ..Names::NONE
    },
    ikev1_phase1: Some(8),
    ikev1_esp: Some(22),
    ikev2: Some(23),
    key_bits: &[128, 192, 256],
    default_key_bits: 128,
    key_length_attribute: true,
    weak_keys: WeakKeys::None,
    salt: 0,
    iv: 16,
    block: 16,
    icv: 0,
    status: Status::Modern,
    status_source: "RFC 4312",
    support: Support::NamedOnly("not implemented"),
    legacy: false,
};

pub(super) const CTR: EncryptionRow = EncryptionRow {
    id: Encryption::CamelliaCtr,
    name: "camellia-ctr",
    names: Names {
        ours: &["camellia#ctr", "camellia-ctr"],
        iana: &["ENCR_CAMELLIA_CTR"],
        strongswan: &["camellia#ctr"],
        ..Names::NONE
    },
    ikev1_phase1: None,
    ikev1_esp: None,
    ikev2: Some(24),
    salt: 4,
    iv: 8,
    block: 1,
    status: Status::Legacy,
    status_source: "RFC 5529",
    ..CBC
};

pub(super) const CCM_8: EncryptionRow = EncryptionRow {
    id: Encryption::CamelliaCcm8,
    name: "camellia-ccm-8",
    names: Names {
        ours: &["camellia#ccm8", "camellia-ccm-8"],
        iana: &["ENCR_CAMELLIA_CCM_8"],
        strongswan: &["camellia#ccm8", "camellia#ccm64"],
        ..Names::NONE
    },
    ikev2: Some(25),
    salt: 3,
    icv: 8,
    ..CTR
};

pub(super) const CCM_12: EncryptionRow = EncryptionRow {
    id: Encryption::CamelliaCcm12,
    name: "camellia-ccm-12",
    names: Names {
        ours: &["camellia#ccm12", "camellia-ccm-12"],
        iana: &["ENCR_CAMELLIA_CCM_12"],
        strongswan: &["camellia#ccm12", "camellia#ccm96"],
        ..Names::NONE
    },
    ikev2: Some(26),
    icv: 12,
    ..CCM_8
};

pub(super) const CCM_16: EncryptionRow = EncryptionRow {
    id: Encryption::CamelliaCcm16,
    name: "camellia-ccm-16",
    names: Names {
        ours: &["camellia#ccm16", "camellia-ccm-16"],
        iana: &["ENCR_CAMELLIA_CCM_16"],
        strongswan: &["camellia#ccm16", "camellia#ccm128"],
        ..Names::NONE
    },
    ikev2: Some(27),
    icv: 16,
    ..CCM_8
};
