//! Test support of the IPsec crate family. Used by `tests/` and `fuzz/`, never shipped.

#![forbid(unsafe_code)]

pub mod fuzz;
