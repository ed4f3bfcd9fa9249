//! IP packets as hosts behind the gateways send them.

use std::net::IpAddr;

use ipsec_proto::ip::{Addresses, Header, NextLayer, Packet, transport_checksum};
use ipsec_proto::registry::IpProtocol;

const ECHO: [u8; 2] = [8, 128];
const ECHO_REPLY: [u8; 2] = [0, 129];

/// An ICMP or ICMPv6 echo request with `data` octets.
///
/// # Panics
/// When the two addresses are of different families, or `data` does not fit a packet.
#[must_use]
pub fn echo_request(source: IpAddr, destination: IpAddr, sequence: u16, data: usize) -> Vec<u8> {
    let filler: Vec<u8> = (0..data).map(|octet| octet as u8).collect();
    echo(source, destination, ECHO, sequence, &filler)
}

/// The answer to an echo request; `None` to anything else.
#[must_use]
pub fn echo_reply(request: &[u8]) -> Option<Vec<u8>> {
    let packet = Packet::parse(request).ok()?;
    let NextLayer::Icmp { kind, .. } = packet.next_layer() else { return None };
    let sequence = packet.payload().get(6..8)?;
    let data = packet.payload().get(8..)?;
    (kind == kinds(packet.source(), ECHO)).then(|| {
        echo(
            packet.destination(),
            packet.source(),
            ECHO_REPLY,
            u16::from_be_bytes([sequence[0], sequence[1]]),
            data,
        )
    })
}

/// A UDP packet with `data` octets.
///
/// # Panics
/// As [`echo_request`].
#[must_use]
pub fn udp(source: (IpAddr, u16), destination: (IpAddr, u16), data: usize) -> Vec<u8> {
    let addresses = Addresses::new(source.0, destination.0).expect("both addresses of one family");
    let length = u16::try_from(data + 8).expect("it fits a packet");
    let mut segment = Vec::with_capacity(data + 8);
    for word in [source.1, destination.1, length, 0] {
        segment.extend_from_slice(&word.to_be_bytes());
    }
    segment.resize(data + 8, 0xa5);
    let sum = transport_checksum(&addresses, IpProtocol::UDP, &segment);
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    framed(addresses, IpProtocol::UDP, &segment)
}

/// The echo message type of an address family: ICMP's or ICMPv6's.
const fn kinds(family: IpAddr, kinds: [u8; 2]) -> u8 {
    if family.is_ipv4() { kinds[0] } else { kinds[1] }
}

fn echo(source: IpAddr, destination: IpAddr, kind: [u8; 2], sequence: u16, data: &[u8]) -> Vec<u8> {
    let addresses = Addresses::new(source, destination).expect("both addresses of one family");
    let protocol = if source.is_ipv4() { IpProtocol::ICMP } else { IpProtocol::ICMPV6 };
    let mut message = vec![kinds(source, kind), 0, 0, 0, 0x1b, 0xad];
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(data);
    let sum = match addresses {
        Addresses::V4 { .. } => ipsec_proto::ip::checksum(&message),
        Addresses::V6 { .. } => transport_checksum(&addresses, protocol, &message),
    };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    framed(addresses, protocol, &message)
}

fn framed(addresses: Addresses, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let header = Header::new(addresses, protocol);
    let mut packet = vec![0; header.header_len()];
    header.emit(payload.len(), &mut packet).expect("it fits a packet");
    packet.extend_from_slice(payload);
    packet
}
