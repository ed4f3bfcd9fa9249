//! The rows of DES and what was made of it.

use super::{Encryption, EncryptionRow};
use crate::suite::{Names, Status, Support, WeakKeys};

pub(super) const DES_IV64: EncryptionRow = EncryptionRow {
    id: Encryption::DesIv64,
    name: "des-iv64",
    names: Names { ours: &["des-iv64"], iana: &["ENCR_DES_IV64", "ESP_DES_IV64", "DES-IV64"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: Some(1),
    ikev2: Some(1),
    ..DES_CBC
};

pub(super) const DES_CBC: EncryptionRow = EncryptionRow {
    id: Encryption::DesCbc,
    name: "des-cbc",
    names: Names {
        ours: &["des"],
        iana: &["ENCR_DES", "ESP_DES", "DES-CBC"],
        strongswan: &["des"],
        libreswan: &["DES_CBC", "des"],
        cisco_transform: &["esp-des"],
        cisco_policy: &["encr des", "encryption des"],
        aix: &["DES_CBC_8"],
        xfrm: &["cbc(des)", "des"],
        setkey: &["des-cbc"],
        wireshark: &["DES-CBC [RFC2405]"],
    },
    ikev1_phase1: Some(1),
    ikev1_esp: Some(2),
    ikev2: Some(2),
    key_bits: &[64],
    default_key_bits: 64,
    key_length_attribute: false,
    weak_keys: WeakKeys::Des,
    salt: 0,
    iv: 8,
    block: 8,
    icv: 0,
    status: Status::Broken,
    status_source: "RFC 8221 section 5",
    support: Support::Native,
    legacy: true,
};

pub(super) const DES_IV32: EncryptionRow = EncryptionRow {
    id: Encryption::DesIv32,
    name: "des-iv32",
    names: Names {
        ours: &["des-iv32"],
        iana: &["ENCR_DES_IV32", "ESP_DES_IV32", "DES-IV32"],
        aix: &["DES_CBC_4"],
        setkey: &["des-32iv"],
        ..Names::NONE
    },
    ikev1_phase1: None,
    ikev1_esp: Some(9),
    ikev2: Some(9),
    iv: 4,
    ..DES_CBC
};

pub(super) const TRIPLE_DES: EncryptionRow = EncryptionRow {
    id: Encryption::TripleDesCbc,
    name: "3des-cbc",
    names: Names {
        ours: &["3des", "triple-des"],
        iana: &["ENCR_3DES", "ESP_3DES", "3DES-CBC"],
        strongswan: &["3des"],
        libreswan: &["3DES_CBC", "3des"],
        cisco_transform: &["esp-3des"],
        cisco_policy: &["encr 3des", "encryption 3des"],
        aix: &["3DES_CBC"],
        xfrm: &["cbc(des3_ede)", "des3_ede"],
        setkey: &["3des-cbc"],
        wireshark: &["TripleDES-CBC [RFC2451]", "3DES [RFC2451]"],
    },
    ikev1_phase1: Some(5),
    ikev1_esp: Some(3),
    ikev2: Some(3),
    key_bits: &[192],
    default_key_bits: 192,
    weak_keys: WeakKeys::TripleDes,
    status: Status::Legacy,
    ..DES_CBC
};

pub(super) const CDMF: EncryptionRow = EncryptionRow {
    id: Encryption::CdmfCbc,
    name: "cdmf-cbc",
    names: Names { ours: &["cdmf", "cdmf-cbc"], aix: &["CDMF"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: None,
    ikev2: None,
    // No document refuses any; after the shortening a weak key would be one in 2^36.
    weak_keys: WeakKeys::None,
    status_source: "40-bit keys",
    ..DES_CBC
};
