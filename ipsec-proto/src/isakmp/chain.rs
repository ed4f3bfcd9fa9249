//! The chain of payloads behind the header, or inside a decrypted message (RFC 2408 §3.2).

use alloc::vec::Vec;
use core::ops::Range;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::isakmp::{
    Certificate, CertificateRequest, Delete, Hash, Id, KeyExchange, NatDiscovery, NatNumbers, NatOriginal,
    Nonce, Notify, SecurityAssociation, Signature, VendorId,
};
use crate::registry::PayloadType;

/// The most payloads read in one message. Long chains are CERT, CR and VID lists, which stay far below.
pub const MAX_PAYLOADS: usize = 256;

/// A payload's contents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Payload {
    /// Security Association.
    Sa(SecurityAssociation),
    /// Key Exchange.
    KeyExchange(KeyExchange),
    /// Identification.
    Id(Id),
    /// Certificate.
    Certificate(Certificate),
    /// Certificate Request.
    CertificateRequest(CertificateRequest),
    /// Hash.
    Hash(Hash),
    /// Signature.
    Signature(Signature),
    /// Nonce.
    Nonce(Nonce),
    /// Notification.
    Notify(Notify),
    /// Delete.
    Delete(Delete),
    /// Vendor ID.
    Vendor(VendorId),
    /// NAT discovery.
    NatDiscovery(NatDiscovery),
    /// NAT original address.
    NatOriginal(NatOriginal),
    /// A type that is not interpreted here.
    Other(PayloadType, Vec<u8>),
}

impl Payload {
    /// The type number.
    #[must_use]
    pub const fn kind(&self) -> PayloadType {
        match self {
            Self::Sa(_) => PayloadType::SA,
            Self::KeyExchange(_) => PayloadType::KE,
            Self::Id(_) => PayloadType::ID,
            Self::Certificate(_) => PayloadType::CERT,
            Self::CertificateRequest(_) => PayloadType::CR,
            Self::Hash(_) => PayloadType::HASH,
            Self::Signature(_) => PayloadType::SIG,
            Self::Nonce(_) => PayloadType::NONCE,
            Self::Notify(_) => PayloadType::NOTIFY,
            Self::Delete(_) => PayloadType::DELETE,
            Self::Vendor(_) => PayloadType::VENDOR,
            Self::NatDiscovery(p) => p.numbers.nat_d(),
            Self::NatOriginal(p) => p.numbers.nat_oa(),
            Self::Other(kind, _) => *kind,
        }
    }

    /// Reads the body of a payload: all that `r` has left.
    ///
    /// # Errors
    /// What the payload's own decoder refuses.
    pub fn parse(kind: PayloadType, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match kind {
            PayloadType::SA => Self::Sa(SecurityAssociation::parse(r)?),
            PayloadType::KE => Self::KeyExchange(KeyExchange::parse(r)?),
            PayloadType::ID => Self::Id(Id::parse(r)?),
            PayloadType::CERT => Self::Certificate(Certificate::parse(r)?),
            PayloadType::CR => Self::CertificateRequest(CertificateRequest::parse(r)?),
            PayloadType::HASH => Self::Hash(Hash::parse(r)?),
            PayloadType::SIG => Self::Signature(Signature::parse(r)?),
            PayloadType::NONCE => Self::Nonce(Nonce::parse(r)?),
            PayloadType::NOTIFY => Self::Notify(Notify::parse(r)?),
            PayloadType::DELETE => Self::Delete(Delete::parse(r)?),
            PayloadType::VENDOR => Self::Vendor(VendorId::parse(r)?),
            PayloadType::NAT_D => Self::NatDiscovery(NatDiscovery::parse(NatNumbers::Rfc3947, r)?),
            PayloadType::NAT_D_DRAFT => Self::NatDiscovery(NatDiscovery::parse(NatNumbers::Draft, r)?),
            PayloadType::NAT_OA => Self::NatOriginal(NatOriginal::parse(NatNumbers::Rfc3947, r)?),
            PayloadType::NAT_OA_DRAFT => Self::NatOriginal(NatOriginal::parse(NatNumbers::Draft, r)?),
            other => Self::Other(other, r.rest().to_vec()),
        })
    }

    /// Writes the body, without the generic header: what RFC 2409 §3.2 writes as `<P>_b`.
    ///
    /// # Errors
    /// What the payload's own encoder refuses.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Sa(p) => p.emit(w),
            Self::KeyExchange(p) => p.emit(w),
            Self::Id(p) => p.emit(w),
            Self::Certificate(p) => p.emit(w),
            Self::CertificateRequest(p) => p.emit(w),
            Self::Hash(p) => p.emit(w),
            Self::Signature(p) => p.emit(w),
            Self::Nonce(p) => p.emit(w),
            Self::Notify(p) => p.emit(w),
            Self::Delete(p) => p.emit(w),
            Self::Vendor(p) => p.emit(w),
            Self::NatDiscovery(p) => p.emit(w),
            Self::NatOriginal(p) => p.emit(w),
            Self::Other(_, octets) => {
                w.bytes(octets);
                Ok(())
            }
        }
    }

    /// The body as octets of its own: SAi_b, IDii_b and so on of a payload that we send.
    ///
    /// # Errors
    /// As [`Payload::emit`].
    pub fn body(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        self.emit(&mut Writer::new(&mut out))?;
        Ok(out)
    }
}

