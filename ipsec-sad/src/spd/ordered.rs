//! Policies with a prefix or a range in some field: the first match in configuration order, found in a tree of cuts.
//!
//! Each policy is a box in five dimensions. A node cuts one dimension at one value: the boxes wholly below, those
//! wholly above, and those across the cut are three subtrees, so no policy is stored twice and memory is linear. A
//! lookup enters one side and the middle, and skips a subtree whose first policy comes after one already found. The
//! cut taken is the one that leaves the fewest policies on the worst way down.

use std::net::IpAddr;

use super::hashed::Place;
use crate::flow::Oriented;
use crate::selector::{Addresses, PortRange, Selector};

const DIMENSIONS: usize = 5;
/// Up to here a scan is as fast as another cut.
const LEAF: usize = 8;

/// A flow as coordinates.
type Point = [u128; DIMENSIONS];

#[derive(Clone, Copy)]
struct Interval {
    low: u128,
    high: u128,
}

/// A box: what the tree cuts by. It covers at least what its selector covers, which is asked at the leaf.
#[derive(Clone, Copy)]
struct Extent {
    place: Place,
    intervals: [Interval; DIMENSIONS],
}

impl Extent {
    fn of(place: Place, selector: &Selector) -> Self {
        let protocol = selector.protocol.map_or(Interval { low: 0, high: u8::MAX.into() }, |protocol| {
            let number = u128::from(protocol.0);
            Interval { low: number, high: number }
        });
        let intervals = [
            address_interval(&selector.local),
            address_interval(&selector.remote),
            protocol,
            port_interval(selector.local_port),
            port_interval(selector.remote_port),
        ];
        Self { place, intervals }
    }

    fn interval(&self, dimension: usize) -> Interval {
        self.intervals.get(dimension).copied().unwrap_or(Interval { low: 0, high: u128::MAX })
    }

    fn side(&self, cut: Cut) -> Side {
        let interval = self.interval(cut.dimension);
        if interval.high < cut.at {
            Side::Below
        } else if interval.low >= cut.at {
            Side::Above
        } else {
            Side::Across
        }
    }
}

