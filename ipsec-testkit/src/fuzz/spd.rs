//! The policy index against the three sentences that define the search.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arbitrary::{Result, Unstructured};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::spd::Reason;
use ipsec_sad::{
    Action, AddressRange, Addresses, Applies, Direction, Flow, Policy, PolicyId, PortRange, Ports, Selector,
    Spd, TemplateId,
};

/// Policies in one case: enough for ties, shadows and every stage.
const POLICIES: usize = 24;
/// Flows looked up in one case.
const FLOWS: usize = 16;

/// Builds an SPD and looks flows up in it; each answer must be the naive scan's, and `explain` must name the same winner.
///
/// # Panics
/// When the index and the scan differ.
pub fn spd_vs_model(data: &[u8]) {
    // Octets that end early end the case early; that is no finding.
    let _ = case(&mut Unstructured::new(data));
}

fn case(u: &mut Unstructured<'_>) -> Result<()> {
    let default = if u.arbitrary()? { Action::Bypass } else { Action::Discard };
    let mut policies = Vec::new();
    for number in 0..u.int_in_range(0..=POLICIES)? {
        let id = PolicyId(u32::try_from(number).unwrap_or(u32::MAX));
        let selector = selector(u)?;
        if selector.mixes_families() {
            continue;
        }
        let action = match u.int_in_range(0..=2)? {
            0 => Action::Bypass,
            1 => Action::Discard,
            _ => Action::Protect(TemplateId(id.0)),
        };
        let mut policy = Policy::new(id, format!("policy {number}"), selector, action);
        policy.applies = *u.choose(&[Applies::BothWays, Applies::OutboundOnly, Applies::InboundOnly])?;
        policies.push(policy);
    }
    let spd = Spd::builder(default)
        .extend(policies.iter().cloned())
        .build()
        .expect("distinct ids, no mixed families, no protecting default");
    for _ in 0..FLOWS {
        let flow = flow(u)?;
        let direction = *u.choose(&[Direction::Outbound, Direction::Inbound])?;
        let found = spd.lookup(&flow, direction);
        let expected = scan(&policies, &flow, direction);
        assert_eq!(found.policy, expected.map(|policy| policy.id), "{flow} {direction:?} in {policies:#?}");
        assert_eq!(found.action, expected.map_or(default, |policy| policy.action));
        let explained = spd.explain(&flow, direction);
        let winners: Vec<PolicyId> = explained
            .candidates
            .iter()
            .filter(|candidate| candidate.reason == Reason::Won)
            .map(|candidate| candidate.policy)
            .collect();
        assert_eq!(winners, expected.map(|policy| policy.id).into_iter().collect::<Vec<_>>());
        assert_eq!(explained.found, found);
    }
    Ok(())
}

/// Hashed: most specified fields, then configuration order. Ordered: configuration order.
fn scan<'p>(policies: &'p [Policy], flow: &Flow, direction: Direction) -> Option<&'p Policy> {
    let matching = || {
        policies
            .iter()
            .filter(|policy| policy.applies_to(direction) && covers(&policy.selector, flow, direction))
    };
    let mut best: Option<&Policy> = None;
    for policy in matching().filter(|policy| hashed(&policy.selector)) {
        if best.is_none_or(|best| specified(&policy.selector) > specified(&best.selector)) {
            best = Some(policy);
        }
    }
    best.or_else(|| matching().find(|policy| !hashed(&policy.selector)))
}

fn specified(selector: &Selector) -> usize {
    let addresses =
        [selector.local, selector.remote].into_iter().filter(|field| *field != Addresses::Any).count();
    let ports = [selector.local_port, selector.remote_port]
        .into_iter()
        .filter(|field| *field != PortRange::ANY)
        .count();
    addresses + ports + usize::from(selector.protocol.is_some())
}

fn hashed(selector: &Selector) -> bool {
    let single = |field: Addresses| match field {
        Addresses::Any => true,
        Addresses::Range(range) => range.first() == range.last(),
    };
    let one = |field: PortRange| {
        field == PortRange::ANY || field == PortRange::OPAQUE || field.first() == field.last()
    };
    specified(selector) > 0
        && single(selector.local)
        && single(selector.remote)
        && one(selector.local_port)
        && one(selector.remote_port)
}

