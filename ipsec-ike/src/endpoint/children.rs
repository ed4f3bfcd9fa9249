//! Pairs of IPsec SAs: installed, used, replaced, taken out. They outlive the ISAKMP SA that made them.

use std::sync::Arc;
use std::time::Duration;

use ipsec_proto::isakmp::Payload;
use ipsec_proto::net::Path;
use ipsec_sad::{
    AcquireId, Encap, Esn, InstallError, Lifetime, Limits, Mode, PairId, SaKeys, SaParams, SadEvent,
    TemplateId,
};

use super::phase2::established;
use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::config::{Child, Connection, RemoteAddress, Start};
use crate::diagnosis::{Code, Diagnosis};
use crate::event::{ChildUp, DownReason, Event};
use crate::natt::Behind;
use crate::output::{CommandError, Effect};
use crate::refusal::{Cause, Refusal};
use crate::sa::{ChildPhase, ChildSa, QuickPhase, SaId, Wanted};
use crate::state::{MessageNumber, Role};
use crate::timer::TimerKind;
use crate::v1::informational;
use crate::v1::quick::{self, Agreement};

impl Ike {
    /// Orders both SAs of a pair into the data plane; the outbound one waits for [`Ike::child_up`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the pieces of one pair; a struct of them would be used once"
    )]
    pub(super) fn install(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        child: &Child,
        agreement: Agreement,
        role: Role,
        acquires: Vec<AcquireId>,
        replaces: Option<PairId>,
    ) -> PairId {
        self.next_pair += 1;
        let pair = PairId(self.next_pair);
        let Some(sa) = self.sas.get(&id) else { return pair };
        let Some(active) = established(sa) else { return pair };
        let in_udp = quick::encapsulation(active).is_udp();
        let lifetime = agreement.life.time.unwrap_or(child.lifetime).min(child.lifetime);
        let inbound = agreement.reserved.spi();
        let suite = agreement.suite.protection();
        let limits = Lifetime {
            // A tenth before the end, in octets too: the successor is negotiated while this one still carries.
            soft: Limits {
                time: None,
                bytes: agreement.life.octets.map(|octets| octets / 10 * 9),
                packets: None,
            },
            hard: Limits { time: Some(lifetime), bytes: agreement.life.octets, packets: None },
        };
        let params = |spi, keymat: ipsec_crypto::Secret| {
            let (encryption, integrity) = keymat.split(suite.key_len()).ok()?;
            Some(Box::new(SaParams {
                pair,
                template: child.template,
                spi,
                suite,
                keys: SaKeys { encryption, integrity },
                mode: Mode::Tunnel,
                encap: if in_udp { Encap::Udp } else { Encap::Raw },
                path,
                selector: agreement.selector,
                lifetime: limits,
                replay_window: SaParams::DEFAULT_REPLAY_WINDOW,
                esn: Esn::Off,
            }))
        };
        let (Some(incoming), Some(outgoing)) = (
            params(inbound, agreement.inbound_keymat),
            params(agreement.outbound_spi, agreement.outbound_keymat),
        ) else {
            return pair;
        };
        self.children.insert(
            pair,
            ChildSa {
                connection: Arc::clone(&sa.name),
                child: child.name.as_str().into(),
                template: child.template,
                remote_id: active.remote_id.clone(),
                inbound,
                outbound: agreement.outbound_spi,
                suite: agreement.suite,
                selector: agreement.selector,
                path,
                in_udp,
                role,
                phase: ChildPhase::Pending,
                created: now.mono,
                lifetime,
                acquires,
                replaces,
                exchange: None,
            },
        );
        self.core.outbox.effect(Effect::InstallInbound { params: incoming, reserved: agreement.reserved });
        self.core.outbox.effect(Effect::InstallOutbound { params: outgoing });
        self.core.timers.set(TimerKey::Child(pair, TimerKind::ChildLifetime), now.mono + lifetime);
        let rekey = self.rekey_after(lifetime, role);
        self.core.timers.set(TimerKey::Child(pair, TimerKind::ChildRekey), now.mono + rekey);
        pair
    }

    /// When a successor is negotiated: the initiator of the pair first, at 80 to 90 % of its life, so that the two ends
    /// seldom cross and many pairs do not move at once; the responder at 95 %, if nobody has yet.
    fn rekey_after(&mut self, lifetime: Duration, role: Role) -> Duration {
        match role {
            Role::Responder => lifetime / 100 * 95,
            Role::Initiator => {
                let mut octet = [0];
                self.core.random.fill(&mut octet);
                let [octet] = octet;
                lifetime / 100 * 80 + lifetime / 10 * u32::from(octet) / 256
            }
        }
    }

    /// The pair is in use in both directions.
    pub(super) fn child_up(&mut self, now: Now, pair: PairId) {
        let overlap = self.core.config.timing().overlap;
        let Some(child) = self.children.get_mut(&pair) else { return };
        if child.phase != ChildPhase::Pending {
            return;
        }
        child.phase = ChildPhase::Up;
        child.exchange = None;
        let (connection, name, selector, role) =
            (Arc::clone(&child.connection), Arc::clone(&child.child), child.selector, child.role);
        let acquires = std::mem::take(&mut child.acquires);
        // Whoever made it, it takes the place of the pairs that cover the same.
        let older: Vec<_> = self
            .children
            .iter()
            .filter(|(other, old)| {
                **other < pair
                    && old.phase == ChildPhase::Up
                    && (&old.connection, &old.child) == (&connection, &name)
                    && old.selector == selector
            })
            .map(|(other, _)| *other)
            .collect();
        let Some(child) = self.children.get_mut(&pair) else { return };
        child.replaces = child.replaces.or_else(|| older.last().copied());
        let up = ChildUp {
            connection: Arc::clone(&connection),
            child: Arc::clone(&name),
            template: child.template,
            acquires,
            pair,
            inbound: child.inbound,
            outbound: child.outbound,
            suite: child.suite,
            selector,
            role,
            lifetime: child.lifetime,
            path: child.path,
            in_udp: child.in_udp,
            replaces: child.replaces,
        };
        self.core.counters.child_up += 1;
        self.core.outbox.effect(Effect::UseOutbound { pair });
        self.core.outbox.event(Event::ChildUp(Box::new(up)));
        for old in older {
            if let Some(child) = self.children.get_mut(&old) {
                child.phase = ChildPhase::Replaced;
            }
            self.core.timers.clear(TimerKey::Child(old, TimerKind::ChildRekey));
            // Its creator deletes it, after a while for the packets under way; else it stays until it is deleted.
            if role == Role::Initiator {
                self.core.timers.set(TimerKey::Child(old, TimerKind::ChildLifetime), now.mono + overlap);
            }
        }
        self.settle_request(&connection, &name, None);
    }

    /// A child could not be had: says so to whoever wants it.
    pub(super) fn child_failed(&mut self, connection: &Arc<str>, wanted: Wanted, diagnosis: Diagnosis) {
        let child: Arc<str> = wanted.child.name.as_str().into();
        self.core.outbox.event(Event::ChildFailed {
            connection: Arc::clone(connection),
            child: Arc::clone(&child),
            template: wanted.child.template,
            acquires: wanted.acquires,
            diagnosis: Box::new(diagnosis.clone()),
        });
        self.settle_request(connection, &child, Some(diagnosis));
    }

    /// Takes a pair out without telling the peer.
    pub(super) fn remove_child(&mut self, now: Now, pair: PairId, reason: &DownReason) {
        let Some(child) = self.children.remove(&pair) else { return };
        for kind in [TimerKind::ChildLifetime, TimerKind::ChildRekey] {
            self.core.timers.clear(TimerKey::Child(pair, kind));
        }
        if child.phase == ChildPhase::Pending
            && let Some((id, message_id)) = child.exchange
        {
            self.finish_responder(now, id, message_id, Vec::new());
        }
        self.core.outbox.effect(Effect::Remove { pair, inbound: child.inbound, outbound: child.outbound });
        let ChildSa { connection, child: name, template, inbound, outbound, acquires, .. } = child;
        self.core.outbox.event(match (child.phase, reason) {
            // It never stood: whoever waits for it is told that it will not.
            (ChildPhase::Pending, reason) => {
                let diagnosis = match reason {
                    DownReason::Failed(diagnosis) => diagnosis.clone(),
                    other => Box::new(Diagnosis {
                        code: Code::QuickModeUnfinished,
                        sentence: format!("The quick mode was not finished: {other}"),
                        fix: Code::QuickModeUnfinished.entry().fix.to_owned(),
                    }),
                };
                Event::ChildFailed { connection, child: name, template, acquires, diagnosis }
            }
            (_, reason) => Event::ChildDown {
                connection,
                child: name,
                template,
                pair,
                inbound,
                outbound,
                reason: reason.clone(),
            },
        });
    }

    /// Takes a pair out and tells the peer, if there is an ISAKMP SA to tell it under.
    pub(super) fn delete_child(&mut self, now: Now, pair: PairId, reason: &DownReason) {
        let Some(child) = self.children.get(&pair) else { return };
        let (name, inbound) = (Arc::clone(&child.connection), child.inbound);
        if let Some(id) = self.active_sa(&name) {
            let payload = Payload::Delete(informational::delete_children(core::iter::once(inbound)));
            let path = self.sas.get(&id).map(|sa| sa.path);
            if let Some(path) = path {
                self.send_informational(id, path, vec![payload]);
            }
        }
        self.remove_child(now, pair, reason);
    }

    /// The youngest ISAKMP SA of a connection that stands.
    pub(super) fn active_sa(&self, connection: &str) -> Option<SaId> {
        self.sas
            .iter()
            .rev()
            .find(|(_, sa)| *sa.name == *connection && established(sa).is_some())
            .map(|(id, _)| *id)
    }

    /// Whether a child stands, or is on its way by us.
    pub(super) fn is_covered(&self, connection: &str, child: &str) -> bool {
        self.children
            .values()
            .any(|sa| *sa.connection == *connection && *sa.child == *child && sa.phase == ChildPhase::Up)
    }

    /// Negotiates a child: under an ISAKMP SA that stands, or with one that is made first. Whoever already asks for the
    /// same is joined.
    pub(super) fn want(
        &mut self,
        now: Now,
        connection: &Arc<Connection>,
        child: Child,
        acquires: Vec<AcquireId>,
        replaces: Option<PairId>,
    ) {
        for sa in self.sas.values_mut().filter(|sa| *sa.name == *connection.name) {
            let under_way = sa.exchanges.values_mut().filter_map(|exchange| match &mut exchange.phase {
                QuickPhase::Initiator(_, wanted) => Some(wanted),
                _ => None,
            });
            if let Some(wanted) =
                under_way.chain(&mut sa.wanted).find(|wanted| wanted.child.name == child.name)
            {
                wanted.acquires.extend(acquires);
                return;
            }
        }
        let wanted = Wanted { child, acquires, replaces };
        if let Some(id) = self.active_sa(&connection.name) {
            return self.start_quick(now, id, wanted);
        }
        let negotiating =
            self.sas.values_mut().find(|sa| sa.role == Role::Initiator && *sa.name == *connection.name);
        if let Some(sa) = negotiating {
            sa.wanted.push(wanted);
            return;
        }
        self.initiate(now, connection, vec![wanted]);
    }

    /// Takes an event of the data plane.
    pub fn handle_sad(&mut self, now: Now, event: SadEvent) {
        match event {
            SadEvent::Acquire { id, template, .. } => self.on_acquire(now, id, template),
            SadEvent::SoftLimit { pair, .. } | SadEvent::SequenceLow { pair, .. } => {
                self.rekey_child(now, pair);
            }
            SadEvent::HardLimit { pair, .. } => self.delete_child(now, pair, &DownReason::Expired),
            SadEvent::FirstInbound { pair, .. } => {
                if let Some((id, message_id)) = self.pending_exchange(pair) {
                    self.finish_responder(now, id, message_id, Vec::new());
                    self.child_up(now, pair);
                }
            }
            SadEvent::PeerMoved { pair, path, .. } => self.on_moved(pair, path),
            // Unauthenticated, or of use to liveness checks only.
            _ => {}
        }
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

    /// A NAT has a new mapping for the peer. Believed only where there is a NAT at its end; IKE itself follows the
    /// next authenticated message.
    fn on_moved(&mut self, pair: PairId, path: Path) {
        let Some(child) = self.children.get(&pair).filter(|child| child.in_udp) else { return };
        let behind_nat = self
            .active_sa(&child.connection)
            .and_then(|id| self.sas.get(&id))
            .and_then(established)
            .is_some_and(|active| active.nat.there == Behind::Nat);
        if !behind_nat {
            return;
        }
        if let Some(child) = self.children.get_mut(&pair) {
            child.path = path;
        }
        self.core.outbox.effect(Effect::MovePath { pair, path });
    }

    /// The data plane could not install a pair. Its other half is taken out, and the peer is told.
    pub fn handle_install_failed(&mut self, now: Now, pair: PairId, error: &InstallError) {
        let Some(child) = self.children.get(&pair) else { return };
        let refusal = Refusal::new(Cause::Local, MessageNumber::Qm2, child.role, error.to_string());
        let diagnosis = Diagnosis::of_refusal(&refusal);
        self.core.counters.failed += 1;
        self.delete_child(now, pair, &DownReason::Failed(Box::new(diagnosis)));
    }
}

/// Whether we can call a peer: it needs an address.
pub(super) fn callable(connection: &Connection) -> Result<(), CommandError> {
    match connection.remote {
        RemoteAddress::Literal(_) | RemoteAddress::Name { .. } => Ok(()),
        RemoteAddress::Range(_) | RemoteAddress::Any => {
            Err(CommandError::ResponderOnly { connection: connection.name.clone() })
        }
    }
}
