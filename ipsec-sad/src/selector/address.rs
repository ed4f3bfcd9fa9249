//! The address field: one address, a prefix or a range, or all of both families.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A contiguous range of addresses of one family, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

/// Why a text or a pair of addresses is not an [`AddressRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRangeError {
    /// One end is IPv4 and the other IPv6.
    #[error("the two ends of the range are of different address families")]
    MixedFamilies,
    /// The first address is above the last.
    #[error("the first address of the range is above the last")]
    Reversed,
    /// The prefix length is above 32 (IPv4) or 128 (IPv6), or not a number.
    #[error("the prefix length is not a number from 0 to {max}")]
    PrefixLength {
        /// The longest prefix of this address family, in bits.
        max: u8,
    },
    /// The address of a prefix has bits set behind the prefix.
    #[error("the address has bits set behind the prefix: write {network}/{length}")]
    HostBits {
        /// The address with those bits cleared.
        network: IpAddr,
        /// The prefix length as given, in bits.
        length: u8,
    },
    /// The text is not an address.
    #[error("not an IPv4 or IPv6 address")]
    Address,
}

impl AddressRange {
    /// All of IPv4, `0.0.0.0/0`.
    pub const ANY_V4: Self =
        Self { first: IpAddr::V4(Ipv4Addr::UNSPECIFIED), last: IpAddr::V4(Ipv4Addr::BROADCAST) };
    /// All of IPv6, `::/0`.
    pub const ANY_V6: Self =
        Self { first: IpAddr::V6(Ipv6Addr::UNSPECIFIED), last: IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)) };

    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`AddressRangeError::MixedFamilies`] and [`AddressRangeError::Reversed`].
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, AddressRangeError> {
        if first.is_ipv4() != last.is_ipv4() {
            Err(AddressRangeError::MixedFamilies)
        } else if first > last {
            Err(AddressRangeError::Reversed)
        } else {
            Ok(Self { first, last })
        }
    }

    /// One address.
    #[must_use]
    pub const fn single(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }

    /// The prefix `address`/`length`.
    ///
    /// # Errors
    /// [`AddressRangeError::PrefixLength`] and [`AddressRangeError::HostBits`].
    pub fn prefix(address: IpAddr, length: u8) -> Result<Self, AddressRangeError> {
        let max = if address.is_ipv4() { 32 } else { 128 };
        if length > max {
            return Err(AddressRangeError::PrefixLength { max });
        }
        let host = host_mask(max - length);
        let bits = address_bits(address);
        let network = address_from(address, bits & !host);
        if network != address {
            return Err(AddressRangeError::HostBits { network, length });
        }
        Ok(Self { first: address, last: address_from(address, bits | host) })
    }

    /// All of IPv4, `0.0.0.0/0`.
    #[must_use]
    pub const fn any_v4() -> Self {
        Self::ANY_V4
    }

    /// All of IPv6, `::/0`.
    #[must_use]
    pub const fn any_v6() -> Self {
        Self::ANY_V6
    }

    /// The lowest address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    #[must_use]
    pub const fn last(&self) -> IpAddr {
        self.last
    }

    /// Whether the range is one address.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.first == self.last
    }

    /// Whether the addresses are IPv4.
    #[must_use]
    pub const fn is_ipv4(&self) -> bool {
        self.first.is_ipv4()
    }

    /// Whether `address` is in the range; an address of the other family never is.
    #[must_use]
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        // The ends have one family and `IpAddr` orders all of IPv4 before all of IPv6.
        self.first <= address && address <= self.last
    }

    /// Whether every address of `other` is in this range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// The addresses in both ranges.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last)).ok()
    }

    /// The range as network address and prefix length, if it is exactly one prefix.
    #[must_use]
    pub fn as_prefix(&self) -> Option<(IpAddr, u8)> {
        let (first, last) = (address_bits(self.first), address_bits(self.last));
        let host = first ^ last;
        let aligned = host & host.wrapping_add(1) == 0 && first & host == 0;
        let width: u32 = if self.is_ipv4() { 32 } else { 128 };
        let length = width - host.count_ones();
        aligned.then_some((self.first, u8::try_from(length).ok()?))
    }
}

/// The low `bits` bits set.
fn host_mask(bits: u8) -> u128 {
    1_u128.checked_shl(bits.into()).map_or(u128::MAX, |value| value - 1)
}

/// The address as a number.
fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The number `bits` as an address of the family of `family`.
fn address_from(family: IpAddr, bits: u128) -> IpAddr {
    match family {
        // The mask of an IPv4 prefix has 32 bits at most, and so has the number.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self::single(address)
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    /// Reads `10.0.0.1`, `10.1.0.0/24` or `10.0.0.1-10.0.0.9`, and the same with IPv6 addresses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = |part: &str| part.trim().parse::<IpAddr>().map_err(|_| AddressRangeError::Address);
        if let Some((network, length)) = text.split_once('/') {
            let network = address(network)?;
            let max = if network.is_ipv4() { 32 } else { 128 };
            let length = length.trim().parse().map_err(|_| AddressRangeError::PrefixLength { max })?;
            Self::prefix(network, length)
        } else if let Some((first, last)) = text.split_once('-') {
            Self::new(address(first)?, address(last)?)
        } else {
            address(text).map(Self::single)
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            write!(f, "{}", self.first)
        } else if let Some((network, length)) = self.as_prefix() {
            write!(f, "{network}/{length}")
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address field of a selector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addresses {
    /// Every address of both families: an unspecified field.
    Any,
    /// The addresses of a range, so of one family.
    Range(AddressRange),
}

impl Addresses {
    /// Whether `address` is covered.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Range(range) => range.contains(address),
        }
    }

    /// Whether every address of `other` is covered.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Range(_), Self::Any) => false,
            (Self::Range(ours), Self::Range(theirs)) => ours.covers(theirs),
        }
    }

    /// The addresses in both, `None` if there are none.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, set) | (set, Self::Any) => Some(*set),
            (Self::Range(ours), Self::Range(theirs)) => ours.intersect(theirs).map(Self::Range),
        }
    }

    /// The range, if the field is specified.
    #[must_use]
    pub const fn range(&self) -> Option<&AddressRange> {
        match self {
            Self::Any => None,
            Self::Range(range) => Some(range),
        }
    }
}

impl From<AddressRange> for Addresses {
    fn from(range: AddressRange) -> Self {
        Self::Range(range)
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Self {
        Self::Range(AddressRange::single(address))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Range(range) => fmt::Display::fmt(range, f),
        }
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
