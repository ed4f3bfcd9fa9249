//! [`Ike`]: the endpoint. It takes datagrams, time, commands and the data plane's events in; datagrams, orders and
//! facts come out.
//!
//! This file holds its state and the way of a datagram to the exchange it belongs to; the exchanges themselves drive
//! it from the files beside this one.

mod answer;
mod bucket;
mod children;
mod command;
mod data_plane;
mod half_open;
mod informational;
mod initiate;
mod phase1;
mod phase2;
mod place;
mod renew;
mod room;
mod standing;
mod timeout;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ipsec_crypto::{CryptoProvider, SecureRandom};
use ipsec_proto::DecodeErrorKind;
use ipsec_proto::isakmp::{Header, Message};
use ipsec_proto::net::{Cookie, Path, Spi};
use ipsec_proto::registry::ExchangeType;
use ipsec_sad::{PairId, SpiAllocator};

use crate::clock::Now;
use crate::config::{Config, Start};
use crate::diagnosis::Diagnosis;
use crate::event::{Cookies, DiscardReason, Event, RequestId, Sense};
use crate::outbox::Outbox;
use crate::output::{AskId, Disposition, Framing, Output, SetupError};
use crate::refusal::{Cause, Refusal};
use crate::report::{ChildReport, Counters, IkeReport, IkeSaReport};
use crate::sa::{ChildPhase, ChildSa, IkeSa, SaId};
use crate::state::{MessageNumber, Role};
use crate::timer::{TimerKind, Timers};
use crate::v1::main::Phase1;

use self::bucket::Bucket;
use self::command::Request;
use self::initiate::Asked;
use self::place::Mappings;
use self::room::HalfOpen;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKey {
    Ike(SaId, TimerKind),
    Quick(SaId, u32, TimerKind),
    Child(PairId, TimerKind),
    /// The mapping of a NAT at our end.
    Mapping(Path),
    Ask(AskId),
}

impl TimerKey {
    const fn kind(self) -> TimerKind {
        match self {
            Self::Ike(_, kind) | Self::Quick(_, _, kind) | Self::Child(_, kind) => kind,
            Self::Mapping(_) => TimerKind::Keepalive,
            Self::Ask(_) => TimerKind::Question,
        }
    }
}

/// What every part of the endpoint works with.
struct Core {
    config: Arc<Config>,
    provider: Arc<CryptoProvider>,
    spis: SpiAllocator,
    random: Box<dyn SecureRandom + Send>,
    outbox: Outbox,
    timers: Timers<TimerKey>,
    counters: Counters,
    clear_notifies: Bucket,
}

/// An IKE endpoint, sans-IO: see the [crate's documentation](crate).
pub struct Ike {
    core: Core,
    sas: BTreeMap<SaId, IkeSa>,
    next_sa: u64,
    /// By our own cookie.
    by_cookie: BTreeMap<Cookie, SaId>,
    /// By the peer's address and cookie: where its first message has already been answered.
    by_first: BTreeMap<(IpAddr, Cookie), SaId>,
    half_open: HalfOpen,
    mappings: Mappings,
    children: BTreeMap<PairId, ChildSa>,
    /// The pairs by the SPI that the peer chose for them, which two peers may have in common.
    by_outbound: BTreeSet<(Spi, PairId)>,
    next_pair: u64,
    requests: BTreeMap<RequestId, Request>,
    next_request: u64,
    questions: BTreeMap<AskId, Asked>,
    next_question: u64,
}

impl core::fmt::Debug for Ike {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ike")
            .field("ike_sas", &self.sas.len())
            .field("children", &self.children.len())
            .finish_non_exhaustive()
    }
}

impl Core {
    /// Queues an ISAKMP message, framed as its local port asks for.
    fn transmit(&mut self, path: Path, octets: Vec<u8>) {
        let framing =
            if path.local.port() == self.config.ports().natt { Framing::NonEspMarker } else { Framing::Bare };
        self.outbox.send(path, octets, framing);
    }

    fn cookie(&mut self) -> Cookie {
        let mut octets = [0; 8];
        loop {
            self.random.fill(&mut octets);
            if octets != [0; 8] {
                return Cookie(octets);
            }
        }
    }
}

/// What is told of a message that went out or came in.
struct Told<'a> {
    number: MessageNumber,
    sense: Sense,
    message_id: u32,
    octets: usize,
    payloads: &'a str,
}

