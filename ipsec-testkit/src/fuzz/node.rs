//! Gateways driven by whatever comes: datagrams, packets, commands, time.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use ipsec_ike::Command;
use ipsec_proto::Path;
use ipsec_proto::isakmp::{Flags, Header};
use ipsec_proto::registry::ExchangeType;
use ipsec_sad::Encap;

use crate::pair::{Pair, Sent};
use crate::scenario::{CONNECTION, Scenario, Side};
use crate::{packet, provider};

/// Inputs in one case.
const INPUTS: usize = 24;
/// How long anything that is remembered is remembered at most, with the timing of the scenarios.
const FORGOTTEN: Duration = Duration::from_secs(400);

/// The eastern gateway as responder, with a provider that lets every forged hash pass.
///
/// # Panics
/// When a law is broken: more half-open negotiations than the limit, or something left after everything was taken down.
pub fn ike_responder(data: &[u8]) {
    let _ = ike(&mut Unstructured::new(data), Side::East);
}

/// The western gateway as initiator, which has sent MM1 and is answered whatever the fuzzer likes.
///
/// # Panics
/// As [`ike_responder`].
pub fn ike_initiator(data: &[u8]) {
    let _ = ike(&mut Unstructured::new(data), Side::West);
}

fn ike(u: &mut Unstructured<'_>, target: Side) -> Result<()> {
    let mut scenario = Scenario::new(1).with_provider(provider::fixed());
    scenario.end(target).limits.half_open = 4;
    let mut pair = scenario.build();
    // The other gateway is there to borrow octets from; nothing of this reaches the target by itself.
    pair.network.set_conditions(ipsec_io::memory::Conditions {
        loss: ipsec_io::memory::Chance::ALWAYS,
        ..ipsec_io::memory::Conditions::default()
    });
    pair.up(Side::West);
    let outcome = inputs(u, &mut pair, target);
    let limit = pair.end(target).setup.limits.half_open;
    assert!(pair.report(target).ike.half_open <= limit);
    farewell(&mut pair);
    outcome
}

fn inputs(u: &mut Unstructured<'_>, pair: &mut Pair, target: Side) -> Result<()> {
    for _ in 0..INPUTS {
        if u.is_empty() {
            break;
        }
        let local = if u.ratio(1, 8)? { 4500 } else { 500 };
        let ends = [pair.end(target).setup.address, pair.end(target.peer()).setup.address];
        let path = Path::new((ends[0], local).into(), (ends[1], local).into());
        match u.int_in_range(0..=5)? {
            // Raw octets.
            0 => {
                let octets: Vec<u8> = u.arbitrary()?;
                pair.inject(target, path, Encap::Udp, &octets);
            }
            // Payloads behind a header that names a negotiation that is there.
            1 | 2 => {
                let body: Vec<u8> = u.arbitrary()?;
                if let Some(octets) = framed(u, pair, target, &body)? {
                    pair.inject(target, path, Encap::Udp, &octets);
                }
            }
            // A message of the other gateway, perhaps damaged; the answer goes back to it.
            3 | 4 => {
                if let Some(octets) = borrowed(u, pair, target.peer())? {
                    pair.inject(target, path, Encap::Udp, &octets);
                }
                if let Some(sent) = last(pair, target) {
                    pair.inject(target.peer(), path.reversed(), Encap::Udp, &sent.octets);
                }
            }
            _ => pair.drive(Duration::from_millis(u.int_in_range(0..=20_000)?)),
        }
    }
    Ok(())
}

/// The last datagram of a gateway.
fn last(pair: &Pair, side: Side) -> Option<Sent> {
    pair.wire.iter().rev().find(|sent| sent.from == side).cloned()
}

/// A datagram that a gateway has sent, with up to three octets changed.
fn borrowed(u: &mut Unstructured<'_>, pair: &Pair, side: Side) -> Result<Option<Vec<u8>>> {
    let all: Vec<&Sent> = pair.wire.iter().filter(|sent| sent.from == side).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let mut octets = u.choose(&all)?.octets.clone();
    for _ in 0..u.int_in_range(0..=3)? {
        let at = u.choose_index(octets.len().max(1))?;
        let value = u.arbitrary()?;
        if let Some(octet) = octets.get_mut(at) {
            *octet = value;
        }
    }
    Ok(Some(octets))
}

/// A body behind a header with the cookies of the target's last message.
fn framed(u: &mut Unstructured<'_>, pair: &Pair, target: Side, body: &[u8]) -> Result<Option<Vec<u8>>> {
    let from = last(pair, target).or_else(|| last(pair, target.peer()));
    let Some(template) = from.and_then(|sent| Header::parse_fields(&sent.octets).ok()) else {
        return Ok(None);
    };
    let exchange = *u.choose(&[
        ExchangeType::IDENTITY_PROTECTION,
        ExchangeType::QUICK_MODE,
        ExchangeType::INFORMATIONAL,
    ])?;
    let header = Header {
        exchange,
        flags: if u.arbitrary()? { Flags::ENCRYPTION } else { Flags::NONE },
        next_payload: ipsec_proto::registry::PayloadType(u.int_in_range(0..=21)?),
        message_id: if exchange == ExchangeType::IDENTITY_PROTECTION { 0 } else { u.int_in_range(1..=3)? },
        length: u32::try_from(ipsec_proto::isakmp::HEADER_LEN + body.len()).unwrap_or(u32::MAX),
        ..template
    };
    let mut octets = Vec::new();
    header.emit(&mut ipsec_proto::codec::Writer::new(&mut octets));
    octets.extend_from_slice(body);
    Ok(Some(octets))
}

