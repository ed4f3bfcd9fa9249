//! Two gateways, a network between them, and time that passes only when told to.

use std::time::Duration;

use ipsec_crypto::Seeded;
use ipsec_ike::{Command, Now};
use ipsec_io::backend::{Datagram, Wire, to_link, to_wire};
use ipsec_io::events::Record;
use ipsec_io::memory::{MemoryWire, Network};
use ipsec_io::node::{Node, NodeOutput, NodeReport};
use ipsec_proto::Path;
use ipsec_sad::{Batch, Encap, Meta};
use std::net::IpAddr;
use std::sync::Arc;

use crate::packet;
use crate::scenario::{CHILD, CONNECTION, EndSetup, Scenario, Side};
use crate::time::{at, since_start};

/// Packets in one batch.
const BATCH: usize = 32;
/// The longest packet in octets.
const LONGEST: usize = 65_535;
/// Rounds at one moment of virtual time after which a simulation is taken to run in a circle.
const ROUNDS: usize = 10_000;

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The network took it on.
    Sent,
    /// The network lost it.
    Lost,
}

/// A datagram that a gateway put on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// When, since the start.
    pub at: Duration,
    /// Who.
    pub from: Side,
    /// The way it was to take.
    pub path: Path,
    /// In UDP, or protocol 50.
    pub encap: Encap,
    /// What is behind the UDP or IP header.
    pub octets: Vec<u8>,
    /// What became of it.
    pub fate: Fate,
}

/// One of the gateways.
#[derive(Debug)]
pub struct End {
    /// The gateway.
    pub node: Node,
    /// Everything it said, in order.
    pub records: Vec<Record>,
    /// Packets that came through the tunnel to the host behind it.
    pub delivered: Vec<Vec<u8>>,
    /// How it was set up.
    pub setup: EndSetup,
    wire: MemoryWire,
    batch: Batch,
    buffer: Vec<u8>,
}

/// Two gateways. Tests read as prose: `up`, `ping`, `drive`, then look at `report` and `records`.
#[derive(Debug)]
pub struct Pair {
    /// The western gateway.
    pub west: End,
    /// The eastern gateway.
    pub east: End,
    /// The network between them.
    pub network: Network,
    /// Every datagram either gateway put on the wire.
    pub wire: Vec<Sent>,
    now: Duration,
    sequence: u16,
}

