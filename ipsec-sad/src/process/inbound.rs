//! Packets in: SA, replay window, opening, and the checks behind it (RFC 4301 §5.2, RFC 4303 §3.4).

use std::time::Instant;

use arrayvec::ArrayVec;
use ipsec_crypto::{Job, Outcome};
use ipsec_proto::ip::{Packet, Version, set_traffic_class};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi, esp as wire};

use super::{BURST, Burst, CARRIED, CHOSEN, PROCESSED, esp, tunnel};
use crate::batch::{Batch, Meta, Slot};
use crate::drop::DropReason;
use crate::event::SadEvent;
use crate::flow::{Direction, Flow};
use crate::sad::{Alarm, Esn, InboundSa, ReplayError, owner};
use crate::spd::Action;
use crate::trace::Traced;
use crate::verdict::{Encap, Verdict};
use crate::worker::{Refused, Worker, tell};

/// A packet whose SA was found and whose number passed.
struct Plan {
    spi: Spi,
    sequence: u64,
}

/// An opened packet that may be delivered.
struct Opened {
    /// Octets of the inner packet.
    length: usize,
    /// The inner packet's traffic class, if it changes.
    traffic_class: Option<u8>,
}

impl From<ReplayError> for DropReason {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Duplicate => Self::Replayed,
            ReplayError::TooOld => Self::TooOld,
        }
    }
}

impl Worker {
    /// Takes ESP packets from the network, each from its SPI on, with [`Meta::Wire`], and gives each its verdict: opened,
    /// another worker's, or dropped. Packets that have a verdict already are left alone.
    pub fn inbound(&mut self, now: Instant, batch: &mut Batch) {
        let mut parts = batch.parts_mut().filter(|(slot, _)| slot.verdict == Verdict::Pending);
        loop {
            let burst: Burst<'_> = parts.by_ref().take(BURST).collect();
            if burst.is_empty() {
                return;
            }
            self.inbound_burst(now, burst);
        }
    }

    /// Takes IP packets that came from the network in clear and are neither IKE nor ESP of ours: [`Verdict::Bypass`]
    /// lets one in, any other is dropped (RFC 4301 §5.2 step 3).
    pub fn clear_inbound(&mut self, now: Instant, batch: &mut Batch) {
        for (slot, part) in batch.parts_mut().filter(|(slot, _)| slot.verdict == Verdict::Pending) {
            let octets = part.get(slot.range.clone()).unwrap_or_default();
            self.totals.inbound.all += 1;
            let Ok(packet) = Packet::parse(octets) else {
                self.refuse(slot, Refused::new(now, Direction::Inbound, DropReason::MalformedPacket));
                continue;
            };
            let flow = Flow::of(&packet);
            let place = self.spd.place(&flow, Direction::Inbound);
            self.hit(place, now);
            self.trace_decided(now, Direction::Inbound, &flow, place);
            let policy = place.and_then(|place| self.spd.at(place));
            let action = policy.map_or(self.spd.default_action(), |policy| policy.action);
            let reason = match action {
                Action::Bypass => {
                    self.totals.bypassed_inbound.add(packet.total_len());
                    slot.verdict = Verdict::Bypass;
                    continue;
                }
                Action::Discard if policy.is_none() => DropReason::NoPolicy,
                Action::Discard => DropReason::PolicyDiscard,
                Action::Protect(_) => DropReason::ClearWhereProtectRequired,
            };
            let refused = Refused {
                flow: Some(flow),
                flow_label: packet.flow_label(),
                policy: policy.map(|policy| policy.id),
                ..Refused::new(now, Direction::Inbound, reason)
            };
            self.refuse(slot, refused);
        }
    }

    fn inbound_burst(&mut self, now: Instant, mut burst: Burst<'_>) {
        let plans: ArrayVec<Option<Plan>, BURST> =
            burst.iter_mut().map(|(slot, part)| self.plan_inbound(now, slot, part)).collect();
        let outcomes = self.open(&mut burst, &plans);
        for (((slot, part), plan), outcome) in burst.into_iter().zip(plans).zip(outcomes) {
            if let (Some(plan), Some(outcome)) = (plan, outcome) {
                self.finish_inbound(now, slot, part, &plan, outcome);
            }
        }
    }

