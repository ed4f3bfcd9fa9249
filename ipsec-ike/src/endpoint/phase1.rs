//! Main Mode, driven: what is sent and repeated, and what a message brings about.

use std::sync::Arc;

use ipsec_proto::isakmp::{Body, Chain, Message, Payload};
use ipsec_proto::net::{Cookie, Path};
use ipsec_proto::registry::{ExchangeType, NotifyType};

use super::{Ike, TimerKey, Told};
use crate::clock::Now;
use crate::diagnosis::Observation;
use crate::event::{Cookies, DiscardReason, Event, Sense};
use crate::natt::{self};
use crate::output::Disposition;
use crate::pad;
use crate::refusal::{Cause, Refusal};
use crate::retransmit::Outstanding;
use crate::sa::{Answered, SaId, UsedIds};
use crate::state::{MessageNumber, Role};
use crate::timer::TimerKind;
use crate::v1::main::{Phase1, WaitMsg2, WaitMsg3};
use crate::v1::share::Surroundings;
use crate::v1::{informational, wire};

impl Ike {
    /// Sends a phase 1 message that is repeated until it is answered.
    pub(super) fn send_request(
        &mut self,
        now: Now,
        id: SaId,
        number: MessageNumber,
        octets: Vec<u8>,
        payloads: &str,
    ) {
        let policy = self.core.config.timing().retransmit;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let path = sa.path;
        let (outstanding, next) = Outstanding::first(octets.clone(), &policy, now.mono);
        sa.outstanding = Some((number, outstanding));
        sa.diagnoser.observe(now.mono, Observation::Sent(number));
        self.core.timers.set(TimerKey::Ike(id, TimerKind::Retransmit), next);
        self.sent(id, path, number, octets, payloads);
    }

    /// Sends a phase 1 message, and tells of it.
    pub(super) fn sent(
        &mut self,
        id: SaId,
        path: Path,
        number: MessageNumber,
        octets: Vec<u8>,
        payloads: &str,
    ) {
        let told = Told { number, sense: Sense::Sent, message_id: 0, octets: octets.len(), payloads };
        self.tell(id, path, &told);
        self.core.transmit(path, octets);
    }

    /// A Main Mode message.
    pub(super) fn on_main_mode(&mut self, now: Now, path: Path, message: &Message<'_>) -> Disposition {
        let header = &message.header;
        if header.message_id != 0 {
            return Disposition::Discarded(DiscardReason::MessageId);
        }
        if header.initiator.is_zero() {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        }
        if header.responder.is_zero() {
            return self.on_mm1(now, path, message);
        }
        let Some(id) = self.find(header) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        let Some(sa) = self.sas.get_mut(&id) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        if sa.path.remote.ip() != path.remote.ip() {
            return Disposition::Discarded(DiscardReason::WrongAddress);
        }
        if sa.answered.request == message.octets {
            // An initiator repeats its own messages by its own timer; only a responder answers duplicates.
            let answered = sa.role == Role::Responder;
            let cookies = sa.cookies;
            if answered {
                let answer = sa.answered.answer.clone();
                self.core.transmit(path, answer);
            }
            self.core.outbox.event(Event::Duplicate { cookies, path, answered });
            return Disposition::Duplicate;
        }
        let result = match (&sa.phase1, &message.body) {
            (Phase1::WaitMsg2(_), Body::Clear(chain)) => self.on_mm2(now, id, path, message, chain),
            (Phase1::WaitMsg3(_), Body::Clear(chain)) => self.on_mm3(now, id, path, message, chain),
            (Phase1::WaitMsg4(_), Body::Clear(chain)) => self.on_mm4(now, id, path, message, chain),
            (Phase1::WaitMsg5(_) | Phase1::WaitMsg6(_), Body::Encrypted(ciphertext)) => {
                self.on_proof(now, id, path, message, ciphertext)
            }
            (Phase1::WaitMsg5(_) | Phase1::WaitMsg6(_), Body::Clear(_)) => {
                return Disposition::Discarded(DiscardReason::InClear);
            }
            _ => return Disposition::Discarded(DiscardReason::WrongState),
        };
        match result {
            Ok(()) => Disposition::Accepted,
            Err(refusal) => self.refused_phase1(now, id, path, refusal),
        }
    }

