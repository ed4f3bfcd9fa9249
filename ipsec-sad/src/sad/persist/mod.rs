//! SAs saved and restored, so that a restart neither drops tunnels nor uses a sequence number twice.
//!
//! A counter or combined mode gives its texts away when a nonce repeats, and nonces are made of sequence numbers. So a
//! [`Checkpoint`] does not say which number was used last but which may be: the SA stops there until a later checkpoint
//! is stored, and whoever restores begins behind it, whenever the process died.
//!
//! ```text
//!   SavedSa::new(direction, &params)      when the SA is made: the data plane keeps no keys to give back
//!   worker.checkpoint(now, saved, reserve) ──> octets ──> stored by the caller, durably ──> worker.confirm(checkpoint)
//!          ▲                                                                                        │
//!          └────────────── SadEvent::CheckpointDue: half of the reserve is used ────────────────────┘
//!   worker.retire(now, saved)             at an orderly stop: the SAs go, their numbers are exact
//!   restore(octets) ──> RestoredSa ──> inbound(), outbound()      carries nothing before its first confirmed checkpoint
//! ```
//!
//! Inbound the same holds of what is accepted: after a restart nothing passes that the process before may have accepted.
//! The packets of the reserve that were never sent are lost to both ends, no more.
//!
//! The octets hold keys. Their integrity is the store's: whoever can change them can choose the keys.

mod fields;
mod octets;

use core::sync::atomic::Ordering;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipsec_crypto::{CryptoProvider, Secret};
use ipsec_proto::{Path, Spi};

use super::{AntiReplay, InboundSa, InstallError, OutboundSa, PairId, SaParams, SpiAllocator, SpiClaimError};
use crate::flow::Direction;
use crate::stats::Traffic;
use crate::worker::{Update, Worker};
use octets::{Reader, Writer};

const MAGIC: &[u8; 4] = b"SADs";
const VERSION: u8 = 1;
const DIRECTIONS: [Direction; 2] = [Direction::Inbound, Direction::Outbound];

/// Why octets are not saved SAs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersistError {
    /// Something else.
    #[error("these are not saved SAs")]
    NotSavedSas,
    /// Another version has written them.
    #[error("saved by format version {0}, this is version {VERSION}: the SAs must be negotiated anew")]
    Version(u8),
    /// They end too early.
    #[error("the saved SAs are cut off at octet {at}")]
    Truncated {
        /// Where a field begins that is not all there.
        at: usize,
    },
    /// A field has a value that it can't have.
    #[error("the {what} at octet {at} of the saved SAs is invalid")]
    Invalid {
        /// The field.
        what: &'static str,
        /// Where it begins, in its record.
        at: usize,
    },
    /// They go on where they should end.
    #[error("the saved SAs go on behind their end, octet {at}")]
    Trailing {
        /// Where.
        at: usize,
    },
}

/// Why a restored SA can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is for the other direction.
    #[error("the saved SA is for the other direction")]
    OtherDirection,
    /// Its SPI was given to another.
    #[error(transparent)]
    Spi(#[from] SpiClaimError),
    /// Its parameters are refused.
    #[error(transparent)]
    Install(#[from] InstallError),
}

/// What of an SA never changes, keys included, as whoever made it keeps it for checkpoints.
#[derive(Debug)]
pub struct SavedSa {
    direction: Direction,
    pair: PairId,
    spi: Spi,
    params: Secret,
}

impl SavedSa {
    /// Keeps the parameters of an SA that is made of them next.
    #[must_use]
    pub fn new(direction: Direction, params: &SaParams) -> Self {
        let mut writer = Writer::new();
        fields::write_params(&mut writer, params);
        Self { direction, pair: params.pair, spi: params.spi, params: writer.finish() }
    }

    /// The pair the SA is half of.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.pair
    }
}

/// How far an SA may go once a checkpoint is stored.
#[derive(Debug)]
struct Bound {
    direction: Direction,
    pair: PairId,
    spi: Spi,
    numbers: Numbers,
}

