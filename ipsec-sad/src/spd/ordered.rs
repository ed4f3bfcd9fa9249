//! Policies with a prefix or a range in some field: the first match in configuration order, found in a tree of cuts.
//!
//! Each policy is a box in seven dimensions. A node cuts one dimension at up to 31 values: the boxes of each of the 32
//! pieces, and those that lie across some cut, are its subtrees, so no policy is stored twice and memory is linear. A
//! lookup enters one piece and the boxes across, and skips a subtree whose first policy comes after one already found.
//! The dimension taken is the one that leaves the fewest policies on the worst way down.

use arrayvec::ArrayVec;

use super::Policy;
use super::index::{
    Address, Fields, Place, interface_number, is_about_messages, message_field, port_number, realm_of,
};
use super::leaf::{Entry, Whole};
use crate::flow::{Direction, Oriented};
use crate::selector::{Addresses, PortRange};

const DIMENSIONS: usize = 7;
/// Up to here a scan is as fast as another cut.
const LEAF: usize = 6;
/// The most values one node cuts at.
const CUTS: usize = 31;
/// Boxes that are looked at to choose where to cut.
const SAMPLE: usize = 1024;

/// A flow as coordinates.
type Point = [u128; DIMENSIONS];

#[derive(Clone, Copy, PartialEq, Eq)]
struct Interval {
    low: u128,
    high: u128,
}

/// A box: what the tree cuts by. It covers at least what its policy covers, which is asked at the leaf.
type Extent = [Interval; DIMENSIONS];

fn extent_of(policy: &Policy, direction: Direction) -> Extent {
    let one = |value: Option<u32>| match value {
        Some(value) => Interval { low: value.into(), high: value.into() },
        None => Interval { low: 0, high: u128::MAX },
    };
    let selector = &policy.selector;
    let (local_port, remote_port) = if is_about_messages(policy) {
        // Only the field for this direction is asked of a visible message.
        let field = message_field(policy, direction);
        match direction {
            Direction::Outbound => (field, PortRange::ANY),
            Direction::Inbound => (PortRange::ANY, field),
        }
    } else {
        (selector.local_port, selector.remote_port)
    };
    [
        address_interval(&selector.local),
        address_interval(&selector.remote),
        one(selector.protocol.map(|protocol| protocol.0.into())),
        port_interval(local_port),
        port_interval(remote_port),
        one(realm_of(policy, direction).map(|realm| realm.0)),
        one(policy.interface.map(|interface| interface_number(Some(interface)))),
    ]
}

fn address_interval(addresses: &Addresses) -> Interval {
    match addresses {
        Addresses::Any => Interval { low: 0, high: u128::MAX },
        Addresses::Range(range) => {
            let number = |address| Address::of(address).number;
            Interval { low: number(range.first()), high: number(range.last()) }
        }
    }
}

fn port_interval(range: PortRange) -> Interval {
    if range.is_any() {
        Interval { low: 0, high: u128::MAX }
    } else if range.is_opaque() || range.is_none() {
        Interval { low: 0, high: 0 }
    } else {
        let number = |port| port_number(Some(port)).into();
        Interval { low: number(range.first()), high: number(range.last()) }
    }
}

fn point(flow: &Fields) -> Point {
    [
        flow.local.number,
        flow.remote.number,
        flow.protocol.into(),
        flow.local_port.into(),
        flow.remote_port.into(),
        flow.realm.into(),
        flow.interface.into(),
    ]
}

