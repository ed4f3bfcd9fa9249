//! CBC-MAC over AES and what is built on it: AES-CMAC (RFC 4493), AES-XCBC (RFC 3566), the pseudo-random functions
//! of RFC 4434 and RFC 4615. CCM uses the bare chain.

use std::fmt;

use aes::Aes128;
use aes::cipher::consts::U16;
use aes::cipher::{
    Block, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
};
use zeroize::{Zeroize, Zeroizing};

use crate::error::CryptoError;
use crate::integrity::{IntegrityAlgorithm, IntegrityKey};
use crate::prf::PrfAlgorithm;
use crate::secret::Secret;
use crate::suite::{Integrity, Prf};

const BLOCK: usize = 16;

/// The chain. The last block is kept back, not encrypted, because what is done to it differs.
pub(super) struct Chain<'a, C: BlockCipherEncrypt<BlockSize = U16>> {
    cipher: &'a C,
    state: Block<C>,
    /// Octets of the last block that have been absorbed.
    filled: usize,
}

impl<'a, C: BlockCipherEncrypt<BlockSize = U16>> Chain<'a, C> {
    pub(super) fn new(cipher: &'a C) -> Self {
        Self { cipher, state: Block::<C>::default(), filled: 0 }
    }

    /// Absorbs octets.
    pub(super) fn update(&mut self, octets: &[u8]) {
        let (head, rest) = octets.split_at(octets.len().min(BLOCK - self.filled));
        xor(&mut self.state[self.filled..], head);
        self.filled += head.len();
        if !rest.is_empty() {
            let (blocks, tail) = Block::<C>::slice_as_chunks(rest);
            self.cipher.encrypt_with_backend(Absorb { state: &mut self.state, blocks, tail });
            self.filled = if tail.is_empty() { BLOCK } else { tail.len() };
        }
    }

    /// Fills the last block up with zeros: adding zeros changes nothing, but the next octets begin a new block.
    pub(super) fn pad(&mut self) {
        if self.filled > 0 {
            self.filled = BLOCK;
        }
    }

    /// Encrypts the last block, changed by what `last` gives for the number of octets in it.
    pub(super) fn finish(mut self, last: impl FnOnce(&mut Block<C>, usize)) -> [u8; BLOCK] {
        last(&mut self.state, self.filled);
        self.cipher.encrypt_block(&mut self.state);
        self.state.into()
    }
}

fn xor(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}

/// Encrypts the block before, then absorbs; in one call, so that the cipher's instructions are chosen once.
struct Absorb<'a> {
    state: &'a mut aes::Block,
    blocks: &'a [aes::Block],
    tail: &'a [u8],
}

impl BlockSizeUser for Absorb<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Absorb<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        for block in self.blocks {
            backend.encrypt_block_inplace(self.state);
            xor(self.state, block);
        }
        if !self.tail.is_empty() {
            backend.encrypt_block_inplace(self.state);
            xor(self.state, self.tail);
        }
    }
}

/// How the keys of the last block are made.
#[derive(Clone, Copy)]
enum Scheme {
    /// AES-CMAC: by doubling (RFC 4493 §2.3).
    Cmac,
    /// AES-XCBC: by encrypting constants (RFC 3566 §4).
    Xcbc,
}

/// A prepared key of either scheme.
struct Mac {
    cipher: Aes128,
    whole: Zeroizing<[u8; BLOCK]>,
    partial: Zeroizing<[u8; BLOCK]>,
}

