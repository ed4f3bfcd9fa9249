//! The rows of NULL, ChaCha20-Poly1305 and of ciphers that nobody should propose any more.

use super::aes::IMPLICIT_IV;
use super::{Encryption, EncryptionRow};
use crate::suite::{Names, Status, Support, WeakKeys};

pub(super) const NULL: EncryptionRow = EncryptionRow {
    id: Encryption::Null,
    name: "null",
    names: Names {
        ours: &["null"],
        iana: &["ENCR_NULL", "ESP_NULL"],
        strongswan: &["null"],
        libreswan: &["NULL"],
        cisco_transform: &["esp-null"],
        aix: &["NULL"],
        xfrm: &["ecb(cipher_null)", "cipher_null"],
        setkey: &["null"],
        wireshark: &["NULL", "NULL [RFC2410]"],
        ..Names::NONE
    },
    ikev1_phase1: None,
    ikev1_esp: Some(11),
    ikev2: Some(11),
    key_bits: &[0],
    default_key_bits: 0,
    key_length_attribute: false,
    weak_keys: WeakKeys::None,
    salt: 0,
    iv: 0,
    block: 1,
    icv: 0,
    status: Status::Modern,
    status_source: "RFC 8221 section 5",
    support: Support::Native,
    legacy: false,
};

pub(super) const CHACHA20_POLY1305: EncryptionRow = EncryptionRow {
    id: Encryption::ChaCha20Poly1305,
    name: "chacha20-poly1305",
    names: Names {
        ours: &["chacha20poly1305", "chacha20-poly1305"],
        iana: &["ENCR_CHACHA20_POLY1305"],
        strongswan: &["chacha20poly1305", "chacha20poly1305compat"],
        libreswan: &["CHACHA20_POLY1305"],
        xfrm: &["rfc7539esp(chacha20,poly1305) 128", "rfc7539esp(chacha20,poly1305)"],
        setkey: &["chacha20-poly1305"],
        ..Names::NONE
    },
    ikev1_esp: None,
    ikev2: Some(28),
    key_bits: &[256],
    default_key_bits: 256,
    salt: 4,
    iv: 8,
    icv: 16,
    ..NULL
};

pub(super) const CHACHA20_POLY1305_IIV: EncryptionRow = EncryptionRow {
    id: Encryption::ChaCha20Poly1305Iiv,
    name: "chacha20-poly1305-iiv",
    names: Names {
        ours: &["chacha20poly1305iiv", "chacha20-poly1305-iiv"],
        iana: &["ENCR_CHACHA20_POLY1305_IIV"],
        ..Names::NONE
    },
    ikev2: Some(31),
    iv: 0,
    status_source: "RFC 8750",
    support: IMPLICIT_IV,
    ..CHACHA20_POLY1305
};

pub(super) const RC5: EncryptionRow = EncryptionRow {
    id: Encryption::Rc5Cbc,
    name: "rc5-cbc",
    names: Names {
        ours: &["rc5", "rc5-cbc"],
        iana: &["ENCR_RC5", "ESP_RC5", "RC5-R16-B64-CBC"],
        ..Names::NONE
    },
    ikev1_phase1: Some(4),
    ikev1_esp: Some(4),
    ikev2: Some(4),
    key_bits: &[128],
    default_key_bits: 128,
    key_length_attribute: true,
    weak_keys: WeakKeys::None,
    salt: 0,
    iv: 8,
    block: 8,
    icv: 0,
    status: Status::Broken,
    status_source: "RFC 9395",
    support: Support::NamedOnly("no well-kept implementation, no user"),
    legacy: true,
};

pub(super) const IDEA: EncryptionRow = EncryptionRow {
    id: Encryption::IdeaCbc,
    name: "idea-cbc",
    names: Names { ours: &["idea", "idea-cbc"], iana: &["ENCR_IDEA", "ESP_IDEA", "IDEA-CBC"], ..Names::NONE },
    ikev1_phase1: Some(2),
    ikev1_esp: Some(5),
    ikev2: Some(5),
    key_length_attribute: false,
    ..RC5
};

