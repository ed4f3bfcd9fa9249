//! How a node stands: plain data for programs, tables for people.

use std::collections::BTreeMap;
use std::fmt;

use ipsec_ike::{Now, QuickState};
use ipsec_sad::{Action, Direction, PairId, SaReport, SadReport, Traffic};
use serde::{Deserialize, Serialize};

use super::Node;

/// Everything a [`Node`] can say of itself at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeReport {
    /// The IKE SAs, oldest first, those under negotiation too.
    pub ike_sas: Vec<IkeSaReport>,
    /// The pairs of IPsec SAs, oldest first: the SAD.
    pub children: Vec<ChildReport>,
    /// The policies in the order they were configured: the SPD.
    pub policies: Vec<PolicyReport>,
    /// What happens to traffic that no policy covers, and how often it did.
    pub default_policy: PolicyReport,
    /// Dropped packets by reason, reasons without a packet left out.
    pub drops: Vec<DropReport>,
    /// What waits for an SA.
    pub waiting: WaitingReport,
    /// What IKE has counted.
    pub ike: IkeCounters,
    /// Clear packets that the host's packet filter has kept from passing, where it enforces the policies; none where
    /// the embedding program has not said so by [`Handle::enforced`](crate::gateway::Handle::enforced).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<Vec<GuardReport>>,
}

/// Clear packets that a policy does not let pass, and that the host's packet filter has dropped, in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardReport {
    /// The policy's name.
    pub policy: String,
    /// Which way they went, seen from this host: `inbound` is from the policy's remote side to its local one.
    pub direction: GuardDirection,
    /// Packets.
    pub packets: u64,
    /// Their octets, headers included.
    pub bytes: u64,
}

/// The direction of a [`GuardReport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardDirection {
    /// From the remote to the local side.
    Inbound,
    /// From the local to the remote side.
    Outbound,
}

impl fmt::Display for GuardDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        })
    }
}

/// An IKE SA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IkeSaReport {
    /// The connection's name.
    pub connection: String,
    /// How far it is, as an ASA says it: `MM_ACTIVE`.
    pub state: String,
    /// The same as IOS says it: `QM_IDLE`.
    pub ios_state: String,
    /// What the state means.
    pub meaning: String,
    /// Our role: `initiator` or `responder`.
    pub role: String,
    /// Our address and port.
    pub local: String,
    /// The peer's address and port.
    pub remote: String,
    /// The two cookies, the initiator's first.
    pub cookies: String,
    /// Who we said we are.
    pub local_id: Option<String>,
    /// Who the peer is.
    pub remote_id: Option<String>,
    /// What was agreed.
    pub suite: Option<String>,
    /// Where a NAT was found.
    pub nat: String,
    /// Since its first message, in seconds.
    pub age: u64,
    /// How long it will live in all, in seconds.
    pub lifetime: Option<u64>,
    /// The quick modes under it that are not over.
    pub quick_modes: usize,
    /// How often the message that waits for an answer was sent; 0 if none waits.
    pub transmissions: u32,
}

/// A pair of IPsec SAs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildReport {
    /// The connection's name.
    pub connection: String,
    /// The child's name.
    pub child: String,
    /// The SPI the peer sends with.
    pub inbound_spi: String,
    /// The SPI we send with.
    pub outbound_spi: String,
    /// What was agreed.
    pub suite: String,
    /// What it covers, local to remote.
    pub selector: String,
    /// Our outer address and port.
    pub local: String,
    /// The peer's outer address and port.
    pub remote: String,
    /// `udp` or `raw`.
    pub encapsulation: String,
    /// Our role in its negotiation.
    pub role: String,
    /// Since it was made, in seconds.
    pub age: u64,
    /// How long it will live in all, in seconds.
    pub lifetime: u64,
    /// Whether a newer pair has taken its place.
    pub replaced: bool,
    /// What came in.
    pub inbound: TrafficReport,
    /// What went out.
    pub outbound: TrafficReport,
    /// The last sequence number sent.
    pub sequence: u64,
    /// Packets that came in on it and were dropped.
    pub dropped: u64,
}

/// Packets and octets of clear IP packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrafficReport {
    /// Packets.
    pub packets: u64,
    /// Octets of the clear packets, headers included.
    pub bytes: u64,
}

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// Its name; `connection/child` for those that protect.
    pub name: String,
    /// What it covers, local to remote.
    pub selector: String,
    /// What happens: `bypass`, `discard` or `protect`.
    pub action: String,
    /// Packets it decided on.
    pub hits: u64,
}

