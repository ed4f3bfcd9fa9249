//! IKEv1, one file an exchange.

pub(crate) mod attributes;
pub(crate) mod child_proposal;
pub(crate) mod client_id;
pub(crate) mod informational;
pub(crate) mod keys;
pub(crate) mod main;
pub(crate) mod nat_original;
pub(crate) mod offer;
pub(crate) mod proof;
pub(crate) mod proposal;
pub(crate) mod quick;
pub(crate) mod share;
pub(crate) mod wire;
