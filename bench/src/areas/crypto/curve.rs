//! Key exchange on elliptic curves.

use std::hint::black_box;

use ipsec_crypto::{CryptoProvider, Seeded};

use super::peers::{PEERS, aws};
use super::providers;
use crate::report::{Race, Report};

/// One key exchange on a curve: a public value and an agreement.
pub fn race(report: &mut Report, curve: &str) {
    let name = format!("crypto/{curve}-exchange");
    if !report.wants(&name) {
        return;
    }
    let group = curve.parse().expect("the table names it");
    let portable = CryptoProvider::portable().group(group).expect("both providers have it");
    let peer = portable.generate(&mut Seeded::from_u64(1)).public().to_vec();
    let mut race = Race::new(name);
    for (name, provider) in providers() {
        let exchange = provider.group(group).expect("both providers have it");
        let (mut random, peer) = (Seeded::from_u64(2), peer.clone());
        race = race.add(name, move || {
            let secret = exchange.generate(&mut random).agree(black_box(&peer)).expect("a good value");
            black_box(secret);
        });
    }
    for library in PEERS {
        if let Some(work) = (library.exchange)(curve, &peer) {
            race = race.add(library.name, work.run);
        }
    }
    if let Some(work) = aws::exchange_given_scalar(curve, &peer) {
        race = race.add("aws-lc-rs, scalar given", work.run);
    }
    let times = race.run();
    report.bound(&times, "fast", &["aws-lc-rs"], 1.10);
}
