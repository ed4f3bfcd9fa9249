//! Providers without security: instant, deterministic, never to be shipped.
//!
//! [`mixing`] keeps what protocols rely on (other keys give other octets, both ends of a key exchange agree) and costs nothing, so
//! that thousands of negotiations are simulated in a second. [`fixed`] gives the same output whatever goes in: a fuzzer gets past
//! every check that needs a key.

mod fixed;
mod mixing;

pub use fixed::fixed;
pub use mixing::mixing;

use ipsec_crypto::{CryptoError, Encryption, Group, Integrity, PublicValueFault};

/// Whether a key has one of the lengths of the algorithm.
fn demand_cipher_key(id: Encryption, key: &[u8]) -> Result<(), CryptoError> {
    let row = id.row();
    if row.key_bits.iter().any(|&bits| usize::from(bits / 8) + row.salt == key.len()) {
        return Ok(());
    }
    let expected = row.key_bits.iter().map(|&bits| usize::from(bits / 8) + row.salt).max().unwrap_or(0);
    Err(CryptoError::BadKeyLength { algorithm: row.name, expected, got: key.len() })
}

fn demand_integrity_key(id: Integrity, key: &[u8]) -> Result<(), CryptoError> {
    let row = id.row();
    if row.key == key.len() {
        return Ok(());
    }
    Err(CryptoError::BadKeyLength { algorithm: row.name, expected: row.key, got: key.len() })
}

fn demand_iv_and_blocks(id: Encryption, iv: &[u8], text: &[u8]) -> Result<(), CryptoError> {
    let row = id.row();
    if iv.len() != row.iv {
        return Err(CryptoError::BadIvLength { algorithm: row.name, expected: row.iv, got: iv.len() });
    }
    if !text.len().is_multiple_of(row.block) {
        return Err(CryptoError::NotBlockAligned { len: text.len(), block: row.block });
    }
    Ok(())
}

/// The public values a real group refuses without arithmetic: of another length, 0 and 1.
fn demand_public(group: Group, peer: &[u8]) -> Result<(), CryptoError> {
    let fault = |reason| Err(CryptoError::BadPublicValue { group, reason });
    let expected = group.public_len();
    if peer.len() != expected {
        return fault(PublicValueFault::Length { expected, got: peer.len() });
    }
    match peer.split_last() {
        Some((last, high)) if *last > 1 || high.iter().any(|&octet| octet != 0) => Ok(()),
        _ => fault(PublicValueFault::TooSmall),
    }
}

#[cfg(test)]
mod tests {
    use ipsec_crypto::{CryptoProvider, Group, Prf, Seeded};

    use super::*;

    #[test]
    fn both_providers_have_the_sizes_of_the_real_algorithms() {
        assert_eq!(fixed().consistency_check(), Ok(()));
        // The mixing one has legacy algorithms in every build: their arithmetic is not the real one.
        let expected = if cfg!(feature = "legacy") { None } else { Some("`legacy` feature") };
        let found = mixing().consistency_check().map_err(|error| error.to_string());
        assert!(expected.map_or(found == Ok(()), |fault| found.is_err_and(|found| found.contains(fault))));
    }

    fn agreed(provider: &CryptoProvider, seeds: [u64; 2]) -> [Vec<u8>; 2] {
        let group = provider.group(Group::Modp2048).unwrap();
        let [a, b] = seeds.map(|seed| group.generate(&mut Seeded::from_u64(seed)));
        let [public_a, public_b] = [a.public().to_vec(), b.public().to_vec()];
        [a.agree(&public_b).unwrap().as_slice().to_vec(), b.agree(&public_a).unwrap().as_slice().to_vec()]
    }

    #[test]
    fn both_ends_agree_and_others_do_not() {
        let provider = mixing();
        let [ours, theirs] = agreed(&provider, [1, 2]);
        assert_eq!(ours, theirs);
        assert_ne!(ours, agreed(&provider, [1, 3])[0]);
    }

    #[test]
    fn mixing_depends_on_every_octet_and_on_no_cut() {
        let prf = mixing().prf(Prf::HmacSha256).unwrap();
        let whole = prf.mac(b"key", &[b"one two"]);
        assert!(whole.ct_eq(prf.mac(b"key", &[b"one", b" ", b"two"]).as_slice()));
        for (key, text) in [("key", "one twp"), ("kez", "one two"), ("key", "one two\0"), ("keyo", "ne two")]
        {
            assert!(!whole.ct_eq(prf.mac(key.as_bytes(), &[text.as_bytes()]).as_slice()), "{key} {text}");
        }
    }

    #[test]
    fn mixing_decrypts_what_it_encrypts_and_only_with_the_key() {
        let provider = mixing();
        let cipher = |key| provider.cipher_key("aes128".parse().unwrap(), &[key; 16]).unwrap();
        let mut text = *b"two blocks of sixteen octets here";
        let text = &mut text[..32];
        cipher(1).encrypt(&[7; 16], text).unwrap();
        let sealed = text.to_vec();
        cipher(1).decrypt(&[7; 16], text).unwrap();
        assert_eq!(text, b"two blocks of sixteen octets her");
        text.copy_from_slice(&sealed);
        cipher(2).decrypt(&[7; 16], text).unwrap();
        assert_ne!(text, b"two blocks of sixteen octets her");
    }
}
