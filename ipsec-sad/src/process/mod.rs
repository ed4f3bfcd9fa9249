//! The way of packets through a worker.

mod ah;
mod decapsulate;
mod encapsulate;
mod esp;
mod inbound;
mod outbound;
mod pmtu;
mod tunnel;

pub(crate) use ah::{Headers, MAX_HEADERS};
pub(crate) use pmtu::PathMtu;
pub use pmtu::{IcmpError, Learned};

use arrayvec::ArrayVec;
use ipsec_proto::ip::{Addresses, Fragment, Packet, clamp_mss, transport_checksum};
use ipsec_proto::registry::IpProtocol;

use crate::batch::Slot;
use crate::trace::{TraceClass, TraceMask};

/// Packets processed together: what a multi-buffer cipher fills its lanes with.
pub(crate) const BURST: usize = 32;

/// Packets processed together, each with its part of the arena.
type Burst<'a> = ArrayVec<(&'a mut Slot, &'a mut [u8]), BURST>;

/// The classes of what is traced of packets on their way.
const DECIDED: TraceMask = TraceMask::of(TraceClass::FilterInfo);
const CHOSEN: TraceMask = TraceMask::of(TraceClass::TunnelInfo);
const PROCESSED: TraceMask = TraceMask::of(TraceClass::CryptoInfo);
const CARRIED: TraceMask = TraceMask::of(TraceClass::CapsulationInfo);

/// Lowers the MSS of a TCP SYN.
fn clamp(octets: &mut [u8], limit: u16) {
    let segment = match Packet::parse(octets) {
        Ok(packet) if packet.protocol() == IpProtocol::TCP && packet.fragment() == Fragment::Whole => {
            packet.header_len()
        }
        _ => return,
    };
    clamp_mss(octets.get_mut(segment..).unwrap_or_default(), limit);
}

/// Computes the checksum of the UDP header at `at` of an IPv6 packet, which RFC 8200 §8.1 wants.
fn finish_udp(octets: &mut [u8], at: usize) {
    let sum = Packet::parse(octets).ok().and_then(|packet| {
        let addresses = Addresses::new(packet.source(), packet.destination())?;
        Some(transport_checksum(&addresses, IpProtocol::UDP, packet.octets().get(at..)?))
    });
    if let (Some(sum), Some(field)) = (sum, octets.get_mut(at + 6..at + 8)) {
        field.copy_from_slice(&(if sum == 0 { 0xffff } else { sum }).to_be_bytes());
    }
}
