//! A line cut into names, where names contain the separators themselves.

use super::names::nearest;
use crate::error::CryptoError;

/// The words of a line. A hyphen, a space, a comma, a semicolon or a plus ends a word, and may also be part of a name:
/// `esp-aes 256` is three words and one name.
pub(super) struct Words<'a> {
    line: &'a str,
    /// Where each word begins and ends; empty ones are kept, for they are mistakes.
    words: Vec<(usize, usize)>,
}

/// A word that begins no name.
pub(super) struct Unknown<'a>(&'a str);

impl Unknown<'_> {
    pub(super) fn unknown(
        &self,
        spellings: impl Iterator<Item = String>,
        accepted: &'static str,
    ) -> CryptoError {
        CryptoError::UnknownName {
            kind: "part of a proposal",
            name: self.0.to_owned(),
            suggestion: nearest(self.0, spellings),
            accepted,
        }
    }
}

impl<'a> Words<'a> {
    /// More words than any name has.
    const LONGEST: usize = 12;

    pub(super) fn of(line: &'a str) -> Self {
        let mut words = Vec::new();
        if line.trim().is_empty() {
            return Self { line, words };
        }
        let mut start = 0;
        for piece in line.split(['-', ',', ';', '+']) {
            let end = start + piece.len();
            let mut empty = true;
            let mut at = start;
            for word in piece.split(char::is_whitespace) {
                if !word.is_empty() {
                    words.push((at, at + word.len()));
                    empty = false;
                }
                // The separator is a character of its own, of one octet or more.
                at += word.len();
                at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            }
            if empty {
                words.push((end, end));
            }
            start = end + 1;
        }
        Self { line, words }
    }

    /// The longest run of words that is a name, again and again, as `known` says what is one.
    pub(super) fn names<T>(
        self,
        known: impl Fn(&str) -> Option<T>,
    ) -> impl Iterator<Item = Result<T, Unknown<'a>>> {
        let Self { line, words } = self;
        let mut next = 0;
        std::iter::from_fn(move || {
            let rest = words.get(next..)?;
            let (start, end) = *rest.first()?;
            let runs = rest.iter().take(Self::LONGEST).enumerate().rev();
            for (more, &(_, end)) in runs {
                if let Some(found) = line.get(start..end).and_then(&known) {
                    next += more + 1;
                    return Some(Ok(found));
                }
            }
            next = words.len();
            Some(Err(Unknown(line.get(start..end).unwrap_or_default())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<Result<String, String>> {
        let names = ["a", "a-b", "a b c", "d,e"];
        let known = |name: &str| names.contains(&name).then(|| name.to_owned());
        Words::of(line).names(known).map(|name| name.map_err(|word| word.0.to_owned())).collect()
    }

    fn all(names: &[&str]) -> Vec<Result<String, String>> {
        names.iter().map(|name| Ok((*name).to_owned())).collect()
    }

    #[test]
    fn the_longest_run_is_the_name() {
        assert_eq!(read("a-a-b-a"), all(&["a", "a-b", "a"]));
        assert_eq!(read(" a b c, d,e a "), all(&["a b c", "d,e", "a"]));
        assert_eq!(read("  "), all(&[]));
    }

    #[test]
    fn what_is_no_name_ends_it() {
        for (line, word) in [
            ("x", "x"),
            ("a-x-a", "x"),
            ("a--a", ""),
            ("a,", ""),
            ("-", ""),
            ("a \u{2003}\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!(read(line).last(), Some(&Err(word.to_owned())), "{line}");
        }
    }
}
