//! Ciphers: an encryption algorithm with its key length.

use std::fmt;
use std::str::FromStr;

use super::{Encryption, EncryptionRow};
use crate::error::CryptoError;
use crate::suite::Dialect;
use crate::suite::names::{nearest, spells};

/// An encryption algorithm with its key length: `aes128`.
///
/// ```
/// use ipsec_crypto::suite::{Cipher, Encryption};
/// let cipher: Cipher = "AES-CBC-256".parse()?;
/// assert_eq!(cipher, Cipher::new(Encryption::AesCbc, 256)?);
/// assert_eq!(cipher.to_string(), "aes256");
/// # Ok::<(), ipsec_crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cipher {
    /// The algorithm.
    pub encryption: Encryption,
    /// The key length in bits, DES parity included, salt not included; 0 for NULL.
    pub key_bits: u16,
}

impl Cipher {
    /// No encryption.
    pub const NULL: Self = Self { encryption: Encryption::Null, key_bits: 0 };
    /// 3DES-CBC.
    pub const TRIPLE_DES: Self = Self { encryption: Encryption::TripleDesCbc, key_bits: 192 };
    /// AES-CBC with 128-bit keys.
    pub const AES128: Self = Self { encryption: Encryption::AesCbc, key_bits: 128 };
    /// AES-CBC with 192-bit keys.
    pub const AES192: Self = Self { encryption: Encryption::AesCbc, key_bits: 192 };
    /// AES-CBC with 256-bit keys.
    pub const AES256: Self = Self { encryption: Encryption::AesCbc, key_bits: 256 };

    /// Checks the key length against the algorithm's.
    ///
    /// # Errors
    /// [`CryptoError::NoSuchKeyLength`].
    pub fn new(encryption: Encryption, key_bits: u16) -> Result<Self, CryptoError> {
        if encryption.row().key_bits.contains(&key_bits) {
            Ok(Self { encryption, key_bits })
        } else {
            Err(CryptoError::NoSuchKeyLength { encryption, key_bits })
        }
    }

    /// From a proposal: `key_length` is the Key Length attribute, if there was one.
    ///
    /// Without it the algorithm's own length is meant: 128 bits for AES, as RFC 3602 §2.1 defaults.
    ///
    /// # Errors
    /// [`CryptoError::NoSuchKeyLength`].
    pub fn from_attribute(encryption: Encryption, key_length: Option<u16>) -> Result<Self, CryptoError> {
        Self::new(encryption, key_length.unwrap_or(encryption.row().default_key_bits))
    }

    /// The Key Length attribute to send with it, in bits, where the algorithm takes one.
    pub fn key_length_attribute(self) -> Option<u16> {
        self.row().key_length_attribute.then_some(self.key_bits)
    }

