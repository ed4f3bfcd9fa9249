//! Packets in: where AH or ESP stands in a packet, and what each mode makes of what was inside (RFC 4301 §5.1.2.2,
//! RFC 4302 §3.4, RFC 4303 §3.4, RFC 3948 §3, RFC 7402 appendix B).

use core::ops::Range;
use std::net::SocketAddr;

use ipsec_proto::ip::{
    Addresses, Fragment, Header, IPV4_HEADER_LEN, Packet, UDP_HEADER_LEN, Version, adjust_transport_checksum,
    clear_udp_checksum, refit, renew_transport_checksum, set_traffic_class,
};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::udp_encap::{Datagram, classify};
use ipsec_proto::{Path, Spi, ah, esp};

use super::encapsulate::BEET_PROTOCOL;
use crate::batch::Meta;
use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::sad::{Mode, PairId, ProtocolKind, Sa, TransportChecksum};
use crate::verdict::Encap;

/// A protected packet, as found in a buffer.
#[derive(Clone)]
pub(super) struct Arrival {
    /// From the AH or ESP header to the packet's end.
    pub(super) range: Range<usize>,
    pub(super) kind: ProtocolKind,
    pub(super) spi: Spi,
    /// The lower half of the sequence number.
    pub(super) sequence: u32,
    pub(super) path: Path,
    pub(super) encap: Encap,
    pub(super) traffic_class: Option<u8>,
    /// The headers in front of it, where they are to be seen.
    pub(super) outer: Option<Outer>,
    /// The SA that it came out of.
    pub(super) within: Option<PairId>,
}

/// The headers in front of AH, ESP or UDP.
#[derive(Clone)]
pub(super) struct Outer {
    pub(super) range: Range<usize>,
    pub(super) version: Version,
    /// Where in them the octet stands that names what follows.
    next_header_at: usize,
    hop_limit: u8,
    dont_fragment: bool,
}

/// A packet that holds nothing we can process, with what is to be seen of it.
pub(super) struct Unfit {
    pub(super) reason: DropReason,
    pub(super) path: Option<Path>,
    pub(super) spi: Option<Spi>,
}

impl From<DropReason> for Unfit {
    fn from(reason: DropReason) -> Self {
        Self { reason, path: None, spi: None }
    }
}

impl Arrival {
    /// A packet from the network, at `range` of `part`.
    #[inline]
    pub(super) fn new(meta: Meta, part: &[u8], range: Range<usize>) -> Result<Self, Unfit> {
        let octets = part.get(range.clone()).unwrap_or_default();
        match meta {
            Meta::Wire { path, encap, traffic_class } => {
                let unfit = Unfit { reason: DropReason::MalformedEsp, path: Some(path), spi: None };
                let (header, _) = esp::Header::parse(octets).map_err(|_| unfit)?;
                let esp::Header { spi, sequence } = header;
                let kind = ProtocolKind::Esp;
                Ok(Self { range, kind, spi, sequence, path, encap, traffic_class, outer: None, within: None })
            }
            Meta::Packet => {
                let packet = Packet::parse(octets).map_err(|_| DropReason::MalformedPacket)?;
                Self::in_packet(&packet, range.start)
            }
            _ => Err(DropReason::MalformedEsp.into()),
        }
    }

    /// The protected packet in an IP packet that begins at `start`.
    fn in_packet(packet: &Packet<'_>, start: usize) -> Result<Self, Unfit> {
        let end = |ip| SocketAddr::new(ip, 0);
        let mut path = Path::new(end(packet.destination()), end(packet.source()));
        let (mut payload, mut at, mut encap) = (packet.payload(), packet.header_len(), Encap::Raw);
        let unfit = |reason, path, spi| Unfit { reason, path: Some(path), spi };
        if packet.fragment() != Fragment::Whole {
            let spi = match packet.protocol() {
                IpProtocol::ESP => esp::Header::parse(payload).ok().map(|(header, _)| header.spi),
                IpProtocol::AH => ah::View::parse(payload).ok().map(|view| view.header.spi),
                _ => None,
            };
            let is_first = matches!(packet.fragment(), Fragment::First { .. });
            return Err(unfit(DropReason::Fragmented, path, spi.filter(|_| is_first)));
        }
        if packet.protocol() == IpProtocol::UDP {
            let [a, b, c, d, ..] = *payload else {
                return Err(unfit(DropReason::MalformedEsp, path, None));
            };
            path.remote.set_port(u16::from_be_bytes([a, b]));
            path.local.set_port(u16::from_be_bytes([c, d]));
            match payload.get(UDP_HEADER_LEN..).map(classify) {
                Some(Datagram::Esp(esp)) => payload = esp,
                _ => return Err(unfit(DropReason::MalformedEsp, path, None)),
            }
            (at, encap) = (at + UDP_HEADER_LEN, Encap::Udp);
        }
        let (kind, spi, sequence) = match packet.protocol() {
            IpProtocol::AH => {
                let view =
                    ah::View::parse(payload).map_err(|_| unfit(DropReason::MalformedAh, path, None))?;
                (ProtocolKind::Ah, view.header.spi, view.header.sequence)
            }
            IpProtocol::ESP | IpProtocol::UDP => {
                let (header, _) =
                    esp::Header::parse(payload).map_err(|_| unfit(DropReason::MalformedEsp, path, None))?;
                (ProtocolKind::Esp, header.spi, header.sequence)
            }
            _ => return Err(unfit(DropReason::MalformedEsp, path, None)),
        };
        Ok(Self {
            range: start + at..start + packet.total_len(),
            kind,
            spi,
            sequence,
            path,
            encap,
            traffic_class: Some(packet.traffic_class()),
            outer: Some(Outer {
                range: start..start + packet.header_len(),
                version: packet.version(),
                next_header_at: packet.next_header_at(),
                hop_limit: packet.hop_limit(),
                dont_fragment: packet.version() == Version::V4 && packet.dont_fragment(),
            }),
            within: None,
        })
    }

