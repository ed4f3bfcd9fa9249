//! Quick Mode (RFC 2409 §5.5): three messages under an ISAKMP SA make a pair of IPsec SAs.
//!
//! ```text
//! initiator                                        responder
//! QM1  HASH(1), SA, Ni [, KE] , IDci, IDcr   -->
//!                                            <--   HASH(2), SA, Nr [, KE], IDci, IDcr   QM2
//! QM3  HASH(3)                               -->
//! ```

use ipsec_crypto::{CryptoProvider, KeyPair, Secret, SecureRandom};
use ipsec_proto::isakmp::{
    Chain, Header, Id, KeyExchange, Nonce, Payload, Proposal, Protection, SecurityAssociation, Step,
};
use ipsec_proto::net::{Path, Spi};
use ipsec_proto::registry::{EncapsulationMode, NotifyType, PayloadType, ProtocolId};
use ipsec_sad::{ReservedSpi, Selector};

use super::client_id::{ids_of, selector_of};
use super::keys::{self, SaKeys};
use super::main::{Established, NONCE_LENGTH, gate};
use super::proposal::{self, Chosen, Life};
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

/// What a verified QM1 or QM2 says.
#[derive(Debug)]
pub(crate) struct Offer {
    sa: SecurityAssociation,
    nonce: Vec<u8>,
    public: Option<Vec<u8>>,
    ids: Option<(Id, Id)>,
    next_iv: Vec<u8>,
    pub(crate) payloads: String,
    pub(crate) notifies: Vec<NotifyType>,
}

fn refuse(cause: Cause, number: MessageNumber, role: Role, detail: impl Into<String>) -> Refusal {
    Refusal::new(cause, number, role, detail)
}

/// Opens a quick mode message, and verifies its hash over `prefix | rest` before anything in it is believed.
fn open(
    keys: &SaKeys,
    iv: &[u8],
    header: &Header,
    ciphertext: &[u8],
    (step, number, role): (Step, MessageNumber, Role),
    prefix: &[&[u8]],
) -> Result<Offer, Refusal> {
    let opened = wire::open(keys.cipher.as_ref(), iv, header, ciphertext)
        .ok_or_else(|| refuse(Cause::Undecryptable, number, role, "the ciphertext is not whole blocks"))?;
    let chain =
        opened.chain().map_err(|error| refuse(Cause::Undecryptable, number, role, error.to_string()))?;
    verify(keys, &chain, prefix, number, role)?;
    gate(step, Protection::Encrypted, &chain, number, role)?;
    let (Some(sa), Some(nonce)) = (chain.sa(), chain.nonce()) else {
        return Err(refuse(Cause::PayloadCount, number, role, "SA or nonce is missing"));
    };
    if chain.sas().count() > 1 {
        return Err(refuse(
            Cause::PayloadCount,
            number,
            role,
            "several SA payloads: one pair a quick mode, please",
        ));
    }
    let mut ids = chain.ids();
    Ok(Offer {
        sa: sa.clone(),
        nonce: nonce.0.clone(),
        public: chain.key_exchange().map(|exchange| exchange.0.clone()),
        ids: ids.next().cloned().zip(ids.next().cloned()),
        payloads: wire::names(chain.payloads()),
        notifies: chain.notifies().map(|notify| notify.kind).collect(),
        next_iv: opened.next_iv.clone(),
    })
}

/// Verifies that HASH is the first payload, and prf(SKEYID_a, prefix | all payloads behind it).
pub(crate) fn verify(
    keys: &SaKeys,
    chain: &Chain<'_>,
    prefix: &[&[u8]],
    number: MessageNumber,
    role: Role,
) -> Result<(), Refusal> {
    let first = chain.get(0).filter(|entry| entry.payload.kind() == PayloadType::HASH);
    let entry =
        first.ok_or_else(|| refuse(Cause::InvalidHash, number, role, "HASH is not the first payload"))?;
    let mut parts = prefix.to_vec();
    parts.push(entry.rest);
    if keys.phase2_hash(&parts).ct_eq(entry.body) {
        Ok(())
    } else {
        Err(refuse(Cause::InvalidHash, number, role, "the hash is wrong"))
    }
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
    // What the ids cannot say, such as a range of ports, is not agreed on: the SA covers what was said.
    let selector = selector_of(&local, &remote).unwrap_or(child.selector);
    let names = format!("HASH {}", wire::names(payloads.iter()));
    let iv = keys.phase2_iv(&established.last_block, header.message_id);
    let sealed = wire::seal_hashed(keys.cipher.as_ref(), &iv, header, payloads, |rest| {
        keys.phase2_hash(&[&header.message_id.to_be_bytes(), rest]).as_slice().to_vec()
    });
    Ok((WaitMsg2 { ni, pair, selector, mode, iv: sealed.next_iv, reserved }, sealed.octets, names))
}