    /// Finds the SA and checks the sequence number. Packets that are not to be opened have their verdict then.
    fn plan_inbound(&mut self, now: Instant, slot: &mut Slot, part: &[u8]) -> Option<Plan> {
        let octets = part.get(slot.range.clone()).unwrap_or_default();
        let mut refused = Refused::new(now, Direction::Inbound, DropReason::MalformedEsp);
        let Meta::Wire { path, encap, .. } = slot.meta else {
            self.totals.inbound.all += 1;
            self.refuse(slot, refused);
            return None;
        };
        refused.path = Some(path);
        let Ok((header, _)) = wire::Header::parse(octets) else {
            self.totals.inbound.all += 1;
            self.refuse(slot, refused);
            return None;
        };
        refused.spi = Some(header.spi);
        refused.sequence = Some(header.sequence.into());
        let owner = owner(header.spi, self.config.workers);
        if owner != self.config.id {
            slot.verdict = Verdict::Handoff(owner);
            return None;
        }
        self.totals.inbound.all += 1;
        self.totals.inbound.esp += 1;
        let Some(sa) = self.inbound.get(header.spi) else {
            self.tell_unknown_spi(now, header.spi, path);
            self.refuse(slot, Refused { reason: DropReason::UnknownSpi, ..refused });
            return None;
        };
        match admit(sa, now, encap, header.sequence) {
            Ok(sequence) => Some(Plan { spi: header.spi, sequence }),
            Err(reason) => {
                self.refuse(slot, Refused { reason, ..refused });
                None
            }
        }
    }

    /// Opens what is planned; `None` for the rest, which has its verdict.
    fn open(&self, burst: &mut Burst<'_>, plans: &[Option<Plan>]) -> ArrayVec<Option<Outcome>, BURST> {
        let mut jobs = ArrayVec::<Job<'_>, BURST>::new();
        let mut has_job = ArrayVec::<bool, BURST>::new();
        for ((slot, part), plan) in burst.iter_mut().zip(plans) {
            let job = plan.as_ref().and_then(|plan| {
                let sa = &self.inbound.get(plan.spi)?.sa;
                esp::open_job(part, &slot.range, sa, plan.sequence).ok()
            });
            has_job.push(job.is_some());
            jobs.extend(job);
        }
        ipsec_crypto::open(&mut jobs);
        let mut opened = jobs.iter().map(|job| job.outcome);
        let outcome = |(plan, has_job): (&Option<Plan>, bool)| match (plan, has_job) {
            (None, _) => None,
            (Some(_), false) => Some(Outcome::BadLength),
            (Some(_), true) => opened.next(),
        };
        plans.iter().zip(has_job).map(outcome).collect()
    }

    /// What follows verification: only here does a packet change anything of its SA.
    fn finish_inbound(
        &mut self,
        now: Instant,
        slot: &mut Slot,
        part: &mut [u8],
        plan: &Plan,
        outcome: Outcome,
    ) {
        let Meta::Wire { path, traffic_class, .. } = slot.meta else { return };
        let Some(sa) = self.inbound.get_mut(plan.spi) else { return };
        let refused = Refused {
            spi: Some(plan.spi),
            sequence: Some(plan.sequence),
            path: Some(path),
            ..Refused::new(now, Direction::Inbound, DropReason::IntegrityFailed)
        };
        let newest = sa.window.as_ref().is_none_or(|window| window.is_newest(plan.sequence));
        let verified = match outcome {
            // A batch may hold a packet twice: the second fails here.
            Outcome::Done => sa
                .window
                .as_mut()
                .map_or(Ok(()), |window| window.mark(plan.sequence))
                .map_err(DropReason::from),
            Outcome::BadLength => Err(DropReason::MalformedEsp),
            _ => Err(DropReason::IntegrityFailed),
        };
        if let Err(reason) = verified {
            return self.refuse(slot, Refused { reason, ..refused });
        }
        if sa.last_used.is_none() {
            sa.sa.alarms.raise(Alarm::FirstInbound);
        }
        sa.last_used = Some(now);

        let text = esp::text_range(&slot.range, &sa.sa);
        let opened = part
            .get(text.clone())
            .ok_or((DropReason::MalformedEsp, None))
            .and_then(|text| unwrap_tunnel(text, sa, traffic_class));
        match opened {
            // Others of its burst may have brought the SA to its end.
            Ok(Opened { length, .. })
                if sa.sa.alarms.is_expired() || !sa.sa.admits(sa.traffic, length as u64) =>
            {
                self.refuse(slot, Refused { reason: DropReason::SaExpired, ..refused });
            }
            Ok(Opened { length, traffic_class }) => {
                slot.range = text.start..text.start + length;
                slot.verdict = Verdict::Deliver;
                if let (Some(class), Some(packet)) = (traffic_class, part.get_mut(slot.range.clone())) {
                    set_traffic_class(packet, class);
                }
                sa.traffic.add(length);
                sa.sa.watch_traffic(sa.traffic);
                self.totals.opened.add(length);
                let (pair, spi, sequence) = (sa.sa.pair, sa.sa.spi, plan.sequence);
                let suite = sa.sa.protection.suite();
                let way = Direction::Inbound;
                self.trace(now, way, CHOSEN, || Traced::Chosen { pair, spi });
                self.trace(now, way, PROCESSED, || Traced::Processed { spi, sequence, suite });
                self.trace(now, way, CARRIED, || Traced::Carried { spi, sequence, octets: length });
            }
            Err((reason, flow)) => self.refuse(slot, Refused { reason, flow, ..refused }),
        }
        self.heard(now, plan.spi, newest.then_some(path));
    }

