//! Security associations: the two halves prepared for use.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ipsec_crypto::{Cipher, CryptoProvider, Protection, ProtectionSuite};
use ipsec_proto::{Path, Spi};

use super::alarm::{Alarm, Alarms};
use super::params::{
    InstallError, OuterHeader, Protocol, ProtocolKind, SaParams, TfcPadding, Unauthenticated,
};
use super::{AntiReplay, Lifetime, Mode, Numbers, PairId, ReplayWindow, ReservedSpi};
use crate::drop::DropReason;
use crate::selector::Selector;
use crate::spd::TemplateId;
use crate::stats::Traffic;
use crate::verdict::{Encap, WorkerId};

/// Whether sequence numbers have 64 bits, of which 32 are sent (RFC 4303 §2.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Esn {
    /// 32 bits.
    #[default]
    Off,
    /// 64 bits.
    On,
}

impl Esn {
    /// The last sequence number that may be used.
    const fn last(self) -> u64 {
        match self {
            Self::Off => u32::MAX as u64,
            Self::On => u64::MAX,
        }
    }

    /// The upper half, where it takes part in the integrity check.
    pub(crate) fn high(self, sequence: u64) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::On => u32::try_from(sequence >> 32).ok(),
        }
    }
}

/// Lengths in the SA's packets, looked up once an SA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) iv: usize,
    pub(crate) icv: usize,
    /// What an ESP text is a multiple of, a power of two.
    pub(crate) block: usize,
    /// Whether IVs must be unpredictable, as CBC wants them (RFC 3602 §3); elsewhere they count.
    pub(crate) random_iv: bool,
}

impl Layout {
    fn of(suite: ProtectionSuite) -> Self {
        Self {
            iv: suite.iv_len(),
            icv: suite.icv_len(),
            block: suite.block_len(),
            random_iv: suite.cipher.block_len() > 1,
        }
    }
}

/// What both directions have.
#[derive(Debug)]
pub(crate) struct Sa {
    pub(crate) pair: PairId,
    pub(crate) template: TemplateId,
    pub(crate) spi: Spi,
    pub(crate) kind: ProtocolKind,
    pub(crate) layout: Layout,
    pub(crate) mode: Mode,
    pub(crate) encap: Encap,
    pub(crate) selector: Selector,
    pub(crate) lifetime: Lifetime,
    pub(crate) esn: Esn,
    pub(crate) anti_replay: AntiReplay,
    pub(crate) outer_header: OuterHeader,
    pub(crate) tfc: TfcPadding,
    pub(crate) within: Option<PairId>,
    pub(crate) protection: Protection,
    pub(crate) created: Instant,
    pub(crate) alarms: Alarms,
}

