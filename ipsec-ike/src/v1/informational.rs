//! Informational exchanges: one message each way, notify or delete (RFC 2409 §5.7, RFC 2408 §3.14, §3.15).

use ipsec_proto::isakmp::{Delete, Header, Notify, Payload, Protection, SpiBytes, Step};
use ipsec_proto::net::Spi;
use ipsec_proto::registry::{NotifyType, ProtocolId};
use ipsec_sad::ProtocolKind;

use super::keys::SaKeys;
use super::main::gate;
use super::offer::{self, Fault};
use super::wire::{self, Opened};
use crate::event::Cookies;
use crate::refusal::{Cause, Refusal};
use crate::state::{MessageNumber, Role};
use crate::suite::protocol_id;

/// A notify about the ISAKMP SA itself.
pub(crate) fn about_ike(cookies: &Cookies, kind: NotifyType) -> Notify {
    Notify::new(ProtocolId::ISAKMP, SpiBytes::from_cookies(cookies.initiator, cookies.responder), kind)
}

/// A notify about an IPsec SA that was to be, as the proposal about it names it.
pub(crate) fn about_child(proposed: Option<(ProtocolId, Spi)>, kind: NotifyType) -> Notify {
    let (protocol, spi) =
        proposed.map_or((ProtocolId::ESP, SpiBytes::EMPTY), |(protocol, spi)| (protocol, spi.into()));
    Notify::new(protocol, spi, kind)
}

/// "These SAs are gone": our inbound SPIs of one protocol.
pub(crate) fn delete_children(kind: ProtocolKind, spis: impl Iterator<Item = Spi>) -> Delete {
    Delete::new(protocol_id(kind), spis.map(SpiBytes::from).collect())
}

/// "This ISAKMP SA is gone."
pub(crate) fn delete_ike(cookies: &Cookies) -> Delete {
    Delete::new(ProtocolId::ISAKMP, vec![SpiBytes::from_cookies(cookies.initiator, cookies.responder)])
}

/// Seals a message under the keys, with HASH(1) in front.
pub(crate) fn seal(keys: &SaKeys, last_block: &[u8], header: &Header, payloads: Vec<Payload>) -> Vec<u8> {
    let iv = keys.phase2_iv(last_block, header.message_id);
    wire::seal_hashed(keys.cipher.as_ref(), &iv, header, payloads, |rest| {
        keys.phase2_hash(&[&header.message_id.to_be_bytes(), rest]).as_slice().to_vec()
    })
    .octets
}

/// What a verified Informational says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) notifies: Vec<Notify>,
    pub(crate) deletes: Vec<Delete>,
    pub(crate) payloads: String,
}

/// Opens a message and verifies its hash. Nothing changes.
pub(crate) fn open(
    keys: &SaKeys,
    last_block: &[u8],
    header: &Header,
    ciphertext: &[u8],
    role: Role,
) -> Result<Said, Fault> {
    let number = MessageNumber::Info;
    let iv = keys.phase2_iv(last_block, header.message_id);
    let prefix = header.message_id.to_be_bytes();
    let opened = offer::open_hashed(keys, &iv, header, ciphertext, (number, role), &[&prefix])
        .map_err(Fault::Stranger)?;
    read(&opened, role).map_err(|refusal| Fault::Peer { refusal, proposed: None })
}

fn read(opened: &Opened, role: Role) -> Result<Said, Refusal> {
    let number = MessageNumber::Info;
    let chain =
        opened.chain().map_err(|error| Refusal::new(Cause::Malformed, number, role, error.to_string()))?;
    gate(Step::Informational, Protection::Encrypted, &chain, number, role)?;
    Ok(Said {
        notifies: chain.notifies().cloned().collect(),
        deletes: chain.deletes().cloned().collect(),
        payloads: wire::names(chain.payloads()),
    })
}
