//! What a scenario wants of a gateway, whichever program it is.

use std::net::IpAddr;
use std::path::Path;

use crate::process::Outcome;

/// The name of the connection in every configuration.
pub(crate) const CONNECTION: &str = "site";
/// The name of its child.
pub(crate) const CHILD: &str = "net";

/// One side of a tunnel, from which either program's configuration is written.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Address on the outside.
    pub(crate) local: IpAddr,
    /// The peer's address on the outside; or anybody.
    pub(crate) remote: Option<IpAddr>,
    /// Identities, local and remote; by default the addresses.
    pub(crate) identities: Option<(String, String)>,
    /// What is protected here.
    pub(crate) local_ts: String,
    /// What is protected there.
    pub(crate) remote_ts: String,
    /// Phase 1 proposal.
    pub(crate) ike: String,
    /// ESP proposal, with its group if there is PFS.
    pub(crate) esp: String,
    /// Pre-shared key.
    pub(crate) psk: String,
    /// Whether the first packet negotiates; otherwise a command does.
    pub(crate) on_traffic: bool,
    /// How long a child's SAs live; the program's own default otherwise.
    pub(crate) lifetime: Option<&'static str>,
    /// A policy before the child, as a selector that is let pass in clear.
    pub(crate) bypass: Option<String>,
    /// Whether it records what it carries, with keys.
    pub(crate) record: bool,
}

/// A gateway that runs in its namespace; stopped when dropped.
pub(crate) trait Endpoint {
    /// Negotiates, in bounded time.
    fn up(&mut self) -> Outcome<()>;
    /// Deletes the IKE SA and the child, and tells the peer.
    fn down(&mut self) -> Outcome<()>;
    /// How many child SAs stand.
    fn children(&mut self) -> Outcome<usize>;
    /// How many IKE SAs stand.
    fn ike_sas(&mut self) -> Outcome<usize>;
    /// Everything it logged so far.
    fn log(&self) -> String;
    /// Ends it in order, and checks that it cleans up behind itself.
    fn stop(self: Box<Self>) -> Outcome<()>;
}

/// A log that is not there yet is empty.
pub(crate) fn read_log(path: &Path) -> String {
    std::fs::read(path).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
}
