//! IPsec gateways to embed or to run: IKE and the data plane joined, with TUN, UDP, raw and in-memory backends.
#![forbid(unsafe_code)]

pub mod backend;
pub mod memory;
pub mod pcap;
pub mod raw;
mod socket;
pub mod tun;
pub mod udp;

pub use ipsec_crypto as crypto;
pub use ipsec_ike as ike;
pub use ipsec_proto as proto;
pub use ipsec_sad as sad;
