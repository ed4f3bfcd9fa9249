//! Datagrams of every size and shape, and every message of a recorded exchange cut and damaged: refused, counted, state unchanged.

use std::time::Duration;

use ipsec_io::node::NodeReport;
use ipsec_proto::Path;
use ipsec_sad::Encap;
use ipsec_testkit::{Fate, Pair, Scenario, Sent, Side};

const PATIENCE: Duration = Duration::from_secs(5);
const STRANGER: &str = "203.0.113.99:500";

/// What an attacker must not be able to change: the SAs, without what counts and what grows old.
fn state(pair: &Pair, side: Side) -> String {
    let NodeReport { ike_sas, children, .. } = pair.report(side);
    let ike: Vec<_> = ike_sas.iter().map(|sa| (&sa.state, &sa.cookies, &sa.remote)).collect();
    let children: Vec<_> = children
        .iter()
        .map(|sa| (&sa.inbound_spi, &sa.outbound_spi, &sa.remote, sa.inbound, sa.outbound))
        .collect();
    let stand = pair.codes(side).iter().filter(|code| code.ends_with(".up")).count();
    format!("{ike:?} {children:?} {stand}")
}

fn established(seed: u64) -> Pair {
    let mut pair = Scenario::new(seed).build();
    pair.up(Side::West);
    assert!(pair.drive_until(PATIENCE, Pair::is_up));
    assert!(pair.ping(Side::West, PATIENCE));
    pair
}

