//! The ECP groups of RFC 5903: P-256, P-384 and P-521, with RustCrypto's curves.
//!
//! A public value is x | y, without the octet that other formats put in front; the shared secret is x alone (§7, §9).

use std::fmt;
use std::marker::PhantomData;

use p256::NistP256;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, Sec1Point, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, PublicKey, SecretKey};
use p384::NistP384;
use p521::NistP521;
use zeroize::Zeroize;

use crate::error::{CryptoError, PublicValueFault};
use crate::group::{KeyExchange, KeyPair};
use crate::random::SecureRandom;
use crate::secret::Secret;
use crate::suite::Group;

pub(super) const ECP256: &dyn KeyExchange = &Ecp::<NistP256> { id: Group::Ecp256, curve: PhantomData };
pub(super) const ECP384: &dyn KeyExchange = &Ecp::<NistP384> { id: Group::Ecp384, curve: PhantomData };
pub(super) const ECP521: &dyn KeyExchange = &Ecp::<NistP521> { id: Group::Ecp521, curve: PhantomData };

struct Ecp<C> {
    id: Group,
    curve: PhantomData<fn() -> C>,
}

/// Draws a scalar until `accept` takes it: one between zero and the curve's order, so that every one is as likely.
///
/// All providers draw the same way, so that the same randomness gives the same key.
pub(super) fn draw_scalar<T>(
    id: Group,
    random: &mut dyn SecureRandom,
    octets: &mut [u8],
    mut accept: impl FnMut(&[u8]) -> Option<T>,
) -> T {
    loop {
        random.fill(octets);
        if let (Group::Ecp521, Some(first)) = (id, octets.first_mut()) {
            // 521 bits in 66 octets: with seven more, one draw in 128 would do.
            *first &= 1;
        }
        if let Some(found) = accept(octets) {
            return found;
        }
    }
}

/// The octet that says "uncompressed" in front of x | y (SEC 1 §2.3.3).
pub(super) const UNCOMPRESSED: u8 = 4;

/// A peer's value as SEC 1 writes it.
pub(super) fn sec1(id: Group, peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if peer.len() == id.public_len() {
        return Ok([&[UNCOMPRESSED], peer].concat());
    }
    let reason = PublicValueFault::Length { expected: id.public_len(), got: peer.len() };
    Err(CryptoError::BadPublicValue { group: id, reason })
}

/// The peer's point. The curves have prime order: one that is on the curve is as good as any (RFC 6989 §2.3).
fn point<C>(id: Group, peer: &[u8]) -> Result<PublicKey<C>, CryptoError>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    PublicKey::from_sec1_bytes(&sec1(id, peer)?)
        .map_err(|_| CryptoError::BadPublicValue { group: id, reason: PublicValueFault::NotOnCurve })
}

impl<C> KeyExchange for Ecp<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn id(&self) -> Group {
        self.id
    }

    fn public_len(&self) -> usize {
        self.id.public_len()
    }

    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
        point::<C>(self.id, peer).map(|_| ())
    }

    fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
        let mut octets = FieldBytes::<C>::default();
        let secret =
            draw_scalar(self.id, random, &mut octets, |octets| SecretKey::<C>::from_slice(octets).ok());
        octets.as_mut_slice().zeroize();
        let point: Sec1Point<C> = secret.public_key().as_affine().to_sec1_point(false);
        let public = point.as_bytes().iter().copied().skip(1).collect();
        Box::new(EcpKeyPair { id: self.id, secret, public })
    }
}

impl<C> fmt::Debug for Ecp<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchange({})", self.id)
    }
}

struct EcpKeyPair<C: CurveArithmetic> {
    id: Group,
    secret: SecretKey<C>,
    public: Vec<u8>,
}

impl<C> KeyPair for EcpKeyPair<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        let peer = point::<C>(self.id, peer)?;
        Ok(Secret::from_slice(self.secret.diffie_hellman(&peer).raw_secret_bytes()))
    }
}

impl<C: CurveArithmetic> fmt::Debug for EcpKeyPair<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.id)
    }
}
