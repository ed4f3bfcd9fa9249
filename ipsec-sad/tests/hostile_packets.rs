//! Whatever comes: packets damaged, cut, spliced and made up, in every mode; and what went wrong elsewhere.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{End, PAIR, Pair, Setup, dropped, networks, packet, params, run, udp};
use ipsec_proto::ip::{Packet, refit};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    AntiReplay, DropReason, InboundSa, Meta, Mode, PairId, SaParams, Selector, SourceRoutes,
    TransportChecksum, Update, Verdict, WorkerConfig,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SUITES: [&str; 4] = ["aes128gcm16", "null-sha256", "ah-sha1", "ah-sha512"];

fn mode(kind: u8, end: End) -> Mode {
    let [local, remote] = [[10, 1, 0, 1], [10, 2, 0, 1]].map(std::net::IpAddr::from);
    match (kind, end) {
        (0, _) => Mode::TUNNEL,
        (1, _) => Mode::Transport { checksum: TransportChecksum::Recompute },
        (_, End::A) => Mode::Beet { local, remote },
        (_, End::B) => Mode::Beet { local: remote, remote: local },
    }
}

/// What is done to a packet.
#[derive(Clone, Debug)]
enum Harm {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Grow(Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, value)| Harm::Set(at, value)),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => vec(any::<u8>(), 1..40).prop_map(Harm::Grow),
        2 => (any::<prop::sample::Index>(), vec(any::<u8>(), 1..24)).prop_map(|(at, octets)| Harm::Insert(at, octets)),
    ]
}