impl Ike {
    /// An endpoint with this configuration. Children that are to start at once are started.
    ///
    /// `spis` hands out the SPIs of the data plane; `random` makes cookies, nonces and private values.
    ///
    /// # Errors
    /// [`SetupError::Algorithm`] where the provider lacks what the configuration names.
    pub fn new(
        config: Arc<Config>,
        provider: Arc<CryptoProvider>,
        spis: SpiAllocator,
        random: Box<dyn SecureRandom + Send>,
        now: Now,
    ) -> Result<Self, SetupError> {
        check_algorithms(&config, &provider)?;
        let core = Core {
            config,
            provider,
            spis,
            random,
            outbox: Outbox::default(),
            timers: Timers::new(),
            counters: Counters::default(),
            clear_notifies: Bucket::default(),
        };
        let mut ike = Self {
            core,
            sas: BTreeMap::new(),
            next_sa: 0,
            by_cookie: BTreeMap::new(),
            by_first: BTreeMap::new(),
            half_open: HalfOpen::default(),
            mappings: Mappings::default(),
            children: BTreeMap::new(),
            by_outbound: BTreeSet::new(),
            next_pair: 0,
            requests: BTreeMap::new(),
            next_request: 0,
            questions: BTreeMap::new(),
            next_question: 0,
        };
        ike.start_immediate(now);
        Ok(ike)
    }

    fn start_immediate(&mut self, now: Now) {
        let config = Arc::clone(&self.core.config);
        for connection in config.connections() {
            for child in connection.children.iter().filter(|child| child.start == Start::Immediate) {
                if !self.is_covered(&connection.name, &child.name) {
                    self.want(now, connection, child.clone(), Vec::new(), None);
                }
            }
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.core.config
    }

    /// Takes an ISAKMP message that arrived on `path`, without any non-ESP marker.
    ///
    /// Whatever the octets are, this does not fail; work and state per datagram are bounded. The time must not go
    /// backwards from call to call. Afterwards [`Ike::poll_output`] has what came of it.
    pub fn handle_datagram(&mut self, now: Now, path: Path, octets: &[u8]) -> Disposition {
        self.core.counters.received += 1;
        let disposition = match Message::parse(octets) {
            Ok(message) => match message.header.exchange {
                ExchangeType::IDENTITY_PROTECTION => self.on_main_mode(now, path, &message),
                ExchangeType::QUICK_MODE => self.on_quick_mode(now, path, &message),
                ExchangeType::INFORMATIONAL => self.on_informational(now, path, &message),
                _ => Disposition::Discarded(DiscardReason::Exchange),
            },
            Err(error) => match Header::parse_fields(octets) {
                Ok(header) if Header::parse(octets).is_ok() => {
                    let refusal = Refusal {
                        cause: Cause::Malformed,
                        message: None,
                        role: Role::Responder,
                        mismatches: Vec::new(),
                        detail: error.to_string(),
                    };
                    let cookies = Cookies { initiator: header.initiator, responder: header.responder };
                    self.refused(path, cookies, refusal)
                }
                _ if error.kind == DecodeErrorKind::UnsupportedVersion => {
                    Disposition::Discarded(DiscardReason::Version)
                }
                _ => Disposition::Discarded(DiscardReason::NotIsakmp),
            },
        };
        match &disposition {
            Disposition::Accepted => self.core.counters.accepted += 1,
            Disposition::Duplicate => self.core.counters.duplicates += 1,
            Disposition::Refused(_) => self.core.counters.refused += 1,
            Disposition::Discarded(reason) => {
                self.core.counters.discarded += 1;
                self.core.outbox.event(Event::Discarded { path, reason: *reason, octets: octets.len() });
            }
        }
        disposition
    }

    /// Takes the next output; a datagram's octets are appended to `out`. Call it until it gives `None`, after every
    /// other call, and carry each output out before taking the next.
    pub fn poll_output(&mut self, out: &mut Vec<u8>) -> Option<Output> {
        self.core.outbox.poll(out)
    }

    /// When [`Ike::handle_timeout`] is due, and why. Early or spurious calls of it do nothing.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, TimerKind)> {
        self.core.timers.next().map(|(at, key)| (at, key.kind()))
    }

