//! What the data plane tells: packets without an SA, limits, peers elsewhere, SAs that it does not take.

use std::sync::Arc;

use ipsec_sad::{AcquireId, InstallError, PairId, SadEvent, TemplateId};

use super::Ike;
use super::children::callable;
use crate::clock::Now;
use crate::config::Start;
use crate::diagnosis::{Code, Diagnosis};
use crate::event::{DownReason, Event};
use crate::refusal::{Cause, Refusal};
use crate::sa::ChildPhase;
use crate::state::MessageNumber;

impl Ike {
    /// Takes an event of the data plane.
    pub fn handle_sad(&mut self, now: Now, event: SadEvent) {
        match event {
            SadEvent::Acquire { id, template, .. } => self.on_acquire(now, id, template),
            SadEvent::SoftLimit { pair, .. } | SadEvent::SequenceLow { pair, .. } => {
                self.rekey_child(now, self.child_of(pair));
            }
            SadEvent::HardLimit { pair, .. } => {
                self.delete_child(now, self.child_of(pair), &DownReason::Expired);
            }
            SadEvent::FirstInbound { pair, .. } => {
                if let Some((id, message_id)) = self.pending_exchange(pair) {
                    self.finish_responder(now, id, message_id, Vec::new());
                    self.child_up(now, pair);
                }
            }
            // Authentic, as ESP is; IKE itself follows the next authentic message.
            SadEvent::PeerMoved { pair, path, .. } => self.move_child(now, pair, path),
            // Unauthenticated, or of use to liveness checks only.
            _ => {}
        }
    }

    /// The child that a pair belongs to, by its own pair: a carrier's number comes directly before it.
    fn child_of(&self, pair: PairId) -> PairId {
        let next = PairId(pair.0.wrapping_add(1));
        let carried = self.children.get(&next).and_then(|child| child.carrier);
        if carried.is_some_and(|carrier| carrier.pair == pair) { next } else { pair }
    }

    fn on_acquire(&mut self, now: Now, acquire: AcquireId, template: TemplateId) {
        let config = Arc::clone(&self.core.config);
        let found = config.connections().iter().find_map(|connection| {
            connection
                .children
                .iter()
                .find(|child| child.template == template)
                .map(|child| (connection, child))
        });
        let refuse = |ike: &mut Self, code: Code, sentence: String, fix: &str| {
            let diagnosis = Box::new(Diagnosis { code, sentence, fix: fix.to_owned() });
            ike.core.outbox.event(Event::AcquireRefused { template, acquire, diagnosis });
        };
        let Some((connection, child)) = found else {
            let sentence = format!("No child has the template {template}");
            return refuse(self, Code::Local, sentence, "configure a child for the policy");
        };
        // A pair that waits for QM3 is nearly there.
        let pending =
            self.children.values_mut().find(|sa| sa.template == template && sa.phase == ChildPhase::Pending);
        if let Some(pending) = pending {
            pending.acquires.push(acquire);
            return;
        }
        if child.start == Start::Command {
            let sentence = format!("Child {} is not started by traffic", child.name);
            return refuse(
                self,
                Code::Local,
                sentence,
                "start it by command, or configure that traffic does",
            );
        }
        if let Err(error) = callable(connection) {
            return refuse(
                self,
                Code::Local,
                error.to_string(),
                "let the peer start, or configure its address",
            );
        }
        self.want(now, connection, child.clone(), vec![acquire], None);
    }

    /// Negotiates the successor of a pair, once.
    pub(super) fn rekey_child(&mut self, now: Now, pair: PairId) {
        let Some(sa) = self.children.get(&pair).filter(|sa| sa.phase == ChildPhase::Up) else { return };
        let config = Arc::clone(&self.core.config);
        let Some(connection) = config.connection(&sa.connection) else { return };
        let Some(child) = connection.child(&sa.child) else { return };
        if callable(connection).is_ok() || self.active_sa(&connection.name).is_some() {
            self.want(now, connection, child.clone(), Vec::new(), Some(pair));
        }
    }

    /// The data plane could not install a pair. Its other half is taken out, and the peer is told.
    pub fn handle_install_failed(&mut self, now: Now, pair: PairId, error: &InstallError) {
        let pair = self.child_of(pair);
        let Some(child) = self.children.get(&pair) else { return };
        let refusal = Refusal::new(Cause::Local, MessageNumber::Qm2, child.role, error.to_string());
        let diagnosis = Diagnosis::of_refusal(&refusal);
        self.core.counters.failed += 1;
        self.delete_child(now, pair, &DownReason::Failed(Box::new(diagnosis)));
    }
}
