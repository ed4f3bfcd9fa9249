//! Why something was refused, with both sides' values: made where the comparison is made.
//!
//! A [`Refusal`] is plain data. [`Refusal::notify`] says what the peer is told, its [`Display`](fmt::Display)
//! what a log says, and [`diagnosis::infer`](crate::diagnosis) what an operator should do about it.

use core::fmt;

use ipsec_proto::registry::NotifyType;

use crate::state::{MessageNumber, Phase, Role};

/// One thing in which the two sides' configurations can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// The cipher.
    Encryption,
    /// The cipher's key length, in bits.
    KeyLength,
    /// An attribute of a proposal that has no place in it.
    Attribute,
    /// The hash of phase 1, which is also its PRF.
    Hash,
    /// The Diffie-Hellman group of phase 1.
    Group,
    /// How the peers prove themselves in phase 1.
    Authentication,
    /// How long the SA lives.
    Lifetime,
    /// ESP or AH.
    Protocol,
    /// Tunnel or transport, in UDP or not.
    Encapsulation,
    /// The integrity algorithm of phase 2.
    Integrity,
    /// The Diffie-Hellman group of phase 2, or none.
    PfsGroup,
    /// What the SA is to cover.
    Selectors,
    /// Who the peer says it is.
    Identity,
}

impl Dimension {
    /// The word used in sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::KeyLength => "key length",
            Self::Attribute => "attributes",
            Self::Hash => "hash",
            Self::Group => "Diffie-Hellman group",
            Self::Authentication => "authentication method",
            Self::Lifetime => "lifetime",
            Self::Protocol => "protocol",
            Self::Encapsulation => "encapsulation mode",
            Self::Integrity => "integrity",
            Self::PfsGroup => "PFS group",
            Self::Selectors => "selectors",
            Self::Identity => "identity",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Two values that should be equal and are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// In what they differ.
    pub dimension: Dimension,
    /// Our value, as an operator writes it. Several accepted values are joined by ` or `.
    pub ours: String,
    /// The peer's value, likewise.
    pub theirs: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ours {}, theirs {}", self.dimension, self.ours, self.theirs)
    }
}

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The octets are no valid message of this kind.
    Malformed,
    /// A payload that the message must have is absent, or is there twice.
    PayloadCount,
    /// A payload that does not belong into this message.
    UnexpectedPayload,
    /// An exchange type that we do not run, or not in this state.
    UnsupportedExchange,
    /// No configured connection has this peer.
    UnknownPeer,
    /// No proposal of the peer is one of ours.
    NoProposalChosen,
    /// The peer chose something that we did not offer.
    AlteredProposal,
    /// A public value of the wrong size or out of range.
    InvalidKeyExchange,
    /// A nonce outside 8 to 256 octets (RFC 2409 §5).
    InvalidNonce,
    /// An encrypted message does not decrypt into payloads: mostly another pre-shared key.
    Undecryptable,
    /// The peer's proof (HASH_I, HASH_R) is wrong.
    AuthenticationFailed,
    /// The HASH of a phase 2 message is wrong.
    InvalidHash,
    /// The peer is not who the configuration says.
    IdentityMismatch,
    /// The peer's selectors fit into no child of the connection.
    SelectorMismatch,
    /// AH is all that is on offer, and there is a NAT on the way.
    AhThroughNat,
    /// PFS is wanted by one side only, or with another group.
    PfsMismatch,
    /// The message id was used before under this ISAKMP SA.
    ReusedMessageId,
    /// A named limit is reached.
    Limit,
    /// We refuse to talk to ourselves: our own message came back.
    Reflected,
    /// Our own side failed: no SPI, no randomness, or the data plane refused the SA.
    Local,
}

impl Cause {
    /// A short stable name, as in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::PayloadCount => "payload-count",
            Self::UnexpectedPayload => "unexpected-payload",
            Self::UnsupportedExchange => "unsupported-exchange",
            Self::UnknownPeer => "unknown-peer",
            Self::NoProposalChosen => "no-proposal-chosen",
            Self::AlteredProposal => "altered-proposal",
            Self::InvalidKeyExchange => "invalid-key-exchange",
            Self::InvalidNonce => "invalid-nonce",
            Self::Undecryptable => "undecryptable",
            Self::AuthenticationFailed => "authentication-failed",
            Self::InvalidHash => "invalid-hash",
            Self::IdentityMismatch => "identity-mismatch",
            Self::SelectorMismatch => "selector-mismatch",
            Self::AhThroughNat => "ah-through-nat",
            Self::PfsMismatch => "pfs-mismatch",
            Self::ReusedMessageId => "reused-message-id",
            Self::Limit => "limit",
            Self::Reflected => "reflected",
            Self::Local => "local",
        }
    }
}

/// A refusal, with all that is needed to answer, record and explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub cause: Cause,
    /// The message that was refused, where its place in the exchange is known.
    pub message: Option<MessageNumber>,
    /// Our role in the exchange.
    pub role: Role,
    /// Every dimension in which the nearest pair of values differs; empty where nothing was compared.
    pub mismatches: Vec<Mismatch>,
    /// What exactly was seen, for a log: a field and its offset, a limit and its value.
    pub detail: String,
}

impl Refusal {
    /// A refusal without compared values.
    pub(crate) fn new(cause: Cause, message: MessageNumber, role: Role, detail: impl Into<String>) -> Self {
        Self { cause, message: Some(message), role, mismatches: Vec::new(), detail: detail.into() }
    }

    /// The same, with the values that differ.
    pub(crate) fn with(mut self, mismatches: Vec<Mismatch>) -> Self {
        self.mismatches = mismatches;
        self
    }

    /// The phase it happened in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.message.map_or(Phase::One, MessageNumber::phase)
    }

    /// What the peer is told (RFC 2408 §3.14.1); `None` where silence is the right answer.
    #[must_use]
    pub const fn notify(&self) -> Option<NotifyType> {
        // Whoever guesses at keys learns nothing from how far his guess came.
        if matches!(self.message, Some(MessageNumber::Mm5 | MessageNumber::Mm6))
            && !matches!(self.cause, Cause::IdentityMismatch | Cause::Local)
        {
            return Some(NotifyType::PAYLOAD_MALFORMED);
        }
        Some(match self.cause {
            Cause::Malformed | Cause::Undecryptable | Cause::PayloadCount => NotifyType::PAYLOAD_MALFORMED,
            Cause::UnexpectedPayload => NotifyType::INVALID_PAYLOAD_TYPE,
            Cause::UnsupportedExchange => NotifyType::UNSUPPORTED_EXCHANGE_TYPE,
            Cause::NoProposalChosen | Cause::UnknownPeer | Cause::AlteredProposal => {
                NotifyType::NO_PROPOSAL_CHOSEN
            }
            Cause::PfsMismatch | Cause::AhThroughNat => NotifyType::NO_PROPOSAL_CHOSEN,
            Cause::InvalidKeyExchange => NotifyType::INVALID_KEY_INFORMATION,
            Cause::AuthenticationFailed => NotifyType::AUTHENTICATION_FAILED,
            Cause::IdentityMismatch | Cause::SelectorMismatch => NotifyType::INVALID_ID_INFORMATION,
            Cause::InvalidNonce
            | Cause::InvalidHash
            | Cause::ReusedMessageId
            | Cause::Limit
            | Cause::Reflected
            | Cause::Local => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = self.message {
            write!(f, "{message} ")?;
        }
        write!(f, "refused ({})", self.cause.name())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        for mismatch in &self.mismatches {
            write!(f, "; {mismatch}")?;
        }
        Ok(())
    }
}
