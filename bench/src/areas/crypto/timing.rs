//! Whether secrets show in the time: two classes of input in random order, and a test whether their times differ.
//!
//! A leak that is there shows the more clearly the longer one measures; that none is seen proves little, but what is fixed by
//! construction is guarded against a compiler's or a library's next version.
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use ipsec_crypto::{InOut, Job, Outcome, Secret, SecureRandom, Seeded, open, seal};

use super::peers::{AAD, Direction, IV, Sample, run as process};
use super::{providers, sign};
use crate::report::Report;
use crate::welch::{Class, Measurement, largest_t};

/// dudect's own: below, nothing can be said; above, the classes differ.
const BOUND: f64 = 10.0;
/// How long each test measures.
const TIME: Duration = Duration::from_millis(1800);
/// More measurements find nothing new.
const MOST: usize = 40_000;
/// Of the first ones, caches and predictors are still to learn.
const WARM_UP: usize = 20;
/// How often a measurement repeats what takes nanoseconds.
const REPEATED: usize = 16;

/// Runs the tests.
pub fn run(report: &mut Report) {
    if !report.wants("crypto/timing") {
        return;
    }
    for suite in ["aes128-sha256", "aes128gcm16", "chacha20poly1305"] {
        wrong_tags(report, suite);
    }
    equal_secrets(report);
    leaky_comparison(report);
    for group in ["modp2048", "ecp256", "ecp384", "ecp521", "x25519"] {
        secret_exponents(report, group);
    }
    leaky_exponent(report);
    rsa_inputs(report);
}

/// The largest t for `step` on inputs of two classes, which `prepare` puts into the same place.
fn t<I>(mut input: I, mut prepare: impl FnMut(Class, &mut I), mut step: impl FnMut(&mut I)) -> f64 {
    let mut random = Seeded::from_u64(0x0074_696d_696e_6700);
    let (end, mut measurements) = (Instant::now() + TIME, Vec::with_capacity(MOST));
    while measurements.len() < MOST && Instant::now() < end {
        let mut octet = [0];
        random.fill(&mut octet);
        let class = if octet[0] & 1 == 0 { Class::First } else { Class::Second };
        prepare(class, &mut input);
        let start = Instant::now();
        step(black_box(&mut input));
        measurements.push(Measurement { class, time: start.elapsed().as_nanos() as f64 });
    }
    largest_t(measurements.get(WARM_UP..).unwrap_or_default())
}

/// Spoils the first octet or the last one.
fn spoil(icv: &[u8]) -> impl Fn(Class, &mut Vec<u8>) + use<> {
    let good = icv.to_vec();
    move |class, icv| {
        icv.clone_from(&good);
        let spoiled = if class == Class::First { icv.first_mut() } else { icv.last_mut() };
        *spoiled.expect("an ICV is not empty") ^= 1;
    }
}

/// Opens packets whose ICV is wrong in its first or in its last octet.
fn wrong_tags(report: &mut Report, suite: &str) {
    for (provider_name, provider) in providers() {
        let sample = Sample::new(suite, Direction::Open, 64);
        let (key, mut text) = (sample.protection(provider), sample.sealed.clone());
        let iv = &IV[..sample.suite.iv_len()];
        let t = t(sample.icv.clone(), spoil(&sample.icv), |icv| {
            for _ in 0..REPEATED {
                text.copy_from_slice(&sample.sealed);
                let text = InOut::InPlace(&mut text);
                let mut jobs =
                    [Job { key: &key, aad: &AAD, esn_high: None, iv, text, icv, outcome: Outcome::Pending }];
                open(black_box(&mut jobs));
                assert_eq!(jobs[0].outcome, Outcome::Forged);
            }
        });
        report.timing(&format!("crypto/{suite}-wrong-first-or-last/{provider_name}"), t, BOUND);
    }
}

/// Compares secrets that are equal or differ in the first octet.
fn equal_secrets(report: &mut Report) {
    let octets = vec![0x5a; 32];
    let secret = Secret::from_slice(&octets);
    let prepare = |class, other: &mut Vec<u8>| {
        other.clone_from(&octets);
        other[0] ^= u8::from(class == Class::Second);
    };
    let t = t(octets.clone(), prepare, |other| {
        for _ in 0..REPEATED {
            black_box(secret.ct_eq(black_box(other)));
        }
    });
    report.timing("crypto/secret-equal-or-not", t, BOUND);
}

