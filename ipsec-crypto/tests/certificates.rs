//! Which certificates are believed: the cases of `tests/data/pki`, policies, identities, and what the errors say.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use common::pki::{NOW, Surroundings, certificate, crl, judge, octets, text};
use common::providers;
use ipsec_crypto::cert::{
    AlternativeName, Certificate, CertificateCheck, CertificateError, CertificatePolicy, Crl,
    DistinguishedName, ExpectedIdentity, ExtendedKeyUsagePolicy, Intermediates, MAX_INTERMEDIATES,
    RevocationDepth, RevocationPolicy, RevocationReason, RevocationStatus, UsageFault,
};
use ipsec_crypto::{CryptoProvider, KeyAlgorithm};

/// The name of an error's variant.
fn variant(error: &CertificateError) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(']).next().unwrap().to_owned()
}

#[test]
fn every_case_is_judged_as_written_with_every_provider() {
    let (cases, openssl) = (text("cases.txt"), text("openssl.txt"));
    let mut counted = 0;
    for line in cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.splitn(7, ' ').collect();
        let &[case, end_entity, anchors, intermediates, crls, expected, ref differs @ ..] = &words[..] else {
            panic!("{line}")
        };
        let surroundings = Surroundings::new(anchors, intermediates, crls);
        for provider in providers() {
            let verdict = surroundings.judge(&provider, &certificate(end_entity));
            let found = verdict.as_ref().map_or_else(variant, |_| "ok".to_owned());
            assert_eq!(found, expected, "{case} with {}: {verdict:?}", provider.name);
        }
        // Where OpenSSL comes to another verdict, the case says why.
        let theirs = openssl.lines().find_map(|line| line.strip_prefix(case)?.strip_prefix(' ')).unwrap();
        let agrees = (expected == "ok") == (theirs == "OK");
        assert_eq!(agrees, differs.is_empty(), "{case}: {expected}, OpenSSL says {theirs}");
        counted += 1;
    }
    assert!(counted > 70);
}

fn default_provider() -> CryptoProvider {
    CryptoProvider::default()
}

/// The error for an end entity under the default policy, changed.
fn error(
    end_entity: &str,
    (anchors, intermediates, crls): (&str, &str, &str),
    change: impl FnOnce(&mut CertificatePolicy),
) -> CertificateError {
    verdict(end_entity, (anchors, intermediates, crls), change).unwrap_err()
}

fn verdict(
    end_entity: &str,
    (anchors, intermediates, crls): (&str, &str, &str),
    change: impl FnOnce(&mut CertificatePolicy),
) -> common::pki::Verdict {
    let surroundings = Surroundings::new(anchors, intermediates, crls);
    let mut check = surroundings.check();
    change(&mut check.policy);
    judge(&default_provider(), &certificate(end_entity), &check)
}

const RSA: (&str, &str, &str) = ("root_rsa", "mid_rsa", "-");

#[test]
fn a_good_path_has_its_length_its_key_and_its_status() {
    let (len, key, status) = verdict("gw_rsa", ("root_rsa", "mid_rsa", "mid_rsa,root_rsa"), |_| {}).unwrap();
    assert_eq!((len, key.algorithm(), key.bits()), (3, KeyAlgorithm::Rsa, 2048));
    assert_eq!(status, RevocationStatus::Good);
    let (len, key, status) =
        verdict("gw_ec", ("root_rsa", "mid_ec,mid_ec_cross", "root_rsa"), |_| {}).unwrap();
    assert_eq!((len, key.algorithm()), (3, KeyAlgorithm::EcP256));
    assert_eq!(status, RevocationStatus::Unknown, "nothing is known of the end entity");
    assert_eq!(verdict("pinned", ("pinned", "-", "-"), |_| {}).unwrap().0, 1);
}

