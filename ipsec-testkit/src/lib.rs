//! Test support of the IPsec crate family. Used by `tests/` and `fuzz/`, never shipped.

#![forbid(unsafe_code)]

pub mod fuzz;
pub mod packet;
mod pair;
pub mod provider;
mod scenario;
mod time;

pub use pair::{End, Fate, Pair, Sent};
pub use scenario::{CHILD, CONNECTION, EndSetup, SECRET, Scenario, Side, seeds};
pub use time::{at, since_start};
