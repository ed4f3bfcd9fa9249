//! The key exchange of Main Mode: the halves that MM3 and MM4 carry (RFC 2409 §5, RFC 3947 §3.2).

use ipsec_crypto::{CryptoError, CryptoProvider, KeyPair, SecureRandom};
use ipsec_proto::isakmp::{self, Chain, KeyExchange, Nonce, Payload, Step};
use ipsec_proto::net::Path;

use super::main::{Agreed, NONCE_LENGTH, absent, gate};
use crate::config::{Connection, NatTraversal};
use crate::event::Cookies;
use crate::natt;
use crate::refusal::{Cause, Refusal};
use crate::state::{MessageNumber, Role};
use crate::suite::IkeSuite;
use ipsec_proto::isakmp::Protection;

/// Our half of the key exchange.
#[derive(Debug)]
pub(crate) struct OwnShare {
    pub(crate) pair: Box<dyn KeyPair>,
    pub(crate) nonce: Vec<u8>,
}

/// The peer's half, checked as far as it can be without computing.
#[derive(Debug)]
pub(crate) struct PeerShare {
    pub(super) public: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) nat_hashes: Vec<Vec<u8>>,
}

/// The public part of a half whose secret part is used up.
#[derive(Debug)]
pub(crate) struct OwnPublic {
    pub(super) public: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(crate) payloads: Vec<Payload>,
}

/// Both halves of a finished key exchange.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    pub(super) gxi: Vec<u8>,
    pub(super) gxr: Vec<u8>,
    pub(super) ni: &'a [u8],
    pub(super) nr: &'a [u8],
}

/// What a step from the key exchange to the proofs needs to know of the SA.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) cookies: &'a Cookies,
    pub(crate) path: Path,
    pub(crate) provider: &'a CryptoProvider,
}

impl OwnShare {
    pub(super) fn generate(
        suite: &IkeSuite,
        provider: &CryptoProvider,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, CryptoError> {
        let pair = provider.group(suite.group)?.generate(random);
        let mut nonce = vec![0; NONCE_LENGTH];
        random.fill(&mut nonce);
        Ok(Self { pair, nonce })
    }

    /// The payloads of MM3 and MM4.
    pub(crate) fn payloads(
        &self,
        agreed: &Agreed,
        mode: NatTraversal,
        cookies: &Cookies,
        path: Path,
        provider: &CryptoProvider,
    ) -> Result<Vec<Payload>, CryptoError> {
        let mut payloads = vec![
            Payload::KeyExchange(KeyExchange(self.pair.public().to_vec())),
            Payload::Nonce(Nonce(self.nonce.clone())),
        ];
        if let Some(edition) = agreed.natt {
            let prf = provider.prf(agreed.suite.prf)?;
            let hashes = natt::discovery_hashes(mode, cookies, path, |octets| prf.hash(&[octets]));
            let numbers = edition.numbers();
            payloads.extend(hashes.map(|hash| Payload::NatDiscovery(isakmp::NatDiscovery { numbers, hash })));
        }
        Ok(payloads)
    }
}

/// Checks MM3 or MM4 as far as no secret is needed.
pub(super) fn check_share(
    chain: &Chain<'_>,
    agreed: &Agreed,
    provider: &CryptoProvider,
    (step, number, role): (Step, MessageNumber, Role),
    own_public: Option<&[u8]>,
) -> Result<PeerShare, Refusal> {
    gate(step, Protection::Clear, chain, number, role)?;
    let refuse = |cause, detail: String| Refusal::new(cause, number, role, detail);
    let public = &chain.key_exchange().ok_or_else(|| absent(number, role))?.0;
    let group =
        provider.group(agreed.suite.group).map_err(|error| refuse(Cause::Local, error.to_string()))?;
    // Before anything is spent on it: a responder would make a key for it, and an initiator use its only one up.
    group.check_public(public).map_err(|error| refuse(Cause::InvalidKeyExchange, error.to_string()))?;
    if own_public == Some(public.as_slice()) {
        return Err(refuse(Cause::Reflected, "the public value is our own".into()));
    }
    let nonce = chain.nonce().ok_or_else(|| absent(number, role))?.0.clone();
    let nat_hashes = match agreed.natt {
        None => Vec::new(),
        Some(edition) => chain
            .nat_discoveries()
            .filter(|discovery| discovery.numbers == edition.numbers())
            .map(|discovery| discovery.hash.clone())
            .collect(),
    };
    Ok(PeerShare { public: public.clone(), nonce, nat_hashes })
}
