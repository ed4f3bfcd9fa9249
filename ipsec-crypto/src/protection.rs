//! The protection of packets: prepared keys of one SA in one direction, and jobs that use them.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::aead::AeadKey;
use crate::cipher::CipherKey;
use crate::error::CryptoError;
use crate::integrity::IntegrityKey;
use crate::suite::{Cipher, Integrity};

/// The longest ICV of any algorithm, in octets (HMAC-SHA-512-256).
pub const MAX_ICV_LEN: usize = 32;

/// What protects the packets of an SA: `aes128-sha1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtectionSuite {
    /// The cipher.
    pub cipher: Cipher,
    /// The integrity algorithm; none beside a combined-mode cipher.
    pub integrity: Option<Integrity>,
}

impl ProtectionSuite {
    /// Whether the parts go together: exactly one of them authenticates.
    ///
    /// # Errors
    /// [`CryptoError::IntegrityRequired`], [`CryptoError::IntegrityNotAllowed`], [`CryptoError::NoSuchKeyLength`].
    pub fn check(self) -> Result<(), CryptoError> {
        let cipher = Cipher::new(self.cipher.encryption, self.cipher.key_bits)?;
        match (cipher.row().is_combined(), self.integrity) {
            (false, None) => Err(CryptoError::IntegrityRequired { cipher }),
            (true, Some(integrity)) => Err(CryptoError::IntegrityNotAllowed { cipher, integrity }),
            (false, Some(_)) | (true, None) => Ok(()),
        }
    }

    /// Octets of encryption key, salt included; they come first in the keying material (RFC 4301 §4.5.3).
    pub fn key_len(self) -> usize {
        self.cipher.key_len()
    }

    /// Octets of integrity key; 0 for combined-mode ciphers.
    pub fn integrity_key_len(self) -> usize {
        self.integrity.map_or(0, Integrity::key_len)
    }

    /// Octets of IV in front of the text.
    pub fn iv_len(self) -> usize {
        self.cipher.iv_len()
    }

    /// Octets of ICV behind the text.
    pub fn icv_len(self) -> usize {
        self.integrity.map_or(self.cipher.row().icv, Integrity::icv_len)
    }

    /// What the length of an ESP text, padding and trailer included, must be a multiple of: the cipher's block,
    /// and at least 4 (RFC 4303 §2.4).
    pub fn block_len(self) -> usize {
        self.cipher.block_len().max(4)
    }
}

impl fmt::Display for ProtectionSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.integrity {
            Some(integrity) => f.pad(&format!("{}-{integrity}", self.cipher)),
            None => self.cipher.fmt(f),
        }
    }
}

/// The prepared keys of one SA in one direction. Made by [`CryptoProvider::protection`](crate::CryptoProvider::protection).
///
/// Shared freely between threads: sealing and opening do not change it.
pub struct Protection {
    suite: ProtectionSuite,
    lengths: Lengths,
    engine: Engine,
}

/// What the suite's rows say, looked up once an SA.
struct Lengths {
    iv: usize,
    icv: usize,
    /// One less than the block, which is a power of two.
    within_block: usize,
}

impl Lengths {
    fn of(suite: ProtectionSuite) -> Self {
        let (iv, icv) = (suite.iv_len(), suite.icv_len());
        assert!(
            suite.cipher.block_len().is_power_of_two() && icv <= MAX_ICV_LEN,
            "the table's rows are such"
        );
        Self { iv, icv, within_block: suite.cipher.block_len() - 1 }
    }
}

/// How the SA's packets are processed.
enum Engine {
    EncryptThenMac {
        cipher: Box<dyn CipherKey>,
        integrity: Box<dyn IntegrityKey>,
    },
    Combined(Box<dyn AeadKey>),
    /// No integrity at all.
    Unauthenticated(Box<dyn CipherKey>),
}

impl Protection {
    pub(crate) fn encrypt_then_mac(
        suite: ProtectionSuite,
        cipher: Box<dyn CipherKey>,
        integrity: Box<dyn IntegrityKey>,
    ) -> Self {
        Self { suite, lengths: Lengths::of(suite), engine: Engine::EncryptThenMac { cipher, integrity } }
    }