#[test]
fn errors_have_the_values_and_the_remedy() {
    let expired = error("expired", RSA, |_| {});
    assert_eq!(
        expired,
        CertificateError::Expired { subject: "CN=expired".into(), not_after: 1_609_459_200, now: NOW }
    );
    assert_eq!(
        expired.to_string(),
        "`CN=expired` expired at 2021-01-01T00:00:00Z, it is 2030-01-01T00:00:00Z; renew it, or set the clock"
    );
    assert_eq!(
        error("not_yet", RSA, |_| {}),
        CertificateError::NotYetValid { subject: "CN=not-yet".into(), not_before: 3_786_912_000, now: NOW }
    );
    let serial = certificate("revoked").serial().iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(
        error("revoked", ("root_rsa", "mid_rsa", "mid_rsa"), |_| {}),
        CertificateError::Revoked {
            subject: "CN=revoked".into(),
            serial,
            reason: RevocationReason::Superseded,
            date: 1_748_736_000,
        }
    );
    assert_eq!(
        error("gw_rsa", ("root_rsa", "-", "-"), |_| {}),
        CertificateError::UnknownIssuer {
            subject: "C=CH, O=Example, CN=gw-rsa".into(),
            issuer: "C=CH, O=Example, CN=Mid RSA".into(),
        }
    );
    assert_eq!(
        error("weak", RSA, |_| {}),
        CertificateError::WeakKey { subject: "CN=weak".into(), algorithm: "RSA", bits: 1024, minimum: 2048 }
    );
    assert_eq!(
        error("under_too_deep", ("root_ec", "short,too_deep", "-"), |_| {}),
        CertificateError::PathTooLong { subject: "CN=Short".into(), limit: 0 }
    );
    let too_long = error("gw_rsa", RSA, |policy| policy.max_authorities = 0);
    assert_eq!(too_long, CertificateError::PathTooLong { subject: "the configuration".into(), limit: 0 });
    assert_eq!(
        error("sha1", RSA, |_| {}),
        CertificateError::WeakSignatureAlgorithm { subject: "CN=sha1".into(), algorithm: "rsa-sha1" }
    );
    assert_eq!(
        error("eku_code", RSA, |_| {}),
        CertificateError::WrongUsage {
            subject: "CN=eku-code".into(),
            fault: UsageFault::NotForIke(vec!["1.3.6.1.5.5.7.3.3".into()]),
        }
    );
    assert_eq!(
        error("critical", RSA, |_| {}),
        CertificateError::UnsupportedCriticalExtension {
            subject: "CN=critical".into(),
            oid: "1.2.3.4".into()
        }
    );
    let constraint = error("names_dns", ("root_ec", "names", "-"), |_| {}).to_string();
    assert_eq!(
        constraint,
        "`CN=Names` may not certify `gw.example.com` of `C=CH, O=Example, CN=dns`: it permits only `example.org`, \
         192.0.2.0/255.255.255.0, `C=CH, O=Example`, `example.org`; have it issued by another authority"
    );
}

#[test]
fn each_usage_is_told_apart() {
    let fault = |end_entity, between| match error(end_entity, ("root_rsa", between, "-"), |_| {}) {
        CertificateError::WrongUsage { subject, fault } => (subject, fault),
        other => panic!("{other}"),
    };
    assert_eq!(fault("encipher", "mid_rsa"), ("CN=encipher".into(), UsageFault::NotForSignatures));
    assert_eq!(fault("under_bare", "mid_rsa,bare"), ("CN=bare".into(), UsageFault::NotAnAuthority));
    assert_eq!(fault("under_no_sign", "no_sign"), ("CN=No Sign".into(), UsageFault::NotForCertificates));
    assert!(
        matches!(fault("under_code", "ca_code"), (name, UsageFault::NotForIke(_)) if name == "CN=CA Code")
    );
}

#[test]
fn policies_widen_and_narrow() {
    let eku =
        |policy: ExtendedKeyUsagePolicy| move |all: &mut CertificatePolicy| all.extended_key_usage = policy;
    verdict("eku_server", RSA, eku(ExtendedKeyUsagePolicy::Field)).unwrap();
    error("eku_server", RSA, eku(ExtendedKeyUsagePolicy::Rfc4945));
    verdict("eku_any", RSA, eku(ExtendedKeyUsagePolicy::Rfc4945)).unwrap();
    verdict("gw_rsa", RSA, eku(ExtendedKeyUsagePolicy::Rfc4945)).unwrap();
    error("eku_code", RSA, eku(ExtendedKeyUsagePolicy::Field));
    verdict("eku_code", RSA, eku(ExtendedKeyUsagePolicy::Any)).unwrap();

    verdict("weak", RSA, |policy| policy.min_rsa_bits = 1024).unwrap();
    let longer = error("gw_rsa", RSA, |policy| policy.min_rsa_bits = 3072);
    assert!(
        matches!(longer, CertificateError::WeakKey { subject, bits: 2048, minimum: 3072, .. } if subject.ends_with("Root RSA"))
    );
    let longer = error("gw_ec", ("root_ec", "mid_ec", "-"), |policy| policy.min_ec_bits = 384);
    assert!(matches!(longer, CertificateError::WeakKey { algorithm: "EC", bits: 256, .. }));

    verdict("gw_rsa", RSA, |policy| policy.max_authorities = 1).unwrap();
    verdict("gw_ec384", ("root_ec", "-", "-"), |policy| policy.max_authorities = 0).unwrap();
}

