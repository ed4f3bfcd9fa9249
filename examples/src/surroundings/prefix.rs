//! Prefixes: what routes are for, where selectors may be any range.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipsec_io::sad::AddressRange;

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The bits of an address.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    fn address(self, bits: u128) -> IpAddr {
        match self {
            // An IPv4 address came in, and arithmetic stays within its range.
            Self::V4 => Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from_bits(bits).into(),
        }
    }
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// A network: the address has no bits set behind the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The network of `length` bits that `address` is in. A length beyond the family's bits is cut to them.
    #[must_use]
    pub fn around(address: IpAddr, length: u8) -> Self {
        let family = Family::of(address);
        let length = length.min(family.bits());
        let host = span(family.bits() - length);
        Self { address: family.address(to_bits(address) & !host), length }
    }

    /// The fewest prefixes that are together the range, in order.
    #[must_use]
    pub fn of_range(range: &AddressRange) -> Vec<Self> {
        let family = Family::of(range.first());
        let (mut first, last) = (to_bits(range.first()), to_bits(range.last()));
        let mut prefixes = Vec::new();
        loop {
            // The largest block that starts here: by alignment, and by what is left.
            let mut host = u8::try_from(first.trailing_zeros()).unwrap_or(0).min(family.bits());
            while span(host) > last - first {
                host -= 1;
            }
            prefixes.push(Self { address: family.address(first), length: family.bits() - host });
            let end = first + span(host);
            if end >= last {
                return prefixes;
            }
            first = end + 1;
        }
    }

    /// The network's address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The length in bits.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The family.
    #[must_use]
    pub const fn family(&self) -> Family {
        Family::of(self.address)
    }

    /// Whether it is every address of its family.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.length == 0
    }

    /// Whether every address of `other` is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.family() == other.family()
            && self.length <= other.length
            && Self::around(other.address, self.length) == *self
    }
}

/// How far the last address of a block with `host` free bits is from the first.
fn span(host: u8) -> u128 {
    1_u128.checked_shl(host.into()).map_or(u128::MAX, |size| size - 1)
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(range: &str) -> Vec<String> {
        Prefix::of_range(&range.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_range_becomes_the_fewest_prefixes() {
        assert_eq!(split("10.2.0.0/24"), ["10.2.0.0/24"]);
        assert_eq!(split("0.0.0.0/0"), ["0.0.0.0/0"]);
        assert_eq!(split("::/0"), ["::/0"]);
        assert_eq!(split("10.0.0.1-10.0.0.6"), ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]);
        assert_eq!(split("255.255.255.254-255.255.255.255"), ["255.255.255.254/31"]);
        assert_eq!(split("2001:db8::1"), ["2001:db8::1/128"]);
        assert_eq!(split("0.0.0.1-255.255.255.254").len(), 62);
        assert_eq!(split("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").len(), 254);
    }

    proptest! {
        #[test]
        fn the_prefixes_of_a_range_follow_each_other_and_fill_it(a: u32, b: u32) {
            let (first, last) = (a.min(b), a.max(b));
            let range = AddressRange::new(Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(last).into()).unwrap();
            let mut next = u64::from(first);
            for prefix in Prefix::of_range(&range) {
                prop_assert_eq!(u64::try_from(to_bits(prefix.address())).unwrap(), next);
                prop_assert_eq!(Prefix::around(prefix.address(), prefix.length()), prefix);
                next += 1 << (32 - prefix.length());
            }
            prop_assert_eq!(next, u64::from(last) + 1);
        }
    }
}
