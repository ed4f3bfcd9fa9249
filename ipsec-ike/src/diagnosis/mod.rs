//! From symptoms to causes: what an operator is told when a negotiation fails.
//!
//! A [`Diagnoser`] is told what happens in one negotiation, and says in one sentence what was wrong, with the fix.
//! It stands alone: whatever can name [`Observation`]s, a capture file as well as a running gateway, can ask it.
//!
//! ```
//! use ipsec_ike::diagnosis::{Code, Diagnoser, Observation};
//! use ipsec_ike::{MessageNumber, Role};
//! # #[allow(clippy::disallowed_methods, reason = "an Instant has no other origin")]
//! let now = std::time::Instant::now();
//! let mut diagnoser = Diagnoser::new(Role::Initiator);
//! diagnoser.observe(now, Observation::Sent(MessageNumber::Mm1));
//! diagnoser.observe(now, Observation::GaveUp(MessageNumber::Mm1));
//! let diagnosis = diagnoser.conclude();
//! assert_eq!(diagnosis.code, Code::PeerUnreachable);
//! assert!(diagnosis.to_string().contains("UDP port 500"));
//! ```

mod catalogue;
mod infer;

use core::fmt;
use std::time::Instant;

use ipsec_proto::registry::NotifyType;

pub use self::catalogue::{CATALOGUE, Code, Entry};
use crate::refusal::Refusal;
use crate::state::{MessageNumber, Role};

/// Observations kept for one negotiation: a peer cannot make the list grow beyond it.
const MAX_EVIDENCE: usize = 32;

/// One thing that was seen in a negotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// We sent this message for the first time.
    Sent(MessageNumber),
    /// This message came and was accepted.
    Received(MessageNumber),
    /// We refused something, with both sides' values.
    Refused(Box<Refusal>),
    /// This message of ours was never answered; for a responder, the last one it sent.
    GaveUp(MessageNumber),
    /// A notify came in clear.
    ClearNotify(NotifyType),
    /// A notify came encrypted and did not decrypt.
    UndecryptableNotify,
    /// A notify came under the ISAKMP SA.
    AuthenticNotify(NotifyType),
    /// A NAT was found, so the ports have changed.
    NatFound,
    /// The peer deleted the ISAKMP SA.
    Deleted,
    /// An address could not be had.
    NoAddress {
        /// Whose: [`Code::NameUnresolved`] or [`Code::NoSource`].
        code: Code,
        /// Why.
        reason: String,
    },
}

/// An observation and its time.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// When.
    pub at: Instant,
    /// What.
    pub observation: Observation,
}

/// What was wrong, in one sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause, or the class of causes that this side cannot tell apart.
    pub code: Code,
    /// What was wrong: a sentence without its full stop.
    pub sentence: String,
    /// What to do: a clause in the imperative, without a full stop.
    pub fix: String,
}

impl Diagnosis {
    /// The diagnosis of one refusal.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        infer::of_refusal(refusal)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.sentence, self.fix)
    }
}

/// Collects what is seen in one negotiation.
#[derive(Debug, Clone)]
pub struct Diagnoser {
    role: Role,
    evidence: Vec<Evidence>,
}

impl Diagnoser {
    /// Of a negotiation in which we have this role.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self { role, evidence: Vec::new() }
    }

    /// Takes note. What repeats itself is noted once; what exceeds the bound is forgotten from the middle, so that
    /// the beginning and the end stay.
    pub fn observe(&mut self, now: Instant, observation: Observation) {
        if self.evidence.last().is_some_and(|last| last.observation == observation) {
            return;
        }
        if self.evidence.len() >= MAX_EVIDENCE {
            self.evidence.remove(MAX_EVIDENCE / 2);
        }
        self.evidence.push(Evidence { at: now, observation });
    }

    /// What has been observed, oldest first.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The likeliest cause of the failure that has been observed.
    #[must_use]
    pub fn conclude(&self) -> Diagnosis {
        infer::conclude(self.role, &self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::{Cause, Dimension, Mismatch};

    fn conclude(role: Role, observations: &[Observation]) -> Diagnosis {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let now = Instant::now();
        let mut diagnoser = Diagnoser::new(role);
        for observation in observations {
            diagnoser.observe(now, observation.clone());
        }
        diagnoser.conclude()
    }

    #[test]
    fn every_code_has_its_own_row() {
        for (index, entry) in CATALOGUE.iter().enumerate() {
            assert_eq!(entry.code.entry(), entry);
            assert!(!CATALOGUE[..index].iter().any(|other| other.name == entry.name));
        }
    }

    #[test]
    fn a_clear_notify_where_mm6_was_due_means_another_key() {
        let diagnosis = conclude(
            Role::Initiator,
            &[
                Observation::Sent(MessageNumber::Mm5),
                Observation::ClearNotify(NotifyType::PAYLOAD_MALFORMED),
                Observation::GaveUp(MessageNumber::Mm5),
            ],
        );
        assert_eq!(diagnosis.code, Code::PresharedKey);
    }

    #[test]
    fn the_responder_names_the_dimension_with_both_values() {
        let refusal =
            Refusal::new(Cause::NoProposalChosen, MessageNumber::Mm1, Role::Responder, "").with(vec![
                Mismatch { dimension: Dimension::Group, ours: "MODP2048".into(), theirs: "MODP1024".into() },
            ]);
        let text = conclude(Role::Responder, &[Observation::Refused(Box::new(refusal))]).to_string();
        assert!(text.contains("Diffie-Hellman group: ours MODP2048, theirs MODP1024"), "{text}");
    }

    #[test]
    fn the_list_of_evidence_is_bounded() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let now = Instant::now();
        let mut diagnoser = Diagnoser::new(Role::Initiator);
        for number in 0..1000 {
            diagnoser.observe(now, Observation::ClearNotify(NotifyType(number)));
        }
        assert_eq!(diagnoser.evidence().len(), MAX_EVIDENCE);
        assert_eq!(diagnoser.evidence()[0].observation, Observation::ClearNotify(NotifyType(0)));
    }
}
