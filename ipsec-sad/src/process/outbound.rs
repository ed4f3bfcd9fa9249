//! Packets out: policy, SA, sequence numbers, sealing (RFC 4301 §5.1, RFC 4303 §3.3).

use std::time::Instant;

use arrayvec::ArrayVec;
use ipsec_crypto::{Job, Outcome};
use ipsec_proto::ip::{Packet, Version};

use super::encapsulate::{Content, Inner, Sealing};
use super::{BURST, Burst, CARRIED, CHOSEN, DECIDED, PROCESSED};
use crate::batch::{Batch, MAX_NESTED, Meta, Slot};
use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::{Mode, Outbound, PairId, ProtocolKind};
use crate::spd::Action;
use crate::trace::Traced;
use crate::verdict::Verdict;
use crate::worker::{Decision, Refused, SourceRoutes, Worker};

/// A packet that an SA was found for.
struct Plan {
    /// The SA's place in the table.
    index: usize,
    sequence: u64,
    inner: Inner,
    content: Content,
    /// Octets of the longest packet that the path takes, if TFC padding asks.
    longest: usize,
}

impl Worker {
    /// Takes clear IP packets from the protected side and gives each its verdict: sealed, to be sent in clear, to wait
    /// for an SA, or dropped. Packets that have a verdict already are left alone.
    pub fn outbound(&mut self, now: Instant, batch: &mut Batch) {
        let mut parts = batch.parts_mut().filter(|(slot, _)| slot.verdict == Verdict::Pending);
        loop {
            let burst: Burst<'_> = parts.by_ref().take(BURST).collect();
            if burst.is_empty() {
                return;
            }
            self.outbound_burst(now, burst);
        }
    }

    fn outbound_burst(&mut self, now: Instant, mut burst: Burst<'_>) {
        let mut plans: ArrayVec<Option<Plan>, BURST> =
            burst.iter_mut().map(|(slot, part)| self.plan_outbound(now, slot, part)).collect();
        for nesting in 1..=MAX_NESTED {
            let touched = self.reserve(now, &mut burst, &mut plans);
            self.seal(now, &mut burst, &mut plans);
            for index in touched {
                self.account_outbound(index);
            }
            // What is left goes through another SA.
            let mut nested = false;
            for (plan, (slot, part)) in plans.iter_mut().zip(&mut burst) {
                let Some(planned) = plan.take() else { continue };
                if nesting == MAX_NESTED {
                    self.refuse_on_sa(now, slot, part, planned.index, DropReason::NestedTooDeep);
                } else {
                    *plan = self.plan_carrier(now, slot, part, planned.index);
                    nested |= plan.is_some();
                }
            }
            if !nested {
                return;
            }
        }
    }

    /// Takes sequence numbers for all that is planned, once an SA, and says of which SAs.
    fn reserve(
        &mut self,
        now: Instant,
        burst: &mut Burst<'_>,
        plans: &mut [Option<Plan>],
    ) -> ArrayVec<usize, BURST> {
        let mut touched = ArrayVec::<usize, BURST>::new();
        for plan in plans.iter().flatten() {
            let Some(entry) = self.outbound.get_mut(plan.index) else { continue };
            if entry.wanted.packets == 0 {
                touched.push(plan.index);
            }
            entry.wanted.add(plan.inner.length);
        }
        for &index in &touched {
            let Some(entry) = self.outbound.get_mut(index) else { continue };
            let wanted = core::mem::take(&mut entry.wanted);
            entry.carried = entry.sa.count(wanted);
            entry.run = entry.sa.take_sequences(wanted.packets);
            entry.last_used = Some(now);
        }
        for (plan, (slot, part)) in plans.iter_mut().zip(burst) {
            let Some(planned) = plan else { continue };
            let Some(entry) = self.outbound.get_mut(planned.index) else { continue };
            match entry.admit(planned.inner.length) {
                Ok(sequence) => planned.sequence = sequence,
                Err(reason) => {
                    self.refuse_on_sa(now, slot, part, planned.index, reason);
                    *plan = None;
                }
            }
        }
        touched
    }

