//! Hash functions inside signatures.

use super::names::named;
use super::{Names, Status, Support};

/// A hash function of a signature: IKEv2's registry of them (RFC 7427 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// None: the signature algorithm takes the message itself (RFC 8420).
    Identity,
    /// GOST R 34.11-2012 of 256 bits (RFC 9385).
    Streebog256,
    /// GOST R 34.11-2012 of 512 bits (RFC 9385).
    Streebog512,
}

/// What there is to know about a hash function.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HashRow {
    /// The function.
    pub id: Hash,
    /// Our name for it.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
    /// The number in notify SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4).
    pub ikev2: u16,
    /// Octets of output; 0 for none.
    pub output: usize,
    /// What PKCS#1 v1.5 puts in front of the hash: the start of a DER DigestInfo (RFC 8017 §9.2 note 1). Empty where there
    /// is none.
    pub digest_info: &'static [u8],
    /// How far it may be trusted.
    pub status: Status,
    /// Where the status is said.
    pub status_source: &'static str,
    /// Whether it is implemented.
    pub support: Support,
}

static ROWS: [HashRow; 7] = [
    HashRow {
        id: Hash::Sha1,
        name: "sha1",
        names: Names { ours: &["sha1"], iana: &["SHA-1"], ..Names::NONE },
        ikev2: 1,
        output: 20,
        digest_info: b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
        status: Status::Broken,
        status_source: "RFC 8247 section 3.2",
        support: Support::Native,
    },
    HashRow {
        id: Hash::Sha256,
        name: "sha256",
        names: Names { ours: &["sha256"], iana: &["SHA2-256", "SHA-256"], ..Names::NONE },
        ikev2: 2,
        output: 32,
        digest_info: b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        status: Status::Modern,
        status_source: "RFC 8247 section 3.2",
        support: Support::Native,
    },
    HashRow {
        id: Hash::Sha384,
        name: "sha384",
        names: Names { ours: &["sha384"], iana: &["SHA2-384", "SHA-384"], ..Names::NONE },
        ikev2: 3,
        output: 48,
        digest_info: b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
        status: Status::Modern,
        status_source: "RFC 8247 section 3.2",
        support: Support::Native,
    },
    HashRow {
        id: Hash::Sha512,
        name: "sha512",
        names: Names { ours: &["sha512"], iana: &["SHA2-512", "SHA-512"], ..Names::NONE },
        ikev2: 4,
        output: 64,
        digest_info: b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
        status: Status::Modern,
        status_source: "RFC 8247 section 3.2",
        support: Support::Native,
    },
    HashRow {
        id: Hash::Identity,
        name: "identity",
        names: Names { ours: &["identity"], ..Names::NONE },
        ikev2: 5,
        output: 0,
        digest_info: b"",
        status: Status::Modern,
        status_source: "RFC 8420",
        support: Support::NamedOnly("for Ed25519 and Ed448 only"),
    },
    HashRow {
        id: Hash::Streebog256,
        name: "streebog256",
        names: Names { ours: &["streebog256"], iana: &["STREEBOG_256"], ..Names::NONE },
        ikev2: 6,
        output: 32,
        digest_info: b"",
        status: Status::Legacy,
        status_source: "RFC 9385",
        support: Support::NamedOnly("national algorithm"),
    },
    HashRow {
        id: Hash::Streebog512,
        name: "streebog512",
        names: Names { ours: &["streebog512"], iana: &["STREEBOG_512"], ..Names::NONE },
        ikev2: 7,
        output: 64,
        digest_info: b"",
        status: Status::Legacy,
        status_source: "RFC 9385",
        support: Support::NamedOnly("national algorithm"),
    },
];

named!(Hash, HashRow, "hash of signatures", "accepted are names such as `sha256`, `SHA2-256`");

impl Hash {
    /// Finds the function of a number of notify SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4).
    pub fn from_ikev2(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2 == value).map(|row| row.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_and_prefixes_announce_their_lengths() {
        for row in Hash::rows() {
            assert_eq!(Hash::from_ikev2(row.ikev2), Some(row.id));
            if let [0x30, outer, .., 0x04, inner] = row.digest_info {
                assert_eq!(usize::from(*inner), row.output);
                assert_eq!(usize::from(*outer), row.digest_info.len() - 2 + row.output);
            } else {
                assert_ne!(row.support, Support::Native);
            }
        }
    }
}
