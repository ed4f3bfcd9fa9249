//! A negotiation that cannot succeed ends in bounded time with a sentence: the responder names the dimension with both values,
//! the initiator the class and what to compare.

use std::time::Duration;

use ipsec_testkit::{Pair, Scenario, Side};

/// The longest a hopeless negotiation may take.
const BOUND: Duration = Duration::from_secs(60);

/// Tries, and gives back what the initiator and the responder say.
fn fail(scenario: Scenario) -> (String, String) {
    let mut pair = scenario.build();
    pair.up(Side::West);
    let done = |pair: &Pair| pair.codes(Side::West).contains(&"command.done");
    assert!(pair.drive_until(BOUND, done), "no end: {:#?}", pair.codes(Side::West));
    assert!(!pair.is_up());
    let initiator = pair.sentences(Side::West, "command.done").join("\n");
    assert!(initiator.contains("failed"), "{initiator}");
    // The responder forgets the attempt too.
    pair.drive(Duration::from_secs(200));
    assert!(
        pair.report(Side::East).ike_sas.iter().all(|sa| sa.state == "MM_ACTIVE"),
        "{}",
        pair.report(Side::East)
    );
    assert!(pair.report(Side::East).children.is_empty());
    (initiator, pair.sentences(Side::East, "message.refused").join("\n"))
}

fn assert_names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.to_lowercase().contains(&word.to_lowercase()), "no {word:?} in {text:?}");
    }
}

#[test]
fn a_wrong_pre_shared_key() {
    let mut scenario = Scenario::new(1);
    scenario.east.secret(b"another secret altogether, quite long");
    let (initiator, responder) = fail(scenario);
    assert_names(&initiator, &["pre-shared key"]);
    assert_names(&responder, &["pre-shared key"]);
}

#[test]
fn another_group() {
    let mut scenario = Scenario::new(2);
    scenario.east.ike("aes256-sha256-modp3072");
    let (initiator, responder) = fail(scenario);
    assert_names(&initiator, &["phase 1", "proposal"]);
    assert_names(&responder, &["group", "modp3072", "modp2048"]);
}

#[test]
fn another_cipher_in_phase_1() {
    let mut scenario = Scenario::new(3);
    scenario.east.ike("aes128-sha256-modp2048");
    let (initiator, responder) = fail(scenario);
    assert_names(&initiator, &["phase 1", "proposal"]);
    assert_names(&responder, &["key length", "128", "256"]);
}

#[test]
fn another_hash_in_phase_1() {
    let mut scenario = Scenario::new(4);
    scenario.east.ike("aes256-sha1-modp2048");
    let (_, responder) = fail(scenario);
    assert_names(&responder, &["hash", "SHA1", "SHA2-256"]);
}

#[test]
fn another_cipher_in_phase_2() {
    let mut scenario = Scenario::new(5);
    scenario.east.esp("aes256-sha256");
    let (initiator, responder) = fail(scenario);
    assert_names(&initiator, &["phase 2", "proposal"]);
    assert_names(&responder, &["key length", "128", "256"]);
}

#[test]
fn perfect_forward_secrecy_on_one_side() {
    let mut scenario = Scenario::new(6);
    scenario.east.esp("aes128-sha256-modp2048");
    let (_, responder) = fail(scenario);
    assert_names(&responder, &["pfs", "modp2048"]);
}

#[test]
fn an_unreachable_peer() {
    let mut scenario = Scenario::new(7);
    scenario.conditions.loss = ipsec_io::memory::Chance::ALWAYS;
    let (initiator, responder) = fail(scenario);
    assert_names(&initiator, &["does not answer", "500"]);
    assert_eq!(responder, "");
}
