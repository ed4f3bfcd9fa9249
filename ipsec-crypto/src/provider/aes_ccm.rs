//! AES-CCM (RFC 4309), put together from AES in counter mode and CBC-MAC (RFC 3610).
//!
//! Not taken whole from a crate, because a forged packet is to be left as it was, and CCM can be verified only by decrypting.

use std::fmt;

use aes::cipher::consts::U16;
use aes::cipher::{Block, BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128, Aes192, Aes256};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::cbc_mac::Chain;
use super::{in_out, key_and_salt};
use crate::aead::{AeadAlgorithm, AeadKey};
use crate::error::CryptoError;
use crate::protection::{InOut, Outcome};
use crate::suite::Encryption;

pub(super) const CCM_8: &dyn AeadAlgorithm = &Ccm(Encryption::AesCcm8);
pub(super) const CCM_12: &dyn AeadAlgorithm = &Ccm(Encryption::AesCcm12);
pub(super) const CCM_16: &dyn AeadAlgorithm = &Ccm(Encryption::AesCcm16);

const SALT: usize = 3;
const IV: usize = 8;
const BLOCK: usize = 16;
/// Octets of the length field, L of RFC 3610: what a nonce of 11 octets leaves (RFC 4309 §4).
const LENGTH: usize = 4;
/// Additional data of this length and more is written with a longer prefix (RFC 3610 §2.2), which no header needs.
const AAD_LIMIT: usize = 0xff00;

#[derive(Debug)]
struct Ccm(Encryption);

impl AeadAlgorithm for Ccm {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let (key, salt) = key_and_salt::<SALT>(self.0, key)?;
        match key.len() {
            16 => Ok(Box::new(CcmKey::<Aes128>::new(self.0, key, salt)?)),
            24 => Ok(Box::new(CcmKey::<Aes192>::new(self.0, key, salt)?)),
            _ => Ok(Box::new(CcmKey::<Aes256>::new(self.0, key, salt)?)),
        }
    }
}

struct CcmKey<C> {
    id: Encryption,
    icv: usize,
    cipher: C,
    salt: [u8; SALT],
}

impl<C> Drop for CcmKey<C> {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

type Counter<'a, C> = CtrCore<&'a C, Ctr32BE>;

impl<C: BlockCipherEncrypt<BlockSize = U16>> CcmKey<C> {
    fn new(id: Encryption, key: &[u8], salt: [u8; SALT]) -> Result<Self, CryptoError>
    where
        C: KeyInit,
    {
        let cipher = C::new_from_slice(key).map_err(|_| CryptoError::BadKeyLength {
            algorithm: id.name(),
            expected: C::key_size(),
            got: key.len(),
        })?;
        Ok(Self { id, icv: id.row().icv, cipher, salt })
    }

    /// A block of flags, nonce and four octets of counter or length (RFC 3610 §2.2, §2.3).
    fn block(&self, flags: u8, iv: [u8; IV], last: u32) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[0] = flags;
        block[1..=SALT].copy_from_slice(&self.salt);
        block[1 + SALT..BLOCK - LENGTH].copy_from_slice(&iv);
        block[BLOCK - LENGTH..].copy_from_slice(&last.to_be_bytes());
        block
    }

    /// The keystream for the text, and the block in front of it, which masks the tag.
    fn counter(&self, iv: [u8; IV]) -> (Counter<'_, C>, Block<C>) {
        let first = self.block(LENGTH as u8 - 1, iv, 0);
        let mut counter = Counter::inner_iv_init(&self.cipher, &first.into());
        let mut mask = Block::<C>::default();
        counter.write_keystream_block(&mut mask);
        (counter, mask)
    }

    /// The tag over additional data and clear text; `text_len` is the text's length.
    fn tag(&self, iv: [u8; IV], aad: &[u8], text: &[u8], text_len: u32, mask: &Block<C>) -> [u8; BLOCK] {
        let with_aad = if aad.is_empty() { 0 } else { 0x40 };
        let flags = with_aad | (((self.icv - 2) / 2) << 3) as u8 | (LENGTH as u8 - 1);
        let mut chain = Chain::new(&self.cipher);
        chain.update(&self.block(flags, iv, text_len));
        if !aad.is_empty() {
            chain.update(&(aad.len() as u16).to_be_bytes());
            chain.update(aad);
            chain.pad();
        }
        chain.update(text);
        let mut tag = chain.finish(|_, _| {});
        tag.iter_mut().zip(mask).for_each(|(tag, mask)| *tag ^= mask);
        tag
    }

    /// The IV and the text's length, where all lengths are such that this key can work on them.
    fn check(&self, iv: &[u8], aad: &[u8], text: &InOut<'_>, icv: &[u8]) -> Option<([u8; IV], u32)> {
        let fit = icv.len() == self.icv && aad.len() < AAD_LIMIT && text.lengths_agree();
        fit.then_some(())?;
        Some((iv.try_into().ok()?, text.source().len().try_into().ok()?))
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16> + Send + Sync> AeadKey for CcmKey<C> {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let Some((iv, len)) = self.check(iv, aad, text, icv) else { return Outcome::BadLength };
        let (counter, mask) = self.counter(iv);
        icv.copy_from_slice(&self.tag(iv, aad, text.source(), len, &mask)[..self.icv]);
        if let Some(buffer) = in_out(text) {
            counter.apply_keystream_partial(buffer);
        }
        Outcome::Done
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let Some((iv, len)) = self.check(iv, aad, text, icv) else { return Outcome::BadLength };
        let (counter, mask) = self.counter(iv);
        if let Some(buffer) = in_out(text) {
            counter.apply_keystream_partial(buffer);
        }
        if self.tag(iv, aad, text.result(), len, &mask)[..self.icv].ct_eq(icv).into() {
            return Outcome::Done;
        }
        match text {
            InOut::InPlace(text) => self.counter(iv).0.apply_keystream_partial((&mut **text).into()),
            InOut::Copy { to, .. } => to.zeroize(),
        }
        Outcome::Forged
    }
}

impl<C> fmt::Debug for CcmKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({})", self.id)
    }
}
