//! Policies whose every specified field is a single value: one hash table for each set of specified fields.

use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::Policy;
use super::index::{
    Address, Fields, Message, Place, interface_number, is_about_messages, message_field, port_number,
    realm_of,
};
use crate::flow::Direction;
use crate::selector::{Addresses, PortRange};

/// A port number, see [`port_number`], is at most 65536.
const PORT_BITS: u32 = 17;

/// The values of the specified fields, 0 for all others.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    local: u128,
    remote: u128,
    /// The families of the addresses, both port numbers, the protocol.
    numbers: u64,
    /// Realm and interface.
    origin: u64,
}

/// Which fields of a [`Key`] are specified, and how many of the selector.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    specified: u32,
    local: bool,
    remote: bool,
    protocol: bool,
    ports: PortShape,
    realm: bool,
    interface: bool,
}

/// What a table asks of ports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PortShape {
    /// These of the two ports; none is asked of any flow.
    Ports { local: bool, remote: bool },
    /// A visible message; its type, if the field for this direction is specified.
    Visible { local: bool, remote: bool },
    /// A message that is hidden.
    Hidden,
}

impl Key {
    fn new(
        local: Option<Address>,
        remote: Option<Address>,
        ports: (u32, u32),
        protocol: u8,
        origin: (u32, u32),
    ) -> Self {
        let number = |address: Option<Address>| address.map_or(0, |address| address.number);
        let family = |address: Option<Address>| u64::from(address.is_some_and(|address| address.is_ipv4));
        let ports = u64::from(ports.0) << PORT_BITS | u64::from(ports.1);
        Self {
            local: number(local),
            remote: number(remote),
            numbers: (family(local) << 1 | family(remote)) << 48 | ports << 8 | u64::from(protocol),
            origin: u64::from(origin.0) << 32 | u64::from(origin.1),
        }
    }

    fn hash(&self) -> u64 {
        // Only the operator inserts, so a fixed hash is no way in for an attacker.
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u128(self.local);
        hasher.write_u128(self.remote);
        hasher.write_u64(self.numbers);
        if self.origin != 0 {
            hasher.write_u64(self.origin);
        }
        hasher.finish()
    }
}

impl Shape {
    /// The flow's values in these fields; `None` if it can't meet a policy of this shape.
    fn project(&self, flow: &Fields) -> Option<Key> {
        let (local, remote) = match self.ports {
            PortShape::Ports { local: false, remote: false } => (false, false),
            // Without a protocol a port field speaks of ports; the type of a message is none.
            PortShape::Ports { local, remote } if flow.message != Message::Visible => (local, remote),
            PortShape::Visible { local, remote } if flow.message == Message::Visible => (local, remote),
            PortShape::Hidden if flow.message == Message::Hidden => (false, false),
            _ => return None,
        };
        let when = |wanted: bool, value: u32| if wanted { value } else { 0 };
        Some(Key::new(
            self.local.then_some(flow.local),
            self.remote.then_some(flow.remote),
            (when(local, flow.local_port), when(remote, flow.remote_port)),
            if self.protocol { flow.protocol } else { 0 },
            (when(self.realm, flow.realm), when(self.interface, flow.interface)),
        ))
    }
}

/// The hashed policies of one direction.
#[derive(Default)]
pub(super) struct Hashed {
    /// Most specified fields first. Their number is bounded by the ways to specify fields.
    tables: Vec<Table>,
}

struct Table {
    shape: Shape,
    /// Small, so that much of it stays near: the keys are looked at where the hash agrees.
    numbers: HashTable<u32>,
    keys: Vec<(Key, Place)>,
}

impl Hashed {
    /// Adds a hashed policy; must be called in configuration order.
    pub(super) fn push(&mut self, place: Place, policy: &Policy, direction: Direction) {
        let selector = &policy.selector;
        let address = |field: &Addresses| field.range().map(|range| Address::of(range.first()));
        let (local, remote) = (address(&selector.local), address(&selector.remote));
        let number = |range: PortRange| {
            if range.is_any() || range.is_opaque() { 0 } else { port_number(Some(range.first())) }
        };
        let realm = realm_of(policy, direction);
        let shape = Shape {
            specified: policy.specified_fields(),
            local: local.is_some(),
            remote: remote.is_some(),
            protocol: selector.protocol.is_some(),
            ports: PortShape::Hidden,
            realm: realm.is_some(),
            interface: policy.interface.is_some(),
        };
        let origin = (realm.map_or(0, |realm| realm.0), interface_number(policy.interface));
        let protocol = selector.protocol.map_or(0, |protocol| protocol.0);
        let key = |ports| Key::new(local, remote, ports, protocol, origin);
        let (local_port, remote_port) = (selector.local_port, selector.remote_port);
        if is_about_messages(policy) {
            let field = message_field(policy, direction);
            let asked = !field.is_any();
            let (side, ports) = match direction {
                Direction::Outbound => ((asked, false), (number(field), 0)),
                Direction::Inbound => ((false, asked), (0, number(field))),
            };
            if !field.is_opaque() {
                let ports_shape = PortShape::Visible { local: side.0, remote: side.1 };
                self.insert(Shape { ports: ports_shape, ..shape }, key(ports), place);
            }
            if local_port.matches(None) && remote_port.matches(None) {
                self.insert(shape, key((0, 0)), place);
            }
        } else {
            let ports = PortShape::Ports { local: !local_port.is_any(), remote: !remote_port.is_any() };
            self.insert(Shape { ports, ..shape }, key((number(local_port), number(remote_port))), place);
        }
    }

    fn insert(&mut self, shape: Shape, key: Key, place: Place) {
        let index = match self.tables.iter().position(|table| table.shape == shape) {
            Some(index) => index,
            None => {
                let index = self.tables.partition_point(|t| t.shape.specified >= shape.specified);
                self.tables.insert(index, Table { shape, numbers: HashTable::new(), keys: Vec::new() });
                index
            }
        };
        let Some(Table { numbers, keys, .. }) = self.tables.get_mut(index) else { return };
        let hash_at =
            |number: u32, keys: &[(Key, Place)]| keys.get(number as usize).map_or(0, |(key, _)| key.hash());
        let is_known = numbers
            .find(key.hash(), |&number| keys.get(number as usize).is_some_and(|(other, _)| *other == key))
            .is_some();
        // Of policies with one key the first in configuration order wins.
        if !is_known && let Ok(number) = u32::try_from(keys.len()) {
            keys.push((key, place));
            numbers.insert_unique(key.hash(), number, |&number| hash_at(number, keys));
        }
    }

    /// The matching policy with the most specified fields, the first in configuration order if several have as many.
    pub(super) fn lookup(&self, flow: &Fields) -> Option<Place> {
        let mut best: Option<(u32, Place)> = None;
        for Table { shape, numbers, keys } in &self.tables {
            if best.is_some_and(|(found, _)| found > shape.specified) {
                break;
            }
            let Some(key) = shape.project(flow) else { continue };
            let mut found = None;
            numbers.find(key.hash(), |&number| {
                found = keys.get(number as usize).filter(|(other, _)| *other == key).map(|&(_, place)| place);
                found.is_some()
            });
            if let Some(place) = found
                && best.is_none_or(|(_, best)| place < best)
            {
                best = Some((shape.specified, place));
            }
        }
        best.map(|(_, place)| place)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}
