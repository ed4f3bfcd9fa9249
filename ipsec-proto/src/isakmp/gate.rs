//! The gate: which payloads may stand in which message, how often, in clear or encrypted.
//!
//! One table, read by [`check`] before any state machine looks at a payload (RFC 2409 §5, RFC 3947 §3.2 and §5.2,
//! RFC 2407 §4.6.3).

use core::fmt;

use crate::isakmp::Chain;
use crate::registry::PayloadType;

/// A message of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Main Mode, first message: the initiator's proposal.
    Mm1,
    /// Main Mode, second message: the responder's choice.
    Mm2,
    /// Main Mode, third message: the initiator's key exchange.
    Mm3,
    /// Main Mode, fourth message: the responder's key exchange.
    Mm4,
    /// Main Mode, fifth message: the initiator's identity, encrypted.
    Mm5,
    /// Main Mode, sixth message: the responder's identity, encrypted.
    Mm6,
    /// Quick Mode, first message.
    Qm1,
    /// Quick Mode, second message.
    Qm2,
    /// Quick Mode, third message.
    Qm3,
    /// Quick Mode, fourth message: CONNECTED, sent when the commit bit was set (RFC 2409 §5.5).
    Qm4,
    /// Informational before there are keys.
    InformationalClear,
    /// Informational under an ISAKMP SA.
    Informational,
}

impl Step {
    /// Whether the message must be encrypted or must not be.
    #[must_use]
    pub const fn protection(self) -> Protection {
        match self {
            Self::Mm1 | Self::Mm2 | Self::Mm3 | Self::Mm4 | Self::InformationalClear => Protection::Clear,
            Self::Mm5 | Self::Mm6 | Self::Qm1 | Self::Qm2 | Self::Qm3 | Self::Qm4 | Self::Informational => {
                Protection::Encrypted
            }
        }
    }

    /// The name in messages to operators: `MM1`, `QM2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mm1 => "MM1",
            Self::Mm2 => "MM2",
            Self::Mm3 => "MM3",
            Self::Mm4 => "MM4",
            Self::Mm5 => "MM5",
            Self::Mm6 => "MM6",
            Self::Qm1 => "QM1",
            Self::Qm2 => "QM2",
            Self::Qm3 => "QM3",
            Self::Qm4 => "QM4",
            Self::InformationalClear => "Informational in clear",
            Self::Informational => "Informational",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a message came: the E flag of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// In clear.
    Clear,
    /// Encrypted under the ISAKMP SA.
    Encrypted,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear => "in clear",
            Self::Encrypted => "encrypted",
        })
    }
}

/// How often a payload may stand in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The payload.
    pub payload: PayloadType,
    /// Fewest.
    pub min: usize,
    /// Most.
    pub max: usize,
}

/// Bounded by the cap on payloads alone.
const MANY: usize = super::MAX_PAYLOADS;

const fn rule(payload: PayloadType, min: usize, max: usize) -> Rule {
    Rule { payload, min, max }
}

const PROPOSAL: &[Rule] =
    &[rule(PayloadType::SA, 1, 1), rule(PayloadType::VENDOR, 0, MANY), rule(PayloadType::NOTIFY, 0, MANY)];

const KEY_EXCHANGE: &[Rule] = &[
    rule(PayloadType::KE, 1, 1),
    rule(PayloadType::NONCE, 1, 1),
    rule(PayloadType::NAT_D, 0, MANY),
    rule(PayloadType::NAT_D_DRAFT, 0, MANY),
    rule(PayloadType::CR, 0, MANY),
    rule(PayloadType::VENDOR, 0, MANY),
    rule(PayloadType::NOTIFY, 0, MANY),
];

const AUTHENTICATION: &[Rule] = &[
    rule(PayloadType::ID, 1, 1),
    rule(PayloadType::HASH, 0, 1),
    rule(PayloadType::SIG, 0, 1),
    rule(PayloadType::CERT, 0, MANY),
    rule(PayloadType::CR, 0, MANY),
    rule(PayloadType::NOTIFY, 0, MANY),
    rule(PayloadType::VENDOR, 0, MANY),
];

const QUICK_NEGOTIATION: &[Rule] = &[
    rule(PayloadType::HASH, 1, 1),
    rule(PayloadType::SA, 1, MANY),
    rule(PayloadType::NONCE, 1, 1),
    rule(PayloadType::KE, 0, 1),
    rule(PayloadType::ID, 0, 2),
    rule(PayloadType::NAT_OA, 0, 2),
    rule(PayloadType::NAT_OA_DRAFT, 0, 2),
    rule(PayloadType::NOTIFY, 0, MANY),
    rule(PayloadType::VENDOR, 0, MANY),
];

const QUICK_CONFIRMATION: &[Rule] =
    &[rule(PayloadType::HASH, 1, 1), rule(PayloadType::NOTIFY, 0, MANY), rule(PayloadType::VENDOR, 0, MANY)];

const QUICK_CONNECTED: &[Rule] = &[rule(PayloadType::HASH, 1, 1), rule(PayloadType::NOTIFY, 1, MANY)];

