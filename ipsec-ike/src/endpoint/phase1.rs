//! Main Mode, driven: who calls whom, what is sent and repeated, when the SA stands or is given up.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ipsec_proto::isakmp::{Body, Chain, KnownVendor, Message, Payload, SecurityAssociation, VendorId};
use ipsec_proto::net::{Cookie, Path};
use ipsec_proto::registry::{ExchangeType, NotifyType};

use super::{Ike, TimerKey, Told};
use crate::clock::Now;
use crate::config::{Connection, LocalAddress, NatTraversal, RemoteAddress};
use crate::diagnosis::{Code, Diagnoser, Diagnosis, Observation};
use crate::event::{Cookies, DiscardReason, DownReason, Event, IkeUp, Sense};
use crate::natt::{self, Edition};
use crate::output::{Answer, AskId, Disposition, Effect, KeyLog, Question};
use crate::pad;
use crate::refusal::{Cause, Refusal};
use crate::retransmit::Outstanding;
use crate::sa::{Addressing, Answered, IkeSa, SaId, UsedIds, Wanted};
use crate::state::{MessageNumber, Phase, Role};
use crate::timer::TimerKind;
use crate::v1::main::{self, Authenticating, Phase1, Surroundings, WaitMsg2, WaitMsg3};
use crate::v1::{informational, proposal, wire};

/// A question that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) sa: SaId,
    pub(super) code: Code,
}

impl Ike {
    /// Starts Main Mode as its initiator, or first asks for the addresses.
    pub(super) fn initiate(&mut self, now: Now, connection: &Arc<Connection>, wanted: Vec<Wanted>) -> SaId {
        let id = self.next_id();
        let cookie = self.core.cookie();
        let unknown = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        let addressing = Addressing {
            local: match connection.local {
                LocalAddress::Literal(address) => Some(address),
                LocalAddress::Any => None,
            },
            remote: match connection.remote {
                RemoteAddress::Literal(address) => Some(address),
                _ => None,
            },
        };
        let sa = IkeSa {
            role: Role::Initiator,
            cookies: Cookies { initiator: cookie, responder: Cookie::ZERO },
            path: Path::new(unknown, unknown),
            connection: Arc::clone(connection),
            name: connection.name.as_str().into(),
            candidates: Vec::new(),
            phase1: Phase1::Unaddressed,
            addressing,
            diagnoser: Diagnoser::new(Role::Initiator),
            outstanding: None,
            answered: Answered::default(),
            started: now.mono,
            wanted,
            exchanges: BTreeMap::new(),
            used_ids: UsedIds::default(),
            clear_notify_at: None,
        };
        self.sas.insert(id, sa);
        self.by_cookie.insert(cookie, id);
        self.address(now, id);
        id
    }

    fn next_id(&mut self) -> SaId {
        self.next_sa += 1;
        SaId(self.next_sa)
    }

    /// Asks for what is still missing, the peer's address first; then sends MM1.
    fn address(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        match (sa.addressing.remote, sa.addressing.local) {
            (None, _) => {
                let name = match &sa.connection.remote {
                    RemoteAddress::Name { name, .. } => name.clone(),
                    // A range has no address to call: the command is refused before it comes here.
                    _ => String::new(),
                };
                self.ask(now, id, Code::NameUnresolved, Question::Resolve { name });
            }
            (Some(remote), None) => self.ask(now, id, Code::NoSource, Question::Source { remote }),
            (Some(remote), Some(local)) => self.send_mm1(now, id, local, remote),
        }
    }

    fn ask(&mut self, now: Now, sa: SaId, code: Code, question: Question) {
        self.next_question += 1;
        let id = AskId(self.next_question);
        self.questions.insert(id, Asked { sa, code });
        self.core.timers.set(TimerKey::Ask(id), now.mono + self.core.config.timing().question);
        self.core.outbox.effect(Effect::Ask { id, question });
    }

