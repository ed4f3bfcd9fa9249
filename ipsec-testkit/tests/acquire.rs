//! Packets that need an SA wait for it, few and not for ever, and a failure is followed by a hold-down.

use std::time::Duration;

use ipsec_io::memory::{Chance, Conditions};
use ipsec_testkit::{Pair, Scenario, Side, packet};

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn all_that_waited_is_delivered_in_order() {
    let mut pair = Scenario::new(1).build();
    for _ in 0..10 {
        pair.send_ping(Side::West);
    }
    assert_eq!(
        pair.codes(Side::West).iter().filter(|code| **code == "message.sent").count(),
        1,
        "one negotiation"
    );
    pair.drive(PATIENCE);
    let sequences: Vec<u16> =
        pair.east.delivered.iter().map(|packet| u16::from_be_bytes([packet[26], packet[27]])).collect();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
    assert_eq!(pair.report(Side::West).waiting.packets, 0);
}

#[test]
fn the_queue_is_bounded() {
    let mut scenario = Scenario::new(2);
    scenario.west.node_limits.waiting_per_acquire = 4;
    let mut pair = scenario.build();
    for _ in 0..10 {
        pair.send_ping(Side::West);
    }
    let report = pair.report(Side::West);
    assert_eq!(report.waiting.packets, 4);
    let dropped: Vec<_> = report.drops.iter().map(|drop| (drop.reason.as_str(), drop.packets)).collect();
    assert_eq!(dropped, [("acquire-queue-full", 6)]);
    pair.drive(PATIENCE);
    assert_eq!(pair.east.delivered.len(), 4);
}

#[test]
fn a_failure_drops_the_queue_and_holds_down() {
    let mut scenario = Scenario::new(3);
    scenario.conditions.loss = Chance::ALWAYS;
    let hold_down = scenario.west.node_limits.hold_down;
    let mut pair = scenario.build();
    pair.send_ping(Side::West);
    let failed = |pair: &Pair| pair.codes(Side::West).contains(&"child.failed");
    assert!(pair.drive_until(Duration::from_secs(120), failed));
    let report = pair.report(Side::West);
    assert_eq!((report.waiting.packets, report.waiting.acquires), (0, 0));
    assert!(report.drops.iter().any(|drop| drop.reason == "no-sa" && drop.packets == 1), "{report}");

    // Meanwhile the peer is there again: the next packet is held down, a later one asks.
    pair.network.set_conditions(Conditions { delay: Duration::from_millis(10), ..Conditions::default() });
    assert!(!pair.ping(Side::West, hold_down / 2));
    assert_eq!(pair.report(Side::West).ike_sas.len(), 0, "no negotiation while held down");
    pair.drive(hold_down);
    assert!(pair.ping(Side::West, PATIENCE));
}

#[test]
fn what_no_policy_covers_is_dropped_and_asks_for_nothing() {
    let mut pair = Scenario::new(4).build();
    let stranger = "203.0.113.77".parse().expect("an address");
    let packet = packet::udp((pair.west.setup.host, 1024), (stranger, 53), 32);
    pair.send(Side::West, &packet);
    pair.drive(PATIENCE);
    assert!(pair.wire.is_empty());
    assert!(pair.report(Side::West).drops.iter().any(|drop| drop.reason == "no-policy"));
}
