//! The simulated network: loss, delay, duplication, reordering, corruption and NAT, all from one seed.
//!
//! Time is virtual: it is whatever the calls say it is. The same seed and the same calls in the same order give the
//! same octets in the same order, always.
//!
//! ```
//! use ipsec_io::memory::{Chance, Conditions, Network};
//! use std::time::Duration;
//!
//! let conditions = Conditions { loss: Chance::of(0.2), delay: Duration::from_millis(10), ..Conditions::default() };
//! let network = Network::new(7, conditions);
//! let left = network.attach(&["192.0.2.1".parse().unwrap()]);
//! let right = network.attach(&["192.0.2.2".parse().unwrap()]);
//! # drop((left, right));
//! assert_eq!(network.counters().sent, 0);
//! ```

mod link;
mod nat;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipsec_ike::Now;
use ipsec_proto::Path;
use ipsec_sad::{Batch, Encap, Meta};

use crate::backend::{self, Form, Moved, Taken, Wire};

pub use link::MemoryLink;
pub use nat::Nat;
use nat::{Translation, Translator};

/// Datagrams under way at one time, in all. Beyond it new ones are lost, as in a full queue.
const CAPACITY: usize = 65_536;

/// The largest payload a UDP datagram over IPv4 can have, in octets.
const LARGEST: usize = 65_507;

/// A probability, in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u32);

impl Chance {
    /// It never happens.
    pub const NEVER: Self = Self(0);
    /// It always happens.
    pub const ALWAYS: Self = Self(1_000_000);

    /// The probability `fraction`, taken into 0 to 1; not-a-number is 0.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1 before")]
    pub fn of(fraction: f64) -> Self {
        Self((fraction.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    /// The probability, from 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 1e4)
    }
}

/// What the network does to datagrams. The default is a perfect network without delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// How likely a datagram is lost.
    pub loss: Chance,
    /// How likely a datagram arrives twice, the second one with a delay of its own.
    pub duplicate: Chance,
    /// How likely a datagram is held back so that later ones overtake it.
    pub reorder: Chance,
    /// How likely one bit of a datagram is flipped, behind the back of all checksums.
    pub corrupt: Chance,
    /// How long a datagram takes.
    pub delay: Duration,
    /// How much longer it may take, evenly spread.
    pub jitter: Duration,
    /// How much longer a datagram takes that is held back; 0 is taken as 10 ms.
    pub holdback: Duration,
    /// The largest payload that passes, in octets; larger ones are lost. `None`: as large as UDP allows.
    pub mtu: Option<usize>,
}

/// What happened to datagrams so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Handed in by senders.
    pub sent: u64,
    /// Handed out to receivers, copies included.
    pub delivered: u64,
    /// Lost by [`Conditions::loss`].
    pub lost: u64,
    /// Arrived twice.
    pub duplicated: u64,
    /// Held back.
    pub reordered: u64,
    /// Changed by a bit.
    pub corrupted: u64,
    /// Larger than [`Conditions::mtu`].
    pub oversize: u64,
    /// For an address that nobody has, or kept out by a NAT.
    pub unroutable: u64,
    /// Refused since too many were under way.
    pub overflow: u64,
}

/// A simulated network; clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<State>>);

impl Network {
    /// An empty network. `seed` decides everything that is left to chance.
    #[must_use]
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: SplitMix(seed),
            conditions,
            counters: Counters::default(),
            under_way: BTreeMap::new(),
            serial: 0,
            hosts: Vec::new(),
            nats: Vec::new(),
        })))
    }

    /// Connects a host with these addresses, all ports of them.
    #[must_use]
    pub fn attach(&self, addresses: &[IpAddr]) -> MemoryWire {
        let mut state = self.lock();
        let host = state.hosts.len();
        state.hosts.push(Host { addresses: addresses.to_vec(), arrived: VecDeque::new() });
        MemoryWire { network: self.clone(), host }
    }

    /// Puts a NAT between some addresses and all others.
    pub fn add_nat(&self, nat: Nat) {
        self.lock().nats.push(Translator::new(nat));
    }

    /// Makes every NAT forget its mappings, as a restart does: the next datagram from inside gets a new port.
    pub fn restart_nats(&self) {
        for nat in &mut self.lock().nats {
            nat.forget();
        }
    }

    /// Changes what happens to datagrams sent from now on.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.lock().conditions = conditions;
    }

    /// What happened to datagrams so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// When the next datagram arrives anywhere: the next moment a simulation has to look at. A moment that is past
    /// means that a datagram waits at its receiver.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        let state = self.lock();
        let waiting =
            state.hosts.iter().filter_map(|host| host.arrived.front()).map(|datagram| datagram.at).min();
        let coming = state.under_way.keys().next().map(|(at, _)| *at);
        waiting.into_iter().chain(coming).min()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is plain data and consistent after every statement: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct State {
    random: SplitMix,
    conditions: Conditions,
    counters: Counters,
    under_way: BTreeMap<(Instant, u64), Datagram>,
    serial: u64,
    hosts: Vec<Host>,
    nats: Vec<Translator>,
}

#[derive(Debug)]
struct Host {
    addresses: Vec<IpAddr>,
    arrived: VecDeque<Datagram>,
}

