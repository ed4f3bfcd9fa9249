//! The same seed gives the same octets on the wire, at the same times.

use std::time::Duration;

use ipsec_crypto::CryptoProvider;
use ipsec_io::memory::Chance;
use ipsec_testkit::{Scenario, Sent, Side};

fn wire(seed: u64, provider: CryptoProvider) -> Vec<Sent> {
    let mut scenario = Scenario::new(seed).with_provider(provider);
    scenario.conditions.loss = Chance::of(0.2);
    scenario.conditions.duplicate = Chance::of(0.2);
    scenario.conditions.jitter = Duration::from_millis(5);
    let mut pair = scenario.build();
    pair.up(Side::West);
    pair.drive(Duration::from_secs(20));
    pair.send_ping(Side::West);
    pair.down(Side::East);
    pair.drive(Duration::from_secs(20));
    pair.wire
}

#[test]
fn the_same_seed_gives_the_same_wire() {
    for provider in [ipsec_testkit::provider::mixing(), CryptoProvider::portable()] {
        let first = wire(11, provider);
        assert!(first.len() > 9);
        assert_eq!(first, wire(11, provider), "{}", provider.name);
    }
}

#[test]
fn another_seed_gives_other_octets() {
    let (first, other) = (wire(11, CryptoProvider::portable()), wire(12, CryptoProvider::portable()));
    assert_ne!(first.first().map(|sent| &sent.octets), other.first().map(|sent| &sent.octets));
}
