//! The self-test: published answers, one an algorithm at least.

mod groups;
mod signatures;

use self::signatures::SIGNATURES;
use super::CryptoProvider;
use crate::error::CryptoError;
use crate::key::PrivateKey;
use crate::protection::{InOut, Outcome};
use crate::random::Seeded;
use crate::suite::{Encryption, Integrity, Prf, SignatureEncoding};

/// The text of RFC 2202 and RFC 4231 case 2, whose key is `Jefe`.
const QUESTION: &[u8] = b"what do ya want for nothing?";

type MacAnswer = (&'static [u8], &'static [u8], Option<[u8; 12]>);

const NO_ANSWER: MacAnswer = (&[], &[], None);

/// Key, text, and the first octets of HMAC of RFC 2202 and RFC 4231 case 2, AES-XCBC of RFC 3566 case 4, AES-CMAC of
/// RFC 4493 example 3.
fn mac_answer(prf: Prf) -> MacAnswer {
    let jefe = |answer| (&b"Jefe"[..], QUESTION, Some(answer));
    match prf {
        Prf::HmacMd5 => jefe(hex("750c783e6ab0b503eaa86e31")),
        Prf::HmacSha1 => jefe(hex("effcdf6ae5eb2fa2d27416d5")),
        Prf::HmacSha256 => jefe(hex("5bdcc146bf60754e6a042426")),
        Prf::HmacSha384 => jefe(hex("af45d2e376484031617f78d2")),
        Prf::HmacSha512 => jefe(hex("164b7a7bfcf819e2e395fbe7")),
        Prf::AesXcbc => (
            const { &hex::<16>("000102030405060708090a0b0c0d0e0f") },
            const { &hex::<20>("000102030405060708090a0b0c0d0e0f10111213") },
            Some(hex("47f51b4564966215b8985c63")),
        ),
        Prf::AesCmac => (
            const { &hex::<16>("2b7e151628aed2a6abf7158809cf4f3c") },
            const {
                &hex::<40>("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")
            },
            Some(hex("dfa66747de9ae63030ca3261")),
        ),
        _ => NO_ANSWER,
    }
}

/// Key, IV, clear text and encrypted text.
struct CipherAnswer {
    encryption: Encryption,
    key: &'static [u8],
    iv: &'static [u8],
    clear: &'static [u8],
    sealed: &'static [u8],
}

