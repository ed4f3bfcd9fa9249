//! Certificates, revocation lists and names: read, and judged with every signature believed, so that what comes after is reached.

use ipsec_crypto::cert::{
    Certificate, CertificateCheck, CertificateError, CertificatePolicy, Crl, DistinguishedName,
    ExpectedIdentity, Intermediates, MAX_AUTHORITIES, NamePattern, RevocationDepth, RevocationPolicy,
    TrustAnchors, VerifiedPath,
};

use crate::provider::fixed;

/// A file, or parts of a path: three octets (a kind and a length) in front of each. The time is that of the first certificate.
///
/// What is read is kept as it was; a path that is found is one; an error can be printed; the same question has the same answer.
///
/// # Panics
/// When a law is broken.
pub fn certificate(data: &[u8]) {
    read(data);
    if let Ok(text) = std::str::from_utf8(data) {
        pattern(text);
    }
    let (mut peer, mut anchors, mut intermediates, mut crls) =
        (None, TrustAnchors::default(), Intermediates::default(), Vec::new());
    let mut rest = data;
    while let [kind, high, low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (part, after) = tail.split_at(len);
        rest = after;
        read(part);
        match (kind % 4, Certificate::from_der(part), Crl::from_der(part)) {
            (0, Ok(certificate), _) => peer = peer.or(Some(certificate)),
            (1, Ok(certificate), _) => anchors.add(certificate),
            (2, Ok(certificate), _) => drop(intermediates.add(certificate)),
            (3, _, Ok(crl)) => crls.push(crl),
            _ => {}
        }
    }
    if let Some(peer) = peer {
        judge(&peer, &anchors, &intermediates, &crls);
    }
}

fn printable(error: &CertificateError) {
    let text = error.to_string();
    assert!(text.len() < 16_000 && !text.chars().any(char::is_control), "{text}");
}

fn read(octets: &[u8]) {
    match Certificate::from_der(octets) {
        Ok(certificate) => {
            assert_eq!(certificate.as_der(), octets);
            assert_eq!(Certificate::from_file(octets), Ok(vec![certificate.clone()]));
            name(certificate.subject());
            name(certificate.issuer());
            assert!(octets.windows(certificate.spki().len()).any(|window| window == certificate.spki()));
            assert!(
                certificate.public_key().is_ok_and(|key| key.spki() == certificate.spki())
                    || certificate.public_key().is_err()
            );
        }
        Err(error) => {
            if let CertificateError::BadEncoding { offset, .. } = error {
                assert!(offset <= octets.len(), "{error}");
            }
            printable(&error);
        }
    }
    match Crl::from_der(octets) {
        Ok(crl) => {
            assert_eq!(crl.as_der(), octets);
            assert!(crl.len() < octets.len());
            name(crl.issuer());
        }
        Err(error) => printable(&error),
    }
    for error in [Certificate::from_file(octets).err(), Crl::from_file(octets).err()].into_iter().flatten() {
        printable(&error);
    }
    if let Ok(found) = DistinguishedName::from_der(octets) {
        assert_eq!(found.as_der(), octets);
        name(&found);
    }
}

/// A name equals itself, and what it prints is a pattern for it, unless a value has no text.
fn name(name: &DistinguishedName) {
    assert_eq!(DistinguishedName::from_der(name.as_der()).as_ref(), Ok(name));
    let text = name.to_string();
    assert!(!text.chars().any(char::is_control), "{text}");
    if !name.is_empty() && !text.contains("=#") {
        match text.parse::<NamePattern>() {
            Ok(pattern) => assert!(pattern.matches(name), "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

fn pattern(text: &str) {
    match text.parse::<NamePattern>() {
        Ok(pattern) => assert_eq!(pattern.to_string(), text),
        Err(error) => printable(&error),
    }
}

fn judge(peer: &Certificate, anchors: &TrustAnchors, intermediates: &Intermediates, crls: &[Crl]) {
    let provider = fixed();
    let (time, _) = peer.validity();
    let subject = ExpectedIdentity::Name(peer.subject().clone());
    for policy in [
        CertificatePolicy::default(),
        CertificatePolicy { min_rsa_bits: 0, max_authorities: usize::MAX, ..CertificatePolicy::default() },
        CertificatePolicy {
            revocation: RevocationPolicy::Require,
            revocation_depth: RevocationDepth::EndEntity,
            max_authorities: 1,
            ..CertificatePolicy::default()
        },
    ] {
        let check = CertificateCheck { anchors, intermediates, crls, time, identity: Some(&subject), policy };
        let first = peer.verify(&provider, &check);
        let again = peer.verify(&provider, &check);
        match (first, again) {
            (Ok(path), Ok(again)) => {
                assert_eq!(path.certificates(), again.certificates());
                assert_eq!(path.revocation(), again.revocation());
                sound(&path, peer, &check);
            }
            (Err(error), Err(again)) => {
                assert_eq!(error, again);
                printable(&error);
            }
            (first, again) => panic!("once {first:?}, then {again:?}"),
        }
    }
}

/// What every path is that was found good.
fn sound(path: &VerifiedPath<'_>, peer: &Certificate, check: &CertificateCheck<'_>) {
    let certificates = path.certificates();
    assert!(certificates.len() <= check.policy.max_authorities.min(MAX_AUTHORITIES) + 2);
    assert_eq!(certificates.first(), Some(&peer));
    assert!(certificates.last().is_some_and(|last| check.anchors.as_slice().contains(last)));
    assert!(!peer.subject().is_empty());
    assert_eq!(path.public_key().spki(), peer.spki());
    for pair in certificates.windows(2) {
        assert_eq!(pair[0].issuer(), pair[1].subject());
        assert!(pair[1].is_authority());
    }
    for certificate in certificates {
        let (not_before, not_after) = certificate.validity();
        assert!((not_before..=not_after).contains(&check.time));
        assert!(certificate.public_key().is_ok_and(|key| key.bits() >= check.policy.min_ec_bits));
    }
}
