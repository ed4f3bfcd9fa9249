//! What would happen to a packet, and why: policies, flow cache, SAs, in this order. Nothing is changed by asking.

use core::fmt;
use std::time::Instant;

use ipsec_proto::ip::Packet;
use ipsec_proto::{DecodeError, Spi};

use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::realm::Origin;
use crate::sad::{Outbound, PairId, Standing};
use crate::selector::{Selector, SelectorField};
use crate::spd::{Action, Difference, Explanation, Granularity, PolicyId, TemplateId};
use crate::verdict::AcquireId;
use crate::worker::{Decision, Worker};

/// Everything a worker takes into account for one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketExplanation {
    /// The packet.
    pub flow: Flow,
    /// Which way it goes.
    pub direction: Direction,
    /// Every policy, with why it won or lost.
    pub policy: Explanation,
    /// What the flow cache says.
    pub cache: CacheState,
    /// The outbound SAs of the policy's template, the newest first; none where no SA is wanted.
    pub sas: Vec<SaCandidate>,
    /// What would happen next.
    pub next: Next,
}

/// What the flow cache says of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheState {
    /// It is not asked for packets that come in.
    NotAsked,
    /// It knows nothing of the flow, or what it knew is older than the last change of policies or SAs.
    Miss,
    /// It knows the policy and the SA; the policies are not searched.
    Hit,
    /// It knows an SA that can carry no more packets: policies and SAs are searched again.
    Worn,
}

/// An SA that was considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaCandidate {
    /// Its pair.
    pub pair: PairId,
    /// Its number.
    pub spi: Spi,
    /// What it may carry.
    pub selector: Selector,
    /// Why it is used or not.
    pub reason: SaReason,
}

/// Why an SA is used or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaReason {
    /// It is the newest that may carry the packet; by this granularity its selectors cover the flow.
    Chosen(Granularity),
    /// It may carry the packet, but a newer one does.
    NewerChosen(Granularity),
    /// Its selectors do not cover the flow; this is the first field that differs (RFC 4301 §5.2).
    Differs(SelectorField),
    /// The peer may not be able to receive on it yet.
    NotActive,
    /// It has passed a hard lifetime.
    Expired,
    /// It has used its last sequence number.
    Exhausted,
}

impl fmt::Display for SaReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = |granularity: &Granularity| match granularity {
            Granularity::Policy => "its selectors cover the flow",
            Granularity::Host => "it is for these two hosts",
            Granularity::Flow => "it is for this flow alone",
        };
        match self {
            Self::Chosen(granularity) => write!(f, "used: {}", shared(granularity)),
            Self::NewerChosen(granularity) => {
                write!(f, "not used: {}, but a newer one goes first", shared(granularity))
            }
            Self::Differs(field) => write!(f, "not used: the {field} differs"),
            Self::NotActive => f.write_str("not used: the peer is not known to have it yet"),
            Self::Expired => f.write_str("not used: past its hard lifetime"),
            Self::Exhausted => f.write_str("not used: out of sequence numbers"),
        }
    }
}

/// What would happen to a packet next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// It passes in clear.
    Bypass,
    /// It is sealed and sent on this SA.
    Send {
        /// The SA's pair.
        pair: PairId,
        /// Its number.
        spi: Spi,
    },
    /// It asks for an SA and waits.
    Acquire {
        /// What is negotiated.
        template: TemplateId,
        /// The selectors that are proposed.
        proposal: Selector,
    },
    /// It waits for an SA that was asked for before.
    Wait(AcquireId),
    /// It is dropped.
    Drop(DropReason),
}

impl PacketExplanation {
    /// The policy that would decide, if the packet used its interface.
    pub fn on_another_interface(&self) -> impl Iterator<Item = PolicyId> {
        self.policy.on_another_interface()
    }

    /// Policies with ports that a fragment was not compared with, since it hides its own (RFC 4301 §7).
    pub fn with_hidden_ports(&self) -> impl Iterator<Item = PolicyId> {
        let is_hidden = |reason| matches!(reason, crate::spd::Reason::Differs(Difference::HiddenPorts(_)));
        self.policy.candidates.iter().filter(move |c| is_hidden(c.reason)).map(|c| c.policy)
    }
}

