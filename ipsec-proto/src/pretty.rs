//! Messages as text, a line a payload, in the manner of tcpdump.
//!
//! Hostile input prints as far as it makes sense, then the fault; text from the network is escaped.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{Display, Write as _};

use crate::isakmp::{
    Attribute, AttributeValue, Chain, Delete, HEADER_LEN, Header, Notify, Payload, Proposal,
    SecurityAssociation, SpiBytes, Transform, Version, Walk,
};
use crate::registry::{
    AhTransform, AuthenticationAlgorithm, AuthenticationMethod, EncapsulationMode, EncryptionAlgorithm,
    EspTransform, GroupDescription, HashAlgorithm, IpcompTransform, IsakmpTransform, LifeType, NotifyType,
    PayloadType, Phase1Attribute, Phase2Attribute, ProtocolId,
};

/// The most octets of opaque data shown.
const SHOWN: usize = 16;

/// Prints a datagram that holds an ISAKMP message, without any non-ESP marker.
#[must_use]
pub fn message(datagram: &[u8]) -> String {
    let mut out = String::new();
    let header = match Header::parse_fields(datagram) {
        Ok(header) => header,
        Err(error) => {
            line(&mut out, 0, &format!("not ISAKMP: {error}; {}", opaque(datagram)));
            return out;
        }
    };
    let Header { initiator, responder, version, exchange, flags, message_id, length, .. } = header;
    line(
        &mut out,
        0,
        &format!(
            "ISAKMP {version} {exchange} {initiator} {responder} flags {flags} msgid {message_id:08x} len {length}"
        ),
    );
    if let Err(error) = Header::parse(datagram) {
        line(&mut out, 1, &format!("fault: {error}"));
    }
    if version.major() != Version::V1.major() {
        return out;
    }
    let body = datagram.get(HEADER_LEN..).unwrap_or_default();
    if header.is_encrypted() {
        line(&mut out, 1, &format!("encrypted, {} first, {} octets", header.next_payload, body.len()));
    } else {
        plaintext_into(&mut out, header.next_payload, body);
    }
    out
}

/// Prints the decrypted payloads of a message, of which the first has type `first`.
#[must_use]
pub fn plaintext(first: PayloadType, octets: &[u8]) -> String {
    let mut out = String::new();
    plaintext_into(&mut out, first, octets);
    out
}

fn plaintext_into(out: &mut String, first: PayloadType, octets: &[u8]) {
    let mut walk = Walk::new(first, octets, HEADER_LEN);
    loop {
        let kind = walk.kind();
        match walk.payload() {
            Ok(Some(payload)) => payload_lines(out, &payload),
            Ok(None) => break,
            Err(error) => {
                line(out, 1, &format!("{kind}: fault: {error}"));
                return;
            }
        }
    }
    if walk.remaining() > 0 {
        line(out, 1, &format!("padding, {} octets", walk.remaining()));
    }
}

/// Prints decoded payloads.
#[must_use]
pub fn chain(chain: &Chain<'_>) -> String {
    let mut out = String::new();
    chain.payloads().for_each(|payload| payload_lines(&mut out, payload));
    out
}

fn payload_lines(out: &mut String, payload: &Payload) {
    let kind = payload.kind();
    let text = match payload {
        Payload::Sa(sa) => return sa_lines(out, sa),
        Payload::KeyExchange(ke) => format!("{} octets", ke.0.len()),
        Payload::Id(id) => format!("{} {id}", id.kind()),
        Payload::Certificate(cert) => format!("{}, {} octets", cert.encoding, cert.data.len()),
        Payload::CertificateRequest(wish) => format!("{}, {}", wish.encoding, opaque(&wish.authority)),
        Payload::Hash(hash) => opaque(&hash.0),
        Payload::Signature(signature) => format!("{} octets", signature.0.len()),
        Payload::Nonce(nonce) => opaque(&nonce.0),
        Payload::Notify(notify) => notify_text(notify),
        Payload::Delete(delete) => delete_text(delete),
        Payload::Vendor(vendor) => vendor.to_string(),
        Payload::NatDiscovery(discovery) => opaque(&discovery.hash),
        Payload::NatOriginal(original) => original.address.to_string(),
        Payload::Other(_, octets) => opaque(octets),
    };
    line(out, 1, &format!("{kind}: {text}"));
}

