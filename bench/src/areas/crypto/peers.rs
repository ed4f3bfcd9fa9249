//! The libraries that ours are measured against, as a table: each called directly, with keys prepared once.
//!
//! Before anything is measured, what each does once is compared with our portable provider.

use std::hint::black_box;
use std::ops::{Deref, DerefMut};

use ipsec_crypto::{CryptoProvider, InOut, Job, Outcome, Protection, ProtectionSuite, open, seal};

pub mod aws;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod graviola;
#[cfg(feature = "ipsec-mb")]
mod ipsec_mb;
#[cfg(feature = "openssl")]
pub mod openssl;
mod ring;
mod rustcrypto;

/// The IV, or as much of it as the algorithm takes.
pub const IV: [u8; 16] = [9; 16];
/// SPI and sequence number.
pub const AAD: [u8; 8] = [3; 8];

/// One library.
pub struct Peer {
    pub name: &'static str,
    pub combined: fn(Combined, &Sample) -> Option<Work>,
    pub cbc: fn(&Sample) -> Option<Work>,
    pub hmac: fn(Hash, &Sample) -> Option<Work>,
    pub cbc_hmac: fn(Hash, &Sample) -> Option<Work>,
    pub exchange: fn(&str, &[u8]) -> Option<Work>,
}

/// What a library that has nothing is filled up with.
const NOTHING: Peer = Peer {
    name: "",
    combined: |_, _| None,
    cbc: |_| None,
    hmac: |_, _| None,
    cbc_hmac: |_, _| None,
    exchange: |_, _| None,
};

/// The libraries that are built in.
pub const PEERS: &[Peer] = &[
    rustcrypto::PEER,
    aws::PEER,
    ring::PEER,
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    graviola::PEER,
    #[cfg(feature = "openssl")]
    openssl::PEER,
];

/// What one core can do at most: many packets at a time. No bound refers to it.
pub const LIMIT: &Peer = &{
    #[cfg(feature = "ipsec-mb")]
    {
        ipsec_mb::PEER
    }
    #[cfg(not(feature = "ipsec-mb"))]
    NOTHING
};

/// Names every library that a bound may refer to, built in or not.
pub const NAMES: [&str; 5] = ["rustcrypto", "aws-lc-rs", "ring", "graviola", "openssl"];

/// Says which libraries are not built in.
pub fn print_skipped() {
    for name in NAMES {
        if !PEERS.iter().any(|peer| peer.name == name) {
            println!("SKIP {name}: not built in ({})", how_to_have(name));
        }
    }
    if LIMIT.name.is_empty() {
        println!("SKIP ipsec-mb: not built in ({})", how_to_have("ipsec-mb"));
    }
}

fn how_to_have(name: &str) -> &'static str {
    match name {
        "openssl" => "feature `openssl`, needs libssl-dev",
        "ipsec-mb" => "feature `ipsec-mb`, needs libipsec-mb-dev on x86-64",
        _ => "not for this processor",
    }
}

/// Work to be measured: each run processes so many packets.
pub struct Work {
    pub run: Box<dyn FnMut()>,
    pub packets: u32,
}

impl Work {
    pub fn one(run: impl FnMut() + 'static) -> Self {
        Self { run: Box::new(run), packets: 1 }
    }

    /// A transformation in place that needs no fresh text each time.
    pub fn in_place(from: &[u8], to: &[u8], mut step: impl FnMut(&mut [u8]) + 'static) -> Self {
        Self::in_place_with_room(from, to, 0, move |text, _| step(text))
    }

    /// The same with `room` behind the text, whose length is given.
    pub fn in_place_with_room(
        from: &[u8],
        to: &[u8],
        room: usize,
        mut step: impl FnMut(&mut [u8], usize) + 'static,
    ) -> Self {
        let mut text = Lines::new(from, room);
        step(&mut text, to.len());
        assert_eq!(&text[..to.len()], to, "a wrong result");
        let len = to.len();
        Self::one(move || step(black_box(&mut text), len))
    }

