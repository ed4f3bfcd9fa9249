//! Providers: what is implemented, as data.

#[cfg(feature = "portable")]
mod aes_ccm;
#[cfg(feature = "portable")]
mod aes_ctr;
#[cfg(feature = "portable")]
mod aes_gcm;
#[cfg(feature = "portable")]
mod cbc_mac;
#[cfg(feature = "portable")]
mod chacha20_poly1305;
mod consistency;
#[cfg(feature = "portable")]
mod digest;
#[cfg(feature = "portable")]
mod ecdsa;
#[cfg(feature = "portable")]
mod ecp;
#[cfg(feature = "fast")]
mod fast;
#[cfg(feature = "portable")]
mod hmac;
mod known_answers;
#[cfg(all(feature = "legacy", feature = "portable"))]
mod legacy;
#[cfg(feature = "portable")]
mod modp;
#[cfg(feature = "portable")]
mod portable;
#[cfg(feature = "portable")]
mod rsa;
#[cfg(feature = "portable")]
mod x25519;

#[cfg(feature = "portable")]
pub(crate) use ecdsa::ec_point;

use crate::aead::AeadAlgorithm;
use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::{CryptoError, Missing};
use crate::group::KeyExchange;
use crate::integrity::IntegrityAlgorithm;
use crate::key::{PrivateKey, PublicKey};
use crate::prf::PrfAlgorithm;
use crate::protection::{Protection, ProtectionSuite};
use crate::sign::{SignatureAlgorithm, Signer};
use crate::suite::{Cipher, Group, Integrity, Prf, SignatureScheme, Support};
#[cfg(feature = "portable")]
use crate::{protection::InOut, suite::Encryption};
#[cfg(feature = "portable")]
use aes::cipher::inout::InOutBuf;

/// A set of implementations, each list in order of preference.
///
/// Plain data: copy one and replace a list to change what is available.
#[derive(Clone, Copy, Debug)]
pub struct CryptoProvider {
    /// The provider's name, for reports.
    pub name: &'static str,
    /// Encryption algorithms without integrity.
    pub ciphers: &'static [&'static dyn CipherAlgorithm],
    /// Combined-mode algorithms.
    pub aeads: &'static [&'static dyn AeadAlgorithm],
    /// Integrity algorithms.
    pub integrity: &'static [&'static dyn IntegrityAlgorithm],
    /// Pseudo-random functions.
    pub prfs: &'static [&'static dyn PrfAlgorithm],
    /// Key exchange groups.
    pub groups: &'static [&'static dyn KeyExchange],
    /// Signature schemes.
    pub signatures: &'static [&'static dyn SignatureAlgorithm],
}

/// Why a provider lacks an algorithm.
fn missing(support: Support, legacy: bool) -> Missing {
    match support {
        Support::NamedOnly(reason) => Missing::NamedOnly(reason),
        Support::Native if legacy && !cfg!(feature = "legacy") => Missing::LegacyFeature,
        Support::Native => Missing::Provider,
    }
}

impl CryptoProvider {
    /// Everything in pure Rust, on any target.
    #[cfg(feature = "portable")]
    pub fn portable() -> Self {
        portable::PROVIDER
    }

    /// `portable`, with aws-lc where that is faster.
    ///
    /// It gives the same octets as `portable`, except for the nonces of ECDSA, which are aws-lc's own. From aws-lc come
    /// AES-CBC, AES-GCM with its whole tag, ChaCha20-Poly1305, all groups and all signatures; HMAC stays portable
    /// because it is no faster there, the rest because aws-lc-rs has no safe interface to it.
    #[cfg(feature = "fast")]
    pub fn fast() -> Self {
        fast::PROVIDER
    }

