//! What may be talked about, and with whom: connections, children, limits.
//!
//! A [`Config`] is checked once, by [`ConfigBuilder::build`], and immutable from then on; a changed one is handed
//! over whole, with [`Command::Reload`](crate::Command::Reload).

mod check;
mod limits;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipsec_proto::net::Path;
use ipsec_sad::{AddressRange, Selector, TemplateId};

pub use self::limits::{Limits, Timing};
use crate::auth::PreSharedKey;
use crate::identity::Identity;
use crate::natt::NatFound;
use crate::suite::{ChildSuite, IkeSuite};

/// The UDP ports of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where IKE starts (RFC 2408 §2.5.1): 500.
    pub ike: u16,
    /// Where IKE goes on, and ESP in UDP runs, when there is a NAT (RFC 3947 §4): 4500.
    pub natt: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { ike: 500, natt: 4500 }
    }
}

/// Our own address on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalAddress {
    /// Whatever the peer writes to; to initiate, [`Question::Source`](crate::Question::Source) is asked.
    Any,
    /// This address and no other.
    Literal(IpAddr),
}

/// The peer's address on a connection. The order is also the order of preference for a peer that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteAddress {
    /// This address.
    Literal(IpAddr),
    /// Any address of a prefix or range: the peer calls, we don't.
    Range(AddressRange),
    /// A name; asked for again by [`Question::Resolve`](crate::Question::Resolve) whenever we initiate.
    Name {
        /// The DNS name.
        name: String,
        /// Its addresses when the configuration was read.
        resolved: Vec<IpAddr>,
    },
    /// Any address: the peer calls, we don't.
    Any,
}

/// Whether ESP goes into UDP (RFC 3947).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NatTraversal {
    /// Where a NAT is found.
    #[default]
    Auto,
    /// Always: our own address is announced as if it had been translated.
    Force,
    /// Never: NAT traversal is not announced.
    Off,
}

/// When a child is negotiated without a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Only by command, or when the peer asks.
    #[default]
    Command,
    /// When the data plane has a packet for it ([`SadEvent::Acquire`](ipsec_sad::SadEvent::Acquire)).
    Traffic,
    /// At once, when the configuration is taken up.
    Immediate,
}

/// What a child protects of a packet (RFC 4301 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChildMode {
    /// The whole packet, in a new one between the gateways.
    #[default]
    Tunnel,
    /// What follows the IP header of packets between the two hosts themselves: of the child's selector only the protocol and
    /// the ports count, and addresses that cover both hosts.
    Transport,
}

/// What a connection carries, in a pair of SAs, or in two where AH goes around ESP.
#[derive(Debug, Clone)]
pub struct Child {
    /// Its name, unique within the connection.
    pub name: String,
    /// The data plane's word for it: what an acquire names, and what the SAs are installed under.
    pub template: TemplateId,
    /// What it covers, local to remote.
    pub selector: Selector,
    /// Tunnel or transport.
    pub mode: ChildMode,
    /// What is offered and accepted, best first. Where there is a NAT, those with AH are left out.
    pub proposals: Vec<ChildSuite>,
    /// How long its SAs live; one hour by default.
    pub lifetime: Duration,
    /// When it is negotiated.
    pub start: Start,
}

impl Child {
    /// A child in tunnel mode with the default lifetime of an hour, started by traffic.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        template: TemplateId,
        selector: Selector,
        proposals: Vec<ChildSuite>,
    ) -> Self {
        Self {
            name: name.into(),
            template,
            selector,
            mode: ChildMode::default(),
            proposals,
            lifetime: Duration::from_secs(3600),
            start: Start::Traffic,
        }
    }

    /// What it covers between the ends of `path`: in transport mode the packets of these two hosts only.
    pub(crate) fn selector_on(&self, path: Path) -> Selector {
        match self.mode {
            ChildMode::Tunnel => self.selector,
            ChildMode::Transport => {
                let Selector { local, remote, .. } = Selector::between(path.local.ip(), path.remote.ip());
                Selector { local, remote, ..self.selector }
            }
        }
    }

    /// The proposals that can be used: AH protects the addresses, which a NAT changes.
    pub(crate) fn proposals_over(&self, nat: NatFound) -> impl Iterator<Item = &ChildSuite> + Clone {
        self.proposals.iter().filter(move |suite| !nat.any() || !suite.has_ah())
    }
}

