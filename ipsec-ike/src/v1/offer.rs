//! The first two messages of a quick mode, opened: whose they are, what they offer, and what of it we take.

use std::net::IpAddr;

use ipsec_proto::isakmp::{Header, Id, Protection, SecurityAssociation, Step};
use ipsec_proto::net::{Path, Spi};
use ipsec_proto::registry::{NotifyType, ProtocolId};
use ipsec_sad::{Selector, TransportChecksum};

use super::child_proposal::{ChosenChild, choose_child};
use super::client_id::selector_of;
use super::keys::SaKeys;
use super::main::{Established, gate};
use super::nat_original;
use super::quick::encapsulation;
use super::wire::{self, Hashed, Opened};
use crate::config::{Child, ChildMode};
use crate::refusal::{Cause, Dimension, Mismatch, Refusal};
use crate::state::{MessageNumber, Role};

/// Why a message of phase 2 is not taken.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Its hash is not verified: anybody may have sent it.
    Stranger(Refusal),
    /// Its hash is good: the peer itself says what we refuse.
    Peer {
        refusal: Refusal,
        /// The sender's protocol and SPI, where the message could be read that far.
        proposed: Option<(ProtocolId, Spi)>,
    },
}

impl Fault {
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Stranger(refusal) | Self::Peer { refusal, .. } => refusal,
        }
    }
}

/// What a verified QM1 or QM2 says.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(super) sa: SecurityAssociation,
    pub(super) nonce: Vec<u8>,
    pub(super) public: Option<Vec<u8>>,
    pub(super) ids: Option<(Id, Id)>,
    /// NAT-OA, in the order of the payloads.
    originals: Vec<IpAddr>,
    pub(super) next_iv: Vec<u8>,
    pub(crate) payloads: String,
    pub(crate) notifies: Vec<NotifyType>,
}

/// Decrypts a message of phase 2 and verifies that HASH is its first payload, and is prf(SKEYID_a, `prefix` | all
/// payloads behind it).
pub(super) fn open_hashed(
    keys: &SaKeys,
    iv: &[u8],
    header: &Header,
    ciphertext: &[u8],
    (number, role): (MessageNumber, Role),
    prefix: &[&[u8]],
) -> Result<Opened, Refusal> {
    let refuse = |cause, detail: String| Refusal::new(cause, number, role, detail);
    let opened = wire::open(keys.cipher.as_ref(), iv, header, ciphertext)
        .ok_or_else(|| refuse(Cause::Undecryptable, "the ciphertext is not whole blocks".into()))?;
    let Hashed { hash, rest } = opened
        .hashed()
        .map_err(|error| refuse(Cause::Undecryptable, error.to_string()))?
        .ok_or_else(|| refuse(Cause::InvalidHash, "HASH is not the first payload".into()))?;
    let mut parts = prefix.to_vec();
    parts.push(rest);
    if !keys.phase2_hash(&parts).ct_eq(hash) {
        return Err(refuse(Cause::InvalidHash, "the hash is wrong".into()));
    }
    Ok(opened)
}

/// Opens QM1 or QM2; nothing in it is believed before its hash is verified.
pub(super) fn open(
    keys: &SaKeys,
    iv: &[u8],
    header: &Header,
    ciphertext: &[u8],
    (step, number, role): (Step, MessageNumber, Role),
    prefix: &[&[u8]],
) -> Result<Offer, Fault> {
    let opened =
        open_hashed(keys, iv, header, ciphertext, (number, role), prefix).map_err(Fault::Stranger)?;
    read(&opened, step, number, role).map_err(|refusal| Fault::Peer { refusal, proposed: None })
}

fn read(opened: &Opened, step: Step, number: MessageNumber, role: Role) -> Result<Offer, Refusal> {
    let refuse = |cause, detail: String| Refusal::new(cause, number, role, detail);
    let chain = opened.chain().map_err(|error| refuse(Cause::Malformed, error.to_string()))?;
    gate(step, Protection::Encrypted, &chain, number, role)?;
    let (Some(sa), Some(nonce)) = (chain.sa(), chain.nonce()) else {
        return Err(refuse(Cause::PayloadCount, "SA or nonce is missing".into()));
    };
    if chain.sas().count() > 1 {
        let detail = "several SA payloads: one pair a quick mode, please";
        return Err(refuse(Cause::PayloadCount, detail.into()));
    }
    let mut ids = chain.ids();
    Ok(Offer {
        sa: sa.clone(),
        nonce: nonce.0.clone(),
        public: chain.key_exchange().map(|exchange| exchange.0.clone()),
        ids: ids.next().cloned().zip(ids.next().cloned()),
        originals: chain.nat_originals().map(|original| original.address).collect(),
        payloads: wire::names(chain.payloads()),
        notifies: chain.notifies().map(|notify| notify.kind).collect(),
        next_iv: opened.next_iv.clone(),
    })
}