    pub(crate) fn combined(suite: ProtectionSuite, key: Box<dyn AeadKey>) -> Self {
        Self { suite, lengths: Lengths::of(suite), engine: Engine::Combined(key) }
    }

    pub(crate) fn unauthenticated(cipher: Cipher, key: Box<dyn CipherKey>) -> Self {
        let suite = ProtectionSuite { cipher, integrity: None };
        Self { suite, lengths: Lengths::of(suite), engine: Engine::Unauthenticated(key) }
    }

    /// What protects.
    pub fn suite(&self) -> ProtectionSuite {
        self.suite
    }
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protection({})", self.suite)
    }
}

/// Where a job's text is and where it goes.
#[derive(Debug)]
pub enum InOut<'a> {
    /// Transformed where it is.
    InPlace(&'a mut [u8]),
    /// Read in one place, written to another of the same length.
    Copy {
        /// Source.
        from: &'a [u8],
        /// Destination; its content is undefined unless the job is [`Outcome::Done`].
        to: &'a mut [u8],
    },
}

impl InOut<'_> {
    /// The text as it is before the transformation.
    pub fn source(&self) -> &[u8] {
        match self {
            Self::InPlace(text) => text,
            Self::Copy { from, .. } => from,
        }
    }

    /// The place of the text after the transformation.
    pub fn result(&self) -> &[u8] {
        match self {
            Self::InPlace(text) => text,
            Self::Copy { to, .. } => to,
        }
    }

    /// Whether source and destination are of one length.
    pub fn lengths_agree(&self) -> bool {
        match self {
            Self::InPlace(_) => true,
            Self::Copy { from, to } => from.len() == to.len(),
        }
    }

    /// Brings the text to its destination as it is; false, with nothing done, if the lengths differ.
    pub fn copy(&mut self) -> bool {
        if let Self::Copy { from, to } = self {
            if from.len() != to.len() {
                return false;
            }
            to.copy_from_slice(from);
        }
        true
    }
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Not yet processed.
    Pending,
    /// Sealed, or verified and opened.
    Done,
    /// The ICV is not that of this packet under this key; no clear text is given out: a text in place is as it was,
    /// or wiped.
    Forged,
    /// IV, ICV, text or additional data have lengths that this SA's algorithms do not take; nothing was done.
    BadLength,
}

/// One packet to seal or open.
#[derive(Debug)]
pub struct Job<'a> {
    /// The SA's keys.
    pub key: &'a Protection,
    /// Authenticated in front of IV and text: SPI and sequence number as on the wire (RFC 4303 §3.3.2).
    pub aad: &'a [u8],
    /// The upper half of an extended sequence number, authenticated but not sent: behind the text for
    /// encrypt-then-MAC (RFC 4303 §2.2.1), between SPI and sequence number for combined modes (RFC 4106 §5), which
    /// then take an `aad` of 8 octets only.
    pub esn_high: Option<u32>,
    /// The IV of the packet, [`ProtectionSuite::iv_len`] octets. For CBC unpredictable: see [`IvGenerator`](crate::IvGenerator).
    /// For counter modes, all combined modes among them, never the same twice under one key: a repeated IV gives the
    /// texts away.
    pub iv: &'a [u8],
    /// The text, padding and ESP trailer included.
    pub text: InOut<'a>,
    /// [`ProtectionSuite::icv_len`] octets: written by [`seal`], read by [`open`].
    pub icv: &'a mut [u8],
    /// What became of it; whatever it was, `seal` and `open` overwrite it.
    pub outcome: Outcome,
}

