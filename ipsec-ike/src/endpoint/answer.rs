//! Quick modes that the peer starts: QM1 and QM3.

use std::sync::Arc;

use ipsec_proto::isakmp::{Message, Payload};
use ipsec_proto::net::{Path, Spi};
use ipsec_proto::registry::{NotifyType, ProtocolId};

use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::diagnosis::{Diagnoser, Observation};
use crate::event::Event;
use crate::refusal::{Cause, Refusal};
use crate::retransmit::Outstanding;
use crate::sa::{Answered, Exchange, QuickPhase, SaId};
use crate::state::{MessageNumber, Phase, Role};
use crate::timer::TimerKind;
use crate::v1::informational;
use crate::v1::main::Phase1;
use crate::v1::offer::{self, Fault, Offer};
use crate::v1::quick::{self, Reserved};

impl Ike {
    pub(super) fn on_qm1(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Result<(), Refusal> {
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::Active(established) = &sa.phase1 else { return Ok(()) };
        // Nothing is kept of a message before its hash is verified.
        let opened = match offer::check_qm1(established, &message.header, ciphertext) {
            Err(Fault::Stranger(refusal)) => return Err(refusal),
            Err(Fault::Peer { refusal, proposed }) => Err((refusal, proposed)),
            Ok(offer) => Ok(offer),
        };
        sa.used_ids.insert(message.header.message_id);
        self.authentic(now, id, path);
        let offer = match opened {
            Ok(offer) => offer,
            Err((refusal, proposed)) => {
                self.refuse_qm1(now, id, message, &refusal, proposed);
                return Err(refusal);
            }
        };
        self.received_quick(id, path, MessageNumber::Qm1, message, &offer.payloads);
        if offer.notifies.contains(&NotifyType::INITIAL_CONTACT) {
            self.initial_contact(now, id);
        }
        let proposed = offer.proposed();
        match self.take_offer(now, id, message, offer) {
            Ok(()) => Ok(()),
            Err(refusal) => {
                self.refuse_qm1(now, id, message, &refusal, proposed);
                Err(refusal)
            }
        }
    }

    /// Says no under the keys, and keeps the answer for a peer that repeats its question.
    fn refuse_qm1(
        &mut self,
        now: Now,
        id: SaId,
        message: &Message<'_>,
        refusal: &Refusal,
        proposed: Option<(ProtocolId, Spi)>,
    ) {
        self.core.counters.failed += 1;
        let Some(notify) = refusal.notify() else { return };
        let message_id = message.header.message_id;
        let payload = Payload::Notify(informational::about_child(proposed, notify));
        let answer = self.send_informational(id, vec![payload]).unwrap_or_default();
        let linger = now.mono + self.core.config.timing().linger;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let mut diagnoser = Diagnoser::new(Role::Responder);
        diagnoser.observe(now.mono, Observation::Refused(Box::new(refusal.clone())));
        let exchange = Exchange {
            phase: QuickPhase::Done,
            outstanding: None,
            answered: Answered { request: message.octets.to_vec(), answer },
            diagnoser,
            started: now.mono,
        };
        sa.exchanges.insert(message_id, exchange);
        self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Linger), linger);
        self.limit_finished(id);
    }

    fn take_offer(&mut self, now: Now, id: SaId, message: &Message<'_>, offer: Offer) -> Result<(), Refusal> {
        let provider = Arc::clone(&self.core.provider);
        let limits = *self.core.config.limits();
        let policy = self.core.config.timing().retransmit;
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::Active(established) = &sa.phase1 else { return Ok(()) };
        let refuse = |cause, detail: String| Refusal::new(cause, MessageNumber::Qm1, Role::Responder, detail);
        let of_connection = self.children.values().filter(|child| child.connection == sa.name).count();
        if of_connection >= limits.children {
            let detail = format!("{of_connection} pairs of SAs stand, the limit is {}", limits.children);
            return Err(refuse(Cause::Limit, detail));
        }
        let (connection, path) = (Arc::clone(&sa.connection), sa.path);
        let taken = offer.take(established, &connection.children, path, limits.transforms)?;
        let child = taken.child;
        let (spis, random) = (&self.core.spis, self.core.random.as_mut());
        let reserved = Reserved::for_suites(core::iter::once(&taken.chosen.suite), || spis.reserve(random))
            .map_err(|error| refuse(Cause::Local, error.to_string()))?;
        let random = self.core.random.as_mut();
        let (state, agreement, octets, names) =
            quick::respond(established, &message.header, offer, taken, reserved, &provider, random)?;
        let message_id = message.header.message_id;
        let mut diagnoser = Diagnoser::new(Role::Responder);
        diagnoser.observe(now.mono, Observation::Received(MessageNumber::Qm1));
        diagnoser.observe(now.mono, Observation::Sent(MessageNumber::Qm2));
        let pair = self
            .install(now, id, child, agreement, Role::Responder, Vec::new(), None)
            .ok_or_else(|| refuse(Cause::Local, "the keys do not fit their algorithms".into()))?;
        if let Some(child) = self.children.get_mut(&pair) {
            child.exchange = Some((id, message_id));
        }
        let (outstanding, next) = Outstanding::first(octets.clone(), &policy, now.mono);
        let exchange = Exchange {
            phase: QuickPhase::Responder(Box::new(state), pair),
            outstanding: Some((MessageNumber::Qm2, outstanding)),
            answered: Answered { request: message.octets.to_vec(), answer: octets.clone() },
            diagnoser,
            started: now.mono,
        };
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.exchanges.insert(message_id, exchange);
        }
        self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Retransmit), next);
        self.send_quick(id, path, MessageNumber::Qm2, message_id, octets, &names);
        Ok(())
    }

    pub(super) fn on_qm3(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Result<(), Refusal> {
        let message_id = message.header.message_id;
        let Some(sa) = self.sas.get(&id) else { return Ok(()) };
        let Phase1::Active(established) = &sa.phase1 else { return Ok(()) };
        let Some(exchange) = sa.exchanges.get(&message_id) else { return Ok(()) };
        let QuickPhase::Responder(state, pair) = &exchange.phase else { return Ok(()) };
        let names = state.check(established, &message.header, ciphertext)?;
        let pair = *pair;
        self.authentic(now, id, path);
        self.received_quick(id, path, MessageNumber::Qm3, message, &names);
        self.finish_responder(now, id, message_id, message.octets.to_vec());
        self.child_up(now, pair);
        Ok(())
    }

    /// The initiator has shown that it has QM2: by QM3, or by a packet on the SA.
    pub(super) fn finish_responder(&mut self, now: Now, id: SaId, message_id: u32, last: Vec<u8>) {
        let linger = now.mono + self.core.config.timing().linger;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let cookies = sa.cookies;
        let Some(exchange) = sa.exchanges.get_mut(&message_id) else { return };
        exchange.phase = QuickPhase::Done;
        exchange.outstanding = None;
        if !last.is_empty() {
            exchange.answered = Answered { request: last, answer: Vec::new() };
        }
        let took = now.mono.saturating_duration_since(exchange.started);
        self.core.timers.clear(TimerKey::Quick(id, message_id, TimerKind::Retransmit));
        self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Linger), linger);
        self.core.outbox.event(Event::Step { cookies, phase: Phase::Two, took });
        self.limit_finished(id);
    }

    /// Of finished quick modes the youngest are remembered, to answer duplicates; what an older one's duplicate draws is
    /// silence.
    pub(super) fn limit_finished(&mut self, id: SaId) {
        let limit = self.core.config.limits().quick_modes;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let finished = || sa.exchanges.iter().filter(|(_, it)| matches!(it.phase, QuickPhase::Done));
        if finished().count() <= limit {
            return;
        }
        let oldest = finished().min_by_key(|(_, exchange)| exchange.started).map(|(id, _)| *id);
        if let Some(message_id) = oldest {
            sa.exchanges.remove(&message_id);
            self.core.timers.clear(TimerKey::Quick(id, message_id, TimerKind::Linger));
        }
    }
}
