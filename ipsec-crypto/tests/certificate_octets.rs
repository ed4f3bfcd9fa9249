//! Certificates and revocation lists that were cut, flipped and rebuilt: no panic, and none is believed.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::pki::{Surroundings, certificate, judge, octets};
use ipsec_crypto::CryptoProvider;
use ipsec_crypto::cert::{
    Certificate, CertificateError, Crl, DistinguishedName, Intermediates, NamePattern, RevocationPolicy,
};

const CERTIFICATES: [&str; 4] = ["gw_rsa.der", "mid_rsa.der", "names.der", "pointed.der"];
const LISTS: [&str; 2] = ["root_rsa.crl.der", "mid_rsa_users.crl.der"];

/// An error about octets lies inside them, and what it prints can be shown to anybody.
fn sound(error: &CertificateError, octets: &[u8]) {
    if let CertificateError::BadEncoding { offset, field, .. } = error {
        assert!(*offset <= octets.len() && !field.is_empty(), "{error}");
    }
    let text = error.to_string();
    assert!(text.len() < 2000 && !text.chars().any(char::is_control), "{text}");
}

/// What became of octets: for a certificate the verdict on a path, for a list whether a certificate is judged with it.
fn believed(octets: &[u8], surroundings: &Surroundings) -> bool {
    let provider = CryptoProvider::default();
    let verdict = Certificate::from_der(octets)
        .and_then(|certificate| surroundings.judge(&provider, &certificate).map(drop));
    if let Err(error) = &verdict {
        sound(error, octets);
    }
    let list = Crl::from_der(octets).and_then(|crl| {
        let with = Surroundings { crls: vec![crl], ..surroundings.clone() };
        let mut check = with.check();
        check.policy.revocation = RevocationPolicy::Require;
        judge(&provider, &certificate("gw_ec521"), &check).map(drop)
    });
    if let Err(error) = &list {
        sound(error, octets);
    }
    verdict.is_ok() || list.is_ok()
}

fn all() -> Surroundings {
    Surroundings::new("root_rsa,root_ec", "mid_rsa,mid_ec", "-")
}

#[test]
fn truncated_at_every_octet() {
    for file in CERTIFICATES.into_iter().chain(LISTS) {
        let whole = octets(file);
        for len in 0..whole.len() {
            let cut = &whole[..len];
            for error in [Certificate::from_der(cut).unwrap_err(), Crl::from_der(cut).unwrap_err()] {
                assert!(
                    matches!(error, CertificateError::BadEncoding { .. }),
                    "{file} cut at {len}: {error}"
                );
                sound(&error, cut);
            }
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(Certificate::from_der(&longer).is_err() && Crl::from_der(&longer).is_err());
    }
}

#[test]
fn flipped_at_every_bit() {
    let surroundings = all();
    for file in ["gw_rsa.der", "root_rsa.crl.der"] {
        let whole = octets(file);
        assert!(believed(&whole, &surroundings), "{file}");
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!believed(&flipped, &surroundings), "{file}, bit {bit}");
        }
    }
    // An ECDSA signature has two forms; neither may come from the other by a bit.
    let whole = octets("gw_ec.der");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(!believed(&flipped, &surroundings), "gw_ec.der, octet {at}");
    }
}

#[test]
fn flipped_issuers_issue_nothing() {
    let whole = octets("mid_rsa.der");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        let Ok(issuer) = Certificate::from_der(&flipped) else { continue };
        let mut intermediates = Intermediates::default();
        intermediates.add(issuer).unwrap();
        let surroundings = Surroundings { intermediates, ..Surroundings::new("root_rsa", "-", "-") };
        let provider = CryptoProvider::default();
        surroundings.judge(&provider, &certificate("gw_rsa")).unwrap_err();
    }
}

/// DER as a tree: a tag, and either a value or fields. OCTET STRINGs are opened where they hold DER, as extensions do.
#[derive(Clone)]
enum Tree {
    Leaf(u8, Vec<u8>),
    Node(u8, Vec<Self>),
}

/// What is done to a list of fields at one place.
type Change<'a> = dyn Fn(&mut Vec<Tree>, usize) + 'a;

