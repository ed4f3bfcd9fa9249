//! ECDSA by aws-lc, on hashes made here. Nonces are the library's own: the same randomness of the caller's does not give the
//! same signature.
//!
//! aws-lc-rs signs with the hash that belongs to the curve (and on P-521 with the shorter ones too); other pairs are signed by
//! the portable provider, and verified here.

use std::fmt;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    self as lc, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, ParsedPublicKey,
};

use super::super::ecdsa as portable;
use super::super::ecdsa::digest_for;
use crate::error::{CryptoError, KeyFault, Missing};
use crate::key::{PrivateKey, PublicKey, PublicMaterial};
use crate::random::SecureRandom;
use crate::sign::{SignatureAlgorithm, Signer};
use crate::suite::{Hash, KeyAlgorithm, SignatureEncoding, SignatureScheme};

pub(super) const RAW_256: &dyn SignatureAlgorithm = &Ecdsa(portable::RAW_256, SignatureScheme::Ecdsa256Raw);
pub(super) const RAW_384: &dyn SignatureAlgorithm = &Ecdsa(portable::RAW_384, SignatureScheme::Ecdsa384Raw);
pub(super) const RAW_521: &dyn SignatureAlgorithm = &Ecdsa(portable::RAW_521, SignatureScheme::Ecdsa521Raw);
pub(super) const FIXED_256: &dyn SignatureAlgorithm = &Ecdsa(portable::FIXED_256, SignatureScheme::Ecdsa256);
pub(super) const FIXED_384: &dyn SignatureAlgorithm = &Ecdsa(portable::FIXED_384, SignatureScheme::Ecdsa384);
pub(super) const FIXED_521: &dyn SignatureAlgorithm = &Ecdsa(portable::FIXED_521, SignatureScheme::Ecdsa521);
pub(super) const SHA256: &dyn SignatureAlgorithm = &Ecdsa(portable::SHA256, SignatureScheme::EcdsaSha256);
pub(super) const SHA384: &dyn SignatureAlgorithm = &Ecdsa(portable::SHA384, SignatureScheme::EcdsaSha384);
pub(super) const SHA512: &dyn SignatureAlgorithm = &Ecdsa(portable::SHA512, SignatureScheme::EcdsaSha512);

/// A scheme, and who signs what aws-lc-rs does not.
#[derive(Debug)]
struct Ecdsa(&'static dyn SignatureAlgorithm, SignatureScheme);

/// A pair of curve and hash in one encoding, as aws-lc-rs names it.
struct Pair {
    key: KeyAlgorithm,
    hash: Hash,
    encoding: SignatureEncoding,
    verify: &'static EcdsaVerificationAlgorithm,
    sign: Option<&'static EcdsaSigningAlgorithm>,
}

const fn pair(
    key: KeyAlgorithm,
    hash: Hash,
    encoding: SignatureEncoding,
    verify: &'static EcdsaVerificationAlgorithm,
    sign: Option<&'static EcdsaSigningAlgorithm>,
) -> Pair {
    Pair { key, hash, encoding, verify, sign }
}

use Hash::{Sha256, Sha384, Sha512};
use KeyAlgorithm::{EcP256, EcP384, EcP521};
use SignatureEncoding::{Der, Fixed};

static PAIRS: [Pair; 12] = [
    pair(EcP256, Sha256, Fixed, &lc::ECDSA_P256_SHA256_FIXED, Some(&lc::ECDSA_P256_SHA256_FIXED_SIGNING)),
    pair(EcP384, Sha384, Fixed, &lc::ECDSA_P384_SHA384_FIXED, Some(&lc::ECDSA_P384_SHA384_FIXED_SIGNING)),
    pair(EcP521, Sha512, Fixed, &lc::ECDSA_P521_SHA512_FIXED, Some(&lc::ECDSA_P521_SHA512_FIXED_SIGNING)),
    pair(EcP256, Sha256, Der, &lc::ECDSA_P256_SHA256_ASN1, Some(&lc::ECDSA_P256_SHA256_ASN1_SIGNING)),
    pair(EcP256, Sha384, Der, &lc::ECDSA_P256_SHA384_ASN1, None),
    pair(EcP256, Sha512, Der, &lc::ECDSA_P256_SHA512_ASN1, None),
    pair(EcP384, Sha256, Der, &lc::ECDSA_P384_SHA256_ASN1, None),
    pair(EcP384, Sha384, Der, &lc::ECDSA_P384_SHA384_ASN1, Some(&lc::ECDSA_P384_SHA384_ASN1_SIGNING)),
    pair(EcP384, Sha512, Der, &lc::ECDSA_P384_SHA512_ASN1, None),
    pair(EcP521, Sha256, Der, &lc::ECDSA_P521_SHA256_ASN1, Some(&lc::ECDSA_P521_SHA256_ASN1_SIGNING)),
    pair(EcP521, Sha384, Der, &lc::ECDSA_P521_SHA384_ASN1, Some(&lc::ECDSA_P521_SHA384_ASN1_SIGNING)),
    pair(EcP521, Sha512, Der, &lc::ECDSA_P521_SHA512_ASN1, Some(&lc::ECDSA_P521_SHA512_ASN1_SIGNING)),
];

impl Ecdsa {
    fn pair(&self, key: &PublicKey) -> Result<&'static Pair, CryptoError> {
        portable::demand_curve(self.1, key)?;
        let row = self.1.row();
        PAIRS
            .iter()
            .find(|pair| {
                (pair.key, Some(pair.hash), pair.encoding) == (key.algorithm(), row.hash, row.encoding)
            })
            .ok_or(CryptoError::UnsupportedSignature { scheme: self.1, reason: Missing::Provider })
    }
}

