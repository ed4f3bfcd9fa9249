//! The view of a packet that policies and SAs are chosen by.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::ip::walk::{NEXT_HEADER_AT, Split, Walked, walk};
use crate::ip::{IPV4_HEADER_LEN, IPV6_HEADER_LEN, checksum};
use crate::registry::IpProtocol;

/// The IP version of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// IPv4 (RFC 791).
    V4,
    /// IPv6 (RFC 8200).
    V6,
}

/// Whether a packet is a fragment, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fragment {
    /// A whole packet. An IPv6 fragment header with offset 0 and no more fragments says the same (RFC 6946).
    Whole,
    /// The first fragment: the next layer's header may be there, more follows.
    First {
        /// The identification all fragments share; 16 bits in IPv4.
        id: u32,
    },
    /// A later fragment: the next layer's header is not in it.
    Later {
        /// The identification all fragments share.
        id: u32,
        /// Octets of the original payload before this fragment: a multiple of 8, above 0.
        offset: u16,
        /// Whether more fragments follow.
        more: bool,
    },
}

impl Fragment {
    /// From the fields; `offset` in octets.
    pub(super) const fn new(id: u32, offset: u16, more: bool) -> Self {
        match (offset, more) {
            (0, false) => Self::Whole,
            (0, true) => Self::First { id },
            (offset, more) => Self::Later { id, offset, more },
        }
    }
}

/// The fields of the next layer that policies select by (RFC 4301 §4.4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextLayer {
    /// TCP, UDP, UDP-Lite, SCTP or DCCP.
    Ports {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// ICMP or ICMPv6.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
    },
    /// The Mobility Header (RFC 6275 §6.1).
    Mobility {
        /// Message type.
        kind: u8,
    },
    /// A protocol without such fields.
    Other,
    /// The fields exist but are not in this packet: a later fragment, or too few octets.
    Opaque,
}

/// A packet, checked: all its lengths lie within the octets given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    octets: &'a [u8],
    trailing: &'a [u8],
    source: IpAddr,
    destination: IpAddr,
    protocol: IpProtocol,
    header_len: usize,
    traffic_class: u8,
    hop_limit: u8,
    fragment: Fragment,
    dont_fragment: bool,
}

const DCCP: IpProtocol = IpProtocol(33);
/// Where IPv4 names the protocol.
const IPV4_PROTOCOL_AT: usize = 9;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

impl<'a> Packet<'a> {
    /// Reads the headers up to the next layer. Octets beyond the packet's own length are kept apart as
    /// [`Packet::trailing`]. An IPv4 header's checksum is not verified here: see [`Packet::is_checksum_ok`].
    ///
    /// # Errors
    /// [`DecodeErrorKind::UnsupportedVersion`] for neither 4 nor 6; lengths that contradict each other or the octets;
    /// hop-by-hop options elsewhere than first; a second fragment header; more than [`MAX_EXTENSION_HEADERS`](crate::ip::MAX_EXTENSION_HEADERS).
    pub fn parse(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let first = Reader::new(octets).u8("IP version")?;
        match first >> 4 {
            4 => Self::parse_v4(octets),
            6 => Self::parse_v6(octets),
            version => {
                let kind = DecodeErrorKind::UnsupportedVersion;
                Err(DecodeError::new(kind, "IP version", 0, u64::from(version)))
            }
        }
    }

    fn parse_v4(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(octets);
        let header_len = usize::from(r.u8("IPv4 header length")? & 0x0f).saturating_mul(4);
        if header_len < IPV4_HEADER_LEN {
            let kind = DecodeErrorKind::BadLength;
            return Err(DecodeError::new(kind, "IPv4 header length", 0, header_len as u64));
        }
        let traffic_class = r.u8("IPv4 TOS")?;
        let total = usize::from(r.u16("IPv4 total length")?);
        let id = r.u16("IPv4 identification")?;
        let flags = r.u16("IPv4 fragment offset")?;
        let hop_limit = r.u8("IPv4 TTL")?;
        let protocol = IpProtocol(r.u8("IPv4 protocol")?);
        r.u16("IPv4 checksum")?;
        let source = Ipv4Addr::from(r.array::<4>("IPv4 source")?);
        let destination = Ipv4Addr::from(r.array::<4>("IPv4 destination")?);
        r.take("IPv4 options", header_len.saturating_sub(IPV4_HEADER_LEN))?;
        if total < header_len {
            return Err(DecodeError::new(DecodeErrorKind::BadLength, "IPv4 total length", 2, total as u64));
        }
        let (octets, trailing) = split(octets, total, "IPv4 total length", 2, total)?;
        Ok(Self {
            octets,
            trailing,
            source: source.into(),
            destination: destination.into(),
            protocol,
            header_len,
            traffic_class,
            hop_limit,
            // The offset counts 8 octets; its upper three bits are flags.
            fragment: Fragment::new(u32::from(id), (flags & 0x1fff) << 3, flags & 0x2000 != 0),
            dont_fragment: flags & 0x4000 != 0,
        })
    }

