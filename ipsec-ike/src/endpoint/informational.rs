//! Informational exchanges, driven: what is believed of them, and what they do.

use std::sync::Arc;

use ipsec_proto::isakmp::{Body, Chain, Delete, Message, Notify, Payload, Protection, SpiBytes, Step};
use ipsec_proto::net::Path;
use ipsec_proto::registry::{ExchangeType, NotifyType, ProtocolId};
use ipsec_sad::PairId;

use super::phase2::established;
use super::{Ike, Told};
use crate::clock::Now;
use crate::diagnosis::Observation;
use crate::event::{Cookies, DiscardReason, DownReason, Event, Sense};
use crate::identity::Identity;
use crate::output::Disposition;
use crate::sa::SaId;
use crate::state::{MessageNumber, Role};
use crate::suite::protocol_id;
use crate::v1::main::{self, Phase1};
use crate::v1::offer::Fault;
use crate::v1::{informational, wire};

impl Ike {
    /// Sends an Informational under an ISAKMP SA that stands; gives back its octets.
    pub(super) fn send_informational(&mut self, id: SaId, payloads: Vec<Payload>) -> Option<Vec<u8>> {
        let sa = self.sas.get_mut(&id)?;
        let path = sa.path;
        let message_id = self.core.message_id(&sa.used_ids);
        sa.used_ids.insert(message_id);
        let active = established(sa)?;
        let names = format!("HASH {}", wire::names(payloads.iter()));
        let header = wire::header(&sa.cookies, ExchangeType::INFORMATIONAL, message_id);
        let octets = informational::seal(&active.keys, &active.last_block, &header, payloads);
        let told = Told {
            number: MessageNumber::Info,
            sense: Sense::Sent,
            message_id,
            octets: octets.len(),
            payloads: &names,
        };
        self.tell(id, path, &told);
        self.core.transmit(path, octets.clone());
        Some(octets)
    }

    /// An Informational message.
    pub(super) fn on_informational(&mut self, now: Now, path: Path, message: &Message<'_>) -> Disposition {
        let header = &message.header;
        // A notify in answer to MM1 may have no responder's cookie, or one that we do not know yet.
        let id = self.find(header).or_else(|| self.by_cookie.get(&header.initiator).copied());
        let Some((id, sa)) = id.and_then(|id| self.sas.get(&id).map(|sa| (id, sa))) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        if sa.cookies.initiator != header.initiator {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        }
        match &message.body {
            Body::Clear(chain) => self.on_clear(now, id, path, chain),
            Body::Encrypted(ciphertext) => {
                if header.message_id == 0 || sa.used_ids.contains(header.message_id) {
                    return Disposition::Discarded(DiscardReason::MessageId);
                }
                if !self.admit_message_id(now, id) {
                    return Disposition::Discarded(DiscardReason::Limit);
                }
                let Some(sa) = self.sas.get(&id) else {
                    return Disposition::Discarded(DiscardReason::UnknownCookies);
                };
                match &sa.phase1 {
                    Phase1::Active(_) => self.on_sealed(now, id, path, message, ciphertext),
                    Phase1::WaitMsg6(_) => self.on_sealed_early(now, id, path, message, ciphertext),
                    _ => Disposition::Discarded(DiscardReason::WrongState),
                }
            }
        }
    }

    /// In clear: anybody may have sent it. It is noted for the diagnosis, and does nothing.
    fn on_clear(&mut self, now: Now, id: SaId, path: Path, chain: &Chain<'_>) -> Disposition {
        let role = Role::Initiator;
        let Some(sa) = self.sas.get_mut(&id) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        if sa.path.remote.ip() != path.remote.ip() {
            return Disposition::Discarded(DiscardReason::WrongAddress);
        }
        if let Err(refusal) =
            main::gate(Step::InformationalClear, Protection::Clear, chain, MessageNumber::Info, role)
        {
            let cookies = sa.cookies;
            return self.refused(path, cookies, refusal);
        }
        let (connection, cookies) = (Arc::clone(&sa.name), sa.cookies);
        for notify in chain.notifies() {
            if !matches!(sa.phase1, Phase1::Active(_)) {
                sa.diagnoser.observe(now.mono, Observation::ClearNotify(notify.kind));
            }
            let connection = Some(Arc::clone(&connection));
            self.core.outbox.event(Event::Hint { connection, path, cookies, notify: notify.kind });
        }
        if chain.deletes().next().is_some() {
            return Disposition::Discarded(DiscardReason::InClear);
        }
        Disposition::Accepted
    }

