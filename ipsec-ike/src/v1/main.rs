//! Main Mode with a pre-shared key (RFC 2409 §5.4): six messages, as states that wait for the next one.
//!
//! ```text
//! initiator                                responder
//! MM1  SA                            -->
//!                                    <--   SA                         MM2
//! MM3  KE, Ni, NAT-D…                -->
//!                                    <--   KE, Nr, NAT-D…             MM4
//! MM5  IDii, HASH_I (encrypted)      -->
//!                                    <--   IDir, HASH_R (encrypted)   MM6
//! ```
//!
//! `check` borrows a state and may fail as often as a network can make it; `step` consumes it, with what `check` has
//! verified.

use std::sync::Arc;
use std::time::Duration;

use ipsec_crypto::{CryptoError, CryptoProvider, Secret, SecureRandom};
use ipsec_proto::isakmp::{self, Chain, Protection, Step};
use ipsec_proto::registry::PayloadType;

use super::attributes::MIN_IKE_LIFETIME;
use super::keys::SaKeys;
use super::proposal::{self, Chosen};
use super::share::{OwnPublic, OwnShare, PeerShare, Shares, Surroundings, check_share};
use crate::config::{Connection, NatTraversal};
use crate::identity::Identity;
use crate::natt::{Edition, NatFound};
use crate::refusal::{Cause, Refusal};
use crate::state::{IkeState, MessageNumber, Role};
use crate::suite::IkeSuite;

/// Octets of our nonces: within 8 to 256 (RFC 2409 §5), and as long as the strongest key asks for.
pub(crate) const NONCE_LENGTH: usize = 32;

/// What MM1 and MM2 have settled.
#[derive(Debug, Clone)]
pub(crate) struct Agreed {
    pub(crate) suite: IkeSuite,
    pub(crate) life: Duration,
    /// The edition of NAT traversal that both ends know.
    pub(crate) natt: Option<Edition>,
}

/// Phase 1, by the message that is due.
#[derive(Debug)]
pub(crate) enum Phase1 {
    /// Initiator: an address is being asked for.
    Unaddressed,
    WaitMsg2(WaitMsg2),
    WaitMsg3(WaitMsg3),
    WaitMsg4(WaitMsg4),
    WaitMsg5(Authenticating),
    WaitMsg6(Authenticating),
    Active(Established),
}

impl Phase1 {
    pub(crate) const fn name(&self) -> IkeState {
        match self {
            Self::Unaddressed => IkeState::MmNoState,
            Self::WaitMsg2(_) => IkeState::MmWaitMsg2,
            Self::WaitMsg3(_) => IkeState::MmWaitMsg3,
            Self::WaitMsg4(_) => IkeState::MmWaitMsg4,
            Self::WaitMsg5(_) => IkeState::MmWaitMsg5,
            Self::WaitMsg6(_) => IkeState::MmWaitMsg6,
            Self::Active(_) => IkeState::MmActive,
        }
    }

    /// What MM1 and MM2 have settled, from then on.
    pub(crate) const fn agreed(&self) -> Option<&Agreed> {
        match self {
            Self::Unaddressed | Self::WaitMsg2(_) => None,
            Self::WaitMsg3(state) => Some(&state.agreed),
            Self::WaitMsg4(state) => Some(&state.agreed),
            Self::WaitMsg5(state) | Self::WaitMsg6(state) => Some(&state.agreed),
            Self::Active(state) => Some(&state.agreed),
        }
    }

    /// Where a NAT was found, from MM3 and MM4 on.
    pub(crate) fn nat(&self) -> NatFound {
        match self {
            Self::WaitMsg5(state) | Self::WaitMsg6(state) => state.nat,
            Self::Active(state) => state.nat,
            _ => NatFound::default(),
        }
    }
}

/// Initiator, MM1 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg2 {
    /// The body of our SA payload: it is hashed later.
    pub(crate) sai_b: Vec<u8>,
}

/// Responder, MM2 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg3 {
    /// The body of the initiator's SA payload as it came.
    pub(crate) sai_b: Vec<u8>,
    pub(crate) agreed: Agreed,
}

/// Initiator, MM3 sent.
#[derive(Debug)]
pub(crate) struct WaitMsg4 {
    pub(crate) sai_b: Vec<u8>,
    pub(crate) agreed: Agreed,
    pub(crate) own: OwnShare,
}

