//! One worker: its SAs, its view of the policies, its events, timers and counters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_crypto::{IvGenerator, SecureRandom};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi};

use crate::acquire::Acquires;
use crate::audit::{AuditEvent, AuditKind, AuditKinds};
use crate::batch::Slot;
use crate::drop::DropReason;
use crate::event::SadEvent;
use crate::flow::{Direction, Flow};
use crate::process::{BURST, Headers, MAX_HEADERS};
use crate::report::PolicyUse;
use crate::ring::Ring;
use crate::sad::{
    Alarm, InboundSa, InboundTable, LimitKind, OutboundSa, OutboundTable, PairId, Sa, Standing,
};
use crate::spd::{Action, FlowCache, LogLimits, LogRate, Place, PolicyId, PolicyLog, Spd, TemplateId};
use crate::stats::{Drops, Handled, SaCounts, Traffic};
use crate::trace::{Trace, TraceClass, TraceMask, Traced};
use crate::verdict::{AcquireId, Verdict, WorkerId};

/// The sizes and intervals of a worker. All memory they speak of is taken at creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The worker's number, below `workers`.
    pub id: WorkerId,
    /// The number of workers, as the [`SpiAllocator`](crate::SpiAllocator) was told.
    pub workers: u8,
    /// Flows in the flow cache, rounded up to a power of two.
    pub flow_cache: usize,
    /// Events that wait to be taken. With the ring full no packet starts an acquire, and what SAs have to tell waits.
    pub events: usize,
    /// Audit events that wait to be taken. With the ring full further ones are lost and counted.
    pub audit_events: usize,
    /// Packets told of by policies with a log flag, that wait to be taken. With the ring full further ones are lost and
    /// counted.
    pub policy_logs: usize,
    /// How often one policy tells of a packet.
    pub log_rate: LogRate,
    /// Negotiations that packets wait for at one time; and hold-downs. Beyond, packets are dropped with
    /// [`DropReason::AcquireLimit`].
    pub acquires: usize,
    /// The least time between two [`SadEvent::LastHeard`] of one SA.
    pub heard_interval: Duration,
    /// The least time between two [`SadEvent::UnknownSpi`].
    pub unknown_spi_interval: Duration,
    /// What becomes of packets with IPv4 source routing or the IPv6 routing header of type 0.
    pub source_routes: SourceRoutes,
    /// The least path MTU that an ICMP message is believed, in octets; in IPv6 1280 at least.
    pub path_mtu_floor: u16,
    /// How long it is believed.
    pub path_mtu_age: Duration,
}

/// Packets that say by which way they want to go: IPv4 source routing, and the IPv6 routing header of type 0, which
/// RFC 5095 has abolished. Both lead packets past filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceRoutes {
    /// Neither sealed nor delivered.
    #[default]
    Refuse,
    /// As others, and counted: [`Totals::source_routed`].
    Count,
}

impl Default for WorkerConfig {
    /// The only worker there is, with a cache of 4096 flows, 1024 events, 1024 audit events, 256 acquires, and an event
    /// a second. Source routes are refused, path MTUs of 576 octets or more believed for ten minutes (RFC 1191 §6.3).
    fn default() -> Self {
        Self {
            id: WorkerId(0),
            workers: 1,
            flow_cache: 4096,
            events: 1024,
            audit_events: 1024,
            policy_logs: 256,
            log_rate: LogRate::default(),
            acquires: 256,
            heard_interval: Duration::from_secs(1),
            unknown_spi_interval: Duration::from_secs(1),
            source_routes: SourceRoutes::default(),
            path_mtu_floor: 576,
            path_mtu_age: Duration::from_secs(600),
        }
    }
}

