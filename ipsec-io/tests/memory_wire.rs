//! The simulated network: the same seed gives the same fate, and a NAT does what NATs do.
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ipsec_io::backend::{Datagram, Wire};
use ipsec_io::ike::{Now, UnixTime};
use ipsec_io::memory::{Chance, Conditions, MemoryWire, Nat, Network};
use ipsec_io::proto::Path;
use ipsec_io::sad::{Batch, Encap, Meta};

#[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
fn start() -> Now {
    Now { mono: Instant::now(), utc: UnixTime::from_epoch(Duration::from_secs(1_700_000_000)) }
}

fn later(now: Now, by: Duration) -> Now {
    Now { mono: now.mono + by, utc: UnixTime::from_epoch(now.utc.since_epoch() + by) }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn path(local: &str, remote: &str) -> Path {
    Path::new(local.parse().unwrap(), remote.parse().unwrap())
}

fn send(wire: &mut MemoryWire, now: Now, path: Path, encap: Encap, octets: &[u8]) {
    let moved = wire.send(now, &[Datagram { path, form: encap.into(), traffic_class: 0, octets }]);
    assert_eq!(moved.packets, 1);
}

fn receive(wire: &mut MemoryWire, now: Now) -> Vec<(Path, Vec<u8>)> {
    let mut batch = Batch::new(128, 2048);
    wire.receive(now, &mut batch);
    batch
        .iter()
        .map(|packet| match packet.meta {
            Meta::Wire { path, .. } => (path, packet.octets.to_vec()),
            other => panic!("a wire has datagrams, not {other:?}"),
        })
        .collect()
}

/// Everything that happens to 2000 datagrams, with the time of arrival in milliseconds.
fn fate(seed: u64) -> Vec<(u64, Vec<u8>)> {
    let conditions = Conditions {
        loss: Chance::of(0.1),
        duplicate: Chance::of(0.1),
        reorder: Chance::of(0.1),
        corrupt: Chance::of(0.1),
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(3),
        ..Conditions::default()
    };
    let network = Network::new(seed, conditions);
    let mut left = network.attach(&[address("192.0.2.1")]);
    let mut right = network.attach(&[address("192.0.2.2")]);
    let epoch = start();
    let mut arrived = Vec::new();
    for step in 0..2100_u64 {
        let now = later(epoch, Duration::from_millis(step));
        if step < 2000 {
            send(&mut left, now, path("192.0.2.1:500", "192.0.2.2:500"), Encap::Udp, &step.to_be_bytes());
        }
        arrived.extend(receive(&mut right, now).into_iter().map(|(_, octets)| (step, octets)));
    }
    let counters = network.counters();
    assert_eq!(counters.sent, 2000);
    assert_eq!(counters.delivered, 2000 - counters.lost + counters.duplicated, "{counters:?}");
    for count in [counters.lost, counters.duplicated, counters.corrupted, counters.reordered] {
        assert!((100..400).contains(&count), "about a tenth of 2000: {counters:?}");
    }
    assert_eq!(network.next_arrival(), None);
    arrived
}

#[test]
fn the_same_seed_gives_the_same_fate_and_another_seed_another() {
    let first = fate(1);
    assert_eq!(first, fate(1));
    assert_ne!(first, fate(2));
}

#[test]
fn a_perfect_network_delivers_everything_in_order_at_once() {
    let network = Network::new(0, Conditions::default());
    let mut left = network.attach(&[address("2001:db8::1")]);
    let mut right = network.attach(&[address("2001:db8::2")]);
    let now = start();
    let there = path("[2001:db8::1]:500", "[2001:db8::2]:4500");
    for number in 0..100 {
        send(&mut left, now, there, Encap::Udp, &[number]);
    }
    assert_eq!(network.next_arrival(), Some(now.mono));
    let arrived = receive(&mut right, now);
    assert_eq!(arrived, (0..100).map(|number| (there.reversed(), vec![number])).collect::<Vec<_>>());
}

#[test]
fn what_a_batch_has_no_room_for_stays_for_the_next() {
    let network = Network::new(0, Conditions::default());
    let mut left = network.attach(&[address("192.0.2.1")]);
    let mut right = network.attach(&[address("192.0.2.2")]);
    let now = start();
    let there = path("192.0.2.1:500", "192.0.2.2:500");
    send(&mut left, now, there, Encap::Udp, &[0; 100]);
    for number in 0..5 {
        send(&mut left, now, there, Encap::Udp, &[number]);
    }
    let mut batch = Batch::new(3, 16);
    let moved = right.receive(now, &mut batch);
    assert_eq!((moved.packets, moved.dropped, moved.more), (3, 1, true), "one is longer than any slot");
    batch.clear();
    let moved = right.receive(now, &mut batch);
    assert_eq!((moved.packets, moved.dropped, moved.more), (2, 0, false));
}

#[test]
fn a_nat_rewrites_the_source_and_lets_only_answers_in() {
    let network = Network::new(0, Conditions::default());
    let mut inside = network.attach(&[address("10.0.0.1")]);
    let mut peer = network.attach(&[address("192.0.2.2")]);
    let mut stranger = network.attach(&[address("192.0.2.3")]);
    network.add_nat(Nat::new(&[address("10.0.0.1")], address("192.0.2.1")));
    let now = start();

    send(&mut peer, now, path("192.0.2.2:500", "192.0.2.1:40000"), Encap::Udp, b"early");
    assert!(receive(&mut inside, now).is_empty(), "there is no mapping yet");

    send(&mut inside, now, path("10.0.0.1:500", "192.0.2.2:500"), Encap::Udp, b"hello");
    let arrived = receive(&mut peer, now);
    let outside: SocketAddr = "192.0.2.1:40000".parse().unwrap();
    assert_eq!(arrived, [(Path::new("192.0.2.2:500".parse().unwrap(), outside), b"hello".to_vec())]);

    send(&mut peer, now, path("192.0.2.2:500", "192.0.2.1:40000"), Encap::Udp, b"answer");
    send(&mut stranger, now, path("192.0.2.3:500", "192.0.2.1:40000"), Encap::Udp, b"attack");
    let back = receive(&mut inside, now);
    assert_eq!(back, [(path("10.0.0.1:500", "192.0.2.2:500"), b"answer".to_vec())]);

    // Raw ESP has no ports to rewrite.
    send(&mut inside, now, path("10.0.0.1:0", "192.0.2.2:0"), Encap::Raw, b"esp");
    assert!(receive(&mut peer, now).is_empty());
    assert_eq!(network.counters().unroutable, 3);

    // An idle mapping is forgotten, and the next one has another port.
    let now = later(now, Duration::from_secs(31));
    send(&mut inside, now, path("10.0.0.1:500", "192.0.2.2:500"), Encap::Udp, b"again");
    let arrived = receive(&mut peer, now);
    assert_eq!(arrived.first().unwrap().0.remote, "192.0.2.1:40001".parse::<SocketAddr>().unwrap());
    network.restart_nats();
    send(&mut inside, now, path("10.0.0.1:500", "192.0.2.2:500"), Encap::Udp, b"again");
    let arrived = receive(&mut peer, now);
    assert_eq!(arrived.first().unwrap().0.remote, "192.0.2.1:40002".parse::<SocketAddr>().unwrap());
}
