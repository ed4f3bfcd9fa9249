//! Where a peer is: which messages it is followed by, and how the mapping of a NAT at our end is kept.

use std::collections::BTreeMap;

use ipsec_proto::net::Path;

use super::phase2::established;
use super::{Ike, TimerKey};
use crate::clock::Now;
use crate::natt::{self, Behind, NatFound};
use crate::output::{Effect, Framing};
use crate::sa::{IkeSa, SaId};

/// The paths whose NAT mapping at our end is in use, and by how many SAs of either kind.
#[derive(Debug, Default)]
pub(super) struct Mappings(BTreeMap<Path, usize>);

/// Whether a peer may be elsewhere than it was: behind a NAT it gets another mapping at any time, and may not know it.
/// An end that no NAT translates does not move, so that a copy of its message from elsewhere moves nothing
/// (RFC 3947 §7).
const fn may_move(nat: NatFound) -> bool {
    matches!(nat.there, Behind::Nat)
}

/// Where the answer to a repeated message goes.
pub(super) fn answer_path(sa: &IkeSa, path: Path) -> Path {
    if may_move(sa.phase1.nat()) { path } else { sa.path }
}

impl Ike {
    /// A message of the SA has proven authentic: the peer lives, and may be elsewhere than it was.
    pub(super) fn authentic(&mut self, now: Now, id: SaId, path: Path) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        sa.heard = now.mono;
        let nat = sa.phase1.nat();
        let before = sa.path;
        if before.remote == path.remote || before.local != path.local || !may_move(nat) {
            return;
        }
        sa.path = path;
        if established(sa).is_some() {
            self.hold_mapping(now, path, nat);
            self.release_mapping(before, nat);
        }
        self.move_children(now, id);
    }

    /// MM5 has proven authentic: where a NAT was found, or NAT traversal agreed on, its sender has moved to the port of
    /// NAT traversal (RFC 3947 §4).
    pub(super) fn follow_float(&mut self, id: SaId, path: Path) {
        let ports = self.core.config.ports();
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let floated = natt::floated(sa.path, ports, sa.connection.remote_ports);
        let moved = path.remote == floated.remote || may_move(sa.phase1.nat());
        let agreed = sa.phase1.agreed().is_some_and(|agreed| agreed.natt.is_some());
        if agreed && moved && [sa.path.local, floated.local].contains(&path.local) {
            sa.path = path;
        }
    }

    /// The pairs in UDP go where their ISAKMP SA has its peer.
    pub(super) fn move_children(&mut self, now: Now, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let Some(active) = established(sa) else { return };
        let path = sa.path;
        let moved: Vec<_> = self
            .children
            .iter()
            .filter(|(_, child)| {
                child.in_udp
                    && may_move(child.nat)
                    && child.path != path
                    && child.connection == sa.name
                    && child.remote_id == active.remote_id
            })
            .map(|(pair, _)| *pair)
            .collect();
        for pair in moved {
            self.move_child(now, pair, path);
        }
    }

    /// A pair's packets go another way from now on, if its peer may have moved.
    pub(super) fn move_child(&mut self, now: Now, pair: ipsec_sad::PairId, path: Path) {
        let Some(child) = self.children.get_mut(&pair) else { return };
        if !child.in_udp || !may_move(child.nat) || child.path == path {
            return;
        }
        let (nat, carrier) = (child.nat, child.carrier);
        let before = std::mem::replace(&mut child.path, path);
        self.hold_mapping(now, path, nat);
        self.release_mapping(before, nat);
        for pair in carrier.map(|carrier| carrier.pair).into_iter().chain([pair]) {
            self.core.outbox.effect(Effect::MovePath { pair, path });
        }
    }

    /// One SA more needs the mapping of a NAT at our end.
    pub(super) fn hold_mapping(&mut self, now: Now, path: Path, nat: NatFound) {
        if nat.here != Behind::Nat {
            return;
        }
        let users = self.mappings.0.entry(path).or_default();
        *users += 1;
        if *users == 1 {
            let next = now.mono + self.core.config.timing().keepalive;
            self.core.timers.set(TimerKey::Mapping(path), next);
        }
    }

    /// One SA less needs it.
    pub(super) fn release_mapping(&mut self, path: Path, nat: NatFound) {
        if nat.here != Behind::Nat {
            return;
        }
        let Some(users) = self.mappings.0.get_mut(&path) else { return };
        *users -= 1;
        if *users == 0 {
            self.mappings.0.remove(&path);
            self.core.timers.clear(TimerKey::Mapping(path));
        }
    }

    /// A packet that means nothing, so that the NAT keeps the mapping (RFC 3948 §4).
    pub(super) fn keep_alive(&mut self, now: Now, path: Path) {
        self.core.outbox.send(path, vec![0xff], Framing::Keepalive);
        let next = now.mono + self.core.config.timing().keepalive;
        self.core.timers.set(TimerKey::Mapping(path), next);
    }
}
