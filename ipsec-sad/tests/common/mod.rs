//! Two workers, `a` protecting 10.1.0.0/24 and fd00:1::/32, `b` protecting 10.2.0.0/24 and fd00:2::/32.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and has no loop"
)]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::sync::Arc;
use std::time::Instant;

use ipsec_crypto::{CryptoProvider, Secret, Seeded};
use ipsec_proto::ip::{Addresses, Header, emit_udp_header};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, Spi};
use ipsec_sad::{
    Action, AddressRange, AntiReplay, Batch, DropReason, Encap, Esn, InboundSa, Lifetime, Meta, Mode,
    OutboundSa, PairId, Policy, PolicyId, Protocol, ReservedSpi, SaKeys, SaParams, SadEvent, Selector, Spd,
    SpiAllocator, TemplateId, Update, Verdict, Worker, WorkerConfig,
};

pub const TEMPLATE: TemplateId = TemplateId(1);
pub const PAIR: PairId = PairId(1);

/// What varies between tests.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub suite: &'static str,
    pub encap: Encap,
    pub esn: Esn,
    pub lifetime: Lifetime,
    pub anti_replay: AntiReplay,
    pub mode: Mode,
    pub config: WorkerConfig,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            suite: "aes128-sha256",
            encap: Encap::Udp,
            esn: Esn::Off,
            lifetime: Lifetime::default(),
            anti_replay: AntiReplay::default(),
            mode: Mode::TUNNEL,
            config: WorkerConfig::default(),
        }
    }
}

pub struct Pair {
    pub a: Worker,
    pub b: Worker,
    pub now: Instant,
    pub provider: CryptoProvider,
    pub random: Seeded,
    pub spis: [SpiAllocator; 2],
    pub setup: Setup,
    /// `a`'s outbound SA, the last one installed.
    pub a_out: Option<Arc<OutboundSa>>,
}

pub fn net(text: &str) -> AddressRange {
    text.parse().unwrap()
}

pub fn networks() -> Selector {
    Selector::between(net("10.1.0.0/24"), net("10.2.0.0/24"))
}

pub fn networks_v6() -> Selector {
    Selector::between(net("fd00:1::/32"), net("fd00:2::/32"))
}

pub fn path() -> Path {
    Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4500).into())
}

pub fn protect(selectors: &[Selector]) -> Spd {
    let policies = (1..).zip(selectors).map(|(id, selector)| {
        Policy::new(PolicyId(id), format!("p{id}"), *selector, Action::Protect(TEMPLATE))
    });
    Spd::builder(Action::Discard).extend(policies).build().unwrap()
}

/// The key of `len` octets that starts with `first` and counts on.
pub fn key(first: u8, len: usize) -> Secret {
    Secret::new((first..=u8::MAX).cycle().take(len).collect())
}

pub fn params(setup: &Setup, pair: PairId, spi: Spi, path: Path, selector: Selector) -> SaParams {
    let suite: ipsec_crypto::ProtectionSuite = setup.suite.parse().unwrap();
    let keys =
        SaKeys { encryption: key(0x10, suite.key_len()), integrity: key(0x40, suite.integrity_key_len()) };
    SaParams {
        mode: setup.mode,
        encap: setup.encap,
        lifetime: setup.lifetime,
        anti_replay: setup.anti_replay,
        esn: setup.esn,
        ..SaParams::new(pair, TEMPLATE, spi, Protocol::Esp { suite, keys }, path, selector)
    }
}

impl Pair {
    /// Two workers with policies and no SAs.
    pub fn without_sas(setup: Setup) -> Self {
        let mut random = Seeded::from_u64(1);
        let now = Instant::now();
        let mut a = Worker::new(setup.config, &mut random);
        let mut b = Worker::new(setup.config, &mut random);
        let selectors = [networks(), networks_v6()];
        a.apply(now, Update::Policies(Arc::new(protect(&selectors))));
        b.apply(now, Update::Policies(Arc::new(protect(&selectors.map(|selector| selector.mirror())))));
        let spis = [SpiAllocator::new(1), SpiAllocator::new(1)];
        Self { a, b, now, provider: CryptoProvider::default(), random, spis, setup, a_out: None }
    }

