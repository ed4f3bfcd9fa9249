//! Keys and certificates in every container that OpenSSL makes, and what is said of those that give none.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use ipsec_crypto::{CryptoError, KeyFile, KeyFileFault, PrivateKey, Secret};
use proptest::prelude::*;

macro_rules! data {
    ($name:literal) => {
        ($name, include_bytes!(concat!("data/keys/", $name)).as_slice())
    };
}

fn passphrase() -> Secret {
    Secret::from_slice(b"correct-horse")
}

fn read(content: &[u8]) -> Result<KeyFile, CryptoError> {
    KeyFile::read(content, Some(&passphrase()))
}

/// Files that hold the key on P-256, with the number of their certificates.
const P256: &[((&str, &[u8]), usize)] = &[
    (data!("p256.pkcs8.pem"), 0),
    (data!("p256.sec1.pem"), 0),
    (data!("p256.sec1.der"), 0),
    (data!("p256.nopublic.pem"), 0),
    (data!("bundle.pem"), 2),
    (data!("clear.p12"), 1),
];

/// Those that need the passphrase.
const P256_ENCRYPTED: &[((&str, &[u8]), usize)] = &[
    (data!("p256.aes256.pem"), 0),
    (data!("p256.aes256.der"), 0),
    (data!("p256.aes128-sha1.pem"), 0),
    (data!("p256.des3.pem"), 0),
    (data!("p256.scrypt.pem"), 0),
    (data!("modern.p12"), 2),
    (data!("legacy.p12"), 2),
    (data!("sha1-3des.p12"), 1),
    (data!("nomac.p12"), 1),
];

const RSA: &[(&str, &[u8])] = &[
    data!("rsa.pkcs8.pem"),
    data!("rsa.pkcs8.der"),
    data!("rsa.pkcs1.pem"),
    data!("rsa.pkcs1.der"),
    data!("rsa.p12"),
];

