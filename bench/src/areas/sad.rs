//! The data plane: whole batches against the bare cipher and against boringtun, and policy lookup by number of policies.
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

mod sas;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use ipsec_crypto::{
    CryptoProvider, InOut, IvGenerator, Job, Outcome, Protection, ProtectionSuite, Secret, SecureRandom,
    Seeded, open, seal,
};
use ipsec_proto::registry::IpProtocol;
use ipsec_proto::{Path, ip};
use ipsec_sad::{
    Action, AddressRange, Batch, Direction, Encap, Esn, Flow, InboundSa, Meta, OutboundSa, PairId, Policy,
    PolicyId, PortRange, Ports, Protocol, SaKeys, SaParams, Selector, Spd, SpiAllocator, TemplateId, Update,
    Verdict, Worker, WorkerConfig,
};

use crate::report::{Race, Report};

/// Packets of a batch.
const BATCH: usize = 32;
const SUITE: &str = "aes128gcm16";

/// Runs the area.
pub fn run(report: &mut Report) {
    for size in [64, 512, 1400] {
        tunnel(report, size);
    }
    lookup(report);
    sas::run(report);
}

/// An IPv4 packet of `size` octets.
fn packet(size: usize) -> Vec<u8> {
    let addresses = ip::Addresses::new([10, 1, 0, 1].into(), [10, 2, 0, 1].into()).expect("one family");
    let header = ip::Header::new(addresses, IpProtocol::UDP);
    let mut packet = vec![0x5a; size];
    header.emit(size - header.header_len(), &mut packet).expect("longer than a header");
    packet
}

/// One worker that receives what it sends.
struct Loopback {
    worker: Worker,
    clear: Batch,
    wire: Batch,
    now: Instant,
    meta: Meta,
}

impl Loopback {
    fn new() -> Self {
        let (now, mut random) = (Instant::now(), Seeded::from_u64(1));
        let path = Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4500).into());
        let reserved = SpiAllocator::new(1).reserve(&mut random).expect("the first");
        let net = |text: &str| text.parse::<AddressRange>().expect("a prefix");
        let selector = Selector::between(net("10.1.0.0/16"), net("10.2.0.0/16"));
        let suite: ProtectionSuite = SUITE.parse().expect("a suite");
        let params = |selector| {
            let keys = SaKeys {
                encryption: Secret::from_slice(&vec![1; suite.key_len()]),
                integrity: Secret::from_slice(&vec![2; suite.integrity_key_len()]),
            };
            let protocol = Protocol::Esp { suite, keys };
            SaParams {
                encap: Encap::Udp,
                // So that no run is long enough to end the SA.
                esn: Esn::On,
                ..SaParams::new(PairId(1), TemplateId(1), reserved.spi(), protocol, path, selector)
            }
        };
        let provider = CryptoProvider::fast();
        let outbound = OutboundSa::prepare(params(selector), &provider, now).expect("a good SA");
        let inbound = params(selector.mirror());
        let inbound = InboundSa::prepare(inbound, reserved, &provider, now).expect("a good SA");
        let policy = Policy::new(PolicyId(1), "p", selector, Action::Protect(TemplateId(1)));
        let spd = Spd::builder(Action::Discard).push(policy).build().expect("one policy");
        let mut worker = Worker::new(WorkerConfig::default(), &mut random);
        worker.apply(now, Update::Policies(Arc::new(spd)));
        worker.apply(now, Update::InstallInbound(Box::new(inbound)));
        worker.apply(now, Update::InstallOutbound(Arc::new(outbound)));
        worker.apply(now, Update::Activate(PairId(1)));
        let meta = Meta::Wire { path: path.reversed(), encap: Encap::Udp, traffic_class: Some(0) };
        Self { worker, clear: Batch::new(BATCH, 2048), wire: Batch::new(BATCH, 2048), now, meta }
    }

    fn seal(&mut self, packet: &[u8]) {
        self.clear.clear();
        for _ in 0..BATCH {
            self.clear.push(Meta::Clear, packet).expect("room");
        }
        self.worker.outbound(self.now, &mut self.clear);
        assert!(matches!(self.clear.verdict(BATCH - 1), Some(Verdict::Send { .. })));
    }

    fn seal_and_open(&mut self, packet: &[u8]) {
        self.seal(packet);
        self.wire.clear();
        for sealed in self.clear.iter() {
            self.wire.push(self.meta, sealed.octets).expect("room");
        }
        self.worker.inbound(self.now, &mut self.wire);
        assert_eq!(self.wire.verdict(BATCH - 1), Some(Verdict::Deliver));
        while self.worker.next_event().is_some() {}
    }
}

