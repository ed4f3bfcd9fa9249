//! What happens when time has passed.

use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::diagnosis::Observation;
use crate::event::{DownReason, Event};
use crate::output::{Answer, AskId};
use crate::retransmit::Due;
use crate::sa::SaId;
use crate::state::{MessageNumber, Role};
use crate::timer::TimerKind;
use crate::v1::main::Phase1;

impl Ike {
    /// Does what is due. A call that comes too early, or without need, does nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(key) = self.core.timers.take_due(now.mono) {
            match key {
                TimerKey::Ike(id, TimerKind::Retransmit) => self.repeat_phase1(now, id),
                TimerKey::Ike(id, TimerKind::HalfOpen) => self.half_open_ended(now, id),
                TimerKey::Ike(id, TimerKind::IkeRenew) => self.renew_ike(now, id),
                TimerKey::Ike(id, _) => self.ike_expired(now, id),
                TimerKey::Mapping(path) => self.keep_alive(now, path),
                TimerKey::Quick(id, message_id, TimerKind::Retransmit) => {
                    self.repeat_quick(now, id, message_id);
                }
                TimerKey::Quick(id, message_id, _) => {
                    if let Some(sa) = self.sas.get_mut(&id) {
                        sa.exchanges.remove(&message_id);
                    }
                }
                TimerKey::Child(pair, TimerKind::ChildRekey) => self.rekey_child(now, pair),
                TimerKey::Child(pair, _) => {
                    let replaced =
                        self.children.get(&pair).is_some_and(|c| c.phase == crate::sa::ChildPhase::Replaced);
                    let reason = if replaced { DownReason::Replaced } else { DownReason::Expired };
                    self.delete_child(now, pair, &reason);
                }
                TimerKey::Ask(id) => self.unanswered_question(now, id),
            }
        }
    }

    fn repeat_phase1(&mut self, now: Now, id: SaId) {
        let policy = self.core.config.timing().retransmit;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let (path, cookies) = (sa.path, sa.cookies);
        let Some((number, outstanding)) = &mut sa.outstanding else { return };
        let number = *number;
        match outstanding.due(&policy, now.mono) {
            Due::Again { number: sent, next } => {
                let octets = outstanding.octets.clone();
                self.core.timers.set(TimerKey::Ike(id, TimerKind::Retransmit), next);
                self.core.counters.retransmitted += 1;
                self.core.outbox.event(Event::Retransmit { number, cookies, path, sent });
                self.core.transmit(path, octets);
            }
            Due::GiveUp => {
                sa.diagnoser.observe(now.mono, Observation::GaveUp(number));
                self.give_up(now, id);
            }
        }
    }

    fn repeat_quick(&mut self, now: Now, id: SaId, message_id: u32) {
        let policy = self.core.config.timing().retransmit;
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let (path, cookies) = (sa.path, sa.cookies);
        let Some(exchange) = sa.exchanges.get_mut(&message_id) else { return };
        let Some((number, outstanding)) = &mut exchange.outstanding else { return };
        let number = *number;
        match outstanding.due(&policy, now.mono) {
            Due::Again { number: sent, next } => {
                let octets = outstanding.octets.clone();
                self.core.timers.set(TimerKey::Quick(id, message_id, TimerKind::Retransmit), next);
                self.core.counters.retransmitted += 1;
                self.core.outbox.event(Event::Retransmit { number, cookies, path, sent });
                self.core.transmit(path, octets);
            }
            Due::GiveUp => {
                exchange.diagnoser.observe(now.mono, Observation::GaveUp(number));
                self.quick_unanswered(now, id, message_id, number);
            }
        }
    }

    /// The initiator has not gone on: what it last got says where it stopped.
    fn half_open_ended(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let last = match &sa.phase1 {
            Phase1::WaitMsg3(_) => MessageNumber::Mm2,
            _ => MessageNumber::Mm4,
        };
        if sa.role == Role::Responder {
            sa.diagnoser.observe(now.mono, Observation::GaveUp(last));
        }
        self.give_up(now, id);
    }

    fn unanswered_question(&mut self, now: Now, id: AskId) {
        let reason = "the question was not answered in time".to_owned();
        self.answer(now, id, Answer::None { reason });
    }
}
