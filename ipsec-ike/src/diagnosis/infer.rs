//! The rules: from what was observed in one negotiation to the cause.

use ipsec_proto::registry::NotifyType;

use super::{Code, Diagnosis, Evidence, Observation};
use crate::refusal::{Cause, Refusal};
use crate::state::{MessageNumber, Phase, Role};

/// The cause of a refusal of ours: we have both sides' values.
pub(super) fn of_refusal(refusal: &Refusal) -> Diagnosis {
    let code = match refusal.cause {
        Cause::UnknownPeer => Code::UnknownPeer,
        Cause::NoProposalChosen if refusal.phase() == Phase::One => Code::Phase1Proposal,
        Cause::NoProposalChosen => Code::Phase2Proposal,
        Cause::PfsMismatch => Code::Pfs,
        Cause::AhThroughNat => Code::AhThroughNat,
        Cause::SelectorMismatch => Code::Selectors,
        Cause::IdentityMismatch => Code::Identity,
        Cause::Undecryptable | Cause::AuthenticationFailed if refusal.phase() == Phase::One => {
            Code::PresharedKey
        }
        Cause::Limit => Code::Limit,
        Cause::Local => Code::Local,
        Cause::Malformed
        | Cause::PayloadCount
        | Cause::Undecryptable
        | Cause::AuthenticationFailed
        | Cause::UnexpectedPayload
        | Cause::UnsupportedExchange
        | Cause::AlteredProposal
        | Cause::InvalidKeyExchange
        | Cause::InvalidNonce
        | Cause::InvalidHash
        | Cause::ReusedMessageId
        | Cause::Reflected => Code::ProtocolError,
    };
    let mut sentence = String::from(code.entry().title);
    let place = refusal.message.map_or_else(String::new, |message| format!("{message}: "));
    if refusal.mismatches.is_empty() {
        if !refusal.detail.is_empty() {
            sentence = format!("{sentence} ({place}{})", refusal.detail);
        }
    } else {
        let values: Vec<_> = refusal.mismatches.iter().map(ToString::to_string).collect();
        sentence = format!("{sentence} ({place}{})", values.join("; "));
    }
    let fix = match refusal.mismatches.as_slice() {
        [] => code.entry().fix.to_owned(),
        some => {
            let names: Vec<_> = some.iter().map(|mismatch| mismatch.dimension.name()).collect();
            format!("set the same {} on both ends", names.join(", "))
        }
    };
    let fix = match code {
        Code::Selectors | Code::Identity => code.entry().fix.to_owned(),
        _ => fix,
    };
    Diagnosis { code, sentence, fix }
}

/// The cause, from all that was observed.
pub(super) fn conclude(role: Role, evidence: &[Evidence]) -> Diagnosis {
    let refusal = evidence.iter().rev().find_map(|item| match &item.observation {
        Observation::Refused(refusal) => Some(refusal.as_ref()),
        _ => None,
    });
    let unanswered = evidence.iter().rev().find_map(|item| match item.observation {
        Observation::GaveUp(number) => Some(number),
        _ => None,
    });
    let last_notify = |authentic: bool| {
        evidence.iter().rev().find_map(|item| match item.observation {
            Observation::ClearNotify(notify) if !authentic => Some(notify),
            Observation::AuthenticNotify(notify) if authentic => Some(notify),
            _ => None,
        })
    };
    let saw = |wanted: &Observation| evidence.iter().any(|item| item.observation == *wanted);

    if let Some(notify) = last_notify(true) {
        return of_authentic_notify(notify, evidence);
    }
    // What we refused ourselves explains more than what the peer said or left unsaid.
    if let Some(refusal) = refusal
        && !matches!(refusal.cause, Cause::InvalidHash | Cause::ReusedMessageId | Cause::Reflected)
    {
        return of_refusal(refusal);
    }
    if saw(&Observation::Deleted) {
        return plain(Code::DeletedByPeer, "The peer took the ISAKMP SA down while we were negotiating");
    }
    if let Some(reason) = evidence.iter().rev().find_map(|item| match &item.observation {
        Observation::NoAddress { code, reason } => Some((*code, reason)),
        _ => None,
    }) {
        return plain(reason.0, format!("{}: {}", reason.0.entry().title, reason.1));
    }
    let Some(unanswered) = unanswered else {
        return plain(Code::PeerRefused, "The negotiation ended without a reason being given");
    };
    silence(
        role,
        unanswered,
        last_notify(false),
        saw(&Observation::UndecryptableNotify),
        saw(&Observation::NatFound),
    )
}

