//! The end of phase 1: proofs, an ISAKMP SA that stands, and the way out of it.

use std::sync::Arc;

use ipsec_crypto::Secret;
use ipsec_proto::isakmp::{Message, Payload};
use ipsec_proto::net::Path;
use ipsec_proto::registry::{ExchangeType, NotifyType};

use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::config::KeyLogging;
use crate::diagnosis::{Code, Diagnoser, Diagnosis, Observation};
use crate::event::{DownReason, Event, IkeUp};
use crate::identity::Identity;
use crate::output::{Effect, KeyLog};
use crate::pad;
use crate::refusal::{Cause, Refusal};
use crate::sa::{Answered, SaId};
use crate::state::{MessageNumber, Phase, Role};
use crate::timer::TimerKind;
use crate::v1::main::{Authenticating, Phase1};
use crate::v1::{informational, proof, wire};

impl Ike {
    /// Whether another ISAKMP SA of the connection stands, or a child of it: then there is nothing initial about a
    /// contact.
    pub(super) fn has_other(&self, id: SaId, name: &str) -> bool {
        self.sas
            .iter()
            .any(|(other, sa)| *other != id && *sa.name == *name && matches!(sa.phase1, Phase1::Active(_)))
            || self.children.values().any(|child| *child.connection == *name)
    }

    /// MM5 or MM6.
    pub(super) fn on_proof(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Result<(), Refusal> {
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let (Phase1::WaitMsg5(waiting) | Phase1::WaitMsg6(waiting)) = &sa.phase1 else { return Ok(()) };
        let proven = waiting.check(sa.role, &sa.cookies, &message.header, ciphertext)?;
        let role = sa.role;
        let number = match role {
            Role::Responder => MessageNumber::Mm5,
            Role::Initiator => MessageNumber::Mm6,
        };
        let candidates = match role {
            Role::Initiator => vec![Arc::clone(&sa.connection)],
            Role::Responder => sa.candidates.clone(),
        };
        let settled = proven.identity.clone().and_then(|identity| {
            let refuse =
                |mismatch| Refusal::new(Cause::IdentityMismatch, number, role, "").with(vec![mismatch]);
            let connection = pad::settle(&candidates, &identity).map_err(refuse)?;
            Ok((Arc::clone(connection), identity))
        });
        let (settled, identity) = match settled {
            Ok(settled) => settled,
            Err(refusal) => {
                // It holds the key, so it may end the negotiation, and it is told why under the keys.
                sa.diagnoser.observe(now.mono, Observation::Refused(Box::new(refusal.clone())));
                let (Phase1::WaitMsg5(waiting) | Phase1::WaitMsg6(waiting)) = &mut sa.phase1 else {
                    return Ok(());
                };
                waiting.advance(&proven);
                self.notify_before_mm6(id, path, NotifyType::INVALID_ID_INFORMATION);
                let diagnosis = Diagnosis::of_refusal(&refusal);
                self.core.counters.failed += 1;
                self.remove_ike(now, id, DownReason::Failed(Box::new(diagnosis)));
                return Err(refusal);
            }
        };
        match role {
            Role::Responder => self.follow_float(id, path),
            Role::Initiator => self.authentic(now, id, path),
        }
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let placeholder = std::mem::replace(&mut sa.phase1, Phase1::Unaddressed);
        let (Phase1::WaitMsg5(mut state) | Phase1::WaitMsg6(mut state)) = placeholder else { return Ok(()) };
        state.advance(&proven);
        sa.name = settled.name.as_str().into();
        sa.connection = settled;
        let local_id = pad::local_identity(&sa.connection, sa.path.local.ip());
        let answer = match role {
            Role::Initiator => None,
            Role::Responder => {
                let header = wire::header(&sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0);
                Some(state.prove(Role::Responder, &sa.cookies, &header, &local_id, Vec::new()))
            }
        };
        self.establish(now, id, state, (local_id, identity), &proven, message, answer);
        self.move_children(now, id);
        self.limit_ike_sas(now, id);
        if let Some(old) = self.sas.get(&id).and_then(|sa| sa.renews) {
            self.retire(now, old);
        }
        if proven.initial_contact {
            self.initial_contact(now, id);
        }
        self.start_wanted(now, id);
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the pieces of one step; a struct of them would be used once"
    )]
    pub(super) fn establish(
        &mut self,
        now: Now,
        id: SaId,
        state: Authenticating,
        (local_id, remote_id): (Identity, Identity),
        proven: &proof::Proven,
        message: &Message<'_>,
        answer: Option<(Vec<u8>, String)>,
    ) {
        let key_log = self.core.config.key_log();
        self.leave_half_open(id);
        self.core.timers.clear(TimerKey::Ike(id, TimerKind::HalfOpen));
        self.core.timers.clear(TimerKey::Ike(id, TimerKind::Retransmit));
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let path = sa.path;
        let (received, sent) = match sa.role {
            Role::Responder => (MessageNumber::Mm5, Some(MessageNumber::Mm6)),
            Role::Initiator => (MessageNumber::Mm6, None),
        };
        let established = state.establish(local_id.clone(), remote_id.clone());
        let (suite, nat, lifetime) = (established.agreed.suite, established.nat, established.agreed.life);
        let encryption = match key_log {
            KeyLogging::On => Some(Secret::from_slice(established.keys.encryption.as_slice())),
            KeyLogging::Off => None,
        };
        sa.outstanding = None;
        sa.heard = now.mono;
        sa.diagnoser.observe(now.mono, Observation::Received(received));
        let octets = answer.as_ref().map(|(octets, _)| octets.clone()).unwrap_or_default();
        sa.answered = Answered { request: message.octets.to_vec(), answer: octets };
        sa.phase1 = Phase1::Active(established);
        let (cookies, role, connection) = (sa.cookies, sa.role, Arc::clone(&sa.name));
        let took = now.mono.saturating_duration_since(sa.started);
        self.core.counters.ike_up += 1;
        self.core.timers.set(TimerKey::Ike(id, TimerKind::IkeLifetime), now.mono + lifetime);
        let renewal = self.renew_after(lifetime, role);
        self.core.timers.set(TimerKey::Ike(id, TimerKind::IkeRenew), now.mono + renewal);
        self.hold_mapping(now, path, nat);
        self.received(id, path, received, message, Some(&proven.payloads));
        if let Some(encryption) = encryption {
            self.core.outbox.effect(Effect::KeyLog(KeyLog::Ike { cookies, suite, encryption }));
        }
        if let (Some(number), Some((octets, names))) = (sent, answer) {
            self.sent(id, path, number, octets, &names);
        }
        self.core.outbox.event(Event::IkeUp(Box::new(IkeUp {
            connection,
            path,
            cookies,
            role,
            suite,
            local_id,
            remote_id,
            nat,
            lifetime,
        })));
        self.core.outbox.event(Event::Step { cookies, phase: Phase::One, took });
    }

