//! Two nodes, one network: traffic asks for a tunnel, gets it, and passes.
#![cfg(any(feature = "portable", feature = "fast"))]

mod common;

use std::time::Duration;

use common::{Setup, World, identity, ip, ping};
use ipsec_io::ike::{Command, Config, NatTraversal};
use ipsec_io::memory::{Chance, Conditions, Nat};
use ipsec_io::node::{NodeConfig, NodeLimits, Rule, RuleAction};
use ipsec_io::sad::{AddressRange, Applies, Selector};

fn world(seed: u64, conditions: Conditions) -> World {
    World::new(Setup::left().config(), Setup::right().config(), seed, conditions)
}

#[test]
fn the_first_packet_brings_the_tunnel_up_and_goes_through() {
    let mut world = world(1, Conditions { delay: Duration::from_millis(10), ..Conditions::default() });
    let first = ping("10.1.0.5", "10.2.0.7", 1);
    world.left.inject(world.now, &first);
    assert_eq!(world.left.node.report(world.now).waiting.packets, 1);
    world.run(Duration::from_secs(5));
    assert_eq!(world.right.delivered, [first], "{}\n{}", world.left.dump(), world.right.dump());
    for number in 2..100 {
        let now = world.now;
        world.left.inject(now, &ping("10.1.0.5", "10.2.0.7", number));
        world.right.inject(now, &ping("10.2.0.7", "10.1.0.5", number));
    }
    world.run(Duration::from_secs(1));
    assert_eq!((world.right.delivered.len(), world.left.delivered.len()), (99, 98));

    let (left, right) = (world.left.node.report(world.now), world.right.node.report(world.now));
    assert_eq!((left.ike_sas.len(), left.children.len(), left.waiting.packets), (1, 1, 0));
    assert_eq!(left.ike_sas[0].state, "MM_ACTIVE");
    assert_eq!(left.ike_sas[0].cookies, right.ike_sas[0].cookies);
    let (ours, theirs) = (&left.children[0], &right.children[0]);
    assert_eq!((&ours.inbound_spi, &ours.outbound_spi), (&theirs.outbound_spi, &theirs.inbound_spi));
    assert_eq!((ours.outbound, ours.inbound), (theirs.inbound, theirs.outbound));
    assert_eq!((ours.outbound.packets, ours.inbound.packets), (99, 98));
    assert_eq!(ours.encapsulation, "raw");
    assert!(left.drops.is_empty() && right.drops.is_empty());
    assert!(world.left.has("acquire.started") && world.left.has("acquire.released"));
    let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&left).unwrap()).unwrap();
    assert_eq!(json["policies"][0]["name"], "peer/net");
    assert!(left.to_string().contains("MM_ACTIVE"));
}

