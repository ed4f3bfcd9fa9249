//! One entry of the SPD: what it covers and what is to be done.

use core::fmt;

use crate::flow::{Direction, Flow, Oriented, Ports};
use crate::realm::{InterfaceId, Realms};
use crate::sad::PairId;
use crate::selector::{AddressRange, PortRange, Selector, SelectorField};

/// Names a policy in reports and events. Unique in one SPD; a policy that stays keeps it, and with it its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(pub u32);

/// What is to be negotiated for a policy: a key of the control side, opaque to the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub u32);

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What happens to a packet that a policy covers (RFC 4301 §4.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The packet passes in clear.
    Bypass,
    /// The packet is dropped.
    Discard,
    /// The packet passes in an SA of this template only.
    Protect(TemplateId),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bypass => f.write_str("bypass"),
            Self::Discard => f.write_str("discard"),
            Self::Protect(template) => write!(f, "protect ({template})"),
        }
    }
}

/// The directions a policy is looked up in. A policy for both is searched by its mirror for inbound packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Applies {
    /// Outbound, and mirrored inbound.
    #[default]
    BothWays,
    /// Packets from the local to the remote side only.
    OutboundOnly,
    /// Packets from the remote to the local side only.
    InboundOnly,
}

/// What an acquire proposes for a packet, so which flows share an SA (RFC 4301 §4.4.1.2, "populate from packet").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// The policy's selector: all its flows share.
    #[default]
    Policy,
    /// The two addresses of the packet, all protocols and ports: host-based keying.
    Host,
    /// The addresses, the protocol and the ports of the packet: every flow has an SA to itself.
    Flow,
}

/// Where a policy comes from, and with that who may change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PolicySource {
    /// The operator wrote it.
    #[default]
    Configured,
    /// It belongs to the gateway, see [`ike_policies`](super::ike_policies) and [`loop_policies`](super::loop_policies).
    /// It goes before all others, and of it only [`Policy::log`] may be changed.
    BuiltIn,
    /// It came with an SA pair and goes with it. It stands directly before the policy it came from.
    Dynamic {
        /// The pair.
        owner: PairId,
        /// The policy.
        parent: PolicyId,
    },
}

/// What keeps a policy from covering a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// It is not looked up in this direction.
    Direction,
    /// The first field of the selector that differs.
    Field(SelectorField),
    /// A port field: the packet is a fragment that hides its ports (RFC 4301 §7), so no port can be compared.
    HiddenPorts(SelectorField),
    /// It would cover the packet in another realm.
    Realm,
    /// It would cover the packet on another interface.
    Interface,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direction => f.write_str("one-way, the other way"),
            Self::Field(field) => write!(f, "the {field} differs"),
            Self::HiddenPorts(field) => write!(f, "a {field} is asked of a fragment that hides it"),
            Self::Realm => f.write_str("matches, but in another realm"),
            Self::Interface => f.write_str("matches, but on another interface"),
        }
    }
}

/// One entry of the SPD. Its place in the order is the place it was pushed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The policy's number, unique in its SPD.
    pub id: PolicyId,
    /// The name the operator gave it.
    pub name: String,
    /// What it covers, local to remote.
    pub selector: Selector,
    /// What happens to a packet it covers.
    pub action: Action,
    /// The directions it is looked up in.
    pub applies: Applies,
    /// What an acquire proposes; without effect unless the action is [`Action::Protect`].
    pub granularity: Granularity,
    /// The realms it is for.
    pub realms: Realms,
    /// The only interface it is for; `None` is any.
    pub interface: Option<InterfaceId>,
    /// Whether packets it decides on are told of, see [`Worker::next_policy_log`](crate::Worker::next_policy_log).
    pub log: bool,
    /// Where it comes from.
    pub source: PolicySource,
}

impl Policy {
    /// A policy for both directions that negotiates its own selector.
    pub fn new(id: PolicyId, name: impl Into<String>, selector: Selector, action: Action) -> Self {
        Self {
            id,
            name: name.into(),
            selector,
            action,
            applies: Applies::default(),
            granularity: Granularity::default(),
            realms: Realms::default(),
            interface: None,
            log: false,
            source: PolicySource::Configured,
        }
    }

    /// Whether the policy is looked up in `direction`.
    #[must_use]
    pub const fn applies_to(&self, direction: Direction) -> bool {
        matches!(
            (self.applies, direction),
            (Applies::BothWays, _)
                | (Applies::OutboundOnly, Direction::Outbound)
                | (Applies::InboundOnly, Direction::Inbound)
        )
    }

    /// What an acquire for an outbound packet of `flow` proposes.
    #[must_use]
    pub fn proposal(&self, flow: &Flow) -> Selector {
        match self.granularity {
            Granularity::Policy => self.selector,
            Granularity::Host => Selector::between(flow.source, flow.destination),
            Granularity::Flow => Selector::of_flow(flow, Direction::Outbound),
        }
    }

    /// The number of specified fields, from 0 to 5.
    #[must_use]
    pub fn specified_fields(&self) -> u32 {
        let Selector { local, remote, protocol, local_port, remote_port } = &self.selector;
        u32::from(local.range().is_some())
            + u32::from(remote.range().is_some())
            + u32::from(protocol.is_some())
            + u32::from(!local_port.is_any())
            + u32::from(!remote_port.is_any())
    }

    /// Whether the policy is found by hash: some field is specified, and each specified field is a single value. OPAQUE is
    /// one value. Realm and interface are not counted among the fields.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        let Selector { local, remote, local_port, remote_port, .. } = &self.selector;
        let one = |range: &PortRange| range.is_any() || range.is_single() || range.is_opaque();
        self.specified_fields() > 0
            && local.range().is_none_or(AddressRange::is_single)
            && remote.range().is_none_or(AddressRange::is_single)
            && one(local_port)
            && one(remote_port)
    }

    /// Whether a packet of `flow`, going in `direction`, is covered: by the selector, in this realm, on this interface.
    #[must_use]
    pub fn covers(&self, flow: &Flow, direction: Direction) -> bool {
        self.difference(flow, direction).is_none()
    }

    /// What keeps the policy from covering a packet: the direction, the selector, the realm, the interface, the first of
    /// these.
    #[must_use]
    pub fn difference(&self, flow: &Flow, direction: Direction) -> Option<Difference> {
        self.difference_oriented(&flow.oriented(direction), flow)
    }

    fn difference_oriented(&self, view: &Oriented, flow: &Flow) -> Option<Difference> {
        if !self.applies_to(view.direction) {
            return Some(Difference::Direction);
        }
        if let Some(field) = self.selector.mismatch_oriented(view) {
            let is_port = matches!(field, SelectorField::LocalPort | SelectorField::RemotePort);
            return Some(if is_port && flow.ports == Ports::Opaque {
                Difference::HiddenPorts(field)
            } else {
                Difference::Field(field)
            });
        }
        let realm = match view.direction {
            Direction::Outbound => self.realms.inner,
            Direction::Inbound => self.realms.outer,
        };
        if realm.is_some_and(|realm| realm != view.origin.realm) {
            Some(Difference::Realm)
        } else if self.interface.is_some() && self.interface != view.origin.interface {
            Some(Difference::Interface)
        } else {
            None
        }
    }
}
