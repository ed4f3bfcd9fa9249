//! What is measured: one file an area, and a row here.

mod crypto;
mod sad;

use crate::report::Report;

/// A group of measurements with a name of its own.
pub type Area = (&'static str, fn(&mut Report));

/// Areas, in the order in which they run.
pub const ALL: [Area; 2] = [("crypto", crypto::run), ("sad", sad::run)];
