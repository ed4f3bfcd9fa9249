//! Encryption algorithms, and ciphers: an algorithm with its key length.

use std::fmt;
use std::str::FromStr;

use super::named::{named, same_name};
use super::{Status, Support};
use crate::error::CryptoError;

/// An encryption algorithm, without its key length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Encryption {
    /// no encryption (RFC 2410).
    Null,
    /// DES-CBC with 64-bit IV (RFC 2405 number 1, obsolete).
    DesIv64,
    /// DES-CBC (RFC 2405).
    DesCbc,
    /// 3DES-CBC (RFC 2451).
    TripleDesCbc,
    /// RC5-CBC (RFC 2451).
    Rc5Cbc,
    /// IDEA-CBC (RFC 2451).
    IdeaCbc,
    /// CAST-128-CBC (RFC 2451).
    CastCbc,
    /// Blowfish-CBC (RFC 2451).
    BlowfishCbc,
    /// triple IDEA (never specified).
    TripleIdea,
    /// DES-CBC with 32-bit IV (RFC 1829).
    DesIv32,
    /// RC4 (reserved, never specified).
    Rc4,
    /// AES-CBC (RFC 3602).
    AesCbc,
    /// AES-CTR (RFC 3686).
    AesCtr,
    /// AES-CCM with an ICV of 8 octets (RFC 4309).
    AesCcm8,
    /// AES-CCM with an ICV of 12 octets (RFC 4309).
    AesCcm12,
    /// AES-CCM with an ICV of 16 octets (RFC 4309).
    AesCcm16,
    /// AES-GCM with an ICV of 8 octets (RFC 4106).
    AesGcm8,
    /// AES-GCM with an ICV of 12 octets (RFC 4106).
    AesGcm12,
    /// AES-GCM with an ICV of 16 octets (RFC 4106).
    AesGcm16,
    /// AES-GMAC: integrity without encryption (RFC 4543).
    NullAesGmac,
    /// SEED-CBC (RFC 4196).
    SeedCbc,
    /// Camellia-CBC (RFC 4312).
    CamelliaCbc,
    /// ChaCha20-Poly1305 (RFC 7634).
    ChaCha20Poly1305,
    /// CDMF: DES-CBC with keys of 40 bits, for manual tunnels with old systems; no registry has a number for it.
    CdmfCbc,
    /// Camellia-CTR (RFC 5529).
    CamelliaCtr,
    /// Camellia-CCM with an ICV of 8 octets (RFC 5529).
    CamelliaCcm8,
    /// Camellia-CCM with an ICV of 12 octets (RFC 5529).
    CamelliaCcm12,
    /// Camellia-CCM with an ICV of 16 octets (RFC 5529).
    CamelliaCcm16,
    /// AES-CCM with an ICV of 8 octets and the IV in the sequence number (RFC 8750).
    AesCcm8Iiv,
    /// AES-GCM with an ICV of 16 octets and the IV in the sequence number (RFC 8750).
    AesGcm16Iiv,
    /// ChaCha20-Poly1305 with the IV in the sequence number (RFC 8750).
    ChaCha20Poly1305Iiv,
}

/// What there is to know about an encryption algorithm.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EncryptionRow {
    /// The algorithm.
    pub id: Encryption,
    /// Our name for the algorithm.
    pub name: &'static str,
    /// How a proposal spells it, with `#` for the key length in bits: `aes#` for `aes128`.
    pub spelling: &'static str,
    /// Other names of the algorithm: IANA's, strongSwan's, Cisco's, Wireshark's, Linux's.
    pub aliases: &'static [&'static str],
    /// Other spellings with key length.
    pub cipher_aliases: &'static [&'static str],
    /// Value of IKEv1's phase 1 attribute Encryption Algorithm (RFC 2409 appendix A).
    pub ikev1_phase1: Option<u16>,
    /// ESP transform identifier of IKEv1's phase 2 (RFC 2407 §4.4.4).
    pub ikev1_esp: Option<u8>,
    /// IKEv2 transform ID of type 1 (RFC 7296 §3.3.2).
    pub ikev2: Option<u16>,
    /// Key lengths in bits, DES parity included, salt not included.
    pub key_bits: &'static [u16],
    /// The key length where a proposal names none, in bits.
    pub default_key_bits: u16,
    /// Whether proposals carry the Key Length attribute; it must not be sent for fixed lengths (RFC 2409 appendix A).
    pub key_length_attribute: bool,
    /// Octets of salt behind the key in the keying material.
    pub salt: usize,
    /// Octets of IV in each packet.
    pub iv: usize,
    /// Octets of a block; 1 where any length will do.
    pub block: usize,
    /// Octets of ICV of a combined-mode algorithm; 0 for those that need a separate integrity algorithm.
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