    /// Finds policy and SA. Packets that don't end in an SA have their verdict then.
    fn plan_outbound(&mut self, now: Instant, slot: &mut Slot, part: &mut [u8]) -> Option<Plan> {
        self.totals.outbound.all += 1;
        if let Meta::Dummy(pair) = slot.meta {
            return self.plan_dummy(now, slot, part, pair);
        }
        let octets = part.get(slot.range.clone()).unwrap_or_default();
        let Ok(packet) = Packet::parse(octets) else {
            self.refuse(slot, Refused::new(now, Direction::Outbound, DropReason::MalformedPacket));
            return None;
        };
        let flow = Flow::of(&packet).at(slot.meta.origin());
        match self.decide(now, &flow) {
            Decision::Bypass => {
                self.totals.bypassed_outbound.add(packet.total_len());
                slot.verdict = Verdict::Bypass;
                None
            }
            Decision::Wait(id) => {
                slot.verdict = Verdict::Acquire(id);
                None
            }
            Decision::Refuse(reason) => {
                let refused = Refused::new(now, Direction::Outbound, reason);
                let flow_label = packet.flow_label();
                self.refuse(slot, Refused { flow: Some(flow), flow_label, ..refused });
                None
            }
            Decision::Seal(index) => {
                let entry = self.outbound.get(index)?;
                let inner = match entry.sa.sa.mode {
                    Mode::Transport { .. } => Inner::with_split(&packet),
                    _ => Inner::of(&packet),
                };
                let source_route = packet.has_source_route();
                let plan = Plan { index, sequence: 0, inner, content: Content::Packet, longest: usize::MAX };
                if entry.is_plain() && !source_route && !entry.sent(&flow) {
                    return Some(plan);
                }
                self.plan_with_care(now, slot, part, plan, &flow, source_route)
            }
        }
    }

    /// What has to be looked at of a few packets, or on a few SAs, only.
    #[cold]
    fn plan_with_care(
        &mut self,
        now: Instant,
        slot: &mut Slot,
        part: &mut [u8],
        plan: Plan,
        flow: &Flow,
        source_route: bool,
    ) -> Option<Plan> {
        let index = plan.index;
        let refused = if source_route && self.config.source_routes == SourceRoutes::Refuse {
            Some(DropReason::SourceRoute)
        } else if self.outbound.get(index).is_some_and(|entry| entry.sent(flow)) {
            Some(DropReason::Loop)
        } else {
            None
        };
        if let Some(reason) = refused {
            self.refuse_on_sa(now, slot, part, index, reason);
            return None;
        }
        self.totals.source_routed += u64::from(source_route);
        let longest = self.longest_padded(now, index);
        self.fit(now, slot, part, index, &plan.inner).then_some(Plan { longest, ..plan })
    }

    /// A dummy packet, if there is an SA for it.
    fn plan_dummy(&mut self, now: Instant, slot: &mut Slot, part: &mut [u8], pair: PairId) -> Option<Plan> {
        let found = self.outbound.index_of(pair).and_then(|index| Some((index, self.outbound.get(index)?)));
        let usable = found.filter(|(_, entry)| entry.is_usable() && entry.sa.sa.kind == ProtocolKind::Esp);
        let Some((index, entry)) = usable else {
            self.refuse(slot, Refused::new(now, Direction::Outbound, DropReason::NoSa));
            return None;
        };
        let version = if entry.path.remote.is_ipv4() { Version::V4 } else { Version::V6 };
        let inner = Inner::dummy(slot.range.len(), version);
        self.ivs.fill(part.get_mut(slot.range.clone()).unwrap_or_default());
        Some(Plan { index, sequence: 0, inner, content: Content::Dummy, longest: usize::MAX })
    }

    /// The SA that carries the packets of the one at `index`.
    fn plan_carrier(&mut self, now: Instant, slot: &mut Slot, part: &[u8], index: usize) -> Option<Plan> {
        let carrier = self.outbound.get(index).and_then(|entry| entry.sa.sa.within);
        let carrier = carrier.and_then(|pair| self.outbound.index_of(pair));
        let found = carrier.and_then(|index| Some((index, self.outbound.get(index)?)));
        let usable = found.filter(|(_, entry)| entry.is_usable());
        let packet = part.get(slot.range.clone()).and_then(|octets| Packet::parse(octets).ok());
        if let (Some((index, _)), Some(packet)) = (usable, packet) {
            let inner = Inner::with_split(&packet);
            let longest = self.longest_padded(now, index);
            return Some(Plan { index, sequence: 0, inner, content: Content::Packet, longest });
        }
        self.refuse_on_sa(now, slot, part, index, DropReason::BundleBroken);
        None
    }

