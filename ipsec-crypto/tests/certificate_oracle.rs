//! The cases of `tests/data/pki` again, judged by rustls-webpki with our signatures: the two agree, or it is known why not.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use std::time::Duration;

use common::pki::{NOW, Surroundings, certificate, names, octets, text};
use ipsec_crypto::{CryptoProvider, PublicKey, SignatureScheme};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    OwnedCertRevocationList, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

/// Where webpki comes to another verdict, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("names", "refuses names under a directoryName or rfc822Name constraint"),
    ("not-names", "refuses names under a directoryName or rfc822Name constraint"),
    ("path-length-self-issued", "counts self-issued authorities"),
    ("depth-8", "takes six authorities at most"),
    ("policies", "refuses critical policies"),
    ("expired-anchor", "does not look at an anchor's validity"),
    ("encipher", "does not look at an end entity's usage"),
    ("authority-may-not-sign", "does not look at keyCertSign"),
    ("code", "leaves purposes to its caller"),
    ("authority-for-code", "leaves purposes to its caller"),
    ("rsa-1024", "leaves the length of keys to its signature algorithms"),
    ("rsa-1024-authority", "leaves the length of keys to its signature algorithms"),
    ("ed25519", "does not look at an end entity's key"),
    ("list-by-non-signer", "a list without cRLSign ends the search"),
    ("forged-list", "a list with a wrong signature ends the search"),
    ("old-list", "a list that is out of date ends the search"),
    (
        "point-does-not-fit",
        "is told by a list of its own distribution point alone that a certificate is revoked",
    ),
    ("newer-list", "takes the first list that covers the certificate"),
];

/// A scheme of ours with the key algorithm it goes with.
#[derive(Debug)]
struct Ours {
    scheme: SignatureScheme,
    key: AlgorithmIdentifier,
}

/// DER with a one-octet tag.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = match value.len() {
        len @ 0..0x80 => vec![len as u8],
        len @ 0x80..0x100 => vec![0x81, len as u8],
        len => vec![0x82, (len >> 8) as u8, len as u8],
    };
    [&[tag], &len[..], value].concat()
}

impl SignatureVerificationAlgorithm for Ours {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let algorithm = tlv(0x30, self.key.as_ref());
        let spki = tlv(0x30, &[algorithm, tlv(3, &[&[0], key].concat())].concat());
        let key = PublicKey::from_spki(&spki).map_err(|_| InvalidSignature)?;
        let provider = CryptoProvider::default();
        provider.verify(self.scheme, &key, message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // Without the tag and length of the SEQUENCE.
        AlgorithmIdentifier::from_slice(&self.scheme.row().algorithm_identifier.unwrap()[2..])
    }
}

fn algorithms() -> Vec<Ours> {
    use SignatureScheme as Scheme;
    let mut all = Vec::new();
    for scheme in [Scheme::RsaSha256, Scheme::RsaSha384, Scheme::RsaSha512] {
        all.push(Ours { scheme, key: alg_id::RSA_ENCRYPTION });
    }
    for scheme in [Scheme::EcdsaSha256, Scheme::EcdsaSha384, Scheme::EcdsaSha512] {
        for key in [alg_id::ECDSA_P256, alg_id::ECDSA_P384, alg_id::ECDSA_P521] {
            all.push(Ours { scheme, key });
        }
    }
    all
}

struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        purposes.try_for_each(|purpose| purpose.map(drop))
    }
}

fn webpki(end_entity: &str, anchors: &str, intermediates: &str, crls: &str) -> Result<(), Error> {
    let read = |list: &str| {
        names(list).map(|name| octets(&format!("{name}.der")).into()).collect::<Vec<CertificateDer<'_>>>()
    };
    let (anchors, intermediates) = (read(anchors), read(intermediates));
    let anchors: Vec<_> = anchors.iter().map(|anchor| anchor_from_trusted_cert(anchor).unwrap()).collect();
    let end_entity = CertificateDer::from(octets(&format!("{end_entity}.der")));
    let lists: Vec<CertRevocationList<'_>> = names(crls)
        .map(|name| OwnedCertRevocationList::from_der(&octets(&format!("{name}.crl.der"))).map(Into::into))
        .collect::<Result<_, _>>()?;
    let lists: Vec<_> = lists.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options
            .with_status_policy(UnknownStatusPolicy::Allow)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build()
    });
    let ours = algorithms();
    let algorithms: Vec<_> = ours.iter().map(|one| one as &dyn SignatureVerificationAlgorithm).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    EndEntityCert::try_from(&end_entity)?
        .verify_for_usage(&algorithms, &anchors, &intermediates, time, AnyPurpose, revocation, None)
        .map(drop)
}

#[test]
fn webpki_agrees_but_where_it_is_known_not_to() {
    let mut differ = Vec::new();
    for line in text("cases.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        let [case, end_entity, anchors, intermediates, crls, ..] = words[..] else { panic!("{line}") };
        let ours = Surroundings::new(anchors, intermediates, crls)
            .judge(&CryptoProvider::default(), &certificate(end_entity));
        let theirs = webpki(end_entity, anchors, intermediates, crls);
        if ours.is_ok() != theirs.is_ok() {
            println!("{case}: {ours:?}, webpki says {theirs:?}");
            differ.push(case.to_owned());
        }
    }
    let mut known: Vec<_> = DIFFERENCES.iter().map(|(case, _)| (*case).to_owned()).collect();
    known.sort();
    differ.sort();
    assert_eq!(differ, known);
}
