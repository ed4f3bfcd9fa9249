//! MM3: public values, nonces and NAT discovery as they should not be.

use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::{ExchangeType, NotifyType, PayloadType};
use ipsec_ike::*;

use crate::peer::*;
use crate::support::*;

/// p of group 14: as RFC 3526 §3 prints it.
fn prime() -> Vec<u8> {
    let hex = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
15728E5A8AACAA68FFFFFFFFFFFFFFFF";
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn at_mm3() -> (Pair, Peer) {
    let mut pair = Pair::alike(&Setup::default());
    let mut peer = Peer::new(1);
    let mm2 = say(&mut pair, &peer.mm1());
    peer.take_mm2(mm2.octets());
    (pair, peer)
}

fn bad_values() -> Vec<(&'static str, Vec<u8>)> {
    let number = |low: u8| {
        let mut value = vec![0; 256];
        value[255] = low;
        value
    };
    let p = prime();
    let shifted = |by: i16| {
        let mut value = p.clone();
        value[255] = u8::try_from(i16::from(value[255]) + by).unwrap();
        value
    };
    vec![
        ("0", number(0)),
        ("1", number(1)),
        ("p-1", shifted(-1)),
        ("p", p.clone()),
        ("largest", vec![0xff; 256]),
        ("an octet short", vec![2; 255]),
        ("an octet long", vec![2; 257]),
        ("one octet", vec![2]),
        ("huge", vec![2; 60_000]),
    ]
}

#[test]
fn public_values_out_of_range_are_refused_and_the_good_one_is_taken_after_them() {
    let (mut pair, mut peer) = at_mm3();
    let before = standing(&pair);
    for (name, value) in bad_values() {
        let mm3 = peer
            .mm3_with(&[Payload::Other(PayloadType::KE, value), Payload::Nonce(Nonce(peer.nonce.clone()))]);
        let answer = say(&mut pair, &mm3);
        let cause = answer.refusal().cause;
        let due = if name == "huge" { Cause::Malformed } else { Cause::InvalidKeyExchange };
        assert_eq!(cause, due, "{name}");
        assert!(matches!(answer.clear_notify(), None | Some(NotifyType::INVALID_KEY_INFORMATION)));
        assert_eq!(standing(&pair), before, "{name}");
    }
    let mm4 = say(&mut pair, &peer.mm3());
    peer.take_mm4(mm4.octets(), PSK);
    assert!(say(&mut pair, &peer.mm5()).is_accepted());
}

#[test]
fn the_smallest_and_largest_good_values_are_taken() {
    for value in [2_u8, 253] {
        let (mut pair, peer) = at_mm3();
        let mut public = if value == 2 { vec![0; 256] } else { prime() };
        public[255] = value;
        let mm3 = peer.mm3_with(&[
            Payload::KeyExchange(KeyExchange(public)),
            Payload::Nonce(Nonce(peer.nonce.clone())),
        ]);
        assert!(say(&mut pair, &mm3).is_accepted());
    }
}

#[test]
fn nonces_have_8_to_256_octets() {
    for length in [0_usize, 1, 7, 8, 256, 257, 4000] {
        let (mut pair, peer) = at_mm3();
        let before = standing(&pair);
        // Written by hand: the encoder refuses what the RFC forbids.
        let octets = peer.clear(
            ExchangeType::IDENTITY_PROTECTION,
            0,
            &[
                Payload::KeyExchange(KeyExchange(peer.public.clone())),
                Payload::Other(PayloadType::NONCE, vec![3; length]),
            ],
        );
        let answer = say(&mut pair, &octets);
        if (8..=256).contains(&length) {
            assert!(answer.is_accepted(), "{length}: {:?}", answer.disposition);
        } else {
            assert_eq!(answer.refusal().cause, Cause::Malformed, "{length}");
            assert_eq!(standing(&pair), before);
        }
    }
}

#[test]
fn payloads_that_are_missing_doubled_or_foreign_are_refused() {
    let ke = |peer: &Peer| Payload::KeyExchange(KeyExchange(peer.public.clone()));
    let nonce = |peer: &Peer| Payload::Nonce(Nonce(peer.nonce.clone()));
    let cases: Vec<fn(Payload, Payload) -> Vec<Payload>> = vec![
        |_, _| vec![],
        |k, _| vec![k],
        |_, n| vec![n],
        |k, n| vec![k.clone(), k, n],
        |k, n| vec![k, n.clone(), n],
        |k, n| vec![k, n, Payload::Sa(phase1_sa(vec![phase1_attributes()]))],
        |k, n| vec![k, n, Payload::Hash(Hash(vec![0; 20]))],
        |k, n| vec![k, n, Payload::Id(Id::new(IdValue::Fqdn(b"x".to_vec())))],
    ];
    for (index, case) in cases.into_iter().enumerate() {
        let (mut pair, peer) = at_mm3();
        let before = standing(&pair);
        let octets = peer.mm3_with(&case(ke(&peer), nonce(&peer)));
        let answer = say(&mut pair, &octets);
        assert!(matches!(answer.disposition, Disposition::Refused(_)), "{index}: {:?}", answer.disposition);
        assert_eq!(standing(&pair), before, "{index}");
        assert!(say(&mut pair, &peer.mm3()).is_accepted());
    }
}

#[test]
fn nat_discovery_of_any_number_and_size_at_most_finds_a_nat() {
    let vendor =
        [0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f];
    let hashes: Vec<Vec<Vec<u8>>> = vec![
        vec![],
        vec![vec![0; 20]],
        vec![vec![0; 20], vec![0; 20]],
        vec![vec![], vec![]],
        vec![vec![1], vec![2; 3000]],
        vec![vec![0; 20]; 200],
    ];
    for hashes in hashes {
        let mut pair = Pair::alike(&Setup::default());
        let mut peer = Peer::new(1);
        let mm1 = peer.mm1_with(&[
            Payload::Sa(phase1_sa(vec![phase1_attributes()])),
            Payload::Vendor(VendorId(vendor.to_vec())),
        ]);
        let mm2 = say(&mut pair, &mm1);
        peer.take_mm2(mm2.octets());
        let mut payloads = vec![
            Payload::KeyExchange(KeyExchange(peer.public.clone())),
            Payload::Nonce(Nonce(peer.nonce.clone())),
        ];
        let count = hashes.len();
        payloads.extend(hashes.into_iter().map(|hash| Payload::Other(PayloadType::NAT_D, hash)));
        let mm4 = say(&mut pair, &peer.mm3_with(&payloads));
        match &mm4.disposition {
            Disposition::Accepted => {
                let found = pair.right.ike.report(pair.now).ike_sas[0].nat.any();
                assert_eq!(found, count >= 2, "{count}");
                // A responder's messages go where the request came from, whatever was found.
                assert_eq!(mm4.datagrams[0].path.local.port(), 500);
                peer.take_mm4(mm4.octets(), PSK);
                let mm6 = say_from(&mut pair, "192.0.2.1:4500", &peer.mm5());
                assert!(mm6.is_accepted(), "{:?}", mm6.disposition);
            }
            Disposition::Refused(refusal) => assert_eq!(refusal.cause, Cause::Malformed),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_initiator_floats_to_4500_and_nowhere_else() {
    // The left side calls; what it hears is bent so that it finds a NAT.
    let forced = Setup { nat: NatTraversal::Force, ..Setup::default() };
    let mut pair = Pair::new(&Setup::default(), &forced.mirrored());
    pair.up();
    pair.settle();
    let ports: Vec<_> = pair
        .transcript
        .iter()
        .filter(|datagram| datagram.to == End::Right)
        .map(|datagram| (datagram.path.remote.port(), datagram.path.local.port(), datagram.framing))
        .collect();
    assert_eq!(ports[..2], [(500, 500, Framing::Bare); 2]);
    assert!(ports[2..].iter().all(|ports| *ports == (4500, 4500, Framing::NonEspMarker)), "{ports:?}");
    pair.assert_agree(1);
}

#[test]
fn a_forged_mm4_with_a_bad_public_value_does_not_end_the_negotiation() {
    let mut pair = Pair::alike(&Setup::default());
    let command = Command::Up { connection: "peer".into(), child: None };
    pair.right.ike.command(pair.now, command).unwrap();
    pair.collect();
    let mm1 = pair.wire.pop_front().unwrap();
    pair.deliver(&mm1);
    pair.collect();
    let mm2 = pair.wire.pop_front().unwrap();
    let mm3 = say(&mut pair, &mm2.octets).datagrams.remove(0);
    let header = Header::parse(&mm3.octets).unwrap();
    let mut forged = Vec::new();
    let header = Header::new(header.initiator, header.responder, ExchangeType::IDENTITY_PROTECTION, 0);
    let mut one = vec![0; 256];
    one[255] = 1;
    let payloads = [Payload::KeyExchange(KeyExchange(one)), Payload::Nonce(Nonce(vec![1; 16]))];
    encode_clear(&header, &payloads, &mut forged).unwrap();
    assert_eq!(say(&mut pair, &forged).refusal().cause, Cause::InvalidKeyExchange);
    assert_eq!(pair.right.ike_sas(), 1);
    // The peer's own MM4 is taken after it.
    pair.deliver(&mm3);
    pair.settle();
    pair.assert_agree(1);
}
