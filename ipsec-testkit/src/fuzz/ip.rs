//! IP packets and what may stand in front of ESP.

use ipsec_proto::ip::{Addresses, Fragment, Header, NextLayer, Packet, set_traffic_class};
use ipsec_proto::{esp, udp_encap};

/// A packet from the protected side or out of a tunnel: lengths lie inside, a rewritten header reads back, marking congestion
/// spoils no checksum.
///
/// # Panics
/// When a law is broken.
pub fn ip_packet(data: &[u8]) {
    classified(data);
    let packet = match Packet::parse(data) {
        Ok(packet) => packet,
        Err(error) => return assert!(error.at <= data.len() && !error.field.is_empty(), "{error}"),
    };
    assert_eq!([packet.octets(), packet.trailing()].concat(), data);
    assert_eq!(packet.header_len() + packet.payload().len(), packet.total_len());
    assert_eq!(packet.source().is_ipv4(), packet.destination().is_ipv4());
    if matches!(packet.fragment(), Fragment::Later { .. }) {
        assert!(matches!(packet.next_layer(), NextLayer::Opaque | NextLayer::Other));
    }
    reads_back(&packet);
    for traffic_class in [0, 3, u8::MAX] {
        let mut marked = data.to_vec();
        set_traffic_class(&mut marked, traffic_class);
        let read = Packet::parse(&marked).expect("the traffic class decides nothing");
        assert_eq!(read.traffic_class(), traffic_class);
        assert_eq!(read.is_checksum_ok(), packet.is_checksum_ok());
        assert_eq!(
            (read.source(), read.destination(), read.protocol()),
            (packet.source(), packet.destination(), packet.protocol())
        );
    }
}

/// A plain header with the packet's fields, in front of its next layer, reads as the same fields.
fn reads_back(packet: &Packet<'_>) {
    let addresses = Addresses::new(packet.source(), packet.destination()).expect("one family");
    let header = Header {
        traffic_class: packet.traffic_class(),
        hop_limit: packet.hop_limit(),
        dont_fragment: packet.dont_fragment(),
        ..Header::new(addresses, packet.protocol())
    };
    let mut written = vec![0; header.header_len()];
    header.emit(packet.payload().len(), &mut written).expect("it was shorter than this before");
    written.extend_from_slice(packet.payload());
    // After the fragment header of a later fragment, octets that look like an extension header are none.
    let Ok(read) = Packet::parse(&written) else {
        return assert!(matches!(packet.fragment(), Fragment::Later { .. }));
    };
    assert!(read.is_checksum_ok());
    assert_eq!((read.source(), read.destination()), (packet.source(), packet.destination()));
    assert_eq!((read.traffic_class(), read.hop_limit()), (packet.traffic_class(), packet.hop_limit()));
    if !matches!(packet.fragment(), Fragment::Later { .. }) {
        assert_eq!((read.protocol(), read.payload()), (packet.protocol(), packet.payload()));
        assert_eq!(read.next_layer(), packet.next_layer());
    }
}

/// The same octets as a datagram on the shared port, as an ESP packet and as a decrypted trailer.
fn classified(data: &[u8]) {
    match udp_encap::classify(data) {
        udp_encap::Datagram::Ike(message) => assert_eq!(udp_encap::mark(message), data),
        udp_encap::Datagram::Esp(packet) => assert_eq!(packet, data),
        udp_encap::Datagram::Keepalive => assert_eq!(data, udp_encap::KEEPALIVE),
        udp_encap::Datagram::Invalid => assert!(data.len() < esp::HEADER_LEN),
    }
    if let Ok((header, rest)) = esp::Header::parse(data) {
        assert_eq!([&header.to_octets(), rest].concat(), data);
    }
    if let Ok(trailer) = esp::Trailer::parse(data) {
        assert_eq!(trailer.payload_len + usize::from(trailer.pad_len) + esp::TRAILER_LEN, data.len());
        let mut written = vec![0; usize::from(trailer.pad_len) + esp::TRAILER_LEN];
        esp::emit_trailer(&mut written, trailer.next_header).expect("it fits");
        assert_eq!(data.get(trailer.payload_len..), Some(&written[..]));
    }
}
