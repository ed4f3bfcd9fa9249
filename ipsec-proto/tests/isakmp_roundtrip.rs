//! What is written reads back, and what reads back is written the same.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking anywhere")]

mod common;

use common::{INFORMATIONAL, MM1, MM3, QM1, hex, payload};
use ipsec_proto::isakmp::*;
use ipsec_proto::registry::*;
use ipsec_proto::{Cookie, pretty};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn hand_written_messages_read_and_write_back() {
    for text in [MM1, MM3, INFORMATIONAL] {
        let octets = hex(text);
        let message = Message::parse(&octets).unwrap_or_else(|e| panic!("{e}\n{}", pretty::message(&octets)));
        let Body::Clear(chain) = &message.body else { panic!("encrypted") };
        let payloads: Vec<_> = chain.payloads().cloned().collect();
        let mut out = vec![];
        encode_clear(&message.header, &payloads, &mut out).unwrap();
        assert_eq!(out, octets);
    }
}

#[test]
fn a_hand_written_quick_mode_reads() {
    let octets = hex(QM1);
    let chain = Chain::parse(PayloadType::HASH, &octets, HEADER_LEN, Tail::CipherPadding).unwrap();
    assert_eq!(check(Step::Qm1, Protection::Encrypted, &chain), Ok(()));
    assert_eq!(chain.padding(), [0; 6]);
    let hash = chain.first(PayloadType::HASH).unwrap();
    assert_eq!(hash.rest, &octets[24..octets.len() - 6]);
    let sa = chain.sa().unwrap();
    assert_eq!(
        sa.proposals.iter().map(|p| p.protocol).collect::<Vec<_>>(),
        [ProtocolId::ESP, ProtocolId::AH]
    );
    let esp = &sa.proposals[0];
    assert_eq!(esp.spi.to_string(), "0xc0ffee01");
    assert_eq!(
        pretty::transform(esp.protocol, &esp.transforms[0]),
        "AES-CBC-256/HMAC-SHA2-256/UDP-Encapsulated-Tunnel/MODP2048 life 1h"
    );
    let ids: Vec<_> = chain.ids().map(ToString::to_string).collect();
    assert_eq!(ids, ["10.1.0.0/16", "2001:db8::1 [UDP/1701]"]);
    assert_eq!(chain.nat_original().map(|oa| oa.address), Some("192.0.2.7".parse().unwrap()));
    let notify = chain.notify().unwrap();
    assert_eq!(notify.kind, NotifyType::INITIAL_CONTACT);
    let cookies =
        (Cookie([1, 2, 3, 4, 5, 6, 7, 8]), Cookie([0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]));
    assert_eq!(notify.spi.as_cookies(), Some(cookies));
    let mut out = vec![];
    let payloads: Vec<_> = chain.payloads().cloned().collect();
    assert_eq!(encode_chain(&payloads, &mut out), Ok(PayloadType::HASH));
    assert_eq!(out, chain.octets());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn messages_round_trip(
        cookies in any::<[[u8; 8]; 2]>(),
        exchange in any::<u8>(),
        message_id in any::<u32>(),
        payloads in vec(payload(), 0..8),
    ) {
        let [initiator, responder] = cookies.map(Cookie);
        let header = Header::new(initiator, responder, ExchangeType(exchange), message_id);
        let mut out = vec![];
        encode_clear(&header, &payloads, &mut out).unwrap();
        let message = Message::parse(&out).unwrap();
        prop_assert_eq!(message.header.length as usize, out.len());
        let Body::Clear(chain) = &message.body else { panic!("encrypted") };
        prop_assert_eq!(chain.payloads().cloned().collect::<Vec<_>>(), payloads.clone());
        for (entry, payload) in chain.iter().zip(&payloads) {
            prop_assert_eq!(entry.body, payload.body().unwrap());
            prop_assert_eq!(entry.octets, &out[entry.at..entry.at + entry.octets.len()]);
            prop_assert!(out.ends_with(entry.rest));
        }
    }

    #[test]
    fn plaintexts_round_trip_with_padding(payloads in vec(payload(), 1..6), padding in common::octets(40)) {
        let mut out = vec![];
        let first = encode_chain(&payloads, &mut out).unwrap();
        let len = out.len();
        out.extend(&padding);
        let chain = Chain::parse(first, &out, HEADER_LEN, Tail::CipherPadding).unwrap();
        prop_assert_eq!(chain.octets(), &out[..len]);
        prop_assert_eq!(chain.padding(), padding);
        prop_assert_eq!(chain.payloads().cloned().collect::<Vec<_>>(), payloads);
    }
}
