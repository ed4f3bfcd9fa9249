//! Messages as octets: building, sealing and opening them (RFC 2409 §5, appendix B).

use ipsec_crypto::CipherKey;
use ipsec_proto::isakmp::{
    Chain, HEADER_LEN, Hash, Header, Payload, Tail, encode_chain, encode_clear, encode_encrypted,
};
use ipsec_proto::registry::{ExchangeType, PayloadType};

use crate::event::Cookies;

/// What an encoder says of values that we have built ourselves.
const FITS: &str =
    "what we build ourselves fits its length fields: the configuration's check bounds names and lists";

/// A header of ours.
pub(crate) fn header(cookies: &Cookies, exchange: ExchangeType, message_id: u32) -> Header {
    Header::new(cookies.initiator, cookies.responder, exchange, message_id)
}

/// A message in clear.
pub(crate) fn clear(header: &Header, payloads: &[Payload]) -> Vec<u8> {
    let mut octets = Vec::new();
    encode_clear(header, payloads, &mut octets).expect(FITS);
    octets
}

/// The body of a payload: SAi_b, IDii_b and so on.
pub(crate) fn body(payload: &Payload) -> Vec<u8> {
    payload.body().expect(FITS)
}

/// Payloads as octets: what HASH(1) covers.
pub(crate) fn chain(payloads: &[Payload]) -> Vec<u8> {
    let mut octets = Vec::new();
    encode_chain(payloads, &mut octets).expect(FITS);
    octets
}

/// An encrypted message, and the IV of the next one in its chain: the last block of this one's ciphertext.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) octets: Vec<u8>,
    pub(crate) next_iv: Vec<u8>,
}

/// Pads with zeros to whole blocks, as every peer takes it (RFC 2409 appendix B), and encrypts.
pub(crate) fn seal(cipher: &dyn CipherKey, iv: &[u8], header: &Header, payloads: &[Payload]) -> Sealed {
    let mut text = chain(payloads);
    let block = cipher.block_len().max(1);
    text.resize(text.len().next_multiple_of(block), 0);
    cipher.encrypt(iv, &mut text).expect("the text is whole blocks and the IV is one");
    let next_iv = last_block(&text, block);
    let mut octets = Vec::new();
    let first = payloads.first().map_or(PayloadType::NONE, Payload::kind);
    encode_encrypted(header, first, &text, &mut octets).expect(FITS);
    Sealed { octets, next_iv }
}

/// A phase 2 message: HASH in front, made by `hash` from the octets of all that follows.
pub(crate) fn seal_hashed(
    cipher: &dyn CipherKey,
    iv: &[u8],
    header: &Header,
    payloads: Vec<Payload>,
    hash: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Sealed {
    let hash = Payload::Hash(Hash(hash(&chain(&payloads))));
    let mut all = vec![hash];
    all.extend(payloads);
    seal(cipher, iv, header, &all)
}

/// What was inside an encrypted message. It is believed in nothing before its hash is verified.
#[derive(Debug)]
pub(crate) struct Opened {
    text: Vec<u8>,
    first: PayloadType,
    pub(crate) next_iv: Vec<u8>,
}

/// Decrypts; `None` where the text is not whole blocks.
pub(crate) fn open(cipher: &dyn CipherKey, iv: &[u8], header: &Header, ciphertext: &[u8]) -> Option<Opened> {
    let next_iv = last_block(ciphertext, cipher.block_len());
    let mut text = ciphertext.to_vec();
    cipher.decrypt(iv, &mut text).ok()?;
    Some(Opened { text, first: header.next_payload, next_iv })
}

/// What a phase 2 message is verified by.
#[derive(Debug)]
pub(crate) struct Hashed<'a> {
    /// The body of HASH.
    pub(crate) hash: &'a [u8],
    /// The octets of all payloads behind it.
    pub(crate) rest: &'a [u8],
}

impl Opened {
    /// HASH, where it is the first payload, as phase 2 has it. Only generic headers are read: whose message it is has to be
    /// known before it matters whether it can be understood.
    pub(crate) fn hashed(&self) -> Result<Option<Hashed<'_>>, ipsec_proto::DecodeError> {
        let end = Chain::extent(self.first, &self.text, HEADER_LEN)?;
        let length = match self.text.as_slice() {
            [_, _, high, low, ..] if self.first == PayloadType::HASH => {
                usize::from(u16::from_be_bytes([*high, *low]))
            }
            _ => return Ok(None),
        };
        let parts = self.text.get(Chain::GENERIC_LEN..length).zip(self.text.get(length..end));
        Ok(parts.map(|(hash, rest)| Hashed { hash, rest }))
    }

    pub(crate) fn chain(&self) -> Result<Chain<'_>, ipsec_proto::DecodeError> {
        Chain::parse(self.first, &self.text, HEADER_LEN, Tail::CipherPadding)
    }
}

fn last_block(text: &[u8], block: usize) -> Vec<u8> {
    text.get(text.len().saturating_sub(block)..).unwrap_or_default().to_vec()
}

/// The payloads of a chain by name, for a person: `SA VID VID`.
pub(crate) fn names<'p>(payloads: impl Iterator<Item = &'p Payload>) -> String {
    let names: Vec<_> = payloads.map(|payload| payload.kind().to_string()).collect();
    names.join(" ")
}
