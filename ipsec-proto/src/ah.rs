//! The Authentication Header (RFC 4302 §2).
//!
//! ```text
//! +-------------+-------------+---------------+-----+-----------------+--------------+
//! | Next Header | Payload Len |   RESERVED    | SPI | Sequence Number | ICV, padding |
//! +-------------+-------------+---------------+-----+-----------------+--------------+
//! ```

use crate::codec::Reader;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::ip::{IPV4_HEADER_LEN, IPV6_HEADER_LEN, Version};
use crate::net::Spi;
use crate::registry::IpProtocol;

/// Octets before the ICV.
pub const FIXED_LEN: usize = 12;

/// The fields of an AH before its ICV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// What follows the AH.
    pub next_header: IpProtocol,
    /// The SPI.
    pub spi: Spi,
    /// The sequence number's lower 32 bits: all of it without ESN.
    pub sequence: u32,
}

/// An AH as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// The fields before the ICV.
    pub header: Header,
    /// The ICV, and what aligns the AH to 8 octets in IPv6.
    pub icv: &'a [u8],
    /// What follows the AH.
    pub payload: &'a [u8],
}

/// Octets of a whole AH: a multiple of 4 in IPv4 and of 8 in IPv6 (RFC 4302 §3.3.3.2.1).
#[must_use]
pub const fn header_len(icv_len: usize, version: Version) -> usize {
    let unit = match version {
        Version::V4 => 4,
        Version::V6 => 8,
    };
    FIXED_LEN.saturating_add(icv_len).div_ceil(unit).saturating_mul(unit)
}

