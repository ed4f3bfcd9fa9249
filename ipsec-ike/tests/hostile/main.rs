//! A hostile peer, and one between: nothing it says breaks, grows, loops or changes what it is not entitled to.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "the modules of one test")]

mod duplicates;
mod flood;
mod informational;
mod key_exchange;
mod order;
mod peer;
mod place;
mod proof;
mod proposals;
mod quick;
mod standing;
#[path = "../support/mod.rs"]
mod support;