    fn parse_v6(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(octets);
        let word = r.u32("IPv6 traffic class")?;
        let payload = usize::from(r.u16("IPv6 payload length")?);
        let first = IpProtocol(r.u8("IPv6 next header")?);
        let hop_limit = r.u8("IPv6 hop limit")?;
        let source = Ipv6Addr::from(r.array::<16>("IPv6 source")?);
        let destination = Ipv6Addr::from(r.array::<16>("IPv6 destination")?);
        let total = payload.saturating_add(IPV6_HEADER_LEN);
        let (octets, trailing) = split(octets, total, "IPv6 payload length", 4, payload)?;
        let mut r = Reader::at(octets.get(IPV6_HEADER_LEN..).unwrap_or_default(), IPV6_HEADER_LEN);
        let Walked { protocol, fragment, .. } = walk(first, &mut r)?;
        Ok(Self {
            octets,
            trailing,
            source: source.into(),
            destination: destination.into(),
            protocol,
            header_len: r.offset(),
            traffic_class: (word >> 20) as u8,
            hop_limit,
            fragment,
            dont_fragment: true,
        })
    }

    /// The IP version.
    #[must_use]
    pub const fn version(&self) -> Version {
        match self.source {
            IpAddr::V4(_) => Version::V4,
            IpAddr::V6(_) => Version::V6,
        }
    }

    /// Source address.
    #[must_use]
    pub const fn source(&self) -> IpAddr {
        self.source
    }

    /// Destination address.
    #[must_use]
    pub const fn destination(&self) -> IpAddr {
        self.destination
    }

    /// The next layer's protocol: what follows all extension headers, or the fragment header of a later fragment.
    #[must_use]
    pub const fn protocol(&self) -> IpProtocol {
        self.protocol
    }

