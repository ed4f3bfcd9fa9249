//! Packets out: what each mode puts in front of a packet, and where ESP or AH goes (RFC 4301 §5.1.2, RFC 4302 §3.1,
//! RFC 4303 §3.1, RFC 3948 §3, RFC 7402 appendix B).

use core::ops::Range;

use ipsec_crypto::{IvGenerator, Job};
use ipsec_proto::ip::{
    Addresses, Fragment, Header, IPV4_HEADER_LEN, Packet, Split, UDP_HEADER_LEN, Version, refit,
};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, esp as wire};

use super::{ah, esp};
use crate::drop::DropReason;
use crate::sad::{Mode, OuterHeader, ProtocolKind, Sa, TunnelOptions};
use crate::verdict::Encap;

/// Of BEET's pseudo header for IPv4 options, without options (RFC 7402 §B.1.7).
const BEET_HEADER_LEN: usize = 4;
/// Its number as a next header.
pub(super) const BEET_PROTOCOL: IpProtocol = IpProtocol(94);
/// An option that does nothing.
const NOP: u8 = 1;

/// What is to be known of a packet before an SA is applied to it.
#[derive(Clone, Copy)]
pub(super) struct Inner {
    /// Octets, as its own length field says.
    pub(super) length: usize,
    pub(super) version: Version,
    pub(super) traffic_class: u8,
    hop_limit: u8,
    pub(super) dont_fragment: bool,
    is_fragment: bool,
    is_extended: bool,
    /// Where transport mode would cut it.
    split: Split,
}

impl Inner {
    #[inline]
    pub(super) fn of(packet: &Packet<'_>) -> Self {
        Self {
            length: packet.total_len(),
            version: packet.version(),
            traffic_class: packet.traffic_class(),
            hop_limit: packet.hop_limit(),
            dont_fragment: packet.dont_fragment(),
            is_fragment: packet.fragment() != Fragment::Whole,
            is_extended: packet.is_extended(),
            split: Split { at: packet.header_len(), next_header_at: 0, protocol: packet.protocol() },
        }
    }

    /// With the cut too, for the modes that make one.
    pub(super) fn with_split(packet: &Packet<'_>) -> Self {
        Self { split: packet.split(), ..Self::of(packet) }
    }

    /// What a dummy packet is to its SA.
    pub(super) const fn dummy(length: usize, version: Version) -> Self {
        Self {
            length,
            version,
            traffic_class: 0,
            hop_limit: 64,
            dont_fragment: true,
            is_fragment: false,
            is_extended: false,
            split: Split { at: 0, next_header_at: 0, protocol: IpProtocol::IPV6_NO_NEXT },
        }
    }
}

/// Whether the packet is traffic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Packet,
    Dummy,
}

/// A packet with everything around it, before it is sealed.
pub(super) struct Laid {
    /// Where it lies then: from its outer header, or from its ESP header if the system writes that one.
    pub(super) range: Range<usize>,
    /// The outer traffic class, if the system writes the outer header.
    pub(super) system_class: Option<u8>,
    /// Where the checksum of UDP in IPv6 is due when the packet is sealed, from the beginning of `range`.
    pub(super) udp_at: Option<usize>,
}

/// The header in front.
enum Front {
    /// The system's.
    None { traffic_class: u8 },
    /// The packet's own, moved.
    Kept { header: Range<usize>, next_header_at: usize },
    /// A new one.
    New(Header),
}

impl Front {
    fn len(&self) -> usize {
        match self {
            Self::None { .. } => 0,
            Self::Kept { header, .. } => header.len(),
            Self::New(header) => header.header_len(),
        }
    }

