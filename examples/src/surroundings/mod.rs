//! What a gateway needs of its host: routes that lead into the tunnel device, rules that keep its own packets out of
//! it, and the size of packet that fits.
//!
//! ```text
//!   rules, in this order          tables
//!   450  not fwmark 450     ----> 450   10.2.0.0/24 dev ipsec0 src 10.1.0.1     a route per remote selector,
//!                                       unreachable 10.2.0.0/24                 and what stays when the device goes
//!   451  but its default    ----> main  what the host knows better than "everywhere"
//!   452  not fwmark 450     ----> 451   0.0.0.0/0 dev ipsec0 src 10.1.0.1       tunnels to everywhere
//!                                       unreachable 0.0.0.0/0
//! ```
//!
//! The gateway's IKE and ESP packets carry the mark, so a remote selector that holds the peer, or everything, does not
//! lead them back into the tunnel. A tunnel to a network goes before the host's own routes: policy says that this
//! traffic is protected. A tunnel to everywhere goes behind them, but before the host's default route: the networks
//! that the host is connected to, or has routes for, stay reachable. Behind each route into the tunnel there is an
//! `unreachable` one, so that nothing leaves in clear when the device is gone, even after a crash.
//!
//! [`Plan::new`] is the pure part; [`Kernel`] carries a plan out.

mod advice;
mod enforce;
mod kernel;
mod mtu;
mod plan;
mod prefix;

pub use advice::kernel_advice;
pub use enforce::{EnforceError, Enforcer, Exempt, Ruleset};
pub use kernel::{Kernel, KernelError};
pub use mtu::{Outer, inner_mtu};
pub use plan::{Exception, HostAddress, Numbers, Plan, Route, RouteKind, Rule, RuleKind, Tunnel};
pub use prefix::{Family, Prefix};
