//! Distinguished names: kept as received, printed and compared (RFC 5280 §4.1.2.4, §7.1).

use std::fmt::{self, Write};

use x509_cert::der::asn1::ObjectIdentifier;

use super::error::CertificateError;
use super::fields::{Field, Fields, SEQUENCE, SET, at_most};

/// The most relative distinguished names in a name.
pub const MAX_NAME_PARTS: usize = 64;
/// The most attributes in one of those: each is compared with each.
const MAX_ATTRIBUTES: usize = 8;

/// The most characters of a name that an error prints.
const SHORT: usize = 256;

/// Attribute types by their names: the first that fits is printed, any is read. As strongSwan and Cisco write them.
pub(super) const ATTRIBUTES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("C", "2.5.4.6"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("E", "1.2.840.113549.1.9.1"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("serialNumber", "2.5.4.5"),
    ("SN", "2.5.4.5"),
    ("unstructuredName", "1.2.840.113549.1.9.2"),
    ("hostname", "1.2.840.113549.1.9.2"),
    ("unstructuredAddress", "1.2.840.113549.1.9.8"),
    ("S", "2.5.4.4"),
    ("G", "2.5.4.42"),
    ("I", "2.5.4.43"),
    ("N", "2.5.4.41"),
    ("T", "2.5.4.12"),
    ("D", "2.5.4.13"),
    ("STREET", "2.5.4.9"),
    ("postalCode", "2.5.4.17"),
    ("dnQualifier", "2.5.4.46"),
];

const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// A distinguished name.
///
/// Two are equal if RFC 5280 §7.1 says so: the same attributes in the same order, texts without regard to case, to the kind
/// of string and to the amount of white space. The octets as received stay available for what is signed or sent.
#[derive(Clone)]
pub struct DistinguishedName {
    der: Vec<u8>,
    pub(super) rdns: Vec<Vec<Attribute>>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) kind: ObjectIdentifier,
    pub(super) value: Value,
}

#[derive(Clone)]
pub(super) enum Value {
    Text {
        text: String,
        folded: String,
    },
    /// What is no string, as DER.
    Opaque(Vec<u8>),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text { folded, .. }, Self::Text { folded: other, .. }) => folded == other,
            (Self::Opaque(octets), Self::Opaque(other)) => octets == other,
            (Self::Text { .. }, Self::Opaque(_)) | (Self::Opaque(_), Self::Text { .. }) => false,
        }
    }
}

impl DistinguishedName {
    /// Reads the encoding of a name, as an ID payload of type `ID_DER_ASN1_DN` and a CERTREQ payload carry it.
    ///
    /// # Errors
    /// [`CertificateError::BadEncoding`], [`CertificateError::TooMuch`].
    pub fn from_der(octets: &[u8]) -> Result<Self, CertificateError> {
        let mut outer = Fields::outside("name", octets);
        let name = Self::read(outer.next("name")?)?;
        outer.end("name")?;
        Ok(name)
    }

    pub(super) fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        let mut fields = field.fields(SEQUENCE)?;
        let mut rdns = Vec::new();
        while fields.tag().is_some() {
            at_most("parts of a name", rdns.len() + 1, MAX_NAME_PARTS)?;
            let mut set = fields.next("relativeDistinguishedName")?.fields(SET)?;
            let mut rdn = Vec::new();
            while set.tag().is_some() {
                at_most("attributes of a part of a name", rdn.len() + 1, MAX_ATTRIBUTES)?;
                let mut attribute = set.next("attribute")?.fields(SEQUENCE)?;
                let kind = attribute.next("attribute type")?.oid()?;
                let value = Value::read(attribute.next("attribute value")?)?;
                attribute.end("attribute")?;
                rdn.push(Attribute { kind, value });
            }
            if rdn.is_empty() {
                return Err(field.fault("a part of the name is empty".into()));
            }
            rdns.push(rdn);
        }
        Ok(Self { der: field.octets().to_vec(), rdns })
    }

    /// The encoding, as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// Whether the name lies in the subtree under `base` (RFC 5280 §4.2.1.10).
    pub(super) fn is_under(&self, base: &Self) -> bool {
        base.rdns.len() <= self.rdns.len()
            && base.rdns.iter().zip(&self.rdns).all(|(base, rdn)| same_set(base, rdn))
    }

    /// The `emailAddress` attributes.
    pub(super) fn emails(&self) -> impl Iterator<Item = &str> {
        self.rdns.iter().flatten().filter(|attribute| attribute.kind == EMAIL_ADDRESS).filter_map(
            |attribute| match &attribute.value {
                Value::Text { text, .. } => Some(text.as_str()),
                Value::Opaque(_) => None,
            },
        )
    }

    /// The name for an error: not longer than an error should be.
    pub(super) fn short(&self) -> String {
        cut(&self.to_string())
    }
}

/// The first characters of a text.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A text of somebody else, printable.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape(text, "", &mut out).expect("a String takes everything");
    cut(&out)
}

fn same_set(ours: &[Attribute], theirs: &[Attribute]) -> bool {
    ours.len() == theirs.len() && ours.iter().all(|attribute| theirs.contains(attribute))
        // Either way round, so that a repeated attribute does not stand for another.
        && theirs.iter().all(|attribute| ours.contains(attribute))
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der || self.rdns.len() == other.rdns.len() && self.is_under(other)
    }
}

impl Eq for DistinguishedName {}

