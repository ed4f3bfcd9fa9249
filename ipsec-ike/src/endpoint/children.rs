//! Pairs of IPsec SAs: installed, used, replaced, taken out. They outlive the ISAKMP SA that made them.

use std::sync::Arc;
use std::time::Duration;

use ipsec_crypto::Secret;
use ipsec_proto::isakmp::Payload;
use ipsec_proto::net::Path;
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{
    AcquireId, Encap, Lifetime, Limits, Mode, PairId, Protocol, ProtocolKind, SaKeys, SaParams, Selector,
};

use super::phase2::established;
use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::config::{Child, ChildMode, Connection, RemoteAddress};
use crate::diagnosis::{Code, Diagnosis};
use crate::event::{ChildUp, DownReason, Event};
use crate::output::{CommandError, Effect};
use crate::sa::{Attempt, Carrier, ChildPhase, ChildSa, IkeSa, QuickPhase, SaId, Spis, Wanted};
use crate::state::Role;
use crate::suite::Part;
use crate::timer::TimerKind;
use crate::v1::attributes::MIN_CHILD_LIFETIME;
use crate::v1::informational;
use crate::v1::quick::{self, AgreedPair, Agreement};

impl Ike {
    /// Orders all SAs of a child into the data plane, those outside first; the outbound ones wait for [`Ike::child_up`].
    /// Gives back the innermost pair.
    #[expect(
        clippy::too_many_arguments,
        reason = "the pieces of one pair; a struct of them would be used once"
    )]
    pub(super) fn install(
        &mut self,
        now: Now,
        id: SaId,
        child: &Child,
        agreement: Agreement,
        role: Role,
        acquires: Vec<AcquireId>,
        replaces: Option<PairId>,
    ) -> Option<PairId> {
        let sa = self.sas.get(&id)?;
        let active = established(sa)?;
        // Where the peer has proven to be, wherever this message came from.
        let (path, nat) = (sa.path, active.nat);
        let in_udp = quick::encapsulation(active, child.mode).is_udp();
        let life = agreement.life.time.unwrap_or(child.lifetime);
        let lifetime = life.max(MIN_CHILD_LIFETIME).min(child.lifetime);
        let limits = Lifetime {
            // A tenth before the end, in octets too: the successor is negotiated while this one still carries.
            soft: Limits {
                time: None,
                bytes: agreement.life.octets.map(|octets| octets / 10 * 9),
                packets: None,
            },
            hard: Limits { time: Some(lifetime), bytes: agreement.life.octets, packets: None },
        };
        let Agreement { suite, selector, pairs, checksum, .. } = agreement;
        let mode = match child.mode {
            ChildMode::Tunnel => Mode::TUNNEL,
            ChildMode::Transport => Mode::Transport { checksum },
        };
        let mut made = Vec::new();
        let mut carrier: Option<Carrier> = None;
        let bundle = pairs.len() > 1;
        for (AgreedPair { part, reserved, outbound_spi, inbound_keymat, outbound_keymat }, number) in
            pairs.into_iter().zip(self.next_pair + 1..)
        {
            let pair = PairId(number);
            // What goes around ESP covers ESP between the two ends, and nothing else.
            let outer = bundle && carrier.is_none();
            let (mode, selector) = if outer { (Mode::TRANSPORT, carried(path)) } else { (mode, selector) };
            let within = carrier.map(|carrier| carrier.pair);
            let params = |spi, keymat| {
                let protocol = keyed_protocol(part, keymat)?;
                Some(Box::new(SaParams {
                    mode,
                    encap: if in_udp { Encap::Udp } else { Encap::Raw },
                    lifetime: limits,
                    within,
                    ..SaParams::new(pair, child.template, spi, protocol, path, selector)
                }))
            };
            let spis = Spis { kind: part.kind, inbound: reserved.spi(), outbound: outbound_spi };
            let incoming = params(spis.inbound, inbound_keymat)?;
            let outgoing = params(spis.outbound, outbound_keymat)?;
            if outer {
                carrier = Some(Carrier { pair, spis });
            }
            made.push((pair, spis, reserved, incoming, outgoing));
        }
        let &(pair, spis, ..) = made.last()?;
        self.next_pair = pair.0;
        for (_, spis, ..) in &made {
            self.by_outbound.insert((spis.outbound, pair));
        }
        self.children.insert(
            pair,
            ChildSa {
                connection: Arc::clone(&sa.name),
                child: child.name.as_str().into(),
                template: child.template,
                remote_id: active.remote_id.clone(),
                spis,
                carrier,
                suite,
                selector,
                path,
                in_udp,
                nat,
                role,
                phase: ChildPhase::Pending,
                created: now.mono,
                lifetime,
                acquires,
                replaces,
                exchange: None,
            },
        );
        for (_, _, reserved, incoming, outgoing) in made {
            self.core.outbox.effect(Effect::InstallInbound { params: incoming, reserved });
            self.core.outbox.effect(Effect::InstallOutbound { params: outgoing });
        }
        self.core.timers.set(TimerKey::Child(pair, TimerKind::ChildLifetime), now.mono + lifetime);
        let rekey = self.rekey_after(lifetime, role);
        self.core.timers.set(TimerKey::Child(pair, TimerKind::ChildRekey), now.mono + rekey);
        if in_udp {
            self.hold_mapping(now, path, nat);
        }
        Some(pair)
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
        let carrier = child.carrier;
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
            inbound: child.spis.inbound,
            outbound: child.spis.outbound,
            suite: child.suite,
            selector,
            role,
            lifetime: child.lifetime,
            path: child.path,
            in_udp: child.in_udp,
            replaces: child.replaces,
        };
        self.core.counters.child_up += 1;
        for pair in carrier.map(|carrier| carrier.pair).into_iter().chain([pair]) {
            self.core.outbox.effect(Effect::UseOutbound { pair });
        }
        self.core.outbox.event(Event::ChildUp(Box::new(up)));
        for old in older {
            let Some(child) = self.children.get_mut(&old) else { continue };
            child.phase = ChildPhase::Replaced;
            let end = (child.created + child.lifetime).min(now.mono + overlap);
            self.core.timers.clear(TimerKey::Child(old, TimerKind::ChildRekey));
            // Its creator deletes it, after a while for the packets under way; else it stays until it is deleted.
            if role == Role::Initiator {
                self.core.timers.set(TimerKey::Child(old, TimerKind::ChildLifetime), end);
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
        for spis in child.all_spis() {
            self.by_outbound.remove(&(spis.outbound, pair));
        }
        if child.in_udp {
            self.release_mapping(child.path, child.nat);
        }
        for kind in [TimerKind::ChildLifetime, TimerKind::ChildRekey] {
            self.core.timers.clear(TimerKey::Child(pair, kind));
        }
        if child.phase == ChildPhase::Pending
            && let Some((id, message_id)) = child.exchange
        {
            self.finish_responder(now, id, message_id, Vec::new());
        }
        let ChildSa { connection, child: name, template, spis, carrier, acquires, .. } = child;
        let Spis { inbound, outbound, .. } = spis;
        self.core.outbox.effect(Effect::Remove { pair, inbound, outbound });
        if let Some(Carrier { pair, spis: Spis { inbound, outbound, .. } }) = carrier {
            self.core.outbox.effect(Effect::Remove { pair, inbound, outbound });
        }
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
        let name = Arc::clone(&child.connection);
        let deletes = child.all_spis().map(|spis| {
            Payload::Delete(informational::delete_children(spis.kind, core::iter::once(spis.inbound)))
        });
        let payloads = deletes.collect();
        if let Some(id) = self.active_sa(&name) {
            self.send_informational(id, payloads);
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
        self.pursue(now, connection, Wanted { child, acquires, replaces, attempt: Attempt::First });
    }

    /// The same, where nobody asks for it yet.
    pub(super) fn pursue(&mut self, now: Now, connection: &Arc<Connection>, wanted: Wanted) {
        if let Some(id) = self.active_sa(&connection.name) {
            return self.start_quick(now, id, wanted);
        }
        match self.negotiating(&connection.name) {
            Some(sa) => sa.wanted.push(wanted),
            None => {
                self.initiate(now, connection, vec![wanted]);
            }
        }
    }

    /// The ISAKMP SA of a connection that we are negotiating.
    pub(super) fn negotiating(&mut self, connection: &str) -> Option<&mut IkeSa> {
        self.sas
            .values_mut()
            .find(|sa| sa.role == Role::Initiator && *sa.name == *connection && established(sa).is_none())
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

/// The protocol of an SA with its keys; `None` if the key material is too short for them.
fn keyed_protocol(part: Part, keymat: Secret) -> Option<Protocol> {
    let suite = part.protection;
    let (encryption, integrity) = keymat.split(suite.key_len()).ok()?;
    match part.kind {
        ProtocolKind::Esp => Some(Protocol::Esp { suite, keys: SaKeys { encryption, integrity } }),
        ProtocolKind::Ah => Some(Protocol::Ah { integrity: suite.integrity?, key: integrity }),
    }
}

/// What AH around ESP covers: ESP between the two ends.
fn carried(path: Path) -> Selector {
    Selector { protocol: Some(IpProtocol::ESP), ..Selector::between(path.local.ip(), path.remote.ip()) }
}