impl Sa {
    /// Prepares the keys; gives back the path too, which is not fixed.
    fn prepare(
        params: SaParams,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<(Self, Path), InstallError> {
        params.check()?;
        let (kind, protection) = prepare_keys(&params, provider)?;
        let layout = Layout::of(protection.suite());
        // Nothing vouches for sequence numbers without an ICV.
        let anti_replay = if layout.icv > 0 { params.anti_replay } else { AntiReplay::Off };
        let sa = Self {
            pair: params.pair,
            template: params.template,
            spi: params.spi,
            kind,
            layout,
            mode: params.mode,
            encap: params.encap,
            selector: params.selector,
            lifetime: params.lifetime,
            esn: params.esn,
            anti_replay,
            outer_header: params.outer_header,
            tfc: params.tfc,
            within: params.within,
            protection,
            created: now,
            alarms: Alarms::default(),
        };
        Ok((sa, params.path))
    }

    /// When the soft time limit is reached.
    pub(crate) fn soft_deadline(&self) -> Option<Instant> {
        self.created.checked_add(self.lifetime.soft.time?)
    }

    /// When the hard time limit is reached.
    pub(crate) fn hard_deadline(&self) -> Option<Instant> {
        self.created.checked_add(self.lifetime.hard.time?)
    }

    /// Whether a packet of `octets` may still be carried after `before`. If not, the SA has come to its end.
    pub(crate) fn admits(&self, before: Traffic, octets: u64) -> bool {
        let passed = self.lifetime.hard.passed_by(before.bytes, before.packets, octets);
        if let Some(kind) = passed {
            self.alarms.raise(Alarm::Hard(kind));
        }
        passed.is_none()
    }

    /// Raises the alarms of the traffic limits that were reached.
    pub(crate) fn watch_traffic(&self, traffic: Traffic) {
        if let Some(kind) = self.lifetime.soft.reached(traffic.bytes, traffic.packets) {
            self.alarms.raise(Alarm::Soft(kind));
        }
        if let Some(kind) = self.lifetime.hard.reached(traffic.bytes, traffic.packets) {
            self.alarms.raise(Alarm::Hard(kind));
        }
    }
}

/// Judges the algorithms and prepares their keys.
fn prepare_keys(
    params: &SaParams,
    provider: &CryptoProvider,
) -> Result<(ProtocolKind, Protection), InstallError> {
    let (suite, keys) = match &params.protocol {
        Protocol::Ah { integrity, key } => {
            let suite = ProtectionSuite { cipher: Cipher::NULL, integrity: Some(*integrity) };
            let protection = provider.protection(suite, &[], key.as_slice())?;
            return Ok((ProtocolKind::Ah, protection));
        }
        Protocol::Esp { suite, keys } => (*suite, keys),
    };
    if suite.integrity.is_some() || suite.cipher.row().is_combined() {
        let protection = provider.protection(suite, keys.encryption.as_slice(), keys.integrity.as_slice())?;
        return Ok((ProtocolKind::Esp, protection));
    }
    match params.unauthenticated {
        _ if suite.cipher == Cipher::NULL => Err(InstallError::NoProtection),
        Unauthenticated::Refuse => Err(InstallError::IntegrityMissing { suite }),
        Unauthenticated::Allow => {
            let protection = provider.unauthenticated_protection(suite.cipher, keys.encryption.as_slice())?;
            Ok((ProtocolKind::Esp, protection))
        }
    }
}

/// Whether an inbound SA looks at the source address of its packets. The SPI alone finds it either way, for SPIs are ours
/// to give (RFC 4301 §4.1); other systems look SAs up by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SourceCheck {
    /// Any: a peer behind a NAT may move.
    #[default]
    Any,
    /// The peer's only: a packet from elsewhere is dropped with [`DropReason::WrongSource`] before its integrity is
    /// checked.
    Peer,
}

/// An inbound SA, ready to be installed in the worker that owns it, see [`Update::InstallInbound`](crate::Update::InstallInbound).
///
/// It keeps its SPI; the SPI is given back when the SA is dropped.
#[derive(Debug)]
pub struct InboundSa {
    pub(crate) sa: Sa,
    pub(crate) reserved: ReservedSpi,
    pub(crate) path: Path,
    /// `None`: anti-replay is off.
    pub(crate) window: Option<ReplayWindow>,
    pub(crate) source: SourceCheck,
    /// How far it may go before it is saved again.
    pub(crate) numbers: Numbers,
    /// Packets in a row whose integrity check failed.
    pub(crate) lost_sync: u32,
    pub(crate) traffic: Traffic,
    pub(crate) dropped: u64,
    pub(crate) last_drop: Option<DropReason>,
    pub(crate) last_used: Option<Instant>,
    /// When [`SadEvent::LastHeard`](crate::SadEvent::LastHeard) was last sent.
    pub(crate) heard: Option<Instant>,
    /// The last path told in [`SadEvent::PeerMoved`](crate::SadEvent::PeerMoved).
    pub(crate) moved: Option<Path>,
}

