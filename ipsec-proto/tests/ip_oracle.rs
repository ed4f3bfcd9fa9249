//! The IP reader against etherparse, an independent one: on generated packets, on damaged ones and on noise.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking anywhere")]

use std::net::IpAddr;

use etherparse::{IpNumber, IpSlice};
use ipsec_proto::ip::{
    Addresses, Fragment, Header, NextLayer, Packet, UDP_HEADER_LEN, Version, emit_udp_header,
    transport_checksum,
};
use ipsec_proto::registry::IpProtocol;
use proptest::collection::vec;
use proptest::prelude::*;

/// An extension header: type and octets, in which the next header is still to be filled in.
fn extension() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let sized = |kind: u8| {
        (0..3u8, any::<[u8; 32]>()).prop_map(move |(len, seed)| {
            let mut octets = seed[..(usize::from(len) + 1) * 8].to_vec();
            octets[1] = len;
            (kind, octets)
        })
    };
    let fragment = (prop_oneof![Just(0u16), Just(1), any::<u16>()], any::<u32>()).prop_map(|(word, id)| {
        let mut octets = vec![0, 0];
        octets.extend((word & !6).to_be_bytes());
        octets.extend(id.to_be_bytes());
        (44, octets)
    });
    prop_oneof![sized(60), sized(43), fragment]
}

prop_compose! {
    fn header()(
        source in any::<IpAddr>(),
        other in any::<[u8; 16]>(),
        protocol in prop::sample::select(vec![1u8, 6, 17, 47, 50, 58, 59, 89, 132, 135, 136, 253]),
        traffic_class in any::<u8>(),
        hop_limit in any::<u8>(),
        identification in any::<u16>(),
        dont_fragment in any::<bool>(),
        flow_label in 0..0x10_0000u32,
    ) -> Header {
        let addresses = match source {
            IpAddr::V4(source) => {
                let [a, b, c, d, ..] = other;
                Addresses::V4 { source, destination: [a, b, c, d].into() }
            }
            IpAddr::V6(source) => Addresses::V6 { source, destination: other.into() },
        };
        let protocol = IpProtocol(protocol);
        Header { addresses, protocol, traffic_class, hop_limit, identification, dont_fragment, flow_label }
    }
}

prop_compose! {
    /// A packet with extension headers (IPv6) or options and fragment fields (IPv4), and octets after its end.
    fn packet()(
        header in header(),
        hop_by_hop in any::<bool>(),
        extensions in vec(extension(), 0..5),
        fragment in prop_oneof![Just(0u16), 0..0x4000u16],
        payload in vec(any::<u8>(), 0..60),
        trailing in vec(any::<u8>(), 0..10),
    ) -> Vec<u8> {
        let mut body = vec![];
        let mut header = header;
        let is_v6 = matches!(header.addresses, Addresses::V6 { .. });
        if is_v6 {
            let mut next = header.protocol.0;
            let mut chain = extensions;
            if hop_by_hop {
                chain.insert(0, (0, vec![0; 8]));
            }
            for (kind, octets) in chain.iter_mut().rev() {
                octets[0] = next;
                next = *kind;
            }
            header.protocol = IpProtocol(next);
            body = chain.into_iter().flat_map(|(_, octets)| octets).collect();
        }
        body.extend(payload);
        let mut out = vec![0; header.header_len()];
        header.emit(body.len(), &mut out).unwrap();
        if !is_v6 {
            let word = u16::from_be_bytes([out[6], out[7]]) & 0x4000 | fragment;
            out[6..8].copy_from_slice(&word.to_be_bytes());
        }
        out.extend(body);
        out.extend(trailing);
        out
    }
}

