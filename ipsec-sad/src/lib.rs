//! The IPsec data plane, sans-IO: policies (SPD), security associations (SAD), ESP processing
#![forbid(unsafe_code)]

mod audit;
mod batch;
mod drop;
mod event;
mod flow;
mod sad;
mod selector;
pub mod spd;
mod verdict;

pub use audit::AuditEvent;
pub use batch::{Batch, BatchError, HEAD_ROOM, MAX_NESTED, Meta, Packet, TAIL_ROOM};
pub use drop::DropReason;
pub use event::SadEvent;
pub use flow::{Direction, Flow, Ports};
pub use sad::{
    Lifetime, LimitKind, Limits, PairId, REPLAY_WINDOW_DEFAULT, REPLAY_WINDOW_MAX, REPLAY_WINDOW_MIN,
    ReplayError, ReplayWindow,
};
pub use selector::{AddressRange, AddressRangeError, Addresses, PortRange, Selector, SelectorField};
pub use spd::{Action, Applies, Granularity, Policy, PolicyId, Spd, SpdError, TemplateId};
pub use verdict::{AcquireId, Encap, Verdict, WorkerId};
