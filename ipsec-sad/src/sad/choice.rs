//! Which outbound SA carries a flow: the newest usable one whose selectors cover it (RFC 4301 §5.2), found without
//! looking at all SAs of the template.
//!
//! SAs are sorted into classes by what their selectors specify: how many leading bits the ends of each address range have
//! in common, and which ports are single. In a class a flow has one key, so few SAs are left to be asked. There are as
//! many classes as shapes of selectors in use: few, however many SAs there are.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::flow::{Direction, Flow};
use crate::selector::{Addresses, PortRange, Selector, has_messages};

/// What the keys of a class hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    /// Leading bits; `None` covers both families.
    local: Option<u8>,
    remote: Option<u8>,
    local_port: bool,
    remote_port: bool,
}

/// What the SAs of a bucket have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    local: Option<IpAddr>,
    remote: Option<IpAddr>,
    local_port: Option<u16>,
    remote_port: Option<u16>,
}

/// An SA: when it was added, and where it is.
type Entry = (u64, usize);

/// The outbound SAs of one template.
#[derive(Default)]
pub(super) struct Choice {
    /// The entries of a bucket in the order they were added.
    classes: BTreeMap<Class, BTreeMap<Key, Vec<Entry>>>,
}

impl Choice {
    /// Adds an SA; `serial` grows from one to the next.
    pub(super) fn insert(&mut self, selector: &Selector, serial: u64, index: usize) {
        let (class, key) = sort(selector);
        self.classes.entry(class).or_default().entry(key).or_default().push((serial, index));
    }

    pub(super) fn remove(&mut self, selector: &Selector, index: usize) {
        let (class, key) = sort(selector);
        let Some(buckets) = self.classes.get_mut(&class) else { return };
        if let Some(bucket) = buckets.get_mut(&key) {
            bucket.retain(|&(_, other)| other != index);
            if bucket.is_empty() {
                buckets.remove(&key);
            }
        }
        if buckets.is_empty() {
            self.classes.remove(&class);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// All SAs, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = usize> {
        let mut all: Vec<Entry> =
            self.classes.values().flat_map(BTreeMap::values).flatten().copied().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, index)| index)
    }

    /// The newest SA that `fits`, of those whose selectors may cover the flow: `fits` asks them.
    pub(super) fn newest(&self, flow: &Flow, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let flow = flow.oriented(Direction::Outbound);
        let mut newest: Option<Entry> = None;
        for (class, buckets) in &self.classes {
            let port = |wanted: bool, port: Option<u16>| if wanted { port } else { None };
            let key = Key {
                local: class.local.map(|length| leading(flow.local, length)),
                remote: class.remote.map(|length| leading(flow.remote, length)),
                local_port: port(class.local_port, flow.local_port.or(flow.message)),
                remote_port: port(class.remote_port, flow.remote_port),
            };
            let Some(bucket) = buckets.get(&key) else { continue };
            let newer = |&&(serial, _): &&Entry| newest.is_none_or(|(other, _)| serial > other);
            let found = bucket.iter().rev().take_while(newer).find(|&&(_, index)| fits(index));
            newest = found.copied().or(newest);
        }
        newest.map(|(_, index)| index)
    }
}

/// Where an SA belongs. A port of a class is wanted, so a flow without it finds nothing there: the selector would not
/// cover it either.
fn sort(selector: &Selector) -> (Class, Key) {
    let (local, remote) = (common(&selector.local), common(&selector.remote));
    let port = |range: PortRange| range.is_single().then(|| range.first());
    // What a message that goes out is, the local field says alone.
    let is_sent_only = selector.protocol.is_some_and(has_messages);
    let remote_port = if is_sent_only { PortRange::ANY } else { selector.remote_port };
    let (local_port, remote_port) = (port(selector.local_port), port(remote_port));
    let class = Class {
        local: local.map(|(_, length)| length),
        remote: remote.map(|(_, length)| length),
        local_port: local_port.is_some(),
        remote_port: remote_port.is_some(),
    };
    let (local, remote) = (local.map(|(network, _)| network), remote.map(|(network, _)| network));
    (class, Key { local, remote, local_port, remote_port })
}