/// Both roles: keys are derived, a proof is due.
#[derive(Debug)]
pub(crate) struct Authenticating {
    pub(super) sai_b: Vec<u8>,
    pub(super) agreed: Agreed,
    pub(super) keys: SaKeys,
    pub(super) gxi: Vec<u8>,
    pub(super) gxr: Vec<u8>,
    /// The IV of the message that is due.
    pub(super) iv: Vec<u8>,
    pub(super) nat: NatFound,
}

/// An ISAKMP SA.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) keys: SaKeys,
    pub(crate) agreed: Agreed,
    /// The last ciphertext block of phase 1: phase 2 derives its IVs from it.
    pub(crate) last_block: Vec<u8>,
    pub(crate) nat: NatFound,
    pub(crate) local_id: Identity,
    pub(crate) remote_id: Identity,
}

/// Runs the gate: which payloads may stand in which message.
pub(crate) fn gate(
    step: Step,
    protection: Protection,
    chain: &Chain<'_>,
    number: MessageNumber,
    role: Role,
) -> Result<(), Refusal> {
    use isakmp::GateErrorKind as Kind;
    isakmp::check(step, protection, chain).map_err(|error| {
        let cause = match error.kind {
            Kind::NotAllowed { .. } | Kind::HashNotFirst => Cause::UnexpectedPayload,
            Kind::Protection { .. } => Cause::UnsupportedExchange,
            _ => Cause::PayloadCount,
        };
        Refusal::new(cause, number, role, error.to_string())
    })
}

/// A payload that the gate has let through as present.
pub(super) fn absent(number: MessageNumber, role: Role) -> Refusal {
    Refusal::new(Cause::PayloadCount, number, role, "a payload is missing")
}

/// The best edition of NAT traversal among a message's vendor ids, unless the connection wants none.
fn edition(chain: &Chain<'_>, mode: NatTraversal) -> Option<Edition> {
    let ids: Vec<_> = chain.vendors().map(|vendor| vendor.0.as_slice()).collect();
    match mode {
        NatTraversal::Off => None,
        NatTraversal::Auto | NatTraversal::Force => Edition::best_of(ids.into_iter()),
    }
}

/// What the responder makes of MM1.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) sai_b: Vec<u8>,
    pub(crate) agreed: Agreed,
    pub(crate) chosen: Chosen,
    /// The candidates that have the chosen suite.
    pub(crate) candidates: Vec<Arc<Connection>>,
    pub(crate) knows_dpd: bool,
}

/// The responder's check of MM1, before there is any state.
pub(crate) fn check_mm1(
    chain: &Chain<'_>,
    candidates: &[Arc<Connection>],
    limit: usize,
) -> Result<Accepted, Refusal> {
    let (number, role) = (MessageNumber::Mm1, Role::Responder);
    gate(Step::Mm1, Protection::Clear, chain, number, role)?;
    let offer = chain.sa().ok_or_else(|| absent(number, role))?;
    let mut suites: Vec<IkeSuite> = Vec::new();
    for suite in candidates.iter().flat_map(|connection| &connection.proposals) {
        if !suites.contains(suite) {
            suites.push(*suite);
        }
    }
    let chosen = proposal::choose_ike(offer, &suites, limit)
        .map_err(|found| Refusal::new(Cause::NoProposalChosen, number, role, "").with(found))?;
    let candidates: Vec<_> =
        candidates.iter().filter(|c| c.proposals.contains(&chosen.suite)).cloned().collect();
    let first = candidates.first().ok_or_else(|| absent(number, role))?;
    let agreed = Agreed {
        suite: chosen.suite,
        life: agreed_life(chosen.life.time, first.ike_lifetime),
        natt: edition(chain, first.nat_traversal),
    };
    let sai_b = chain.of(PayloadType::SA).next().map(|entry| entry.body.to_vec()).unwrap_or_default();
    let dpd = isakmp::KnownVendor::Dpd;
    let knows_dpd = chain.vendors().any(|vendor| vendor.known() == Some(dpd));
    Ok(Accepted { sai_b, agreed, chosen, candidates, knows_dpd })
}

/// The shorter of the two lifetimes; nothing on the wire means eight hours.
fn agreed_life(theirs: Option<Duration>, ours: Duration) -> Duration {
    theirs.unwrap_or(proposal::DEFAULT_LIFETIME).max(MIN_IKE_LIFETIME).min(ours)
}

