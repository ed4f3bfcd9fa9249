//! The numbers of a manual tunnel in the data plane, and the policies that are made for it.

use ipsec_proto::registry::IpProtocol;

use super::tunnel::{AutoRules, ManualMode, ManualTunnel, Nesting};
use crate::sad::{PairId, ProtocolKind};
use crate::selector::Selector;
use crate::spd::{Action, Policy, PolicyId, TemplateId};

/// What sets templates and policies of manual tunnels apart from those of a configuration.
const MANUAL: u32 = 1 << 31;
/// What sets pairs of manual tunnels apart from negotiated ones, which are counted from 1.
const MANUAL_PAIR: u64 = 1 << 63;

/// The number of a defined tunnel, from 1. Stays with it until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TunnelNumber(pub(super) u32);

impl core::fmt::Display for TunnelNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}

impl TunnelNumber {
    /// The highest there is.
    pub(super) const MAX: u32 = (1 << 28) - 1;

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What policies that send traffic into the tunnel name. An operator who suppresses the rules writes one.
    #[must_use]
    pub const fn template(self) -> TemplateId {
        self.layer_template(Layer::Inner)
    }

    pub(super) const fn layer_template(self, layer: Layer) -> TemplateId {
        TemplateId(MANUAL | self.0 << 1 | layer as u32)
    }

    pub(super) fn pair(self, layer: Layer) -> PairId {
        PairId(MANUAL_PAIR | u64::from(self.0) << 1 | layer as u64)
    }

    const fn policy(self, place: u32) -> PolicyId {
        PolicyId(MANUAL | self.0 << 2 | place)
    }
}

/// Where an SA of a tunnel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Applied first: the only one, or the one that the other carries.
    Inner = 0,
    /// Applied last.
    Outer = 1,
}

impl Layer {
    /// The mode of the SA as other systems spell it: what stands outside carries the packet that is there already.
    pub(super) const fn mode_name(self, tunnel: ManualMode) -> &'static str {
        match (tunnel, self) {
            (ManualMode::Tunnel, Self::Inner) => "tunnel",
            _ => "transport",
        }
    }
}

/// The protocols of a tunnel with their layers, the inner one first.
pub(super) fn layers(tunnel: &ManualTunnel) -> Vec<(ProtocolKind, Layer)> {
    use ProtocolKind::{Ah, Esp};
    let esp = tunnel.outbound.esp.is_some();
    match (esp, tunnel.is_nested(), tunnel.nesting) {
        (_, true, Nesting::AhOutside) => vec![(Esp, Layer::Inner), (Ah, Layer::Outer)],
        (_, true, Nesting::EspOutside) => vec![(Ah, Layer::Inner), (Esp, Layer::Outer)],
        (true, false, _) => vec![(Esp, Layer::Inner)],
        (false, false, _) => vec![(Ah, Layer::Inner)],
    }
}

/// The policies of a tunnel, in order: those that pass its own AH and ESP stand before the one that protects.
pub(super) fn policies(tunnel: &ManualTunnel, number: TunnelNumber) -> Vec<Policy> {
    if tunnel.rules == AutoRules::Suppress {
        return Vec::new();
    }
    let ends = Selector::between(tunnel.local, tunnel.remote);
    let pass = |(place, (kind, _)): (u32, (ProtocolKind, Layer))| {
        let protocol = match kind {
            ProtocolKind::Esp => IpProtocol::ESP,
            ProtocolKind::Ah => IpProtocol::AH,
        };
        let selector = Selector { protocol: Some(protocol), ..ends };
        let name = format!("{} {}", tunnel.name, kind.name());
        Policy::new(number.policy(place), name, selector, Action::Bypass)
    };
    let protect = Policy::new(
        number.policy(2),
        tunnel.name.clone(),
        tunnel.traffic.selector(),
        Action::Protect(number.template()),
    );
    (0..).zip(layers(tunnel)).map(pass).chain([protect]).collect()
}
