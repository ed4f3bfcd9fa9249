//! AES-GCM (RFC 4106) and AES-GMAC (RFC 4543), put together from AES in counter mode and GHASH (NIST SP 800-38D).
//!
//! Not taken whole from a crate, because ESP's ICV of 8 octets and GMAC over pieces that do not lie together need the parts.

use std::fmt;

use aes::cipher::consts::U16;
use aes::cipher::{Block, BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128, Aes192, Aes256};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{in_out, key_and_salt};
use crate::aead::{AeadAlgorithm, AeadKey};
use crate::error::CryptoError;
use crate::protection::{InOut, Outcome};
use crate::suite::Encryption;

pub(super) const GCM_8: &dyn AeadAlgorithm = &Gcm(Encryption::AesGcm8);
pub(super) const GCM_12: &dyn AeadAlgorithm = &Gcm(Encryption::AesGcm12);
pub(super) const GCM_16: &dyn AeadAlgorithm = &Gcm(Encryption::AesGcm16);

const SALT: usize = 4;
const IV: usize = 8;
const BLOCK: usize = 16;

#[derive(Debug)]
struct Gcm(Encryption);

impl AeadAlgorithm for Gcm {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let (key, salt) = key_and_salt::<SALT>(self.0, key)?;
        match key.len() {
            16 => Ok(Box::new(GcmKey(Engine::<Aes128>::new(self.0, key, salt)?))),
            24 => Ok(Box::new(GcmKey(Engine::<Aes192>::new(self.0, key, salt)?))),
            _ => Ok(Box::new(GcmKey(Engine::<Aes256>::new(self.0, key, salt)?))),
        }
    }
}

#[derive(Debug)]
pub(super) struct Gmac;

impl AeadAlgorithm for Gmac {
    fn id(&self) -> Encryption {
        Encryption::NullAesGmac
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let (key, salt) = key_and_salt::<SALT>(self.id(), key)?;
        match key.len() {
            16 => Ok(Box::new(GmacKey(Engine::<Aes128>::new(self.id(), key, salt)?))),
            24 => Ok(Box::new(GmacKey(Engine::<Aes192>::new(self.id(), key, salt)?))),
            _ => Ok(Box::new(GmacKey(Engine::<Aes256>::new(self.id(), key, salt)?))),
        }
    }
}

/// The key schedule and the powers of GHASH's key.
struct Engine<C> {
    id: Encryption,
    icv: usize,
    cipher: C,
    ghash: GHash,
    salt: [u8; SALT],
}

impl<C> Drop for Engine<C> {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

type Counter<'a, C> = CtrCore<&'a C, Ctr32BE>;

impl<C: BlockCipherEncrypt<BlockSize = U16>> Engine<C> {
    fn new(id: Encryption, key: &[u8], salt: [u8; SALT]) -> Result<Self, CryptoError>
    where
        C: KeyInit,
    {
        let cipher = C::new_from_slice(key).map_err(|_| CryptoError::BadKeyLength {
            algorithm: id.name(),
            expected: C::key_size(),
            got: key.len(),
        })?;
        let mut hash_key = Block::<C>::default();
        cipher.encrypt_block(&mut hash_key);
        let ghash = GHash::new(&hash_key);
        hash_key.as_mut_slice().zeroize();
        Ok(Self { id, icv: id.row().icv, cipher, ghash, salt })
    }

    /// The keystream for the text, and the block in front of it, which masks the tag (NIST SP 800-38D §7.1).
    fn counter(&self, iv: [u8; IV]) -> (Counter<'_, C>, Block<C>) {
        let mut first = [0; BLOCK];
        first[..SALT].copy_from_slice(&self.salt);
        first[SALT..SALT + IV].copy_from_slice(&iv);
        first[BLOCK - 1] = 1;
        let mut counter = Counter::inner_iv_init(&self.cipher, &first.into());
        let mut mask = Block::<C>::default();
        counter.write_keystream_block(&mut mask);
        (counter, mask)
    }

