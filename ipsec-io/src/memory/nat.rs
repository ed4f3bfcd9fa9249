//! A NAT with port rewriting, as gateways meet it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::backend::Form;

/// A NAT: several inside addresses share one outside address, and ports are rewritten (RFC 3022 §2.2).
///
/// Mappings are the same for all destinations; what comes in passes only from an address that was written to
/// before (RFC 4787 §4.1 and §5: endpoint-independent mapping, address-dependent filtering). Raw ESP has no ports
/// and does not pass, which is why NAT traversal exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nat {
    /// The addresses that are translated.
    pub inside: Vec<IpAddr>,
    /// The address they are seen under.
    pub outside: IpAddr,
    /// The first port that is given out.
    pub first_port: u16,
    /// How long a mapping lives without a datagram from inside; `None`: for ever.
    pub idle: Option<Duration>,
}

impl Nat {
    /// A NAT that hands out ports from 40000 on and forgets a mapping after 30 s.
    #[must_use]
    pub fn new(inside: &[IpAddr], outside: IpAddr) -> Self {
        Self { inside: inside.to_vec(), outside, first_port: 40_000, idle: Some(Duration::from_secs(30)) }
    }
}

#[derive(Debug)]
pub(super) struct Translator {
    nat: Nat,
    next_port: u16,
    by_inside: BTreeMap<SocketAddr, u16>,
    by_port: BTreeMap<u16, Mapping>,
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    used: Instant,
    /// The addresses written to, so those that may answer.
    peers: Vec<IpAddr>,
}

/// Peers remembered for one mapping. Beyond it the oldest is forgotten.
const PEERS: usize = 256;

pub(super) enum Translation {
    To(SocketAddr),
    Refused,
}

impl Translator {
    pub(super) fn new(nat: Nat) -> Self {
        let next_port = nat.first_port;
        Self { nat, next_port, by_inside: BTreeMap::new(), by_port: BTreeMap::new() }
    }

    pub(super) fn is_inside(&self, address: IpAddr) -> bool {
        self.nat.inside.contains(&address)
    }

    pub(super) fn is_outside(&self, address: IpAddr) -> bool {
        self.nat.outside == address
    }

    pub(super) fn forget(&mut self) {
        self.by_inside.clear();
        self.by_port.clear();
    }

    pub(super) fn outbound(
        &mut self,
        now: Instant,
        inside: SocketAddr,
        to: SocketAddr,
        form: Form,
    ) -> Translation {
        if form != Form::Udp {
            return Translation::Refused;
        }
        let known = self.by_inside.get(&inside).copied().filter(|port| self.is_alive(*port, now));
        let Some(port) = known.or_else(|| self.free_port(now)) else { return Translation::Refused };
        let mapping =
            self.by_port.entry(port).or_insert_with(|| Mapping { inside, used: now, peers: Vec::new() });
        if mapping.inside != inside {
            *mapping = Mapping { inside, used: now, peers: Vec::new() };
        }
        mapping.used = now;
        if !mapping.peers.contains(&to.ip()) {
            if mapping.peers.len() >= PEERS {
                mapping.peers.remove(0);
            }
            mapping.peers.push(to.ip());
        }
        self.by_inside.insert(inside, port);
        Translation::To(SocketAddr::new(self.nat.outside, port))
    }

    pub(super) fn inbound(&self, now: Instant, outside: SocketAddr, from: SocketAddr) -> Translation {
        let port = outside.port();
        match self.by_port.get(&port) {
            Some(mapping) if self.is_alive(port, now) && mapping.peers.contains(&from.ip()) => {
                Translation::To(mapping.inside)
            }
            _ => Translation::Refused,
        }
    }

    fn is_alive(&self, port: u16, now: Instant) -> bool {
        self.by_port.get(&port).is_some_and(|mapping| {
            self.nat.idle.is_none_or(|idle| now.saturating_duration_since(mapping.used) <= idle)
        })
    }

    /// The next port without a living mapping.
    fn free_port(&mut self, now: Instant) -> Option<u16> {
        for _ in self.nat.first_port..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(self.nat.first_port);
            if !self.is_alive(port, now) {
                if let Some(old) = self.by_port.remove(&port) {
                    self.by_inside.remove(&old.inside);
                }
                return Some(port);
            }
        }
        None
    }
}
