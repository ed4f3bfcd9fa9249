//! Policies whose every specified field is a single value: one hash table for each set of specified fields.

use core::hash::{Hash, Hasher};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use ipsec_proto::registry::IpProtocol;

use crate::flow::{Oriented, Ports};
use crate::selector::{AddressRange, PortRange, Selector};

/// A policy's place in the configuration order.
pub(super) type Place = u32;

/// The specified fields of a selector, or the same fields of a flow.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    local: Option<IpAddr>,
    remote: Option<IpAddr>,
    protocol: Option<IpProtocol>,
    local_port: Option<u16>,
    remote_port: Option<u16>,
}

/// Which fields of a [`Key`] are specified.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    local: bool,
    remote: bool,
    protocol: bool,
    local_port: bool,
    remote_port: bool,
}

impl Hash for Key {
    /// In few words: one table holds keys of one shape, so an absent field may hash like a zero.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in [self.local, self.remote] {
            match address {
                Some(IpAddr::V4(v4)) => state.write_u32(v4.to_bits()),
                Some(IpAddr::V6(v6)) => state.write_u128(v6.to_bits()),
                None => {}
            }
        }
        let port = |port: Option<u16>| u64::from(port.unwrap_or_default());
        let protocol = self.protocol.map_or(0, |protocol| protocol.0);
        state.write_u64(port(self.local_port) << 24 | port(self.remote_port) << 8 | u64::from(protocol));
    }
}

impl Key {
    fn of(selector: &Selector) -> Self {
        let port = |range: PortRange| (!range.is_any()).then_some(range.first());
        Self {
            local: selector.local.range().map(AddressRange::first),
            remote: selector.remote.range().map(AddressRange::first),
            protocol: selector.protocol,
            local_port: port(selector.local_port),
            remote_port: port(selector.remote_port),
        }
    }

    const fn shape(&self) -> Shape {
        Shape {
            local: self.local.is_some(),
            remote: self.remote.is_some(),
            protocol: self.protocol.is_some(),
            local_port: self.local_port.is_some(),
            remote_port: self.remote_port.is_some(),
        }
    }
}

impl Shape {
    const fn specified(self) -> u32 {
        self.local as u32
            + self.remote as u32
            + self.protocol as u32
            + self.local_port as u32
            + self.remote_port as u32
    }

    /// The flow's values in these fields; `None` if a port is asked for that the flow does not show.
    fn project(self, flow: &Oriented) -> Option<Key> {
        let wants_port = self.local_port || self.remote_port;
        if wants_port && !self.protocol && matches!(flow.ports, Ports::Icmp { .. }) {
            return None;
        }
        let port = |wanted: bool, port: Option<u16>| if wanted { port.map(Some) } else { Some(None) };
        Some(Key {
            local: self.local.then_some(flow.local),
            remote: self.remote.then_some(flow.remote),
            protocol: self.protocol.then_some(flow.protocol),
            local_port: port(self.local_port, flow.local_port)?,
            remote_port: port(self.remote_port, flow.remote_port)?,
        })
    }
}

/// The hashed policies of one direction.
#[derive(Default)]
pub(super) struct Hashed {
    /// At most 31 tables, most specified fields first.
    tables: Vec<Table>,
}

struct Table {
    shape: Shape,
    /// Of policies with one key, the first in configuration order. Only the operator inserts, so a fixed hash is no
    /// way in for an attacker.
    places: HashMap<Key, Place, FixedState>,
}

impl Hashed {
    /// Adds a hashed policy; must be called in configuration order.
    pub(super) fn push(&mut self, place: Place, selector: &Selector) {
        let key = Key::of(selector);
        let shape = key.shape();
        let index = match self.tables.iter().position(|table| table.shape == shape) {
            Some(index) => index,
            None => {
                let index = self.tables.partition_point(|t| t.shape.specified() >= shape.specified());
                let places = HashMap::with_hasher(FixedState::default());
                self.tables.insert(index, Table { shape, places });
                index
            }
        };
        if let Some(table) = self.tables.get_mut(index) {
            table.places.entry(key).or_insert(place);
        }
    }

    /// The matching policy with the most specified fields, the first in configuration order if several have as many.
    pub(super) fn lookup(&self, flow: &Oriented) -> Option<Place> {
        let mut best: Option<(u32, Place)> = None;
        for table in &self.tables {
            let specified = table.shape.specified();
            if best.is_some_and(|(found, _)| found > specified) {
                break;
            }
            let found = table.shape.project(flow).and_then(|key| table.places.get(&key).copied());
            if let Some(place) = found
                && best.is_none_or(|(_, best)| place < best)
            {
                best = Some((specified, place));
            }
        }
        best.map(|(_, place)| place)
    }
}