/// A change of policies or SAs. Applied between batches, see [`Worker::apply`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// Swaps the whole SPD. Counters of policies that stay, by id, go on.
    Policies(Arc<Spd>),
    /// Adds an inbound SA, from now on accepted. To be given to the worker that owns it, [`InboundSa::owner`].
    /// An inbound SA of the same pair goes.
    InstallInbound(Box<InboundSa>),
    /// Adds an outbound SA, not used before [`Update::Activate`]. To be given to every worker. An outbound SA of the same
    /// pair goes.
    InstallOutbound(Arc<OutboundSa>),
    /// Uses the pair's outbound SA, before all older ones. What waited for it ends, a hold-down ends.
    Activate(PairId),
    /// The peer is reached at another address, after its authentication: both SAs of the pair change their path.
    MovePath(PairId, Path),
    /// The path of a pair takes packets of so many octets, outer header included. Known until another is set or learned.
    PathMtu(PairId, u16),
    /// Removes both SAs of a pair, and the dynamic policies it owns.
    Remove(PairId),
    /// Removes a pair's inbound SA.
    RemoveInbound(PairId),
    /// Removes a pair's outbound SA.
    RemoveOutbound(PairId),
    /// Nothing can be negotiated for the template: its acquires end, and packets for it are dropped with
    /// [`DropReason::NoSa`] until the time given.
    HoldDown {
        /// The template.
        template: TemplateId,
        /// When the next packet may ask again.
        until: Instant,
    },
    /// One acquire has failed: its packets are dropped with [`DropReason::NoSa`] until the time given, others of its
    /// template may ask.
    AcquireFailed {
        /// The acquire.
        id: AcquireId,
        /// When the next packet may ask again.
        until: Instant,
    },
}

/// The number of updates a worker has applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// What happens to an outbound packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Bypass,
    /// The outbound SA at this place of the table.
    Seal(usize),
    Wait(AcquireId),
    Refuse(DropReason),
}

/// A dropped packet, with what an audit says about it.
#[derive(Clone, Copy)]
pub(crate) struct Refused {
    pub(crate) at: Instant,
    pub(crate) direction: Direction,
    pub(crate) reason: DropReason,
    pub(crate) pair: Option<PairId>,
    pub(crate) spi: Option<Spi>,
    pub(crate) protocol: Option<IpProtocol>,
    pub(crate) sequence: Option<u64>,
    pub(crate) path: Option<Path>,
    pub(crate) flow: Option<Flow>,
    pub(crate) flow_label: Option<u32>,
    pub(crate) policy: Option<PolicyId>,
}

impl Refused {
    pub(crate) const fn new(at: Instant, direction: Direction, reason: DropReason) -> Self {
        Self {
            at,
            direction,
            reason,
            pair: None,
            spi: None,
            protocol: None,
            sequence: None,
            path: None,
            flow: None,
            flow_label: None,
            policy: None,
        }
    }
}

/// Packets and octets, all SAs and policies together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sealed.
    pub sealed: Traffic,
    /// Opened and delivered.
    pub opened: Traffic,
    /// Left in clear by a policy.
    pub bypassed_outbound: Traffic,
    /// Entered in clear by a policy.
    pub bypassed_inbound: Traffic,
    /// Packets from the network.
    pub inbound: Handled,
    /// Packets from the protected side.
    pub outbound: Handled,
    /// SAs.
    pub sas: SaCounts,
    /// Packets with a source route that were sealed or delivered, see [`WorkerConfig::source_routes`].
    pub source_routed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    Soft,
    Hard,
}

/// When an SA reaches a limit of time.
type Timer = (Instant, PairId, Direction, Limit);

