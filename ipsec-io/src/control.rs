//! What is asked of a running gateway, and what it answers: typed, and as JSON lines over a local socket.
//!
//! One request a line, one answer a line. A connection that sends more than [`LINE`] octets without a line's end, or
//! does not take its answers, is closed; the gateway's loop never waits for it.

mod client;
mod server;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::node::NodeReport;

pub use client::{ClientError, request};
pub(crate) use server::Server;
pub use server::{SocketConfig, SocketError};

/// The longest line, in octets: a request is short, and so must its sender's patience be.
pub const LINE: usize = 64 * 1024;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Request {
    /// Bring up a connection: one child of it, or all. Answered when it stands or has failed.
    Up {
        /// The connection's name.
        connection: String,
        /// The child's name; all children where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child: Option<String>,
    },
    /// Take down a connection: one child of it, or all. Answered when the peer has been told.
    Down {
        /// The connection's name.
        connection: String,
        /// The child's name; everything where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child: Option<String>,
    },
    /// How things stand.
    Status,
    /// What happened lately with one peer.
    History {
        /// The peer; what concerns no peer where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<IpAddr>,
    },
    /// Read the configuration again. The embedding program does it; without one that can, it is refused.
    Reload,
    /// Delete all SAs, telling the peers, and end.
    Shutdown,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reply {
    /// It is done.
    Done {
        /// What was done, for a person.
        message: String,
    },
    /// It was not done.
    Failed {
        /// Why, and what to do about it.
        message: String,
    },
    /// How things stand.
    Status {
        /// The report.
        report: Box<NodeReport>,
    },
    /// What happened lately.
    History {
        /// The records as lines of text, oldest first.
        records: Vec<String>,
    },
}

impl Reply {
    pub(crate) fn done(message: impl Into<String>) -> Self {
        Self::Done { message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into() }
    }
}
