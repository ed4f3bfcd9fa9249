//! Security associations: what makes one, and the two halves prepared for use.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ipsec_crypto::{CryptoError, CryptoProvider, Protection, ProtectionSuite, Secret};
use ipsec_proto::{Path, Spi};

use super::alarm::{Alarm, Alarms};
use super::{
    Lifetime, PairId, REPLAY_WINDOW_DEFAULT, REPLAY_WINDOW_MAX, REPLAY_WINDOW_MIN, ReplayWindow, ReservedSpi,
};
use crate::drop::DropReason;
use crate::selector::Selector;
use crate::spd::TemplateId;
use crate::stats::Traffic;
use crate::verdict::{Encap, WorkerId};

/// What an SA protects of a packet (RFC 4301 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// The whole packet, in a new one.
    #[default]
    Tunnel,
}

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

/// The keys of one SA, as dealt out of the keying material (RFC 4303 §3.1, RFC 2409 §5.5).
#[derive(Debug)]
pub struct SaKeys {
    /// The encryption key, with the salt behind it where the cipher has one.
    pub encryption: Secret,
    /// The integrity key; empty with a combined-mode cipher.
    pub integrity: Secret,
}

/// Everything that defines one SA in one direction.
#[derive(Debug)]
pub struct SaParams {
    /// The pair the SA is half of.
    pub pair: PairId,
    /// What it was negotiated for: packets of policies with this template may use it.
    pub template: TemplateId,
    /// The number in its packets: inbound our reserved one, outbound the peer's.
    pub spi: Spi,
    /// The algorithms.
    pub suite: ProtectionSuite,
    /// Their keys.
    pub keys: SaKeys,
    /// What of a packet is protected.
    pub mode: Mode,
    /// With or without UDP.
    pub encap: Encap,
    /// The outer addresses and, in UDP, the ports.
    pub path: Path,
    /// What was negotiated that the SA may carry, local to remote.
    pub selector: Selector,
    /// Limits.
    pub lifetime: Lifetime,
    /// Inbound: the replay window in packets, from [`REPLAY_WINDOW_MIN`] to [`REPLAY_WINDOW_MAX`].
    pub replay_window: u32,
    /// The size of sequence numbers.
    pub esn: Esn,
}

impl SaParams {
    /// The replay window of an SA that asks for no other, in packets.
    pub const DEFAULT_REPLAY_WINDOW: u32 = REPLAY_WINDOW_DEFAULT;
}

/// Why an SA can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The parameters name another SPI than the one reserved.
    #[error("the SA's SPI is {given}, but {reserved} was reserved for it")]
    SpiMismatch {
        /// The SPI reserved.
        reserved: Spi,
        /// The SPI in the parameters.
        given: Spi,
    },
    /// The peer's SPI lies in 0..=255 (RFC 4303 §2.1).
    #[error("SPI {0} is in the reserved range 0 to 255")]
    ReservedSpi(Spi),
    /// The two outer addresses are of different families.
    #[error("the outer addresses {0} are of different families")]
    MixedFamilies(Path),
    /// The replay window is too small or too large. There is none without: an SA never comes up unprotected by mistake.
    #[error("a replay window of {0} packets is not in {REPLAY_WINDOW_MIN} to {REPLAY_WINDOW_MAX}")]
    ReplayWindow(u32),
    /// The algorithms or keys are refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What both directions have.
#[derive(Debug)]
pub(crate) struct Sa {
    pub(crate) pair: PairId,
    pub(crate) template: TemplateId,
    pub(crate) spi: Spi,
    pub(crate) mode: Mode,
    pub(crate) encap: Encap,
    pub(crate) selector: Selector,
    pub(crate) lifetime: Lifetime,
    pub(crate) esn: Esn,
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
        let SaParams { pair, template, spi, suite, keys, mode, encap, path, selector, lifetime, esn, .. } =
            params;
        if spi.is_reserved() {
            return Err(InstallError::ReservedSpi(spi));
        }
        if path.local.is_ipv4() != path.remote.is_ipv4() {
            return Err(InstallError::MixedFamilies(path));
        }
        let protection = provider.protection(suite, keys.encryption.as_slice(), keys.integrity.as_slice())?;
        let alarms = Alarms::default();
        let created = now;
        let sa =
            Self { pair, template, spi, mode, encap, selector, lifetime, esn, protection, created, alarms };
        Ok((sa, path))
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

/// An inbound SA, ready to be installed in the worker that owns it, see [`Update::InstallInbound`](crate::Update::InstallInbound).
///
/// It keeps its SPI; the SPI is given back when the SA is dropped.
#[derive(Debug)]
pub struct InboundSa {
    pub(crate) sa: Sa,
    pub(crate) reserved: ReservedSpi,
    pub(crate) path: Path,
    pub(crate) window: ReplayWindow,
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
        let size = params.replay_window;
        if !(REPLAY_WINDOW_MIN..=REPLAY_WINDOW_MAX).contains(&size) {
            return Err(InstallError::ReplayWindow(size));
        }
        let (sa, path) = Sa::prepare(params, provider, now)?;
        Ok(Self {
            sa,
            reserved,
            path,
            window: ReplayWindow::new(size),
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
        let grant = |used: u64| count.min(last.saturating_sub(used));
        let taken = self.sequence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            (used < last).then(|| used.saturating_add(grant(used)))
        });
        let Ok(used) = taken else { return SequenceRun::default() };
        let left = grant(used);
        if last - (used + left) <= last >> SEQUENCE_LOW_SHIFT {
            self.sa.alarms.raise(Alarm::SequenceLow);
        }
        SequenceRun { next: used + 1, left }
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
