//! Every dropped packet has one reason, and the counters say what the verdicts said, whatever was sent.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{PAIR, Pair, Setup, networks, packet, udp};
use ipsec_sad::{
    Batch, Direction, DropReason, Lifetime, Limits, Meta, PairId, TraceClass, TraceMask, Update, Verdict,
    Worker,
};
use proptest::prelude::*;

/// What a stranger, or the peer, or a host behind us does.
#[derive(Clone, Debug)]
enum Step {
    /// Hosts behind `a` send packets; what is sealed goes to `b`.
    Genuine { count: usize, length: usize },
    /// Packets sealed before come again.
    Replay { which: prop::sample::Index },
    /// A sealed packet comes with some octets changed, and perhaps cut or grown.
    Altered { which: prop::sample::Index, at: prop::sample::Index, octet: u8, cut: usize },
    /// Octets come as ESP.
    Noise { octets: Vec<u8> },
    /// Octets with the SPI of a live SA.
    Guessed { sequence: u32, octets: Vec<u8> },
    /// Octets, or a clear packet, come where clear packets come.
    Clear { octets: Vec<u8>, to: u8 },
    /// A host behind us sends octets, or a packet to somewhere.
    Host { octets: Vec<u8>, to: u8 },
    /// Time passes.
    Later { seconds: u64 },
    /// The pair is made anew, after removing the old one or in its place.
    Renew { remove: bool },
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..120)
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (1_usize..50, 0_usize..300).prop_map(|(count, length)| Step::Genuine { count, length }),
        2 => index().prop_map(|which| Step::Replay { which }),
        4 => (index(), index(), 1_u8.., 0_usize..40)
            .prop_map(|(which, at, octet, cut)| Step::Altered { which, at, octet, cut }),
        2 => octets().prop_map(|octets| Step::Noise { octets }),
        2 => (any::<u32>(), octets()).prop_map(|(sequence, octets)| Step::Guessed { sequence, octets }),
        2 => (octets(), any::<u8>()).prop_map(|(octets, to)| Step::Clear { octets, to }),
        2 => (octets(), any::<u8>()).prop_map(|(octets, to)| Step::Host { octets, to }),
        1 => (0_u64..30).prop_map(|seconds| Step::Later { seconds }),
        1 => any::<bool>().prop_map(|remove| Step::Renew { remove }),
    ]
}

/// What one worker's verdicts said.
#[derive(Default)]
struct Tally {
    given: u64,
    drops: BTreeMap<DropReason, u64>,
    sent: u64,
    delivered: u64,
    bypassed: u64,
    waiting: u64,
}

impl Tally {
    /// Runs packets through a worker.
    fn run(&mut self, packets: &[Vec<u8>], meta: Meta, work: impl FnOnce(&mut Batch)) -> Vec<Vec<u8>> {
        let passed: Vec<(Verdict, Vec<u8>)> = common::run(packets, meta, work);
        self.given += packets.len() as u64;
        for (verdict, _) in &passed {
            match verdict {
                Verdict::Drop(reason) => *self.drops.entry(*reason).or_default() += 1,
                Verdict::Send { .. } => self.sent += 1,
                Verdict::Deliver => self.delivered += 1,
                Verdict::Bypass => self.bypassed += 1,
                Verdict::Acquire(_) => self.waiting += 1,
                other => panic!("a packet without a fate: {other:?}"),
            }
        }
        let kept = |(verdict, octets)| matches!(verdict, Verdict::Send { .. }).then_some(octets);
        passed.into_iter().filter_map(kept).collect()
    }