    /// The tag, from a hash that has absorbed additional data and text.
    fn tag(mut ghash: GHash, aad_len: usize, text_len: usize, mask: &Block<C>) -> [u8; BLOCK] {
        let mut lengths = [0; BLOCK];
        let bits = |octets: usize| (octets as u64 * 8).to_be_bytes();
        lengths[..8].copy_from_slice(&bits(aad_len));
        lengths[8..].copy_from_slice(&bits(text_len));
        ghash.update(&[lengths.into()]);
        let mut tag: [u8; BLOCK] = ghash.finalize().into();
        tag.iter_mut().zip(mask).for_each(|(tag, mask)| *tag ^= mask);
        tag
    }

    fn compare(&self, tag: &[u8; BLOCK], icv: &[u8]) -> bool {
        tag[..self.icv].ct_eq(icv).into()
    }
}

/// AES-GCM with an ICV of any of ESP's lengths.
struct GcmKey<C>(Engine<C>);

impl<C: BlockCipherEncrypt<BlockSize = U16>> GcmKey<C> {
    fn tag(&self, aad: &[u8], text: &[u8], mask: &Block<C>) -> [u8; BLOCK] {
        let mut ghash = self.0.ghash.clone();
        ghash.update_padded(aad);
        ghash.update_padded(text);
        Engine::<C>::tag(ghash, aad.len(), text.len(), mask)
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16> + Send + Sync> AeadKey for GcmKey<C> {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let (Ok(iv), true, Some(buffer)) = (iv.try_into(), icv.len() == self.0.icv, in_out(text)) else {
            return Outcome::BadLength;
        };
        let (counter, mask) = self.0.counter(iv);
        counter.apply_keystream_partial(buffer);
        icv.copy_from_slice(&self.tag(aad, text.result(), &mask)[..self.0.icv]);
        Outcome::Done
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let (Ok(iv), true) = (iv.try_into(), icv.len() == self.0.icv) else { return Outcome::BadLength };
        let (counter, mask) = self.0.counter(iv);
        let tag = self.tag(aad, text.source(), &mask);
        let Some(buffer) = in_out(text) else { return Outcome::BadLength };
        if !self.0.compare(&tag, icv) {
            return Outcome::Forged;
        }
        counter.apply_keystream_partial(buffer);
        Outcome::Done
    }
}

impl<C> fmt::Debug for GcmKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({})", self.0.id)
    }
}

/// AES-GMAC: header, IV and text are the additional data of a GCM without text (RFC 4543 §3.3).
struct GmacKey<C>(Engine<C>);

impl<C: BlockCipherEncrypt<BlockSize = U16>> GmacKey<C> {
    fn tag(&self, iv: [u8; IV], aad: &[u8], text: &[u8]) -> [u8; BLOCK] {
        let (_, mask) = self.0.counter(iv);
        let mut ghash = self.0.ghash.clone();
        let (mut block, mut filled) = ([0; BLOCK], 0);
        for mut part in [aad, &iv, text] {
            if filled > 0 {
                let (head, rest) = part.split_at(part.len().min(BLOCK - filled));
                block[filled..filled + head.len()].copy_from_slice(head);
                (filled, part) = (filled + head.len(), rest);
                if filled < BLOCK {
                    continue;
                }
                ghash.update(&[block.into()]);
            }
            let (whole, tail) = ghash::Block::slice_as_chunks(part);
            ghash.update(whole);
            block[..tail.len()].copy_from_slice(tail);
            filled = tail.len();
        }
        ghash.update_padded(&block[..filled]);
        Engine::<C>::tag(ghash, aad.len() + IV + text.len(), 0, &mask)
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16> + Send + Sync> AeadKey for GmacKey<C> {
    fn seal(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &mut [u8]) -> Outcome {
        let (Ok(iv), true, true) = (iv.try_into(), icv.len() == self.0.icv, text.copy()) else {
            return Outcome::BadLength;
        };
        icv.copy_from_slice(&self.tag(iv, aad, text.result())[..self.0.icv]);
        Outcome::Done
    }

    fn open(&self, iv: &[u8], aad: &[u8], text: &mut InOut<'_>, icv: &[u8]) -> Outcome {
        let (Ok(iv), true, true) = (iv.try_into(), icv.len() == self.0.icv, text.lengths_agree()) else {
            return Outcome::BadLength;
        };
        if !self.0.compare(&self.tag(iv, aad, text.source()), icv) {
            return Outcome::Forged;
        }
        text.copy();
        Outcome::Done
    }
}

impl<C> fmt::Debug for GmacKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({})", self.0.id)
    }
}