const INFORMATIONAL_CLEAR: &[Rule] = &[
    rule(PayloadType::NOTIFY, 0, MANY),
    rule(PayloadType::DELETE, 0, MANY),
    rule(PayloadType::VENDOR, 0, MANY),
];

const INFORMATIONAL: &[Rule] = &[
    rule(PayloadType::HASH, 1, 1),
    rule(PayloadType::NOTIFY, 0, MANY),
    rule(PayloadType::DELETE, 0, MANY),
    rule(PayloadType::VENDOR, 0, MANY),
];

/// The rules of a message; a payload without a rule must not stand in it.
#[must_use]
pub const fn rules(step: Step) -> &'static [Rule] {
    match step {
        Step::Mm1 | Step::Mm2 => PROPOSAL,
        Step::Mm3 | Step::Mm4 => KEY_EXCHANGE,
        Step::Mm5 | Step::Mm6 => AUTHENTICATION,
        Step::Qm1 | Step::Qm2 => QUICK_NEGOTIATION,
        Step::Qm3 => QUICK_CONFIRMATION,
        Step::Qm4 => QUICK_CONNECTED,
        Step::InformationalClear => INFORMATIONAL_CLEAR,
        Step::Informational => INFORMATIONAL,
    }
}

/// Why a message may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {kind}")]
pub struct GateError {
    /// The message it was to be.
    pub step: Step,
    /// What is wrong.
    pub kind: GateErrorKind,
}

/// What is wrong with a message's composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateErrorKind {
    /// It came in clear where encryption is due, or the reverse.
    #[error("came {found}, must come {due}")]
    Protection {
        /// How it must come.
        due: Protection,
        /// How it came.
        found: Protection,
    },
    /// A payload that must not stand in this message.
    #[error("{payload} payload at octet {at} has no place here")]
    NotAllowed {
        /// The payload.
        payload: PayloadType,
        /// Offset of its generic header in the message.
        at: usize,
    },
    /// A payload more often than allowed.
    #[error("{payload} payload at octet {at} is one too many, limit {limit}")]
    Repeated {
        /// The payload.
        payload: PayloadType,
        /// Offset of the first one above the limit.
        at: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A payload that must be there.
    #[error("{payload} payload is missing")]
    Missing {
        /// The payload.
        payload: PayloadType,
    },
    /// HASH must be the first payload of every phase 2 message (RFC 2409 §5.5, §5.7).
    #[error("HASH is not the first payload")]
    HashNotFirst,
    /// Identities of phase 2 come in pairs or not at all (RFC 2409 §5.5).
    #[error("one ID payload where two or none are due")]
    HalfIdentity,
    /// Neither HASH nor SIG in a message that authenticates, or both.
    #[error("needs exactly one of HASH and SIG")]
    Authenticator,
    /// No payload that says anything.
    #[error("neither notify nor delete")]
    Empty,
}

/// Checks a message's payloads against the table.
///
/// # Errors
/// The first violation found, in the order of [`GateErrorKind`].
pub fn check(step: Step, protection: Protection, chain: &Chain<'_>) -> Result<(), GateError> {
    judge(step, protection, chain).map_err(|kind| GateError { step, kind })
}