/// The selector's own words, written without the library's: both addresses, the protocol, the ports as they look from our side.
fn covers(selector: &Selector, flow: &Flow, direction: Direction) -> bool {
    let (local, remote) = match direction {
        Direction::Outbound => (flow.source, flow.destination),
        Direction::Inbound => (flow.destination, flow.source),
    };
    let inside = |field: Addresses, address: IpAddr| match field {
        Addresses::Any => true,
        Addresses::Range(range) => range.first() <= address && address <= range.last(),
    };
    let hidden = |field: PortRange| field == PortRange::ANY || field == PortRange::OPAQUE;
    let port = |field: PortRange, is_source: bool| match flow.ports {
        Ports::Transport { source, destination } => {
            let value = if is_source { source } else { destination };
            field.first() <= value && value <= field.last()
        }
        // What we send is compared with the local field, what we receive with the remote one: both times the source's.
        Ports::Icmp { kind, code } if selector.protocol.is_some() => {
            let value = u16::from(kind) << 8 | u16::from(code);
            !is_source || field.first() <= value && value <= field.last()
        }
        Ports::Icmp { .. } => field == PortRange::ANY,
        _ => hidden(field),
    };
    let local_is_source = direction == Direction::Outbound;
    inside(selector.local, local)
        && inside(selector.remote, remote)
        && selector.protocol.is_none_or(|protocol| protocol == flow.protocol)
        && port(selector.local_port, local_is_source)
        && port(selector.remote_port, !local_is_source)
}

/// Addresses from a handful, so that policies and flows meet.
fn address(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    let number: u8 = u.int_in_range(0..=15)?;
    Ok(if u.ratio(1, 4)? {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()))
    } else {
        IpAddr::V4(Ipv4Addr::new(10, 0, number >> 3, number))
    })
}

fn addresses(u: &mut Unstructured<'_>) -> Result<Addresses> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Addresses::Any,
        1 => Addresses::from(AddressRange::single(address(u)?)),
        _ => {
            let (a, b) = (address(u)?, address(u)?);
            AddressRange::new(a.min(b), a.max(b)).map_or(Addresses::Any, Addresses::from)
        }
    })
}

fn ports(u: &mut Unstructured<'_>) -> Result<PortRange> {
    Ok(match u.int_in_range(0..=4)? {
        0 | 1 => PortRange::ANY,
        2 => PortRange::single(port(u)?),
        3 => PortRange::OPAQUE,
        _ => {
            let (a, b) = (port(u)?, port(u)?);
            PortRange::new(a.min(b), a.max(b)).unwrap_or(PortRange::ANY)
        }
    })
}

/// Ports that are also ICMP types with codes (8/0 is 0x0800).
fn port(u: &mut Unstructured<'_>) -> Result<u16> {
    Ok(*u.choose(&[0, 22, 80, 443, 0x0800, 0x0801, 0x0300, u16::MAX])?)
}

fn protocol(u: &mut Unstructured<'_>) -> Result<IpProtocol> {
    Ok(*u.choose(&[
        IpProtocol::TCP,
        IpProtocol::UDP,
        IpProtocol::ICMP,
        IpProtocol::ICMPV6,
        IpProtocol::ESP,
    ])?)
}

fn selector(u: &mut Unstructured<'_>) -> Result<Selector> {
    Ok(Selector {
        local: addresses(u)?,
        remote: addresses(u)?,
        protocol: if u.arbitrary()? { Some(protocol(u)?) } else { None },
        local_port: ports(u)?,
        remote_port: ports(u)?,
    })
}

fn flow(u: &mut Unstructured<'_>) -> Result<Flow> {
    let protocol = protocol(u)?;
    let ports = if u.ratio(1, 8)? {
        Ports::Opaque
    } else if protocol == IpProtocol::TCP || protocol == IpProtocol::UDP {
        Ports::Transport { source: port(u)?, destination: port(u)? }
    } else if protocol == IpProtocol::ICMP || protocol == IpProtocol::ICMPV6 {
        let [kind, code] = port(u)?.to_be_bytes();
        Ports::Icmp { kind, code }
    } else {
        Ports::None
    };
    Ok(Flow::new(address(u)?, address(u)?, protocol, ports))
}
