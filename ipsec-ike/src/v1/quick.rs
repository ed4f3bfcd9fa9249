//! Quick Mode (RFC 2409 §5.5): three messages under an ISAKMP SA make a pair of IPsec SAs.
//!
//! ```text
//! initiator                                        responder
//! QM1  HASH(1), SA, Ni [, KE] , IDci, IDcr   -->
//!                                            <--   HASH(2), SA, Nr [, KE], IDci, IDcr   QM2
//! QM3  HASH(3)                               -->
//! ```

use ipsec_crypto::{CryptoError, CryptoProvider, Group, KeyPair, Secret, SecureRandom};
use ipsec_proto::isakmp::{
    Header, KeyExchange, Nonce, Payload, Proposal, Protection, SecurityAssociation, Step,
};
use ipsec_proto::net::{Path, Spi};
use ipsec_proto::registry::{EncapsulationMode, ProtocolId};
use ipsec_sad::{ReservedSpi, Selector};

use super::attributes::Life;
use super::client_id::{ids_of, selector_of};
use super::keys::{self, SaKeys};
use super::main::{Established, NONCE_LENGTH, gate};
use super::offer::{Fault, Offer, Taken, named, open};
use super::proposal::{self, Chosen};
use super::wire;
use crate::config::Child;
use crate::refusal::{Cause, Dimension, Mismatch, Refusal};
use crate::state::{MessageNumber, Role};
use crate::suite::EspSuite;

/// The encapsulation mode of new SAs: in UDP where there is a NAT (RFC 3947 §5.1).
pub(crate) fn encapsulation(established: &Established) -> EncapsulationMode {
    match established.agreed.natt {
        Some(edition) if established.nat.any() => edition.udp_tunnel(),
        _ => EncapsulationMode::TUNNEL,
    }
}

/// What both ends have agreed on, with keys: everything that a pair of SAs is made of.
#[derive(Debug)]
pub(crate) struct Agreement {
    pub(crate) suite: EspSuite,
    pub(crate) selector: Selector,
    pub(crate) outbound_spi: Spi,
    pub(crate) inbound_keymat: Secret,
    pub(crate) outbound_keymat: Secret,
    pub(crate) life: Life,
    pub(crate) reserved: ReservedSpi,
}

/// Initiator, QM1 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg2 {
    ni: Vec<u8>,
    pair: Option<Box<dyn KeyPair>>,
    selector: Selector,
    mode: EncapsulationMode,
    iv: Vec<u8>,
    pub(crate) reserved: ReservedSpi,
}

/// Responder, QM2 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg3 {
    ni: Vec<u8>,
    nr: Vec<u8>,
    iv: Vec<u8>,
}

fn refuse(cause: Cause, number: MessageNumber, role: Role, detail: impl Into<String>) -> Refusal {
    Refusal::new(cause, number, role, detail)
}

/// Starts a quick mode: QM1, and the state that waits for its answer.
pub(crate) fn initiate(
    established: &Established,
    header: &Header,
    child: &Child,
    path: Path,
    reserved: ReservedSpi,
    provider: &CryptoProvider,
    random: &mut dyn SecureRandom,
) -> Result<(WaitMsg2, Vec<u8>, String), Refusal> {
    let keys = &established.keys;
    let mode = encapsulation(established);
    let mut ni = vec![0; NONCE_LENGTH];
    random.fill(&mut ni);
    let group = child.proposals.first().and_then(|suite| suite.group);
    let pair = match group {
        None => None,
        Some(group) => {
            let group = provider.group(group).map_err(|error| {
                refuse(Cause::Local, MessageNumber::Qm1, Role::Initiator, error.to_string())
            })?;
            Some(group.generate(random))
        }
    };
    let mut payloads = vec![
        Payload::Sa(proposal::offer_esp(&child.proposals, reserved.spi(), mode, child.lifetime)),
        Payload::Nonce(Nonce(ni.clone())),
    ];
    if let Some(pair) = &pair {
        payloads.push(Payload::KeyExchange(KeyExchange(pair.public().to_vec())));
    }
    let [local, remote] = ids_of(&child.selector, path);
    payloads.push(Payload::Id(local.clone()));
    payloads.push(Payload::Id(remote.clone()));
    // What the ids say is what is agreed on.
    let selector = selector_of(&local, &remote).unwrap_or(child.selector);
    let names = format!("HASH {}", wire::names(payloads.iter()));
    let iv = keys.phase2_iv(&established.last_block, header.message_id);
    let sealed = wire::seal_hashed(keys.cipher.as_ref(), &iv, header, payloads, |rest| {
        keys.phase2_hash(&[&header.message_id.to_be_bytes(), rest]).as_slice().to_vec()
    });
    Ok((WaitMsg2 { ni, pair, selector, mode, iv: sealed.next_iv, reserved }, sealed.octets, names))
}

