//! Key exchange modulo a prime, with exponents as short as RFC 3526 §8 allows.

use std::hint::black_box;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use ipsec_crypto::{CryptoProvider, Seeded};

#[cfg(feature = "openssl")]
use super::peers;
use super::providers;
use crate::report::{Race, Report};

/// One key exchange: a public value and an agreement, against two bare exponentiations of the same sizes.
pub fn race(report: &mut Report, group: &str, exponent_bits: u32) {
    let name = format!("crypto/{group}-exchange");
    if !report.wants(&name) {
        return;
    }
    let group = group.parse().expect("the table names it");
    let portable = CryptoProvider::portable().group(group).expect("both providers have it");
    let peer = portable.generate(&mut Seeded::from_u64(1)).public().to_vec();
    // The time does not depend on which odd modulus it is: all ones but for the peer's octets.
    let bits = peer.len() as u32 * 8;
    let mut modulus = peer.clone();
    modulus[0] = 0xff;
    modulus[peer.len() - 1] |= 1;
    let mut exponent = vec![0xa5; exponent_bits as usize / 8];
    exponent[0] |= 0x80;
    let bases = [&[2][..], &peer[1..]];

    let odd = Odd::new(BoxedUint::from_be_slice(&modulus, bits).expect("fits")).expect("odd");
    let params = BoxedMontyParams::new(odd);
    let bigint = BoxedUint::from_be_slice(&exponent, exponent_bits).expect("fits");
    let mut race = Race::new(name);
    for (name, provider) in providers() {
        let exchange = provider.group(group).expect("both providers have it");
        let (mut random, peer) = (Seeded::from_u64(2), peer.clone());
        race = race.add(name, move || {
            let secret = exchange.generate(&mut random).agree(black_box(&peer)).expect("a good value");
            black_box(secret);
        });
    }
    race = race.add("crypto-bigint", || {
        for base in bases {
            let base = BoxedUint::from_be_slice(base, bits).expect("fits");
            let power = BoxedMontyForm::new(base, &params).pow_bounded_exp(&bigint, exponent_bits);
            black_box(power.retrieve().to_be_bytes());
        }
    });
    #[cfg(feature = "openssl")]
    {
        race = race.add("openssl", peers::openssl::powers(&modulus, &exponent, bases).run);
    }
    let times = race.run();
    report.bound(&times, "portable", &["crypto-bigint"], 1.10);
    report.bound(&times, "fast", &["openssl"], 1.10);
}
