//! Nine classes of traces, switched one by one.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::{PAIR, Pair, Setup, packet, run, udp};
use ipsec_sad::{Direction, DropReason, Meta, Trace, TraceClass, TraceMask, Traced, Update, Worker};

fn traces(worker: &mut Worker) -> Vec<Trace> {
    std::iter::from_fn(|| worker.next_trace()).collect()
}

/// A little of everything, with `mask` traced at both ends.
fn scene(mask: TraceMask, records: usize) -> (Vec<Trace>, Pair) {
    let mut pair = Pair::new(Setup { suite: "aes128gcm16", ..Setup::default() });
    pair.a.set_trace(mask, records);
    pair.b.set_trace(mask, records);
    let genuine = pair.seal(&[packet(b"x")]).remove(0);
    let mut forged = pair.seal(&[packet(b"y")]).remove(0);
    *forged.last_mut().unwrap() ^= 1;
    let mut unknown = genuine.clone();
    unknown[..4].copy_from_slice(&[0x11, 0, 0, 7]);
    pair.open(&[genuine, forged, unknown, vec![1, 2, 3]]);
    run(&[udp("10.1.0.1", "203.0.113.1", 53, b"x")], Meta::Clear, |batch| pair.a.outbound(pair.now, batch));
    pair.a.apply(pair.now, Update::Remove(PAIR));
    let told = traces(&mut pair.a).into_iter().chain(traces(&mut pair.b)).collect();
    (told, pair)
}

#[test]
fn each_class_brings_its_own_traces_and_no_others() {
    let (all, _) = scene(TraceMask::ALL, 100);
    let mut met = BTreeSet::new();
    for class in TraceClass::ALL {
        let (told, pair) = scene(TraceMask::of(class), 100);
        let expected: Vec<Traced> =
            all.iter().filter(|trace| trace.classes.contains(class)).map(|trace| trace.what).collect();
        assert_eq!(told.iter().map(|trace| trace.what).collect::<Vec<_>>(), expected, "{class}");
        assert!(!told.is_empty(), "nothing of class {class}");
        assert_eq!(pair.a.report().traces_lost, 0);
        met.extend(told.iter().map(|trace| trace.what.to_string()));
    }
    assert_eq!(met.len(), all.iter().map(|trace| trace.what.to_string()).collect::<BTreeSet<_>>().len());
    let drops: Vec<(DropReason, Direction)> = all
        .iter()
        .filter_map(|trace| match trace.what {
            Traced::Dropped { reason, .. } => Some((reason, trace.direction)),
            _ => None,
        })
        .collect();
    assert_eq!(
        drops,
        [
            (DropReason::NoPolicy, Direction::Outbound),
            (DropReason::UnknownSpi, Direction::Inbound),
            (DropReason::MalformedEsp, Direction::Inbound),
            (DropReason::IntegrityFailed, Direction::Inbound),
        ]
    );
}

#[test]
fn nothing_is_kept_when_all_are_off_and_a_full_ring_is_counted() {
    let (told, pair) = scene(TraceMask::NONE, 100);
    assert_eq!((told.len(), pair.a.report().traces_lost, pair.b.report().traces_lost), (0, 0, 0));
    let (told, pair) = scene(TraceMask::ALL, 2);
    assert_eq!(told.len(), 4, "two of each end");
    assert!(pair.a.report().traces_lost > 0 && pair.b.report().traces_lost > 0);
}
