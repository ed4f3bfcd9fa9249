//! The algorithms against libraries called directly, with keys prepared once, and key exchange with RFC 3526 exponents.

use std::hint::black_box;

use aes::Aes128;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use aws_lc_rs::aead::{AES_128_GCM, CHACHA20_POLY1305};
use aws_lc_rs::agreement;
use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::hmac as aws;
use aws_lc_rs::iv::FixedLength;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use hmac::{Hmac, Mac};
use ipsec_crypto::{
    Cipher, CryptoProvider, InOut, Integrity, Job, Outcome, Protection, ProtectionSuite, Secret, Seeded,
    open, seal,
};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::report::{Race, Report};

mod combined;
mod curve;

const SIZES: [usize; 3] = [64, 512, 1408];
const KEY: [u8; 16] = [7; 16];
const IV: [u8; 16] = [9; 16];
const AAD: [u8; 8] = [3; 8];

/// Runs the area.
pub fn run(report: &mut Report) {
    if !cfg!(feature = "openssl") {
        println!("SKIP openssl: not built in (in bench/: cargo run --release --features openssl)");
    }
    for size in SIZES {
        cbc(report, size);
        hmac_of::<Hmac<Sha1>>(
            report,
            "hmac-sha1",
            size,
            Integrity::HmacSha1_96,
            aws::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        );
        hmac_of::<Hmac<Sha256>>(report, "hmac-sha256", size, Integrity::HmacSha256_128, aws::HMAC_SHA256);
        hmac_of::<Hmac<Sha384>>(report, "hmac-sha384", size, Integrity::HmacSha384_192, aws::HMAC_SHA384);
        hmac_of::<Hmac<Sha512>>(report, "hmac-sha512", size, Integrity::HmacSha512_256, aws::HMAC_SHA512);
        packets(report, size);
        combined::race::<aes_gcm::Aes128Gcm>(report, "aes128gcm16", size, &AES_128_GCM);
        combined::race::<chacha20poly1305::ChaCha20Poly1305>(
            report,
            "chacha20poly1305",
            size,
            &CHACHA20_POLY1305,
        );
        combined::ours_alone(size);
    }
    for (group, algorithm) in [
        ("ecp256", &agreement::ECDH_P256),
        ("ecp384", &agreement::ECDH_P384),
        ("ecp521", &agreement::ECDH_P521),
        ("x25519", &agreement::X25519),
    ] {
        curve::race(report, group, algorithm);
    }
    for (group, bits) in [("modp2048", 320), ("modp3072", 448), ("modp4096", 512)] {
        modp(report, group, bits);
    }
}

fn providers() -> [CryptoProvider; 2] {
    [CryptoProvider::portable(), CryptoProvider::fast()]
}

fn rustcrypto_encrypt(key: &Aes128, text: &mut [u8]) {
    let (blocks, _) = Array::slice_as_chunks_mut(text);
    cbc::Encryptor::inner_iv_init(key, &IV.into()).encrypt_blocks(blocks);
}

fn rustcrypto_decrypt(key: &Aes128, text: &mut [u8]) {
    let (blocks, _) = Array::slice_as_chunks_mut(text);
    cbc::Decryptor::inner_iv_init(key, &IV.into()).decrypt_blocks(blocks);
}

fn aws_keys() -> (EncryptingKey, DecryptingKey) {
    let key = || UnboundCipherKey::new(&AES_128, &KEY).expect("16 octets");
    (EncryptingKey::cbc(key()).expect("CBC"), DecryptingKey::cbc(key()).expect("CBC"))
}

fn aws_encrypt(key: &EncryptingKey, text: &mut [u8]) {
    let iv = EncryptionContext::Iv128(FixedLength::from(IV));
    black_box(key.less_safe_encrypt(text, iv).expect("whole blocks"));
}

fn aws_decrypt(key: &DecryptingKey, text: &mut [u8]) {
    let iv = DecryptionContext::Iv128(FixedLength::from(IV));
    black_box(key.decrypt(text, iv).expect("whole blocks"));
}

fn cbc(report: &mut Report, size: usize) {
    let [portable, fast] = providers().map(|p| p.cipher_key(Cipher::AES128, &KEY).expect("AES"));
    let rustcrypto = Aes128::new(&KEY.into());
    let (aws_enc, aws_dec) = aws_keys();

    let mut texts = [const { Vec::new() }; 5].map(|_: Vec<u8>| vec![1; size]);
    let [a, b, c, d, _e] = &mut texts;
    let group = Race::new(format!("crypto/aes128-cbc-encrypt-{size}"))
        .add("portable", || portable.encrypt(&IV, black_box(a)).expect("whole blocks"))
        .add("fast", || fast.encrypt(&IV, black_box(b)).expect("whole blocks"))
        .add("rustcrypto", || rustcrypto_encrypt(&rustcrypto, black_box(c)))
        .add("aws-lc-rs", || aws_encrypt(&aws_enc, black_box(d)));
    #[cfg(feature = "openssl")]
    let group = group.add("openssl", openssl::cbc(_e, true));
    let times = group.run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs", "openssl"], 1.05);

    let [a, b, c, d, _e] = &mut texts;
    let group = Race::new(format!("crypto/aes128-cbc-decrypt-{size}"))
        .add("portable", || portable.decrypt(&IV, black_box(a)).expect("whole blocks"))
        .add("fast", || fast.decrypt(&IV, black_box(b)).expect("whole blocks"))
        .add("rustcrypto", || rustcrypto_decrypt(&rustcrypto, black_box(c)))
        .add("aws-lc-rs", || aws_decrypt(&aws_dec, black_box(d)));
    #[cfg(feature = "openssl")]
    let group = group.add("openssl", openssl::cbc(_e, false));
    let times = group.run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs", "openssl"], 1.05);
}

