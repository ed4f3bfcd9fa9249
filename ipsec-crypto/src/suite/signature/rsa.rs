//! The rows of RSA: PKCS#1 v1.5 and PSS.

use super::{KeyAlgorithm, SignatureEncoding, SignatureInput, SignatureRow, SignatureScheme};
use crate::suite::{Hash, Names, Status, Support};

pub(super) const RSA_RAW: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaRaw,
    name: "rsa-raw",
    names: Names {
        ours: &["rsa-raw"],
        iana: &["RSA-SIG signatures"],
        cisco_policy: &["authentication rsa-sig", "rsa-sig"],
        ..Names::NONE
    },
    keys: &[KeyAlgorithm::Rsa],
    hash: None,
    input: SignatureInput::Digest,
    encoding: SignatureEncoding::Pkcs1,
    ikev1_auth: Some(3),
    ikev2_auth: None,
    oid: None,
    algorithm_identifier: None,
    status: Status::Legacy,
    status_source: "RFC 9395",
    support: Support::Native,
    legacy: false,
};

pub(super) const RSA_SHA1: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaSha1,
    name: "rsa-sha1",
    names: Names {
        ours: &["rsa-sha1"],
        iana: &["sha1WithRSAEncryption", "RSA Digital Signature"],
        ..Names::NONE
    },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha1),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pkcs1,
    ikev1_auth: None,
    ikev2_auth: Some(1),
    oid: Some("1.2.840.113549.1.1.5"),
    algorithm_identifier: Some(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"),
    status: Status::Legacy,
    status_source: "RFC 8247 section 3.1",
    support: Support::Native,
    legacy: false,
};

pub(super) const RSA_SHA256: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaSha256,
    name: "rsa-sha256",
    names: Names { ours: &["rsa-sha256"], iana: &["sha256WithRSAEncryption"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha256),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pkcs1,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.11"),
    algorithm_identifier: Some(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"),
    status: Status::Modern,
    status_source: "RFC 8247 section 3.2",
    support: Support::Native,
    legacy: false,
};

pub(super) const RSA_SHA384: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaSha384,
    name: "rsa-sha384",
    names: Names { ours: &["rsa-sha384"], iana: &["sha384WithRSAEncryption"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha384),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pkcs1,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.12"),
    algorithm_identifier: Some(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"),
    status: Status::Modern,
    status_source: "RFC 7427 appendix A.1",
    support: Support::Native,
    legacy: false,
};

pub(super) const RSA_SHA512: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaSha512,
    name: "rsa-sha512",
    names: Names { ours: &["rsa-sha512"], iana: &["sha512WithRSAEncryption"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha512),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pkcs1,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.13"),
    algorithm_identifier: Some(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"),
    status: Status::Modern,
    status_source: "RFC 8247 section 3.2",
    support: Support::Native,
    legacy: false,
};

pub(super) const RSA_PSS_SHA1: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaPssSha1,
    name: "rsa-pss-sha1",
    names: Names { ours: &["rsa-pss-sha1"], iana: &["RSASSA-PSS with Default Parameters"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha1),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pss,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.10"),
    algorithm_identifier: Some(b"\x30\x3e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x31\xa0\x0b\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\xa1\x18\x30\x16\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\xa2\x03\x02\x01\x14\xa3\x03\x02\x01\x01"),
    status: Status::Broken,
    status_source: "RFC 8247 section 3.2",
    support: Support::NamedOnly("MUST NOT be used"),
    legacy: true,
};

pub(super) const RSA_PSS_SHA256: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaPssSha256,
    name: "rsa-pss-sha256",
    names: Names { ours: &["rsa-pss-sha256"], iana: &["RSASSA-PSS with SHA-256"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha256),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pss,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.10"),
    algorithm_identifier: Some(b"\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa2\x03\x02\x01\x20\xa3\x03\x02\x01\x01"),
    status: Status::Modern,
    status_source: "RFC 8247 section 3.2",
    support: Support::NamedOnly("of IKEv2 alone; not implemented"),
    legacy: false,
};

pub(super) const RSA_PSS_SHA384: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaPssSha384,
    name: "rsa-pss-sha384",
    names: Names { ours: &["rsa-pss-sha384"], iana: &["RSASSA-PSS with SHA-384"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha384),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pss,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.10"),
    algorithm_identifier: Some(b"\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa2\x03\x02\x01\x30\xa3\x03\x02\x01\x01"),
    status: Status::Modern,
    status_source: "RFC 8247 section 3.2",
    support: Support::NamedOnly("of IKEv2 alone; not implemented"),
    legacy: false,
};

pub(super) const RSA_PSS_SHA512: SignatureRow = SignatureRow {
    id: SignatureScheme::RsaPssSha512,
    name: "rsa-pss-sha512",
    names: Names { ours: &["rsa-pss-sha512"], iana: &["RSASSA-PSS with SHA-512"], ..Names::NONE },
    keys: &[KeyAlgorithm::Rsa],
    hash: Some(Hash::Sha512),
    input: SignatureInput::Message,
    encoding: SignatureEncoding::Pss,
    ikev1_auth: None,
    ikev2_auth: None,
    oid: Some("1.2.840.113549.1.1.10"),
    algorithm_identifier: Some(b"\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\xa2\x03\x02\x01\x40\xa3\x03\x02\x01\x01"),
    status: Status::Modern,
    status_source: "RFC 8247 section 3.2",
    support: Support::NamedOnly("of IKEv2 alone; not implemented"),
    legacy: false,
};
