//! What can be wrong with octets from the network, and with values to be written to it.

/// Why octets could not be decoded: the kind of fault, the field it is in, where, and the value found.
///
/// Small and `Copy`, so that a refusal can be counted, logged and diagnosed without touching the datagram again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} at octet {at}: {kind} (value {value})")]
pub struct DecodeError {
    /// The kind of fault.
    pub kind: DecodeErrorKind,
    /// The field at fault, as the RFC names it.
    pub field: &'static str,
    /// Offset of the field in octets, counted from the start of what was handed in: the datagram for whole messages.
    pub at: usize,
    /// The value found: a length, a count, a version, a type. For [`DecodeErrorKind::Truncated`] the octets present.
    pub value: u64,
}

impl DecodeError {
    /// Puts the four facts together.
    #[must_use]
    pub const fn new(kind: DecodeErrorKind, field: &'static str, at: usize, value: u64) -> Self {
        Self { kind, field, at, value }
    }

    /// The same error, seen from a buffer in which these octets start `base` octets further on.
    #[must_use]
    pub const fn shifted(self, base: usize) -> Self {
        Self { at: self.at.saturating_add(base), ..self }
    }
}

/// The kinds of decoding faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The octets end before the field does.
    #[error("truncated, {need} octets needed, {have} present")]
    Truncated {
        /// Octets the field needs.
        need: usize,
        /// Octets that are left.
        have: usize,
    },
    /// A length field contradicts the octets around it or the size its contents must have.
    #[error("bad length")]
    BadLength,
    /// Octets are left over after the last field.
    #[error("trailing octets")]
    TrailingOctets,
    /// The protocol version is not the one this decoder reads.
    #[error("unsupported version")]
    UnsupportedVersion,
    /// More elements than the named limit, or than the count field announces.
    #[error("too many, limit {limit}")]
    TooMany {
        /// The limit that was passed.
        limit: usize,
    },
    /// A count field that does not match the elements that follow.
    #[error("count does not match the contents, which hold {found}")]
    CountMismatch {
        /// The number of elements found.
        found: usize,
    },
    /// A RESERVED field that is not zero (RFC 2408 §5.3: the message is discarded).
    #[error("reserved field is not zero")]
    ReservedNotZero,
    /// A value that must not stand in this field.
    #[error("bad value")]
    BadValue,
    /// A well-formed value that this implementation cannot interpret any further.
    #[error("not supported")]
    Unsupported,
    /// A checksum that does not match.
    #[error("bad checksum")]
    BadChecksum,
}

/// Why a value could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The contents do not fit the length or count field that describes them.
    #[error("{field}: {value} exceeds the largest encodable value {limit}")]
    TooLong {
        /// The field whose length or count overflows.
        field: &'static str,
        /// The length or count wanted.
        value: usize,
        /// The largest that can be written.
        limit: usize,
    },
    /// The value is contradictory: for example SPIs of different sizes in one Delete payload.
    #[error("{field}: inconsistent value")]
    Inconsistent {
        /// The field at fault.
        field: &'static str,
    },
    /// The caller's buffer is too small.
    #[error("buffer too small, {need} octets needed, {have} present")]
    BufferTooSmall {
        /// Octets needed.
        need: usize,
        /// Octets given.
        have: usize,
    },
}
