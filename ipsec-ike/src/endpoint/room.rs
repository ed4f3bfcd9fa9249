//! Room for strangers: half-open negotiations, how many there may be, and which one goes for a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use ipsec_crypto::SecureRandom;

use crate::config::Limits;
use crate::sa::SaId;

/// Numbers of which one can be drawn at random: each operation is O(log n), however many strangers there are.
#[derive(Debug, Default)]
struct Pool {
    ids: Vec<SaId>,
    places: BTreeMap<SaId, usize>,
}

impl Pool {
    fn insert(&mut self, id: SaId) {
        self.places.insert(id, self.ids.len());
        self.ids.push(id);
    }

    fn remove(&mut self, id: SaId) {
        let Some(place) = self.places.remove(&id) else { return };
        self.ids.swap_remove(place);
        if let Some(moved) = self.ids.get(place) {
            self.places.insert(*moved, place);
        }
    }

    fn draw(&self, random: &mut dyn SecureRandom) -> Option<SaId> {
        draw(&self.ids, random)
    }
}

fn draw(ids: &[SaId], random: &mut dyn SecureRandom) -> Option<SaId> {
    let mut octets = [0; 8];
    random.fill(&mut octets);
    let place = usize::try_from(u64::from_be_bytes(octets) % (ids.len() as u64).max(1)).unwrap_or_default();
    ids.get(place).copied()
}

/// Responder negotiations that are not yet authenticated.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    /// MM2 is sent: whoever sent MM1 has not shown that it receives.
    addressed: Pool,
    /// MM3 has come back from the address.
    returned: Pool,
    by_source: BTreeMap<IpAddr, BTreeSet<SaId>>,
}

/// What a new negotiation meets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// At the limit: this one goes for it.
    Instead(SaId),
}

/// Whom a limit for one source counts: an IPv6 network is one source, for it has more addresses than anybody could count.
fn source(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

impl HalfOpen {
    pub(super) fn len(&self) -> usize {
        self.addressed.ids.len() + self.returned.ids.len()
    }

    pub(super) fn insert(&mut self, from: IpAddr, id: SaId) {
        self.addressed.insert(id);
        self.by_source.entry(source(from)).or_default().insert(id);
    }

    /// MM3 has come: the address is real.
    pub(super) fn returned(&mut self, id: SaId) {
        if self.addressed.places.contains_key(&id) {
            self.addressed.remove(id);
            self.returned.insert(id);
        }
    }

    pub(super) fn remove(&mut self, from: IpAddr, id: SaId) {
        self.addressed.remove(id);
        self.returned.remove(id);
        let from = source(from);
        if let Some(ids) = self.by_source.get_mut(&from) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_source.remove(&from);
            }
        }
    }

    /// Whether there is room for one more. Who goes is drawn at random, so that a flood cannot time it; those whose address
    /// is not proven go first.
    pub(super) fn room(&self, from: IpAddr, limits: &Limits, random: &mut dyn SecureRandom) -> Room {
        let of_source =
            self.by_source.get(&source(from)).filter(|ids| ids.len() >= limits.half_open_per_source);
        let victim = if let Some(ids) = of_source {
            let (addressed, returned): (Vec<_>, Vec<_>) =
                ids.iter().partition(|id| self.addressed.places.contains_key(id));
            draw(&addressed, random).or_else(|| draw(&returned, random))
        } else if self.len() >= limits.half_open {
            self.addressed.draw(random).or_else(|| self.returned.draw(random))
        } else {
            None
        };
        victim.map_or(Room::Free, Room::Instead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipsec_crypto::Seeded;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_an_ipv4_address_another() {
        assert_eq!(source(address("2001:db8:0:1::5")), source(address("2001:db8:0:1:ffff::")));
        assert_ne!(source(address("2001:db8:0:1::5")), source(address("2001:db8:0:2::5")));
        assert_ne!(source(address("192.0.2.1")), source(address("192.0.2.2")));
    }

    #[test]
    fn proven_addresses_go_last_and_whatever_leaves_leaves_nothing() {
        let limits = Limits { half_open: 4, half_open_per_source: 2, ..Limits::default() };
        let mut random = Seeded::from_u64(1);
        let mut open = HalfOpen::default();
        let from = |nth: u8| IpAddr::from([192, 0, 2, nth]);
        for nth in 1..=4 {
            assert_eq!(open.room(from(nth), &limits, &mut random), Room::Free);
            open.insert(from(nth), SaId(nth.into()));
        }
        for nth in [1, 2, 4] {
            open.returned(SaId(nth));
        }
        assert_eq!(open.room(from(9), &limits, &mut random), Room::Instead(SaId(3)));
        open.returned(SaId(3));
        assert!(matches!(open.room(from(9), &limits, &mut random), Room::Instead(_)));
        for nth in 1..=4 {
            open.remove(from(nth), SaId(nth.into()));
        }
        assert_eq!(open.len(), 0);
        assert!(open.by_source.is_empty() && open.returned.places.is_empty());
    }

    #[test]
    fn the_drawn_one_differs_from_time_to_time() {
        let limits = Limits { half_open: 50, ..Limits::default() };
        let mut random = Seeded::from_u64(1);
        let mut open = HalfOpen::default();
        for nth in 0..50_u8 {
            open.insert([10, 0, 0, nth].into(), SaId(nth.into()));
        }
        let mut drawn = BTreeSet::new();
        for _ in 0..200 {
            let Room::Instead(id) = open.room(address("10.1.0.0"), &limits, &mut random) else { panic!() };
            drawn.insert(id);
        }
        assert!(drawn.len() > 30, "{}", drawn.len());
    }
}