/// The peer's answer did not come: what it said in clear, if anything, is the best hint.
fn silence(
    role: Role,
    waited: MessageNumber,
    hint: Option<NotifyType>,
    undecryptable: bool,
    nat: bool,
) -> Diagnosis {
    let said = hint.map_or_else(String::new, |notify| format!(", and a notify in clear said {notify}"));
    match (waited, hint) {
        (MessageNumber::Mm1, Some(NotifyType::NO_PROPOSAL_CHOSEN | NotifyType::ATTRIBUTES_NOT_SUPPORTED)) => {
            plain(
                Code::Phase1Proposal,
                format!(
                    "The peer accepts none of our phase 1 proposals: MM1 was answered by {}",
                    NotifyType::NO_PROPOSAL_CHOSEN
                ),
            )
        }
        (MessageNumber::Mm1, None) => {
            plain(Code::PeerUnreachable, "The peer does not answer MM1 (MM_WAIT_MSG2)")
        }
        (MessageNumber::Mm3, Some(NotifyType::INVALID_KEY_INFORMATION | NotifyType::NO_PROPOSAL_CHOSEN)) => {
            plain(
                Code::KeyExchangeUnanswered,
                format!("The peer refuses our public value or our nonce (MM_WAIT_MSG4){said}"),
            )
        }
        (MessageNumber::Mm3, None) => {
            plain(Code::KeyExchangeUnanswered, "The peer answered MM1 but does not answer MM3 (MM_WAIT_MSG4)")
        }
        (MessageNumber::Mm5, Some(NotifyType::INVALID_ID_INFORMATION)) => {
            plain(Code::Identity, format!("The peer does not accept our identity (MM_WAIT_MSG6){said}"))
        }
        (MessageNumber::Mm5, Some(_)) => plain(
            Code::PresharedKey,
            format!("The pre-shared keys differ: MM6 did not come (MM_WAIT_MSG6){said}"),
        ),
        (MessageNumber::Mm5, None) if undecryptable => plain(
            Code::PresharedKey,
            "The pre-shared keys differ: where MM6 was due (MM_WAIT_MSG6) came a notify that our keys do not decrypt",
        ),
        (MessageNumber::Mm5, None) => plain(
            Code::AuthenticationUnanswered,
            if nat {
                "The peer does not answer MM5 (MM_WAIT_MSG6): the pre-shared keys differ, or UDP port 4500 is blocked"
            } else {
                "The peer does not answer MM5 (MM_WAIT_MSG6): the pre-shared keys differ, most likely"
            },
        ),
        (MessageNumber::Qm1, _) => {
            plain(Code::QuickModeUnanswered, format!("The peer does not answer QM1{said}"))
        }
        (MessageNumber::Qm2, _) => plain(Code::QuickModeUnfinished, format!("QM3 did not come{said}")),
        (number, Some(notify)) => plain(Code::PeerRefused, format!("The peer answered {number} by {notify}")),
        (number, None) => match role {
            Role::Responder => {
                plain(Code::PeerUnreachable, format!("After {number} the initiator fell silent"))
            }
            Role::Initiator => plain(Code::PeerUnreachable, format!("The peer does not answer {number}")),
        },
    }
}

/// The peer said it under the ISAKMP SA: it is true.
fn of_authentic_notify(notify: NotifyType, evidence: &[Evidence]) -> Diagnosis {
    let quick = evidence.iter().any(|item| item.observation == Observation::Sent(MessageNumber::Qm1));
    match notify {
        NotifyType::NO_PROPOSAL_CHOSEN
        | NotifyType::BAD_PROPOSAL_SYNTAX
        | NotifyType::ATTRIBUTES_NOT_SUPPORTED
            if quick =>
        {
            plain(
                Code::Phase2Proposal,
                format!("The peer accepts none of our phase 2 proposals: QM1 was answered by {notify}"),
            )
        }
        NotifyType::INVALID_KEY_INFORMATION if quick => plain(
            Code::Pfs,
            format!("The ends disagree on perfect forward secrecy: QM1 was answered by {notify}"),
        ),
        NotifyType::INVALID_ID_INFORMATION if quick => plain(
            Code::Selectors,
            format!("The peer has no policy that our selectors fit into: QM1 was answered by {notify}"),
        ),
        NotifyType::INVALID_ID_INFORMATION => {
            plain(Code::Identity, format!("The peer does not accept our identity: it said {notify}"))
        }
        NotifyType::AUTHENTICATION_FAILED => {
            plain(Code::Identity, format!("The peer does not accept who we are: it said {notify}"))
        }
        other => plain(Code::PeerRefused, format!("The peer refuses: it said {other}")),
    }
}

fn plain(code: Code, sentence: impl Into<String>) -> Diagnosis {
    Diagnosis { code, sentence: sentence.into(), fix: code.entry().fix.to_owned() }
}