/// How far the sequence numbers of an SA may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// The last that may be used or accepted.
    pub(crate) ceiling: u64,
    /// From here on the next checkpoint is due.
    pub(crate) due: u64,
}

/// Saved SAs, to be stored and then [confirmed](Worker::confirm).
#[derive(Debug)]
pub struct Checkpoint {
    octets: Secret,
    bounds: Vec<Bound>,
}

impl Checkpoint {
    /// What is to be stored, for [`restore`]. It holds keys.
    #[must_use]
    pub const fn octets(&self) -> &Secret {
        &self.octets
    }
}

/// What a record says of sequence numbers.
enum Progress {
    /// Outbound: all up to here are used, or may be.
    Used(u64),
    /// Inbound: all up to here were accepted, or may have been.
    Accepted(u64),
    /// Inbound: exactly these.
    Window(u64, Vec<u64>),
    /// Inbound: anti-replay is off.
    Unwatched,
}

/// What an SA has done up to now.
struct Past {
    age: Duration,
    path: Path,
    traffic: Traffic,
    progress: Progress,
}

impl Worker {
    /// Saves SAs. Each may use or accept `reserve` more packets, 1 at least; those that were never saved before are held
    /// to that at once, the others when the checkpoint is confirmed. SAs the worker has not are left out.
    pub fn checkpoint<'a>(
        &mut self,
        now: Instant,
        saved: impl IntoIterator<Item = &'a SavedSa>,
        reserve: u64,
    ) -> Checkpoint {
        let (mut file, mut bounds) = (File::new(), Vec::new());
        for sa in saved {
            let Some((mut past, last)) = self.past(now, sa) else { continue };
            let ceiling = last.saturating_add(reserve.max(1));
            let numbers = Numbers { ceiling, due: last.saturating_add(reserve / 2) };
            match sa.direction {
                Direction::Outbound => {
                    let Some(entry) = self.outbound.of_pair(sa.pair) else { continue };
                    let ceiling = entry.sa.hold(numbers);
                    past.progress = Progress::Used(ceiling);
                }
                Direction::Inbound => {
                    let Some(entry) = self.inbound.get_mut(sa.spi) else { continue };
                    entry.hold(numbers);
                    if entry.window.is_some() {
                        past.progress = Progress::Accepted(ceiling);
                    }
                }
            }
            file.record(sa, &past);
            bounds.push(Bound { direction: sa.direction, pair: sa.pair, spi: sa.spi, numbers });
        }
        Checkpoint { octets: file.finish(), bounds }
    }

    /// The checkpoint is stored durably: its SAs may go on to where it says.
    pub fn confirm(&mut self, checkpoint: &Checkpoint) {
        for bound in &checkpoint.bounds {
            match bound.direction {
                Direction::Outbound => {
                    if let Some(entry) = self.outbound.of_pair(bound.pair)
                        && entry.sa.spi() == bound.spi
                    {
                        entry.sa.release(bound.numbers);
                    }
                }
                Direction::Inbound => {
                    if let Some(sa) = self.inbound.get_mut(bound.spi)
                        && sa.pair() == bound.pair
                    {
                        sa.release(bound.numbers);
                    }
                }
            }
        }
    }

    /// Saves SAs at an orderly stop and removes them. An outbound SA that other workers share ends for them too: it has
    /// no sequence numbers left.
    pub fn retire<'a>(&mut self, now: Instant, saved: impl IntoIterator<Item = &'a SavedSa>) -> Secret {
        let mut file = File::new();
        for sa in saved {
            let Some((mut past, _)) = self.past(now, sa) else { continue };
            let update = match sa.direction {
                Direction::Outbound => {
                    let Some(entry) = self.outbound.of_pair(sa.pair) else { continue };
                    past.progress = Progress::Used(entry.sa.exhaust());
                    Update::RemoveOutbound(sa.pair)
                }
                Direction::Inbound => Update::RemoveInbound(sa.pair),
            };
            file.record(sa, &past);
            self.apply(now, update);
        }
        file.finish()
    }

    /// What an SA has done, exactly, and the last number it has used or accepted.
    fn past(&mut self, now: Instant, sa: &SavedSa) -> Option<(Past, u64)> {
        match sa.direction {
            Direction::Outbound => {
                let entry = self.outbound.of_pair(sa.pair).filter(|entry| entry.sa.spi() == sa.spi)?;
                let used = entry.sa.sequence();
                let age = now.saturating_duration_since(entry.sa.sa.created);
                let progress = Progress::Used(used);
                Some((Past { age, path: entry.path, traffic: entry.sa.traffic(), progress }, used))
            }
            Direction::Inbound => {
                let inbound = self.inbound.get(sa.spi).filter(|inbound| inbound.pair() == sa.pair)?;
                let age = now.saturating_duration_since(inbound.sa.created);
                let (progress, top) = match &inbound.window {
                    Some(window) => {
                        let (top, blocks) = window.state();
                        (Progress::Window(top, blocks.to_vec()), top)
                    }
                    None => (Progress::Unwatched, 0),
                };
                Some((Past { age, path: inbound.path, traffic: inbound.traffic, progress }, top))
            }
        }
    }
}