#[derive(Clone, Debug)]
struct Datagram {
    at: Instant,
    source: SocketAddr,
    destination: SocketAddr,
    form: Form,
    traffic_class: u8,
    octets: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Fortune {
    held: bool,
    jitter: Duration,
}

impl State {
    fn send(&mut self, now: Instant, mut datagram: Datagram) {
        self.counters.sent += 1;
        let conditions = self.conditions;
        if datagram.octets.len() > conditions.mtu.unwrap_or(LARGEST).min(LARGEST) {
            self.counters.oversize += 1;
            return;
        }
        if !self.translate_source(now, &mut datagram) {
            self.counters.unroutable += 1;
            return;
        }
        // Each question is always asked, so that one condition does not shift the fortune of the others.
        let lost = self.random.happens(conditions.loss);
        let twice = self.random.happens(conditions.duplicate);
        let corrupt = self.random.happens(conditions.corrupt);
        let bit = self.random.next();
        let (first, second) = (self.fortune(), self.fortune());
        if lost {
            self.counters.lost += 1;
            return;
        }
        let copy = twice.then(|| datagram.clone());
        if corrupt {
            self.counters.corrupted += 1;
            flip(&mut datagram.octets, bit);
        }
        self.put(now, first, datagram);
        if let Some(copy) = copy {
            self.counters.duplicated += 1;
            self.put(now, second, copy);
        }
    }

    /// Applies the NAT that the sender is behind, unless the receiver is behind the same.
    fn translate_source(&mut self, now: Instant, datagram: &mut Datagram) -> bool {
        let destination = datagram.destination;
        let Some(nat) = self
            .nats
            .iter_mut()
            .find(|nat| nat.is_inside(datagram.source.ip()) && !nat.is_inside(destination.ip()))
        else {
            return true;
        };
        match nat.outbound(now, datagram.source, destination, datagram.form) {
            Translation::To(outside) => {
                datagram.source = outside;
                true
            }
            Translation::Refused => false,
        }
    }

    /// How long one datagram will take.
    fn fortune(&mut self) -> Fortune {
        let held = self.random.happens(self.conditions.reorder);
        Fortune { held, jitter: self.random.below(self.conditions.jitter) }
    }

    fn put(&mut self, now: Instant, fortune: Fortune, mut datagram: Datagram) {
        if self.under_way.len() >= CAPACITY {
            self.counters.overflow += 1;
            return;
        }
        let Conditions { delay, holdback, .. } = self.conditions;
        let holdback = if holdback.is_zero() { Duration::from_millis(10) } else { holdback };
        datagram.at = now + delay + fortune.jitter;
        if fortune.held {
            self.counters.reordered += 1;
            datagram.at += holdback;
        }
        self.serial += 1;
        self.under_way.insert((datagram.at, self.serial), datagram);
    }

    /// Moves all that has arrived by `now` to its receivers.
    fn arrive(&mut self, now: Instant) {
        while let Some(entry) = self.under_way.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let mut datagram = entry.remove();
            let outside = datagram.destination.ip();
            if let Some(nat) = self.nats.iter_mut().find(|nat| nat.is_outside(outside)) {
                match nat.inbound(datagram.at, datagram.destination, datagram.source) {
                    Translation::To(inside) => datagram.destination = inside,
                    Translation::Refused => {
                        self.counters.unroutable += 1;
                        continue;
                    }
                }
            }
            let to = datagram.destination.ip();
            match self.hosts.iter_mut().find(|host| host.addresses.contains(&to)) {
                Some(host) if host.arrived.len() < CAPACITY => host.arrived.push_back(datagram),
                Some(_) => self.counters.overflow += 1,
                None => self.counters.unroutable += 1,
            }
        }
    }
}

fn flip(octets: &mut [u8], bit: u64) {
    let bits = octets.len() as u64 * 8;
    if let Some(at) = bit.checked_rem(bits)
        && let Some(octet) = usize::try_from(at / 8).ok().and_then(|index| octets.get_mut(index))
    {
        *octet ^= 1 << (at % 8);
    }
}

/// Steele, Lea and Flood's SplitMix64: chance for a simulation, of no use for secrets.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn happens(&mut self, chance: Chance) -> bool {
        self.next() % 1_000_000 < u64::from(chance.0)
    }

    fn below(&mut self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.next().checked_rem(nanos).unwrap_or(0))
    }
}

/// One host's connection to a [`Network`].
#[derive(Debug)]
pub struct MemoryWire {
    network: Network,
    host: usize,
}

impl Wire for MemoryWire {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        let mut moved = Moved::default();
        let mut state = self.network.lock();
        state.arrive(now.mono);
        let Some(host) = state.hosts.get_mut(self.host) else { return moved };
        while let Some(datagram) = host.arrived.front() {
            let path = Path::new(datagram.destination, datagram.source);
            let traffic_class = Some(datagram.traffic_class);
            let meta = match datagram.form {
                Form::Udp => Meta::Wire { path, encap: Encap::Udp, traffic_class },
                Form::Esp => Meta::Wire { path, encap: Encap::Raw, traffic_class },
                Form::Packet => Meta::Packet,
            };
            if moved.push(batch, meta, &datagram.octets) == Taken::Full {
                break;
            }
            host.arrived.pop_front();
        }
        state.counters.delivered += moved.packets as u64;
        moved
    }

    fn send(&mut self, now: Now, datagrams: &[backend::Datagram<'_>]) -> Moved {
        let mut moved = Moved::default();
        let mut state = self.network.lock();
        for datagram in datagrams {
            let own = Datagram {
                at: now.mono,
                source: datagram.path.local,
                destination: datagram.path.remote,
                form: datagram.form,
                traffic_class: datagram.traffic_class,
                octets: datagram.octets.to_vec(),
            };
            state.send(now.mono, own);
            moved.count(datagram.octets.len());
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
