//! The gateway as a service: its start and end, reloads, signals, privileges; and the commands that talk to it.
//!
//! ```text
//!   configuration ─► packet filter ─► sockets, TUN device ─► control socket ─► routes ─► fewer privileges ─► ready
//! ```
//!
//! A start that fails anywhere leaves nothing behind. A second gateway finds the control socket in use and changes
//! nothing.

mod client;
mod privileges;
mod record;
mod reload;
mod run;

pub use client::{CommandError, Target, ask, up};
pub use reload::{Difference, difference};
pub use run::{RunError, clean, run};