    /// The implementation of a pseudo-random function.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedPrf`].
    pub fn prf(&self, prf: Prf) -> Result<&'static dyn PrfAlgorithm, CryptoError> {
        self.prfs.iter().find(|found| found.id() == prf).copied().ok_or_else(|| {
            let row = prf.row();
            CryptoError::UnsupportedPrf { prf, reason: missing(row.support, row.legacy) }
        })
    }

    /// The implementation of a key exchange group.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedGroup`].
    pub fn group(&self, group: Group) -> Result<&'static dyn KeyExchange, CryptoError> {
        self.groups.iter().find(|found| found.id() == group).copied().ok_or_else(|| {
            let row = group.row();
            CryptoError::UnsupportedGroup { group, reason: missing(row.support, row.legacy) }
        })
    }

    /// The implementation of a signature scheme.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSignature`].
    pub fn signature(&self, scheme: SignatureScheme) -> Result<&'static dyn SignatureAlgorithm, CryptoError> {
        self.signatures.iter().find(|found| found.id() == scheme).copied().ok_or_else(|| {
            let row = scheme.row();
            CryptoError::UnsupportedSignature { scheme, reason: missing(row.support, row.legacy) }
        })
    }

    /// Checks a signature, as [`SignatureAlgorithm::verify`] does.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSignature`], and those of [`SignatureAlgorithm::verify`].
    pub fn verify(
        &self,
        scheme: SignatureScheme,
        key: &PublicKey,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.signature(scheme)?.verify(key, input, signature)
    }

    /// Prepares a private key for one scheme.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSignature`], and those of [`SignatureAlgorithm::signer`].
    pub fn signer(&self, scheme: SignatureScheme, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        self.signature(scheme)?.signer(key)
    }

    fn cipher(&self, cipher: Cipher) -> Result<&'static dyn CipherAlgorithm, CryptoError> {
        if cipher.row().is_combined() {
            return Err(CryptoError::UnsupportedCipher { cipher, reason: Missing::CombinedMode });
        }
        self.ciphers.iter().find(|found| found.id() == cipher.encryption).copied().ok_or_else(|| {
            let row = cipher.row();
            CryptoError::UnsupportedCipher { cipher, reason: missing(row.support, row.legacy) }
        })
    }

    fn aead(&self, cipher: Cipher) -> Result<&'static dyn AeadAlgorithm, CryptoError> {
        self.aeads.iter().find(|found| found.id() == cipher.encryption).copied().ok_or_else(|| {
            let row = cipher.row();
            CryptoError::UnsupportedCipher { cipher, reason: missing(row.support, row.legacy) }
        })
    }

    fn integrity_algorithm(
        &self,
        integrity: Integrity,
    ) -> Result<&'static dyn IntegrityAlgorithm, CryptoError> {
        self.integrity.iter().find(|found| found.id() == integrity).copied().ok_or_else(|| {
            let row = integrity.row();
            CryptoError::UnsupportedIntegrity { integrity, reason: missing(row.support, row.legacy) }
        })
    }

    /// Whether this cipher can be had by itself, as [`cipher_key`](Self::cipher_key) gives it: no combined mode can.
    pub fn supports_cipher(&self, cipher: Cipher) -> bool {
        Cipher::new(cipher.encryption, cipher.key_bits).is_ok() && self.cipher(cipher).is_ok()
    }

    /// Whether this pseudo-random function can be had.
    pub fn supports_prf(&self, prf: Prf) -> bool {
        self.prf(prf).is_ok()
    }

    /// Whether this group can be had.
    pub fn supports_group(&self, group: Group) -> bool {
        self.group(group).is_ok()
    }

    /// Whether this signature scheme can be had.
    pub fn supports_signature(&self, scheme: SignatureScheme) -> bool {
        self.signature(scheme).is_ok()
    }

    /// Whether packets can be protected this way.
    pub fn supports_protection(&self, suite: ProtectionSuite) -> bool {
        let encrypts = if suite.cipher.row().is_combined() {
            self.aead(suite.cipher).is_ok()
        } else {
            self.supports_cipher(suite.cipher)
        };
        suite.check().is_ok()
            && encrypts
            && suite.integrity.is_none_or(|integrity| self.integrity_algorithm(integrity).is_ok())
    }

    /// Prepares a key of a cipher without integrity, for IKE messages.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedCipher`], [`CryptoError::NoSuchKeyLength`], [`CryptoError::BadKeyLength`],
    /// [`CryptoError::WeakKey`].
    pub fn cipher_key(&self, cipher: Cipher, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        let cipher = Cipher::new(cipher.encryption, cipher.key_bits)?;
        let algorithm = self.cipher(cipher)?;
        demand_length(cipher.row().name, cipher.key_len(), key)?;
        if let Some(weakness) = cipher.row().weak_keys.find(key) {
            return Err(CryptoError::WeakKey { encryption: cipher.encryption, weakness });
        }
        algorithm.key(key)
    }

    /// Prepares the keys of one SA in one direction.
    ///
    /// # Errors
    /// As [`ProtectionSuite::check`]; [`CryptoError::UnsupportedCipher`], [`CryptoError::UnsupportedIntegrity`];
    /// [`CryptoError::BadKeyLength`] for keys that are not exactly as long as the suite says; [`CryptoError::WeakKey`].
    pub fn protection(
        &self,
        suite: ProtectionSuite,
        encryption_key: &[u8],
        integrity_key: &[u8],
    ) -> Result<Protection, CryptoError> {
        suite.check()?;
        let Some(integrity) = suite.integrity else {
            let algorithm = self.aead(suite.cipher)?;
            demand_length(suite.cipher.row().name, suite.key_len(), encryption_key)?;
            demand_length("no integrity algorithm", 0, integrity_key)?;
            return Ok(Protection::combined(suite, algorithm.key(encryption_key)?));
        };
        let cipher = self.cipher_key(suite.cipher, encryption_key)?;
        let algorithm = self.integrity_algorithm(integrity)?;
        demand_length(integrity.name(), integrity.key_len(), integrity_key)?;
        Ok(Protection::encrypt_then_mac(suite, cipher, algorithm.key(integrity_key)?))
    }

    /// Prepares the key of an SA that encrypts without integrity. Its ciphertext can be altered at will by whoever can
    /// send packets: for old peers only, where somebody has explicitly asked for it.
    ///
    /// # Errors
    /// As [`cipher_key`](Self::cipher_key); [`CryptoError::IntegrityRequired`] for NULL, which would protect nothing.
    pub fn unauthenticated_protection(
        &self,
        cipher: Cipher,
        encryption_key: &[u8],
    ) -> Result<Protection, CryptoError> {
        if cipher == Cipher::NULL {
            return Err(CryptoError::IntegrityRequired { cipher });
        }
        Ok(Protection::unauthenticated(cipher, self.cipher_key(cipher, encryption_key)?))
    }

    /// Checks the lists against the suite table: no algorithm twice, every size as the table says, nothing that needs the
    /// `legacy` feature without it, and the least that an IKEv1 peer or today's ESP can ask for.
    ///
    /// # Errors
    /// [`CryptoError::Inconsistent`] with the first contradiction.
    pub fn consistency_check(&self) -> Result<(), CryptoError> {
        consistency::check(self)
    }

    /// Computes known answers with every algorithm of the provider.
    ///
    /// # Errors
    /// [`CryptoError::SelfTest`] with the first algorithm that answers wrongly.
    pub fn self_test(&self) -> Result<(), CryptoError> {
        known_answers::run(self)
    }
}

