//! The port field: ports, ICMP types and codes, or Mobility Header types, and the two special values ANY and OPAQUE.

use core::fmt;

/// A range of ports, both ends included (RFC 4301 §4.4.1.1).
///
/// With ICMP the numbers are message type * 256 + code, with the Mobility Header message type * 256. Three values are no
/// ranges: [`ANY`](Self::ANY), [`OPAQUE`](Self::OPAQUE) and [`NONE`](Self::NONE).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Every port, and packets without ports or with hidden ones too: an unspecified field.
    pub const ANY: Self = Self { first: 0, last: u16::MAX };

    /// Packets without ports and those whose ports are hidden, and no others: later fragments, protocols that have none.
    /// On the wire of IKE the ends are the wrong way round (RFC 4301 §4.4.1.2).
    pub const OPAQUE: Self = Self { first: u16::MAX, last: 0 };

    /// No packet at all: what is left when two fields have nothing in common. Of use where one direction is to stay
    /// empty, for ICMP and the Mobility Header.
    pub const NONE: Self = Self { first: 1, last: 0 };

    /// The range from `first` to `last`, `None` if they are the wrong way round.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// One port.
    #[must_use]
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The ICMP messages of type `kind`, whatever their code (RFC 4301 §4.4.1.1).
    #[must_use]
    pub const fn icmp_type(kind: u8) -> Self {
        Self { first: u16::from_be_bytes([kind, 0]), last: u16::from_be_bytes([kind, u8::MAX]) }
    }

    /// The ICMP message `kind` with `code`.
    #[must_use]
    pub const fn icmp(kind: u8, code: u8) -> Self {
        Self::single(u16::from_be_bytes([kind, code]))
    }

    /// The Mobility Header messages of type `kind` (RFC 4301 §4.4.1.1: the upper octet, the lower is 0).
    #[must_use]
    pub const fn mobility(kind: u8) -> Self {
        Self::single(u16::from_be_bytes([kind, 0]))
    }

    /// The lowest port. With OPAQUE, the value IKE sends first.
    #[must_use]
    pub const fn first(&self) -> u16 {
        self.first
    }

    /// The highest port. With OPAQUE, the value IKE sends last.
    #[must_use]
    pub const fn last(&self) -> u16 {
        self.last
    }

    /// Whether the field is unspecified.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.first == 0 && self.last == u16::MAX
    }

    /// Whether the field asks for absent or hidden ports.
    #[must_use]
    pub const fn is_opaque(&self) -> bool {
        self.first == u16::MAX && self.last == 0
    }

    /// Whether nothing can lie in the field.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.first > self.last && !self.is_opaque()
    }

    /// Whether the range is one port.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.first == self.last
    }

    /// Whether `port` is in the range.
    #[must_use]
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether a packet is covered that shows `port`, or none.
    #[must_use]
    pub const fn matches(&self, port: Option<u16>) -> bool {
        match port {
            Some(port) => self.contains(port),
            None => self.is_any() || self.is_opaque(),
        }
    }

    /// Whether every port of `other` is in the range. Only ANY and OPAQUE cover OPAQUE.
    #[must_use]
    pub const fn covers(&self, other: &Self) -> bool {
        if other.is_none() {
            true
        } else if self.is_any() || other.is_opaque() {
            self.matches(None)
        } else {
            self.first <= other.first && other.last <= self.last
        }
    }

    /// The ports in both ranges. ANY and OPAQUE have OPAQUE in common, OPAQUE and a range nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if self.is_any() || self == other {
            (!other.is_none()).then_some(*other)
        } else if other.is_any() {
            (!self.is_none()).then_some(*self)
        } else {
            // OPAQUE and NONE begin above their end, and so does what they have in common with a range.
            Self::new(self.first.max(other.first), self.last.min(other.last))
        }
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self::ANY
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            f.write_str("any")
        } else if self.is_opaque() {
            f.write_str("opaque")
        } else if self.is_none() {
            f.write_str("none")
        } else if self.is_single() {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
