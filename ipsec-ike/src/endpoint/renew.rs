//! ISAKMP SAs that make room for others: old ones in time, dead ones at once, those beyond the limit.

use std::sync::Arc;
use std::time::Duration;

use super::children::callable;
use super::phase2::established;
use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::event::{DownReason, Event};
use crate::sa::{Attempt, ChildPhase, IkeSa, QuickPhase, SaId, Wanted};
use crate::state::{MessageNumber, Role};
use crate::timer::TimerKind;

/// How long after a failed renewal the next one is tried, while the old SA lasts.
const RETRY: Duration = Duration::from_secs(60);

/// How long a peer that was heard counts as one that knows the ISAKMP SA.
const LIVELY: Duration = Duration::from_secs(10);

/// Whether two ISAKMP SAs that stand are with the same peer.
fn same_peer(one: &IkeSa, other: &IkeSa) -> bool {
    match (established(one), established(other)) {
        (Some(first), Some(second)) => one.name == other.name && first.remote_id == second.remote_id,
        _ => false,
    }
}

impl Ike {
    /// When an ISAKMP SA is renewed: its initiator first, at 85 to 90 % of its life, so that the two ends seldom cross and many
    /// do not renew at once; the responder at 95 %, if nobody has yet.
    pub(super) fn renew_after(&mut self, lifetime: Duration, role: Role) -> Duration {
        match role {
            Role::Responder => lifetime / 100 * 95,
            Role::Initiator => {
                let mut octet = [0];
                self.core.random.fill(&mut octet);
                let [octet] = octet;
                lifetime / 100 * 85 + lifetime / 20 * u32::from(octet) / 256
            }
        }
    }

    /// Negotiates the successor of an ISAKMP SA that children still need. There is no rekeying of phase 1 in IKEv1: both ends
    /// prove themselves anew.
    pub(super) fn renew_ike(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let Some(active) = established(sa) else { return };
        let under_way = |other: &IkeSa| other.renews.is_some() && other.name == sa.name;
        let succeeded = self.sas.iter().any(|(other, it)| under_way(it) || *other > id && same_peer(sa, it));
        let needed = self.children.values().any(|child| {
            child.phase == ChildPhase::Up
                && child.connection == sa.name
                && child.remote_id == active.remote_id
        });
        if succeeded || !needed || callable(&sa.connection).is_err() {
            return;
        }
        let connection = Arc::clone(&sa.connection);
        let successor = self.initiate(now, &connection, Vec::new());
        if let Some(sa) = self.sas.get_mut(&successor) {
            sa.renews = Some(id);
        }
    }

    /// A successor stands: the one before it goes after a while for what is under way. Whoever made the successor
    /// deletes; the other end waits for that, or for the end of its life.
    pub(super) fn retire(&mut self, now: Now, old: SaId) {
        let Some(active) = self.sas.get(&old).and_then(established) else { return };
        let left = active.agreed.life;
        let Some(sa) = self.sas.get(&old) else { return };
        let end = (sa.started + left).min(now.mono + self.core.config.timing().overlap);
        self.core.timers.clear(TimerKey::Ike(old, TimerKind::IkeRenew));
        self.core.timers.set(TimerKey::Ike(old, TimerKind::IkeLifetime), end);
    }

    /// A renewal has failed: it is tried again while the old SA lasts.
    pub(super) fn renewal_failed(&mut self, now: Now, old: SaId) {
        if self.sas.contains_key(&old) {
            self.core.timers.set(TimerKey::Ike(old, TimerKind::IkeRenew), now.mono + RETRY);
        }
    }

    /// The end of an ISAKMP SA's life. The peer is told, for under an SA that only one end has nothing can be had.
    pub(super) fn ike_expired(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let succeeded = self.sas.iter().any(|(other, it)| *other > id && same_peer(sa, it));
        let reason = if succeeded { DownReason::Replaced } else { DownReason::Expired };
        let connection = Arc::clone(&sa.connection);
        let wanted = self.rescue(id, Attempt::First);
        self.delete_ike(now, id, reason);
        for wanted in wanted {
            self.pursue(now, &connection, wanted);
        }
    }