#[cfg(feature = "portable")]
impl Default for CryptoProvider {
    /// The fastest provider that is compiled in.
    fn default() -> Self {
        #[cfg(feature = "fast")]
        return Self::fast();
        #[cfg(not(feature = "fast"))]
        Self::portable()
    }
}

fn demand_length(algorithm: &'static str, expected: usize, key: &[u8]) -> Result<(), CryptoError> {
    if key.len() == expected {
        Ok(())
    } else {
        Err(CryptoError::BadKeyLength { algorithm, expected, got: key.len() })
    }
}

/// Cuts the salt off the end of keying material whose length must be one of the algorithm's.
#[cfg(feature = "portable")]
fn key_and_salt<const N: usize>(id: Encryption, keymat: &[u8]) -> Result<(&[u8], [u8; N]), CryptoError> {
    let row = id.row();
    match keymat.split_last_chunk() {
        Some((key, salt)) if row.key_bits.iter().any(|&bits| usize::from(bits / 8) == key.len()) => {
            Ok((key, *salt))
        }
        _ => Err(CryptoError::BadKeyLength {
            algorithm: row.name,
            expected: usize::from(row.default_key_bits / 8) + N,
            got: keymat.len(),
        }),
    }
}

/// The nonce of the combined modes that take 96 bits: salt, then IV (RFC 4106 §4, RFC 7634 §2).
#[cfg(feature = "portable")]
fn nonce(salt: [u8; 4], iv: &[u8]) -> Option<[u8; 12]> {
    let iv = u64::from_le_bytes(iv.try_into().ok()?);
    // Joined in a register: salt and IV stored one by one and then read across both would make the processor wait.
    let joined = u128::from(u32::from_le_bytes(salt)) | u128::from(iv) << 32;
    joined.to_le_bytes().first_chunk().copied()
}

/// A text as RustCrypto takes it; `None` if source and destination differ in length.
#[cfg(feature = "portable")]
fn in_out<'a>(text: &'a mut InOut<'_>) -> Option<InOutBuf<'a, 'a, u8>> {
    match text {
        InOut::InPlace(text) => Some((&mut **text).into()),
        InOut::Copy { from, to } => InOutBuf::new(from, to).ok(),
    }
}
