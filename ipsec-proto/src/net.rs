//! The words every layer shares: paths, SPIs and cookies.

use core::fmt;
use core::net::SocketAddr;

/// The two ends of a datagram's way, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's address and port, as seen from here (after any NAT).
    pub remote: SocketAddr,
}

impl Path {
    /// A path from `local` to `remote`.
    #[must_use]
    pub const fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { local, remote }
    }

    /// The same path seen from the other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { local: self.remote, remote: self.local }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <-> {}", self.local, self.remote)
    }
}

/// A Security Parameters Index: the 32-bit number by which the receiver of ESP or AH finds the SA (RFC 4301 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Spi(pub u32);

impl Spi {
    /// Reserved for local use; never on the wire. In UDP encapsulation it would read as the non-ESP marker (RFC 3948 §2.2).
    pub const ZERO: Self = Self(0);
    /// The smallest SPI that may be allotted to an SA (RFC 4303 §2.1).
    pub const FIRST_USABLE: Self = Self(256);

    /// Whether the number lies in 0..=255, which RFC 4303 §2.1 keeps for IANA and for local use.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 < Self::FIRST_USABLE.0
    }

    /// The four octets on the wire.
    #[must_use]
    pub const fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// The SPI that four octets on the wire stand for.
    #[must_use]
    pub const fn from_be_bytes(octets: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(octets))
    }
}

impl fmt::Display for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

impl fmt::Debug for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spi(0x{:08x})", self.0)
    }
}

impl From<u32> for Spi {
    fn from(value: u32) -> Self {
        Self(value)
    }
}

macro_rules! eight_octets {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 8]);

        impl $name {
            /// Eight zero octets: "not chosen yet".
            pub const ZERO: Self = Self([0; 8]);

            /// Whether all eight octets are zero.
            #[must_use]
            pub fn is_zero(&self) -> bool {
                *self == Self::ZERO
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", u64::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

eight_octets! {
    /// An ISAKMP cookie: one end's half of an IKEv1 SA's name (RFC 2408 §2.5.3). The responder's is zero in the first message.
    Cookie
}

eight_octets! {
    /// An IKE SPI: one end's half of an IKEv2 SA's name (RFC 7296 §2.6). The responder's is zero in the first message.
    IkeSpi
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use core::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn names_print_as_operators_write_them() {
        assert_eq!(Spi(0xc0ff_ee01).to_string(), "0xc0ffee01");
        assert_eq!(Spi(1).to_string(), "0x00000001");
        assert_eq!(Cookie([0, 1, 2, 3, 4, 5, 6, 0xff]).to_string(), "00010203040506ff");
        assert!(Cookie::ZERO.is_zero() && !Cookie([1; 8]).is_zero());
    }

    #[test]
    fn reserved_spis_end_at_255() {
        assert!(Spi(0).is_reserved() && Spi(255).is_reserved());
        assert!(!Spi(256).is_reserved() && !Spi(u32::MAX).is_reserved());
        assert_eq!(Spi::from_be_bytes(Spi(0x0102_0304).to_be_bytes()), Spi(0x0102_0304));
    }

    #[test]
    fn a_path_reverses() {
        let a = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 500);
        let b = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 4500);
        assert_eq!(Path::new(a, b).reversed(), Path::new(b, a));
        assert_eq!(Path::new(a, b).reversed().reversed(), Path::new(a, b));
    }
}