    /// The next layer of nesting: AH or ESP in what came out of `pair`'s SA, if it is that.
    pub(super) fn nested(part: &[u8], range: Range<usize>, pair: PairId) -> Option<Self> {
        let packet = Packet::parse(part.get(range.clone())?).ok()?;
        let arrival = Self::in_packet(&packet, range.start).ok()?;
        Some(Self { within: Some(pair), ..arrival })
    }

    /// Its number in IP headers.
    pub(super) const fn protocol(&self) -> IpProtocol {
        match self.kind {
            ProtocolKind::Esp => IpProtocol::ESP,
            ProtocolKind::Ah => IpProtocol::AH,
        }
    }
}

/// What was inside a verified packet.
pub(super) struct Inside {
    /// In the packet's part of the arena.
    pub(super) range: Range<usize>,
    pub(super) next_header: IpProtocol,
}

/// Finds what was inside, behind the AH or between ESP's header and trailer.
#[inline]
pub(super) fn inside(part: &[u8], sa: &Sa, arrival: &Arrival) -> Result<Inside, DropReason> {
    let (range, next_header) = match sa.kind {
        ProtocolKind::Esp => {
            let text = super::esp::text_range(&arrival.range, sa);
            let octets = part.get(text.clone()).ok_or(DropReason::MalformedEsp)?;
            let trailer = esp::Trailer::parse(octets).map_err(|_| DropReason::BadPadding)?;
            (text.start..text.start + trailer.payload_len, trailer.next_header)
        }
        ProtocolKind::Ah => {
            let octets = part.get(arrival.range.clone()).ok_or(DropReason::MalformedAh)?;
            let view = ah::View::parse(octets).map_err(|_| DropReason::MalformedAh)?;
            (arrival.range.end - view.payload.len()..arrival.range.end, view.header.next_header)
        }
    };
    if next_header == IpProtocol::IPV6_NO_NEXT {
        return Err(DropReason::Dummy);
    }
    Ok(Inside { range, next_header })
}

/// Makes the IP packet of what was inside: where it lies, octets behind its own length included.
#[inline]
pub(super) fn restore(
    part: &mut [u8],
    sa: &Sa,
    arrival: &Arrival,
    inside: Inside,
) -> Result<Range<usize>, DropReason> {
    let Inside { range, next_header } = inside;
    match &sa.mode {
        Mode::Tunnel(_) => {
            let version = match next_header {
                IpProtocol::IPV4 => 4,
                IpProtocol::IPV6 => 6,
                _ => return Err(DropReason::WrongNextHeader),
            };
            let first = part.get(range.clone()).and_then(|octets| octets.first());
            if first.is_none_or(|first| first >> 4 != version) {
                return Err(DropReason::MalformedInner);
            }
            Ok(range)
        }
        Mode::Transport { .. } => match &arrival.outer {
            Some(outer) => {
                let start = range.start.checked_sub(outer.range.len()).ok_or(DropReason::NoRoom)?;
                part.copy_within(outer.range.clone(), start);
                let packet = part.get_mut(start..range.end).ok_or(DropReason::NoRoom)?;
                if refit(packet, outer.next_header_at, next_header) {
                    Ok(start..range.end)
                } else {
                    Err(DropReason::MalformedInner)
                }
            }
            None => {
                let Path { local, remote } = arrival.path;
                let addresses = Addresses::new(remote.ip(), local.ip()).ok_or(DropReason::MalformedInner)?;
                prepend(part, arrival, addresses, range, next_header)
            }
        },
        Mode::Beet { local, remote } => {
            let addresses = Addresses::new(*remote, *local).ok_or(DropReason::MalformedInner)?;
            if next_header == BEET_PROTOCOL {
                prepend_with_options(part, arrival, addresses, range)
            } else {
                prepend(part, arrival, addresses, range, next_header)
            }
        }
    }
}

