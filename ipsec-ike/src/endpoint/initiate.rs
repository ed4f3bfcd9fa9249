//! Calling a peer: the addresses that are still to be asked for, then MM1.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ipsec_proto::isakmp::{KnownVendor, Payload, VendorId};
use ipsec_proto::net::{Cookie, Path};
use ipsec_proto::registry::ExchangeType;

use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::config::{Connection, LocalAddress, NatTraversal, RemoteAddress};
use crate::diagnosis::{Code, Diagnoser, Observation};
use crate::event::Cookies;
use crate::natt::Edition;
use crate::output::{Answer, AskId, Effect, Question};
use crate::sa::{Addressing, Answered, IkeSa, SaId, UsedIds, Wanted};
use crate::state::{MessageNumber, Role};
use crate::v1::main::{Phase1, WaitMsg2};
use crate::v1::{proposal, wire};

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
            source: unknown.ip(),
            connection: Arc::clone(connection),
            name: connection.name.as_str().into(),
            candidates: Vec::new(),
            phase1: Phase1::Unaddressed,
            addressing,
            diagnoser: Diagnoser::new(Role::Initiator),
            outstanding: None,
            answered: Answered::default(),
            started: now.mono,
            heard: now.mono,
            renews: None,
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

    pub(super) fn next_id(&mut self) -> SaId {
        self.next_sa += 1;
        SaId(self.next_sa)
    }

    /// Asks for what is still missing, the peer's address first; then sends MM1.
    pub(super) fn address(&mut self, now: Now, id: SaId) {
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

    pub(super) fn ask(&mut self, now: Now, sa: SaId, code: Code, question: Question) {
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

    pub(super) fn send_mm1(&mut self, now: Now, id: SaId, local: IpAddr, remote: IpAddr) {
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
}