/// One worker of the data plane. It owns the inbound SAs whose SPIs name it and shares the outbound ones.
///
/// Without I/O, clock and threads: batches, time and updates go in, verdicts and events come out. A worker starts with no
/// policy and drops everything until it is given some.
pub struct Worker {
    pub(crate) config: WorkerConfig,
    pub(crate) spd: Arc<Spd>,
    /// By place in the SPD.
    pub(crate) uses: Vec<PolicyUse>,
    pub(crate) default_use: PolicyUse,
    pub(crate) inbound: InboundTable,
    pub(crate) outbound: OutboundTable,
    pub(crate) cache: FlowCache<(Option<u32>, Decision)>,
    pub(crate) acquires: Acquires,
    log_limits: LogLimits,
    logs: Ring<PolicyLog>,
    pub(crate) logs_lost: u64,
    pub(crate) ivs: IvGenerator,
    /// One for each packet of a burst.
    pub(crate) headers: Box<[Headers]>,
    /// The last IPv4 identification, never 0: systems put in another for that one.
    pub(crate) identification: u16,
    pub(crate) events: Ring<SadEvent>,
    /// Some SA has something to tell that the ring had no room for.
    pub(crate) owed: bool,
    pub(crate) drops: Drops,
    pub(crate) totals: Totals,
    pub(crate) audits_lost: u64,
    pub(crate) generation: Generation,
    /// The generation of cached decisions: the updates that may change one.
    pub(crate) decisions: u64,
    audits: Ring<AuditEvent>,
    audited: AuditKinds,
    trace_mask: TraceMask,
    traces: Ring<Trace>,
    pub(crate) traces_lost: u64,
    timers: BTreeSet<Timer>,
    unknown_spi_told: Option<Instant>,
}

impl Worker {
    /// A worker with no SAs that drops everything. `random` keys its IVs and its cache.
    #[must_use]
    pub fn new(config: WorkerConfig, random: &mut dyn SecureRandom) -> Self {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        Self {
            config,
            spd: Arc::new(Spd::empty(Action::Discard)),
            uses: Vec::new(),
            default_use: PolicyUse::default(),
            inbound: InboundTable::default(),
            outbound: OutboundTable::default(),
            cache: FlowCache::new(config.flow_cache, u64::from_ne_bytes(seed)),
            acquires: Acquires::new(config.acquires),
            log_limits: LogLimits::default(),
            logs: Ring::new(config.policy_logs),
            logs_lost: 0,
            ivs: IvGenerator::new(random),
            headers: vec![[0; MAX_HEADERS]; BURST].into_boxed_slice(),
            identification: 0,
            events: Ring::new(config.events.max(1)),
            owed: false,
            drops: Drops::default(),
            totals: Totals::default(),
            audits_lost: 0,
            generation: Generation::default(),
            decisions: 0,
            audits: Ring::new(config.audit_events.max(1)),
            audited: AuditKinds::default(),
            trace_mask: TraceMask::NONE,
            traces: Ring::new(0),
            traces_lost: 0,
            timers: BTreeSet::new(),
            unknown_spi_told: None,
        }
    }

    /// The worker's number.
    #[must_use]
    pub const fn id(&self) -> WorkerId {
        self.config.id
    }

    /// Applies a change. What names a pair or an acquire there is not does nothing.
    pub fn apply(&mut self, now: Instant, update: Update) -> Generation {
        match update {
            Update::Policies(spd) => self.swap_policies(spd),
            Update::InstallInbound(sa) => {
                debug_assert_eq!(
                    sa.owner(),
                    self.config.id,
                    "an inbound SA belongs to the worker its SPI names"
                );
                self.added(now, &sa.sa, Direction::Inbound);
                if let Some(replaced) = self.inbound.insert(sa) {
                    self.removed(now, &replaced.sa, Direction::Inbound);
                }
            }
            Update::InstallOutbound(sa) => {
                self.added(now, &sa.sa, Direction::Outbound);
                if let Some(replaced) = self.outbound.insert(sa) {
                    self.removed(now, &replaced.sa, Direction::Outbound);
                    self.decisions += 1;
                }
            }
            Update::Activate(pair) => {
                if let Some(entry) = self.outbound.of_pair(pair) {
                    entry.standing = Standing::Active;
                    self.acquires.satisfied(entry.sa.sa.template, &entry.sa.sa.selector);
                    self.decisions += 1;
                    let classes = TraceMask::of(TraceClass::Tunnel);
                    self.trace(now, Direction::Outbound, classes, || Traced::Activated { pair });
                }
            }
            Update::MovePath(pair, path) => {
                if let Some(entry) = self.outbound.of_pair(pair) {
                    entry.path = path;
                }
                if let Some(sa) = self.inbound.spi_of(pair).and_then(|spi| self.inbound.get_mut(spi)) {
                    (sa.path, sa.moved) = (path, None);
                }
            }
            Update::PathMtu(pair, mtu) => self.set_path_mtu(pair, mtu),
            Update::Remove(pair) => {
                self.remove_inbound(now, pair);
                self.remove_outbound(now, pair);
                // What came with a pair goes with it, even if the control side has no time to say so.
                if let Some(spd) = self.spd.without_owned(pair) {
                    self.swap_policies(Arc::new(spd));
                }
            }
            Update::RemoveInbound(pair) => self.remove_inbound(now, pair),
            Update::RemoveOutbound(pair) => self.remove_outbound(now, pair),
            Update::HoldDown { template, until } => self.acquires.fail_template(now, template, until),
            Update::AcquireFailed { id, until } => self.acquires.fail(now, id, until),
        }
        self.generation.0 += 1;
        self.generation
    }