fn apply(harms: &[Harm], mut octets: Vec<u8>) -> Vec<u8> {
    for harm in harms {
        match harm {
            _ if octets.is_empty() => {}
            Harm::Set(at, value) => {
                let at = at.index(octets.len());
                octets[at] = *value;
            }
            Harm::Cut(at) => octets.truncate(at.index(octets.len())),
            Harm::Grow(more) => octets.extend(more),
            Harm::Insert(at, more) => {
                let at = at.index(octets.len());
                octets.splice(at..at, more.iter().copied());
            }
        }
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Clear packets that are damaged, and their sealed forms that are damaged again: everything ends with a verdict, and
    /// what is sealed undamaged is opened to what it was.
    #[test]
    fn damaged_packets_end_with_a_verdict(
        suite in prop::sample::select(&SUITES[..]),
        kind in 0..3_u8,
        v6 in any::<bool>(),
        clear_harms in vec(harm(), 0..4),
        sealed_harms in vec(harm(), 0..4),
        payload in vec(any::<u8>(), 0..80),
        noise in vec(any::<u8>(), 0..120),
    ) {
        prop_assume!(!(suite.starts_with("ah-") && kind == 2));
        let config = WorkerConfig { source_routes: SourceRoutes::Count, ..WorkerConfig::default() };
        let mut pair = Pair::with_one_and(config, suite, |end, params| params.mode = mode(kind, end));
        let clear = if v6 { udp("fd00:1::1", "fd00:2::1", 53, &payload) } else { packet(&payload) };
        let clear = apply(&clear_harms, clear);
        let sealed = match pair.out(&clear) {
            (Verdict::SendPacket { .. }, sealed) => sealed,
            (verdict, _) => {
                prop_assert!(matches!(verdict, Verdict::Drop(_)), "{verdict:?}");
                return Ok(());
            }
        };
        let whole = Packet::parse(&clear).unwrap();
        let harmed = apply(&sealed_harms, sealed.clone());
        let packets = [harmed.clone(), noise.clone(), sealed.clone()];
        let opened = run(&packets, Meta::Packet, |batch| pair.b.inbound(pair.now, batch));
        let survived = opened[0].0 == Verdict::Deliver;
        prop_assert!(survived || matches!(opened[0].0, Verdict::Drop(_) | Verdict::Handoff(_)));
        // Judged after it was verified, by an outer header that ESP does not protect: its number counts as received.
        let verified = matches!(
            opened[0].0,
            Verdict::Drop(DropReason::CongestionNotSupported | DropReason::MalformedInner)
        );
        if survived || verified {
            prop_assert_eq!(opened[2].0, dropped(DropReason::Replayed));
        } else {
            prop_assert_eq!(opened[2].0, Verdict::Deliver);
            if kind == 0 {
                prop_assert_eq!(&opened[2].1[..], whole.octets());
            } else {
                let opened = Packet::parse(&opened[2].1).unwrap();
                prop_assert_eq!((opened.protocol(), opened.total_len()), (whole.protocol(), whole.total_len()));
            }
        }
        let icmp = pair.a.handle_icmp(pair.now, &noise);
        prop_assert!(icmp.is_err());
        let wire = pair.meta();
        let opened = run(&[harmed, noise], wire, |batch| pair.b.inbound(pair.now, batch));
        prop_assert!(opened.iter().all(|(verdict, _)| *verdict != Verdict::Deliver));
    }

    /// A peer with the right keys that seals whatever it likes.
    #[test]
    fn what_a_peer_seals_is_judged(
        kind in 0..3_u8,
        next_header in prop::sample::select(vec![0_u8, 4, 6, 17, 41, 43, 44, 50, 51, 59, 60, 94, 253]),
        inside in vec(any::<u8>(), 0..120),
    ) {
        // In transport mode any octets can be sent as any protocol; the receiver takes them for its own mode.
        let mut sender = Pair::with_one("null-sha256", |end, params| params.mode = mode(1, end));
        let mut receiver = Pair::with_one("null-sha256", |end, params| params.mode = mode(kind, end));
        let mut clear = packet(&[]);
        clear.truncate(20);
        clear.extend(&inside);
        prop_assume!(refit(&mut clear, 9, IpProtocol(next_header)));
        if let (Verdict::SendPacket { .. }, sealed) = sender.out(&clear) {
            let (verdict, octets) = receiver.take(&sealed);
            match verdict {
                Verdict::Deliver => prop_assert!(Packet::parse(&octets).is_ok_and(|packet| packet.trailing().is_empty())),
                other => prop_assert!(matches!(other, Verdict::Drop(_)), "{other:?}"),
            }
        }
    }
}

/// isakmpd installed responder SAs with a replay window of 0 (CVE-2006-4436).
#[test]
fn the_default_window_is_never_zero_and_replays_are_counted_in_every_mode() {
    assert_eq!(AntiReplay::default(), AntiReplay::Window(SaParams::DEFAULT_REPLAY_WINDOW));
    for suite in SUITES {
        for kind in 0..if suite.starts_with("ah-") { 2 } else { 3 } {
            let mut pair = Pair::with_one(suite, |end, params| params.mode = mode(kind, end));
            let sealed = pair.send(&packet(b"once"));
            assert_eq!(pair.take(&sealed).0, Verdict::Deliver);
            assert_eq!(pair.take(&sealed).0, dropped(DropReason::Replayed), "{suite} {kind}");
            assert_eq!(pair.b.report().drops.count(DropReason::Replayed), 1);
        }
    }
}

/// FreeBSD's fast_ipsec never stored the last sequence number (CVE-2006-0905).
#[test]
fn the_last_sequence_number_is_remembered() {
    let mut pair = Pair::with_one("aes128gcm16", |_, _| {});
    for last in 1..=300 {
        let sealed = pair.send(&packet(b""));
        assert_eq!(pair.take(&sealed).0, Verdict::Deliver);
        let report = pair.b.report();
        assert_eq!(report.sas[0].sequence, last);
        assert_eq!(pair.take(&sealed).0, dropped(DropReason::Replayed));
    }
}

/// Linux took any size for the state of its window (CVE-2017-7184).
#[test]
fn windows_of_odd_sizes_hold_what_they_say_or_are_refused() {
    for size in [0, 1, 31, 32, 33, 63, 64, 65, 4096, 65_536, 65_537, u32::MAX] {
        let mut pair = Pair::new(Setup::default());
        let reserved = pair.spis[1].reserve(&mut pair.random).unwrap();
        let template = params(&pair.setup, PairId(2), reserved.spi(), common::path(), networks());
        let sa = InboundSa::prepare(
            SaParams { anti_replay: AntiReplay::Window(size), ..template },
            reserved,
            &pair.provider,
            pair.now,
        );
        assert_eq!(sa.is_ok(), (32..=65_536).contains(&size), "{size}");
    }
    for size in [32_usize, 33, 63, 64, 65, 4096] {
        let mut pair = Pair::with_one("null-sha256", |_, params| {
            params.anti_replay = AntiReplay::Window(u32::try_from(size).unwrap());
        });
        let sealed: Vec<_> = (0..=size).map(|_| pair.send(&packet(b""))).collect();
        assert_eq!(pair.take(&sealed[size]).0, Verdict::Deliver);
        assert_eq!(pair.take(&sealed[1]).0, Verdict::Deliver, "the left edge");
        assert_eq!(pair.take(&sealed[0]).0, dropped(DropReason::TooOld));
    }
}

/// In Linux, tunnel traffic over IPv6 skipped the policy lookup and left in clear (CVE-2020-1749).
#[test]
fn no_way_of_encapsulation_skips_the_policies() {
    for over_v6 in [false, true] {
        let mut pair = Pair::with_one("aes128gcm16", |end, params| {
            if over_v6 {
                let [a, b] = ["2001:db8::1", "2001:db8::2"]
                    .map(|ip| std::net::SocketAddr::new(ip.parse().unwrap(), 0));
                params.path = match end {
                    End::A => ipsec_proto::Path::new(a, b),
                    End::B => ipsec_proto::Path::new(b, a),
                };
            }
        });
        for clear in [packet(b""), udp("fd00:1::1", "fd00:2::1", 53, b"")] {
            assert!(matches!(pair.out(&clear).0, Verdict::SendPacket { .. }));
        }
        // Without policies nothing goes out, whatever SAs there are.
        pair.a.apply(pair.now, Update::Policies(std::sync::Arc::new(common::protect(&[networks()]))));
        assert_eq!(pair.out(&udp("fd00:1::1", "fd00:2::1", 53, b"")).0, dropped(DropReason::NoPolicy));
        assert!(matches!(pair.out(&packet(b"")).0, Verdict::SendPacket { .. }));
    }
}

/// Linux decrypted in place what others still had (CVE-2026-43284): a batch owns its copy, and a packet that is refused
/// leaves nothing decrypted in it.
#[test]
fn what_was_received_is_not_decrypted_under_its_owner() {
    for suite in ["aes128-sha256", "aes128gcm16", "chacha20poly1305"] {
        let mut pair = Pair::with_one(suite, |_, _| {});
        let clear = packet(b"a secret of sixteen octets and more");
        let sealed = pair.send(&clear);
        let before = sealed.clone();
        assert_eq!(pair.take(&sealed).0, Verdict::Deliver);
        assert_eq!(sealed, before);
        let mut forged = pair.send(&clear);
        *forged.last_mut().unwrap() ^= 1;
        let (verdict, octets) = pair.take(&forged);
        assert_eq!(verdict, dropped(DropReason::IntegrityFailed));
        assert!(!octets.windows(8).any(|eight| eight == b"a secret"));
    }
}

/// Cisco's buffers ran out by packets above 1800 octets (CVE-2022-20679).
#[test]
fn jumbo_packets_pass_or_are_refused_in_any_number() {
    for suite in SUITES {
        let mut pair = Pair::with_one(suite, |_, _| {});
        for payload in [1_801, 9_000, 30_000, 65_000] {
            let clear = packet(&vec![1; payload]);
            for _ in 0..4 {
                let sealed = pair.send(&clear);
                assert_eq!(pair.take(&sealed), (Verdict::Deliver, clear.clone()), "{suite} {payload}");
            }
        }
        // With what is put around it, longer than any packet can be.
        let clear = packet(&vec![1; 65_535 - 28]);
        assert_eq!(pair.out(&clear).0, dropped(DropReason::NoRoom), "{suite}");
    }
}

/// A peer that sends from addresses that were not negotiated.
#[test]
fn a_spoofed_inner_source_is_dropped_and_audited_in_every_mode() {
    for suite in SUITES {
        for kind in 0..2 {
            let mut pair = Pair::with_one(suite, |end, params| {
                params.mode = mode(kind, end);
                if end == End::B {
                    params.selector = networks().mirror();
                }
            });
            let sealed = pair.send(&udp("10.9.9.9", "10.2.0.1", 53, b"spoofed"));
            assert_eq!(pair.take(&sealed).0, dropped(DropReason::SelectorMismatch), "{suite} {kind}");
            let audit = pair.b.next_audit().unwrap();
            assert_eq!((audit.pair, audit.flow.unwrap().source), (Some(PAIR), [10, 9, 9, 9].into()));
            assert!(audit.selector.is_some_and(|selector| selector != Selector::ANY));
            let sealed = pair.send(&packet(b"honest"));
            assert_eq!(pair.take(&sealed).0, Verdict::Deliver);
        }
    }
}