    /// Two workers with a pair of SAs for IPv4.
    pub fn new(setup: Setup) -> Self {
        let mut pair = Self::without_sas(setup);
        pair.connect(PAIR, networks());
        pair
    }

    /// Adds a pair of SAs both ways and uses it.
    pub fn connect(&mut self, id: PairId, selector: Selector) {
        let [at_a, at_b] = [0, 1].map(|end: usize| self.spis[end].reserve(&mut self.random).unwrap());
        let (spi_a, spi_b) = (at_a.spi(), at_b.spi());
        let out = self.outbound(id, spi_b, path(), selector);
        self.a_out = Some(Arc::clone(&out));
        let back = self.outbound(id, spi_a, path().reversed(), selector.mirror());
        let into_a = self.inbound(id, at_a, path(), selector);
        let into_b = self.inbound(id, at_b, path().reversed(), selector.mirror());
        self.a.apply(self.now, Update::InstallInbound(into_a));
        self.b.apply(self.now, Update::InstallInbound(into_b));
        self.a.apply(self.now, Update::InstallOutbound(out));
        self.b.apply(self.now, Update::InstallOutbound(back));
        self.a.apply(self.now, Update::Activate(id));
        self.b.apply(self.now, Update::Activate(id));
    }

    pub fn outbound(&self, id: PairId, spi: Spi, path: Path, selector: Selector) -> Arc<OutboundSa> {
        let params = params(&self.setup, id, spi, path, selector);
        Arc::new(OutboundSa::prepare(params, &self.provider, self.now).unwrap())
    }

    pub fn inbound(
        &self,
        id: PairId,
        reserved: ReservedSpi,
        path: Path,
        selector: Selector,
    ) -> Box<InboundSa> {
        let params = params(&self.setup, id, reserved.spi(), path, selector);
        Box::new(InboundSa::prepare(params, reserved, &self.provider, self.now).unwrap())
    }

    /// `a` seals packets; each must end as sent.
    pub fn seal(&mut self, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
        run(packets, Meta::Clear, |batch| self.a.outbound(self.now, batch))
            .into_iter()
            .map(|(verdict, octets)| match verdict {
                Verdict::Send { .. } => octets,
                other => panic!("not sent: {other:?}"),
            })
            .collect()
    }

    /// `b` opens packets.
    pub fn open(&mut self, sealed: &[Vec<u8>]) -> Vec<(Verdict, Vec<u8>)> {
        run(sealed, self.meta(), |batch| self.b.inbound(self.now, batch))
    }

    /// `b` opens one packet and gives its verdict.
    pub fn open_one(&mut self, sealed: &[u8]) -> Verdict {
        self.open(&[sealed.to_vec()]).remove(0).0
    }

    pub fn meta(&self) -> Meta {
        Meta::Wire { path: path().reversed(), encap: self.setup.encap, traffic_class: None }
    }
}

/// One batch of packets through a worker.
pub fn run(packets: &[Vec<u8>], meta: Meta, worker: impl FnOnce(&mut Batch)) -> Vec<(Verdict, Vec<u8>)> {
    let longest = packets.iter().map(Vec::len).max().unwrap_or_default();
    let mut batch = Batch::new(packets.len(), longest);
    for packet in packets {
        batch.push(meta, packet).unwrap();
    }
    worker(&mut batch);
    batch.iter().map(|packet| (packet.verdict, packet.octets.to_vec())).collect()
}

pub fn events(worker: &mut Worker) -> Vec<SadEvent> {
    std::iter::from_fn(|| worker.next_event()).collect()
}

/// The events but [`SadEvent::LastHeard`], which every first packet brings.
pub fn telling_events(worker: &mut Worker) -> Vec<SadEvent> {
    let mut events = events(worker);
    events.retain(|event| !matches!(event, SadEvent::LastHeard { .. }));
    events
}

/// A UDP packet from port 40000 to port `to`.
pub fn udp(source: &str, destination: &str, to: u16, payload: &[u8]) -> Vec<u8> {
    udp_with_class(source, destination, to, payload, 0)
}