    /// One after the other; both process as many packets.
    pub fn then(mut self, mut other: Self) -> Self {
        assert_eq!(self.packets, other.packets);
        Self {
            packets: self.packets,
            run: Box::new(move || {
                (self.run)();
                (other.run)();
            }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Combined {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Combined {
    pub const ALL: [Self; 3] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::ChaCha20Poly1305];

    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "aes128gcm16",
            Self::Aes256Gcm => "aes256gcm16",
            Self::ChaCha20Poly1305 => "chacha20poly1305",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Seal,
    Open,
}

impl Direction {
    pub const BOTH: [Self; 2] = [Self::Seal, Self::Open];

    pub fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
        }
    }
}

/// One packet, as the portable provider seals it.
#[derive(Clone)]
pub struct Sample {
    pub suite: ProtectionSuite,
    pub direction: Direction,
    pub key: Vec<u8>,
    pub mac_key: Vec<u8>,
    pub clear: Vec<u8>,
    pub sealed: Vec<u8>,
    pub icv: Vec<u8>,
}

impl Sample {
    pub fn new(suite: &str, direction: Direction, size: usize) -> Self {
        let suite: ProtectionSuite = suite.parse().expect("the table spells it so");
        let octets = |len: usize, first: u8| (first..=u8::MAX).cycle().take(len).collect::<Vec<_>>();
        let (key, mac_key) = (octets(suite.key_len(), 7), octets(suite.integrity_key_len(), 8));
        let (clear, icv) = (octets(size, 1), vec![0; suite.icv_len()]);
        let mut sample = Self { suite, direction, key, mac_key, sealed: clear.clone(), clear, icv };
        let protection = sample.protection(CryptoProvider::portable());
        run(seal, &protection, &mut sample.sealed, &mut sample.icv);
        sample
    }

    pub fn protection(&self, provider: CryptoProvider) -> Protection {
        provider.protection(self.suite, &self.key, &self.mac_key).expect("both providers have it")
    }

    /// The key without its salt, and the nonce made of salt and IV (RFC 4106 §4, RFC 7634 §2).
    pub fn key_and_nonce(&self) -> (&[u8], [u8; 12]) {
        let (key, salt) = self.key.split_at(self.key.len() - 4);
        (key, [salt, &IV[..8]].concat().try_into().expect("12 octets"))
    }

    /// What a MAC is over: header, IV and text in one piece.
    pub fn message(&self) -> Vec<u8> {
        [&AAD, &IV[..self.suite.iv_len()], &self.sealed].concat()
    }

    /// Work in place that turns the clear text into the sealed one.
    pub fn sealing(&self, mut step: impl FnMut(&mut [u8], &mut [u8]) + 'static) -> Work {
        let (mut text, mut icv) = (Lines::new(&self.clear, 0), vec![0; self.icv.len()]);
        step(&mut text, &mut icv);
        assert!(text[..] == self.sealed && icv == self.icv, "{} differs", self.suite);
        Work::one(move || step(black_box(&mut text), &mut icv))
    }

    /// Work in place that turns the sealed text, which is copied each time, into the clear one.
    pub fn opening(&self, mut step: impl FnMut(&mut [u8], &mut [u8]) + 'static) -> Work {
        let sealed = Lines::new(&self.sealed, 0);
        let (mut text, mut icv) = (Lines::new(&sealed, 0), self.icv.clone());
        step(&mut text, &mut icv);
        assert!(text[..] == self.clear, "{} differs", self.suite);
        Work::one(move || {
            text.copy_from_slice(&sealed);
            step(black_box(&mut text), &mut icv);
        })
    }

    /// Work that writes a MAC of the message, at least as long as the ICV.
    pub fn mac(&self, mut step: impl FnMut(&[u8], &mut [u8; 64]) + 'static) -> Work {
        let (message, mut mac) = (Lines::new(&self.message(), 0), [0; 64]);
        step(&message, &mut mac);
        assert_eq!(mac[..self.icv.len()], self.icv, "{} differs", self.suite);
        Work::one(move || step(black_box(&message), black_box(&mut mac)))
    }
}

/// Octets from the start of a cache line on: where a text lies in its lines is a tenth of some times, so all have it alike.
struct Lines {
    octets: Vec<u8>,
    start: usize,
}

const LINE: usize = 64;

impl Lines {
    /// A copy with `room` behind it.
    fn new(from: &[u8], room: usize) -> Self {
        let mut octets = vec![0; LINE + from.len() + room];
        let start = octets.as_ptr().align_offset(LINE).min(LINE);
        octets[start..start + from.len()].copy_from_slice(from);
        octets.truncate(start + from.len() + room);
        Self { octets, start }
    }
}

impl Deref for Lines {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets[self.start..]
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.octets[self.start..]
    }
}

/// Seals or opens one packet through our own interface.
pub fn run(call: fn(&mut [Job<'_>]), key: &Protection, text: &mut [u8], icv: &mut [u8]) {
    let iv = &IV[..key.suite().iv_len()];
    let text = InOut::InPlace(text);
    let mut jobs = [Job { key, aad: &AAD, esn_high: None, iv, text, icv, outcome: Outcome::Pending }];
    call(black_box(&mut jobs));
    assert_eq!(jobs[0].outcome, Outcome::Done);
}

/// Our own work on a sample.
pub fn packets(provider: CryptoProvider, sample: &Sample) -> Work {
    let key = sample.protection(provider);
    match sample.direction {
        Direction::Seal => sample.sealing(move |text, icv| run(seal, &key, text, icv)),
        Direction::Open => sample.opening(move |text, icv| run(open, &key, text, icv)),
    }
}

fn curve_index(name: &str) -> Option<usize> {
    ["x25519", "ecp256", "ecp384", "ecp521"].iter().position(|it| *it == name)
}

/// The algorithm of a curve by our name for it, from the library's in the order X25519, P-256, P-384, P-521, and the peer's
/// value as the library writes it.
fn named_curve<A: Copy, const N: usize>(name: &str, peer: &[u8], algorithms: [A; N]) -> Option<(A, Vec<u8>)> {
    let index = curve_index(name)?;
    let front: &[u8] = if index == 0 { &[] } else { &[4] };
    Some((*algorithms.get(index)?, [front, peer].concat()))
}
