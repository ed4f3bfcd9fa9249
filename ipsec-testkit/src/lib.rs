//! Test support of the IPsec crate family: virtual time, simulated pairs, fuzz bodies
#![forbid(unsafe_code)]
