//! Example gateways, as a library: configuration, reports and the demonstration.
#![forbid(unsafe_code)]
