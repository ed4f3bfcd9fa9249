//! The flow cache: what was found for a flow the last time, until anything that could change it changes.

use core::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::flow::Flow;

/// Entries that share a hash index.
const WAYS: usize = 4;

/// A cache of `V` by outbound flow, of a fixed size: the flows of one index displace each other.
///
/// Every entry carries the generation it was made in and is nothing in any other.
pub(crate) struct FlowCache<V> {
    sets: Box<[[Option<Entry<V>>; WAYS]]>,
    /// Keyed by the worker, so that a sender can't choose flows that displace each other.
    hasher: FixedState,
    hits: u64,
    misses: u64,
}

#[derive(Clone, Copy)]
struct Entry<V> {
    flow: Flow,
    generation: u64,
    value: V,
}

impl<V: Copy> FlowCache<V> {
    /// A cache for about `flows` flows.
    pub(crate) fn new(flows: usize, seed: u64) -> Self {
        let sets = flows.div_ceil(WAYS).next_power_of_two();
        Self {
            sets: vec![[None; WAYS]; sets].into_boxed_slice(),
            hasher: FixedState::with_seed(seed),
            hits: 0,
            misses: 0,
        }
    }

    /// What was found for `flow` in this generation.
    pub(crate) fn get(&mut self, flow: &Flow, generation: u64) -> Option<V> {
        let hash = self.hasher.hash_one(flow);
        let found = self
            .set(hash)
            .iter()
            .flatten()
            .find(|entry| entry.flow == *flow && entry.generation == generation)
            .map(|entry| entry.value);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    /// As [`get`](Self::get), without counting.
    pub(crate) fn peek(&self, flow: &Flow, generation: u64) -> Option<V> {
        let set = self.sets.get(self.index(self.hasher.hash_one(flow)))?;
        let found = |entry: &&Entry<V>| entry.flow == *flow && entry.generation == generation;
        set.iter().flatten().find(found).map(|entry| entry.value)
    }

    /// Remembers what was found for `flow`, in the place of its own older entry, of one of an older generation, or
    /// else of any.
    pub(crate) fn put(&mut self, flow: &Flow, generation: u64, value: V) {
        let hash = self.hasher.hash_one(flow);
        // Other bits than those that chose the set.
        let victim = usize::from(hash.to_be_bytes()[0]) % WAYS;
        let set = self.set(hash);
        let place = set
            .iter()
            .position(|entry| entry.is_some_and(|entry| entry.flow == *flow))
            .or_else(|| set.iter().position(|entry| entry.is_none_or(|entry| entry.generation != generation)))
            .unwrap_or(victim);
        if let Some(entry) = set.get_mut(place) {
            *entry = Some(Entry { flow: *flow, generation, value });
        }
    }

    /// Lookups that found something, and those that did not.
    pub(crate) const fn counts(&self) -> (u64, u64) {
        (self.hits, self.misses)
    }

    fn set(&mut self, hash: u64) -> &mut [Option<Entry<V>>; WAYS] {
        let index = self.index(hash);
        self.sets.get_mut(index).expect("an index masked by the power of two that is the length")
    }

    fn index(&self, hash: u64) -> usize {
        // Only the low bits count, so the cut on 32-bit targets is harmless.
        hash as usize & (self.sets.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use ipsec_proto::registry::IpProtocol;

    use super::*;
    use crate::flow::Ports;

    fn flow(number: u16) -> Flow {
        let ports = Ports::Transport { source: number, destination: 53 };
        Flow::new([10, 0, 0, 1], [10, 0, 0, 2], IpProtocol::UDP, ports)
    }

    #[test]
    fn an_entry_lives_in_its_generation_only() {
        let mut cache = FlowCache::new(64, 1);
        cache.put(&flow(1), 7, 'a');
        assert_eq!(cache.get(&flow(1), 7), Some('a'));
        assert_eq!(cache.get(&flow(1), 8), None);
        assert_eq!(cache.get(&flow(2), 7), None);
        cache.put(&flow(1), 8, 'b');
        assert_eq!(cache.get(&flow(1), 8), Some('b'));
        assert_eq!(cache.counts(), (2, 2));
    }

    #[test]
    fn many_flows_displace_each_other_and_never_mix() {
        let mut cache = FlowCache::new(64, 1);
        for number in 0..10_000 {
            cache.put(&flow(number), 1, number);
        }
        let kept: Vec<u16> = (0..10_000).filter(|&number| cache.get(&flow(number), 1).is_some()).collect();
        assert!((32..=64).contains(&kept.len()), "{}", kept.len());
        for number in kept {
            assert_eq!(cache.get(&flow(number), 1), Some(number));
        }
    }
}
