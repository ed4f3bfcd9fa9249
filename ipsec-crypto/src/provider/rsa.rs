//! RSA signatures with PKCS#1 v1.5 (RFC 8017 §8.2), with and without DigestInfo, by RustCrypto.
//!
//! Signing is blinded with the caller's randomness, and the result is checked before it is given out: a fault in the arithmetic
//! of the Chinese remainder theorem would give the key away. Nothing here decrypts.

use std::convert::Infallible;
use std::fmt;

use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};

use super::digest::digest;
use crate::error::{CryptoError, KeyFault};
use crate::key::{MAX_RSA_BITS, MIN_RSA_BITS, PrivateKey, PublicKey, PublicMaterial};
use crate::random::SecureRandom;
use crate::sign::{SignatureAlgorithm, Signer};
use crate::suite::{SignatureInput, SignatureScheme};

pub(super) const RAW: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaRaw);
pub(super) const SHA1: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha1);
pub(super) const SHA256: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha256);
pub(super) const SHA384: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha384);
pub(super) const SHA512: &dyn SignatureAlgorithm = &Pkcs1(SignatureScheme::RsaSha512);

#[derive(Debug)]
struct Pkcs1(SignatureScheme);

/// What PKCS#1 v1.5 puts in front of the digest: a DigestInfo, or nothing.
pub(super) fn prefix(scheme: SignatureScheme) -> &'static [u8] {
    let row = scheme.row();
    match (row.input, row.hash) {
        (SignatureInput::Message, Some(hash)) => hash.row().digest_info,
        _ => &[],
    }
}

fn padding(scheme: SignatureScheme) -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: None, prefix: prefix(scheme).into() }
}

/// A digest that goes into the modulus with the eleven octets of padding around it (RFC 8017 §9.2).
pub(super) fn demand_room(
    scheme: SignatureScheme,
    key: &PublicKey,
    digest: &[u8],
) -> Result<(), CryptoError> {
    let octets = key.bits().div_ceil(8) as usize;
    if digest.is_empty() || prefix(scheme).len() + digest.len() + 11 > octets {
        return Err(CryptoError::BadDigestLength { scheme, got: digest.len() });
    }
    Ok(())
}

impl SignatureAlgorithm for Pkcs1 {
    fn id(&self) -> SignatureScheme {
        self.0
    }

    fn verify(&self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let PublicMaterial::Rsa { n, e } = key.material() else {
            return Err(CryptoError::WrongKey { scheme: self.0, key: key.algorithm() });
        };
        let digest = digest(self.0, input)?;
        demand_room(self.0, key, &digest)?;
        let limits = MIN_RSA_BITS as usize..=MAX_RSA_BITS as usize;
        let number = BoxedUint::from_be_slice_vartime;
        let key = RsaPublicKey::new_with_size_limits(number(n), number(e), limits).map_err(|_| {
            CryptoError::BadKey { reason: KeyFault::Unsound { what: "the numbers make no RSA key" } }
        })?;
        key.verify(padding(self.0), &digest, signature)
            .map_err(|_| CryptoError::BadSignature { scheme: self.0 })
    }

    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        let public = key.public().clone();
        if !self.0.takes(key.algorithm()) {
            return Err(CryptoError::WrongKey { scheme: self.0, key: key.algorithm() });
        }
        let what = "the numbers of the private key do not belong together";
        let key = RsaPrivateKey::from_pkcs8_der(key.pkcs8().as_slice())
            .map_err(|_| CryptoError::BadKey { reason: KeyFault::Unsound { what } })?;
        Ok(Box::new(Pkcs1Signer { id: self.0, public, key }))
    }
}

struct Pkcs1Signer {
    id: SignatureScheme,
    public: PublicKey,
    key: RsaPrivateKey,
}

impl Signer for Pkcs1Signer {
    fn sign(&self, input: &[u8], random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
        let digest = digest(self.id, input)?;
        demand_room(self.id, &self.public, &digest)?;
        self.key
            .sign_with_rng(&mut Source(random), padding(self.id), &digest)
            .map_err(|_| CryptoError::SigningFailed { scheme: self.id })
    }
}

impl fmt::Debug for Pkcs1Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

/// Our randomness, as RustCrypto takes it.
pub(super) struct Source<'a>(pub(super) &'a mut dyn SecureRandom);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.0.fill(&mut octets);
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}
