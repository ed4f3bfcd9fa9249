//! What the vector and behaviour tests share.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod pki;

use ipsec_crypto::{CryptoProvider, InOut, Job, Outcome, Protection};

/// Every provider that is compiled in.
pub(crate) fn providers() -> Vec<CryptoProvider> {
    vec![
        CryptoProvider::portable(),
        #[cfg(feature = "fast")]
        CryptoProvider::fast(),
    ]
}

/// The rows of a data file: words between blanks, `#` comments.
pub(crate) fn rows<const N: usize>(file: &'static str) -> Vec<[&'static str; N]> {
    let rows: Vec<_> = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect::<Vec<_>>().try_into().unwrap())
        .collect();
    assert!(!rows.is_empty());
    rows
}

/// Octets from hexadecimal; `-` for none.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    if digits == "-" {
        return Vec::new();
    }
    assert!(digits.len().is_multiple_of(2), "{digits}");
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// A job in place.
pub(crate) fn job<'a>(
    key: &'a Protection,
    aad: &'a [u8],
    esn_high: Option<u32>,
    iv: &'a [u8],
    text: &'a mut [u8],
    icv: &'a mut [u8],
) -> Job<'a> {
    Job { key, aad, esn_high, iv, text: InOut::InPlace(text), icv, outcome: Outcome::Pending }
}