    /// Takes the answer to a question. One that nobody asked, or that comes too late, is nothing.
    pub fn answer(&mut self, now: Now, id: AskId, answer: Answer) {
        self.core.timers.clear(TimerKey::Ask(id));
        let Some(asked) = self.questions.remove(&id) else { return };
        let Some(sa) = self.sas.get_mut(&asked.sa) else { return };
        let reason = match answer {
            Answer::Addresses(addresses) => {
                let wanted_family =
                    |address: &&IpAddr| match (asked.code, sa.addressing.local, sa.addressing.remote) {
                        (Code::NoSource, _, Some(peer)) => address.is_ipv4() == peer.is_ipv4(),
                        (_, Some(own), _) => address.is_ipv4() == own.is_ipv4(),
                        _ => true,
                    };
                if let Some(address) = addresses.iter().find(wanted_family) {
                    match asked.code {
                        Code::NoSource => sa.addressing.local = Some(*address),
                        _ => sa.addressing.remote = Some(*address),
                    }
                    return self.address(now, asked.sa);
                }
                "there is no address of the right family".to_owned()
            }
            Answer::None { reason } => reason,
        };
        sa.diagnoser.observe(now.mono, Observation::NoAddress { code: asked.code, reason });
        self.give_up(now, asked.sa);
    }

    fn send_mm1(&mut self, now: Now, id: SaId, local: IpAddr, remote: IpAddr) {
        let ports = self.core.config.ports();
        let Some(sa) = self.sas.get_mut(&id) else { return };
        sa.path = Path::new(
            SocketAddr::new(local, ports.ike),
            SocketAddr::new(remote, sa.connection.remote_ports.ike),
        );
        let offer = Payload::Sa(proposal::offer_ike(&sa.connection.proposals, sa.connection.ike_lifetime));
        let sai_b = wire::body(&offer);
        let mut payloads = vec![offer];
        if sa.connection.nat_traversal != NatTraversal::Off {
            payloads
                .extend(Edition::ALL.map(|edition| Payload::Vendor(VendorId(edition.vendor_id().to_vec()))));
        }
        payloads.push(Payload::Vendor(KnownVendor::Dpd.into()));
        let octets = wire::clear(&wire::header(&sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0), &payloads);
        sa.phase1 = Phase1::WaitMsg2(WaitMsg2 { sai_b });
        let names = wire::names(payloads.iter());
        self.send_request(now, id, MessageNumber::Mm1, octets, &names);
    }

