//! What does not fit is named: on the responder with both values, on the initiator as a class.

#![allow(clippy::unwrap_used, reason = "a fault is a failed test")]

mod support;

use std::time::Duration;

use ipsec_ike::diagnosis::Code;
use ipsec_ike::*;
use support::*;

/// Runs left against right until left has an outcome.
fn failed(left: &Setup, right: &Setup) -> Pair {
    let mut pair = Pair::new(left, right);
    pair.up();
    pair.run(Duration::from_secs(90));
    assert!(matches!(pair.left.outcome(), Some(Outcome::Failed(_))), "{:#?}", pair.left.events);
    assert!(pair.left.inbound.is_empty() && pair.right.inbound.is_empty());
    assert_eq!((pair.left.children(), pair.right.children()), (0, 0));
    pair
}

fn phase1(ours: &'static str, theirs: &'static str, expected: &[(Dimension, &str, &str)]) {
    let left = Setup { ike: vec![theirs], ..Setup::default() };
    let right = Setup { ike: vec![ours], ..Setup::default().mirrored() };
    let pair = failed(&left, &right);
    let refusals = pair.right.refusals();
    let (refusal, diagnosis) = refusals.first().expect("the responder refuses");
    assert_eq!(diagnosis.code, Code::Phase1Proposal);
    assert_eq!(refusal.message, Some(MessageNumber::Mm1));
    let found: Vec<_> =
        refusal.mismatches.iter().map(|m| (m.dimension, m.ours.as_str(), m.theirs.as_str())).collect();
    assert_eq!(found, expected);
    for (dimension, ours, theirs) in expected {
        assert!(
            diagnosis.sentence.contains(&format!("{dimension}: ours {ours}, theirs {theirs}")),
            "{diagnosis}"
        );
    }
    assert_eq!(pair.left.failure().code, Code::Phase1Proposal);
    assert!(pair.left.failure().fix.contains("Diffie-Hellman group"));
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (0, 0));
    // The answer is never larger than the question, and comes for every repetition at most once.
    let (questions, answers): (Vec<_>, Vec<_>) = pair.transcript.iter().partition(|d| d.to == End::Right);
    assert!(answers.len() <= questions.len());
    assert!(answers.iter().all(|answer| answer.octets.len() <= questions[0].octets.len()));
}

#[test]
fn the_group_is_named() {
    phase1("aes128-sha1-modp3072", "aes128-sha1-modp2048", &[(Dimension::Group, "MODP3072", "MODP2048")]);
}

#[test]
fn the_key_length_is_named() {
    phase1("aes256-sha1-modp2048", "aes128-sha1-modp2048", &[(Dimension::KeyLength, "256 bits", "128 bits")]);
}

#[test]
fn the_hash_is_named() {
    phase1("aes128-sha256-modp2048", "aes128-sha1-modp2048", &[(Dimension::Hash, "SHA2-256", "SHA1")]);
}

#[test]
fn every_dimension_is_named_at_once() {
    phase1(
        "aes256-sha512-modp4096",
        "aes128-sha1-modp2048",
        &[
            (Dimension::KeyLength, "256 bits", "128 bits"),
            (Dimension::Hash, "SHA2-512", "SHA1"),
            (Dimension::Group, "MODP4096", "MODP2048"),
        ],
    );
}

#[test]
fn a_wrong_key_is_known_on_both_sides() {
    let left = Setup { psk: b"another key that is not the same", ..Setup::default() };
    let pair = failed(&left, &Setup::default().mirrored());
    assert_eq!(pair.left.failure().code, Code::PresharedKey);
    assert!(pair.left.failure().sentence.contains("PAYLOAD-MALFORMED"), "{}", pair.left.failure());
    let refusals = pair.right.refusals();
    assert!(refusals.iter().all(|(refusal, _)| refusal.cause == Cause::Undecryptable));
    assert!(refusals.iter().all(|(_, diagnosis)| diagnosis.code == Code::PresharedKey));
    // One notify in clear each ten seconds, not one a repetition.
    let notifies = pair.transcript.iter().filter(|d| d.octets[18] == 5).count();
    assert!((1..=5).contains(&notifies), "{notifies} notifies for {} refusals", refusals.len());
    assert!(refusals.len() > notifies);
    let down = pair.right.events.iter().find_map(|event| match event {
        Event::IkeDown { reason: DownReason::Failed(diagnosis), .. } => Some(diagnosis.code),
        _ => None,
    });
    assert_eq!(down, Some(Code::PresharedKey));
}

#[test]
fn a_wrong_mm5_leaves_the_state_for_the_right_one() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    while pair.transcript.len() < 5 {
        pair.collect();
        if let Some(datagram) = pair.wire.pop_front() {
            pair.deliver(&datagram);
        }
        pair.collect();
    }
    let mut forged = pair.transcript[4].clone();
    // HASH_I covers the identity, and is there itself; the notify behind them it does not cover (RFC 2409 §5).
    for at in 28..28 + 12 + 24 {
        forged.octets[at] ^= 0x5a;
        assert!(matches!(pair.deliver(&forged), Some(Disposition::Refused(_))));
        forged.octets[at] ^= 0x5a;
    }
    pair.settle();
    pair.assert_agree(1);
}

