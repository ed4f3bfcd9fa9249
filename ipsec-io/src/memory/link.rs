//! A protected network in memory.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipsec_ike::Now;
use ipsec_sad::{Batch, Meta};

use super::CAPACITY;
use crate::backend::{Link, Moved, Taken};

/// A protected network in memory: packets are put in at one side and taken out at the other.
///
/// Clones are handles of the same one, so a test keeps one and gives the other to a gateway.
#[derive(Clone, Debug, Default)]
pub struct MemoryLink(Arc<Mutex<LinkState>>);

#[derive(Debug, Default)]
struct LinkState {
    waiting: VecDeque<Vec<u8>>,
    delivered: VecDeque<Vec<u8>>,
}

impl MemoryLink {
    /// An empty link.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an IP packet in, as a host of the protected network would send it.
    ///
    /// # Errors
    /// The packet itself, where too many wait already.
    pub fn inject(&self, packet: Vec<u8>) -> Result<(), Vec<u8>> {
        let mut state = self.lock();
        if state.waiting.len() >= CAPACITY {
            return Err(packet);
        }
        state.waiting.push_back(packet);
        Ok(())
    }

    /// Takes an IP packet out that came through the tunnel, oldest first.
    #[must_use]
    pub fn take(&self) -> Option<Vec<u8>> {
        self.lock().delivered.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link for MemoryLink {
    fn receive(&mut self, _now: Now, batch: &mut Batch) -> Moved {
        let mut moved = Moved::default();
        let mut state = self.lock();
        while let Some(packet) = state.waiting.front() {
            if moved.push(batch, Meta::Clear, packet) == Taken::Full {
                break;
            }
            state.waiting.pop_front();
        }
        moved
    }

    fn send(&mut self, _now: Now, packets: &[&[u8]]) -> Moved {
        let mut moved = Moved::default();
        let mut state = self.lock();
        for packet in packets {
            if state.delivered.len() >= CAPACITY {
                moved.dropped += 1;
            } else {
                state.delivered.push_back(packet.to_vec());
                moved.count(packet.len());
            }
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
