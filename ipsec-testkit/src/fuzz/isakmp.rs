//! IKEv1 messages and payload chains: whatever is read is written again to the same octets.

use ipsec_proto::isakmp::{
    Body, Chain, HEADER_LEN, Message, Protection, Step, Tail, check, encode_chain, encode_clear,
    encode_encrypted,
};
use ipsec_proto::registry::PayloadType;
use ipsec_proto::{DecodeError, DecodeErrorKind, pretty};

/// Every message of every exchange, for the gate.
const STEPS: [Step; 12] = [
    Step::Mm1,
    Step::Mm2,
    Step::Mm3,
    Step::Mm4,
    Step::Mm5,
    Step::Mm6,
    Step::Qm1,
    Step::Qm2,
    Step::Qm3,
    Step::Qm4,
    Step::InformationalClear,
    Step::Informational,
];

/// A datagram on an IKE port: a refusal names a place inside it, a message is written again to the octets it was read from.
///
/// # Panics
/// When a law is broken.
pub fn isakmp_message(data: &[u8]) {
    printable(&pretty::message(data));
    let message = match Message::parse(data) {
        Ok(message) => message,
        Err(error) => return refusal(&error, data.len()),
    };
    assert_eq!(message.octets, data);
    assert_eq!(message.header.length as usize, data.len());
    let mut written = Vec::new();
    match &message.body {
        Body::Clear(chain) => {
            let payloads: Vec<_> = chain.payloads().cloned().collect();
            encode_clear(&message.header, &payloads, &mut written).expect("what was read can be written");
            gate(chain, Protection::Clear);
        }
        Body::Encrypted(ciphertext) => {
            encode_encrypted(&message.header, message.header.next_payload, ciphertext, &mut written)
                .expect("what was read can be written");
        }
    }
    assert_eq!(written, data, "{message:#?}");
}

/// Decrypted octets: the type of the first payload, then the chain with whatever padding follows it.
///
/// # Panics
/// When a law is broken.
pub fn isakmp_payload_chain(data: &[u8]) {
    let Some((first, octets)) = data.split_first() else { return };
    let first = PayloadType(*first);
    printable(&pretty::plaintext(first, octets));
    let chain = match Chain::parse(first, octets, HEADER_LEN, Tail::CipherPadding) {
        Ok(chain) => chain,
        Err(error) => return refusal(&error, octets.len() + HEADER_LEN),
    };
    assert_eq!([chain.octets(), chain.padding()].concat(), octets);
    let mut at = HEADER_LEN;
    for entry in chain.iter() {
        assert_eq!(entry.at, at, "payloads lie side by side");
        assert_eq!(entry.octets.get(Chain::GENERIC_LEN..), Some(entry.body));
        at += entry.octets.len();
        assert_eq!(entry.rest.len(), chain.octets().len() + HEADER_LEN - at);
        assert_eq!(entry.payload.body().as_deref(), Ok(entry.body), "{:?}", entry.payload);
    }
    let payloads: Vec<_> = chain.payloads().cloned().collect();
    let mut written = Vec::new();
    assert_eq!(encode_chain(&payloads, &mut written), Ok(first));
    assert_eq!(written, chain.octets());
    gate(&chain, Protection::Encrypted);
    if let Ok(strict) = Chain::parse(first, chain.octets(), HEADER_LEN, Tail::Exact) {
        assert_eq!(strict.payloads().count(), payloads.len());
    } else {
        panic!("the same octets without padding are refused");
    }
}

/// Text from the network must not steer a terminal.
fn printable(text: &str) {
    assert!(text.ends_with('\n') || text.is_empty());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

/// A refusal's place lies in the octets, or just behind them.
fn refusal(error: &DecodeError, octets: usize) {
    assert!(error.at <= octets, "{error} in {octets} octets");
    assert!(!error.field.is_empty());
    if let DecodeErrorKind::Truncated { need, have } = error.kind {
        assert!(need > have, "{error}");
    }
}

/// No chain fits both a message that must be in clear and one that must be encrypted.
fn gate(chain: &Chain<'_>, protection: Protection) {
    for step in STEPS {
        if check(step, protection, chain).is_ok() {
            assert_eq!(step.protection(), protection, "{step}");
        }
    }
}