    /// Records a refusal of phase 1 and answers it in clear, within the rate. The state stays.
    pub(super) fn refused_phase1(&mut self, now: Now, id: SaId, path: Path, refusal: Refusal) -> Disposition {
        let mut cookies = Cookies { initiator: Cookie::ZERO, responder: Cookie::ZERO };
        if let Some(sa) = self.sas.get_mut(&id) {
            cookies = sa.cookies;
            sa.diagnoser.observe(now.mono, Observation::Refused(Box::new(refusal.clone())));
            let due =
                sa.clear_notify_at.is_none_or(|at| now.mono.saturating_duration_since(at).as_secs() >= 10);
            if due && let Some(notify) = refusal.notify() {
                sa.clear_notify_at = Some(now.mono);
                self.notify_in_clear(now, path, cookies, notify, usize::MAX);
            }
        }
        self.refused(path, cookies, refusal)
    }

    /// Sends a notify in clear, within the rate, and never more octets than `at_most`.
    pub(super) fn notify_in_clear(
        &mut self,
        now: Now,
        path: Path,
        cookies: Cookies,
        notify: NotifyType,
        at_most: usize,
    ) {
        let per_second = self.core.config.limits().clear_notifies_per_second;
        let message_id = self.core.message_id(&UsedIds::default());
        let header = wire::header(&cookies, ExchangeType::INFORMATIONAL, message_id);
        let octets = wire::clear(&header, &[Payload::Notify(informational::about_ike(&cookies, notify))]);
        if octets.len() > at_most || !self.core.clear_notifies.take(now.mono, per_second) {
            self.core.counters.notifies_withheld += 1;
            return;
        }
        self.core.transmit(path, octets);
    }

    /// Tells of an accepted message.
    pub(super) fn received(
        &mut self,
        id: SaId,
        path: Path,
        number: MessageNumber,
        message: &Message<'_>,
        names: Option<&str>,
    ) {
        let clear = match &message.body {
            Body::Clear(chain) => wire::names(chain.payloads()),
            Body::Encrypted(_) => String::new(),
        };
        let payloads = names.unwrap_or(&clear);
        let octets = message.octets.len();
        self.tell(id, path, &Told { number, sense: Sense::Received, message_id: 0, octets, payloads });
    }

