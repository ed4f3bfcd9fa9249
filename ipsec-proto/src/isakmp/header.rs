//! The ISAKMP header (RFC 2408 §3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       Initiator Cookie (8)                    |
//! |                       Responder Cookie (8)                    |
//! +---------------+-------+-------+---------------+---------------+
//! |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
//! +---------------+-------+-------+---------------+---------------+
//! |                          Message ID                           |
//! |                            Length                             |
//! +---------------------------------------------------------------+
//! ```

use core::fmt;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::net::Cookie;
use crate::registry::{ExchangeType, PayloadType};

/// Octets of the ISAKMP header.
pub const HEADER_LEN: usize = 28;

/// The version octet: major number in the high half, minor in the low.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8);

impl Version {
    /// ISAKMP 1.0: IKEv1.
    pub const V1: Self = Self(0x10);
    /// IKEv2 (RFC 7296 §3.1).
    pub const V2: Self = Self(0x20);

    /// The major version.
    #[must_use]
    pub const fn major(self) -> u8 {
        self.0 >> 4
    }

    /// The minor version.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.0 & 0x0f
    }

    /// The version octet of a datagram that holds at least a whole header: what to demultiplex IKEv1 and IKEv2 by.
    #[must_use]
    pub fn peek(datagram: &[u8]) -> Option<Self> {
        datagram.get(..HEADER_LEN)?.get(17).copied().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

/// The flags octet. Bits without a meaning survive; the RFC asks them to be zero when sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// E: everything after the header is encrypted.
    pub const ENCRYPTION: Self = Self(1);
    /// C: wait for the peer's CONNECTED notify or next exchange before using the SA.
    pub const COMMIT: Self = Self(2);
    /// A: an Informational message that is authenticated but not encrypted.
    pub const AUTHENTICATION_ONLY: Self = Self(4);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [(Self::ENCRYPTION, "E"), (Self::COMMIT, "C"), (Self::AUTHENTICATION_ONLY, "A")];
        for (_, letter) in named.iter().filter(|(flag, _)| self.contains(*flag)) {
            f.write_str(letter)?;
        }
        match self.0 & !7 {
            0 if self.0 == 0 => f.write_str("-"),
            0 => Ok(()),
            rest => write!(f, "+0x{rest:02x}"),
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}

/// The 28 octets every ISAKMP message begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// The initiator's cookie.
    pub initiator: Cookie,
    /// The responder's cookie; zero in the first message of phase 1.
    pub responder: Cookie,
    /// The type of the first payload.
    pub next_payload: PayloadType,
    /// The version octet.
    pub version: Version,
    /// The exchange this message belongs to.
    pub exchange: ExchangeType,
    /// The flags octet.
    pub flags: Flags,
    /// Zero in phase 1, random per exchange in phase 2.
    pub message_id: u32,
    /// Octets of the whole message, header included.
    pub length: u32,
}

impl Header {
    /// A header for sending: version 1.0, no flags. Next payload and length are filled in when the message is encoded.
    #[must_use]
    pub const fn new(initiator: Cookie, responder: Cookie, exchange: ExchangeType, message_id: u32) -> Self {
        Self {
            initiator,
            responder,
            next_payload: PayloadType::NONE,
            version: Version::V1,
            exchange,
            flags: Flags::NONE,
            message_id,
            length: 0,
        }
    }

