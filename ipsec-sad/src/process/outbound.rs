//! Packets out: policy, SA, sequence numbers, sealing (RFC 4301 §5.1, RFC 4303 §3.3).

use std::time::Instant;

use arrayvec::ArrayVec;
use ipsec_crypto::{Job, Outcome};
use ipsec_proto::ip::{Packet, Version};
use ipsec_proto::registry::IpProtocol;

use super::{BURST, Burst, CARRIED, CHOSEN, DECIDED, PROCESSED, esp};
use crate::batch::{Batch, Slot};
use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::Outbound;
use crate::spd::Action;
use crate::trace::Traced;
use crate::verdict::Verdict;
use crate::worker::{Decision, Refused, Worker};

/// A packet that an SA was found for.
struct Plan {
    /// The SA's place in the table.
    index: usize,
    sequence: u64,
    /// Octets of the packet as its own length field says.
    length: usize,
    traffic_class: u8,
    next_header: IpProtocol,
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
        let mut touched = ArrayVec::<usize, BURST>::new();
        let mut plans = ArrayVec::<Option<Plan>, BURST>::new();
        for (slot, part) in &mut burst {
            let plan = self.plan_outbound(now, slot, part);
            if let Some(plan) = &plan
                && let Some(entry) = self.outbound.get_mut(plan.index)
            {
                if entry.wanted.packets == 0 {
                    touched.push(plan.index);
                }
                entry.wanted.add(plan.length);
            }
            plans.push(plan);
        }
        for &index in &touched {
            let Some(entry) = self.outbound.get_mut(index) else { continue };
            let wanted = core::mem::take(&mut entry.wanted);
            entry.carried = entry.sa.count(wanted);
            entry.run = entry.sa.take_sequences(wanted.packets);
            entry.last_used = Some(now);
        }
        for (plan, (slot, part)) in plans.iter_mut().zip(&mut burst) {
            let Some(planned) = plan else { continue };
            let Some(entry) = self.outbound.get_mut(planned.index) else { continue };
            match entry.admit(planned.length) {
                Ok(sequence) => planned.sequence = sequence,
                Err(reason) => {
                    self.refuse_on_sa(now, slot, part, planned.index, reason);
                    *plan = None;
                }
            }
        }
        self.seal(now, burst, &plans);
        for index in touched {
            self.account_outbound(index);
        }
    }

    /// Finds policy and SA. Packets that don't end in an SA have their verdict then.
    fn plan_outbound(&mut self, now: Instant, slot: &mut Slot, part: &[u8]) -> Option<Plan> {
        let octets = part.get(slot.range.clone()).unwrap_or_default();
        self.totals.outbound.all += 1;
        let Ok(packet) = Packet::parse(octets) else {
            self.refuse(slot, Refused::new(now, Direction::Outbound, DropReason::MalformedPacket));
            return None;
        };
        let flow = Flow::of(&packet);
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
            Decision::Seal(index) => Some(Plan {
                index,
                sequence: 0,
                length: packet.total_len(),
                traffic_class: packet.traffic_class(),
                next_header: match packet.version() {
                    Version::V4 => IpProtocol::IPV4,
                    Version::V6 => IpProtocol::IPV6,
                },
            }),
        }
    }

    /// Seals what is planned.
    fn seal(&mut self, now: Instant, burst: Burst<'_>, plans: &[Option<Plan>]) {
        let mut jobs = ArrayVec::<Job<'_>, BURST>::new();
        let mut sealed = ArrayVec::<(&mut Slot, &Plan), BURST>::new();
        let mut failed = ArrayVec::<(&mut Slot, &Plan, DropReason), BURST>::new();
        for ((slot, part), plan) in burst.into_iter().zip(plans) {
            let Some(plan) = plan else { continue };
            let Some(entry) = self.outbound.get(plan.index) else { continue };
            // What follows the packet in its buffer is not part of it.
            let range = slot.range.start..slot.range.start + plan.length;
            match esp::seal_job(part, &range, &entry.sa.sa, plan.sequence, plan.next_header, &mut self.ivs) {
                Ok((job, range)) => {
                    // DSCP (RFC 4301 §5.1.2) and ECN (RFC 6040 §4.1) are copied to the outer header.
                    let traffic_class = plan.traffic_class;
                    slot.verdict =
                        Verdict::Send { path: entry.path, encap: entry.sa.sa.encap, traffic_class };
                    slot.range = range;
                    jobs.push(job);
                    sealed.push((slot, plan));
                }
                Err(reason) => failed.push((slot, plan, reason)),
            }
        }
        ipsec_crypto::seal(&mut jobs);
        let outcomes: ArrayVec<Outcome, BURST> = jobs.iter().map(|job| job.outcome).collect();
        drop(jobs);
        for ((slot, plan), outcome) in sealed.into_iter().zip(outcomes) {
            if outcome == Outcome::Done {
                self.totals.sealed.add(plan.length);
                self.totals.outbound.esp += 1;
                self.trace_sealed(now, plan);
            } else {
                failed.push((slot, plan, DropReason::SealFailed));
            }
        }
        for (slot, plan, reason) in failed {
            let refused = Refused::new(now, Direction::Outbound, reason);
            let (pair, spi) =
                self.outbound.get(plan.index).map(|entry| (entry.sa.pair(), entry.sa.spi())).unzip();
            self.refuse(slot, Refused { pair, spi, sequence: Some(plan.sequence), ..refused });
            if let Some(entry) = self.outbound.get_mut(plan.index) {
                entry.unsealed.add(plan.length);
            }
        }
    }

    fn trace_sealed(&mut self, now: Instant, plan: &Plan) {
        if !self.is_traced(CHOSEN.and(PROCESSED).and(CARRIED)) {
            return;
        }
        let Some(entry) = self.outbound.get(plan.index) else { return };
        let (pair, spi) = (entry.sa.pair(), entry.sa.spi());
        let (suite, sequence, octets) = (entry.sa.sa.protection.suite(), plan.sequence, plan.length);
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
            self.hit(place, now);
            self.trace_decided(now, Direction::Outbound, flow, place);
            return decision;
        }
        let place = self.spd.place(flow, Direction::Outbound);
        self.hit(place, now);
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
    fn still_holds(&self, decision: Decision) -> bool {
        match decision {
            Decision::Seal(index) => self.outbound.get(index).is_some_and(Outbound::is_usable),
            Decision::Bypass | Decision::Wait(_) | Decision::Refuse(_) => true,
        }
    }

    /// Drops a packet that its SA can't carry.
    fn refuse_on_sa(&mut self, now: Instant, slot: &mut Slot, part: &[u8], index: usize, reason: DropReason) {
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
