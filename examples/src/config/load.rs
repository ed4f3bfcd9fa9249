//! From the file to what a gateway runs: algorithms understood, secrets read, names looked up.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ipsec_io::crypto::{CryptoProvider, IkeSuite};
use ipsec_io::ike::{
    Child, ChildSuite, Config, Connection, Identity, KeyLogging, LocalAddress,
    NatTraversal as IkeNatTraversal, Ports, PreSharedKey, RemoteAddress, Start as IkeStart,
};
use ipsec_io::node::{NodeConfig, Rule, RuleAction};
use ipsec_io::sad::manual::{ManualTraffic, ManualTunnel, import};
use ipsec_io::sad::{Addresses, Applies, PortRange, Selector, TemplateId};

use super::algorithms;
use super::fault::{Collector, Faults, Source};
use super::file::{ChildSection, ConnectionSection, File, GatewaySection, PolicyAction, SecretSource};
use super::values::{At, NatTraversal, RemoteHost, Start};
use crate::surroundings::{Exception, Family, Outer, Tunnel};

/// How long the names of all peers may take to be looked up. What is not known then is looked up again when needed.
const NAMES: Duration = Duration::from_secs(2);

/// A configuration, ready to run.
#[derive(Debug)]
pub struct Loaded {
    /// `[gateway]`.
    pub gateway: GatewaySection,
    /// What the node is made from or reloaded with.
    pub node: NodeConfig,
    /// What is to be routed into the tunnel device.
    pub tunnels: Vec<Tunnel>,
    /// What is to be kept out of it.
    pub exceptions: Vec<Exception>,
    /// Per child the peer, where it is known, and what packets to it are wrapped in at most.
    pub wrappings: Vec<(Option<IpAddr>, Outer)>,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

/// Gives each child a number that it keeps over reloads, so that its SAs stay.
#[derive(Debug, Default)]
pub struct Numbering(BTreeMap<(String, String), TemplateId>);

impl Numbering {
    fn of(&mut self, connection: &str, child: &str) -> TemplateId {
        let next = TemplateId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        *self.0.entry((connection.to_owned(), child.to_owned())).or_insert(next)
    }
}

impl Loaded {
    /// Reads a file, and the secrets that it names.
    ///
    /// # Errors
    /// Everything that is wrong with the file, its secrets and its algorithms; nothing is half loaded.
    pub fn read(path: &Path, numbering: &mut Numbering, provider: &CryptoProvider) -> Result<Self, Faults> {
        Self::from_source(&Source::read(path)?, numbering, provider)
    }

