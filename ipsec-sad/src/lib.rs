//! The IPsec data plane, sans-IO: policies (SPD), security associations (SAD), ESP processing
#![forbid(unsafe_code)]
