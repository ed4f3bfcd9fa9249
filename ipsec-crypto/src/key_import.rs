//! Private keys and certificates from files: PEM, DER, PKCS#8 in clear and encrypted, PKCS#1, SEC 1, PKCS#12.
//!
//! What the file is, is told by its content, never by its name. Each format is read by a library; here is decided what is
//! taken, and said what is wrong with the rest.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pem_rfc7468::Decoder;
use pkcs1::der::asn1::{AnyRef, OctetStringRef};
use pkcs1::der::{Decode, Encode, SliceReader, Tag, Tagged};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use crate::error::{CryptoError, KeyFault, KeyFileFault};
use crate::key::{EC_PUBLIC_KEY, PrivateKey, RSA_ENCRYPTION};
use crate::secret::Secret;

/// The largest file that is looked at, in octets.
const MAX_FILE: usize = 1 << 20;
/// Most iterations of PBKDF2 that a file can ask for.
const MAX_ITERATIONS: u32 = 1_000_000;
/// Most memory that a file can ask for with scrypt, in octets.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;

/// What a file held.
///
/// ```no_run
/// use ipsec_crypto::{KeyFile, Secret};
/// let passphrase = Secret::new(b"correct-horse".to_vec());
/// let file = KeyFile::read(&std::fs::read("gateway.p12")?, Some(&passphrase))?;
/// println!("{} certificates", file.certificates.len());
/// let key = file.into_private_key()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyFile {
    /// The private key, if there is one.
    pub private_key: Option<PrivateKey>,
    /// The certificates in DER, in the order of the file. Nothing in them has been checked.
    pub certificates: Vec<Vec<u8>>,
}

/// The kinds of content, as errors name them.
#[derive(Clone, Copy)]
enum Format {
    File,
    Pem,
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    Sec1,
    Pkcs12,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Pem => "PEM",
            Self::Pkcs8 => "PKCS#8 key",
            Self::EncryptedPkcs8 => "encrypted PKCS#8 key",
            Self::Pkcs1 => "PKCS#1 RSA key",
            Self::Sec1 => "SEC 1 EC key",
            Self::Pkcs12 => "PKCS#12",
        }
    }

    fn fault(self, reason: KeyFileFault) -> CryptoError {
        CryptoError::BadKeyFile { format: self.name(), reason }
    }

    fn malformed(self) -> CryptoError {
        self.fault(KeyFileFault::Malformed)
    }

    /// A key that was found in this format.
    fn key(self, pkcs8: &[u8]) -> Result<PrivateKey, CryptoError> {
        PrivateKey::from_pkcs8(pkcs8).map_err(|error| match error {
            CryptoError::BadKey { reason } => self.fault(KeyFileFault::Key(reason)),
            other => other,
        })
    }
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    keys: Vec<PrivateKey>,
    certificates: Vec<Vec<u8>>,
}

impl KeyFile {
    /// Reads a file's content. The passphrase is for what is encrypted in it; where nothing is, it is not looked at.
    ///
    /// What PKCS#12 keeps in memory while it is decrypted belongs to a library that does not wipe it; all other formats leave
    /// nothing behind.
    ///
    /// # Errors
    /// [`CryptoError::BadKeyFile`], with what was found and what is wrong with it: another format, a passphrase that is
    /// missing or wrong, an encryption or a kind of key that is not supported, more than one private key, and whatever
    /// [`PrivateKey::from_pkcs8`] refuses.
    pub fn read(content: &[u8], passphrase: Option<&Secret>) -> Result<Self, CryptoError> {
        if content.len() > MAX_FILE {
            return Err(Format::File.fault(KeyFileFault::TooLarge { octets: content.len(), most: MAX_FILE }));
        }
        let mut found = Found::default();
        if position(content, BEGIN).is_some() {
            found.pem(content, passphrase)?;
        } else {
            found.der(content, passphrase)?;
        }
        if found.keys.len() > 1 {
            return Err(Format::File.fault(KeyFileFault::SeveralKeys { count: found.keys.len() }));
        }
        Ok(Self { private_key: found.keys.pop(), certificates: found.certificates })
    }

