//! Keys of signatures: public ones as certificates carry them, private ones that do not leak.

use std::fmt;

use pkcs1::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use pkcs1::der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::EcPrivateKey;
#[cfg(feature = "portable")]
use zeroize::Zeroizing;

use crate::error::{CryptoError, KeyFault};
use crate::secret::Secret;
use crate::suite::KeyAlgorithm;

/// The shortest RSA modulus that any key here may have, in bits. What counts as too weak to trust is policy, and stricter.
pub const MIN_RSA_BITS: u32 = 1024;
/// The longest RSA modulus that any key here may have, in bits: what a peer can make us compute has a bound.
pub const MAX_RSA_BITS: u32 = 8192;
/// Bits of the largest public exponent: larger ones serve nothing but to keep whoever verifies busy.
const MAX_EXPONENT_BITS: u32 = 33;

pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The curves by their object identifiers (RFC 5480 §2.1.1.1), with the octets of a coordinate and the strength in bits.
const CURVES: [(KeyAlgorithm, ObjectIdentifier, usize, u32); 3] = [
    (KeyAlgorithm::EcP256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), 32, 128),
    (KeyAlgorithm::EcP384, ObjectIdentifier::new_unwrap("1.3.132.0.34"), 48, 192),
    (KeyAlgorithm::EcP521, ObjectIdentifier::new_unwrap("1.3.132.0.35"), 66, 256),
];
/// Kinds of keys that are known by name only.
const NAMED_ONLY: [(&str, &str); 6] = [
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.2.840.10040.4.1", "DSA"),
];
/// The octet that says "uncompressed" in front of x | y (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

fn bad(reason: KeyFault) -> CryptoError {
    CryptoError::BadKey { reason }
}

fn encoding(what: &'static str) -> CryptoError {
    bad(KeyFault::Encoding { what })
}

/// What is not supported, by its name where it has a known one.
fn unsupported(oid: ObjectIdentifier) -> CryptoError {
    let dotted = oid.to_string();
    let named = NAMED_ONLY.iter().find(|(known, _)| *known == dotted);
    let found = named.map_or(dotted.clone(), |(_, name)| (*name).to_owned());
    bad(KeyFault::Unsupported { found })
}

/// A public key of a signature algorithm: whole and well-formed, which does not say that anybody should trust it.
///
/// ```
/// use ipsec_crypto::{KeyAlgorithm, PublicKey};
/// let key = PublicKey::from_rsa(&[0xc5; 256], &[1, 0, 1])?;
/// assert_eq!((key.algorithm(), key.bits(), key.strength()), (KeyAlgorithm::Rsa, 2048, 112));
/// assert_eq!(PublicKey::from_spki(key.spki())?, key);
/// # Ok::<(), ipsec_crypto::CryptoError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Box<[u8]>,
    material: PublicMaterial,
}

