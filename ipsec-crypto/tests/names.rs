//! Names: every row prints in every dialect and reads back, ambiguous names mean what is said, any text is survived.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use ipsec_crypto::suite::{Dialect, TransformSet};
use ipsec_crypto::{
    Cipher, CryptoError, Encryption, EspSuite, Group, IkeSuite, Integrity, Prf, ProtectionSuite,
    SignatureScheme,
};
use proptest::prelude::*;

fn ciphers() -> Vec<Cipher> {
    let rows = Encryption::rows().iter();
    rows.flat_map(|row| row.key_bits.iter().map(|&bits| Cipher::new(row.id, bits).unwrap())).collect()
}

/// The dialects that leave the key length to the key.
const SILENT_ABOUT_KEYS: [Dialect; 4] = [Dialect::Iana, Dialect::Xfrm, Dialect::Setkey, Dialect::Wireshark];

/// What a name of a cipher says in a dialect.
fn as_said(cipher: Cipher, dialect: Dialect) -> Cipher {
    let silent = SILENT_ABOUT_KEYS.contains(&dialect)
        || !cipher.row().names.of(dialect).first().is_some_and(|name| name.contains('#'));
    if silent { Cipher::from_attribute(cipher.encryption, None).unwrap() } else { cipher }
}

#[test]
fn whole_suites_read_back_in_every_dialect() {
    let mut read = 0;
    for dialect in Dialect::ALL {
        for cipher in ciphers() {
            for row in Integrity::rows() {
                let integrity = (!cipher.row().is_combined()).then_some(row.id);
                let suite = ProtectionSuite { cipher, integrity };
                let Some(printed) = suite.name_in(dialect) else { continue };
                let expected = ProtectionSuite { cipher: as_said(cipher, dialect), integrity };
                // Names that other dialects read first are told apart where the dialect is known, not in a line.
                if Cipher::from_name(&cipher.name_in(dialect).unwrap()) == Some(expected.cipher)
                    && integrity
                        .is_none_or(|id| Integrity::from_name(id.name_in(dialect).unwrap()) == Some(id))
                {
                    assert_eq!(printed.parse(), Ok(expected), "{dialect}: {printed}");
                    read += 1;
                }
            }
            let prfs = Prf::rows().iter().map(|prf| (prf.id, Group::Modp2048));
            let groups = Group::rows().iter().map(|group| (Prf::HmacSha256, group.id));
            for (prf, group) in prfs.chain(groups) {
                let suite = IkeSuite { cipher, prf, group };
                if [Dialect::Ours, Dialect::StrongSwan, Dialect::CiscoPolicy].contains(&dialect)
                    && let Some(printed) = suite.name_in(dialect)
                {
                    let expected = IkeSuite { cipher: as_said(cipher, dialect), ..suite };
                    assert_eq!(printed.parse(), Ok(expected), "{dialect}: {printed}");
                    read += 1;
                }
            }
        }
    }
    assert!(read > 5_000, "{read}");
}

