//! Libraries behind the example binaries: the demonstration, and the gateway's
//! configuration, surroundings and service.

#![forbid(unsafe_code)]

pub mod config;
pub mod demo;
pub mod service;
pub mod surroundings;

/// The README's example is compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