/// The digest, in the library's type.
fn imported(
    scheme: SignatureScheme,
    pair: &Pair,
    key: &PublicKey,
    input: &[u8],
) -> Result<Digest, CryptoError> {
    let octets = digest_for(scheme, key, input)?;
    let algorithm = match pair.hash {
        Sha256 => &digest::SHA256,
        Sha384 => &digest::SHA384,
        _ => &digest::SHA512,
    };
    Digest::import_less_safe(&octets, algorithm)
        .map_err(|_| CryptoError::BadDigestLength { scheme, got: octets.len() })
}

impl SignatureAlgorithm for Ecdsa {
    fn id(&self) -> SignatureScheme {
        self.1
    }

    fn verify(&self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let pair = self.pair(key)?;
        let digest = imported(self.1, pair, key, input)?;
        let PublicMaterial::Ec { point, .. } = key.material() else {
            return Err(CryptoError::WrongKey { scheme: self.1, key: key.algorithm() });
        };
        ParsedPublicKey::new(pair.verify, point)
            .map_err(|_| CryptoError::BadKey { reason: KeyFault::NotOnCurve })?
            .verify_digest_sig(&digest, signature)
            .map_err(|_| CryptoError::BadSignature { scheme: self.1 })
    }

    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        let pair = self.pair(key.public())?;
        let (Some(algorithm), PublicMaterial::Ec { point, .. }) = (pair.sign, key.public().material()) else {
            return self.0.signer(key);
        };
        let what = "the numbers of the private key do not belong together";
        let private = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &key.scalar()?, point)
            .map_err(|_| CryptoError::BadKey { reason: KeyFault::Unsound { what } })?;
        Ok(Box::new(EcdsaSigner { id: self.1, pair, public: key.public().clone(), key: private }))
    }
}

struct EcdsaSigner {
    id: SignatureScheme,
    pair: &'static Pair,
    public: PublicKey,
    key: EcdsaKeyPair,
}

impl Signer for EcdsaSigner {
    fn sign(&self, input: &[u8], _random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
        let digest = imported(self.id, self.pair, &self.public, input)?;
        let signature =
            self.key.sign_digest(&digest).map_err(|_| CryptoError::SigningFailed { scheme: self.id })?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for EcdsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}