/// Every spelling that two rows share, and what it means where no dialect is given.
#[test]
fn names_with_two_meanings() {
    fn shared<T: Copy + Eq>(all: impl Iterator<Item = (String, T)>) -> Vec<String> {
        let mut seen = BTreeMap::<String, Vec<T>>::new();
        for (name, id) in all {
            let ids = seen.entry(name.to_ascii_lowercase().replace('_', "-")).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        seen.into_iter().filter(|(_, ids)| ids.len() > 1).map(|(name, _)| name).collect()
    }
    let integrity = Integrity::rows().iter().flat_map(|row| {
        Dialect::ALL.into_iter().flat_map(|d| row.names.of(d)).map(|name| ((*name).to_owned(), row.id))
    });
    // The kernel's bare `sha256` is the draft's 96 bits; everybody else's is RFC 4868's 128.
    assert_eq!(shared(integrity), ["sha256"]);
    assert_eq!(Integrity::from_name("sha256"), Some(Integrity::HmacSha256_128));
    assert_eq!(Integrity::from_name_in(Dialect::Xfrm, "sha256"), Some(Integrity::HmacSha256_96));
    assert_eq!(Integrity::from_name("hmac(sha256)"), Some(Integrity::HmacSha256_96));
    assert_eq!(Integrity::from_name("hmac(sha256) 128"), Some(Integrity::HmacSha256_128));
    let encryption = Encryption::rows().iter().flat_map(|row| {
        Dialect::ALL.into_iter().flat_map(|d| row.names.of(d)).map(|name| ((*name).to_owned(), row.id))
    });
    assert_eq!(shared(encryption), [""; 0]);
    let groups = Group::rows().iter().flat_map(|row| {
        Dialect::ALL.into_iter().flat_map(|d| row.names.of(d)).map(|name| ((*name).to_owned(), row.id))
    });
    assert_eq!(shared(groups), [""; 0]);
    let prfs = Prf::rows().iter().flat_map(|row| {
        Dialect::ALL.into_iter().flat_map(|d| row.names.of(d)).map(|name| ((*name).to_owned(), row.id))
    });
    assert_eq!(shared(prfs), [""; 0]);
    // A combined mode without the length of its ICV has the whole one.
    assert_eq!(Encryption::from_name("rfc4106(gcm(aes))"), Some(Encryption::AesGcm16));
    assert_eq!(Encryption::from_name("rfc4309(ccm(aes)) 64"), Some(Encryption::AesCcm8));
    assert_eq!(Encryption::from_name("AES-GCM [RFC4106]"), Some(Encryption::AesGcm16));
    // IANA describes groups 6 and 7, 8 and 9, … alike.
    assert_eq!(Group::from_name("EC2N group over GF[2^163]"), Some(Group::Ec2n163Random));
}

#[test]
fn numbers_of_the_registries_all_have_rows() {
    let ike_encryption: Vec<_> = (1..=8).map(Encryption::from_ikev1_phase1).collect();
    let esp: Vec<_> = (1..=23).filter(|&id| id != 17).map(Encryption::from_ikev1_esp).collect();
    let unassigned = [10, 17, 19];
    let ikev2: Vec<_> =
        (1..=35).filter(|id| !unassigned.contains(id) || *id == 19).map(Encryption::from_ikev2).collect();
    assert!(ike_encryption.iter().chain(&esp).chain(&ikev2).all(Option::is_some), "{esp:?} {ikev2:?}");
    assert!(
        (1..=6).all(|id| Prf::from_ikev1_phase1(id).is_some())
            && (1..=9).all(|id| Prf::from_ikev2(id).is_some())
    );
    assert!((1..=13).all(|id| Integrity::from_ikev1_auth(id).is_some()));
    assert!((2..=13).all(|id| Integrity::from_ikev1_ah(id).is_some()));
    assert!((1..=14).all(|id| Integrity::from_ikev2(id).is_some()));
    assert!((1..=30).all(|id| Group::from_ikev1_phase1(id).is_some()));
    let ikev2_groups = [1, 2, 5].into_iter().chain(14..=37);
    assert!(ikev2_groups.clone().all(|id| Group::from_ikev2(id).is_some()));
    assert!((0..=0xffff).filter_map(Group::from_ikev2).count() == ikev2_groups.count());
}

fn survives(text: &str) {
    fn judged<T>(text: &str, result: Result<T, CryptoError>, again: impl Fn(T) -> bool) {
        match result {
            Ok(read) => assert!(again(read), "{text:?}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    judged(text, text.parse::<Cipher>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<Integrity>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<Prf>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<Group>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<SignatureScheme>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<IkeSuite>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<EspSuite>(), |read| read.to_string().parse() == Ok(read));
    judged(text, text.parse::<TransformSet>(), |read| {
        read.to_cisco().is_none_or(|line| line.parse::<TransformSet>().is_ok())
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,40}") {
        survives(&text);
    }

    #[test]
    fn near_names_are_survived(words in proptest::collection::vec("aes|gcm|[0-9]{1,3}|esp|sha|hmac|-|_| |\\(|\\)|group|modp|ah-|des", 0..9)) {
        survives(&words.concat());
    }
}
