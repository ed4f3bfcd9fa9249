//! Packets of combined modes, against the libraries called directly with keys prepared once.

use std::hint::black_box;

use aes_gcm::aead::AeadInOut;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use ipsec_crypto::{CryptoProvider, InOut, Job, Outcome, Protection, ProtectionSuite, open, seal};

use super::{AAD, IV, one, providers};
use crate::report::{Race, Report};

/// Whole packets of a combined mode, against the library with the nonce made and the tag laid behind the text.
pub fn race<A: AeadInOut + aes_gcm::KeyInit>(
    report: &mut Report,
    name: &str,
    size: usize,
    algorithm: &'static aws_lc_rs::aead::Algorithm,
) {
    let suite: ProtectionSuite = name.parse().expect("the table spells it so");
    let keymat: Vec<u8> = vec![7; suite.key_len()];
    let [portable, fast] =
        providers().map(|provider| provider.protection(suite, &keymat, &[]).expect("both providers have it"));
    let (key, salt) = keymat.split_at(keymat.len() - 4);
    let nonce: [u8; 12] = [salt, &IV[..8]].concat().try_into().expect("12 octets");
    let rustcrypto = A::new_from_slice(key).expect("the algorithm's own length");
    let rustcrypto_nonce = aes_gcm::aead::Nonce::<A>::try_from(&nonce[..]).expect("12 octets");
    let aws = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the algorithm's own length"));
    let aws_nonce = || Nonce::assume_unique_for_key(nonce);
    let mut texts = [(); 4].map(|()| vec![1; size]);
    let mut icvs = [[0; 16]; 2];

    let ([a, b, c, d], [icv_a, icv_b]) = (&mut texts, &mut icvs);
    let times = Race::new(format!("crypto/{name}-seal-{size}"))
        .add("portable", || one(seal, &portable, a, icv_a))
        .add("fast", || one(seal, &fast, b, icv_b))
        .add("rustcrypto", || {
            let text = black_box(&mut c[..]).into();
            black_box(rustcrypto.encrypt_inout_detached(&rustcrypto_nonce, &AAD, text).is_ok());
        })
        .add("aws-lc-rs", || {
            let tag = aws.seal_in_place_separate_tag(aws_nonce(), Aad::from(AAD), black_box(d));
            black_box(tag.expect("short enough").as_ref());
        })
        .run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs"], 1.05);

    let (mut sealed, mut icv) = (vec![1; size], [0; 16]);
    one(seal, &portable, &mut sealed, &mut icv);
    let open_copy = |key: &Protection, to: &mut [u8]| {
        let (iv, mut icv) = (&IV[..8], icv);
        let text = InOut::Copy { from: &sealed, to };
        let mut jobs =
            [Job { key, aad: &AAD, esn_high: None, iv, text, icv: &mut icv, outcome: Outcome::Pending }];
        open(black_box(&mut jobs));
        assert_eq!(jobs[0].outcome, Outcome::Done);
    };
    let [a, b, c, d] = &mut texts;
    let tag = aes_gcm::aead::Tag::<A>::try_from(&icv[..]).expect("16 octets");
    let times = Race::new(format!("crypto/{name}-open-{size}"))
        .add("portable", || open_copy(&portable, a))
        .add("fast", || open_copy(&fast, b))
        .add("rustcrypto", || {
            c.copy_from_slice(&sealed);
            let text = black_box(&mut c[..]).into();
            rustcrypto.decrypt_inout_detached(&rustcrypto_nonce, &AAD, text, &tag).expect("not forged");
        })
        .add("aws-lc-rs", || {
            aws.open_separate_gather(aws_nonce(), Aad::from(AAD), &sealed, &icv, black_box(d))
                .expect("not forged");
        })
        .run();
    report.bound(&times, "portable", &["rustcrypto"], 1.05);
    report.bound(&times, "fast", &["rustcrypto", "aws-lc-rs"], 1.05);
}

/// Suites that no competitor here has in one call: printed, without a bound.
pub fn ours_alone(size: usize) {
    let suites = ["aes128gcm8", "aes128gmac", "aes128ccm16", "aes128ctr-sha1", "null-aesxcbc"];
    let mut race = Race::new(format!("crypto/other-suites-seal-{size}"));
    for name in suites {
        let suite: ProtectionSuite = name.parse().expect("the table spells it so");
        let keys = (vec![7; suite.key_len()], vec![7; suite.integrity_key_len()]);
        let key = CryptoProvider::fast().protection(suite, &keys.0, &keys.1).expect("native");
        let (mut text, mut icv) = (vec![1; size], vec![0; suite.icv_len()]);
        race = race.add(name, move || one(seal, &key, &mut text, &mut icv));
    }
    race.run();
}
