//! Writing IPv4, IPv6 and UDP headers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::EncodeError;
use crate::ip::{IPV4_HEADER_LEN, IPV6_HEADER_LEN, adjust_checksum, checksum, transport_checksum};
use crate::registry::IpProtocol;

/// Source and destination, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addresses {
    /// IPv4.
    V4 {
        /// Source address.
        source: Ipv4Addr,
        /// Destination address.
        destination: Ipv4Addr,
    },
    /// IPv6.
    V6 {
        /// Source address.
        source: Ipv6Addr,
        /// Destination address.
        destination: Ipv6Addr,
    },
}

impl Addresses {
    /// Both addresses; `None` when they are of different families.
    #[must_use]
    pub const fn new(source: IpAddr, destination: IpAddr) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::V4 { source, destination }),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::V6 { source, destination }),
            _ => None,
        }
    }

    /// The source address.
    #[must_use]
    pub const fn source(&self) -> IpAddr {
        match self {
            Self::V4 { source, .. } => IpAddr::V4(*source),
            Self::V6 { source, .. } => IpAddr::V6(*source),
        }
    }

    /// The destination address.
    #[must_use]
    pub const fn destination(&self) -> IpAddr {
        match self {
            Self::V4 { destination, .. } => IpAddr::V4(*destination),
            Self::V6 { destination, .. } => IpAddr::V6(*destination),
        }
    }
}

/// An IP header to be written: IPv4 without options, IPv6 without extension headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Source and destination.
    pub addresses: Addresses,
    /// The protocol that follows.
    pub protocol: IpProtocol,
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// IPv4's identification; unused in IPv6.
    pub identification: u16,
    /// IPv4's DF bit; unused in IPv6.
    pub dont_fragment: bool,
    /// IPv6's flow label, 20 bits; unused in IPv4.
    pub flow_label: u32,
}

impl Header {
    /// A header with a hop limit of 64 and zero everywhere else.
    #[must_use]
    pub const fn new(addresses: Addresses, protocol: IpProtocol) -> Self {
        Self {
            addresses,
            protocol,
            traffic_class: 0,
            hop_limit: 64,
            identification: 0,
            dont_fragment: false,
            flow_label: 0,
        }
    }

