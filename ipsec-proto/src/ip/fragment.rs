//! Cutting a packet into fragments (RFC 791 §3.2, RFC 8200 §4.5).

use crate::ip::{Fragment, IPV4_HEADER_LEN, IPV6_HEADER_LEN, Packet, Version};
use crate::registry::IpProtocol;

/// Octets of an IPv6 fragment header.
const FRAGMENT_HEADER_LEN: usize = 8;
/// The highest bit of an IPv4 option's type: the option belongs into every fragment.
const COPIED: u8 = 0x80;

/// The fragments of one packet, to be written one after the other, see [`Fragments::emit`].
#[derive(Debug, Clone)]
pub struct Fragments<'a> {
    packet: &'a [u8],
    version: Version,
    /// Octets that every fragment begins with. IPv4: of the first one.
    header_len: usize,
    /// The octet in them that names what follows.
    next_header_at: usize,
    /// What follows in the whole packet.
    protocol: IpProtocol,
    /// The part to cut up, in octets of `packet`: sent up to here.
    at: usize,
    /// Octets of the original payload before the packet, which may be a fragment itself.
    before: usize,
    /// Whether the packet has more fragments behind it.
    more: bool,
    mtu: usize,
    /// IPv6's identification.
    id: u32,
}

impl<'a> Fragments<'a> {
    /// The fragments of `packet` of at most `mtu` octets each. `id` is the identification they get; IPv4 has one
    /// already. `None` if the packet must not or can't be cut: DF is set, IPv6 has a fragment header already, or the
    /// MTU has no room for a header and 8 octets.
    #[must_use]
    pub fn new(packet: &Packet<'a>, mtu: u16, id: u32) -> Option<Self> {
        let mtu = usize::from(mtu);
        let (header_len, next_header_at, protocol) = match packet.version() {
            Version::V4 if packet.dont_fragment() => return None,
            Version::V4 => (packet.header_len(), 9, packet.protocol()),
            Version::V6 if packet.has_fragment_header() => return None,
            // Hop-by-hop and routing headers, and options before these, go with every fragment.
            Version::V6 => {
                let split = packet.split();
                (split.at, split.next_header_at, split.protocol)
            }
        };
        let (before, more) = match (packet.version(), packet.fragment()) {
            (Version::V4, Fragment::First { .. }) => (0, true),
            (Version::V4, Fragment::Later { offset, more, .. }) => (usize::from(offset), more),
            _ => (0, false),
        };
        let overhead = match packet.version() {
            Version::V4 => header_len,
            Version::V6 => header_len.saturating_add(FRAGMENT_HEADER_LEN),
        };
        (mtu >= overhead.saturating_add(8)).then(|| Self {
            packet: packet.octets(),
            version: packet.version(),
            header_len,
            next_header_at,
            protocol,
            at: header_len,
            before,
            more,
            mtu,
            id,
        })
    }

    /// Writes the next fragment to the beginning of `out` and says how long it is; `None` when there is no further one.
    /// A buffer without room for an MTU gets smaller ones.
    pub fn emit(&mut self, out: &mut [u8]) -> Option<usize> {
        let room = self.mtu.min(out.len());
        match self.version {
            Version::V4 => self.emit_v4(out.get_mut(..room)?),
            Version::V6 => self.emit_v6(out.get_mut(..room)?),
        }
    }

    /// Takes the next piece for `room` octets, and whether more follow it.
    fn take(&mut self, room: usize) -> Option<(&'a [u8], usize, bool)> {
        let rest = self.packet.get(self.at..).filter(|rest| !rest.is_empty())?;
        let last = rest.len() <= room;
        let length = if last { rest.len() } else { room & !7 };
        if length == 0 {
            return None;
        }
        let offset = self.before.saturating_add(self.at.saturating_sub(self.header_len));
        self.at = self.at.saturating_add(length);
        Some((rest.get(..length)?, offset, !last || self.more))
    }

    fn emit_v4(&mut self, out: &mut [u8]) -> Option<usize> {
        let header = self.packet.get(..self.header_len)?;
        let first = self.at == self.header_len;
        let length = if first {
            out.get_mut(..header.len())?.copy_from_slice(header);
            header.len()
        } else {
            later_header(header, out)?
        };
        let (piece, offset, more) = self.take(out.len().checked_sub(length)?)?;
        let total = length.saturating_add(piece.len());
        out.get_mut(length..total)?.copy_from_slice(piece);
        let word = u16::try_from(offset / 8).ok()? | if more { 0x2000 } else { 0 };
        out.get_mut(6..8)?.copy_from_slice(&word.to_be_bytes());
        super::refit(out.get_mut(..total)?, 9, self.protocol).then_some(total)
    }

    fn emit_v6(&mut self, out: &mut [u8]) -> Option<usize> {
        let header = self.packet.get(..self.header_len)?;
        let start = header.len().saturating_add(FRAGMENT_HEADER_LEN);
        out.get_mut(..header.len())?.copy_from_slice(header);
        let (piece, offset, more) = self.take(out.len().checked_sub(start)?)?;
        let total = start.saturating_add(piece.len());
        out.get_mut(start..total)?.copy_from_slice(piece);
        let word = u16::try_from(offset).ok()? | u16::from(more);
        let fragment = out.get_mut(header.len()..start)?;
        fragment[..2].copy_from_slice(&[self.protocol.0, 0]);
        fragment[2..4].copy_from_slice(&word.to_be_bytes());
        fragment[4..].copy_from_slice(&self.id.to_be_bytes());
        super::refit(out.get_mut(..total)?, self.next_header_at, IpProtocol::IPV6_FRAG).then_some(total)
    }
}

