//! Policies that belong to the gateway and go before all others.

use std::net::IpAddr;

use ipsec_proto::registry::IpProtocol;

use super::{Action, Applies, Policy, PolicyId, PolicySource};
use crate::selector::{Addresses, PortRange, Selector};

/// The ports of IKE, without and with NAT traversal (RFC 7296 §2.23).
const IKE_PORTS: [u16; 2] = [500, 4500];

/// Lets IKE itself pass, and ESP in UDP: UDP from and to `ports` of each of our own addresses (RFC 4301 §4.4.1, "IKE
/// traffic"). `None` are ports 500 and 4500. Hosts behind us are none of our own addresses: their IKE needs a policy.
///
/// The ids count on from `first`.
#[must_use]
pub fn ike_policies(first: PolicyId, own: &[IpAddr], ports: Option<&[u16]>) -> Vec<Policy> {
    let ports = ports.unwrap_or(&IKE_PORTS);
    let selectors = own.iter().flat_map(|&address| {
        ports.iter().map(move |&port| Selector {
            local: address.into(),
            protocol: Some(IpProtocol::UDP),
            local_port: PortRange::single(port),
            ..Selector::ANY
        })
    });
    built_in(first, "ike", selectors, Action::Bypass)
}

/// Drops what would loop: ESP and AH packets from our own addresses that come back to the protected side, as they do where
/// the route to a peer leads into its own tunnel.
///
/// The ids count on from `first`.
#[must_use]
pub fn loop_policies(first: PolicyId, own: &[IpAddr]) -> Vec<Policy> {
    let selectors = own.iter().flat_map(|&address| {
        [IpProtocol::ESP, IpProtocol::AH].map(|protocol| Selector {
            local: Addresses::from(address),
            protocol: Some(protocol),
            ..Selector::ANY
        })
    });
    let policies = built_in(first, "loop", selectors, Action::Discard);
    policies.into_iter().map(|policy| Policy { applies: Applies::OutboundOnly, ..policy }).collect()
}

fn built_in(
    PolicyId(first): PolicyId,
    name: &str,
    selectors: impl Iterator<Item = Selector>,
    action: Action,
) -> Vec<Policy> {
    (first..)
        .zip(selectors)
        .map(|(id, selector)| {
            let policy = Policy::new(PolicyId(id), format!("{name} {}", selector.local), selector, action);
            Policy { source: PolicySource::BuiltIn, ..policy }
        })
        .collect()
}
