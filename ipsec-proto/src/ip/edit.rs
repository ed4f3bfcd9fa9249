//! Changing packets in place: lengths and protocol, checksums, the TCP maximum segment size.

use crate::ip::{Addresses, IPV4_HEADER_LEN, IPV6_HEADER_LEN, adjust_checksum, checksum, transport_checksum};
use crate::registry::IpProtocol;

/// Makes the header of a packet fit what follows it: the length is that of `packet`, the octet at `next_header_at`, as
/// [`Packet::next_header_at`](crate::ip::Packet::next_header_at) told it, says `protocol`, an IPv4 checksum is right.
///
/// `false`, with the packet in no useful state, for one that is no IP packet, shorter than its header or longer than its
/// length field can say.
#[must_use]
pub fn refit(packet: &mut [u8], next_header_at: usize, protocol: IpProtocol) -> bool {
    let total = packet.len();
    let Some(next_header) = packet.get_mut(next_header_at) else { return false };
    *next_header = protocol.0;
    match packet.first().map(|first| first >> 4) {
        Some(4) => {
            let Ok(total) = u16::try_from(total) else { return false };
            if let Some(field) = packet.get_mut(2..4) {
                field.copy_from_slice(&total.to_be_bytes());
            }
            renew_ipv4_checksum(packet)
        }
        Some(6) => {
            let Some(payload) = total.checked_sub(IPV6_HEADER_LEN).and_then(|len| u16::try_from(len).ok())
            else {
                return false;
            };
            packet.get_mut(4..6).is_some_and(|field| {
                field.copy_from_slice(&payload.to_be_bytes());
                true
            })
        }
        _ => false,
    }
}

/// Computes the checksum of the IPv4 header, options included, that `packet` begins with; `false` if there is none.
pub(super) fn renew_ipv4_checksum(packet: &mut [u8]) -> bool {
    let length = packet.first().map_or(0, |first| usize::from(first & 0xf).saturating_mul(4));
    let Some(header) = packet.get_mut(..length).filter(|header| header.len() >= IPV4_HEADER_LEN) else {
        return false;
    };
    header[10..12].fill(0);
    let sum = checksum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    true
}

/// Where the checksum stands in a segment, and whether zero means that there is none.
const fn checksum_field(protocol: IpProtocol) -> Option<(usize, bool)> {
    match protocol {
        IpProtocol::TCP => Some((16, false)),
        IpProtocol::UDP | IpProtocol::UDPLITE => Some((6, true)),
        // ICMP in IPv4 has no pseudo-header.
        IpProtocol::ICMPV6 => Some((2, false)),
        _ => None,
    }
}

/// Changes the checksum of a TCP, UDP or ICMPv6 segment by the difference of the addresses in its pseudo-header
/// (RFC 3948 §3.1.2, RFC 1624). Other protocols, and UDP without a checksum, are left alone.
pub fn adjust_transport_checksum(protocol: IpProtocol, segment: &mut [u8], from: &Addresses, to: &Addresses) {
    let Some((field, optional)) = checksum_of(protocol, segment) else { return };
    let old = u16::from_be_bytes(*field);
    if optional && old == 0 {
        return;
    }
    let mut new = old;
    for (from, to) in [(from.source(), to.source()), (from.destination(), to.destination())] {
        new = match (from, to) {
            (core::net::IpAddr::V4(from), core::net::IpAddr::V4(to)) => {
                adjust_checksum(new, &from.octets(), &to.octets())
            }
            (core::net::IpAddr::V6(from), core::net::IpAddr::V6(to)) => {
                adjust_checksum(new, &from.octets(), &to.octets())
            }
            // A pseudo-header of the other family has other fields at other places, but the same sum of them.
            (core::net::IpAddr::V4(from), core::net::IpAddr::V6(to)) => {
                adjust_checksum(new, &from.octets(), &to.octets())
            }
            (core::net::IpAddr::V6(from), core::net::IpAddr::V4(to)) => {
                adjust_checksum(new, &from.octets(), &to.octets())
            }
        };
    }
    *field = stored(new, optional).to_be_bytes();
}

