//! Who talks to whom, and over what network: the starting point of a simulation.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ipsec_crypto::CryptoProvider;
use ipsec_ike::{
    Child, Config, Connection, KeyLogging, Limits, LocalAddress, PreSharedKey, RemoteAddress, Timing,
};
use ipsec_io::memory::{Conditions, Nat};
use ipsec_io::node::{NodeConfig, NodeLimits, Rule, RuleAction};
use ipsec_sad::{AddressRange, Selector, TemplateId};

use crate::pair::Pair;
use crate::provider;

/// The name of the one connection each gateway has.
pub const CONNECTION: &str = "peer";
/// The name of its one child.
pub const CHILD: &str = "net";
/// The secret both gateways share unless a test says otherwise.
pub const SECRET: &[u8] = b"correct horse battery staple";

/// One of the two gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that initiates, where a test does not say otherwise.
    West,
    /// The other.
    East,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::West => Self::East,
            Self::East => Self::West,
        }
    }
}

/// How one gateway is set up.
#[derive(Clone, Debug)]
pub struct EndSetup {
    /// Its outer address.
    pub address: IpAddr,
    /// A host behind it.
    pub host: IpAddr,
    /// Its connection to the other.
    pub connection: Connection,
    /// How much peers may make it hold.
    pub limits: Limits,
    /// How long things take.
    pub timing: Timing,
    /// Policies before the connection's.
    pub rules: Vec<Rule>,
    /// How many packets wait.
    pub node_limits: NodeLimits,
    /// Its algorithms.
    pub provider: CryptoProvider,
}

impl EndSetup {
    /// The configuration of its node.
    ///
    /// # Panics
    /// When the configuration is refused.
    #[must_use]
    pub fn config(&self) -> NodeConfig {
        let ike = Config::builder()
            .connection(self.connection.clone())
            .limits(self.limits)
            .timing(self.timing)
            .key_log(KeyLogging::Off)
            .build()
            .expect("a configuration without faults");
        NodeConfig {
            rules: self.rules.clone(),
            default: RuleAction::Discard,
            limits: self.node_limits,
            ..NodeConfig::new(Arc::new(ike))
        }
    }
}

/// A simulation before it begins. Change what the test is about, then [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What everything left to chance comes from: both gateways' randomness and the network's mischief.
    pub seed: u64,
    /// What the network does.
    pub conditions: Conditions,
    /// A NAT between the gateways.
    pub nat: Option<Nat>,
    /// The western gateway.
    pub west: EndSetup,
    /// The eastern gateway.
    pub east: EndSetup,
}

impl Scenario {
    /// Two gateways that agree on everything, 10 ms apart, on a perfect network, with instant cryptography.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (west, east) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1));
        let nets = ["10.1.0.0/24", "10.2.0.0/24"];
        let hosts = [Ipv4Addr::new(10, 1, 0, 10), Ipv4Addr::new(10, 2, 0, 10)];
        Self {
            seed,
            conditions: Conditions { delay: Duration::from_millis(10), ..Conditions::default() },
            nat: None,
            west: end(west.into(), east.into(), nets, hosts[0].into()),
            east: end(east.into(), west.into(), [nets[1], nets[0]], hosts[1].into()),
        }
    }

    /// The same with real cryptography.
    #[must_use]
    pub fn with_provider(mut self, provider: CryptoProvider) -> Self {
        self.west.provider = provider;
        self.east.provider = provider;
        self
    }

    /// The same with the western gateway behind a NAT, so that only it can begin.
    ///
    /// # Panics
    /// Never: the identity is one.
    #[must_use]
    pub fn behind_nat(mut self) -> Self {
        let outside = Ipv4Addr::new(203, 0, 113, 1).into();
        self.nat = Some(Nat::new(&[self.west.address], outside));
        self.east.connection.remote = RemoteAddress::Any;
        self.east.connection.remote_id =
            Some(self.west.address.to_string().parse().expect("an address is an identity"));
        self
    }

    /// One gateway's setup.
    pub const fn end(&mut self, side: Side) -> &mut EndSetup {
        match side {
            Side::West => &mut self.west,
            Side::East => &mut self.east,
        }
    }

    /// Gives both gateways the same phase 1 proposal.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn ike(mut self, proposal: &str) -> Self {
        for side in [Side::West, Side::East] {
            self.end(side).connection.proposals = vec![proposal.parse().expect("a proposal")];
        }
        self
    }

    /// Gives both gateways the same phase 2 proposal.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn esp(mut self, proposal: &str) -> Self {
        for side in [Side::West, Side::East] {
            self.end(side).esp(proposal);
        }
        self
    }

    /// Starts the simulation.
    ///
    /// # Panics
    /// When a configuration is refused.
    #[must_use]
    pub fn build(self) -> Pair {
        Pair::new(self)
    }
}

impl EndSetup {
    /// Sets the phase 1 proposal.
    ///
    /// # Panics
    /// When it is none.
    pub fn ike(&mut self, proposal: &str) {
        self.connection.proposals = vec![proposal.parse().expect("a proposal")];
    }

    /// Sets the phase 2 proposal of every child.
    ///
    /// # Panics
    /// When it is none.
    pub fn esp(&mut self, proposal: &str) {
        for child in &mut self.connection.children {
            child.proposals = vec![proposal.parse().expect("a proposal")];
        }
    }

    /// Sets the pre-shared key.
    pub fn secret(&mut self, secret: &[u8]) {
        self.connection.psk = Arc::new(PreSharedKey::new(secret.to_vec()));
    }
}

fn end(local: IpAddr, remote: IpAddr, nets: [&str; 2], host: IpAddr) -> EndSetup {
    let [ours, theirs] = nets.map(|net| net.parse::<AddressRange>().expect("a prefix"));
    let child = Child::new(
        CHILD,
        TemplateId(1),
        Selector::between(ours, theirs),
        vec!["aes128-sha256".parse().expect("a proposal")],
    );
    let connection = Connection {
        local: LocalAddress::Literal(local),
        ..Connection::new(
            CONNECTION,
            RemoteAddress::Literal(remote),
            Arc::new(PreSharedKey::new(SECRET.to_vec())),
            vec!["aes256-sha256-modp2048".parse().expect("a proposal")],
            vec![child],
        )
    };
    EndSetup {
        address: local,
        host,
        connection,
        limits: Limits::default(),
        timing: Timing::default(),
        rules: Vec::new(),
        node_limits: NodeLimits::default(),
        provider: provider::mixing(),
    }
}

/// The seeds a simulation runs with: `usual` many, or as many as `IPSEC_SIM_SEEDS` asks for, if that is more.
#[must_use]
pub fn seeds(usual: u64) -> core::ops::RangeInclusive<u64> {
    let wanted = std::env::var("IPSEC_SIM_SEEDS").ok().and_then(|number| number.parse().ok());
    1..=wanted.unwrap_or(0).max(usual)
}
