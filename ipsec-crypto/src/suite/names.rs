//! What every identity enum of the table has in common: names in the dialects that operators and programs speak.

use std::fmt;

/// Who spells algorithms in a way of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// This crate: what `Display` prints and what a configuration of ours says.
    Ours,
    /// The IANA registries of IKEv1, ISAKMP and IKEv2.
    Iana,
    /// strongSwan's proposals.
    StrongSwan,
    /// libreswan's proposals.
    Libreswan,
    /// The words of a transform set of Cisco IOS and ASA: `esp-aes 256`, `ah-sha-hmac`, `group14` after `set pfs`.
    CiscoTransform,
    /// The words of an ISAKMP policy of Cisco IOS and ASA: `encr aes 256`, `hash sha256`, `group 14`.
    CiscoPolicy,
    /// AIX manual tunnels: `DES_CBC_8`, `KEYED_MD5`.
    Aix,
    /// Linux XFRM, the length of the ICV in bits behind the name where it varies, as `ip xfrm state` takes it:
    /// `rfc4106(gcm(aes)) 128`, `hmac(sha256) 128`. Without it the kernel's default is meant, for
    /// `hmac(sha256)` the 96 bits of a draft.
    Xfrm,
    /// `setkey` of KAME and ipsec-tools.
    Setkey,
    /// The key tables of Wireshark 4.0, the table of ESP first.
    Wireshark,
}

impl Dialect {
    /// All of them. A spelling that two dialects read differently means what the first of them here says.
    pub const ALL: [Self; 10] = [
        Self::Ours,
        Self::Iana,
        Self::StrongSwan,
        Self::Libreswan,
        Self::CiscoTransform,
        Self::CiscoPolicy,
        Self::Aix,
        Self::Xfrm,
        Self::Setkey,
        Self::Wireshark,
    ];
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ours => "ours",
            Self::Iana => "IANA",
            Self::StrongSwan => "strongSwan",
            Self::Libreswan => "libreswan",
            Self::CiscoTransform => "Cisco transform set",
            Self::CiscoPolicy => "Cisco ISAKMP policy",
            Self::Aix => "AIX",
            Self::Xfrm => "Linux XFRM",
            Self::Setkey => "setkey",
            Self::Wireshark => "Wireshark",
        })
    }
}

/// The spellings of one algorithm in one dialect: the first is printed, all are read. `#` stands for the key length in
/// bits; a spelling of a cipher without it means the default key length.
pub type Spellings = &'static [&'static str];

/// The names of an algorithm, a column a dialect; empty where the dialect has no name for it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Names {
    /// Ours.
    pub ours: Spellings,
    /// IANA's.
    pub iana: Spellings,
    /// strongSwan's.
    pub strongswan: Spellings,
    /// libreswan's.
    pub libreswan: Spellings,
    /// Cisco's, in transform sets.
    pub cisco_transform: Spellings,
    /// Cisco's, in ISAKMP policies.
    pub cisco_policy: Spellings,
    /// AIX's.
    pub aix: Spellings,
    /// Linux's.
    pub xfrm: Spellings,
    /// `setkey`'s.
    pub setkey: Spellings,
    /// Wireshark's.
    pub wireshark: Spellings,
}

impl Names {
    /// No name anywhere: what rows start from.
    pub(super) const NONE: Self = Self {
        ours: &[],
        iana: &[],
        strongswan: &[],
        libreswan: &[],
        cisco_transform: &[],
        cisco_policy: &[],
        aix: &[],
        xfrm: &[],
        setkey: &[],
        wireshark: &[],
    };

    /// The column of a dialect.
    pub fn of(&self, dialect: Dialect) -> Spellings {
        match dialect {
            Dialect::Ours => self.ours,
            Dialect::Iana => self.iana,
            Dialect::StrongSwan => self.strongswan,
            Dialect::Libreswan => self.libreswan,
            Dialect::CiscoTransform => self.cisco_transform,
            Dialect::CiscoPolicy => self.cisco_policy,
            Dialect::Aix => self.aix,
            Dialect::Xfrm => self.xfrm,
            Dialect::Setkey => self.setkey,
            Dialect::Wireshark => self.wireshark,
        }
    }

    /// The kernel's name alone, without the length of the ICV behind it.
    pub fn xfrm_algorithm(&self) -> Option<&'static str> {
        self.xfrm.first().map(|name| name.split_once(' ').map_or(*name, |(name, _)| name))
    }
}

/// Compares as operators write: without regard to case, and `_` is `-`.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    let plain = |octet: u8| if octet == b'_' { b'-' } else { octet.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// Whether `name` is the spelling with this key length.
pub(super) fn spells(spelling: &str, key_bits: u16, name: &str) -> bool {
    let Some((before, after)) = spelling.split_once('#') else { return same_name(spelling, name) };
    let digits = name.len().checked_sub(after.len()).and_then(|end| name.get(before.len()..end));
    digits.is_some_and(|digits| {
        let (front, back) = (name.get(..before.len()), name.get(before.len() + digits.len()..));
        !digits.starts_with(['0', '+'])
            && digits.parse() == Ok(key_bits)
            && front.is_some_and(|front| same_name(front, before))
            && back.is_some_and(|back| same_name(back, after))
    })
}