/// The shortest prefix that holds all addresses.
fn common(addresses: &Addresses) -> Option<(IpAddr, u8)> {
    let range = addresses.range()?;
    let length = match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        _ => 0,
    };
    let length = u8::try_from(length).unwrap_or_default();
    Some((leading(range.first(), length), length))
}

/// The address with all bits behind the first `length` cleared. A length too long for the family leaves it as it is:
/// no SA of the other family has such a key.
fn leading(address: IpAddr, length: u8) -> IpAddr {
    let length = u32::from(length);
    match address {
        IpAddr::V4(v4) => {
            let behind = u32::MAX.checked_shr(length).unwrap_or_default();
            IpAddr::V4((v4.to_bits() & !behind).into())
        }
        IpAddr::V6(v6) => {
            let behind = u128::MAX.checked_shr(length).unwrap_or_default();
            IpAddr::V6((v6.to_bits() & !behind).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use ipsec_proto::registry::IpProtocol;
    use proptest::prelude::*;

    use super::*;
    use crate::flow::Ports;
    use crate::selector::AddressRange;

    /// Few addresses, so that ranges meet, in both families.
    fn address(v6: bool, number: u8) -> IpAddr {
        if v6 { IpAddr::V6((u128::from(number) << 60).into()) } else { IpAddr::V4(u32::from(number).into()) }
    }

    fn addresses() -> impl Strategy<Value = (Addresses, bool)> {
        (any::<bool>(), 0_u8..16, 0_u8..16, 0_u8..4).prop_map(|(v6, a, b, kind)| {
            let range = AddressRange::new(address(v6, a.min(b)), address(v6, a.max(b))).unwrap();
            match kind {
                0 => (Addresses::Any, v6),
                1 => (Addresses::from(address(v6, a)), v6),
                _ => (Addresses::Range(range), v6),
            }
        })
    }

    fn ports() -> impl Strategy<Value = PortRange> {
        (0_u16..4, 0_u16..4, 0_u8..3).prop_map(|(a, b, kind)| match kind {
            0 => PortRange::ANY,
            1 => PortRange::single(a),
            _ => PortRange::new(a.min(b), a.max(b)).unwrap(),
        })
    }

    fn selector() -> impl Strategy<Value = Selector> {
        (addresses(), addresses(), ports(), ports(), any::<bool>()).prop_map(
            |((local, _), (remote, _), local_port, remote_port, udp)| Selector {
                local,
                remote,
                protocol: (udp || !local_port.is_any() || !remote_port.is_any()).then_some(IpProtocol::UDP),
                local_port,
                remote_port,
            },
        )
    }

    fn flow() -> impl Strategy<Value = Flow> {
        (any::<bool>(), 0_u8..16, 0_u8..16, 0_u16..4, 0_u16..4, any::<bool>()).prop_map(
            |(v6, source, destination, from, to, opaque)| {
                let ports =
                    if opaque { Ports::Opaque } else { Ports::Transport { source: from, destination: to } };
                Flow::new(address(v6, source), address(v6, destination), IpProtocol::UDP, ports)
            },
        )
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_the_scan(
            steps in proptest::collection::vec((selector(), any::<bool>(), any::<proptest::sample::Index>()), 1..40),
            flows in proptest::collection::vec(flow(), 1..20),
        ) {
            let mut choice = Choice::default();
            // In the order they were added, with their place.
            let mut live: Vec<(Selector, usize)> = Vec::new();
            for (serial, (selector, unusable, which)) in (0_u64..).zip(steps) {
                if live.len() > 5 && unusable {
                    let (gone, index) = live.remove(which.index(live.len()));
                    choice.remove(&gone, index);
                } else {
                    let index = usize::try_from(serial).unwrap();
                    choice.insert(&selector, serial, index);
                    live.push((selector, index));
                }
                for flow in &flows {
                    let fits = |index: usize| {
                        // Every third is not usable.
                        index % 3 != 2
                            && live.iter().any(|(selector, other)| {
                                *other == index && selector.matches(flow, Direction::Outbound)
                            })
                    };
                    let naive = live.iter().rev().map(|&(_, index)| index).find(|&index| fits(index));
                    prop_assert_eq!(choice.newest(flow, fits), naive, "{}", flow);
                }
            }
            for (selector, index) in live.drain(..) {
                choice.remove(&selector, index);
            }
            prop_assert!(choice.is_empty());
        }
    }
}
