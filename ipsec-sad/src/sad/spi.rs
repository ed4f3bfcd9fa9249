//! SPIs for inbound SAs: numbers that are found again by index, and never met twice.
//!
//! ```text
//!  31      24 23   20 19                  0
//! +----------+-------+---------------------+
//! |generation|worker |        slot         |
//! +----------+-------+---------------------+
//! ```
//!
//! The worker bits steer a packet to the worker that owns the SA, the slot is its place in that worker's table, and
//! the random generation tells this SA from those that had the slot before. It is never 0, so that no SPI is in 0..=255
//! (RFC 4303 §2.1). A slot that is given back waits behind others before it is used again.

use core::fmt;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipsec_crypto::SecureRandom;
use ipsec_proto::Spi;

use crate::verdict::WorkerId;

/// The most workers an allocator can serve.
pub const MAX_WORKERS: u8 = 1 << WORKER_BITS;

const SLOT_BITS: u32 = 20;
const WORKER_BITS: u32 = 4;
const GENERATION_SHIFT: u32 = SLOT_BITS + WORKER_BITS;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
/// Slots given back that wait before the first of them is used again.
const RESTING_SLOTS: usize = 64;

/// No SPI is left on any worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all inbound SPIs are in use")]
pub struct SpiExhausted;

/// Who has an SPI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpiHolder {
    /// An SA that was or is being negotiated.
    Negotiated,
    /// A claim, under the name it was made with: of a manual tunnel, or of an SA taken over from another process.
    Claimed(Arc<str>),
}

impl fmt::Display for SpiHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negotiated => f.write_str("a negotiated SA"),
            Self::Claimed(name) => write!(f, "{name:?}"),
        }
    }
}

/// Why a certain SPI can't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpiClaimError {
    /// It lies in 0..=255 (RFC 4303 §2.1).
    #[error("SPI {0} is in the reserved range 0 to 255: choose one from 256 on")]
    Reserved(Spi),
    /// A live SA has it.
    #[error("SPI {spi} is in use by {holder}: choose another, or remove that one first")]
    InUse {
        /// The SPI.
        spi: Spi,
        /// Who has it.
        holder: SpiHolder,
    },
}

/// Hands out the SPIs of inbound SAs. A clone is another handle to the same numbers.
///
/// One is made for all workers of a data plane and given to whoever makes SAs: IKE and manual tunnels share the numbers.
#[derive(Clone)]
pub struct SpiAllocator {
    state: Arc<Mutex<State>>,
}

struct State {
    workers: Vec<Slots>,
    /// Whose turn it is.
    next_worker: usize,
    /// Numbers claimed, with the name they were claimed under.
    claimed: BTreeMap<u32, Arc<str>>,
}

