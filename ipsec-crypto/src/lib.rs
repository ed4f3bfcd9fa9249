//! The algorithms of IPsec: one table that names them all, and providers that implement them.
//!
//! ```text
//!   suite        one row an algorithm: names, numbers, sizes, status         CryptoProvider   plain data: what is implemented
//!     Cipher Integrity Prf Group  IkeSuite EspSuite                             portable()    pure Rust
//!                    |                                                          fast()        with aws-lc where that is faster
//!                    +--------------------------+-------------------------------+
//!                                               |
//!        prf(Prf)          group(Group)     cipher_key(Cipher, key)     protection(ProtectionSuite, keys)
//!        SKEYID_*          g^xy             IKE messages                Protection: seal / open slices of Jobs
//!
//!   cert         Certificate · Crl · TrustAnchors  ->  Certificate::verify(provider, check)  ->  VerifiedPath with its PublicKey
//! ```
//!
//! Signatures are schemes of the table too: a provider verifies with a [`PublicKey`] and prepares a [`Signer`] from a
//! [`PrivateKey`], which comes from a file of any usual format (`KeyFile`, with a provider of this crate).
//!
//! Randomness is passed in ([`SecureRandom`]), secrets are wiped and never printed ([`Secret`]), computations with them
//! take the same time whatever they are. Nothing here does I/O.
//!
//! Features: `portable` (default), `fast`, and `legacy` for algorithms that should be gone (DES, CDMF, 3DES,
//! MD5, MODP groups 1, 2 and 5, SHA-1 in certificates). Without any of them the crate builds, has no provider of its own
//! and works with the caller's.
//!
#![cfg_attr(feature = "portable", doc = "```")]
#![cfg_attr(not(feature = "portable"), doc = "```ignore")]
//! use ipsec_crypto::{CryptoProvider, InOut, IvGenerator, Job, OsRandom, Outcome, open, seal};
//!
//! let provider = CryptoProvider::default();
//! let keys = provider.protection("aes128-sha1".parse()?, &[1; 16], &[2; 20])?;
//! let mut text = *b"sixteen octets!!";
//! let (mut iv, mut icv) = ([0; 16], [0; 12]);
//! IvGenerator::new(&mut OsRandom).fill(&mut iv);
//!
//! let header = [0, 0, 1, 2, 0, 0, 0, 1];
//! let job = Job {
//!     key: &keys,
//!     aad: &header,
//!     esn_high: None,
//!     iv: &iv,
//!     text: InOut::InPlace(&mut text),
//!     icv: &mut icv,
//!     outcome: Outcome::Pending,
//! };
//! let mut jobs = [job];
//! seal(&mut jobs);
//! assert_eq!(jobs[0].outcome, Outcome::Done);
//! open(&mut jobs);
//! assert_eq!(jobs[0].outcome, Outcome::Done);
//! assert_eq!(&text, b"sixteen octets!!");
//! # Ok::<(), ipsec_crypto::CryptoError>(())
//! ```
#![deny(unsafe_code)]

mod aead;
pub mod cert;
mod cipher;
mod error;
mod group;
mod integrity;
mod key;
#[cfg(feature = "portable")]
mod key_import;
mod prf;
mod protection;
mod provider;
mod random;
mod secret;
mod sign;
pub mod suite;

pub use aead::{AeadAlgorithm, AeadKey};
pub use cipher::{CipherAlgorithm, CipherKey};
pub use error::{CryptoError, KeyFault, KeyFileFault, Missing, PublicValueFault};
pub use group::{KeyExchange, KeyPair, check_modp_public};
pub use integrity::{IntegrityAlgorithm, IntegrityKey};
pub use key::{MAX_RSA_BITS, MIN_RSA_BITS, PrivateKey, PublicKey};
#[cfg(feature = "portable")]
pub use key_import::KeyFile;
pub use prf::PrfAlgorithm;
pub use protection::{InOut, Job, MAX_ICV_LEN, Outcome, Protection, ProtectionSuite, open, seal};
pub use provider::CryptoProvider;
pub use random::{IvGenerator, OsRandom, SecureRandom, Seeded};
pub use secret::Secret;
pub use sign::{SignatureAlgorithm, Signer};
pub use suite::{
    Cipher, Encryption, EspSuite, Group, Hash, IkeSuite, Integrity, KeyAlgorithm, Prf, SignatureScheme,
    Status, Support,
};
