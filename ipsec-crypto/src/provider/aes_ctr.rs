//! AES-CTR (RFC 3686).

use std::fmt;

use aes::cipher::consts::U16;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128, Aes192, Aes256};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use zeroize::Zeroize;

use super::key_and_salt;
use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::CryptoError;
use crate::suite::Encryption;

const NONCE: usize = 4;
const IV: usize = 8;
const NAME: &str = "aes-ctr";

#[derive(Debug)]
pub(super) struct AesCtr;

impl CipherAlgorithm for AesCtr {
    fn id(&self) -> Encryption {
        Encryption::AesCtr
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        let (key, nonce) = key_and_salt::<NONCE>(self.id(), key)?;
        match key.len() {
            16 => Ok(Box::new(CtrKey::<Aes128>::new(key, nonce)?)),
            24 => Ok(Box::new(CtrKey::<Aes192>::new(key, nonce)?)),
            _ => Ok(Box::new(CtrKey::<Aes256>::new(key, nonce)?)),
        }
    }
}

struct CtrKey<C> {
    cipher: C,
    nonce: [u8; NONCE],
}

impl<C> Drop for CtrKey<C> {
    fn drop(&mut self) {
        self.nonce.zeroize();
    }
}

/// The first counter block: nonce, IV, one (RFC 3686 §4).
pub(super) fn counter_block(nonce: [u8; NONCE], iv: &[u8]) -> Result<[u8; 16], CryptoError> {
    let bad = CryptoError::BadIvLength { algorithm: NAME, expected: IV, got: iv.len() };
    let iv: [u8; IV] = iv.try_into().map_err(|_| bad)?;
    let mut block = [0; 16];
    block[..NONCE].copy_from_slice(&nonce);
    block[NONCE..NONCE + IV].copy_from_slice(&iv);
    block[15] = 1;
    Ok(block)
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> CtrKey<C> {
    fn new(key: &[u8], nonce: [u8; NONCE]) -> Result<Self, CryptoError>
    where
        C: KeyInit,
    {
        let cipher = C::new_from_slice(key).map_err(|_| CryptoError::BadKeyLength {
            algorithm: NAME,
            expected: C::key_size(),
            got: key.len(),
        })?;
        Ok(Self { cipher, nonce })
    }

    fn apply(&self, iv: &[u8], text: InOutBuf<'_, '_, u8>) -> Result<(), CryptoError> {
        let block = counter_block(self.nonce, iv)?;
        CtrCore::<&C, Ctr32BE>::inner_iv_init(&self.cipher, &block.into()).apply_keystream_partial(text);
        Ok(())
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16> + Send + Sync> CipherKey for CtrKey<C> {
    fn block_len(&self) -> usize {
        1
    }

    fn iv_len(&self) -> usize {
        IV
    }

    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        self.apply(iv, text.into())
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        self.apply(iv, text.into())
    }

    fn encrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        let mismatch = CryptoError::LengthMismatch { from: from.len(), to: to.len() };
        self.apply(iv, InOutBuf::new(from, to).map_err(|_| mismatch)?)
    }

    fn decrypt_to(&self, iv: &[u8], from: &[u8], to: &mut [u8]) -> Result<(), CryptoError> {
        self.encrypt_to(iv, from, to)
    }
}

impl<C> fmt::Debug for CtrKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(aes-ctr)")
    }
}