    /// Sends a phase 1 message that is repeated until it is answered.
    fn send_request(&mut self, now: Now, id: SaId, number: MessageNumber, octets: Vec<u8>, payloads: &str) {
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
    fn sent(&mut self, id: SaId, path: Path, number: MessageNumber, octets: Vec<u8>, payloads: &str) {
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
    fn refused_phase1(&mut self, now: Now, id: SaId, path: Path, refusal: Refusal) -> Disposition {
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
    fn notify_in_clear(
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

    fn on_mm1(&mut self, now: Now, path: Path, message: &Message<'_>) -> Disposition {
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

    fn accept_mm1(
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
            name: connection.name.as_str().into(),
            connection,
            candidates: accepted.candidates,
            phase1: Phase1::WaitMsg3(WaitMsg3 { sai_b: accepted.sai_b, agreed: accepted.agreed }),
            addressing: Addressing::default(),
            diagnoser,
            outstanding: None,
            answered: Answered { request: message.octets.to_vec(), answer: octets.clone() },
            started: now.mono,
            wanted: Vec::new(),
            exchanges: BTreeMap::new(),
            used_ids: UsedIds::default(),
            clear_notify_at: None,
        };
        self.sas.insert(id, sa);
        self.by_cookie.insert(cookies.responder, id);
        self.by_first.insert((path.remote.ip(), cookies.initiator), id);
        self.half_open.entry(path.remote.ip()).or_default().insert(id);
        self.half_open_total += 1;
        self.core
            .timers
            .set(TimerKey::Ike(id, TimerKind::HalfOpen), now.mono + self.core.config.timing().half_open);
        self.received(id, path, MessageNumber::Mm1, message, None);
        self.sent(id, path, MessageNumber::Mm2, octets, &wire::names(payloads.iter()));
        Disposition::Accepted
    }

    /// Makes room for a half-open SA; or says which limit is reached.
    fn make_room(&mut self, now: Now, source: IpAddr) -> Option<(&'static str, usize)> {
        let limits = *self.core.config.limits();
        if self.sas.len() >= limits.ike_sas {
            return Some(("ike_sas", limits.ike_sas));
        }
        let waits =
            |ike: &Self, id: &SaId| matches!(ike.sas.get(id).map(|sa| &sa.phase1), Some(Phase1::WaitMsg3(_)));
        let of_source = self.half_open.get(&source);
        if of_source.is_some_and(|ids| ids.len() >= limits.half_open_per_source) {
            let oldest = of_source.and_then(|ids| ids.iter().find(|id| waits(self, id))).copied();
            let Some(oldest) = oldest else {
                return Some(("half_open_per_source", limits.half_open_per_source));
            };
            self.core.counters.half_open_evicted += 1;
            self.remove_ike(now, oldest, DownReason::Evicted);
        } else if self.half_open_total >= limits.half_open {
            let oldest = self.half_open.values().flatten().filter(|id| waits(self, id)).min().copied();
            let Some(oldest) = oldest else { return Some(("half_open", limits.half_open)) };
            self.core.counters.half_open_evicted += 1;
            self.remove_ike(now, oldest, DownReason::Evicted);
        }
        None
    }

    /// Tells of an accepted message.
    fn received(
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
    fn answered(&mut self, now: Now, id: SaId, number: MessageNumber, message: &Message<'_>) {
        self.core.timers.clear(TimerKey::Ike(id, TimerKind::Retransmit));
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.outstanding = None;
            sa.answered = Answered { request: message.octets.to_vec(), answer: Vec::new() };
            sa.diagnoser.observe(now.mono, Observation::Received(number));
        }
    }

    fn on_mm2(
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

    fn on_mm3(
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
        sa.answered = Answered { request: message.octets.to_vec(), answer: octets.clone() };
        sa.diagnoser.observe(now.mono, Observation::Received(MessageNumber::Mm3));
        sa.diagnoser.observe(now.mono, Observation::Sent(MessageNumber::Mm4));
        self.received(id, path, MessageNumber::Mm3, message, None);
        self.sent(id, path, MessageNumber::Mm4, octets, &wire::names(own.payloads.iter()));
        self.core.outbox.event(Event::Nat { cookies, found: nat, path });
        Ok(())
    }

    fn on_mm4(
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
                let refusal = Refusal::new(
                    Cause::InvalidKeyExchange,
                    MessageNumber::Mm4,
                    Role::Initiator,
                    error.to_string(),
                );
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

    /// Whether another ISAKMP SA of the connection stands, or a child of it: then there is nothing initial about a
    /// contact.
    fn has_other(&self, id: SaId, name: &str) -> bool {
        self.sas
            .iter()
            .any(|(other, sa)| *other != id && *sa.name == *name && matches!(sa.phase1, Phase1::Active(_)))
            || self.children.values().any(|child| *child.connection == *name)
    }

    /// MM5 or MM6.
    fn on_proof(
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
        let settled = match pad::settle(&candidates, &proven.identity) {
            Ok(connection) => Arc::clone(connection),
            Err(mismatch) => {
                // It holds the key, so it may end the negotiation, and it is told why under the keys.
                let refusal = Refusal::new(Cause::IdentityMismatch, number, role, "").with(vec![mismatch]);
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
        let placeholder = std::mem::replace(&mut sa.phase1, Phase1::Unaddressed);
        let (Phase1::WaitMsg5(mut state) | Phase1::WaitMsg6(mut state)) = placeholder else { return Ok(()) };
        state.advance(&proven);
        // Authenticated: from here on the peer is where this message came from (RFC 3947 §4).
        sa.path = path;
        sa.name = settled.name.as_str().into();
        sa.connection = settled;
        let local_id = pad::local_identity(&sa.connection, path.local.ip());
        let answer = match role {
            Role::Initiator => None,
            Role::Responder => {
                let header = wire::header(&sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0);
                Some(state.prove(Role::Responder, &sa.cookies, &header, &local_id, Vec::new()))
            }
        };
        self.establish(now, id, state, local_id, &proven, message, answer);
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
    fn establish(
        &mut self,
        now: Now,
        id: SaId,
        state: Authenticating,
        local_id: crate::Identity,
        proven: &main::Proven,
        message: &Message<'_>,
        answer: Option<(Vec<u8>, String)>,
    ) {
        let timing = *self.core.config.timing();
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
        let established = state.establish(local_id.clone(), proven.identity.clone());
        let (suite, nat, lifetime) = (established.agreed.suite, established.nat, established.agreed.life);
        let encryption = established.keys.encryption.as_slice().to_vec();
        sa.outstanding = None;
        sa.diagnoser.observe(now.mono, Observation::Received(received));
        let octets = answer.as_ref().map(|(octets, _)| octets.clone()).unwrap_or_default();
        sa.answered = Answered { request: message.octets.to_vec(), answer: octets };
        sa.phase1 = Phase1::Active(established);
        let (cookies, role, connection) = (sa.cookies, sa.role, Arc::clone(&sa.name));
        let took = now.mono.saturating_duration_since(sa.started);
        self.core.counters.ike_up += 1;
        self.core.timers.set(TimerKey::Ike(id, TimerKind::IkeLifetime), now.mono + lifetime);
        if nat.here == natt::Behind::Nat {
            self.core.timers.set(TimerKey::Ike(id, TimerKind::Keepalive), now.mono + timing.keepalive);
        }
        self.received(id, path, received, message, Some(&proven.payloads));
        if key_log == crate::config::KeyLogging::On {
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
            remote_id: proven.identity.clone(),
            nat,
            lifetime,
        })));
        self.core.outbox.event(Event::Step { cookies, phase: Phase::One, took });
    }

    /// Tells the peer under the keys that exist before MM6 why there will be none.
    fn notify_before_mm6(&mut self, id: SaId, path: Path, notify: NotifyType) {
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

    pub(super) fn leave_half_open(&mut self, id: SaId) {
        let Some(source) = self.sas.get(&id).map(|sa| sa.path.remote.ip()) else { return };
        if let Some(ids) = self.half_open.get_mut(&source)
            && ids.remove(&id)
        {
            self.half_open_total -= 1;
            if ids.is_empty() {
                self.half_open.remove(&source);
            }
        }
    }

    /// The negotiation has failed: says why and lets it go.
    pub(super) fn give_up(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let diagnosis = sa.diagnoser.conclude();
        self.core.counters.failed += 1;
        self.remove_ike(now, id, DownReason::Failed(Box::new(diagnosis)));
    }

    /// Takes an ISAKMP SA out, with everything that waits for it. The children stay.
    pub(super) fn remove_ike(&mut self, now: Now, id: SaId, reason: DownReason) {
        self.leave_half_open(id);
        let Some(sa) = self.sas.remove(&id) else { return };
        for kind in [TimerKind::Retransmit, TimerKind::HalfOpen, TimerKind::IkeLifetime, TimerKind::Keepalive]
        {
            self.core.timers.clear(TimerKey::Ike(id, kind));
        }
        match sa.role {
            Role::Initiator => self.by_cookie.remove(&sa.cookies.initiator),
            Role::Responder => {
                self.by_first.remove(&(sa.path.remote.ip(), sa.cookies.initiator));
                self.by_cookie.remove(&sa.cookies.responder)
            }
        };
        self.questions.retain(|_, asked| asked.sa != id);
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
