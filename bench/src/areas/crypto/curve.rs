//! Key exchange on elliptic curves.

use std::hint::black_box;

use aws_lc_rs::agreement;
use ipsec_crypto::Seeded;

use super::providers;
use crate::report::{Race, Report};

/// One key exchange on a curve: a public value and an agreement.
pub fn race(report: &mut Report, name: &str, algorithm: &'static agreement::Algorithm) {
    let group = name.parse().expect("the table names it");
    let [portable, fast] = providers().map(|provider| provider.group(group).expect("both providers have it"));
    let peer = portable.generate(&mut Seeded::from_u64(1)).public().to_vec();
    let exchange = |exchange: &'static dyn ipsec_crypto::KeyExchange| {
        let (mut random, peer) = (Seeded::from_u64(2), peer.clone());
        move || {
            let secret = exchange.generate(&mut random).agree(black_box(&peer)).expect("a good value");
            black_box(secret);
        }
    };
    let point = if name == "x25519" { peer.clone() } else { [&[4], &peer[..]].concat() };
    let times = Race::new(format!("crypto/{name}-exchange"))
        .add("portable", exchange(portable))
        .add("fast", exchange(fast))
        .add("aws-lc-rs", || {
            let private = agreement::PrivateKey::generate(algorithm).expect("randomness");
            black_box(private.compute_public_key().expect("a point"));
            let peer = agreement::UnparsedPublicKey::new(algorithm, black_box(&point));
            agreement::agree(&private, peer, (), |secret| {
                black_box(secret);
                Ok(())
            })
            .expect("a good value");
        })
        .run();
    report.bound(&times, "fast", &["aws-lc-rs"], 1.10);
}