    /// Seals what is planned. Plans are left of those packets that another SA carries.
    fn seal(&mut self, now: Instant, burst: &mut Burst<'_>, plans: &mut [Option<Plan>]) {
        let mut jobs = ArrayVec::<Job<'_>, BURST>::new();
        let mut results = ArrayVec::<Option<Result<Option<usize>, DropReason>>, BURST>::new();
        for (((slot, part), plan), headers) in burst.iter_mut().zip(&*plans).zip(self.headers.iter_mut()) {
            let entry = plan.as_ref().and_then(|plan| Some((plan, self.outbound.get(plan.index)?)));
            let Some((plan, entry)) = entry else {
                results.push(None);
                continue;
            };
            self.identification = self.identification.checked_add(1).unwrap_or(1);
            let sealing = Sealing {
                inner: &plan.inner,
                content: plan.content,
                sa: &entry.sa.sa,
                path: &entry.path,
                sequence: plan.sequence,
                longest: plan.longest,
                identification: self.identification,
            };
            results.push(Some(sealing.lay(part, slot.range.start, &mut self.ivs, headers).map(
                |(job, laid)| {
                    slot.range = laid.range;
                    slot.verdict = match laid.system_class {
                        Some(traffic_class) => {
                            Verdict::Send { path: entry.path, encap: entry.sa.sa.encap, traffic_class }
                        }
                        None => Verdict::SendPacket { path: entry.path },
                    };
                    jobs.push(job);
                    laid.udp_at
                },
            )));
        }
        ipsec_crypto::seal(&mut jobs);
        let outcomes: ArrayVec<Outcome, BURST> = jobs.iter().map(|job| job.outcome).collect();
        drop(jobs);
        let mut outcomes = outcomes.into_iter();
        for (((slot, part), plan), result) in burst.iter_mut().zip(plans).zip(results) {
            let (Some(planned), Some(result)) = (&*plan, result) else { continue };
            let failed = match result {
                Ok(_) if outcomes.next() != Some(Outcome::Done) => Some(DropReason::SealFailed),
                Ok(udp_at) => {
                    if let Some(at) = udp_at {
                        super::finish_udp(part.get_mut(slot.range.clone()).unwrap_or_default(), at);
                    }
                    None
                }
                Err(reason) => Some(reason),
            };
            match failed {
                Some(reason) => {
                    self.refuse_sealing(now, slot, planned, reason);
                    *plan = None;
                }
                None => {
                    if !self.sealed(now, planned) {
                        *plan = None;
                    } else {
                        slot.verdict = Verdict::Pending;
                    }
                }
            }
        }
    }

    /// Counts a packet that was sealed; whether another SA carries it.
    fn sealed(&mut self, now: Instant, plan: &Plan) -> bool {
        let Some(entry) = self.outbound.get(plan.index) else { return false };
        let within = entry.sa.sa.within.is_some();
        match entry.sa.sa.kind {
            ProtocolKind::Esp => self.totals.outbound.esp += 1,
            ProtocolKind::Ah => self.totals.outbound.ah += 1,
        }
        if !within {
            self.totals.sealed.add(plan.inner.length);
        }
        self.trace_sealed(now, plan);
        within
    }

    fn refuse_sealing(&mut self, now: Instant, slot: &mut Slot, plan: &Plan, reason: DropReason) {
        let refused = Refused::new(now, Direction::Outbound, reason);
        let (pair, spi) =
            self.outbound.get(plan.index).map(|entry| (entry.sa.pair(), entry.sa.spi())).unzip();
        self.refuse(slot, Refused { pair, spi, sequence: Some(plan.sequence), ..refused });
        if let Some(entry) = self.outbound.get_mut(plan.index) {
            entry.unsealed.add(plan.inner.length);
        }
    }