fn sa_lines(out: &mut String, sa: &SecurityAssociation) {
    line(out, 1, &format!("SA: {} {}", sa.doi, sa.situation));
    for proposal in &sa.proposals {
        let Proposal { number, protocol, spi, transforms } = proposal;
        line(out, 2, &format!("proposal {number} {protocol} spi {spi}"));
        for each in transforms {
            line(out, 3, &format!("transform {} {}", each.number, transform(*protocol, each)));
        }
    }
}

/// A transform in one line, as operators write suites: `AES-CBC-128/SHA1/PSK/MODP2048 life 4h`.
#[must_use]
pub fn transform(protocol: ProtocolId, transform: &Transform) -> String {
    let mut suite = Suite::default();
    if protocol == ProtocolId::ISAKMP {
        if IsakmpTransform(transform.id) != IsakmpTransform::KEY_IKE {
            suite.extra.push(IsakmpTransform(transform.id).to_string());
        }
        transform.attributes.iter().for_each(|attribute| suite.phase_1(attribute));
    } else {
        suite.cipher = Some(match protocol {
            ProtocolId::AH => AhTransform(transform.id).to_string(),
            ProtocolId::ESP => EspTransform(transform.id).to_string(),
            ProtocolId::IPCOMP => IpcompTransform(transform.id).to_string(),
            _ => format!("transform ID {}", transform.id),
        });
        transform.attributes.iter().for_each(|attribute| suite.phase_2(attribute));
    }
    suite.text()
}

/// The parts of a transform's line, collected in whatever order the attributes come.
#[derive(Default)]
struct Suite {
    cipher: Option<String>,
    key_len: Option<u64>,
    /// In order: hash, authentication method and group; or integrity, encapsulation mode and group.
    parts: [Option<String>; 3],
    lives: Vec<String>,
    life_type: Option<LifeType>,
    extra: Vec<String>,
}

impl Suite {
    fn phase_1(&mut self, attribute: &Attribute) {
        let class = Phase1Attribute(attribute.class);
        let Some(value) = attribute.as_number() else { return self.other(&class.to_string(), attribute) };
        let short = u16::try_from(value).ok();
        match (class, short) {
            (Phase1Attribute::ENCRYPTION, Some(v)) => self.cipher = Some(EncryptionAlgorithm(v).to_string()),
            (Phase1Attribute::HASH, Some(v)) => self.part(0, &HashAlgorithm(v)),
            (Phase1Attribute::AUTHENTICATION_METHOD, Some(v)) => self.part(1, &AuthenticationMethod(v)),
            (Phase1Attribute::GROUP, Some(v)) => self.part(2, &GroupDescription(v)),
            (Phase1Attribute::KEY_LENGTH, _) => self.key_len = Some(value),
            (Phase1Attribute::LIFE_TYPE, Some(v)) => self.life_type = Some(LifeType(v)),
            (Phase1Attribute::LIFE_DURATION, _) => self.life(value),
            _ => self.other(&class.to_string(), attribute),
        }
    }

    fn phase_2(&mut self, attribute: &Attribute) {
        let class = Phase2Attribute(attribute.class);
        let Some(value) = attribute.as_number() else { return self.other(&class.to_string(), attribute) };
        let short = u16::try_from(value).ok();
        match (class, short) {
            (Phase2Attribute::AUTHENTICATION_ALGORITHM, Some(v)) => self.part(0, &AuthenticationAlgorithm(v)),
            (Phase2Attribute::ENCAPSULATION_MODE, Some(v)) => self.part(1, &EncapsulationMode(v)),
            (Phase2Attribute::GROUP, Some(v)) => self.part(2, &GroupDescription(v)),
            (Phase2Attribute::KEY_LENGTH, _) => self.key_len = Some(value),
            (Phase2Attribute::LIFE_TYPE, Some(v)) => self.life_type = Some(LifeType(v)),
            (Phase2Attribute::LIFE_DURATION, _) => self.life(value),
            _ => self.other(&class.to_string(), attribute),
        }
    }

