//! What a node is made from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipsec_ike::Config;
use ipsec_sad::manual::{AutoRules, ManualError, ManualTunnel};
use ipsec_sad::{Action, Applies, Policy, PolicyId, Selector, SpdError, TemplateId};

use super::policies;

/// What happens to traffic that is not to be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// It passes in clear.
    Bypass,
    /// It is dropped.
    Discard,
}

/// A policy that does not protect: an exception from the connections' children, which it goes before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in reports.
    pub name: String,
    /// What it covers, local to remote.
    pub selector: Selector,
    /// What happens to that.
    pub action: RuleAction,
    /// The directions it holds in.
    pub applies: Applies,
}

/// How much waits for SAs at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Packets that wait for one negotiation. Further ones are dropped with
    /// [`DropReason::AcquireQueueFull`](ipsec_sad::DropReason::AcquireQueueFull).
    pub waiting_per_acquire: usize,
    /// Packets that wait in all. Further ones are dropped likewise.
    pub waiting: usize,
    /// How long a packet waits at most, whatever the negotiation does.
    pub patience: Duration,
    /// How long packets still wait after we, as initiator, have sent the message that ends the negotiation: a packet
    /// that reaches the peer with it, or before the peer has acted on it, is one that some peers drop.
    pub settling: Duration,
    /// How long no new negotiation is started for traffic whose last one failed.
    pub hold_down: Duration,
}

impl Default for NodeLimits {
    /// 32 packets for one negotiation, 1024 in all, three minutes, 50 ms, ten seconds.
    fn default() -> Self {
        Self {
            waiting_per_acquire: 32,
            waiting: 1024,
            patience: Duration::from_secs(180),
            settling: Duration::from_millis(50),
            hold_down: Duration::from_secs(10),
        }
    }
}

/// What a [`Node`](super::Node) is made from, and reloaded with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The connections: each child is a policy that protects.
    pub ike: Arc<Config>,
    /// Policies that go before them, in order.
    pub rules: Vec<Rule>,
    /// Manual tunnels, active as long as they are here. Their policies go behind the rules and before the children.
    pub manual: Vec<Arc<ManualTunnel>>,
    /// The addresses of this host: a manual tunnel begins at one of them.
    pub locals: Vec<IpAddr>,
    /// What happens to traffic that no policy covers.
    pub default: RuleAction,
    /// How much waits at most.
    pub limits: NodeLimits,
}

impl NodeConfig {
    /// No rules and default limits; what no child covers is dropped.
    #[must_use]
    pub fn new(ike: Arc<Config>) -> Self {
        Self {
            ike,
            rules: Vec::new(),
            manual: Vec::new(),
            locals: Vec::new(),
            default: RuleAction::Discard,
            limits: NodeLimits::default(),
        }
    }

    /// The policies that this makes, in order: the rules, one that protects for each manual tunnel that is to have
    /// policies, and one for each child. Their numbers are their places here; a running node gives its own, and templates
    /// of manual tunnels too.
    #[must_use]
    pub fn policies(&self) -> Vec<Policy> {
        let manual = self.manual.iter().filter(|tunnel| tunnel.rules == AutoRules::Generate);
        let manual = manual.map(|tunnel| {
            let action = Action::Protect(TemplateId(u32::MAX));
            Policy::new(PolicyId(0), tunnel.name.clone(), tunnel.traffic.selector(), action)
        });
        let numbered = (0..).map(PolicyId).zip(policies::all(self, manual));
        numbered.map(|(id, policy)| Policy { id, ..policy }).collect()
    }
}

/// Why a node cannot be made, or not be reloaded: nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Two children have one template.
    #[error(
        "child {child} of connection {connection} has template {template}, as another child has: number all children differently"
    )]
    DuplicateTemplate {
        /// The later child's connection.
        connection: String,
        /// The later child.
        child: String,
        /// The template.
        template: TemplateId,
    },
    /// The policies make no SPD.
    #[error(transparent)]
    Policies(#[from] SpdError),
    /// A manual tunnel cannot be.
    #[error("manual tunnel: {0}")]
    Manual(#[from] ManualError),
    /// The connections cannot be run.
    #[error(transparent)]
    Ike(#[from] ipsec_ike::SetupError),
    /// The new connections were not taken up.
    #[error(transparent)]
    Reload(#[from] ipsec_ike::CommandError),
}
