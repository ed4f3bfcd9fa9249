//! Tunnels put together from the SAs and policies of another system, which are separate there.

use std::net::IpAddr;

use ipsec_crypto::{Integrity, ProtectionSuite, Secret};
use ipsec_proto::Spi;

use super::error::ManualError;
use super::notation::{Noted, missing};
use super::tunnel::{
    AutoRules, HeaderFormat, ManualAh, ManualEsp, ManualMode, ManualSas, ManualTraffic, ManualTunnel, Nesting,
};
use crate::sad::{AntiReplay, ProtocolKind, Unauthenticated};

/// The algorithms of a foreign SA.
pub(super) enum ForeignKeys {
    Esp { suite: ProtectionSuite, encryption: Secret, integrity: Secret },
    Ah { integrity: Integrity, key: Secret },
}

/// An SA as the other system has it.
pub(super) struct ForeignSa {
    /// What says which SAs belong together, besides the addresses.
    pub(super) group: u32,
    pub(super) note: Option<Noted>,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) spi: Spi,
    pub(super) keys: ForeignKeys,
    pub(super) mode: ManualMode,
    pub(super) format: HeaderFormat,
    pub(super) window: u32,
    /// What it may carry, source to destination, if the SA says so.
    pub(super) traffic: Option<ManualTraffic>,
}

impl ForeignSa {
    pub(super) const fn kind(&self) -> ProtocolKind {
        match self.keys {
            ForeignKeys::Esp { .. } => ProtocolKind::Esp,
            ForeignKeys::Ah { .. } => ProtocolKind::Ah,
        }
    }
}

/// An outbound policy as the other system has it.
pub(super) struct ForeignPolicy {
    pub(super) group: u32,
    /// The tunnel's ends, where the policy names them.
    pub(super) ends: Option<(IpAddr, IpAddr)>,
    pub(super) traffic: ManualTraffic,
    /// The protocols, the one that is applied first in front.
    pub(super) order: Vec<ProtocolKind>,
}

/// Puts tunnels together. `locals` says which SAs are outbound.
pub(super) fn assemble(
    mut sas: Vec<ForeignSa>,
    policies: &[ForeignPolicy],
    locals: &[IpAddr],
) -> Result<Vec<ManualTunnel>, ManualError> {
    let mut tunnels: Vec<ManualTunnel> = Vec::new();
    while let Some(first) = sas.first() {
        let (group, ends) = (first.group, [first.source, first.destination]);
        let [local, remote] = match ends.map(|end| locals.contains(&end)) {
            [true, _] => ends,
            [false, true] => [ends[1], ends[0]],
            [false, false] => {
                let value = format!("{} to {}", ends[0], ends[1]);
                return Err(missing(&value, "an SA with one end at this machine"));
            }
        };
        let ours = |sa: &mut ForeignSa| {
            sa.group == group && [(local, remote), (remote, local)].contains(&(sa.source, sa.destination))
        };
        let members: Vec<ForeignSa> = sas.extract_if(.., ours).collect();
        let name = match members.iter().find_map(|sa| sa.note.as_ref()) {
            Some(note) => note.name.clone(),
            None => format!("imported-{}", tunnels.len() + 1),
        };
        tunnels.push(tunnel(name, local, remote, members, policies)?);
    }
    Ok(tunnels)
}

fn tunnel(
    name: String,
    local: IpAddr,
    remote: IpAddr,
    members: Vec<ForeignSa>,
    policies: &[ForeignPolicy],
) -> Result<ManualTunnel, ManualError> {
    let (first, group) = match members.first() {
        Some(first) => (first, first.group),
        None => return Err(missing(&name, "an SA")),
    };
    let policy = policies.iter().find(|policy| match policy.ends {
        Some(ends) => policy.group == group && ends == (local, remote),
        None => {
            policy.group == group
                && policy.traffic.local == local.into()
                && policy.traffic.remote == remote.into()
        }
    });
    let noted = members.iter().find_map(|sa| sa.note.as_ref()?.traffic);
    // The SA that is applied first names the traffic; one around it names none.
    let carried = members.iter().find(|sa| sa.traffic.is_some());
    let named = carried.and_then(|sa| {
        let traffic = sa.traffic?;
        Some(if sa.source == local { traffic } else { traffic.mirror() })
    });
    let traffic = policy.map(|policy| policy.traffic).or(named).or(noted);
    let traffic = traffic.ok_or_else(|| missing(&name, "a policy that says whose traffic is protected"))?;
    let inner = policy.and_then(|policy| policy.order.first().copied()).or(carried.map(ForeignSa::kind));

    let mut tunnel = ManualTunnel::new(name, local, remote, traffic);
    tunnel.format = first.format;
    tunnel.rules = if policy.is_some() { AutoRules::Generate } else { AutoRules::Suppress };
    tunnel.anti_replay = AntiReplay::Off;
    tunnel.mode = ManualMode::Transport;
    if inner == Some(ProtocolKind::Ah) {
        tunnel.nesting = Nesting::EspOutside;
    }
    for sa in members {
        if sa.mode == ManualMode::Tunnel {
            tunnel.mode = ManualMode::Tunnel;
        }
        if sa.window > 0 {
            tunnel.anti_replay = AntiReplay::Window(sa.window);
        }
        let half = if sa.source == local { &mut tunnel.outbound } else { &mut tunnel.inbound };
        if add(half, sa) {
            return Err(missing(&tunnel.name, "what tells two SAs of one kind and direction apart"));
        }
    }
    if !tunnel.is_nested() {
        tunnel.nesting = Nesting::default();
    }
    let bare = |half: &ManualSas| {
        half.ah.is_none() && half.esp.as_ref().is_some_and(|esp| esp.suite.integrity.is_none())
    };
    if bare(&tunnel.outbound) || bare(&tunnel.inbound) {
        // That system was told so explicitly.
        tunnel.unauthenticated = Unauthenticated::Allow;
    }
    Ok(tunnel)
}

/// Adds an SA; `true` if there was one of its kind.
fn add(half: &mut ManualSas, sa: ForeignSa) -> bool {
    let spi = sa.spi;
    match sa.keys {
        ForeignKeys::Esp { suite, encryption, integrity } => {
            half.esp.replace(ManualEsp { spi, suite, encryption, integrity }).is_some()
        }
        ForeignKeys::Ah { integrity, key } => half.ah.replace(ManualAh { spi, integrity, key }).is_some(),
    }
}
