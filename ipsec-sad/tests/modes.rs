//! Every mode with every class of algorithm and either family, and what each mode does with the headers.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::{IpAddr, SocketAddr};

use common::{End, PAIR, Pair, dropped, path, run, udp, udp_with_class};
use ipsec_crypto::{Cipher, ProtectionSuite};
use ipsec_proto::ip::{Addresses, Fragment, Packet, refit, transport_checksum};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi};
use ipsec_sad::{
    AntiReplay, DontFragment, DropReason, DscpMap, Ecn, Encap, Esn, HopLimit, InboundSa, InnerDscp,
    InstallError, Keying, Meta, Mode, OutboundSa, OuterDscp, OuterHeader, PairId, Protocol, SaKeys, SaParams,
    Selector, SourceRoutes, TemplateId, TfcPadding, TransportChecksum, TunnelOptions, Unauthenticated,
    Verdict, WorkerConfig,
};

/// One of each class: CBC with HMAC, counter mode with HMAC, combined modes, integrity alone, AH with short and long ICVs.
const SUITES: [&str; 10] = [
    "aes128-sha256",
    "aes256-sha512",
    "aes128ctr-sha1",
    "aes128gcm16",
    "aes128ccm8",
    "chacha20poly1305",
    "null-sha256",
    "aes128gmac",
    "ah-sha1",
    "ah-sha512",
];

fn addresses(v6: bool) -> [&'static str; 2] {
    if v6 { ["fd00:1::1", "fd00:2::1"] } else { ["10.1.0.1", "10.2.0.1"] }
}

fn clear(v6: bool, payload: &[u8]) -> Vec<u8> {
    let [source, destination] = addresses(v6);
    udp(source, destination, 53, payload)
}

fn outer(end: End, v6: bool, port: u16) -> Path {
    let [local, remote] = if v6 { ["2001:db8::1", "2001:db8::2"] } else { ["192.0.2.1", "192.0.2.2"] }
        .map(|address| SocketAddr::new(address.parse().unwrap(), port));
    let path = Path::new(local, remote);
    if end == End::A { path } else { path.reversed() }
}

fn beet(end: End, v6: bool) -> Mode {
    let [local, remote] = addresses(v6).map(|address| address.parse::<IpAddr>().unwrap());
    match end {
        End::A => Mode::Beet { local, remote },
        End::B => Mode::Beet { local: remote, remote: local },
    }
}

#[test]
fn every_mode_carries_both_families_with_every_class_of_algorithm() {
    let mut carried = 0;
    for suite in SUITES {
        let is_ah = suite.starts_with("ah-");
        for (inner, over) in [(false, false), (false, true), (true, false), (true, true)] {
            for encap in [Encap::Raw, Encap::Udp] {
                for (mode, esn) in [
                    ("tunnel", Esn::Off),
                    ("tunnel", Esn::On),
                    ("transport", Esn::On),
                    ("transport", Esn::Off),
                    ("beet", Esn::Off),
                ] {
                    let impossible = is_ah && (encap == Encap::Udp || mode == "beet")
                        || mode == "transport" && inner != over;
                    if impossible {
                        continue;
                    }
                    let mut pair = Pair::with_one(suite, |end, params| {
                        params.esn = esn;
                        params.encap = encap;
                        params.path = outer(end, over, if encap == Encap::Udp { 4500 } else { 0 });
                        params.mode = match mode {
                            "tunnel" => Mode::TUNNEL,
                            "transport" => Mode::TRANSPORT,
                            _ => beet(end, inner),
                        };
                    });
                    for payload in [&b""[..], b"some", &[7; 1300]] {
                        let packet = clear(inner, payload);
                        let sealed = pair.send(&packet);
                        let name = format!("{suite} {mode} {inner} {over} {encap:?} {esn:?}");
                        let parsed = Packet::parse(&sealed).unwrap();
                        assert!(parsed.trailing().is_empty() && parsed.is_checksum_ok(), "{name}");
                        if encap == Encap::Udp && over {
                            let ends = Addresses::new(parsed.source(), parsed.destination()).unwrap();
                            assert_eq!(transport_checksum(&ends, IpProtocol::UDP, parsed.payload()), 0);
                        }
                        let mut forged = sealed.clone();
                        *forged.last_mut().unwrap() ^= 1;
                        assert!(matches!(pair.take(&forged).0, Verdict::Drop(_)), "{name}");
                        let (verdict, octets) = pair.take(&sealed);
                        assert_eq!(verdict, Verdict::Deliver, "{name}");
                        let (was, is) = (Packet::parse(&packet).unwrap(), Packet::parse(&octets).unwrap());
                        assert_eq!((was.payload(), was.source()), (is.payload(), is.source()), "{name}");
                        if mode == "beet" {
                            // The identification is not sent.
                            assert_eq!(was.hop_limit(), is.hop_limit());
                        } else {
                            assert_eq!(octets, packet, "{name}");
                        }
                        assert_eq!(pair.take(&sealed).0, dropped(DropReason::Replayed), "{name}");
                        carried += 1;
                    }
                }
            }
        }
    }
    assert!(carried > 500, "{carried}");
}