    /// The private key, where there must be one.
    ///
    /// # Errors
    /// [`CryptoError::BadKeyFile`] if the file held none.
    pub fn into_private_key(self) -> Result<PrivateKey, CryptoError> {
        let certificates = self.certificates.len();
        self.private_key.ok_or_else(|| Format::File.fault(KeyFileFault::NoKey { certificates }))
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

impl Found {
    /// Every block of a PEM file; text around the blocks is left aside (RFC 7468 §2).
    fn pem(&mut self, mut text: &[u8], passphrase: Option<&Secret>) -> Result<(), CryptoError> {
        while let Some(start) = position(text, BEGIN) {
            text = text.get(start..).unwrap_or_default();
            let label = text.get(BEGIN.len()..).unwrap_or_default();
            let len = position(label, DASHES).ok_or_else(|| Format::Pem.malformed())?;
            let label = label.get(..len).unwrap_or_default();
            let end = [b"-----END ", label, DASHES].concat();
            let len = position(text, &end).ok_or_else(|| Format::Pem.malformed())? + end.len();
            let (block, rest) = text.split_at(len);
            self.block(label, block, passphrase)?;
            text = rest;
        }
        Ok(())
    }

    fn block(&mut self, label: &[u8], block: &[u8], passphrase: Option<&Secret>) -> Result<(), CryptoError> {
        let format = match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => None,
            b"PRIVATE KEY" => Some(Format::Pkcs8),
            b"ENCRYPTED PRIVATE KEY" => Some(Format::EncryptedPkcs8),
            b"RSA PRIVATE KEY" => Some(Format::Pkcs1),
            b"EC PRIVATE KEY" => Some(Format::Sec1),
            other if other.ends_with(b"PRIVATE KEY") => {
                let found = String::from_utf8_lossy(other).into_owned();
                return Err(Format::Pem.fault(KeyFileFault::Key(KeyFault::Unsupported { found })));
            }
            // Parameters, public keys, requests: there, and of no use here.
            _ => return Ok(()),
        };
        if position(block, b"Proc-Type:").is_some() {
            let found = "OpenSSL's traditional PEM encryption".to_owned();
            return Err(format.unwrap_or(Format::Pem).fault(KeyFileFault::Encryption { found }));
        }
        let mut der = Zeroizing::new(Vec::with_capacity(block.len()));
        let decoded = Decoder::new_detect_wrap(block)
            .and_then(|mut decoder| decoder.decode_to_end(&mut der).map(|_| ()));
        decoded.map_err(|_| Format::Pem.malformed())?;
        match format {
            None => self.certificates.push(der.to_vec()),
            Some(Format::EncryptedPkcs8) => self.keys.push(encrypted(&der, passphrase)?),
            Some(Format::Pkcs1) => self.keys.push(pkcs1(&der)?),
            Some(Format::Sec1) => self.keys.push(sec1(&der)?),
            Some(format) => self.keys.push(format.key(&der)?),
        }
        Ok(())
    }

    /// One structure in DER, told by its first elements.
    fn der(&mut self, der: &[u8], passphrase: Option<&Secret>) -> Result<(), CryptoError> {
        match shape(der) {
            Some(Shape::Encrypted) => self.keys.push(encrypted(der, passphrase)?),
            Some(Shape::Pkcs12) => self.pkcs12(der, passphrase)?,
            Some(Shape::Certificate) => self.certificates.push(der.to_vec()),
            Some(Shape::Pkcs8) => self.keys.push(Format::Pkcs8.key(der)?),
            Some(Shape::Pkcs1) => self.keys.push(pkcs1(der)?),
            Some(Shape::Sec1) => self.keys.push(sec1(der)?),
            None => return Err(Format::File.fault(KeyFileFault::NotRecognized)),
        }
        Ok(())
    }

    fn pkcs12(&mut self, der: &[u8], passphrase: Option<&Secret>) -> Result<(), CryptoError> {
        let wrong = || match passphrase {
            Some(_) => KeyFileFault::PassphraseWrong,
            None => KeyFileFault::PassphraseNeeded,
        };
        let text = std::str::from_utf8(passphrase.map_or(b"", Secret::as_slice))
            .map_err(|_| Format::Pkcs12.fault(KeyFileFault::PassphraseWrong))?;
        let archive = Pkcs12Archive::from_pkcs12(der, text).map_err(|error| {
            Format::Pkcs12.fault(match error {
                Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError | Pkcs12Error::Pkcs5Error(_) => wrong(),
                Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
                    KeyFileFault::Encryption { found: "of another kind than AES, 3DES or RC2-40".to_owned() }
                }
                Pkcs12Error::InvalidParameters => KeyFileFault::TooMuchWork,
                _ => KeyFileFault::Malformed,
            })
        })?;
        for bag in &archive.keys {
            self.keys.push(Format::Pkcs12.key(bag.key.as_der())?);
        }
        self.certificates.extend(archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()));
        Ok(())
    }
}