    /// The same from a text.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn from_source(
        source: &Source,
        numbering: &mut Numbering,
        provider: &CryptoProvider,
    ) -> Result<Self, Faults> {
        let mut faults = Collector::new(source);
        let file = File::collect(&mut faults);
        let key_log = if file.gateway.capture_keys { KeyLogging::On } else { KeyLogging::Off };
        let ports = Ports { ike: file.gateway.ike_port, natt: file.gateway.natt_port };
        let mut builder = Config::builder().key_log(key_log).ports(ports);
        let (mut tunnels, mut wrappings, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        let names = look_up(&file, &mut warnings);
        for section in &file.connections {
            let Some(connection) =
                connection(&mut faults, section, &file.gateway, provider, numbering, &names)
            else {
                continue;
            };
            for child in &section.children {
                let name = format!("{}/{}", section.name.value, child.name.value);
                tunnels.push(Tunnel { name, local: child.local_ts.value, remote: child.remote_ts.value });
            }
            wrappings.extend(wrap(&connection));
            builder = builder.connection(connection);
        }
        let (rules, exceptions) = exceptions(&file);
        let ike = match builder.build() {
            Ok(config) => Arc::new(config),
            // What the sections' own checks let through, but the cores do not take.
            Err(error) => {
                let at = file.connections.iter().find(|section| section.name.value == error.connection);
                let span = at.map_or(0..0, |section| section.name.span.clone());
                faults.add(&span, format!("{} {}", error.field, error.problem), error.fix);
                Arc::new(Config::default())
            }
        };
        let manual: Vec<_> = file.manual.iter().filter_map(|path| manual_tunnel(&mut faults, path)).collect();
        for tunnel in &manual {
            let (name, ManualTraffic { local, remote, .. }) = (tunnel.name.clone(), tunnel.traffic);
            tunnels.push(Tunnel { name, local, remote });
            wrappings.push((Some(tunnel.remote), wrap_manual(tunnel)));
        }
        let node = NodeConfig { rules, manual, ..NodeConfig::new(ike) };
        faults.finish(Self { gateway: file.gateway, node, tunnels, exceptions, wrappings, warnings })
    }
}

fn connection(
    faults: &mut Collector<'_>,
    section: &ConnectionSection,
    gateway: &GatewaySection,
    provider: &CryptoProvider,
    numbering: &mut Numbering,
    names: &BTreeMap<String, Vec<IpAddr>>,
) -> Option<Connection> {
    let psk = secret(faults, section);
    let proposals: Vec<IkeSuite> = section
        .ike
        .iter()
        .filter_map(|text| algorithms::ike(faults, text, gateway.legacy, provider))
        .collect();
    let children: Vec<Child> = section
        .children
        .iter()
        .filter_map(|child| self::child(faults, section, child, gateway, provider, numbering))
        .collect();
    let local_id = identity(faults, section.local_id.as_ref());
    let remote_id = identity(faults, section.remote_id.as_ref());
    let whole = proposals.len() == section.ike.len() && children.len() == section.children.len();
    let (psk, local_id, remote_id) = (psk?, local_id?, remote_id?);
    if !whole {
        return None;
    }
    let remote = match &section.remote.value {
        RemoteHost::Any => RemoteAddress::Any,
        RemoteHost::Address(address) => RemoteAddress::Literal(*address),
        RemoteHost::Name(name) => {
            RemoteAddress::Name { name: name.clone(), resolved: names.get(name).cloned().unwrap_or_default() }
        }
    };
    let defaults = Connection::new(section.name.value.clone(), remote, psk, proposals, children);
    Some(Connection {
        local: section.local.as_ref().map_or(LocalAddress::Any, |at| LocalAddress::Literal(at.value)),
        local_id,
        remote_id,
        ike_lifetime: section.ike_lifetime.unwrap_or(defaults.ike_lifetime),
        nat_traversal: match section.nat_traversal {
            NatTraversal::Auto => IkeNatTraversal::Auto,
            NatTraversal::Force => IkeNatTraversal::Force,
            NatTraversal::Off => IkeNatTraversal::Off,
        },
        remote_ports: Ports { ike: section.remote_ike_port, natt: section.remote_natt_port },
        ..defaults
    })
}

fn child(
    faults: &mut Collector<'_>,
    owner: &ConnectionSection,
    section: &ChildSection,
    gateway: &GatewaySection,
    provider: &CryptoProvider,
    numbering: &mut Numbering,
) -> Option<Child> {
    let proposals: Vec<ChildSuite> = section
        .esp
        .iter()
        .filter_map(|text| algorithms::esp(faults, text, gateway.legacy, provider).map(ChildSuite::from))
        .collect();
    if proposals.len() != section.esp.len() {
        return None;
    }
    let odd = proposals
        .iter()
        .zip(&section.esp)
        .find(|(suite, _)| suite.group != proposals.first().and_then(|first| first.group));
    if let Some((_, text)) = odd {
        faults.add(
            &text.span,
            "the proposals of a child differ in the group for PFS, and IKEv1 has one key exchange for all (RFC 2409 §5.5)",
            "end all of them with the same group, or none",
        );
        return None;
    }
    let selector = negotiable(faults, section)?;
    let template = numbering.of(&owner.name.value, &section.name.value);
    let defaults = Child::new(section.name.value.clone(), template, selector, proposals);
    Some(Child {
        lifetime: section.lifetime.unwrap_or(defaults.lifetime),
        start: match section.start {
            Start::Acquire => IkeStart::Traffic,
            Start::Up => IkeStart::Immediate,
            Start::None => IkeStart::Command,
        },
        ..defaults
    })
}

/// The selector, if IKEv1's identities can say it (RFC 2407 §4.6.2): one port or all.
fn negotiable(faults: &mut Collector<'_>, section: &ChildSection) -> Option<Selector> {
    let Selector { local_port, remote_port, protocol, .. } = section.selector;
    let ports = [local_port, remote_port];
    let sayable = |port: &PortRange| port.is_any() || (port.is_single() && port.first() != 0);
    let problem = if !ports.iter().all(sayable) {
        "has ports that IKEv1 cannot negotiate: it knows one port, or all"
    } else if protocol.is_none() && !ports.iter().all(PortRange::is_any) {
        "has a port without a protocol"
    } else {
        return Some(section.selector);
    };
    faults.add(
        &section.remote_ts.span,
        format!("`selector` {problem}"),
        "name a protocol and single ports, and make a child for each",
    );
    None
}

/// A manual tunnel from its file, which holds keys. Whether its source is ours is seen when it starts.
fn manual_tunnel(faults: &mut Collector<'_>, file: &At<PathBuf>) -> Option<Arc<ManualTunnel>> {
    let At { value: path, span } = file;
    let source = SecretSource::File(path.clone());
    let octets = match source.read() {
        Ok(octets) => octets,
        Err(error) => {
            faults.add(span, format!("{source} {error}"), error.fix(&source));
            return None;
        }
    };
    let imported = std::str::from_utf8(&octets).map_err(|error| error.to_string()).and_then(|text| {
        let tunnel = import(text).map_err(|error| error.to_string())?;
        tunnel.check(&[tunnel.local]).map_err(|error| error.to_string())?;
        Ok(tunnel)
    });
    match imported {
        Ok(tunnel) => Some(Arc::new(tunnel)),
        Err(error) => {
            let fix = "mend that line of the file; docs/gateway.md has an example";
            faults.add(span, format!("{source}: {error}"), fix);
            None
        }
    }
}

/// What the packets of a manual tunnel are wrapped in at most; AH and its ICV count as ICV.
fn wrap_manual(tunnel: &ManualTunnel) -> Outer {
    let octets = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
    let (iv, block, icv) = tunnel.outbound.esp.as_ref().map_or((0, 4, 0), |esp| {
        (octets(esp.suite.iv_len()), octets(esp.suite.block_len()), octets(esp.suite.icv_len()))
    });
    // Its header has 12 octets, and is a multiple of 8 octets with IPv6 (RFC 4302 §2).
    let ah =
        tunnel.outbound.ah.as_ref().map_or(0, |ah| octets((12 + ah.integrity.icv_len()).next_multiple_of(8)));
    Outer { family: Family::of(tunnel.remote), udp: false, iv, block, icv: icv + ah }
}

fn secret(faults: &mut Collector<'_>, section: &ConnectionSection) -> Option<Arc<PreSharedKey>> {
    let At { value: source, span } = &section.secret;
    match source.read() {
        // The octets move into the key; what is left here is empty.
        Ok(mut octets) => Some(Arc::new(PreSharedKey::new(std::mem::take(&mut *octets)))),
        Err(error) => {
            faults.add(span, format!("{source} {error}"), error.fix(source));
            None
        }
    }
}

/// `None` with a fault noted; `Some(None)` where there is nothing to read.
fn identity(faults: &mut Collector<'_>, text: Option<&At<String>>) -> Option<Option<Identity>> {
    let Some(At { value, span }) = text else { return Some(None) };
    match value.parse() {
        Ok(identity) => Some(Some(identity)),
        Err(error) => {
            let fix =
                "write an address, a host's name \"gw.example\", \"user@gw.example\" or \"keyid:0123abcd\"";
            faults.add(span, format!("\"{}\": {error}", value.escape_debug()), fix);
            None
        }
    }
}

/// The policies, and of those that are about destinations alone, what that means for routes.
fn exceptions(file: &File) -> (Vec<Rule>, Vec<Exception>) {
    let one = |policy: &super::file::PolicySection| {
        let action = match policy.action {
            PolicyAction::Bypass => RuleAction::Bypass,
            PolicyAction::Discard => RuleAction::Discard,
        };
        Rule { name: policy.name.clone(), selector: policy.selector, action, applies: Applies::BothWays }
    };
    let routed = |policy: &super::file::PolicySection| {
        let remote = *policy.selector.remote.range()?;
        let alone = policy.selector == Selector::between(Addresses::Any, remote);
        alone.then_some(match policy.action {
            PolicyAction::Bypass => Exception::Bypass(remote),
            PolicyAction::Discard => Exception::Discard(remote),
        })
    };
    (file.policies.iter().map(one).collect(), file.policies.iter().filter_map(routed).collect())
}

/// What each child's packets are wrapped in at most.
fn wrap(connection: &Connection) -> Vec<(Option<IpAddr>, Outer)> {
    let peer = match &connection.remote {
        RemoteAddress::Literal(address) => Some(*address),
        RemoteAddress::Name { resolved, .. } => resolved.first().copied(),
        _ => None,
    };
    let local = match connection.local {
        LocalAddress::Literal(address) => Some(address),
        LocalAddress::Any => None,
    };
    // Without an address either family may come, and the header of IPv6 is the longer one.
    let family = peer.or(local).map_or(Family::V6, Family::of);
    let udp = connection.nat_traversal != IkeNatTraversal::Off;
    let suites =
        connection.children.iter().flat_map(|child| &child.proposals).flat_map(|suite| suite.protections());
    let octets = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
    suites
        .map(|(_, suite)| {
            let (iv, block, icv) =
                (octets(suite.iv_len()), octets(suite.block_len()), octets(suite.icv_len()));
            (peer, Outer { family, udp, iv, block, icv })
        })
        .collect()
}

/// Looks up the names of all peers at one time. A responder chooses a connection, and its key, by them.
fn look_up(file: &File, warnings: &mut Vec<String>) -> BTreeMap<String, Vec<IpAddr>> {
    let names: Vec<&String> = file
        .connections
        .iter()
        .filter_map(|connection| match &connection.remote.value {
            RemoteHost::Name(name) => Some(name),
            _ => None,
        })
        .collect();
    let (sender, receiver) = mpsc::channel();
    for name in &names {
        let (name, sender) = ((*name).clone(), sender.clone());
        std::thread::spawn(move || {
            let found =
                (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
            // Nobody listens any more when it took too long.
            let _ = sender.send((name, found.unwrap_or_default()));
        });
    }
    drop(sender);
    let mut known = BTreeMap::new();
    #[expect(clippy::disallowed_methods, reason = "a deadline for the outside world, not for a core")]
    let until = std::time::Instant::now() + NAMES;
    #[expect(clippy::disallowed_methods, reason = "a deadline for the outside world, not for a core")]
    while let Ok((name, addresses)) =
        receiver.recv_timeout(until.saturating_duration_since(std::time::Instant::now()))
    {
        let mut distinct: Vec<IpAddr> = addresses;
        distinct.dedup();
        known.insert(name, distinct);
    }
    for name in names {
        if known.get(name).is_none_or(Vec::is_empty) {
            warnings.push(format!(
                "the name {name} has no address now; it is looked up again when we start a negotiation"
            ));
        }
    }
    known
}
