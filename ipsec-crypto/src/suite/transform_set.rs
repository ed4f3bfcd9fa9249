//! Transform sets as Cisco writes them: AH, ESP, or one inside the other.

use std::str::FromStr;

use super::proposal::place;
use super::words::Words;
use super::{Cipher, Dialect, Integrity};
use crate::error::CryptoError;

/// What a transform set protects packets with: `esp-aes 256 esp-sha-hmac`, `ah-sha-hmac esp-3des`, `ah-md5-hmac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransformSet {
    /// The integrity algorithm of AH, if there is AH: around ESP, if there is ESP as well.
    pub ah: Option<Integrity>,
    /// The cipher of ESP, if there is ESP.
    pub cipher: Option<Cipher>,
    /// The integrity algorithm of ESP. None beside a combined mode; without one, AH has to authenticate.
    pub integrity: Option<Integrity>,
}

impl TransformSet {
    const FORMS: &'static str = "accepted are the words of a transform set: `esp-aes 256 esp-sha-hmac`, `esp-gcm 256`, \
                                 `ah-sha-hmac esp-3des`";

    /// The set in Cisco's words; `None` where Cisco has none.
    pub fn to_cisco(self) -> Option<String> {
        let column = |integrity: Integrity, header: &str| {
            let names = integrity.row().names.of(Dialect::CiscoTransform);
            names.iter().find(|name| name.starts_with(header)).map(|name| (*name).to_owned())
        };
        let parts = [
            self.ah.map(|ah| column(ah, "ah-")),
            self.cipher.map(|cipher| cipher.name_in(Dialect::CiscoTransform)),
            self.integrity.map(|integrity| column(integrity, "esp-")),
        ];
        let parts: Option<Vec<_>> = parts.into_iter().flatten().collect();
        parts.map(|parts| parts.join(" "))
    }
}

enum Part {
    Ah(Integrity),
    Cipher(Cipher),
    Integrity(Integrity),
}

/// Whether a name says that it is meant for AH: `ah-sha-hmac`, `AH_SHA`.
fn of_ah(name: &str) -> bool {
    name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("ah-") || start.eq_ignore_ascii_case("ah_"))
}

impl FromStr for TransformSet {
    type Err = CryptoError;

    fn from_str(line: &str) -> Result<Self, CryptoError> {
        let (mut ah, mut cipher, mut integrity) = (None, None, None);
        let known = |name: &str| {
            let found = Integrity::from_name(name);
            let found = found.map(|id| if of_ah(name) { Part::Ah(id) } else { Part::Integrity(id) });
            Cipher::from_name(name).map(Part::Cipher).or(found)
        };
        let spellings = || Cipher::spellings().chain(Integrity::spellings().map(str::to_owned));
        for part in Words::of(line).names(known) {
            match part.map_err(|word| word.unknown(spellings(), Self::FORMS))? {
                Part::Ah(found) => place(&mut ah, found, "integrity algorithm of AH", line)?,
                Part::Cipher(found) => place(&mut cipher, found, "cipher", line)?,
                Part::Integrity(found) => place(&mut integrity, found, "integrity algorithm", line)?,
            }
        }
        match (cipher, integrity) {
            (None, Some(_)) => Err(CryptoError::MissingPart { proposal: line.to_owned(), part: "cipher" }),
            (None, None) if ah.is_none() => {
                Err(CryptoError::MissingPart { proposal: line.to_owned(), part: "algorithm" })
            }
            (Some(cipher), Some(integrity)) if cipher.row().is_combined() => {
                Err(CryptoError::IntegrityNotAllowed { cipher, integrity })
            }
            (Some(cipher), None) if ah.is_none() && !cipher.row().is_combined() => {
                Err(CryptoError::IntegrityRequired { cipher })
            }
            _ => Ok(Self { ah, cipher, integrity }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transform_sets_read_back_what_they_print() {
        for line in [
            "esp-aes 256 esp-sha-hmac",
            "esp-gcm 256",
            "esp-gmac 128",
            "esp-null esp-sha256-hmac",
            "ah-sha-hmac esp-3des",
            "ah-md5-hmac",
            "ah-sha512-hmac esp-aes 192 esp-sha384-hmac",
        ] {
            let set: TransformSet = line.parse().unwrap();
            assert_eq!(set.to_cisco().as_deref(), Some(line));
        }
        let set: TransformSet = "esp-3des ah-sha-hmac".parse().unwrap();
        assert_eq!((set.ah, set.integrity), (Some(Integrity::HmacSha1_96), None));
        assert_eq!("chacha20poly1305".parse::<TransformSet>().unwrap().to_cisco(), None);
    }

    #[test]
    fn what_protects_nothing_is_refused() {
        for line in
            ["esp-aes", "esp-sha-hmac", "", "esp-gcm esp-sha-hmac", "ah-sha-hmac ah-md5-hmac", "esp-ase"]
        {
            assert!(line.parse::<TransformSet>().is_err(), "{line}");
        }
        let error = "esp-ase 256".parse::<TransformSet>().unwrap_err().to_string();
        assert!(error.contains("accepted are the words of a transform set"), "{error}");
    }
}
