//! Distinguished names as operators write them.

use std::fmt;
use std::str::FromStr;

use x509_cert::der::asn1::ObjectIdentifier;

use super::error::CertificateError;
use super::fields::at_most;
use super::name::{ATTRIBUTES, Attribute, DistinguishedName, MAX_NAME_PARTS, Value, fold};

/// A distinguished name written by an operator, in which a value may be `*`: `C=CH, O=strongSwan, CN=*`.
///
/// As in strongSwan: the name must have exactly these attributes in this order, and `*` stands for any one value. The separator
/// is `,` or `;`, `+` joins the attributes of one part, `\` takes the next character (or two hexadecimal digits) as it is.
#[derive(Clone, Debug)]
pub struct NamePattern {
    text: String,
    /// `None` is a `*`.
    rdns: Vec<Vec<(ObjectIdentifier, Option<String>)>>,
}

impl NamePattern {
    /// Whether a name is one of those meant.
    #[must_use]
    pub fn matches(&self, name: &DistinguishedName) -> bool {
        self.rdns.len() == name.rdns.len()
            && self.rdns.iter().zip(&name.rdns).all(|(pattern, rdn)| {
                let fits = |(kind, wanted): &(ObjectIdentifier, Option<String>), attribute: &Attribute| {
                    *kind == attribute.kind
                        && wanted.as_ref().is_none_or(|wanted| match &attribute.value {
                            Value::Text { folded, .. } => folded == wanted,
                            Value::Opaque(_) => false,
                        })
                };
                pattern.len() == rdn.len()
                    && pattern.iter().all(|wanted| rdn.iter().any(|attribute| fits(wanted, attribute)))
                    && rdn.iter().all(|attribute| pattern.iter().any(|wanted| fits(wanted, attribute)))
            })
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.rdns == other.rdns
    }
}

impl Eq for NamePattern {}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for NamePattern {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        let mut rdns = vec![Vec::new()];
        let mut at = 0;
        for (part, ended_by) in parts(text) {
            let fault = |fault: &str| CertificateError::BadEncoding {
                document: "name",
                field: "attribute",
                offset: at,
                fault: fault.into(),
            };
            let (kind, value) = part.split_once('=').ok_or_else(|| fault("there is no `=` in it"))?;
            let kind = kind.trim();
            let number =
                ATTRIBUTES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map_or(kind, |row| row.1);
            let kind = ObjectIdentifier::new(number).map_err(|_| fault("its type is not known"))?;
            let value = match value.trim() {
                "*" => None,
                value => {
                    Some(fold(&unescape(value).ok_or_else(|| fault("its `\\` is not followed by anything"))?))
                }
            };
            if let Some(rdn) = rdns.last_mut() {
                rdn.push((kind, value));
            }
            at += part.len() + 1;
            if matches!(ended_by, Some(',' | ';')) {
                rdns.push(Vec::new());
            }
        }
        at_most("parts of a name", rdns.len(), MAX_NAME_PARTS)?;
        Ok(Self { text: text.to_owned(), rdns })
    }
}

/// The attributes of a text, each with what ends it.
fn parts(text: &str) -> Vec<(&str, Option<char>)> {
    let (mut parts, mut start, mut is_escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        if !is_escaped && matches!(character, ',' | ';' | '+') {
            parts.push((&text[start..at], Some(character)));
            start = at + 1;
        }
        is_escaped = !is_escaped && character == '\\';
    }
    parts.push((&text[start..], None));
    parts
}

fn unescape(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let digit = |octet: u8| char::from(octet).to_digit(16);
        if let [high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            octets.push((high << 4 | low) as u8);
            rest = tail;
        } else {
            let (&octet, tail) = rest.split_first()?;
            octets.push(octet);
            rest = tail;
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::super::name::tests::moon;
    use super::*;

    #[test]
    fn a_pattern_matches_as_many_parts_in_the_same_order() {
        let matches = |text: &str| text.parse::<NamePattern>().unwrap().matches(&moon());
        assert!(matches("C=CH, O=Linux strongSwan, CN=moon\\, 1"));
        assert!(matches("C=ch; O=*; CN=*"));
        assert!(matches("2.5.4.6=CH,O=linux strongswan,cn=moon\\2c 1"));
        assert!(!matches("O=*, C=CH, CN=*"));
        assert!(!matches("C=CH, O=*"));
        assert!(!matches("C=CH, O=*, CN=moon*"));
        assert!(!matches("C=CH, O=*, CN=*, OU=*"));
        for wrong in ["", "C", "C=CH,", "foo=1", "CN=\\"] {
            wrong.parse::<NamePattern>().unwrap_err();
        }
    }
}
