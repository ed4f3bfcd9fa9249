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
use ipsec_proto::registry::EncapsulationMode;
use ipsec_sad::{ProtocolKind, ReservedSpi, Selector, TransportChecksum};

use super::attributes::Life;
use super::child_proposal::{ChosenChild, accepted_child, offer_child};
use super::client_id::{ids_of, selector_of};
use super::keys::{self, SaKeys};
use super::main::{Established, NONCE_LENGTH, gate};
use super::offer::{Fault, Offer, Taken, named, open};
use super::{nat_original, wire};
use crate::config::{Child, ChildMode};
use crate::refusal::{Cause, Dimension, Mismatch, Refusal};
use crate::state::{MessageNumber, Role};
use crate::suite::{ChildSuite, Part, protocol_id};

/// The encapsulation mode of new SAs: in UDP where there is a NAT (RFC 3947 §5.1).
pub(crate) fn encapsulation(established: &Established, mode: ChildMode) -> EncapsulationMode {
    match (established.agreed.natt, mode) {
        (Some(edition), mode) if established.nat.any() => edition.in_udp(mode),
        (_, ChildMode::Tunnel) => EncapsulationMode::TUNNEL,
        (_, ChildMode::Transport) => EncapsulationMode::TRANSPORT,
    }
}

/// Our SPIs, one for each protocol.
#[derive(Debug, Default)]
pub(crate) struct Reserved(Vec<(ProtocolKind, ReservedSpi)>);

impl Reserved {
    /// Reserves an SPI for each protocol of the suites.
    pub(crate) fn for_suites<'s, E>(
        suites: impl Iterator<Item = &'s ChildSuite>,
        mut reserve: impl FnMut() -> Result<ReservedSpi, E>,
    ) -> Result<Self, E> {
        let mut reserved = Self::default();
        for part in suites.flat_map(|suite| suite.parts()) {
            if reserved.spi(part.kind).is_none() {
                reserved.0.push((part.kind, reserve()?));
            }
        }
        Ok(reserved)
    }

    fn spi(&self, kind: ProtocolKind) -> Option<Spi> {
        self.0.iter().find(|(of, _)| *of == kind).map(|(_, spi)| spi.spi())
    }

    pub(crate) fn contains(&self, spi: Spi) -> bool {
        self.0.iter().any(|(_, reserved)| reserved.spi() == spi)
    }

    fn take(&mut self, kind: ProtocolKind) -> Option<ReservedSpi> {
        let place = self.0.iter().position(|(of, _)| *of == kind)?;
        Some(self.0.swap_remove(place).1)
    }
}

/// What both ends have agreed on, with keys: everything that pairs of SAs are made of.
#[derive(Debug)]
pub(crate) struct Agreement {
    pub(crate) suite: ChildSuite,
    pub(crate) selector: Selector,
    /// One pair for each protocol, the outer one first.
    pub(crate) pairs: Vec<AgreedPair>,
    pub(crate) life: Life,
    /// What transport mode does with checksums.
    pub(crate) checksum: TransportChecksum,
}

/// One pair of SAs.
#[derive(Debug)]
pub(crate) struct AgreedPair {
    pub(crate) part: Part,
    pub(crate) reserved: ReservedSpi,
    pub(crate) outbound_spi: Spi,
    pub(crate) inbound_keymat: Secret,
    pub(crate) outbound_keymat: Secret,
}

