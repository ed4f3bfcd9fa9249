//! The portable provider: RustCrypto's ciphers, hashes and big integers. No C, no assembler.

use std::fmt;
use std::marker::PhantomData;

use aes::cipher::array::Array;
use aes::cipher::{
    Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit,
    KeySizeUser,
};
use aes::{Aes128, Aes192, Aes256};
use hmac::Hmac;
use hmac::digest::{Digest, FixedOutput, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::aes_ctr::AesCtr;
use super::chacha20_poly1305::ChaCha20Poly1305;
use super::ecp::{ECP256, ECP384, ECP521};
#[cfg(feature = "legacy")]
use super::legacy;
use super::modp::{ModpGroup, Montgomery, P2048, P3072, P4096, P6144, P8192};
use super::x25519::X25519;
use super::{CryptoProvider, aes_ccm, aes_gcm, cbc_mac, ecdsa, rsa};
use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::CryptoError;
use crate::group::KeyExchange;
use crate::prf::PrfAlgorithm;
use crate::secret::Secret;
use crate::suite::{Encryption, Prf};

pub(super) const PROVIDER: CryptoProvider = CryptoProvider {
    name: "portable",
    ciphers: &[
        &AesCbc,
        &AesCtr,
        &Null,
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
        aes_gcm::GCM_16,
        &ChaCha20Poly1305,
        aes_ccm::CCM_16,
        aes_gcm::GCM_12,
        aes_gcm::GCM_8,
        aes_ccm::CCM_12,
        aes_ccm::CCM_8,
        &aes_gcm::Gmac,
    ],
    integrity: &[
        super::hmac::SHA256_128,
        super::hmac::SHA384_192,
        super::hmac::SHA512_256,
        super::hmac::SHA1_96,
        cbc_mac::CMAC_96,
        cbc_mac::XCBC_96,
        super::hmac::SHA256_96,
        #[cfg(feature = "legacy")]
        &legacy::HmacMd5,
        #[cfg(feature = "legacy")]
        &legacy::KeyedMd5,
    ],
    prfs: &[
        PRF_SHA256,
        PRF_SHA384,
        PRF_SHA512,
        PRF_SHA1,
        cbc_mac::PRF_CMAC,
        cbc_mac::PRF_XCBC,
        #[cfg(feature = "legacy")]
        legacy::PRF_MD5,
    ],
    groups: GROUPS,
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

const PRF_SHA1: &dyn PrfAlgorithm = &HmacPrf::<Hmac<Sha1>, Sha1> { id: Prf::HmacSha1, mac: PhantomData };
const PRF_SHA256: &dyn PrfAlgorithm =
    &HmacPrf::<Hmac<Sha256>, Sha256> { id: Prf::HmacSha256, mac: PhantomData };
const PRF_SHA384: &dyn PrfAlgorithm =
    &HmacPrf::<Hmac<Sha384>, Sha384> { id: Prf::HmacSha384, mac: PhantomData };
const PRF_SHA512: &dyn PrfAlgorithm =
    &HmacPrf::<Hmac<Sha512>, Sha512> { id: Prf::HmacSha512, mac: PhantomData };

const GROUPS: &[&dyn KeyExchange] = &[
    &X25519,
    ECP256,
    ECP384,
    ECP521,
    &ModpGroup::<Montgomery>::new(&P2048),
    &ModpGroup::<Montgomery>::new(&P3072),
    &ModpGroup::<Montgomery>::new(&P4096),
    &ModpGroup::<Montgomery>::new(&P6144),
    &ModpGroup::<Montgomery>::new(&P8192),
    #[cfg(feature = "legacy")]
    &ModpGroup::<Montgomery>::new(&legacy::P1536),
    #[cfg(feature = "legacy")]
    &ModpGroup::<Montgomery>::new(&legacy::P1024),
    #[cfg(feature = "legacy")]
    &ModpGroup::<Montgomery>::new(&legacy::P768),
];

/// NULL encryption (RFC 2410): the identity, no key, no IV, any length.
#[derive(Debug)]
pub(super) struct Null;

impl CipherAlgorithm for Null {
    fn id(&self) -> Encryption {
        Encryption::Null
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        match key.len() {
            0 => Ok(Box::new(Self)),
            got => Err(CryptoError::BadKeyLength { algorithm: "null", expected: 0, got }),
        }
    }
}

impl CipherKey for Null {
    fn block_len(&self) -> usize {
        1
    }

    fn iv_len(&self) -> usize {
        0
    }

    fn encrypt(&self, iv: &[u8], _text: &mut [u8]) -> Result<(), CryptoError> {
        match iv.len() {
            0 => Ok(()),
            got => Err(CryptoError::BadIvLength { algorithm: "null", expected: 0, got }),
        }
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        self.encrypt(iv, text)
    }
}

/// AES-CBC (RFC 3602).
#[derive(Debug)]
struct AesCbc;

impl CipherAlgorithm for AesCbc {
    fn id(&self) -> Encryption {
        Encryption::AesCbc
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        match key.len() {
            24 => Ok(Box::new(CbcKey::<Aes192>::new("aes192-cbc", key)?)),
            32 => Ok(Box::new(CbcKey::<Aes256>::new("aes256-cbc", key)?)),
            _ => Ok(Box::new(CbcKey::<Aes128>::new("aes128-cbc", key)?)),
        }
    }
}

/// A block cipher in CBC mode. Both directions' key schedules are kept: they are made together.
pub(super) struct CbcKey<C> {
    name: &'static str,
    block_cipher: C,
}

impl<C: KeyInit + KeySizeUser + BlockCipherEncrypt> CbcKey<C> {
    pub(super) fn new(name: &'static str, key: &[u8]) -> Result<Self, CryptoError> {
        let block_cipher = C::new_from_slice(key).map_err(|_| CryptoError::BadKeyLength {
            algorithm: name,
            expected: C::key_size(),
            got: key.len(),
        })?;
        Ok(Self { name, block_cipher })
    }

    fn iv<'a>(&self, iv: &'a [u8]) -> Result<&'a Block<C>, CryptoError> {
        iv.try_into().map_err(|_| CryptoError::BadIvLength {
            algorithm: self.name,
            expected: C::block_size(),
            got: iv.len(),
        })
    }
}