/// One peer, and how to talk to it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name, unique within the configuration.
    pub name: String,
    /// Our address.
    pub local: LocalAddress,
    /// The peer's address.
    pub remote: RemoteAddress,
    /// Who we say we are; our IKE address where `None`.
    pub local_id: Option<Identity>,
    /// Who the peer must say it is; the configured address where `None`, which then must be a literal.
    pub remote_id: Option<Identity>,
    /// The shared secret.
    pub psk: Arc<PreSharedKey>,
    /// What is offered and accepted in phase 1, best first.
    pub proposals: Vec<IkeSuite>,
    /// How long the ISAKMP SA lives; four hours by default.
    pub ike_lifetime: Duration,
    /// Whether ESP goes into UDP.
    pub nat_traversal: NatTraversal,
    /// The peer's ports.
    pub remote_ports: Ports,
    /// What it may carry.
    pub children: Vec<Child>,
}

impl Connection {
    /// A connection with defaults: any local address, identities from addresses, four hours, NAT traversal where needed.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        remote: RemoteAddress,
        psk: Arc<PreSharedKey>,
        proposals: Vec<IkeSuite>,
        children: Vec<Child>,
    ) -> Self {
        Self {
            name: name.into(),
            local: LocalAddress::Any,
            remote,
            local_id: None,
            remote_id: None,
            psk,
            proposals,
            ike_lifetime: Duration::from_secs(4 * 3600),
            nat_traversal: NatTraversal::Auto,
            remote_ports: Ports::default(),
            children,
        }
    }

    /// The child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Child> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Whether keys are given out for a protocol analyser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyLogging {
    /// No key leaves, except to the data plane.
    #[default]
    Off,
    /// [`Effect::KeyLog`](crate::Effect::KeyLog) has the key of each ISAKMP SA: whoever holds it reads the exchange.
    On,
}

/// A checked configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    key_log: KeyLogging,
    connections: Vec<Arc<Connection>>,
    limits: Limits,
    timing: Timing,
    ports: Ports,
}

impl Config {
    /// Starts an empty configuration.
    #[must_use]
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// The connections, in the order they were given.
    #[must_use]
    pub fn connections(&self) -> &[Arc<Connection>] {
        &self.connections
    }

    /// The connection of this name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&Arc<Connection>> {
        self.connections.iter().find(|connection| connection.name == name)
    }

    /// How much peers may make us hold.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long things take at most.
    #[must_use]
    pub const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Whether keys are given out for a protocol analyser.
    #[must_use]
    pub const fn key_log(&self) -> KeyLogging {
        self.key_log
    }

    /// Our own ports.
    #[must_use]
    pub const fn ports(&self) -> Ports {
        self.ports
    }
}

/// Collects a configuration and checks it.
#[derive(Debug, Clone, Default)]
pub struct ConfigBuilder {
    config: Config,
}

impl ConfigBuilder {
    /// Adds a connection.
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.config.connections.push(Arc::new(connection));
        self
    }

    /// Sets how much peers may make us hold.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Sets how long things take at most.
    #[must_use]
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.config.timing = timing;
        self
    }

    /// Sets our own ports.
    #[must_use]
    pub const fn ports(mut self, ports: Ports) -> Self {
        self.config.ports = ports;
        self
    }

    /// Sets whether keys are given out for a protocol analyser.
    #[must_use]
    pub const fn key_log(mut self, key_log: KeyLogging) -> Self {
        self.config.key_log = key_log;
        self
    }

    /// Checks everything that can be checked without a peer.
    ///
    /// # Errors
    /// The first fault found, with the field and the way to mend it.
    pub fn build(self) -> Result<Config, ConfigError> {
        let config = self.config;
        check::check_numbers(&config)?;
        for (index, connection) in config.connections.iter().enumerate() {
            if config.connections.iter().take(index).any(|other| other.name == connection.name) {
                return Err(ConfigError::new(
                    &connection.name,
                    "name",
                    "is used twice",
                    "give each connection its own name",
                ));
            }
            check::check_connection(connection)?;
        }
        Ok(config)
    }
}

/// What is wrong with a configuration, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{field} {problem}: {fix}", if connection.is_empty() { String::new() } else { format!("connection {connection}: ") })]
pub struct ConfigError {
    /// The connection's name; empty for what concerns all of them.
    pub connection: String,
    /// The field, as [`Connection`], [`Child`], [`Limits`] and [`Timing`] name it.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl ConfigError {
    fn new(connection: &str, field: &str, problem: &str, fix: &str) -> Self {
        Self { connection: connection.into(), field: field.into(), problem: problem.into(), fix: fix.into() }
    }
}