/// Puts a header in front of `range`, with what the outer one says.
fn prepend(
    part: &mut [u8],
    arrival: &Arrival,
    addresses: Addresses,
    range: Range<usize>,
    protocol: IpProtocol,
) -> Result<Range<usize>, DropReason> {
    let mut header = Header::new(addresses, protocol);
    header.traffic_class = arrival.traffic_class.unwrap_or(0);
    if let Some(outer) = &arrival.outer {
        (header.hop_limit, header.dont_fragment) = (outer.hop_limit, outer.dont_fragment);
    }
    let start = range.start.checked_sub(header.header_len()).ok_or(DropReason::NoRoom)?;
    let packet = part.get_mut(start..range.end).ok_or(DropReason::NoRoom)?;
    header.emit(range.len(), packet).map_err(|_| DropReason::MalformedInner)?;
    Ok(start..range.end)
}

/// BEET's pseudo header with IPv4 options: a header in front of them, which they belong to (RFC 7402 §B.1.7).
fn prepend_with_options(
    part: &mut [u8],
    arrival: &Arrival,
    addresses: Addresses,
    range: Range<usize>,
) -> Result<Range<usize>, DropReason> {
    let octets = part.get(range.clone()).unwrap_or_default();
    let [next_header, units, padding, _, ..] = *octets else { return Err(DropReason::MalformedInner) };
    let end = (usize::from(units) + 1) * 8;
    let begin = 4 + usize::from(padding);
    let length = end.checked_sub(begin).ok_or(DropReason::MalformedInner)?;
    let fits = end <= range.len() && length.is_multiple_of(4) && length <= 40;
    if !fits || !matches!(addresses, Addresses::V4 { .. }) {
        return Err(DropReason::MalformedInner);
    }
    let options = range.start + begin;
    let whole = prepend(part, arrival, addresses, options..range.end, IpProtocol(next_header))?;
    let packet = part.get_mut(whole.clone()).ok_or(DropReason::NoRoom)?;
    if let Some(first) = packet.first_mut() {
        *first = 0x40 | ((IPV4_HEADER_LEN + length) / 4) as u8;
    }
    if refit(packet, 9, IpProtocol(next_header)) { Ok(whole) } else { Err(DropReason::MalformedInner) }
}

/// A packet that may be delivered.
pub(super) struct Opened {
    pub(super) range: Range<usize>,
    /// AH or ESP once more, which another SA may be for.
    pub(super) is_protected: bool,
    pub(super) source_route: bool,
    pub(super) is_v6: bool,
}

/// Checks the packet that came out of an SA, and finishes its header and checksums.
#[inline]
pub(super) fn check(
    part: &mut [u8],
    sa: &Sa,
    arrival: &Arrival,
    range: Range<usize>,
) -> Result<Opened, (DropReason, Option<Flow>)> {
    let octets = part.get_mut(range.clone()).ok_or((DropReason::MalformedInner, None))?;
    // What follows the packet's own length is TFC padding (RFC 4303 §2.7).
    let packet = Packet::parse(octets).map_err(|_| (DropReason::MalformedInner, None))?;
    let flow = Flow::of(&packet);
    if !sa.selector.matches(&flow, Direction::Inbound) {
        return Err((DropReason::SelectorMismatch, Some(flow)));
    }
    let opened = Opened {
        range: range.start..range.start + packet.total_len(),
        is_protected: matches!(packet.protocol(), IpProtocol::AH | IpProtocol::ESP),
        source_route: packet.has_source_route(),
        is_v6: packet.version() == Version::V6,
    };
    match &sa.mode {
        Mode::Tunnel(options) => {
            let inner = packet.traffic_class();
            if let Some(outer) = arrival.traffic_class {
                let class = options.egress(inner, outer);
                let class = class.ok_or((DropReason::CongestionNotSupported, Some(flow)))?;
                if class != inner {
                    set_traffic_class(octets, class);
                }
            }
        }
        Mode::Transport { checksum } if *checksum != TransportChecksum::Keep => {
            let (header_len, length, protocol) = (packet.header_len(), packet.total_len(), packet.protocol());
            let whole = packet.fragment() == Fragment::Whole;
            let addresses = Addresses::new(packet.source(), packet.destination()).filter(|_| whole);
            if let (Some(addresses), Some(segment)) = (addresses, octets.get_mut(header_len..length)) {
                fix_checksum(*checksum, protocol, segment, &addresses);
            }
        }
        Mode::Transport { .. } | Mode::Beet { .. } => {}
    }
    Ok(opened)
}

/// RFC 3948 §3.1.2.
fn fix_checksum(how: TransportChecksum, protocol: IpProtocol, segment: &mut [u8], addresses: &Addresses) {
    match how {
        TransportChecksum::Keep => {}
        TransportChecksum::Adjust { source, destination } => {
            if let Some(from) = Addresses::new(source, destination) {
                adjust_transport_checksum(protocol, segment, &from, addresses);
            }
        }
        TransportChecksum::Clear
            if protocol == IpProtocol::UDP && matches!(addresses, Addresses::V4 { .. }) =>
        {
            clear_udp_checksum(segment);
        }
        TransportChecksum::Recompute | TransportChecksum::Clear => {
            renew_transport_checksum(protocol, segment, addresses);
        }
    }
}
