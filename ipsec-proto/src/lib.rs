//! IPsec on the wire: IPv4/IPv6, ESP, AH, UDP encapsulation and IKEv1 (ISAKMP), and nothing else.
//!
//! No cryptography, no I/O, no state: octets in, values out, and back. `no_std` with `alloc`; the feature `std`
//! (default) changes nothing but the error type's plumbing.
//!
//! ```text
//!            UDP 500 / 4500                    protocol 50 / 51                TUN
//!                  |                                  |                         |
//!         udp_encap::classify                         |                    ip::Packet
//!          /              \                          |               next layer, fragment,
//!   isakmp::Message    esp::Header  <-----------  esp, ah                  DSCP, ECN
//!    header, chain     esp::Trailer
//!     of payloads
//! ```
//!
//! Two rules hold throughout. Input is hostile: lengths, counts and reserved fields are checked before they are used,
//! a refusal is a [`DecodeError`] with field, offset and value, and decoding is linear in the input. And octets as
//! received are kept: [`isakmp::Chain`] hands out each payload's octets next to its decoded form, because IKEv1 hashes
//! what was sent, not what it means.
//!
//! # Example
//!
//! A proposal is written, read back, checked against the table of what may stand in that message, and printed:
//!
//! ```
//! use ipsec_proto::isakmp::*;
//! use ipsec_proto::registry::*;
//! use ipsec_proto::{Cookie, pretty};
//!
//! let transform = Transform {
//!     number: 1,
//!     id: IsakmpTransform::KEY_IKE.0,
//!     attributes: vec![
//!         Attribute::basic(Phase1Attribute::ENCRYPTION.0, EncryptionAlgorithm::AES_CBC.0),
//!         Attribute::basic(Phase1Attribute::KEY_LENGTH.0, 256),
//!         Attribute::basic(Phase1Attribute::HASH.0, HashAlgorithm::SHA2_256.0),
//!         Attribute::basic(Phase1Attribute::AUTHENTICATION_METHOD.0, AuthenticationMethod::PSK.0),
//!         Attribute::basic(Phase1Attribute::GROUP.0, GroupDescription::MODP_3072.0),
//!     ],
//! };
//! let proposal = Proposal {
//!     number: 1,
//!     protocol: ProtocolId::ISAKMP,
//!     spi: SpiBytes::EMPTY,
//!     transforms: vec![transform],
//! };
//! let payloads = [
//!     Payload::Sa(SecurityAssociation::new(vec![proposal])),
//!     Payload::Vendor(KnownVendor::NatTRfc3947.into()),
//! ];
//! let header = Header::new(Cookie([7; 8]), Cookie::ZERO, ExchangeType::IDENTITY_PROTECTION, 0);
//! let mut datagram = Vec::new();
//! encode_clear(&header, &payloads, &mut datagram)?;
//!
//! let message = Message::parse(&datagram)?;
//! let Body::Clear(chain) = &message.body else { panic!("nothing is encrypted yet") };
//! check(Step::Mm1, Protection::Clear, chain)?;
//! assert_eq!(chain.payloads().collect::<Vec<_>>(), payloads.iter().collect::<Vec<_>>());
//! assert!(pretty::message(&datagram).contains("AES-CBC-256/SHA2-256/PSK/MODP3072"));
//!
//! let refused = Message::parse(&datagram[..90]).unwrap_err();
//! assert_eq!(refused.field, "ISAKMP length");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod ah;
pub mod codec;
mod error;
pub mod esp;
pub mod ip;
pub mod isakmp;
pub mod net;
pub mod pretty;
pub mod registry;
pub mod udp_encap;

pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use net::{Cookie, IkeSpi, Path, Spi};