/// AH protects what routers do not change, and nothing that they do.
#[test]
fn ah_protects_the_header_but_for_what_routers_change() {
    for v6 in [false, true] {
        for mode in [Mode::TUNNEL, Mode::TRANSPORT] {
            let mut pair = Pair::with_one("ah-sha256", |end, params| {
                (params.path, params.mode) = (outer(end, v6, 0), mode);
            });
            let packet = clear(v6, b"some");
            let sealed = pair.send(&packet);
            let header = if v6 { 40 } else { 20 };
            // Traffic class, flow label, hop limit; TOS, flags, TTL, checksum.
            let mutable: &[usize] = if v6 { &[1, 2, 3, 7] } else { &[1, 6, 8, 10, 11] };
            for at in 0..header {
                let mut changed = sealed.clone();
                // The low bits: version, header length and the fragment offset stay what they are.
                changed[at] ^= if v6 && at == 0 || !v6 && at == 6 { 0x40 } else { 1 };
                let verdict = pair.take(&changed).0;
                if mutable.contains(&at) {
                    assert_eq!(verdict, Verdict::Deliver, "octet {at}");
                    // Anew, for the next change must not be a replay.
                    pair = Pair::with_one("ah-sha256", |end, params| {
                        (params.path, params.mode) = (outer(end, v6, 0), mode);
                    });
                    assert_eq!(pair.send(&packet).len(), sealed.len());
                    let spi = if v6 { 44 } else { 24 };
                    assert!(sealed.len() > spi);
                } else {
                    assert!(matches!(verdict, Verdict::Drop(_)), "octet {at}: {verdict:?}");
                }
            }
        }
    }
}

#[test]
fn beet_carries_ipv4_options_in_a_header_of_their_own() {
    for options in [&[148, 4, 0, 0][..], &[148, 4, 0, 0, 7, 3, 4, 0]] {
        let mut pair = Pair::with_one("aes128gcm16", |end, params| params.mode = beet(end, false));
        let mut packet = clear(false, b"some");
        packet.splice(20..20, options.iter().copied());
        packet[0] = 0x45 + u8::try_from(options.len() / 4).unwrap();
        assert!(refit(&mut packet, 9, IpProtocol::UDP));
        let sealed = pair.send(&packet);
        assert_eq!(sealed[0], 0x45, "not in the outer header");
        let (verdict, octets) = pair.take(&sealed);
        assert_eq!(verdict, Verdict::Deliver);
        let was = Packet::parse(&packet).unwrap();
        assert_eq!(octets[20..], packet[20..], "options and what follows them");
        assert_eq!(Packet::parse(&octets).unwrap().header_len(), was.header_len());
        assert!(Packet::parse(&octets).unwrap().is_checksum_ok());
    }
}

#[test]
fn beet_takes_its_own_addresses_only() {
    let mut pair = Pair::with_one("aes128gcm16", |end, params| params.mode = beet(end, false));
    let other = udp("10.1.0.2", "10.2.0.1", 53, b"");
    assert_eq!(pair.out(&other).0, dropped(DropReason::SelectorMismatch));
}

