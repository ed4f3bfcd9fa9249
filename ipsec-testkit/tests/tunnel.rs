//! A tunnel comes up, by traffic and by command, carries packets both ways, and both ends agree on what it is.

use std::time::Duration;

use ipsec_testkit::{Pair, Scenario, Side};

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn a_packet_brings_the_tunnel_up_and_is_delivered() {
    let mut pair = Scenario::new(1).build();
    assert!(pair.ping(Side::West, PATIENCE), "{:#?}", pair.codes(Side::West));
    assert!(pair.ping(Side::East, PATIENCE));
    pair.drive(PATIENCE);
    assert!(pair.is_up());
    pair.assert_agreement();
    assert_eq!(pair.report(Side::West).children[0].outbound.packets, 2);
}

#[test]
fn either_gateway_brings_the_tunnel_up_by_command() {
    for side in [Side::West, Side::East] {
        let mut pair = Scenario::new(2).build();
        pair.up(side);
        assert!(pair.drive_until(PATIENCE, Pair::is_up));
        for from in [Side::West, Side::East] {
            assert!(pair.ping(from, PATIENCE));
        }
        pair.assert_agreement();
    }
}
