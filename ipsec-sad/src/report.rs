//! What a worker has, as plain data for reports.

use std::time::{Duration, Instant};

use ipsec_crypto::ProtectionSuite;
use ipsec_proto::{Path, Spi};

use crate::drop::DropReason;
use crate::flow::Direction;
use crate::sad::{
    AntiReplay, Esn, Lifetime, Mode, Outbound, PairId, ProtocolKind, ReplayWindow, Sa, Standing,
};
use crate::selector::Selector;
use crate::spd::{Action, PolicyId, TemplateId};
use crate::stats::{Drops, Traffic};
use crate::verdict::{Encap, WorkerId};
use crate::worker::{Generation, Totals, Worker};

/// How often a policy decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyUse {
    /// Packets.
    pub hits: u64,
    /// The last of them.
    pub last_hit: Option<Instant>,
}

/// A policy and its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReport {
    /// The policy.
    pub id: PolicyId,
    /// The operator's name for it.
    pub name: String,
    /// What it covers.
    pub selector: Selector,
    /// What it says.
    pub action: Action,
    /// How often it did.
    pub used: PolicyUse,
}

/// Whether an SA carries packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaState {
    /// Outbound: not used before the peer is known to have its half.
    Installed,
    /// In use.
    Active,
    /// Past a hard limit.
    Expired,
    /// Without sequence numbers.
    Exhausted,
}

/// One SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaReport {
    /// The pair it is half of.
    pub pair: PairId,
    /// What it was negotiated for.
    pub template: TemplateId,
    /// Which half.
    pub direction: Direction,
    /// Its number.
    pub spi: Spi,
    /// ESP or AH.
    pub protocol: ProtocolKind,
    /// Its algorithms; of AH with NULL as the cipher.
    pub suite: ProtectionSuite,
    /// What of a packet is protected.
    pub mode: Mode,
    /// With or without UDP.
    pub encap: Encap,
    /// The outer addresses.
    pub path: Path,
    /// What it may carry.
    pub selector: Selector,
    /// Its limits.
    pub lifetime: Lifetime,
    /// The size of its sequence numbers.
    pub esn: Esn,
    /// How replayed packets are found, inbound. [`AntiReplay::Off`] means that they are not.
    pub anti_replay: AntiReplay,
    /// The pair that carries its packets, if one does.
    pub within: Option<PairId>,
    /// Whether it carries packets.
    pub state: SaState,
    /// When it was made.
    pub created: Instant,
    /// When a packet was last sealed or verified, by this worker.
    pub last_used: Option<Instant>,
    /// Inbound the highest sequence number verified, outbound the last used.
    pub sequence: u64,
    /// What it has carried; outbound for all workers.
    pub traffic: Traffic,
    /// Packets that were dropped: inbound those with its SPI, outbound those it could not carry.
    pub dropped: u64,
    /// Why the last of them was.
    pub last_drop: Option<DropReason>,
}

/// Everything a worker counts and has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SadReport {
    /// The worker.
    pub worker: WorkerId,
    /// The updates it has applied.
    pub generation: Generation,
    /// Its SAs, by pair, the inbound half first.
    pub sas: Vec<SaReport>,
    /// The policies in configuration order.
    pub policies: Vec<PolicyReport>,
    /// What happens to packets no policy covers.
    pub default_action: Action,
    /// How often it did.
    pub default_use: PolicyUse,
    /// What passed.
    pub totals: Totals,
    /// What was dropped, and why.
    pub drops: Drops,
    /// Lookups answered by the flow cache.
    pub cache_hits: u64,
    /// Lookups that were not.
    pub cache_misses: u64,
    /// Negotiations that packets wait for.
    pub acquires: usize,
    /// Packets of policies with a log flag that nobody took in time.
    pub policy_logs_lost: u64,
    /// Audit events that nobody took in time.
    pub audits_lost: u64,
    /// Traces that nobody took in time.
    pub traces_lost: u64,
}

/// The two halves of a pair, as far as a worker has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairReport<'a> {
    /// The pair.
    pub pair: PairId,
    /// What we receive with.
    pub inbound: Option<&'a SaReport>,
    /// What we send with.
    pub outbound: Option<&'a SaReport>,
}

