//! The rows of signatures that IPsec's registries know and few use: Edwards curves and DSS.

use super::{KeyAlgorithm, SignatureEncoding, SignatureInput, SignatureRow, SignatureScheme};
use crate::suite::{Hash, Names, Status, Support};

pub(super) const ED25519: SignatureRow = SignatureRow {
    id: SignatureScheme::Ed25519,
    name: "ed25519",
    names: Names { ours: &["ed25519"], iana: &["id-Ed25519"], ..Names::NONE },
    keys: &[KeyAlgorithm::Ed25519],
    hash: Some(Hash::Identity),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Fixed,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.3.101.112"),
    algorithm_identifier: Some(b"\x30\x05\x06\x03\x2b\x65\x70"),
    status: Status::Modern,
    status_source: "RFC 8420",
    support: Support::NamedOnly("of IKEv2 alone; not implemented"),
    legacy: false,
};

pub(super) const ED448: SignatureRow = SignatureRow {
    id: SignatureScheme::Ed448,
    name: "ed448",
    names: Names { ours: &["ed448"], iana: &["id-Ed448"], ..Names::NONE },
    keys: &[KeyAlgorithm::Ed448],
    hash: Some(Hash::Identity),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Fixed,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.3.101.113"),
    algorithm_identifier: Some(b"\x30\x05\x06\x03\x2b\x65\x71"),
    status: Status::Modern,
    status_source: "RFC 8420",
    support: Support::NamedOnly("of IKEv2 alone; not implemented"),
    legacy: false,
};

pub(super) const DSS: SignatureRow = SignatureRow {
    id: SignatureScheme::Dss,
    name: "dss",
    names: Names {
        ours: &["dss"],
        iana: &["dsa-sha1", "dsa-with-sha1", "DSS-SIG", "DSS Digital Signature"],
        ..Names::NONE
    },
    keys: &[KeyAlgorithm::Dsa],
    hash: Some(Hash::Sha1),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Fixed,
    ikev1_auth: Some(2),
    ikev2_auth: Some(3),
    oid: Some("1.2.840.10040.4.3"),
    algorithm_identifier: Some(b"\x30\x09\x06\x07\x2a\x86\x48\xce\x38\x04\x03"),
    status: Status::Broken,
    status_source: "RFC 8247 section 3.2",
    support: Support::NamedOnly("SHOULD NOT be used; no user"),
    legacy: true,
};

pub(super) const DSA_SHA256: SignatureRow = SignatureRow {
    id: SignatureScheme::DsaSha256,
    name: "dsa-sha256",
    names: Names { ours: &["dsa-sha256"], iana: &["dsa-with-sha256"], ..Names::NONE },
    keys: &[KeyAlgorithm::Dsa],
    hash: Some(Hash::Sha256),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Der,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("2.16.840.1.101.3.4.3.2"),
    algorithm_identifier: Some(b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02"),
    status: Status::Legacy,
    status_source: "RFC 7427 appendix A.2",
    support: Support::NamedOnly("no user"),
    legacy: true,
};