impl Value {
    fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        let octets = field.value();
        let text = match field.tag() {
            // UTF8String, NumericString, PrintableString, IA5String, VisibleString
            0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(octets).ok().map(str::to_owned),
            // TeletexString: in certificates, ISO 8859-1.
            0x14 => Some(octets.iter().copied().map(char::from).collect()),
            // BMPString
            0x1e => octets.len().is_multiple_of(2).then(|| {
                let units =
                    octets.chunks(2).map(|unit| unit.iter().fold(0, |all, &one| all << 8 | u16::from(one)));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }),
            _ => return Ok(Self::Opaque(field.octets().to_vec())),
        };
        let text: String = text.ok_or_else(|| field.fault("the text is not in its alphabet".into()))?;
        Ok(Self::Text { folded: fold(&text), text })
    }
}

/// A text as it is compared: lower case, single blanks (RFC 5280 §7.1, RFC 4518 §2).
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

impl fmt::Display for DistinguishedName {
    /// `C=CH, O=strongSwan, CN=moon`: in the order of the encoding, as strongSwan and OpenSSL print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.rdns.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            for (index, attribute) in rdn.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "+" })?;
                write_kind(attribute.kind, f)?;
                match &attribute.value {
                    Value::Text { text, .. } => escape(text, ",+\"\\<>;=", f)?,
                    Value::Opaque(der) => {
                        f.write_char('#')?;
                        der.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn write_kind(kind: ObjectIdentifier, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let oid = kind.to_string();
    let name = ATTRIBUTES.iter().find(|(_, number)| *number == oid).map_or(oid.as_str(), |(name, _)| name);
    write!(f, "{name}=")
}

/// Letters, digits and what ASCII prints as they are; the octets of everything else as `\xx` (RFC 4514 §2.4).
fn escape(text: &str, special: &str, f: &mut impl Write) -> fmt::Result {
    for character in text.chars() {
        if special.contains(character) {
            write!(f, "\\{character}")?;
        } else if character == ' ' || character.is_ascii_graphic() || character.is_alphanumeric() {
            f.write_char(character)?;
        } else {
            character.encode_utf8(&mut [0; 4]).bytes().try_for_each(|octet| write!(f, "\\{octet:02x}"))?;
        }
    }
    Ok(())
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One string attribute to a part.
    fn name(parts: &[(&str, u8, &str)]) -> DistinguishedName {
        let tlv = |tag: u8, value: &[u8]| [&[tag, value.len() as u8], value].concat();
        let rdns: Vec<u8> = parts
            .iter()
            .flat_map(|(kind, tag, text)| {
                let kind = ObjectIdentifier::new(kind).unwrap();
                let attribute = [tlv(6, kind.as_bytes()), tlv(*tag, text.as_bytes())].concat();
                tlv(SET, &tlv(SEQUENCE, &attribute))
            })
            .collect();
        DistinguishedName::from_der(&tlv(SEQUENCE, &rdns)).unwrap()
    }

    pub(in super::super) fn moon() -> DistinguishedName {
        name(&[
            ("2.5.4.6", 0x13, "CH"),
            ("2.5.4.10", 0x0c, "Linux  strongSwan"),
            ("2.5.4.3", 0x0c, "moon, 1"),
        ])
    }

    #[test]
    fn prints_in_the_order_of_the_encoding() {
        assert_eq!(moon().to_string(), "C=CH, O=Linux  strongSwan, CN=moon\\, 1");
        assert_eq!(name(&[("1.2.3", 0x04, "a")]).to_string(), "1.2.3=#040161");
        assert_eq!(name(&[("2.5.4.3", 0x0c, "a\n\u{202e}b")]).to_string(), "CN=a\\0a\\e2\\80\\aeb");
        assert_eq!(name(&[]).to_string(), "");
    }

    #[test]
    fn compares_without_regard_to_case_white_space_and_kind_of_string() {
        let other = name(&[
            ("2.5.4.6", 0x0c, "ch"),
            ("2.5.4.10", 0x13, " linux STRONGSWAN"),
            ("2.5.4.3", 0x13, "Moon, 1"),
        ]);
        assert_eq!(moon(), other);
        assert_ne!(moon().as_der(), other.as_der());
        assert_ne!(moon(), name(&[("2.5.4.6", 0x13, "CH")]));
        assert_ne!(name(&[("2.5.4.3", 0x0c, "a")]), name(&[("2.5.4.10", 0x0c, "a")]));
        assert_ne!(name(&[("2.5.4.3", 0x0c, "a")]), name(&[("2.5.4.3", 0x04, "a")]));
        assert!(moon().is_under(&name(&[("2.5.4.6", 0x13, "CH")])));
        assert!(!name(&[("2.5.4.6", 0x13, "CH")]).is_under(&moon()));
    }

    #[test]
    fn refuses_more_parts_than_a_name_has() {
        let one = [0x31, 0x0a, 0x30, 0x08, 6, 3, 0x55, 4, 3, 0x13, 1, 0x41];
        let mut der = vec![0x30, 0x82, 0x03, 0x0c];
        (0..=MAX_NAME_PARTS).for_each(|_| der.extend(one));
        let error = DistinguishedName::from_der(&der).unwrap_err();
        assert_eq!(error, CertificateError::TooMuch { what: "parts of a name", got: 65, limit: 64 });
        let mut der = vec![0x30, 0x5c, 0x31, 0x5a];
        (0..=MAX_ATTRIBUTES).for_each(|_| der.extend(&one[2..]));
        let error = DistinguishedName::from_der(&der).unwrap_err();
        assert_eq!(
            error,
            CertificateError::TooMuch { what: "attributes of a part of a name", got: 9, limit: 8 }
        );
    }
}