    fn swap_policies(&mut self, spd: Arc<Spd>) {
        self.log_limits = self.log_limits.carry_over(&spd);
        let uses = carry_over(&self.spd, &self.uses, &spd);
        self.uses = uses;
        self.acquires.keep_policies_of(&spd);
        self.spd = spd;
        self.decisions += 1;
    }

    fn remove_inbound(&mut self, now: Instant, pair: PairId) {
        if let Some(removed) = self.inbound.remove(pair) {
            self.removed(now, &removed.sa, Direction::Inbound);
        }
    }

    fn remove_outbound(&mut self, now: Instant, pair: PairId) {
        if let Some(removed) = self.outbound.remove(pair) {
            self.removed(now, &removed.sa, Direction::Outbound);
            self.decisions += 1;
        }
    }

    /// An SA is about to be added.
    fn added(&mut self, now: Instant, sa: &Sa, direction: Direction) {
        self.timers.extend(timers(sa, direction));
        self.totals.sas.added += 1;
        let classes = TraceMask::of(TraceClass::Tunnel);
        self.trace(now, direction, classes, || Traced::Added { pair: sa.pair, spi: sa.spi });
    }

    /// An SA was taken out.
    fn removed(&mut self, now: Instant, sa: &Sa, direction: Direction) {
        for timer in timers(sa, direction) {
            self.timers.remove(&timer);
        }
        if sa.alarms.is_expired() {
            self.totals.sas.expired += 1;
        } else {
            self.totals.sas.deleted += 1;
        }
        let classes = TraceMask::of(TraceClass::Tunnel);
        self.trace(now, direction, classes, || Traced::Removed { pair: sa.pair, spi: sa.spi });
    }

    /// Chooses the kinds of refusals that are audited from now on. Counters count all.
    pub const fn set_audited(&mut self, kinds: AuditKinds) {
        self.audited = kinds;
    }

    /// Traces the classes of `mask` from now on, into a new ring for `records` traces; what waited is forgotten.
    pub fn set_trace(&mut self, mask: TraceMask, records: usize) {
        self.trace_mask = mask;
        self.traces = Ring::new(if mask == TraceMask::NONE { 0 } else { records });
    }

    /// Takes the next trace, the oldest first. With the ring full further ones were lost and counted.
    #[must_use]
    pub fn next_trace(&mut self) -> Option<Trace> {
        self.traces.pop()
    }

    /// Whether one of the classes is on.
    #[inline]
    pub(crate) const fn is_traced(&self, classes: TraceMask) -> bool {
        self.trace_mask.meets(classes)
    }