enum Node {
    /// These entries, in configuration order.
    Leaf { start: u32, end: u32 },
    /// A subtree a piece, one more than there are cuts, and one for the boxes that lie in more than one piece.
    Cut { dimension: u8, cuts: u8, first_cut: u32, first_child: u32, across: Child },
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

/// The ordered policies of one direction.
#[derive(Default)]
pub(super) struct Ordered {
    nodes: Vec<Node>,
    /// What the nodes cut at, in ascending order within each.
    cuts: Vec<u128>,
    children: Vec<Child>,
    /// Leaf after leaf.
    entries: Vec<Entry>,
    /// What does not fit into an entry.
    others: Vec<Whole>,
    root: Child,
}

impl Ordered {
    /// Builds the tree of `policies`, which are in configuration order.
    pub(super) fn build(policies: &[(Place, &Policy)], direction: Direction) -> Self {
        let mut builder = Builder {
            extents: policies.iter().map(|(_, policy)| extent_of(policy, direction)).collect(),
            policies,
            direction,
            tree: Self::default(),
        };
        let mut all: Vec<u32> = (0..number(policies.len())).collect();
        builder.tree.root = builder.grow(&mut all);
        builder.tree
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first policy in configuration order that covers the flow.
    pub(super) fn lookup(&self, fields: &Fields, flow: &Oriented) -> Option<Place> {
        let found = self.search(self.root, &point(fields), (fields, flow), Place::MAX);
        (found < Place::MAX).then_some(found)
    }

    /// The first place in the subtree that covers the flow, or `best` if none before it does.
    fn search(&self, child: Child, point: &Point, flow: (&Fields, &Oriented), best: Place) -> Place {
        if child.first >= best {
            return best;
        }
        match self.nodes.get(child.node as usize) {
            Some(&Node::Leaf { start, end }) => {
                let entries = self.entries.get(start as usize..end as usize).unwrap_or_default();
                entries
                    .iter()
                    .take_while(|entry| entry.place < best)
                    .find(|entry| entry.covers(flow.0, flow.1, &self.others))
                    .map_or(best, |entry| entry.place)
            }
            Some(&Node::Cut { dimension, cuts, first_cut, first_child, across }) => {
                let coordinate = point.get(usize::from(dimension)).copied().unwrap_or_default();
                let first_cut = first_cut as usize;
                let cuts = self.cuts.get(first_cut..first_cut + usize::from(cuts)).unwrap_or_default();
                let piece = cuts.partition_point(|cut| *cut <= coordinate);
                let inside = self.children.get(first_child as usize + piece).copied().unwrap_or_default();
                // The one with the earlier policy first: what it finds may spare the other.
                let (one, two) =
                    if inside.first < across.first { (inside, across) } else { (across, inside) };
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

struct Builder<'a> {
    policies: &'a [(Place, &'a Policy)],
    /// By place in `policies`.
    extents: Vec<Extent>,
    direction: Direction,
    tree: Ordered,
}

impl Builder<'_> {
    /// Adds the subtree of `boxes`, which are places in `policies` in ascending order.
    fn grow(&mut self, boxes: &mut [u32]) -> Child {
        let Some(first) = boxes.first().and_then(|&number| self.policies.get(number as usize)) else {
            return Child::default();
        };
        let first = first.0;
        let node = match self.best_cut(boxes).and_then(|cut| self.split(boxes, &cut)) {
            Some(node) => node,
            None => {
                let start = number(self.tree.entries.len());
                for &number in &*boxes {
                    let Some(&(place, policy)) = self.policies.get(number as usize) else { continue };
                    let entry = Entry::new(place, policy, self.direction, &mut self.tree.others);
                    self.tree.entries.push(entry);
                }
                Node::Leaf { start, end: number(self.tree.entries.len()) }
            }
        };
        self.tree.nodes.push(node);
        Child { first, node: number(self.tree.nodes.len() - 1) }
    }

    /// Cuts the boxes and grows the pieces; `None`, with nothing done, if that does not make them smaller.
    fn split(&mut self, boxes: &mut [u32], cut: &Cut) -> Option<Node> {
        let mut parts: Vec<(u8, u32)> =
            boxes.iter().map(|&number| (cut.piece(self.interval(number, cut.dimension)), number)).collect();
        // By piece, and in configuration order within each.
        parts.sort_unstable();
        if parts.chunk_by(|a, b| a.0 == b.0).any(|part| !is_worth(part.len(), boxes.len())) {
            return None;
        }
        for (place, (_, number)) in boxes.iter_mut().zip(&parts) {
            *place = *number;
        }
        let first_cut = number(self.tree.cuts.len());
        self.tree.cuts.extend_from_slice(&cut.at);
        let first_child = self.tree.children.len();
        self.tree.children.resize(first_child + cut.at.len() + 1, Child::default());
        let mut across = Child::default();
        let mut rest = boxes;
        for part in parts.chunk_by(|a, b| a.0 == b.0) {
            let (of_part, others) = rest.split_at_mut(part.len());
            rest = others;
            let child = self.grow(of_part);
            let piece = part.first().map_or(ACROSS, |(piece, _)| *piece);
            match self.tree.children.get_mut(first_child + usize::from(piece)) {
                Some(place) if piece != ACROSS => *place = child,
                _ => across = child,
            }
        }
        let cuts = u8::try_from(cut.at.len()).unwrap_or(0);
        Some(Node::Cut {
            dimension: cut.dimension,
            cuts,
            first_cut,
            first_child: number(first_child),
            across,
        })
    }

    fn interval(&self, number: u32, dimension: u8) -> Interval {
        self.extents
            .get(number as usize)
            .and_then(|extent| extent.get(usize::from(dimension)))
            .copied()
            .unwrap_or(Interval { low: 0, high: u128::MAX })
    }

    /// The cuts after which the fewest of a sample of the boxes are left to look at, `None` if none saves an eighth.
    fn best_cut(&self, boxes: &[u32]) -> Option<Cut> {
        if boxes.len() <= LEAF {
            return None;
        }
        let sample: Vec<u32> = boxes.iter().copied().step_by(boxes.len().div_ceil(SAMPLE)).collect();
        let mut best: Option<(usize, Cut)> = None;
        let mut pieces = [0_usize; CUTS + 1];
        for dimension in 0..=u8::try_from(DIMENSIONS - 1).unwrap_or(0) {
            let intervals = || sample.iter().map(|&number| self.interval(number, dimension));
            let Some(cut) = quantiles(intervals(), dimension) else { continue };
            pieces.fill(0);
            let mut across = 0;
            for interval in intervals() {
                match pieces.get_mut(usize::from(cut.piece(interval))) {
                    Some(count) => *count += 1,
                    None => across += 1,
                }
            }
            let left = across + pieces.iter().max().copied().unwrap_or_default();
            if best.as_ref().is_none_or(|(least, _)| left < *least) {
                best = Some((left, cut));
            }
        }
        best.filter(|(left, _)| is_worth(*left, sample.len())).map(|(_, cut)| cut)
    }
}

/// Whether `left` of `all` boxes is less, and by an eighth.
const fn is_worth(left: usize, all: usize) -> bool {
    left < all && left <= all - all / 8
}

/// The piece of boxes that lie across a cut.
const ACROSS: u8 = u8::MAX;

struct Cut {
    dimension: u8,
    /// A piece begins at each, in ascending order.
    at: ArrayVec<u128, CUTS>,
}

impl Cut {
    fn piece(&self, Interval { low, high }: Interval) -> u8 {
        let below = |value: u128| self.at.partition_point(|cut| *cut <= value);
        let piece = below(low);
        if piece == below(high) { u8::try_from(piece).unwrap_or(ACROSS) } else { ACROSS }
    }
}

/// Cuts that about as many edges lie between, as round as can be: the edges are the values at which a box begins, or behind which one ends, inside
/// the extent of all of them.
fn quantiles(intervals: impl Iterator<Item = Interval> + Clone, dimension: u8) -> Option<Cut> {
    let least = intervals.clone().map(|interval| interval.low).min()?;
    let greatest = intervals.clone().map(|interval| interval.high).max()?;
    let mut edges: Vec<u128> = intervals
        .flat_map(|Interval { low, high }| {
            [(low > least).then_some(low), (high < greatest).then(|| high + 1)]
        })
        .flatten()
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let count = edges.len().min(CUTS);
    let edge = |quarter: usize| edges.get(quarter * edges.len() / (4 * count)).copied();
    let mut at = ArrayVec::new();
    for number in 0..count {
        let Some((low, high)) = edge(4 * number + 1).zip(edge(4 * number + 3)) else { continue };
        let cut = roundest(low, high);
        if at.last().is_none_or(|last| *last < cut) {
            at.push(cut);
        }
    }
    (!at.is_empty()).then_some(Cut { dimension, at })
}

/// The number above `low`, up to `high`, with the most zeros at its end: no prefix that is shorter lies across it. `high`
/// if there is none above `low`.
fn roundest(low: u128, high: u128) -> u128 {
    match (low ^ high).checked_ilog2() {
        Some(bit) if low < high => high >> bit << bit,
        _ => high,
    }
}