    /// A quick mode's request went unanswered to the end. Where the peer was not heard either it has forgotten the ISAKMP SA,
    /// or is gone: then every other quick mode would fail like this one, so the SA goes, and what was wanted under it is
    /// tried once more under a fresh one. A peer that was heard just before drops the quick mode for another reason.
    pub(super) fn quick_unanswered(&mut self, now: Now, id: SaId, message_id: u32, number: MessageNumber) {
        let Some(sa) = self.sas.get(&id) else { return };
        let Some(exchange) = sa.exchanges.get(&message_id) else { return };
        if number != MessageNumber::Qm1 || sa.heard + LIVELY >= exchange.started {
            return self.fail_quick(now, id, message_id);
        }
        let diagnosis = exchange.diagnoser.conclude();
        let connection = Arc::clone(&sa.connection);
        let mut wanted = Vec::new();
        if callable(&connection).is_ok() {
            wanted = self.rescue(id, Attempt::Again);
            wanted.retain(|wanted| wanted.attempt == Attempt::Again);
        }
        self.remove_ike(now, id, DownReason::Failed(Box::new(diagnosis)));
        if wanted.is_empty() {
            return;
        }
        match self.negotiating(&connection.name) {
            Some(other) => other.wanted.extend(wanted),
            None => {
                self.initiate(now, &connection, wanted);
            }
        }
    }

    /// Takes what is wanted out of the quick modes under an SA that goes, to have it otherwise. What has been tried again
    /// already stays, and fails with the SA.
    fn rescue(&mut self, id: SaId, attempt: Attempt) -> Vec<Wanted> {
        let Some(sa) = self.sas.get_mut(&id) else { return Vec::new() };
        let ours = sa.exchanges.values_mut().filter(|exchange| {
            matches!(&exchange.phase, QuickPhase::Initiator(_, wanted) if wanted.attempt == Attempt::First)
        });
        let phases = ours.map(|exchange| std::mem::replace(&mut exchange.phase, QuickPhase::Done));
        phases
            .filter_map(|phase| match phase {
                QuickPhase::Initiator(_, wanted) => Some(Wanted { attempt, ..wanted }),
                _ => None,
            })
            .collect()
    }

    /// Another ISAKMP SA with the same peer stands: beyond the limit the oldest goes.
    pub(super) fn limit_ike_sas(&mut self, now: Now, id: SaId) {
        let limit = self.core.config.limits().ike_sas_per_peer;
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.path;
        let mut with_peer = self.sas.iter().filter(|(_, other)| same_peer(sa, other));
        let oldest = with_peer.next().map(|(oldest, _)| *oldest);
        // The oldest is one of them.
        if with_peer.count() >= limit
            && let Some(oldest) = oldest
        {
            self.core.counters.at_limit += 1;
            self.core.outbox.event(Event::AtLimit { limit: "ike_sas_per_peer", value: limit, path });
            self.delete_ike(now, oldest, DownReason::Replaced);
        }
    }

    /// Whether one more message id can be remembered under an SA. Where it cannot, nothing more is taken under it, for a
    /// message could not be told from its copy; well before that a successor is negotiated.
    pub(super) fn admit_message_id(&mut self, now: Now, id: SaId) -> bool {
        let limit = self.core.config.limits().message_ids;
        let Some(sa) = self.sas.get(&id) else { return false };
        let (used, path) = (sa.used_ids.len(), sa.path);
        if used >= limit {
            self.core.counters.at_limit += 1;
            self.core.outbox.event(Event::AtLimit { limit: "message_ids", value: limit, path });
            self.ike_expired(now, id);
            return false;
        }
        if used >= limit / 10 * 9 {
            self.renew_ike(now, id);
        }
        true
    }
}