#[test]
fn transport_mode_mends_checksums_behind_a_nat() {
    let translated = |end, checksum| {
        move |params: &mut SaParams| {
            params.encap = Encap::Udp;
            params.outer_header = OuterHeader::System;
            params.path = outer(end, false, 4500);
            params.mode = Mode::Transport { checksum };
        }
    };
    // A NAT has given 10.1.0.1 the address 198.51.100.9.
    let public = SocketAddr::from(([198, 51, 100, 9], 61_000));
    let [source, destination] = addresses(false).map(|address| address.parse().unwrap());
    for how in [
        TransportChecksum::Keep,
        TransportChecksum::Adjust { source, destination },
        TransportChecksum::Recompute,
        TransportChecksum::Clear,
    ] {
        for protocol in [IpProtocol::UDP, IpProtocol::TCP] {
            let mut pair = Pair::with_one("aes128-sha256", |end, params| translated(end, how)(params));
            let mut packet = clear(false, &[5; 30]);
            let ends = Addresses::new(source, destination).unwrap();
            if protocol == IpProtocol::TCP {
                assert!(refit(&mut packet, 9, protocol));
                packet[36..38].fill(0);
                let sum = transport_checksum(&ends, protocol, &packet[20..]);
                packet[36..38].copy_from_slice(&sum.to_be_bytes());
            }
            let (verdict, sealed) = pair.out(&packet);
            assert!(matches!(verdict, Verdict::Send { encap: Encap::Udp, .. }));
            let path = Path::new(SocketAddr::new(destination, 4500), public);
            let meta = Meta::Wire { path, encap: Encap::Udp, traffic_class: Some(0) };
            let opened = run(&[sealed], meta, |batch| pair.b.inbound(pair.now, batch)).remove(0);
            assert_eq!(opened.0, Verdict::Deliver);
            let opened = Packet::parse(&opened.1).unwrap();
            assert_eq!(opened.source(), public.ip());
            let ends = Addresses::new(opened.source(), opened.destination()).unwrap();
            let right = transport_checksum(&ends, protocol, opened.payload()) == 0;
            let none = protocol == IpProtocol::UDP && opened.payload()[6..8] == [0, 0];
            match how {
                TransportChecksum::Keep => assert!(!right && !none),
                TransportChecksum::Clear if protocol == IpProtocol::UDP => assert!(none),
                _ => assert!(right && !none, "{how:?} {protocol:?}"),
            }
        }
    }
}