    /// Whether the E flag is set.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.flags.contains(Flags::ENCRYPTION)
    }

    /// Reads the header of an IKEv1 datagram and checks it against the datagram's size (RFC 2408 §5.1, §5.2).
    ///
    /// # Errors
    /// [`DecodeErrorKind::UnsupportedVersion`] unless the version is 1.0: value 0x20 is an IKEv2 message.
    /// [`DecodeErrorKind::BadLength`] when the length field is less than the header;
    /// [`DecodeErrorKind::Truncated`] or [`DecodeErrorKind::TrailingOctets`] when it is not the datagram's size.
    pub fn parse(datagram: &[u8]) -> Result<Self, DecodeError> {
        let header = Self::parse_fields(datagram)?;
        if header.version != Version::V1 {
            let kind = DecodeErrorKind::UnsupportedVersion;
            return Err(DecodeError::new(kind, "ISAKMP version", 17, u64::from(header.version.0)));
        }
        let length = header.length as usize;
        let kind = if length < HEADER_LEN {
            DecodeErrorKind::BadLength
        } else if length > datagram.len() {
            DecodeErrorKind::Truncated { need: length, have: datagram.len() }
        } else if length < datagram.len() {
            DecodeErrorKind::TrailingOctets
        } else {
            return Ok(header);
        };
        Err(DecodeError::new(kind, "ISAKMP length", 24, u64::from(header.length)))
    }

    /// Reads the fields without judging version or length: for printing, and for answering what cannot be read.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when there are fewer than 28 octets.
    pub fn parse_fields(datagram: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(datagram);
        Ok(Self {
            initiator: Cookie(r.array("ISAKMP initiator cookie")?),
            responder: Cookie(r.array("ISAKMP responder cookie")?),
            next_payload: PayloadType(r.u8("ISAKMP next payload")?),
            version: Version(r.u8("ISAKMP version")?),
            exchange: ExchangeType(r.u8("ISAKMP exchange type")?),
            flags: Flags(r.u8("ISAKMP flags")?),
            message_id: r.u32("ISAKMP message ID")?,
            length: r.u32("ISAKMP length")?,
        })
    }

    /// Writes the 28 octets as they stand in the fields.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.bytes(&self.initiator.0);
        w.bytes(&self.responder.0);
        w.u8(self.next_payload.0);
        w.u8(self.version.0);
        w.u8(self.exchange.0);
        w.u8(self.flags.0);
        w.u32(self.message_id);
        w.u32(self.length);
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;

    fn octets(header: &Header) -> Vec<u8> {
        let mut out = Vec::new();
        header.emit(&mut Writer::new(&mut out));
        out
    }

    fn sample() -> Header {
        Header {
            next_payload: PayloadType::SA,
            length: 28,
            flags: Flags::ENCRYPTION.with(Flags::COMMIT),
            ..Header::new(Cookie([1; 8]), Cookie([2; 8]), ExchangeType::QUICK_MODE, 0xdead_beef)
        }
    }

    #[test]
    fn round_trip_byte_by_byte() {
        let written = octets(&sample());
        assert_eq!(
            written,
            [
                1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 0x10, 32, 3, 0xde, 0xad, 0xbe, 0xef, 0, 0,
                0, 28
            ]
        );
        assert_eq!(Header::parse(&written), Ok(sample()));
        assert_eq!(Version::peek(&written), Some(Version::V1));
        assert_eq!(Version::peek(&written[..27]), None);
    }

    #[test]
    fn other_versions_are_named() {
        for version in [0x20, 0x11, 0x00, 0xff] {
            let error =
                Header::parse(&octets(&Header { version: Version(version), ..sample() })).unwrap_err();
            assert_eq!((error.kind, error.at), (DecodeErrorKind::UnsupportedVersion, 17));
            assert_eq!(error.value, u64::from(version));
        }
    }

    #[test]
    fn the_length_must_be_the_datagrams() {
        let kind = |length| Header::parse(&octets(&Header { length, ..sample() })).unwrap_err().kind;
        assert_eq!(kind(27), DecodeErrorKind::BadLength);
        assert_eq!(kind(29), DecodeErrorKind::Truncated { need: 29, have: 28 });
        assert_eq!(kind(u32::MAX), DecodeErrorKind::Truncated { need: u32::MAX as usize, have: 28 });
        let mut longer = octets(&sample());
        longer.push(0);
        assert_eq!(Header::parse(&longer).unwrap_err().kind, DecodeErrorKind::TrailingOctets);
    }

    #[test]
    fn flags_print() {
        assert_eq!(format!("{} {}", Flags::NONE, Flags(0x83)), "- EC+0x80");
    }
}
