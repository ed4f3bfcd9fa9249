//! Path MTUs: what ICMP is believed, what is cut, what is refused, and what becomes of TCP's MSS.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::IpAddr;
use std::time::Duration;

use common::{PAIR, Pair, dropped, packet, path, telling_events, udp};
use ipsec_proto::ip::{Addresses, Fragments, Packet, emit_too_big, refit, transport_checksum};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    Batch, DontFragment, DropReason, Encap, Fragmentation, IcmpError, Learned, Meta, Mode, MssClamp, PairId,
    SadEvent, TunnelOptions, Update, Verdict,
};

const ROUTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

/// What a router says about `sealed`.
fn icmp(sealed: &[u8], mtu: u16) -> Vec<u8> {
    let mut out = vec![0; 1500];
    let length = emit_too_big(&Packet::parse(sealed).unwrap(), mtu, ROUTER, &mut out).unwrap();
    out.truncate(length);
    out
}

fn pair(options: TunnelOptions) -> Pair {
    Pair::with_one("aes128gcm16", |_, params| params.mode = Mode::Tunnel(options))
}

fn df(mut packet: Vec<u8>) -> Vec<u8> {
    packet[6] |= 0x40;
    let protocol = Packet::parse(&packet).unwrap().protocol();
    assert!(refit(&mut packet, 9, protocol));
    packet
}

#[test]
fn an_icmp_message_about_a_recent_packet_is_believed() {
    for (suite, encap) in
        [("aes128gcm16", Encap::Raw), ("aes128-sha256", Encap::Udp), ("ah-sha1", Encap::Raw)]
    {
        let mut pair = Pair::with_one(suite, |_, params| params.encap = encap);
        let sealed = pair.send(&df(packet(&[0; 1400])));
        let Learned { pair: id, mtu, inner } = pair.a.handle_icmp(pair.now, &icmp(&sealed, 1300)).unwrap();
        assert_eq!((id, mtu), (PAIR, 1300));
        assert_eq!(telling_events(&mut pair.a), [SadEvent::PathMtu { pair: PAIR, mtu, inner }]);
        assert_eq!(pair.a.inner_mtu(pair.now, PAIR), Some(inner));
        // The longest that fits, and not an octet more.
        let payload = usize::from(inner) - 28;
        assert!(pair.send(&df(packet(&vec![0; payload]))).len() <= 1300);
        assert_eq!(pair.out(&df(packet(&vec![0; payload + 1]))).0, dropped(DropReason::TooBig));
        // Forgotten in time.
        pair.now += Duration::from_secs(601);
        pair.send(&df(packet(&vec![0; payload + 1])));
    }
}

#[test]
fn forged_messages_change_nothing() {
    let mut pair = pair(TunnelOptions::USUAL);
    let sealed = pair.send(&df(packet(&[0; 1400])));
    let tell = |pair: &mut Pair, octets: &[u8]| pair.a.handle_icmp(pair.now, octets).unwrap_err();
    let changed = |at: usize| {
        let mut other = sealed.clone();
        other[at] ^= 1;
        icmp(&other, 1300)
    };
    assert_eq!(tell(&mut pair, &changed(23)), IcmpError::NotOurs, "another SPI");
    assert_eq!(tell(&mut pair, &changed(19)), IcmpError::NotOurs, "another peer");
    assert_eq!(tell(&mut pair, &changed(15)), IcmpError::NotOurs, "another source");
    assert_eq!(tell(&mut pair, &changed(27)), IcmpError::NotRecent, "a number of the future");
    assert_eq!(tell(&mut pair, &icmp(&packet(b""), 1300)), IcmpError::NotOurs, "another packet");
    assert_eq!(tell(&mut pair, &icmp(&sealed, 1500)), IcmpError::NotSmaller, "it did fit");
    let mut torn = icmp(&sealed, 1300);
    *torn.last_mut().unwrap() ^= 1;
    assert_eq!(tell(&mut pair, &torn), IcmpError::NotTooBig);
    assert_eq!(tell(&mut pair, &sealed), IcmpError::NotTooBig);
    assert_eq!(pair.a.inner_mtu(pair.now, PAIR), None);
    assert!(telling_events(&mut pair.a).is_empty());
}

/// Unauthenticated messages that force the MTU to a minimum, or that are ignored and leave a black hole.
#[test]
fn icmp_cannot_force_the_mtu_below_the_floor() {
    let mut pair = pair(TunnelOptions::USUAL);
    let sealed = pair.send(&df(packet(&[0; 1400])));
    let learned = pair.a.handle_icmp(pair.now, &icmp(&sealed, 68)).unwrap();
    assert_eq!(learned.mtu, 576, "not ignored, and not obeyed");
    assert_eq!(pair.a.handle_icmp(pair.now, &icmp(&sealed, 1000)), Err(IcmpError::NotSmaller));
}

#[test]
fn what_may_be_cut_is_cut_before_it_is_sealed() {
    let mut pair = pair(TunnelOptions::USUAL);
    pair.a.apply(pair.now, Update::PathMtu(PAIR, 1000));
    let clear = packet(&[9; 1800]);
    let (verdict, octets) = pair.out(&clear);
    let Verdict::Fragment { mtu } = verdict else { panic!("{verdict:?}") };
    assert_eq!(Some(mtu), pair.a.inner_mtu(pair.now, PAIR));
    assert_eq!(octets, clear);
    let mut fragments = Fragments::new(&Packet::parse(&octets).unwrap(), mtu, 0).unwrap();
    let mut out = vec![0; 2000];
    let mut arrived: Vec<u8> = vec![];
    while let Some(length) = fragments.emit(&mut out) {
        let sealed = pair.send(&out[..length]);
        assert!(sealed.len() <= 1000);
        let (verdict, octets) = pair.take(&sealed);
        assert_eq!(verdict, Verdict::Deliver);
        arrived.extend(Packet::parse(&octets).unwrap().payload());
    }
    assert_eq!(arrived, clear[20..]);
}

