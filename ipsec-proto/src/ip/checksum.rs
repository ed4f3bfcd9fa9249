//! The Internet checksum (RFC 1071), alone and over a pseudo-header.

use crate::ip::Addresses;
use crate::registry::IpProtocol;

/// The Internet checksum of `octets`: to be stored big-endian. Zero over octets that include a correct checksum.
#[must_use]
pub fn checksum(octets: &[u8]) -> u16 {
    fold(sum(octets))
}

/// The checksum of a TCP, UDP or ICMPv6 segment whose checksum field is zero, over the pseudo-header of RFC 768 or
/// RFC 8200 §8.1. For UDP a result of zero has to be sent as 0xffff.
#[must_use]
pub fn transport_checksum(addresses: &Addresses, protocol: IpProtocol, segment: &[u8]) -> u16 {
    let ends = match addresses {
        Addresses::V4 { source, destination } => {
            sum(&source.octets()).wrapping_add(sum(&destination.octets()))
        }
        Addresses::V6 { source, destination } => {
            sum(&source.octets()).wrapping_add(sum(&destination.octets()))
        }
    };
    let total = ends
        .wrapping_add(u64::from(protocol.0))
        .wrapping_add(sum(&(segment.len() as u32).to_be_bytes()))
        .wrapping_add(sum(segment));
    fold(total)
}

/// A checksum after `from`, octets that it covers, became `to` (RFC 1624 §3). Either begins at an even place of what is
/// covered.
#[must_use]
pub fn adjust_checksum(checksum: u16, from: &[u8], to: &[u8]) -> u16 {
    // HC' = ~(~HC + ~m + m'), in ones' complement.
    let minus = u64::from(fold(sum(from)));
    fold(u64::from(!checksum).wrapping_add(minus).wrapping_add(sum(to)))
}

/// Sum of 16-bit words; a `u64` holds the sum of more words than any slice has.
fn sum(octets: &[u8]) -> u64 {
    let (words, odd) = octets.as_chunks::<2>();
    let last = odd.first().map_or(0, |octet| u64::from(*octet) << 8);
    words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>().wrapping_add(last)
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0d]), 0);
        assert_eq!(checksum(&[0xff]), !0xff00);
        assert_eq!(checksum(&[]), 0xffff);
    }

    #[test]
    fn a_checksum_follows_a_change() {
        let mut octets = [0x45, 0, 1, 2, 0xfe, 0xff, 3, 4, 0, 0];
        let before = checksum(&octets);
        octets[2..6].copy_from_slice(&[0xab, 0xcd, 0, 9]);
        assert_eq!(adjust_checksum(before, &[1, 2, 0xfe, 0xff], &[0xab, 0xcd, 0, 9]), checksum(&octets));
    }
}
