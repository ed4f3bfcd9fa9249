//! The compiled search: what of policies and flows is compared, and the stages of one direction.

use std::net::IpAddr;

use super::Policy;
use super::hashed::Hashed;
use super::ordered::Ordered;
use crate::flow::{Direction, Oriented};
use crate::realm::{InterfaceId, RealmId};
use crate::selector::{PortRange, has_messages};

/// A policy's place in the configuration order.
pub(crate) type Place = u32;

/// What both stages ask a flow for.
pub(super) struct Fields {
    pub(super) local: Address,
    pub(super) remote: Address,
    pub(super) protocol: u8,
    /// See [`port_number`]; of a message its number, on the side that is asked in this direction.
    pub(super) local_port: u32,
    pub(super) remote_port: u32,
    pub(super) message: Message,
    pub(super) realm: u32,
    /// 0 is an unknown one.
    pub(super) interface: u32,
}

/// What a flow has in the place of ports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// Two ports, or none.
    Ports,
    /// A visible type.
    Visible,
    /// A protocol with types of messages, whose type is hidden.
    Hidden,
}

impl Fields {
    pub(super) fn of(flow: &Oriented) -> Self {
        let message = flow.message.map(|message| port_number(Some(message)));
        let (local_port, remote_port) = match (message, flow.direction) {
            (Some(message), Direction::Outbound) => (message, 0),
            (Some(message), Direction::Inbound) => (0, message),
            (None, _) => (port_number(flow.local_port), port_number(flow.remote_port)),
        };
        Self {
            local: Address::of(flow.local),
            remote: Address::of(flow.remote),
            protocol: flow.protocol.0,
            local_port,
            remote_port,
            message: match message {
                Some(_) => Message::Visible,
                None if has_messages(flow.protocol) => Message::Hidden,
                None => Message::Ports,
            },
            realm: flow.origin.realm.0,
            interface: interface_number(flow.origin.interface),
        }
    }
}

/// An address as a number. The families overlap: IPv4 lies where IPv6 maps it.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub(super) number: u128,
    pub(super) is_ipv4: bool,
}

impl Address {
    pub(super) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { number: v4.to_ipv6_mapped().to_bits(), is_ipv4: true },
            IpAddr::V6(v6) => Self { number: v6.to_bits(), is_ipv4: false },
        }
    }
}

/// No port is 0, port `n` is `n + 1`.
pub(super) fn port_number(port: Option<u16>) -> u32 {
    port.map_or(0, |port| u32::from(port) + 1)
}

pub(super) fn interface_number(interface: Option<InterfaceId>) -> u32 {
    interface.map_or(0, InterfaceId::get)
}

/// The realm a policy asks for in `direction`.
pub(super) const fn realm_of(policy: &Policy, direction: Direction) -> Option<RealmId> {
    match direction {
        Direction::Outbound => policy.realms.inner,
        Direction::Inbound => policy.realms.outer,
    }
}

/// Whether the port fields of a policy are about messages.
pub(super) fn is_about_messages(policy: &Policy) -> bool {
    policy.selector.has_ports() && policy.selector.protocol.is_some_and(has_messages)
}

/// The port field that a message going in `direction` is compared with.
pub(super) const fn message_field(policy: &Policy, direction: Direction) -> PortRange {
    match direction {
        Direction::Outbound => policy.selector.local_port,
        Direction::Inbound => policy.selector.remote_port,
    }
}

/// The stages of one direction.
#[derive(Default)]
pub(super) struct Index {
    hashed: Hashed,
    ordered: Ordered,
}

impl Index {
    /// Compiles what of `policies`, with their places, is looked up in `direction`.
    pub(super) fn build<'a>(
        policies: impl Iterator<Item = (Place, &'a Policy)>,
        direction: Direction,
    ) -> Self {
        let mut hashed = Hashed::default();
        let mut ordered = Vec::new();
        for (place, policy) in policies.filter(|(_, policy)| policy.applies_to(direction)) {
            if policy.is_hashed() {
                hashed.push(place, policy, direction);
            } else {
                ordered.push((place, policy));
            }
        }
        Self { hashed, ordered: Ordered::build(&ordered, direction) }
    }

    /// As [`build`](Self::build), with all policies in the second stage: the first match wins.
    pub(super) fn build_ordered(policies: &[(Place, &Policy)], direction: Direction) -> Self {
        let policies: Vec<_> =
            policies.iter().copied().filter(|(_, policy)| policy.applies_to(direction)).collect();
        Self { hashed: Hashed::default(), ordered: Ordered::build(&policies, direction) }
    }

    pub(super) fn lookup(&self, flow: &Oriented) -> Option<Place> {
        let fields = Fields::of(flow);
        self.hashed.lookup(&fields).or_else(|| self.ordered.lookup(&fields, flow))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.hashed.is_empty() && self.ordered.is_empty()
    }
}