    /// Writes it in front of `packet`, which is as long as it will be.
    fn emit(&self, part: &mut [u8], packet: Range<usize>, protocol: IpProtocol) -> Result<(), DropReason> {
        match self {
            Self::None { .. } => Ok(()),
            Self::Kept { header, next_header_at } => {
                if packet.end > part.len() {
                    return Err(DropReason::NoRoom);
                }
                part.copy_within(header.clone(), packet.start);
                let packet = part.get_mut(packet).ok_or(DropReason::NoRoom)?;
                if refit(packet, *next_header_at, protocol) { Ok(()) } else { Err(DropReason::NoRoom) }
            }
            Self::New(header) => {
                let header = Header { protocol, ..*header };
                let packet = part.get_mut(packet).ok_or(DropReason::NoRoom)?;
                let behind = packet.len().saturating_sub(header.header_len());
                header.emit(behind, packet).map_err(|_| DropReason::NoRoom)
            }
        }
    }
}

/// What a packet's payload is to its SA.
struct Payload {
    range: Range<usize>,
    next_header: IpProtocol,
}

/// One packet and what it is sealed with.
pub(super) struct Sealing<'a> {
    pub(super) inner: &'a Inner,
    pub(super) content: Content,
    pub(super) sa: &'a Sa,
    pub(super) path: &'a Path,
    pub(super) sequence: u64,
    /// What TFC padding may not pass.
    pub(super) longest: usize,
    /// The next IPv4 identification.
    pub(super) identification: u16,
}

impl<'a> Sealing<'a> {
    /// Lays the packet at `start` of `part` out and gives back the job that seals it.
    ///
    /// # Errors
    /// [`DropReason::NoRoom`], [`DropReason::FragmentInTransport`], [`DropReason::SelectorMismatch`] for an address that is
    /// not BEET's, and AH's.
    #[inline]
    pub(super) fn lay(
        &self,
        part: &'a mut [u8],
        start: usize,
        ivs: &mut IvGenerator,
        headers: &'a mut ah::Headers,
    ) -> Result<(Job<'a>, Laid), DropReason> {
        let (front, payload) = self.cut(part, start)?;
        match self.sa.kind {
            ProtocolKind::Esp => self.lay_esp(part, &front, payload, ivs),
            ProtocolKind::Ah => self.lay_ah(part, &front, &payload, headers),
        }
    }

    /// What goes in front of the ESP or AH header, and what behind.
    #[inline]
    fn cut(&self, part: &mut [u8], start: usize) -> Result<(Front, Payload), DropReason> {
        let Self { inner, sa, .. } = self;
        let whole = start..start + inner.length;
        if self.content == Content::Dummy {
            let front = self.outer(sa.mode.tunnel_options().unwrap_or(&TunnelOptions::USUAL))?;
            return Ok((front, Payload { range: whole, next_header: IpProtocol::IPV6_NO_NEXT }));
        }
        match &sa.mode {
            Mode::Tunnel(options) => {
                let next_header = match inner.version {
                    Version::V4 => IpProtocol::IPV4,
                    Version::V6 => IpProtocol::IPV6,
                };
                Ok((self.outer(options)?, Payload { range: whole, next_header }))
            }
            Mode::Transport { .. } | Mode::Beet { .. } if inner.is_fragment => {
                Err(DropReason::FragmentInTransport)
            }
            Mode::Transport { .. } => {
                let Split { at, next_header_at, protocol } = inner.split;
                let front = if self.writes_header() || inner.is_extended && at > minimal(inner.version) {
                    Front::Kept { header: start..start + at, next_header_at }
                } else {
                    Front::None { traffic_class: inner.traffic_class }
                };
                Ok((front, Payload { range: start + at..whole.end, next_header: protocol }))
            }
            Mode::Beet { local, remote } => {
                let octets = part.get(whole.clone()).unwrap_or_default();
                let is_ours = Packet::parse(octets)
                    .is_ok_and(|packet| packet.source() == *local && packet.destination() == *remote);
                if !is_ours {
                    return Err(DropReason::SelectorMismatch);
                }
                let options = TunnelOptions { hop_limit: crate::sad::HopLimit::Copy, ..TunnelOptions::USUAL };
                Ok((self.outer(&options)?, beet_payload(part, whole, inner)?))
            }
        }
    }