#[test]
fn or_after_if_that_is_wanted() {
    let mut pair = pair(TunnelOptions {
        fragmentation: Fragmentation::After,
        df: DontFragment::Clear,
        ..TunnelOptions::USUAL
    });
    pair.a.apply(pair.now, Update::PathMtu(PAIR, 1000));
    let clear = df(packet(&[9; 1800]));
    let sealed = pair.send(&clear);
    let mut fragments = Fragments::new(&Packet::parse(&sealed).unwrap(), 1000, 0).unwrap();
    let (mut out, mut whole) = (vec![0; 2000], sealed[..20].to_vec());
    while let Some(length) = fragments.emit(&mut out) {
        assert!(length <= 1000);
        whole.extend(Packet::parse(&out[..length]).unwrap().payload());
    }
    assert_eq!(whole, sealed, "put together they are the packet");
    assert_eq!(pair.take(&whole), (Verdict::Deliver, clear));
}

#[test]
fn what_must_not_be_cut_is_refused_with_the_size_that_fits() {
    let mut pair = pair(TunnelOptions::USUAL);
    pair.a.apply(pair.now, Update::PathMtu(PAIR, 1400));
    let inner = pair.a.inner_mtu(pair.now, PAIR).unwrap();
    let mut batch = Batch::new(3, 2048);
    batch.push(Meta::Clear, &df(packet(&[0; 1400]))).unwrap();
    batch.push(Meta::Clear, &udp("fd00:1::1", "fd00:2::1", 53, &[0; 1400])).unwrap();
    batch.push(Meta::Clear, &df(packet(b"short"))).unwrap();
    pair.a.outbound(pair.now, &mut batch);
    assert_eq!([0, 1, 2].map(|number| batch.mtu(number)), [Some(inner), Some(inner), None]);
    assert_eq!(pair.a.report().drops.count(DropReason::TooBig), 2);
    // IPv6 of 1280 octets always passes: the outer packet is cut.
    pair.a.apply(pair.now, Update::PathMtu(PAIR, 1280));
    let least = udp("fd00:1::1", "fd00:2::1", 53, &[0; 1280 - 48]);
    assert_eq!(least.len(), 1280);
    pair.send(&least);
}

#[test]
fn a_carried_sa_has_what_its_carrier_leaves() {
    let mut pair = Pair::with_one("aes128gcm16", |_, params| params.within = Some(PairId(2)));
    pair.one_way(PairId(2), "ah-sha256", |_, params| params.mode = Mode::TRANSPORT);
    pair.a.apply(pair.now, Update::PathMtu(PairId(2), 1400));
    let inner = pair.a.inner_mtu(pair.now, PAIR).unwrap();
    assert!(pair.send(&df(packet(&vec![0; usize::from(inner) - 28]))).len() <= 1400);
    assert_eq!(pair.out(&df(packet(&vec![0; usize::from(inner) - 27]))).0, dropped(DropReason::TooBig));
}

fn syn(mss: u16) -> Vec<u8> {
    let mut packet = packet(&[0; 16]);
    assert!(refit(&mut packet, 9, IpProtocol::TCP));
    packet[32..34].copy_from_slice(&[0x60, 2]);
    packet[36..40].fill(0);
    packet[40..42].copy_from_slice(&[2, 4]);
    packet[42..44].copy_from_slice(&mss.to_be_bytes());
    let sum = transport_checksum(&ends(&packet), IpProtocol::TCP, &packet[20..]);
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn ends(packet: &[u8]) -> Addresses {
    let packet = Packet::parse(packet).unwrap();
    Addresses::new(packet.source(), packet.destination()).unwrap()
}

#[test]
fn syns_are_clamped_to_what_fits() {
    for (mss, limit) in [(MssClamp::Off, 1460), (MssClamp::To(1200), 1200), (MssClamp::PathMtu, 1314)] {
        let mut pair = pair(TunnelOptions { mss, ..TunnelOptions::USUAL });
        pair.a.apply(pair.now, Update::PathMtu(PAIR, 1410));
        let sealed = pair.send(&syn(1460));
        let (_, octets) = pair.take(&sealed);
        assert_eq!(u16::from_be_bytes([octets[42], octets[43]]), limit, "{mss:?}");
        assert_eq!(transport_checksum(&ends(&octets), IpProtocol::TCP, &octets[20..]), 0);
    }
    // A receiver clamps what its peer did not.
    let mut pair = Pair::with_one("aes128gcm16", |end, params| {
        let mss = if end == common::End::B { MssClamp::To(1000) } else { MssClamp::Off };
        params.mode = Mode::Tunnel(TunnelOptions { mss, ..TunnelOptions::USUAL });
    });
    let sealed = pair.send(&syn(1460));
    // The limit of a pair is that of its outbound half.
    let out = pair.outbound(PAIR, ipsec_proto::Spi(4096), path().reversed(), ipsec_sad::Selector::ANY);
    pair.b.apply(pair.now, Update::InstallOutbound(out));
    let (_, octets) = pair.take(&sealed);
    assert_eq!(u16::from_be_bytes([octets[42], octets[43]]), 1000);
}