impl WaitMsg2 {
    /// Checks QM2: its hash, then that it chose something we offered. Nothing changes.
    pub(crate) fn check(
        &self,
        established: &Established,
        header: &Header,
        ciphertext: &[u8],
        child: &Child,
    ) -> Result<(Offer, Chosen<EspSuite>, Spi, Selector), Refusal> {
        let (number, role) = (MessageNumber::Qm2, Role::Initiator);
        let place = (Step::Qm2, number, role);
        let mid = header.message_id.to_be_bytes();
        let offer = open(&established.keys, &self.iv, header, ciphertext, place, &[&mid, &self.ni])?;
        let (chosen, spi) = proposal::accepted_esp(&offer.sa, &child.proposals, self.mode)
            .map_err(|found| refuse(Cause::AlteredProposal, number, role, "").with(found))?;
        if offer.public.is_some() != self.pair.is_some() {
            let (ours, theirs) = (named(self.pair.is_some()), named(offer.public.is_some()));
            let mismatch = Mismatch { dimension: Dimension::PfsGroup, ours, theirs };
            return Err(refuse(Cause::PfsMismatch, number, role, "").with(vec![mismatch]));
        }
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
        Ok((offer, chosen, spi, selector))
    }

    /// Derives the keys, and writes QM3.
    pub(crate) fn step(
        self,
        established: &Established,
        header: &Header,
        (offer, chosen, spi, selector): (Offer, Chosen<EspSuite>, Spi, Selector),
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

/// Opens QM1 and verifies its hash.
pub(crate) fn check_qm1(
    established: &Established,
    header: &Header,
    ciphertext: &[u8],
) -> Result<Offer, Refusal> {
    let keys = &established.keys;
    let iv = keys.phase2_iv(&established.last_block, header.message_id);
    let place = (Step::Qm1, MessageNumber::Qm1, Role::Responder);
    open(keys, &iv, header, ciphertext, place, &[&header.message_id.to_be_bytes()])
}

/// What the responder takes of an offer.
#[derive(Debug)]
pub(crate) struct Taken<'c> {
    pub(crate) child: &'c Child,
    chosen: Chosen<EspSuite>,
    outbound_spi: Spi,
    selector: Selector,
}

impl Offer {
    /// The initiator's SPI, by which it knows its quick mode again in a notify.
    pub(crate) fn spi(&self) -> Option<Spi> {
        self.sa.proposals.first().and_then(|proposal| proposal.spi.as_spi())
    }

    /// What the initiator wants covered, seen from here: our side is local.
    fn wanted(&self, path: Path) -> Option<Selector> {
        match &self.ids {
            None => Some(Selector::between(path.local.ip(), path.remote.ip())),
            Some((initiator, responder)) => selector_of(responder, initiator),
        }
    }

    fn wanted_text(&self, path: Path) -> String {
        match &self.ids {
            None => format!("{} to {}", path.local.ip(), path.remote.ip()),
            Some((initiator, responder)) => format!("{responder} to {initiator}"),
        }
    }

    /// The responder's choice: the child into whose mirror the identities fit, equal ones first, and a suite of it.
    pub(crate) fn take<'c>(
        &self,
        established: &Established,
        children: &'c [Child],
        path: Path,
        limit: usize,
    ) -> Result<Taken<'c>, Refusal> {
        let (number, role) = (MessageNumber::Qm1, Role::Responder);
        let selector_refusal = || {
            let ours: Vec<_> = children.iter().map(|child| child.selector.to_string()).collect();
            let ours = if ours.is_empty() { "none".into() } else { ours.join(" or ") };
            let mismatch = Mismatch { dimension: Dimension::Selectors, ours, theirs: self.wanted_text(path) };
            refuse(Cause::SelectorMismatch, number, role, "").with(vec![mismatch])
        };
        let selector = self.wanted(path).ok_or_else(selector_refusal)?;
        let equal = children.iter().filter(|child| child.selector == selector);
        let wider =
            children.iter().filter(|child| child.selector != selector && child.selector.covers(&selector));
        let mut first_refusal = None;
        for child in equal.chain(wider) {
            match proposal::choose_esp(&self.sa, &child.proposals, encapsulation(established), limit) {
                Ok((chosen, outbound_spi)) => {
                    if chosen.suite.group.is_some() != self.public.is_some() {
                        let ours = named(chosen.suite.group.is_some());
                        let theirs = named(self.public.is_some());
                        let mismatch = Mismatch { dimension: Dimension::PfsGroup, ours, theirs };
                        return Err(refuse(Cause::PfsMismatch, number, role, "").with(vec![mismatch]));
                    }
                    return Ok(Taken { child, chosen, outbound_spi, selector });
                }
                Err(found) => {
                    let only_pfs = found.iter().all(|mismatch| mismatch.dimension == Dimension::PfsGroup);
                    let pfs = only_pfs && !found.is_empty();
                    let cause = if pfs { Cause::PfsMismatch } else { Cause::NoProposalChosen };
                    first_refusal.get_or_insert_with(|| refuse(cause, number, role, "").with(found));
                }
            }
        }
        Err(first_refusal.unwrap_or_else(selector_refusal))
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
    let local = |error: ipsec_crypto::CryptoError| refuse(Cause::Local, number, role, error.to_string());
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

fn named(pfs: bool) -> String {
    if pfs { "a key exchange".into() } else { "none".into() }
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
