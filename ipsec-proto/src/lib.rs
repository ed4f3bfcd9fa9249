//! IPsec wire codecs: IPv4/IPv6, ESP, AH, UDP encapsulation, IKEv1 (ISAKMP); no_std, zero-copy, no crypto.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod ah;
pub mod codec;
mod error;
pub mod esp;
pub mod ip;
pub mod isakmp;
mod net;
pub mod pretty;
pub mod registry;
pub mod udp_encap;

pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use net::{Cookie, IkeSpi, Path, Spi};