impl InboundSa {
    /// Checks the parameters and prepares the keys.
    ///
    /// # Errors
    /// See [`InstallError`]; the reserved SPI is given back then.
    pub fn prepare(
        params: SaParams,
        reserved: ReservedSpi,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<Self, InstallError> {
        if params.spi != reserved.spi() {
            return Err(InstallError::SpiMismatch { reserved: reserved.spi(), given: params.spi });
        }
        let (sa, path) = Sa::prepare(params, provider, now)?;
        let window = match sa.anti_replay {
            AntiReplay::Window(size) => Some(ReplayWindow::new(size)),
            AntiReplay::Off => None,
        };
        Ok(Self {
            sa,
            reserved,
            path,
            window,
            source: SourceCheck::default(),
            numbers: UNLIMITED,
            lost_sync: 0,
            traffic: Traffic::default(),
            dropped: 0,
            last_drop: None,
            last_used: None,
            heard: None,
            moved: None,
        })
    }

    /// The SA's number.
    #[must_use]
    pub const fn spi(&self) -> Spi {
        self.sa.spi
    }

    /// The pair the SA is half of.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.sa.pair
    }

    /// The same SA, looking at the source address as `check` says.
    #[must_use]
    pub const fn with_source_check(mut self, check: SourceCheck) -> Self {
        self.source = check;
        self
    }

    /// Lets the SA accept packets up to the ceiling and no further, if it was not held before.
    pub(crate) fn hold(&mut self, numbers: Numbers) {
        if self.numbers.ceiling == u64::MAX {
            self.numbers = numbers;
        }
    }

    /// Lets a saved SA go on to the ceiling that was saved.
    pub(crate) fn release(&mut self, numbers: Numbers) {
        if self.numbers.ceiling <= numbers.ceiling {
            self.numbers = numbers;
        }
        self.sa.alarms.withdraw(Alarm::CheckpointDue);
    }

    /// The worker it must be installed in.
    #[must_use]
    pub fn owner(&self) -> WorkerId {
        self.reserved.owner()
    }
}

/// An outbound SA, ready to be installed in every worker, see [`Update::InstallOutbound`](crate::Update::InstallOutbound).
#[derive(Debug)]
pub struct OutboundSa {
    pub(crate) sa: Sa,
    /// Where it leads when it is installed; each worker keeps the path of its own from then on.
    pub(crate) path: Path,
    /// The last sequence number used.
    sequence: AtomicU64,
    /// The last that may be before the SA is saved again.
    pub(super) ceiling: AtomicU64,
    /// From this one on it should be.
    due: AtomicU64,
    bytes: AtomicU64,
    packets: AtomicU64,
}

/// Consecutive sequence numbers that nobody else gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SequenceRun {
    pub(crate) next: u64,
    pub(crate) left: u64,
}

impl SequenceRun {
    pub(crate) fn take(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        Some(sequence)
    }
}

/// No limit, of an SA that is not saved.
const UNLIMITED: Numbers = Numbers { ceiling: u64::MAX, due: u64::MAX };
/// More packets than all workers seal at one time.
const IN_FLIGHT: u64 = 1 << 12;

/// The part of the sequence numbers, from the end, in which [`SadEvent::SequenceLow`](crate::SadEvent::SequenceLow) is due: a sixteenth.
const SEQUENCE_LOW_SHIFT: u32 = 4;