    fn agrees(&self, worker: &Worker) -> Result<(), TestCaseError> {
        let report = worker.report();
        for (reason, count) in report.drops.iter() {
            prop_assert_eq!(count, self.drops.get(&reason).copied().unwrap_or_default(), "{}", reason);
        }
        let dropped = report.drops.iter().map(|(_, count)| count).sum::<u64>();
        prop_assert_eq!(report.drops.total(), dropped);
        let passed = self.sent + self.delivered + self.bypassed + self.waiting;
        prop_assert_eq!(self.given, passed + dropped);
        let totals = report.totals;
        prop_assert_eq!(totals.inbound.all + totals.outbound.all, self.given);
        prop_assert_eq!(totals.sealed.packets, self.sent);
        prop_assert_eq!(totals.outbound.esp, self.sent);
        prop_assert_eq!(totals.opened.packets, self.delivered);
        prop_assert!(totals.inbound.esp <= totals.inbound.all);
        prop_assert_eq!(totals.sas.live(), report.sas.len() as u64);
        // The SAs' own counts are part of the totals; SAs that went take theirs along.
        let on_sas = |direction| {
            let sas = report.sas.iter().filter(move |sa| sa.direction == direction);
            sas.fold((0, 0), |(dropped, carried), sa| (dropped + sa.dropped, carried + sa.traffic.packets))
        };
        let (inbound, outbound) = (on_sas(Direction::Inbound), on_sas(Direction::Outbound));
        prop_assert!(inbound.0 + outbound.0 <= dropped);
        prop_assert!(inbound.1 <= self.delivered && outbound.1 <= self.sent);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn the_sum_of_reasons_is_the_drops(steps in prop::collection::vec(step(), 1..40)) {
        let limits = Limits { time: Some(Duration::from_secs(60)), packets: Some(200), bytes: Some(40_000) };
        let lifetime = Lifetime { soft: limits, hard: limits };
        let mut pair = Pair::new(Setup { suite: "aes128gcm16", lifetime, ..Setup::default() });
        pair.b.set_trace(TraceMask::of(TraceClass::Error), 64);
        let (mut a, mut b) = (Tally::default(), Tally::default());
        let mut sealed: Vec<Vec<u8>> = vec![vec![0; 60]];
        let meta = pair.meta();
        for step in steps {
            let now = pair.now;
            match step {
                Step::Genuine { count, length } => {
                    let clear = vec![packet(&vec![1; length]); count];
                    let wire = a.run(&clear, Meta::Clear, |batch| pair.a.outbound(now, batch));
                    if !wire.is_empty() {
                        b.run(&wire, meta, |batch| pair.b.inbound(now, batch));
                        sealed = wire;
                    }
                }
                Step::Replay { which } => {
                    let again = which.get(&sealed).clone();
                    b.run(&[again.clone(), again], meta, |batch| pair.b.inbound(now, batch));
                }
                Step::Altered { which, at, octet, cut } => {
                    let mut altered = which.get(&sealed).clone();
                    let place = at.index(altered.len());
                    altered[place] ^= octet;
                    if octet % 2 == 0 {
                        altered.truncate(altered.len().saturating_sub(cut));
                    } else {
                        altered.resize(altered.len() + cut, octet);
                    }
                    b.run(&[altered], meta, |batch| pair.b.inbound(now, batch));
                }
                Step::Noise { octets } => {
                    b.run(&[octets], meta, |batch| pair.b.inbound(now, batch));
                }
                Step::Guessed { sequence, octets } => {
                    let spi = sealed[0][..4].to_vec();
                    let guessed = [spi, sequence.to_be_bytes().to_vec(), octets].concat();
                    b.run(&[guessed], meta, |batch| pair.b.inbound(now, batch));
                }
                Step::Clear { octets, to } => {
                    let clear = udp("10.1.0.1", &format!("10.2.0.{to}"), 53, &octets);
                    let other = udp("192.0.2.9", &format!("10.3.0.{to}"), 53, &octets);
                    b.run(&[octets, clear, other], Meta::Clear, |batch| pair.b.clear_inbound(now, batch));
                }
                Step::Host { octets, to } => {
                    let away = udp("10.1.0.1", &format!("10.9.0.{to}"), 53, &octets);
                    let waiting = udp("fd00:1::1", "fd00:2::1", 53, &octets);
                    a.run(&[octets, away, waiting], Meta::Clear, |batch| pair.a.outbound(now, batch));
                }
                Step::Later { seconds } => {
                    pair.now += Duration::from_secs(seconds);
                    pair.a.handle_timeout(pair.now);
                    pair.b.handle_timeout(pair.now);
                }
                Step::Renew { remove } => {
                    if remove {
                        pair.a.apply(now, Update::Remove(PAIR));
                        pair.b.apply(now, Update::Remove(PAIR));
                    }
                    pair.connect(PAIR, networks());
                    pair.connect(PairId(2), networks());
                }
            }
            while pair.a.next_event().is_some() || pair.b.next_event().is_some() {}
            while pair.a.next_audit().is_some() || pair.b.next_audit().is_some() {}
            a.agrees(&pair.a)?;
            b.agrees(&pair.b)?;
        }
    }
}

#[test]
fn sas_are_added_and_expire_or_are_deleted() {
    let limits = Limits { packets: Some(2), ..Limits::default() };
    let mut pair = Pair::new(Setup { lifetime: Lifetime { soft: limits, hard: limits }, ..Setup::default() });
    pair.connect(PairId(2), networks());
    let report = pair.a.report();
    assert_eq!(report.totals.sas.live(), 4);
    let pairs: Vec<_> = report.pairs().collect();
    assert_eq!(pairs.iter().map(|pair| pair.pair).collect::<Vec<_>>(), [PAIR, PairId(2)]);
    assert!(pairs.iter().all(|pair| pair.inbound.is_some() && pair.outbound.is_some()));
    let later = pair.now + Duration::from_secs(7);
    assert_eq!((pairs[0].last_used(), pairs[0].idle(later)), (None, Duration::from_secs(7)));
    pair.seal(&[packet(b"1"), packet(b"2")]);
    pair.a.apply(pair.now, Update::Remove(PairId(2)));
    let sas = pair.a.report().totals.sas;
    assert_eq!((sas.added, sas.expired, sas.deleted, sas.live()), (4, 1, 1, 2));
    // One in the place of another.
    pair.connect(PAIR, networks());
    let sas = pair.a.report().totals.sas;
    assert_eq!((sas.added, sas.expired, sas.deleted, sas.live()), (6, 1, 3, 2));
}
