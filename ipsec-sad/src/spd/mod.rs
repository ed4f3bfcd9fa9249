//! The Security Policy Database: which packets pass in clear, are dropped, or must be in an SA (RFC 4301 §4.4.1).
//!
//! The search, in this order:
//!
//! 1. *Hashed* policies have at least one specified field, and every specified field is a single value. The matching
//!    one with the most specified fields wins, configuration order breaks ties.
//! 2. *Ordered* policies are all others. The first match in configuration order wins.
//! 3. The default, which must be given.
//!
//! Policies are written local to remote; an inbound packet is compared with their mirror, in the same order. Built-in
//! policies go before all of this, in their order. A dynamic policy stands directly before the one it came from: where
//! that one wins, the first of its dynamic policies that covers the packet takes its place.
//!
//! An [`Spd`] is compiled and does not change. [`Spd::edit`] makes another one of it, which workers take between two
//! batches: packets never wait for an edit.

mod build;
mod builtin;
mod cache;
mod cells;
mod diff;
mod dynamic;
mod edit;
mod explain;
mod hashed;
mod index;
mod leaf;
mod lint;
mod log;
mod ordered;
mod policy;

use core::fmt;
use std::sync::Arc;

use build::Compiled;
pub use build::{SpdBuilder, SpdError};
pub use builtin::{ike_policies, loop_policies};
pub(crate) use cache::FlowCache;
pub use diff::{Change, DiffLimits, SpdDiff, diff};
use dynamic::Dynamic;
pub use edit::{EditError, Position, SpdEdit};
pub use explain::{Candidate, Explanation, Reason, Stage};
pub(crate) use index::Place;
pub use lint::{Finding, Lifeline, Lint, LintContext, lint};
pub(crate) use log::LogLimits;
pub use log::{LogRate, PolicyLog};
pub use policy::{Action, Applies, Difference, Granularity, Policy, PolicyId, PolicySource, TemplateId};

use crate::flow::{Direction, Flow};
use crate::sad::PairId;

/// A compiled, immutable policy database. It is swapped whole, see [`Update::Policies`](crate::Update::Policies).
#[derive(Clone)]
pub struct Spd {
    policies: Arc<Vec<Policy>>,
    /// Of the policies that were written, by id: so that workers find their counters again without a search.
    ids: Arc<Vec<(PolicyId, Place)>>,
    /// The places of those of them that have a log flag.
    logged: Arc<Vec<Place>>,
    default: Action,
    compiled: Arc<Compiled>,
    dynamic: Dynamic,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// The policy that decided; `None` is the default.
    pub policy: Option<PolicyId>,
    /// What it says.
    pub action: Action,
}

impl Spd {
    /// Starts an SPD with what happens to a packet no policy covers: [`Action::Bypass`] or [`Action::Discard`].
    pub const fn builder(default: Action) -> SpdBuilder {
        SpdBuilder::new(default)
    }

    /// No policy but the default.
    pub(crate) fn empty(default: Action) -> Self {
        Self::assemble(Vec::new(), default, Arc::new(Compiled::build(&[])), Dynamic::default())
    }

    fn assemble(policies: Vec<Policy>, default: Action, compiled: Arc<Compiled>, dynamic: Dynamic) -> Self {
        let mut ids: Vec<(PolicyId, Place)> = policies.iter().map(|policy| policy.id).zip(0..).collect();
        ids.sort_unstable();
        let logged = (0..).zip(&policies).filter(|(_, policy)| policy.log).map(|(place, _)| place).collect();
        let (policies, ids, logged) = (Arc::new(policies), Arc::new(ids), Arc::new(logged));
        Self { policies, ids, logged, default, compiled, dynamic }
    }

    /// The policy for a packet of `flow` going in `direction`.
    #[must_use]
    pub fn lookup(&self, flow: &Flow, direction: Direction) -> Match {
        self.found(self.place(flow, direction))
    }

    /// The place of the policy for a packet, `None` for the default.
    pub(crate) fn place(&self, flow: &Flow, direction: Direction) -> Option<Place> {
        let flow = flow.oriented(direction);
        let place = self.compiled.lookup(&flow)?;
        Some(self.dynamic.lookup(place, &flow).unwrap_or(place))
    }

    fn found(&self, place: Option<Place>) -> Match {
        match place.and_then(|place| self.at(place)) {
            Some(policy) => Match { policy: Some(policy.id), action: policy.action },
            None => Match { policy: None, action: self.default },
        }
    }

    /// The policy at a place: those written in configuration order, then the dynamic ones.
    pub(crate) fn at(&self, place: Place) -> Option<&Policy> {
        let place = usize::try_from(place).ok()?;
        match place.checked_sub(self.policies.len()) {
            None => self.policies.get(place),
            Some(place) => self.dynamic.policies().get(place),
        }
    }

    /// The ids of all policies with their places, in ascending order but for the dynamic ones, which come last.
    pub(crate) fn ids(&self) -> (&[(PolicyId, Place)], impl Iterator<Item = (PolicyId, Place)>) {
        let dynamic = self.dynamic.policies().iter().map(|policy| policy.id);
        (&self.ids, dynamic.zip(self.first_dynamic()..))
    }

    /// The policy with this id.
    #[must_use]
    pub fn policy(&self, id: PolicyId) -> Option<&Policy> {
        match self.place_of(id) {
            Some(place) => self.at(place),
            None => self.dynamic.policies().iter().find(|policy| policy.id == id),
        }
    }

    /// The policies with a log flag, with their places.
    pub(crate) fn logged(&self) -> impl Iterator<Item = (Place, &Policy)> {
        let dynamic = (self.first_dynamic()..).zip(self.dynamic.policies()).filter(|(_, policy)| policy.log);
        self.logged.iter().filter_map(|&place| Some((place, self.at(place)?))).chain(dynamic)
    }

    /// The place of the first dynamic policy.
    fn first_dynamic(&self) -> Place {
        Place::try_from(self.policies.len()).unwrap_or(Place::MAX)
    }

    /// All policies by place.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().chain(self.dynamic.policies())
    }

    /// The policies that were written, in configuration order, the built-in ones first.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// All policies, each dynamic one directly before the one it came from.
    pub fn entries(&self) -> impl Iterator<Item = &Policy> {
        (0..)
            .zip(self.policies.iter())
            .flat_map(|(place, policy)| self.children(place).chain(core::iter::once(policy)))
    }

    /// The dynamic policies that came from the one at `place`.
    fn children(&self, place: Place) -> impl Iterator<Item = &Policy> {
        self.dynamic.children(place)
    }

    /// The place of a policy that was written.
    fn place_of(&self, id: PolicyId) -> Option<Place> {
        let index = self.ids.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        self.ids.get(index).map(|&(_, place)| place)
    }

    /// The policies that came with SA pairs.
    #[must_use]
    pub fn dynamic(&self) -> &[Policy] {
        self.dynamic.policies()
    }

    /// What happens to a packet that no policy covers.
    #[must_use]
    pub const fn default_action(&self) -> Action {
        self.default
    }

    /// The same without the dynamic policies of a pair, `None` if there are none.
    pub(crate) fn without_owned(&self, pair: PairId) -> Option<Self> {
        let dynamic = self.dynamic.without(pair, &self.policies)?;
        Some(Self { dynamic, ..self.clone() })
    }
}

impl fmt::Debug for Spd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spd")
            .field("policies", &self.policies)
            .field("dynamic", &self.dynamic.policies())
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}
