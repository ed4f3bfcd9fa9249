//! Both gateways, the wire between them, and time that passes only here: the loop an embedding program writes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_io::backend::{Datagram, Link, Wire, to_link, to_wire};
use ipsec_io::crypto::{CryptoProvider, Seeded};
use ipsec_io::events::{Record, What};
use ipsec_io::ike::{Event, Now, Sense, UnixTime};
use ipsec_io::memory::{Chance, Conditions, MemoryLink, Network};
use ipsec_io::node::{Node, NodeOutput, NodeReport};
use ipsec_io::pcap::Recorder;
use ipsec_io::sad::{Batch, Encap};

use super::DemoError;
use super::cast::{config, role};
use super::moment::{Cover, Fact, Fate, Message, Side, Tone};

/// 2026-01-01T00:00:00Z: when every performance begins.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);
/// Packets in one batch.
const BATCH: usize = 32;
/// The longest packet, in octets.
const LONGEST: usize = 2048;

/// What happened, for the play to show.
#[derive(Debug)]
pub(super) enum Happening {
    /// A datagram was put on the wire.
    Message(Message),
    /// A gateway concluded something.
    Fact(Fact),
    /// The initiator has its ISAKMP SA: phase 1 is over.
    IkeUp,
}

/// An ESP packet as it was put on the wire.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) path: ipsec_io::proto::Path,
    pub(super) encap: Encap,
    pub(super) octets: Vec<u8>,
}

struct Gateway {
    node: Node,
    wire: Box<dyn Wire>,
    link: Box<dyn Link>,
    /// The host's side of `link`.
    host: MemoryLink,
    batch: Batch,
    /// The last state that was told.
    state: Option<String>,
    /// What was sent so far: the same octets again are the same message again.
    names: BTreeMap<Vec<u8>, Named>,
    /// ESP packets put on the wire, and how many of them it lost.
    esp: Esp,
}

#[derive(Clone)]
struct Named {
    name: String,
    payloads: Vec<String>,
    sent: u32,
}

/// ESP packets of one gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Esp {
    pub(super) lost: u64,
    pub(super) last: Option<Sealed>,
}

pub(super) struct World {
    west: Gateway,
    east: Gateway,
    network: Network,
    conditions: Conditions,
    start: Instant,
    now: Duration,
    happenings: VecDeque<Happening>,
    datagrams: u64,
    lost: u64,
}

