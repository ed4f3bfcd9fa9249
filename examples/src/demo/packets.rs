//! Packets of the hosts behind the gateways, and what each octet of a packet means.

use std::net::{IpAddr, SocketAddr};

use ipsec_io::proto::esp;
use ipsec_io::proto::ip::{Addresses, Header, NextLayer, Packet, checksum, transport_checksum};
use ipsec_io::proto::registry::IpProtocol;
use ipsec_io::sad::Encap;

use super::DemoError;
use super::moment::{Field, Part};

const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;
const ICMP_HEADER: usize = 8;
const UDP_HEADER: usize = 8;
/// What a ping carries, so that the eye finds it again.
const GREETING: &[u8] = b"Hello through the tunnel!";

/// What is drawn of a sealed packet besides its octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealing {
    /// Octets of the IV.
    pub(super) iv: usize,
    /// Octets of the integrity check value.
    pub(super) icv: usize,
}

/// An ICMP echo request.
pub(super) fn echo_request(source: IpAddr, destination: IpAddr, sequence: u16) -> Result<Vec<u8>, DemoError> {
    let mut message = vec![ECHO_REQUEST, 0, 0, 0, 0x1d, 0xea];
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(GREETING);
    icmp(source, destination, message)
}

/// The answer to an echo request; `None` to anything else.
pub(super) fn echo_reply(request: &[u8]) -> Option<Vec<u8>> {
    let packet = Packet::parse(request).ok()?;
    if !matches!(packet.next_layer(), NextLayer::Icmp { kind: ECHO_REQUEST, .. }) {
        return None;
    }
    let mut message = packet.payload().to_vec();
    *message.first_mut()? = ECHO_REPLY;
    message.get_mut(2..4)?.fill(0);
    icmp(packet.destination(), packet.source(), message).ok()
}

fn icmp(source: IpAddr, destination: IpAddr, mut message: Vec<u8>) -> Result<Vec<u8>, DemoError> {
    let sum = checksum(&message).to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
    framed(source, destination, IpProtocol::ICMP, &message)
}

/// A UDP packet of `octets` octets in all, for measuring.
pub(super) fn filler(source: IpAddr, destination: IpAddr, octets: usize) -> Result<Vec<u8>, DemoError> {
    let addresses =
        Addresses::new(source, destination).ok_or_else(|| DemoError::setup("mixed address families"))?;
    let length = octets.saturating_sub(Header::new(addresses, IpProtocol::UDP).header_len());
    let mut segment = vec![0x2e; length.max(UDP_HEADER)];
    let [high, low] = u16::try_from(segment.len()).map_err(DemoError::setup)?.to_be_bytes();
    if let Some(header) = segment.first_chunk_mut::<UDP_HEADER>() {
        *header = [0x13, 0x89, 0x13, 0x89, high, low, 0, 0];
    }
    let sum = transport_checksum(&addresses, IpProtocol::UDP, &segment).to_be_bytes();
    if let Some(field) = segment.get_mut(6..8) {
        field.copy_from_slice(&sum);
    }
    framed(source, destination, IpProtocol::UDP, &segment)
}

fn framed(
    source: IpAddr,
    destination: IpAddr,
    protocol: IpProtocol,
    payload: &[u8],
) -> Result<Vec<u8>, DemoError> {
    let addresses =
        Addresses::new(source, destination).ok_or_else(|| DemoError::setup("mixed address families"))?;
    let header = Header::new(addresses, protocol);
    let mut packet = vec![0; header.header_len()];
    header.emit(payload.len(), &mut packet).map_err(DemoError::setup)?;
    packet.extend_from_slice(payload);
    Ok(packet)
}

/// The datagram as a router between the gateways sees it: with its outer headers.
pub(super) fn on_the_wire(
    from: SocketAddr,
    to: SocketAddr,
    encap: Encap,
    octets: &[u8],
) -> Result<Vec<u8>, DemoError> {
    match encap {
        Encap::Raw => framed(from.ip(), to.ip(), IpProtocol::ESP, octets),
        Encap::Udp => {
            let length = u16::try_from(octets.len() + UDP_HEADER).map_err(DemoError::setup)?;
            // RFC 3948 §2.1: the UDP checksum should be zero.
            let header = [from.port(), to.port(), length, 0].map(u16::to_be_bytes).concat();
            framed(from.ip(), to.ip(), IpProtocol::UDP, &[&header, octets].concat())
        }
    }
}

