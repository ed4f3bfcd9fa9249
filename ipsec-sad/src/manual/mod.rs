//! Manually keyed tunnels: defined, activated, deactivated, changed, removed, listed, exported and imported.
//!
//! ```text
//!   define ──> Defined ──activate──> Active          text of our own   export / import, for ourselves or mirrored for the peer
//!                 ▲  <──deactivate──   │             ip xfrm           the same tunnel for a Linux kernel
//!      change, remove                 SAs, policies  setkey            the same tunnel for KAME's PF_KEY
//! ```
//!
//! What may be combined is a [table](INTEGRITY), with [rules](RULES) that errors name. A tunnel is checked when it is
//! defined or changed; its SPIs are claimed when it is activated, from the [`SpiAllocator`] that negotiated SAs have
//! theirs from.
//!
#![cfg_attr(feature = "portable", doc = "```")]
#![cfg_attr(not(feature = "portable"), doc = "```ignore")]
//! use ipsec_crypto::{CryptoProvider, OsRandom};
//! use ipsec_sad::{AddressRange, SpiAllocator, manual::*};
//!
//! let (spis, provider) = (SpiAllocator::new(1), CryptoProvider::default());
//! let locals = ["192.0.2.1".parse()?];
//! let traffic = ManualTraffic::between("10.1.0.0/24".parse()?, "10.2.0.0/24".parse()?);
//! let suite = ManualSuite { esp: Some("aes128-sha256".parse()?), ah: None };
//! let tunnel = ManualTunnel::new("office", ManualTunnel::source("192.0.2.1", &locals)?, "192.0.2.2".parse()?, traffic)
//!     .generate(suite, &spis, &mut OsRandom);
//!
//! // The peer gets the mirror, by a way that nobody else can read.
//! let for_peer = export(&tunnel.mirror("office"));
//! assert!(String::from_utf8_lossy(for_peer.as_slice()).contains("local 192.0.2.2"));
//!
//! let mut tunnels = ManualTunnels::default();
//! tunnels.define(tunnel, &locals)?;
//! # #[allow(clippy::disallowed_methods, reason = "an example has no loop to get the time from")]
//! let active = tunnels.activate("office", &locals, &spis, &provider, std::time::Instant::now())?;
//! assert_eq!((active.inbound.len(), active.outbound.len(), active.policies.len()), (1, 1, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activate;
mod error;
mod export;
mod foreign;
mod import;
mod notation;
mod rules;
mod set;
pub mod setkey;
mod table;
mod tunnel;
pub mod xfrm;

#[cfg(test)]
mod tests;

pub use activate::Activation;
pub use error::{Field, ManualError, ManualFault};
pub use export::export;
pub use import::import;
pub use rules::TunnelNumber;
pub use set::{ManualReport, ManualState, ManualTunnels};
pub use table::{ENCRYPTION, INTEGRITY, RULES, Rule};
pub use tunnel::{
    AutoRules, HeaderFormat, ManualAh, ManualEsp, ManualMode, ManualSas, ManualSuite, ManualTraffic,
    ManualTunnel, Nesting,
};

#[cfg(doc)]
use crate::sad::SpiAllocator;
