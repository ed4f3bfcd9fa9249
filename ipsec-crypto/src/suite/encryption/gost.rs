//! The rows of the GOST ciphers in MGM mode with ESPTREE keys (RFC 9227).

use super::{Encryption, EncryptionRow};
use crate::suite::{Names, Status, Support, WeakKeys};

pub(super) const KUZNYECHIK: EncryptionRow = EncryptionRow {
    id: Encryption::KuznyechikMgm,
    name: "kuznyechik-mgm",
    names: Names {
        ours: &["kuznyechikmgm", "kuznyechik-mgm"],
        iana: &["ENCR_KUZNYECHIK_MGM_KTREE"],
        ..Names::NONE
    },
    ikev1_phase1: None,
    ikev1_esp: None,
    ikev2: Some(32),
    key_bits: &[256],
    default_key_bits: 256,
    key_length_attribute: false,
    weak_keys: WeakKeys::None,
    salt: 12,
    iv: 8,
    block: 1,
    icv: 12,
    status: Status::Legacy,
    status_source: "RFC 9227",
    support: Support::NamedOnly("a national algorithm; not implemented"),
    legacy: false,
};

pub(super) const MAGMA: EncryptionRow = EncryptionRow {
    id: Encryption::MagmaMgm,
    name: "magma-mgm",
    names: Names { ours: &["magmamgm", "magma-mgm"], iana: &["ENCR_MAGMA_MGM_KTREE"], ..Names::NONE },
    ikev2: Some(33),
    salt: 4,
    icv: 8,
    ..KUZNYECHIK
};

pub(super) const KUZNYECHIK_MAC: EncryptionRow = EncryptionRow {
    id: Encryption::KuznyechikMgmMac,
    name: "kuznyechik-mgm-mac",
    names: Names {
        ours: &["kuznyechikmgmmac", "kuznyechik-mgm-mac"],
        iana: &["ENCR_KUZNYECHIK_MGM_MAC_KTREE"],
        ..Names::NONE
    },
    ikev2: Some(34),
    ..KUZNYECHIK
};

pub(super) const MAGMA_MAC: EncryptionRow = EncryptionRow {
    id: Encryption::MagmaMgmMac,
    name: "magma-mgm-mac",
    names: Names {
        ours: &["magmamgmmac", "magma-mgm-mac"],
        iana: &["ENCR_MAGMA_MGM_MAC_KTREE"],
        ..Names::NONE
    },
    ikev2: Some(35),
    ..MAGMA
};