/// The way a stranger's datagram takes to the eastern gateway.
fn from_stranger(pair: &Pair, port: u16) -> Path {
    Path::new((pair.east.setup.address, port).into(), STRANGER.parse().expect("an address"))
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn datagrams_of_every_length_change_nothing() {
    let mut pair = established(1);
    let before = state(&pair, Side::East);
    let mut chance = 1;
    let lengths = (0..=2048).chain((2048..=65_507).step_by(1021)).chain([65_506, 65_507]);
    for length in lengths {
        for port in [500, 4500] {
            let octets: Vec<u8> = (0..length).map(|_| next(&mut chance) as u8).collect();
            let path = from_stranger(&pair, port);
            pair.inject(Side::East, path, Encap::Udp, &octets);
            pair.inject(Side::East, path, Encap::Udp, &vec![0; length]);
        }
        let path = from_stranger(&pair, 0);
        pair.inject(Side::East, path, Encap::Raw, &vec![0xa5; length]);
    }
    assert_eq!(state(&pair, Side::East), before);
    assert!(pair.report(Side::East).ike.discarded > 0);
    assert!(pair.ping(Side::West, PATIENCE));
}

/// The datagrams of a negotiation, in order, from the peer's first to its last.
fn recorded(seed: u64) -> Vec<Sent> {
    let pair = established(seed);
    pair.wire.into_iter().filter(|sent| sent.fate == Fate::Sent).collect()
}

/// Plays a recorded exchange up to a message, and gives back the pair with that message not yet delivered.
///
/// The same seed gives the same octets, so what is recorded in one run is what is due in another.
fn just_before(seed: u64, number: usize) -> (Pair, Sent) {
    let mut pair = Scenario::new(seed).build();
    pair.up(Side::West);
    while pair.wire.len() <= number {
        pair.step().expect("the exchange goes on");
    }
    let sent = pair.wire[number].clone();
    (pair, sent)
}

fn reversed(sent: &Sent) -> (Side, Path) {
    (sent.from.peer(), sent.path.reversed())
}

#[test]
fn every_message_cut_anywhere_is_refused_and_the_whole_one_accepted_after() {
    let messages = recorded(2).len().min(9);
    for number in 0..messages {
        let (mut pair, sent) = just_before(2, number);
        let (to, path) = reversed(&sent);
        let before = state(&pair, to);
        for length in 0..sent.octets.len() {
            pair.inject(to, path, sent.encap, &sent.octets[..length]);
            assert_eq!(state(&pair, to), before, "message {number} cut to {length} octets");
        }
        assert!(pair.drive_until(PATIENCE, Pair::is_up), "message {number}");
        assert!(pair.ping(Side::West, PATIENCE), "message {number}");
    }
}

/// Flags other than E, cipher padding and a notify beside the identity are under no hash (RFC 2409 §5, §5.4): a message damaged
/// there is taken for what it is. Damaged anywhere else it is refused; in no case does it do anything else.
#[test]
fn every_encrypted_message_with_any_bit_flipped_is_refused_or_does_what_the_whole_one_does() {
    let messages = recorded(3);
    // MM5 to QM3: what comes before is not authenticated, so a flipped bit there may well be believed.
    for number in 4..messages.len().min(9) {
        let (mut pair, sent) = just_before(3, number);
        let (to, path) = reversed(&sent);
        let before = state(&pair, to);
        pair.inject(to, path, sent.encap, &sent.octets);
        let accepted = state(&pair, to);
        assert_ne!(before, accepted, "message {number}");
        (pair, _) = just_before(3, number);
        let mut believed = 0;
        for bit in 0..sent.octets.len() * 8 {
            let mut damaged = sent.octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            pair.inject(to, path, sent.encap, &damaged);
            if state(&pair, to) != before {
                assert_eq!(state(&pair, to), accepted, "message {number} with bit {bit} flipped");
                believed += 1;
                (pair, _) = just_before(3, number);
            }
        }
        assert!(
            believed < sent.octets.len() * 8 / 3,
            "message {number}: {believed} damaged messages believed"
        );
        assert!(pair.drive_until(PATIENCE, Pair::is_up), "message {number}");
        assert!(pair.ping(Side::West, PATIENCE), "message {number}");
    }
}

#[test]
fn every_clear_message_with_any_bit_flipped_does_no_harm_from_another_address() {
    let messages = recorded(4);
    let mut pair = established(4);
    let before = state(&pair, Side::East);
    let path = from_stranger(&pair, 500);
    for sent in messages.iter().take(4) {
        for bit in 0..sent.octets.len() * 8 {
            let mut damaged = sent.octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            pair.inject(Side::East, path, sent.encap, &damaged);
        }
    }
    assert_eq!(state(&pair, Side::East), before);
    assert!(pair.ping(Side::West, PATIENCE));
}

#[test]
fn esp_with_any_bit_flipped_is_dropped_and_counted() {
    let mut pair = established(5);
    pair.send_ping(Side::West);
    let sent = pair.wire.last().expect("a packet").clone();
    pair.drive(PATIENCE);
    let before = pair.report(Side::East);
    let delivered = pair.east.delivered.len();
    let (to, path) = reversed(&sent);
    for bit in 0..sent.octets.len() * 8 {
        let mut damaged = sent.octets.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        pair.inject(to, path, sent.encap, &damaged);
    }
    // Once more as it was: a replay.
    pair.inject(to, path, sent.encap, &sent.octets);
    let after = pair.report(Side::East);
    assert_eq!(pair.east.delivered.len(), delivered);
    assert_eq!(after.children[0].inbound, before.children[0].inbound);
    let drops = |report: &NodeReport| report.drops.iter().map(|drop| drop.packets).sum::<u64>();
    assert_eq!(drops(&after) - drops(&before), sent.octets.len() as u64 * 8 + 1);
    assert!(pair.ping(Side::West, PATIENCE));
}

#[test]
fn self_referencing_and_empty_payloads_and_impossible_counts_are_refused_with_field_and_offset() {
    let mut pair = Scenario::new(6).build();
    pair.up(Side::West);
    let mm1 = pair.wire[0].clone();
    let (to, path) = reversed(&mm1);
    // Offsets in MM1: 28 the SA's generic header, 30 its length, 40 the proposal's, 46 its SPI size, 47 its transform count.
    for (at, value, field) in [
        (30, [0, 0], "length"),
        (30, [0, 3], "length"),
        (30, [0xff, 0xff], "length"),
        (42, [0, 0], "proposal"),
        (46, [0xff, 1], "spi"),
        (46, [0, 0xff], "transform"),
    ] {
        let mut damaged = mm1.octets.clone();
        damaged[at..at + 2].copy_from_slice(&value);
        let before = pair.end(to).records.len();
        pair.inject(to, path, mm1.encap, &damaged);
        let told: Vec<String> =
            pair.end(to).records[before..].iter().map(|record| record.message().to_lowercase()).collect();
        assert!(
            told.iter().any(|sentence| sentence.contains(field) && sentence.contains("octet ")),
            "{field} at {at}: {told:?}"
        );
    }
    assert!(pair.report(to).ike_sas.is_empty());
}

#[test]
fn a_message_in_clear_where_encryption_is_due_changes_nothing() {
    let messages = recorded(7);
    for number in 4..messages.len().min(9) {
        let (mut pair, sent) = just_before(7, number);
        let (to, path) = reversed(&sent);
        let before = state(&pair, to);
        let mut clear = sent.octets.clone();
        clear[19] &= !1;
        pair.inject(to, path, sent.encap, &clear);
        assert_eq!(state(&pair, to), before, "message {number}");
        assert!(pair.drive_until(PATIENCE, Pair::is_up), "message {number}");
    }
}