    #[inline]
    fn writes_header(&self) -> bool {
        self.sa.outer_header == OuterHeader::Own || self.sa.within.is_some()
    }

    #[inline]
    fn outer(&self, options: &TunnelOptions) -> Result<Front, DropReason> {
        let traffic_class = options.ingress(self.inner.traffic_class);
        if !self.writes_header() {
            return Ok(Front::None { traffic_class });
        }
        let addresses =
            Addresses::new(self.path.local.ip(), self.path.remote.ip()).ok_or(DropReason::NoRoom)?;
        Ok(Front::New(Header {
            traffic_class,
            hop_limit: options.outer_hop_limit(self.inner.hop_limit),
            identification: self.identification,
            dont_fragment: options.outer_df(self.inner.dont_fragment),
            ..Header::new(addresses, IpProtocol::ESP)
        }))
    }

    #[inline]
    fn lay_esp(
        &self,
        part: &'a mut [u8],
        front: &Front,
        payload: Payload,
        ivs: &mut IvGenerator,
    ) -> Result<(Job<'a>, Laid), DropReason> {
        let Payload { mut range, next_header } = payload;
        let room = part.len().saturating_sub(range.end);
        let padding = match self.content {
            Content::Packet => esp::tfc_padding(self.sa, range.len(), self.longest, room, ivs),
            Content::Dummy => 0,
        };
        if padding > 0 {
            part.get_mut(range.end..range.end + padding).ok_or(DropReason::NoRoom)?.fill(0);
            range.end += padding;
        }
        let in_udp = self.sa.encap == Encap::Udp;
        let (system_class, udp_at) = match front {
            Front::None { traffic_class } => (Some(*traffic_class), None),
            _ => {
                let udp_len = if in_udp { UDP_HEADER_LEN } else { 0 };
                let before = wire::HEADER_LEN + self.sa.layout.iv + udp_len + front.len();
                let start = range.start.checked_sub(before).ok_or(DropReason::NoRoom)?;
                let end = start + front.len() + udp_len + esp::sealed_len(self.sa, range.len());
                let protocol = if in_udp { IpProtocol::UDP } else { IpProtocol::ESP };
                front.emit(part, start..end, protocol)?;
                let udp_at = start + front.len();
                if in_udp {
                    let segment = part.get_mut(udp_at..end).ok_or(DropReason::NoRoom)?;
                    emit_udp(segment, self.path)?;
                }
                (None, Some((start, udp_at)))
            }
        };
        let (job, sealed) = esp::seal_job(part, &range, self.sa, self.sequence, next_header, ivs)?;
        let start = udp_at.map_or(sealed.start, |(start, _)| start);
        // IPv4 has no checksum there (RFC 3948 §2.1).
        let udp_at = udp_at.filter(|_| in_udp && self.path.remote.is_ipv6()).map(|(start, at)| at - start);
        Ok((job, Laid { range: start..sealed.end, system_class, udp_at }))
    }

    fn lay_ah(
        &self,
        part: &'a mut [u8],
        front: &Front,
        payload: &Payload,
        headers: &'a mut ah::Headers,
    ) -> Result<(Job<'a>, Laid), DropReason> {
        let version = match front {
            Front::New(Header { addresses: Addresses::V6 { .. }, .. }) => Version::V6,
            Front::New(_) => Version::V4,
            _ => self.inner.version,
        };
        let at = front.len();
        let before = at + ah::header_len(self.sa, version);
        let start = payload.range.start.checked_sub(before).ok_or(DropReason::NoRoom)?;
        let range = start..payload.range.end;
        front.emit(part, range.clone(), IpProtocol::AH)?;
        let packet = part.get_mut(range.clone()).ok_or(DropReason::NoRoom)?;
        let job = ah::seal_job(packet, at, version, self.sa, self.sequence, payload.next_header, headers)?;
        Ok((job, Laid { range, system_class: None, udp_at: None }))
    }
}