#[cfg(feature = "legacy")]
#[test]
fn sha1_is_taken_where_a_configuration_says_so() {
    use ipsec_crypto::cert::Sha1Signatures;
    verdict("sha1", RSA, |policy| policy.sha1_signatures = Sha1Signatures::Accepted).unwrap();
    // No provider has ECDSA with SHA-1.
    let ecdsa = ("root_ec", "mid_ec", "-");
    let error_of_ecdsa = error("sha1_ec", ecdsa, |policy| policy.sha1_signatures = Sha1Signatures::Accepted);
    assert!(
        matches!(error_of_ecdsa, CertificateError::UnsupportedSignatureAlgorithm { algorithm, .. } if algorithm == "ecdsa-sha1")
    );
    let md5 = error("md5", RSA, |policy| policy.sha1_signatures = Sha1Signatures::Accepted);
    assert!(matches!(
        md5,
        CertificateError::WeakSignatureAlgorithm { algorithm: "md5WithRSAEncryption", .. }
    ));
}

#[test]
fn required_revocation_lists_must_be_there_and_valid() {
    let require = |policy: &mut CertificatePolicy| policy.revocation = RevocationPolicy::Require;
    let with = |crls| ("root_rsa", "mid_rsa", crls);
    verdict("gw_rsa", with("root_rsa,mid_rsa"), require).unwrap();
    assert_eq!(
        error("gw_rsa", with("root_rsa"), require),
        CertificateError::CrlMissing {
            subject: "C=CH, O=Example, CN=gw-rsa".into(),
            issuer: "C=CH, O=Example, CN=Mid RSA".into(),
        }
    );
    assert!(matches!(
        error("gw_rsa", with("root_rsa,mid_rsa_old"), require),
        CertificateError::CrlExpired { next_update: 1_735_689_600, now: NOW, .. }
    ));
    assert!(matches!(
        error("gw_rsa", with("root_rsa,mid_rsa_future"), require),
        CertificateError::CrlNotYetValid { this_update: 3_786_912_000, now: NOW, .. }
    ));
    let forged = error("gw_rsa", with("root_rsa,forged"), require);
    assert!(matches!(forged, CertificateError::BadSignature { document: "revocation list", .. }), "{forged}");
    // A valid list beside bad ones is found.
    verdict("gw_rsa", with("root_rsa,mid_rsa_future,forged,mid_rsa_old,mid_rsa"), require).unwrap();
    let not_covered = error("gw_rsa", with("root_rsa,mid_rsa_users"), require);
    assert!(matches!(not_covered, CertificateError::CrlMissing { .. }), "{not_covered}");
    let of_others = error("gw_rsa", with("root_rsa,mid_rsa_authorities,mid_rsa_other"), require);
    assert!(matches!(of_others, CertificateError::CrlMissing { .. }), "{of_others}");
    let by_wrong = error("under_no_crl", ("root_rsa", "no_crl", "no_crl,root_rsa"), require);
    assert!(matches!(by_wrong, CertificateError::WrongUsage { fault: UsageFault::NotForRevocation, .. }));

    // The end entity's status alone.
    let alone = |policy: &mut CertificatePolicy| {
        policy.revocation = RevocationPolicy::Require;
        policy.revocation_depth = RevocationDepth::EndEntity;
    };
    verdict("gw_rsa", with("mid_rsa"), alone).unwrap();
    verdict("under_revoked", ("root_rsa", "revoked_mid", "revoked_mid,root_rsa"), alone).unwrap();
    error("revoked", with("mid_rsa"), alone);
}