impl WaitMsg2 {
    /// Checks MM2: one of our proposals, unaltered but for the lifetime.
    pub(crate) fn check(&self, chain: &Chain<'_>, connection: &Connection) -> Result<Agreed, Refusal> {
        let (number, role) = (MessageNumber::Mm2, Role::Initiator);
        gate(Step::Mm2, Protection::Clear, chain, number, role)?;
        let answer = chain.sa().ok_or_else(|| absent(number, role))?;
        let chosen = proposal::accepted_ike(answer, &connection.proposals)
            .map_err(|found| Refusal::new(Cause::AlteredProposal, number, role, "").with(found))?;
        Ok(Agreed {
            suite: chosen.suite,
            life: agreed_life(chosen.life.time, connection.ike_lifetime),
            natt: edition(chain, connection.nat_traversal),
        })
    }

    /// Goes on with our public value and nonce.
    pub(crate) fn step(
        self,
        agreed: Agreed,
        provider: &CryptoProvider,
        random: &mut dyn SecureRandom,
    ) -> Result<WaitMsg4, CryptoError> {
        let own = OwnShare::generate(&agreed.suite, provider, random)?;
        Ok(WaitMsg4 { sai_b: self.sai_b, agreed, own })
    }
}

impl WaitMsg3 {
    /// Checks MM3.
    pub(crate) fn check(&self, chain: &Chain<'_>, provider: &CryptoProvider) -> Result<PeerShare, Refusal> {
        let place = (Step::Mm3, MessageNumber::Mm3, Role::Responder);
        check_share(chain, &self.agreed, provider, place, None)
    }

    /// Makes our half, and agrees; fails only by the peer's value or on our own side, and then nothing is lost but
    /// what was made here.
    pub(crate) fn agree(
        &self,
        peer: &PeerShare,
        around: Surroundings<'_>,
        random: &mut dyn SecureRandom,
    ) -> Result<(OwnPublic, Secret), Refusal> {
        let refuse = |cause, error: CryptoError| {
            Refusal::new(cause, MessageNumber::Mm3, Role::Responder, error.to_string())
        };
        let own = OwnShare::generate(&self.agreed.suite, around.provider, random)
            .map_err(|e| refuse(Cause::Local, e))?;
        let payloads = own
            .payloads(
                &self.agreed,
                around.connection.nat_traversal,
                around.cookies,
                around.path,
                around.provider,
            )
            .map_err(|e| refuse(Cause::Local, e))?;
        let public = OwnPublic { public: own.pair.public().to_vec(), nonce: own.nonce, payloads };
        let gxy = own.pair.agree(&peer.public).map_err(|e| refuse(Cause::InvalidKeyExchange, e))?;
        Ok((public, gxy))
    }

    /// Goes on to wait for the initiator's proof.
    pub(crate) fn step(
        self,
        peer: PeerShare,
        own: &OwnPublic,
        gxy: &Secret,
        around: Surroundings<'_>,
    ) -> Result<Authenticating, CryptoError> {
        let shares = Shares { gxi: peer.public, gxr: own.public.clone(), ni: &peer.nonce, nr: &own.nonce };
        Authenticating::new(self.sai_b, self.agreed, shares, &peer.nat_hashes, gxy, around)
    }
}

impl WaitMsg4 {
    /// Checks MM4.
    pub(crate) fn check(&self, chain: &Chain<'_>, provider: &CryptoProvider) -> Result<PeerShare, Refusal> {
        let place = (Step::Mm4, MessageNumber::Mm4, Role::Initiator);
        check_share(chain, &self.agreed, provider, place, Some(self.own.pair.public()))
    }

    /// Agrees, and goes on to wait for the responder's proof.
    pub(crate) fn step(
        self,
        peer: PeerShare,
        around: Surroundings<'_>,
    ) -> Result<Authenticating, CryptoError> {
        let gxi = self.own.pair.public().to_vec();
        let gxy = self.own.pair.agree(&peer.public)?;
        let shares = Shares { gxi, gxr: peer.public, ni: &self.own.nonce, nr: &peer.nonce };
        Authenticating::new(self.sai_b, self.agreed, shares, &peer.nat_hashes, &gxy, around)
    }
}