/// What may follow the last payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: messages in clear.
    Exact,
    /// Any octets: decrypted messages are padded to the cipher's block size (RFC 2409 appendix B), and some peers
    /// pad with more than zeros or a block.
    CipherPadding,
}

/// Decoded payloads together with the octets they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    octets: &'a [u8],
    base: usize,
    items: Vec<Item>,
    end: usize,
}

/// A decoded payload and the place of its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    payload: Payload,
    range: Range<usize>,
}

/// One payload of a [`Chain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'c, 'a> {
    /// The decoded payload.
    pub payload: &'c Payload,
    /// Its place in the chain, counted from 0.
    pub index: usize,
    /// Offset of its generic header, counted from the start of the message.
    pub at: usize,
    /// Its octets as received, generic header included.
    pub octets: &'a [u8],
    /// Its body as received: what RFC 2409 §3.2 writes as `<P>_b`.
    pub body: &'a [u8],
    /// The octets of all payloads after it, as received, without padding: what HASH(1) of Quick Mode covers.
    pub rest: &'a [u8],
}

/// The steps along a chain; also what the printer uses, which shows what comes before a fault.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    r: Reader<'a>,
    base: usize,
    kind: PayloadType,
    count: usize,
}

impl<'a> Walk<'a> {
    pub(crate) const fn new(first: PayloadType, octets: &'a [u8], base: usize) -> Self {
        Self { r: Reader::at(octets, base), base, kind: first, count: 0 }
    }

    /// The next payload, if there is one.
    pub(crate) fn payload(&mut self) -> Result<Option<Payload>, DecodeError> {
        Ok(self.step()?.map(|item| item.payload))
    }

    /// The type of the payload that comes next.
    pub(crate) const fn kind(&self) -> PayloadType {
        self.kind
    }

    /// Octets after the payloads read so far.
    pub(crate) const fn remaining(&self) -> usize {
        self.r.remaining()
    }

    fn step(&mut self) -> Result<Option<Item>, DecodeError> {
        let Some((kind, at, mut body)) = self.frame()? else { return Ok(None) };
        let payload = Payload::parse(kind, &mut body)?;
        body.finish("payload body")?;
        let range = at.saturating_sub(self.base)..self.r.offset().saturating_sub(self.base);
        Ok(Some(Item { payload, range }))
    }

    /// The next payload by its generic header alone: its type, its offset, its body.
    fn frame(&mut self) -> Result<Option<(PayloadType, usize, Reader<'a>)>, DecodeError> {
        if self.kind == PayloadType::NONE {
            return Ok(None);
        }
        let r = &mut self.r;
        let at = r.offset();
        if self.count == MAX_PAYLOADS {
            let kind = DecodeErrorKind::TooMany { limit: MAX_PAYLOADS };
            return Err(DecodeError::new(kind, "payloads", at, MAX_PAYLOADS as u64));
        }
        let next = PayloadType(r.u8("next payload")?);
        let reserved = r.u8("payload RESERVED")?;
        if reserved != 0 {
            let kind = DecodeErrorKind::ReservedNotZero;
            return Err(DecodeError::new(
                kind,
                "payload RESERVED",
                at.saturating_add(1),
                u64::from(reserved),
            ));
        }
        let length = usize::from(r.u16("payload length")?);
        let length_at = at.saturating_add(2);
        let Some(body_len) = length.checked_sub(Chain::GENERIC_LEN) else {
            let kind = DecodeErrorKind::BadLength;
            return Err(DecodeError::new(kind, "payload length", length_at, length as u64));
        };
        if body_len > r.remaining() {
            let have = r.remaining().saturating_add(Chain::GENERIC_LEN);
            let kind = DecodeErrorKind::Truncated { need: length, have };
            return Err(DecodeError::new(kind, "payload length", length_at, length as u64));
        }
        let body = r.sub("payload body", body_len)?;
        let kind = core::mem::replace(&mut self.kind, next);
        self.count = self.count.saturating_add(1);
        Ok(Some((kind, at, body)))
    }
}

impl<'a> Chain<'a> {
    /// Octets of a generic payload header.
    pub const GENERIC_LEN: usize = 4;