#[test]
fn an_identity_that_is_not_expected_is_named() {
    let left = Setup { local_id: Some("left.example"), ..Setup::default() };
    let right = Setup { remote_id: Some("other.example"), ..Setup::default().mirrored() };
    let pair = failed(&left, &right);
    let refusals = pair.right.refusals();
    let (refusal, diagnosis) = refusals.first().unwrap();
    assert_eq!((refusal.cause, diagnosis.code), (Cause::IdentityMismatch, Code::Identity));
    assert_eq!(refusal.mismatches[0].ours, "other.example (ID_FQDN)");
    assert_eq!(refusal.mismatches[0].theirs, "left.example (ID_FQDN)");
    assert_eq!(pair.left.failure().code, Code::Identity);
}

fn phase2(
    left: &Setup,
    right: &Setup,
    cause: Cause,
    code: Code,
    expected: &[(Dimension, &str, &str)],
    initiator: Code,
) {
    let pair = failed(left, right);
    let refusals = pair.right.refusals();
    let (refusal, diagnosis) = refusals.first().unwrap();
    let found: Vec<_> =
        refusal.mismatches.iter().map(|m| (m.dimension, m.ours.as_str(), m.theirs.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!((refusal.cause, diagnosis.code), (cause, code));
    assert_eq!(pair.left.failure().code, initiator);
    // Phase 1 stands on both sides.
    assert_eq!((pair.left.ike_sas(), pair.right.ike_sas()), (1, 1));
}

#[test]
fn phase_2_algorithms_are_named() {
    let left = Setup { esp: vec!["aes128-sha1"], ..Setup::default() };
    let right = Setup { esp: vec!["aes256-sha256"], ..Setup::default().mirrored() };
    let expected = [
        (Dimension::KeyLength, "256 bits", "128 bits"),
        (Dimension::Integrity, "HMAC-SHA2-256", "HMAC-SHA1"),
    ];
    phase2(&left, &right, Cause::NoProposalChosen, Code::Phase2Proposal, &expected, Code::Phase2Proposal);
}

#[test]
fn pfs_on_one_side_only_is_named() {
    let with = Setup { esp: vec!["aes128-sha1-modp2048"], ..Setup::default() };
    let (without, other) =
        (Setup::default(), Setup { esp: vec!["aes128-sha1-modp3072"], ..Setup::default() });
    let pfs = Dimension::PfsGroup;
    for (left, right, ours, theirs) in [
        (&with, &without, "none", "MODP2048"),
        (&without, &with, "MODP2048", "none"),
        (&with, &other, "MODP3072", "MODP2048"),
    ] {
        let expected = [(pfs, ours, theirs)];
        phase2(left, &right.mirrored(), Cause::PfsMismatch, Code::Pfs, &expected, Code::Phase2Proposal);
    }
}

#[test]
fn selectors_are_shown_side_by_side() {
    let left = Setup { remote_net: "10.2.0.0/16", ..Setup::default() };
    let pair = failed(&left, &Setup::default().mirrored());
    let refusals = pair.right.refusals();
    let (refusal, diagnosis) = refusals.first().unwrap();
    assert_eq!((refusal.cause, diagnosis.code), (Cause::SelectorMismatch, Code::Selectors));
    assert!(refusal.mismatches[0].ours.contains("10.2.0.0/24"), "{refusal}");
    assert!(refusal.mismatches[0].theirs.contains("10.2.0.0/16"), "{refusal}");
    assert_eq!(pair.left.failure().code, Code::Selectors);
}

#[test]
fn an_unknown_caller_is_named() {
    let stranger = RemoteAddress::Literal("203.0.113.5".parse().unwrap());
    let right = Setup { remote: Some(stranger), ..Setup::default().mirrored() };
    let pair = failed(&Setup::default(), &right);
    let refusals = pair.right.refusals();
    assert_eq!((refusals[0].0.cause, refusals[0].1.code), (Cause::UnknownPeer, Code::UnknownPeer));
    assert!(refusals[0].1.to_string().contains(LEFT));
}

#[test]
fn notifies_in_clear_end_nothing() {
    let mut pair = Pair::alike(&Setup::default());
    pair.up();
    pair.collect();
    let mm1 = pair.wire[0].clone();
    // A forged NO-PROPOSAL-CHOSEN from the peer's address.
    let mut forged = mm1.octets[..16].to_vec();
    forged.extend([11, 0x10, 5, 0, 1, 2, 3, 4, 0, 0, 0, 40, 0, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0, 14]);
    let forged =
        Datagram { to: End::Left, path: mm1.path.reversed(), octets: forged, framing: Framing::Bare };
    assert_eq!(pair.deliver(&forged), Some(Disposition::Accepted));
    pair.settle();
    pair.assert_agree(1);
    assert!(pair.left.events.iter().any(|event| matches!(event, Event::Hint { .. })));
}