impl World {
    pub(super) fn new(
        seed: u64,
        conditions: Conditions,
        recorder: Option<&Recorder>,
    ) -> Result<Self, DemoError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an Instant has no other origin; all differences are simulated"
        )]
        let start = Instant::now();
        let network = Network::new(seed, conditions);
        let gateway = |side: Side| -> Result<Gateway, DemoError> {
            // Each gateway draws from a generator of its own.
            let random = Seeded::from_u64(seed.wrapping_mul(2).wrapping_add(u64::from(side == Side::East)));
            let provider = Arc::new(CryptoProvider::portable());
            let node = Node::new(config(side)?, provider, Box::new(random), at(start, Duration::ZERO))
                .map_err(DemoError::setup)?;
            let (wire, host) = (network.attach(&[role(side).gateway]), MemoryLink::new());
            let (wire, link): (Box<dyn Wire>, Box<dyn Link>) = match recorder {
                // The capture is what the western gateway sees.
                Some(recorder) if side == Side::West => {
                    (Box::new(recorder.wire(wire)), Box::new(recorder.link(host.clone())))
                }
                _ => (Box::new(wire), Box::new(host.clone())),
            };
            Ok(Gateway {
                node,
                wire,
                link,
                host,
                batch: Batch::new(BATCH, LONGEST),
                state: None,
                names: BTreeMap::new(),
                esp: Esp::default(),
            })
        };
        let (west, east) = (gateway(Side::West)?, gateway(Side::East)?);
        Ok(Self {
            west,
            east,
            network,
            conditions,
            start,
            now: Duration::ZERO,
            happenings: VecDeque::new(),
            datagrams: 0,
            lost: 0,
        })
    }

    const fn gateway(&self, side: Side) -> &Gateway {
        match side {
            Side::West => &self.west,
            Side::East => &self.east,
        }
    }

    const fn gateway_mut(&mut self, side: Side) -> &mut Gateway {
        match side {
            Side::West => &mut self.west,
            Side::East => &mut self.east,
        }
    }

    /// Simulated time since the start.
    pub(super) const fn elapsed(&self) -> Duration {
        self.now
    }

    /// Datagrams put on the wire, and how many of them it lost.
    pub(super) const fn datagrams(&self) -> (u64, u64) {
        (self.datagrams, self.lost)
    }

    /// From now on the wire loses nothing.
    pub(super) fn lose_nothing(&self) {
        self.network.set_conditions(Conditions { loss: Chance::NEVER, ..self.conditions });
    }

    /// How a gateway stands.
    pub(super) fn report(&self, side: Side) -> NodeReport {
        self.gateway(side).node.report(at(self.start, self.now))
    }

    /// ESP packets that a gateway put on the wire.
    pub(super) fn esp(&self, side: Side) -> Esp {
        self.gateway(side).esp.clone()
    }

    /// Both nodes and the present, for measuring without the wire.
    pub(super) fn nodes(&mut self) -> (&mut Node, &mut Node, Now) {
        (&mut self.west.node, &mut self.east.node, at(self.start, self.now))
    }

    /// The next thing that happened.
    pub(super) fn happened(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    /// The host behind a gateway sends a packet.
    pub(super) fn send(&mut self, side: Side, packet: Vec<u8>) -> Result<(), DemoError> {
        let now = at(self.start, self.now);
        let gateway = self.gateway_mut(side);
        gateway.host.inject(packet).map_err(|_| DemoError::setup("the host's queue is full"))?;
        let mut batch = gateway.take_batch();
        gateway.link.receive(now, &mut batch);
        gateway.node.handle_link(now, &mut batch);
        for datagram in to_wire(&batch) {
            self.put(side, datagram, None);
        }
        self.gateway_mut(side).batch = batch;
        self.drain(side);
        Ok(())
    }

    /// The next packet that came through the tunnel to the host behind a gateway.
    pub(super) fn delivered(&self, side: Side) -> Option<Vec<u8>> {
        self.gateway(side).host.take()
    }

    /// Moves on to the next moment at which something is due, `until` at the latest, and does what is due then.
    pub(super) fn step(&mut self, until: Duration) {
        let timers = [&self.west, &self.east].map(|gateway| gateway.node.poll_timeout().map(|(at, _)| at));
        let next = timers.into_iter().flatten().chain(self.network.next_arrival()).min();
        let next = next.map_or(until, |next| next.saturating_duration_since(self.start));
        self.now = self.now.max(next.min(until));
        let now = at(self.start, self.now);
        for side in [Side::West, Side::East] {
            self.arrivals(side, now);
            let node = &mut self.gateway_mut(side).node;
            if node.poll_timeout().is_some_and(|(at, _)| at <= now.mono) {
                node.handle_timeout(now);
                self.drain(side);
            }
        }
    }

    fn arrivals(&mut self, side: Side, now: Now) {
        let gateway = self.gateway_mut(side);
        let mut batch = gateway.take_batch();
        if gateway.wire.receive(now, &mut batch).packets > 0 {
            gateway.node.handle_wire(now, &mut batch);
            let packets: Vec<&[u8]> = to_link(&batch).collect();
            gateway.link.send(now, &packets);
        }
        gateway.batch = batch;
        self.drain(side);
    }

    /// Carries out what a gateway wants, and tells of it.
    fn drain(&mut self, side: Side) {
        let mut outputs = Vec::new();
        let mut buffer = Vec::new();
        while let Some(output) = self.gateway_mut(side).node.poll_output(&mut buffer) {
            outputs.push(output);
        }
        // The event that names a message stands near the message, before or behind it.
        let mut announced: VecDeque<Announced> = outputs.iter().filter_map(Announced::of).collect();
        for output in outputs {
            match output {
                NodeOutput::Transmit(transmit) => {
                    let octets = buffer.get(transmit.range).unwrap_or_default();
                    let datagram = Datagram {
                        path: transmit.path,
                        form: transmit.form,
                        traffic_class: transmit.traffic_class,
                        octets,
                    };
                    let place = announced.iter().position(|message| {
                        octets.len().checked_sub(message.octets).is_some_and(|rest| rest == 0 || rest == 4)
                    });
                    let known = self.gateway(side).names.contains_key(octets);
                    let name = if known { None } else { place.and_then(|place| announced.remove(place)) };
                    self.put(side, datagram, name);
                }
                NodeOutput::Record(record) => self.tell(side, &record),
                _ => {}
            }
        }
        self.tell_state(side);
    }

    fn put(&mut self, side: Side, datagram: Datagram<'_>, announced: Option<Announced>) {
        let before = self.network.counters().lost;
        let now = at(self.start, self.now);
        let gateway = self.gateway_mut(side);
        gateway.wire.send(now, &[datagram]);
        let fate = if self.network.counters().lost == before { Fate::Delivered } else { Fate::Lost };
        self.datagrams += 1;
        self.lost += u64::from(fate == Fate::Lost);
        let at_us = u64::try_from(self.now.as_micros()).unwrap_or(u64::MAX);
        let octets = datagram.octets.to_vec();
        let gateway = self.gateway_mut(side);
        if let Some(Announced { name, payloads, .. }) = announced {
            gateway.names.insert(octets.clone(), Named { name, payloads, sent: 0 });
        }
        let (named, cover) = match gateway.names.get_mut(&octets) {
            Some(named) => {
                named.sent += 1;
                (named.clone(), cover(&octets))
            }
            None => {
                gateway.esp.lost += u64::from(fate == Fate::Lost);
                gateway.esp.last = Some(Sealed {
                    path: datagram.path,
                    encap: datagram.form.encap(),
                    octets: octets.clone(),
                });
                let payloads = match side {
                    Side::West => "IP, ICMP echo request",
                    Side::East => "IP, ICMP echo reply",
                };
                (Named { name: "ESP".to_owned(), payloads: vec![payloads.to_owned()], sent: 1 }, Cover::Esp)
            }
        };
        self.happenings.push_back(Happening::Message(Message {
            at_us,
            from: side,
            name: named.name,
            repeat: named.sent.saturating_sub(1),
            payloads: named.payloads,
            cover,
            octets: octets.len(),
            fate,
        }));
    }

    fn tell(&mut self, side: Side, record: &Record) {
        let (text, tone) = match &record.what {
            What::Ike(Event::IkeUp(up)) => (format!("ISAKMP SA up: {}", up.suite), Tone::Good),
            What::Ike(Event::ChildUp(up)) => {
                (format!("IPsec SAs up: in {} out {}", up.inbound, up.outbound), Tone::Good)
            }
            What::Ike(
                Event::IkeDown { .. }
                | Event::ChildDown { .. }
                | Event::ChildFailed { .. }
                | Event::Refused { .. },
            ) => (record.message(), Tone::Bad),
            _ => return,
        };
        // The state has told so much already when an SA comes up.
        self.fact(side, text, tone);
        if side == Side::West && matches!(record.what, What::Ike(Event::IkeUp(_))) {
            self.happenings.push_back(Happening::IkeUp);
        }
    }

    fn tell_state(&mut self, side: Side) {
        let report = self.report(side);
        let state = report.ike_sas.last().map(|sa| sa.state.clone());
        let gateway = self.gateway_mut(side);
        if gateway.state != state {
            gateway.state.clone_from(&state);
            if let Some(state) = state.filter(|state| state != "MM_ACTIVE") {
                self.fact(side, state, Tone::Quiet);
            }
        }
    }

    fn fact(&mut self, side: Side, text: String, tone: Tone) {
        let at_us = u64::try_from(self.now.as_micros()).unwrap_or(u64::MAX);
        self.happenings.push_back(Happening::Fact(Fact { at_us, side, text, tone }));
    }
}