    /// Puts a part in its place; what is offered twice is shown twice.
    fn part(&mut self, place: usize, part: &dyn Display) {
        match self.parts.get_mut(place) {
            Some(slot @ None) => *slot = Some(part.to_string()),
            _ => self.extra.push(format!("and {part}")),
        }
    }

    fn life(&mut self, value: u64) {
        self.lives.push(match self.life_type.take() {
            Some(LifeType::SECONDS) => seconds(value),
            Some(LifeType::KILOBYTES) => format!("{value} KB"),
            Some(other) => format!("{value} {other}"),
            None => format!("{value} of no unit"),
        });
    }

    fn other(&mut self, class: &str, attribute: &Attribute) {
        self.extra.push(match &attribute.value {
            AttributeValue::Basic(value) => format!("{class}={value}"),
            AttributeValue::Variable(octets) => format!("{class}={}", opaque(octets)),
        });
    }

    fn text(self) -> String {
        let mut text = self.cipher.unwrap_or_else(|| "no cipher".to_owned());
        if let Some(bits) = self.key_len {
            text += &format!("-{bits}");
        }
        for part in self.parts.iter().flatten() {
            text += &format!("/{part}");
        }
        for life in &self.lives {
            text += &format!(" life {life}");
        }
        for extra in &self.extra {
            text += &format!(" {extra}");
        }
        text
    }
}

/// A duration in the largest unit that holds it exactly, up to hours.
fn seconds(value: u64) -> String {
    match value {
        0 => "0s".to_owned(),
        v if v.is_multiple_of(3600) => format!("{}h", v / 3600),
        v if v.is_multiple_of(60) => format!("{}m", v / 60),
        v => format!("{v}s"),
    }
}

fn notify_text(notify: &Notify) -> String {
    let Notify { protocol, spi, kind, data, .. } = notify;
    let class = if kind.is_error() { "error" } else { "status" };
    let mut text = format!("{class} {kind} {protocol} spi {}", spi_text(spi));
    if *kind == NotifyType::RESPONDER_LIFETIME
        && let Ok(attributes) = Attribute::parse_list(&mut crate::codec::Reader::new(data))
    {
        let mut suite = Suite::default();
        let phase_1 = *protocol == ProtocolId::ISAKMP;
        attributes.iter().for_each(|a| if phase_1 { suite.phase_1(a) } else { suite.phase_2(a) });
        suite.lives.iter().for_each(|life| text += &format!(" life {life}"));
    } else if !data.is_empty() {
        text += &format!(" data {}", opaque(data));
    }
    text
}

fn delete_text(delete: &Delete) -> String {
    let mut text = delete.protocol.to_string();
    for spi in delete.spis.iter().take(SHOWN) {
        text += &format!(" {}", spi_text(spi));
    }
    if let Some(more @ 1..) = delete.spis.len().checked_sub(SHOWN) {
        text += &format!(" and {more} more");
    }
    text
}

fn spi_text(spi: &SpiBytes) -> String {
    match spi.as_cookies() {
        Some((initiator, responder)) => format!("{initiator} {responder}"),
        None => spi.to_string(),
    }
}

