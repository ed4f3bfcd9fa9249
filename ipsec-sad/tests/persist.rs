//! SAs go on after a restart, and no sequence number is used or accepted twice, whenever a process dies.
#![cfg(feature = "portable")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and has no loop"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{PAIR, Setup, events, networks, packet, params, path, protect, run};
use ipsec_crypto::{CryptoProvider, Seeded};
use ipsec_proto::Spi;
use ipsec_sad::{
    Direction, DropReason, InboundSa, Lifetime, Limits, Meta, OutboundSa, PersistError, SadEvent, SavedSa,
    SpiAllocator, Update, Verdict, Worker, WorkerConfig, restore,
};
use proptest::prelude::*;

const SPI: Spi = Spi(0x0100_0001);
const RESERVE: u64 = 20;

fn setup() -> Setup {
    let limits = Limits { time: Some(Duration::from_secs(3600)), ..Limits::default() };
    Setup { suite: "aes128gcm16", lifetime: Lifetime { soft: limits, hard: limits }, ..Setup::default() }
}

/// A machine that sends or receives, whose process may die. What is stored stays.
struct Machine {
    direction: Direction,
    worker: Worker,
    spis: SpiAllocator,
    saved: Vec<SavedSa>,
    stored: Vec<u8>,
    now: Instant,
}

impl Machine {
    fn new(direction: Direction, now: Instant) -> Self {
        let spis = SpiAllocator::new(1);
        let mut machine = Self {
            direction,
            worker: Self::process(direction, now),
            spis,
            saved: Vec::new(),
            stored: Vec::new(),
            now,
        };
        let provider = CryptoProvider::default();
        match direction {
            Direction::Outbound => {
                let params = params(&setup(), PAIR, SPI, path(), networks());
                machine.saved = vec![SavedSa::new(direction, &params)];
                machine.send_with(OutboundSa::prepare(params, &provider, now).unwrap());
            }
            Direction::Inbound => {
                let params = params(&setup(), PAIR, SPI, path().reversed(), networks().mirror());
                machine.saved = vec![SavedSa::new(direction, &params)];
                let reserved = machine.spis.claim(SPI, "test").unwrap();
                machine.receive_with(InboundSa::prepare(params, reserved, &provider, now).unwrap());
            }
        }
        machine.checkpoint(true, true);
        machine
    }

    fn process(direction: Direction, now: Instant) -> Worker {
        let mut worker = Worker::new(WorkerConfig::default(), &mut Seeded::from_u64(4));
        let selector = match direction {
            Direction::Outbound => networks(),
            Direction::Inbound => networks().mirror(),
        };
        worker.apply(now, Update::Policies(Arc::new(protect(&[selector]))));
        worker
    }

    fn send_with(&mut self, sa: OutboundSa) {
        self.worker.apply(self.now, Update::InstallOutbound(Arc::new(sa)));
        self.worker.apply(self.now, Update::Activate(PAIR));
    }

    fn receive_with(&mut self, sa: InboundSa) {
        self.worker.apply(self.now, Update::InstallInbound(Box::new(sa)));
    }

    fn checkpoint(&mut self, store: bool, confirm: bool) {
        let checkpoint = self.worker.checkpoint(self.now, &self.saved, RESERVE);
        if store {
            self.stored = checkpoint.octets().as_slice().to_vec();
            if confirm {
                self.worker.confirm(&checkpoint);
            }
        }
    }

    /// The process ends in order.
    fn stop(&mut self) {
        self.stored = self.worker.retire(self.now, &self.saved).as_slice().to_vec();
        assert!(self.worker.report().sas.is_empty());
        self.start();
    }

