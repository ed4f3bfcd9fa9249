//! On a bad network the tunnel still comes up, by retransmission, and both ends still agree.

use std::time::Duration;

use ipsec_crypto::CryptoProvider;
use ipsec_io::memory::{Chance, Conditions};
use ipsec_testkit::{Fate, Pair, Scenario, Side, seeds};

/// Every message may be lost many times before the initiator gives up.
const PATIENCE: Duration = Duration::from_secs(120);

fn lossy(seed: u64, loss: f64) -> Scenario {
    let mut scenario = Scenario::new(seed);
    scenario.conditions.loss = Chance::of(loss);
    for side in [Side::West, Side::East] {
        // With a third of the datagrams lost, one request in 3000 goes unanswered all of the usual twelve times, and the negotiation
        // ends as it should. With thousands of seeds that would happen here; it is another test's matter.
        let timing = &mut scenario.end(side).timing;
        timing.retransmit.attempts = 30;
        timing.half_open = Duration::from_secs(150);
    }
    scenario
}

/// Both ends hold a usable tunnel: packets cross it, and the reports agree.
fn assert_usable(pair: &mut Pair, seed: u64) {
    assert!(pair.drive_until(PATIENCE, Pair::is_up), "seed {seed}: {:#?}", pair.codes(Side::West));
    pair.network.set_conditions(Conditions { delay: Duration::from_millis(10), ..Conditions::default() });
    pair.drive(Duration::from_secs(10));
    for side in [Side::West, Side::East] {
        assert!(pair.ping(side, Duration::from_secs(2)), "seed {seed}");
    }
    let (west, east) = (pair.report(Side::West), pair.report(Side::East));
    assert_eq!(west.children[0].inbound_spi, east.children[0].outbound_spi, "seed {seed}");
    assert_eq!(west.children[0].outbound_spi, east.children[0].inbound_spi, "seed {seed}");
    assert_eq!(west.children[0].suite, east.children[0].suite, "seed {seed}");
}

#[test]
fn a_tunnel_comes_up_with_thirty_percent_loss() {
    let mut lost = 0;
    for seed in seeds(200) {
        let mut pair = lossy(seed, 0.3).build();
        pair.up(Side::West);
        assert_usable(&mut pair, seed);
        lost += pair.wire.iter().filter(|sent| sent.fate == Fate::Lost).count();
    }
    assert!(lost > 0);
}

#[test]
fn a_tunnel_comes_up_with_real_cryptography() {
    for seed in 1..=3 {
        let mut pair = lossy(seed, 0.3).with_provider(CryptoProvider::portable()).build();
        pair.up(Side::West);
        assert_usable(&mut pair, seed);
    }
}

#[test]
fn a_tunnel_comes_up_through_duplicates_and_out_of_order() {
    for seed in seeds(100) {
        let mut scenario = lossy(seed, 0.1);
        scenario.conditions.duplicate = Chance::of(0.3);
        scenario.conditions.reorder = Chance::of(0.3);
        scenario.conditions.jitter = Duration::from_millis(20);
        scenario.conditions.holdback = Duration::from_millis(700);
        let mut pair = scenario.build();
        pair.up(Side::West);
        assert_usable(&mut pair, seed);
    }
}

#[test]
fn a_tunnel_comes_up_through_corruption() {
    for seed in seeds(100) {
        let mut scenario = lossy(seed, 0.0);
        scenario.conditions.corrupt = Chance::of(0.1);
        let mut pair = scenario.build();
        // A flipped bit in the first four messages may be believed, as they are not authenticated, and spoil what is built on them:
        // the keys, or what one end thinks of NATs. Then the operator takes it down and up again.
        let up = (0..30).any(|attempt| {
            if attempt > 0 && !pair.is_up() {
                pair.down(Side::West);
                pair.drive(PATIENCE);
            }
            pair.up(Side::West);
            pair.drive_until(PATIENCE, Pair::is_up)
        });
        assert!(up, "seed {seed}: {:#?}", pair.codes(Side::West));
    }
}

#[test]
fn a_tunnel_comes_up_behind_a_nat() {
    for seed in seeds(50) {
        let mut scenario = lossy(seed, 0.2).behind_nat();
        scenario.conditions.duplicate = Chance::of(0.1);
        let mut pair = scenario.build();
        pair.up(Side::West);
        assert_usable(&mut pair, seed);
        let (west, east) = (pair.report(Side::West), pair.report(Side::East));
        assert_eq!(
            [&west.children[0].encapsulation, &east.children[0].encapsulation],
            ["udp"; 2],
            "seed {seed}"
        );
        assert!(east.children[0].remote.starts_with("203.0.113.1:"), "{}", east.children[0].remote);
    }
}
