//! Algorithms that should be gone: kept for peers that have nothing better, behind the `legacy` feature.

use std::marker::PhantomData;

use des::cipher::{BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde3};
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::modp::Modp;
use super::portable::{CbcKey, HmacPrf};
use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::CryptoError;
use crate::integrity::{IntegrityAlgorithm, IntegrityKey};
use crate::prf::PrfAlgorithm;
use crate::suite::{Encryption, Group, Integrity, Prf};

/// 3DES-CBC with three keys (RFC 2451). Parity bits are ignored.
#[derive(Debug)]
pub(super) struct TripleDesCbc;

impl CipherAlgorithm for TripleDesCbc {
    fn id(&self) -> Encryption {
        Encryption::TripleDesCbc
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        Ok(Box::new(CbcKey::<TdesEde3>::new("3des-cbc", key)?))
    }
}

/// DES-CBC with the IV in full: of RFC 2405, and of RFC 1829 with 64 bits. Parity bits are ignored.
#[derive(Debug)]
pub(super) struct DesCbc(pub(super) Encryption);

impl CipherAlgorithm for DesCbc {
    fn id(&self) -> Encryption {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        Ok(Box::new(CbcKey::<Des>::new(self.0.name(), key)?))
    }
}

/// DES-CBC whose IV is sent as 32 bits and used with their complement behind them (RFC 1829 §2).
#[derive(Debug)]
pub(super) struct DesIv32;

impl CipherAlgorithm for DesIv32 {
    fn id(&self) -> Encryption {
        Encryption::DesIv32
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        Ok(Box::new(DesIv32Key(CbcKey::new("des-iv32", key)?)))
    }
}

#[derive(Debug)]
struct DesIv32Key(CbcKey<Des>);

fn whole_iv(iv: &[u8]) -> Result<[u8; 8], CryptoError> {
    let bad = CryptoError::BadIvLength { algorithm: "des-iv32", expected: 4, got: iv.len() };
    let sent = u32::from_be_bytes(iv.try_into().map_err(|_| bad)?);
    Ok((u64::from(sent) << 32 | u64::from(!sent)).to_be_bytes())
}

impl CipherKey for DesIv32Key {
    fn block_len(&self) -> usize {
        self.0.block_len()
    }

    fn iv_len(&self) -> usize {
        4
    }

    fn encrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        self.0.encrypt(&whole_iv(iv)?, text)
    }

    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Result<(), CryptoError> {
        self.0.decrypt(&whole_iv(iv)?, text)
    }
}

/// CDMF: DES-CBC with a key of 64 bits shortened to 40, as the export rules of its time wanted it.
#[derive(Debug)]
pub(super) struct Cdmf;

impl CipherAlgorithm for Cdmf {
    fn id(&self) -> Encryption {
        Encryption::CdmfCbc
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn CipherKey>, CryptoError> {
        let bad = CryptoError::BadKeyLength { algorithm: "cdmf-cbc", expected: 8, got: key.len() };
        let shortened = shorten(key.try_into().map_err(|_| bad)?);
        Ok(Box::new(CbcKey::<Des>::new("cdmf-cbc", &shortened[..])?))
    }
}

/// Takes 24 of the 64 bits out and spreads the other 40 over a DES key.
fn shorten(key: [u8; 8]) -> Zeroizing<[u8; 8]> {
    const PARITY: u64 = 0x0101_0101_0101_0101;
    /// All but the bits 1-4, 8, 16-20, 24, 32-36, 40, 48-52, 56 and 64, counted from the left.
    const KEPT: u64 = 0x0efe_0efe_0efe_0efe;
    let encrypt = |key: u64, clear: u64| {
        let mut block = clear.to_be_bytes().into();
        Des::new(&key.to_be_bytes().into()).encrypt_block(&mut block);
        u64::from_be_bytes(block.into())
    };
    let clear = u64::from_be_bytes(key) & !PARITY;
    let mixed = clear ^ encrypt(0xc408_b054_0ba1_e0ae, clear);
    Zeroizing::new(encrypt(0xef2c_041c_e638_2fe6, mixed & KEPT).to_be_bytes())
}

/// Keyed MD5: MD5 over key, zeros up to a block, text, key (RFC 1828 §1).
#[derive(Debug)]
pub(super) struct KeyedMd5;

const KEYED_MD5_KEY: usize = 16;

impl IntegrityAlgorithm for KeyedMd5 {
    fn id(&self) -> Integrity {
        Integrity::KpdkMd5
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        let bad = CryptoError::BadKeyLength {
            algorithm: self.id().name(),
            expected: KEYED_MD5_KEY,
            got: key.len(),
        };
        let key: Zeroizing<[u8; KEYED_MD5_KEY]> = Zeroizing::new(key.try_into().map_err(|_| bad)?);
        let state = Md5::new().chain_update(&key[..]).chain_update([0; 64 - KEYED_MD5_KEY]);
        Ok(Box::new(KeyedMd5Key { key, state }))
    }
}

/// The key, and the state after its block.
struct KeyedMd5Key {
    key: Zeroizing<[u8; KEYED_MD5_KEY]>,
    state: Md5,
}

impl IntegrityKey for KeyedMd5Key {
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]) {
        let mut hash = self.state.clone();
        for part in parts {
            hash.update(part);
        }
        hash.update(&self.key[..]);
        icv.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    }
}

impl std::fmt::Debug for KeyedMd5Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IntegrityKey(kpdk-md5)")
    }
}

/// HMAC-MD5-96 (RFC 2403).
#[derive(Debug)]
pub(super) struct HmacMd5;

impl IntegrityAlgorithm for HmacMd5 {
    fn id(&self) -> Integrity {
        Integrity::HmacMd5_96
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn IntegrityKey>, CryptoError> {
        let expected = self.id().key_len();
        match Hmac::new_from_slice(key) {
            Ok(state) if key.len() == expected => Ok(Box::new(HmacMd5Key(state))),
            _ => Err(CryptoError::BadKeyLength { algorithm: self.id().name(), expected, got: key.len() }),
        }
    }
}

/// The state after the key has been absorbed, cloned for each packet.
struct HmacMd5Key(Hmac<Md5>);

impl IntegrityKey for HmacMd5Key {
    fn sign(&self, parts: &[&[u8]], icv: &mut [u8]) {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        icv.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    }
}

impl std::fmt::Debug for HmacMd5Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IntegrityKey(hmac-md5-96)")
    }
}

pub(super) const PRF_MD5: &dyn PrfAlgorithm =
    &HmacPrf::<Hmac<Md5>, Md5> { id: Prf::HmacMd5, mac: PhantomData };

pub(super) static P768: Modp = Modp::new(
    Group::Modp768,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF",
    256,
);

pub(super) static P1024: Modp = Modp::new(
    Group::Modp1024,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    256,
);

pub(super) static P1536: Modp = Modp::new(
    Group::Modp1536,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
    256,
);