    /// A process begins from what is stored, the one before being dead.
    fn start(&mut self) {
        self.worker = Self::process(self.direction, self.now);
        let restored = restore(&self.stored, Duration::from_secs(1)).unwrap();
        let [sa] = <[_; 1]>::try_from(restored).unwrap();
        let provider = CryptoProvider::default();
        match self.direction {
            Direction::Outbound => {
                let (sa, saved) = sa.outbound(&provider, self.now).unwrap();
                self.saved = vec![saved];
                self.send_with(sa);
            }
            Direction::Inbound => {
                let (sa, saved) = sa.inbound(&self.spis, &provider, self.now).unwrap();
                self.saved = vec![saved];
                self.receive_with(sa);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The sender sends; what is sent comes in, or is held back until it is replayed.
    Send { count: usize, arrives: bool },
    /// Everything that was ever sent comes again.
    Replay,
    /// A checkpoint that is stored and confirmed, or not.
    Checkpoint { sender: bool, store: bool, confirm: bool },
    /// A process dies and the next one begins.
    Crash { sender: bool },
    /// A process ends in order and the next one begins.
    Stop { sender: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1_usize..40, any::<bool>()).prop_map(|(count, arrives)| Step::Send { count, arrives }),
        2 => Just(Step::Replay),
        5 => any::<(bool, bool, bool)>()
            .prop_map(|(sender, store, confirm)| Step::Checkpoint { sender, store, confirm }),
        2 => any::<bool>().prop_map(|sender| Step::Crash { sender }),
        1 => any::<bool>().prop_map(|sender| Step::Stop { sender }),
    ]
}

/// The sequence number and the nonce of an ESP packet with AES-GCM.
fn number(sealed: &[u8]) -> (u32, u64) {
    let sequence = u32::from_be_bytes(sealed[4..8].try_into().unwrap());
    (sequence, u64::from_be_bytes(sealed[8..16].try_into().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn no_number_is_used_or_accepted_twice(steps in prop::collection::vec(step(), 1..50)) {
        let now = Instant::now();
        let mut sender = Machine::new(Direction::Outbound, now);
        let mut receiver = Machine::new(Direction::Inbound, now);
        let meta = Setup::default();
        let meta = Meta::Wire { path: path().reversed(), encap: meta.encap, traffic_class: None };
        let mut sent: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut delivered = BTreeMap::<u64, u32>::new();
        for step in steps {
            let mut coming = Vec::new();
            match step {
                Step::Send { count, arrives } => {
                    let clear = vec![packet(b"x"); count];
                    for (verdict, octets) in run(&clear, Meta::Clear, |batch| sender.worker.outbound(now, batch)) {
                        match verdict {
                            Verdict::Send { .. } => {
                                let (sequence, nonce) = number(&octets);
                                prop_assert_eq!(u64::from(sequence), nonce);
                                prop_assert!(sent.insert(nonce, octets.clone()).is_none(), "{} again", nonce);
                                coming.push(octets);
                            }
                            other => prop_assert_eq!(other, Verdict::Drop(DropReason::CheckpointDue)),
                        }
                    }
                    if !arrives {
                        coming.clear();
                    }
                }
                Step::Replay => coming = sent.values().cloned().collect(),
                Step::Checkpoint { sender: true, store, confirm } => sender.checkpoint(store, confirm),
                Step::Checkpoint { sender: false, store, confirm } => receiver.checkpoint(store, confirm),
                Step::Crash { sender: true } => sender.start(),
                Step::Crash { sender: false } => receiver.start(),
                Step::Stop { sender: true } => sender.stop(),
                Step::Stop { sender: false } => receiver.stop(),
            }
            if coming.is_empty() {
                continue;
            }
            let opened = run(&coming, meta, |batch| receiver.worker.inbound(now, batch));
            for (sealed, (verdict, _)) in coming.iter().zip(opened) {
                if verdict == Verdict::Deliver {
                    let times = delivered.entry(number(sealed).1).or_default();
                    *times += 1;
                    prop_assert_eq!(*times, 1, "{} accepted twice", number(sealed).1);
                }
            }
        }
    }

    #[test]
    fn octets_that_are_damaged_are_an_error_or_other_sas_and_no_panic(
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut stored = Machine::new(Direction::Inbound, Instant::now()).stored;
        let place = at.index(stored.len());
        stored[place] = value;
        let _ = restore(&stored, Duration::ZERO);
        let _ = restore(&noise, Duration::ZERO);
        let _ = restore(&[b"SADs\x01", &noise[..]].concat(), Duration::MAX);
    }
}

fn seal(machine: &mut Machine, count: usize) -> Vec<(Verdict, Vec<u8>)> {
    run(&vec![packet(b"x"); count], Meta::Clear, |batch| machine.worker.outbound(machine.now, batch))
}

fn wire() -> Meta {
    Meta::Wire { path: path().reversed(), encap: Setup::default().encap, traffic_class: None }
}

#[test]
fn after_an_orderly_stop_both_ends_go_on_where_they_were() {
    let now = Instant::now();
    let (mut sender, mut receiver) =
        (Machine::new(Direction::Outbound, now), Machine::new(Direction::Inbound, now));
    let before: Vec<Vec<u8>> = seal(&mut sender, 5).into_iter().map(|(_, octets)| octets).collect();
    let early = [before[0].clone(), before[4].clone()];
    assert!(
        run(&early, wire(), |batch| receiver.worker.inbound(now, batch))
            .iter()
            .all(|(verdict, _)| *verdict == Verdict::Deliver)
    );
    sender.stop();
    receiver.stop();
    let refused = Verdict::Drop(DropReason::CheckpointDue);
    assert_eq!(seal(&mut sender, 1)[0].0, refused, "what is stored could be restored once more");
    sender.checkpoint(true, true);
    receiver.checkpoint(true, true);
    let next = seal(&mut sender, 1).remove(0).1;
    assert_eq!(number(&next).0, 6, "no number is left out");
    // What was on its way is accepted still, what was accepted is not.
    let coming = [before[2].clone(), before[0].clone(), next];
    let verdicts: Vec<Verdict> = run(&coming, wire(), |batch| receiver.worker.inbound(now, batch))
        .into_iter()
        .map(|(verdict, _)| verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Deliver, Verdict::Drop(DropReason::Replayed), Verdict::Deliver]);
    // Time and traffic went on.
    let report = sender.worker.report();
    assert_eq!(report.sas[0].traffic.packets, 6);
    assert_eq!(report.sas[0].lifetime.hard.time, Some(Duration::from_secs(3599)));
}

#[test]
fn a_checkpoint_is_asked_for_before_the_numbers_end() {
    let now = Instant::now();
    let mut sender = Machine::new(Direction::Outbound, now);
    let due = |machine: &mut Machine| {
        let due = |event: &&SadEvent| matches!(event, SadEvent::CheckpointDue { spi: SPI, .. });
        events(&mut machine.worker).iter().filter(due).count()
    };
    seal(&mut sender, 9);
    assert_eq!(due(&mut sender), 0);
    seal(&mut sender, 1);
    assert_eq!(due(&mut sender), 1, "half of the reserve");
    let verdicts = seal(&mut sender, 20);
    assert_eq!(verdicts.iter().filter(|(verdict, _)| matches!(verdict, Verdict::Send { .. })).count(), 10);
    assert_eq!(verdicts[10].0, Verdict::Drop(DropReason::CheckpointDue));
    sender.checkpoint(true, true);
    assert!(seal(&mut sender, 20).iter().all(|(verdict, _)| matches!(verdict, Verdict::Send { .. })));
    assert_eq!(due(&mut sender), 1, "and again");
}

#[test]
fn octets_of_another_kind_are_told_apart() {
    let stored = Machine::new(Direction::Outbound, Instant::now()).stored;
    let error = |octets: &[u8]| restore(octets, Duration::ZERO).unwrap_err();
    assert_eq!(error(b""), PersistError::NotSavedSas);
    assert_eq!(error(b"SADx\x01\0\0\0\0"), PersistError::NotSavedSas);
    assert_eq!(error(b"SADs\x02\0\0\0\0"), PersistError::Version(2));
    for cut in 5..stored.len() {
        assert!(matches!(error(&stored[..cut]), PersistError::Truncated { .. }), "cut at {cut}");
    }
    assert!(matches!(error(&[&stored[..], b"x"].concat()), PersistError::Trailing { .. }));
    assert!(restore(b"SADs\x01\0\0\0\0", Duration::ZERO).unwrap().is_empty());
}
