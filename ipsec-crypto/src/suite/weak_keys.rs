//! Keys that must not be used: the weak and semi-weak keys of DES, and 3DES that is DES.

use subtle::{Choice, ConstantTimeEq};

/// Which keys of an algorithm are refused. Parity bits do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakKeys {
    /// None.
    None,
    /// The 4 weak and 12 semi-weak keys of DES (RFC 2405 §4.1, RFC 2409 §4).
    Des,
    /// Keys whose first two or last two thirds are equal (RFC 2451 §2.3).
    TripleDes,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyWeakness {
    /// Encrypting twice with it gives the clear text.
    #[error("a weak key of DES (RFC 2405 section 4.1)")]
    Weak,
    /// There is another key that undoes it by encrypting.
    #[error("a semi-weak key of DES (RFC 2405 section 4.1)")]
    SemiWeak,
    /// Two of the three keys cancel each other.
    #[error("it makes 3DES the same as DES (RFC 2451 section 2.3)")]
    Degenerate,
}

/// The weak keys of FIPS 74. RFC 2409 appendix A has two of them misprinted.
const WEAK: [u64; 4] =
    [0x0101_0101_0101_0101, 0xfefe_fefe_fefe_fefe, 0x1f1f_1f1f_0e0e_0e0e, 0xe0e0_e0e0_f1f1_f1f1];

/// The semi-weak keys (RFC 2409 appendix A), each behind the one that undoes it.
const SEMI_WEAK: [u64; 12] = [
    0x01fe_01fe_01fe_01fe,
    0xfe01_fe01_fe01_fe01,
    0x1fe0_1fe0_0ef1_0ef1,
    0xe01f_e01f_f10e_f10e,
    0x01e0_01e0_01f1_01f1,
    0xe001_e001_f101_f101,
    0x1ffe_1ffe_0efe_0efe,
    0xfe1f_fe1f_fe0e_fe0e,
    0x011f_011f_010e_010e,
    0x1f01_1f01_0e01_0e01,
    0xe0fe_e0fe_f1fe_f1fe,
    0xfee0_fee0_fef1_fef1,
];

const PARITY: u64 = 0x0101_0101_0101_0101;

fn same(a: u64, b: u64) -> Choice {
    (a | PARITY).ct_eq(&(b | PARITY))
}

fn listed(key: u64, list: &[u64]) -> bool {
    list.iter().fold(Choice::from(0), |found, weak| found | same(key, *weak)).into()
}

impl WeakKeys {
    /// What is wrong with a key, if anything. A key of another length is nobody's business here.
    pub(crate) fn find(self, key: &[u8]) -> Option<KeyWeakness> {
        let third = |index: usize| key.get(index * 8..)?.first_chunk().copied().map(u64::from_be_bytes);
        match self {
            Self::None => None,
            Self::Des => match third(0)? {
                key if listed(key, &WEAK) => Some(KeyWeakness::Weak),
                key if listed(key, &SEMI_WEAK) => Some(KeyWeakness::SemiWeak),
                _ => None,
            },
            Self::TripleDes => {
                let (first, second, last) = (third(0)?, third(1)?, third(2)?);
                bool::from(same(first, second) | same(second, last)).then_some(KeyWeakness::Degenerate)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_does_not_count_and_neighbours_are_strong() {
        for (list, weakness) in [(&WEAK[..], KeyWeakness::Weak), (&SEMI_WEAK, KeyWeakness::SemiWeak)] {
            for key in list {
                for parity in [0, 0x0101_0101_0101_0101, 0x0100_0000_0000_0001] {
                    assert_eq!(WeakKeys::Des.find(&(key ^ parity).to_be_bytes()), Some(weakness));
                }
                for bit in (1..64).filter(|bit| bit % 8 != 0) {
                    assert_eq!(WeakKeys::Des.find(&(key ^ 1 << bit).to_be_bytes()), None);
                }
            }
        }
    }

    #[test]
    fn triple_des_needs_three_or_two_keys_in_turn() {
        let key = |parts: [u8; 3]| parts.map(|part| [part; 8]).concat();
        for parts in [[2, 2, 4], [4, 2, 2], [2, 2, 2], [2, 3, 4], [4, 3, 2]] {
            assert_eq!(WeakKeys::TripleDes.find(&key(parts)), Some(KeyWeakness::Degenerate), "{parts:?}");
        }
        for parts in [[2, 4, 2], [2, 4, 6], [1, 2, 4]] {
            assert_eq!(WeakKeys::TripleDes.find(&key(parts)), None, "{parts:?}");
        }
        assert_eq!(WeakKeys::None.find(&[1; 24]), None);
        assert_eq!(WeakKeys::TripleDes.find(&[1; 23]), None);
    }

    /// Why they are called weak.
    #[cfg(feature = "legacy")]
    #[test]
    fn encrypting_undoes_encrypting() {
        use des::cipher::{BlockCipherEncrypt, KeyInit};
        let undone = |first: u64, second: u64| {
            let mut block = (*b"8 octets").into();
            for key in [first, second] {
                des::Des::new(&key.to_be_bytes().into()).encrypt_block(&mut block);
            }
            <[u8; 8]>::from(block) == *b"8 octets"
        };
        assert!(WEAK.iter().all(|&key| undone(key, key)));
        assert!(SEMI_WEAK.chunks(2).all(|pair| undone(pair[0], pair[1]) && !undone(pair[0], pair[0])));
    }
}
