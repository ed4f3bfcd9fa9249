//! Quick Mode, driven: in both roles, several at a time under one ISAKMP SA.

use std::sync::Arc;

use ipsec_proto::isakmp::{Body, Message, Payload};
use ipsec_proto::net::{Path, Spi};
use ipsec_proto::registry::ExchangeType;
use ipsec_sad::PairId;

use super::place::answer_path;
use super::{Core, Ike, TimerKey, Told};
use crate::clock::Now;
use crate::diagnosis::{Diagnoser, Diagnosis, Observation};
use crate::event::{DiscardReason, DownReason, Event, Sense};
use crate::output::Disposition;
use crate::refusal::{Cause, Refusal};
use crate::retransmit::Outstanding;
use crate::sa::{Answered, ChildPhase, Exchange, IkeSa, QuickPhase, SaId, UsedIds, Wanted};
use crate::state::{MessageNumber, Phase, Role};
use crate::timer::TimerKind;
use crate::v1::main::{Established, Phase1};
use crate::v1::offer::Fault;

use crate::v1::quick::{self, Reserved};
use crate::v1::{informational, wire};

impl Core {
    /// A message id that the SA has not seen (RFC 2409 §5.5).
    pub(super) fn message_id(&mut self, used: &UsedIds) -> u32 {
        loop {
            let mut octets = [0; 4];
            self.random.fill(&mut octets);
            let id = u32::from_be_bytes(octets);
            if id != 0 && !used.contains(id) {
                return id;
            }
        }
    }
}

pub(super) fn established(sa: &IkeSa) -> Option<&Established> {
    match &sa.phase1 {
        Phase1::Active(established) => Some(established),
        _ => None,
    }
}

impl Ike {
    /// Starts the quick modes that waited for phase 1.
    pub(super) fn start_wanted(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        for wanted in std::mem::take(&mut sa.wanted) {
            self.start_quick(now, id, wanted);
        }
    }

