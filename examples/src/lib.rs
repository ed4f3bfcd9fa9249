//! Libraries behind the example binaries: the demonstration, and the gateway's configuration.

#![forbid(unsafe_code)]

pub mod config;
pub mod demo;