    /// Tells what an authenticated packet says about its SA and its peer. `newest` is where it came from, if its number
    /// is the highest up to now: a delayed packet must not move the peer back.
    fn heard(&mut self, now: Instant, spi: Spi, newest: Option<Path>) {
        let Some(sa) = self.inbound.get_mut(spi) else { return };
        if sa.sa.alarms.is_owed() {
            self.owed |= !tell(&sa.sa, Direction::Inbound, &mut self.events);
        }
        let pair = sa.sa.pair;
        if let Some(path) = newest
            && sa.sa.encap == Encap::Udp
            && path != sa.path
            && sa.moved != Some(path)
            && self.events.push(SadEvent::PeerMoved { pair, spi, path })
        {
            sa.moved = Some(path);
        }
        let interval = self.config.heard_interval;
        if sa.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= interval)
            && self.events.push(SadEvent::LastHeard { pair, at: now })
        {
            sa.heard = Some(now);
        }
    }
}

/// Whether a packet with this number may be opened, and its whole number.
fn admit(sa: &InboundSa, now: Instant, encap: Encap, low: u32) -> Result<u64, DropReason> {
    if sa.sa.encap != encap {
        return Err(DropReason::WrongEncapsulation);
    }
    if sa.sa.alarms.is_expired() || sa.sa.hard_deadline().is_some_and(|deadline| now >= deadline) {
        return Err(DropReason::SaExpired);
    }
    let Some(window) = &sa.window else { return Ok(low.into()) };
    let sequence = match sa.sa.esn {
        Esn::Off => low.into(),
        Esn::On => window.infer_extended(low)?,
    };
    window.check(sequence)?;
    Ok(sequence)
}

/// Takes the inner packet out of an opened text.
fn unwrap_tunnel(
    text: &[u8],
    sa: &InboundSa,
    outer_class: Option<u8>,
) -> Result<Opened, (DropReason, Option<Flow>)> {
    let trailer = wire::Trailer::parse(text).map_err(|_| (DropReason::BadPadding, None))?;
    let version = match trailer.next_header {
        IpProtocol::IPV4 => Version::V4,
        IpProtocol::IPV6 => Version::V6,
        IpProtocol::IPV6_NO_NEXT => return Err((DropReason::Dummy, None)),
        _ => return Err((DropReason::WrongNextHeader, None)),
    };
    let payload = text.get(..trailer.payload_len).unwrap_or_default();
    // What follows the packet's own length is TFC padding (RFC 4303 §2.7).
    let packet = Packet::parse(payload).map_err(|_| (DropReason::MalformedInner, None))?;
    if packet.version() != version {
        return Err((DropReason::MalformedInner, None));
    }
    let flow = Flow::of(&packet);
    if !sa.sa.selector.matches(&flow, Direction::Inbound) {
        return Err((DropReason::SelectorMismatch, Some(flow)));
    }
    let inner_class = packet.traffic_class();
    let class = match outer_class {
        Some(outer) => {
            tunnel::egress(inner_class, outer).ok_or((DropReason::CongestionNotSupported, Some(flow)))?
        }
        None => inner_class,
    };
    Ok(Opened { length: packet.total_len(), traffic_class: (class != inner_class).then_some(class) })
}