fn whole<C: BlockCipherEncrypt>(text: &[u8]) -> Result<&[Block<C>], CryptoError> {
    match Array::slice_as_chunks(text) {
        (blocks, []) => Ok(blocks),
        _ => Err(CryptoError::NotBlockAligned { len: text.len(), block: C::block_size() }),
    }
}

fn whole_mut<C: BlockCipherEncrypt>(text: &mut [u8]) -> Result<&mut [Block<C>], CryptoError> {
    let len = text.len();
    match Array::slice_as_chunks_mut(text) {
        (blocks, []) => Ok(blocks),
        _ => Err(CryptoError::NotBlockAligned { len, block: C::block_size() }),
    }
}

impl<C> CipherKey for CbcKey<C>
where
    C: KeyInit + KeySizeUser + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync,
{
    fn block_len(&self) -> usize {
        C::block_size()
    }

    fn iv_len(&self) -> usize {
        C::block_size()
    }

    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        let (iv, blocks) = (self.iv(iv)?, whole_mut::<C>(text)?);
        cbc::Encryptor::inner_iv_init(&self.block_cipher, iv).encrypt_blocks(blocks);
        Ok(())
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        let (iv, blocks) = (self.iv(iv)?, whole_mut::<C>(text)?);
        cbc::Decryptor::inner_iv_init(&self.block_cipher, iv).decrypt_blocks(blocks);
        Ok(())
    }

    fn encrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        let mismatch = CryptoError::LengthMismatch { from: from.len(), to: to.len() };
        let (iv, from, to) = (self.iv(iv)?, whole::<C>(from)?, whole_mut::<C>(to)?);
        cbc::Encryptor::inner_iv_init(&self.block_cipher, iv)
            .encrypt_blocks_b2b(from, to)
            .map_err(|_| mismatch)
    }

    fn decrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        let mismatch = CryptoError::LengthMismatch { from: from.len(), to: to.len() };
        let (iv, from, to) = (self.iv(iv)?, whole::<C>(from)?, whole_mut::<C>(to)?);
        cbc::Decryptor::inner_iv_init(&self.block_cipher, iv)
            .decrypt_blocks_b2b(from, to)
            .map_err(|_| mismatch)
    }
}

impl<C> fmt::Debug for CbcKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({})", self.name)
    }
}

/// HMAC as pseudo-random function, with the hash inside it.
pub(super) struct HmacPrf<M, H> {
    pub(super) id: Prf,
    pub(super) mac: PhantomData<fn() -> (M, H)>,
}

impl<M, H> PrfAlgorithm for HmacPrf<M, H>
where
    M: Mac + KeyInit + 'static,
    H: Digest + FixedOutput + 'static,
{
    fn id(&self) -> Prf {
        self.id
    }

    fn output_len(&self) -> usize {
        <H as Digest>::output_size()
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Secret {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length");
        for part in parts {
            mac.update(part);
        }
        let mut output = mac.finalize().into_bytes();
        let secret = Secret::from_slice(&output);
        zeroize::Zeroize::zeroize(output.as_mut_slice());
        secret
    }

    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = H::new();
        for part in parts {
            Digest::update(&mut hash, part);
        }
        hash.finalize().to_vec()
    }
}

impl<M, H> fmt::Debug for HmacPrf<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrfAlgorithm({})", self.id)
    }
}
