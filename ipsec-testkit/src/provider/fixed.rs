//! Fixed output: no check that needs a key ever fails.

use ipsec_crypto::{
    CipherAlgorithm, CipherKey, CryptoError, CryptoProvider, Encryption, Group, Integrity,
    IntegrityAlgorithm, IntegrityKey, KeyExchange, KeyPair, Prf, PrfAlgorithm, PrivateKey, PublicKey, Secret,
    SecureRandom, SignatureAlgorithm, SignatureScheme, Signer,
};

use super::{demand_cipher_key, demand_integrity_key, demand_iv_and_blocks, demand_public};

/// What every hash, checksum and shared secret consists of.
const OCTET: u8 = 0x5a;

/// A provider whose ciphers change nothing and whose checksums are all the same octet.
///
/// Has AES-CBC, HMAC-SHA-1 and HMAC-SHA-256, and MODP-2048 by name and size; RSA and ECDSA with SHA-2 believe every signature.
#[must_use]
pub fn fixed() -> CryptoProvider {
    PROVIDER
}

const PROVIDER: CryptoProvider = CryptoProvider {
    name: "fixed",
    ciphers: &[&Identity(Encryption::AesCbc)],
    aeads: &[],
    integrity: &[&Constant(Integrity::HmacSha256_128), &Constant(Integrity::HmacSha1_96)],
    prfs: &[&Fixed(Prf::HmacSha256), &Fixed(Prf::HmacSha1)],
    groups: &[&Known(Group::Modp2048)],
    signatures: &[
        &Believing(SignatureScheme::RsaSha256),
        &Believing(SignatureScheme::EcdsaSha256),
        &Believing(SignatureScheme::EcdsaSha384),
    ],
};

#[derive(Clone, Copy, Debug)]
struct Identity(Encryption);

impl CipherAlgorithm for Identity {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        demand_cipher_key(self.0, key)?;
        Ok(Box::new(*self))
    }
}

impl CipherKey for Identity {
    fn block_len(&self) -> usize {
        self.0.row().block
    }

    fn iv_len(&self) -> usize {
        self.0.row().iv
    }

    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        demand_iv_and_blocks(self.0, iv, text)
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        demand_iv_and_blocks(self.0, iv, text)
    }
}

#[derive(Clone, Copy, Debug)]
struct Constant(Integrity);

impl IntegrityAlgorithm for Constant {
    fn id(&self) -> Integrity {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        demand_integrity_key(self.0, key)?;
        Ok(Box::new(*self))
    }
}

impl IntegrityKey for Constant {
    fn sign(&self, _parts: &[&[u8]], icv: &mut [u8]) {
        icv.fill(OCTET);
    }
}

#[derive(Debug)]
struct Fixed(Prf);

impl PrfAlgorithm for Fixed {
    fn id(&self) -> Prf {
        self.0
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn mac(&self, _key: &[u8], _parts: &[&[u8]]) -> Secret {
        Secret::new(vec![OCTET; self.output_len()])
    }

    fn hash(&self, _parts: &[&[u8]]) -> Vec<u8> {
        vec![OCTET; self.output_len()]
    }
}

#[derive(Debug)]
struct Known(Group);

#[derive(Debug)]
struct KnownPair {
    group: Group,
    public: Vec<u8>,
}

impl KeyExchange for Known {
    fn id(&self) -> Group {
        self.0
    }

    fn public_len(&self) -> usize {
        self.0.public_len()
    }

    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
        demand_public(self.0, peer)
    }

    fn generate(&self, _random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
        Box::new(KnownPair { group: self.0, public: vec![OCTET; self.public_len()] })
    }
}

impl KeyPair for KnownPair {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        demand_public(self.group, peer)?;
        Ok(Secret::new(vec![OCTET; self.public.len()]))
    }
}

#[derive(Clone, Copy, Debug)]
struct Believing(SignatureScheme);

impl SignatureAlgorithm for Believing {
    fn id(&self) -> SignatureScheme {
        self.0
    }

    fn verify(&self, key: &PublicKey, _input: &[u8], _signature: &[u8]) -> Result<(), CryptoError> {
        demand_key(self.0, key)
    }

    fn signer(&self, key: &PrivateKey) -> Result<Box<dyn Signer>, CryptoError> {
        demand_key(self.0, key.public())?;
        Ok(Box::new(*self))
    }
}

impl Signer for Believing {
    fn sign(&self, _input: &[u8], _random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
        Ok(vec![OCTET; 64])
    }
}

fn demand_key(scheme: SignatureScheme, key: &PublicKey) -> Result<(), CryptoError> {
    if scheme.takes(key.algorithm()) {
        Ok(())
    } else {
        Err(CryptoError::WrongKey { scheme, key: key.algorithm() })
    }
}