fn protection(provider: CryptoProvider, cipher: Cipher, integrity: Integrity) -> Protection {
    let suite = ProtectionSuite { cipher, integrity: Some(integrity) };
    let (key, integrity_key) = (vec![7; suite.key_len()], vec![7; suite.integrity_key_len()]);
    provider.protection(suite, &key, &integrity_key).expect("both providers have it")
}

fn one(run: fn(&mut [Job<'_>]), key: &Protection, text: &mut [u8], icv: &mut [u8]) {
    let iv = &IV[..key.suite().iv_len()];
    let text = InOut::InPlace(text);
    let mut jobs = [Job { key, aad: &AAD, esn_high: None, iv, text, icv, outcome: Outcome::Pending }];
    run(black_box(&mut jobs));
    assert_eq!(jobs[0].outcome, Outcome::Done);
}

/// Integrity alone: our packets with NULL encryption against the bare HMAC over the same octets.
fn hmac_of<M: Mac + hmac::KeyInit + Clone>(
    report: &mut Report,
    name: &str,
    size: usize,
    integrity: Integrity,
    algorithm: aws::Algorithm,
) {
    let [portable, fast] = providers().map(|provider| protection(provider, Cipher::NULL, integrity));
    let key = vec![7; integrity.key_len()];
    let rustcrypto = <M as hmac::KeyInit>::new_from_slice(&key).expect("any length");
    let aws_key = aws::Key::new(algorithm, &key);
    let text = vec![1; size];
    let (mut a, mut b) = (text.clone(), text.clone());
    let (mut icv_a, mut icv_b) = (vec![0; integrity.icv_len()], vec![0; integrity.icv_len()]);
    let times = Race::new(format!("crypto/{name}-{size}"))
        .add("portable", || one(seal, &portable, &mut a, &mut icv_a))
        .add("fast", || one(seal, &fast, &mut b, &mut icv_b))
        .add("rustcrypto", || {
            let mut mac = rustcrypto.clone();
            mac.update(&AAD);
            mac.update(black_box(&text));
            black_box(mac.finalize());
        })
        .add("aws-lc-rs", || {
            let mut mac = aws::Context::with_key(&aws_key);
            mac.update(&AAD);
            mac.update(black_box(&text));
            black_box(mac.sign());
        })
        .run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs"], 1.05);
}

/// Whole packets of the suite most old tunnels use.
fn packets(report: &mut Report, size: usize) {
    let [portable, fast] =
        providers().map(|provider| protection(provider, Cipher::AES128, Integrity::HmacSha1_96));
    let cipher = Aes128::new(&KEY.into());
    let mac = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(&[7; 20]).expect("any length");
    let sign = |text: &[u8]| {
        let mut mac = mac.clone();
        mac.update(&AAD);
        mac.update(&IV);
        mac.update(text);
        mac.finalize().into_bytes()
    };
    let aws_mac = aws::Key::new(aws::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]);
    let aws_sign = |text: &[u8]| {
        let mut mac = aws::Context::with_key(&aws_mac);
        mac.update(&AAD);
        mac.update(&IV);
        mac.update(text);
        mac.sign()
    };
    let (aws_enc, aws_dec) = aws_keys();
    let mut texts = [(); 4].map(|()| vec![1; size]);
    let mut icvs = [[0; 12]; 2];

    let ([a, b, c, d], [icv_a, icv_b]) = (&mut texts, &mut icvs);
    let times = Race::new(format!("crypto/aes128-sha1-seal-{size}"))
        .add("portable", || one(seal, &portable, a, icv_a))
        .add("fast", || one(seal, &fast, b, icv_b))
        .add("rustcrypto", || {
            rustcrypto_encrypt(&cipher, black_box(c));
            black_box(sign(c));
        })
        .add("aws-lc-rs", || {
            aws_encrypt(&aws_enc, black_box(d));
            black_box(aws_sign(d));
        })
        .run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs"], 1.05);

    // Opening consumes the packet, so each round opens a fresh copy into another buffer.
    let (mut sealed, mut icv) = (vec![1; size], [0; 12]);
    one(seal, &portable, &mut sealed, &mut icv);
    let open_copy = |key: &Protection, to: &mut [u8], icv: &mut [u8]| {
        let text = InOut::Copy { from: &sealed, to };
        let mut jobs =
            [Job { key, aad: &AAD, esn_high: None, iv: &IV, text, icv, outcome: Outcome::Pending }];
        open(black_box(&mut jobs));
        assert_eq!(jobs[0].outcome, Outcome::Done);
    };
    let [a, b, c, d] = &mut texts;
    let (mut icv_a, mut icv_b) = (icv, icv);
    let times = Race::new(format!("crypto/aes128-sha1-open-{size}"))
        .add("portable", || open_copy(&portable, a, &mut icv_a))
        .add("fast", || open_copy(&fast, b, &mut icv_b))
        .add("rustcrypto", || {
            assert_eq!(black_box(sign(&sealed))[..12], icv);
            let ((from, _), (to, _)) = (Array::slice_as_chunks(&sealed), Array::slice_as_chunks_mut(c));
            cbc::Decryptor::inner_iv_init(&cipher, &IV.into())
                .decrypt_blocks_b2b(from, to)
                .expect("same length");
        })
        .add("aws-lc-rs", || {
            assert_eq!(black_box(aws_sign(&sealed)).as_ref()[..12], icv);
            d.copy_from_slice(&sealed);
            aws_decrypt(&aws_dec, black_box(d));
        })
        .run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs"], 1.05);
}

/// One key exchange: a public value and an agreement, against two bare exponentiations of the same sizes.
fn modp(report: &mut Report, name: &str, exponent_bits: u32) {
    let group = name.parse().expect("the table names it");
    let [portable, fast] = providers().map(|provider| provider.group(group).expect("both providers have it"));
    let mut random = Seeded::from_u64(1);
    let peer = portable.generate(&mut random).public().to_vec();
    let exchange = |exchange: &'static dyn ipsec_crypto::KeyExchange| {
        let (mut random, peer) = (Seeded::from_u64(2), peer.clone());
        move || {
            let secret: Secret =
                exchange.generate(&mut random).agree(black_box(&peer)).expect("a good value");
            black_box(secret);
        }
    };
    // The time does not depend on which odd modulus it is: all ones but for the peer's octets.
    let bits = peer.len() as u32 * 8;
    let mut modulus = peer.clone();
    modulus[0] = 0xff;
    modulus[peer.len() - 1] |= 1;
    let odd = Odd::new(BoxedUint::from_be_slice(&modulus, bits).expect("fits")).expect("odd");
    let params = BoxedMontyParams::new(odd);
    let mut exponent = vec![0xa5; exponent_bits as usize / 8];
    exponent[0] |= 0x80;
    let bigint = BoxedUint::from_be_slice(&exponent, exponent_bits).expect("fits");
    let direct = || {
        for base in [&[2][..], &peer[1..]] {
            let base = BoxedUint::from_be_slice(base, bits).expect("fits");
            let power = BoxedMontyForm::new(base, &params).pow_bounded_exp(&bigint, exponent_bits);
            black_box(power.retrieve().to_be_bytes());
        }
    };
    let times = Race::new(format!("crypto/{name}-exchange"))
        .add("portable", exchange(portable))
        .add("fast", exchange(fast))
        .add("crypto-bigint", direct);
    #[cfg(feature = "openssl")]
    let times = times.add("openssl", openssl::power(&modulus, &exponent, &peer));
    let times = times.run();
    report.bound(&times, "portable", &["crypto-bigint"], 1.10);
    report.bound(&times, "fast", &["openssl"], 1.10);
}