impl Pair {
    /// Starts a simulation; [`Scenario::build`] says the same.
    ///
    /// # Panics
    /// When a configuration is refused.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        let Scenario { seed, conditions, nat, west, east } = scenario;
        let network = Network::new(seed, conditions);
        if let Some(nat) = nat {
            network.add_nat(nat);
        }
        let mut pair = Self {
            west: End::new(west, &network, seed.wrapping_mul(2)),
            east: End::new(east, &network, seed.wrapping_mul(2).wrapping_add(1)),
            network,
            wire: Vec::new(),
            now: Duration::ZERO,
            sequence: 0,
        };
        for side in [Side::West, Side::East] {
            pair.drain(side);
        }
        pair
    }

    /// One gateway.
    #[must_use]
    pub const fn end(&self, side: Side) -> &End {
        match side {
            Side::West => &self.west,
            Side::East => &self.east,
        }
    }

    /// One gateway, to change.
    pub const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::West => &mut self.west,
            Side::East => &mut self.east,
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Now {
        at(self.now)
    }

    /// Virtual time since the start.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.now
    }

    /// How a gateway stands.
    #[must_use]
    pub fn report(&self, side: Side) -> NodeReport {
        self.end(side).node.report(self.now())
    }

    /// Gives a gateway a command.
    ///
    /// # Panics
    /// When the command makes no sense.
    pub fn command(&mut self, side: Side, command: Command) {
        let now = self.now();
        self.end_mut(side).node.command(now, command).expect("a command that makes sense");
        self.drain(side);
    }

    /// Tells a gateway to bring the tunnel up.
    ///
    /// # Panics
    /// Never: the connection exists.
    pub fn up(&mut self, side: Side) {
        self.command(side, Command::Up { connection: CONNECTION.to_owned(), child: None });
    }

    /// Tells a gateway to take the whole connection down.
    ///
    /// # Panics
    /// Never: the connection exists.
    pub fn down(&mut self, side: Side) {
        self.command(side, Command::Down { connection: CONNECTION.to_owned(), child: None });
    }

    /// Tells a gateway to take the child down and to keep the ISAKMP SA.
    ///
    /// # Panics
    /// Never: the child exists.
    pub fn down_child(&mut self, side: Side) {
        self.command(
            side,
            Command::Down { connection: CONNECTION.to_owned(), child: Some(CHILD.to_owned()) },
        );
    }

    /// A host behind a gateway sends a packet.
    ///
    /// # Panics
    /// When the packet is longer than any IP packet.
    pub fn send(&mut self, side: Side, packet: &[u8]) {
        let now = self.now();
        let end = self.end_mut(side);
        let mut batch = end.take_batch();
        batch.push(Meta::Clear, packet).expect("an empty batch takes an IP packet");
        end.node.handle_link(now, &mut batch);
        for datagram in to_wire(&batch) {
            self.put(side, datagram);
        }
        self.end_mut(side).batch = batch;
        self.drain(side);
    }

    /// The host behind a gateway sends an echo request to the one behind the other.
    pub fn send_ping(&mut self, side: Side) {
        self.sequence = self.sequence.wrapping_add(1);
        let (source, destination) = (self.end(side).setup.host, self.end(side.peer()).setup.host);
        self.send(side, &packet::echo_request(source, destination, self.sequence, 56));
    }

    /// Sends an echo request and answers it; whether the answer came back within `patience`.
    pub fn ping(&mut self, side: Side, patience: Duration) -> bool {
        let before = [self.end(side).delivered.len(), self.end(side.peer()).delivered.len()];
        self.send_ping(side);
        if !self.drive_until(patience, |pair| pair.end(side.peer()).delivered.len() > before[1]) {
            return false;
        }
        let reply = self.end(side.peer()).delivered.last().and_then(|request| packet::echo_reply(request));
        let Some(reply) = reply else { return false };
        self.send(side.peer(), &reply);
        self.drive_until(patience, |pair| {
            pair.end(side).delivered.get(before[0]..).is_some_and(|new| new.contains(&reply))
        })
    }

    /// Hands a datagram to a gateway as if it had come from `path.remote`, with nothing on the wire.
    pub fn inject(&mut self, side: Side, path: Path, encap: Encap, octets: &[u8]) {
        let mut batch = self.end_mut(side).take_batch();
        if batch.push(Meta::Wire { path, encap, traffic_class: Some(0) }, octets).is_ok() {
            self.receive(side, &mut batch);
        }
        self.end_mut(side).batch = batch;
    }

    /// Does all that is due now, then moves on to the next moment at which something is; `None` when nothing ever will be.
    ///
    /// # Panics
    /// When the gateways keep each other busy without time passing.
    pub fn step(&mut self) -> Option<Duration> {
        self.due();
        let next = self.next()?;
        self.now = self.now.max(next);
        Some(self.now)
    }

    /// Lets virtual time pass, doing all that falls into it.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn drive(&mut self, time: Duration) {
        self.drive_until(time, |_| false);
    }

    /// Lets virtual time pass until something holds, for `limit` at most; whether it held.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn drive_until(&mut self, limit: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.due();
            if holds(self) {
                return true;
            }
            match self.next() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => {
                    self.now = end;
                    return false;
                }
            }
        }
    }

    /// Whether both gateways have one pair of SAs each.
    #[must_use]
    pub fn is_up(&self) -> bool {
        [Side::West, Side::East].iter().all(|side| self.report(*side).children.len() == 1)
    }

    /// Whether neither gateway holds anything any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [Side::West, Side::East].iter().all(|side| {
            let report = self.report(*side);
            report.ike_sas.is_empty() && report.children.is_empty() && report.waiting.acquires == 0
        })
    }

    /// The codes of all records of one gateway, in order.
    #[must_use]
    pub fn codes(&self, side: Side) -> Vec<&'static str> {
        self.end(side).records.iter().map(Record::code).collect()
    }

    /// The sentences of one gateway's records with a code.
    #[must_use]
    pub fn sentences(&self, side: Side, code: &str) -> Vec<String> {
        self.end(side).records.iter().filter(|record| record.code() == code).map(Record::message).collect()
    }

    /// Checks that both ends see the same tunnel: SPIs crosswise, algorithms, and traffic that one sent and the other got.
    ///
    /// # Panics
    /// When they do not.
    pub fn assert_agreement(&self) {
        let (west, east) = (self.report(Side::West), self.report(Side::East));
        assert_eq!((west.children.len(), east.children.len()), (1, 1), "{west}\n{east}");
        for (ours, theirs) in west.children.iter().zip(&east.children) {
            assert_eq!((&ours.inbound_spi, &ours.outbound_spi), (&theirs.outbound_spi, &theirs.inbound_spi));
            assert_eq!((&ours.suite, &ours.encapsulation), (&theirs.suite, &theirs.encapsulation));
            assert_eq!((ours.inbound, ours.outbound), (theirs.outbound, theirs.inbound));
        }
        for (ours, theirs) in west.ike_sas.iter().zip(&east.ike_sas) {
            assert_eq!((&ours.cookies, &ours.suite), (&theirs.cookies, &theirs.suite));
            assert_eq!((&ours.local_id, &ours.remote_id), (&theirs.remote_id, &theirs.local_id));
        }
    }

    fn next(&self) -> Option<Duration> {
        let timers = [&self.west, &self.east].map(|end| end.node.poll_timeout().map(|(at, _)| at));
        timers.into_iter().flatten().chain(self.network.next_arrival()).min().map(since_start)
    }

    fn due(&mut self) {
        for _ in 0..ROUNDS {
            let mut quiet = true;
            for side in [Side::West, Side::East] {
                quiet &= !(self.arrivals(side) | self.timeouts(side));
            }
            if quiet {
                return;
            }
        }
        panic!("no end of work at {:?}", self.now);
    }

    fn arrivals(&mut self, side: Side) -> bool {
        let now = self.now();
        let end = self.end_mut(side);
        let mut batch = end.take_batch();
        let moved = end.wire.receive(now, &mut batch);
        if moved.packets > 0 {
            self.receive(side, &mut batch);
        }
        self.end_mut(side).batch = batch;
        moved.packets > 0
    }

    fn receive(&mut self, side: Side, batch: &mut Batch) {
        let now = self.now();
        let end = self.end_mut(side);
        end.node.handle_wire(now, batch);
        end.delivered.extend(to_link(batch).map(<[u8]>::to_vec));
        self.drain(side);
    }

    fn timeouts(&mut self, side: Side) -> bool {
        let now = self.now();
        let node = &mut self.end_mut(side).node;
        let due = node.poll_timeout().is_some_and(|(at, _)| at <= now.mono);
        if due {
            node.handle_timeout(now);
            self.drain(side);
        }
        due
    }

    /// Takes all outputs of a gateway.
    fn drain(&mut self, side: Side) {
        let mut buffer = std::mem::take(&mut self.end_mut(side).buffer);
        while let Some(output) = self.end_mut(side).node.poll_output(&mut buffer) {
            match output {
                NodeOutput::Transmit(transmit) => {
                    let octets = buffer.get(transmit.range).expect("the node says where its octets are");
                    let (path, form, traffic_class) = (transmit.path, transmit.form, transmit.traffic_class);
                    self.put(side, Datagram { path, form, traffic_class, octets });
                }
                NodeOutput::Record(record) => self.end_mut(side).records.push(*record),
                other => panic!("nobody asked for {other:?}"),
            }
            buffer.clear();
        }
        self.end_mut(side).buffer = buffer;
    }

    fn put(&mut self, side: Side, datagram: Datagram<'_>) {
        let before = self.network.counters();
        let now = self.now();
        self.end_mut(side).wire.send(now, &[datagram]);
        let after = self.network.counters();
        let gone =
            |counters: ipsec_io::memory::Counters| counters.lost + counters.oversize + counters.unroutable;
        let fate = if gone(after) == gone(before) { Fate::Sent } else { Fate::Lost };
        let Datagram { path, form, octets, .. } = datagram;
        let encap = form.encap();
        self.wire.push(Sent { at: self.now, from: side, path, encap, octets: octets.to_vec(), fate });
    }
}

impl End {
    fn new(setup: EndSetup, network: &Network, seed: u64) -> Self {
        let provider = Arc::new(setup.provider);
        let addresses: [IpAddr; 1] = [setup.address];
        let node = Node::new(setup.config(), provider, Box::new(Seeded::from_u64(seed)), at(Duration::ZERO))
            .expect("a setup without faults");
        Self {
            node,
            records: Vec::new(),
            delivered: Vec::new(),
            setup,
            wire: network.attach(&addresses),
            batch: Batch::new(BATCH, LONGEST),
            buffer: Vec::new(),
        }
    }

    fn take_batch(&mut self) -> Batch {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(0, 0));
        batch.clear();
        batch
    }
}