#[test]
fn revocation_lists_that_tell_half_are_refused() {
    assert!(matches!(
        Crl::from_der(&octets("mid_rsa_delta.crl.der")),
        Err(CertificateError::BadEncoding { document: "revocation list", .. })
    ));
    assert!(matches!(
        Crl::from_der(&octets("mid_rsa_critical.crl.der")),
        Err(CertificateError::UnsupportedCriticalExtension { .. })
    ));
    let list = crl("mid_rsa");
    assert_eq!((list.len(), list.is_empty()), (2, false));
    assert_eq!(list.issuer(), certificate("mid_rsa").subject());
    assert_eq!((list.this_update(), list.next_update()), (1_735_689_600, 4_102_444_799));
    assert!(crl("root_ec").is_empty());
}

fn identified(end_entity: &str, identity: ExpectedIdentity) -> Result<(), CertificateError> {
    let surroundings = Surroundings::new("root_rsa,root_ec", "mid_rsa,mid_ec", "-");
    let check = CertificateCheck { identity: Some(&identity), ..surroundings.check() };
    judge(&default_provider(), &certificate(end_entity), &check).map(drop)
}

#[test]
fn identities_are_those_of_the_certificate() {
    use ExpectedIdentity as Expected;
    let gateway = certificate("gw_rsa");
    let subject = DistinguishedName::from_der(gateway.subject().as_der()).unwrap();
    let key_id = gateway.key_id(&default_provider()).unwrap();
    for good in [
        Expected::Name(subject),
        Expected::NamePattern("C=CH, O=Example, CN=*".parse().unwrap()),
        Expected::NamePattern("C=ch, O=EXAMPLE, CN=gw-rsa".parse().unwrap()),
        Expected::Fqdn("GW.example.org".into()),
        Expected::FqdnUnder("example.org".into()),
        Expected::UserFqdn("user@example.org".into()),
        Expected::UserAt("example.org".into()),
        Expected::Address("192.0.2.1".parse().unwrap()),
        Expected::Address("2001:db8::1".parse().unwrap()),
        Expected::KeyId(gateway.subject_key_id().unwrap().to_vec()),
        Expected::KeyId(key_id),
    ] {
        identified("gw_rsa", good).unwrap();
    }
    for wrong in [
        Expected::Name(certificate("gw_ec").subject().clone()),
        Expected::NamePattern("C=CH, O=*".parse().unwrap()),
        Expected::NamePattern("C=CH, O=Example, OU=*, CN=*".parse().unwrap()),
        Expected::Fqdn("example.org".into()),
        // Not the common name either (RFC 4945 §5.1.2.2).
        Expected::Fqdn("gw-rsa".into()),
        // What a peer says of itself is no pattern.
        Expected::Fqdn("*.example.org".into()),
        Expected::Fqdn(String::new()),
        Expected::FqdnUnder("gw.example.org".into()),
        Expected::FqdnUnder(String::new()),
        Expected::UserFqdn("gw.example.org".into()),
        Expected::UserFqdn("*@example.org".into()),
        Expected::UserAt("ample.org".into()),
        Expected::Address("192.0.2.2".parse().unwrap()),
        Expected::Address("::ffff:192.0.2.1".parse().unwrap()),
        Expected::KeyId(Vec::new()),
        Expected::KeyId(vec![0; 20]),
    ] {
        let error = identified("gw_rsa", wrong.clone()).unwrap_err();
        assert!(matches!(error, CertificateError::IdentityMismatch { .. }), "{wrong}: {error}");
    }
}

