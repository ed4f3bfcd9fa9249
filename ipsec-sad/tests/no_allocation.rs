//! No packet allocates: neither one that passes nor one that is refused.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use allocation_counter::measure;
use common::{End, Pair, Setup, packet, udp};
use ipsec_sad::{Batch, Meta, Mode, PairId, TfcPadding, Update, Verdict};

#[test]
fn packets_pass_and_drop_without_allocation() {
    for suite in
        ["aes128-sha256", "aes128ctr-aesxcbc", "aes128gcm16", "aes256ccm8", "aes128gmac", "chacha20poly1305"]
    {
        suite_allocates_nothing(suite);
    }
}

fn suite_allocates_nothing(suite: &'static str) {
    let mut pair = Pair::new(Setup { suite, ..Setup::default() });
    let mut clear = Batch::new(64, 2048);
    let mut wire = Batch::new(64, 2048);
    let waiting = udp("fd00:1::1", "fd00:2::1", 53, b"no SA");
    let foreign = udp("203.0.113.1", "203.0.113.2", 53, b"no policy");
    let passing: Vec<Vec<u8>> = (0..60).map(|n| packet(&vec![n; 20 * usize::from(n)])).collect();
    let meta = pair.meta();

    let mut rounds = |pair: &mut Pair| {
        for _ in 0..50 {
            clear.clear();
            for packet in passing.iter().chain([&waiting, &foreign]) {
                clear.push(Meta::Clear, packet).unwrap();
            }
            clear.push(Meta::Clear, b"garbage").unwrap();
            pair.a.outbound(pair.now, &mut clear);
            wire.clear();
            for sealed in clear.iter().filter(|packet| matches!(packet.verdict, Verdict::Send { .. })) {
                wire.push(meta, sealed.octets).unwrap();
            }
            assert_eq!(wire.len(), passing.len());
            // A replayed, a forged and an unknown packet.
            wire.push(meta, clear.packet(3).unwrap()).unwrap();
            wire.push_with(meta, |buffer| {
                buffer[..200].fill(0x77);
                200
            })
            .unwrap();
            pair.b.inbound(pair.now, &mut wire);
            assert!(wire.iter().take(passing.len()).all(|packet| packet.verdict == Verdict::Deliver));
            while pair.a.next_event().is_some() || pair.b.next_event().is_some() {}
            while pair.b.next_audit().is_some() {}
        }
    };
    let counted = measure(|| rounds(&mut pair));
    assert_eq!(counted.count_total, 0, "{} octets", counted.bytes_total);
    let report = pair.b.report();
    assert_eq!(report.totals.opened.packets, 3000);
    assert_eq!(report.drops.total(), 100);
    // The measure itself works.
    assert_eq!(measure(|| drop(std::hint::black_box(vec![0_u8; 8]))).count_total, 1);
}

#[test]
fn no_mode_allocates() {
    for (suite, mode) in [
        ("aes128gcm16", Mode::TUNNEL),
        ("aes128gcm16", Mode::TRANSPORT),
        ("aes128-sha256", Mode::Beet { local: [10, 1, 0, 1].into(), remote: [10, 2, 0, 1].into() }),
        ("ah-sha256", Mode::TUNNEL),
        ("ah-sha256", Mode::TRANSPORT),
    ] {
        // With a second SA around the first.
        let mut pair = Pair::with_one(suite, |end, params| {
            params.within = Some(PairId(2));
            params.mode = match (mode, end) {
                (Mode::Beet { local, remote }, End::B) => Mode::Beet { local: remote, remote: local },
                _ => mode,
            };
            if matches!(params.mode, Mode::Tunnel(_)) && !suite.starts_with("ah-") {
                params.tfc = TfcPadding::Random(64);
            }
        });
        pair.one_way(PairId(2), "ah-sha1", |_, params| params.mode = Mode::TRANSPORT);
        pair.a.apply(pair.now, Update::PathMtu(PairId(2), 1500));
        let (mut clear, mut wire) = (Batch::new(64, 2048), Batch::new(64, 2048));
        let packet = packet(&[7; 700]);
        let counted = measure(|| {
            for _ in 0..20 {
                clear.clear();
                for _ in 0..60 {
                    clear.push(Meta::Clear, &packet).unwrap();
                }
                pair.a.outbound(pair.now, &mut clear);
                wire.clear();
                for sealed in clear.iter() {
                    assert!(matches!(sealed.verdict, Verdict::SendPacket { .. }), "{:?}", sealed.verdict);
                    wire.push(Meta::Packet, sealed.octets).unwrap();
                }
                wire.push(Meta::Packet, &packet).unwrap();
                wire.push(Meta::Packet, clear.packet(1).unwrap()).unwrap();
                pair.b.inbound(pair.now, &mut wire);
                assert_eq!(wire.iter().filter(|packet| packet.verdict == Verdict::Deliver).count(), 60);
                while pair.a.next_event().is_some() || pair.b.next_event().is_some() {}
                while pair.b.next_audit().is_some() {}
            }
        });
        assert_eq!(counted.count_total, 0, "{suite} {mode:?}: {} octets", counted.bytes_total);
    }
}