/// Takes everything down and waits until nothing is remembered.
fn farewell(pair: &mut Pair) {
    for side in [Side::West, Side::East] {
        pair.command(side, Command::Clear);
    }
    pair.drive(FORGOTTEN);
    assert!(pair.is_empty(), "{}\n{}", pair.report(Side::West), pair.report(Side::East));
}

/// An established tunnel, and datagrams on its SA that may be damaged or repeated: what is delivered was sent, and once only.
///
/// # Panics
/// When a law is broken.
pub fn esp_inbound(data: &[u8]) {
    let _ = esp(&mut Unstructured::new(data));
}

fn esp(u: &mut Unstructured<'_>) -> Result<()> {
    let mut pair = Scenario::new(1).build();
    pair.up(Side::West);
    assert!(pair.drive_until(Duration::from_secs(5), Pair::is_up));
    pair.drive(Duration::from_secs(1));
    let before = pair.wire.len();
    pair.network.set_conditions(ipsec_io::memory::Conditions {
        loss: ipsec_io::memory::Chance::ALWAYS,
        ..ipsec_io::memory::Conditions::default()
    });
    let mut sent_packets = Vec::new();
    for sequence in 0..8 {
        let packet = packet::echo_request(pair.west.setup.host, pair.east.setup.host, sequence, 40);
        pair.send(Side::West, &packet);
        sent_packets.push(packet);
    }
    let sealed: Vec<Sent> = pair.wire.get(before..).unwrap_or_default().to_vec();
    assert_eq!(sealed.len(), sent_packets.len());
    let mut outcome = Ok(());
    let (mut handed_in, delivered_before) = (0_u64, pair.east.delivered.len());
    let drops = |pair: &Pair| pair.report(Side::East).drops.iter().map(|drop| drop.packets).sum::<u64>();
    let dropped_before = drops(&pair);
    while outcome.is_ok() && !u.is_empty() && handed_in < 64 {
        outcome = datagram(u, &sealed).map(|(path, encap, octets)| {
            pair.inject(Side::East, path, encap, &octets);
            handed_in += 1;
        });
    }
    let delivered = pair.east.delivered.get(delivered_before..).unwrap_or_default().to_vec();
    for (number, packet) in delivered.iter().enumerate() {
        assert!(sent_packets.contains(packet), "a packet that nobody sent");
        assert!(!delivered.iter().take(number).any(|other| other == packet), "delivered twice");
    }
    assert_eq!(
        delivered.len() as u64 + drops(&pair) - dropped_before,
        handed_in,
        "a packet is delivered or counted as dropped"
    );
    outcome
}

/// One of the sealed packets, as it was or damaged, or octets of the fuzzer's own.
fn datagram(u: &mut Unstructured<'_>, sealed: &[Sent]) -> Result<(Path, Encap, Vec<u8>)> {
    let sent = u.choose(sealed)?;
    let mut octets = sent.octets.clone();
    match u.int_in_range(0..=3)? {
        0 => {}
        1 => {
            let at = u.choose_index(octets.len())?;
            let flip: u8 = u.int_in_range(1..=255)?;
            if let Some(octet) = octets.get_mut(at) {
                *octet ^= flip;
            }
        }
        2 => octets.truncate(u.choose_index(octets.len())?),
        _ => {
            octets.truncate(4);
            octets.extend(u.arbitrary::<Vec<u8>>()?);
        }
    }
    Ok((sent.path.reversed(), sent.encap, octets))
}

/// Both gateways and everything an operator, the hosts and the network may do: afterwards the tunnel still works.
///
/// # Panics
/// When a law is broken.
pub fn pair_ops(data: &[u8]) {
    let _ = operations(&mut Unstructured::new(data));
}

fn operations(u: &mut Unstructured<'_>) -> Result<()> {
    use ipsec_io::memory::{Chance, Conditions};

    let good = Conditions { delay: Duration::from_millis(10), ..Conditions::default() };
    let mut pair = Scenario::new(u64::from(u.arbitrary::<u8>()?)).build();
    let mut step = |pair: &mut Pair| -> Result<()> {
        let side = *u.choose(&[Side::West, Side::East])?;
        match u.int_in_range(0..=6)? {
            0 => pair.up(side),
            1 => pair.down(side),
            2 => pair.down_child(side),
            3 => pair.send_ping(side),
            4 => pair.drive(Duration::from_millis(u.int_in_range(0..=3_000)?)),
            5 => {
                let mut chance = || Ok(Chance::of(f64::from(u.int_in_range(0..=40)?) / 100.0));
                let conditions =
                    Conditions { loss: chance()?, duplicate: chance()?, reorder: chance()?, ..good };
                pair.network.set_conditions(conditions);
            }
            _ => pair.drive(Duration::from_secs(u.int_in_range(0..=100)?)),
        }
        if u.is_empty() { Err(arbitrary::Error::NotEnoughData) } else { Ok(()) }
    };
    for _ in 0..INPUTS {
        if step(&mut pair).is_err() {
            break;
        }
    }
    // The network heals and what was begun ends. Then everything is taken down, nothing is left, and a tunnel comes up again.
    pair.network.set_conditions(good);
    pair.drive(FORGOTTEN);
    farewell(&mut pair);
    let up = Command::Up { connection: CONNECTION.to_owned(), child: None };
    pair.command(Side::West, up);
    assert!(pair.drive_until(Duration::from_secs(5), Pair::is_up), "{:#?}", pair.codes(Side::West));
    assert!(pair.ping(Side::West, Duration::from_secs(5)));
    pair.drive(Duration::from_secs(2));
    pair.assert_agreement();
    Ok(())
}