fn judge(step: Step, found: Protection, chain: &Chain<'_>) -> Result<(), GateErrorKind> {
    let due = step.protection();
    if due != found {
        return Err(GateErrorKind::Protection { due, found });
    }
    let rules = rules(step);
    if let Some(entry) = chain.iter().find(|e| !rules.iter().any(|rule| rule.payload == e.payload.kind())) {
        return Err(GateErrorKind::NotAllowed { payload: entry.payload.kind(), at: entry.at });
    }
    for &Rule { payload, min, max } in rules {
        if let Some(entry) = chain.of(payload).nth(max) {
            return Err(GateErrorKind::Repeated { payload, at: entry.at, limit: max });
        }
        if chain.of(payload).count() < min {
            return Err(GateErrorKind::Missing { payload });
        }
    }
    let count = |kind| chain.of(kind).count();
    match step {
        Step::Mm5 | Step::Mm6 if count(PayloadType::HASH) + count(PayloadType::SIG) != 1 => {
            Err(GateErrorKind::Authenticator)
        }
        Step::Qm1 | Step::Qm2 | Step::Qm3 | Step::Qm4 | Step::Informational
            if chain.get(0).is_none_or(|first| first.payload.kind() != PayloadType::HASH) =>
        {
            Err(GateErrorKind::HashNotFirst)
        }
        Step::Qm1 | Step::Qm2 if count(PayloadType::ID) == 1 => Err(GateErrorKind::HalfIdentity),
        Step::Informational | Step::InformationalClear
            if count(PayloadType::NOTIFY) + count(PayloadType::DELETE) == 0 =>
        {
            Err(GateErrorKind::Empty)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::isakmp::{
        Hash, Id, IdValue, KeyExchange, Nonce, Notify, Payload, Proposal, SecurityAssociation, SpiBytes,
        Tail, Transform, VendorId, encode_chain,
    };
    use crate::registry::{NotifyType, ProtocolId};

    fn hash() -> Payload {
        Payload::Hash(Hash(vec![1; 20]))
    }

    fn ke() -> Payload {
        Payload::KeyExchange(KeyExchange(vec![2; 128]))
    }

    fn nonce() -> Payload {
        Payload::Nonce(Nonce(vec![3; 16]))
    }

    fn id() -> Payload {
        Payload::Id(Id::new(IdValue::Fqdn(b"a.example".to_vec())))
    }

    fn notify() -> Payload {
        Payload::Notify(Notify::new(ProtocolId::ISAKMP, SpiBytes::EMPTY, NotifyType::INITIAL_CONTACT))
    }

    fn verdict(step: Step, protection: Protection, payloads: &[Payload]) -> Result<(), GateErrorKind> {
        let mut out = Vec::new();
        let first = encode_chain(payloads, &mut out).unwrap();
        let chain = Chain::parse(first, &out, 28, Tail::Exact).unwrap();
        check(step, protection, &chain).map_err(|error| error.kind)
    }

    #[test]
    fn well_formed_messages_pass() {
        use Protection::{Clear, Encrypted};
        let vendor = Payload::Vendor(VendorId(vec![0; 16]));
        assert_eq!(verdict(Step::Mm3, Clear, &[ke(), nonce(), vendor.clone(), vendor]), Ok(()));
        assert_eq!(verdict(Step::Mm5, Encrypted, &[id(), hash(), notify()]), Ok(()));
        assert_eq!(verdict(Step::Qm3, Encrypted, &[hash()]), Ok(()));
        assert_eq!(verdict(Step::Informational, Encrypted, &[hash(), notify()]), Ok(()));
        assert_eq!(verdict(Step::InformationalClear, Clear, &[notify()]), Ok(()));
    }

    #[test]
    fn each_violation_has_its_name() {
        use Protection::{Clear, Encrypted};
        assert_eq!(
            verdict(Step::Mm5, Clear, &[id(), hash()]),
            Err(GateErrorKind::Protection { due: Encrypted, found: Clear })
        );
        assert_eq!(
            verdict(Step::Mm3, Clear, &[ke(), nonce(), id()]),
            Err(GateErrorKind::NotAllowed { payload: PayloadType::ID, at: 28 + 132 + 20 })
        );
        assert_eq!(
            verdict(Step::Mm3, Clear, &[ke(), nonce(), nonce()]),
            Err(GateErrorKind::Repeated { payload: PayloadType::NONCE, at: 28 + 132 + 20, limit: 1 })
        );
        assert_eq!(
            verdict(Step::Mm3, Clear, &[ke()]),
            Err(GateErrorKind::Missing { payload: PayloadType::NONCE })
        );
        assert_eq!(verdict(Step::Mm6, Encrypted, &[id()]), Err(GateErrorKind::Authenticator));
        assert_eq!(
            verdict(Step::Informational, Encrypted, &[notify(), hash()]),
            Err(GateErrorKind::HashNotFirst)
        );
        assert_eq!(verdict(Step::Informational, Encrypted, &[hash()]), Err(GateErrorKind::Empty));
        assert_eq!(
            verdict(Step::Qm3, Encrypted, &[hash(), Payload::Other(PayloadType(200), vec![])]),
            Err(GateErrorKind::NotAllowed { payload: PayloadType(200), at: 28 + 24 })
        );
    }

    #[test]
    fn quick_mode_identities_come_in_pairs() {
        let transform = Transform { number: 1, id: 12, attributes: vec![] };
        let proposal = Proposal {
            number: 1,
            protocol: ProtocolId::ESP,
            spi: SpiBytes::EMPTY,
            transforms: vec![transform],
        };
        let sa = Payload::Sa(SecurityAssociation::new(vec![proposal]));
        let ids = |n| [vec![hash(), sa.clone(), nonce()], vec![id(); n]].concat();
        let verdict = |n| verdict(Step::Qm1, Protection::Encrypted, &ids(n));
        assert_eq!((verdict(0), verdict(2)), (Ok(()), Ok(())));
        assert_eq!(verdict(1), Err(GateErrorKind::HalfIdentity));
        let at = 28 + 24 + 28 + 20 + 2 * 17;
        assert_eq!(verdict(3), Err(GateErrorKind::Repeated { payload: PayloadType::ID, at, limit: 2 }));
    }

    #[test]
    fn a_table_names_each_payload_once() {
        for step in [Step::Mm1, Step::Mm3, Step::Mm5, Step::Qm1, Step::Qm3, Step::Qm4, Step::Informational] {
            let rules = rules(step);
            let repeated =
                rules.iter().filter(|a| rules.iter().filter(|b| a.payload == b.payload).count() > 1);
            assert_eq!(repeated.count(), 0, "{step}");
            assert!(rules.iter().all(|rule| rule.min <= rule.max));
        }
    }
}