#[derive(Default)]
struct Slots {
    /// The generation each slot has or last had, and whether it is taken.
    slots: Vec<(u8, Usage)>,
    resting: VecDeque<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Usage {
    Free,
    Taken,
}

impl SpiAllocator {
    /// An allocator for `workers` workers, taken as at least 1 and at most [`MAX_WORKERS`].
    #[must_use]
    pub fn new(workers: u8) -> Self {
        let workers = workers.clamp(1, MAX_WORKERS);
        let state = State {
            workers: (0..workers).map(|_| Slots::default()).collect(),
            next_worker: 0,
            claimed: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Reserves an SPI; the workers take turns.
    ///
    /// # Errors
    /// [`SpiExhausted`] with 2^20 SPIs taken on every worker.
    pub fn reserve(&self, random: &mut dyn SecureRandom) -> Result<ReservedSpi, SpiExhausted> {
        let mut octet = [0];
        random.fill(&mut octet);
        let [octet] = octet;
        let spi = self.lock().reserve(octet).ok_or(SpiExhausted)?;
        Ok(ReservedSpi { spi, allocator: self.clone() })
    }

    /// Reserves a certain SPI: one chosen by hand, or that of an SA taken over. `holder` is who is named to others that
    /// want it.
    ///
    /// # Errors
    /// See [`SpiClaimError`].
    pub fn claim(&self, spi: Spi, holder: &str) -> Result<ReservedSpi, SpiClaimError> {
        if spi.is_reserved() {
            return Err(SpiClaimError::Reserved(spi));
        }
        let mut state = self.lock();
        if let Some(holder) = state.holder(spi) {
            return Err(SpiClaimError::InUse { spi, holder });
        }
        state.claimed.insert(spi.0, holder.into());
        Ok(ReservedSpi { spi, allocator: self.clone() })
    }

    /// Who has an SPI, `None` if it is free.
    #[must_use]
    pub fn holder(&self, spi: Spi) -> Option<SpiHolder> {
        self.lock().holder(spi)
    }

    /// The worker that owns the inbound SA with this SPI.
    #[must_use]
    pub fn owner(&self, spi: Spi) -> WorkerId {
        owner(spi, self.workers())
    }

    /// The number of workers.
    #[must_use]
    pub fn workers(&self) -> u8 {
        u8::try_from(self.lock().workers.len()).unwrap_or(MAX_WORKERS)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The numbers are whole after every statement, so a panic elsewhere does not spoil them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SpiAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiAllocator").finish_non_exhaustive()
    }
}

/// The worker of `workers` that owns the inbound SA with this SPI. One chosen by hand may name a worker there is not.
pub(crate) fn owner(spi: Spi, workers: u8) -> WorkerId {
    let [_, octet, _, _] = spi.to_be_bytes();
    WorkerId((octet >> (8 - WORKER_BITS)) % workers.max(1))
}

/// The place of an SPI in its worker's table.
pub(crate) fn slot(spi: Spi) -> usize {
    usize::try_from(spi.0 & SLOT_MASK).unwrap_or_default()
}

fn parts(spi: Spi) -> (u8, usize, u32) {
    let [generation, octet, _, _] = spi.to_be_bytes();
    (generation, usize::from(octet >> (8 - WORKER_BITS)), spi.0 & SLOT_MASK)
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

impl State {
    fn reserve(&mut self, random: u8) -> Option<Spi> {
        for _ in 0..self.workers.len() {
            let worker = self.next_worker;
            self.next_worker = (worker + 1) % self.workers.len();
            if let Some(spi) = self.reserve_on(worker, random) {
                return Some(spi);
            }
        }
        None
    }

    fn reserve_on(&mut self, worker: usize, random: u8) -> Option<Spi> {
        let worker_bits = u32::try_from(worker).ok()? << SLOT_BITS;
        let slots = self.workers.get_mut(worker)?;
        let full = slots.slots.len() > index(SLOT_MASK);
        let slot = if full || slots.resting.len() > RESTING_SLOTS {
            slots.resting.pop_front()?
        } else {
            slots.slots.push((0, Usage::Free));
            u32::try_from(slots.slots.len() - 1).ok()?
        };
        let (generation, usage) = slots.slots.get_mut(index(slot))?;
        // Any generation but the last one and 0, and none that makes the number of a manual SA.
        let last = *generation;
        let number = (0..=u8::MAX)
            .map(|step| random.wrapping_add(step))
            .filter(|&candidate| candidate != 0 && candidate != last)
            .map(|candidate| (candidate, u32::from(candidate) << GENERATION_SHIFT | worker_bits | slot))
            .find(|(_, number)| !self.claimed.contains_key(number));
        let Some((candidate, number)) = number else {
            slots.resting.push_back(slot);
            return None;
        };
        (*generation, *usage) = (candidate, Usage::Taken);
        Some(Spi(number))
    }

    fn holder(&self, spi: Spi) -> Option<SpiHolder> {
        match self.claimed.get(&spi.0) {
            Some(name) => Some(SpiHolder::Claimed(Arc::clone(name))),
            None => self.is_taken(spi).then_some(SpiHolder::Negotiated),
        }
    }

    fn is_taken(&self, spi: Spi) -> bool {
        let (generation, worker, slot) = parts(spi);
        self.workers.get(worker).and_then(|slots| slots.slots.get(index(slot)))
            == Some(&(generation, Usage::Taken))
    }

    fn release(&mut self, spi: Spi) {
        if self.claimed.remove(&spi.0).is_some() || !self.is_taken(spi) {
            return;
        }
        let (_, worker, slot) = parts(spi);
        let Some(slots) = self.workers.get_mut(worker) else { return };
        if let Some((_, usage)) = slots.slots.get_mut(index(slot)) {
            *usage = Usage::Free;
            slots.resting.push_back(slot);
        }
    }
}

/// An SPI that nobody else gets. Goes into [`InboundSa::prepare`](crate::InboundSa::prepare), or is given back when dropped.
#[must_use]
pub struct ReservedSpi {
    spi: Spi,
    allocator: SpiAllocator,
}

impl ReservedSpi {
    /// The number.
    #[must_use]
    pub const fn spi(&self) -> Spi {
        self.spi
    }

    /// The worker that will own the SA.
    #[must_use]
    pub fn owner(&self) -> WorkerId {
        self.allocator.owner(self.spi)
    }
}

impl Drop for ReservedSpi {
    fn drop(&mut self) {
        self.allocator.lock().release(self.spi);
    }
}

impl fmt::Debug for ReservedSpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReservedSpi({})", self.spi)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ipsec_crypto::Seeded;

    use super::*;

    #[test]
    fn no_spi_is_reserved_by_iana_or_live_twice() {
        for workers in [1, 3, MAX_WORKERS] {
            let allocator = SpiAllocator::new(workers);
            let mut random = Seeded::from_u64(workers.into());
            let mut live: Vec<ReservedSpi> = Vec::new();
            let mut octet = [0];
            for _ in 0..20_000 {
                random.fill(&mut octet);
                if octet[0] < 120 && !live.is_empty() {
                    drop(live.swap_remove(usize::from(octet[0]) % live.len()));
                } else {
                    let new = allocator.reserve(&mut random).unwrap();
                    assert!(!new.spi().is_reserved());
                    assert!(new.owner().0 < workers);
                    live.push(new);
                }
            }
            let distinct: BTreeSet<Spi> = live.iter().map(ReservedSpi::spi).collect();
            assert_eq!(distinct.len(), live.len());
        }
    }

    #[test]
    fn a_slot_rests_and_comes_back_with_another_generation() {
        let allocator = SpiAllocator::new(1);
        let mut random = Seeded::from_u64(5);
        let first = allocator.reserve(&mut random).unwrap().spi();
        let mut seen = vec![first];
        let mut met_again = 0;
        for _ in 0..500 {
            let spi = allocator.reserve(&mut random).unwrap().spi();
            if slot(spi) == slot(first) {
                met_again += 1;
                assert_ne!(Some(&spi), seen.last());
                seen.push(spi);
            }
        }
        assert!((5..10).contains(&met_again), "{met_again}");
    }

    #[test]
    fn numbers_chosen_by_hand_share_the_space() {
        let allocator = SpiAllocator::new(1);
        let mut random = Seeded::from_u64(5);
        for reserved in [0, 1, 255] {
            assert_eq!(
                allocator.claim(Spi(reserved), "m").unwrap_err(),
                SpiClaimError::Reserved(Spi(reserved))
            );
        }
        let negotiated = allocator.reserve(&mut random).unwrap();
        let spi = negotiated.spi();
        assert_eq!(
            allocator.claim(spi, "m").unwrap_err(),
            SpiClaimError::InUse { spi, holder: SpiHolder::Negotiated }
        );
        drop(negotiated);
        assert_eq!(allocator.holder(spi), None);
        let spi = Spi(0x4321);
        let claimed = allocator.claim(spi, "branch").unwrap();
        let refused = allocator.claim(spi, "other").unwrap_err();
        assert_eq!(
            refused,
            SpiClaimError::InUse { spi, holder: SpiHolder::Claimed("branch".into()) },
            "the holder is named"
        );
        assert!(refused.to_string().contains("\"branch\""));
        drop(claimed);
        drop(allocator.claim(spi, "other").unwrap());

        // Every number of one slot but one is claimed: that one is found.
        let number = |generation: u32| Spi(generation << GENERATION_SHIFT | 1);
        let claimed: Vec<_> =
            (1..=255).filter(|&g| g != 77).map(|g| allocator.claim(number(g), "m").unwrap()).collect();
        let found = allocator.reserve(&mut random).unwrap();
        assert_eq!(found.spi(), number(77));
        drop(claimed);
    }
}