/// Dropped packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DropReport {
    /// The reason's stable name.
    pub reason: String,
    /// The reason as a sentence.
    pub sentence: String,
    /// How many.
    pub packets: u64,
}

/// What waits for an SA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitingReport {
    /// Negotiations that packets wait for.
    pub acquires: usize,
    /// Packets that wait.
    pub packets: usize,
}

/// What IKE has counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IkeCounters {
    /// Datagrams handed in.
    pub received: u64,
    /// Datagrams that were what was waited for.
    pub accepted: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Messages refused.
    pub refused: u64,
    /// Datagrams let fall.
    pub discarded: u64,
    /// Requests sent again.
    pub retransmitted: u64,
    /// Responder negotiations that are not authenticated, now.
    pub half_open: usize,
    /// Negotiations not begun because a limit was reached.
    pub at_limit: u64,
    /// Negotiations that failed.
    pub failed: u64,
}

impl fmt::Display for NodeReport {
    /// Several lines: IKE SAs, SAD, SPD, drops.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "IKE SAs: {}", self.ike_sas.len())?;
        for sa in &self.ike_sas {
            write!(f, "{sa}")?;
        }
        writeln!(f, "IPsec SAs (SAD): {} pairs", self.children.len())?;
        for child in &self.children {
            write!(f, "{child}")?;
        }
        writeln!(f, "Policies (SPD): {} and the default", self.policies.len())?;
        for policy in self.policies.iter().chain([&self.default_policy]) {
            writeln!(f, "  {policy}")?;
        }
        let WaitingReport { acquires, packets } = self.waiting;
        if acquires > 0 {
            writeln!(f, "Waiting: {packets} packets for {acquires} negotiations")?;
        }
        if !self.drops.is_empty() {
            writeln!(f, "Dropped:")?;
        }
        for drop in &self.drops {
            writeln!(f, "  {:>10}  {}: {}", drop.packets, drop.reason, drop.sentence)?;
        }
        if let Some(guards) = &self.enforcement {
            writeln!(f, "Enforced by the packet filter, in clear and dropped:")?;
            for guard in guards {
                writeln!(f, "  {guard}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for IkeSaReport {
    /// Two lines, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, state, role, local, remote, cookies, nat, age, .. } = self;
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
        let (suite, local_id, remote_id) =
            (known(&self.suite), known(&self.local_id), known(&self.remote_id));
        writeln!(f, "  {connection}: {state} ({}), {role}, {local} <-> {remote}, {age} s old", self.meaning)?;
        write!(f, "    {cookies}, {suite}, {local_id} <-> {remote_id}, {nat}")?;
        match self.lifetime {
            Some(lifetime) => writeln!(f, ", lives {lifetime} s"),
            None => writeln!(f),
        }
    }
}

impl fmt::Display for ChildReport {
    /// Three lines, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, child, selector, suite, encapsulation, local, remote, age, lifetime, .. } =
            self;
        let standing = if self.replaced { ", replaced" } else { "" };
        writeln!(f, "  {connection}/{child}: {selector}, {suite}, {age} s of {lifetime} s{standing}")?;
        writeln!(
            f,
            "    in  {} {:>10} packets {:>12} bytes, {} dropped",
            self.inbound_spi, self.inbound.packets, self.inbound.bytes, self.dropped
        )?;
        writeln!(
            f,
            "    out {} {:>10} packets {:>12} bytes, {local} -> {remote} ({encapsulation})",
            self.outbound_spi, self.outbound.packets, self.outbound.bytes
        )
    }
}

impl fmt::Display for GuardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, direction, packets, bytes } = self;
        write!(f, "{packets:>10} packets {bytes:>12} bytes, {direction:<8} {policy}")
    }
}

impl fmt::Display for PolicyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, selector, action, hits } = self;
        write!(f, "{name}: {action} {selector}, {hits} packets")
    }
}

