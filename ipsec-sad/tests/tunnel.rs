//! Packets through a tunnel: what goes in comes out, and nothing else does.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{PAIR, Pair, Setup, dropped, networks, networks_v6, packet, run, udp, udp_with_class};
use ipsec_sad::{DropReason, Encap, Esn, Meta, PairId, SaState, Verdict};
use proptest::prelude::*;

const SUITES: &[&str] = &[
    "aes128-sha1",
    "aes192-sha384",
    "aes256-sha256",
    "aes256-sha512",
    "aes128-sha256_96",
    "aes128-aesxcbc",
    "aes128ctr-sha256",
    "aes256ctr-aescmac",
    "null-sha1",
    "aes128gcm8",
    "aes192gcm12",
    "aes256gcm16",
    "aes128ccm8",
    "aes192ccm12",
    "aes256ccm16",
    "aes128gmac",
    "chacha20poly1305",
    #[cfg(feature = "legacy")]
    "3des-md5",
];

fn setup() -> impl Strategy<Value = Setup> {
    let encap = prop_oneof![Just(Encap::Udp), Just(Encap::Raw)];
    let esn = prop_oneof![Just(Esn::Off), Just(Esn::On)];
    (proptest::sample::select(SUITES), encap, esn).prop_map(|(suite, encap, esn)| Setup {
        suite,
        encap,
        esn,
        ..Setup::default()
    })
}

fn clear_packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = proptest::collection::vec(any::<u8>(), 0..2000);
    let one = (any::<bool>(), payload).prop_map(|(v6, payload)| match v6 {
        true => udp("fd00:1::1", "fd00:2::1", 53, &payload),
        false => packet(&payload),
    });
    proptest::collection::vec(one, 1..70)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_goes_in_comes_out(setup in setup(), packets in clear_packets()) {
        let mut pair = Pair::new(setup);
        pair.connect(PairId(2), networks_v6());
        let sealed = pair.seal(&packets);
        for (sealed, clear) in sealed.iter().zip(&packets) {
            prop_assert!(sealed.len() > clear.len());
            prop_assert_eq!(sealed.len() % 4, 0);
            let encrypts = !setup.suite.starts_with("null") && !setup.suite.ends_with("gmac");
            prop_assert_eq!(encrypts, !sealed.windows(20).any(|part| part == &clear[..20]));
        }
        for ((verdict, opened), clear) in pair.open(&sealed).into_iter().zip(&packets) {
            prop_assert_eq!(verdict, Verdict::Deliver);
            prop_assert_eq!(&opened, clear);
        }
        let report = pair.b.report();
        prop_assert_eq!(report.totals.opened.packets, packets.len() as u64);
        prop_assert_eq!(report.drops.total(), 0);
    }

    #[test]
    fn one_flipped_bit_anywhere_drops_the_packet(setup in setup(), length in 0_usize..200) {
        let mut pair = Pair::new(setup);
        let sealed = pair.seal(&[packet(&vec![0x5a; length])]).remove(0);
        let mut packets = Vec::new();
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            packets.push(forged);
        }
        for (bit, (verdict, _)) in pair.open(&packets).into_iter().enumerate() {
            let Verdict::Drop(reason) = verdict else { panic!("bit {bit}: {verdict:?}") };
            let allowed: &[DropReason] = match bit {
                // The SPI, which may become one with another worker's number or 0.
                0..32 => &[DropReason::UnknownSpi, DropReason::MalformedEsp],
                // The sequence number, which may become 0.
                32..64 => &[DropReason::IntegrityFailed, DropReason::Replayed],
                _ => &[DropReason::IntegrityFailed],
            };
            prop_assert!(allowed.contains(&reason), "bit {}: {}", bit, reason);
        }
        let report = pair.b.report();
        prop_assert_eq!(report.drops.total(), packets.len() as u64);
        prop_assert_eq!(report.sas.iter().map(|sa| sa.sequence).max(), Some(0), "the window did not move");
        // And the packet itself is still good.
        prop_assert_eq!(pair.open_one(&sealed), Verdict::Deliver);
    }

    #[test]
    fn truncated_packets_are_dropped(setup in setup(), length in 0_usize..100) {
        let mut pair = Pair::new(setup);
        let sealed = pair.seal(&[packet(&vec![0x5a; length])]).remove(0);
        let packets: Vec<Vec<u8>> = (0..sealed.len()).map(|end| sealed[..end].to_vec()).collect();
        for (end, (verdict, _)) in pair.open(&packets).into_iter().enumerate() {
            prop_assert!(
                [dropped(DropReason::MalformedEsp), dropped(DropReason::IntegrityFailed)].contains(&verdict),
                "{} octets: {:?}", end, verdict
            );
        }
    }

    #[test]
    fn garbage_is_dropped_and_every_drop_has_one_reason(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 1..80),
        own_spi in any::<bool>(),
    ) {
        let mut pair = Pair::new(Setup::default());
        let spi = pair.seal(&[packet(b"")])[0][..4].to_vec();
        let mut packets = packets;
        if own_spi {
            packets.iter_mut().for_each(|packet| packet.splice(..4.min(packet.len()), spi.iter().copied()).for_each(drop));
        }
        let mut counted = 0;
        for (verdict, _) in pair.open(&packets) {
            prop_assert!(matches!(verdict, Verdict::Drop(_)), "{:?}", verdict);
            counted += 1;
        }
        for (verdict, _) in run(&packets, Meta::Clear, |batch| pair.b.outbound(pair.now, batch)) {
            prop_assert!(matches!(verdict, Verdict::Drop(_)), "{:?}", verdict);
            counted += 1;
        }
        for (verdict, _) in run(&packets, Meta::Clear, |batch| pair.b.clear_inbound(pair.now, batch)) {
            prop_assert!(matches!(verdict, Verdict::Drop(_)), "{:?}", verdict);
            counted += 1;
        }
        let drops = pair.b.report().drops;
        prop_assert_eq!(drops.total(), counted);
        prop_assert_eq!(drops.iter().map(|(_, count)| count).sum::<u64>(), counted);
    }
}

