//! Messages written by hand, octet by octet, and strategies for arbitrary ones.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking anywhere")]

use std::net::IpAddr;

use ipsec_proto::isakmp::*;
use ipsec_proto::registry::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads hexadecimal; `#` starts a comment that ends with the line.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .collect();
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Main Mode, first message: two transforms, two vendor IDs.
pub(crate) const MM1: &str = "
    0102030405060708 0000000000000000 01 10 02 00 00000000 000000a4 # header
    0d 00 0060 00000001 00000001                    # SA
    00 00 0054 01 01 00 02                          # proposal 1, ISAKMP
    03 00 0028 01 01 0000                           # transform 1, KEY_IKE
    80010007 800e0080 80020002 80030001 8004000e 800b0001 000c0004 00015180
    00 00 0024 02 01 0000                           # transform 2
    80010005 80020001 80030001 80040002 800b0001 800c7080 800d0000
    0d 00 0014 4a131c81070358455c5728f20e95452f     # VID RFC 3947
    00 00 0014 afcad71368a1f1c96b8696fc77570100     # VID DPD";

/// Main Mode, third message: a short public value, a nonce, NAT discovery by assigned and by draft numbers.
pub(crate) const MM3: &str = "
    0102030405060708 1112131415161718 04 10 02 00 00000000 0000008c
    0a 00 0014 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff     # KE
    14 00 0014 202122232425262728292a2b2c2d2e2f     # NONCE
    82 00 0018 3030303030303030303030303030303030303030 # NAT-D
    07 00 0018 3131313131313131313131313131313131313131 # NAT-D (draft)
    00 00 0018 04 301231103010 0603550403 0c07000000000000 # CR, X.509";

/// The plaintext of a Quick Mode's first message, with padding; the first payload is HASH.
pub(crate) const QM1: &str = "
    01 00 0018 4040404040404040404040404040404040404040 # HASH
    0a 00 004c 00000001 00000001                    # SA
    02 00 002c 01 03 04 01 c0ffee01                 # proposal 1, ESP
    00 00 0020 01 0c 0000                           # transform 1, AES-CBC
    80060100 80050005 80040003 8003000e 80010001 80020e10
    00 00 0014 01 02 04 01 c0ffee02                 # proposal 1, AH
    00 00 0008 01 03 0000
    05 00 0014 505152535455565758595a5b5c5d5e5f     # NONCE
    05 00 0010 04 00 0000 0a010000 ffff0000         # IDci 10.1.0.0/16
    15 00 0018 05 11 06a5 20010db8000000000000000000000001 # IDcr, UDP port 1701
    0b 00 000c 01 000000 c0000207                   # NAT-OA 192.0.2.7
    00 00 001c 00000001 01 10 6002 0102030405060708 1112131415161718 # INITIAL-CONTACT
    00000000 0000";

/// An Informational in clear: a notify and a delete.
pub(crate) const INFORMATIONAL: &str = "
    0102030405060708 1112131415161718 0b 10 05 00 a1b2c3d4 00000040
    0c 00 0010 00000001 01 00 000e 6e6f7065         # NO-PROPOSAL-CHOSEN
    00 00 0014 00000001 03 04 0002 00000100 00000200 # DELETE
";