    /// Where MM6 was due: the peer refuses under the keys, or ours are others.
    fn on_sealed_early(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Disposition {
        let Some(sa) = self.sas.get_mut(&id) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        let Phase1::WaitMsg6(state) = &sa.phase1 else {
            return Disposition::Discarded(DiscardReason::WrongState);
        };
        match informational::open(state.keys(), state.iv(), &message.header, ciphertext, sa.role) {
            Ok(said) => {
                sa.used_ids.insert(message.header.message_id);
                let errors: Vec<_> = said.notifies.iter().filter(|notify| notify.kind.is_error()).collect();
                for notify in &errors {
                    sa.diagnoser.observe(now.mono, Observation::AuthenticNotify(notify.kind));
                }
                if !errors.is_empty() {
                    // Only who has the pre-shared key can have made the hash: it may end the negotiation.
                    self.give_up(now, id);
                }
                Disposition::Accepted
            }
            Err(fault) => {
                let refusal = fault.refusal();
                if sa.path.remote.ip() == path.remote.ip() {
                    sa.diagnoser.observe(now.mono, Observation::UndecryptableNotify);
                }
                let cookies = sa.cookies;
                self.refused(path, cookies, refusal)
            }
        }
    }

    /// Under an ISAKMP SA that stands.
    fn on_sealed(
        &mut self,
        now: Now,
        id: SaId,
        path: Path,
        message: &Message<'_>,
        ciphertext: &[u8],
    ) -> Disposition {
        let Some(sa) = self.sas.get_mut(&id) else {
            return Disposition::Discarded(DiscardReason::UnknownCookies);
        };
        let Some(active) = established(sa) else { return Disposition::Discarded(DiscardReason::WrongState) };
        let active_id = active.remote_id.clone();
        let opened =
            informational::open(&active.keys, &active.last_block, &message.header, ciphertext, sa.role);
        let cookies = sa.cookies;
        let said = match opened {
            Err(Fault::Stranger(refusal)) => return self.refused(path, cookies, refusal),
            Err(Fault::Peer { refusal, .. }) => Err(refusal),
            Ok(said) => Ok(said),
        };
        let message_id = message.header.message_id;
        sa.used_ids.insert(message_id);
        let remote_id = active_id;
        let name = Arc::clone(&sa.name);
        self.authentic(now, id, path);
        let said = match said {
            Ok(said) => said,
            Err(refusal) => return self.refused(path, cookies, refusal),
        };
        let told = Told {
            number: MessageNumber::Info,
            sense: Sense::Received,
            message_id,
            octets: message.octets.len(),
            payloads: &said.payloads,
        };
        self.tell(id, path, &told);
        for notify in &said.notifies {
            self.on_notify(now, id, notify);
        }
        // Whoever names the ISAKMP SA first means the rest as well.
        for delete in &said.deletes {
            self.on_delete(now, &name, &remote_id, delete);
        }
        Disposition::Accepted
    }

    fn on_notify(&mut self, now: Now, id: SaId, notify: &Notify) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (connection, cookies) = (Arc::clone(&sa.name), sa.cookies);
        self.core.outbox.event(Event::Notified { connection, cookies, notify: notify.kind });
        match notify.kind {
            // RFC 3706 §5.3: the answer repeats the cookies and the sequence number.
            NotifyType::R_U_THERE
                if notify.spi.as_cookies() == Some((cookies.initiator, cookies.responder)) =>
            {
                let mut answer = informational::about_ike(&cookies, NotifyType::R_U_THERE_ACK);
                answer.data.clone_from(&notify.data);
                self.send_informational(id, vec![Payload::Notify(answer)]);
            }
            NotifyType::INITIAL_CONTACT => self.initial_contact(now, id),
            kind if kind.is_error() => {
                let Some(message_id) = self.quick_of_notify(id, notify.spi.as_spi()) else { return };
                let exchange = self.sas.get_mut(&id).and_then(|sa| sa.exchanges.get_mut(&message_id));
                if let Some(exchange) = exchange {
                    exchange.diagnoser.observe(now.mono, Observation::AuthenticNotify(kind));
                    self.fail_quick(now, id, message_id);
                }
            }
            _ => {}
        }
    }

    /// An authenticated delete: of pairs by the SPI that we send with, of ISAKMP SAs by their cookies. A peer may name
    /// only what it shares with us.
    fn on_delete(&mut self, now: Now, name: &Arc<str>, remote_id: &Identity, delete: &Delete) {
        match delete.protocol {
            protocol @ (ProtocolId::ESP | ProtocolId::AH) => {
                for spi in delete.spis.iter().filter_map(SpiBytes::as_spi) {
                    let mut pairs = self.by_outbound.range((spi, PairId(0))..=(spi, PairId(u64::MAX)));
                    let theirs = pairs.find_map(|(_, pair)| {
                        let child = self.children.get(pair)?;
                        let named = child
                            .all_spis()
                            .any(|spis| spis.outbound == spi && protocol_id(spis.kind) == protocol);
                        (named && child.connection == *name && child.remote_id == *remote_id).then_some(*pair)
                    });
                    if let Some(pair) = theirs {
                        self.remove_child(now, pair, &DownReason::DeletedByPeer);
                    }
                }
            }
            ProtocolId::ISAKMP => {
                for (initiator, responder) in delete.spis.iter().filter_map(SpiBytes::as_cookies) {
                    let named = Cookies { initiator, responder };
                    let ours = [responder, initiator].into_iter().find_map(|cookie| {
                        let id = *self.by_cookie.get(&cookie)?;
                        let sa = self.sas.get(&id).filter(|sa| sa.cookies == named)?;
                        (established(sa)?.remote_id == *remote_id).then_some(id)
                    });
                    if let Some(id) = ours {
                        self.remove_ike(now, id, DownReason::DeletedByPeer);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes an ISAKMP SA out and tells the peer.
    pub(super) fn delete_ike(&mut self, now: Now, id: SaId, reason: DownReason) {
        if let Some(sa) = self.sas.get(&id)
            && established(sa).is_some()
        {
            let payload = Payload::Delete(informational::delete_ike(&sa.cookies));
            self.send_informational(id, vec![payload]);
        }
        self.remove_ike(now, id, reason);
    }
}