/// Octets of a header without options and extension headers.
const fn minimal(version: Version) -> usize {
    match version {
        Version::V4 => IPV4_HEADER_LEN,
        Version::V6 => ipsec_proto::ip::IPV6_HEADER_LEN,
    }
}

/// The payload of BEET mode: what follows the header, IPv4 options with their pseudo header in front of it.
fn beet_payload(part: &mut [u8], whole: Range<usize>, inner: &Inner) -> Result<Payload, DropReason> {
    let fixed_end = whole.start + minimal(inner.version);
    let header = part.get(whole.clone()).unwrap_or_default();
    let protocol = IpProtocol(
        *header
            .get(match inner.version {
                Version::V4 => 9,
                Version::V6 => 6,
            })
            .ok_or(DropReason::NoRoom)?,
    );
    if inner.version == Version::V6 || !inner.is_extended {
        return Ok(Payload { range: fixed_end..whole.end, next_header: protocol });
    }
    // The pseudo header and the options are a multiple of 8 octets together.
    let options = inner.split.at.saturating_sub(IPV4_HEADER_LEN);
    let padding = (BEET_HEADER_LEN + options) % 8;
    let start = fixed_end - BEET_HEADER_LEN - padding;
    let pseudo = part.get_mut(start..fixed_end).ok_or(DropReason::NoRoom)?;
    let units = (BEET_HEADER_LEN + padding + options) / 8 - 1;
    pseudo.fill(NOP);
    pseudo[..BEET_HEADER_LEN].copy_from_slice(&[protocol.0, units as u8, padding as u8, 0]);
    Ok(Payload { range: start..whole.end, next_header: BEET_PROTOCOL })
}

/// Writes a UDP header without a checksum in front of what follows in `segment`.
fn emit_udp(segment: &mut [u8], path: &Path) -> Result<(), DropReason> {
    let length = u16::try_from(segment.len()).map_err(|_| DropReason::NoRoom)?;
    let header = segment.first_chunk_mut::<UDP_HEADER_LEN>().ok_or(DropReason::NoRoom)?;
    header[0..2].copy_from_slice(&path.local.port().to_be_bytes());
    header[2..4].copy_from_slice(&path.remote.port().to_be_bytes());
    header[4..6].copy_from_slice(&length.to_be_bytes());
    header[6..8].fill(0);
    Ok(())
}

/// The longest inner packet that leaves as one of at most `mtu` octets.
pub(super) fn inner_len(sa: &Sa, path: Path, mtu: usize) -> usize {
    let outer = outer_header_len(path);
    match (sa.kind, &sa.mode) {
        (ProtocolKind::Esp, Mode::Tunnel(_)) => esp::payload_len(sa, mtu.saturating_sub(outer + udp_len(sa))),
        (ProtocolKind::Esp, Mode::Beet { local, .. }) => {
            let inner = if local.is_ipv4() { Version::V4 } else { Version::V6 };
            esp::payload_len(sa, mtu.saturating_sub(outer + udp_len(sa))) + minimal(inner)
        }
        (ProtocolKind::Esp, Mode::Transport { .. }) => {
            esp::payload_len(sa, mtu.saturating_sub(outer + udp_len(sa))) + outer
        }
        (ProtocolKind::Ah, Mode::Tunnel(_)) => mtu.saturating_sub(outer + ah::header_len(sa, family(path))),
        (ProtocolKind::Ah, _) => mtu.saturating_sub(ah::header_len(sa, family(path))),
    }
}

fn udp_len(sa: &Sa) -> usize {
    match sa.encap {
        Encap::Udp => UDP_HEADER_LEN,
        Encap::Raw => 0,
    }
}

fn family(path: Path) -> Version {
    if path.remote.is_ipv4() { Version::V4 } else { Version::V6 }
}

fn outer_header_len(path: Path) -> usize {
    minimal(family(path))
}
