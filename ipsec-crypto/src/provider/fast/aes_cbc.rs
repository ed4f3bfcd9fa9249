//! AES-CBC by aws-lc: `EncryptingKey::cbc` neither pads nor allocates.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::CryptoError;
use crate::suite::Encryption;

const BLOCK: usize = 16;

/// AES-CBC (RFC 3602).
#[derive(Debug)]
pub(super) struct AesCbc;

impl CipherAlgorithm for AesCbc {
    fn id(&self) -> Encryption {
        Encryption::AesCbc
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        let (name, algorithm) = match key.len() {
            24 => ("aes192-cbc", &AES_192),
            32 => ("aes256-cbc", &AES_256),
            _ => ("aes128-cbc", &AES_128),
        };
        let bad = CryptoError::BadKeyLength { algorithm: "aes128-cbc", expected: 16, got: key.len() };
        let unbound = || UnboundCipherKey::new(algorithm, key);
        let pair =
            unbound().and_then(EncryptingKey::cbc).and_then(|e| Ok((e, DecryptingKey::cbc(unbound()?)?)));
        match pair {
            Ok((encrypting, decrypting)) => Ok(Box::new(AesCbcKey { name, encrypting, decrypting })),
            Err(_) => Err(bad),
        }
    }
}

struct AesCbcKey {
    name: &'static str,
    encrypting: EncryptingKey,
    decrypting: DecryptingKey,
}

impl AesCbcKey {
    fn check(&self, iv: &[u8], text: &[u8]) -> Result<FixedLength<BLOCK>, CryptoError> {
        if !text.len().is_multiple_of(BLOCK) {
            return Err(CryptoError::NotBlockAligned { len: text.len(), block: BLOCK });
        }
        FixedLength::try_from(iv).map_err(|_| CryptoError::BadIvLength {
            algorithm: self.name,
            expected: BLOCK,
            got: iv.len(),
        })
    }
}

impl CipherKey for AesCbcKey {
    fn block_len(&self) -> usize {
        BLOCK
    }

    fn iv_len(&self) -> usize {
        BLOCK
    }

    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        let iv = self.check(iv, text)?;
        self.encrypting
            .less_safe_encrypt(text, EncryptionContext::Iv128(iv))
            .map_err(|_| CryptoError::NotBlockAligned { len: text.len(), block: BLOCK })?;
        Ok(())
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        let iv = self.check(iv, text)?;
        let len = text.len();
        self.decrypting
            .decrypt(text, DecryptionContext::Iv128(iv))
            .map_err(|_| CryptoError::NotBlockAligned { len, block: BLOCK })?;
        Ok(())
    }
}

impl fmt::Debug for AesCbcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({})", self.name)
    }
}