/// The cipher alone, over as many packets of the same length, copied as often.
struct Bare {
    key: Protection,
    ivs: IvGenerator,
    sealed: Vec<Vec<u8>>,
    opened: Vec<Vec<u8>>,
}

const ESP_HEADER: usize = 8;

impl Bare {
    fn new(size: usize) -> Self {
        let suite: ProtectionSuite = SUITE.parse().expect("a suite");
        let (encryption, integrity) = (vec![1; suite.key_len()], vec![2; suite.integrity_key_len()]);
        let key = CryptoProvider::fast().protection(suite, &encryption, &integrity).expect("a good key");
        let text = (size + 2).next_multiple_of(suite.block_len());
        let packet = vec![0; ESP_HEADER + suite.iv_len() + text + suite.icv_len()];
        let ivs = IvGenerator::new(&mut Seeded::from_u64(2));
        Self { key, ivs, sealed: vec![packet.clone(); BATCH], opened: vec![packet; BATCH] }
    }

    fn seal(&mut self, packet: &[u8]) {
        let start = ESP_HEADER + self.key.suite().iv_len();
        for sealed in &mut self.sealed {
            sealed[start..start + packet.len()].copy_from_slice(packet);
            self.ivs.fill(&mut sealed[ESP_HEADER..start]);
        }
        process(&self.key, &mut self.sealed, seal);
    }

    fn seal_and_open(&mut self, packet: &[u8]) {
        self.seal(packet);
        for (to, from) in self.opened.iter_mut().zip(&self.sealed) {
            to.copy_from_slice(from);
        }
        process(&self.key, &mut self.opened, open);
    }
}