/// Computes the checksum of a TCP, UDP or ICMPv6 segment anew. Other protocols, and UDP without a checksum in IPv4, are
/// left alone.
pub fn renew_transport_checksum(protocol: IpProtocol, segment: &mut [u8], addresses: &Addresses) {
    let Some((field, optional)) = checksum_of(protocol, segment) else { return };
    if optional && *field == [0; 2] && matches!(addresses, Addresses::V4 { .. }) {
        return;
    }
    // UDP-Lite covers what its header says; with a pseudo-header of our own it would be wrong.
    if protocol == IpProtocol::UDPLITE {
        return;
    }
    *field = [0; 2];
    let sum = transport_checksum(addresses, protocol, segment);
    if let Some((field, _)) = checksum_of(protocol, segment) {
        *field = stored(sum, optional).to_be_bytes();
    }
}

/// Clears the checksum of a UDP segment in IPv4, which says that there is none (RFC 768).
pub fn clear_udp_checksum(segment: &mut [u8]) {
    if let Some((field, _)) = checksum_of(IpProtocol::UDP, segment) {
        *field = [0; 2];
    }
}

fn checksum_of(protocol: IpProtocol, segment: &mut [u8]) -> Option<(&mut [u8; 2], bool)> {
    let (at, optional) = checksum_field(protocol)?;
    Some((segment.get_mut(at..)?.first_chunk_mut()?, optional))
}

/// A computed sum as it is sent: where zero means none, its other form.
const fn stored(sum: u16, zero_is_none: bool) -> u16 {
    if zero_is_none && sum == 0 { 0xffff } else { sum }
}

/// SYN among TCP's flags.
const SYN: u8 = 0x02;
/// The option of TCP that announces the maximum segment size (RFC 9293 §3.2).
const MSS: u8 = 2;