    /// The answer to our request has come: it is not repeated any more.
    pub(super) fn answered(&mut self, now: Now, id: SaId, number: MessageNumber, message: &Message<'_>) {
        self.core.timers.clear(TimerKey::Ike(id, TimerKind::Retransmit));
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.outstanding = None;
            sa.answered = Answered { request: message.octets.to_vec(), answer: Vec::new() };
            sa.diagnoser.observe(now.mono, Observation::Received(number));
        }
    }

    pub(super) fn on_mm2(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        chain: &Chain<'_>,
    ) -> Result<(), Refusal> {
        let provider = Arc::clone(&self.core.provider);
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::WaitMsg2(waiting) = &sa.phase1 else { return Ok(()) };
        let agreed = waiting.check(chain, &sa.connection)?;
        let local = |error: ipsec_crypto::CryptoError| {
            Refusal::new(Cause::Local, MessageNumber::Mm2, Role::Initiator, error.to_string())
        };
        let next = WaitMsg2 { sai_b: waiting.sai_b.clone() }
            .step(agreed, &provider, self.core.random.as_mut())
            .map_err(local)?;
        let cookies = Cookies { responder: message.header.responder, ..sa.cookies };
        let payloads = next
            .own
            .payloads(&next.agreed, sa.connection.nat_traversal, &cookies, sa.path, &provider)
            .map_err(local)?;
        sa.cookies = cookies;
        sa.phase1 = Phase1::WaitMsg4(next);
        let octets = wire::clear(&wire::header(&cookies, ExchangeType::IDENTITY_PROTECTION, 0), &payloads);
        self.answered(now, id, MessageNumber::Mm2, message);
        self.received(id, path, MessageNumber::Mm2, message, None);
        self.send_request(now, id, MessageNumber::Mm3, octets, &wire::names(payloads.iter()));
        Ok(())
    }

    pub(super) fn on_mm3(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        chain: &Chain<'_>,
    ) -> Result<(), Refusal> {
        let provider = Arc::clone(&self.core.provider);
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::WaitMsg3(waiting) = &sa.phase1 else { return Ok(()) };
        let peer = waiting.check(chain, &provider)?;
        let connection = Arc::clone(&sa.connection);
        let cookies = sa.cookies;
        let around = Surroundings { connection: &connection, cookies: &cookies, path, provider: &provider };
        let (own, gxy) = waiting.agree(&peer, around, self.core.random.as_mut())?;
        let state = WaitMsg3 { sai_b: waiting.sai_b.clone(), agreed: waiting.agreed.clone() };
        let next = state.step(peer, &own, &gxy, around).map_err(|error| {
            Refusal::new(Cause::Local, MessageNumber::Mm3, Role::Responder, error.to_string())
        })?;
        let octets =
            wire::clear(&wire::header(&cookies, ExchangeType::IDENTITY_PROTECTION, 0), &own.payloads);
        let nat = next.nat();
        sa.phase1 = Phase1::WaitMsg5(next);
        self.half_open.returned(id);
        sa.answered = Answered { request: message.octets.to_vec(), answer: octets.clone() };
        sa.diagnoser.observe(now.mono, Observation::Received(MessageNumber::Mm3));
        sa.diagnoser.observe(now.mono, Observation::Sent(MessageNumber::Mm4));
        self.received(id, path, MessageNumber::Mm3, message, None);
        self.sent(id, path, MessageNumber::Mm4, octets, &wire::names(own.payloads.iter()));
        self.core.outbox.event(Event::Nat { cookies, found: nat, path });
        Ok(())
    }

    pub(super) fn on_mm4(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        chain: &Chain<'_>,
    ) -> Result<(), Refusal> {
        let provider = Arc::clone(&self.core.provider);
        let ports = self.core.config.ports();
        let keep_contact = self.sas.get(&id).is_some_and(|sa| self.has_other(id, &sa.name));
        let Some(sa) = self.sas.get_mut(&id) else { return Ok(()) };
        let Phase1::WaitMsg4(waiting) = &sa.phase1 else { return Ok(()) };
        let peer = waiting.check(chain, &provider)?;
        let Phase1::WaitMsg4(waiting) = std::mem::replace(&mut sa.phase1, Phase1::Unaddressed) else {
            return Ok(());
        };
        let connection = Arc::clone(&sa.connection);
        let cookies = sa.cookies;
        let around =
            Surroundings { connection: &connection, cookies: &cookies, path: sa.path, provider: &provider };
        let mut next = match waiting.step(peer, around) {
            Ok(next) => next,
            Err(error) => {
                // The private value is used up: there is nothing to go on with.
                let refusal =
                    Refusal::new(Cause::Local, MessageNumber::Mm4, Role::Initiator, error.to_string());
                sa.diagnoser.observe(now.mono, Observation::Refused(Box::new(refusal.clone())));
                self.give_up(now, id);
                return Err(refusal);
            }
        };
        let nat = next.nat();
        if nat.any() {
            sa.path = natt::floated(sa.path, ports, connection.remote_ports);
            sa.diagnoser.observe(now.mono, Observation::NatFound);
        }
        let header = wire::header(&cookies, ExchangeType::IDENTITY_PROTECTION, 0);
        let identity = pad::local_identity(&connection, sa.path.local.ip());
        let extra = if keep_contact {
            Vec::new()
        } else {
            vec![Payload::Notify(informational::about_ike(&cookies, NotifyType::INITIAL_CONTACT))]
        };
        let (octets, names) = next.prove(Role::Initiator, &cookies, &header, &identity, extra);
        let new_path = sa.path;
        sa.phase1 = Phase1::WaitMsg6(next);
        self.answered(now, id, MessageNumber::Mm4, message);
        self.received(id, path, MessageNumber::Mm4, message, None);
        self.core.outbox.event(Event::Nat { cookies, found: nat, path: new_path });
        self.send_request(now, id, MessageNumber::Mm5, octets, &names);
        Ok(())
    }
}