#[test]
fn the_same_seed_gives_the_same_story() {
    let story = |seed| {
        let conditions =
            Conditions { delay: Duration::from_millis(3), loss: Chance::of(0.2), ..Conditions::default() };
        let mut world = world(seed, conditions);
        world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
        world.run(Duration::from_secs(60));
        world.left.dump() + &world.right.dump()
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}

#[test]
fn behind_a_nat_esp_goes_in_udp_and_the_mapping_is_kept_alive() {
    let inside = Setup { address: "10.99.0.2", ..Setup::left() };
    let outside = Setup { peer: "192.0.2.1", ..Setup::right() };
    let mut connection = outside.connection();
    connection.remote_id = identity("10.99.0.2");
    let right = NodeConfig::new(Config::builder().connection(connection).build().unwrap().into());
    let mut world = World::new(inside.config(), right, 5, Conditions::default());
    world.network.add_nat(Nat::new(&[ip("10.99.0.2")], ip("192.0.2.1")));
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    world.run(Duration::from_secs(3));
    assert_eq!(world.right.delivered.len(), 1, "{}\n{}", world.left.dump(), world.right.dump());
    let report = world.left.node.report(world.now);
    assert_eq!(report.children[0].encapsulation, "udp");
    assert!(report.children[0].remote.ends_with(":4500"));
    // Five minutes of silence: without keepalives the mapping would be gone after 30 s.
    world.run(Duration::from_secs(300));
    world.right.inject(world.now, &ping("10.2.0.7", "10.1.0.5", 2));
    world.run(Duration::from_secs(1));
    assert_eq!(world.left.delivered.len(), 1);
}

#[test]
fn a_forced_nat_traversal_works_without_a_nat() {
    let config = |setup: Setup| {
        let mut connection = setup.connection();
        connection.nat_traversal = NatTraversal::Force;
        NodeConfig::new(Config::builder().connection(connection).build().unwrap().into())
    };
    let mut world = World::new(config(Setup::left()), config(Setup::right()), 6, Conditions::default());
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    world.run(Duration::from_secs(3));
    assert_eq!(world.right.delivered.len(), 1, "{}", world.left.dump());
    assert_eq!(world.left.node.report(world.now).children[0].encapsulation, "udp");
}

#[test]
fn it_comes_up_in_spite_of_loss_duplication_reordering_and_corruption() {
    let conditions = Conditions {
        loss: Chance::of(0.2),
        duplicate: Chance::of(0.1),
        reorder: Chance::of(0.1),
        corrupt: Chance::of(0.05),
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(10),
        ..Conditions::default()
    };
    for seed in 0..20 {
        let mut world = world(seed, conditions);
        world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
        world.run(Duration::from_secs(120));
        let up = world.left.has("child.up") && world.right.has("child.up");
        assert!(up, "seed {seed}:\n{}\n{}", world.left.dump(), world.right.dump());
    }
}

#[test]
fn the_queue_is_bounded_and_ends_when_the_peer_is_not_there() {
    let mut config = Setup::left().config();
    config.limits = NodeLimits { waiting_per_acquire: 8, ..NodeLimits::default() };
    let mut world = World::new(
        config,
        Setup::right().config(),
        7,
        Conditions { loss: Chance::ALWAYS, ..Conditions::default() },
    );
    for number in 0..50 {
        world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", number));
    }
    let drops = |world: &World| {
        let report = world.left.node.report(world.now);
        report.drops.into_iter().map(|drop| (drop.reason, drop.packets)).collect::<Vec<_>>()
    };
    assert_eq!(world.left.node.report(world.now).waiting.packets, 8);
    assert_eq!(drops(&world), [("acquire-queue-full".to_owned(), 42)]);
    // The negotiation gives up, and so do the packets.
    world.run(Duration::from_secs(300));
    assert_eq!(world.left.node.report(world.now).waiting.packets, 0);
    assert_eq!(world.left.node.report(world.now).waiting.acquires, 0);
    assert!(world.left.has("child.failed") && world.left.has("acquire.given-up"), "{}", world.left.dump());
    assert_eq!(drops(&world), [("no-sa".to_owned(), 8), ("acquire-queue-full".to_owned(), 42)]);
}

#[test]
fn a_failed_negotiation_is_not_started_anew_by_every_packet() {
    let mut world = world(8, Conditions { loss: Chance::ALWAYS, ..Conditions::default() });
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    let mut waited = 0;
    while !world.left.has("child.failed") {
        world.run(Duration::from_millis(500));
        waited += 1;
        assert!(waited < 1000, "{}", world.left.dump());
    }
    let started =
        |world: &World| world.left.codes().iter().filter(|code| **code == "acquire.started").count();
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 2));
    assert_eq!(started(&world), 1, "the hold-down lasts");
    world.run(Duration::from_secs(11));
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 3));
    assert_eq!(started(&world), 2, "the hold-down is over");
}