/// Octets in hexadecimal, cut short, with their number.
fn opaque(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in octets.iter().take(SHOWN) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    match octets.len() {
        0 => "empty".to_owned(),
        n if n > SHOWN => format!("{text}... ({n} octets)"),
        _ => text,
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    (0..depth).for_each(|_| out.push_str("  "));
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::isakmp::{Hash, KnownVendor, Nonce, encode_chain, encode_clear};
    use crate::net::{Cookie, Spi};
    use crate::registry::ExchangeType;

    fn phase_1() -> Transform {
        Transform {
            number: 1,
            id: 1,
            attributes: vec![
                Attribute::basic(1, 7),
                Attribute::basic(14, 128),
                Attribute::basic(4, 14),
                Attribute::basic(3, 1),
                Attribute::basic(2, 2),
                Attribute::basic(11, 1),
                Attribute::number(12, 14400),
            ],
        }
    }

    #[test]
    fn a_first_message_prints() {
        let proposal = Proposal {
            number: 1,
            protocol: ProtocolId::ISAKMP,
            spi: SpiBytes::EMPTY,
            transforms: vec![phase_1()],
        };
        let payloads = [
            Payload::Sa(SecurityAssociation::new(vec![proposal])),
            Payload::Vendor(KnownVendor::NatTRfc3947.into()),
        ];
        let header = Header::new(Cookie([0xab; 8]), Cookie::ZERO, ExchangeType::IDENTITY_PROTECTION, 0);
        let mut out = vec![];
        encode_clear(&header, &payloads, &mut out).unwrap();
        let expected = "\
ISAKMP 1.0 Main Mode abababababababab 0000000000000000 flags - msgid 00000000 len 104
  SA: IPsec SIT_IDENTITY_ONLY
    proposal 1 ISAKMP spi none
      transform 1 AES-CBC-128/SHA1/PSK/MODP2048 life 4h
  VID: RFC 3947 NAT-T
";
        assert_eq!(message(&out), expected);
        let end = out.len() - 2;
        assert!(message(&out[..end]).ends_with(
            "VID: fault: payload length at octet 86: truncated, 20 octets needed, 18 present (value 20)\n"
        ));
    }

    #[test]
    fn a_decrypted_message_prints() {
        let mut notify = Notify::new(ProtocolId::ESP, Spi(0x1234).into(), NotifyType::RESPONDER_LIFETIME);
        Attribute::emit_list(
            &[
                Attribute::basic(1, 1),
                Attribute::number(2, 3600),
                Attribute::basic(1, 2),
                Attribute::number(2, 100_000),
            ],
            &mut crate::codec::Writer::new(&mut notify.data),
        )
        .unwrap();
        let payloads = [
            Payload::Hash(Hash(vec![1; 20])),
            Payload::Notify(notify),
            Payload::Delete(Delete::new(ProtocolId::ESP, vec![Spi(0xabcd).into(); 18])),
            Payload::Nonce(Nonce(vec![2; 8])),
        ];
        let mut out = vec![];
        let first = encode_chain(&payloads, &mut out).unwrap();
        let whole = chain(&Chain::parse(first, &out, 28, crate::isakmp::Tail::Exact).unwrap());
        out.extend([0; 4]);
        let text = plaintext(first, &out);
        assert_eq!(text, format!("{whole}  padding, 4 octets\n"));
        assert!(text.starts_with("  HASH: 01010101010101010101010101010101... (20 octets)\n"));
        assert!(text.contains("N: status RESPONDER-LIFETIME ESP spi 0x00001234 life 1h life 100000 KB\n"));
        assert!(text.contains(" 0x0000abcd and 2 more\n"));
        assert!(text.contains("NONCE: 0202020202020202\n"));
    }

    #[test]
    fn phase_2_transforms_print() {
        let esp = Transform {
            number: 1,
            id: 12,
            attributes: vec![
                Attribute::basic(6, 256),
                Attribute::basic(5, 5),
                Attribute::basic(4, 3),
                Attribute::basic(3, 14),
                Attribute::basic(3, 5),
                Attribute::basic(77, 1),
            ],
        };
        let text =
            "AES-CBC-256/HMAC-SHA2-256/UDP-Encapsulated-Tunnel/MODP2048 and MODP1536 Phase2Attribute(77)=1";
        assert_eq!(transform(ProtocolId::ESP, &esp), text);
    }

    #[test]
    fn other_versions_and_noise_print() {
        let mut v2 = vec![0; 28];
        v2[17] = 0x20;
        v2[18] = 34;
        assert!(message(&v2).starts_with("ISAKMP 2.0 IKE_SA_INIT"));
        assert_eq!(
            message(&[1, 2]),
            "not ISAKMP: ISAKMP initiator cookie at octet 0: truncated, 8 octets needed, 2 present (value 2); 0102\n"
        );
    }
}