fn parse_all(mut octets: &[u8]) -> Option<Vec<Tree>> {
    let mut trees = Vec::new();
    while let [tag, rest @ ..] = octets {
        let (len, rest) = match rest {
            [len @ 0..=0x7f, rest @ ..] => (usize::from(*len), rest),
            [0x81, len, rest @ ..] => (usize::from(*len), rest),
            [0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        octets = rest;
        let inside = if tag & 0x20 != 0 || *tag == 4 { parse_all(value) } else { None };
        trees.push(match inside {
            Some(fields) if !fields.is_empty() => Tree::Node(*tag, fields),
            _ => Tree::Leaf(*tag, value.to_vec()),
        });
    }
    Some(trees)
}

impl Tree {
    fn parse(octets: &[u8]) -> Self {
        parse_all(octets).unwrap().remove(0)
    }

    fn octets(&self) -> Vec<u8> {
        let (tag, value) = match self {
            Self::Leaf(tag, value) => (*tag, value.clone()),
            Self::Node(tag, fields) => (*tag, fields.iter().flat_map(Self::octets).collect()),
        };
        let mut out = vec![tag];
        match value.len() {
            len @ 0..0x80 => out.push(len as u8),
            len @ 0x80..0x100 => out.extend([0x81, len as u8]),
            len @ 0x100..0x1_0000 => out.extend([0x82, (len >> 8) as u8, len as u8]),
            len => out.extend([0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8]),
        }
        out.extend(value);
        out
    }

    /// Calls `change` with the list of each node's fields and a place in it, one change at a time.
    fn each_change(&self, change: &Change<'_>, done: &mut dyn FnMut(&Self)) {
        let count = match self {
            Self::Leaf(..) => 0,
            Self::Node(_, fields) => fields.len(),
        };
        for at in 0..count {
            let mut changed = self.clone();
            if let Self::Node(_, fields) = &mut changed {
                change(fields, at);
            }
            done(&changed);
            let Self::Node(tag, fields) = self else { continue };
            fields[at].each_change(change, &mut |inner| {
                let mut fields = fields.clone();
                fields[at] = inner.clone();
                done(&Self::Node(*tag, fields));
            });
        }
    }
}

#[test]
fn rebuilt_with_fields_missing_repeated_empty_and_huge() {
    let surroundings = all();
    let retag = |fields: &mut Vec<Tree>, at: usize, to: u8| {
        fields[at] = match fields[at].clone() {
            Tree::Leaf(_, value) => Tree::Leaf(to, value),
            Tree::Node(_, inner) => Tree::Node(to, inner),
        };
    };
    let changes: [(&str, &Change<'_>); 8] = [
        ("missing", &|fields, at| drop(fields.remove(at))),
        ("twice", &|fields, at| fields.insert(at, fields[at].clone())),
        ("empty", &|fields, at| fields[at] = Tree::Leaf(fields[at].octets()[0], Vec::new())),
        ("huge", &|fields, at| fields[at] = Tree::Leaf(fields[at].octets()[0], vec![0x41; 0xfd00])),
        ("too huge", &|fields, at| fields[at] = Tree::Leaf(fields[at].octets()[0], vec![0; 0x1_0000])),
        ("null", &|fields, at| retag(fields, at, 5)),
        ("a set", &|fields, at| retag(fields, at, 0x31)),
        ("300 times", &|fields, at| {
            let one = fields[at].clone();
            fields.splice(at..at, std::iter::repeat_n(one, 299));
        }),
    ];
    for file in CERTIFICATES.into_iter().chain(LISTS) {
        let whole = octets(file);
        let tree = Tree::parse(&whole);
        assert_eq!(tree.octets(), whole, "{file}");
        for (name, change) in changes {
            let mut counted = 0;
            tree.each_change(change, &mut |changed| {
                let octets = changed.octets();
                counted += 1;
                assert!(
                    octets == whole || !believed(&octets, &surroundings),
                    "{file}: {name}: {octets:02x?}"
                );
            });
            assert!(counted > 40, "{file} has {counted} fields");
        }
    }
}

#[test]
fn an_extension_twice_is_an_error_of_its_own() {
    let mut found = 0;
    Tree::parse(&octets("gw_rsa.der")).each_change(
        &|fields, at| fields.insert(at, fields[at].clone()),
        &mut |tree| {
            if let Err(CertificateError::BadEncoding { field: "extension", fault, .. }) =
                Certificate::from_der(&tree.octets())
            {
                found += usize::from(fault.ends_with("is there twice"));
            }
        },
    );
    assert_eq!(found, 5, "keyUsage, extKeyUsage, subjectAltName and both key identifiers");
}

#[test]
fn names_print_as_patterns_that_match_them() {
    for name in ["gw_rsa", "gw_ec", "names_subject_email", "many"] {
        let subject = certificate(name).subject().clone();
        let pattern: NamePattern = subject.to_string().parse().unwrap();
        assert!(pattern.matches(&subject), "{subject}");
        assert_eq!(DistinguishedName::from_der(subject.as_der()), Ok(subject));
    }
}