impl<'a> View<'a> {
    /// Reads an AH. RESERVED is not judged: it is covered by the ICV and otherwise ignored (RFC 4302 §2.3).
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`]; [`DecodeErrorKind::BadLength`] for a payload length below the fixed part;
    /// [`DecodeErrorKind::BadValue`] for SPI 0.
    pub fn parse(packet: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(packet);
        let next_header = IpProtocol(r.u8("AH next header")?);
        let words = r.u8("AH payload length")?;
        r.u16("AH RESERVED")?;
        let spi = Spi(r.u32("AH SPI")?);
        let sequence = r.u32("AH sequence number")?;
        // In 32-bit words, minus two.
        let total = usize::from(words).saturating_add(2).saturating_mul(4);
        let Some(icv_len) = total.checked_sub(FIXED_LEN) else {
            return Err(DecodeError::new(
                DecodeErrorKind::BadLength,
                "AH payload length",
                1,
                u64::from(words),
            ));
        };
        if spi == Spi::ZERO {
            return Err(DecodeError::new(DecodeErrorKind::BadValue, "AH SPI", 4, 0));
        }
        let icv = r.take("AH ICV", icv_len)?;
        Ok(Self { header: Header { next_header, spi, sequence }, icv, payload: r.rest() })
    }
}

impl Header {
    /// Writes an AH that fills `out`; the ICV and its padding are left zero, as its computation needs them.
    ///
    /// # Errors
    /// [`EncodeError::BufferTooSmall`] below 12 octets, [`EncodeError::Inconsistent`] unless a multiple of 4,
    /// [`EncodeError::TooLong`] above 1028.
    pub fn emit(&self, out: &mut [u8]) -> Result<(), EncodeError> {
        let have = out.len();
        let Some((fixed, icv)) = out.split_first_chunk_mut::<FIXED_LEN>() else {
            return Err(EncodeError::BufferTooSmall { need: FIXED_LEN, have });
        };
        if !have.is_multiple_of(4) {
            return Err(EncodeError::Inconsistent { field: "AH payload length" });
        }
        let value = (have / 4).saturating_sub(2);
        let words = u8::try_from(value).map_err(|_| EncodeError::TooLong {
            field: "AH payload length",
            value,
            limit: usize::from(u8::MAX),
        })?;
        fixed[..4].copy_from_slice(&[self.next_header.0, words, 0, 0]);
        fixed[4..8].copy_from_slice(&self.spi.to_be_bytes());
        fixed[8..].copy_from_slice(&self.sequence.to_be_bytes());
        icv.fill(0);
        Ok(())
    }
}

/// The IPv4 options that routers leave alone (RFC 4302 appendix A1), with the bit that has them copied: end of list,
/// no operation, the three of security, router alert, sender directed multi-destination delivery.
const IMMUTABLE_OPTIONS: [u8; 7] = [0, 1, 130, 133, 134, 148, 149];
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
/// The bit of IPv6 option types that says that routers may change the data (RFC 8200 §4.2).
const MAY_CHANGE: u8 = 0x20;
/// Routing headers whose addresses change places with the destination: type 0, and type 2 of Mobile IPv6
/// (RFC 6275 §6.4).
const SWAPPING_ROUTES: [u8; 2] = [0, 2];

/// Brings a packet's headers, from the IP header up to where the AH begins or will begin, into the form that the ICV is
/// computed over (RFC 4302 §3.3.3.1): what routers change becomes zero, what they change in a known way is as the receiver
/// will see it. The length must be the whole packet's and the protocol AH already.
///
/// # Errors
/// [`DecodeErrorKind`] of options and extension headers that contradict their lengths, and of headers that have no place
/// before an AH. What is written then is of no use.
pub fn zero_mutable(headers: &mut [u8]) -> Result<(), DecodeError> {
    match headers.first().map(|first| first >> 4) {
        Some(4) => zero_mutable_v4(headers),
        Some(6) => zero_mutable_v6(headers),
        version => {
            let value = u64::from(version.unwrap_or(0));
            Err(DecodeError::new(DecodeErrorKind::UnsupportedVersion, "IP version", 0, value))
        }
    }
}

fn zero_mutable_v4(headers: &mut [u8]) -> Result<(), DecodeError> {
    let have = headers.len();
    let Some((fixed, options)) = headers.split_first_chunk_mut::<IPV4_HEADER_LEN>() else {
        let kind = DecodeErrorKind::Truncated { need: IPV4_HEADER_LEN, have };
        return Err(DecodeError::new(kind, "IPv4 header", 0, have as u64));
    };
    // TOS, flags and offset, TTL, checksum.
    for field in [1..2, 6..8, 8..9, 10..12] {
        fixed[field].fill(0);
    }
    let mut at = 0_usize;
    while let Some(&kind) = options.get(at) {
        let rest = options.get_mut(at..).unwrap_or_default();
        let length = match (kind, rest.get(1)) {
            (0, _) => break,
            (1, _) => 1,
            (_, length) => usize::from(length.copied().unwrap_or(0)),
        };
        let bad = DecodeError::new(
            DecodeErrorKind::BadLength,
            "IPv4 option",
            at.saturating_add(IPV4_HEADER_LEN),
            length as u64,
        );
        let option = rest.get_mut(..length).filter(|option| kind == 1 || option.len() >= 2).ok_or(bad)?;
        if let [LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE, _, pointer, route @ ..] = option
            // Counted from 1 at the option's first octet; beyond the option when the last address was reached.
            && usize::from(*pointer) <= length
            && let Some(last) = route.last_chunk::<4>()
        {
            fixed[16..20].copy_from_slice(last);
        }
        if !IMMUTABLE_OPTIONS.contains(&kind) {
            option.fill(0);
        }
        at = at.saturating_add(length);
    }
    Ok(())
}

fn zero_mutable_v6(headers: &mut [u8]) -> Result<(), DecodeError> {
    let have = headers.len();
    let Some((fixed, mut rest)) = headers.split_first_chunk_mut::<IPV6_HEADER_LEN>() else {
        let kind = DecodeErrorKind::Truncated { need: IPV6_HEADER_LEN, have };
        return Err(DecodeError::new(kind, "IPv6 header", 0, have as u64));
    };
    // Traffic class and flow label, hop limit.
    fixed[..4].copy_from_slice(&[0x60, 0, 0, 0]);
    fixed[7] = 0;
    let mut protocol = IpProtocol(fixed[6]);
    while !rest.is_empty() {
        let at = have.saturating_sub(rest.len());
        let bad = |kind, value: u8| DecodeError::new(kind, "IPv6 extension header", at, u64::from(value));
        let [next, units, ..] = *rest else { return Err(bad(DecodeErrorKind::BadLength, protocol.0)) };
        let length = usize::from(units).saturating_add(1).saturating_mul(8);
        let (extension, behind) =
            rest.split_at_mut_checked(length).ok_or(bad(DecodeErrorKind::BadLength, units))?;
        let body = extension.get_mut(2..).unwrap_or_default();
        match protocol {
            IpProtocol::HOPOPT | IpProtocol::IPV6_OPTS => {
                zero_mutable_options(body).ok_or(bad(DecodeErrorKind::BadLength, protocol.0))?;
            }
            IpProtocol::IPV6_ROUTE => {
                if let Some(destination) = fixed.last_chunk_mut::<16>() {
                    finish_route(body, destination).ok_or(bad(DecodeErrorKind::BadValue, protocol.0))?;
                }
            }
            // Fragments are put together before AH is looked at (RFC 4302 appendix A2).
            _ => return Err(bad(DecodeErrorKind::BadValue, protocol.0)),
        }
        protocol = IpProtocol(next);
        rest = behind;
    }
    Ok(())
}

/// Zeroes the data of options that say that it may change.
fn zero_mutable_options(mut options: &mut [u8]) -> Option<()> {
    while let Some((&mut kind, rest)) = options.split_first_mut() {
        options = match kind {
            // Pad1.
            0 => rest,
            _ => {
                let (&mut length, rest) = rest.split_first_mut()?;
                let (data, behind) = rest.split_at_mut_checked(usize::from(length))?;
                if kind & MAY_CHANGE != 0 {
                    data.fill(0);
                }
                behind
            }
        };
    }
    Some(())
}

/// Brings a routing header, from its type on, and the destination into the form they have at the last stop.
fn finish_route(body: &mut [u8], destination: &mut [u8; 16]) -> Option<()> {
    let (&mut [kind, ref mut left], rest) = body.split_first_chunk_mut::<2>()?;
    if !SWAPPING_ROUTES.contains(&kind) {
        return Some(());
    }
    let (addresses, _) = rest.get_mut(4..)?.as_chunks_mut::<16>();
    let first = addresses.len().checked_sub(usize::from(*left))?;
    for address in addresses.get_mut(first..)? {
        core::mem::swap(address, destination);
    }
    *left = 0;
    Some(())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn round_trips_with_an_icv_of_96_bits() {
        let header = Header { next_header: IpProtocol::TCP, spi: Spi(0x1000), sequence: 2 };
        let mut out = vec![0xff; header_len(12, Version::V4)];
        header.emit(&mut out).unwrap();
        assert_eq!(out[..12], [6, 4, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 2]);
        out.extend([1, 2, 3]);
        let view = View::parse(&out).unwrap();
        assert_eq!((view.header, view.icv, view.payload), (header, &[0; 12][..], &[1, 2, 3][..]));
    }

    #[test]
    fn ipv6_aligns_to_eight_octets() {
        assert_eq!((header_len(12, Version::V6), header_len(16, Version::V4)), (24, 28));
        assert_eq!(header_len(16, Version::V6), 32);
    }

    #[test]
    fn bad_headers_are_refused() {
        let kind = |octets: &[u8]| View::parse(octets).unwrap_err().kind;
        assert_eq!(kind(&[6, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]), DecodeErrorKind::BadLength);
        assert_eq!(kind(&[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), DecodeErrorKind::BadValue);
        assert_eq!(
            kind(&[6, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
            DecodeErrorKind::Truncated { need: 12, have: 0 }
        );
        let header = Header { next_header: IpProtocol::TCP, spi: Spi(0x1000), sequence: 2 };
        assert!(header.emit(&mut [0; 11]).is_err() && header.emit(&mut [0; 13]).is_err());
        assert!(header.emit(&mut [0; 1028]).is_ok() && header.emit(&mut [0; 1032]).is_err());
    }

    #[test]
    fn options_of_ipv4_are_zeroed_as_the_table_says() {
        let mut headers = vec![
            0x4b, 0xb8, 0, 60, 1, 2, 0x40, 0, 64, 51, 0xaa, 0xbb, 192, 0, 2, 1, 198, 51, 100,
            1, // fixed
            1, 148, 4, 0, 0, // no operation, router alert: stay
            131, 11, 4, 10, 0, 0, 1, 10, 0, 0,
            2, // loose source route: the destination will be its last
            68, 4, 5, 1, // time stamp: goes
            0, 9, 9, 9, // the end of the list: what follows stays
        ];
        zero_mutable(&mut headers).unwrap();
        assert_eq!(headers[..20], [0x4b, 0, 0, 60, 1, 2, 0, 0, 0, 51, 0, 0, 192, 0, 2, 1, 10, 0, 0, 2]);
        assert_eq!(headers[20..25], [1, 148, 4, 0, 0]);
        assert_eq!(headers[25..40], [0; 15]);
        assert_eq!(headers[40..], [0, 9, 9, 9]);
        for bad in [[7, 0, 0, 0], [7, 1, 0, 0], [7, 5, 0, 0], [1, 1, 1, 7]] {
            let mut headers = [&[0x46; 20][..], &bad].concat();
            assert_eq!(zero_mutable(&mut headers).unwrap_err().field, "IPv4 option");
        }
    }

    #[test]
    fn extension_headers_are_as_the_receiver_sees_them() {
        let mut headers = vec![0x6f; 40];
        headers[6] = 0;
        headers[24..40].fill(0xdd);
        headers.extend([43, 0, 0x3e, 2, 7, 7, 1, 0]); // hop-by-hop: one that may change, padding
        headers.extend([60, 4, 0, 2, 0, 0, 0, 0]); // routing, two addresses to go
        headers.extend([[1; 16], [2; 16]].concat());
        headers.extend([51, 0, 0x1e, 4, 9, 9, 9, 9]); // destination options that stay
        zero_mutable(&mut headers).unwrap();
        assert_eq!((headers[..4].to_vec(), headers[7]), (vec![0x60, 0, 0, 0], 0));
        assert_eq!(headers[24..40], [2; 16], "the last stop");
        assert_eq!(headers[40..48], [43, 0, 0x3e, 2, 0, 0, 1, 0]);
        assert_eq!(headers[48..56], [60, 4, 0, 0, 0, 0, 0, 0]);
        assert_eq!((&headers[56..72], &headers[72..88]), (&[0xdd; 16][..], &[1; 16][..]));
        assert_eq!(headers[88..], [51, 0, 0x1e, 4, 9, 9, 9, 9]);

        headers[51] = 3;
        assert_eq!(
            zero_mutable(&mut headers).unwrap_err().kind,
            DecodeErrorKind::BadValue,
            "more than there are"
        );
        headers[40] = 44;
        assert!(zero_mutable(&mut headers).is_err(), "a fragment header");
        assert!(zero_mutable(&mut headers[..50]).is_err() && zero_mutable(&mut headers[..39]).is_err());
        assert!(zero_mutable(&mut []).is_err());
    }
}