    /// Starts a quick mode under an ISAKMP SA that stands.
    pub(super) fn start_quick(&mut self, now: Now, id: SaId, wanted: Wanted) {
        let provider = Arc::clone(&self.core.provider);
        let policy = self.core.config.timing().retransmit;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let name = Arc::clone(&sa.name);
        let local = |detail: String| Refusal::new(Cause::Local, MessageNumber::Qm1, Role::Initiator, detail);
        let (spis, random) = (&self.core.spis, self.core.random.as_mut());
        let reserved = Reserved::for_suites(wanted.child.proposals.iter(), || spis.reserve(random));
        let started = match reserved {
            Err(error) => Err(local(error.to_string())),
            Ok(reserved) => {
                let message_id = self.core.message_id(&sa.used_ids);
                let header = wire::header(&sa.cookies, ExchangeType::QUICK_MODE, message_id);
                let Phase1::Active(established) = &sa.phase1 else { return };
                let random = self.core.random.as_mut();
                quick::initiate(established, &header, &wanted.child, sa.path, reserved, &provider, random)
                    .map(|made| (message_id, made))
            }
        };
        let (message_id, (state, octets, names)) = match started {
            Ok(started) => started,
            Err(refusal) => return self.child_failed(&name, wanted, Diagnosis::of_refusal(&refusal)),
        };
        sa.used_ids.insert(message_id);
        let mut diagnoser = Diagnoser::new(Role::Initiator);
        diagnoser.observe(now.mono, Observation::Sent(MessageNumber::Qm1));
        let (outstanding, next) = Outstanding::first(octets.clone(), &policy, now.mono);
        let exchange = Exchange {
            phase: QuickPhase::Initiator(Box::new(state), wanted),
            outstanding: Some((MessageNumber::Qm1, outstanding)),
            answered: Answered::default(),
            diagnoser,
            started: now.mono,
        };
        sa.exchanges.insert(message_id, exchange);
        let path = sa.path;
        self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Retransmit), next);
        self.send_quick(id, path, MessageNumber::Qm1, message_id, octets, &names);
    }

    pub(super) fn send_quick(
        &mut self,
        id: SaId,
        path: Path,
        number: MessageNumber,
        message_id: u32,
        octets: Vec<u8>,
        names: &str,
    ) {
        let told = Told { number, sense: Sense::Sent, message_id, octets: octets.len(), payloads: names };
        self.tell(id, path, &told);
        self.core.transmit(path, octets);
    }

    pub(super) fn received_quick(
        &mut self,
        id: SaId,
        path: Path,
        number: MessageNumber,
        message: &Message<'_>,
        names: &str,
    ) {
        let message_id = message.header.message_id;
        let told = Told {
            number,
            sense: Sense::Received,
            message_id,
            octets: message.octets.len(),
            payloads: names,
        };
        self.tell(id, path, &told);
    }

    /// A Quick Mode message.
    pub(super) fn on_quick_mode(&mut self, now: Now, path: Path, message: &Message<'_>) -> Disposition {
        let header = &message.header;
        let Some(id) = self.find(header) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        let Some(sa) = self.sas.get(&id) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        let Phase1::Active(_) = sa.phase1 else { return Disposition::Discarded(DiscardReason::WrongState) };
        let Body::Encrypted(ciphertext) = message.body else {
            return Disposition::Discarded(DiscardReason::InClear);
        };
        if header.message_id == 0 {
            return Disposition::Discarded(DiscardReason::MessageId);
        }
        let result = match sa.exchanges.get(&header.message_id) {
            Some(exchange) if exchange.answered.request == message.octets => {
                let (answer, cookies) = (exchange.answered.answer.clone(), sa.cookies);
                let (answered, to) = (!answer.is_empty(), answer_path(sa, path));
                if answered {
                    self.core.transmit(to, answer);
                }
                self.core.outbox.event(Event::Duplicate { cookies, path, answered });
                return Disposition::Duplicate;
            }
            Some(exchange) => match &exchange.phase {
                QuickPhase::Initiator(..) => self.on_qm2(now, id, path, message, ciphertext),
                QuickPhase::Responder(..) => self.on_qm3(now, id, path, message, ciphertext),
                QuickPhase::Done => return Disposition::Discarded(DiscardReason::WrongState),
            },
            None if sa.used_ids.contains(header.message_id) => {
                return Disposition::Discarded(DiscardReason::MessageId);
            }
            None => {
                let limit = self.core.config.limits().quick_modes;
                let running = sa.exchanges.values().filter(|e| !matches!(e.phase, QuickPhase::Done)).count();
                if running >= limit {
                    self.core.counters.at_limit += 1;
                    self.core.outbox.event(Event::AtLimit { limit: "quick_modes", value: limit, path });
                    return Disposition::Discarded(DiscardReason::Limit);
                }
                if !self.admit_message_id(now, id) {
                    return Disposition::Discarded(DiscardReason::Limit);
                }
                self.on_qm1(now, id, path, message, ciphertext)
            }
        };
        match result {
            Ok(()) => Disposition::Accepted,
            Err(refusal) => {
                let cookies = self.sas.get(&id).map_or_else(
                    || crate::event::Cookies { initiator: header.initiator, responder: header.responder },
                    |sa| sa.cookies,
                );
                self.refused(path, cookies, refusal)
            }
        }
    }

    fn on_qm2(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Result<(), Refusal> {
        let message_id = message.header.message_id;
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::Active(established) = &sa.phase1 else { return Ok(()) };
        let Some(exchange) = sa.exchanges.get_mut(&message_id) else { return Ok(()) };
        let QuickPhase::Initiator(state, wanted) = &exchange.phase else { return Ok(()) };
        let checked =
            state.check(established, &message.header, ciphertext, &wanted.child, &self.core.provider);
        let (offer, chosen) = match checked {
            Ok(verified) => verified,
            // It is nobody's. The exchange waits on.
            Err(Fault::Stranger(refusal)) => return Err(refusal),
            // The peer itself answers with something that we did not ask for.
            Err(Fault::Peer { refusal, proposed }) => {
                exchange.diagnoser.observe(now.mono, Observation::Refused(Box::new(refusal.clone())));
                self.authentic(now, id, path);
                if let Some(notify) = refusal.notify() {
                    let payload = Payload::Notify(informational::about_child(proposed, notify));
                    self.send_informational(id, vec![payload]);
                }
                self.fail_quick(now, id, message_id);
                return Err(refusal);
            }
        };
        let QuickPhase::Initiator(state, wanted) = std::mem::replace(&mut exchange.phase, QuickPhase::Done)
        else {
            return Ok(());
        };
        let started = exchange.started;
        let stepped = state.step(established, &message.header, &offer, sa.path, chosen);
        let (agreement, octets) = match stepped {
            Ok(stepped) => stepped,
            Err(refusal) => {
                let name = Arc::clone(&sa.name);
                sa.exchanges.remove(&message_id);
                self.core.timers.clear(TimerKey::Quick(id, message_id, TimerKind::Retransmit));
                self.child_failed(&name, wanted, Diagnosis::of_refusal(&refusal));
                return Err(refusal);
            }
        };
        exchange.outstanding = None;
        exchange.answered = Answered { request: message.octets.to_vec(), answer: octets.clone() };
        let cookies = sa.cookies;
        let timing = *self.core.config.timing();
        self.core.timers.clear(TimerKey::Quick(id, message_id, TimerKind::Retransmit));
        self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Linger), now.mono + timing.linger);
        self.authentic(now, id, path);
        self.received_quick(id, path, MessageNumber::Qm2, message, &offer.payloads);
        let Wanted { child, acquires, replaces, .. } = wanted;
        let Some(pair) = self.install(now, id, &child, agreement, Role::Initiator, acquires, replaces) else {
            return Ok(());
        };
        let to = self.sas.get(&id).map_or(path, |sa| sa.path);
        self.send_quick(id, to, MessageNumber::Qm3, message_id, octets, "HASH");
        self.limit_finished(id);
        self.child_up(now, pair);
        let took = now.mono.saturating_duration_since(started);
        self.core.outbox.event(Event::Step { cookies, phase: Phase::Two, took });
        Ok(())
    }

    /// A quick mode of ours, or one that waits for QM3, has failed.
    pub(super) fn fail_quick(&mut self, now: Now, id: SaId, message_id: u32) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let name = Arc::clone(&sa.name);
        let Some(exchange) = sa.exchanges.remove(&message_id) else { return };
        let diagnosis = exchange.diagnoser.conclude();
        self.drop_exchange(now, id, &name, message_id, exchange, &diagnosis);
    }

    /// Lets a quick mode go, with what hangs on it.
    pub(super) fn drop_exchange(
        &mut self,
        now: Now,
        id: SaId,
        connection: &Arc<str>,
        message_id: u32,
        exchange: Exchange,
        diagnosis: &Diagnosis,
    ) {
        for kind in [TimerKind::Retransmit, TimerKind::Linger] {
            self.core.timers.clear(TimerKey::Quick(id, message_id, kind));
        }
        match exchange.phase {
            QuickPhase::Initiator(_, wanted) => {
                self.core.counters.failed += 1;
                self.child_failed(connection, wanted, diagnosis.clone());
            }
            QuickPhase::Responder(_, pair) => {
                self.core.counters.failed += 1;
                self.delete_child(now, pair, &DownReason::Failed(Box::new(diagnosis.clone())));
            }
            QuickPhase::Done => {}
        }
    }

    /// The quick mode of ours that an error notify is about: the one with that SPI, else the only one.
    pub(super) fn quick_of_notify(&self, id: SaId, spi: Option<Spi>) -> Option<u32> {
        let sa = self.sas.get(&id)?;
        let mut ours = sa.exchanges.iter().filter_map(|(message_id, exchange)| match &exchange.phase {
            QuickPhase::Initiator(state, _) => Some((*message_id, &state.reserved)),
            _ => None,
        });
        if let Some(found) = spi.and_then(|spi| ours.clone().find(|(_, reserved)| reserved.contains(spi))) {
            return Some(found.0);
        }
        let (only, _) = ours.next()?;
        ours.next().is_none().then_some(only)
    }

    /// Whether the pair still waits for QM3.
    pub(super) fn pending_exchange(&self, pair: PairId) -> Option<(SaId, u32)> {
        self.children.get(&pair).filter(|child| child.phase == ChildPhase::Pending)?.exchange
    }
}
