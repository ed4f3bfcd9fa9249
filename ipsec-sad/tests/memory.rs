//! What an SA pair that carries nothing takes of memory.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use allocation_counter::measure;
use common::{Pair, Setup, networks, path};
use ipsec_sad::{PairId, Update};

const PAIRS: u64 = 1024;
/// Octets of a pair beyond the key schedules of its two halves. A kibibyte is what it should be: most of the rest are
/// paths kept twice, lifetimes and header options that few SAs use.
const BOUND: u64 = 1600;

#[test]
fn an_idle_pair_takes_little_beyond_its_key_schedules() {
    let mut pair = Pair::without_sas(Setup { suite: "aes128gcm16", ..Setup::default() });
    let suite: ipsec_crypto::ProtectionSuite = pair.setup.suite.parse().unwrap();
    let key = vec![1; suite.key_len()];
    let mut schedules = Vec::with_capacity(2);
    let schedule = measure(|| schedules.push(pair.provider.protection(suite, &key, &[]).unwrap()));
    let schedule = u64::try_from(schedule.bytes_current).unwrap();

    let reserved: Vec<_> = (0..PAIRS).map(|_| pair.spis[0].reserve(&mut pair.random).unwrap()).collect();
    let taken = measure(|| {
        for (number, reserved) in (1..).zip(reserved) {
            let outbound = pair.outbound(PairId(number), reserved.spi(), path(), networks());
            let inbound = pair.inbound(PairId(number), reserved, path(), networks());
            pair.a.apply(pair.now, Update::InstallInbound(inbound));
            pair.a.apply(pair.now, Update::InstallOutbound(outbound));
        }
    });
    assert_eq!(pair.a.report().totals.sas.live(), 2 * PAIRS);
    let each = u64::try_from(taken.bytes_current).unwrap() / PAIRS - 2 * schedule;
    assert!(each <= BOUND, "{each} octets a pair, and {schedule} a key schedule");
    // The measure itself works. What a C library allocates for its key schedules it does not see.
    assert!(schedule > 0 && each > 256, "{each} octets a pair, and {schedule} a key schedule");
}
