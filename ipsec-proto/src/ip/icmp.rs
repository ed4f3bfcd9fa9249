//! The ICMP message that says that a packet was too big for the next link (RFC 1191 §4, RFC 8201, RFC 4443 §3.2).

use core::net::IpAddr;

use crate::ip::{
    Addresses, Header, IPV4_HEADER_LEN, IPV6_HEADER_LEN, Packet, Version, checksum, transport_checksum,
};
use crate::registry::IpProtocol;

/// Octets of the message before the packet it is about.
const MESSAGE_LEN: usize = 8;
/// The most octets of an ICMP message in IPv4 (RFC 1812 §4.3.2.3) and the least MTU of IPv6.
const LONGEST: [usize; 2] = [576, 1280];
/// The MTUs of old routers that name none, RFC 1191 §7.1.
const PLATEAUS: [u16; 10] = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/// That a packet was too big, as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooBig<'a> {
    /// The MTU of the link that it was too big for, in octets. Where the router names none (RFC 1191 §5), the plateau
    /// below the packet's length.
    pub mtu: u16,
    /// The beginning of the packet, from its IP header on, as long as the router has sent it.
    pub about: &'a [u8],
    /// The IP version of that packet.
    pub version: Version,
    /// Who had sent the packet.
    pub source: IpAddr,
    /// Where it was to go.
    pub destination: IpAddr,
    /// What followed its IP header, as far as it came back; empty behind extension headers that did not.
    pub payload: &'a [u8],
    /// The protocol of `payload`.
    pub protocol: IpProtocol,
    /// The length that the packet had.
    pub length: usize,
}

impl<'a> TooBig<'a> {
    /// Reads an ICMP packet; `None` unless it is intact and says that a packet was too big.
    #[must_use]
    pub fn parse(packet: &Packet<'a>) -> Option<Self> {
        let message = packet.payload();
        let (head, about) = message.split_first_chunk::<MESSAGE_LEN>()?;
        let (named, sound) = match (packet.version(), packet.protocol(), head[0], head[1]) {
            (Version::V4, IpProtocol::ICMP, 3, 4) => {
                (u16::from_be_bytes([head[6], head[7]]), checksum(message) == 0)
            }
            (Version::V6, IpProtocol::ICMPV6, 2, _) => {
                let mtu = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
                let addresses = Addresses::new(packet.source(), packet.destination())?;
                let sound = transport_checksum(&addresses, IpProtocol::ICMPV6, message) == 0;
                (u16::try_from(mtu).unwrap_or(u16::MAX), sound)
            }
            _ => return None,
        };
        let about = Self { mtu: named, ..Self::of(about)? };
        if !sound || about.version != packet.version() {
            return None;
        }
        let below = |length: usize| PLATEAUS.into_iter().find(|plateau| usize::from(*plateau) < length);
        Some(match named {
            0 if about.version == Version::V4 => Self { mtu: below(about.length)?, ..about },
            _ => about,
        })
    }

    /// Reads the beginning of a packet, which is most likely cut short.
    fn of(octets: &'a [u8]) -> Option<Self> {
        let (version, header_len, length, source, destination, protocol) = match octets.first()? >> 4 {
            4 => {
                let fixed = octets.first_chunk::<IPV4_HEADER_LEN>()?;
                let header_len = usize::from(fixed[0] & 0xf).saturating_mul(4);
                let length = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
                // A later fragment has nothing of the next layer's header.
                if u16::from_be_bytes([fixed[6], fixed[7]]) & 0x1fff != 0 {
                    return None;
                }
                let [.., a, b, c, d, e, f, g, h] = *fixed;
                (Version::V4, header_len, length, [a, b, c, d].into(), [e, f, g, h].into(), fixed[9])
            }
            6 => {
                let fixed = octets.first_chunk::<IPV6_HEADER_LEN>()?;
                let payload = usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
                let address = |at: usize| -> Option<IpAddr> {
                    Some(IpAddr::from(*fixed.get(at..)?.first_chunk::<16>()?))
                };
                let length = payload.saturating_add(IPV6_HEADER_LEN);
                (Version::V6, IPV6_HEADER_LEN, length, address(8)?, address(24)?, fixed[6])
            }
            _ => return None,
        };
        Some(Self {
            mtu: 0,
            about: octets,
            version,
            source,
            destination,
            payload: octets.get(header_len..).unwrap_or_default(),
            protocol: IpProtocol(protocol),
            length,
        })
    }
}