/// A file of records.
struct File {
    writer: Writer,
}

impl File {
    fn new() -> Self {
        let mut writer = Writer::new();
        writer.put(MAGIC);
        writer.u8(VERSION);
        Self { writer }
    }

    fn record(&mut self, sa: &SavedSa, past: &Past) {
        let mut w = Writer::new();
        w.one_of(&DIRECTIONS, &sa.direction);
        w.long(sa.params.as_slice());
        w.duration(past.age);
        w.socket(past.path.local);
        w.socket(past.path.remote);
        w.u64(past.traffic.packets);
        w.u64(past.traffic.bytes);
        match &past.progress {
            Progress::Used(number) => {
                w.u8(0);
                w.u64(*number);
            }
            Progress::Accepted(number) => {
                w.u8(1);
                w.u64(*number);
            }
            Progress::Window(top, blocks) => {
                w.u8(2);
                w.u64(*top);
                w.u32(u32::try_from(blocks.len()).unwrap_or(u32::MAX));
                blocks.iter().for_each(|block| w.u64(*block));
            }
            Progress::Unwatched => w.u8(3),
        }
        self.writer.long(w.finish().as_slice());
    }

    /// An empty record ends the file: one that is cut off is told from one that is whole.
    fn finish(mut self) -> Secret {
        self.writer.long(&[]);
        self.writer.finish()
    }
}

/// Reads saved SAs. `away` is the time since they were saved, which counts in their lifetimes.
///
/// # Errors
/// See [`PersistError`]; nothing is restored of octets with an error.
pub fn restore(octets: &[u8], away: Duration) -> Result<Vec<RestoredSa>, PersistError> {
    let mut reader = Reader::new(octets);
    if reader.take(MAGIC.len()).ok() != Some(MAGIC) {
        return Err(PersistError::NotSavedSas);
    }
    match reader.u8()? {
        VERSION => {}
        version => return Err(PersistError::Version(version)),
    }
    let mut restored = Vec::new();
    loop {
        let record = reader.long()?;
        if record.is_empty() {
            reader.end()?;
            return Ok(restored);
        }
        restored.push(read_record(record, away)?);
    }
}

