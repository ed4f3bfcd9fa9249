//! Randomness, passed in wherever it is needed.

use std::fmt;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::{Zeroize, Zeroizing};

/// A source of octets nobody else can predict.
pub trait SecureRandom {
    /// Fills `out` with random octets.
    fn fill(&mut self, out: &mut [u8]);
}

/// The operating system's generator, asked anew for every fill.
///
/// One system call a fill: right for keys and nonces, too slow for packets, which take their IVs from [`IvGenerator`].
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl SecureRandom for OsRandom {
    /// # Panics
    /// When the operating system cannot give randomness. There is no safe way to go on.
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system has no randomness to give");
    }
}

/// A deterministic generator: the same seed gives the same octets, on every machine and in every version.
///
/// The octets do not depend on how they are asked for: two fills of 8 give what one fill of 16 gives.
pub struct Seeded(Keystream);

impl Seeded {
    /// Starts from 32 octets. Their secrecy is the secrecy of everything drawn.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Keystream::new(Zeroizing::new(seed)))
    }

    /// Starts from a number: for tests, demonstrations and simulations, where octets are to be repeatable and not secret.
    pub fn from_u64(seed: u64) -> Self {
        let mut octets = [0; 32];
        octets[..8].copy_from_slice(&seed.to_le_bytes());
        Self::new(octets)
    }
}

impl SecureRandom for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeded(..)")
    }
}

/// Makes the IVs of CBC ciphers for one worker, without a system call or an allocation a packet.
///
/// CBC IVs must be unpredictable to whoever can choose the text (RFC 3602 §3), so a counter will not do.
pub struct IvGenerator(Keystream);

impl IvGenerator {
    /// Draws the generator's own key from `random`.
    pub fn new(random: &mut dyn SecureRandom) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(&mut key[..]);
        Self(Keystream::new(key))
    }

    /// Fills `iv`.
    #[inline]
    pub fn fill(&mut self, iv: &mut [u8]) {
        self.0.fill(iv);
    }
}

impl fmt::Debug for IvGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IvGenerator(..)")
    }
}

const POOL: usize = 1024;

/// ChaCha20 (RFC 8439) with fast key erasure: each refill's first 32 octets are the next refill's key, so what was
/// given out cannot be recomputed from a later state, and no counter can run out.
struct Keystream {
    key: Zeroizing<[u8; 32]>,
    pool: Zeroizing<[u8; POOL]>,
    used: usize,
}

impl Keystream {
    fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key, pool: Zeroizing::new([0; POOL]), used: POOL }
    }

    fn refill(&mut self) {
        let mut stream = ChaCha20::new((&*self.key).into(), &[0; 12].into());
        self.key.zeroize();
        stream.apply_keystream(&mut self.key[..]);
        self.pool.zeroize();
        stream.apply_keystream(&mut self.pool[..]);
        self.used = 0;
    }

    fn fill(&mut self, mut out: &mut [u8]) {
        while !out.is_empty() {
            if self.used == POOL {
                self.refill();
            }
            let take = out.len().min(POOL - self.used);
            let (now, later) = out.split_at_mut(take);
            let source = &mut self.pool[self.used..self.used + take];
            now.copy_from_slice(source);
            source.zeroize();
            self.used += take;
            out = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_is_the_chacha20_keystream_and_independent_of_cuts() {
        // RFC 8439 A.1, test vector 1: the keystream of the all-zero key and nonce. The first 32 octets become the next key.
        let mut random = Seeded::new([0; 32]);
        let mut first = [0; 32];
        random.fill(&mut first);
        assert_eq!(
            first,
            [
                0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a,
                0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee,
                0x65, 0x86
            ]
        );
        let mut whole = [0; 5000];
        Seeded::from_u64(9).fill(&mut whole);
        let mut pieces = Vec::new();
        let mut random = Seeded::from_u64(9);
        for len in (0..).take_while(|n| n * (n + 1) / 2 <= 5000) {
            let mut piece = vec![0; len];
            random.fill(&mut piece);
            pieces.extend(piece);
        }
        assert_eq!(pieces, whole[..pieces.len()]);
    }

    #[test]
    fn the_systems_randomness_and_ivs_differ_from_call_to_call() {
        let mut ivs = IvGenerator::new(&mut OsRandom);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut iv = [0; 16];
            ivs.fill(&mut iv);
            assert!(seen.insert(iv));
        }
        let (mut a, mut b) = ([0; 32], [0; 32]);
        OsRandom.fill(&mut a);
        OsRandom.fill(&mut b);
        assert_ne!(a, b);
    }
}
