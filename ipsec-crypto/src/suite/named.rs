//! What every identity enum of the table has in common.

/// Compares as operators write names: without regard to case.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Gives an identity enum its lookups, `Display` (our name) and `FromStr` (any name).
macro_rules! named {
    ($Id:ident, $Row:ident, $kind:literal) => {
        impl $Id {
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

            /// Finds an algorithm by any of its names, without regard to case.
            pub fn from_name(name: &str) -> Option<Self> {
                let name = name.trim();
                ROWS.iter()
                    .find(|row| {
                        super::named::same_name(row.name, name)
                            || row.aliases.iter().any(|alias| super::named::same_name(alias, name))
                    })
                    .map(|row| row.id)
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
                })
            }
        }

        #[cfg(test)]
        mod table {
            use super::*;

            #[test]
            fn has_one_row_a_variant_in_order_and_no_name_twice() {
                let mut names = std::collections::BTreeMap::new();
                for (index, row) in ROWS.iter().enumerate() {
                    assert_eq!(row.id as usize, index, "{}", row.name);
                    assert_eq!(row.id.row().name, row.name);
                    for name in std::iter::once(&row.name).chain(row.aliases) {
                        let before = names.insert(name.to_ascii_lowercase(), row.id);
                        assert_eq!(before, None, "{name}");
                        assert_eq!(name.to_uppercase().parse::<$Id>(), Ok(row.id));
                    }
                }
                assert!("no-such-name".parse::<$Id>().is_err());
            }
        }
    };
}
pub(super) use named;