fn read_record(record: &[u8], away: Duration) -> Result<RestoredSa, PersistError> {
    let mut r = Reader::new(record);
    let direction = r.one_of(&DIRECTIONS, "direction")?;
    let mut fixed = Reader::new(r.long()?);
    let mut params = fields::read_params(&mut fixed)?;
    fixed.end()?;
    let age = r.duration()?.saturating_add(away);
    let (local, remote): (SocketAddr, SocketAddr) = (r.socket()?, r.socket()?);
    params.path = Path::new(local, remote);
    // The SA begins anew as far as the clock goes: what is over is taken off its limits.
    for limits in [&mut params.lifetime.soft, &mut params.lifetime.hard] {
        limits.time = limits.time.map(|time| time.saturating_sub(age));
    }
    let traffic = Traffic { packets: r.u64()?, bytes: r.u64()? };
    let at = r.at();
    let progress = match (r.u8()?, direction, params.anti_replay) {
        (0, Direction::Outbound, _) => Progress::Used(r.u64()?),
        (1, Direction::Inbound, AntiReplay::Window(_)) => Progress::Accepted(r.u64()?),
        (2, Direction::Inbound, AntiReplay::Window(_)) => {
            let top = r.u64()?;
            let count = r.u32()?;
            let mut blocks = Vec::new();
            for _ in 0..count {
                blocks.push(r.u64()?);
            }
            Progress::Window(top, blocks)
        }
        (3, Direction::Inbound, _) => Progress::Unwatched,
        _ => return Err(PersistError::Invalid { what: "sequence numbers", at }),
    };
    r.end()?;
    Ok(RestoredSa { direction, params, traffic, progress })
}

/// An SA as it was saved.
///
/// It carries nothing before a [checkpoint](Worker::checkpoint) with it is [confirmed](Worker::confirm): the octets it
/// comes from could be restored once more.
pub struct RestoredSa {
    direction: Direction,
    params: SaParams,
    traffic: Traffic,
    progress: Progress,
}

impl RestoredSa {
    /// Which half of its pair it is.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The pair the SA is half of.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.params.pair
    }

    /// The SA's number.
    #[must_use]
    pub const fn spi(&self) -> Spi {
        self.params.spi
    }

    /// The inbound SA, under its old SPI, and what its checkpoints need.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn inbound(
        self,
        spis: &SpiAllocator,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<(InboundSa, SavedSa), RestoreError> {
        let Self { direction, params, traffic, progress } = self;
        if direction != Direction::Inbound {
            return Err(RestoreError::OtherDirection);
        }
        let saved = SavedSa::new(direction, &params);
        let reserved = spis.claim(params.spi, &format!("restored pair {}", params.pair))?;
        let mut sa = InboundSa::prepare(params, reserved, provider, now)?;
        sa.traffic = traffic;
        // The peer was heard before.
        sa.last_used = (traffic.packets > 0).then_some(now);
        if let Some(window) = &mut sa.window {
            match progress {
                Progress::Accepted(number) => window.accept_none_to(number),
                // Blocks of another number than the window has are not its own.
                Progress::Window(top, blocks) if window.resume(top, &blocks) => {}
                Progress::Window(top, _) => window.accept_none_to(top),
                Progress::Used(_) | Progress::Unwatched => {}
            }
            sa.numbers = Numbers { ceiling: 0, due: 0 };
        }
        Ok((sa, saved))
    }

    /// The outbound SA, and what its checkpoints need.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn outbound(
        self,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<(OutboundSa, SavedSa), RestoreError> {
        let Self { direction, params, traffic, progress } = self;
        let Progress::Used(number) = progress else { return Err(RestoreError::OtherDirection) };
        let saved = SavedSa::new(direction, &params);
        let sa = OutboundSa::prepare(params, provider, now)?;
        sa.count(traffic);
        sa.skip_to(number);
        sa.ceiling.store(sa.sequence(), Ordering::SeqCst);
        Ok((sa, saved))
    }
}

impl core::fmt::Debug for RestoredSa {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RestoredSa")
            .field("direction", &self.direction)
            .field("pair", &self.params.pair)
            .field("spi", &self.params.spi)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::sad::ReplayWindow;

    #[test]
    fn a_window_that_accepts_none_up_to_a_number_takes_the_next_in_any_order() {
        for top in [0, 1, 63, 64, 65, 1000, u64::from(u32::MAX)] {
            let mut window = ReplayWindow::new(128);
            window.accept_none_to(top);
            for old in top.saturating_sub(300)..=top {
                assert!(window.check(old).is_err(), "{old} after {top}");
            }
            for new in [top + 40, top + 3, top + 100, top + 1] {
                window.mark(new).unwrap();
                assert!(window.check(new).is_err());
            }
            assert!(window.check(top + 2).is_ok() && window.check(top + 39).is_ok());
        }
    }
}
