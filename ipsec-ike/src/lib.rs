//! IKE, sans-IO: IKEv1 Main Mode with pre-shared keys, Quick Mode, Informational, NAT traversal, and the diagnosis of
//! what fails.
//!
//! ```text
//!  datagrams ──► handle_datagram ─┐                    ┌─► Transmit   datagrams
//!  time      ──► handle_timeout ──┤                    │
//!  data plane ─► handle_sad ──────┼──►  Ike  ──► poll_output ─► Effect   orders: install, remove, ask
//!  operator  ──► command ─────────┤                    │
//!  answers   ──► answer ──────────┘                    └─► Event      facts: messages, up, down, refused, done
//! ```
//!
//! An [`Ike`] has no clock, no socket and no thread. Time and randomness are passed in, so the same inputs give the same
//! octets. After every input the caller takes the outputs, in order, until there is none.
//!
//! Two endpoints in one process:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use ipsec_ike::crypto::{CryptoProvider, Seeded};
//! use ipsec_ike::proto::Path;
//! use ipsec_ike::sad::{AddressRange, Selector, SpiAllocator, TemplateId};
//! use ipsec_ike::*;
//!
//! fn endpoint(from: &str, to: &str, seed: u64, now: Now) -> Result<Ike, Box<dyn std::error::Error>> {
//!     let nets = |address: &str| if address == "192.0.2.1" { "10.1.0.0/24" } else { "10.2.0.0/24" };
//!     let selector = Selector::between(nets(from).parse::<AddressRange>()?, nets(to).parse::<AddressRange>()?);
//!     let child = Child::new("net", TemplateId(1), selector, vec!["aes256-sha256".parse()?]);
//!     let remote = RemoteAddress::Literal(to.parse()?);
//!     let psk = Arc::new(PreSharedKey::new(b"correct horse battery staple".to_vec()));
//!     let suites = vec!["aes128-sha1-modp2048".parse()?];
//!     let connection = Connection { local: LocalAddress::Literal(from.parse()?), ..Connection::new("peer", remote, psk, suites, vec![child]) };
//!     let config = Arc::new(Config::builder().connection(connection).build()?);
//!     let provider = Arc::new(CryptoProvider::portable());
//!     Ok(Ike::new(config, provider, SpiAllocator::new(1), Box::new(Seeded::from_u64(seed)), now)?)
//! }
//!
//! # #[allow(clippy::disallowed_methods, reason = "an Instant has no other origin")]
//! let now = Now { mono: std::time::Instant::now(), utc: UnixTime::from_epoch(Duration::ZERO) };
//! let (mut left, mut right) = (endpoint("192.0.2.1", "192.0.2.2", 1, now)?, endpoint("192.0.2.2", "192.0.2.1", 2, now)?);
//! left.command(now, Command::Up { connection: "peer".into(), child: None })?;
//! let mut ladder = Vec::new();
//! while left.has_output() || right.has_output() {
//!     for turn in 0..2 {
//!         let (from, to) = if turn == 0 { (&mut left, &mut right) } else { (&mut right, &mut left) };
//!         let mut octets = Vec::new();
//!         while let Some(output) = from.poll_output(&mut octets) {
//!             match output {
//!                 Output::Transmit(Transmit { path, range, .. }) => {
//!                     to.handle_datagram(now, Path::new(path.remote, path.local), &octets[range]);
//!                 }
//!                 Output::Event(Event::Message { number, sense: Sense::Sent, .. }) => ladder.push(number.name()),
//!                 _ => {} // install SAs, print events
//!             }
//!         }
//!     }
//! }
//! assert_eq!(ladder, ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "QM1", "QM2", "QM3"]);
//! assert_eq!((left.report(now).children.len(), right.report(now).children.len()), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What an attacker can and cannot do
//!
//! Nothing that a datagram says changes a state before it is authenticated, with the exceptions that Main Mode itself
//! makes: its first four messages are in clear, and the first well-formed one of each is taken. Notifies in clear are
//! hints for the diagnosis. Every list that a peer can fill has a limit in [`Limits`], and what happens at each limit is
//! said there. Before a peer has shown that it receives, no answer is larger than its question.
#![forbid(unsafe_code)]

mod auth;
mod clock;
mod config;
pub mod diagnosis;
mod endpoint;
mod event;
mod identity;
mod natt;
mod outbox;
mod output;
mod pad;
mod refusal;
mod report;
mod retransmit;
mod sa;
mod state;
mod suite;
mod timer;
mod v1;

pub use ipsec_crypto as crypto;
pub use ipsec_proto as proto;
pub use ipsec_sad as sad;

pub use auth::PreSharedKey;
pub use clock::{Now, UnixTime};
pub use config::{
    Child, ChildMode, Config, ConfigBuilder, ConfigError, Connection, KeyLogging, Limits, LocalAddress,
    NatTraversal, Ports, RemoteAddress, Start, Timing,
};
pub use diagnosis::Diagnosis;
pub use endpoint::Ike;
pub use event::{ChildUp, Cookies, DiscardReason, DownReason, Event, IkeUp, Outcome, RequestId, Sense};
pub use identity::{Identity, IdentityError, MAX_LENGTH as MAX_IDENTITY_LENGTH};
pub use natt::{Behind, NatFound};
pub use output::{
    Answer, AskId, Command, CommandError, CommandResult, Disposition, Effect, Framing, KeyLog, Output,
    Question, SetupError, Transmit,
};
pub use refusal::{Cause, Dimension, Mismatch, Refusal};
pub use report::{ChildReport, Counters, IkeReport, IkeSaReport};
pub use retransmit::RetransmitPolicy;
pub use state::{IkeState, MessageNumber, Phase, QuickState, Role};
pub use suite::{ChildSuite, EspSuite, IkeSuite, Protocols};
pub use timer::TimerKind;
