//! Why a packet gets the policy it gets: every policy, with the reason it won or lost.

use core::fmt;

use super::{Difference, Match, Policy, PolicyId, PolicySource, Spd};
use crate::flow::{Direction, Flow};

/// The answer to "which policy, and why not the others".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the search finds.
    pub found: Match,
    /// Every policy in configuration order, each dynamic one directly before the one it came from.
    pub candidates: Vec<Candidate>,
}

impl Explanation {
    /// The candidates that cover the packet but for the interface: what to look at where a policy seems not to work.
    pub fn on_another_interface(&self) -> impl Iterator<Item = PolicyId> {
        let elsewhere = Reason::Differs(Difference::Interface);
        self.candidates.iter().filter(move |candidate| candidate.reason == elsewhere).map(|c| c.policy)
    }
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

/// The stages of the search before the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It belongs to the gateway and goes before all others.
    BuiltIn,
    /// Every specified field is a single value.
    Hashed {
        /// The number of specified fields, from 1 to 5.
        specified: u32,
    },
    /// A prefix or a range in some field, or no field specified.
    Ordered,
    /// It came with an SA pair, and is looked at where this policy wins.
    Dynamic {
        /// The policy it came from.
        parent: PolicyId,
    },
}

/// Why a policy won or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It decides.
    Won,
    /// It does not cover the packet.
    Differs(Difference),
    /// It matches, but the winner has more specified fields.
    FewerFields,
    /// It matches, but the winner comes first in the configuration.
    Later,
    /// It matches, but a hashed policy matches too and goes first.
    AfterHashed,
    /// It matches, but a built-in policy matches too and goes first.
    AfterBuiltIn,
    /// It would win, but a dynamic policy that came from it matches too.
    DynamicFirst,
    /// It matches, but the policy it came from does not win.
    ParentLost,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Won => "decides",
            Self::Differs(difference) => return fmt::Display::fmt(difference, f),
            Self::FewerFields => "matches, but another specifies more fields",
            Self::Later => "matches, but another comes first",
            Self::AfterHashed => "matches, but a hashed policy goes first",
            Self::AfterBuiltIn => "matches, but a built-in policy goes first",
            Self::DynamicFirst => "matches, but a policy of an SA pair stands before it",
            Self::ParentLost => "matches, but the policy it came from does not decide",
        })
    }
}

impl Spd {
    /// Every policy, in configuration order, with the reason it won or lost for a packet of `flow` in `direction`.
    ///
    /// Costs time linear in the number of policies: for people, not for packets.
    #[must_use]
    pub fn explain(&self, flow: &Flow, direction: Direction) -> Explanation {
        let place = self.place(flow, direction);
        let found = place.and_then(|place| self.at(place));
        // Of a dynamic policy that decides, the one it came from won the search.
        let winner = match found.map(|policy| policy.source) {
            Some(PolicySource::Dynamic { parent, .. }) => self.policy(parent),
            _ => found,
        };
        let decides = found.map(|policy| policy.id);
        let candidates = self
            .entries()
            .map(|policy| Candidate {
                policy: policy.id,
                stage: stage(policy),
                reason: match policy.difference(flow, direction) {
                    Some(difference) => Reason::Differs(difference),
                    None if decides == Some(policy.id) => Reason::Won,
                    None => loss(policy, winner),
                },
            })
            .collect();
        Explanation { found: self.found(place), candidates }
    }
}

fn stage(policy: &Policy) -> Stage {
    match policy.source {
        PolicySource::BuiltIn => Stage::BuiltIn,
        PolicySource::Dynamic { parent, .. } => Stage::Dynamic { parent },
        PolicySource::Configured if policy.is_hashed() => {
            Stage::Hashed { specified: policy.specified_fields() }
        }
        PolicySource::Configured => Stage::Ordered,
    }
}

/// Why a policy that matches does not decide; `winner` is the one that was written.
fn loss(policy: &Policy, winner: Option<&Policy>) -> Reason {
    // A policy that matches has a winner: itself or one that beats it.
    let Some(winner) = winner else { return Reason::Later };
    match (stage(policy), stage(winner)) {
        (Stage::Dynamic { parent }, _) if parent == winner.id => Reason::Later,
        (Stage::Dynamic { .. }, _) => Reason::ParentLost,
        _ if policy.id == winner.id => Reason::DynamicFirst,
        (Stage::BuiltIn, _) => Reason::Later,
        (_, Stage::BuiltIn) => Reason::AfterBuiltIn,
        (Stage::Hashed { specified: ours }, Stage::Hashed { specified }) if ours < specified => {
            Reason::FewerFields
        }
        (Stage::Ordered, Stage::Hashed { .. }) => Reason::AfterHashed,
        _ => Reason::Later,
    }
}
