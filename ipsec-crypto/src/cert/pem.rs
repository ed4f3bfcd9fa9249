//! Files of certificates and revocation lists: PEM sections (RFC 7468), or one document in DER.

use x509_cert::der::pem;

use super::error::CertificateError;
use super::fields::{SEQUENCE, at_most};

/// The most sections of the wanted kind in a file.
const MAX_SECTIONS: usize = 1024;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Reads every section with a label, in the order of the file; other sections and the text between are skipped.
pub(super) fn read<T>(
    label: &'static str,
    octets: &[u8],
    from_der: impl Fn(&[u8]) -> Result<T, CertificateError>,
) -> Result<Vec<T>, CertificateError> {
    // Every document here is longer than 127 octets, so the length has the form that is no ASCII.
    if octets.first() == Some(&SEQUENCE) && octets.get(1).is_some_and(|len| !len.is_ascii()) {
        return from_der(octets).map(|one| vec![one]);
    }
    let mut found = Vec::new();
    for (index, section) in sections(octets).enumerate() {
        let fault = |fault: String| CertificateError::BadPem { section: index + 1, fault };
        let section = section.map_err(|missing| fault(missing.to_owned()))?;
        // What a file holds beside, such as a private key, is not decoded: it might be kept in a form of its own.
        if !section.strip_prefix(BEGIN.as_bytes()).is_some_and(|rest| rest.starts_with(label.as_bytes())) {
            continue;
        }
        let (decoded, der) = pem::decode_vec(section).map_err(|error| fault(error.to_string()))?;
        if decoded == label {
            at_most("sections of a PEM file", found.len() + 1, MAX_SECTIONS)?;
            found.push(from_der(&der)?);
        }
    }
    if found.is_empty() { Err(CertificateError::NothingFound { label }) } else { Ok(found) }
}

/// Cuts a file at its encapsulation boundaries; a section that has no end is an error.
fn sections(mut rest: &[u8]) -> impl Iterator<Item = Result<&[u8], &'static str>> {
    std::iter::from_fn(move || {
        rest = rest.get(find(rest, BEGIN)?..)?;
        let Some(end) = find(rest, END) else {
            rest = &[];
            return Some(Err("the line `-----END` is missing"));
        };
        let tail = rest.get(end..).unwrap_or_default();
        let line = tail.iter().position(|&octet| octet == b'\n').map_or(tail.len(), |at| at + 1);
        let (section, after) = rest.split_at_checked(end + line)?;
        rest = after;
        Some(Ok(section))
    })
}

fn find(octets: &[u8], text: &str) -> Option<usize> {
    octets.windows(text.len()).position(|window| window == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(file: &str) -> Result<Vec<Vec<u8>>, CertificateError> {
        read("X", file.as_bytes(), |der| Ok(der.to_vec()))
    }

    #[test]
    fn a_bundle_is_read_in_order_and_the_rest_skipped() {
        let file = "Bag Attributes\n-----BEGIN X-----\r\nMAA=\r\n-----END X-----\r\n\
                    -----BEGIN Y-----\n!\n-----END Y-----\ntext\n-----BEGIN X-----\nMAEA\n-----END X-----";
        assert_eq!(read_all(file).unwrap(), [vec![0x30, 0], vec![0x30, 1, 0]]);
        assert_eq!(read("X", &[0x30, 0x81, 0], |der| Ok(der.len())).unwrap(), [3]);
    }

    #[test]
    fn a_damaged_section_is_named() {
        let file = "-----BEGIN Y-----\n-----END Y-----\n-----BEGIN X-----\nM\n-----END X-----\n";
        assert!(matches!(read_all(file), Err(CertificateError::BadPem { section: 2, .. })));
        assert!(matches!(
            read_all("-----BEGIN X-----\nMAA="),
            Err(CertificateError::BadPem { section: 1, .. })
        ));
        assert_eq!(read_all("nothing"), Err(CertificateError::NothingFound { label: "X" }));
        assert_eq!(read_all(""), Err(CertificateError::NothingFound { label: "X" }));
    }
}
