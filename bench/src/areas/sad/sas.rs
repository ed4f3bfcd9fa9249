//! Many SAs: how the way of a packet to its SA depends on their number.
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::Instant;

use ipsec_crypto::{CryptoProvider, ProtectionSuite, Secret, SecureRandom, Seeded};
use ipsec_proto::{Path, Spi};
use ipsec_sad::{
    AuditKinds, Batch, Direction, Encap, InboundSa, Meta, OutboundSa, PairId, Protocol, SaKeys, SaParams,
    Selector, SpiAllocator, TemplateId, Update, Worker, WorkerConfig,
};

use crate::report::{Race, Report};

const BATCH: usize = 32;

/// A worker with `count` SA pairs, and batches of packets for random ones of them.
struct Crowd {
    worker: Worker,
    spis: Vec<Spi>,
    batch: Batch,
    random: Seeded,
    now: Instant,
}

impl Crowd {
    fn new(count: u64) -> Self {
        let (now, mut random) = (Instant::now(), Seeded::from_u64(count));
        let (allocator, provider) = (SpiAllocator::new(1), CryptoProvider::default());
        let path = Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4500).into());
        let suite: ProtectionSuite = "aes128gcm16".parse().expect("a suite");
        let mut worker = Worker::new(WorkerConfig::default(), &mut random);
        worker.set_audited(AuditKinds::NONE);
        let mut spis = Vec::new();
        for number in 1..=count {
            let reserved = allocator.reserve(&mut random).expect("fewer than there are");
            let params = || {
                let keys = SaKeys {
                    encryption: Secret::new(vec![1; suite.key_len()]),
                    integrity: Secret::new(Vec::new()),
                };
                let (template, protocol) = (TemplateId(1), Protocol::Esp { suite, keys });
                let address = std::net::IpAddr::from(u32::try_from(number).unwrap_or_default().to_be_bytes());
                let selector = Selector::between(address, std::net::IpAddr::from([10, 0, 0, 1]));
                let spi = reserved.spi();
                SaParams {
                    encap: Encap::Udp,
                    ..SaParams::new(PairId(number), template, spi, protocol, path, selector)
                }
            };
            let outbound = OutboundSa::prepare(params(), &provider, now).expect("a good SA");
            let inbound = params();
            spis.push(reserved.spi());
            let inbound = InboundSa::prepare(inbound, reserved, &provider, now).expect("a good SA");
            worker.apply(now, Update::InstallInbound(Box::new(inbound)));
            worker.apply(now, Update::InstallOutbound(std::sync::Arc::new(outbound)));
        }
        Self { worker, spis, batch: Batch::new(BATCH, 64), random, now }
    }

    /// Packets whose sequence number is 0: each finds its SA, asks its window, and goes no further, so that no cipher
    /// hides what the way there takes.
    fn find(&mut self) {
        let path = Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4500).into());
        let meta = Meta::Wire { path, encap: Encap::Udp, traffic_class: None };
        self.batch.clear();
        let mut numbers = [0; 4 * BATCH];
        self.random.fill(&mut numbers);
        let mut packet = [0; 40];
        for number in numbers.chunks_exact(4) {
            let number = u32::from_le_bytes(number.try_into().unwrap_or_default());
            let place = (u64::from(number) * self.spis.len() as u64) >> 32;
            let spi = self.spis.get(usize::try_from(place).unwrap_or_default()).copied().unwrap_or(Spi(0));
            packet[..4].copy_from_slice(&spi.0.to_be_bytes());
            self.batch.push(meta, &packet).expect("room");
        }
        self.worker.inbound(self.now, &mut self.batch);
    }
}

/// One million SA pairs against one thousand.
pub fn run(report: &mut Report) {
    if !report.wants("sad/sa-lookup") {
        return;
    }
    let [mut few, mut many] = [1000, 1_000_000].map(|count| {
        let started = Instant::now();
        let crowd = Crowd::new(count);
        println!("  {count} SA pairs installed in {:.0?}", started.elapsed());
        crowd
    });
    for crowd in [&mut few, &mut many] {
        crowd.find();
        let sas = crowd.worker.report().sas;
        let refused = |direction| sas.iter().filter(|sa| sa.direction == direction && sa.dropped > 0).count();
        assert!(refused(Direction::Inbound) > 20 && refused(Direction::Outbound) == 0, "SAs were found");
    }
    let times = Race::new("sad/sa-lookup".into())
        .add_batch("1000 pairs", BATCH as u32, || few.find())
        .add_batch("1000000 pairs", BATCH as u32, || many.find())
        .run();
    report.bound(&times, "1000000 pairs", &["1000 pairs"], 2.0);
}
