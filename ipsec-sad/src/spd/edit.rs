//! Another SPD out of one that stands.

use std::sync::Arc;

use super::build::{Compiled, check};
use super::dynamic::{Misfit, fits, parent_of};
use super::{Action, Dynamic, Policy, PolicyId, PolicySource, Spd, SpdError};
use crate::sad::PairId;

/// Where in the configuration order a policy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before all others but the built-in ones.
    First,
    /// Behind all others.
    Last,
    /// Directly before this one.
    Before(PolicyId),
    /// Directly behind this one.
    After(PolicyId),
}

/// Why a step of an edit is refused. Nothing is changed by it then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no such policy.
    #[error("there is no policy {0}")]
    Unknown(PolicyId),
    /// Another policy has this id.
    #[error("there is a policy {0} already")]
    DuplicateId(PolicyId),
    /// The policy is built in: only its log flag may be changed.
    #[error("policy {name:?} ({id}) is built in: only its log flag may be changed")]
    BuiltIn {
        /// The policy's id.
        id: PolicyId,
        /// The policy's name.
        name: String,
    },
    /// The policy comes and goes with an SA pair.
    #[error("policy {id} came with SA pair {owner:?} and goes with it")]
    Owned {
        /// The policy's id.
        id: PolicyId,
        /// The pair.
        owner: PairId,
    },
    /// The policy is not one that belongs to an SA pair.
    #[error("policy {0} names no SA pair that owns it")]
    NotDynamic(PolicyId),
    /// The policy that a dynamic one should stand before does not protect, or is not the operator's.
    #[error("policy {parent} does not protect, so no SA pair comes from it")]
    NotProtected {
        /// The policy it should stand before.
        parent: PolicyId,
    },
    /// A dynamic policy covers more than the one it came from.
    #[error("policy {id} covers more than policy {parent}, which it came from")]
    NotCovered {
        /// The policy's id.
        id: PolicyId,
        /// The policy it should stand before.
        parent: PolicyId,
    },
}

/// An edit of an [`Spd`]: a list of steps, then [`finish`](Self::finish).
///
/// The SPD it began with stays as it is. A policy that keeps its id keeps its counters. Dynamic policies stay as long as
/// the policy they came from protects what they cover.
#[derive(Debug)]
#[must_use]
pub struct SpdEdit {
    policies: Vec<Policy>,
    dynamic: Vec<Policy>,
    default: Action,
    base: Spd,
    /// Nothing was changed that the index depends on.
    keeps_index: bool,
}

impl Spd {
    /// Starts an edit.
    pub fn edit(&self) -> SpdEdit {
        SpdEdit {
            policies: self.policies.to_vec(),
            dynamic: self.dynamic.policies().to_vec(),
            default: self.default,
            base: self.clone(),
            keeps_index: true,
        }
    }
}

impl SpdEdit {
    /// Adds a policy.
    ///
    /// # Errors
    /// [`EditError::DuplicateId`]; [`EditError::Unknown`] for the position; [`EditError::BuiltIn`] for a policy that claims
    /// to be, or one that would stand before such a one; [`EditError::Owned`] for a dynamic one.
    pub fn insert(&mut self, policy: Policy, position: Position) -> Result<(), EditError> {
        if self.has(policy.id) {
            return Err(EditError::DuplicateId(policy.id));
        }
        may_change(&policy)?;
        let index = self.index_of(position)?;
        self.policies.insert(index, policy);
        self.keeps_index = false;
        Ok(())
    }

    /// Takes a policy away, and gives it back.
    ///
    /// # Errors
    /// [`EditError::Unknown`], [`EditError::BuiltIn`], [`EditError::Owned`].
    pub fn remove(&mut self, id: PolicyId) -> Result<Policy, EditError> {
        let index = self.changeable(id)?;
        self.keeps_index = false;
        Ok(self.policies.remove(index))
    }

    /// Moves a policy to another place.
    ///
    /// # Errors
    /// [`EditError::Unknown`], for either policy, [`EditError::BuiltIn`], [`EditError::Owned`].
    pub fn move_to(&mut self, id: PolicyId, position: Position) -> Result<(), EditError> {
        let from = self.changeable(id)?;
        let to = self.index_of(position)?;
        let policy = self.policies.remove(from);
        self.policies.insert(if to > from { to - 1 } else { to }, policy);
        self.keeps_index = false;
        Ok(())
    }