    /// Reads payloads of which the first has type `first`, from `octets`, which lie `base` octets into the message.
    ///
    /// Linear in the number of octets: every step consumes at least a generic header, so no chain can refer to itself.
    ///
    /// # Errors
    /// [`DecodeErrorKind::BadLength`] for a length below 4, [`DecodeErrorKind::Truncated`] for one beyond the octets,
    /// [`DecodeErrorKind::ReservedNotZero`], [`DecodeErrorKind::TooMany`] above [`MAX_PAYLOADS`],
    /// [`DecodeErrorKind::TrailingOctets`] as `tail` says, and what the payloads' decoders refuse.
    pub fn parse(first: PayloadType, octets: &'a [u8], base: usize, tail: Tail) -> Result<Self, DecodeError> {
        let mut walk = Walk::new(first, octets, base);
        let mut items = Vec::new();
        while let Some(item) = walk.step()? {
            items.push(item);
        }
        if tail == Tail::Exact {
            walk.r.finish("message")?;
        }
        Ok(Self { octets, base, items, end: walk.r.offset().saturating_sub(base) })
    }

    /// How many of `octets` the payloads take up, the first of type `first`, by their generic headers alone: whoever
    /// verifies a hash over payloads needs it before he knows whether he can read them.
    ///
    /// # Errors
    /// As [`Chain::parse`] for the generic headers; whatever the bodies are.
    pub fn extent(first: PayloadType, octets: &'a [u8], base: usize) -> Result<usize, DecodeError> {
        let mut walk = Walk::new(first, octets, base);
        while walk.frame()?.is_some() {}
        Ok(walk.r.offset().saturating_sub(base))
    }

    /// Payloads in the chain.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The payloads in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_, 'a>> {
        self.items.iter().enumerate().map(|(index, item)| {
            let octets = self.octets.get(item.range.clone()).unwrap_or_default();
            Entry {
                payload: &item.payload,
                index,
                at: self.base.saturating_add(item.range.start),
                octets,
                body: octets.get(Self::GENERIC_LEN..).unwrap_or_default(),
                rest: self.octets.get(item.range.end..self.end).unwrap_or_default(),
            }
        })
    }

    /// The payload at a place.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Entry<'_, 'a>> {
        self.iter().nth(index)
    }

    /// The payloads of one type, in order.
    pub fn of(&self, kind: PayloadType) -> impl Iterator<Item = Entry<'_, 'a>> {
        self.iter().filter(move |entry| entry.payload.kind() == kind)
    }

    /// The first payload of a type.
    #[must_use]
    pub fn first(&self, kind: PayloadType) -> Option<Entry<'_, 'a>> {
        self.of(kind).next()
    }

    /// The octets of the payloads as received, without padding.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets.get(..self.end).unwrap_or_default()
    }

    /// What follows the last payload: cipher padding.
    #[must_use]
    pub fn padding(&self) -> &'a [u8] {
        self.octets.get(self.end..).unwrap_or_default()
    }

    /// The decoded payloads without their octets.
    pub fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.items.iter().map(|item| &item.payload)
    }
}