fn process(key: &Protection, packets: &mut [Vec<u8>], run: fn(&mut [Job<'_>])) {
    let suite = key.suite();
    let mut packets = packets.iter_mut();
    let mut jobs: [Job<'_>; BATCH] = std::array::from_fn(|_| {
        let packet = packets.next().expect("as many as a batch holds");
        let (aad, rest) = packet.split_at_mut(ESP_HEADER);
        let (iv, rest) = rest.split_at_mut(suite.iv_len());
        let (text, icv) = rest.split_at_mut(rest.len() - suite.icv_len());
        Job { key, aad, esn_high: Some(0), iv, text: InOut::InPlace(text), icv, outcome: Outcome::Pending }
    });
    run(black_box(&mut jobs));
    assert!(jobs.iter().all(|job| job.outcome == Outcome::Done));
}

/// Two WireGuard ends after their handshake.
struct Wireguard {
    a: Tunn,
    b: Tunn,
    sealed: Vec<u8>,
    opened: Vec<u8>,
}

impl Wireguard {
    fn new() -> Self {
        let [a, b] = [1_u8, 2].map(|seed| StaticSecret::from([seed; 32]));
        let [public_a, public_b] = [PublicKey::from(&a), PublicKey::from(&b)];
        let mut a = Tunn::new(a, public_b, None, None, 1, None);
        let mut b = Tunn::new(b, public_a, None, None, 2, None);
        let mut buffers = [const { Vec::new() }; 3].map(|_: Vec<u8>| vec![0; 2048]);
        let [init, response, keepalive] = &mut buffers;
        let TunnResult::WriteToNetwork(init) = a.format_handshake_initiation(init, false) else {
            panic!("no initiation")
        };
        let TunnResult::WriteToNetwork(response) = b.decapsulate(None, init, response) else {
            panic!("no response")
        };
        let TunnResult::WriteToNetwork(keepalive) = a.decapsulate(None, response, keepalive) else {
            panic!("no keepalive")
        };
        let mut nothing = [0; 2048];
        let TunnResult::Done = b.decapsulate(None, keepalive, &mut nothing) else { panic!("not done") };
        Self { a, b, sealed: vec![0; 2048], opened: vec![0; 2048] }
    }

    fn seal(&mut self, packet: &[u8]) -> usize {
        match self.a.encapsulate(packet, &mut self.sealed) {
            TunnResult::WriteToNetwork(sealed) => sealed.len(),
            other => panic!("not sealed: {other:?}"),
        }
    }

    fn seal_and_open(&mut self, packet: &[u8]) {
        let length = self.seal(packet);
        let opened = self.b.decapsulate(None, &self.sealed[..length], &mut self.opened);
        assert!(matches!(opened, TunnResult::WriteToTunnelV4(..)));
    }
}

/// ESP in tunnel mode, all of it, a batch a run; boringtun, with ChaCha20-Poly1305 and a packet a call, is the other whole
/// data plane there is to compare with.
fn tunnel(report: &mut Report, size: usize) {
    let packet = packet(size);
    // What the pipeline may take above the cipher, in nanoseconds a packet.
    let (share, nanoseconds) = if size >= 1400 { (0.15, 40.0) } else { (0.0, 60.0) };
    let items = BATCH as u32;

    let (mut worker, mut bare, mut wireguard) = (Loopback::new(), Bare::new(size), Wireguard::new());
    let times = Race::new(format!("sad/esp-{SUITE}-seal-{size}-x{BATCH}"))
        .add("worker", || worker.seal(black_box(&packet)))
        .add("bare cipher", || bare.seal(black_box(&packet)))
        .add("boringtun", || {
            for _ in 0..BATCH {
                black_box(wireguard.seal(black_box(&packet)));
            }
        })
        .run();
    report.overhead(&times, "worker", "bare cipher", items, share, nanoseconds);
    let faster = if size >= 1400 { 0.25 } else { 0.5 };
    report.bound(&times, "worker", &["boringtun"], faster);

    let times = Race::new(format!("sad/esp-{SUITE}-seal-and-open-{size}-x{BATCH}"))
        .add("worker", || worker.seal_and_open(black_box(&packet)))
        .add("bare cipher", || bare.seal_and_open(black_box(&packet)))
        .add("boringtun", || (0..BATCH).for_each(|_| wireguard.seal_and_open(black_box(&packet))))
        .run();
    report.overhead(&times, "worker", "bare cipher", items, share, 2.0 * nanoseconds);
    report.bound(&times, "worker", &["boringtun"], faster);
}

/// `count` policies, half of them hashed, half with random prefixes and port ranges.
fn policies(count: u32) -> Spd {
    let mut random = Seeded::from_u64(count.into());
    let mut number = || {
        let mut octets = [0; 4];
        random.fill(&mut octets);
        u32::from_ne_bytes(octets)
    };
    let mut spd = Spd::builder(Action::Discard);
    for id in 0..count {
        let prefix = |bits: u32, length: u32| {
            let network = bits & u32::MAX.checked_shl(32 - length).unwrap_or(0);
            AddressRange::prefix(Ipv4Addr::from_bits(network).into(), length as u8).expect("no host bits")
        };
        let (local, remote) = (number(), number());
        let selector = if id % 2 == 0 {
            Selector {
                protocol: Some(IpProtocol::TCP),
                remote_port: PortRange::single(number() as u16),
                ..Selector::between(prefix(local, 32), prefix(remote, 32))
            }
        } else {
            let (a, b) = (number() as u16, number() as u16);
            Selector {
                protocol: Some(IpProtocol::TCP),
                remote_port: PortRange::new(a.min(b), a.max(b)).expect("in order"),
                ..Selector::between(prefix(local, 8 + number() % 25), prefix(remote, 8 + number() % 25))
            }
        };
        spd = spd.push(Policy::new(PolicyId(id), "p", selector, Action::Bypass));
    }
    spd.build().expect("distinct ids")
}

/// Flows that meet policies of `spd`, as many as there is room for in a cache.
fn flows(spd: &Spd) -> Vec<Flow> {
    // Odd, so that both kinds of policies are met.
    let step = (spd.policies().len() / 1000) | 1;
    let inside = |range: Option<&AddressRange>| range.map_or(IpAddr::from([10, 0, 0, 1]), AddressRange::last);
    spd.policies()
        .iter()
        .step_by(step)
        .map(|policy| {
            let ports = Ports::Transport { source: 1, destination: policy.selector.remote_port.first() };
            let [source, destination] =
                [&policy.selector.local, &policy.selector.remote].map(|field| inside(field.range()));
            Flow::new(source, destination, IpProtocol::TCP, ports)
        })
        .collect()
}

fn lookup(report: &mut Report) {
    let [few, many] = [100, 100_000].map(|count| {
        let started = Instant::now();
        let spd = policies(count);
        println!("  {count} policies compiled in {:.0?}", started.elapsed());
        let flows = flows(&spd);
        (spd, flows)
    });
    let (mut in_few, mut in_many) = (each_flow(&few), each_flow(&many));
    let times = Race::new("sad/policy-lookup".into())
        .add("100 policies", &mut in_few)
        .add("100000 policies", &mut in_many)
        .run();
    report.bound(&times, "100000 policies", &["100 policies"], 4.0);
}

/// Looks up one flow after the other.
fn each_flow((spd, flows): &(Spd, Vec<Flow>)) -> impl FnMut() {
    let mut flows = flows.iter().cycle();
    move || {
        let flow = flows.next().expect("there are flows");
        black_box(spd.lookup(black_box(flow), Direction::Outbound));
    }
}
