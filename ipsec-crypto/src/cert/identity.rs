//! Whether a certificate belongs to an identity (RFC 4945 §3.1, §5.1.3.6).

use std::fmt;
use std::net::IpAddr;

use super::alternative::AlternativeName;
use super::certificate::Certificate;
use super::error::CertificateError;
use super::name::{DistinguishedName, escaped};
use super::pattern::NamePattern;
use crate::provider::CryptoProvider;

/// Who the certificate must belong to.
///
/// What a peer says of itself becomes one of the exact forms: the data of its ID payload is never a pattern, whatever it looks
/// like. Patterns are for what an operator wrote. A `*` in a certificate stands for itself (RFC 4945 §5.1.3.6.1), and matches
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedIdentity {
    /// `ID_DER_ASN1_DN`: the subject is this name.
    Name(DistinguishedName),
    /// The subject is one of these names.
    NamePattern(NamePattern),
    /// `ID_FQDN`: a `dNSName` is this one, without regard to case.
    Fqdn(String),
    /// A `dNSName` ends in this domain, with at least a label in front: `example.org` for what strongSwan writes `*.example.org`.
    FqdnUnder(String),
    /// `ID_USER_FQDN`: an `rfc822Name` is this one, without regard to case.
    UserFqdn(String),
    /// An `rfc822Name` is at this host: `example.org` for what strongSwan writes `*@example.org`.
    UserAt(String),
    /// `ID_IPV4_ADDR`, `ID_IPV6_ADDR`: an `iPAddress` is this one.
    Address(IpAddr),
    /// `ID_KEY_ID`: `subjectKeyIdentifier`, or the SHA-1 of the SubjectPublicKeyInfo, is this one.
    KeyId(Vec<u8>),
}

impl ExpectedIdentity {
    pub(super) fn check(
        &self,
        certificate: &Certificate,
        provider: &CryptoProvider,
    ) -> Result<(), CertificateError> {
        let subject = certificate.subject();
        let any = |fits: &dyn Fn(&AlternativeName) -> bool| certificate.alternative_names().iter().any(fits);
        let key_id = || certificate.key_id(provider).unwrap_or_default();
        let fits = match self {
            Self::Name(expected) => !subject.is_empty() && subject == expected,
            Self::NamePattern(pattern) => !subject.is_empty() && pattern.matches(subject),
            Self::Fqdn(expected) => any(
                &|name| matches!(name, AlternativeName::Dns(name) if is_plain(name) && name.eq_ignore_ascii_case(expected)),
            ),
            Self::FqdnUnder(domain) => any(
                &|name| matches!(name, AlternativeName::Dns(name) if is_plain(name) && ends_in(name, '.', domain)),
            ),
            Self::UserFqdn(expected) => any(
                &|name| matches!(name, AlternativeName::Email(name) if is_plain(name) && name.eq_ignore_ascii_case(expected)),
            ),
            Self::UserAt(host) => any(
                &|name| matches!(name, AlternativeName::Email(name) if is_plain(name) && ends_in(name, '@', host)),
            ),
            Self::Address(expected) => {
                any(&|name| matches!(name, AlternativeName::Address(name) if name == expected))
            }
            Self::KeyId(expected) => {
                !expected.is_empty()
                    && (certificate.subject_key_id() == Some(expected.as_slice()) || key_id() == *expected)
            }
        };
        if fits {
            return Ok(());
        }
        let found = match self {
            Self::KeyId(_) => {
                let known = certificate.subject_key_id().map(hex).into_iter();
                known.chain([hex(&key_id())]).collect()
            }
            _ => {
                let subject = (!subject.is_empty()).then(|| subject.short());
                // What an error says has an end: the first names tell whose certificate it is.
                let names = certificate.alternative_names().iter().take(8).map(ToString::to_string);
                subject.into_iter().chain(names).collect()
            }
        };
        Err(CertificateError::IdentityMismatch { expected: self.to_string(), found })
    }
}

/// A name that can stand for one host or user.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('*')
}

/// Whether the name is something, the separator and this domain.
fn ends_in(name: &str, separator: char, domain: &str) -> bool {
    let cut = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    !domain.is_empty()
        && cut.is_some_and(|(front, back)| {
            front.len() > 1 && front.ends_with(separator) && back.eq_ignore_ascii_case(domain)
        })
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl fmt::Display for ExpectedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{}`", name.short()),
            Self::NamePattern(pattern) => write!(f, "`{pattern}`"),
            Self::Fqdn(name) | Self::UserFqdn(name) => write!(f, "`{}`", escaped(name)),
            Self::FqdnUnder(domain) => write!(f, "`*.{}`", escaped(domain)),
            Self::UserAt(host) => write!(f, "`*@{}`", escaped(host)),
            Self::Address(address) => address.fmt(f),
            Self::KeyId(octets) => write!(f, "the key {}", hex(octets)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_needs_something_in_front() {
        assert!(
            ends_in("gw.Example.org", '.', "example.ORG") && ends_in("a@example.org", '@', "example.org")
        );
        for name in ["example.org", ".example.org", "badexample.org", "x@.org", ""] {
            assert!(!ends_in(name, '.', "example.org"), "{name}");
        }
        assert!(!ends_in("a.", '.', ""));
    }
}
