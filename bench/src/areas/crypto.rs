//! The algorithms against libraries called directly, with keys prepared once; key exchange; and whether secrets show in the time.

use ipsec_crypto::{Cipher, CryptoProvider};

use crate::report::{Group, Race, Report};

mod curve;
mod modp;
mod peers;
mod sign;
mod timing;

use peers::{Combined, Direction, Hash, IV, LIMIT, NAMES, PEERS, Peer, Sample, Work};

/// Octets of a packet's text.
const SIZES: [usize; 3] = [64, 512, 1400];
/// Against the fastest library.
const BOUND: f64 = 1.05;

/// Runs the area.
pub fn run(report: &mut Report) {
    peers::print_skipped();
    report.table("Combined modes: a packet, its key prepared once");
    for (which, direction) in pairs(Combined::ALL, Direction::BOTH) {
        for size in SIZES {
            combined(report, which, direction, size);
        }
    }
    report.table("Encryption and integrity by themselves");
    for direction in Direction::BOTH {
        SIZES.map(whole_blocks).into_iter().for_each(|size| cbc(report, direction, size));
    }
    for hash in Hash::ALL {
        SIZES.into_iter().for_each(|size| hmac(report, hash, size));
    }
    report.table("Encrypt-then-MAC: a packet, both keys prepared once");
    for (hash, direction) in pairs([Hash::Sha1, Hash::Sha256], Direction::BOTH) {
        SIZES.map(whole_blocks).into_iter().for_each(|size| cbc_hmac(report, hash, direction, size));
    }
    report.table("Suites that no library here has in one call");
    SIZES.map(whole_blocks).into_iter().for_each(|size| ours_alone(report, size));
    report.table("Key exchange: a public value and an agreement");
    for name in ["ecp256", "ecp384", "ecp521", "x25519"] {
        curve::race(report, name);
    }
    for (name, bits) in
        [("modp1024", 256), ("modp1536", 256), ("modp2048", 320), ("modp3072", 448), ("modp4096", 512)]
    {
        modp::race(report, name, bits);
    }
    report.table("Signatures: the key prepared for signing, in DER for verifying");
    sign::run(report);
    timing::run(report);
}

fn pairs<A: Copy, B: Copy, const N: usize, const M: usize>(
    a: [A; N],
    b: [B; M],
) -> impl Iterator<Item = (A, B)> {
    a.into_iter().flat_map(move |a| b.into_iter().map(move |b| (a, b)))
}

fn whole_blocks(size: usize) -> usize {
    size.next_multiple_of(16)
}

fn providers() -> [(&'static str, CryptoProvider); 2] {
    [("portable", CryptoProvider::portable()), ("fast", CryptoProvider::fast())]
}

/// Ours, everybody else, and the limit, side by side.
fn packet_race(
    name: String,
    ours: impl Fn(CryptoProvider) -> Work,
    theirs: impl Fn(&Peer) -> Option<Work>,
) -> Group {
    let ours = providers().map(|(name, provider)| (name, Some(ours(provider))));
    let theirs = PEERS.iter().chain([LIMIT]).map(|peer| (peer.name, theirs(peer)));
    let mut race = Race::new(name);
    for (name, work) in ours.into_iter().chain(theirs) {
        if let Some(work) = work {
            race = race.add_batch(name, work.packets, work.run);
        }
    }
    race.run()
}

fn bounds(report: &mut Report, group: &Group) {
    report.bound(group, "portable", &["rustcrypto"], BOUND);
    report.bound(group, "fast", &NAMES, BOUND);
}

fn combined(report: &mut Report, which: Combined, direction: Direction, size: usize) {
    let name = format!("crypto/{}-{}-{size}", which.name(), direction.name());
    if report.wants(&name) {
        let sample = Sample::new(which.name(), direction, size);
        let group = packet_race(
            name,
            |provider| peers::packets(provider, &sample),
            |peer| (peer.combined)(which, &sample),
        );
        bounds(report, &group);
    }
}

fn cbc(report: &mut Report, direction: Direction, size: usize) {
    let name = format!("crypto/aes128-cbc-{}-{size}", direction.name());
    if !report.wants(&name) {
        return;
    }
    let sample = Sample::new("aes128-sha1", direction, size);
    let ours = |provider: CryptoProvider| {
        let key = provider.cipher_key(Cipher::AES128, &sample.key).expect("AES");
        match direction {
            Direction::Seal => Work::in_place(&sample.clear, &sample.sealed, move |text| {
                key.encrypt(&IV, text).expect("whole blocks");
            }),
            Direction::Open => Work::in_place(&sample.sealed, &sample.clear, move |text| {
                key.decrypt(&IV, text).expect("whole blocks");
            }),
        }
    };
    let group = packet_race(name, ours, |peer| (peer.cbc)(&sample));
    bounds(report, &group);
}

/// Integrity alone: our packets with NULL encryption against the bare HMAC over the same octets.
fn hmac(report: &mut Report, hash: Hash, size: usize) {
    let name = format!("crypto/hmac-{}-{size}", hash.name());
    if report.wants(&name) {
        let sample = Sample::new(&format!("null-{}", hash.name()), Direction::Seal, size);
        let group = packet_race(
            name,
            |provider| peers::packets(provider, &sample),
            |peer| (peer.hmac)(hash, &sample),
        );
        bounds(report, &group);
    }
}

/// Whole packets, against the same libraries' parts one after the other.
fn cbc_hmac(report: &mut Report, hash: Hash, direction: Direction, size: usize) {
    let name = format!("crypto/aes128-{}-{}-{size}", hash.name(), direction.name());
    if report.wants(&name) {
        let sample = Sample::new(&format!("aes128-{}", hash.name()), direction, size);
        let group = packet_race(
            name,
            |provider| peers::packets(provider, &sample),
            |peer| (peer.cbc_hmac)(hash, &sample),
        );
        bounds(report, &group);
    }
}

/// Printed, without a bound.
fn ours_alone(report: &mut Report, size: usize) {
    let name = format!("crypto/other-suites-seal-{size}");
    if !report.wants(&name) {
        return;
    }
    let mut race = Race::new(name);
    for suite in ["aes128gcm8", "aes128gmac", "aes128ccm16", "aes128ctr-sha1", "null-aesxcbc"] {
        let work = peers::packets(CryptoProvider::fast(), &Sample::new(suite, Direction::Seal, size));
        race = race.add(suite, work.run);
    }
    report.note(&race.run());
}