/// What a DER structure is.
enum Shape {
    Pkcs8,
    Encrypted,
    Pkcs1,
    Sec1,
    Pkcs12,
    Certificate,
}

/// Tells what a DER structure is by the kinds of its first elements.
fn shape(der: &[u8]) -> Option<Shape> {
    let outer = AnyRef::from_der(der).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
    let mut reader = SliceReader::new(outer.value()).ok()?;
    let mut next = || AnyRef::decode(&mut reader).ok();
    let (first, second, third) = (next()?, next()?, next());
    match (first.tag(), second.tag(), third.map(|third| third.tag())) {
        (Tag::Integer, Tag::Sequence, Some(Tag::OctetString)) => Some(Shape::Pkcs8),
        (Tag::Integer, Tag::Sequence, _) if first.value() == [3] => Some(Shape::Pkcs12),
        (Tag::Integer, Tag::Integer, _) => Some(Shape::Pkcs1),
        (Tag::Integer, Tag::OctetString, _) => Some(Shape::Sec1),
        (Tag::Sequence, Tag::OctetString, None) => Some(Shape::Encrypted),
        (Tag::Sequence, Tag::Sequence, Some(Tag::BitString)) => Some(Shape::Certificate),
        _ => None,
    }
}

/// Puts the algorithm around a key that came without.
fn wrap(
    format: Format,
    algorithm: AlgorithmIdentifierRef<'_>,
    key: &[u8],
) -> Result<PrivateKey, CryptoError> {
    let key = <&OctetStringRef>::try_from(key).map_err(|_| format.malformed())?;
    let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(|_| format.malformed())?;
    format.key(&Zeroizing::new(der))
}

/// An RSAPrivateKey (RFC 8017 §A.1.2).
fn pkcs1(der: &[u8]) -> Result<PrivateKey, CryptoError> {
    let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
    wrap(Format::Pkcs1, algorithm, der)
}

/// An ECPrivateKey (RFC 5915 §3), which must name its curve.
fn sec1(der: &[u8]) -> Result<PrivateKey, CryptoError> {
    let key = EcPrivateKey::from_der(der).map_err(|_| Format::Sec1.malformed())?;
    let curve = key.parameters.and_then(sec1::EcParameters::named_curve);
    let curve = curve.ok_or_else(|| Format::Sec1.malformed())?;
    let algorithm = AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some((&curve).into()) };
    wrap(Format::Sec1, algorithm, der)
}

/// An EncryptedPrivateKeyInfo (RFC 5208 §6) with an encryption of PBES2 (RFC 8018 §6.2).
fn encrypted(der: &[u8], passphrase: Option<&Secret>) -> Result<PrivateKey, CryptoError> {
    let format = Format::EncryptedPkcs8;
    let unsupported = |found: String| format.fault(KeyFileFault::Encryption { found });
    let Ok(info) = EncryptedPrivateKeyInfoRef::from_der(der) else {
        let outer = AnyRef::from_der(der).map_err(|_| format.malformed())?;
        let scheme = SliceReader::new(outer.value())
            .and_then(|mut reader| AlgorithmIdentifierRef::decode(&mut reader));
        return Err(unsupported(scheme.map_err(|_| format.malformed())?.oid.to_string()));
    };
    let EncryptionScheme::Pbes2(scheme) = &info.encryption_algorithm else {
        return Err(unsupported(info.encryption_algorithm.oid().to_string()));
    };
    let bearable = match &scheme.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            let blocks = 128 * u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
            scrypt.cost_parameter.checked_mul(blocks).is_some_and(|memory| memory <= MAX_SCRYPT_MEMORY)
        }
        _ => false,
    };
    if !bearable {
        return Err(format.fault(KeyFileFault::TooMuchWork));
    }
    let passphrase = passphrase.ok_or_else(|| format.fault(KeyFileFault::PassphraseNeeded))?;
    let clear = info.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::UnsupportedAlgorithm { oid }) => {
            unsupported(oid.to_string())
        }
        _ => format.fault(KeyFileFault::PassphraseWrong),
    })?;
    // A wrong passphrase leaves good padding behind once in 256 times, and then octets without any form.
    PrivateKeyInfoRef::from_der(clear.as_bytes()).map_err(|_| format.fault(KeyFileFault::PassphraseWrong))?;
    format.key(clear.as_bytes())
}
