//! Bad input: truncated, bit-flipped, contradictory and random. Refusals are typed, and what is accepted is exact.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking anywhere")]

mod common;

use common::{INFORMATIONAL, MM1, MM3, QM1, hex, payload};
use ipsec_proto::isakmp::*;
use ipsec_proto::registry::*;
use ipsec_proto::{Cookie, DecodeError, DecodeErrorKind, pretty};
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads `octets` every way there is. Whatever is accepted must be written back as it was: so nothing of it was ignored.
fn survive(octets: &[u8]) -> Result<(), DecodeError> {
    let printed = pretty::message(octets);
    assert!(!printed.is_empty() && printed.is_ascii());
    let message = Message::parse(octets).inspect_err(|error| {
        assert!(error.at <= octets.len(), "{error} beyond {} octets", octets.len());
        assert!(!error.to_string().is_empty());
    })?;
    if let Body::Clear(chain) = &message.body {
        let payloads: Vec<_> = chain.payloads().cloned().collect();
        let mut out = vec![];
        encode_clear(&message.header, &payloads, &mut out).unwrap();
        assert_eq!(out, octets);
        for step in [Step::Mm1, Step::Mm3, Step::InformationalClear, Step::Qm1] {
            for protection in [Protection::Clear, Protection::Encrypted] {
                let _verdict = check(step, protection, chain);
            }
        }
    }
    Ok(())
}

/// The same for a plaintext whose first payload is HASH.
fn survive_plaintext(octets: &[u8]) -> Result<(), DecodeError> {
    assert!(pretty::plaintext(PayloadType::HASH, octets).is_ascii());
    let chain = Chain::parse(PayloadType::HASH, octets, HEADER_LEN, Tail::CipherPadding)
        .inspect_err(|error| assert!(error.at <= HEADER_LEN + octets.len()))?;
    let payloads: Vec<_> = chain.payloads().cloned().collect();
    let mut out = vec![];
    encode_chain(&payloads, &mut out).unwrap();
    out.extend(chain.padding());
    assert_eq!(out, octets);
    Ok(())
}

#[test]
fn every_prefix_is_refused() {
    for text in [MM1, MM3, INFORMATIONAL] {
        let octets = hex(text);
        for len in 0..octets.len() {
            survive(&octets[..len]).unwrap_err();
            // The same with a length field that agrees: the payloads have to notice.
            let mut short = octets[..len].to_vec();
            if let Some(length) = short.get_mut(24..28) {
                length.copy_from_slice(&(len as u32).to_be_bytes());
                survive(&short).unwrap_err();
            }
        }
    }
    let octets = hex(QM1);
    let unpadded = octets.len() - 6;
    for len in 0..octets.len() {
        assert_eq!(survive_plaintext(&octets[..len]).is_ok(), len >= unpadded, "{len}");
    }
}

#[test]
fn every_flipped_bit_and_pair_of_bits_is_survived() {
    for text in [MM1, MM3, INFORMATIONAL] {
        let mut octets = hex(text);
        let bits = octets.len() * 8;
        for a in 0..bits {
            octets[a / 8] ^= 1 << (a % 8);
            let _verdict = survive(&octets);
            // Pairs within the next two octets reach length fields and what they describe.
            for b in (a + 1..bits).take(16) {
                octets[b / 8] ^= 1 << (b % 8);
                let _verdict = survive(&octets);
                octets[b / 8] ^= 1 << (b % 8);
            }
            octets[a / 8] ^= 1 << (a % 8);
        }
    }
    let mut octets = hex(QM1);
    for a in 0..octets.len() * 8 {
        octets[a / 8] ^= 1 << (a % 8);
        let _verdict = survive_plaintext(&octets);
        octets[a / 8] ^= 1 << (a % 8);
    }
}

#[test]
fn every_octet_takes_every_value() {
    for text in [MM1, MM3, INFORMATIONAL] {
        let mut octets = hex(text);
        for at in 0..octets.len() {
            let kept = octets[at];
            for value in 0..=255 {
                octets[at] = value;
                let _verdict = survive(&octets);
            }
            octets[at] = kept;
        }
    }
}

/// A message of `body` with a header that fits it.
fn with_header(first: PayloadType, body: &[u8]) -> Vec<u8> {
    let header = Header::new(Cookie([1; 8]), Cookie([2; 8]), ExchangeType::INFORMATIONAL, 7);
    let mut out = vec![];
    encode_clear(&header, &[], &mut out).unwrap();
    out.extend(body);
    out[16] = first.0;
    let length = out.len() as u32;
    out[24..28].copy_from_slice(&length.to_be_bytes());
    out
}

#[test]
fn named_attacks_are_named_refusals() {
    let refusal = |first, body: &[u8]| {
        let error = survive(&with_header(first, body)).unwrap_err();
        (error.kind, error.field, error.at)
    };
    // A payload that names itself for ever.
    let (kind, field, _) = refusal(PayloadType::VENDOR, &[13, 0, 0, 4].repeat(10_000));
    assert_eq!((kind, field), (DecodeErrorKind::TooMany { limit: MAX_PAYLOADS }, "payloads"));
    // A length of zero.
    assert_eq!(
        refusal(PayloadType::VENDOR, &[13, 0, 0, 0, 0, 0, 0, 0]),
        (DecodeErrorKind::BadLength, "payload length", 30)
    );
    // An SPI count beyond the data.
    assert_eq!(
        refusal(PayloadType::DELETE, &[0, 0, 0, 16, 0, 0, 0, 1, 3, 4, 0xff, 0xff, 0, 0, 1, 0]),
        (DecodeErrorKind::CountMismatch { found: 1 }, "D number of SPIs", 38)
    );
    // Octets after the last payload.
    assert_eq!(
        refusal(PayloadType::VENDOR, &[0, 0, 0, 5, 9, 9]),
        (DecodeErrorKind::TrailingOctets, "message", 33)
    );
    // A nonce of seven octets (RFC 2409 §5).
    assert_eq!(
        refusal(PayloadType::NONCE, &[0, 0, 0, 11, 1, 2, 3, 4, 5, 6, 7]),
        (DecodeErrorKind::BadLength, "nonce", 32)
    );
}

#[test]
fn datagrams_of_every_length_are_survived() {
    let seed: Vec<u8> = (0..65535u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for len in (0..=2048).chain((2049..=65535).step_by(997)) {
        survive(&seed[..len]).unwrap_err();
        if let Some(body) = len.checked_sub(HEADER_LEN) {
            for first in [1, 5, 11, 12, 13, 20, 99] {
                let _verdict = survive(&with_header(PayloadType(first), &seed[..body]));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bodies_are_survived(first in any::<u8>(), body in common::octets(200)) {
        let _verdict = survive(&with_header(PayloadType(first), &body));
        let _verdict = survive_plaintext(&body);
    }

    #[test]
    fn damaged_messages_are_survived(
        payloads in vec(payload(), 1..5),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let header = Header::new(Cookie([1; 8]), Cookie([2; 8]), ExchangeType::QUICK_MODE, 7);
        let mut out = vec![];
        encode_clear(&header, &payloads, &mut out).unwrap();
        for (index, octet) in damage {
            let at = index.index(out.len());
            out[at] = octet;
        }
        let _verdict = survive(&out);
    }
}
