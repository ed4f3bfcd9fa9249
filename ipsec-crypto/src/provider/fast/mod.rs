//! The fast provider: `portable`, with aws-lc where measurements say that it is faster: through aws-lc-rs, and in `ffi` directly.
//!
//! AES-CBC takes 0.8 of the portable time at 1408 octets, AES-GCM and ChaCha20-Poly1305 a third, the curves 0.2 to 0.4, MODP
//! 0.6, RSA a half for signing and a third for verifying. HMAC stays portable: aws-lc-rs takes 1.0 to 1.4 of its time. GCM
//! with a shortened tag, GMAC over pieces and CCM too: aws-lc-rs has no interface to them.

mod aead;
mod aes_cbc;
mod agreement;
mod ecdsa;
pub(super) mod ffi;
mod rsa;

use super::aes_ctr::AesCtr;
#[cfg(feature = "legacy")]
use super::legacy;
use super::modp::{ModpGroup, P2048, P3072, P4096, P6144, P8192};
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
        &ModpGroup::<ffi::Modulus>::new(&P2048),
        &ModpGroup::<ffi::Modulus>::new(&P3072),
        &ModpGroup::<ffi::Modulus>::new(&P4096),
        &ModpGroup::<ffi::Modulus>::new(&P6144),
        &ModpGroup::<ffi::Modulus>::new(&P8192),
        #[cfg(feature = "legacy")]
        &ModpGroup::<ffi::Modulus>::new(&legacy::P1536),
        #[cfg(feature = "legacy")]
        &ModpGroup::<ffi::Modulus>::new(&legacy::P1024),
        #[cfg(feature = "legacy")]
        &ModpGroup::<ffi::Modulus>::new(&legacy::P768),
    ],
    signatures: &[
        ecdsa::SHA256,
        ecdsa::SHA384,
        ecdsa::SHA512,
        rsa::SHA256,
        rsa::SHA384,
        rsa::SHA512,
        ecdsa::FIXED_256,
        ecdsa::FIXED_384,
        ecdsa::FIXED_521,
        rsa::SHA1,
        ecdsa::RAW_256,
        ecdsa::RAW_384,
        ecdsa::RAW_521,
        rsa::RAW,
    ],
};
