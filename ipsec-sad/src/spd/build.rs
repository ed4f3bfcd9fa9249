//! From a list of policies to an [`Spd`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::index::{Index, is_about_messages};
use super::{Action, Applies, Dynamic, Place, Policy, PolicyId, PolicySource, Spd};
use crate::flow::{Direction, Oriented};

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
    /// A policy of an SA pair is written as if it were configured.
    #[error("policy {name:?} belongs to an SA pair: add it with an edit")]
    Dynamic {
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
    pub(super) const fn new(default: Action) -> Self {
        Self { policies: Vec::new(), default }
    }

    /// Appends a policy, after all pushed before. Built-in ones go before all others.
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
        let Self { mut policies, default } = self;
        policies.sort_by_key(|policy| policy.source != PolicySource::BuiltIn);
        check(&policies, default)?;
        let compiled = Arc::new(Compiled::build(&policies));
        Ok(Spd::assemble(policies, default, compiled, Dynamic::default()))
    }
}

/// Whether `policies` can be an SPD.
pub(super) fn check(policies: &[Policy], default: Action) -> Result<(), SpdError> {
    if matches!(default, Action::Protect(_)) {
        return Err(SpdError::DefaultProtects);
    }
    // Dynamic ones need numbers too.
    if policies.len() >= Place::MAX as usize / 2 {
        return Err(SpdError::TooMany);
    }
    let mut ids = BTreeSet::new();
    for policy in policies {
        let (id, name) = (policy.id, || policy.name.clone());
        if !ids.insert(id) {
            return Err(SpdError::DuplicateId { id, name: name() });
        }
        if policy.selector.mixes_families() {
            return Err(SpdError::MixedFamilies { id, name: name() });
        }
        if matches!(policy.source, PolicySource::Dynamic { .. }) {
            return Err(SpdError::Dynamic { id, name: name() });
        }
    }
    Ok(())
}

/// The index of the policies that were written.
pub(super) struct Compiled {
    built_in: BothWays,
    written: BothWays,
}

/// An index a direction.
pub(super) struct BothWays {
    outbound: Arc<Index>,
    inbound: Arc<Index>,
}

impl BothWays {
    /// `build` compiles one direction.
    pub(super) fn build<'a>(
        policies: impl Iterator<Item = &'a Policy>,
        build: impl Fn(Direction) -> Index,
    ) -> Self {
        let outbound = Arc::new(build(Direction::Outbound));
        // The flow is turned, not the policies, so one index may do for both directions.
        let mut policies = policies;
        let alike = policies.all(|policy| {
            policy.applies == Applies::BothWays
                && policy.realms.inner == policy.realms.outer
                && !is_about_messages(policy)
        });
        let inbound = if alike { Arc::clone(&outbound) } else { Arc::new(build(Direction::Inbound)) };
        Self { outbound, inbound }
    }

    pub(super) fn lookup(&self, flow: &Oriented) -> Option<Place> {
        let index = match flow.direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        };
        if index.is_empty() { None } else { index.lookup(flow) }
    }
}

impl Compiled {
    pub(super) fn build(policies: &[Policy]) -> Self {
        let split = policies.partition_point(|policy| policy.source == PolicySource::BuiltIn);
        let placed: Vec<(Place, &Policy)> = (0..).zip(policies).collect();
        let (built_in, written) = placed.split_at(split.min(placed.len()));
        Self {
            built_in: BothWays::build(built_in.iter().map(|(_, policy)| *policy), |direction| {
                Index::build_ordered(built_in, direction)
            }),
            written: BothWays::build(written.iter().map(|(_, policy)| *policy), |direction| {
                Index::build(written.iter().copied(), direction)
            }),
        }
    }

    pub(super) fn lookup(&self, flow: &Oriented) -> Option<Place> {
        self.built_in.lookup(flow).or_else(|| self.written.lookup(flow))
    }
}
