//! The IP and UDP headers that a datagram has on the network, put in front for the file.

use std::net::{IpAddr, SocketAddr};

use ipsec_sad::Encap;

use crate::backend::Datagram;

const UDP: u8 = 17;
const ESP: u8 = 50;
/// What most systems start with.
const HOPS: u8 = 64;

/// Writes the packet that carries `datagram`; `false` if there is none, as addresses are of different families or it
/// is too long for an IP packet.
pub(super) fn emit(
    out: &mut Vec<u8>,
    source: SocketAddr,
    destination: SocketAddr,
    datagram: &Datagram<'_>,
) -> bool {
    let (protocol, header) = match datagram.encap {
        Encap::Raw => (ESP, 0),
        Encap::Udp => (UDP, 8),
    };
    let Ok(payload) = u16::try_from(datagram.octets.len() + header) else { return false };
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let Some(total) = payload.checked_add(20) else { return false };
            out.extend_from_slice(&[0x45, datagram.traffic_class]);
            out.extend_from_slice(&total.to_be_bytes());
            // Identification 0 with "don't fragment" set (RFC 6864 §4.1).
            out.extend_from_slice(&[0, 0, 0x40, 0, HOPS, protocol, 0, 0]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            let checksum = !sum(0, out);
            if let Some(field) = out.get_mut(10..12) {
                field.copy_from_slice(&checksum.to_be_bytes());
            }
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let class = datagram.traffic_class;
            out.extend_from_slice(&[0x60 | class >> 4, class << 4, 0, 0]);
            out.extend_from_slice(&payload.to_be_bytes());
            out.extend_from_slice(&[protocol, HOPS]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
        }
        _ => return false,
    }
    if datagram.encap == Encap::Udp {
        let mut udp = Vec::with_capacity(8);
        for field in [source.port(), destination.port(), payload, 0] {
            udp.extend_from_slice(&field.to_be_bytes());
        }
        // Over IPv4 zero means "none" (RFC 768), as ESP in UDP has it (RFC 3948 §2.1); over IPv6 there must be one.
        if let (IpAddr::V6(from), IpAddr::V6(to)) = (source.ip(), destination.ip()) {
            let mut pseudo = [from.octets(), to.octets()].concat();
            pseudo.extend_from_slice(&[0, 0]);
            pseudo.extend_from_slice(&payload.to_be_bytes());
            pseudo.extend_from_slice(&[0, 0, 0, UDP]);
            let checksum = match !sum(sum(sum(0, &pseudo), &udp), datagram.octets) {
                0 => u16::MAX,
                checksum => checksum,
            };
            if let Some(field) = udp.get_mut(6..8) {
                field.copy_from_slice(&checksum.to_be_bytes());
            }
        }
        out.extend_from_slice(&udp);
    }
    out.extend_from_slice(datagram.octets);
    true
}

/// The Internet checksum before its complement (RFC 1071), continued from `start`.
fn sum(start: u16, octets: &[u8]) -> u16 {
    let mut sum = u32::from(start);
    for pair in octets.chunks(2) {
        let word = match *pair {
            [high, low] => u16::from_be_bytes([high, low]),
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        sum += u32::from(word);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // Folded after every step, so it fits.
    u16::try_from(sum).unwrap_or(u16::MAX)
}