#[test]
fn the_longest_packets_fit_and_what_follows_a_packet_stays_behind() {
    let mut pair = Pair::new(Setup::default());
    let longest = packet(&vec![7; 65_000]);
    let mut with_tail = packet(b"short");
    let clear = with_tail.clone();
    with_tail.extend([0xee; 40]);
    let sealed = pair.seal(&[longest.clone(), with_tail]);
    let opened = pair.open(&sealed);
    assert_eq!(opened, [(Verdict::Deliver, longest), (Verdict::Deliver, clear)]);
}

#[test]
fn dscp_and_ecn_go_out_and_congestion_comes_back() {
    const CE: u8 = 3;
    let mut pair = Pair::new(Setup::default());
    let capable = udp_with_class("10.1.0.1", "10.2.0.1", 53, b"x", 0xb8 | 2);
    let not_capable = udp_with_class("10.1.0.1", "10.2.0.1", 53, b"x", 0xb8);
    let sealed = run(&[capable, not_capable], Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    let classes: Vec<_> = sealed
        .iter()
        .map(|(verdict, _)| match verdict {
            Verdict::Send { traffic_class, .. } => *traffic_class,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(classes, [0xb8 | 2, 0xb8]);
    let Meta::Wire { path, encap, .. } = pair.meta() else { unreachable!("the wire") };
    let marked = Meta::Wire { path, encap, traffic_class: Some(CE) };
    let sealed: Vec<Vec<u8>> = sealed.into_iter().map(|(_, octets)| octets).collect();
    let opened = run(&sealed, marked, |batch| pair.b.inbound(pair.now, batch));
    assert_eq!(opened[0], (Verdict::Deliver, udp_with_class("10.1.0.1", "10.2.0.1", 53, b"x", 0xb8 | CE)));
    assert_eq!(opened[1].0, dropped(DropReason::CongestionNotSupported));
}

#[test]
fn encapsulation_must_be_the_negotiated_one() {
    let mut pair = Pair::new(Setup::default());
    let sealed = pair.seal(&[packet(b"x")]);
    let Meta::Wire { path, .. } = pair.meta() else { unreachable!("the wire") };
    let raw = Meta::Wire { path, encap: Encap::Raw, traffic_class: None };
    let opened = run(&sealed, raw, |batch| pair.b.inbound(pair.now, batch));
    assert_eq!(opened[0].0, dropped(DropReason::WrongEncapsulation));
}

#[test]
fn a_removed_pair_is_gone() {
    let mut pair = Pair::new(Setup::default());
    let sealed = pair.seal(&[packet(b"x")]).remove(0);
    assert_eq!(pair.b.report().sas.len(), 2);
    pair.b.apply(pair.now, ipsec_sad::Update::Remove(PAIR));
    assert_eq!(pair.b.report().sas.len(), 0);
    assert_eq!(pair.b.poll_timeout(), None);
    assert_eq!(pair.open_one(&sealed), dropped(DropReason::UnknownSpi));
}

#[test]
fn an_installed_sa_waits_for_its_activation_and_the_newest_is_used() {
    let mut pair = Pair::new(Setup::default());
    let first = pair.seal(&[packet(b"x")]).remove(0);
    let newer = pair.outbound(PairId(2), ipsec_proto::Spi(0x2222_2222), common::path(), networks());
    pair.a.apply(pair.now, ipsec_sad::Update::InstallOutbound(newer));
    assert_eq!(pair.seal(&[packet(b"x")])[0][..4], first[..4], "not used before it is activated");
    let state = |pair: &Pair, id| {
        pair.a.report().sas.iter().find(|sa| sa.pair == id && sa.sequence == 0).map(|sa| sa.state)
    };
    assert_eq!(state(&pair, PairId(2)), Some(SaState::Installed));
    pair.a.apply(pair.now, ipsec_sad::Update::Activate(PairId(2)));
    assert_eq!(pair.seal(&[packet(b"x")])[0][..4], [0x22; 4]);
    pair.a.apply(pair.now, ipsec_sad::Update::Remove(PairId(2)));
    assert_eq!(pair.seal(&[packet(b"x")])[0][..4], first[..4], "and the old one again");
}