impl Node {
    /// How everything stands now. Allocates: for people and for metrics.
    #[must_use]
    pub fn report(&self, now: Now) -> NodeReport {
        let ike = self.ike.report(now);
        let sad = self.worker.report();
        let halves = Halves::new(&sad);
        NodeReport {
            ike_sas: ike.ike_sas.iter().map(IkeSaReport::from).collect(),
            children: ike.children.iter().map(|child| halves.report(child)).collect(),
            policies: sad.policies.iter().map(PolicyReport::from).collect(),
            default_policy: PolicyReport {
                name: "default".to_owned(),
                selector: "everything else".to_owned(),
                action: action_name(sad.default_action).to_owned(),
                hits: sad.default_use.hits,
            },
            drops: sad
                .drops
                .iter()
                .filter(|(_, packets)| *packets > 0)
                .map(|(reason, packets)| DropReport {
                    reason: reason.name().to_owned(),
                    sentence: reason.sentence().to_owned(),
                    packets,
                })
                .collect(),
            waiting: WaitingReport { acquires: self.waiting.acquires(), packets: self.waiting.packets() },
            ike: IkeCounters {
                received: ike.counters.received,
                accepted: ike.counters.accepted,
                duplicates: ike.counters.duplicates,
                refused: ike.counters.refused,
                discarded: ike.counters.discarded,
                retransmitted: ike.counters.retransmitted,
                half_open: ike.half_open,
                at_limit: ike.counters.at_limit,
                failed: ike.counters.failed,
            },
            enforcement: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Half {
    Inbound,
    Outbound,
}

/// The SAs of the data plane, to be found by pair.
struct Halves<'a>(BTreeMap<(PairId, Half), &'a SaReport>);

impl<'a> Halves<'a> {
    fn new(sad: &'a SadReport) -> Self {
        let half = |direction| match direction {
            Direction::Inbound => Half::Inbound,
            Direction::Outbound => Half::Outbound,
        };
        Self(sad.sas.iter().map(|sa| ((sa.pair, half(sa.direction)), sa)).collect())
    }

    fn report(&self, child: &ipsec_ike::ChildReport) -> ChildReport {
        let inbound = self.0.get(&(child.pair, Half::Inbound));
        let outbound = self.0.get(&(child.pair, Half::Outbound));
        ChildReport {
            connection: child.connection.to_string(),
            child: child.child.to_string(),
            inbound_spi: child.inbound.to_string(),
            outbound_spi: child.outbound.to_string(),
            suite: child.suite.to_string(),
            selector: child.selector.to_string(),
            local: child.path.local.to_string(),
            remote: child.path.remote.to_string(),
            encapsulation: if child.in_udp { "udp" } else { "raw" }.to_owned(),
            role: child.role.to_string(),
            age: child.age.as_secs(),
            lifetime: child.lifetime.as_secs(),
            replaced: child.replaced,
            inbound: inbound.map(|sa| sa.traffic.into()).unwrap_or_default(),
            outbound: outbound.map(|sa| sa.traffic.into()).unwrap_or_default(),
            sequence: outbound.map_or(0, |sa| sa.sequence),
            dropped: inbound.map_or(0, |sa| sa.dropped),
        }
    }
}

impl From<Traffic> for TrafficReport {
    fn from(traffic: Traffic) -> Self {
        Self { packets: traffic.packets, bytes: traffic.bytes }
    }
}

impl From<&ipsec_ike::IkeSaReport> for IkeSaReport {
    fn from(sa: &ipsec_ike::IkeSaReport) -> Self {
        Self {
            connection: sa.connection.to_string(),
            state: sa.state.name().to_owned(),
            ios_state: sa.state.ios_name().to_owned(),
            meaning: sa.state.meaning().to_owned(),
            role: sa.role.to_string(),
            local: sa.path.local.to_string(),
            remote: sa.path.remote.to_string(),
            cookies: sa.cookies.to_string(),
            local_id: sa.local_id.as_ref().map(ToString::to_string),
            remote_id: sa.remote_id.as_ref().map(ToString::to_string),
            suite: sa.suite.map(|suite| suite.to_string()),
            nat: sa.nat.to_string(),
            age: sa.age.as_secs(),
            lifetime: sa.lifetime.map(|lifetime| lifetime.as_secs()),
            quick_modes: sa.quick_modes.iter().filter(|(_, state)| *state != QuickState::QmDone).count(),
            transmissions: sa.transmissions,
        }
    }
}

impl From<&ipsec_sad::PolicyReport> for PolicyReport {
    fn from(policy: &ipsec_sad::PolicyReport) -> Self {
        Self {
            name: policy.name.clone(),
            selector: policy.selector.to_string(),
            action: action_name(policy.action).to_owned(),
            hits: policy.used.hits,
        }
    }
}

const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Bypass => "bypass",
        Action::Discard => "discard",
        Action::Protect(_) => "protect",
    }
}
