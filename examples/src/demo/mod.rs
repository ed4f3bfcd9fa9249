//! Two gateways in one process: negotiation, reports, a packet at each step, throughput.
//!
//! [`play`](play::play) performs, an [`Audience`] is shown [`Moment`]s. No root, no files, no network: the wire between the gateways
//! is `ipsec-io`'s simulated one, and all time but the throughput's is simulated too.

mod json;
mod ladder;
mod moment;
mod paint;
mod text;

use std::io;

pub use json::JsonAudience;
pub use moment::{
    Agreement, Cover, Fact, Fate, Field, Message, Moment, Packet, Part, Scene, Setting, Side, Stage, Table,
    Throughput, Tone, Verdict,
};
pub use text::TextAudience;

/// Whoever is shown the demonstration, moment by moment as it happens.
pub trait Audience {
    /// Shows one moment.
    ///
    /// # Errors
    /// What the stream behind the audience failed with.
    fn show(&mut self, moment: &Moment) -> io::Result<()>;
}