    /// The algorithm's row.
    pub fn row(self) -> &'static EncryptionRow {
        self.encryption.row()
    }

    /// Octets of encryption key to take from the keying material, salt included.
    pub fn key_len(self) -> usize {
        usize::from(self.key_bits / 8) + self.row().salt
    }

    /// Octets of IV in each packet.
    pub fn iv_len(self) -> usize {
        self.row().iv
    }

    /// Octets of a block; 1 where any length will do.
    pub fn block_len(self) -> usize {
        self.row().block
    }

    /// Its name in a dialect; `None` if the dialect has none. Where the dialect leaves the key length to the key, as Linux
    /// XFRM does, so does the name.
    ///
    /// ```
    /// use ipsec_crypto::suite::{Cipher, Dialect};
    /// assert_eq!(Cipher::AES256.name_in(Dialect::CiscoTransform).as_deref(), Some("esp-aes 256"));
    /// assert_eq!(Cipher::AES256.name_in(Dialect::Xfrm).as_deref(), Some("cbc(aes)"));
    /// ```
    pub fn name_in(self, dialect: Dialect) -> Option<String> {
        self.row().names.of(dialect).first().map(|spelling| self.fill(spelling))
    }

    fn fill(self, spelling: &str) -> String {
        spelling.replacen('#', &self.key_bits.to_string(), 1)
    }

    /// Finds a cipher by any of its spellings in a dialect, without regard to case.
    ///
    /// An algorithm's name alone means its default key length.
    pub fn from_name_in(dialect: Dialect, name: &str) -> Option<Self> {
        let name = name.trim();
        Encryption::rows().iter().find_map(|row| {
            row.names.of(dialect).iter().find_map(|spelling| {
                let alone = !spelling.contains('#') && spells(spelling, 0, name);
                let key_bits = match alone {
                    true => row.default_key_bits,
                    false => row.key_bits.iter().copied().find(|&bits| spells(spelling, bits, name))?,
                };
                Some(Self { encryption: row.id, key_bits })
            })
        })
    }

    /// Finds a cipher by any of its spellings in any dialect, without regard to case: `aes128`, `AES-CBC-128`, `3des`,
    /// `esp-aes 256`.
    ///
    /// An algorithm's name alone means its default key length.
    pub fn from_name(name: &str) -> Option<Self> {
        Dialect::ALL.iter().find_map(|&dialect| Self::from_name_in(dialect, name))
    }

    /// What a spelling must be one of, for whoever wrote one that is not.
    pub(crate) const ACCEPTED: &'static str = "accepted are names such as `aes128`, `aes256gcm16`, `AES-CBC-256`, `esp-aes 256`, `3DES_CBC`, `rfc4106(gcm(aes))`";

    /// Every spelling of every cipher.
    pub(crate) fn spellings() -> impl Iterator<Item = String> {
        Encryption::rows().iter().flat_map(|row| {
            row.key_bits.iter().flat_map(move |&key_bits| {
                let cipher = Self { encryption: row.id, key_bits };
                Dialect::ALL
                    .into_iter()
                    .flat_map(|dialect| row.names.of(dialect))
                    .map(move |spelling| cipher.fill(spelling))
            })
        })
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name_in(Dialect::Ours).unwrap_or_default())
    }
}

impl FromStr for Cipher {
    type Err = CryptoError;

    fn from_str(name: &str) -> Result<Self, CryptoError> {
        Self::from_name(name).ok_or_else(|| CryptoError::UnknownName {
            kind: "cipher",
            name: name.to_owned(),
            suggestion: nearest(name, Self::spellings()),
            accepted: Self::ACCEPTED,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_reads_back_what_it_prints() {
        for row in Encryption::rows() {
            for &key_bits in row.key_bits {
                let cipher = Cipher::new(row.id, key_bits).unwrap();
                assert_eq!(cipher.to_string().parse(), Ok(cipher));
                for dialect in Dialect::ALL {
                    for spelling in row.names.of(dialect) {
                        // Without its length a name means the default one.
                        let bits = if spelling.contains('#') { key_bits } else { row.default_key_bits };
                        let expected = Some(Cipher { encryption: row.id, key_bits: bits });
                        let spelled = cipher.fill(spelling);
                        assert_eq!(Cipher::from_name_in(dialect, &spelled), expected, "{dialect}: {spelled}");
                        assert_eq!(Cipher::from_name(&spelled.to_uppercase()), expected, "{spelled}");
                    }
                }
            }
            assert_eq!(Cipher::from_attribute(row.id, None).map(|c| c.key_bits), Ok(row.default_key_bits));
            assert!(Cipher::new(row.id, 7).is_err());
            assert!(row.block.is_power_of_two() && row.icv <= crate::MAX_ICV_LEN);
        }
    }

    #[test]
    fn operators_spellings() {
        for (name, cipher) in [
            ("AES128", Cipher::AES128),
            ("aes", Cipher::AES128),
            ("esp-aes 256", Cipher::AES256),
            ("AES_CBC_192", Cipher::AES192),
            ("3DES_CBC", Cipher::TRIPLE_DES),
            ("esp-3des", Cipher::TRIPLE_DES),
            ("ESP_NULL", Cipher::NULL),
            ("aes256gcm128", Cipher { encryption: Encryption::AesGcm16, key_bits: 256 }),
        ] {
            assert_eq!(name.parse(), Ok(cipher), "{name}");
        }
        for name in ["aes512", "aes#", "", "aes 128 ", "des3"] {
            assert_eq!(name.parse::<Cipher>().is_err(), name != "aes 128 ", "{name}");
        }
    }
}