impl OutboundSa {
    /// Checks the parameters and prepares the keys.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub fn prepare(params: SaParams, provider: &CryptoProvider, now: Instant) -> Result<Self, InstallError> {
        let (sa, path) = Sa::prepare(params, provider, now)?;
        Ok(Self {
            sa,
            path,
            sequence: AtomicU64::new(0),
            ceiling: AtomicU64::new(u64::MAX),
            due: AtomicU64::new(u64::MAX),
            bytes: AtomicU64::new(0),
            packets: AtomicU64::new(0),
        })
    }

    /// The SA's number, chosen by the peer.
    #[must_use]
    pub const fn spi(&self) -> Spi {
        self.sa.spi
    }

    /// The pair the SA is half of.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.sa.pair
    }

    /// The last sequence number used, 0 if none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Leaves out all sequence numbers up to `sequence`: for an SA that goes on where another process left it. Never
    /// goes back, and never past the last number there is.
    pub fn skip_to(&self, sequence: u64) {
        self.sequence.fetch_max(sequence.min(self.sa.esn.last()), Ordering::Relaxed);
    }

    /// Whether the last sequence number was used (RFC 4303 §3.3.3).
    pub(crate) fn is_exhausted(&self) -> bool {
        self.sequence() >= self.sa.esn.last()
    }

    /// Whether it may carry another packet.
    pub(crate) fn is_usable(&self) -> bool {
        !self.sa.alarms.is_expired() && !self.is_exhausted()
    }

    /// Takes up to `count` sequence numbers. There are fewer only where the last one is reached; it never wraps.
    pub(crate) fn take_sequences(&self, count: u64) -> SequenceRun {
        let last = self.sa.esn.last();
        let mut left = 0;
        // In one order with `hold`: a run that has not seen its ceiling was taken, at the latest, with the burst that is
        // being sealed then.
        let taken = self.sequence.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            let ceiling = self.ceiling.load(Ordering::SeqCst).min(last);
            left = count.min(ceiling.saturating_sub(used));
            (left > 0).then(|| used.saturating_add(left))
        });
        let Ok(used) = taken else { return SequenceRun::default() };
        if used + left >= self.due.load(Ordering::Relaxed) {
            self.sa.alarms.raise(Alarm::CheckpointDue);
        }
        if last - (used + left) <= last >> SEQUENCE_LOW_SHIFT {
            self.sa.alarms.raise(Alarm::SequenceLow);
        }
        SequenceRun { next: used + 1, left }
    }

    /// Lets the SA go on to the ceiling and no further, if it was not held before. Gives back the number up to which all
    /// may be used by then: the ceiling, and a burst of each worker that may not have seen it.
    pub(crate) fn hold(&self, numbers: Numbers) -> u64 {
        let held =
            self.ceiling.compare_exchange(u64::MAX, numbers.ceiling, Ordering::SeqCst, Ordering::SeqCst);
        if held.is_ok() {
            self.due.store(numbers.due, Ordering::Relaxed);
        }
        numbers.ceiling.max(self.sequence.load(Ordering::SeqCst)).saturating_add(IN_FLIGHT)
    }

    /// Lets a saved SA go on to the ceiling that was saved.
    pub(crate) fn release(&self, numbers: Numbers) {
        self.due.store(numbers.due, Ordering::Relaxed);
        self.sa.alarms.withdraw(Alarm::CheckpointDue);
        self.ceiling.fetch_max(numbers.ceiling, Ordering::SeqCst);
    }

    /// Uses up all sequence numbers. Gives back the last that was used before.
    pub(crate) fn exhaust(&self) -> u64 {
        self.sequence.swap(self.sa.esn.last(), Ordering::SeqCst)
    }

    /// Counts what is about to be sealed, before it is: workers that share the SA can't pass its limits together. Gives
    /// back what was counted before.
    pub(crate) fn count(&self, wanted: Traffic) -> Traffic {
        Traffic {
            packets: self.packets.fetch_add(wanted.packets, Ordering::Relaxed),
            bytes: self.bytes.fetch_add(wanted.bytes, Ordering::Relaxed),
        }
    }

    /// Takes back what was counted and not sealed, and raises the alarms of the limits that are reached.
    pub(crate) fn settle(&self, unsealed: Traffic) {
        self.packets.fetch_sub(unsealed.packets, Ordering::Relaxed);
        self.bytes.fetch_sub(unsealed.bytes, Ordering::Relaxed);
        self.sa.watch_traffic(self.traffic());
    }

    /// What all workers have sealed.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic { packets: self.packets.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}
