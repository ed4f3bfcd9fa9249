//! RSA signatures with PKCS#1 v1.5, with and without DigestInfo, by aws-lc.

use std::fmt;

use super::super::digest::digest;
use super::super::rsa::{demand_room, prefix};
use super::ffi::{RsaPrivate, RsaPublic};
use crate::error::{CryptoError, KeyFault};
use crate::key::{PrivateKey, PublicKey};
use crate::random::SecureRandom;
use crate::sign::{SignatureAlgorithm, Signer};
use crate::suite::SignatureScheme;

pub(super) const RAW: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaRaw);
pub(super) const SHA1: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha1);
pub(super) const SHA256: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha256);
pub(super) const SHA384: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha384);
pub(super) const SHA512: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha512);

#[derive(Debug)]
struct Pkcs1(SignatureScheme);

/// What stands inside the padding.
fn padded(scheme: SignatureScheme, key: &PublicKey, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if !scheme.takes(key.algorithm()) {
        return Err(CryptoError::WrongKey { scheme, key: key.algorithm() });
    }
    let digest = digest(scheme, input)?;
    demand_room(scheme, key, &digest)?;
    Ok([prefix(scheme), &digest].concat())
}

impl SignatureAlgorithm for Pkcs1 {
    fn id(&self) -> SignatureScheme {
        self.0
    }

    fn verify(&self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let expected = padded(self.0, key, input)?;
        let what = "the numbers make no RSA key";
        let key = RsaPublic::new(key.subject_public_key()?)
            .ok_or(CryptoError::BadKey { reason: KeyFault::Unsound { what } })?;
        match key.recover(signature) {
            Some(signed) if signed == expected => Ok(()),
            _ => Err(CryptoError::BadSignature { scheme: self.0 }),
        }
    }

    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        if !self.0.takes(key.algorithm()) {
            return Err(CryptoError::WrongKey { scheme: self.0, key: key.algorithm() });
        }
        let what = "the numbers of the private key do not belong together";
        let private = RsaPrivate::new(key.algorithm_private_key()?)
            .ok_or(CryptoError::BadKey { reason: KeyFault::Unsound { what } })?;
        Ok(Box::new(Pkcs1Signer { id: self.0, public: key.public().clone(), key: private }))
    }
}

struct Pkcs1Signer {
    id: SignatureScheme,
    public: PublicKey,
    key: RsaPrivate,
}

impl Signer for Pkcs1Signer {
    fn sign(&self, input: &[u8], _random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
        let octets = padded(self.id, &self.public, input)?;
        self.key.sign(&octets).ok_or(CryptoError::SigningFailed { scheme: self.id })
    }
}

impl fmt::Debug for Pkcs1Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}
