//! What every provider promises.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::providers;
use ipsec_crypto::{
    Cipher, CryptoError, CryptoProvider, Encryption, Group, Integrity, Missing, Prf, ProtectionSuite, Seeded,
    SignatureScheme, Support,
};

#[test]
fn is_consistent_and_knows_the_answers() {
    for provider in providers() {
        assert_eq!(provider.consistency_check(), Ok(()));
        assert_eq!(provider.self_test(), Ok(()));
    }
}

#[test]
fn has_exactly_what_the_table_calls_native() {
    let available =
        |support: Support, legacy: bool| support == Support::Native && (!legacy || cfg!(feature = "legacy"));
    for provider in providers() {
        for row in Encryption::rows() {
            let cipher = Cipher::new(row.id, row.default_key_bits).unwrap();
            let found = if row.is_combined() {
                assert!(!provider.supports_cipher(cipher));
                provider.supports_protection(ProtectionSuite { cipher, integrity: None })
            } else {
                provider.supports_cipher(cipher)
            };
            assert_eq!(found, available(row.support, row.legacy), "{}", row.name);
        }
        for row in Integrity::rows() {
            let suite = ProtectionSuite { cipher: Cipher::AES128, integrity: Some(row.id) };
            assert_eq!(
                provider.supports_protection(suite),
                available(row.support, row.legacy),
                "{}",
                row.name
            );
        }
        for row in Prf::rows() {
            assert_eq!(provider.supports_prf(row.id), available(row.support, row.legacy), "{}", row.name);
        }
        for row in Group::rows() {
            assert_eq!(provider.supports_group(row.id), available(row.support, row.legacy), "{}", row.name);
        }
        for row in SignatureScheme::rows() {
            assert_eq!(
                provider.supports_signature(row.id),
                available(row.support, row.legacy),
                "{}",
                row.name
            );
        }
    }
}

#[test]
fn says_why_something_is_missing() {
    let provider = CryptoProvider::default();
    let Err(CryptoError::UnsupportedGroup { reason, .. }) = provider.group(Group::X448) else { panic!() };
    assert!(matches!(reason, Missing::NamedOnly(_)));
    let without = CryptoProvider { groups: &[], ..provider };
    let reason = without.group(Group::Modp2048).map(|_| ()).unwrap_err().to_string();
    assert_eq!(reason, "group modp2048 is not available: the provider does not have it");
    #[cfg(not(feature = "legacy"))]
    assert_eq!(
        provider.prf(Prf::HmacMd5).map(|_| ()).unwrap_err().to_string(),
        "pseudo-random function md5 is not available: it needs the `legacy` feature"
    );
}

#[test]
fn the_same_seed_gives_the_same_octets_with_every_provider() {
    let draw = |provider: &CryptoProvider| {
        let mut random = Seeded::from_u64(7);
        provider.groups.iter().map(|group| group.generate(&mut random).public().to_vec()).collect::<Vec<_>>()
    };
    let first = draw(&CryptoProvider::portable());
    for provider in providers() {
        assert_eq!(draw(&provider), first);
    }
}

#[test]
fn a_twisted_provider_is_found_out() {
    let provider = CryptoProvider::portable();
    let first = provider.groups[0];
    let twice: &'static [_] = Vec::leak(vec![first, first]);
    let twisted = CryptoProvider { groups: twice, ..provider };
    assert!(matches!(twisted.consistency_check(), Err(CryptoError::Inconsistent { .. })));
}