/// The fields of a clear packet.
pub(super) fn clear_fields(octets: &[u8]) -> Vec<Field> {
    let mut fields = Fields::default();
    let Ok(packet) = Packet::parse(octets) else {
        fields.push(octets.len(), Part::Data, "not an IP packet");
        return fields.0;
    };
    fields.push(packet.header_len(), Part::Inner, ip_label(&packet));
    if let NextLayer::Icmp { kind, .. } = packet.next_layer() {
        let name = if kind == ECHO_REQUEST { "echo request" } else { "echo reply" };
        let sequence = packet
            .payload()
            .get(6..8)
            .map_or(0, |octets| octets.iter().fold(0, |n, o| n << 8 | u16::from(*o)));
        fields.push(ICMP_HEADER, Part::Inner, format!("ICMP {name}, sequence {sequence}"));
    }
    let text: String = packet
        .octets()
        .get(fields.end()..)
        .unwrap_or_default()
        .iter()
        .map(|&octet| printable(octet))
        .collect();
    fields.push(
        packet.total_len().saturating_sub(fields.end()),
        Part::Data,
        format!("“{}”", text.trim_end()),
    );
    fields.0
}

/// The fields of a sealed packet with its outer headers.
pub(super) fn sealed_fields(octets: &[u8], encap: Encap, sealing: Sealing) -> Vec<Field> {
    let mut fields = Fields::default();
    let Ok(packet) = Packet::parse(octets) else {
        fields.push(octets.len(), Part::Cipher, "not an IP packet");
        return fields.0;
    };
    fields.push(packet.header_len(), Part::Outer, ip_label(&packet));
    if let (Encap::Udp, NextLayer::Ports { source, destination }) = (encap, packet.next_layer()) {
        fields.push(UDP_HEADER, Part::Outer, format!("UDP {source} → {destination}"));
    }
    let inner = octets.get(fields.end()..).unwrap_or_default();
    if let Ok((header, rest)) = esp::Header::parse(inner) {
        fields.push(4, Part::Esp, format!("ESP, SPI {}", header.spi));
        fields.push(4, Part::Esp, format!("sequence number {}", header.sequence));
        fields.push(sealing.iv, Part::Esp, "IV");
        fields.push(
            rest.len().saturating_sub(sealing.iv + sealing.icv),
            Part::Cipher,
            "the whole clear packet, encrypted",
        );
        fields.push(sealing.icv, Part::Icv, "ICV: proof that nothing changed");
    }
    fields.0
}

#[derive(Default)]
struct Fields(Vec<Field>);

impl Fields {
    fn end(&self) -> usize {
        self.0.last().map_or(0, |field| field.end)
    }

    fn push(&mut self, octets: usize, part: Part, label: impl Into<String>) {
        let start = self.end();
        if octets > 0 {
            self.0.push(Field { start, end: start + octets, part, label: label.into() });
        }
    }
}

fn ip_label(packet: &Packet<'_>) -> String {
    let version = if packet.source().is_ipv4() { "IPv4" } else { "IPv6" };
    format!("{version} {} → {}", packet.source(), packet.destination())
}

fn printable(octet: u8) -> char {
    if octet.is_ascii_graphic() || octet == b' ' { char::from(octet) } else { '·' }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 10));
    const BOB: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 2, 0, 10));

    /// Every octet has a meaning, and only one.
    fn assert_tiles(fields: &[Field], octets: usize) {
        let mut at = 0;
        for field in fields {
            assert_eq!(field.start, at, "{field:?}");
            at = field.end;
        }
        assert_eq!(at, octets);
    }

    #[test]
    fn fields_tile_a_clear_packet() {
        let packet = echo_request(ALICE, BOB, 7).unwrap();
        let fields = clear_fields(&packet);
        assert_tiles(&fields, packet.len());
        assert_eq!(fields[1].label, "ICMP echo request, sequence 7");
    }

    #[test]
    fn fields_tile_a_sealed_packet() {
        let esp = [&[0xc0, 0, 0, 1, 0, 0, 0, 9][..], &[0; 16 + 32 + 16]].concat();
        for encap in [Encap::Raw, Encap::Udp] {
            let packet = on_the_wire((ALICE, 4500).into(), (BOB, 4500).into(), encap, &esp).unwrap();
            let fields = sealed_fields(&packet, encap, Sealing { iv: 16, icv: 16 });
            assert_tiles(&fields, packet.len());
            assert!(fields.iter().any(|field| field.label == "sequence number 9"));
        }
    }

    #[test]
    fn an_echo_is_answered_with_a_right_checksum() {
        let request = echo_request(ALICE, BOB, 1).unwrap();
        let reply = echo_reply(&request).unwrap();
        let packet = Packet::parse(&reply).unwrap();
        assert_eq!((packet.source(), packet.destination()), (BOB, ALICE));
        assert_eq!(checksum(packet.payload()), 0);
        assert_eq!(echo_reply(&reply), None);
    }
}