static ROWS: [EncryptionRow; 31] = [
    EncryptionRow {
        id: Encryption::Null,
        name: "null",
        spelling: "null",
        aliases: &["ENCR_NULL", "ESP_NULL", "esp-null"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(11),
        ikev2: Some(11),
        key_bits: &[0],
        default_key_bits: 0,
        key_length_attribute: false,
        salt: 0,
        iv: 0,
        block: 1,
        icv: 0,
        status: Status::Modern,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::DesIv64,
        name: "des-iv64",
        spelling: "des-iv64",
        aliases: &["ENCR_DES_IV64", "ESP_DES_IV64"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(1),
        ikev2: Some(1),
        key_bits: &[64],
        default_key_bits: 64,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::DesCbc,
        name: "des-cbc",
        spelling: "des",
        aliases: &["ENCR_DES", "ESP_DES", "esp-des", "DES_CBC", "cbc(des)"],
        cipher_aliases: &[],
        ikev1_phase1: Some(1),
        ikev1_esp: Some(2),
        ikev2: Some(2),
        key_bits: &[64],
        default_key_bits: 64,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::TripleDesCbc,
        name: "3des-cbc",
        spelling: "3des",
        aliases: &[
            "ENCR_3DES",
            "ESP_3DES",
            "esp-3des",
            "3DES_CBC",
            "des3_ede",
            "cbc(des3_ede)",
            "triple-des",
        ],
        cipher_aliases: &[],
        ikev1_phase1: Some(5),
        ikev1_esp: Some(3),
        ikev2: Some(3),
        key_bits: &[192],
        default_key_bits: 192,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Legacy,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::Rc5Cbc,
        name: "rc5-cbc",
        spelling: "rc5",
        aliases: &["ENCR_RC5", "ESP_RC5", "RC5_CBC", "RC5-R16-B64-CBC"],
        cipher_aliases: &[],
        ikev1_phase1: Some(4),
        ikev1_esp: Some(4),
        ikev2: Some(4),
        key_bits: &[128],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("no well-kept implementation, no user"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::IdeaCbc,
        name: "idea-cbc",
        spelling: "idea",
        aliases: &["ENCR_IDEA", "ESP_IDEA", "IDEA_CBC"],
        cipher_aliases: &[],
        ikev1_phase1: Some(2),
        ikev1_esp: Some(5),
        ikev2: Some(5),
        key_bits: &[128],
        default_key_bits: 128,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("no well-kept implementation, no user"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::CastCbc,
        name: "cast-cbc",
        spelling: "cast#",
        aliases: &["ENCR_CAST", "ESP_CAST", "CAST_CBC", "cast5"],
        cipher_aliases: &["CAST_CBC_#", "CAST-CBC-#"],
        ikev1_phase1: Some(6),
        ikev1_esp: Some(6),
        ikev2: Some(6),
        key_bits: &[128],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 9395",
        support: Support::NamedOnly("64-bit blocks; not implemented"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::BlowfishCbc,
        name: "blowfish-cbc",
        spelling: "blowfish#",
        aliases: &["ENCR_BLOWFISH", "ESP_BLOWFISH", "BLOWFISH_CBC", "cbc(blowfish)"],
        cipher_aliases: &["BLOWFISH_CBC_#", "BLOWFISH-CBC-#"],
        ikev1_phase1: Some(3),
        ikev1_esp: Some(7),
        ikev2: Some(7),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 8221 section 5",
        support: Support::NamedOnly("64-bit blocks; not implemented"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::TripleIdea,
        name: "3idea",
        spelling: "3idea",
        aliases: &["ENCR_3IDEA", "ESP_3IDEA"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(8),
        ikev2: Some(8),
        key_bits: &[384],
        default_key_bits: 384,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 8221 section 5",
        support: Support::NamedOnly("never specified"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::DesIv32,
        name: "des-iv32",
        spelling: "des-iv32",
        aliases: &["ENCR_DES_IV32", "ESP_DES_IV32"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(9),
        ikev2: Some(9),
        key_bits: &[64],
        default_key_bits: 64,
        key_length_attribute: false,
        salt: 0,
        iv: 4,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::Rc4,
        name: "rc4",
        spelling: "rc4",
        aliases: &["ESP_RC4"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(10),
        ikev2: None,
        key_bits: &[128],
        default_key_bits: 128,
        key_length_attribute: false,
        salt: 0,
        iv: 0,
        block: 1,
        icv: 0,
        status: Status::Broken,
        status_source: "RFC 2407 section 4.4.4",
        support: Support::NamedOnly("never specified for ESP"),
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::AesCbc,
        name: "aes-cbc",
        spelling: "aes#",
        aliases: &["aes", "ENCR_AES_CBC", "ESP_AES", "AES_CBC", "cbc(aes)", "rijndael"],
        cipher_aliases: &["aes-#", "aes #", "esp-aes #", "esp-#-aes", "AES_CBC_#", "AES-CBC-#", "aes#cbc"],
        ikev1_phase1: Some(7),
        ikev1_esp: Some(12),
        ikev2: Some(12),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 0,
        iv: 16,
        block: 16,
        icv: 0,
        status: Status::Modern,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesCtr,
        name: "aes-ctr",
        spelling: "aes#ctr",
        aliases: &["ENCR_AES_CTR", "ESP_AES_CTR", "AES_CTR", "rfc3686(ctr(aes))"],
        cipher_aliases: &["AES_CTR_#", "AES-CTR-#"],
        ikev1_phase1: None,
        ikev1_esp: Some(13),
        ikev2: Some(13),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 0,
        status: Status::Modern,
        status_source: "RFC 3686",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesCcm8,
        name: "aes-ccm-8",
        spelling: "aes#ccm8",
        aliases: &["ENCR_AES_CCM_8", "ESP_AES_CCM_8", "AES_CCM_8"],
        cipher_aliases: &["aes#ccm64", "AES_CCM_8_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(14),
        ikev2: Some(14),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 8,
        status: Status::Modern,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesCcm12,
        name: "aes-ccm-12",
        spelling: "aes#ccm12",
        aliases: &["ENCR_AES_CCM_12", "ESP_AES_CCM_12", "AES_CCM_12"],
        cipher_aliases: &["aes#ccm96", "AES_CCM_12_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(15),
        ikev2: Some(15),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 4309 section 3.3",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesCcm16,
        name: "aes-ccm-16",
        spelling: "aes#ccm16",
        aliases: &["ENCR_AES_CCM_16", "ESP_AES_CCM_16", "AES_CCM_16"],
        cipher_aliases: &["aes#ccm128", "AES_CCM_16_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(16),
        ikev2: Some(16),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 4309 section 3.3",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesGcm8,
        name: "aes-gcm-8",
        spelling: "aes#gcm8",
        aliases: &["ENCR_AES_GCM_8", "ESP_AES_GCM_8", "AES_GCM_8"],
        cipher_aliases: &["aes#gcm64", "AES_GCM_8_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(18),
        ikev2: Some(18),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 8,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.1",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesGcm12,
        name: "aes-gcm-12",
        spelling: "aes#gcm12",
        aliases: &["ENCR_AES_GCM_12", "ESP_AES_GCM_12", "AES_GCM_12"],
        cipher_aliases: &["aes#gcm96", "AES_GCM_12_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(19),
        ikev2: Some(19),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.1",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesGcm16,
        name: "aes-gcm-16",
        spelling: "aes#gcm16",
        aliases: &["ENCR_AES_GCM_16", "ESP_AES_GCM_16", "AES_GCM_16", "rfc4106(gcm(aes))"],
        cipher_aliases: &["aes#gcm128", "AES_GCM_16_#", "esp-gcm #", "aes#gcm"],
        ikev1_phase1: None,
        ikev1_esp: Some(20),
        ikev2: Some(20),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::NullAesGmac,
        name: "null-aes-gmac",
        spelling: "aes#gmac",
        aliases: &[
            "ENCR_NULL_AUTH_AES_GMAC",
            "ESP_NULL_AUTH_AES-GMAC",
            "NULL_AUTH_AES_GMAC",
            "rfc4543(gcm(aes))",
        ],
        cipher_aliases: &["esp-gmac #", "NULL_AES_GMAC_#"],
        ikev1_phase1: None,
        ikev1_esp: Some(23),
        ikev2: Some(21),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 6",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::SeedCbc,
        name: "seed-cbc",
        spelling: "seed",
        aliases: &["ESP_SEED_CBC", "SEED_CBC", "esp-seed"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: Some(21),
        ikev2: None,
        key_bits: &[128],
        default_key_bits: 128,
        key_length_attribute: false,
        salt: 0,
        iv: 16,
        block: 16,
        icv: 0,
        status: Status::Legacy,
        status_source: "RFC 4196",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::CamelliaCbc,
        name: "camellia-cbc",
        spelling: "camellia#",
        aliases: &["camellia", "ENCR_CAMELLIA_CBC", "ESP_CAMELLIA", "CAMELLIA_CBC", "cbc(camellia)"],
        cipher_aliases: &["CAMELLIA_CBC_#", "CAMELLIA-CBC-#"],
        ikev1_phase1: Some(8),
        ikev1_esp: Some(22),
        ikev2: Some(23),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 0,
        iv: 16,
        block: 16,
        icv: 0,
        status: Status::Modern,
        status_source: "RFC 4312",
        support: Support::NamedOnly("not implemented yet"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::ChaCha20Poly1305,
        name: "chacha20-poly1305",
        spelling: "chacha20poly1305",
        aliases: &["ENCR_CHACHA20_POLY1305", "CHACHA20_POLY1305", "rfc7539esp(chacha20,poly1305)"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(28),
        key_bits: &[256],
        default_key_bits: 256,
        key_length_attribute: false,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8221 section 5",
        support: Support::Native,
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::CdmfCbc,
        name: "cdmf-cbc",
        spelling: "cdmf",
        aliases: &["CDMF_CBC"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: None,
        key_bits: &[64],
        default_key_bits: 64,
        key_length_attribute: false,
        salt: 0,
        iv: 8,
        block: 8,
        icv: 0,
        status: Status::Broken,
        status_source: "40-bit keys",
        support: Support::Native,
        legacy: true,
    },
    EncryptionRow {
        id: Encryption::CamelliaCtr,
        name: "camellia-ctr",
        spelling: "camellia#ctr",
        aliases: &["ENCR_CAMELLIA_CTR", "CAMELLIA_CTR"],
        cipher_aliases: &["CAMELLIA_CTR_#"],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(24),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 8,
        block: 1,
        icv: 0,
        status: Status::Legacy,
        status_source: "RFC 5529",
        support: Support::NamedOnly("not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::CamelliaCcm8,
        name: "camellia-ccm-8",
        spelling: "camellia#ccm8",
        aliases: &["ENCR_CAMELLIA_CCM_8", "CAMELLIA_CCM_8"],
        cipher_aliases: &["camellia#ccm64", "CAMELLIA_CCM_8_#"],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(25),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 8,
        status: Status::Legacy,
        status_source: "RFC 5529",
        support: Support::NamedOnly("not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::CamelliaCcm12,
        name: "camellia-ccm-12",
        spelling: "camellia#ccm12",
        aliases: &["ENCR_CAMELLIA_CCM_12", "CAMELLIA_CCM_12"],
        cipher_aliases: &["camellia#ccm96", "CAMELLIA_CCM_12_#"],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(26),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 12,
        status: Status::Legacy,
        status_source: "RFC 5529",
        support: Support::NamedOnly("not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::CamelliaCcm16,
        name: "camellia-ccm-16",
        spelling: "camellia#ccm16",
        aliases: &["ENCR_CAMELLIA_CCM_16", "CAMELLIA_CCM_16"],
        cipher_aliases: &["camellia#ccm128", "CAMELLIA_CCM_16_#"],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(27),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 8,
        block: 1,
        icv: 16,
        status: Status::Legacy,
        status_source: "RFC 5529",
        support: Support::NamedOnly("not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesCcm8Iiv,
        name: "aes-ccm-8-iiv",
        spelling: "aes#ccm8iiv",
        aliases: &["ENCR_AES_CCM_8_IIV", "AES_CCM_8_IIV"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(29),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 3,
        iv: 0,
        block: 1,
        icv: 8,
        status: Status::Modern,
        status_source: "RFC 8750",
        support: Support::NamedOnly("the IV is the sequence number and not sent; not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::AesGcm16Iiv,
        name: "aes-gcm-16-iiv",
        spelling: "aes#gcm16iiv",
        aliases: &["ENCR_AES_GCM_16_IIV", "AES_GCM_16_IIV"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(30),
        key_bits: &[128, 192, 256],
        default_key_bits: 128,
        key_length_attribute: true,
        salt: 4,
        iv: 0,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8750",
        support: Support::NamedOnly("the IV is the sequence number and not sent; not implemented"),
        legacy: false,
    },
    EncryptionRow {
        id: Encryption::ChaCha20Poly1305Iiv,
        name: "chacha20-poly1305-iiv",
        spelling: "chacha20poly1305iiv",
        aliases: &["ENCR_CHACHA20_POLY1305_IIV", "CHACHA20_POLY1305_IIV"],
        cipher_aliases: &[],
        ikev1_phase1: None,
        ikev1_esp: None,
        ikev2: Some(31),
        key_bits: &[256],
        default_key_bits: 256,
        key_length_attribute: false,
        salt: 4,
        iv: 0,
        block: 1,
        icv: 16,
        status: Status::Modern,
        status_source: "RFC 8750",
        support: Support::NamedOnly("the IV is the sequence number and not sent; not implemented"),
        legacy: false,
    },
];

named!(Encryption, EncryptionRow, "encryption algorithm");

impl Encryption {
    /// Finds the algorithm of an IKEv1 phase 1 attribute value (RFC 2409 appendix A).
    pub fn from_ikev1_phase1(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_phase1 == Some(value)).map(|row| row.id)
    }

    /// Finds the algorithm of an ESP transform identifier of IKEv1 (RFC 2407 §4.4.4).
    pub fn from_ikev1_esp(value: u8) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1_esp == Some(value)).map(|row| row.id)
    }

    /// Finds the algorithm of an IKEv2 transform ID of type 1 (RFC 7296 §3.3.2).
    pub fn from_ikev2(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2 == Some(value)).map(|row| row.id)
    }
}

impl EncryptionRow {
    /// Whether it authenticates as well, so that no separate integrity algorithm goes with it (RFC 4303 §3.2.3).
    pub fn is_combined(&self) -> bool {
        self.icv > 0
    }
}

/// An encryption algorithm with its key length: `aes128`.
///
/// ```
/// use ipsec_crypto::suite::{Cipher, Encryption};
/// let cipher: Cipher = "AES-CBC-256".parse()?;
/// assert_eq!(cipher, Cipher::new(Encryption::AesCbc, 256)?);
/// assert_eq!(cipher.to_string(), "aes256");
/// # Ok::<(), ipsec_crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cipher {
    /// The algorithm.
    pub encryption: Encryption,
    /// The key length in bits, DES parity included, salt not included; 0 for NULL.
    pub key_bits: u16,
}

impl Cipher {
    /// No encryption.
    pub const NULL: Self = Self { encryption: Encryption::Null, key_bits: 0 };
    /// 3DES-CBC.
    pub const TRIPLE_DES: Self = Self { encryption: Encryption::TripleDesCbc, key_bits: 192 };
    /// AES-CBC with 128-bit keys.
    pub const AES128: Self = Self { encryption: Encryption::AesCbc, key_bits: 128 };
    /// AES-CBC with 192-bit keys.
    pub const AES192: Self = Self { encryption: Encryption::AesCbc, key_bits: 192 };
    /// AES-CBC with 256-bit keys.
    pub const AES256: Self = Self { encryption: Encryption::AesCbc, key_bits: 256 };

    /// Checks the key length against the algorithm's.
    ///
    /// # Errors
    /// [`CryptoError::NoSuchKeyLength`].
    pub fn new(encryption: Encryption, key_bits: u16) -> Result<Self, CryptoError> {
        if encryption.row().key_bits.contains(&key_bits) {
            Ok(Self { encryption, key_bits })
        } else {
            Err(CryptoError::NoSuchKeyLength { encryption, key_bits })
        }
    }

    /// From a proposal: `key_length` is the Key Length attribute, if there was one.
    ///
    /// Without it the algorithm's own length is meant: 128 bits for AES, as RFC 3602 §2.1 defaults.
    ///
    /// # Errors
    /// [`CryptoError::NoSuchKeyLength`].
    pub fn from_attribute(encryption: Encryption, key_length: Option<u16>) -> Result<Self, CryptoError> {
        Self::new(encryption, key_length.unwrap_or(encryption.row().default_key_bits))
    }

    /// The Key Length attribute to send with it, in bits, where the algorithm takes one.
    pub fn key_length_attribute(self) -> Option<u16> {
        self.row().key_length_attribute.then_some(self.key_bits)
    }

    /// The algorithm's row.
    pub fn row(self) -> &'static EncryptionRow {
        self.encryption.row()
    }

    /// Octets of encryption key to take from the keying material, salt included.
    pub fn key_len(self) -> usize {
        usize::from(self.key_bits / 8) + self.row().salt
    }

    /// Octets of IV in each packet.
    pub fn iv_len(self) -> usize {
        self.row().iv
    }

    /// Octets of a block; 1 where any length will do.
    pub fn block_len(self) -> usize {
        self.row().block
    }

    /// Finds a cipher by any of its spellings, without regard to case: `aes128`, `AES-CBC-128`, `3des`, `esp-aes 256`.
    ///
    /// An algorithm's name alone means its default key length.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Some(encryption) = Encryption::from_name(name) {
            return Some(Self { encryption, key_bits: encryption.row().default_key_bits });
        }
        let matches = |pattern: &str, key_bits: u16| match pattern.split_once('#') {
            Some((before, after)) => same_name(name, &format!("{before}{key_bits}{after}")),
            None => same_name(name, pattern),
        };
        ROWS.iter().find_map(|row| {
            let spelled = |&key_bits: &u16| {
                matches(row.spelling, key_bits)
                    || row.cipher_aliases.iter().any(|alias| matches(alias, key_bits))
            };
            let key_bits = row.key_bits.iter().copied().find(spelled)?;
            Some(Self { encryption: row.id, key_bits })
        })
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row().spelling.split_once('#') {
            Some((before, after)) => f.pad(&format!("{before}{}{after}", self.key_bits)),
            None => f.pad(self.row().spelling),
        }
    }
}

impl FromStr for Cipher {
    type Err = CryptoError;

    fn from_str(name: &str) -> Result<Self, CryptoError> {
        Self::from_name(name)
            .ok_or_else(|| CryptoError::UnknownName { kind: "cipher", name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_reads_back_what_it_prints() {
        for row in Encryption::rows() {
            for &key_bits in row.key_bits {
                let cipher = Cipher::new(row.id, key_bits).unwrap();
                assert_eq!(cipher.to_string().parse(), Ok(cipher));
                for alias in row.cipher_aliases {
                    assert_eq!(alias.replace('#', &key_bits.to_string()).parse(), Ok(cipher));
                }
            }
            assert_eq!(Cipher::from_attribute(row.id, None).map(|c| c.key_bits), Ok(row.default_key_bits));
            assert!(Cipher::new(row.id, 7).is_err());
            assert!(row.block.is_power_of_two() && row.icv <= crate::MAX_ICV_LEN);
        }
    }

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for row in Encryption::rows() {
            for found in [
                row.ikev1_phase1.map(Encryption::from_ikev1_phase1),
                row.ikev1_esp.map(Encryption::from_ikev1_esp),
                row.ikev2.map(Encryption::from_ikev2),
            ]
            .into_iter()
            .flatten()
            {
                assert_eq!(found, Some(row.id));
            }
        }
        assert_eq!(Encryption::from_ikev1_phase1(0), None);
    }

    #[test]
    fn operators_spellings() {
        for (name, cipher) in [
            ("AES128", Cipher::AES128),
            ("aes", Cipher::AES128),
            ("esp-aes 256", Cipher::AES256),
            ("AES_CBC_192", Cipher::AES192),
            ("3DES_CBC", Cipher::TRIPLE_DES),
            ("esp-3des", Cipher::TRIPLE_DES),
            ("ESP_NULL", Cipher::NULL),
            ("aes256gcm128", Cipher { encryption: Encryption::AesGcm16, key_bits: 256 }),
        ] {
            assert_eq!(name.parse(), Ok(cipher), "{name}");
        }
        for name in ["aes512", "aes#", "", "aes 128 ", "des3"] {
            assert_eq!(name.parse::<Cipher>().is_err(), name != "aes 128 ", "{name}");
        }
    }
}