    /// Traces `what`, if one of its classes is on.
    #[inline]
    pub(crate) fn trace(
        &mut self,
        at: Instant,
        direction: Direction,
        classes: TraceMask,
        what: impl FnOnce() -> Traced,
    ) {
        if self.trace_mask.meets(classes) && !self.traces.push(Trace { at, classes, direction, what: what() })
        {
            self.traces_lost += 1;
        }
    }

    /// Takes the next event, the oldest first.
    #[must_use]
    pub fn next_event(&mut self) -> Option<SadEvent> {
        if self.events.is_empty() && core::mem::take(&mut self.owed) {
            let mut settled = true;
            for sa in self.inbound.iter() {
                settled &= tell(&sa.sa, Direction::Inbound, &mut self.events);
            }
            for entry in self.outbound.iter() {
                settled &= tell(&entry.sa.sa, Direction::Outbound, &mut self.events);
            }
            self.owed = !settled;
        }
        self.events.pop()
    }

    /// Takes the next audit event, the oldest first.
    #[must_use]
    pub fn next_audit(&mut self) -> Option<AuditEvent> {
        self.audits.pop()
    }

    /// When [`Worker::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, ..)| at)
    }

    /// Ends the time limits that are reached. Early or needless calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, pair, direction, limit)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            let sa = match direction {
                Direction::Inbound => {
                    self.inbound.spi_of(pair).and_then(|spi| self.inbound.get(spi)).map(|sa| &sa.sa)
                }
                Direction::Outbound => self.outbound.of_pair(pair).map(|entry| &entry.sa.sa),
            };
            let Some(sa) = sa else { continue };
            sa.alarms.raise(match limit {
                Limit::Soft => Alarm::Soft(LimitKind::Time),
                Limit::Hard => Alarm::Hard(LimitKind::Time),
            });
            self.owed |= !tell(sa, direction, &mut self.events);
        }
    }

    /// Counts packets that were dropped outside: parked ones whose negotiation failed or whose queue is full.
    pub fn record_drops(&mut self, reason: DropReason, packets: u64) {
        self.drops.add(reason, packets);
    }

    /// Counts a policy's packet, and tells of it if the policy has its log flag.
    pub(crate) fn hit(&mut self, place: Option<Place>, now: Instant, direction: Direction, flow: &Flow) {
        let used = match place {
            Some(place) => usize::try_from(place).ok().and_then(|place| self.uses.get_mut(place)),
            None => Some(&mut self.default_use),
        };
        if let Some(used) = used {
            used.hits += 1;
            used.last_hit = Some(now);
        }
        if self.log_limits.is_empty() {
            return;
        }
        let rate = self.config.log_rate;
        if let Some(log) = place.and_then(|place| self.log_limits.note(place, rate, now, direction, flow))
            && !self.logs.push(log)
        {
            self.logs_lost += 1;
        }
    }

    /// Takes what is to be told of a packet that a policy with its log flag decided on, the oldest first.
    #[must_use]
    pub fn next_policy_log(&mut self) -> Option<PolicyLog> {
        self.logs.pop()
    }

    /// Drops a packet. The only place, with [`Worker::record_drops`], where drops are counted.
    pub(crate) fn drop_packet(&mut self, slot: &mut Slot, reason: DropReason) {
        slot.verdict = Verdict::Drop(reason);
        self.drops.add(reason, 1);
    }

    /// Drops a packet, counts it on the inbound SA it names if there is one, and audits it where the RFCs ask for that.
    pub(crate) fn refuse(&mut self, slot: &mut Slot, mut refused: Refused) {
        self.drop_packet(slot, refused.reason);
        let mut selector = None;
        if refused.direction == Direction::Inbound
            && let Some(sa) = refused.spi.and_then(|spi| self.inbound.get_mut(spi))
        {
            sa.dropped += 1;
            sa.last_drop = Some(refused.reason);
            refused.pair = Some(sa.sa.pair);
            selector = Some(sa.sa.selector);
        } else if refused.direction == Direction::Outbound
            && let Some(entry) = refused.pair.and_then(|pair| self.outbound.of_pair(pair))
        {
            entry.dropped += 1;
            entry.last_drop = Some(refused.reason);
            selector = Some(entry.sa.sa.selector);
        }
        let Refused { at, direction, reason, pair, spi, protocol, .. } = refused;
        let Refused { sequence, path, flow, flow_label, policy, .. } = refused;
        self.trace(at, direction, TraceMask::of_drop(reason), || Traced::Dropped {
            reason,
            spi,
            sequence,
            flow,
        });
        if let Some(kind) = AuditKind::of(reason, direction)
            && self.audited.contains(kind)
        {
            let event = AuditEvent {
                at,
                kind,
                reason,
                direction,
                pair,
                spi,
                protocol,
                sequence,
                path,
                flow_label,
                flow,
                selector,
                policy,
            };
            if !self.audits.push(event) {
                self.audits_lost += 1;
            }
        }
    }

    /// Tells of an SPI nobody has, unless that was done a moment ago or others have more to say.
    pub(crate) fn tell_unknown_spi(&mut self, now: Instant, spi: Spi, path: Path) {
        let interval = self.config.unknown_spi_interval;
        let recent = self.unknown_spi_told.is_some_and(|at| now.saturating_duration_since(at) < interval);
        if !recent && !self.events.is_crowded() && self.events.push(SadEvent::UnknownSpi { spi, path }) {
            self.unknown_spi_told = Some(now);
        }
    }
}