/// What a verified QM2 has chosen of our offer.
#[derive(Debug)]
pub(crate) struct Answered {
    chosen: Chosen<EspSuite>,
    spi: Spi,
    selector: Selector,
}

impl WaitMsg2 {
    /// Checks QM2: its hash, then that it chose something we offered. Nothing changes.
    pub(crate) fn check(
        &self,
        established: &Established,
        header: &Header,
        ciphertext: &[u8],
        child: &Child,
        provider: &CryptoProvider,
    ) -> Result<(Offer, Answered), Fault> {
        let place = (Step::Qm2, MessageNumber::Qm2, Role::Initiator);
        let mid = header.message_id.to_be_bytes();
        let offer = open(&established.keys, &self.iv, header, ciphertext, place, &[&mid, &self.ni])?;
        match self.compare(&offer, child, provider) {
            Ok(answered) => Ok((offer, answered)),
            Err(refusal) => Err(Fault::Peer { refusal, spi: offer.spi() }),
        }
    }

    /// What the peer answered, against what we asked.
    fn compare(&self, offer: &Offer, child: &Child, provider: &CryptoProvider) -> Result<Answered, Refusal> {
        let (number, role) = (MessageNumber::Qm2, Role::Initiator);
        let (chosen, spi) = proposal::accepted_esp(&offer.sa, &child.proposals, self.mode)
            .map_err(|found| refuse(Cause::AlteredProposal, number, role, "").with(found))?;
        if offer.public.is_some() != self.pair.is_some() {
            let (ours, theirs) = (named(self.pair.is_some()), named(offer.public.is_some()));
            let mismatch = Mismatch { dimension: Dimension::PfsGroup, ours, theirs };
            return Err(refuse(Cause::PfsMismatch, number, role, "").with(vec![mismatch]));
        }
        check_public(chosen.suite.group, offer.public.as_deref(), provider, number, role)?;
        // A peer may narrow what we proposed, or leave the identities out; it may not widen it.
        let selector = match &offer.ids {
            None => self.selector,
            Some((initiator, responder)) => selector_of(initiator, responder)
                .filter(|selector| self.selector.covers(selector))
                .ok_or_else(|| {
                    let theirs = format!("{initiator} to {responder}");
                    let ours = self.selector.to_string();
                    let mismatch = Mismatch { dimension: Dimension::Selectors, ours, theirs };
                    refuse(Cause::SelectorMismatch, number, role, "").with(vec![mismatch])
                })?,
        };
        Ok(Answered { chosen, spi, selector })
    }

    /// Derives the keys, and writes QM3.
    pub(crate) fn step(
        self,
        established: &Established,
        header: &Header,
        offer: &Offer,
        Answered { chosen, spi, selector }: Answered,
    ) -> Result<(Agreement, Vec<u8>), Refusal> {
        let keys = &established.keys;
        let gqm = agree(self.pair, offer.public.as_deref(), MessageNumber::Qm2, Role::Initiator)?;
        let nonces = (self.ni.as_slice(), offer.nonce.as_slice());
        let agreement = keyed(keys, chosen, selector, self.reserved, spi, gqm.as_ref(), nonces);
        let mid = header.message_id.to_be_bytes();
        let sealed = wire::seal_hashed(keys.cipher.as_ref(), &offer.next_iv, header, Vec::new(), |_| {
            keys.phase2_hash(&[&[0], &mid, nonces.0, nonces.1]).as_slice().to_vec()
        });
        Ok((agreement, sealed.octets))
    }
}

