//! IKEv1 on the wire: the ISAKMP header and every payload of Main Mode, Quick Mode, Informational and NAT traversal.
//!
//! [`Message::parse`] reads a datagram: the header and, unless it is encrypted, the chain of payloads. After decryption
//! [`Chain::parse`] reads the plaintext. Each payload keeps the octets it came from, because hashes are computed over
//! octets as received (RFC 2409 §5). [`check`] then says whether these payloads may stand in this message at all.
//!
//! Sending runs the other way: [`encode_clear`] writes a whole message; [`encode_chain`] writes the plaintext that the
//! caller pads and encrypts, and [`encode_encrypted`] puts the header in front of the ciphertext.

mod cert;
mod chain;
mod delete;
mod gate;
mod header;
mod id;
mod message;
mod nat;
mod notify;
mod octets;
mod sa;
mod spi;
mod vendor;

pub use cert::{Certificate, CertificateRequest};
pub(crate) use chain::Walk;
pub use chain::{Chain, Entry, MAX_PAYLOADS, Payload, Tail, encode_chain};
pub use delete::Delete;
pub use gate::{GateError, GateErrorKind, Protection, Rule, Step, check, rules};
pub use header::{Flags, HEADER_LEN, Header, Version};
pub use id::{Id, IdValue};
pub use message::{Body, Message, encode_clear, encode_encrypted};
pub use nat::{NatDiscovery, NatNumbers, NatOriginal};
pub use notify::Notify;
pub use octets::{Hash, KeyExchange, Nonce, Signature};
pub use sa::{Attribute, AttributeValue, MAX_ATTRIBUTES, Proposal, SecurityAssociation, Transform};
pub use spi::SpiBytes;
pub use vendor::{KNOWN_VENDORS, KnownVendor, VendorId};