/// Opens QM1 and verifies its hash.
pub(crate) fn check_qm1(
    established: &Established,
    header: &Header,
    ciphertext: &[u8],
) -> Result<Offer, Fault> {
    let keys = &established.keys;
    let iv = keys.phase2_iv(&established.last_block, header.message_id);
    let place = (Step::Qm1, MessageNumber::Qm1, Role::Responder);
    open(keys, &iv, header, ciphertext, place, &[&header.message_id.to_be_bytes()])
}

/// What the responder takes of an offer.
#[derive(Debug)]
pub(crate) struct Taken<'c> {
    pub(crate) child: &'c Child,
    pub(crate) chosen: ChosenChild,
    pub(super) selector: Selector,
    pub(super) path: Path,
}

impl Offer {
    /// The sender's first protocol and SPI, by which it knows its quick mode again in a notify.
    pub(crate) fn proposed(&self) -> Option<(ProtocolId, Spi)> {
        self.sa.proposals.first().and_then(|proposal| Some((proposal.protocol, proposal.spi.as_spi()?)))
    }

    /// What becomes of the checksums of what the peer sends in transport mode.
    pub(super) fn checksum(&self, established: &Established, path: Path, role: Role) -> TransportChecksum {
        if established.nat.any() {
            nat_original::checksum(&self.originals, path, role)
        } else {
            TransportChecksum::Keep
        }
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
            let ours: Vec<_> = children.iter().map(|child| child.selector_on(path).to_string()).collect();
            let ours = if ours.is_empty() { "none".into() } else { ours.join(" or ") };
            let mismatch = Mismatch { dimension: Dimension::Selectors, ours, theirs: self.wanted_text(path) };
            Refusal::new(Cause::SelectorMismatch, number, role, "").with(vec![mismatch])
        };
        let wanted = self.wanted(path).ok_or_else(selector_refusal)?;
        // Behind a NAT the two ends of a transport-mode SA name themselves by different addresses.
        let between_hosts = Selector::between(path.local.ip(), path.remote.ip());
        let seen_here = Selector { local: between_hosts.local, remote: between_hosts.remote, ..wanted };
        let fitting = |child: &'c Child| {
            let translated = child.mode == ChildMode::Transport && established.nat.any();
            let selector = if translated { seen_here } else { wanted };
            (child, selector, child.selector_on(path))
        };
        let equal = children.iter().map(fitting).filter(|(_, selector, ours)| ours == selector);
        let wider = children
            .iter()
            .map(fitting)
            .filter(|(_, selector, ours)| ours != selector && ours.covers(selector));
        let mut first_refusal = None;
        for (child, selector, _) in equal.chain(wider) {
            let suites = child.proposals_over(established.nat);
            if suites.clone().next().is_none() {
                let detail = format!("{} on the way, and child {} has only AH", established.nat, child.name);
                first_refusal.get_or_insert_with(|| Refusal::new(Cause::AhThroughNat, number, role, detail));
                continue;
            }
            match choose_child(&self.sa, suites, encapsulation(established, child.mode), limit) {
                Ok(chosen) => {
                    if chosen.suite.group.is_some() != self.public.is_some() {
                        let ours = named(chosen.suite.group.is_some());
                        let theirs = named(self.public.is_some());
                        let mismatch = Mismatch { dimension: Dimension::PfsGroup, ours, theirs };
                        return Err(Refusal::new(Cause::PfsMismatch, number, role, "").with(vec![mismatch]));
                    }
                    return Ok(Taken { child, chosen, selector, path });
                }
                Err(found) => {
                    let only_pfs = found.iter().all(|mismatch| mismatch.dimension == Dimension::PfsGroup);
                    let pfs = only_pfs && !found.is_empty();
                    let cause = if pfs { Cause::PfsMismatch } else { Cause::NoProposalChosen };
                    first_refusal.get_or_insert_with(|| Refusal::new(cause, number, role, "").with(found));
                }
            }
        }
        Err(first_refusal.unwrap_or_else(selector_refusal))
    }
}

/// What is said of a key exchange, or of none.
pub(super) fn named(pfs: bool) -> String {
    if pfs { "a key exchange".into() } else { "none".into() }
}