/// Answers QM1: keys, QM2, and the state that waits for QM3.
pub(crate) fn respond(
    established: &Established,
    header: &Header,
    offer: Offer,
    taken: Taken<'_>,
    reserved: ReservedSpi,
    provider: &CryptoProvider,
    random: &mut dyn SecureRandom,
) -> Result<(WaitMsg3, Agreement, Vec<u8>, String), Refusal> {
    let keys = &established.keys;
    let (number, role) = (MessageNumber::Qm1, Role::Responder);
    let local = |error: CryptoError| refuse(Cause::Local, number, role, error.to_string());
    // Before a key is made for it.
    check_public(taken.chosen.suite.group, offer.public.as_deref(), provider, number, role)?;
    let pair = match taken.chosen.suite.group {
        None => None,
        Some(group) => Some(provider.group(group).map_err(local)?.generate(random)),
    };
    let mut nr = vec![0; NONCE_LENGTH];
    random.fill(&mut nr);
    let answer = Proposal { spi: reserved.spi().into(), ..taken.chosen.proposal.clone() };
    let mut payloads =
        vec![Payload::Sa(SecurityAssociation::new(vec![answer])), Payload::Nonce(Nonce(nr.clone()))];
    if let Some(pair) = &pair {
        payloads.push(Payload::KeyExchange(KeyExchange(pair.public().to_vec())));
    }
    if let Some((initiator, responder)) = &offer.ids {
        payloads.push(Payload::Id(initiator.clone()));
        payloads.push(Payload::Id(responder.clone()));
    }
    let gqm = agree(pair, offer.public.as_deref(), number, role)?;
    let names = format!("HASH {}", wire::names(payloads.iter()));
    let mid = header.message_id.to_be_bytes();
    let sealed = wire::seal_hashed(keys.cipher.as_ref(), &offer.next_iv, header, payloads, |rest| {
        keys.phase2_hash(&[&mid, &offer.nonce, rest]).as_slice().to_vec()
    });
    let nonces = (offer.nonce.as_slice(), nr.as_slice());
    let agreement =
        keyed(keys, taken.chosen, taken.selector, reserved, taken.outbound_spi, gqm.as_ref(), nonces);
    let state = WaitMsg3 { ni: offer.nonce, nr, iv: sealed.next_iv };
    Ok((state, agreement, sealed.octets, names))
}

impl WaitMsg3 {
    /// Checks QM3. Nothing changes.
    pub(crate) fn check(
        &self,
        established: &Established,
        header: &Header,
        ciphertext: &[u8],
    ) -> Result<String, Refusal> {
        let (number, role) = (MessageNumber::Qm3, Role::Responder);
        let keys = &established.keys;
        let opened = wire::open(keys.cipher.as_ref(), &self.iv, header, ciphertext).ok_or_else(|| {
            refuse(Cause::Undecryptable, number, role, "the ciphertext is not whole blocks")
        })?;
        let chain =
            opened.chain().map_err(|error| refuse(Cause::Undecryptable, number, role, error.to_string()))?;
        let hash =
            chain.hash().ok_or_else(|| refuse(Cause::InvalidHash, number, role, "there is no hash"))?;
        let mid = header.message_id.to_be_bytes();
        if !keys.phase2_hash(&[&[0], &mid, &self.ni, &self.nr]).ct_eq(&hash.0) {
            return Err(refuse(Cause::InvalidHash, number, role, "the hash is wrong"));
        }
        gate(Step::Qm3, Protection::Encrypted, &chain, number, role)?;
        Ok(wire::names(chain.payloads()))
    }
}

/// A public value that a key exchange may be spent on.
fn check_public(
    group: Option<Group>,
    public: Option<&[u8]>,
    provider: &CryptoProvider,
    number: MessageNumber,
    role: Role,
) -> Result<(), Refusal> {
    let (Some(group), Some(public)) = (group, public) else { return Ok(()) };
    let local = |error: CryptoError| refuse(Cause::Local, number, role, error.to_string());
    let foreign = |error: CryptoError| refuse(Cause::InvalidKeyExchange, number, role, error.to_string());
    provider.group(group).map_err(local)?.check_public(public).map_err(foreign)
}

/// g(qm)^xy, where there is a key exchange on both sides.
fn agree(
    pair: Option<Box<dyn KeyPair>>,
    public: Option<&[u8]>,
    number: MessageNumber,
    role: Role,
) -> Result<Option<Secret>, Refusal> {
    match (pair, public) {
        (Some(pair), Some(public)) => pair
            .agree(public)
            .map(Some)
            .map_err(|error| refuse(Cause::InvalidKeyExchange, number, role, error.to_string())),
        _ => Ok(None),
    }
}

fn keyed(
    keys: &SaKeys,
    chosen: Chosen<EspSuite>,
    selector: Selector,
    reserved: ReservedSpi,
    outbound_spi: Spi,
    gqm: Option<&Secret>,
    nonces: (&[u8], &[u8]),
) -> Agreement {
    let protection = chosen.suite.protection();
    let length = protection.key_len() + protection.integrity_key_len();
    // The SPI in the key material is the receiver's (RFC 2409 §5.5).
    let keymat = |spi: Spi| {
        keys::keymat(keys.prf, &keys.skeyid_d, gqm, ProtocolId::ESP.0, spi.to_be_bytes(), nonces, length)
    };
    Agreement {
        suite: chosen.suite,
        selector,
        outbound_spi,
        inbound_keymat: keymat(reserved.spi()),
        outbound_keymat: keymat(outbound_spi),
        life: chosen.life,
        reserved,
    }
}
