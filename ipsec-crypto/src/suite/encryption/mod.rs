//! Encryption algorithms, and ciphers: an algorithm with its key length.

mod aes;
mod camellia;
mod cipher;
mod des;
mod gost;
mod other;

pub use cipher::Cipher;

use super::names::named;
use super::{Names, Status, Support, WeakKeys};

/// An encryption algorithm, without its key length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Encryption {
    /// No encryption (RFC 2410).
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
    /// Triple IDEA (never specified).
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
    /// XTS-AES (number reserved for IEEE P1619).
    AesXts,
    /// Kuznyechik in MGM mode with a tree of keys (RFC 9227).
    KuznyechikMgm,
    /// Magma in MGM mode with a tree of keys (RFC 9227).
    MagmaMgm,
    /// Kuznyechik in MGM mode: integrity without encryption (RFC 9227).
    KuznyechikMgmMac,
    /// Magma in MGM mode: integrity without encryption (RFC 9227).
    MagmaMgmMac,
    /// Serpent-CBC, by the private numbers of the FreeS/WAN family and strongSwan.
    SerpentCbc,
    /// Twofish-CBC, by the private numbers of the FreeS/WAN family and strongSwan.
    TwofishCbc,
}

/// What there is to know about an encryption algorithm.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EncryptionRow {
    /// The algorithm.
    pub id: Encryption,
    /// Our name for the algorithm, without key length: `aes-cbc`.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
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
    /// The keys that are refused.
    pub weak_keys: WeakKeys,
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

static ROWS: [EncryptionRow; 38] = [
    other::NULL,
    des::DES_IV64,
    des::DES_CBC,
    des::TRIPLE_DES,
    other::RC5,
    other::IDEA,
    other::CAST,
    other::BLOWFISH,
    other::TRIPLE_IDEA,
    des::DES_IV32,
    other::RC4,
    aes::CBC,
    aes::CTR,
    aes::CCM_8,
    aes::CCM_12,
    aes::CCM_16,
    aes::GCM_8,
    aes::GCM_12,
    aes::GCM_16,
    aes::GMAC,
    other::SEED,
    camellia::CBC,
    other::CHACHA20_POLY1305,
    des::CDMF,
    camellia::CTR,
    camellia::CCM_8,
    camellia::CCM_12,
    camellia::CCM_16,
    aes::CCM_8_IIV,
    aes::GCM_16_IIV,
    other::CHACHA20_POLY1305_IIV,
    aes::XTS,
    gost::KUZNYECHIK,
    gost::MAGMA,
    gost::KUZNYECHIK_MAC,
    gost::MAGMA_MAC,
    other::SERPENT,
    other::TWOFISH,
];

named!(
    Encryption,
    EncryptionRow,
    "encryption algorithm",
    "accepted are names such as `aes-cbc`, `ENCR_AES_GCM_16`, `3DES_CBC`, `cbc(aes)`"
);

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