    /// Tells the peer under the keys that exist before MM6 why there will be none.
    pub(super) fn notify_before_mm6(&mut self, id: SaId, path: Path, notify: NotifyType) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (Phase1::WaitMsg5(state) | Phase1::WaitMsg6(state)) = &sa.phase1 else { return };
        let message_id = self.core.message_id(&sa.used_ids);
        let header = wire::header(&sa.cookies, ExchangeType::INFORMATIONAL, message_id);
        let payload = Payload::Notify(informational::about_ike(&sa.cookies, notify));
        let octets = informational::seal(state.keys(), state.iv(), &header, vec![payload]);
        self.core.transmit(path, octets);
    }

    /// The peer says that it knows of no other SA with us: what it has forgotten goes (RFC 2407 §4.6.3.3).
    pub(super) fn initial_contact(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let Phase1::Active(established) = &sa.phase1 else { return };
        let (name, remote_id, started) = (Arc::clone(&sa.name), established.remote_id.clone(), sa.started);
        let older: Vec<_> = self
            .sas
            .iter()
            .filter(|(other, sa)| {
                let same = matches!(&sa.phase1, Phase1::Active(active) if active.remote_id == remote_id);
                **other < id && same && sa.name == name
            })
            .map(|(other, _)| *other)
            .collect();
        for other in older {
            self.remove_ike(now, other, DownReason::Replaced);
        }
        let children: Vec<_> = self
            .children
            .iter()
            .filter(|(_, child)| {
                child.connection == name && child.remote_id == remote_id && child.created <= started
            })
            .map(|(pair, _)| *pair)
            .collect();
        for pair in children {
            self.remove_child(now, pair, &DownReason::Replaced);
        }
    }

    /// The negotiation has failed: says why and lets it go.
    pub(super) fn give_up(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (diagnosis, renews) = (sa.diagnoser.conclude(), sa.renews);
        self.core.counters.failed += 1;
        self.remove_ike(now, id, DownReason::Failed(Box::new(diagnosis)));
        if let Some(old) = renews {
            self.renewal_failed(now, old);
        }
    }

    /// Takes an ISAKMP SA out, with everything that waits for it. The children stay.
    pub(super) fn remove_ike(&mut self, now: Now, id: SaId, reason: DownReason) {
        self.leave_half_open(id);
        let Some(sa) = self.sas.remove(&id) else { return };
        for kind in [TimerKind::Retransmit, TimerKind::HalfOpen, TimerKind::IkeRenew, TimerKind::IkeLifetime]
        {
            self.core.timers.clear(TimerKey::Ike(id, kind));
        }
        if let Phase1::Active(established) = &sa.phase1 {
            self.release_mapping(sa.path, established.nat);
        }
        match sa.role {
            Role::Initiator => self.by_cookie.remove(&sa.cookies.initiator),
            Role::Responder => {
                self.by_first.remove(&(sa.source, sa.cookies.initiator));
                self.by_cookie.remove(&sa.cookies.responder)
            }
        };
        let asked: Vec<_> = self
            .questions
            .iter()
            .filter(|(_, asked)| asked.sa == id)
            .map(|(question, _)| *question)
            .collect();
        for question in asked {
            self.questions.remove(&question);
            self.core.timers.clear(TimerKey::Ask(question));
        }
        let diagnosis = match &reason {
            DownReason::Failed(diagnosis) => (**diagnosis).clone(),
            DownReason::DeletedByPeer => {
                let mut diagnoser = Diagnoser::new(sa.role);
                diagnoser.observe(now.mono, Observation::Deleted);
                diagnoser.conclude()
            }
            other => Diagnosis {
                code: Code::Local,
                sentence: format!("The ISAKMP SA went away: {other}"),
                fix: "try again".into(),
            },
        };
        let event = Event::IkeDown {
            connection: Some(Arc::clone(&sa.name)),
            path: sa.path,
            cookies: sa.cookies,
            reason,
        };
        self.core.outbox.event(event);
        for wanted in sa.wanted {
            self.child_failed(&sa.name, wanted, diagnosis.clone());
        }
        for (message_id, exchange) in sa.exchanges {
            self.drop_exchange(now, id, &sa.name, message_id, exchange, &diagnosis);
        }
    }
}