    /// Whether [`Ike::poll_output`] has something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.core.outbox.is_empty()
    }

    /// What stands.
    #[must_use]
    pub fn report(&self, now: Now) -> IkeReport {
        let age = |since: Instant| now.mono.saturating_duration_since(since);
        let ike_sas = self.sas.values().map(|sa| {
            let established = match &sa.phase1 {
                Phase1::Active(established) => Some(established),
                _ => None,
            };
            let agreed = sa.phase1.agreed();
            IkeSaReport {
                connection: Arc::clone(&sa.name),
                state: sa.phase1.name(),
                role: sa.role,
                path: sa.path,
                cookies: sa.cookies,
                local_id: established.map(|established| established.local_id.clone()),
                remote_id: established.map(|established| established.remote_id.clone()),
                suite: agreed.map(|agreed| agreed.suite),
                nat: sa.phase1.nat(),
                age: age(sa.started),
                lifetime: established.map(|established| established.agreed.life),
                quick_modes: sa.exchanges.iter().map(|(id, exchange)| (*id, exchange.phase.name())).collect(),
                transmissions: sa.outstanding.as_ref().map_or(0, |(_, outstanding)| outstanding.sent()),
            }
        });
        let children = self.children.iter().map(|(pair, child)| ChildReport {
            connection: Arc::clone(&child.connection),
            child: Arc::clone(&child.child),
            template: child.template,
            pair: *pair,
            inbound: child.spis.inbound,
            outbound: child.spis.outbound,
            suite: child.suite,
            selector: child.selector,
            path: child.path,
            in_udp: child.in_udp,
            role: child.role,
            age: age(child.created),
            lifetime: child.lifetime,
            replaced: child.phase == ChildPhase::Replaced,
        });
        IkeReport {
            ike_sas: ike_sas.collect(),
            children: children.collect(),
            counters: self.core.counters,
            half_open: self.half_open.len(),
        }
    }

    /// The SA that a message's cookies name.
    fn find(&self, header: &Header) -> Option<SaId> {
        let ours = |cookie: &Cookie, role: Role| {
            let id = *self.by_cookie.get(cookie)?;
            let sa = self.sas.get(&id)?;
            (sa.role == role).then_some((id, sa))
        };
        if let Some((id, sa)) = ours(&header.responder, Role::Responder)
            && sa.cookies.initiator == header.initiator
        {
            return Some(id);
        }
        let (id, sa) = ours(&header.initiator, Role::Initiator)?;
        (sa.cookies.responder == header.responder || sa.cookies.responder.is_zero()).then_some(id)
    }

    /// Records a refusal that belongs to no SA of ours, or to one that is not touched by it.
    fn refused(&mut self, path: Path, cookies: Cookies, refusal: Refusal) -> Disposition {
        let connection = self
            .by_cookie
            .get(&cookies.responder)
            .or_else(|| self.by_cookie.get(&cookies.initiator))
            .and_then(|id| self.sas.get(id))
            .map(|sa| Arc::clone(&sa.name));
        let diagnosis = Box::new(Diagnosis::of_refusal(&refusal));
        let refusal = Box::new(refusal);
        self.core.outbox.event(Event::Refused {
            connection,
            path,
            cookies,
            refusal: refusal.clone(),
            diagnosis,
        });
        Disposition::Refused(refusal)
    }

    /// Tells of a message.
    fn tell(&mut self, id: SaId, path: Path, told: &Told<'_>) {
        let Some(sa) = self.sas.get(&id) else { return };
        self.core.outbox.event(Event::Message {
            number: told.number,
            sense: told.sense,
            connection: Some(Arc::clone(&sa.name)),
            path,
            cookies: sa.cookies,
            message_id: told.message_id,
            octets: told.octets,
            payloads: told.payloads.to_owned(),
        });
    }
}

/// Every algorithm that the configuration names must be there.
fn check_algorithms(config: &Config, provider: &CryptoProvider) -> Result<(), SetupError> {
    for connection in config.connections() {
        let missing =
            |algorithm: String| SetupError::Algorithm { connection: connection.name.clone(), algorithm };
        for suite in &connection.proposals {
            if !provider.supports_cipher(suite.cipher) {
                return Err(missing(suite.cipher.to_string()));
            }
            provider.prf(suite.prf).map_err(|_| missing(suite.prf.to_string()))?;
            provider.group(suite.group).map_err(|_| missing(suite.group.to_string()))?;
        }
        for suite in connection.children.iter().flat_map(|child| &child.proposals) {
            for part in suite.parts() {
                if !provider.supports_protection(part.protection) {
                    return Err(missing(part.protection.to_string()));
                }
            }
            if let Some(group) = suite.group {
                provider.group(group).map_err(|_| missing(group.to_string()))?;
            }
        }
    }
    Ok(())
}
