//! Policies that came with SA pairs, each directly before the one it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::BothWays;
use super::index::Index;
use super::{Action, Place, Policy, PolicyId, PolicySource};
use crate::flow::Oriented;
use crate::sad::PairId;

/// The dynamic policies of an SPD.
#[derive(Clone, Default)]
pub(super) struct Dynamic {
    /// By parent, and in the order they came within each.
    policies: Arc<Vec<Policy>>,
    /// By the parent's place.
    by_parent: Arc<BTreeMap<Place, Children>>,
}

struct Children {
    /// Their places, from the first to behind the last.
    range: (Place, Place),
    index: BothWays,
}

/// Why a policy can't stand before another as part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    NoParent,
    NotProtected,
    NotCovered,
}

/// Whether `policy` can stand directly before `parent`.
pub(super) fn fits(policy: &Policy, parent: Option<&Policy>) -> Result<(), Misfit> {
    let parent = parent.ok_or(Misfit::NoParent)?;
    if parent.source != PolicySource::Configured || !matches!(parent.action, Action::Protect(_)) {
        return Err(Misfit::NotProtected);
    }
    if !parent.selector.covers(&policy.selector) {
        return Err(Misfit::NotCovered);
    }
    Ok(())
}

pub(super) const fn parent_of(policy: &Policy) -> Option<PolicyId> {
    match policy.source {
        PolicySource::Dynamic { parent, .. } => Some(parent),
        PolicySource::Configured | PolicySource::BuiltIn => None,
    }
}

fn is_owned_by(policy: &Policy, pair: PairId) -> bool {
    matches!(policy.source, PolicySource::Dynamic { owner, .. } if owner == pair)
}

impl Dynamic {
    /// Compiles `dynamic`. Each has the direction, realms and interface of its parent. Those whose parent is not in `written`, or does not protect what they cover, are left out.
    pub(super) fn build(dynamic: impl IntoIterator<Item = Policy>, written: &[Policy]) -> Self {
        let dynamic: Vec<Policy> = dynamic.into_iter().collect();
        if dynamic.is_empty() {
            return Self::default();
        }
        let places: BTreeMap<PolicyId, Place> = written.iter().map(|policy| policy.id).zip(0..).collect();
        let mut placed: Vec<(Place, Policy)> = dynamic
            .into_iter()
            .filter_map(|mut policy| {
                let place = *places.get(&parent_of(&policy)?)?;
                let parent = written.get(place as usize)?;
                (policy.applies, policy.realms, policy.interface) =
                    (parent.applies, parent.realms, parent.interface);
                fits(&policy, Some(parent)).is_ok().then_some((place, policy))
            })
            .collect();
        placed.sort_by_key(|(parent, _)| *parent);
        let numbered: Vec<(Place, (Place, &Policy))> = (0..)
            .zip(&placed)
            .map(|(number, (parent, policy)): (Place, _)| (*parent, (first_place(written) + number, policy)))
            .collect();
        let by_parent = numbered
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|group| {
                let children: Vec<(Place, &Policy)> = group.iter().map(|(_, child)| *child).collect();
                let index = BothWays::build(children.iter().map(|(_, policy)| *policy), |direction| {
                    Index::build_ordered(&children, direction)
                });
                let range = (children.first()?.0, children.last()?.0 + 1);
                Some((group.first()?.0, Children { range, index }))
            })
            .collect();
        let policies = placed.into_iter().map(|(_, policy)| policy).collect();
        Self { policies: Arc::new(policies), by_parent: Arc::new(by_parent) }
    }

    /// The same without those of a pair, `None` if there are none.
    pub(super) fn without(&self, pair: PairId, written: &[Policy]) -> Option<Self> {
        self.policies.iter().any(|policy| is_owned_by(policy, pair)).then(|| {
            let others = self.policies.iter().filter(|policy| !is_owned_by(policy, pair));
            Self::build(others.cloned(), written)
        })
    }

    /// The dynamic policy that takes the place of its parent.
    pub(super) fn lookup(&self, parent: Place, flow: &Oriented) -> Option<Place> {
        if self.by_parent.is_empty() {
            return None;
        }
        self.by_parent.get(&parent)?.index.lookup(flow)
    }

    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Those of one parent, in order.
    pub(super) fn children(&self, parent: Place) -> impl Iterator<Item = &Policy> {
        let offset = self.by_parent.values().next().map_or(0, |children| children.range.0) as usize;
        let (first, end) = self.by_parent.get(&parent).map_or((0, 0), |children| children.range);
        let range = (first as usize).saturating_sub(offset)..(end as usize).saturating_sub(offset);
        self.policies.get(range).unwrap_or_default().iter()
    }
}

/// The place of the first dynamic policy: behind all that were written.
fn first_place(written: &[Policy]) -> Place {
    Place::try_from(written.len()).unwrap_or(Place::MAX)
}
