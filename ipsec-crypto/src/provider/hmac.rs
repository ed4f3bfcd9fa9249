//! HMAC (RFC 2104) for packets, over the bare compression functions of SHA-1 (RFC 3174) and SHA-2 (RFC 6234).
//!
//! What depends on the key alone, the states after the inner and the outer padding, is computed once an SA. The rest of a
//! packet of 64 octets is three compressions, so that a hash's own buffering and cloning would be a tenth of the time: the parts
//! go into blocks here, and what lies in one piece is compressed where it lies.

use std::fmt;
use std::marker::PhantomData;

use zeroize::Zeroize;

use crate::error::CryptoError;
use crate::integrity::{IntegrityAlgorithm, IntegrityKey};
use crate::suite::Integrity;

pub(super) const SHA1_96: &dyn IntegrityAlgorithm = &Hmac::<Sha1, 64>::new(Integrity::HmacSha1_96);
pub(super) const SHA256_128: &dyn IntegrityAlgorithm = &Hmac::<Sha256, 64>::new(Integrity::HmacSha256_128);
pub(super) const SHA256_96: &dyn IntegrityAlgorithm = &Hmac::<Sha256, 64>::new(Integrity::HmacSha256_96);
pub(super) const SHA384_192: &dyn IntegrityAlgorithm = &Hmac::<Sha384, 128>::new(Integrity::HmacSha384_192);
pub(super) const SHA512_256: &dyn IntegrityAlgorithm = &Hmac::<Sha512, 128>::new(Integrity::HmacSha512_256);

/// A hash of the Merkle-Damgård kind with big-endian words: what it starts from and what it does to a block.
trait Hash<const BLOCK: usize>: Send + Sync + 'static {
    /// The chaining value.
    type State: Copy + Zeroize + Send + Sync;
    const INITIAL: Self::State;
    /// Octets of the result.
    const OUTPUT: usize;
    /// Octets of the message's length behind the padding.
    const LENGTH: usize;

    fn compress(state: &mut Self::State, blocks: &[[u8; BLOCK]]);

    /// Writes the state's octets to the front of a block.
    fn write(state: &Self::State, block: &mut [u8; BLOCK]);
}

macro_rules! hash {
    ($name:ident, $block:literal, $state:ty, $initial:expr, $output:literal, $compress:path) => {
        struct $name;

        impl Hash<$block> for $name {
            type State = $state;
            const INITIAL: Self::State = $initial;
            const OUTPUT: usize = $output;
            const LENGTH: usize = $block / 8;

            #[inline]
            fn compress(state: &mut Self::State, blocks: &[[u8; $block]]) {
                $compress(state, blocks);
            }

            #[inline]
            fn write(state: &Self::State, block: &mut [u8; $block]) {
                let (words, _) = block.as_chunks_mut();
                words.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
            }
        }
    };
}

// The initial values of FIPS 180-4 §5.3.
hash!(
    Sha1,
    64,
    [u32; 5],
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0],
    20,
    sha1::block_api::compress
);
hash!(
    Sha256,
    64,
    [u32; 8],
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19],
    32,
    sha2::block_api::compress256
);
hash!(
    Sha384,
    128,
    [u64; 8],
    [
        0xcbbb_9d5d_c105_9ed8,
        0x629a_292a_367c_d507,
        0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939,
        0x6733_2667_ffc0_0b31,
        0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7,
        0x47b5_481d_befa_4fa4
    ],
    48,
    sha2::block_api::compress512
);
hash!(
    Sha512,
    128,
    [u64; 8],
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179
    ],
    64,
    sha2::block_api::compress512
);

/// A truncated HMAC.
struct Hmac<H, const BLOCK: usize> {
    id: Integrity,
    hash: PhantomData<fn() -> H>,
}

impl<H, const BLOCK: usize> Hmac<H, BLOCK> {
    const fn new(id: Integrity) -> Self {
        Self { id, hash: PhantomData }
    }
}

impl<H: Hash<BLOCK>, const BLOCK: usize> IntegrityAlgorithm for Hmac<H, BLOCK> {
    fn id(&self) -> Integrity {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        let expected = self.id.key_len();
        // The key lengths of RFC 2404 and 4868 are those of the hashes' results, all less than a block.
        if key.len() != expected || expected > BLOCK {
            let algorithm = self.id.name();
            return Err(CryptoError::BadKeyLength { algorithm, expected, got: key.len() });
        }
        let padded = |octet: u8| {
            let (mut state, mut block) = (H::INITIAL, [octet; BLOCK]);
            block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
            H::compress(&mut state, &[block]);
            block.zeroize();
            state
        };
        Ok(Box::new(HmacKey::<H, BLOCK> { id: self.id, inner: padded(0x36), outer: padded(0x5c) }))
    }
}

impl<H, const BLOCK: usize> fmt::Debug for Hmac<H, BLOCK> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityAlgorithm({})", self.id)
    }
}

