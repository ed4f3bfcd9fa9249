//! The Security Policy Database: which packets pass in clear, are dropped, or must be in an SA (RFC 4301 §4.4.1).
//!
//! The search, in this order:
//!
//! 1. *Hashed* policies have at least one specified field, and every specified field is a single value. The matching
//!    one with the most specified fields wins, configuration order breaks ties.
//! 2. *Ordered* policies are all others. The first match in configuration order wins.
//! 3. The default, which must be given.
//!
//! Policies are written local to remote; an inbound packet is compared with their mirror, in the same order.

mod cache;
mod explain;
mod hashed;
mod ordered;
mod policy;

use core::fmt;
use std::collections::BTreeSet;

pub(crate) use cache::FlowCache;
pub use explain::{Candidate, Explanation, Reason, Stage};
use hashed::{Hashed, Place};
use ordered::Ordered;
pub use policy::{Action, Applies, Granularity, Policy, PolicyId, TemplateId};

use crate::flow::{Direction, Flow};

/// A compiled, immutable policy database. It is swapped whole, see [`Update::Policies`](crate::Update::Policies).
pub struct Spd {
    policies: Vec<Policy>,
    default: Action,
    outbound: Index,
    inbound: Index,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// The policy that decided; `None` is the default.
    pub policy: Option<PolicyId>,
    /// What it says.
    pub action: Action,
}

/// What makes a list of policies not an SPD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpdError {
    /// Two policies have one id.
    #[error("policy {name:?} has id {id}, which another policy has too")]
    DuplicateId {
        /// The id.
        id: PolicyId,
        /// The later policy's name.
        name: String,
    },
    /// The local addresses are of another family than the remote ones: no packet could match.
    #[error("policy {name:?}: local and remote addresses are of different families")]
    MixedFamilies {
        /// The policy's id.
        id: PolicyId,
        /// The policy's name.
        name: String,
    },
    /// The default protects, so there would be no policy to negotiate for.
    #[error("the default action can't be protect: write a last policy with no field specified")]
    DefaultProtects,
    /// More policies than a 32-bit place can number.
    #[error("more than {} policies", u32::MAX)]
    TooMany,
}

/// Collects the policies of an [`Spd`] in configuration order.
#[derive(Debug)]
#[must_use]
pub struct SpdBuilder {
    policies: Vec<Policy>,
    default: Action,
}

impl SpdBuilder {
    /// Appends a policy, after all pushed before.
    pub fn push(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Appends policies in the order given.
    pub fn extend(mut self, policies: impl IntoIterator<Item = Policy>) -> Self {
        self.policies.extend(policies);
        self
    }

    /// Compiles the index.
    ///
    /// # Errors
    /// See [`SpdError`].
    pub fn build(self) -> Result<Spd, SpdError> {
        let Self { policies, default } = self;
        if matches!(default, Action::Protect(_)) {
            return Err(SpdError::DefaultProtects);
        }
        if u32::try_from(policies.len()).is_err() {
            return Err(SpdError::TooMany);
        }
        let mut ids = BTreeSet::new();
        for policy in &policies {
            let (id, name) = (policy.id, policy.name.clone());
            if !ids.insert(id) {
                return Err(SpdError::DuplicateId { id, name });
            }
            if policy.selector.mixes_families() {
                return Err(SpdError::MixedFamilies { id, name });
            }
        }
        let outbound = Index::build(&policies, Direction::Outbound);
        let inbound = Index::build(&policies, Direction::Inbound);
        Ok(Spd { policies, default, outbound, inbound })
    }
}

/// The two stages for one direction.
struct Index {
    hashed: Hashed,
    ordered: Ordered,
}

impl Index {
    fn build(policies: &[Policy], direction: Direction) -> Self {
        let of_stage = |hashed: bool| {
            (0..)
                .zip(policies)
                .filter(move |(_, policy)| policy.applies_to(direction) && policy.is_hashed() == hashed)
                .map(|(place, policy): (Place, &Policy)| (place, &policy.selector))
        };
        let mut hashed = Hashed::default();
        of_stage(true).for_each(|(place, selector)| hashed.push(place, selector));
        Self { hashed, ordered: Ordered::build(of_stage(false)) }
    }
}

impl Spd {
    /// Starts an SPD with what happens to a packet no policy covers: [`Action::Bypass`] or [`Action::Discard`].
    pub const fn builder(default: Action) -> SpdBuilder {
        SpdBuilder { policies: Vec::new(), default }
    }

    /// No policy but the default.
    pub(crate) fn empty(default: Action) -> Self {
        let (outbound, inbound) =
            (Index::build(&[], Direction::Outbound), Index::build(&[], Direction::Inbound));
        Self { policies: Vec::new(), default, outbound, inbound }
    }

    /// The policy for a packet of `flow` going in `direction`.
    #[must_use]
    pub fn lookup(&self, flow: &Flow, direction: Direction) -> Match {
        self.found(self.place(flow, direction))
    }

    /// The place of the policy for a packet, `None` for the default.
    pub(crate) fn place(&self, flow: &Flow, direction: Direction) -> Option<Place> {
        let index = match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        };
        let oriented = flow.oriented(direction);
        index.hashed.lookup(&oriented).or_else(|| index.ordered.lookup(&oriented))
    }

    fn found(&self, place: Option<Place>) -> Match {
        match place.and_then(|place| self.at(place)) {
            Some(policy) => Match { policy: Some(policy.id), action: policy.action },
            None => Match { policy: None, action: self.default },
        }
    }

    /// The policy at a place of the configuration order.
    pub(crate) fn at(&self, place: Place) -> Option<&Policy> {
        self.policies.get(usize::try_from(place).ok()?)
    }

    /// The policies in configuration order.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What happens to a packet that no policy covers.
    #[must_use]
    pub const fn default_action(&self) -> Action {
        self.default
    }
}

impl fmt::Debug for Spd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spd")
            .field("policies", &self.policies)
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}
