//! The policies as rules of the host's packet filter: what they do not let pass in clear is dropped, whatever the routes
//! say and whether the gateway lives or not.
//!
//! ```text
//!   hook          before the policies                                       then
//!   prerouting    from a network behind us, by an interface not leading there: dropped
//!   input         lo, TUN, ESP, AH, IKE to us, link-local: pass             chain `inbound`:  remote -> local
//!   output        lo, TUN, marked (our ESP, IKE, bypass), link-local: pass  chain `outbound`: local -> remote
//!   forward       from the TUN: no `inbound`; into it: no `outbound`        both chains
//! ```
//!
//! The two chains hold one rule a policy in the order in which the SPD is searched, so the first that matches is the one
//! that the SPD would choose. `bypass` returns; `discard` and `protect` count and drop. One transaction of `nft` puts a
//! new set in the place of the old one.
//!
//! [`Ruleset`] is the pure part; [`Enforcer`] carries it out.

mod matches;
mod nft;
mod ruleset;

pub use nft::{EnforceError, Enforcer};
pub use ruleset::{Exempt, Ruleset};