pub(crate) fn octets(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

pub(crate) fn attribute() -> impl Strategy<Value = Attribute> {
    (
        0..0x8000u16,
        prop_oneof![
            any::<u16>().prop_map(AttributeValue::Basic),
            octets(20).prop_map(AttributeValue::Variable)
        ],
    )
        .prop_map(|(class, value)| Attribute { class, value })
}

pub(crate) fn transform() -> impl Strategy<Value = Transform> {
    (any::<u8>(), any::<u8>(), vec(attribute(), 0..8)).prop_map(|(number, id, attributes)| Transform {
        number,
        id,
        attributes,
    })
}

pub(crate) fn spi() -> impl Strategy<Value = SpiBytes> {
    octets(17).prop_map(|octets| SpiBytes::new(&octets).unwrap())
}

pub(crate) fn sa() -> impl Strategy<Value = SecurityAssociation> {
    let proposal = (any::<u8>(), any::<u8>(), spi(), vec(transform(), 1..5)).prop_map(
        |(number, protocol, spi, transforms)| Proposal {
            number,
            protocol: ProtocolId(protocol),
            spi,
            transforms,
        },
    );
    vec(proposal, 1..5).prop_map(SecurityAssociation::new)
}

pub(crate) fn id() -> impl Strategy<Value = Id> {
    let value = prop_oneof![
        any::<IpAddr>().prop_map(IdValue::Address),
        any::<(IpAddr, u8)>().prop_map(|(a, n)| IdValue::network(a, n)),
        any::<[[u8; 4]; 2]>().prop_map(|[a, b]| IdValue::Ipv4Range(a.into(), b.into())),
        any::<[[u8; 4]; 2]>().prop_map(|[a, b]| IdValue::Ipv4Subnet(a.into(), b.into())),
        any::<[[u8; 16]; 2]>().prop_map(|[a, b]| IdValue::Ipv6Range(a.into(), b.into())),
        any::<[[u8; 16]; 2]>().prop_map(|[a, b]| IdValue::Ipv6Subnet(a.into(), b.into())),
        octets(40).prop_map(IdValue::Fqdn),
        octets(40).prop_map(IdValue::UserFqdn),
        octets(40).prop_map(IdValue::DerAsn1Dn),
        octets(40).prop_map(IdValue::KeyId),
        (12u8.., octets(40)).prop_map(|(kind, data)| IdValue::Other(IdType(kind), data)),
    ];
    (any::<u8>(), any::<u16>(), value).prop_map(|(protocol, port, value)| Id {
        protocol: IpProtocol(protocol),
        port,
        value,
    })
}

pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    let numbers = || prop_oneof![Just(NatNumbers::Rfc3947), Just(NatNumbers::Draft)];
    prop_oneof![
        sa().prop_map(Payload::Sa),
        vec(any::<u8>(), 1..600).prop_map(|o| Payload::KeyExchange(KeyExchange(o))),
        id().prop_map(Payload::Id),
        (any::<u8>(), octets(300)).prop_map(|(encoding, data)| {
            Payload::Certificate(Certificate { encoding: CertEncoding(encoding), data })
        }),
        (any::<u8>(), octets(100)).prop_map(|(encoding, authority)| {
            Payload::CertificateRequest(CertificateRequest { encoding: CertEncoding(encoding), authority })
        }),
        vec(any::<u8>(), 16..=64).prop_map(|o| Payload::Hash(Hash(o))),
        vec(any::<u8>(), 1..600).prop_map(|o| Payload::Signature(Signature(o))),
        vec(any::<u8>(), 8..=256).prop_map(|o| Payload::Nonce(Nonce(o))),
        (any::<(u32, u8, u16)>(), spi(), octets(50)).prop_map(|((doi, protocol, kind), spi, data)| {
            Payload::Notify(Notify {
                doi: Doi(doi),
                protocol: ProtocolId(protocol),
                spi,
                kind: NotifyType(kind),
                data,
            })
        }),
        (any::<u8>(), 1..=16usize, 0..9usize, any::<[u8; 16]>()).prop_map(|(protocol, size, n, seed)| {
            let spi = SpiBytes::new(&seed[..size]).unwrap();
            Payload::Delete(Delete::new(ProtocolId(protocol), vec![spi; n]))
        }),
        octets(40).prop_map(|o| Payload::Vendor(VendorId(o))),
        (numbers(), vec(any::<u8>(), 16..=64))
            .prop_map(|(numbers, hash)| Payload::NatDiscovery(NatDiscovery { numbers, hash })),
        (numbers(), any::<IpAddr>())
            .prop_map(|(numbers, address)| Payload::NatOriginal(NatOriginal { numbers, address })),
        (133u8.., octets(40)).prop_map(|(kind, o)| Payload::Other(PayloadType(kind), o)),
    ]
}
