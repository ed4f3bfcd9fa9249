//! Algorithms that should be gone: kept for peers that have nothing better, behind the `legacy` feature.

use std::marker::PhantomData;

use des::TdesEde3;
use hmac::Hmac;
use md5::Md5;

use super::modp::Modp;
use super::portable::{CbcKey, HmacIntegrity, HmacPrf};
use crate::cipher::{CipherAlgorithm, CipherKey};
use crate::error::CryptoError;
use crate::integrity::IntegrityAlgorithm;
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

pub(super) const HMAC_MD5_96: &dyn IntegrityAlgorithm =
    &HmacIntegrity::<Hmac<Md5>> { id: Integrity::HmacMd5_96, mac: PhantomData };
pub(super) const PRF_MD5: &dyn PrfAlgorithm =
    &HmacPrf::<Hmac<Md5>, Md5> { id: Prf::HmacMd5, mac: PhantomData };

pub(super) const MODP768: &Modp = &P768;
pub(super) const MODP1024: &Modp = &P1024;
pub(super) const MODP1536: &Modp = &P1536;

static P768: Modp = Modp::new(
    Group::Modp768,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF",
    256,
);

static P1024: Modp = Modp::new(
    Group::Modp1024,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    256,
);

static P1536: Modp = Modp::new(
    Group::Modp1536,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
    256,
);