impl Gateway {
    fn take_batch(&mut self) -> Batch {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(0, 0));
        batch.clear();
        batch
    }
}

/// A message that a gateway says it sends.
struct Announced {
    name: String,
    payloads: Vec<String>,
    octets: usize,
}

impl Announced {
    fn of(output: &NodeOutput) -> Option<Self> {
        let NodeOutput::Record(record) = output else { return None };
        match &record.what {
            What::Ike(Event::Message { number, sense: Sense::Sent, octets, payloads, .. }) => Some(Self {
                name: number.name().to_owned(),
                payloads: payloads.split_whitespace().map(str::to_owned).collect(),
                octets: *octets,
            }),
            _ => None,
        }
    }
}

/// Whether an IKE message is encrypted: the E flag of its header (RFC 2408 §3.1), behind a non-ESP marker if there is one.
fn cover(octets: &[u8]) -> Cover {
    let message = octets.strip_prefix(&ipsec_io::proto::udp_encap::NON_ESP_MARKER).unwrap_or(octets);
    match ipsec_io::proto::isakmp::Header::parse_fields(message) {
        Ok(header) if header.is_encrypted() => Cover::Ike,
        _ => Cover::Clear,
    }
}

fn at(start: Instant, since: Duration) -> Now {
    Now { mono: start + since, utc: UnixTime::from_epoch(EPOCH + since) }
}