    fn trace_sealed(&mut self, now: Instant, plan: &Plan) {
        if !self.is_traced(CHOSEN.and(PROCESSED).and(CARRIED)) {
            return;
        }
        let Some(entry) = self.outbound.get(plan.index) else { return };
        let (pair, spi) = (entry.sa.pair(), entry.sa.spi());
        let (suite, sequence, octets) = (entry.sa.sa.protection.suite(), plan.sequence, plan.inner.length);
        let way = Direction::Outbound;
        self.trace(now, way, CHOSEN, || Traced::Chosen { pair, spi });
        self.trace(now, way, PROCESSED, || Traced::Processed { spi, sequence, suite });
        self.trace(now, way, CARRIED, || Traced::Carried { spi, sequence, octets });
    }

    /// What happens to a packet of `flow` that leaves the protected side.
    fn decide(&mut self, now: Instant, flow: &Flow) -> Decision {
        if let Some((place, decision)) = self.cache.get(flow, self.decisions)
            && self.still_holds(decision)
        {
            self.hit(place, now, Direction::Outbound, flow);
            self.trace_decided(now, Direction::Outbound, flow, place);
            return decision;
        }
        let place = self.spd.place(flow, Direction::Outbound);
        self.hit(place, now, Direction::Outbound, flow);
        self.trace_decided(now, Direction::Outbound, flow, place);
        let policy = place.and_then(|place| self.spd.at(place));
        let action = policy.map_or(self.spd.default_action(), |policy| policy.action);
        let decision = match (action, policy) {
            (Action::Bypass, _) => Decision::Bypass,
            (Action::Discard, Some(_)) => Decision::Refuse(DropReason::PolicyDiscard),
            (Action::Protect(template), Some(policy)) => match self.outbound.choose(template, flow) {
                Some(index) => Decision::Seal(index),
                // Not remembered: it ends with the negotiation, not with a generation.
                None => return self.acquires.request(now, policy, template, flow, &mut self.events),
            },
            // The default never protects.
            (Action::Discard | Action::Protect(_), None) => Decision::Refuse(DropReason::NoPolicy),
        };
        self.cache.put(flow, self.decisions, (place, decision));
        decision
    }

    /// Traces the policy of a clear packet.
    pub(super) fn trace_decided(
        &mut self,
        now: Instant,
        direction: Direction,
        flow: &Flow,
        place: Option<u32>,
    ) {
        if !self.is_traced(DECIDED) {
            return;
        }
        let policy = place.and_then(|place| self.spd.at(place));
        let action = policy.map_or(self.spd.default_action(), |policy| policy.action);
        let policy = policy.map(|policy| policy.id);
        self.trace(now, direction, DECIDED, || Traced::Decided { flow: *flow, policy, action });
    }

    /// Whether a remembered SA may still be used.
    pub(crate) fn still_holds(&self, decision: Decision) -> bool {
        match decision {
            Decision::Seal(index) => self.outbound.get(index).is_some_and(Outbound::is_usable),
            Decision::Bypass | Decision::Wait(_) | Decision::Refuse(_) => true,
        }
    }

    /// Drops a packet that its SA can't carry.
    pub(super) fn refuse_on_sa(
        &mut self,
        now: Instant,
        slot: &mut Slot,
        part: &[u8],
        index: usize,
        reason: DropReason,
    ) {
        let packet = part.get(slot.range.clone()).and_then(|octets| Packet::parse(octets).ok());
        let refused = Refused {
            flow: packet.as_ref().map(Flow::of),
            flow_label: packet.and_then(|packet| packet.flow_label()),
            ..Refused::new(now, Direction::Outbound, reason)
        };
        let refused = match self.outbound.get(index) {
            Some(entry) => Refused {
                pair: Some(entry.sa.pair()),
                spi: Some(entry.sa.spi()),
                protocol: Some(entry.sa.sa.protocol()),
                sequence: Some(entry.sa.sequence()),
                path: Some(entry.path),
                ..refused
            },
            None => refused,
        };
        self.refuse(slot, refused);
    }

    /// Counts what a burst has sealed on an SA and tells what that brings about.
    fn account_outbound(&mut self, index: usize) {
        let Some(entry) = self.outbound.get_mut(index) else { return };
        entry.sa.settle(core::mem::take(&mut entry.unsealed));
        let sa = &entry.sa.sa;
        if sa.alarms.is_owed() {
            self.owed |= !crate::worker::tell(sa, Direction::Outbound, &mut self.events);
        }
    }
}