/// Initiator, QM1 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg2 {
    ni: Vec<u8>,
    pair: Option<Box<dyn KeyPair>>,
    selector: Selector,
    mode: EncapsulationMode,
    iv: Vec<u8>,
    pub(crate) reserved: Reserved,
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
    reserved: Reserved,
    provider: &CryptoProvider,
    random: &mut dyn SecureRandom,
) -> Result<(WaitMsg2, Vec<u8>, String), Refusal> {
    let keys = &established.keys;
    let mode = encapsulation(established, child.mode);
    let suites: Vec<_> = child.proposals_over(established.nat).copied().collect();
    if suites.is_empty() {
        let detail = format!("{} on the way, and child {} has only AH", established.nat, child.name);
        return Err(refuse(Cause::AhThroughNat, MessageNumber::Qm1, Role::Initiator, detail));
    }
    let mut ni = vec![0; NONCE_LENGTH];
    random.fill(&mut ni);
    let group = suites.first().and_then(|suite| suite.group);
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
        Payload::Sa(offer_child(&suites, |kind| reserved.spi(kind), mode, child.lifetime)),
        Payload::Nonce(Nonce(ni.clone())),
    ];
    if let Some(pair) = &pair {
        payloads.push(Payload::KeyExchange(KeyExchange(pair.public().to_vec())));
    }
    let wanted = child.selector_on(path);
    let [local, remote] = ids_of(&wanted, path);
    payloads.push(Payload::Id(local.clone()));
    payloads.push(Payload::Id(remote.clone()));
    payloads.extend(nat_original::payloads(established, child.mode, path, Role::Initiator));
    // What the ids say is what is agreed on.
    let selector = selector_of(&local, &remote).unwrap_or(wanted);
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
    chosen: ChosenChild,
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
        match self.compare(established, &offer, child, provider) {
            Ok(answered) => Ok((offer, answered)),
            Err(refusal) => Err(Fault::Peer { refusal, proposed: offer.proposed() }),
        }
    }

    /// What the peer answered, against what we asked.
    fn compare(
        &self,
        established: &Established,
        offer: &Offer,
        child: &Child,
        provider: &CryptoProvider,
    ) -> Result<Answered, Refusal> {
        let (number, role) = (MessageNumber::Qm2, Role::Initiator);
        let suites = child.proposals_over(established.nat);
        let chosen = accepted_child(&offer.sa, suites, self.mode)
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
            // Behind a NAT the two ends name the hosts by different addresses.
            Some(_) if child.mode == ChildMode::Transport && established.nat.any() => self.selector,
            Some((initiator, responder)) => selector_of(initiator, responder)
                .filter(|selector| self.selector.covers(selector))
                .ok_or_else(|| {
                    let theirs = format!("{initiator} to {responder}");
                    let ours = self.selector.to_string();
                    let mismatch = Mismatch { dimension: Dimension::Selectors, ours, theirs };
                    refuse(Cause::SelectorMismatch, number, role, "").with(vec![mismatch])
                })?,
        };
        Ok(Answered { chosen, selector })
    }

    /// Derives the keys, and writes QM3.
    pub(crate) fn step(
        self,
        established: &Established,
        header: &Header,
        offer: &Offer,
        path: Path,
        Answered { chosen, selector }: Answered,
    ) -> Result<(Agreement, Vec<u8>), Refusal> {
        let keys = &established.keys;
        let gqm = agree(self.pair, offer.public.as_deref(), MessageNumber::Qm2, Role::Initiator)?;
        let nonces = (self.ni.as_slice(), offer.nonce.as_slice());
        let checksum = offer.checksum(established, path, Role::Initiator);
        let pairs = keyed(keys, &chosen, self.reserved, gqm.as_ref(), nonces);
        let ChosenChild { suite, life, .. } = chosen;
        let agreement = Agreement { suite, selector, pairs, life, checksum };
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
    reserved: Reserved,
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
    let ours = |protocol| {
        let kind =
            taken.chosen.suite.parts().map(|part| part.kind).find(|kind| protocol_id(*kind) == protocol);
        kind.and_then(|kind| reserved.spi(kind))
    };
    let answer =
        taken.chosen.proposals.iter().filter_map(|proposal| {
            Some(Proposal { spi: ours(proposal.protocol)?.into(), ..proposal.clone() })
        });
    let answer = SecurityAssociation::new(answer.collect());
    let mut payloads = vec![Payload::Sa(answer), Payload::Nonce(Nonce(nr.clone()))];
    if let Some(pair) = &pair {
        payloads.push(Payload::KeyExchange(KeyExchange(pair.public().to_vec())));
    }
    if let Some((initiator, responder)) = &offer.ids {
        payloads.push(Payload::Id(initiator.clone()));
        payloads.push(Payload::Id(responder.clone()));
    }
    payloads.extend(nat_original::payloads(established, taken.child.mode, taken.path, Role::Responder));
    let gqm = agree(pair, offer.public.as_deref(), number, role)?;
    let names = format!("HASH {}", wire::names(payloads.iter()));
    let mid = header.message_id.to_be_bytes();
    let sealed = wire::seal_hashed(keys.cipher.as_ref(), &offer.next_iv, header, payloads, |rest| {
        keys.phase2_hash(&[&mid, &offer.nonce, rest]).as_slice().to_vec()
    });
    let nonces = (offer.nonce.as_slice(), nr.as_slice());
    let checksum = offer.checksum(established, taken.path, Role::Responder);
    let pairs = keyed(keys, &taken.chosen, reserved, gqm.as_ref(), nonces);
    let ChosenChild { suite, life, .. } = taken.chosen;
    let agreement = Agreement { suite, selector: taken.selector, pairs, life, checksum };
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

/// The pairs of SAs, with their key material.
fn keyed(
    keys: &SaKeys,
    chosen: &ChosenChild,
    mut reserved: Reserved,
    gqm: Option<&Secret>,
    nonces: (&[u8], &[u8]),
) -> Vec<AgreedPair> {
    let pairs = chosen.suite.parts().filter_map(|part| {
        let reserved = reserved.take(part.kind)?;
        let outbound_spi = chosen.spi(part.protocol())?;
        // The SPI in the key material is the receiver's (RFC 2409 §5.5).
        let keymat = |spi: Spi| {
            let (protocol, spi) = (part.protocol().0, spi.to_be_bytes());
            keys::keymat(keys.prf, &keys.skeyid_d, gqm, protocol, spi, nonces, part.keymat_len())
        };
        let (inbound_keymat, outbound_keymat) = (keymat(reserved.spi()), keymat(outbound_spi));
        Some(AgreedPair { part, reserved, outbound_spi, inbound_keymat, outbound_keymat })
    });
    pairs.collect()
}
