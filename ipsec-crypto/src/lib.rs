//! The algorithms of IPsec in one table, with portable and fast providers
#![forbid(unsafe_code)]
