//! Every committed fuzz input, and seeded mutations of it, on the stable toolchain.

use std::fs;
use std::path::{Path, PathBuf};

use ipsec_testkit::fuzz::TARGETS;

/// Mutations of each input.
const MUTATIONS: u64 = 8;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut inputs: Vec<_> = fs::read_dir(folder(target))
        .unwrap_or_else(|error| panic!("the corpus of {target}: {error}"))
        .map(|entry| entry.expect("a folder that can be read").path())
        .map(|path| (path.clone(), fs::read(path).expect("a file that can be read")))
        .collect();
    inputs.sort();
    inputs
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn mutate(octets: &mut Vec<u8>, state: &mut u64) {
    for _ in 0..=next(state) % 4 {
        let at = (next(state) % (octets.len() as u64 + 1)) as usize;
        match next(state) % 5 {
            0 => octets.truncate(at),
            1 => octets.insert(at, next(state) as u8),
            2 => drop((at < octets.len()).then(|| octets.remove(at))),
            3 => octets.get_mut(at).into_iter().for_each(|octet| *octet ^= 1 << (next(state) % 8)),
            _ => octets.get_mut(at).into_iter().for_each(|octet| *octet = next(state) as u8),
        }
    }
}

#[test]
fn corpora_hold() {
    for (target, body) in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for (path, octets) in inputs {
            println!("{}", path.display());
            body(&octets);
        }
    }
}

#[test]
fn mutations_hold() {
    for (target, body) in TARGETS {
        let mut state = 1;
        for (path, octets) in inputs(target) {
            for number in 0..MUTATIONS {
                let mut mutated = octets.clone();
                mutate(&mut mutated, &mut state);
                println!("{} mutation {number}: {mutated:02x?}", path.display());
                body(&mutated);
            }
        }
    }
}
