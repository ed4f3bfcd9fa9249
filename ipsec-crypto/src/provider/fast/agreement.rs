//! The ECP groups and X25519 by aws-lc.

use std::fmt;

use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, ParsedPublicKey, PrivateKey, UnparsedPublicKey, X25519, agree,
};
use zeroize::Zeroizing;

use super::super::ecp::{draw_scalar, sec1};
use super::super::x25519;
use crate::error::{CryptoError, PublicValueFault};
use crate::group::{KeyExchange, KeyPair};
use crate::random::SecureRandom;
use crate::secret::Secret;
use crate::suite::Group;

pub(super) const ECP256: &dyn KeyExchange = &Curve { id: Group::Ecp256, algorithm: &ECDH_P256 };
pub(super) const ECP384: &dyn KeyExchange = &Curve { id: Group::Ecp384, algorithm: &ECDH_P384 };
pub(super) const ECP521: &dyn KeyExchange = &Curve { id: Group::Ecp521, algorithm: &ECDH_P521 };
pub(super) const CURVE25519: &dyn KeyExchange = &Curve { id: Group::X25519, algorithm: &X25519 };

struct Curve {
    id: Group,
    algorithm: &'static Algorithm,
}

impl KeyExchange for Curve {
    fn id(&self) -> Group {
        self.id
    }

    fn public_len(&self) -> usize {
        self.id.public_len()
    }

    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
        parse(self.id, self.algorithm, peer).map(|_| ())
    }

    fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
        let mut octets = Zeroizing::new(vec![0; self.id.row().shared]);
        let (private, public) = draw_scalar(self.id, random, &mut octets, |octets| {
            let private = PrivateKey::from_private_key(self.algorithm, octets).ok()?;
            let public = private.compute_public_key().ok()?;
            // x | y without the octet in front (RFC 5903 §7); X25519 has none.
            let skip = public.as_ref().len().saturating_sub(self.id.public_len());
            let public = public.as_ref().iter().copied().skip(skip).collect();
            Some((private, public))
        });
        Box::new(CurveKeyPair { id: self.id, private, public })
    }
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchange({})", self.id)
    }
}

struct CurveKeyPair {
    id: Group,
    private: PrivateKey,
    public: Vec<u8>,
}

impl KeyPair for CurveKeyPair {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        let peer = parse(self.id, self.private.algorithm(), peer)?;
        agree(&self.private, peer, bad(self.id), |secret| Ok(Secret::from_slice(secret)))
    }
}

fn bad(id: Group) -> CryptoError {
    CryptoError::BadPublicValue { group: id, reason: PublicValueFault::NotOnCurve }
}

/// The peer's value, which the library refuses where it is no point of the curve.
fn parse(id: Group, algorithm: &'static Algorithm, peer: &[u8]) -> Result<ParsedPublicKey, CryptoError> {
    let octets = match id {
        Group::X25519 => x25519::check(peer)?.to_vec(),
        _ => sec1(id, peer)?,
    };
    ParsedPublicKey::try_from(&UnparsedPublicKey::new(algorithm, octets)).map_err(|_| bad(id))
}

impl fmt::Debug for CurveKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.id)
    }
}