#[cfg(feature = "openssl")]
mod openssl {
    use std::hint::black_box;

    use openssl::bn::{BigNum, BigNumContext};
    use openssl::cipher::Cipher;
    use openssl::cipher_ctx::CipherCtx;

    use super::{IV, KEY};

    /// AES-CBC without padding, the key set once and the IV for each packet.
    pub fn cbc(text: &mut Vec<u8>, encrypt: bool) -> impl FnMut() {
        let mut context = CipherCtx::new().expect("memory");
        if encrypt {
            context.encrypt_init(Some(Cipher::aes_128_cbc()), Some(&KEY), Some(&IV)).expect("AES");
        } else {
            context.decrypt_init(Some(Cipher::aes_128_cbc()), Some(&KEY), Some(&IV)).expect("AES");
        }
        context.set_padding(false);
        move || {
            if encrypt {
                context.encrypt_init(None, None, Some(&IV)).expect("IV");
            } else {
                context.decrypt_init(None, None, Some(&IV)).expect("IV");
            }
            let len = text.len();
            context.cipher_update_inplace(black_box(text), len).expect("whole blocks");
        }
    }

    /// Two constant-time exponentiations.
    pub fn power(modulus: &[u8], exponent: &[u8], peer: &[u8]) -> impl FnMut() {
        let number = |octets: &[u8]| BigNum::from_slice(octets).expect("memory");
        let (modulus, mut exponent) = (number(modulus), number(exponent));
        exponent.set_const_time();
        let bases = [number(&[2]), number(&peer[1..])];
        let mut context = BigNumContext::new().expect("memory");
        let mut result = BigNum::new().expect("memory");
        move || {
            for base in &bases {
                result.mod_exp(base, &exponent, &modulus, &mut context).expect("odd modulus");
                black_box(result.to_vec());
            }
        }
    }
}