/// Typed access to the payloads of a [`Chain`].
macro_rules! accessors {
    ($($(#[$doc:meta])* $one:ident $many:ident $variant:ident $type:ty,)+) => {
        impl Chain<'_> {
            $(
                #[doc = concat!("The first ", stringify!($variant), " payload.")]
                #[must_use]
                pub fn $one(&self) -> Option<&$type> {
                    self.$many().next()
                }

                #[doc = concat!("All ", stringify!($variant), " payloads.")]
                pub fn $many(&self) -> impl Iterator<Item = &$type> {
                    self.payloads().filter_map(|payload| match payload {
                        Payload::$variant(inner) => Some(inner),
                        _ => None,
                    })
                }
            )+
        }
    };
}

accessors! {
    sa sas Sa SecurityAssociation,
    key_exchange key_exchanges KeyExchange KeyExchange,
    id ids Id Id,
    certificate certificates Certificate Certificate,
    certificate_request certificate_requests CertificateRequest CertificateRequest,
    hash hashes Hash Hash,
    signature signatures Signature Signature,
    nonce nonces Nonce Nonce,
    notify notifies Notify Notify,
    delete deletes Delete Delete,
    vendor vendors Vendor VendorId,
    nat_discovery nat_discoveries NatDiscovery NatDiscovery,
    nat_original nat_originals NatOriginal NatOriginal,
}

/// Appends payloads with their generic headers and returns the type of the first, for the header's next payload field.
///
/// # Errors
/// What a payload's encoder refuses; [`EncodeError::TooLong`] for a payload above 65535 octets.
pub fn encode_chain(payloads: &[Payload], out: &mut Vec<u8>) -> Result<PayloadType, EncodeError> {
    let mut w = Writer::new(out);
    for (i, payload) in payloads.iter().enumerate() {
        let next = payloads.get(i.saturating_add(1)).map_or(PayloadType::NONE, Payload::kind);
        w.generic("payload length", next.0, |w| payload.emit(w))?;
    }
    Ok(payloads.first().map_or(PayloadType::NONE, Payload::kind))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn nonce(len: usize) -> Payload {
        Payload::Nonce(Nonce(vec![5; len]))
    }

    #[test]
    fn payloads_keep_their_octets() {
        let payloads = [Payload::Hash(Hash(vec![1; 16])), nonce(8), Payload::Vendor(VendorId(vec![9; 3]))];
        let mut out = vec![];
        assert_eq!(encode_chain(&payloads, &mut out), Ok(PayloadType::HASH));
        let plain = out.clone();
        out.extend([0; 7]);
        let chain = Chain::parse(PayloadType::HASH, &out, 28, Tail::CipherPadding).unwrap();
        assert_eq!(chain.payloads().cloned().collect::<Vec<_>>(), payloads);
        assert_eq!((chain.octets(), chain.padding()), (&plain[..], &[0; 7][..]));
        assert_eq!(Chain::extent(PayloadType::HASH, &out, 28), Ok(plain.len()));
        let hash = chain.get(0).unwrap();
        assert_eq!((hash.at, hash.body, hash.rest), (28, &[1; 16][..], &plain[20..]));
        let vendor = chain.first(PayloadType::VENDOR).unwrap();
        assert_eq!((vendor.index, vendor.at, vendor.octets, vendor.rest), (2, 60, &plain[32..], &[][..]));
        assert_eq!(chain.nonce(), Some(&Nonce(vec![5; 8])));
        assert_eq!(chain.sa(), None);
        let error = Chain::parse(PayloadType::HASH, &out, 28, Tail::Exact).unwrap_err();
        assert_eq!((error.kind, error.at, error.value), (DecodeErrorKind::TrailingOctets, 67, 7));
    }

    #[test]
    fn the_extent_needs_the_generic_headers_only() {
        // A nonce of one octet is no nonce, but it has its place.
        let octets = [0, 0, 0, 5, 1, 0, 0];
        assert!(Chain::parse(PayloadType::NONCE, &octets, 0, Tail::CipherPadding).is_err());
        assert_eq!(Chain::extent(PayloadType::NONCE, &octets, 0), Ok(5));
        assert!(Chain::extent(PayloadType::NONCE, &octets[..3], 0).is_err());
    }

    #[test]
    fn lengths_of_zero_to_three_are_refused() {
        for length in 0..4 {
            let octets = [13, 0, 0, length, 0, 0, 0, 4];
            let error = Chain::parse(PayloadType::VENDOR, &octets, 28, Tail::CipherPadding).unwrap_err();
            assert_eq!(
                (error.kind, error.field, error.at),
                (DecodeErrorKind::BadLength, "payload length", 30)
            );
        }
    }

    #[test]
    fn a_chain_that_names_itself_ends_with_the_octets() {
        let octets = [13, 0, 0, 4].repeat(3);
        let error = Chain::parse(PayloadType::VENDOR, &octets, 0, Tail::Exact).unwrap_err();
        assert_eq!((error.kind, error.at), (DecodeErrorKind::Truncated { need: 1, have: 0 }, 12));
        let octets = [13, 0, 0, 4].repeat(MAX_PAYLOADS + 1);
        let error = Chain::parse(PayloadType::VENDOR, &octets, 0, Tail::Exact).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooMany { limit: MAX_PAYLOADS });
    }

    #[test]
    fn unknown_types_survive() {
        let octets = [0, 0, 0, 6, 1, 2];
        let chain = Chain::parse(PayloadType(99), &octets, 0, Tail::Exact).unwrap();
        assert_eq!(chain.payloads().next(), Some(&Payload::Other(PayloadType(99), vec![1, 2])));
        let mut out = vec![];
        encode_chain(&[Payload::Other(PayloadType(99), vec![1, 2])], &mut out).unwrap();
        assert_eq!(out, octets);
    }

    #[test]
    fn lengths_beyond_the_message_are_refused() {
        let error = Chain::parse(PayloadType::NONCE, &[0, 0, 0, 13, 1, 1, 1, 1, 1, 1, 1, 1], 0, Tail::Exact);
        let error = error.unwrap_err();
        assert_eq!((error.kind, error.at), (DecodeErrorKind::Truncated { need: 13, have: 12 }, 2));
        let mut out = vec![];
        assert!(encode_chain(&[Payload::Vendor(VendorId(vec![0; 65532]))], &mut out).is_err());
    }
}
