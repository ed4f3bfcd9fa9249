//! Suites and the numbers that IKEv1 has for their parts.

mod child;

pub use ipsec_crypto::{EspSuite, IkeSuite};
use ipsec_proto::registry::{EncryptionAlgorithm, GroupDescription, HashAlgorithm};

pub use self::child::{ChildSuite, Protocols};
pub(crate) use self::child::{Part, protocol_id};

/// The numbers of a phase 1 suite (RFC 2409 appendix A).
pub(crate) trait Phase1Numbers {
    fn encryption_number(&self) -> Option<EncryptionAlgorithm>;
    fn key_length_attribute(&self) -> Option<u16>;
    fn hash_number(&self) -> Option<HashAlgorithm>;
    fn group_number(&self) -> GroupDescription;
}

impl Phase1Numbers for IkeSuite {
    fn encryption_number(&self) -> Option<EncryptionAlgorithm> {
        self.cipher.encryption.row().ikev1_phase1.map(EncryptionAlgorithm)
    }

    fn key_length_attribute(&self) -> Option<u16> {
        self.cipher.key_length_attribute()
    }

    fn hash_number(&self) -> Option<HashAlgorithm> {
        self.prf.row().ikev1_phase1.map(HashAlgorithm)
    }

    fn group_number(&self) -> GroupDescription {
        GroupDescription(self.group.number())
    }
}