/// AES-CBC: NIST SP 800-38A F.2.1, F.2.3, F.2.5, the first block. AES-CTR: RFC 3686 §6. 3DES: NIST CAVP TCBCMMT3, the first case. DES:
/// FIPS 81 table C1; with a shortened IV or key: made with OpenSSL.
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
        encryption: Encryption::AesCtr,
        key: &hex::<20>("ae6852f8121067cc4bf7a5765577f39e00000030"),
        iv: &hex::<8>("0000000000000000"),
        clear: &hex::<16>("53696e676c6520626c6f636b206d7367"),
        sealed: &hex::<16>("e4095d4fb7a7b3792d6175a3261311b8"),
    },
    CipherAnswer {
        encryption: Encryption::AesCtr,
        key: &hex::<28>("16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb7851500000048"),
        iv: &hex::<8>("36733c147d6d93cb"),
        clear: &hex::<16>("53696e676c6520626c6f636b206d7367"),
        sealed: &hex::<16>("4b55384fe259c9c84e7935a003cbe928"),
    },
    CipherAnswer {
        encryption: Encryption::AesCtr,
        key: &hex::<36>("776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c10400000060"),
        iv: &hex::<8>("db5672c97aa8f0b2"),
        clear: &hex::<16>("53696e676c6520626c6f636b206d7367"),
        sealed: &hex::<16>("145ad01dbf824ec7560863dc71e3e0c0"),
    },
    CipherAnswer {
        encryption: Encryption::TripleDesCbc,
        key: &hex::<24>("b5cb1504802326c73df186e3e352a20de643b0d63ee30e37"),
        iv: &hex::<8>("43f791134c5647ba"),
        clear: &hex::<8>("dcc153cef81d6f24"),
        sealed: &hex::<8>("92538bd8af18d3ba"),
    },
    CipherAnswer {
        encryption: Encryption::DesCbc,
        key: &hex::<8>("0123456789abcdef"),
        iv: &hex::<8>("1234567890abcdef"),
        clear: b"Now is the time for all ",
        sealed: &hex::<24>("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
    },
    CipherAnswer {
        encryption: Encryption::DesIv64,
        key: &hex::<8>("0123456789abcdef"),
        iv: &hex::<8>("1234567890abcdef"),
        clear: b"Now is the time for all ",
        sealed: &hex::<24>("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
    },
    CipherAnswer {
        encryption: Encryption::DesIv32,
        key: &hex::<8>("0123456789abcdef"),
        iv: &hex::<4>("12345678"),
        clear: b"Now is the time for all ",
        sealed: &hex::<24>("d19a54d87e8f5eb446e184799c62c2cca6e7460c569cd4a6"),
    },
    CipherAnswer {
        encryption: Encryption::CdmfCbc,
        key: &hex::<8>("0123456789abcdef"),
        iv: &hex::<8>("1234567890abcdef"),
        clear: b"Now is the time for all ",
        sealed: &hex::<24>("198961896d97f37c65f2135784245103f69341245eb8bbd4"),
    },
];

/// Keying material, IV, additional data, clear text, encrypted text and ICV.
struct AeadAnswer {
    encryption: Encryption,
    keymat: &'static [u8],
    aad: &'static [u8],
    iv: &'static [u8],
    clear: &'static [u8],
    sealed: &'static [u8],
    icv: &'static [u8],
}

/// GCM, GMAC: draft-mcgrew-gcm-test-01. ChaCha20-Poly1305: RFC 7634 appendix A. CCM: made with OpenSSL.
const AEADS: &[AeadAnswer] = &[
    AeadAnswer {
        encryption: Encryption::AesGcm16,
        keymat: &hex::<20>("abbccddef00112233445566778899aabdecaf888"),
        aad: &hex::<12>("000001000000000000000001"),
        iv: &hex::<8>("cafedebaceface74"),
        clear: &hex::<20>("746f016265016f72016e6f7401746f0162650001"),
        sealed: &hex::<20>("29c9fc69a197d038ccdd14e2ddfcaa0543332164"),
        icv: &hex::<16>("412503524303ed3c6c5f283843af8c3e"),
    },
    AeadAnswer {
        encryption: Encryption::AesGcm16,
        keymat: &hex::<28>("feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe"),
        aad: &hex::<8>("0000a5f80000000a"),
        iv: &hex::<8>("facedbaddecaf888"),
        clear: &hex::<40>("45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001"),
        sealed: &hex::<40>(
            "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77",
        ),
        icv: &hex::<16>("95457b9652037f5318027b5b4cd7a636"),
    },
    AeadAnswer {
        encryption: Encryption::AesGcm16,
        keymat: &hex::<36>("abbccddef00112233445566778899aababbccddef00112233445566778899aab73616c74"),
        aad: &hex::<12>("17405e67156f3126dd0db99b"),
        iv: &hex::<8>("616e640169766563"),
        clear: &hex::<40>("45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d540001"),
        sealed: &hex::<40>(
            "f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce673119e",
        ),
        icv: &hex::<16>("451626c2415771e3b7eebca614c89b35"),
    },
    AeadAnswer {
        encryption: Encryption::AesGcm12,
        keymat: &hex::<20>("abbccddef00112233445566778899aabdecaf888"),
        aad: &hex::<12>("000001000000000000000001"),
        iv: &hex::<8>("cafedebaceface74"),
        clear: &hex::<20>("746f016265016f72016e6f7401746f0162650001"),
        sealed: &hex::<20>("29c9fc69a197d038ccdd14e2ddfcaa0543332164"),
        icv: &hex::<12>("412503524303ed3c6c5f2838"),
    },
    AeadAnswer {
        encryption: Encryption::AesGcm8,
        keymat: &hex::<20>("abbccddef00112233445566778899aabdecaf888"),
        aad: &hex::<12>("000001000000000000000001"),
        iv: &hex::<8>("cafedebaceface74"),
        clear: &hex::<20>("746f016265016f72016e6f7401746f0162650001"),
        sealed: &hex::<20>("29c9fc69a197d038ccdd14e2ddfcaa0543332164"),
        icv: &hex::<8>("412503524303ed3c"),
    },
    AeadAnswer {
        encryption: Encryption::NullAesGmac,
        keymat: &hex::<20>("4c80cdefbb5d10da906ac73c3613a63422433c64"),
        aad: &hex::<8>("0000432100000007"),
        iv: &hex::<8>("0000000000000000"),
        clear: &hex::<52>(
            "45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201",
        ),
        sealed: &hex::<52>(
            "45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201",
        ),
        icv: &hex::<16>("f2a9a836e155106aa8dcd618e4099aaa"),
    },
    AeadAnswer {
        encryption: Encryption::AesCcm8,
        keymat: &hex::<19>("1cf6a30e55ea8b83909ed5e347ec67b69b620f"),
        aad: &hex::<8>("96bbf9683325d073"),
        iv: &hex::<8>("46339c7467c3999e"),
        clear: &hex::<17>("c049f8a7d501ad8b02645b1f71086c7ad2"),
        sealed: &hex::<17>("c18d07c5c6dbbc36762331083b65f3fd0c"),
        icv: &hex::<8>("66b25b07dab721a4"),
    },
    AeadAnswer {
        encryption: Encryption::AesCcm12,
        keymat: &hex::<27>("efe73093929e2ea5855632ff3ce5d9afa68b42b7c389d791da46bc"),
        aad: &hex::<8>("1d4c6f5a7d0b1d8e"),
        iv: &hex::<8>("391a9833e445f264"),
        clear: &hex::<17>("be4cbe2921271c106357fe0656b2015f1c"),
        sealed: &hex::<17>("76dd2625ee8922c338cba967197c3e3b35"),
        icv: &hex::<12>("70f67b6a78b94cc09ec466a6"),
    },
    AeadAnswer {
        encryption: Encryption::AesCcm16,
        keymat: &hex::<35>("9b17edd776b877b8f598cf6487ded0af4e81e596e0b1b6700e255151e8beb3d8750cb4"),
        aad: &hex::<8>("31df3a4eaf753702"),
        iv: &hex::<8>("83c0cbb3c8d0d45a"),
        clear: &hex::<17>("b97d87b8c8d16527eb191fe4aa0ade2b49"),
        sealed: &hex::<17>("4f5a65cd66de6015549fdd6989b84e584f"),
        icv: &hex::<16>("b5e4309d59e1d69910cb0ed9b7edab67"),
    },
    AeadAnswer {
        encryption: Encryption::ChaCha20Poly1305,
        keymat: &hex::<36>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3"),
        aad: &hex::<8>("0102030400000005"),
        iv: &hex::<8>("1011121314151617"),
        clear: &hex::<88>(
            "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204",
        ),
        sealed: &hex::<88>(
            "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0",
        ),
        icv: &hex::<16>("76aaa8266b7fb0f7b11b369907e1ad43"),
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
    for algorithm in provider.aeads {
        let mut answers = AEADS.iter().filter(|answer| answer.encryption == algorithm.id()).peekable();
        verdict(answers.peek().is_some(), &algorithm.id())?;
        for answer in answers {
            let key = algorithm.key(answer.keymat)?;
            let (mut text, mut icv) = (answer.clear.to_vec(), vec![0; answer.icv.len()]);
            let sealed = key.seal(answer.iv, answer.aad, &mut InOut::InPlace(&mut text), &mut icv);
            verdict(sealed == Outcome::Done && text == answer.sealed && icv == answer.icv, &algorithm.id())?;
            let opened = key.open(answer.iv, answer.aad, &mut InOut::InPlace(&mut text), &icv);
            verdict(opened == Outcome::Done && text == answer.clear, &algorithm.id())?;
            icv[0] ^= 1;
            let forged = key.open(answer.iv, answer.aad, &mut InOut::InPlace(&mut text), &icv);
            verdict(forged == Outcome::Forged, &algorithm.id())?;
        }
    }
    for algorithm in provider.prfs {
        let (key, text, answer) = mac_answer(algorithm.id());
        let output = algorithm.mac(key, &[text]);
        verdict(answer.is_some_and(|answer| output.as_slice().starts_with(&answer)), &algorithm.id())?;
    }
    for algorithm in provider.integrity {
        // An integrity key has a fixed length: HMAC pads `Jefe` with zeros itself, so padding it here changes nothing.
        let id = algorithm.id();
        let (short, text, answer) = match id {
            Integrity::HmacMd5_96 => mac_answer(Prf::HmacMd5),
            Integrity::HmacSha1_96 => mac_answer(Prf::HmacSha1),
            Integrity::HmacSha256_128 | Integrity::HmacSha256_96 => mac_answer(Prf::HmacSha256),
            Integrity::HmacSha384_192 => mac_answer(Prf::HmacSha384),
            Integrity::HmacSha512_256 => mac_answer(Prf::HmacSha512),
            // As RFC 1828 has it; made with OpenSSL.
            Integrity::KpdkMd5 => (&b"Jefe"[..], QUESTION, Some(hex("c611472bd4228c0f7c262fbd"))),
            Integrity::AesXcbc96 => mac_answer(Prf::AesXcbc),
            Integrity::AesCmac96 => mac_answer(Prf::AesCmac),
            _ => NO_ANSWER,
        };
        let mut key = vec![0; id.key_len()];
        key.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
        let mut icv = vec![0; id.icv_len()];
        algorithm.key(&key)?.sign(&[text], &mut icv);
        verdict(answer.is_some_and(|answer| icv.starts_with(&answer)), &id)?;
    }
    for algorithm in provider.groups {
        verdict(groups::good(*algorithm), &algorithm.id())?;
    }
    for algorithm in provider.signatures {
        let id = algorithm.id();
        let mut answers = SIGNATURES.iter().filter(|answer| answer.scheme == id).peekable();
        verdict(answers.peek().is_some(), &id)?;
        for answer in answers {
            let key = PrivateKey::from_pkcs8(answer.key)?;
            let verify = |signature: &[u8]| algorithm.verify(key.public(), answer.input, signature);
            verify(answer.signature)?;
            let mut forged = answer.signature.to_vec();
            forged.last_mut().into_iter().for_each(|last| *last ^= 1);
            verdict(matches!(verify(&forged), Err(CryptoError::BadSignature { .. })), &id)?;
            let made = algorithm.signer(&key)?.sign(answer.input, &mut Seeded::from_u64(4754))?;
            verify(&made)?;
            // RSA's have no randomness in them.
            verdict(id.row().encoding != SignatureEncoding::Pkcs1 || made == answer.signature, &id)?;
        }
    }
    Ok(())
}
