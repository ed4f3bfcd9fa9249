//! Packets in: SA, replay window, opening, and the checks behind it (RFC 4301 §5.2, RFC 4303 §3.4).

use std::time::Instant;

use arrayvec::ArrayVec;
use ipsec_crypto::{Job, Outcome};
use ipsec_proto::ip::Packet;
use ipsec_proto::{Path, Spi};

use super::decapsulate::{self, Arrival, Opened, Unfit};
use super::{BURST, Burst, CARRIED, CHOSEN, PROCESSED, ah, esp};
use crate::batch::{Batch, MAX_NESTED, Slot};
use crate::drop::DropReason;
use crate::event::SadEvent;
use crate::flow::{Direction, Flow};
use crate::sad::{
    Alarm, Esn, InboundSa, MssClamp, ProtocolKind, ReplayError, ReplayWindow, SourceCheck, owner,
};
use crate::spd::Action;
use crate::trace::Traced;
use crate::verdict::{Encap, Verdict};
use crate::worker::{Refused, SourceRoutes, Worker, tell};

/// A packet whose SA was found and whose number passed.
struct Plan {
    sequence: u64,
    arrival: Arrival,
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
    /// Takes AH and ESP packets from the network, with [`Meta::Packet`](crate::Meta::Packet) or
    /// [`Meta::Wire`](crate::Meta::Wire), and gives each its verdict: opened, another worker's, or dropped. Packets that
    /// have a verdict already are left alone.
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
            let flow = Flow::of(&packet).at(slot.meta.origin());
            let place = self.spd.place(&flow, Direction::Inbound);
            self.hit(place, now, Direction::Inbound, &flow);
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
        let mut plans: ArrayVec<Option<Plan>, BURST> =
            burst.iter_mut().map(|(slot, part)| self.receive(now, slot, part)).collect();
        for nesting in 1..=MAX_NESTED {
            let outcomes = self.open(&mut burst, &plans);
            let mut nested = false;
            for (((slot, part), plan), outcome) in burst.iter_mut().zip(&mut plans).zip(outcomes) {
                let (Some(planned), Some(outcome)) = (&*plan, outcome) else { continue };
                let next = self.finish_inbound(now, slot, part, planned, outcome);
                *plan = None;
                let Some(arrival) = next else { continue };
                if nesting == MAX_NESTED {
                    let refused = refusal(now, &arrival, DropReason::NestedTooDeep);
                    self.refuse(slot, refused);
                } else {
                    *plan = self.plan_inbound(now, slot, arrival);
                    nested |= plan.is_some();
                }
            }
            if !nested {
                return;
            }
        }
    }

    /// Finds AH or ESP in a packet from the network.
    #[inline]
    fn receive(&mut self, now: Instant, slot: &mut Slot, part: &[u8]) -> Option<Plan> {
        let arrival = Arrival::new(slot.meta, part, slot.range.clone());
        let owner = match &arrival {
            Ok(arrival) => owner(arrival.spi, self.config.workers),
            Err(_) => self.config.id,
        };
        if owner != self.config.id {
            slot.verdict = Verdict::Handoff(owner);
            return None;
        }
        self.totals.inbound.all += 1;
        match arrival {
            Ok(arrival) => self.plan_inbound(now, slot, arrival),
            Err(Unfit { reason, path, spi }) => {
                let refused = Refused::new(now, Direction::Inbound, reason);
                self.refuse(slot, Refused { path, spi, ..refused });
                None
            }
        }
    }

    /// Finds the SA and checks the sequence number. Packets that are not to be opened have their verdict then.
    #[inline]
    fn plan_inbound(&mut self, now: Instant, slot: &mut Slot, arrival: Arrival) -> Option<Plan> {
        match arrival.kind {
            ProtocolKind::Esp => self.totals.inbound.esp += 1,
            ProtocolKind::Ah => self.totals.inbound.ah += 1,
        }
        // SPIs of AH and ESP are one space here, and a packet of the other protocol has none of them.
        let sa = self.inbound.get(arrival.spi).filter(|sa| sa.sa.kind == arrival.kind);
        let Some(sa) = sa else {
            self.tell_unknown_spi(now, arrival.spi, arrival.path);
            let refused = refusal(now, &arrival, DropReason::UnknownSpi);
            self.refuse(slot, refused);
            return None;
        };
        match admit(sa, now, &arrival) {
            Ok(sequence) => Some(Plan { sequence, arrival }),
            Err(reason) => {
                let refused = refusal(now, &arrival, reason);
                self.refuse(slot, refused);
                None
            }
        }
    }

    /// Opens what is planned; `None` for the rest, which has its verdict.
    fn open(&mut self, burst: &mut Burst<'_>, plans: &[Option<Plan>]) -> ArrayVec<Option<Outcome>, BURST> {
        let mut jobs = ArrayVec::<Job<'_>, BURST>::new();
        let mut failed = ArrayVec::<Option<DropReason>, BURST>::new();
        for (((_, part), plan), headers) in burst.iter_mut().zip(plans).zip(self.headers.iter_mut()) {
            let job = plan.as_ref().and_then(|Plan { arrival, sequence }| {
                let sa = &self.inbound.get(arrival.spi)?.sa;
                Some(match (sa.kind, &arrival.outer) {
                    (ProtocolKind::Esp, _) => esp::open_job(part, &arrival.range, sa, *sequence),
                    (ProtocolKind::Ah, Some(outer)) => {
                        let at = arrival.range.start - outer.range.start;
                        match part.get_mut(outer.range.start..arrival.range.end) {
                            Some(packet) => ah::open_job(packet, at, outer.version, sa, *sequence, headers),
                            None => Err(DropReason::MalformedAh),
                        }
                    }
                    (ProtocolKind::Ah, None) => Err(DropReason::MalformedAh),
                })
            });
            failed.push(job.as_ref().and_then(|job| job.as_ref().err().copied()));
            jobs.extend(job.and_then(Result::ok));
        }
        ipsec_crypto::open(&mut jobs);
        let mut opened = jobs.iter().map(|job| job.outcome);
        let outcome = |(plan, failed): (&Option<Plan>, Option<DropReason>)| match (plan, failed) {
            (None, _) => None,
            (Some(_), Some(_)) => Some(Outcome::BadLength),
            (Some(_), None) => opened.next(),
        };
        plans.iter().zip(failed).map(outcome).collect()
    }

    /// What follows verification: only here does a packet change anything of its SA. Gives back what is to be opened next
    /// of a packet that is nested.
    fn finish_inbound(
        &mut self,
        now: Instant,
        slot: &mut Slot,
        part: &mut [u8],
        plan: &Plan,
        outcome: Outcome,
    ) -> Option<Arrival> {
        let Plan { sequence, arrival } = plan;
        let sequence = *sequence;
        let sa = self.inbound.get_mut(arrival.spi)?;
        let refused =
            |reason, flow| Refused { sequence: Some(sequence), flow, ..refusal(now, arrival, reason) };
        let newest = sa.window.as_ref().is_none_or(|window| window.is_newest(sequence));
        let verified = match (outcome, sa.sa.kind) {
            // A batch may hold a packet twice: the second fails here.
            (Outcome::Done, _) => match &mut sa.window {
                Some(window) => {
                    if sequence >= sa.numbers.due {
                        sa.sa.alarms.raise(Alarm::CheckpointDue);
                    }
                    window.mark(sequence).map_err(DropReason::from)
                }
                None => Ok(()),
            },
            (Outcome::BadLength, ProtocolKind::Esp) => Err(DropReason::MalformedEsp),
            (Outcome::BadLength, ProtocolKind::Ah) => Err(DropReason::MalformedAh),
            _ => {
                sa.lost_sync = sa.lost_sync.saturating_add(1);
                Err(DropReason::IntegrityFailed)
            }
        };
        if let Err(reason) = verified {
            self.refuse(slot, refused(reason, None));
            return None;
        }
        if sa.last_used.is_none() {
            sa.sa.alarms.raise(Alarm::FirstInbound);
        }
        sa.last_used = Some(now);
        sa.lost_sync = 0;

        let opened = decapsulate::inside(part, &sa.sa, arrival)
            .and_then(|inside| decapsulate::restore(part, &sa.sa, arrival, inside))
            .map_err(|reason| (reason, None))
            .and_then(|range| decapsulate::check(part, &sa.sa, arrival, range));
        let mut next = None;
        match opened {
            // Others of its burst may have brought the SA to its end.
            Ok(Opened { range, .. })
                if sa.sa.alarms.is_expired() || !sa.sa.admits(sa.traffic, range.len() as u64) =>
            {
                self.refuse(slot, refused(DropReason::SaExpired, None));
            }
            Ok(Opened { range, source_route: true, .. })
                if self.config.source_routes == SourceRoutes::Refuse =>
            {
                let flow = part.get(range).and_then(|octets| Flow::parse(octets).ok());
                self.refuse(slot, refused(DropReason::SourceRoute, flow));
            }
            Ok(Opened { range, is_protected, source_route, is_v6 }) => {
                let length = range.len();
                let (pair, spi) = (sa.sa.pair, sa.sa.spi);
                sa.traffic.add(length);
                sa.sa.watch_traffic(sa.traffic);
                let suite = sa.sa.protection.suite();
                let mss = sa.sa.mode.tunnel_options().map_or(MssClamp::Off, |options| options.mss);
                slot.range = range;
                self.totals.source_routed += u64::from(source_route);
                if is_protected {
                    // Only an SA that is made to be carried in this one may open what is inside.
                    next = Arrival::nested(part, slot.range.clone(), pair).filter(|nested| {
                        self.inbound.get(nested.spi).is_some_and(|sa| sa.sa.within == Some(pair))
                    });
                }
                if next.is_none() {
                    slot.verdict = Verdict::Deliver;
                    self.totals.opened.add(length);
                    if mss != MssClamp::Off
                        && let Some(limit) = self.inbound_mss(now, mss, pair, is_v6)
                    {
                        super::clamp(part.get_mut(slot.range.clone()).unwrap_or_default(), limit);
                    }
                }
                let way = Direction::Inbound;
                self.trace(now, way, CHOSEN, || Traced::Chosen { pair, spi });
                self.trace(now, way, PROCESSED, || Traced::Processed { spi, sequence, suite });
                self.trace(now, way, CARRIED, || Traced::Carried { spi, sequence, octets: length });
            }
            Err((reason, flow)) => self.refuse(slot, refused(reason, flow)),
        }
        self.heard(now, arrival.spi, newest.then_some(arrival.path));
        next
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

/// What is to be said about a packet that is dropped.
fn refusal(now: Instant, arrival: &Arrival, reason: DropReason) -> Refused {
    Refused {
        spi: Some(arrival.spi),
        protocol: Some(arrival.protocol()),
        sequence: Some(arrival.sequence.into()),
        path: Some(arrival.path),
        ..Refused::new(now, Direction::Inbound, reason)
    }
}

/// Whether a packet may be opened, and its whole number.
fn admit(sa: &InboundSa, now: Instant, arrival: &Arrival) -> Result<u64, DropReason> {
    if sa.sa.encap != arrival.encap {
        return Err(DropReason::WrongEncapsulation);
    }
    if sa.source == SourceCheck::Peer && arrival.path.remote.ip() != sa.path.remote.ip() {
        return Err(DropReason::WrongSource);
    }
    if sa.sa.within != arrival.within {
        return Err(DropReason::OutsideBundle);
    }
    if sa.sa.alarms.is_expired() || sa.sa.hard_deadline().is_some_and(|deadline| now >= deadline) {
        return Err(DropReason::SaExpired);
    }
    let Some(window) = &sa.window else { return Ok(arrival.sequence.into()) };
    let sequence = match sa.sa.esn {
        Esn::Off => arrival.sequence.into(),
        Esn::On => match resynchronised(window, arrival.sequence, sa.lost_sync) {
            Some(sequence) => sequence,
            None => window.infer_extended(arrival.sequence)?,
        },
    };
    window.check(sequence)?;
    if sequence > sa.numbers.ceiling {
        return Err(DropReason::CheckpointDue);
    }
    Ok(sequence)
}

/// After so many packets in a row that were not authentic, the upper half may be what is wrong.
const LOST_SYNC: u32 = 64;
/// How far ahead it is looked for, in steps of 2^32 packets.
const LOST_SYNC_REACH: u32 = 4;
/// One packet in so many is tried with another upper half; the others go on as before, so that a flood of forged packets
/// can't keep out what is genuine.
const LOST_SYNC_PACE: u32 = 8;

/// A number further ahead than the window says, for a peer that has sent more than 2^32 packets that were lost
/// (RFC 4303 appendix A3). Unlike there no packet is verified more than once: those that follow try the further guesses.
fn resynchronised(window: &ReplayWindow, low: u32, failed: u32) -> Option<u64> {
    let over = failed.checked_sub(LOST_SYNC)?;
    if over % LOST_SYNC_PACE != 0 {
        return None;
    }
    let ahead = u64::from(over / LOST_SYNC_PACE % LOST_SYNC_REACH) + 1;
    let high = (window.top() >> 32).checked_add(ahead).filter(|high| *high <= u64::from(u32::MAX))?;
    Some(high << 32 | u64::from(low))
}