/// The numbers of a public key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicMaterial {
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    /// A point in SEC 1's uncompressed form. Whether it is on the curve is found when it is used.
    Ec { curve: KeyAlgorithm, point: Box<[u8]> },
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7; RFC 3279 §2.3.1 for RSA, RFC 5480 for curves).
    ///
    /// # Errors
    /// [`CryptoError::BadKey`]: another encoding, octets behind it, an algorithm or curve that is not supported, a
    /// compressed point, an RSA key out of [`MIN_RSA_BITS`]..=[`MAX_RSA_BITS`], even, or with an exponent that no sound key has.
    pub fn from_spki(der: &[u8]) -> Result<Self, CryptoError> {
        let malformed = || encoding("SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| malformed())?;
        let key = info.subject_public_key.as_bytes().ok_or_else(malformed)?;
        let material = match info.algorithm.oid {
            RSA_ENCRYPTION => {
                if info.algorithm.parameters != Some(AnyRef::NULL) {
                    return Err(encoding("parameters of RSA, which must be NULL (RFC 3279 section 2.3.1)"));
                }
                let key = pkcs1::RsaPublicKeyRef::from_der(key).map_err(|_| encoding("RSAPublicKey"))?;
                rsa_material(key.modulus.as_bytes(), key.public_exponent.as_bytes())?
            }
            EC_PUBLIC_KEY => ec_material(curve(info.algorithm)?, key)?,
            other => return Err(unsupported(other)),
        };
        Ok(Self { spki: der.into(), material })
    }

    /// An RSA key from modulus and public exponent, big-endian, leading zeros allowed: a raw key of a configuration.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`], as [`from_spki`](Self::from_spki).
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, CryptoError> {
        let malformed = |_| encoding("RSA key");
        let key = pkcs1::RsaPublicKeyRef {
            modulus: UintRef::new(modulus).map_err(malformed)?,
            public_exponent: UintRef::new(exponent).map_err(malformed)?,
        };
        rsa_material(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
        Self::from_parts(algorithm, &key.to_der().map_err(malformed)?)
    }

    /// A key on a curve from its point: x | y, or with the octet in front that says "uncompressed" (SEC 1 §2.3.3).
    ///
    /// # Errors
    /// [`CryptoError::BadKey`]: no curve of ours, another length or form. Whether the point is on the curve is found when
    /// the key is used.
    pub fn from_ec_point(curve: KeyAlgorithm, point: &[u8]) -> Result<Self, CryptoError> {
        let Some((_, oid, coordinate, _)) = CURVES.iter().find(|(known, ..)| *known == curve) else {
            return Err(bad(KeyFault::Unsupported { found: curve.to_string() }));
        };
        let sec1 =
            if point.len() == 2 * coordinate { [&[UNCOMPRESSED], point].concat() } else { point.to_vec() };
        Self::from_parts(AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some(oid.into()) }, &sec1)
    }

    fn from_parts(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Self, CryptoError> {
        let malformed = |_| encoding("SubjectPublicKeyInfo");
        let subject_public_key = BitStringRef::from_bytes(key).map_err(malformed)?;
        let info = SubjectPublicKeyInfoRef { algorithm, subject_public_key };
        Self::from_spki(&info.to_der().map_err(malformed)?)
    }

    /// The SubjectPublicKeyInfo in DER: what certificates carry, and what two equal keys have alike.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.material {
            PublicMaterial::Rsa { .. } => KeyAlgorithm::Rsa,
            PublicMaterial::Ec { curve, .. } => curve,
        }
    }

    /// Bits of the modulus, or of the curve.
    pub fn bits(&self) -> u32 {
        match &self.material {
            PublicMaterial::Rsa { n, .. } => bits(n),
            PublicMaterial::Ec { curve: KeyAlgorithm::EcP521, .. } => 521,
            PublicMaterial::Ec { point, .. } => (point.len() as u32 - 1) / 2 * 8,
        }
    }

    /// The security strength in bits: 80 for RSA of 1024 bits, 112 for 2048, 128 for P-256 (NIST SP 800-57 part 1, table 2).
    pub fn strength(&self) -> u32 {
        match &self.material {
            PublicMaterial::Rsa { n, .. } => match bits(n) {
                7680.. => 192,
                3072.. => 128,
                2048.. => 112,
                _ => 80,
            },
            PublicMaterial::Ec { curve, .. } => {
                CURVES.iter().find(|(known, ..)| known == curve).map_or(0, |(.., strength)| *strength)
            }
        }
    }

    /// The key itself in DER, without the algorithm around it: an RSAPublicKey, or a point.
    #[cfg(feature = "fast")]
    pub(crate) fn subject_public_key(&self) -> Result<&[u8], CryptoError> {
        let malformed = || encoding("SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::from_der(&self.spki).map_err(|_| malformed())?;
        info.subject_public_key.as_bytes().ok_or_else(malformed)
    }

    #[cfg_attr(not(feature = "portable"), expect(dead_code, reason = "providers compute with it"))]
    pub(crate) fn material(&self) -> &PublicMaterial {
        &self.material
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {} bits)", self.algorithm(), self.bits())
    }
}

/// Bits of a number without leading zero octets.
fn bits(number: &[u8]) -> u32 {
    number.first().map_or(0, |first| number.len() as u32 * 8 - first.leading_zeros())
}

