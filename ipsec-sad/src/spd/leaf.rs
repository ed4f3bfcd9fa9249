//! What a leaf of the tree asks a flow: small for most policies, so that a leaf is a few cache lines.

use std::net::IpAddr;

use super::Policy;
use super::index::{Address, Fields, Message, Place, is_about_messages, realm_of};
use crate::flow::{Direction, Oriented};
use crate::realm::{InterfaceId, RealmId};
use crate::selector::{Addresses, PortRange, Selector};

/// The fields an [`Entry`] specifies.
const LOCAL: u8 = 1;
const REMOTE: u8 = 2;
const PROTOCOL: u8 = 4;
const LOCAL_PORT: u8 = 8;
const REMOTE_PORT: u8 = 16;
/// The policy is not of the small kind: it is in the list of the others, at the number in `local`.
const WHOLE: u8 = 128;

/// A policy with addresses of IPv4, or none, and ranges of ports, or none; or a reference to any other.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) place: Place,
    local: [u32; 2],
    remote: [u32; 2],
    local_port: [u16; 2],
    remote_port: [u16; 2],
    protocol: u8,
    specified: u8,
}

/// A policy that is not of the small kind.
pub(super) struct Whole {
    selector: Selector,
    realm: Option<RealmId>,
    interface: Option<InterfaceId>,
}

impl Entry {
    /// What of `policy` is asked in `direction`; where it needs more room that goes into `others`.
    pub(super) fn new(place: Place, policy: &Policy, direction: Direction, others: &mut Vec<Whole>) -> Self {
        let (selector, realm) = (policy.selector, realm_of(policy, direction));
        Self::small(place, policy, realm).unwrap_or_else(|| {
            let number = u32::try_from(others.len()).unwrap_or(u32::MAX);
            others.push(Whole { selector, realm, interface: policy.interface });
            Self { specified: WHOLE, local: [number; 2], ..Self::any(place) }
        })
    }

    const fn any(place: Place) -> Self {
        Self {
            place,
            local: [0; 2],
            remote: [0; 2],
            local_port: [0; 2],
            remote_port: [0; 2],
            protocol: 0,
            specified: 0,
        }
    }

    fn small(place: Place, policy: &Policy, realm: Option<RealmId>) -> Option<Self> {
        if realm.is_some() || policy.interface.is_some() || is_about_messages(policy) {
            return None;
        }
        let mut entry = Self::any(place);
        let selector = &policy.selector;
        for (field, place, flag) in
            [(&selector.local, &mut entry.local, LOCAL), (&selector.remote, &mut entry.remote, REMOTE)]
        {
            let Addresses::Range(range) = field else { continue };
            let (IpAddr::V4(first), IpAddr::V4(last)) = (range.first(), range.last()) else {
                return None;
            };
            (*place, entry.specified) = ([first.to_bits(), last.to_bits()], entry.specified | flag);
        }
        if let Some(protocol) = selector.protocol {
            (entry.protocol, entry.specified) = (protocol.0, entry.specified | PROTOCOL);
        }
        for (field, place, flag) in [
            (selector.local_port, &mut entry.local_port, LOCAL_PORT),
            (selector.remote_port, &mut entry.remote_port, REMOTE_PORT),
        ] {
            if field == PortRange::ANY {
                continue;
            }
            if field.first() > field.last() {
                return None;
            }
            (*place, entry.specified) = ([field.first(), field.last()], entry.specified | flag);
        }
        Some(entry)
    }

    /// Whether the policy covers the flow, of which `fields` are the same in numbers.
    pub(super) fn covers(&self, fields: &Fields, flow: &Oriented, others: &[Whole]) -> bool {
        if self.specified == WHOLE {
            let [number, _] = self.local;
            return others.get(number as usize).is_some_and(|whole| whole.covers(flow));
        }
        let asks = |flag| self.specified & flag != 0;
        let inside = |[first, last]: [u32; 2], value: u32| first <= value && value <= last;
        // Port `n` is `n + 1` there.
        let port = |[first, last]: [u16; 2], value: u32| {
            fields.message != Message::Visible && u32::from(first) < value && value <= u32::from(last) + 1
        };
        let address = |range, address: Address| {
            // The low half of a mapped address is the address.
            address.is_ipv4 && inside(range, (address.number & u128::from(u32::MAX)) as u32)
        };
        (!asks(LOCAL) || address(self.local, fields.local))
            && (!asks(REMOTE) || address(self.remote, fields.remote))
            && (!asks(PROTOCOL) || self.protocol == fields.protocol)
            && (!asks(LOCAL_PORT) || port(self.local_port, fields.local_port))
            && (!asks(REMOTE_PORT) || port(self.remote_port, fields.remote_port))
    }
}

impl Whole {
    fn covers(&self, flow: &Oriented) -> bool {
        self.selector.mismatch_oriented(flow).is_none()
            && self.realm.is_none_or(|realm| realm == flow.origin.realm)
            && (self.interface.is_none() || self.interface == flow.origin.interface)
    }
}
