//! The Security Association Database (RFC 4301 §4.4.2): SPIs, SAs, their windows, counters and lifetimes.

mod alarm;
mod choice;
mod lifetime;
mod mode;
mod params;
mod persist;
mod replay;
mod sa;
mod spi;
mod table;

pub(crate) use alarm::Alarm;
pub use lifetime::{Lifetime, LimitKind, Limits};
pub use mode::{
    DontFragment, DscpMap, Ecn, Fragmentation, HopLimit, InnerDscp, Mode, MssClamp, OuterDscp,
    TransportChecksum, TunnelOptions,
};
pub use params::{
    InstallError, Keying, OuterHeader, Protocol, ProtocolKind, SaKeys, SaParams, TfcPadding, Unauthenticated,
};
pub(crate) use persist::Numbers;
pub use persist::{Checkpoint, PersistError, RestoreError, RestoredSa, SavedSa, restore};
pub use replay::{
    AntiReplay, REPLAY_WINDOW_DEFAULT, REPLAY_WINDOW_MAX, REPLAY_WINDOW_MIN, ReplayError, ReplayWindow,
};
pub use sa::{Esn, InboundSa, OutboundSa, SourceCheck};
pub(crate) use sa::{Sa, SequenceRun};
pub(crate) use spi::owner;
pub use spi::{MAX_WORKERS, ReservedSpi, SpiAllocator, SpiClaimError, SpiExhausted, SpiHolder};
pub(crate) use table::{InboundTable, Outbound, OutboundTable, Standing};

/// Names a pair of SAs, inbound and outbound, made by one negotiation. Chosen by whoever makes them; unique while live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(pub u64);

impl core::fmt::Display for PairId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}
