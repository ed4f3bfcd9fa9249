//! Libraries behind the example binaries: the demonstration.

#![forbid(unsafe_code)]

pub mod demo;
