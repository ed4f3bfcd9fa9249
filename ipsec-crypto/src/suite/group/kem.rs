//! The rows of the key encapsulations.

use super::{Group, GroupRow};
use crate::suite::{Names, Status, Support};

pub(super) const ML_KEM512: GroupRow = GroupRow {
    id: Group::MlKem512,
    name: "mlkem512",
    names: Names {
        ours: &["mlkem512", "ml-kem-512"],
        iana: &["ml-kem-512"],
        strongswan: &["mlkem512", "ML_KEM_512"],
        libreswan: &["ML_KEM_512"],
        ..Names::NONE
    },
    ikev1: None,
    ikev2: Some(35),
    public: 800,
    shared: 32,
    status: Status::Modern,
    status_source: "draft-ietf-ipsecme-ikev2-mlkem",
    support: Support::NamedOnly("an additional key exchange of IKEv2; not implemented"),
    legacy: false,
};

pub(super) const ML_KEM768: GroupRow = GroupRow {
    id: Group::MlKem768,
    name: "mlkem768",
    names: Names {
        ours: &["mlkem768", "ml-kem-768"],
        iana: &["ml-kem-768"],
        strongswan: &["mlkem768", "ML_KEM_768"],
        libreswan: &["ML_KEM_768"],
        ..Names::NONE
    },
    ikev1: None,
    ikev2: Some(36),
    public: 1184,
    shared: 32,
    status: Status::Modern,
    status_source: "draft-ietf-ipsecme-ikev2-mlkem",
    support: Support::NamedOnly("an additional key exchange of IKEv2; not implemented"),
    legacy: false,
};

pub(super) const ML_KEM1024: GroupRow = GroupRow {
    id: Group::MlKem1024,
    name: "mlkem1024",
    names: Names {
        ours: &["mlkem1024", "ml-kem-1024"],
        iana: &["ml-kem-1024"],
        strongswan: &["mlkem1024", "ML_KEM_1024"],
        libreswan: &["ML_KEM_1024"],
        ..Names::NONE
    },
    ikev1: None,
    ikev2: Some(37),
    public: 1568,
    shared: 32,
    status: Status::Modern,
    status_source: "draft-ietf-ipsecme-ikev2-mlkem",
    support: Support::NamedOnly("an additional key exchange of IKEv2; not implemented"),
    legacy: false,
};