    /// Octets before the next layer: the header with its options or extension headers.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        self.header_len
    }

    /// The extension headers once more, IPv6; they were walked before, so that nothing is wrong with them.
    fn walked(&self) -> Option<Walked> {
        let first = self.octets.get(NEXT_HEADER_AT)?;
        let mut r = Reader::at(self.octets.get(IPV6_HEADER_LEN..)?, IPV6_HEADER_LEN);
        walk(IpProtocol(*first), &mut r).ok()
    }

    /// Where the octet stands that names the next layer: in the fixed header, or in the last extension header.
    #[must_use]
    pub fn next_header_at(&self) -> usize {
        match self.version() {
            Version::V4 => IPV4_PROTOCOL_AT,
            Version::V6 => self.walked().map_or(NEXT_HEADER_AT, |walked| walked.next_header_at),
        }
    }

    /// Where transport mode cuts the packet.
    #[must_use]
    pub fn split(&self) -> Split {
        let whole_header =
            Split { at: self.header_len, next_header_at: self.next_header_at(), protocol: self.protocol };
        match self.version() {
            Version::V4 => whole_header,
            Version::V6 => self.walked().map_or(whole_header, |walked| walked.split),
        }
    }

    /// Whether the packet has options (IPv4) or extension headers (IPv6).
    #[must_use]
    pub const fn is_extended(&self) -> bool {
        match self.source {
            IpAddr::V4(_) => self.header_len > IPV4_HEADER_LEN,
            IpAddr::V6(_) => self.header_len > IPV6_HEADER_LEN,
        }
    }

    /// Whether IPv6 has a fragment header, which a whole packet may have too (RFC 6946).
    #[must_use]
    pub fn has_fragment_header(&self) -> bool {
        self.version() == Version::V6
            && self.is_extended()
            && self.walked().is_some_and(|walked| walked.fragmented)
    }

    /// Whether the packet says by which way it wants to go: loose or strict source route of IPv4, the routing header of
    /// type 0 of IPv6, which RFC 5095 has abolished. Malformed IPv4 options end the search.
    #[must_use]
    pub fn has_source_route(&self) -> bool {
        if !self.is_extended() {
            return false;
        }
        match self.version() {
            Version::V4 => {
                let mut options = self.octets.get(IPV4_HEADER_LEN..self.header_len).unwrap_or_default();
                while let Some((&kind, rest)) = options.split_first() {
                    let length = match (kind, rest.first()) {
                        (0, _) => return false,
                        (LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE, _) => return true,
                        (1, _) => 1,
                        (_, Some(&length)) if length >= 2 => usize::from(length),
                        _ => return false,
                    };
                    options = options.get(length..).unwrap_or_default();
                }
                false
            }
            Version::V6 => self.walked().is_some_and(|walked| walked.source_route),
        }
    }

    /// Octets of the whole packet, as its length field says.
    #[must_use]
    pub const fn total_len(&self) -> usize {
        self.octets.len()
    }

    /// The octets of the packet, without trailing ones.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The flow label of an IPv6 packet (RFC 8200 §3).
    #[must_use]
    pub fn flow_label(&self) -> Option<u32> {
        match self.version() {
            Version::V4 => None,
            Version::V6 => self.octets.first_chunk().map(|word| u32::from_be_bytes(*word) & 0xf_ffff),
        }
    }

    /// The next layer's octets.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.octets.get(self.header_len..).unwrap_or_default()
    }

    /// Octets that were given beyond the packet's end: link padding, or TFC padding inside ESP (RFC 4303 §2.7).
    #[must_use]
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    /// The eight bits of DSCP and ECN: the IPv4 TOS octet or the IPv6 traffic class.
    #[must_use]
    pub const fn traffic_class(&self) -> u8 {
        self.traffic_class
    }

    /// The upper six bits of the traffic class (RFC 2474 §3).
    #[must_use]
    pub const fn dscp(&self) -> u8 {
        self.traffic_class >> 2
    }

    /// The lower two bits of the traffic class (RFC 3168 §5).
    #[must_use]
    pub const fn ecn(&self) -> u8 {
        self.traffic_class & 3
    }

    /// TTL or hop limit.
    #[must_use]
    pub const fn hop_limit(&self) -> u8 {
        self.hop_limit
    }

    /// Whether routers must not fragment the packet: IPv4's DF bit; always so in IPv6.
    #[must_use]
    pub const fn dont_fragment(&self) -> bool {
        self.dont_fragment
    }

    /// Whether the packet is a fragment.
    #[must_use]
    pub const fn fragment(&self) -> Fragment {
        self.fragment
    }

    /// Whether an IPv4 header's checksum is right; IPv6 has none, so it always is.
    #[must_use]
    pub fn is_checksum_ok(&self) -> bool {
        match self.version() {
            Version::V4 => checksum(self.octets.get(..self.header_len).unwrap_or_default()) == 0,
            Version::V6 => true,
        }
    }

    /// Ports, ICMP type and code, or Mobility Header type.
    #[must_use]
    pub fn next_layer(&self) -> NextLayer {
        let mut r = Reader::new(match self.fragment {
            Fragment::Later { .. } => &[],
            _ => self.payload(),
        });
        match self.protocol {
            IpProtocol::TCP | IpProtocol::UDP | IpProtocol::UDPLITE | IpProtocol::SCTP | DCCP => {
                match (r.u16("source port"), r.u16("destination port")) {
                    (Ok(source), Ok(destination)) => NextLayer::Ports { source, destination },
                    _ => NextLayer::Opaque,
                }
            }
            IpProtocol::ICMP | IpProtocol::ICMPV6 => match (r.u8("ICMP type"), r.u8("ICMP code")) {
                (Ok(kind), Ok(code)) => NextLayer::Icmp { kind, code },
                _ => NextLayer::Opaque,
            },
            IpProtocol::MOBILITY => match r.array::<3>("MH type") {
                Ok([_, _, kind]) => NextLayer::Mobility { kind },
                Err(_) => NextLayer::Opaque,
            },
            _ => NextLayer::Other,
        }
    }
}

