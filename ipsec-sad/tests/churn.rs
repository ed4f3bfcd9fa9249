//! SAs that come and go while others carry packets leave nothing behind: no SPI, no timer, no handle.
//!
//! The class of CVE-2017-16939 and CVE-2026-31663: what is walked is changed, what is removed is still referred to.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use common::{Pair, Setup, networks, packet, path, run};
use ipsec_proto::Spi;
use ipsec_sad::{Lifetime, Limits, Meta, OutboundSa, PairId, Update};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Installs a pair, in the place of the one with this number if there is one.
    Install(u64),
    Activate(u64),
    RemoveInbound(u64),
    RemoveOutbound(u64),
    Remove(u64),
    Send,
    Later,
    Report,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = 0_u64..6;
    prop_oneof![
        4 => pair.clone().prop_map(Step::Install),
        3 => pair.clone().prop_map(Step::Activate),
        1 => pair.clone().prop_map(Step::RemoveInbound),
        1 => pair.clone().prop_map(Step::RemoveOutbound),
        2 => pair.prop_map(Step::Remove),
        3 => Just(Step::Send),
        1 => Just(Step::Later),
        1 => Just(Step::Report),
    ]
}

proptest! {
    #[test]
    fn nothing_is_left_of_sas_that_went(steps in prop::collection::vec(step(), 1..80)) {
        let soft = Limits { time: Some(Duration::from_secs(3)), packets: Some(3), ..Limits::default() };
        let hard = Limits { time: Some(Duration::from_secs(9)), packets: Some(9), ..Limits::default() };
        let mut pair = Pair::without_sas(Setup {
            suite: "aes128gcm16",
            lifetime: Lifetime { soft, hard },
            ..Setup::default()
        });
        // What there should be: the inbound SPI of each pair, and the outbound handle.
        let mut inbound = BTreeMap::<u64, Spi>::new();
        let mut outbound = BTreeMap::<u64, Weak<OutboundSa>>::new();
        let mut gone: Vec<(Option<Spi>, Option<Weak<OutboundSa>>)> = Vec::new();
        for step in steps {
            let now = pair.now;
            match step {
                Step::Install(id) => {
                    let reserved = pair.spis[0].reserve(&mut pair.random).unwrap();
                    let spi = reserved.spi();
                    let out = pair.outbound(PairId(id), Spi(0x1000), path(), networks());
                    gone.push((inbound.insert(id, spi), outbound.insert(id, Arc::downgrade(&out))));
                    let into = pair.inbound(PairId(id), reserved, path(), networks());
                    pair.a.apply(now, Update::InstallInbound(into));
                    pair.a.apply(now, Update::InstallOutbound(out));
                }
                Step::Activate(id) => {
                    pair.a.apply(now, Update::Activate(PairId(id)));
                }
                Step::RemoveInbound(id) => {
                    pair.a.apply(now, Update::RemoveInbound(PairId(id)));
                    gone.push((inbound.remove(&id), None));
                }
                Step::RemoveOutbound(id) => {
                    pair.a.apply(now, Update::RemoveOutbound(PairId(id)));
                    gone.push((None, outbound.remove(&id)));
                }
                Step::Remove(id) => {
                    pair.a.apply(now, Update::Remove(PairId(id)));
                    gone.push((inbound.remove(&id), outbound.remove(&id)));
                }
                Step::Send => {
                    run(&[packet(b"x"), packet(b"y")], Meta::Clear, |batch| pair.a.outbound(now, batch));
                }
                Step::Later => {
                    pair.now += Duration::from_secs(2);
                    pair.a.handle_timeout(pair.now);
                    while pair.a.next_event().is_some() {}
                }
                Step::Report => {
                    let report = pair.a.report();
                    prop_assert_eq!(report.sas.len(), inbound.len() + outbound.len());
                    prop_assert_eq!(report.totals.sas.live(), report.sas.len() as u64);
                }
            }
            for (spi, sa) in &gone {
                let held = spi.is_some_and(|spi| pair.spis[0].holder(spi).is_some());
                let given_again = inbound.values().any(|live| Some(*live) == *spi);
                prop_assert_eq!(held, given_again);
                prop_assert!(sa.as_ref().is_none_or(|sa| sa.strong_count() == 0));
            }
            prop_assert!(inbound.values().all(|spi| pair.spis[0].holder(*spi).is_some()));
            prop_assert!(outbound.values().all(|sa| sa.strong_count() == 1));
        }
        for id in 0..6 {
            pair.a.apply(pair.now, Update::Remove(PairId(id)));
        }
        prop_assert!(outbound.values().all(|sa| sa.strong_count() == 0));
        prop_assert_eq!(pair.a.poll_timeout(), None);
        prop_assert!(pair.a.report().sas.is_empty());
    }
}
