//! Being called: MM1, and how much strangers can make us hold.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipsec_proto::isakmp::{Body, KnownVendor, Message, Payload, SecurityAssociation, VendorId};
use ipsec_proto::net::{Cookie, Path};
use ipsec_proto::registry::ExchangeType;

use super::room::Room;
use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::diagnosis::{Diagnoser, Observation};
use crate::event::{Cookies, DiscardReason, DownReason, Event};
use crate::output::Disposition;
use crate::pad;
use crate::refusal::{Cause, Refusal};
use crate::sa::{Addressing, Answered, IkeSa, SaId, UsedIds};
use crate::state::{MessageNumber, Role};
use crate::timer::TimerKind;
use crate::v1::main::{self, Phase1, WaitMsg3};
use crate::v1::wire;

impl Ike {
    pub(super) fn on_mm1(&mut self, now: Now, path: Path, message: &Message<'_>) -> Disposition {
        let cookie = message.header.initiator;
        if self.by_cookie.contains_key(&cookie) {
            return Disposition::Discarded(DiscardReason::Reflected);
        }
        if let Some(id) = self.by_first.get(&(path.remote.ip(), cookie)) {
            let Some(sa) = self.sas.get(id) else {
                return Disposition::Discarded(DiscardReason::UnknownCookies);
            };
            if sa.answered.request != message.octets || !matches!(sa.phase1, Phase1::WaitMsg3(_)) {
                return Disposition::Discarded(DiscardReason::WrongState);
            }
            let (answer, cookies) = (sa.answered.answer.clone(), sa.cookies);
            self.core.transmit(path, answer);
            self.core.outbox.event(Event::Duplicate { cookies, path, answered: true });
            return Disposition::Duplicate;
        }
        let Body::Clear(chain) = &message.body else {
            return Disposition::Discarded(DiscardReason::WrongState);
        };
        let cookies = Cookies { initiator: cookie, responder: Cookie::ZERO };
        let config = Arc::clone(&self.core.config);
        let candidates = pad::candidates(&config, path.local.ip(), path.remote.ip());
        let checked = if candidates.is_empty() {
            let detail = format!("no connection has the remote address {}", path.remote.ip());
            Err(Refusal::new(Cause::UnknownPeer, MessageNumber::Mm1, Role::Responder, detail))
        } else {
            main::check_mm1(chain, &candidates, config.limits().transforms)
        };
        let accepted = match checked {
            Ok(accepted) => accepted,
            Err(refusal) => {
                if let Some(notify) = refusal.notify() {
                    self.notify_in_clear(now, path, cookies, notify, message.octets.len());
                }
                return self.refused(path, cookies, refusal);
            }
        };
        if let Some((limit, value)) = self.make_room(now, path.remote.ip()) {
            self.core.counters.at_limit += 1;
            self.core.outbox.event(Event::AtLimit { limit, value, path });
            return Disposition::Discarded(DiscardReason::Limit);
        }
        self.accept_mm1(now, path, message, accepted)
    }

    pub(super) fn accept_mm1(
        &mut self,
        now: Now,
        path: Path,
        message: &Message<'_>,
        accepted: main::Accepted,
    ) -> Disposition {
        let id = self.next_id();
        let cookies = Cookies { initiator: message.header.initiator, responder: self.core.cookie() };
        let Some(connection) = accepted.candidates.first().cloned() else {
            return Disposition::Discarded(DiscardReason::WrongState);
        };
        let mut payloads = vec![Payload::Sa(SecurityAssociation::new(vec![accepted.chosen.proposal]))];
        // Only what the initiator knows is announced: the answer is never larger than the request.
        if let Some(edition) = accepted.agreed.natt {
            payloads.push(Payload::Vendor(VendorId(edition.vendor_id().to_vec())));
        }
        if accepted.knows_dpd {
            payloads.push(Payload::Vendor(KnownVendor::Dpd.into()));
        }
        let octets = wire::clear(&wire::header(&cookies, ExchangeType::IDENTITY_PROTECTION, 0), &payloads);
        let mut diagnoser = Diagnoser::new(Role::Responder);
        diagnoser.observe(now.mono, Observation::Received(MessageNumber::Mm1));
        diagnoser.observe(now.mono, Observation::Sent(MessageNumber::Mm2));
        let sa = IkeSa {
            role: Role::Responder,
            cookies,
            path,
            source: path.remote.ip(),
            name: connection.name.as_str().into(),
            connection,
            candidates: accepted.candidates,
            phase1: Phase1::WaitMsg3(WaitMsg3 { sai_b: accepted.sai_b, agreed: accepted.agreed }),
            addressing: Addressing::default(),
            diagnoser,
            outstanding: None,
            answered: Answered { request: message.octets.to_vec(), answer: octets.clone() },
            started: now.mono,
            heard: now.mono,
            renews: None,
            wanted: Vec::new(),
            exchanges: BTreeMap::new(),
            used_ids: UsedIds::default(),
            clear_notify_at: None,
        };
        self.sas.insert(id, sa);
        self.by_cookie.insert(cookies.responder, id);
        self.by_first.insert((path.remote.ip(), cookies.initiator), id);
        self.half_open.insert(path.remote.ip(), id);
        self.core
            .timers
            .set(TimerKey::Ike(id, TimerKind::HalfOpen), now.mono + self.core.config.timing().half_open);
        self.received(id, path, MessageNumber::Mm1, message, None);
        self.sent(id, path, MessageNumber::Mm2, octets, &wire::names(payloads.iter()));
        Disposition::Accepted
    }

    /// Makes room for a half-open SA; or says which limit is reached.
    pub(super) fn make_room(&mut self, now: Now, source: IpAddr) -> Option<(&'static str, usize)> {
        let limits = *self.core.config.limits();
        if self.sas.len() >= limits.ike_sas {
            return Some(("ike_sas", limits.ike_sas));
        }
        if let Room::Instead(id) = self.half_open.room(source, &limits, self.core.random.as_mut()) {
            self.core.counters.half_open_evicted += 1;
            self.remove_ike(now, id, DownReason::Evicted);
        }
        None
    }

    pub(super) fn leave_half_open(&mut self, id: SaId) {
        if let Some(sa) = self.sas.get(&id) {
            self.half_open.remove(sa.source, id);
        }
    }
}
