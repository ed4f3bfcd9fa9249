//! What the extensions of a certificate say (RFC 5280 §4.2).

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::alternative::AlternativeName;
use super::constraints::NameConstraints;
use super::error::CertificateError;
use super::fields::{BOOLEAN, Field, Fields, OCTET_STRING, SEQUENCE, at_most, constructed, primitive};

/// The most extensions in a certificate, or in a revocation list.
pub const MAX_EXTENSIONS: usize = 64;
/// The most names in `subjectAltName`.
pub const MAX_ALTERNATIVE_NAMES: usize = 128;
/// The most purposes in `extKeyUsage`, and the most distribution points.
const MAX_ENTRIES: usize = 64;

/// The extensions that are understood, and the first critical one that is not.
#[derive(Clone, Default)]
pub(super) struct Extensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<ObjectIdentifier>>,
    pub(super) alternative_names: Vec<AlternativeName>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    /// The full names of the distribution points, as DER of `GeneralName`; `None` without the extension.
    pub(super) distribution_points: Option<Vec<Vec<u8>>>,
    pub(super) unknown_critical: Option<ObjectIdentifier>,
}

/// One extension: its type, whether it is critical, its value.
pub(super) struct Extension<'a> {
    pub(super) id: ObjectIdentifier,
    pub(super) is_critical: bool,
    pub(super) value: Field<'a>,
}

/// Hands each extension of a SEQUENCE to `each`; none may be there twice (RFC 5280 §4.2).
pub(super) fn for_each<'a>(
    field: Field<'a>,
    mut each: impl FnMut(Extension<'a>) -> Result<(), CertificateError>,
) -> Result<(), CertificateError> {
    let mut fields = field.fields(SEQUENCE)?;
    let mut seen: Vec<ObjectIdentifier> = Vec::new();
    while fields.tag().is_some() {
        at_most("extensions", seen.len() + 1, MAX_EXTENSIONS)?;
        let outer = fields.next("extension")?;
        let mut extension = outer.fields(SEQUENCE)?;
        let id = extension.next("extnID")?.oid()?;
        let is_critical = match extension.optional(BOOLEAN, "critical")? {
            Some(critical) => critical.decode()?,
            None => false,
        };
        let value = extension.next("extnValue")?.tagged(OCTET_STRING)?;
        extension.end("extension")?;
        if seen.contains(&id) {
            return Err(outer.fault(format!("the extension {id} is there twice")));
        }
        seen.push(id);
        each(Extension { id, is_critical, value })?;
    }
    Ok(())
}

impl Extensions {
    pub(super) fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        let mut all = Self::default();
        for_each(field, |extension| all.take(&extension))?;
        Ok(all)
    }

    fn take(&mut self, extension: &Extension<'_>) -> Result<(), CertificateError> {
        let value = |name| extension.value.wrapped(name);
        match extension.id.as_bytes() {
            // id-ce: 2.5.29
            [0x55, 0x1d, 14] => {
                let id = value("subjectKeyIdentifier")?.tagged(OCTET_STRING)?;
                self.subject_key_id = Some(id.value().to_vec());
            }
            [0x55, 0x1d, 15] => self.key_usage = Some(value("keyUsage")?.decode()?),
            [0x55, 0x1d, 17] => {
                let mut names = value("subjectAltName")?.fields(SEQUENCE)?;
                while names.tag().is_some() {
                    at_most(
                        "names in subjectAltName",
                        self.alternative_names.len() + 1,
                        MAX_ALTERNATIVE_NAMES,
                    )?;
                    self.alternative_names.push(AlternativeName::read(names.next("subjectAltName")?)?);
                }
            }
            [0x55, 0x1d, 19] => self.basic_constraints = Some(value("basicConstraints")?.decode()?),
            [0x55, 0x1d, 30] => {
                self.name_constraints = Some(NameConstraints::read(value("nameConstraints")?)?);
            }
            [0x55, 0x1d, 31] => {
                self.distribution_points = Some(distribution_points(value("cRLDistributionPoints")?)?);
            }
            [0x55, 0x1d, 35] => {
                let mut fields = value("authorityKeyIdentifier")?.fields(SEQUENCE)?;
                let id = fields.optional(primitive(0), "keyIdentifier")?;
                self.authority_key_id = id.map(|id| id.value().to_vec());
            }
            [0x55, 0x1d, 37] => {
                let purposes = value("extKeyUsage")?;
                let mut fields = purposes.fields(SEQUENCE)?;
                let mut found = Vec::new();
                while fields.tag().is_some() {
                    at_most("purposes in extKeyUsage", found.len() + 1, MAX_ENTRIES)?;
                    found.push(fields.next("keyPurposeId")?.oid()?);
                }
                if found.is_empty() {
                    return Err(purposes.fault("it is empty".into()));
                }
                self.extended_key_usage = Some(found);
            }
            // certificatePolicies, policyMappings, inhibitAnyPolicy: no policy is asked for, so any set of policies is good,
            // the empty one included (RFC 5280 §6.1.1 (c), (e)). policyConstraints could ask for one, and is not understood.
            [0x55, 0x1d, 32 | 33 | 54] => {}
            _ if extension.is_critical => {
                self.unknown_critical.get_or_insert(extension.id);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The names of the distribution points (RFC 5280 §4.2.1.13).
fn distribution_points(field: Field<'_>) -> Result<Vec<Vec<u8>>, CertificateError> {
    let mut points = field.fields(SEQUENCE)?;
    let mut names = Vec::new();
    while points.tag().is_some() {
        let mut point = points.next("distributionPoint")?.fields(SEQUENCE)?;
        if let Some(name) = point.optional(constructed(0), "distributionPoint")? {
            full_names(name.fields(constructed(0))?, &mut names)?;
        }
    }
    Ok(names)
}

/// Adds the names of a `DistributionPointName`; the other form, relative to the issuer, is no name that can be compared.
pub(super) fn full_names(mut fields: Fields<'_>, names: &mut Vec<Vec<u8>>) -> Result<(), CertificateError> {
    if let Some(full) = fields.optional(constructed(0), "fullName")? {
        let mut full = full.fields(constructed(0))?;
        while full.tag().is_some() {
            at_most("names of distribution points", names.len() + 1, MAX_ENTRIES)?;
            names.push(full.next("fullName")?.octets().to_vec());
        }
    }
    Ok(())
}
