//! One field after the other out of DER, so that a fault has the field's name and its place.

use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier};
use x509_cert::der::{Decode, Header, Reader, SliceReader};

use super::error::CertificateError;

/// Tags, with their class and form.
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;

/// A context-specific tag of a primitive value.
pub(super) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag of a constructed value.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// What is left to read of a document, or of one of its constructed fields.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    document: &'static str,
    rest: &'a [u8],
    /// Where `rest` starts in the document.
    at: usize,
}

/// One field: tag, length and value.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    document: &'static str,
    name: &'static str,
    tag: u8,
    octets: &'a [u8],
    value: &'a [u8],
    /// Where `octets` starts in the document.
    at: usize,
}

impl<'a> Fields<'a> {
    /// A whole document, that must be one SEQUENCE and nothing behind it.
    pub(super) fn document(
        document: &'static str,
        name: &'static str,
        octets: &'a [u8],
    ) -> Result<Self, CertificateError> {
        let mut outer = Self::outside(document, octets);
        let fields = outer.next(name)?.fields(SEQUENCE)?;
        outer.end(name)?;
        Ok(fields)
    }

    /// Octets that hold a field or several.
    pub(super) fn outside(document: &'static str, octets: &'a [u8]) -> Self {
        Self { document, rest: octets, at: 0 }
    }

    /// The tag of the next field, if there is one.
    pub(super) fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next field.
    pub(super) fn next(&mut self, name: &'static str) -> Result<Field<'a>, CertificateError> {
        let fault = |fault: String| bad(self.document, name, self.at, fault);
        let &tag = self.rest.first().ok_or_else(|| fault("it is missing".into()))?;
        // Nothing in a certificate has a tag number above 30.
        if tag & 0x1f == 0x1f {
            return Err(fault("its tag is too large".into()));
        }
        let mut reader = SliceReader::new(self.rest).map_err(|error| fault(error.to_string()))?;
        let header = Header::decode(&mut reader).map_err(|error| fault(error.kind().to_string()))?;
        let value = reader.read_slice(header.length()).map_err(|error| fault(error.kind().to_string()))?;
        let len = usize::try_from(u32::from(reader.position())).unwrap_or(usize::MAX);
        let (octets, rest) = self.rest.split_at_checked(len).ok_or_else(|| fault("it is cut off".into()))?;
        let field = Field { document: self.document, name, tag, octets, value, at: self.at };
        self.rest = rest;
        self.at += len;
        Ok(field)
    }

    /// The next field if it has this tag.
    pub(super) fn optional(
        &mut self,
        tag: u8,
        name: &'static str,
    ) -> Result<Option<Field<'a>>, CertificateError> {
        if self.tag() == Some(tag) { self.next(name).map(Some) } else { Ok(None) }
    }

    /// Makes sure that nothing is left.
    pub(super) fn end(&self, name: &'static str) -> Result<(), CertificateError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(bad(self.document, name, self.at, "there is something behind it".into()))
        }
    }
}

impl<'a> Field<'a> {
    pub(super) fn tag(&self) -> u8 {
        self.tag
    }

    /// Tag, length and value.
    pub(super) fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The value alone.
    pub(super) fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Where tag, length and value are in the document.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.at..self.at + self.octets.len()
    }

    fn value_at(&self) -> usize {
        self.at + self.octets.len() - self.value.len()
    }

    /// The same field, if it has this tag.
    pub(super) fn tagged(self, tag: u8) -> Result<Self, CertificateError> {
        if self.tag == tag {
            Ok(self)
        } else {
            Err(self.fault(format!("tag {:#04x} instead of {tag:#04x}", self.tag)))
        }
    }

    /// What a constructed field holds.
    pub(super) fn fields(self, tag: u8) -> Result<Fields<'a>, CertificateError> {
        let field = self.tagged(tag)?;
        Ok(Fields { document: field.document, rest: field.value, at: field.value_at() })
    }

    /// What an OCTET STRING holds, if that is DER again, as the value of an extension is.
    pub(super) fn wrapped(self, name: &'static str) -> Result<Self, CertificateError> {
        let field = self.tagged(OCTET_STRING)?;
        let mut inside = Fields { document: field.document, rest: field.value, at: field.value_at() };
        let inner = inside.next(name)?;
        inside.end(name)?;
        Ok(inner)
    }

    /// The field as a type of the library.
    pub(super) fn decode<T>(&self) -> Result<T, CertificateError>
    where
        T: Decode<'a, Error = x509_cert::der::Error>,
    {
        T::from_der(self.octets).map_err(|error| {
            let position = error.position().map_or(0, |position| u32::from(position) as usize);
            bad(self.document, self.name, self.at + position, error.kind().to_string())
        })
    }

    /// An object identifier.
    pub(super) fn oid(&self) -> Result<ObjectIdentifier, CertificateError> {
        self.decode()
    }

    /// A BIT STRING of whole octets.
    pub(super) fn bits(&self) -> Result<&'a [u8], CertificateError> {
        let bits: BitStringRef<'a> = self.decode()?;
        bits.as_bytes().ok_or_else(|| self.fault("it is not a whole number of octets".into()))
    }

    /// A time, in seconds since 1970 (RFC 5280 §4.1.2.5).
    pub(super) fn time(&self) -> Result<u64, CertificateError> {
        self.decode::<x509_cert::time::Time>().map(|time| time.to_unix_duration().as_secs())
    }

    /// An error about this field.
    pub(super) fn fault(&self, fault: String) -> CertificateError {
        bad(self.document, self.name, self.at, fault)
    }
}

fn bad(document: &'static str, field: &'static str, offset: usize, fault: String) -> CertificateError {
    CertificateError::BadEncoding { document, field, offset, fault }
}

/// An error about too many of something.
pub(super) fn at_most(what: &'static str, got: usize, limit: usize) -> Result<(), CertificateError> {
    if got > limit { Err(CertificateError::TooMuch { what, got, limit }) } else { Ok(()) }
}
