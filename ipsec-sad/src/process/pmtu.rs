//! The path MTU of SAs: learned from ICMP, believed with care, forgotten in time (RFC 4301 §8, RFC 1191, RFC 8201).

use std::time::Instant;

use ipsec_proto::ip::{Packet, TooBig, UDP_HEADER_LEN, Version};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi, ah, esp};

use super::encapsulate::{self, Inner};
use crate::batch::{MAX_NESTED, Slot};
use crate::drop::DropReason;
use crate::event::SadEvent;
use crate::flow::{Flow, Ports};
use crate::sad::{Fragmentation, MssClamp, Outbound, PairId, ProtocolKind, Sa, TfcPadding};
use crate::verdict::{Encap, Verdict};
use crate::worker::Worker;

/// The least MTU of IPv6 (RFC 8200 §5): no IPv6 packet of this length or less is ever refused for its length.
const IPV6_MIN_MTU: u16 = 1280;
/// Octets of TCP's header without options, and of IPv4's and IPv6's.
const TCP_IPV4: u16 = 20 + 20;
const TCP_IPV6: u16 = 20 + 40;
/// An ICMP message must be about a packet sent not longer ago than this, in packets of its SA.
const RECENT: u64 = 65_536;

/// What the path of an SA takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathMtu {
    /// Octets of the outer packet.
    mtu: u16,
    /// When it is forgotten; `None`: it was set by hand.
    until: Option<Instant>,
}

/// What an ICMP message has taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The SA pair.
    pub pair: PairId,
    /// The outer packet that its path takes, in octets.
    pub mtu: u16,
    /// The longest packet inside that still fits.
    pub inner: u16,
}

/// Why an ICMP message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IcmpError {
    /// It is not an intact ICMP message that says that a packet was too big.
    #[error("not an ICMP message about a packet that was too big")]
    NotTooBig,
    /// The packet that it is about is none of ours, or too little of it came back to tell.
    #[error("not about a packet that an SA has sent")]
    NotOurs,
    /// No SA has sent a packet with that sequence number lately: somebody guesses.
    #[error("about a packet that was not sent lately")]
    NotRecent,
    /// Too many events wait to be taken.
    #[error("too many events wait to be taken")]
    NotNow,
    /// It names no smaller MTU than is known.
    #[error("no smaller than what is known of the path")]
    NotSmaller,
}

/// What an ICMP message says of one of our packets.
struct About {
    kind: ProtocolKind,
    spi: Spi,
    sequence: Option<u32>,
}

impl About {
    fn of(found: &TooBig<'_>) -> Option<Self> {
        let esp = |payload: &[u8], kind| {
            let [spi, sequence] =
                [payload.first_chunk::<4>(), payload.get(4..).and_then(<[u8]>::first_chunk)];
            let sequence = sequence.map(|octets| u32::from_be_bytes(*octets));
            Some(Self { kind, spi: Spi::from_be_bytes(*spi?), sequence })
        };
        match found.protocol {
            IpProtocol::ESP => esp(found.payload, ProtocolKind::Esp),
            IpProtocol::UDP => esp(found.payload.get(UDP_HEADER_LEN..)?, ProtocolKind::Esp),
            // Next header, length, reserved.
            IpProtocol::AH => esp(found.payload.get(ah::FIXED_LEN - esp::HEADER_LEN..)?, ProtocolKind::Ah),
            _ => None,
        }
    }

    /// Whether one of the last packets had this number: an outsider who has not seen one has to guess it.
    fn is_recent(&self, sent: u64) -> bool {
        self.sequence.is_some_and(|low| {
            let behind = (sent as u32).wrapping_sub(low);
            u64::from(behind) < RECENT.min(sent)
        })
    }
}

impl Sa {
    /// AH or ESP, as IP headers have it.
    pub(crate) const fn protocol(&self) -> IpProtocol {
        match self.kind {
            ProtocolKind::Esp => IpProtocol::ESP,
            ProtocolKind::Ah => IpProtocol::AH,
        }
    }
}

