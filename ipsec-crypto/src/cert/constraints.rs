//! Which names an authority may certify (RFC 5280 §4.2.1.10).

use std::fmt;
use std::net::IpAddr;

use super::alternative::{AlternativeName, GeneralName, address};
use super::error::CertificateError;
use super::fields::{Field, Fields, SEQUENCE, at_most, constructed};
use super::name::{DistinguishedName, escaped};

/// The most subtrees in a constraint. With [`MAX_ALTERNATIVE_NAMES`](super::MAX_ALTERNATIVE_NAMES) it bounds the comparisons.
pub(super) const MAX_SUBTREES: usize = 128;

/// The `nameConstraints` of an authority.
#[derive(Clone)]
pub(super) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

#[derive(Clone)]
enum Subtree {
    Dns(String),
    Email(String),
    Uri(String),
    Network {
        base: IpAddr,
        mask: IpAddr,
    },
    Directory(DistinguishedName),
    /// A form that can't be compared: it keeps all names of the form out.
    Other(u8),
}

impl NameConstraints {
    pub(super) fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        let mut fields = field.fields(SEQUENCE)?;
        let mut subtrees = |number| match fields.optional(constructed(number), "nameConstraints")? {
            Some(field) => read_subtrees(field.fields(constructed(number))?),
            None => Ok(Vec::new()),
        };
        let constraints = Self { permitted: subtrees(0)?, excluded: subtrees(1)? };
        fields.end("nameConstraints")?;
        Ok(constraints)
    }

    /// Checks the names of a certificate: of each form that is permitted at all, each name lies in a permitted subtree;
    /// none lies in an excluded one. `Err` has the name and the rule.
    pub(super) fn check(
        &self,
        subject: &DistinguishedName,
        alternatives: &[AlternativeName],
    ) -> Result<(), (String, String)> {
        if !subject.is_empty() {
            self.check_name(&AlternativeName::Directory(subject.clone()))?;
        }
        alternatives.iter().try_for_each(|name| self.check_name(name))?;
        // Without an rfc822Name, the addresses in the subject count (RFC 5280 §4.2.1.10).
        if alternatives.iter().any(|name| matches!(name, AlternativeName::Email(_))) {
            return Ok(());
        }
        subject.emails().try_for_each(|email| self.check_name(&AlternativeName::Email(email.to_owned())))
    }

    fn check_name(&self, name: &AlternativeName) -> Result<(), (String, String)> {
        let excludes = |subtree: &&Subtree| matches!(subtree.place(name), Place::Inside | Place::Unclear);
        if let Some(subtree) = self.excluded.iter().find(excludes) {
            return Err((name.to_string(), format!("it excludes {subtree}")));
        }
        let mut places = self
            .permitted
            .iter()
            .map(|subtree| subtree.place(name))
            .filter(|place| *place != Place::Elsewhere)
            .peekable();
        if places.peek().is_none() || places.any(|place| place == Place::Inside) {
            return Ok(());
        }
        let list: Vec<_> = self.permitted.iter().take(4).map(ToString::to_string).collect();
        Err((name.to_string(), format!("it permits only {}", list.join(", "))))
    }
}

fn read_subtrees(mut fields: Fields<'_>) -> Result<Vec<Subtree>, CertificateError> {
    let mut subtrees = Vec::new();
    while fields.tag().is_some() {
        at_most("name constraints", subtrees.len() + 1, MAX_SUBTREES)?;
        let mut subtree = fields.next("generalSubtree")?.fields(SEQUENCE)?;
        let base = subtree.next("base")?;
        subtrees.push(Subtree::read(base)?);
        // "minimum MUST be zero, and maximum MUST be absent", and the default is not encoded.
        subtree.end("generalSubtree")?;
    }
    Ok(subtrees)
}