/// The states after the key's inner and outer block.
struct HmacKey<H: Hash<BLOCK>, const BLOCK: usize> {
    id: Integrity,
    inner: H::State,
    outer: H::State,
}

impl<H: Hash<BLOCK>, const BLOCK: usize> HmacKey<H, BLOCK> {
    /// The chaining value over key and parts.
    #[inline]
    fn inner(&self, parts: &[&[u8]]) -> H::State {
        let mut state = self.inner;
        // Twice a block: where the padding does not fit behind the text, both are compressed in one call.
        let mut room = [[0; BLOCK]; 2];
        let (mut filled, mut octets) = (0, BLOCK);
        for &part in parts {
            octets += part.len();
            let mut rest = part;
            if filled > 0 {
                let (head, behind) = part.split_at(part.len().min(BLOCK - filled));
                room[0][filled..filled + head.len()].copy_from_slice(head);
                filled += head.len();
                if behind.is_empty() {
                    continue;
                }
                H::compress(&mut state, &room[..1]);
                rest = behind;
            }
            let (whole, tail) = rest.as_chunks();
            if !whole.is_empty() {
                H::compress(&mut state, whole);
            }
            room[0][..tail.len()].copy_from_slice(tail);
            filled = tail.len();
        }
        let flat = room.as_flattened_mut();
        let end = if filled + 1 + H::LENGTH <= BLOCK { BLOCK } else { 2 * BLOCK };
        flat[filled] = 0x80;
        flat[filled + 1..end].fill(0);
        flat[end - 8..end].copy_from_slice(&(octets as u64 * 8).to_be_bytes());
        H::compress(&mut state, &room[..end / BLOCK]);
        state
    }
}

impl<H: Hash<BLOCK>, const BLOCK: usize> IntegrityKey for HmacKey<H, BLOCK> {
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]) {
        let mut block = [0; BLOCK];
        H::write(&self.inner(parts), &mut block);
        // SHA-384's state is longer than its result.
        block[H::OUTPUT] = 0x80;
        block[H::OUTPUT + 1..].fill(0);
        block[BLOCK - 8..].copy_from_slice(&((BLOCK + H::OUTPUT) as u64 * 8).to_be_bytes());
        let mut state = self.outer;
        H::compress(&mut state, &[block]);
        H::write(&state, &mut block);
        let taken = icv.len().min(H::OUTPUT);
        icv[..taken].copy_from_slice(&block[..taken]);
    }
}

impl<H: Hash<BLOCK>, const BLOCK: usize> Drop for HmacKey<H, BLOCK> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl<H: Hash<BLOCK>, const BLOCK: usize> fmt::Debug for HmacKey<H, BLOCK> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use hmac::{KeyInit, Mac};
    use proptest::prelude::*;

    use super::*;

    /// What the crate for HMAC computes, over the concatenation.
    fn oracle<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length");
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    struct Row(&'static dyn IntegrityAlgorithm, fn(&[u8], &[u8]) -> Vec<u8>);

    const ALL: [Row; 5] = [
        Row(SHA1_96, oracle::<hmac::Hmac<sha1::Sha1>>),
        Row(SHA256_128, oracle::<hmac::Hmac<sha2::Sha256>>),
        Row(SHA256_96, oracle::<hmac::Hmac<sha2::Sha256>>),
        Row(SHA384_192, oracle::<hmac::Hmac<sha2::Sha384>>),
        Row(SHA512_256, oracle::<hmac::Hmac<sha2::Sha512>>),
    ];

    fn agree(key: &[u8; 64], parts: &[&[u8]]) {
        for Row(algorithm, oracle) in ALL {
            let key = &key[..algorithm.id().key_len()];
            let mut icv = vec![0; algorithm.id().row().output];
            algorithm.key(key).expect("its length").sign(parts, &mut icv);
            assert_eq!(icv, oracle(key, &parts.concat()), "{algorithm:?}, {parts:?}");
        }
    }

    #[test]
    fn every_length_in_one_piece_and_behind_a_header() {
        let text: Vec<u8> = (0..300u16).map(|n| n as u8).collect();
        for len in 0..text.len() {
            agree(&[0x0b; 64], &[&text[..len]]);
            agree(&[0xaa; 64], &[&[1; 8], &[2; 16], &text[..len], &[3; 4]]);
        }
    }

    #[test]
    fn octets_beyond_the_result_stay() {
        let mut icv = [9; 50];
        SHA384_192.key(&[1; 48]).expect("its length").sign(&[b"x"], &mut icv);
        assert_eq!(icv[48..], [9; 2]);
    }

    proptest! {
        #[test]
        fn however_the_text_is_cut(key: [u8; 32], parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let key = [key, key].concat().try_into().expect("64 octets");
            agree(&key, &parts);
        }
    }
}