/// The spelling nearest to a name that is none, if one is near enough to have been meant.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    /// Longer than every name: comparing is quadratic in the length.
    const MAX_LEN: usize = 64;
    if name.len() > MAX_LEN {
        return None;
    }
    let near = (name.chars().count() / 3).max(1);
    let name = name.to_ascii_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &name), known))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Gives an identity enum its lookups, `Display` (our name) and `FromStr` (any name).
macro_rules! named {
    ($Id:ident, $Row:ident, $kind:literal, $accepted:literal) => {
        impl $Id {
            /// What a spelling must be one of, for whoever wrote one that is not.
            pub(crate) const ACCEPTED: &'static str = $accepted;

            /// Every row of the table, in the order of the enum.
            pub fn rows() -> &'static [$Row] {
                &ROWS
            }

            /// This algorithm's row.
            pub fn row(self) -> &'static $Row {
                // The table has one row a variant, in order: a unit test holds it to that.
                &ROWS[self as usize]
            }

            /// Our name for it.
            pub fn name(self) -> &'static str {
                self.row().name
            }

            /// Its name in a dialect, key length apart; `None` if the dialect has none.
            pub fn name_in(self, dialect: $crate::suite::Dialect) -> Option<&'static str> {
                self.row().names.of(dialect).iter().copied().find(|spelling| !spelling.contains('#'))
            }

            /// Finds an algorithm by any of its names in a dialect, without regard to case.
            pub fn from_name_in(dialect: $crate::suite::Dialect, name: &str) -> Option<Self> {
                let name = name.trim();
                let known = |spelling: &&str| super::names::same_name(spelling, name);
                ROWS.iter().find(|row| row.names.of(dialect).iter().any(|s| known(s))).map(|row| row.id)
            }

            /// Finds an algorithm by any of its names in any dialect, without regard to case.
            pub fn from_name(name: &str) -> Option<Self> {
                $crate::suite::Dialect::ALL.iter().find_map(|&dialect| Self::from_name_in(dialect, name))
            }

            /// Every spelling without a key length.
            pub(crate) fn spellings() -> impl Iterator<Item = &'static str> {
                ROWS.iter()
                    .flat_map(|row| $crate::suite::Dialect::ALL.map(|dialect| row.names.of(dialect)))
                    .flatten()
                    .copied()
                    .filter(|spelling| !spelling.contains('#'))
            }
        }

        impl std::fmt::Display for $Id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $Id {
            type Err = $crate::error::CryptoError;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::from_name(name).ok_or_else(|| $crate::error::CryptoError::UnknownName {
                    kind: $kind,
                    name: name.to_owned(),
                    suggestion: super::names::nearest(name, Self::spellings().map(str::to_owned)),
                    accepted: Self::ACCEPTED,
                })
            }
        }

        #[cfg(test)]
        mod table {
            use super::*;
            use crate::suite::Dialect;

            #[test]
            fn has_one_row_a_variant_in_order() {
                for (index, row) in ROWS.iter().enumerate() {
                    assert_eq!(row.id as usize, index, "{}", row.name);
                    assert_eq!(row.id.row().name, row.name);
                    assert!(!row.names.ours.is_empty() && !row.status_source.is_empty(), "{}", row.name);
                }
            }

            #[test]
            fn a_dialect_reads_back_what_it_prints() {
                for row in &ROWS {
                    for dialect in Dialect::ALL {
                        for spelling in row.names.of(dialect).iter().filter(|s| !s.contains('#')) {
                            let upper = spelling.to_uppercase();
                            assert_eq!(
                                $Id::from_name_in(dialect, &upper),
                                Some(row.id),
                                "{dialect}: {upper}"
                            );
                        }
                        let printed = row.id.name_in(dialect);
                        assert_eq!(printed.is_some(), printed.and_then($Id::from_name).is_some());
                    }
                    assert_eq!(row.name.parse(), Ok(row.id));
                }
                assert!("no-such-name".parse::<$Id>().is_err());
            }
        }
    };
}
pub(super) use named;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_underscore() {
        assert!(same_name("AES_CBC", "aes-cbc") && !same_name("aes", "aes1") && same_name("", ""));
        assert!(spells("esp-aes #", 256, "ESP-AES 256") && !spells("esp-aes #", 256, "esp-aes #"));
        assert!(spells("aes#gcm16", 128, "aes128gcm16") && !spells("aes#gcm16", 128, "aes0128gcm16"));
        assert!(!spells("aes#gcm16", 128, "aesgcm16") && !spells("aes#gcm16", 128, "aes1"));
    }

    #[test]
    fn a_suggestion_is_near_and_bounded() {
        let known = || ["sha1", "sha256", "modp2048"].map(str::to_owned).into_iter();
        assert_eq!(nearest("sha265", known()).as_deref(), Some("sha256"));
        assert_eq!(nearest("sha0", known()).as_deref(), Some("sha1"));
        assert_eq!(nearest("zzz", known()), None);
        assert_eq!(nearest(&"s".repeat(100_000), known()), None);
    }
}