#[test]
fn a_command_brings_it_up_and_another_one_down_at_both_ends() {
    let mut world = world(9, Conditions::default());
    let up = Command::Up { connection: "peer".into(), child: None };
    world.left.node.command(world.now, up).unwrap();
    world.left.drain(world.now);
    world.run(Duration::from_secs(2));
    assert!(world.right.has("child.up"), "{}", world.left.dump());
    let down = Command::Down { connection: "peer".into(), child: None };
    world.right.node.command(world.now, down).unwrap();
    world.right.drain(world.now);
    world.run(Duration::from_secs(2));
    for site in [&world.left, &world.right] {
        let report = site.node.report(world.now);
        assert!(report.ike_sas.is_empty() && report.children.is_empty(), "{report}");
    }
}

#[test]
fn rules_go_before_children_and_a_reload_changes_them_at_once() {
    let secret = Rule {
        name: "no printers".into(),
        selector: Selector::between(
            "10.1.0.0/24".parse::<AddressRange>().unwrap(),
            "10.2.0.9".parse::<AddressRange>().unwrap(),
        ),
        action: RuleAction::Discard,
        applies: Applies::BothWays,
    };
    let mut config = Setup::left().config();
    config.rules = vec![secret];
    let mut world = World::new(config.clone(), Setup::right().config(), 10, Conditions::default());
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.9", 1));
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 2));
    world.run(Duration::from_secs(2));
    assert_eq!(world.right.delivered.len(), 1, "{}", world.left.dump());
    let hits = |world: &World| {
        let report = world.left.node.report(world.now);
        report.policies.into_iter().map(|policy| (policy.name, policy.hits)).collect::<Vec<_>>()
    };
    let before = hits(&world);
    config.rules.clear();
    world.left.node.reload(world.now, config).unwrap();
    world.left.drain(world.now);
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.9", 3));
    world.run(Duration::from_secs(2));
    assert_eq!(world.right.delivered.len(), 2, "{}", world.left.dump());
    let after = hits(&world);
    assert_eq!(before[0], ("no printers".to_owned(), 1));
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].1, before[1].1 + 1, "a policy that stays keeps its count");
    assert_eq!(world.left.node.report(world.now).ike_sas.len(), 1, "unchanged SAs stay");
}

#[test]
fn records_say_the_same_in_text_and_json_and_hold_no_secret() {
    let mut world = world(11, Conditions::default());
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    world.run(Duration::from_secs(2));
    let up = world.left.records.iter().find(|record| record.code() == "child.up").unwrap();
    let text = up.text();
    assert!(text.starts_with("22:13:20."), "{text}");
    assert!(text.contains(" info  child.up peer 192.0.2.2:"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&up.json()).unwrap();
    assert_eq!(
        (&json["code"], &json["connection"], &json["level"]),
        (&"child.up".into(), &"peer".into(), &"info".into())
    );
    assert_eq!(json["fields"]["child"], "net");
    let report = world.left.node.report(world.now);
    let spis = format!("{}/{}", report.children[0].inbound_spi, report.children[0].outbound_spi);
    assert_eq!(json["spi"], spis);
    for record in world.left.records.iter().chain(&world.right.records) {
        assert!(!record.text().contains('\n') && !record.json().contains('\n'));
        assert!(!record.json().contains("correct horse"), "{}", record.json());
    }
    assert!(world.left.keys.is_empty(), "nobody asked for keys");
}

#[test]
fn a_replayed_packet_is_audited() {
    let conditions = Conditions { duplicate: Chance::ALWAYS, ..Conditions::default() };
    let mut world = world(12, conditions);
    world.left.inject(world.now, &ping("10.1.0.5", "10.2.0.7", 1));
    world.run(Duration::from_secs(5));
    assert_eq!(world.right.delivered.len(), 1);
    let audit = world.right.records.iter().find(|record| record.code() == "packet.refused").unwrap();
    assert!(audit.json().contains("\"reason\":\"replayed\""), "{}", audit.json());
    let report = world.right.node.report(world.now);
    assert_eq!(report.drops.len(), 1);
    assert_eq!((report.drops[0].reason.as_str(), report.drops[0].packets), ("replayed", 1));
}
