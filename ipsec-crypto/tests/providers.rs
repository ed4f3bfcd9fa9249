//! What every provider promises.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::providers;
use ipsec_crypto::{
    Cipher, CryptoError, CryptoProvider, Encryption, Group, Integrity, KeyExchange, KeyPair, Missing, Prf,
    ProtectionSuite, SecureRandom, Seeded, SignatureScheme, Support,
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
    /// Says it is another than it is.
    #[derive(Debug)]
    struct Posing(Group, &'static dyn KeyExchange);
    impl KeyExchange for Posing {
        fn id(&self) -> Group {
            self.0
        }
        fn public_len(&self) -> usize {
            self.1.public_len()
        }
        fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
            self.1.check_public(peer)
        }
        fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
            self.1.generate(random)
        }
    }
    let provider = CryptoProvider::portable();
    let posing = |id, as_what| -> &'static [&'static dyn KeyExchange] {
        let group: &'static dyn KeyExchange =
            Box::leak(Box::new(Posing(id, provider.group(as_what).unwrap())));
        Vec::leak([&[group], provider.groups].concat().into_iter().rev().collect())
    };
    let without = |id: Group| -> &'static [&'static dyn KeyExchange] {
        Vec::leak(provider.groups.iter().copied().filter(|group| group.id() != id).collect())
    };
    for (groups, fault) in [
        (Vec::leak([provider.groups, provider.groups].concat()) as &'static [_], "x25519 is there twice"),
        (posing(Group::X448, Group::X25519), "x448 has another public value than the table says"),
        (without(Group::Modp2048), "aes128-sha256-modp2048 is more than it can do"),
        #[cfg(not(feature = "legacy"))]
        (posing(Group::Modp1024, Group::X25519), "modp1024 is there without the `legacy` feature"),
    ] {
        let error = CryptoProvider { groups, ..provider }.consistency_check().unwrap_err();
        assert_eq!(error.to_string(), format!("provider `portable` is inconsistent: {fault}"));
    }
    // Right sizes, wrong octets: the known answer tells.
    let groups = posing(Group::Ecp256, Group::Modp2048);
    let found = CryptoProvider { groups, ..provider }.self_test();
    assert!(matches!(found, Err(CryptoError::SelfTest { algorithm, .. }) if algorithm == "ecp256"));
}

#[cfg(feature = "legacy")]
#[test]
fn weak_keys_are_refused_by_name() {
    use common::hex;
    use ipsec_crypto::suite::KeyWeakness;
    for provider in providers() {
        for (name, key, weakness) in [
            ("des", "0101010101010101", KeyWeakness::Weak),
            ("des", "0000000000000000", KeyWeakness::Weak),
            ("des-iv32", "e0e0e0e0f1f1f1f1", KeyWeakness::Weak),
            ("des-iv64", "fee0fee0fef1fef1", KeyWeakness::SemiWeak),
            ("3des", "0123456789abcdef0022446688aaccee1122334455667788", KeyWeakness::Degenerate),
            ("3des", "112233445566778899aabbccddeeff0198aabacddceffe00", KeyWeakness::Degenerate),
        ] {
            let cipher: Cipher = name.parse().unwrap();
            let expected = Err(CryptoError::WeakKey { encryption: cipher.encryption, weakness });
            assert_eq!(provider.cipher_key(cipher, &hex(key)).map(|_| ()), expected, "{name} {key}");
            let suite = ProtectionSuite { cipher, integrity: Some(Integrity::HmacSha1_96) };
            assert_eq!(provider.protection(suite, &hex(key), &[1; 20]).map(|_| ()), expected, "{name} {key}");
        }
    }
}