fn fault(content: &[u8], passphrase: Option<&Secret>) -> (&'static str, KeyFileFault) {
    match KeyFile::read(content, passphrase) {
        Err(CryptoError::BadKeyFile { format, reason }) => (format, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_container_gives_the_same_key() {
    let key = read(include_bytes!("data/keys/p256.pkcs8.pem")).unwrap().into_private_key().unwrap();
    let certificate = include_bytes!("data/keys/cert.der");
    for ((name, content), certificates) in P256.iter().chain(P256_ENCRYPTED) {
        let file = read(content).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.certificates.len(), *certificates, "{name}");
        if *certificates > 0 {
            assert_eq!(file.certificates[0], certificate, "{name}");
        }
        assert_eq!(file.into_private_key().unwrap().public(), key.public(), "{name}");
    }
    for ((name, content), _) in P256 {
        assert!(KeyFile::read(content, None).is_ok(), "{name} needs no passphrase");
    }
    // The certificate carries the key that every file gave.
    let spki = key.public().spki();
    assert!(certificate.windows(spki.len()).any(|window| window == spki));

    let key = PrivateKey::from_pkcs8(include_bytes!("data/keys/rsa.pkcs8.der")).unwrap();
    for (name, content) in RSA {
        let file = read(content).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.into_private_key().unwrap().public(), key.public(), "{name}");
    }
    for ((sec1, one), (pkcs8, other)) in
        [(data!("p384.sec1.pem"), data!("p384.pkcs8.pem")), (data!("p521.sec1.pem"), data!("p521.pkcs8.pem"))]
    {
        let public = |content| read(content).unwrap().into_private_key().unwrap().public().clone();
        assert_eq!(public(one), public(other), "{sec1} {pkcs8}");
    }
}

#[test]
fn certificates_without_a_key_are_taken_and_missed_when_the_key_is_wanted() {
    for ((name, content), certificates) in
        [(data!("cert.pem"), 1), (data!("cert.der"), 1), (data!("ca.pem"), 1), (data!("certs-only.p12"), 1)]
    {
        let file = read(content).unwrap();
        assert_eq!(file.certificates.len(), certificates, "{name}");
        assert!(file.private_key.is_none());
        let reason = KeyFileFault::NoKey { certificates };
        let missed = CryptoError::BadKeyFile { format: "file", reason };
        assert_eq!(file.into_private_key().map(|_| ()), Err(missed));
    }
    let pem = include_bytes!("data/keys/cert.pem");
    assert_eq!(read(pem).unwrap().certificates, [include_bytes!("data/keys/cert.der")]);
}

#[test]
fn passphrases_are_asked_for_and_wrong_ones_said_to_be_wrong() {
    let wrong = Secret::from_slice(b"Correct-horse");
    for ((name, content), _) in P256_ENCRYPTED {
        let (_, reason) = fault(content, None);
        assert_eq!(reason, KeyFileFault::PassphraseNeeded, "{name}");
        let (_, reason) = fault(content, Some(&wrong));
        assert_eq!(reason, KeyFileFault::PassphraseWrong, "{name}");
    }
    let empty = include_bytes!("data/keys/empty-passphrase.p12");
    assert!(KeyFile::read(empty, None).unwrap().private_key.is_some());
    assert_eq!(fault(empty, Some(&wrong)).1, KeyFileFault::PassphraseWrong);
    let latin1 = Secret::from_slice(b"caf\xe9");
    assert_eq!(fault(include_bytes!("data/keys/modern.p12"), Some(&latin1)).1, KeyFileFault::PassphraseWrong);
}

#[test]
fn says_what_was_found_and_what_to_do() {
    let said = |content: &[u8]| read(content).map(|_| ()).unwrap_err().to_string();
    for ((name, content), words) in [
        (
            data!("p256.dek.pem"),
            ["SEC 1 EC key: its encryption (OpenSSL's traditional", "openssl pkcs8 -topk8"],
        ),
        (
            data!("p256.pbes1.pem"),
            ["encrypted PKCS#8 key: its encryption (1.2.840.113549.1.12.1.3)", "openssl"],
        ),
        (data!("ed25519.pem"), ["PKCS#8 key: ", "Ed25519 is not supported"]),
        (data!("rsa512.pem"), ["PKCS#1 RSA key: ", "512 bits are too short, 1024 are the least"]),
        (data!("two-keys.pem"), ["2 private keys", "leave one"]),
    ] {
        let said = said(content);
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
    }
    let openssh = b"-----BEGIN OPENSSH PRIVATE KEY-----\nAA==\n-----END OPENSSH PRIVATE KEY-----\n";
    assert_eq!(said(openssh), "PEM: OPENSSH PRIVATE KEY is not supported");
    for nothing in [&b""[..], b"ssh-rsa AAAA", &[0x30, 0x80, 2, 1, 3, 0, 0], &[0x30, 0], &[0; 64]] {
        assert_eq!(fault(nothing, None), ("file", KeyFileFault::NotRecognized));
    }
    for damaged in [
        &b"-----BEGIN PRIVATE KEY-----"[..],
        b"-----BEGIN PRIVATE KEY",
        b"-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        assert_eq!(fault(damaged, None), ("PEM", KeyFileFault::Malformed));
    }
    let large = vec![b'-'; (1 << 20) + 1];
    assert!(matches!(fault(&large, None).1, KeyFileFault::TooLarge { .. }));
}

#[test]
fn work_that_a_file_asks_for_is_bounded() {
    let encrypted = include_bytes!("data/keys/p256.aes256.der");
    // PBKDF2's iterations are an INTEGER of two octets behind the salt: 2048. The form with four has other lengths outside.
    let at = encrypted.windows(4).position(|window| window == [2, 2, 8, 0]).unwrap();
    let mut changed = encrypted.to_vec();
    changed.splice(at..at + 4, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
    for sequence in 0..at {
        // Every element that holds it grows by two: those whose end is behind it.
        let short = encrypted[sequence] == 0x30 && encrypted[sequence + 1] < 0x80;
        if short && sequence + 2 + usize::from(encrypted[sequence + 1]) > at {
            changed[sequence + 1] += 2;
        }
    }
    changed[2] += 2;
    assert_eq!(fault(&changed, Some(&passphrase())).1, KeyFileFault::TooMuchWork);
}

#[test]
fn no_truncation_gives_a_key_or_a_panic() {
    let all = P256.iter().chain(P256_ENCRYPTED).map(|(file, _)| file).chain(RSA);
    for (name, content) in all {
        let end = content.len() - usize::from(content.ends_with(b"\n"));
        for len in 0..end {
            let key = read(&content[..len]).ok().and_then(|file| file.private_key);
            assert!(key.is_none(), "{name} {len}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_flip_panics(which in 0..20usize, at in any::<prop::sample::Index>(), bit in 0..8) {
        let files: Vec<_> = P256.iter().chain(P256_ENCRYPTED).map(|(file, _)| file).chain(RSA).collect();
        let (_, content) = files[which % files.len()];
        let mut content = content.to_vec();
        *at.get_mut(&mut content) ^= 1u8 << bit;
        let _ = read(&content);
    }

    #[test]
    fn octets_of_any_kind_do_not_panic(octets in prop::collection::vec(any::<u8>(), 0..200), start in 0..3usize) {
        let start = [&[][..], &[0x30, 0x81], b"-----BEGIN PRIVATE KEY-----\n"][start];
        prop_assert!(read(&[start, &octets].concat()).is_err());
    }
}