    /// Octets of the header: 20 or 40.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        match self.addresses {
            Addresses::V4 { .. } => IPV4_HEADER_LEN,
            Addresses::V6 { .. } => IPV6_HEADER_LEN,
        }
    }

    /// Writes the header of a packet with `payload_len` octets behind it to the beginning of `out`.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when the length field can't hold it, [`EncodeError::BufferTooSmall`].
    pub fn emit(&self, payload_len: usize, out: &mut [u8]) -> Result<(), EncodeError> {
        let need = self.header_len();
        let have = out.len();
        let short = EncodeError::BufferTooSmall { need, have };
        match self.addresses {
            Addresses::V4 { source, destination } => {
                let out: &mut [u8; IPV4_HEADER_LEN] = out.first_chunk_mut().ok_or(short)?;
                let total = length("IPv4 total length", payload_len.saturating_add(need))?;
                let flags: u16 = if self.dont_fragment { 0x4000 } else { 0 };
                out[0] = 0x45;
                out[1] = self.traffic_class;
                out[2..4].copy_from_slice(&total.to_be_bytes());
                out[4..6].copy_from_slice(&self.identification.to_be_bytes());
                out[6..8].copy_from_slice(&flags.to_be_bytes());
                out[8] = self.hop_limit;
                out[9] = self.protocol.0;
                out[10..12].fill(0);
                out[12..16].copy_from_slice(&source.octets());
                out[16..20].copy_from_slice(&destination.octets());
                let sum = checksum(out);
                out[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            Addresses::V6 { source, destination } => {
                let out: &mut [u8; IPV6_HEADER_LEN] = out.first_chunk_mut().ok_or(short)?;
                let payload = length("IPv6 payload length", payload_len)?;
                let word = 6 << 28 | u32::from(self.traffic_class) << 20 | (self.flow_label & 0xf_ffff);
                out[0..4].copy_from_slice(&word.to_be_bytes());
                out[4..6].copy_from_slice(&payload.to_be_bytes());
                out[6] = self.protocol.0;
                out[7] = self.hop_limit;
                out[8..24].copy_from_slice(&source.octets());
                out[24..40].copy_from_slice(&destination.octets());
            }
        }
        Ok(())
    }
}

/// Changes DSCP and ECN of a packet in place, keeping an IPv4 checksum as right or wrong as it was (RFC 1624 §3).
/// Does nothing when `packet` does not begin with an IPv4 or IPv6 header.
pub fn set_traffic_class(packet: &mut [u8], traffic_class: u8) {
    match packet.first().map(|first| first >> 4) {
        Some(4) => {
            let Some(header) = packet.first_chunk_mut::<IPV4_HEADER_LEN>() else { return };
            let (old, new) = ([header[0], header[1]], [header[0], traffic_class]);
            header[1] = traffic_class;
            let sum = adjust_checksum(u16::from_be_bytes([header[10], header[11]]), &old, &new);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        Some(6) => {
            let Some(header) = packet.first_chunk_mut::<IPV6_HEADER_LEN>() else { return };
            header[0] = 0x60 | traffic_class >> 4;
            header[1] = header[1] & 0x0f | traffic_class << 4;
        }
        _ => {}
    }
}

/// Octets of a UDP header.
pub const UDP_HEADER_LEN: usize = 8;

/// Fills in the UDP header at the beginning of `segment`, which goes on with the payload: ports, length, checksum.
///
/// # Errors
/// [`EncodeError::BufferTooSmall`] below 8 octets, [`EncodeError::TooLong`] above 65535.
pub fn emit_udp_header(
    addresses: &Addresses,
    source: u16,
    destination: u16,
    segment: &mut [u8],
) -> Result<(), EncodeError> {
    let have = segment.len();
    let total = length("UDP length", have)?;
    let Some(header) = segment.first_chunk_mut::<UDP_HEADER_LEN>() else {
        return Err(EncodeError::BufferTooSmall { need: UDP_HEADER_LEN, have });
    };
    header[0..2].copy_from_slice(&source.to_be_bytes());
    header[2..4].copy_from_slice(&destination.to_be_bytes());
    header[4..6].copy_from_slice(&total.to_be_bytes());
    header[6..8].fill(0);
    let sum = match transport_checksum(addresses, IpProtocol::UDP, segment) {
        0 => 0xffff,
        sum => sum,
    };
    if let Some(slot) = segment.get_mut(6..8) {
        slot.copy_from_slice(&sum.to_be_bytes());
    }
    Ok(())
}

fn length(field: &'static str, value: usize) -> Result<u16, EncodeError> {
    u16::try_from(value).map_err(|_| EncodeError::TooLong { field, value, limit: usize::from(u16::MAX) })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::ip::Packet;

    const V4: Addresses =
        Addresses::V4 { source: Ipv4Addr::new(10, 0, 0, 1), destination: Ipv4Addr::new(10, 0, 0, 2) };
    const V6: Addresses = Addresses::V6 { source: Ipv6Addr::LOCALHOST, destination: Ipv6Addr::UNSPECIFIED };

    #[test]
    fn lengths_beyond_the_field_are_refused() {
        let mut out = vec![0; 40];
        let v4 = Header::new(V4, IpProtocol::ESP);
        let v6 = Header::new(V6, IpProtocol::ESP);
        assert_eq!(v4.emit(65515, &mut out), Ok(()));
        assert!(v4.emit(65516, &mut out).is_err());
        assert_eq!(v6.emit(65535, &mut out), Ok(()));
        assert!(v6.emit(65536, &mut out).is_err());
        assert_eq!(v6.emit(0, &mut out[..39]), Err(EncodeError::BufferTooSmall { need: 40, have: 39 }));
    }

    #[test]
    fn the_traffic_class_changes_in_place() {
        for addresses in [V4, V6] {
            let header = Header { flow_label: 0xabcde, ..Header::new(addresses, IpProtocol::ESP) };
            let mut out = vec![0; header.header_len()];
            header.emit(0, &mut out).unwrap();
            for class in 0..=255 {
                set_traffic_class(&mut out, class);
                let packet = Packet::parse(&out).unwrap();
                assert_eq!((packet.traffic_class(), packet.is_checksum_ok()), (class, true));
                let mut fresh = vec![0; out.len()];
                Header { traffic_class: class, ..header }.emit(0, &mut fresh).unwrap();
                assert_eq!(out, fresh);
            }
        }
        let mut short = [0x45, 1];
        set_traffic_class(&mut short, 7);
        assert_eq!(short, [0x45, 1]);
    }

    #[test]
    fn families_must_agree() {
        assert_eq!(Addresses::new(Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()), None);
        assert!(Addresses::new(Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()).is_some());
    }
}
