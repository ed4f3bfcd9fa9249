//! IPv4 and IPv6: reading packets to the next layer, writing headers, checksums.
//!
//! [`Packet`] is the view of a packet that policies and SAs are chosen by; [`Header`] writes outer headers.

mod checksum;
mod edit;
mod fragment;
mod header;
mod icmp;
mod packet;
mod walk;

pub use checksum::{adjust_checksum, checksum, transport_checksum};
pub use edit::{adjust_transport_checksum, clamp_mss, clear_udp_checksum, refit, renew_transport_checksum};
pub use fragment::{Fragments, fragment_overhead};
pub use header::{Addresses, Header, UDP_HEADER_LEN, emit_udp_header, set_traffic_class};
pub use icmp::{TooBig, emit_too_big};
pub use packet::{Fragment, NextLayer, Packet, Version};
pub use walk::{MAX_EXTENSION_HEADERS, Split};

/// Octets of an IPv4 header without options.
pub const IPV4_HEADER_LEN: usize = 20;
/// Octets of an IPv6 header without extension headers.
pub const IPV6_HEADER_LEN: usize = 40;