/// Splits `octets` after `total`; the length field at `at` held `value`.
fn split<'a>(
    octets: &'a [u8],
    total: usize,
    field: &'static str,
    at: usize,
    value: usize,
) -> Result<(&'a [u8], &'a [u8]), DecodeError> {
    octets.split_at_checked(total).ok_or_else(|| {
        let kind = DecodeErrorKind::Truncated { need: total, have: octets.len() };
        DecodeError::new(kind, field, at, value as u64)
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::ip::{Addresses, Header, MAX_EXTENSION_HEADERS};

    fn v4(protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
        let addresses = Addresses::V4 {
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::new(198, 51, 100, 2),
        };
        packet(addresses, protocol, payload)
    }

    fn v6(protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
        let addresses = Addresses::V6 {
            source: "2001:db8::1".parse().unwrap(),
            destination: "2001:db8::2".parse().unwrap(),
        };
        packet(addresses, protocol, payload)
    }

    fn packet(addresses: Addresses, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
        let header = Header { traffic_class: 0xb9, ..Header::new(addresses, protocol) };
        let mut out = vec![0; header.header_len()];
        header.emit(payload.len(), &mut out).unwrap();
        out.extend(payload);
        out
    }

    #[test]
    fn an_ipv4_packet_reads_back() {
        let mut octets = v4(IpProtocol::UDP, &[0x01, 0xf4, 0x11, 0x94, 0, 8, 0, 0]);
        octets.extend([0xaa; 3]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(
            (packet.version(), packet.protocol(), packet.header_len()),
            (Version::V4, IpProtocol::UDP, 20)
        );
        assert_eq!((packet.total_len(), packet.trailing(), packet.payload().len()), (28, &[0xaa; 3][..], 8));
        assert_eq!((packet.dscp(), packet.ecn(), packet.hop_limit()), (46, 1, 64));
        assert_eq!(packet.next_layer(), NextLayer::Ports { source: 500, destination: 4500 });
        assert_eq!((packet.fragment(), packet.dont_fragment()), (Fragment::Whole, false));
        assert!(packet.is_checksum_ok());
        octets[8] ^= 1;
        assert!(!Packet::parse(&octets).unwrap().is_checksum_ok());
    }

    #[test]
    fn ipv6_extension_headers_are_walked() {
        let chain = [
            60, 0, 0, 0, 0, 0, 0, 0, // hop-by-hop
            43, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // destination options
            44, 0, 0, 0, 0, 0, 0, 0, // routing
            58, 0, 0, 1, 0, 0, 0, 9, // first fragment
            128, 0, 1, 2, // ICMPv6
        ];
        let octets = v6(IpProtocol::HOPOPT, &chain);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!((packet.protocol(), packet.header_len()), (IpProtocol::ICMPV6, 80));
        assert_eq!(packet.fragment(), Fragment::First { id: 9 });
        assert_eq!(packet.next_layer(), NextLayer::Icmp { kind: 128, code: 0 });
        assert_eq!((packet.traffic_class(), packet.version()), (0xb9, Version::V6));
        // Transport mode leaves the options before the routing header and that one outside.
        let split = Split { at: 72, next_header_at: 64, protocol: IpProtocol::IPV6_FRAG };
        assert_eq!((packet.split(), packet.next_header_at()), (split, 72));
        assert!(packet.has_source_route() && packet.has_fragment_header() && packet.is_extended());
    }

    #[test]
    fn later_fragments_are_opaque() {
        let octets = v6(IpProtocol::IPV6_FRAG, &[17, 0, 0, 9, 0, 0, 0, 7, 1, 2, 3, 4]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.fragment(), Fragment::Later { id: 7, offset: 8, more: true });
        assert_eq!((packet.protocol(), packet.next_layer()), (IpProtocol::UDP, NextLayer::Opaque));
        let mut octets = v4(IpProtocol::TCP, &[0; 20]);
        octets[6..8].copy_from_slice(&[0x00, 0x02]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.fragment(), Fragment::Later { id: 0, offset: 16, more: false });
        assert_eq!(packet.next_layer(), NextLayer::Opaque);
        octets[6..8].copy_from_slice(&[0x20, 0x00]);
        assert_eq!(Packet::parse(&octets).unwrap().fragment(), Fragment::First { id: 0 });
    }

    #[test]
    fn an_atomic_fragment_is_whole() {
        let octets = v6(IpProtocol::IPV6_FRAG, &[17, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 2, 0, 8, 0, 0]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.fragment(), Fragment::Whole);
        assert_eq!(packet.next_layer(), NextLayer::Ports { source: 1, destination: 2 });
    }

    #[test]
    fn contradictions_are_refused() {
        let error = |octets: &[u8]| Packet::parse(octets).unwrap_err();
        assert_eq!(error(&[]).kind, DecodeErrorKind::Truncated { need: 1, have: 0 });
        assert_eq!(error(&[0x50; 40]).value, 5);
        let mut octets = v4(IpProtocol::UDP, &[0; 8]);
        octets[0] = 0x44;
        assert_eq!(error(&octets).field, "IPv4 header length");
        octets[0] = 0x4f;
        assert_eq!(error(&octets).field, "IPv4 options");
        octets[0] = 0x45;
        octets[3] = 19;
        assert_eq!((error(&octets).kind, error(&octets).value), (DecodeErrorKind::BadLength, 19));
        octets[3] = 29;
        assert_eq!(error(&octets).kind, DecodeErrorKind::Truncated { need: 29, have: 28 });
        let octets = v6(IpProtocol::IPV6_OPTS, &[0, 0, 0, 0, 0, 0, 0, 0, 59, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((error(&octets).field, error(&octets).at), ("IPv6 hop-by-hop options", 48));
        let octets =
            v6(IpProtocol::IPV6_FRAG, &[44, 0, 0, 1, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((error(&octets).field, error(&octets).at), ("IPv6 second fragment header", 48));
        let octets = v6(IpProtocol::IPV6_OPTS, &[60, 9, 0, 0, 0, 0, 0, 0]);
        assert_eq!((error(&octets).field, error(&octets).at), ("IPv6 extension header", 42));
    }

    #[test]
    fn transport_mode_protects_options_for_the_last_destination() {
        let options = [59, 0, 1, 4, 0, 0, 0, 0];
        let octets = v6(IpProtocol::IPV6_OPTS, &options);
        let split = Packet::parse(&octets).unwrap().split();
        assert_eq!(split, Split { at: 40, next_header_at: 6, protocol: IpProtocol::IPV6_OPTS });
        let octets = v4(IpProtocol::UDP, &[0; 8]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.split(), Split { at: 20, next_header_at: 9, protocol: IpProtocol::UDP });
        assert!(!packet.is_extended() && !packet.has_source_route());
    }

    #[test]
    fn source_routes_are_seen_among_other_options() {
        for (options, expected) in [
            ([1, 1, 131, 3, 4, 0, 0, 0], true),
            ([148, 4, 0, 0, 137, 3, 4, 0], true),
            ([148, 4, 0, 0, 0, 137, 3, 4], false),
            ([148, 0, 0, 0, 137, 3, 4, 0], false),
            ([7, 8, 4, 137, 131, 0, 0, 0], false),
        ] {
            let mut octets = v4(IpProtocol::UDP, &options);
            octets[0] = 0x47;
            assert_eq!(Packet::parse(&octets).unwrap().has_source_route(), expected, "{options:?}");
        }
        let mobile = v6(IpProtocol::IPV6_ROUTE, &[59, 0, 2, 0, 0, 0, 0, 0]);
        assert!(!Packet::parse(&mobile).unwrap().has_source_route());
    }

    #[test]
    fn extension_headers_are_capped() {
        let chain = |n: usize| [[60, 0, 0, 0, 0, 0, 0, 0]; 1].repeat(n).concat();
        let mut fits = chain(MAX_EXTENSION_HEADERS);
        fits[(MAX_EXTENSION_HEADERS - 1) * 8] = 59;
        let octets = v6(IpProtocol::IPV6_OPTS, &fits);
        assert_eq!(Packet::parse(&octets).unwrap().protocol(), IpProtocol::IPV6_NO_NEXT);
        let octets = v6(IpProtocol::IPV6_OPTS, &chain(MAX_EXTENSION_HEADERS + 1));
        let kind = DecodeErrorKind::TooMany { limit: MAX_EXTENSION_HEADERS };
        assert_eq!(Packet::parse(&octets).unwrap_err().kind, kind);
    }

    #[test]
    fn short_next_layers_are_opaque() {
        for (protocol, len) in [(IpProtocol::UDP, 3), (IpProtocol::ICMP, 1), (IpProtocol::MOBILITY, 2)] {
            let octets = v4(protocol, &vec![0; len]);
            assert_eq!(Packet::parse(&octets).unwrap().next_layer(), NextLayer::Opaque);
        }
        let octets = v4(IpProtocol::GRE, &[]);
        assert_eq!(Packet::parse(&octets).unwrap().next_layer(), NextLayer::Other);
        let octets = v6(IpProtocol::MOBILITY, &[59, 0, 5, 0]);
        assert_eq!(Packet::parse(&octets).unwrap().next_layer(), NextLayer::Mobility { kind: 5 });
    }
}
