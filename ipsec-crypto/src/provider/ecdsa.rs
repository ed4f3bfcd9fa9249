//! ECDSA on P-256, P-384 and P-521, as r | s (RFC 4754) and in DER (RFC 3279 §2.2.3), by RustCrypto.
//!
//! Nonces are made as RFC 6979 §3.6 has it, from key, digest and the caller's randomness: the same randomness gives the same
//! signature, and bad randomness gives nothing away.

use std::fmt;
use std::ops::Add;

use ecdsa::elliptic_curve::array::ArraySize;
use ecdsa::elliptic_curve::ops::Invert;
use ecdsa::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use ecdsa::elliptic_curve::subtle::CtOption;
use ecdsa::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, Scalar, SecretKey};
use ecdsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
use ecdsa::{DigestAlgorithm, EcdsaCurve, Signature, SigningKey, VerifyingKey, der};
use p256::NistP256;
use p384::NistP384;
use p521::NistP521;

use super::digest::digest;
use super::rsa::Source;
use crate::error::{CryptoError, KeyFault};
use crate::key::{PrivateKey, PublicKey, PublicMaterial};
use crate::random::SecureRandom;
use crate::sign::{SignatureAlgorithm, Signer};
use crate::suite::{KeyAlgorithm, SignatureEncoding, SignatureInput, SignatureScheme};

pub(super) const RAW_256: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa256Raw);
pub(super) const RAW_384: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa384Raw);
pub(super) const RAW_521: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa521Raw);
pub(super) const FIXED_256: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa256);
pub(super) const FIXED_384: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa384);
pub(super) const FIXED_521: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::Ecdsa521);
pub(super) const SHA256: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::EcdsaSha256);
pub(super) const SHA384: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::EcdsaSha384);
pub(super) const SHA512: &dyn SignatureAlgorithm = &Ecdsa(SignatureScheme::EcdsaSha512);

#[derive(Debug)]
struct Ecdsa(SignatureScheme);

impl SignatureAlgorithm for Ecdsa {
    fn id(&self) -> SignatureScheme {
        self.0
    }

    fn verify(&self, key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let digest = digest_for(self.0, key, input)?;
        match key.algorithm() {
            KeyAlgorithm::EcP256 => verify::<NistP256>(self.0, key, &digest, signature),
            KeyAlgorithm::EcP384 => verify::<NistP384>(self.0, key, &digest, signature),
            _ => verify::<NistP521>(self.0, key, &digest, signature),
        }
    }

    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        demand_curve(self.0, key.public())?;
        match key.algorithm() {
            KeyAlgorithm::EcP256 => signer::<NistP256>(self.0, key),
            KeyAlgorithm::EcP384 => signer::<NistP384>(self.0, key),
            _ => signer::<NistP521>(self.0, key),
        }
    }
}

/// A key on one of the curves that the scheme is for.
pub(super) fn demand_curve(scheme: SignatureScheme, key: &PublicKey) -> Result<(), CryptoError> {
    if scheme.takes(key.algorithm()) && matches!(key.material(), PublicMaterial::Ec { .. }) {
        return Ok(());
    }
    Err(CryptoError::WrongKey { scheme, key: key.algorithm() })
}

/// What is signed with this key. A digest given is as long as the scheme's hash (RFC 2409 §5.1).
pub(super) fn digest_for(
    scheme: SignatureScheme,
    key: &PublicKey,
    input: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    demand_curve(scheme, key)?;
    let row = scheme.row();
    match row.hash {
        Some(hash) if row.input == SignatureInput::Digest && hash.row().output != input.len() => {
            Err(CryptoError::BadDigestLength { scheme, got: input.len() })
        }
        _ => digest(scheme, input),
    }
}

fn verify<C>(
    scheme: SignatureScheme,
    key: &PublicKey,
    digest: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError>
where
    C: EcdsaCurve + CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
    der::MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<der::MaxOverhead> + ArraySize,
{
    let PublicMaterial::Ec { point, .. } = key.material() else {
        return Err(CryptoError::WrongKey { scheme, key: key.algorithm() });
    };
    let key = VerifyingKey::<C>::from_sec1_bytes(point)
        .map_err(|_| CryptoError::BadKey { reason: KeyFault::NotOnCurve })?;
    match scheme.row().encoding {
        SignatureEncoding::Der => Signature::from_der(signature),
        _ => Signature::from_slice(signature),
    }
    .and_then(|signature| key.verify_prehash(digest, &signature))
    .map_err(|_| CryptoError::BadSignature { scheme })
}

fn signer<C>(scheme: SignatureScheme, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError>
where
    C: EcdsaCurve + CurveArithmetic + DigestAlgorithm,
    Scalar<C>: Invert<Output = CtOption<Scalar<C>>>,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
    der::MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<der::MaxOverhead> + ArraySize,
{
    let unsound = || {
        let what = "the numbers of the private key do not belong together";
        CryptoError::BadKey { reason: KeyFault::Unsound { what } }
    };
    let signing = SigningKey::<C>::from_slice(&key.scalar()?).map_err(|_| unsound())?;
    let point = signing.verifying_key().to_sec1_point(false);
    match key.public().material() {
        PublicMaterial::Ec { point: public, .. } if point.as_bytes() == &public[..] => {}
        _ => return Err(unsound()),
    }
    Ok(Box::new(EcdsaSigner { id: scheme, public: key.public().clone(), key: signing }))
}

/// The point of a private number, in SEC 1's uncompressed form; `None` for a number that is none of the curve's.
pub(crate) fn ec_point(curve: KeyAlgorithm, scalar: &[u8]) -> Option<Vec<u8>> {
    fn point<C>(scalar: &[u8]) -> Option<Vec<u8>>
    where
        C: EcdsaCurve + CurveArithmetic,
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: ModulusSize,
    {
        let secret = SecretKey::<C>::from_slice(scalar).ok()?;
        Some(secret.public_key().to_sec1_point(false).as_bytes().to_vec())
    }
    match curve {
        KeyAlgorithm::EcP256 => point::<NistP256>(scalar),
        KeyAlgorithm::EcP384 => point::<NistP384>(scalar),
        KeyAlgorithm::EcP521 => point::<NistP521>(scalar),
        _ => None,
    }
}

struct EcdsaSigner<C: EcdsaCurve + CurveArithmetic> {
    id: SignatureScheme,
    public: PublicKey,
    key: SigningKey<C>,
}

impl<C> Signer for EcdsaSigner<C>
where
    C: EcdsaCurve + CurveArithmetic + DigestAlgorithm,
    Scalar<C>: Invert<Output = CtOption<Scalar<C>>>,
    der::MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<der::MaxOverhead> + ArraySize,
{
    fn sign(&self, input: &[u8], random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
        let digest = digest_for(self.id, &self.public, input)?;
        let signature: Signature<C> = self
            .key
            .sign_prehash_with_rng(&mut Source(random), &digest)
            .map_err(|_| CryptoError::SigningFailed { scheme: self.id })?;
        Ok(match self.id.row().encoding {
            SignatureEncoding::Der => signature.to_der().as_bytes().to_vec(),
            _ => signature.to_vec(),
        })
    }
}

impl<C: EcdsaCurve + CurveArithmetic> fmt::Debug for EcdsaSigner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}
