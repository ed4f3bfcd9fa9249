//! A delete in either direction is noticed by the other end, and nothing is left behind.

use std::time::Duration;

use ipsec_ike::Command;
use ipsec_io::memory::Chance;
use ipsec_testkit::{Pair, Scenario, Side, seeds};

const PATIENCE: Duration = Duration::from_secs(5);
/// After this nobody remembers a finished exchange.
const FORGOTTEN: Duration = Duration::from_secs(200);

fn up(scenario: Scenario) -> Pair {
    let mut pair = scenario.build();
    pair.up(Side::West);
    assert!(pair.drive_until(PATIENCE, Pair::is_up));
    pair.drive(PATIENCE);
    pair
}

#[test]
fn taking_the_connection_down_on_one_side_takes_it_down_on_the_other() {
    for side in [Side::West, Side::East] {
        let mut pair = up(Scenario::new(1));
        pair.down(side);
        assert!(pair.drive_until(PATIENCE, Pair::is_empty), "{}", pair.report(side.peer()));
        let told = pair.sentences(side.peer(), "child.down");
        assert!(told.iter().any(|sentence| sentence.contains("deleted by the peer")), "{told:?}");
        assert!(pair.codes(side.peer()).contains(&"ike.down"));
    }
}

#[test]
fn taking_the_child_down_keeps_the_isakmp_sa() {
    for side in [Side::West, Side::East] {
        let mut pair = up(Scenario::new(2));
        pair.down_child(side);
        assert!(pair.drive_until(PATIENCE, |pair| {
            [Side::West, Side::East].iter().all(|side| pair.report(*side).children.is_empty())
        }));
        for end in [Side::West, Side::East] {
            assert_eq!(pair.report(end).ike_sas.len(), 1);
        }
        // The next packet brings the child up again, under the same ISAKMP SA.
        assert!(pair.ping(Side::West, PATIENCE));
        assert_eq!(pair.report(Side::West).ike_sas.len(), 1);
    }
}

#[test]
fn nothing_leaks_on_any_network() {
    for seed in seeds(50) {
        let mut scenario = Scenario::new(seed);
        scenario.conditions.loss = Chance::of(0.3);
        scenario.conditions.duplicate = Chance::of(0.2);
        let mut pair = scenario.build();
        pair.up(Side::West);
        pair.drive(Duration::from_secs(60));
        // Both ends say farewell, as either may not hear the other's.
        for side in [Side::West, Side::East] {
            pair.command(side, Command::Clear);
        }
        pair.drive(FORGOTTEN);
        assert!(pair.is_empty(), "seed {seed}\n{}\n{}", pair.report(Side::West), pair.report(Side::East));
        for side in [Side::West, Side::East] {
            assert_eq!(pair.report(side).ike.half_open, 0, "seed {seed}");
            assert_eq!(pair.end(side).node.poll_timeout(), None, "seed {seed}");
        }
    }
}