/// Writes the IPv4 header of a fragment that is not the first: with those options only that are to be copied.
fn later_header(header: &[u8], out: &mut [u8]) -> Option<usize> {
    let (fixed, mut options) = header.split_at_checked(IPV4_HEADER_LEN)?;
    out.get_mut(..IPV4_HEADER_LEN)?.copy_from_slice(fixed);
    let mut end = IPV4_HEADER_LEN;
    while let Some(&kind) = options.first() {
        let length = match (kind, options.get(1)) {
            (0, _) => break,
            (1, _) => 1,
            (_, Some(&length)) if length >= 2 => usize::from(length),
            _ => break,
        };
        let Some((option, rest)) = options.split_at_checked(length) else { break };
        if kind & COPIED != 0 {
            out.get_mut(end..end.saturating_add(length))?.copy_from_slice(option);
            end = end.saturating_add(length);
        }
        options = rest;
    }
    let padded = end.next_multiple_of(4);
    out.get_mut(end..padded)?.fill(0);
    *out.first_mut()? = 0x40 | u8::try_from(padded / 4).ok()?;
    Some(padded)
}

/// Octets of the longest header chain that a fragment of a packet of this version repeats, without extension headers.
#[must_use]
pub const fn fragment_overhead(version: Version) -> usize {
    match version {
        Version::V4 => IPV4_HEADER_LEN,
        Version::V6 => IPV6_HEADER_LEN + FRAGMENT_HEADER_LEN,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::ip::{Addresses, Header};

    fn packet(v6: bool, payload: usize) -> Vec<u8> {
        let addresses = if v6 {
            Addresses::V6 { source: 1.into(), destination: 2.into() }
        } else {
            Addresses::V4 { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into() }
        };
        let header = Header { identification: 77, ..Header::new(addresses, IpProtocol::UDP) };
        let mut packet = vec![0; header.header_len()];
        header.emit(payload, &mut packet).unwrap();
        packet.extend((0..=255).cycle().take(payload));
        packet
    }

    fn cut(octets: &[u8], mtu: u16) -> Vec<Vec<u8>> {
        let mut fragments = Fragments::new(&Packet::parse(octets).unwrap(), mtu, 99).unwrap();
        let mut out = vec![0; 2000];
        core::iter::from_fn(|| fragments.emit(&mut out).map(|length| out[..length].to_vec())).collect()
    }

    /// Puts the payloads together by their offsets.
    fn join(fragments: &[Vec<u8>]) -> Vec<u8> {
        let mut whole = vec![];
        for (index, octets) in fragments.iter().enumerate() {
            let packet = Packet::parse(octets).unwrap();
            assert!(packet.is_checksum_ok() && packet.protocol() == IpProtocol::UDP);
            let last = index + 1 == fragments.len();
            match packet.fragment() {
                Fragment::First { id } => assert!(index == 0 && !last && [77, 99].contains(&id)),
                Fragment::Later { id, offset, more } => {
                    assert!([77, 99].contains(&id));
                    assert_eq!((usize::from(offset), more), (whole.len(), !last));
                }
                Fragment::Whole => assert_eq!(fragments.len(), 1),
            }
            whole.extend(packet.payload());
        }
        whole
    }

    #[test]
    fn fragments_together_are_the_packet() {
        for v6 in [false, true] {
            for payload in [1, 8, 100, 1479, 1480, 1481, 1900] {
                for mtu in [68, 576, 1280, 1500] {
                    let octets = packet(v6, payload);
                    let fragments = cut(&octets, mtu);
                    assert!(fragments.iter().all(|fragment| fragment.len() <= usize::from(mtu)));
                    let header = Packet::parse(&octets).unwrap().header_len();
                    assert_eq!(join(&fragments), octets[header..], "{v6} {payload} {mtu}");
                }
            }
        }
    }

    #[test]
    fn a_fragment_can_be_cut_again() {
        let octets = packet(false, 1900);
        let mut again = vec![];
        for fragment in cut(&octets, 1000) {
            again.extend(cut(&fragment, 300));
        }
        assert_eq!(join(&again), octets[20..]);
    }

    #[test]
    fn only_options_to_be_copied_are_copied() {
        let mut octets = packet(false, 200);
        // Record route, not copied, and router alert, copied.
        octets.splice(20..20, [7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0]);
        octets[0] = 0x48;
        assert!(super::super::refit(&mut octets, 9, IpProtocol::UDP));
        let fragments = cut(&octets, 100);
        assert_eq!(fragments[0][20..32], octets[20..32]);
        assert_eq!((fragments[1][0], &fragments[1][20..24]), (0x46, &[148, 4, 0, 0][..]));
        assert_eq!(join(&fragments), octets[32..]);
    }

    #[test]
    fn what_must_not_be_cut_is_not() {
        let mut octets = packet(false, 200);
        let none = |octets: &[u8], mtu| Fragments::new(&Packet::parse(octets).unwrap(), mtu, 0).is_none();
        assert!(none(&octets, 27) && !none(&octets, 28));
        octets[6] = 0x40;
        assert!(none(&octets, 1000));
        let mut octets = packet(true, 200);
        assert!(none(&octets, 55) && !none(&octets, 56));
        octets[6] = 44;
        octets[40..48].copy_from_slice(&[17, 0, 0, 1, 0, 0, 0, 1]);
        assert!(none(&octets, 1000));
        let octets = packet(false, 200);
        let mut fragments = Fragments::new(&Packet::parse(&octets).unwrap(), 100, 0).unwrap();
        assert_eq!(fragments.emit(&mut [0; 27]), None, "no room");
    }
}