/// Encrypts each job's text and writes its ICV, if its SA has one. Jobs may be of different SAs and lengths. Does not allocate.
///
/// Each job ends as [`Outcome::Done`] or [`Outcome::BadLength`].
pub fn seal(jobs: &mut [Job<'_>]) {
    for job in jobs {
        job.outcome = match &job.key.engine {
            _ if !job.lengths_fit() => Outcome::BadLength,
            Engine::Unauthenticated(cipher) => {
                encrypt(&**cipher, job.iv, &mut job.text).map_or(Outcome::BadLength, |()| Outcome::Done)
            }
            Engine::EncryptThenMac { cipher, integrity } => match encrypt(&**cipher, job.iv, &mut job.text) {
                Ok(()) => {
                    authenticate(&**integrity, job.aad, job.iv, job.text.result(), job.esn_high, job.icv);
                    Outcome::Done
                }
                Err(_) => Outcome::BadLength,
            },
            Engine::Combined(key) => match additional_data(job.aad, job.esn_high, &mut [0; 12]) {
                Some(aad) => key.seal(job.iv, aad, &mut job.text, job.icv),
                None => Outcome::BadLength,
            },
        };
    }
}

/// Verifies each job's ICV, if its SA has one, in constant time and decrypts its text. Jobs may be of different SAs and
/// lengths. Does not allocate.
///
/// Each job ends as [`Outcome::Done`], [`Outcome::Forged`] or [`Outcome::BadLength`].
pub fn open(jobs: &mut [Job<'_>]) {
    for job in jobs {
        job.outcome = match &job.key.engine {
            _ if !job.lengths_fit() => Outcome::BadLength,
            Engine::Unauthenticated(cipher) => decrypt(&**cipher, job.iv, &mut job.text),
            Engine::EncryptThenMac { cipher, integrity } => {
                let mut expected = [0; MAX_ICV_LEN];
                // `lengths_fit` has compared the ICV with the suite's, which is at most `MAX_ICV_LEN`.
                let expected = &mut expected[..job.icv.len()];
                authenticate(&**integrity, job.aad, job.iv, job.text.source(), job.esn_high, expected);
                if bool::from(expected.ct_ne(job.icv)) {
                    Outcome::Forged
                } else {
                    decrypt(&**cipher, job.iv, &mut job.text)
                }
            }
            Engine::Combined(key) => match additional_data(job.aad, job.esn_high, &mut [0; 12]) {
                Some(aad) => key.open(job.iv, aad, &mut job.text, job.icv),
                None => Outcome::BadLength,
            },
        };
    }
}

fn encrypt(cipher: &dyn CipherKey, iv: &[u8], text: &mut InOut<'_>) -> Result<(), CryptoError> {
    match text {
        InOut::InPlace(text) => cipher.encrypt(iv, text),
        InOut::Copy { from, to } => cipher.encrypt_to(iv, from, to),
    }
}

fn decrypt(cipher: &dyn CipherKey, iv: &[u8], text: &mut InOut<'_>) -> Outcome {
    let decrypted = match text {
        InOut::InPlace(text) => cipher.decrypt(iv, text),
        InOut::Copy { from, to } => cipher.decrypt_to(iv, from, to),
    };
    decrypted.map_or(Outcome::BadLength, |()| Outcome::Done)
}

impl Job<'_> {
    fn lengths_fit(&self) -> bool {
        let lengths = &self.key.lengths;
        self.iv.len() == lengths.iv
            && self.icv.len() == lengths.icv
            && self.text.lengths_agree()
            && self.text.source().len() & lengths.within_block == 0
    }
}

/// The ICV of encrypt-then-MAC: over header, IV, ciphertext and the upper sequence number (RFC 4303 §3.3.2.1).
fn authenticate(
    integrity: &dyn IntegrityKey,
    aad: &[u8],
    iv: &[u8],
    text: &[u8],
    esn_high: Option<u32>,
    icv: &mut [u8],
) {
    match esn_high {
        Some(high) => integrity.sign(&[aad, iv, text, &high.to_be_bytes()], icv),
        None => integrity.sign(&[aad, iv, text], icv),
    }
}

/// What a combined mode authenticates besides the text: the header, with the upper sequence number in its place
/// (RFC 4106 §5, RFC 4309 §5, RFC 4543 §3.3, RFC 7634 §2.1).
fn additional_data<'a>(aad: &'a [u8], esn_high: Option<u32>, room: &'a mut [u8; 12]) -> Option<&'a [u8]> {
    let Some(high) = esn_high else { return Some(aad) };
    let (spi, low) = aad.split_first_chunk::<4>()?;
    let low: &[u8; 4] = low.try_into().ok()?;
    room[..4].copy_from_slice(spi);
    room[4..8].copy_from_slice(&high.to_be_bytes());
    room[8..].copy_from_slice(low);
    Some(room)
}