impl Outbound {
    /// The MTU that holds at `now`.
    fn mtu(&self, now: Instant) -> Option<u16> {
        self.mtu.filter(|known| known.until.is_none_or(|until| now < until)).map(|known| known.mtu)
    }

    /// Whether nothing but the cipher touches the SA's packets: no path MTU, no padding, no other SA.
    #[inline]
    pub(super) const fn is_plain(&self) -> bool {
        self.mtu.is_none() && self.plain
    }

    /// Whether a packet to be sealed is one that the SA itself has made: the route to the peer leads into the tunnel.
    #[inline]
    pub(super) fn sent(&self, flow: &Flow) -> bool {
        let Path { local, remote } = self.path;
        if flow.destination != remote.ip() || flow.source != local.ip() {
            return false;
        }
        match (self.sa.sa.encap, flow.ports) {
            (Encap::Raw, _) => flow.protocol == self.sa.sa.protocol(),
            (Encap::Udp, Ports::Transport { source, destination }) => {
                flow.protocol == IpProtocol::UDP && (source, destination) == (local.port(), remote.port())
            }
            (Encap::Udp, _) => false,
        }
    }
}

impl Worker {
    /// Takes an ICMP packet from the network, whole, and lowers the path MTU of the SA that it is about, if it is to be
    /// believed: it must quote a packet of an SA of ours, with the SPI and a sequence number used lately; what it says is
    /// not taken below [`WorkerConfig::path_mtu_floor`](crate::WorkerConfig::path_mtu_floor), and is forgotten after
    /// [`WorkerConfig::path_mtu_age`](crate::WorkerConfig::path_mtu_age).
    ///
    /// # Errors
    /// See [`IcmpError`]; nothing is changed then.
    pub fn handle_icmp(&mut self, now: Instant, octets: &[u8]) -> Result<Learned, IcmpError> {
        let packet = Packet::parse(octets).map_err(|_| IcmpError::NotTooBig)?;
        let found = TooBig::parse(&packet).ok_or(IcmpError::NotTooBig)?;
        let about = About::of(&found).ok_or(IcmpError::NotOurs)?;
        let (floor, until) = (self.config.path_mtu_floor, now.checked_add(self.config.path_mtu_age));
        let entry = self.outbound.of_spi(about.spi, found.destination).ok_or(IcmpError::NotOurs)?;
        if entry.sa.sa.kind != about.kind || entry.path.local.ip() != found.source {
            return Err(IcmpError::NotOurs);
        }
        if !about.is_recent(entry.sa.sequence()) {
            return Err(IcmpError::NotRecent);
        }
        let least = if found.version == Version::V6 { floor.max(IPV6_MIN_MTU) } else { floor };
        let mtu = found.mtu.max(least);
        if usize::from(found.mtu) >= found.length || entry.mtu(now).is_some_and(|known| known <= mtu) {
            return Err(IcmpError::NotSmaller);
        }
        let before = entry.mtu.replace(PathMtu { mtu, until });
        let pair = entry.sa.pair();
        let inner = self.inner_mtu(now, pair).unwrap_or(mtu);
        if !self.events.push(SadEvent::PathMtu { pair, mtu, inner }) {
            // Whoever sets the device's MTU has to hear of it: the next message will do.
            if let Some(entry) = self.outbound.of_pair(pair) {
                entry.mtu = before;
            }
            return Err(IcmpError::NotNow);
        }
        Ok(Learned { pair, mtu, inner })
    }

    /// Sets what the path of a pair takes, in octets of the outer packet: the MTU of the link it begins with.
    pub(crate) fn set_path_mtu(&mut self, pair: PairId, mtu: u16) {
        if let Some(entry) = self.outbound.of_pair(pair) {
            entry.mtu = Some(PathMtu { mtu, until: None });
        }
    }

    /// The longest packet that a pair can carry to its peer in one piece, SAs that carry it in turn included, if the path
    /// MTU is known: what the MTU of a tunnel device should be, and TCP's MSS follow.
    #[must_use]
    pub fn inner_mtu(&self, now: Instant, pair: PairId) -> Option<u16> {
        self.inner_mtu_at(now, self.outbound.index_of(pair)?, MAX_NESTED)
    }