/// The control: a comparison that stops at the first difference, behind the same HMAC as a real one.
fn leaky_comparison(report: &mut Report) {
    let sample = Sample::new("null-sha256", Direction::Open, 64);
    let (_, provider) = providers()[0];
    let (key, mut text) = (sample.protection(provider), sample.clear.clone());
    let mut expected = sample.icv.clone();
    let t = t(sample.icv.clone(), spoil(&sample.icv), |icv| {
        for _ in 0..REPEATED {
            process(seal, &key, &mut text, &mut expected);
            black_box(expected.iter().zip(&*icv).all(|(a, b)| black_box(a) == black_box(b)));
        }
    });
    report.leak("crypto/control-leaky-comparison", t, BOUND);
}

/// Gives out what it is told to.
struct Given<'a>(&'a [u8]);

impl SecureRandom for Given<'_> {
    fn fill(&mut self, octets: &mut [u8]) {
        let len = octets.len();
        octets.copy_from_slice(&self.0[..len]);
    }
}

/// An exponent of hardly any bits, or one drawn afresh.
fn draw_exponent(sparse: [u8; 66]) -> impl FnMut(Class, &mut [u8; 66]) {
    let mut random = Seeded::from_u64(2);
    move |class, exponent| {
        *exponent = sparse;
        if class == Class::Second {
            random.fill(&mut exponent[1..]);
        }
    }
}

/// Exchanges keys with one exponent of hardly any bits, or with one drawn afresh each time.
fn secret_exponents(report: &mut Report, name: &str) {
    let group = name.parse().expect("the table names it");
    for (provider_name, provider) in providers() {
        let exchange = provider.group(group).expect("both providers have it");
        let peer = exchange.generate(&mut Seeded::from_u64(1)).public().to_vec();
        // Of full length, since the providers draw among those of full length; within every curve's order.
        let mut sparse = [0; 66];
        sparse[0] = if name == "ecp521" { 1 } else { 0x80 };
        let t = t(sparse, draw_exponent(sparse), |exponent| {
            let pair = exchange.generate(&mut Given(exponent));
            black_box(pair.agree(&peer).expect("a good value"));
        });
        report.timing(&format!("crypto/{name}-sparse-or-random/{provider_name}"), t, BOUND);
    }
}

/// The control: an exponentiation that multiplies where a bit is set.
fn leaky_exponent(report: &mut Report) {
    let odd = Odd::new(BoxedUint::from_be_slice(&[0xff; 128], 1024).expect("fits")).expect("odd");
    let params = BoxedMontyParams::new(odd);
    let base = BoxedMontyForm::new(BoxedUint::from_be_slice(&[0x5a; 128], 1024).expect("fits"), &params);
    let mut sparse = [0; 66];
    sparse[0] = 0x80;
    let t = t(sparse, draw_exponent(sparse), |exponent| {
        let mut power = BoxedMontyForm::one(&params);
        for bit in (0..256).map(|n| exponent[n / 8] >> (7 - n % 8) & 1) {
            power = power.square();
            if bit == 1 {
                power = power.mul(&base);
            }
        }
        black_box(power);
    });
    report.leak("crypto/control-leaky-exponent", t, BOUND);
}

/// Signs always the same, or something else each time: what the private key is raised to, if nothing blinds it.
fn rsa_inputs(report: &mut Report) {
    for (provider_name, signer) in sign::rsa_signers() {
        let (mut drawn, mut random) = (Seeded::from_u64(3), Seeded::from_u64(4));
        let prepare = |class, input: &mut [u8; 64]| match class {
            Class::First => *input = [0; 64],
            Class::Second => drawn.fill(input),
        };
        let t = t([0; 64], prepare, |input| {
            black_box(signer.sign(&input[..], &mut random).expect("it fits"));
        });
        report.timing(&format!("crypto/rsa2048-fixed-or-random-input/{provider_name}"), t, BOUND);
    }
}