impl PairReport<'_> {
    /// When either half last carried a packet.
    #[must_use]
    pub fn last_used(&self) -> Option<Instant> {
        let used = |half: Option<&SaReport>| half.and_then(|sa| sa.last_used);
        used(self.inbound).max(used(self.outbound))
    }

    /// For how long neither half has carried a packet: since the last one, or since the older half was made.
    #[must_use]
    pub fn idle(&self, now: Instant) -> Duration {
        let made = [self.inbound, self.outbound].into_iter().flatten().map(|sa| sa.created).min();
        self.last_used().or(made).map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

impl SadReport {
    /// The SAs as pairs.
    pub fn pairs(&self) -> impl Iterator<Item = PairReport<'_>> {
        self.sas.chunk_by(|one, next| one.pair == next.pair).filter_map(|halves| {
            let half = |direction| halves.iter().find(|sa| sa.direction == direction);
            let (inbound, outbound) = (half(Direction::Inbound), half(Direction::Outbound));
            let pair = inbound.or(outbound)?.pair;
            Some(PairReport { pair, inbound, outbound })
        })
    }
}

impl Worker {
    /// Everything the worker counts and has. Allocates; for people and for metrics.
    #[must_use]
    pub fn report(&self) -> SadReport {
        let inbound = self.inbound.iter().map(|sa| SaReport {
            sequence: sa.window.as_ref().map_or(0, ReplayWindow::top),
            traffic: sa.traffic,
            dropped: sa.dropped,
            last_drop: sa.last_drop,
            last_used: sa.last_used,
            state: if sa.sa.alarms.is_expired() { SaState::Expired } else { SaState::Active },
            ..report_of(&sa.sa, Direction::Inbound, sa.path)
        });
        let outbound = self.outbound.iter().map(|entry| SaReport {
            sequence: entry.sa.sequence(),
            traffic: entry.sa.traffic(),
            last_used: entry.last_used,
            dropped: entry.dropped,
            last_drop: entry.last_drop,
            state: state_of(entry),
            ..report_of(&entry.sa.sa, Direction::Outbound, entry.path)
        });
        let mut sas: Vec<SaReport> = inbound.chain(outbound).collect();
        sas.sort_by_key(|sa| sa.pair);
        let policies = self.spd.places().zip(&self.uses).map(|(policy, used)| PolicyReport {
            id: policy.id,
            name: policy.name.clone(),
            selector: policy.selector,
            action: policy.action,
            used: *used,
        });
        let (cache_hits, cache_misses) = self.cache.counts();
        SadReport {
            worker: self.id(),
            generation: self.generation,
            sas,
            policies: policies.collect(),
            default_action: self.spd.default_action(),
            default_use: self.default_use,
            totals: self.totals,
            drops: self.drops.clone(),
            cache_hits,
            cache_misses,
            acquires: self.acquires.pending(),
            policy_logs_lost: self.logs_lost,
            audits_lost: self.audits_lost,
            traces_lost: self.traces_lost,
        }
    }
}

fn state_of(entry: &Outbound) -> SaState {
    if entry.sa.sa.alarms.is_expired() {
        SaState::Expired
    } else if entry.sa.is_exhausted() {
        SaState::Exhausted
    } else {
        match entry.standing {
            Standing::Installed => SaState::Installed,
            Standing::Active => SaState::Active,
        }
    }
}

fn report_of(sa: &Sa, direction: Direction, path: Path) -> SaReport {
    SaReport {
        pair: sa.pair,
        template: sa.template,
        direction,
        spi: sa.spi,
        protocol: sa.kind,
        suite: sa.protection.suite(),
        mode: sa.mode,
        encap: sa.encap,
        path,
        selector: sa.selector,
        lifetime: sa.lifetime,
        esn: sa.esn,
        anti_replay: sa.anti_replay,
        within: sa.within,
        state: SaState::Active,
        created: sa.created,
        last_used: None,
        sequence: 0,
        traffic: Traffic::default(),
        dropped: 0,
        last_drop: None,
    }
}