#[test]
fn tfc_padding_hides_lengths() {
    let mut pair = Pair::with_one("aes128gcm16", |_, params| params.tfc = TfcPadding::To(1000));
    let lengths: Vec<usize> = [0, 1, 100, 900]
        .map(|length| {
            let packet = clear(false, &vec![3; length]);
            let mut batch = ipsec_sad::Batch::new(1, 2048);
            batch.push(Meta::Clear, &packet).unwrap();
            pair.a.outbound(pair.now, &mut batch);
            let sealed = batch.packet(0).unwrap().to_vec();
            assert_eq!(pair.take(&sealed), (Verdict::Deliver, packet));
            sealed.len()
        })
        .into();
    assert!(lengths.iter().all(|length| *length == lengths[0] && *length > 1000), "{lengths:?}");

    // Padding does not make a packet too big for its path.
    pair.a.apply(pair.now, ipsec_sad::Update::PathMtu(PAIR, 600));
    let mut batch = ipsec_sad::Batch::new(1, 2048);
    batch.push(Meta::Clear, &clear(false, b"")).unwrap();
    pair.a.outbound(pair.now, &mut batch);
    assert!((590..=600).contains(&batch.packet(0).unwrap().len()));

    let mut pair = Pair::with_one("aes128-sha256", |_, params| params.tfc = TfcPadding::Random(200));
    let mut batch = ipsec_sad::Batch::new(32, 2048);
    for _ in 0..32 {
        batch.push(Meta::Clear, &clear(true, b"")).unwrap();
    }
    pair.a.outbound(pair.now, &mut batch);
    let mut lengths: Vec<usize> = batch.iter().map(|packet| packet.octets.len()).collect();
    for packet in batch.iter() {
        assert_eq!(pair.take(packet.octets), (Verdict::Deliver, clear(true, b"")));
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert!(lengths.len() > 5 && lengths[lengths.len() - 1] - lengths[0] <= 208, "{lengths:?}");
}

#[test]
fn dummy_packets_are_sealed_and_quietly_dropped() {
    let mut pair = Pair::with_one("aes128gcm16", |_, _| {});
    let dummies = [vec![0; 100], vec![0; 1]];
    let sealed = run(&dummies, Meta::Dummy(PAIR), |batch| pair.a.outbound(pair.now, batch));
    for (verdict, octets) in sealed {
        assert_eq!(verdict, Verdict::SendPacket { path: path() });
        assert_eq!(pair.take(&octets).0, dropped(DropReason::Dummy));
    }
    assert_eq!(pair.b.report().drops.count(DropReason::Dummy), 2);
    assert!(pair.b.next_audit().is_none(), "nobody is bothered");
    let unknown = run(&[vec![0; 9]], Meta::Dummy(PairId(9)), |batch| pair.a.outbound(pair.now, batch));
    assert_eq!(unknown[0].0, dropped(DropReason::NoSa));
}

#[test]
fn outer_headers_are_as_the_options_say() {
    let sent = |options: TunnelOptions, inner_df: bool| {
        let mut pair = Pair::with_one("aes128gcm16", |_, params| params.mode = Mode::Tunnel(options));
        let mut packet = udp_with_class("10.1.0.1", "10.2.0.1", 53, b"", 0xb8 | 2);
        packet[6] = if inner_df { 0x40 } else { 0 };
        packet[8] = 17;
        assert!(refit(&mut packet, 9, IpProtocol::UDP));
        let sealed = pair.send(&packet);
        let outer = Packet::parse(&sealed).unwrap();
        assert_ne!(sealed[4..6], [0, 0], "an identification, lest the system choose one");
        (outer.traffic_class(), outer.dont_fragment(), outer.hop_limit())
    };
    let usual = TunnelOptions::USUAL;
    assert_eq!(sent(usual, true), (0xb8 | 2, true, 64));
    assert_eq!(sent(usual, false), (0xb8 | 2, false, 64));
    let changed = TunnelOptions {
        dscp: OuterDscp::Set(10),
        ecn: Ecn::Compatibility,
        df: DontFragment::Set,
        hop_limit: HopLimit::Copy,
        ..usual
    };
    assert_eq!(sent(changed, false), (40, true, 17));
    let map = DscpMap::identity().with(46, 0);
    let mapped = TunnelOptions {
        dscp: OuterDscp::Map(map),
        df: DontFragment::Clear,
        hop_limit: HopLimit::Set(3),
        ..usual
    };
    assert_eq!(sent(mapped, true), (2, false, 3));
}

#[test]
fn a_networks_mark_reaches_the_inner_packet_if_it_is_wanted() {
    for (inner_dscp, expected) in [(InnerDscp::Keep, 0xb8 | 3), (InnerDscp::CopyOuter, 0x28 | 3)] {
        let mut pair = Pair::with_one("aes128gcm16", |_, params| {
            params.mode = Mode::Tunnel(TunnelOptions { inner_dscp, ..TunnelOptions::USUAL });
        });
        let mut sealed = pair.send(&udp_with_class("10.1.0.1", "10.2.0.1", 53, b"", 0xb8 | 2));
        ipsec_proto::ip::set_traffic_class(&mut sealed, 0x28 | 3);
        let (_, octets) = pair.take(&sealed);
        assert_eq!(Packet::parse(&octets).unwrap().traffic_class(), expected);
    }
}

#[test]
fn source_routes_are_refused_or_counted() {
    let mut routed = clear(false, b"");
    routed.splice(20..20, [131, 7, 4, 10, 9, 9, 9, 0]);
    routed[0] = 0x47;
    assert!(refit(&mut routed, 9, IpProtocol::UDP));
    let mut header_0 = clear(true, b"");
    header_0.splice(40..40, [17, 2, 0, 0, 0, 0, 0, 0].into_iter().chain([9; 16]));
    assert!(refit(&mut header_0, 6, IpProtocol::IPV6_ROUTE));
    for packet in [routed, header_0] {
        let mut pair = Pair::with_one("aes128gcm16", |_, _| {});
        assert_eq!(pair.out(&packet).0, dropped(DropReason::SourceRoute));

        let config = WorkerConfig { source_routes: SourceRoutes::Count, ..WorkerConfig::default() };
        let mut pair = Pair::with_one_and(config, "aes128gcm16", |_, _| {});
        let sealed = pair.send(&packet);
        assert_eq!(pair.take(&sealed), (Verdict::Deliver, packet.clone()));
        assert_eq!([pair.a.report(), pair.b.report()].map(|report| report.totals.source_routed), [1, 1]);

        // A receiver that refuses them does so inside a tunnel too.
        let mut strict = Pair::with_one("aes128gcm16", |_, _| {});
        let sealed = {
            let spi = strict.b.report().sas[0].spi;
            let mut lax = Pair::with_one_and(config, "aes128gcm16", |_, _| {});
            assert_eq!(lax.b.report().sas[0].spi, spi, "the same randomness, the same SPI");
            lax.send(&packet)
        };
        assert_eq!(strict.take(&sealed).0, dropped(DropReason::SourceRoute));
    }
}

#[test]
fn a_packet_of_ones_own_is_not_sealed_again() {
    for (suite, encap) in [("aes128gcm16", Encap::Raw), ("aes128gcm16", Encap::Udp), ("ah-sha1", Encap::Raw)]
    {
        let mut pair = Pair::with_one(suite, |_, params| params.encap = encap);
        let sealed = pair.send(&clear(false, b""));
        // The route to the peer leads into the tunnel.
        assert_eq!(pair.out(&sealed).0, dropped(DropReason::Loop), "{suite} {encap:?}");
        // Other traffic between the same two hosts is no loop.
        pair.send(&udp("192.0.2.1", "192.0.2.2", 53, b""));
    }
}

#[test]
fn fragments_are_carried_in_tunnels_only() {
    let mut fragment = clear(false, &[0; 40]);
    fragment[6..8].copy_from_slice(&[0x20, 0]);
    let mut tunnel = Pair::with_one("ah-sha1", |_, _| {});
    let sealed = tunnel.send(&fragment);
    assert_eq!(tunnel.take(&sealed), (Verdict::Deliver, fragment.clone()));
    for mode in [|_| Mode::TRANSPORT, |end| beet(end, false)] {
        let mut pair = Pair::with_one("aes128gcm16", |end, params| params.mode = mode(end));
        assert_eq!(pair.out(&fragment).0, dropped(DropReason::FragmentInTransport));
    }
}

#[test]
fn a_fragment_of_a_sealed_packet_is_dropped_and_audited() {
    let mut pair = Pair::with_one("aes128gcm16", |_, _| {});
    let mut sealed = pair.send(&clear(false, b""));
    sealed[6] = 0x20;
    assert_eq!(pair.take(&sealed).0, dropped(DropReason::Fragmented));
    let audit = pair.b.next_audit().unwrap();
    assert_eq!(audit.kind, ipsec_sad::AuditKind::Fragment);
    assert!(audit.spi.is_some() && audit.path.is_some());
    assert_ne!(Packet::parse(&sealed).unwrap().fragment(), Fragment::Whole);
}

#[test]
fn malformed_ah_is_dropped_as_such() {
    let mut pair = Pair::with_one("ah-sha256", |_, _| {});
    let sealed = pair.send(&clear(false, b""));
    let mut longer = sealed.clone();
    longer[21] += 1;
    assert_eq!(pair.take(&longer).0, dropped(DropReason::MalformedAh), "an ICV of another length");
    let mut shorter = sealed.clone();
    shorter[21] = 0;
    assert_eq!(pair.take(&shorter).0, dropped(DropReason::MalformedAh));
    // AH without its IP header can't be verified, and ESP is no AH.
    let (spi, wire) =
        (&sealed[24..28], Meta::Wire { path: path().reversed(), encap: Encap::Raw, traffic_class: None });
    let esp = [spi, &[0, 0, 0, 1], &[0; 40]].concat();
    let verdict = run(&[esp], wire, |batch| pair.b.inbound(pair.now, batch)).remove(0).0;
    assert_eq!(verdict, dropped(DropReason::UnknownSpi));
}

#[test]
fn headers_too_long_for_ah_are_refused() {
    let mut pair = Pair::with_one("ah-sha1", |end, params| {
        (params.path, params.mode) = (outer(end, true, 0), Mode::TRANSPORT);
    });
    let mut packet = clear(true, b"");
    // Hop-by-hop options of 600 octets.
    let mut options = vec![0; 600];
    options[..2].copy_from_slice(&[17, 74]);
    packet.splice(40..40, options);
    assert!(refit(&mut packet, 6, IpProtocol::HOPOPT));
    assert_eq!(pair.out(&packet).0, dropped(DropReason::HeaderTooLong));
}

#[test]
fn what_does_not_go_together_is_refused_with_a_reason() {
    let provider = ipsec_crypto::CryptoProvider::default();
    let now = Pair::without_sas(common::Setup::default()).now;
    let refused = |suite: &str, edit: fn(&mut SaParams)| {
        let protocol = common::protocol(suite);
        let mut params = SaParams::new(PAIR, TemplateId(1), Spi(256), protocol, path(), Selector::ANY);
        edit(&mut params);
        OutboundSa::prepare(params, &provider, now).unwrap_err()
    };
    let bare = |cipher| ProtectionSuite { cipher, integrity: None };
    let esp = |cipher: Cipher, allow: bool| {
        let keys = SaKeys { encryption: common::key(1, cipher.key_len()), integrity: common::key(1, 0) };
        let mut params = SaParams::new(
            PAIR,
            TemplateId(1),
            Spi(256),
            Protocol::Esp { suite: bare(cipher), keys },
            path(),
            Selector::ANY,
        );
        params.unauthenticated = if allow { Unauthenticated::Allow } else { Unauthenticated::Refuse };
        OutboundSa::prepare(params, &provider, now).map(drop)
    };
    assert_eq!(
        esp(Cipher::AES128, false),
        Err(InstallError::IntegrityMissing { suite: bare(Cipher::AES128) })
    );
    assert_eq!(esp(Cipher::AES128, true), Ok(()));
    for allow in [false, true] {
        assert_eq!(esp(Cipher::NULL, allow), Err(InstallError::NoProtection));
    }
    assert_eq!(refused("ah-sha1", |params| params.encap = Encap::Udp), InstallError::AhInUdp);
    assert_eq!(refused("ah-sha1", |params| params.mode = beet(End::A, true)), InstallError::AhInBeet);
    assert_eq!(
        refused("ah-sha1", |params| params.outer_header = OuterHeader::System),
        InstallError::AhNeedsHeader
    );
    assert_eq!(refused("ah-sha1", |params| params.tfc = TfcPadding::To(9)), InstallError::TfcNeedsTunnel);
    assert_eq!(
        refused("aes128gcm16", |params| {
            (params.mode, params.tfc) = (Mode::TRANSPORT, TfcPadding::Random(9));
        }),
        InstallError::TfcNeedsTunnel
    );
    assert_eq!(refused("aes128gcm16", |params| params.within = Some(PAIR)), InstallError::WithinItself(PAIR));
    assert_eq!(
        refused("aes128gcm16", |params| params.anti_replay = AntiReplay::Off),
        InstallError::ReplayOff
    );
    assert_eq!(
        refused("aes128gcm16", |params| {
            (params.anti_replay, params.keying, params.esn) = (AntiReplay::Off, Keying::Manual, Esn::On);
        }),
        InstallError::EsnWithoutReplay
    );
    let mixed = refused("aes128gcm16", |params| {
        params.mode = Mode::Beet { local: [10, 0, 0, 1].into(), remote: IpAddr::V6(1.into()) };
    });
    assert!(matches!(mixed, InstallError::MixedBeetFamilies { .. }));
    assert!(InstallError::IntegrityMissing { suite: bare(Cipher::AES128) }.to_string().contains("Allow"));
}

#[test]
fn without_integrity_the_numbers_mean_nothing() {
    let mut pair = Pair::without_sas(common::Setup::default());
    let reserved = pair.spis[1].reserve(&mut pair.random).unwrap();
    let suite = ProtectionSuite { cipher: Cipher::AES128, integrity: None };
    let keys = SaKeys { encryption: common::key(1, 16), integrity: common::key(1, 0) };
    let protocol = Protocol::Esp { suite, keys };
    let params =
        SaParams::new(PAIR, TemplateId(1), reserved.spi(), protocol, path().reversed(), Selector::ANY);
    let params = SaParams { unauthenticated: Unauthenticated::Allow, ..params };
    let sa = InboundSa::prepare(params, reserved, &pair.provider, pair.now).unwrap();
    pair.b.apply(pair.now, ipsec_sad::Update::InstallInbound(Box::new(sa)));
    assert_eq!(pair.b.report().sas[0].anti_replay, AntiReplay::Off);
}