impl Subtree {
    fn read(field: Field<'_>) -> Result<Self, CertificateError> {
        Ok(match GeneralName::read(field)? {
            GeneralName::Dns(base) => Self::Dns(base.to_owned()),
            GeneralName::Email(base) => Self::Email(base.to_owned()),
            GeneralName::Uri(base) => Self::Uri(base.to_owned()),
            GeneralName::Address(octets) => {
                let (base, mask) = octets.split_at(octets.len() / 2);
                match (address(base), address(mask)) {
                    (Some(base), Some(mask)) => Self::Network { base, mask },
                    _ => return Err(field.fault(format!("a network of {} octets", octets.len()))),
                }
            }
            GeneralName::Directory(name) => Self::Directory(name),
            GeneralName::Other(form) => Self::Other(form),
        })
    }

    fn place(&self, name: &AlternativeName) -> Place {
        match (self, name) {
            (Self::Dns(base), AlternativeName::Dns(name)) => is_subdomain(name, base).into(),
            (Self::Email(base), AlternativeName::Email(name)) => place_mailbox(name, base),
            (Self::Uri(base), AlternativeName::Uri(name)) => place_uri(name, base),
            (Self::Network { base, mask }, AlternativeName::Address(name)) => {
                is_in_network(*name, *base, *mask).into()
            }
            (Self::Directory(base), AlternativeName::Directory(name)) => name.is_under(base).into(),
            (Self::Other(base), AlternativeName::Other { form, .. }) if base == form => Place::Unclear,
            _ => Place::Elsewhere,
        }
    }
}

/// Where a name is, seen from a subtree.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Inside,
    Outside,
    /// Of the same form, but it can't be compared: as good as in what is excluded, and as outside of what is permitted.
    Unclear,
    /// The subtree is about another form of name.
    Elsewhere,
}

impl From<bool> for Place {
    fn from(is_inside: bool) -> Self {
        if is_inside { Self::Inside } else { Self::Outside }
    }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name".
fn is_subdomain(name: &str, base: &str) -> bool {
    // With a leading dot, which is not in RFC 5280 but in the field, subdomains only.
    let is_base = name.eq_ignore_ascii_case(base);
    is_base || base.is_empty() || is_in_domain(name, base.strip_prefix('.').unwrap_or(base))
}

/// Whether there are labels in front of the domain.
fn is_in_domain(name: &str, domain: &str) -> bool {
    let cut = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    cut.is_some_and(|(front, back)| {
        front.len() > 1 && front.ends_with('.') && back.eq_ignore_ascii_case(domain)
    })
}

/// A mailbox, all mailboxes of a host, or with a leading dot those of all hosts in a domain.
fn place_mailbox(name: &str, base: &str) -> Place {
    let Some((_, host)) = name.rsplit_once('@') else { return Place::Unclear };
    if base.contains('@') { name.eq_ignore_ascii_case(base).into() } else { is_host_in(host, base).into() }
}

/// "Applies to the host part of the name": a host, or with a leading dot all hosts in a domain.
fn place_uri(name: &str, base: &str) -> Place {
    let Some((_, rest)) = name.split_once("://") else { return Place::Unclear };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or("");
    if host.is_empty() || host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return Place::Unclear;
    }
    is_host_in(host, base).into()
}

fn is_host_in(host: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_in_domain(host, domain),
        None => host.eq_ignore_ascii_case(base),
    }
}

