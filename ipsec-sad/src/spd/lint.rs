//! What is probably wrong with an SPD.

use core::fmt;
use std::net::{IpAddr, SocketAddr};

use ipsec_proto::registry::IpProtocol;

use super::cells::{Cell, Region, ranked, regions};
use super::{Action, Place, Policy, PolicyId, PolicySource, Spd};
use crate::flow::{Direction, Flow, Ports};
use crate::selector::{Addresses, PortRange, Selector};

/// Cells that are looked at for one question.
const PROBE: u64 = 100_000;

/// What a lint must know of the gateway, beside its policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintContext {
    /// Our address and a peer's, for each peer whose IKE, ESP and AH must pass.
    pub peers: Vec<(IpAddr, IpAddr)>,
    /// Our own addresses and TCP ports that it is managed by.
    pub management: Vec<SocketAddr>,
    /// Where certificates' revocation is asked for, by CRL or OCSP: addresses and TCP ports.
    pub revocation: Vec<SocketAddr>,
    /// The address that is asked from; `None` is any.
    pub asks_from: Option<IpAddr>,
    /// Cells of packets that are looked at before the search for policies that never decide is given up.
    pub cells: u64,
}

impl Default for LintContext {
    /// Nothing known, a million cells.
    fn default() -> Self {
        Self {
            peers: Vec::new(),
            management: Vec::new(),
            revocation: Vec::new(),
            asks_from: None,
            cells: 1_000_000,
        }
    }
}

/// Traffic that a gateway lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifeline {
    /// UDP port 500.
    Ike,
    /// UDP port 4500: IKE and ESP behind NAT.
    NatTraversal,
    /// IP protocol 50.
    Esp,
    /// IP protocol 51.
    Ah,
}

/// Something that is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The default lets pass what no policy covers, in clear.
    DefaultBypass,
    /// Another policy goes first and covers all that this one does: it never decides.
    Shadowed {
        /// The policy.
        policy: PolicyId,
        /// The one that goes first.
        by: PolicyId,
    },
    /// Policies that go first cover together all that this one does: it never decides.
    Unreachable {
        /// The policy.
        policy: PolicyId,
    },
    /// A hashed policy decides on packets of an ordered one that is written before it, and says otherwise.
    HashedOverrides {
        /// The hashed policy.
        policy: PolicyId,
        /// The ordered one before it.
        earlier: PolicyId,
    },
    /// Two policies say otherwise on packets that both cover, and neither is a part of the other: their order decides.
    Overlap {
        /// The policy that goes first.
        first: PolicyId,
        /// The other.
        second: PolicyId,
    },
    /// A policy is for link-local addresses and no interface: they name other hosts on each (RFC 4007 §6).
    LinkLocalAnywhere {
        /// The policy.
        policy: PolicyId,
    },
    /// What the gateway lives on does not pass in clear.
    NotPassed {
        /// What.
        what: Lifeline,
        /// Our address.
        own: IpAddr,
        /// The peer's.
        peer: IpAddr,
        /// Which way.
        direction: Direction,
        /// What decides; `None` is the default.
        by: Option<PolicyId>,
    },
    /// No policy lets management traffic in, in clear.
    ManagementShut {
        /// Our address and port.
        own: SocketAddr,
    },
    /// Revocation is asked for through a tunnel that can't come up before the answer.
    RevocationThroughTunnel {
        /// Who is asked.
        destination: SocketAddr,
        /// The policy that protects it.
        policy: PolicyId,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultBypass => f.write_str("the default passes what no policy covers, in clear"),
            Self::Shadowed { policy, by } => {
                write!(f, "policy {policy} never decides: {by} covers all of it")
            }
            Self::Unreachable { policy } => {
                write!(f, "policy {policy} never decides: others cover all of it together")
            }
            Self::HashedOverrides { policy, earlier } => {
                write!(
                    f,
                    "policy {policy} is hashed, so it goes before {earlier}, which is written before it"
                )
            }
            Self::Overlap { first, second } => {
                write!(f, "policies {first} and {second} overlap and differ: their order decides")
            }
            Self::LinkLocalAnywhere { policy } => {
                write!(f, "policy {policy} is for link-local addresses, but for no interface")
            }
            Self::NotPassed { what, own, peer, direction, by } => {
                let what = match what {
                    Lifeline::Ike => "IKE (UDP port 500)",
                    Lifeline::NatTraversal => "IKE and ESP in UDP (port 4500)",
                    Lifeline::Esp => "ESP",
                    Lifeline::Ah => "AH",
                };
                let way = match direction {
                    Direction::Outbound => "to",
                    Direction::Inbound => "from",
                };
                write!(f, "{what} of {own} {way} {peer} does not pass: ")?;
                match by {
                    Some(by) => write!(f, "policy {by}"),
                    None => f.write_str("the default"),
                }
            }
            Self::ManagementShut { own } => write!(f, "nothing lets management to {own} in"),
            Self::RevocationThroughTunnel { destination, policy } => {
                write!(f, "revocation is asked for at {destination}, through the tunnel of policy {policy}")
            }
        }
    }
}