fn rsa_material(n: &[u8], e: &[u8]) -> Result<PublicMaterial, CryptoError> {
    match bits(n) {
        len @ ..MIN_RSA_BITS => return Err(bad(KeyFault::TooShort { bits: len, least: MIN_RSA_BITS })),
        MIN_RSA_BITS..=MAX_RSA_BITS => {}
        len => return Err(bad(KeyFault::TooLong { bits: len, most: MAX_RSA_BITS })),
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !odd(n) {
        return Err(bad(KeyFault::Unsound { what: "the modulus is even" }));
    }
    if !odd(e) || e == [1] || bits(e) > MAX_EXPONENT_BITS {
        return Err(bad(KeyFault::Unsound { what: "the public exponent is even, 1 or longer than 33 bits" }));
    }
    Ok(PublicMaterial::Rsa { n: n.into(), e: e.into() })
}

/// The curve that the parameters of id-ecPublicKey name (RFC 5480 §2.1.1: namedCurve is the only choice).
fn curve(algorithm: AlgorithmIdentifierRef<'_>) -> Result<KeyAlgorithm, CryptoError> {
    let oid = algorithm
        .parameters_oid()
        .map_err(|_| encoding("curve of the key, which must be named (RFC 5480 section 2.1.1)"))?;
    let known = CURVES.iter().find(|(_, known, ..)| *known == oid);
    known.map(|(curve, ..)| *curve).ok_or_else(|| unsupported(oid))
}

fn ec_material(curve: KeyAlgorithm, point: &[u8]) -> Result<PublicMaterial, CryptoError> {
    let coordinate = CURVES.iter().find(|(known, ..)| *known == curve).map_or(0, |(_, _, len, _)| *len);
    match point.split_first() {
        Some((&UNCOMPRESSED, rest)) if rest.len() == 2 * coordinate => {
            Ok(PublicMaterial::Ec { curve, point: point.into() })
        }
        Some((2 | 3, rest)) if rest.len() == coordinate => {
            Err(bad(KeyFault::Unsupported { found: "compressed point".to_owned() }))
        }
        _ => Err(encoding("point of the curve")),
    }
}

/// The number of a private key, as long as the curve's coordinates.
#[cfg(feature = "portable")]
fn pad(curve: KeyAlgorithm, number: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let len = CURVES.iter().find(|(known, ..)| *known == curve).map_or(0, |(_, _, len, _)| *len);
    // Some writers leave leading zeros out, which RFC 5915 §3 does not allow.
    let zeros = len.checked_sub(number.len()).ok_or_else(|| encoding("ECPrivateKey"))?;
    let mut scalar = Zeroizing::new(vec![0; len]);
    scalar.iter_mut().skip(zeros).zip(number).for_each(|(to, from)| *to = *from);
    Ok(scalar)
}

/// The point of a private key that does not carry it.
#[cfg(feature = "portable")]
fn compute_point(curve: KeyAlgorithm, number: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let what = "the private number is zero or not below the order of the curve";
    crate::provider::ec_point(curve, &pad(curve, number)?).ok_or_else(|| bad(KeyFault::Unsound { what }))
}

#[cfg(not(feature = "portable"))]
fn compute_point(_curve: KeyAlgorithm, _number: &[u8]) -> Result<Vec<u8>, CryptoError> {
    Err(bad(KeyFault::NoPublicKey))
}

/// A private key of a signature algorithm.
///
/// Wiped when dropped, not `Clone`, not comparable; `Debug` names the algorithm and nothing else.
/// [`CryptoProvider::signer`](crate::CryptoProvider::signer) prepares it for use. Keys that never leave a token need no
/// `PrivateKey`: they are a [`Signer`](crate::Signer) of the caller's.
pub struct PrivateKey {
    public: PublicKey,
    pkcs8: Secret,
}

impl PrivateKey {
    /// Reads an unencrypted PKCS#8 PrivateKeyInfo in DER (RFC 5208, RFC 5958). [`KeyFile`](crate::KeyFile) reads the rest.
    ///
    /// Whether its numbers belong together is found when it is prepared for use.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`], as [`PublicKey::from_spki`]; without a provider of ours also a curve's key that does not carry
    /// its public key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, CryptoError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| encoding("PKCS#8 PrivateKeyInfo"))?;
        let key = info.private_key.as_bytes();
        let public = match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let key = pkcs1::RsaPrivateKeyRef::from_der(key).map_err(|_| encoding("RSAPrivateKey"))?;
                PublicKey::from_rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())?
            }
            EC_PUBLIC_KEY => {
                let curve = curve(info.algorithm)?;
                let key = EcPrivateKey::from_der(key).map_err(|_| encoding("ECPrivateKey"))?;
                let outer = info.public_key.as_ref().and_then(BitStringRef::as_bytes);
                match key.public_key.or(outer) {
                    Some(point) => PublicKey::from_ec_point(curve, point)?,
                    None => PublicKey::from_ec_point(curve, &compute_point(curve, key.private_key)?)?,
                }
            }
            other => return Err(unsupported(other)),
        };
        Ok(Self { public, pkcs8: Secret::from_slice(der) })
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// The key itself in DER, without the algorithm around it: an RSAPrivateKey, or an ECPrivateKey.
    #[cfg(feature = "fast")]
    pub(crate) fn algorithm_private_key(&self) -> Result<&[u8], CryptoError> {
        let info = PrivateKeyInfoRef::from_der(self.pkcs8.as_slice());
        Ok(info.map_err(|_| encoding("PKCS#8 PrivateKeyInfo"))?.private_key.as_bytes())
    }

    /// The number of a curve's private key, as long as the curve's coordinates.
    #[cfg(feature = "portable")]
    pub(crate) fn scalar(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let malformed = || encoding("ECPrivateKey");
        let info = PrivateKeyInfoRef::from_der(self.pkcs8.as_slice()).map_err(|_| malformed())?;
        let key = EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(|_| malformed())?;
        let len =
            CURVES.iter().find(|(known, ..)| *known == self.algorithm()).map_or(0, |(_, _, len, _)| *len);
        // Some writers leave leading zeros out, which RFC 5915 §3 does not allow.
        let zeros = len.checked_sub(key.private_key.len()).ok_or_else(malformed)?;
        let mut scalar = Zeroizing::new(vec![0; len]);
        scalar.iter_mut().skip(zeros).zip(key.private_key).for_each(|(to, from)| *to = *from);
        Ok(scalar)
    }

    /// The key itself, as an unencrypted PKCS#8 PrivateKeyInfo: for a provider of the caller's.
    pub fn pkcs8(&self) -> &Secret {
        &self.pkcs8
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm())
    }
}
