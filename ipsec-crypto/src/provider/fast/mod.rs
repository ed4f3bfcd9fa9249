//! The fast provider: `portable`, with aws-lc-rs where measurements say that it is faster. Safe interfaces only.
//!
//! AES-CBC takes 0.8 of the portable time at 1408 octets, AES-GCM and ChaCha20-Poly1305 a third, the curves 0.2 to 0.4.
//! HMAC stays portable: aws-lc-rs takes 1.0 to 1.4 of its time. MODP too: aws-lc-rs has no interface to it. GCM with a
//! shortened tag, GMAC over pieces and CCM: likewise.

mod aead;
mod aes_cbc;
mod agreement;

use super::aes_ctr::AesCtr;
#[cfg(feature = "legacy")]
use super::legacy;
use super::modp::{MODP2048, MODP3072, MODP4096, MODP6144, MODP8192};
use super::{CryptoProvider, aes_ccm, aes_gcm, portable};
#[cfg(feature = "legacy")]
use crate::suite::Encryption;

pub(super) const PROVIDER: CryptoProvider = CryptoProvider {
    name: "fast",
    ciphers: &[
        &aes_cbc::AesCbc,
        &AesCtr,
        &portable::Null,
        #[cfg(feature = "legacy")]
        &legacy::TripleDesCbc,
        #[cfg(feature = "legacy")]
        &legacy::DesCbc(Encryption::DesCbc),
        #[cfg(feature = "legacy")]
        &legacy::DesCbc(Encryption::DesIv64),
        #[cfg(feature = "legacy")]
        &legacy::DesIv32,
        #[cfg(feature = "legacy")]
        &legacy::Cdmf,
    ],
    aeads: &[
        aead::GCM_16,
        aead::CHACHA20_POLY,
        aes_ccm::CCM_16,
        aes_gcm::GCM_12,
        aes_gcm::GCM_8,
        aes_ccm::CCM_12,
        aes_ccm::CCM_8,
        &aes_gcm::Gmac,
    ],
    integrity: portable::PROVIDER.integrity,
    prfs: portable::PROVIDER.prfs,
    groups: &[
        agreement::CURVE25519,
        agreement::ECP256,
        agreement::ECP384,
        agreement::ECP521,
        &MODP2048,
        &MODP3072,
        &MODP4096,
        &MODP6144,
        &MODP8192,
        #[cfg(feature = "legacy")]
        &legacy::MODP1536,
        #[cfg(feature = "legacy")]
        &legacy::MODP1024,
        #[cfg(feature = "legacy")]
        &legacy::MODP768,
    ],
    signatures: portable::PROVIDER.signatures,
};