/// All findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// What is probably wrong, by policy in the order of the search.
    pub findings: Vec<Finding>,
    /// Whether every policy was compared with all others. If not, there may be more findings.
    pub complete: bool,
}

/// Looks for what is probably wrong.
///
/// Compares policies pair by pair, as far as [`LintContext::cells`] goes.
#[must_use]
pub fn lint(spd: &Spd, context: &LintContext) -> Lint {
    let mut findings = Vec::new();
    if spd.default_action() == Action::Bypass {
        findings.push(Finding::DefaultBypass);
    }
    let mut left = context.cells;
    let complete = policies(spd, &mut left, &mut findings);
    lifelines(spd, context, &mut findings);
    Lint { findings, complete }
}

fn policies(spd: &Spd, left: &mut u64, findings: &mut Vec<Finding>) -> bool {
    let order = ranked(spd);
    let regions: Vec<Region> = regions().collect();
    let mut complete = true;
    for (number, policy) in order.iter().enumerate() {
        let id = policy.id;
        if policy.interface.is_none() && is_link_local(&policy.selector) {
            findings.push(Finding::LinkLocalAnywhere { policy: id });
        }
        let before = order.get(..number).unwrap_or_default();
        let Some(rest) = left.checked_sub(before.len() as u64) else {
            complete = false;
            continue;
        };
        *left = rest;
        let met: Vec<&Policy> = before.iter().copied().filter(|first| meet(first, policy)).collect();
        if let Some(by) = met.iter().find(|first| covers(first, policy)) {
            findings.push(Finding::Shadowed { policy: id, by: by.id });
            continue;
        }
        match decides(policy, &met, &regions, left) {
            Some(false) => {
                findings.push(Finding::Unreachable { policy: id });
                continue;
            }
            Some(true) => {}
            None => complete = false,
        }
        for first in met.iter().filter(|first| first.action != policy.action) {
            let is_part = covers(policy, first);
            if first.is_hashed() && !policy.is_hashed() && is_written_before(spd, policy, first) {
                findings.push(Finding::HashedOverrides { policy: first.id, earlier: id });
            } else if !is_part && first.source == policy.source {
                findings.push(Finding::Overlap { first: first.id, second: id });
            }
        }
    }
    complete
}

/// Whether both may cover one packet.
fn meet(a: &Policy, b: &Policy) -> bool {
    let realms = |a: Option<_>, b: Option<_>| a.is_none() || b.is_none() || a == b;
    let way = |direction| a.applies_to(direction) && b.applies_to(direction);
    (a.interface.is_none() || b.interface.is_none() || a.interface == b.interface)
        && (way(Direction::Outbound) && realms(a.realms.inner, b.realms.inner)
            || way(Direction::Inbound) && realms(a.realms.outer, b.realms.outer))
        && a.selector.intersect(&b.selector).is_some()
}

/// Whether `first` covers every packet that `other` does.
fn covers(first: &Policy, other: &Policy) -> bool {
    let way = |direction| !other.applies_to(direction) || first.applies_to(direction);
    way(Direction::Outbound)
        && way(Direction::Inbound)
        && (first.realms.inner.is_none() || first.realms.inner == other.realms.inner)
        && (first.realms.outer.is_none() || first.realms.outer == other.realms.outer)
        && (first.interface.is_none() || first.interface == other.interface)
        && first.selector.covers(&other.selector)
}

/// Whether there is a packet that `policy` covers and none of `before` does; `None` if the limit was reached.
fn decides(policy: &Policy, before: &[&Policy], regions: &[Region], left: &mut u64) -> Option<bool> {
    for region in regions {
        let Some(extent) = region.extent(policy) else { continue };
        let others: Vec<Cell> = before.iter().filter_map(|other| region.extent(other)).collect();
        let mut cells = vec![extent];
        while let Some(cell) = cells.pop() {
            *left = left.checked_sub(1)?;
            match others.iter().find(|other| other.intersect(&cell).is_some()) {
                None if region.example(&cell).is_some() => return Some(true),
                None => {}
                // What lies outside of it is looked at first.
                Some(other) => cells.extend(cell.cut(other).into_iter().flat_map(|[out, rest]| [rest, out])),
            }
        }
    }
    Some(false)
}