    /// Puts `policy` in the place of the one with its id.
    ///
    /// # Errors
    /// [`EditError::Unknown`], [`EditError::BuiltIn`], [`EditError::Owned`].
    pub fn replace(&mut self, policy: Policy) -> Result<(), EditError> {
        may_change(&policy)?;
        let index = self.changeable(policy.id)?;
        if let Some(place) = self.policies.get_mut(index) {
            self.keeps_index &= place.selector == policy.selector
                && place.applies == policy.applies
                && place.realms == policy.realms
                && place.interface == policy.interface;
            *place = policy;
        }
        Ok(())
    }

    /// Changes the log flag, of any policy.
    ///
    /// # Errors
    /// [`EditError::Unknown`].
    pub fn set_log(&mut self, id: PolicyId, log: bool) -> Result<(), EditError> {
        let mut all = self.policies.iter_mut().chain(&mut self.dynamic);
        let policy = all.find(|policy| policy.id == id).ok_or(EditError::Unknown(id))?;
        policy.log = log;
        Ok(())
    }

    /// Changes what happens to packets no policy covers; [`finish`](Self::finish) refuses [`Action::Protect`].
    pub const fn set_default(&mut self, action: Action) {
        self.default = action;
    }

    /// Adds a policy that came with an SA pair, directly before the one it came from and behind others that came from it.
    /// Its direction, realms and interface are those of that one.
    ///
    /// # Errors
    /// [`EditError::NotDynamic`], [`EditError::DuplicateId`], [`EditError::Unknown`] for the policy it came from,
    /// [`EditError::NotProtected`], [`EditError::NotCovered`].
    pub fn add_dynamic(&mut self, policy: Policy) -> Result<(), EditError> {
        let id = policy.id;
        let parent = parent_of(&policy).ok_or(EditError::NotDynamic(id))?;
        if self.has(id) {
            return Err(EditError::DuplicateId(id));
        }
        let found = self.policies.iter().find(|policy| policy.id == parent);
        fits(&policy, found).map_err(|misfit| match misfit {
            Misfit::NoParent => EditError::Unknown(parent),
            Misfit::NotProtected => EditError::NotProtected { parent },
            Misfit::NotCovered => EditError::NotCovered { id, parent },
        })?;
        self.dynamic.push(policy);
        Ok(())
    }

    /// Takes the dynamic policies of a pair away, and says how many there were.
    pub fn remove_owned(&mut self, pair: PairId) -> usize {
        let before = self.dynamic.len();
        self.dynamic
            .retain(|policy| !matches!(policy.source, PolicySource::Dynamic { owner, .. } if owner == pair));
        before - self.dynamic.len()
    }

    /// Compiles the result.
    ///
    /// # Errors
    /// See [`SpdError`].
    pub fn finish(self) -> Result<Spd, SpdError> {
        let Self { policies, dynamic, default, base, keeps_index } = self;
        check(&policies, default)?;
        let compiled =
            if keeps_index { Arc::clone(&base.compiled) } else { Arc::new(Compiled::build(&policies)) };
        let dynamic = Dynamic::build(dynamic, &policies);
        Ok(Spd::assemble(policies, default, compiled, dynamic))
    }

    fn has(&self, id: PolicyId) -> bool {
        self.policies.iter().chain(&self.dynamic).any(|policy| policy.id == id)
    }

    /// The index of a policy that the operator may change.
    fn changeable(&self, id: PolicyId) -> Result<usize, EditError> {
        if let Some(dynamic) = self.dynamic.iter().find(|policy| policy.id == id) {
            may_change(dynamic)?;
        }
        let index = self.policies.iter().position(|policy| policy.id == id).ok_or(EditError::Unknown(id))?;
        self.policies.get(index).map_or(Err(EditError::Unknown(id)), may_change)?;
        Ok(index)
    }

    /// The index at which a policy of the operator's goes.
    fn index_of(&self, position: Position) -> Result<usize, EditError> {
        let of = |id| self.policies.iter().position(|policy| policy.id == id).ok_or(EditError::Unknown(id));
        let index = match position {
            Position::First => 0,
            Position::Last => self.policies.len(),
            Position::Before(id) => of(id)?,
            Position::After(id) => of(id)? + 1,
        };
        let built_in = self.policies.partition_point(|policy| policy.source == PolicySource::BuiltIn);
        match self.policies.get(index) {
            Some(policy) if index < built_in && position != Position::First => may_change(policy)?,
            _ => {}
        }
        Ok(index.max(built_in))
    }
}

/// Whether the operator may write or change this policy.
fn may_change(policy: &Policy) -> Result<(), EditError> {
    let id = policy.id;
    match policy.source {
        PolicySource::Configured => Ok(()),
        PolicySource::BuiltIn => Err(EditError::BuiltIn { id, name: policy.name.clone() }),
        PolicySource::Dynamic { owner, .. } => Err(EditError::Owned { id, owner }),
    }
}
