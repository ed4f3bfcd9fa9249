//! Interoperability suite.
#![forbid(unsafe_code)]

fn main() {}
