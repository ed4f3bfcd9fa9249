//! The way of packets through a worker.

mod esp;
mod inbound;
mod outbound;
mod tunnel;

use arrayvec::ArrayVec;

use crate::batch::Slot;
use crate::trace::{TraceClass, TraceMask};

/// Packets processed together: what a multi-buffer cipher fills its lanes with.
const BURST: usize = 32;

/// Packets processed together, each with its part of the arena.
type Burst<'a> = ArrayVec<(&'a mut Slot, &'a mut [u8]), BURST>;

/// The classes of what is traced of packets on their way.
const DECIDED: TraceMask = TraceMask::of(TraceClass::FilterInfo);
const CHOSEN: TraceMask = TraceMask::of(TraceClass::TunnelInfo);
const PROCESSED: TraceMask = TraceMask::of(TraceClass::CryptoInfo);
const CARRIED: TraceMask = TraceMask::of(TraceClass::CapsulationInfo);