#[test]
fn a_mismatch_says_whose_the_certificate_is() {
    let error = identified("gw_rsa", ExpectedIdentity::Fqdn("a\nb".into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the certificate is not for `a\\0ab`, but for C=CH, O=Example, CN=gw-rsa, gw.example.org, user@example.org, \
         192.0.2.1, 2001:db8::1; correct the identity or have the name added"
    );
}

#[test]
fn a_wildcard_in_a_certificate_stands_for_itself() {
    for name in ["gw.example.org", "*.example.org"] {
        identified("wildcard", ExpectedIdentity::Fqdn(name.into())).unwrap_err();
    }
    identified("wildcard", ExpectedIdentity::FqdnUnder("example.org".into())).unwrap_err();
    // A certificate without a subject has no name to be compared.
    identified("only_names", ExpectedIdentity::NamePattern("CN=*".parse().unwrap())).unwrap_err();
    let empty = DistinguishedName::from_der(&[0x30, 0]).unwrap();
    identified("only_names", ExpectedIdentity::Name(empty)).unwrap_err();
    identified("only_names", ExpectedIdentity::Fqdn("gw.example.org".into())).unwrap();
}

#[test]
fn fields_are_as_issued() {
    let gateway = certificate("gw_rsa");
    assert_eq!(gateway.as_der(), octets("gw_rsa.der"));
    assert_eq!(gateway.issuer().to_string(), "C=CH, O=Example, CN=Mid RSA");
    assert_eq!(gateway.issuer(), certificate("mid_rsa").subject());
    assert_eq!(gateway.validity(), (1_577_836_800, 4_102_444_799));
    assert_eq!(gateway.public_key().unwrap().spki(), gateway.spki());
    assert!(!gateway.is_authority() && !gateway.is_self_issued());
    assert!(certificate("root_rsa").is_authority() && certificate("root_rsa").is_self_issued());
    let names = [
        AlternativeName::Dns("gw.example.org".into()),
        AlternativeName::Email("user@example.org".into()),
        AlternativeName::Address("192.0.2.1".parse().unwrap()),
        AlternativeName::Address("2001:db8::1".parse().unwrap()),
    ];
    assert_eq!(gateway.alternative_names(), names);
    assert!(matches!(certificate("edwards").public_key(), Err(CertificateError::UnsupportedKey { .. })));
    assert_eq!(certificate("many").alternative_names().len(), 128);
    assert_eq!(
        Certificate::from_der(&octets("too_many.der")),
        Err(CertificateError::TooMuch { what: "names in subjectAltName", got: 129, limit: 128 })
    );
}

#[test]
fn files_hold_one_document_or_a_bundle() {
    let bundle = text("bundle.pem");
    let found = Certificate::from_file(bundle.as_bytes()).unwrap();
    assert_eq!(found, [certificate("gw_rsa"), certificate("mid_rsa")]);
    let lists = Crl::from_file(bundle.as_bytes()).unwrap();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].as_der(), crl("mid_rsa").as_der());
    assert_eq!(Certificate::from_file(&octets("gw_rsa.der")).unwrap(), [certificate("gw_rsa")]);
    assert_eq!(Crl::from_file(&octets("mid_rsa.crl.der")).unwrap().len(), 1);
    let only = bundle.split_once("-----BEGIN X509 CRL").unwrap().0;
    assert_eq!(
        Crl::from_file(only.as_bytes()).unwrap_err(),
        CertificateError::NothingFound { label: "X509 CRL" }
    );
    let damaged = bundle.replacen("MII", "M*I", 1);
    assert!(matches!(
        Certificate::from_file(damaged.as_bytes()),
        Err(CertificateError::BadPem { section: 1, .. })
    ));
}

#[test]
fn a_mesh_of_authorities_ends_the_search() {
    let mut intermediates = Intermediates::default();
    // Each level twice: by the right issuer, and by the one below it.
    for name in ["loop_a_by_b", "loop_b_by_a", "mid_rsa", "namesake"] {
        intermediates.add(certificate(name)).unwrap();
        intermediates.add(certificate(name)).unwrap();
    }
    assert_eq!(intermediates.as_slice().len(), 4);
    let names = [
        "gw_rsa", "gw_ec", "gw_ec384", "gw_ec521", "gw_big", "expired", "not_yet", "revoked", "pointed",
        "bare",
    ];
    let more =
        ["names", "names_sub", "not_names", "other_names", "short", "too_deep", "sha1", "pss", "weak", "md5"];
    let rest = ["critical", "policies", "explicit", "many", "wildcard", "encipher", "nonrep", "pinned"];
    for name in names.into_iter().chain(more).chain(rest) {
        intermediates.add(certificate(name)).unwrap();
    }
    let full = intermediates.add(certificate("root_ec"));
    assert_eq!(
        full,
        Err(CertificateError::TooMuch {
            what: "certificates beside the end entity's",
            got: MAX_INTERMEDIATES + 1,
            limit: MAX_INTERMEDIATES,
        })
    );
    let surroundings = Surroundings { intermediates, ..Surroundings::new("root_rsa", "-", "-") };
    surroundings.judge(&default_provider(), &certificate("gw_rsa")).unwrap();
    let error = surroundings.judge(&default_provider(), &certificate("looped")).unwrap_err();
    assert!(matches!(error, CertificateError::UnknownIssuer { .. }), "{error}");
}
