//! Two gateways in one process: negotiation, reports, a packet at each step, throughput.
//!
//! [`play`] performs, an [`Audience`] is shown [`Moment`]s. No root, no files, no network: the wire between the gateways
//! is `ipsec-io`'s simulated one, and all time but the throughput's is simulated too.

mod cast;
mod json;
mod ladder;
mod moment;
mod packets;
mod paint;
mod play;
mod report;
mod text;
mod throughput;
mod world;

use std::io;

pub use json::JsonAudience;
pub use moment::{
    Agreement, Cover, Fact, Fate, Field, Message, Moment, Packet, Part, Scene, Setting, Side, Stage, Table,
    Throughput, Tone, Verdict,
};
pub use play::{Options, play};
pub use text::TextAudience;

/// Why the demonstration could not be given, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The audience or the recording could not be written to.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    /// The stage could not be set.
    #[error("cannot set the stage: {0}")]
    Setup(String),
    /// The tunnel did not come up, or did not carry a packet and its answer, in a time that should be plenty.
    #[error("no packet came through the tunnel and back in {0} s of simulated time")]
    NoTunnel(u64),
}

impl DemoError {
    fn setup(reason: impl std::fmt::Display) -> Self {
        Self::Setup(reason.to_string())
    }
}

/// Whoever is shown the demonstration, moment by moment as it happens.
pub trait Audience {
    /// Shows one moment.
    ///
    /// # Errors
    /// What the stream behind the audience failed with.
    fn show(&mut self, moment: &Moment) -> io::Result<()>;
}