/// Lowers the maximum segment size that a TCP SYN announces to `limit`, and changes the checksum with it. Everything
/// else is left alone: other segments, SYNs that announce none or less. Says whether something was changed.
pub fn clamp_mss(segment: &mut [u8], limit: u16) -> bool {
    let Some(&[.., offset, flags]) = segment.first_chunk::<14>() else { return false };
    if flags & SYN == 0 {
        return false;
    }
    let end = usize::from(offset >> 4).saturating_mul(4).min(segment.len());
    let mut at = 20_usize;
    while at < end {
        let length = match segment.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
            Some([1, _]) => 1,
            Some([kind, length]) if *kind != 0 && *length >= 2 => usize::from(*length),
            // The end of the list, or nonsense.
            _ => return false,
        };
        let option = segment.get_mut(at..end).and_then(|rest| rest.first_chunk_mut::<4>());
        if let Some([MSS, 4, mss @ ..]) = option {
            let old = *mss;
            if u16::from_be_bytes(old) <= limit {
                return false;
            }
            let new = limit.to_be_bytes();
            *mss = new;
            // In words of the segment: an option may begin at an odd place.
            let (from, to) = if at.is_multiple_of(2) {
                ([old[0], old[1], 0, 0], [new[0], new[1], 0, 0])
            } else {
                ([0, old[0], old[1], 0], [0, new[0], new[1], 0])
            };
            if let Some((field, _)) = checksum_of(IpProtocol::TCP, segment) {
                *field = adjust_checksum(u16::from_be_bytes(*field), &from, &to).to_be_bytes();
            }
            return true;
        }
        at = at.saturating_add(length);
    }
    false
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::ip::{Header, Packet};

    fn addresses(last: u8) -> Addresses {
        Addresses::new([192, 0, 2, last].into(), [198, 51, 100, last].into()).unwrap()
    }

    fn syn(options: &[u8]) -> Vec<u8> {
        let mut segment = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0, SYN, 0x20, 0, 0, 0, 0, 0];
        segment.extend(options);
        segment[12] = u8::try_from(segment.len() / 4).unwrap() << 4;
        let sum = transport_checksum(&addresses(1), IpProtocol::TCP, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        segment
    }

    fn is_right(segment: &[u8]) -> bool {
        transport_checksum(&addresses(1), IpProtocol::TCP, segment) == 0
    }

    #[test]
    fn syns_are_clamped_wherever_the_option_stands() {
        for options in [&[2, 4, 0x05, 0xb4][..], &[1, 2, 4, 0x05, 0xb4, 1, 1, 0], &[4, 2, 1, 1, 2, 4, 5, 180]]
        {
            let mut segment = syn(options);
            assert!(clamp_mss(&mut segment, 1300) && is_right(&segment), "{options:?}");
            assert!(segment.windows(4).any(|four| four == [2, 4, 0x05, 0x14]));
            assert!(!clamp_mss(&mut segment, 1300), "not twice");
        }
    }

    #[test]
    fn other_segments_are_left_alone() {
        for mut segment in [syn(&[]), syn(&[0, 2, 4, 5]), syn(&[3, 0, 2, 4]), syn(&[2, 4, 1, 0]), vec![0; 13]]
        {
            let before = segment.clone();
            assert!(!clamp_mss(&mut segment, 1300));
            assert_eq!(segment, before);
        }
        let mut data = syn(&[2, 4, 0x05, 0xb4]);
        data[13] = 0x10;
        assert!(!clamp_mss(&mut data, 1300));
        let mut cut = syn(&[2, 4, 0x05, 0xb4]);
        cut.truncate(22);
        assert!(!clamp_mss(&mut cut, 1300));
    }

    #[test]
    fn checksums_follow_the_addresses() {
        let mut segment = syn(&[2, 4, 0x05, 0xb4]);
        adjust_transport_checksum(IpProtocol::TCP, &mut segment, &addresses(1), &addresses(77));
        assert_eq!(transport_checksum(&addresses(77), IpProtocol::TCP, &segment), 0);
        renew_transport_checksum(IpProtocol::TCP, &mut segment, &addresses(1));
        assert!(is_right(&segment));

        let mut udp = vec![0, 1, 0, 2, 0, 9, 0, 0, 7];
        renew_transport_checksum(IpProtocol::UDP, &mut udp, &addresses(1));
        adjust_transport_checksum(IpProtocol::UDP, &mut udp, &addresses(1), &addresses(2));
        assert_eq!(udp[6..8], [0, 0], "none stays none");
        let v6 = Addresses::V6 { source: 1.into(), destination: 2.into() };
        renew_transport_checksum(IpProtocol::UDP, &mut udp, &v6);
        assert_eq!(transport_checksum(&v6, IpProtocol::UDP, &udp), 0);
        adjust_transport_checksum(IpProtocol::UDP, &mut udp, &v6, &addresses(1));
        assert_eq!(transport_checksum(&addresses(1), IpProtocol::UDP, &udp), 0);
        clear_udp_checksum(&mut udp);
        assert_eq!(udp[6..8], [0, 0]);
        for short in 0..6 {
            renew_transport_checksum(IpProtocol::TCP, &mut vec![1; short], &addresses(1));
        }
    }

    #[test]
    fn a_header_fits_after_what_follows_it_changed() {
        for addresses in [addresses(1), Addresses::V6 { source: 1.into(), destination: 2.into() }] {
            let header = Header::new(addresses, IpProtocol::UDP);
            let mut packet = vec![0; header.header_len() + 30];
            header.emit(8, &mut packet).unwrap();
            let at = Packet::parse(&packet).unwrap().next_header_at();
            assert!(refit(&mut packet, at, IpProtocol::ESP));
            let parsed = Packet::parse(&packet).unwrap();
            assert_eq!((parsed.total_len(), parsed.protocol()), (packet.len(), IpProtocol::ESP));
            assert!(parsed.is_checksum_ok());
            assert!(!refit(&mut vec![packet[0]; 65_576], at, IpProtocol::ESP));
        }
        assert!(!refit(&mut [0x45; 19], 9, IpProtocol::ESP) && !refit(&mut [], 9, IpProtocol::ESP));
        assert!(!refit(&mut [0x60; 39], 6, IpProtocol::ESP) && !refit(&mut [0x20; 39], 6, IpProtocol::ESP));
    }
}
