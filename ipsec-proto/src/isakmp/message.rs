//! Whole messages: the header and what follows it.

use alloc::vec::Vec;

use crate::codec::Writer;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::isakmp::{Chain, Flags, HEADER_LEN, Header, Payload, Tail, encode_chain};
use crate::registry::PayloadType;

/// A message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// What follows the header.
    pub body: Body<'a>,
    /// The whole message as received, header included.
    pub octets: &'a [u8],
}

/// What follows the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// Payloads in clear.
    Clear(Chain<'a>),
    /// Ciphertext: the E flag is set. Decrypt it, then [`Chain::parse`] with the header's next payload, base
    /// [`HEADER_LEN`] and [`Tail::CipherPadding`].
    Encrypted(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Reads a datagram, without any non-ESP marker.
    ///
    /// # Errors
    /// What [`Header::parse`] and [`Chain::parse`] refuse, and an encrypted message without ciphertext.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let header = Header::parse(datagram)?;
        let body = datagram.get(HEADER_LEN..).unwrap_or_default();
        let body = if header.is_encrypted() {
            if body.is_empty() {
                let kind = DecodeErrorKind::Truncated { need: 1, have: 0 };
                return Err(DecodeError::new(kind, "encrypted payloads", HEADER_LEN, 0));
            }
            Body::Encrypted(body)
        } else {
            Body::Clear(Chain::parse(header.next_payload, body, HEADER_LEN, Tail::Exact)?)
        };
        Ok(Self { header, body, octets: datagram })
    }
}

/// Appends a message in clear. The header's next payload, length and E flag are set here.
///
/// # Errors
/// What [`encode_chain`] refuses.
pub fn encode_clear(header: &Header, payloads: &[Payload], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let next_payload = payloads.first().map_or(PayloadType::NONE, Payload::kind);
    let flags = Flags(header.flags.0 & !Flags::ENCRYPTION.0);
    Header { next_payload, flags, length: 0, ..*header }.emit(&mut Writer::new(out));
    encode_chain(payloads, out)?;
    patch_length(start, out)
}

/// Appends an encrypted message: the header, with the E flag set, and `ciphertext`, whose plaintext begins with a payload
/// of type `first`.
///
/// # Errors
/// [`EncodeError::TooLong`] above 4 GiB.
pub fn encode_encrypted(
    header: &Header,
    first: PayloadType,
    ciphertext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let flags = header.flags.with(Flags::ENCRYPTION);
    Header { next_payload: first, flags, length: 0, ..*header }.emit(&mut Writer::new(out));
    out.extend_from_slice(ciphertext);
    patch_length(start, out)
}

fn patch_length(start: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let value = out.len().saturating_sub(start);
    let length = u32::try_from(value).map_err(|_| EncodeError::TooLong {
        field: "ISAKMP length",
        value,
        limit: u32::MAX as usize,
    })?;
    Writer::new(out).patch_u32(start.saturating_add(HEADER_LEN).saturating_sub(4), length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::isakmp::{Nonce, VendorId};
    use crate::net::Cookie;
    use crate::registry::ExchangeType;

    fn header() -> Header {
        Header::new(Cookie([1; 8]), Cookie([2; 8]), ExchangeType::IDENTITY_PROTECTION, 0)
    }

    #[test]
    fn clear_messages_round_trip() {
        let payloads = [Payload::Nonce(Nonce(vec![3; 16])), Payload::Vendor(VendorId(vec![4; 16]))];
        let mut out = vec![0xee];
        encode_clear(&header(), &payloads, &mut out).unwrap();
        let message = Message::parse(&out[1..]).unwrap();
        assert_eq!((message.header.next_payload, message.header.length), (PayloadType::NONCE, 68));
        let Body::Clear(chain) = message.body else { panic!("encrypted") };
        assert_eq!(chain.payloads().cloned().collect::<Vec<_>>(), payloads);
    }

    #[test]
    fn encrypted_messages_show_their_ciphertext() {
        let mut out = vec![];
        encode_encrypted(&header(), PayloadType::HASH, &[7; 32], &mut out).unwrap();
        let message = Message::parse(&out).unwrap();
        assert_eq!(message.header.next_payload, PayloadType::HASH);
        assert!(message.header.is_encrypted());
        assert_eq!(message.body, Body::Encrypted(&[7; 32]));
        let mut empty = vec![];
        encode_encrypted(&header(), PayloadType::HASH, &[], &mut empty).unwrap();
        assert_eq!(Message::parse(&empty).unwrap_err().field, "encrypted payloads");
    }
}
