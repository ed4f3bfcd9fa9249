//! The way of packets through a worker.

mod esp;
mod inbound;
mod outbound;
mod tunnel;

use arrayvec::ArrayVec;

use crate::batch::Slot;

/// Packets processed together: what a multi-buffer cipher fills its lanes with.
const BURST: usize = 32;

/// Packets processed together, each with its part of the arena.
type Burst<'a> = ArrayVec<(&'a mut Slot, &'a mut [u8]), BURST>;