fn is_written_before(spd: &Spd, a: &Policy, b: &Policy) -> bool {
    let place = |policy: &Policy| -> Option<Place> { spd.place_of(policy.id) };
    place(a) < place(b) && b.source == PolicySource::Configured
}

fn is_link_local(selector: &Selector) -> bool {
    [&selector.local, &selector.remote].into_iter().filter_map(Addresses::range).any(|range| {
        let local = |address| match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        local(range.first()) && local(range.last())
    })
}

fn lifelines(spd: &Spd, context: &LintContext, findings: &mut Vec<Finding>) {
    for &(own, peer) in &context.peers {
        for what in [Lifeline::Ike, Lifeline::NatTraversal, Lifeline::Esp, Lifeline::Ah] {
            let udp = |port| (IpProtocol::UDP, Ports::Transport { source: port, destination: port });
            let (protocol, ports) = match what {
                Lifeline::Ike => udp(500),
                Lifeline::NatTraversal => udp(4500),
                Lifeline::Esp => (IpProtocol::ESP, Ports::None),
                Lifeline::Ah => (IpProtocol::AH, Ports::None),
            };
            let out = Flow::new(own, peer, protocol, ports);
            for (direction, flow) in [(Direction::Outbound, out), (Direction::Inbound, out.reversed())] {
                let found = spd.lookup(&flow, direction);
                let by = found.policy.and_then(|id| spd.policy(id));
                // What belongs to the gateway is as it should be.
                let is_built_in = by.is_some_and(|policy| policy.source == PolicySource::BuiltIn);
                if found.action != Action::Bypass && !is_built_in {
                    findings.push(Finding::NotPassed { what, own, peer, direction, by: found.policy });
                }
            }
        }
    }
    for &own in &context.management {
        let selector = Selector {
            protocol: Some(IpProtocol::TCP),
            local_port: PortRange::single(own.port()),
            ..Selector::between(own.ip(), Addresses::Any)
        };
        if !passes_some(spd, &selector) {
            findings.push(Finding::ManagementShut { own });
        }
    }
    for &destination in &context.revocation {
        let from = context.asks_from.map_or(Addresses::Any, Addresses::from);
        let asked = Selector {
            protocol: Some(IpProtocol::TCP),
            remote_port: PortRange::single(destination.port()),
            ..Selector::between(from, destination.ip())
        };
        let through = spd.entries().find(|policy| {
            matches!(policy.action, Action::Protect(_)) && wins_some(spd, policy, &asked, Direction::Outbound)
        });
        if let Some(policy) = through {
            findings.push(Finding::RevocationThroughTunnel { destination, policy: policy.id });
        }
    }
}

/// Whether some packet of `selector` comes in in clear.
fn passes_some(spd: &Spd, selector: &Selector) -> bool {
    let policies = spd.entries().filter(|policy| policy.action == Action::Bypass);
    let mut policies = policies.filter(|policy| wins_some(spd, policy, selector, Direction::Inbound));
    policies.next().is_some() || {
        let all = Policy::new(PolicyId(0), "", *selector, Action::Bypass);
        spd.default_action() == Action::Bypass && {
            let order = ranked(spd);
            let met: Vec<&Policy> = order.into_iter().filter(|first| meet(first, &all)).collect();
            decides(&all, &met, &regions_of(Direction::Inbound), &mut { PROBE }).unwrap_or(true)
        }
    }
}

/// Whether `policy` decides on some packet of `selector`.
fn wins_some(spd: &Spd, policy: &Policy, selector: &Selector, direction: Direction) -> bool {
    let Some(both) = policy.selector.intersect(selector) else { return false };
    let part = Policy { selector: both, ..policy.clone() };
    let order = ranked(spd);
    let before = order.iter().copied().take_while(|first| first.id != policy.id);
    let met: Vec<&Policy> = before.filter(|first| meet(first, &part)).collect();
    decides(&part, &met, &regions_of(direction), &mut { PROBE }).unwrap_or(true)
}

fn regions_of(direction: Direction) -> Vec<Region> {
    regions().filter(|region| region.direction == direction).collect()
}