/// An address of the other family is in no network.
fn is_in_network(name: IpAddr, base: IpAddr, mask: IpAddr) -> bool {
    match (name, base, mask) {
        (IpAddr::V4(name), IpAddr::V4(base), IpAddr::V4(mask)) => {
            name.to_bits() & mask.to_bits() == base.to_bits() & mask.to_bits()
        }
        (IpAddr::V6(name), IpAddr::V6(base), IpAddr::V6(mask)) => {
            name.to_bits() & mask.to_bits() == base.to_bits() & mask.to_bits()
        }
        _ => false,
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(base) | Self::Email(base) | Self::Uri(base) => write!(f, "`{}`", escaped(base)),
            Self::Network { base, mask } => write!(f, "{base}/{mask}"),
            Self::Directory(base) => write!(f, "`{}`", base.short()),
            Self::Other(form) => write!(f, "names of form [{form}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str) -> AlternativeName {
        AlternativeName::Dns(name.into())
    }

    fn check(permitted: Vec<Subtree>, excluded: Vec<Subtree>, name: AlternativeName) -> bool {
        NameConstraints { permitted, excluded }.check_name(&name).is_ok()
    }

    #[test]
    fn hosts_lie_under_their_domain() {
        let base = || vec![Subtree::Dns("Example.org".into())];
        for inside in ["example.org", "gw.example.ORG", "a.b.example.org"] {
            assert!(check(base(), vec![], dns(inside)) && !check(vec![], base(), dns(inside)), "{inside}");
        }
        for outside in ["example.com", "badexample.org", ".example.org", "org", ""] {
            assert!(!check(base(), vec![], dns(outside)) && check(vec![], base(), dns(outside)), "{outside}");
        }
        let below = || vec![Subtree::Dns(".example.org".into())];
        assert!(check(below(), vec![], dns("a.example.org")) && !check(below(), vec![], dns("example.org")));
        assert!(!check(vec![], vec![Subtree::Dns(String::new())], dns("any")));
        // Another form of name is nobody's business.
        assert!(check(base(), vec![], AlternativeName::Email("a@b".into())));
    }

    #[test]
    fn mailboxes_and_uris_lie_under_their_host() {
        let email = |base: &str, name: &str| {
            check(vec![Subtree::Email(base.into())], vec![], AlternativeName::Email(name.into()))
        };
        assert!(email("a@b.org", "A@B.org") && !email("a@b.org", "c@b.org"));
        assert!(email("b.org", "c@B.org") && !email("b.org", "c@x.b.org"));
        assert!(email(".b.org", "c@x.b.org") && !email(".b.org", "c@b.org") && !email("b.org", "b.org"));
        let uri = |base: &str, name: &str| {
            let name = AlternativeName::Uri(name.into());
            let permitted = check(vec![Subtree::Uri(base.into())], vec![], name.clone());
            (permitted, check(vec![], vec![Subtree::Uri(base.into())], name))
        };
        assert_eq!(uri("b.org", "http://u@B.org:80/x"), (true, false));
        assert_eq!(uri("b.org", "http://c.org/?b.org"), (false, true));
        // What has no host can't be compared: neither permitted nor free of exclusion.
        assert_eq!(uri("b.org", "urn:b.org"), (false, false));
        assert_eq!(uri("b.org", "http://192.0.2.1/"), (false, false));
    }

    #[test]
    fn addresses_lie_in_their_network() {
        let network = |base: &str, mask: &str| {
            vec![Subtree::Network { base: base.parse().unwrap(), mask: mask.parse().unwrap() }]
        };
        let address = |name: &str| AlternativeName::Address(name.parse().unwrap());
        assert!(check(network("10.1.0.0", "255.255.0.0"), vec![], address("10.1.2.3")));
        assert!(!check(network("10.1.0.0", "255.255.0.0"), vec![], address("10.2.2.3")));
        assert!(!check(network("10.1.0.0", "255.255.0.0"), vec![], address("2001:db8::1")));
        assert!(!check(vec![], network("2001:db8::", "ffff:ffff::"), address("2001:db8::1")));
    }

    #[test]
    fn a_form_that_cannot_be_compared_is_kept_out() {
        let other = || AlternativeName::Other { form: 0, der: vec![0xa0, 0] };
        assert!(!check(vec![Subtree::Other(0)], vec![], other()));
        assert!(!check(vec![], vec![Subtree::Other(0)], other()));
        assert!(check(vec![Subtree::Other(8)], vec![], other()));
    }
}
