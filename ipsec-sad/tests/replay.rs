//! No packet is accepted twice, and no forged one moves the window.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{PAIR, Pair, Setup, dropped, networks, packet, params};
use ipsec_sad::{
    AntiReplay, DropReason, Esn, InboundSa, InstallError, REPLAY_WINDOW_MAX, REPLAY_WINDOW_MIN, SaParams,
    Verdict,
};

#[test]
fn a_packet_is_accepted_once_also_within_a_batch() {
    let mut pair = Pair::new(Setup::default());
    let sealed = pair.seal(&[packet(b"one"), packet(b"two")]);
    let twice = [sealed[0].clone(), sealed[1].clone(), sealed[0].clone(), sealed[0].clone()];
    let verdicts: Vec<_> = pair.open(&twice).into_iter().map(|(verdict, _)| verdict).collect();
    let replayed = dropped(DropReason::Replayed);
    assert_eq!(verdicts, [Verdict::Deliver, Verdict::Deliver, replayed, replayed]);
    assert_eq!(pair.open_one(&sealed[1]), replayed);

    let audit = pair.b.next_audit().unwrap();
    assert_eq!((audit.reason, audit.pair, audit.sequence), (DropReason::Replayed, Some(PAIR), Some(1)));
    assert!(audit.path.is_some() && audit.spi.is_some());
}

#[test]
fn the_default_window_takes_late_packets_and_not_too_late_ones() {
    let mut pair = Pair::new(Setup::default());
    let clear: Vec<_> = (0..200_u8).map(|n| packet(&[n])).collect();
    let sealed = pair.seal(&clear);
    assert_eq!(pair.open_one(&sealed[199]), Verdict::Deliver);
    assert_eq!(pair.open_one(&sealed[72]), Verdict::Deliver, "the left edge of 128 below 200");
    assert_eq!(pair.open_one(&sealed[71]), dropped(DropReason::TooOld));
    assert_eq!(pair.open_one(&sealed[72]), dropped(DropReason::Replayed));
}

#[test]
fn a_forged_number_far_ahead_does_not_move_the_window() {
    for esn in [Esn::Off, Esn::On] {
        let mut pair = Pair::new(Setup { esn, ..Setup::default() });
        let sealed = pair.seal(&[packet(b"one"), packet(b"two")]);
        let mut forged = sealed[1].clone();
        forged[4..8].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
        assert_eq!(pair.open_one(&forged), dropped(DropReason::IntegrityFailed));
        assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
        assert_eq!(pair.open_one(&sealed[1]), Verdict::Deliver);
    }
}

#[test]
fn extended_numbers_go_on_past_32_bits() {
    let mut pair = Pair::new(Setup { esn: Esn::On, ..Setup::default() });
    // The receiver follows as long as no gap reaches 2^32.
    for skip in [0xf000_0000, 0xffff_fffe, 0x1_8000_0000, 0x2_7000_0000] {
        pair.a_out.as_ref().unwrap().skip_to(skip);
        let sealed = pair.seal(&[packet(b"one"), packet(b"two"), packet(b"three")]);
        let low = u32::from_be_bytes(sealed[2][4..8].try_into().unwrap());
        assert_eq!(u64::from(low), (skip + 3) & 0xffff_ffff);
        for sealed in [&sealed[2], &sealed[0], &sealed[1]] {
            assert_eq!(pair.open_one(sealed), Verdict::Deliver, "behind {skip:#x}");
            assert_eq!(pair.open_one(sealed), dropped(DropReason::Replayed));
        }
    }
    // The upper half is authenticated: another one fails.
    pair.a_out.as_ref().unwrap().skip_to(0x4_7000_0010);
    let sealed = pair.seal(&[packet(b"far")]);
    assert_eq!(pair.open_one(&sealed[0]), dropped(DropReason::IntegrityFailed));
}

/// RFC 4303 appendix A3: a peer that has sent more than 2^32 packets that were lost is found again.
#[test]
fn a_gap_of_more_than_32_bits_is_bridged() {
    for subspaces in [1_u64, 3] {
        let mut pair = Pair::new(Setup { esn: Esn::On, ..Setup::default() });
        let first = pair.seal(&[packet(b"first")]);
        assert_eq!(pair.open_one(&first[0]), Verdict::Deliver);
        pair.a_out.as_ref().unwrap().skip_to((subspaces << 32) + 1000);
        let mut lost = 0;
        loop {
            let sealed = pair.seal(&[packet(b"later")]);
            match pair.open_one(&sealed[0]) {
                Verdict::Deliver => break,
                verdict => assert_eq!(verdict, dropped(DropReason::IntegrityFailed)),
            }
            lost += 1;
            assert!(lost < 200, "never found again");
        }
        assert!(lost >= 64, "not at the first failure: {lost}");
        let sealed = pair.seal(&[packet(b"and on")]);
        assert_eq!(pair.open_one(&sealed[0]), Verdict::Deliver);
        assert_eq!(
            pair.open_one(&first[0]),
            dropped(DropReason::IntegrityFailed),
            "an old one is none of now"
        );
    }
}

#[test]
fn forged_packets_do_not_bring_an_sa_out_of_step() {
    let mut pair = Pair::new(Setup { esn: Esn::On, ..Setup::default() });
    let mut kept_out = 0;
    for _ in 0..100 {
        let sealed = pair.seal(&[packet(b"genuine")]);
        let mut forged = sealed[0].clone();
        *forged.last_mut().unwrap() ^= 1;
        for _ in 0..70 {
            assert_eq!(pair.open_one(&forged), dropped(DropReason::IntegrityFailed));
        }
        kept_out += u32::from(pair.open_one(&sealed[0]) != Verdict::Deliver);
    }
    assert!(kept_out <= 13, "{kept_out}");
}

#[test]
fn there_is_no_sa_without_a_window() {
    let pair = Pair::without_sas(Setup::default());
    let random = &mut ipsec_crypto::OsRandom;
    for size in [0, 1, REPLAY_WINDOW_MIN - 1, REPLAY_WINDOW_MAX + 1, u32::MAX] {
        let reserved = pair.spis[0].reserve(random).unwrap();
        let params = params(&pair.setup, PAIR, reserved.spi(), common::path(), networks());
        let params = SaParams { anti_replay: AntiReplay::Window(size), ..params };
        let refused = InboundSa::prepare(params, reserved, &pair.provider, pair.now).unwrap_err();
        assert_eq!(refused, InstallError::ReplayWindow(size));
    }
    for size in [31, 32, 33, 63, 64, 65, 127, 128, 4096, REPLAY_WINDOW_MAX] {
        if size < REPLAY_WINDOW_MIN {
            continue;
        }
        let mut pair = Pair::new(Setup { anti_replay: AntiReplay::Window(size), ..Setup::default() });
        let sealed = pair.seal(&[packet(b"one")]).remove(0);
        pair.a_out.as_ref().unwrap().skip_to(u64::from(size) - 1);
        let inside = pair.seal(&[packet(b"two")]).remove(0);
        let outside = pair.seal(&[packet(b"three")]).remove(0);
        assert_eq!(pair.open_one(&inside), Verdict::Deliver);
        assert_eq!(pair.open_one(&sealed), Verdict::Deliver, "the last place of a window of {size}");
        assert_eq!(pair.open_one(&sealed), dropped(DropReason::Replayed));
        assert_eq!(pair.open_one(&outside), Verdict::Deliver);
        assert_eq!(pair.open_one(&sealed), dropped(DropReason::TooOld), "a window of {size}");
    }
}
