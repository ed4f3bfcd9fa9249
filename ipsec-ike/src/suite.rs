//! Suites and the numbers that IKEv1 has for their parts.

pub use ipsec_crypto::{EspSuite, IkeSuite};
use ipsec_proto::registry::{
    AuthenticationAlgorithm, EncryptionAlgorithm, EspTransform, GroupDescription, HashAlgorithm,
};

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

/// The numbers of a phase 2 suite for ESP (RFC 2407 §4.4.4, §4.5).
pub(crate) trait Phase2Numbers {
    fn transform_number(&self) -> Option<EspTransform>;
    fn key_length_attribute(&self) -> Option<u16>;
    fn integrity_number(&self) -> Option<AuthenticationAlgorithm>;
    fn pfs_number(&self) -> Option<GroupDescription>;
}

impl Phase2Numbers for EspSuite {
    fn transform_number(&self) -> Option<EspTransform> {
        self.cipher.encryption.row().ikev1_esp.map(EspTransform)
    }

    fn key_length_attribute(&self) -> Option<u16> {
        self.cipher.key_length_attribute()
    }

    fn integrity_number(&self) -> Option<AuthenticationAlgorithm> {
        self.integrity.and_then(|integrity| integrity.row().ikev1_auth).map(AuthenticationAlgorithm)
    }

    fn pfs_number(&self) -> Option<GroupDescription> {
        self.group.map(|group| GroupDescription(group.number()))
    }
}