impl Worker {
    /// What would happen to a clear packet of `flow` going in `direction`, and why.
    ///
    /// Inbound it is a packet that came in clear: what comes in an SA is compared with that SA's selectors alone. Costs
    /// time linear in the number of policies and SAs, changes nothing, and counts nothing.
    #[must_use]
    pub fn explain(&self, now: Instant, flow: &Flow, direction: Direction) -> PacketExplanation {
        let policy = self.spd.explain(flow, direction);
        let (cache, sas, next) = match direction {
            Direction::Inbound => (CacheState::NotAsked, Vec::new(), inbound(&policy)),
            Direction::Outbound => {
                let cached = self.cache.peek(flow, self.decisions).map(|(_, decision)| decision);
                let cache = match cached {
                    None => CacheState::Miss,
                    Some(decision) if self.still_holds(decision) => CacheState::Hit,
                    Some(_) => CacheState::Worn,
                };
                let sas = self.explain_sas(flow, policy.found.action);
                let next = self.explain_outbound(now, flow, &policy, &sas);
                (cache, sas, next)
            }
        };
        PacketExplanation { flow: *flow, direction, policy, cache, sas, next }
    }

    /// As [`explain`](Self::explain), for the octets of a clear packet.
    ///
    /// # Errors
    /// What is wrong with the packet, which would be dropped as [`DropReason::MalformedPacket`].
    pub fn explain_packet(
        &self,
        now: Instant,
        packet: &[u8],
        origin: Origin,
        direction: Direction,
    ) -> Result<PacketExplanation, DecodeError> {
        let flow = Flow::of(&Packet::parse(packet)?).at(origin);
        Ok(self.explain(now, &flow, direction))
    }

    fn explain_sas(&self, flow: &Flow, action: Action) -> Vec<SaCandidate> {
        let Action::Protect(template) = action else { return Vec::new() };
        let mut chosen = false;
        self.outbound
            .newest_first(template)
            .map(|entry| {
                let (pair, spi, selector) = (entry.sa.pair(), entry.sa.spi(), entry.sa.sa.selector);
                let reason = match unfit(entry, flow) {
                    Some(reason) => reason,
                    None if chosen => SaReason::NewerChosen(shared_by(&selector)),
                    None => SaReason::Chosen(shared_by(&selector)),
                };
                chosen |= matches!(reason, SaReason::Chosen(_));
                SaCandidate { pair, spi, selector, reason }
            })
            .collect()
    }

    fn explain_outbound(&self, now: Instant, flow: &Flow, policy: &Explanation, sas: &[SaCandidate]) -> Next {
        let written = policy.found.policy.and_then(|id| self.spd.policy(id));
        match (policy.found.action, written) {
            (Action::Bypass, _) => Next::Bypass,
            (Action::Discard, Some(_)) => Next::Drop(DropReason::PolicyDiscard),
            (Action::Discard | Action::Protect(_), None) => Next::Drop(DropReason::NoPolicy),
            (Action::Protect(template), Some(written)) => {
                let chosen = sas.iter().find(|sa| matches!(sa.reason, SaReason::Chosen(_)));
                if let Some(&SaCandidate { pair, spi, .. }) = chosen {
                    return Next::Send { pair, spi };
                }
                match self.acquires.foresee(now, written, template, flow, &self.events) {
                    Decision::Refuse(reason) => Next::Drop(reason),
                    Decision::Wait(id) if self.acquires.is_pending(id) => Next::Wait(id),
                    _ => Next::Acquire { template, proposal: written.proposal(flow) },
                }
            }
        }
    }
}

/// What happens to a packet that came in clear.
fn inbound(policy: &Explanation) -> Next {
    match (policy.found.action, policy.found.policy) {
        (Action::Bypass, _) => Next::Bypass,
        (Action::Discard, None) => Next::Drop(DropReason::NoPolicy),
        (Action::Discard, Some(_)) => Next::Drop(DropReason::PolicyDiscard),
        (Action::Protect(_), _) => Next::Drop(DropReason::ClearWhereProtectRequired),
    }
}

/// Why an SA can't carry a packet of `flow`.
fn unfit(entry: &Outbound, flow: &Flow) -> Option<SaReason> {
    if let Some(field) = entry.sa.sa.selector.mismatch(flow, Direction::Outbound) {
        Some(SaReason::Differs(field))
    } else if entry.sa.sa.alarms.is_expired() {
        Some(SaReason::Expired)
    } else if entry.sa.is_exhausted() {
        Some(SaReason::Exhausted)
    } else if entry.standing != Standing::Active {
        Some(SaReason::NotActive)
    } else if !entry.is_usable() {
        Some(SaReason::Expired)
    } else {
        None
    }
}

/// Who shares an SA with this selector.
fn shared_by(selector: &Selector) -> Granularity {
    let single = |addresses: &crate::selector::Addresses| {
        addresses.range().is_some_and(crate::selector::AddressRange::is_single)
    };
    if !single(&selector.local) || !single(&selector.remote) {
        Granularity::Policy
    } else if selector.protocol.is_none() && !selector.has_ports() {
        Granularity::Host
    } else {
        Granularity::Flow
    }
}
