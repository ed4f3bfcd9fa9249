//! IPsec gateways to embed or to run: IKE and the data plane joined, with TUN, UDP, raw and in-memory backends.
//!
//! ```text
//!   Handle, control socket ──> Gateway ── the only loop, the only clock, the only system calls
//!                                │
//!        Wire: udp · raw ────────┼──────── Link: tun          memory stands for both, pcap records both
//!                                │
//!                              Node ── sans-IO: Ike + Worker + packets that wait for an SA
//!                                │
//!                      Record ──> text · JSON · ring · tracing
//! ```
//!
//! A gateway in ten lines (the program needs the capabilities NET_ADMIN and NET_BIND_SERVICE; routes and addresses are
//! the caller's):
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use ipsec_io::{gateway::Gateway, ike::*, node::NodeConfig, sad::*, tun::TunLink, udp::{UdpConfig, UdpWire}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let psk = Arc::new(PreSharedKey::new(std::fs::read("office.psk")?));
//! let net = Selector::between("10.1.0.0/24".parse::<AddressRange>()?, "10.2.0.0/24".parse::<AddressRange>()?);
//! let child = Child::new("net", TemplateId(1), net, vec!["aes128-sha256".parse()?]);
//! let peer = RemoteAddress::Literal("192.0.2.2".parse()?);
//! let office = Connection::new("office", peer, psk, vec!["aes256-sha256-modp3072".parse()?], vec![child]);
//! let config = Config::builder().connection(office).build()?;
//! let wire = UdpWire::bind(&UdpConfig::default())?;
//! let link = TunLink::open("ipsec0", 1400)?;
//! let gateway = Gateway::builder(NodeConfig::new(Arc::new(config)), wire, link).build()?;
//! gateway.run()?;
//! # Ok(()) }
//! ```
//!
//! A [`Node`](node::Node) is the same without a loop: octets, time and randomness in, octets and records out. A packet
//! for the other side makes it negotiate:
//!
#![cfg_attr(feature = "portable", doc = "```")]
#![cfg_attr(not(feature = "portable"), doc = "```ignore")]
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use ipsec_io::crypto::{CryptoProvider, OsRandom};
//! use ipsec_io::ike::{Child, Config, Connection, LocalAddress, Now, PreSharedKey, RemoteAddress, UnixTime};
//! use ipsec_io::node::{Node, NodeConfig, NodeOutput};
//! use ipsec_io::sad::{AddressRange, Batch, Meta, Selector, TemplateId};
//!
//! let net = Selector::between("10.1.0.0/24".parse::<AddressRange>()?, "10.2.0.0/24".parse::<AddressRange>()?);
//! let child = Child::new("net", TemplateId(1), net, vec!["aes128-sha256".parse()?]);
//! let office = Connection {
//!     local: LocalAddress::Literal("192.0.2.1".parse()?),
//!     ..Connection::new(
//!         "office",
//!         RemoteAddress::Literal("192.0.2.2".parse()?),
//!         Arc::new(PreSharedKey::new(b"a secret".to_vec())),
//!         vec!["aes128-sha1-modp2048".parse()?],
//!         vec![child],
//!     )
//! };
//! let config = NodeConfig::new(Arc::new(Config::builder().connection(office).build()?));
//! # #[allow(clippy::disallowed_methods, reason = "an example has no loop to get the time from")]
//! let now = Now { mono: Instant::now(), utc: UnixTime::from_epoch(Duration::from_secs(1_700_000_000)) };
//! let mut node = Node::new(config, Arc::new(CryptoProvider::default()), Box::new(OsRandom), now)?;
//!
//! let mut batch = Batch::new(32, 2048);
//! let ping = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 1, 0, 1, 10, 2, 0, 1, 8, 0, 0, 0, 0, 1, 0, 1];
//! batch.push(Meta::Clear, &ping)?;
//! node.handle_link(now, &mut batch);
//!
//! let mut octets = Vec::new();
//! let sent = std::iter::from_fn(|| node.poll_output(&mut octets)).find_map(|output| match output {
//!     NodeOutput::Transmit(transmit) => Some(transmit),
//!     _ => None,
//! });
//! let first = sent.expect("the first message of Main Mode");
//! assert_eq!(first.path.remote, "192.0.2.2:500".parse()?);
//! assert_eq!(node.report(now).waiting.packets, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod backend;
pub mod clear;
pub mod control;
pub mod events;
pub mod gateway;
pub mod memory;
pub mod node;
pub mod pcap;
pub mod raw;
mod socket;
mod socket_set;
pub mod tun;
pub mod udp;
mod with_header;

pub use ipsec_crypto as crypto;
pub use ipsec_ike as ike;
pub use ipsec_proto as proto;
pub use ipsec_sad as sad;
