//! The IPsec data plane, sans-IO: policies (SPD), security associations (SAD), ESP processing.
//!
//! ```text
//!                clear packets in, sealed out                    sealed packets in, clear out
//!    Batch ──> Worker::outbound ──> verdicts            Batch ──> Worker::inbound ──> verdicts
//!                │ flow                                           │ SPI: slot and generation
//!                │ flow cache, SPD: hashed, ordered, default      │ replay window: test
//!                │ SA whose selectors cover the flow              │ verify, open
//!                │ sequence numbers, seal                         │ replay window: mark
//!                ▼                                                ▼ inner packet against the SA's selectors
//!    Send, Bypass, Acquire, Drop                        Deliver, Handoff, Drop
//! ```
//!
//! Nothing here does I/O, reads a clock or draws randomness of its own. The unit of work is a [`Batch`]; every packet of
//! it ends with one [`Verdict`], and every dropped one with one [`DropReason`]. The control side gives a worker its
//! policies and SAs by [`Worker::apply`] and takes [`SadEvent`]s from [`Worker::next_event`]: a packet that needs an SA
//! asks for one, an SA that nears its end asks for a successor. No packet allocates, locks or waits.
//!
//! An SA is made in three steps, whoever negotiates it: an SPI is reserved ([`SpiAllocator::reserve`]), keys are prepared
//! ([`InboundSa::prepare`], [`OutboundSa::prepare`]), and the halves are installed ([`Update`]).
//!
#![cfg_attr(feature = "portable", doc = "```")]
#![cfg_attr(not(feature = "portable"), doc = "```ignore")]
//! use std::{sync::Arc, time::Instant};
//! use ipsec_crypto::{CryptoProvider, OsRandom, Secret};
//! use ipsec_proto::Path;
//! use ipsec_sad::*;
//!
//! # #[allow(clippy::disallowed_methods, reason = "an example has no loop to get the time from")]
//! let now = Instant::now();
//! let (provider, spis) = (CryptoProvider::default(), SpiAllocator::new(1));
//! let mut worker = Worker::new(WorkerConfig::default(), &mut OsRandom);
//!
//! // Everything between the two networks is protected, all else is dropped.
//! let selector = Selector::between("10.1.0.0/24".parse::<AddressRange>()?, "10.2.0.0/24".parse::<AddressRange>()?);
//! let policy = Policy::new(PolicyId(1), "office", selector, Action::Protect(TemplateId(1)));
//! let spd = Spd::builder(Action::Discard).push(policy).build()?;
//! worker.apply(now, Update::Policies(Arc::new(spd)));
//!
//! // A packet between them asks for an SA.
//! let ping = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 1, 0, 1, 10, 2, 0, 1, 8, 0, 0, 0, 0, 1, 0, 1];
//! let mut batch = Batch::new(32, 2048);
//! batch.push(Meta::Clear, &ping)?;
//! worker.outbound(now, &mut batch);
//! assert!(matches!(batch.verdict(0), Some(Verdict::Acquire(_))));
//! assert!(matches!(worker.next_event(), Some(SadEvent::Acquire { policy: PolicyId(1), .. })));
//!
//! // Negotiated, the pair is installed and used. Both halves are ours here: what we send, we receive.
//! let reserved = spis.reserve(&mut OsRandom)?;
//! let params = || -> Result<SaParams, ipsec_crypto::CryptoError> {
//!     let keys = SaKeys { encryption: Secret::from_slice(&[1; 16]), integrity: Secret::from_slice(&[2; 32]) };
//!     let protocol = Protocol::Esp { suite: "aes128-sha256".parse()?, keys };
//!     let path = Path::new(([192, 0, 2, 1], 0).into(), ([192, 0, 2, 2], 0).into());
//!     Ok(SaParams::new(PairId(1), TemplateId(1), reserved.spi(), protocol, path, selector))
//! };
//! let outbound = OutboundSa::prepare(params()?, &provider, now)?;
//! let inbound = SaParams { selector: selector.mirror(), ..params()? };
//! let inbound = InboundSa::prepare(inbound, reserved, &provider, now)?;
//! worker.apply(now, Update::InstallInbound(Box::new(inbound)));
//! worker.apply(now, Update::InstallOutbound(Arc::new(outbound)));
//! worker.apply(now, Update::Activate(PairId(1)));
//!
//! batch.clear();
//! batch.push(Meta::Clear, &ping)?;
//! worker.outbound(now, &mut batch);
//! let Some(Verdict::Send { path, encap, .. }) = batch.verdict(0) else { panic!("not sealed") };
//! let sealed = batch.packet(0).unwrap_or_default().to_vec();
//!
//! batch.clear();
//! batch.push(Meta::Wire { path: path.reversed(), encap, traffic_class: None }, &sealed)?;
//! worker.inbound(now, &mut batch);
//! assert_eq!(batch.verdict(0), Some(Verdict::Deliver));
//! assert_eq!(batch.packet(0), Some(&ping[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod acquire;
mod audit;
mod batch;
mod drop;
mod event;
mod explain;
mod flow;
pub mod manual;
mod process;
mod realm;
mod report;
mod ring;
mod sad;
mod selector;
pub mod spd;
mod stats;
mod trace;
mod verdict;
mod worker;

pub use ipsec_crypto as crypto;
pub use ipsec_proto as proto;

pub use audit::{AuditEvent, AuditField, AuditKind, AuditKinds};
pub use batch::{Batch, BatchError, HEAD_ROOM, MAX_NESTED, Meta, Packet, TAIL_ROOM};
pub use drop::DropReason;
pub use event::SadEvent;
pub use explain::{CacheState, Next, PacketExplanation, SaCandidate, SaReason};
pub use flow::{Direction, Flow, Ports};
pub use process::{IcmpError, Learned};
pub use realm::{InterfaceId, Origin, RealmId, Realms};
pub use report::{PairReport, PolicyReport, PolicyUse, SaReport, SaState, SadReport};
pub use sad::{
    AntiReplay, Checkpoint, DontFragment, DscpMap, Ecn, Esn, Fragmentation, HopLimit, InboundSa, InnerDscp,
    InstallError, Keying, Lifetime, LimitKind, Limits, MAX_WORKERS, Mode, MssClamp, OutboundSa, OuterDscp,
    OuterHeader, PairId, PersistError, Protocol, ProtocolKind, REPLAY_WINDOW_DEFAULT, REPLAY_WINDOW_MAX,
    REPLAY_WINDOW_MIN, ReplayError, ReplayWindow, ReservedSpi, RestoreError, RestoredSa, SaKeys, SaParams,
    SavedSa, SourceCheck, SpiAllocator, SpiClaimError, SpiExhausted, SpiHolder, TfcPadding,
    TransportChecksum, TunnelOptions, Unauthenticated, restore,
};
pub use selector::{
    AddressRange, AddressRangeError, Addresses, PortRange, Selector, SelectorField, SelectorParseError,
};
pub use spd::{
    Action, Applies, Granularity, LogRate, Policy, PolicyId, PolicyLog, PolicySource, Spd, SpdError,
    TemplateId,
};
pub use stats::{Drops, Handled, SaCounts, Traffic};
pub use trace::{Trace, TraceClass, TraceMask, Traced};
pub use verdict::{AcquireId, Encap, Verdict, WorkerId};
pub use worker::{Generation, SourceRoutes, Totals, Update, Worker, WorkerConfig};