    fn inner_mtu_at(&self, now: Instant, index: usize, nesting: usize) -> Option<u16> {
        let entry = self.outbound.get(index)?;
        let own = entry.mtu(now);
        let carrier = match entry.sa.sa.within.and_then(|pair| self.outbound.index_of(pair)) {
            Some(carrier) => self.inner_mtu_at(now, carrier, nesting.checked_sub(1)?),
            None => None,
        };
        let outer = [own, carrier].into_iter().flatten().min()?;
        let inner = encapsulate::inner_len(&entry.sa.sa, entry.path, outer.into());
        u16::try_from(inner).ok()
    }

    /// What TFC padding may not pass on this SA.
    pub(super) fn longest_padded(&self, now: Instant, index: usize) -> usize {
        let is_padded = self.outbound.get(index).is_some_and(|entry| entry.sa.sa.tfc != TfcPadding::None);
        let longest = if is_padded { self.inner_mtu_at(now, index, MAX_NESTED) } else { None };
        longest.map_or(usize::MAX, usize::from)
    }

    /// Whether the packet may go on to its SA, with its MSS lowered where that is wanted. Otherwise it has its verdict.
    pub(super) fn fit(
        &mut self,
        now: Instant,
        slot: &mut Slot,
        part: &mut [u8],
        index: usize,
        inner: &Inner,
    ) -> bool {
        let Some(entry) = self.outbound.get(index) else { return true };
        let options = entry.sa.sa.mode.tunnel_options();
        let (mss, after) = match options {
            Some(options) => (
                options.mss,
                options.fragmentation == Fragmentation::After && !options.outer_df(inner.dont_fragment),
            ),
            // Transport and BEET mode protect whole packets: what they make is cut, if anything (RFC 4303 §3.3.4).
            None => (MssClamp::Off, !inner.dont_fragment),
        };
        let is_known = entry.mtu.is_some() || entry.sa.sa.within.is_some();
        if mss != MssClamp::Off
            && let Some(limit) = self.mss(now, mss, index, inner.version)
        {
            super::clamp(part.get_mut(slot.range.clone()).unwrap_or_default(), limit);
        }
        if !is_known {
            return true;
        }
        let Some(mtu) = self.inner_mtu_at(now, index, MAX_NESTED) else { return true };
        if inner.length <= usize::from(mtu) {
            return true;
        }
        match inner.version {
            _ if after => true,
            // No sender of IPv6 can be told less: the outer packet is cut instead (RFC 2473 §7.1).
            Version::V6 if inner.length <= usize::from(IPV6_MIN_MTU) => true,
            Version::V4 if !inner.dont_fragment => {
                slot.verdict = Verdict::Fragment { mtu };
                false
            }
            version => {
                slot.mtu = if version == Version::V6 { mtu.max(IPV6_MIN_MTU) } else { mtu };
                self.refuse_on_sa(now, slot, part, index, DropReason::TooBig);
                false
            }
        }
    }

    fn mss(&self, now: Instant, clamp: MssClamp, index: usize, version: Version) -> Option<u16> {
        match clamp {
            MssClamp::Off => None,
            MssClamp::To(limit) => Some(limit),
            MssClamp::PathMtu => {
                let headers = if version == Version::V6 { TCP_IPV6 } else { TCP_IPV4 };
                self.inner_mtu_at(now, index, MAX_NESTED)?.checked_sub(headers)
            }
        }
    }

    /// What a SYN that came through the tunnel may announce at most.
    pub(super) fn inbound_mss(
        &self,
        now: Instant,
        clamp: MssClamp,
        pair: PairId,
        is_v6: bool,
    ) -> Option<u16> {
        let version = if is_v6 { Version::V6 } else { Version::V4 };
        self.mss(now, clamp, self.outbound.index_of(pair)?, version)
    }
}