/// IPv4 lies where IPv6 maps it. The families may overlap here, the selector at the leaf tells them apart.
fn address_coordinate(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address_interval(addresses: &Addresses) -> Interval {
    match addresses {
        Addresses::Any => Interval { low: 0, high: u128::MAX },
        Addresses::Range(range) => {
            Interval { low: address_coordinate(range.first()), high: address_coordinate(range.last()) }
        }
    }
}

/// No port is 0, port `n` is `n + 1`.
fn port_interval(range: PortRange) -> Interval {
    let low = if range.is_any() { 0 } else { u128::from(range.first()) + 1 };
    Interval { low, high: u128::from(range.last()) + 1 }
}

fn point(flow: &Oriented) -> Point {
    let port = |port: Option<u16>| port.map_or(0, |port| u128::from(port) + 1);
    [
        address_coordinate(flow.local),
        address_coordinate(flow.remote),
        flow.protocol.0.into(),
        port(flow.local_port),
        port(flow.remote_port),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Below,
    Above,
    Across,
}

#[derive(Clone, Copy)]
struct Cut {
    dimension: usize,
    at: u128,
}

enum Node {
    /// These entries, in configuration order.
    Leaf { start: u32, end: u32 },
    /// Three subtrees.
    Cut { cut: Cut, below: Child, above: Child, across: Child },
}

/// A subtree, with its first place: what decides whether it is looked at is known before it is.
#[derive(Clone, Copy)]
struct Child {
    first: Place,
    node: u32,
}

impl Default for Child {
    /// Nothing: a place that comes after all there are.
    fn default() -> Self {
        Self { first: Place::MAX, node: u32::MAX }
    }
}

struct Entry {
    place: Place,
    selector: Selector,
}

/// The ordered policies of one direction.
#[derive(Default)]
pub(super) struct Ordered {
    nodes: Vec<Node>,
    /// Leaf after leaf.
    entries: Vec<Entry>,
    root: Child,
}

impl Ordered {
    /// Builds the tree of `policies`, which are in configuration order.
    pub(super) fn build<'a>(policies: impl Iterator<Item = (Place, &'a Selector)> + Clone) -> Self {
        let mut boxes: Vec<Extent> = policies.clone().map(|(place, s)| Extent::of(place, s)).collect();
        let mut leaves = Vec::with_capacity(boxes.len());
        let mut tree = Self::default();
        tree.root = tree.grow(&mut boxes, &mut leaves);
        let selectors: Vec<(Place, &Selector)> = policies.collect();
        tree.entries = leaves
            .into_iter()
            .filter_map(|place| {
                let found = selectors.binary_search_by_key(&place, |&(place, _)| place).ok()?;
                selectors.get(found).map(|&(place, selector)| Entry { place, selector: *selector })
            })
            .collect();
        tree
    }

    /// Adds the subtree of `boxes`; a leaf's places are appended to `leaves`.
    fn grow(&mut self, boxes: &mut [Extent], leaves: &mut Vec<Place>) -> Child {
        let Some(first) = boxes.iter().map(|extent| extent.place).min() else { return Child::default() };
        let node = match best_cut(boxes) {
            Some(cut) => {
                boxes.sort_unstable_by_key(|extent| extent.side(cut));
                let end_below = boxes.partition_point(|extent| extent.side(cut) == Side::Below);
                let (below, rest) = boxes.split_at_mut(end_below);
                let end_above = rest.partition_point(|extent| extent.side(cut) == Side::Above);
                let (above, across) = rest.split_at_mut(end_above);
                Node::Cut {
                    cut,
                    below: self.grow(below, leaves),
                    above: self.grow(above, leaves),
                    across: self.grow(across, leaves),
                }
            }
            None => {
                boxes.sort_unstable_by_key(|extent| extent.place);
                let start = number(leaves.len());
                leaves.extend(boxes.iter().map(|extent| extent.place));
                Node::Leaf { start, end: number(leaves.len()) }
            }
        };
        self.nodes.push(node);
        Child { first, node: number(self.nodes.len() - 1) }
    }

    /// The first policy in configuration order that covers the flow.
    pub(super) fn lookup(&self, flow: &Oriented) -> Option<Place> {
        let found = self.search(self.root, &point(flow), flow, Place::MAX);
        (found < Place::MAX).then_some(found)
    }

    /// The first place in the subtree that covers the flow, or `best` if none before it does.
    fn search(&self, child: Child, point: &Point, flow: &Oriented, best: Place) -> Place {
        if child.first >= best {
            return best;
        }
        match self.nodes.get(child.node as usize) {
            Some(&Node::Leaf { start, end }) => {
                let entries = self.entries.get(start as usize..end as usize).unwrap_or_default();
                entries
                    .iter()
                    .take_while(|entry| entry.place < best)
                    .find(|entry| entry.selector.mismatch_oriented(flow).is_none())
                    .map_or(best, |entry| entry.place)
            }
            Some(&Node::Cut { cut, below, above, across }) => {
                let coordinate = point.get(cut.dimension).copied().unwrap_or_default();
                let side = if coordinate < cut.at { below } else { above };
                // The half with the earlier policy first: what it finds may spare the other.
                let (one, two) = if side.first < across.first { (side, across) } else { (across, side) };
                let best = self.search(one, point, flow, best);
                self.search(two, point, flow, best)
            }
            None => best,
        }
    }
}

/// Places have 32 bits, so policies, leaves and nodes do.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The cut after which the fewest boxes are left to look at, `None` if none saves an eighth of them.
fn best_cut(boxes: &[Extent]) -> Option<Cut> {
    if boxes.len() <= LEAF {
        return None;
    }
    let mut best: Option<(usize, Cut)> = None;
    for dimension in 0..DIMENSIONS {
        let Some(at) = median_edge(boxes, dimension) else { continue };
        let cut = Cut { dimension, at };
        let (mut below, mut above) = (0, 0);
        for extent in boxes {
            match extent.side(cut) {
                Side::Below => below += 1,
                Side::Above => above += 1,
                Side::Across => {}
            }
        }
        // The larger side and all that lie across.
        let left = boxes.len() - below.min(above);
        if best.is_none_or(|(least, _)| left < least) {
            best = Some((left, cut));
        }
    }
    let (left, cut) = best?;
    (left <= boxes.len() - boxes.len() / 8).then_some(cut)
}

/// The middle one of the values at which a box begins, or behind which one ends, inside the extent of all of them.
fn median_edge(boxes: &[Extent], dimension: usize) -> Option<u128> {
    let least = boxes.iter().map(|extent| extent.interval(dimension).low).min()?;
    let greatest = boxes.iter().map(|extent| extent.interval(dimension).high).max()?;
    let mut edges: Vec<u128> = boxes
        .iter()
        .flat_map(|extent| {
            let Interval { low, high } = extent.interval(dimension);
            [(low > least).then_some(low), (high < greatest).then(|| high + 1)]
        })
        .flatten()
        .collect();
    let middle = edges.len() / 2;
    (middle < edges.len()).then(|| *edges.select_nth_unstable(middle).1)
}
