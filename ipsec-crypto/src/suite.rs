//! The table: one row an algorithm, with its names and numbers everywhere and its sizes.
//!
//! Code elsewhere asks the rows; it does not match on algorithms. A peer's proposal can be named even where nothing
//! here implements it: such rows are [`Support::NamedOnly`].

mod encryption;
mod group;
mod hash;
mod integrity;
mod names;
mod prf;
mod proposal;
mod signature;
mod transform_set;
mod weak_keys;
mod words;

pub use encryption::{Cipher, Encryption, EncryptionRow};
pub use group::{Group, GroupRow};
pub use hash::{Hash, HashRow};
pub use integrity::{Integrity, IntegrityRow};
pub use names::{Dialect, Names, Spellings};
pub use prf::{Prf, PrfRow};
pub use proposal::{EspSuite, IkeSuite};
pub use signature::{KeyAlgorithm, SignatureEncoding, SignatureInput, SignatureRow, SignatureScheme};
pub use transform_set::TransformSet;
pub use weak_keys::{KeyWeakness, WeakKeys};

use std::fmt;

/// How far an algorithm may still be trusted, after RFC 8221 (ESP, AH) and RFC 8247 (IKE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Recommended or fit for use.
    Modern,
    /// Kept for peers that have nothing better.
    Legacy,
    /// MUST NOT be used, or never had an analysis.
    Broken,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Modern => "modern",
            Self::Legacy => "legacy",
            Self::Broken => "broken",
        })
    }
}

/// Whether this crate implements an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// Implemented by the providers of this crate.
    Native,
    /// Known by name and number only, for the reason given.
    NamedOnly(&'static str),
}
