//! Which packets are treated otherwise by another SPD.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cell, Region, ranked, regions};
use super::{Action, Match, Policy, PolicyId, Spd};
use crate::flow::{Direction, Flow};

/// Limits of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffLimits {
    /// Cells of packets that are looked at.
    pub cells: u64,
    /// Examples for each change.
    pub examples: usize,
}

impl Default for DiffLimits {
    /// A million cells, three examples.
    fn default() -> Self {
        Self { cells: 1_000_000, examples: 3 }
    }
}

/// The packets that one policy decided on before, and another does now, with another action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which way they go.
    pub direction: Direction,
    /// What decided before.
    pub old: Match,
    /// What decides now.
    pub new: Match,
    /// Classes of them: boxes of packets between the ends of selectors.
    pub classes: u64,
    /// A packet each of the first of them.
    pub examples: Vec<Flow>,
}

/// What two SPDs differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpdDiff {
    /// The changes, outbound first, then by the policy that decided.
    pub changes: Vec<Change>,
    /// Whether all packets were looked at. If not, there may be more changes.
    pub complete: bool,
}

/// The packets whose action changes from `old` to `new`: all of them, unless a limit is reached.
///
/// Between two lists of policies, packets can change that some policy covers which is new, gone, changed or moved. Their
/// boxes are cut where selectors begin and end until one policy decides on each cell, in both.
#[must_use]
pub fn diff(old: &Spd, new: &Spd, limits: DiffLimits) -> SpdDiff {
    let (old_ranked, new_ranked) = (ranked(old), ranked(new));
    let (old_moved, new_moved) = moved(&old_ranked, &new_ranked);
    let mut changes = BTreeMap::new();
    let mut left = limits.cells;
    let mut complete = true;
    for region in regions() {
        let extents = |policies: &[&Policy]| -> Vec<Rule> {
            let rule = |policy: &&Policy| Some((region.extent(policy)?, matched(policy)));
            policies.iter().filter_map(rule).collect()
        };
        let mut touched: Vec<Cell> =
            extents(&old_moved).into_iter().chain(extents(&new_moved)).map(|(cell, _)| cell).collect();
        if old.default_action() != new.default_action() {
            touched = vec![region.all];
        }
        if touched.is_empty() {
            continue;
        }
        let mut search = Search {
            old: extents(&old_ranked),
            new: extents(&new_ranked),
            old_default: by_default(old),
            new_default: by_default(new),
            region: &region,
            changes: &mut changes,
            examples: limits.examples,
            left: &mut left,
        };
        for (number, root) in touched.iter().enumerate() {
            complete &= search.run(root, touched.get(..number).unwrap_or_default());
        }
    }
    let changes = changes.into_values().collect();
    SpdDiff { changes, complete }
}

type Rule = (Cell, Match);
/// Direction, then what decided before and now; ordered for the output.
type Key = (bool, Option<PolicyId>, Option<PolicyId>);

fn matched(policy: &Policy) -> Match {
    Match { policy: Some(policy.id), action: policy.action }
}

const fn by_default(spd: &Spd) -> Match {
    Match { policy: None, action: spd.default_action() }
}

struct Search<'a> {
    old: Vec<Rule>,
    new: Vec<Rule>,
    old_default: Match,
    new_default: Match,
    region: &'a Region,
    changes: &'a mut BTreeMap<Key, Change>,
    examples: usize,
    left: &'a mut u64,
}

/// A cell with the rules of both lists that meet it, by number, up to the first that covers it.
struct Task {
    cell: Cell,
    old: Vec<u32>,
    new: Vec<u32>,
}