impl Mac {
    fn new(scheme: Scheme, key: [u8; BLOCK]) -> Self {
        let key = Zeroizing::new(key);
        let cipher = Aes128::new((&*key).into());
        let constant = |cipher: &Aes128, octet| {
            let mut block = [octet; BLOCK].into();
            cipher.encrypt_block(&mut block);
            Zeroizing::new(block.into())
        };
        match scheme {
            Scheme::Cmac => {
                let whole = double(&constant(&cipher, 0));
                let partial = double(&whole);
                Self { cipher, whole, partial }
            }
            Scheme::Xcbc => {
                let (whole, partial) = (constant(&cipher, 2), constant(&cipher, 3));
                let key = constant(&cipher, 1);
                Self { cipher: Aes128::new((&*key).into()), whole, partial }
            }
        }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
        let mut chain = Chain::new(&self.cipher);
        for part in parts {
            chain.update(part);
        }
        chain.finish(|block, filled| match block.get_mut(filled) {
            Some(next) => {
                *next ^= 0x80;
                xor(block, &*self.partial);
            }
            None => xor(block, &*self.whole),
        })
    }
}

/// Multiplies by x in GF(2^128), without a branch on the key (RFC 4493 §2.3).
fn double(value: &[u8; BLOCK]) -> Zeroizing<[u8; BLOCK]> {
    let mut number = u128::from_be_bytes(*value);
    let carry = number >> 127;
    number = (number << 1) ^ (carry * 0x87);
    let doubled = Zeroizing::new(number.to_be_bytes());
    number.zeroize();
    doubled
}

struct MacIntegrity {
    id: Integrity,
    scheme: Scheme,
}

pub(super) const CMAC_96: &dyn IntegrityAlgorithm =
    &MacIntegrity { id: Integrity::AesCmac96, scheme: Scheme::Cmac };
pub(super) const XCBC_96: &dyn IntegrityAlgorithm =
    &MacIntegrity { id: Integrity::AesXcbc96, scheme: Scheme::Xcbc };

impl IntegrityAlgorithm for MacIntegrity {
    fn id(&self) -> Integrity {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        let octets = key.try_into().map_err(|_| CryptoError::BadKeyLength {
            algorithm: self.id.name(),
            expected: BLOCK,
            got: key.len(),
        })?;
        Ok(Box::new(MacIntegrityKey { id: self.id, mac: Mac::new(self.scheme, octets) }))
    }
}

impl fmt::Debug for MacIntegrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityAlgorithm({})", self.id)
    }
}

struct MacIntegrityKey {
    id: Integrity,
    mac: Mac,
}

impl IntegrityKey for MacIntegrityKey {
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]) {
        icv.iter_mut().zip(self.mac.mac(parts)).for_each(|(to, from)| *to = from);
    }
}

impl fmt::Debug for MacIntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityKey({})", self.id)
    }
}

struct MacPrf {
    id: Prf,
    scheme: Scheme,
}

pub(super) const PRF_CMAC: &dyn PrfAlgorithm = &MacPrf { id: Prf::AesCmac, scheme: Scheme::Cmac };
pub(super) const PRF_XCBC: &dyn PrfAlgorithm = &MacPrf { id: Prf::AesXcbc, scheme: Scheme::Xcbc };

impl MacPrf {
    /// A key of any length made one of 16 octets: shorter ones are padded with zeros, longer ones go through the MAC
    /// under the key of zeros (RFC 4434 §2). CMAC puts shorter ones through it as well (RFC 4615 §3).
    fn key(&self, key: &[u8]) -> [u8; BLOCK] {
        if let Ok(exact) = key.try_into() {
            return exact;
        }
        match self.scheme {
            Scheme::Xcbc if key.len() < BLOCK => {
                let mut padded = [0; BLOCK];
                padded[..key.len()].copy_from_slice(key);
                padded
            }
            Scheme::Xcbc | Scheme::Cmac => Mac::new(self.scheme, [0; BLOCK]).mac(&[key]),
        }
    }
}

impl PrfAlgorithm for MacPrf {
    fn id(&self) -> Prf {
        self.id
    }

    fn output_len(&self) -> usize {
        BLOCK
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Secret {
        Secret::from_slice(&*Zeroizing::new(Mac::new(self.scheme, self.key(key)).mac(parts)))
    }

    fn hash(&self, _parts: &[&[u8]]) -> Vec<u8> {
        Vec::new()
    }
}

impl fmt::Debug for MacPrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrfAlgorithm({})", self.id)
    }
}