/// Writes the ICMP packet that tells the source of `packet` that it is too big for `mtu`, to the beginning of `out`, and
/// says how long it is. `from` is the address it is sent from.
///
/// `None` for a packet that none may be sent about: a later fragment, an ICMP error, one to or from an address that is
/// not a single host's (RFC 1122 §3.2.2, RFC 4443 §2.4); and for `from` of the other family or too small a buffer.
pub fn emit_too_big(packet: &Packet<'_>, mtu: u16, from: IpAddr, out: &mut [u8]) -> Option<usize> {
    use crate::ip::{Fragment, NextLayer};
    let about_error = match packet.next_layer() {
        NextLayer::Icmp { kind, .. } => match packet.version() {
            Version::V4 => matches!(kind, 3 | 4 | 5 | 11 | 12),
            Version::V6 => kind < 128,
        },
        _ => false,
    };
    let many = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_multicast() || v6.is_unspecified(),
    };
    // Multicast is the one destination that IPv6 answers this to; we don't: nobody tunnels it unasked.
    if about_error
        || matches!(packet.fragment(), Fragment::Later { .. })
        || many(packet.source())
        || many(packet.destination())
    {
        return None;
    }
    let addresses = Addresses::new(from, packet.source())?;
    let (protocol, kind, code, longest) = match packet.version() {
        Version::V4 => (IpProtocol::ICMP, 3, 4, LONGEST[0]),
        Version::V6 => (IpProtocol::ICMPV6, 2, 0, LONGEST[1]),
    };
    let header = Header::new(addresses, protocol);
    let start = header.header_len();
    let room = longest.saturating_sub(start.saturating_add(MESSAGE_LEN));
    let about = packet.octets().get(..packet.total_len().min(room))?;
    let length = start.saturating_add(MESSAGE_LEN).saturating_add(about.len());
    let out = out.get_mut(..length)?;
    header.emit(length.saturating_sub(start), out).ok()?;
    let message = out.get_mut(start..)?;
    let (head, body) = message.split_first_chunk_mut::<MESSAGE_LEN>()?;
    let [high, low] = mtu.to_be_bytes();
    *head = [kind, code, 0, 0, 0, 0, high, low];
    body.copy_from_slice(about);
    let sum = match packet.version() {
        Version::V4 => checksum(message),
        Version::V6 => transport_checksum(&addresses, protocol, message),
    };
    message.get_mut(2..4)?.copy_from_slice(&sum.to_be_bytes());
    Some(length)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn packet(v6: bool, protocol: IpProtocol, first: u8) -> Vec<u8> {
        let addresses = if v6 {
            Addresses::V6 { source: 1.into(), destination: 2.into() }
        } else {
            Addresses::V4 { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into() }
        };
        let header = Header::new(addresses, protocol);
        let mut packet = vec![first; header.header_len() + 1400];
        header.emit(1400, &mut packet).unwrap();
        packet
    }

    fn router(v6: bool) -> IpAddr {
        if v6 { IpAddr::V6(9.into()) } else { IpAddr::from([10, 0, 0, 9]) }
    }

    #[test]
    fn what_is_written_is_read() {
        for v6 in [false, true] {
            let octets = packet(v6, IpProtocol::ESP, 7);
            let mut out = vec![0; 1500];
            let length = emit_too_big(&Packet::parse(&octets).unwrap(), 1300, router(v6), &mut out).unwrap();
            assert_eq!(length, if v6 { 1280 } else { 576 });
            let mut icmp = out[..length].to_vec();
            let read = Packet::parse(&icmp).unwrap();
            let found = TooBig::parse(&read).unwrap();
            assert_eq!((found.mtu, found.protocol, found.length), (1300, IpProtocol::ESP, octets.len()));
            assert_eq!(found.source, Packet::parse(&octets).unwrap().source());
            assert!(octets.starts_with(found.about) && found.payload.starts_with(&[7; 16]));
            icmp[length - 1] ^= 1;
            assert_eq!(TooBig::parse(&Packet::parse(&icmp).unwrap()), None, "altered");
        }
    }

    #[test]
    fn old_routers_that_name_no_mtu_mean_the_plateau_below() {
        let octets = packet(false, IpProtocol::ESP, 7);
        let mut out = vec![0; 1500];
        let length = emit_too_big(&Packet::parse(&octets).unwrap(), 0, router(false), &mut out).unwrap();
        assert_eq!(TooBig::parse(&Packet::parse(&out[..length]).unwrap()).unwrap().mtu, 1006);
    }

    #[test]
    fn errors_and_groups_get_no_answer() {
        let none = |octets: &[u8], v6| {
            emit_too_big(&Packet::parse(octets).unwrap(), 1300, router(v6), &mut [0; 1500]).is_none()
        };
        assert!(
            none(&packet(false, IpProtocol::ICMP, 3), false)
                && !none(&packet(false, IpProtocol::ICMP, 8), false)
        );
        assert!(
            none(&packet(true, IpProtocol::ICMPV6, 1), true)
                && !none(&packet(true, IpProtocol::ICMPV6, 128), true)
        );
        let mut group = packet(false, IpProtocol::UDP, 0);
        group[16] = 224;
        assert!(none(&group, false));
        let mut later = packet(false, IpProtocol::UDP, 0);
        later[7] = 4;
        assert!(none(&later, false));
        assert!(none(&packet(false, IpProtocol::UDP, 0), true), "families differ");
    }
}