impl Search<'_> {
    /// Looks at all of `root` but what lies in `done`; `false` if the limit was reached.
    fn run(&mut self, root: &Cell, done: &[Cell]) -> bool {
        let all = |rules: &[Rule]| (0..).zip(rules).map(|(number, _)| number).collect();
        let mut tasks = vec![Task { cell: *root, old: all(&self.old), new: all(&self.new) }];
        while let Some(Task { cell, old, new }) = tasks.pop() {
            let Some(left) = self.left.checked_sub(1) else { return false };
            *self.left = left;
            let done: Vec<&Cell> = done.iter().filter(|other| other.intersect(&cell).is_some()).collect();
            if done.iter().any(|other| other.covers(&cell)) {
                continue;
            }
            let (old, new) = (meeting(&self.old, &old, &cell), meeting(&self.new, &new, &cell));
            let sides = [(&self.old, &old), (&self.new, &new)];
            if agree(sides, &cell) && self.old_default.action == self.new_default.action {
                continue;
            }
            let first = |(rules, numbers): (&Vec<Rule>, &Vec<u32>)| {
                numbers.first().and_then(|&number| rules.get(number as usize)).copied()
            };
            let firsts = sides.map(first);
            let cutting =
                done.first().map(|cell| **cell).into_iter().chain(firsts.iter().flatten().map(|rule| rule.0));
            if let Some(parts) = cutting.into_iter().find_map(|other| cell.cut(&other)) {
                tasks.extend(parts.map(|cell| Task { cell, old: old.clone(), new: new.clone() }));
                continue;
            }
            let [old, new] = firsts.map(|rule| rule.map(|(_, found)| found));
            self.compare(&cell, old.unwrap_or(self.old_default), new.unwrap_or(self.new_default));
        }
        true
    }

    fn compare(&mut self, cell: &Cell, old: Match, new: Match) {
        if old.action == new.action {
            return;
        }
        let Some(example) = self.region.example(cell) else { return };
        let direction = self.region.direction;
        let key = (direction == Direction::Inbound, old.policy, new.policy);
        let change = self.changes.entry(key).or_insert_with(|| Change {
            direction,
            old,
            new,
            classes: 0,
            examples: Vec::new(),
        });
        change.classes += 1;
        if change.examples.len() < self.examples {
            change.examples.push(example);
        }
    }
}

/// Of the rules in `numbers` those that meet `cell`, up to the first that covers it: no other decides there.
fn meeting(rules: &[Rule], numbers: &[u32], cell: &Cell) -> Vec<u32> {
    let mut met = Vec::new();
    for &number in numbers {
        let Some((extent, _)) = rules.get(number as usize) else { continue };
        if extent.intersect(cell).is_some() {
            met.push(number);
            if extent.covers(cell) {
                break;
            }
        }
    }
    met
}

/// Whether both sides have the same rules in the cell.
fn agree([old, new]: [(&Vec<Rule>, &Vec<u32>); 2], cell: &Cell) -> bool {
    let side = |(rules, numbers): (&Vec<Rule>, &Vec<u32>)| -> Vec<(Option<Cell>, Action)> {
        let rule = |&number: &u32| rules.get(number as usize);
        numbers
            .iter()
            .filter_map(rule)
            .map(|(extent, found)| (extent.intersect(cell), found.action))
            .collect()
    };
    old.1.len() == new.1.len() && side(old) == side(new)
}

/// The policies of either list that are not in the other, the same and in the same order.
fn moved<'a>(old: &[&'a Policy], new: &[&'a Policy]) -> (Vec<&'a Policy>, Vec<&'a Policy>) {
    let ranks: BTreeMap<PolicyId, usize> = old.iter().map(|policy| policy.id).zip(0..).collect();
    let same = |a: &Policy, b: &Policy| {
        (a.selector, a.action, a.applies, a.realms, a.interface)
            == (b.selector, b.action, b.applies, b.realms, b.interface)
    };
    // The old ranks of the new list's policies, where these are the same.
    let common: Vec<usize> = new
        .iter()
        .filter_map(|policy| {
            let rank = *ranks.get(&policy.id)?;
            old.get(rank).is_some_and(|before| same(before, policy)).then_some(rank)
        })
        .collect();
    let kept: BTreeSet<PolicyId> =
        longest_increasing(&common).into_iter().filter_map(|rank| old.get(rank)).map(|p| p.id).collect();
    let others = |policies: &[&'a Policy]| {
        policies.iter().copied().filter(|policy| !kept.contains(&policy.id)).collect()
    };
    (others(old), others(new))
}

/// A longest increasing subsequence.
fn longest_increasing(numbers: &[usize]) -> Vec<usize> {
    // By length: the index at which the sequence with the least end ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    let at = |index: usize| numbers.get(index).copied().unwrap_or(usize::MAX);
    for (index, &number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&end| at(end) < number);
        before.push(length.checked_sub(1).and_then(|length| ends.get(length)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut sequence = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(index) = next {
        sequence.push(at(index));
        next = before.get(index).copied().flatten();
    }
    sequence.reverse();
    sequence
}
