//! The self-test: published answers, one an algorithm at least.

use super::CryptoProvider;
use crate::error::CryptoError;
use crate::random::Seeded;
use crate::suite::{Encryption, Integrity, Prf};

/// The text of RFC 2202 and RFC 4231 case 2, whose key is `Jefe`.
const QUESTION: &[u8] = b"what do ya want for nothing?";

/// HMAC of RFC 2202 and RFC 4231 case 2, in its first octets.
fn jefe(prf: Prf) -> Option<[u8; 12]> {
    Some(match prf {
        Prf::HmacMd5 => [0x75, 0x0c, 0x78, 0x3e, 0x6a, 0xb0, 0xb5, 0x03, 0xea, 0xa8, 0x6e, 0x31],
        Prf::HmacSha1 => [0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5],
        Prf::HmacSha256 => [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26],
        Prf::HmacSha384 => [0xaf, 0x45, 0xd2, 0xe3, 0x76, 0x48, 0x40, 0x31, 0x61, 0x7f, 0x78, 0xd2],
        Prf::HmacSha512 => [0x16, 0x4b, 0x7a, 0x7b, 0xfc, 0xf8, 0x19, 0xe2, 0xe3, 0x95, 0xfb, 0xe7],
        _ => return None,
    })
}

/// Key, IV, clear text and encrypted text.
struct CipherAnswer {
    encryption: Encryption,
    key: &'static [u8],
    iv: &'static [u8],
    clear: &'static [u8],
    sealed: &'static [u8],
}

/// AES: NIST SP 800-38A F.2.1, F.2.3, F.2.5, the first block. 3DES: NIST CAVP TCBCMMT3, the first case.
const CIPHERS: &[CipherAnswer] = &[
    CipherAnswer { encryption: Encryption::Null, key: &[], iv: &[], clear: b"as it is", sealed: b"as it is" },
    CipherAnswer {
        encryption: Encryption::AesCbc,
        key: &hex::<16>("2b7e151628aed2a6abf7158809cf4f3c"),
        iv: &SP800_38A_IV,
        clear: &SP800_38A_TEXT,
        sealed: &hex::<16>("7649abac8119b246cee98e9b12e9197d"),
    },
    CipherAnswer {
        encryption: Encryption::AesCbc,
        key: &hex::<24>("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"),
        iv: &SP800_38A_IV,
        clear: &SP800_38A_TEXT,
        sealed: &hex::<16>("4f021db243bc633d7178183a9fa071e8"),
    },
    CipherAnswer {
        encryption: Encryption::AesCbc,
        key: &hex::<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        iv: &SP800_38A_IV,
        clear: &SP800_38A_TEXT,
        sealed: &hex::<16>("f58c4c04d6e5f1ba779eabfb5f7bfbd6"),
    },
    CipherAnswer {
        encryption: Encryption::TripleDesCbc,
        key: &hex::<24>("b5cb1504802326c73df186e3e352a20de643b0d63ee30e37"),
        iv: &hex::<8>("43f791134c5647ba"),
        clear: &hex::<8>("dcc153cef81d6f24"),
        sealed: &hex::<8>("92538bd8af18d3ba"),
    },
];

const SP800_38A_IV: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f");
const SP800_38A_TEXT: [u8; 16] = hex("6bc1bee22e409f96e93d7e117393172a");

const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit - b'a' + 10,
        }
    }
    let (digits, mut octets, mut i) = (digits.as_bytes(), [0; N], 0);
    assert!(digits.len() == 2 * N);
    while i < N {
        octets[i] = value(digits[2 * i]) << 4 | value(digits[2 * i + 1]);
        i += 1;
    }
    octets
}

pub(super) fn run(provider: &CryptoProvider) -> Result<(), CryptoError> {
    let verdict = |good: bool, algorithm: &dyn std::fmt::Display| {
        if good {
            Ok(())
        } else {
            Err(CryptoError::SelfTest { provider: provider.name, algorithm: algorithm.to_string() })
        }
    };
    for algorithm in provider.ciphers {
        let mut answers = CIPHERS.iter().filter(|answer| answer.encryption == algorithm.id()).peekable();
        verdict(answers.peek().is_some(), &algorithm.id())?;
        for answer in answers {
            let key = algorithm.key(answer.key)?;
            let mut text = answer.clear.to_vec();
            key.encrypt(answer.iv, &mut text)?;
            verdict(text == answer.sealed, &algorithm.id())?;
            key.decrypt(answer.iv, &mut text)?;
            verdict(text == answer.clear, &algorithm.id())?;
        }
    }
    for algorithm in provider.prfs {
        let answer = jefe(algorithm.id());
        let output = algorithm.mac(b"Jefe", &[QUESTION]);
        verdict(answer.is_some_and(|answer| output.as_slice().starts_with(&answer)), &algorithm.id())?;
    }
    for algorithm in provider.integrity {
        // An integrity key has a fixed length: HMAC pads `Jefe` with zeros itself, so padding it here changes nothing.
        let id = algorithm.id();
        let mut key = vec![0; id.key_len()];
        key.iter_mut().zip(b"Jefe").for_each(|(to, from)| *to = *from);
        let prf = match id {
            Integrity::HmacMd5_96 => Some(Prf::HmacMd5),
            Integrity::HmacSha1_96 => Some(Prf::HmacSha1),
            Integrity::HmacSha256_128 => Some(Prf::HmacSha256),
            Integrity::HmacSha384_192 => Some(Prf::HmacSha384),
            Integrity::HmacSha512_256 => Some(Prf::HmacSha512),
            _ => None,
        };
        let mut icv = vec![0; id.icv_len()];
        algorithm.key(&key)?.sign(&[QUESTION], &mut icv);
        verdict(prf.and_then(jefe).is_some_and(|answer| icv.starts_with(&answer)), &id)?;
    }
    for algorithm in provider.groups {
        // No published answer takes our short exponents: two sides that agree, by different sequences of operations.
        let mut random = Seeded::from_u64(u64::from(algorithm.id().number()));
        let (ours, theirs) = (algorithm.generate(&mut random), algorithm.generate(&mut random));
        let (to_us, to_them) = (theirs.public().to_vec(), ours.public().to_vec());
        let shared = ours.agree(&to_us)?;
        verdict(theirs.agree(&to_them)?.ct_eq(shared.as_slice()) && to_us != to_them, &algorithm.id())?;
    }
    Ok(())
}
