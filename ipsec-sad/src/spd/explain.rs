//! Why a packet gets the policy it gets: every policy, with the reason it won or lost.

use super::{Match, Policy, PolicyId, Spd};
use crate::flow::{Direction, Flow};
use crate::selector::SelectorField;

/// The answer to "which policy, and why not the others".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the search finds.
    pub found: Match,
    /// Every policy in configuration order.
    pub candidates: Vec<Candidate>,
}

/// One policy's part in a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The policy.
    pub policy: PolicyId,
    /// The stage of the search it belongs to.
    pub stage: Stage,
    /// Why it won or lost.
    pub reason: Reason,
}

/// The two stages of the search before the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Every specified field is a single value.
    Hashed {
        /// The number of specified fields, from 1 to 5.
        specified: u32,
    },
    /// A prefix or a range in some field, or no field specified.
    Ordered,
}

/// Why a policy won or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It decides.
    Won,
    /// It is not looked up in this direction.
    OtherDirection,
    /// It does not cover the flow; this is the first field that differs.
    Differs(SelectorField),
    /// It matches, but the winner has more specified fields.
    FewerFields,
    /// It matches, but the winner comes first in the configuration.
    Later,
    /// It matches, but a hashed policy matches too and goes first.
    AfterHashed,
}

impl Spd {
    /// Every policy, in configuration order, with the reason it won or lost for a packet of `flow` in `direction`.
    ///
    /// Costs time linear in the number of policies: for people, not for packets.
    #[must_use]
    pub fn explain(&self, flow: &Flow, direction: Direction) -> Explanation {
        let place = self.place(flow, direction);
        let winner = place.and_then(|place| self.at(place));
        let candidates = self
            .policies
            .iter()
            .map(|policy| Candidate {
                policy: policy.id,
                stage: stage(policy),
                reason: reason(policy, winner, flow, direction),
            })
            .collect();
        Explanation { found: self.found(place), candidates }
    }
}

fn stage(policy: &Policy) -> Stage {
    if policy.is_hashed() { Stage::Hashed { specified: policy.specified_fields() } } else { Stage::Ordered }
}

fn reason(policy: &Policy, winner: Option<&Policy>, flow: &Flow, direction: Direction) -> Reason {
    if !policy.applies_to(direction) {
        return Reason::OtherDirection;
    }
    if let Some(field) = policy.selector.mismatch(flow, direction) {
        return Reason::Differs(field);
    }
    // A policy that matches has a winner: itself or one that beats it.
    match winner.map(|winner| (winner, stage(winner))) {
        Some((winner, _)) if winner.id == policy.id => Reason::Won,
        Some((_, Stage::Hashed { specified })) => match stage(policy) {
            Stage::Ordered => Reason::AfterHashed,
            Stage::Hashed { specified: ours } if ours < specified => Reason::FewerFields,
            Stage::Hashed { .. } => Reason::Later,
        },
        Some((_, Stage::Ordered)) | None => Reason::Later,
    }
}