pub fn udp_with_class(source: &str, destination: &str, to: u16, payload: &[u8], class: u8) -> Vec<u8> {
    let addresses = Addresses::new(source.parse().unwrap(), destination.parse().unwrap()).unwrap();
    let header = Header { traffic_class: class, ..Header::new(addresses, IpProtocol::UDP) };
    let mut packet = vec![0; header.header_len() + 8 + payload.len()];
    header.emit(8 + payload.len(), &mut packet).unwrap();
    let segment = &mut packet[header.header_len()..];
    segment[8..].copy_from_slice(payload);
    emit_udp_header(&addresses, 40_000, to, segment).unwrap();
    packet
}

/// A packet from `a`'s network to `b`'s.
pub fn packet(payload: &[u8]) -> Vec<u8> {
    udp("10.1.0.1", "10.2.0.1", 53, payload)
}

pub const fn dropped(reason: DropReason) -> Verdict {
    Verdict::Drop(reason)
}

/// The keys of ESP (`aes128-sha256`) or AH (`ah-sha256`).
pub fn protocol(suite: &str) -> Protocol {
    match suite.strip_prefix("ah-") {
        Some(name) => {
            let integrity = ipsec_crypto::Integrity::from_name(name).unwrap();
            Protocol::Ah { integrity, key: key(0x40, integrity.key_len()) }
        }
        None => {
            let suite: ipsec_crypto::ProtectionSuite = suite.parse().unwrap();
            let encryption = key(0x10, suite.key_len());
            let integrity = key(0x40, suite.integrity_key_len());
            Protocol::Esp { suite, keys: SaKeys { encryption, integrity } }
        }
    }
}

/// Which end an SA is made for: both halves are one SA, seen from its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    A,
    B,
}

impl Pair {
    /// Adds an SA from `a` to `b` for everything, with whatever `edit` makes of it at either end.
    pub fn one_way(&mut self, id: PairId, suite: &str, edit: impl Fn(End, &mut SaParams)) {
        let reserved = self.spis[1].reserve(&mut self.random).unwrap();
        let template = if id == PAIR { TEMPLATE } else { TemplateId(1000 + u32::try_from(id.0).unwrap()) };
        let params = |end| {
            let path = if end == End::A { path() } else { path().reversed() };
            let mut params =
                SaParams::new(id, template, reserved.spi(), protocol(suite), path, Selector::ANY);
            params.outer_header = ipsec_sad::OuterHeader::Own;
            edit(end, &mut params);
            params
        };
        let out = OutboundSa::prepare(params(End::A), &self.provider, self.now).unwrap();
        let params = params(End::B);
        let into = InboundSa::prepare(params, reserved, &self.provider, self.now).unwrap();
        self.b.apply(self.now, Update::InstallInbound(Box::new(into)));
        self.a.apply(self.now, Update::InstallOutbound(Arc::new(out)));
        self.a.apply(self.now, Update::Activate(id));
    }

    /// Two workers with policies for everything, and such an SA.
    pub fn with_one(suite: &str, edit: impl Fn(End, &mut SaParams)) -> Self {
        Self::with_one_and(WorkerConfig::default(), suite, edit)
    }

    pub fn with_one_and(config: WorkerConfig, suite: &str, edit: impl Fn(End, &mut SaParams)) -> Self {
        let mut pair = Self::without_sas(Setup { config, ..Setup::default() });
        pair.a.apply(pair.now, Update::Policies(Arc::new(protect(&[Selector::ANY]))));
        pair.one_way(PAIR, suite, edit);
        pair
    }

    /// What `a` makes of one packet.
    pub fn out(&mut self, packet: &[u8]) -> (Verdict, Vec<u8>) {
        run(&[packet.to_vec()], Meta::Clear, |batch| self.a.outbound(self.now, batch)).remove(0)
    }

    /// What `a` sends of one packet, whole.
    pub fn send(&mut self, packet: &[u8]) -> Vec<u8> {
        match self.out(packet) {
            (Verdict::SendPacket { .. }, octets) => octets,
            (other, _) => panic!("not sent: {other:?}"),
        }
    }

    /// What `b` makes of one whole packet.
    pub fn take(&mut self, sealed: &[u8]) -> (Verdict, Vec<u8>) {
        run(&[sealed.to_vec()], Meta::Packet, |batch| self.b.inbound(self.now, batch)).remove(0)
    }
}