pub(super) const CAST: EncryptionRow = EncryptionRow {
    id: Encryption::CastCbc,
    name: "cast-cbc",
    names: Names {
        ours: &["cast#", "cast", "cast-cbc", "cast-cbc-#"],
        iana: &["ENCR_CAST", "ESP_CAST", "CAST-CBC"],
        strongswan: &["cast#"],
        libreswan: &["CAST_CBC"],
        xfrm: &["cbc(cast5)", "cast5"],
        setkey: &["cast128-cbc"],
        wireshark: &["CAST5-CBC [RFC2144]"],
        ..Names::NONE
    },
    ikev1_phase1: Some(6),
    ikev1_esp: Some(6),
    ikev2: Some(6),
    support: Support::NamedOnly("64-bit blocks; not implemented"),
    ..RC5
};

pub(super) const BLOWFISH: EncryptionRow = EncryptionRow {
    id: Encryption::BlowfishCbc,
    name: "blowfish-cbc",
    names: Names {
        ours: &["blowfish#", "blowfish", "blowfish-cbc", "blowfish-cbc-#"],
        iana: &["ENCR_BLOWFISH", "ESP_BLOWFISH", "BLOWFISH-CBC"],
        strongswan: &["blowfish#", "blowfish"],
        libreswan: &["BLOWFISH_CBC"],
        xfrm: &["cbc(blowfish)", "blowfish"],
        setkey: &["blowfish-cbc"],
        wireshark: &["BLOWFISH-CBC [RFC2451]"],
        ..Names::NONE
    },
    ikev1_phase1: Some(3),
    ikev1_esp: Some(7),
    ikev2: Some(7),
    key_bits: &[128, 192, 256],
    status_source: "RFC 8221 section 5",
    ..CAST
};

pub(super) const TRIPLE_IDEA: EncryptionRow = EncryptionRow {
    id: Encryption::TripleIdea,
    name: "3idea",
    names: Names { ours: &["3idea"], iana: &["ENCR_3IDEA", "ESP_3IDEA"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: Some(8),
    ikev2: Some(8),
    key_bits: &[384],
    default_key_bits: 384,
    key_length_attribute: false,
    status_source: "RFC 8221 section 5",
    support: Support::NamedOnly("never specified"),
    ..RC5
};

pub(super) const RC4: EncryptionRow = EncryptionRow {
    id: Encryption::Rc4,
    name: "rc4",
    names: Names { ours: &["rc4"], iana: &["ESP_RC4"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: Some(10),
    ikev2: None,
    key_length_attribute: false,
    iv: 0,
    block: 1,
    status_source: "RFC 2407 section 4.4.4",
    support: Support::NamedOnly("never specified for ESP"),
    ..RC5
};

pub(super) const SEED: EncryptionRow = EncryptionRow {
    id: Encryption::SeedCbc,
    name: "seed-cbc",
    names: Names { ours: &["seed", "seed-cbc"], iana: &["ESP_SEED_CBC", "SEED-CBC"], ..Names::NONE },
    ikev1_phase1: None,
    ikev1_esp: Some(21),
    ikev2: None,
    key_length_attribute: false,
    iv: 16,
    block: 16,
    status: Status::Legacy,
    status_source: "RFC 4196",
    support: Support::NamedOnly("a national algorithm; no well-kept implementation"),
    legacy: false,
    ..RC5
};

pub(super) const SERPENT: EncryptionRow = EncryptionRow {
    id: Encryption::SerpentCbc,
    name: "serpent-cbc",
    names: Names {
        ours: &["serpent#", "serpent", "serpent-cbc"],
        strongswan: &["serpent#", "serpent"],
        libreswan: &["SERPENT_CBC"],
        xfrm: &["cbc(serpent)", "serpent"],
        ..Names::NONE
    },
    ikev1_phase1: Some(65004),
    ikev1_esp: Some(252),
    ikev2: None,
    key_bits: &[128, 192, 256],
    key_length_attribute: true,
    status_source: "never specified",
    support: Support::NamedOnly("private numbers only; not implemented"),
    ..SEED
};

pub(super) const TWOFISH: EncryptionRow = EncryptionRow {
    id: Encryption::TwofishCbc,
    name: "twofish-cbc",
    names: Names {
        ours: &["twofish#", "twofish", "twofish-cbc"],
        strongswan: &["twofish#", "twofish"],
        libreswan: &["TWOFISH_CBC"],
        xfrm: &["cbc(twofish)", "twofish"],
        setkey: &["twofish-cbc"],
        wireshark: &["TWOFISH-CBC"],
        ..Names::NONE
    },
    ikev1_phase1: Some(65005),
    ikev1_esp: Some(253),
    ..SERPENT
};