/// Compares both readers' opinions of `octets`.
fn compare(octets: &[u8]) -> Result<(), TestCaseError> {
    // They take a payload length of zero for "up to the end of the octets", which is for jumbograms only (RFC 2675).
    if let [0x60..0x70, _, _, _, 0, 0, _, ..] = octets {
        return Ok(());
    }
    let ours = Packet::parse(octets);
    let theirs = IpSlice::from_slice(octets);
    let Ok(theirs) = theirs else {
        // Where they refuse, we do, except behind a later fragment's header and at an AH: they read on, we stop there.
        if let Ok(ours) = &ours {
            let stopped =
                matches!(ours.fragment(), Fragment::Later { .. }) || ours.protocol() == IpProtocol::AH;
            prop_assert!(stopped, "only we accept {:?}: {:?}", octets, theirs.err());
        }
        return Ok(());
    };
    let ours = match ours {
        Ok(ours) => ours,
        // A fragment of a fragment: a later one could pass for a first one.
        Err(error) if error.field == "IPv6 second fragment header" => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(format!("only they accept {octets:?}: {error}"))),
    };
    prop_assert_eq!(ours.source(), theirs.source_addr());
    prop_assert_eq!(ours.destination(), theirs.destination_addr());
    let payload = theirs.payload();
    // They follow an AH, we take it for the next layer.
    let stops_early = ours.protocol() == IpProtocol::AH;
    let whole = matches!(ours.fragment(), Fragment::Whole);
    if let IpSlice::Ipv4(v4) = &theirs {
        prop_assert_eq!(ours.version(), Version::V4);
        let header = v4.header();
        prop_assert_eq!(ours.hop_limit(), header.ttl());
        prop_assert_eq!(ours.dscp(), header.dcp().value());
        prop_assert_eq!(ours.ecn(), header.ecn().value());
        prop_assert_eq!(ours.dont_fragment(), header.dont_fragment());
        prop_assert_eq!(ours.protocol().0, header.protocol().0);
        prop_assert_eq!(ours.total_len(), usize::from(header.total_len()));
        prop_assert_eq!(ours.header_len(), header.slice().len());
        // Their header drops the reserved flag, and sums up without it; zero has two forms, of which they compute one.
        if octets[6] & 0x80 == 0 && header.header_checksum() != 0xffff {
            let sum = header.to_header().calc_header_checksum();
            prop_assert_eq!(ours.is_checksum_ok(), sum == header.header_checksum());
        }
        let offset = header.fragments_offset().value() << 3;
        match ours.fragment() {
            Fragment::Whole => prop_assert!(offset == 0 && !header.more_fragments()),
            Fragment::First { id } => {
                prop_assert_eq!(id, u32::from(header.identification()));
                prop_assert!(offset == 0 && header.more_fragments());
            }
            Fragment::Later { id, offset: ours, more } => {
                prop_assert_eq!(id, u32::from(header.identification()));
                prop_assert_eq!((ours, more), (offset, header.more_fragments()));
            }
        }
    }
    if let IpSlice::Ipv6(v6) = &theirs {
        let header = v6.header();
        prop_assert_eq!(ours.version(), Version::V6);
        prop_assert_eq!(ours.hop_limit(), header.hop_limit());
        prop_assert_eq!(ours.traffic_class(), header.traffic_class());
        prop_assert_eq!(ours.total_len(), usize::from(header.payload_length()) + 40);
    }
    prop_assert_eq!(ours.total_len() + ours.trailing().len(), octets.len());
    if !stops_early && !matches!(ours.fragment(), Fragment::Later { .. }) {
        prop_assert_eq!(ours.protocol().0, payload.ip_number.0);
        prop_assert_eq!(ours.payload(), payload.payload);
        prop_assert_eq!(whole, !theirs.is_fragmenting_payload());
    }
    if whole && payload.ip_number == IpNumber::UDP {
        let udp = etherparse::UdpHeaderSlice::from_slice(payload.payload);
        if let Ok(udp) = udp {
            let ports = NextLayer::Ports { source: udp.source_port(), destination: udp.destination_port() };
            prop_assert_eq!(ours.next_layer(), ports);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn generated_packets_read_alike(octets in packet()) {
        compare(&octets)?;
    }

    #[test]
    fn damaged_packets_read_alike(octets in packet(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut octets = octets;
        let at = at.index(octets.len());
        octets[at] = value;
        compare(&octets)?;
    }

    #[test]
    fn truncated_packets_read_alike(octets in packet(), at in any::<prop::sample::Index>()) {
        compare(&octets[..at.index(octets.len())])?;
    }

    #[test]
    fn noise_reads_alike(first in prop_oneof![Just(0x45u8), Just(0x60), any::<u8>()], noise in vec(any::<u8>(), 0..120)) {
        compare(&[&[first][..], &noise].concat())?;
    }

    #[test]
    fn headers_are_written_as_etherparse_writes_them(header in header(), payload in vec(any::<u8>(), 0..60)) {
        let mut out = vec![0; header.header_len()];
        header.emit(payload.len(), &mut out).unwrap();
        let theirs = IpSlice::from_slice(&[&out[..], &payload].concat()).unwrap().to_header();
        let mut written = vec![];
        theirs.write(&mut written).unwrap();
        prop_assert_eq!(&written[..out.len()], &out[..]);
    }

    #[test]
    fn checksums_agree(header in header(), ports in any::<[u16; 2]>(), payload in vec(any::<u8>(), 0..100)) {
        let [source, destination] = ports;
        let mut segment = vec![0; UDP_HEADER_LEN];
        segment.extend(&payload);
        emit_udp_header(&header.addresses, source, destination, &mut segment).unwrap();
        let theirs = match header.addresses {
            Addresses::V4 { source: s, destination: d } => {
                etherparse::UdpHeader::with_ipv4_checksum(
                    source,
                    destination,
                    &etherparse::Ipv4Header::new(0, 64, IpNumber::UDP, s.octets(), d.octets()).unwrap(),
                    &payload,
                ).unwrap()
            }
            Addresses::V6 { source: s, destination: d } => {
                let ip = etherparse::Ipv6Header { source: s.octets(), destination: d.octets(), ..Default::default() };
                etherparse::UdpHeader::with_ipv6_checksum(source, destination, &ip, &payload).unwrap()
            }
        };
        prop_assert_eq!(&theirs.to_bytes()[..], &segment[..UDP_HEADER_LEN]);
        prop_assert_eq!(transport_checksum(&header.addresses, IpProtocol::UDP, &segment), 0);
    }
}