impl core::fmt::Debug for Worker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Worker")
            .field("id", &self.config.id)
            .field("inbound", &self.inbound.len())
            .field("outbound", &self.outbound.len())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// The counters of `new`: those of a policy that `old` has too, by id, go on.
fn carry_over(old: &Spd, uses: &[PolicyUse], new: &Spd) -> Vec<PolicyUse> {
    let (old_ids, old_dynamic) = old.ids();
    let (new_ids, new_dynamic) = new.ids();
    let used = |place: Place| uses.get(place as usize).copied().unwrap_or_default();
    let old_dynamic: BTreeMap<PolicyId, Place> = old_dynamic.collect();
    let mut carried = vec![PolicyUse::default(); new.places().count()];
    let mut carry = |place: Place, used: PolicyUse| {
        if let Some(entry) = carried.get_mut(place as usize) {
            *entry = used;
        }
    };
    // Both lists are sorted: one walk, and packets do not wait long.
    let mut before = old_ids.iter().peekable();
    for &(id, place) in new_ids {
        while before.next_if(|(other, _)| *other < id).is_some() {}
        if let Some((_, old_place)) = before.next_if(|(other, _)| *other == id) {
            carry(place, used(*old_place));
        }
    }
    for (id, place) in new_dynamic {
        if let Some(old_place) = old_dynamic.get(&id) {
            carry(place, used(*old_place));
        }
    }
    carried
}

fn timers(sa: &Sa, direction: Direction) -> impl Iterator<Item = Timer> {
    let soft = sa.soft_deadline().map(|at| (at, sa.pair, direction, Limit::Soft));
    let hard = sa.hard_deadline().map(|at| (at, sa.pair, direction, Limit::Hard));
    soft.into_iter().chain(hard)
}

/// Puts what an SA has to tell into the ring; `false` if there was no room for all of it.
pub(crate) fn tell(sa: &Sa, direction: Direction, events: &mut Ring<SadEvent>) -> bool {
    let (pair, spi) = (sa.pair, sa.spi);
    sa.alarms.settle(|alarm| {
        events.push(match alarm {
            Alarm::Soft(which) => SadEvent::SoftLimit { pair, spi, direction, which },
            Alarm::Hard(which) => SadEvent::HardLimit { pair, spi, direction, which },
            Alarm::SequenceLow => SadEvent::SequenceLow { pair, spi },
            Alarm::FirstInbound => SadEvent::FirstInbound { pair, spi },
            Alarm::CheckpointDue => SadEvent::CheckpointDue { pair, spi, direction },
        })
    })
}
