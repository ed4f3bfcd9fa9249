//! The rows of the elliptic curves.

use super::{Group, GroupRow};
use crate::suite::{Names, Status, Support};

pub(super) const ECP256: GroupRow = GroupRow {
    id: Group::Ecp256,
    name: "ecp256",
    names: Names {
        ours: &["ecp256", "dh19", "secp256r1", "P-256"],
        iana: &["256-bit random ECP group"],
        strongswan: &["ecp256", "ECP_256"],
        libreswan: &["DH19"],
        cisco_transform: &["group19"],
        cisco_policy: &["group 19", "group19"],
        ..Names::NONE
    },
    ikev1: Some(19),
    ikev2: Some(19),
    public: 64,
    shared: 32,
    status: Status::Modern,
    status_source: "RFC 8247 section 2.4",
    support: Support::Native,
    legacy: false,
};

pub(super) const ECP384: GroupRow = GroupRow {
    id: Group::Ecp384,
    name: "ecp384",
    names: Names {
        ours: &["ecp384", "dh20", "secp384r1", "P-384"],
        iana: &["384-bit random ECP group"],
        strongswan: &["ecp384", "ECP_384"],
        libreswan: &["DH20"],
        cisco_transform: &["group20"],
        cisco_policy: &["group 20", "group20"],
        ..Names::NONE
    },
    ikev1: Some(20),
    ikev2: Some(20),
    public: 96,
    shared: 48,
    status: Status::Modern,
    status_source: "RFC 5903",
    support: Support::Native,
    legacy: false,
};

pub(super) const ECP521: GroupRow = GroupRow {
    id: Group::Ecp521,
    name: "ecp521",
    names: Names {
        ours: &["ecp521", "dh21", "secp521r1", "P-521"],
        iana: &["521-bit random ECP group"],
        strongswan: &["ecp521", "ECP_521"],
        libreswan: &["DH21"],
        cisco_transform: &["group21"],
        cisco_policy: &["group 21", "group21"],
        ..Names::NONE
    },
    ikev1: Some(21),
    ikev2: Some(21),
    public: 132,
    shared: 66,
    status: Status::Modern,
    status_source: "RFC 5903",
    support: Support::Native,
    legacy: false,
};

pub(super) const ECP192: GroupRow = GroupRow {
    id: Group::Ecp192,
    name: "ecp192",
    names: Names {
        ours: &["ecp192", "dh25", "secp192r1"],
        iana: &["192-bit Random ECP Group"],
        strongswan: &["ecp192", "ECP_192"],
        ..Names::NONE
    },
    ikev1: Some(25),
    ikev2: Some(25),
    public: 48,
    shared: 24,
    status: Status::Legacy,
    status_source: "RFC 5114",
    support: Support::NamedOnly("too small; not implemented"),
    legacy: false,
};

pub(super) const ECP224: GroupRow = GroupRow {
    id: Group::Ecp224,
    name: "ecp224",
    names: Names {
        ours: &["ecp224", "dh26", "secp224r1"],
        iana: &["224-bit Random ECP Group"],
        strongswan: &["ecp224", "ECP_224"],
        ..Names::NONE
    },
    ikev1: Some(26),
    ikev2: Some(26),
    public: 56,
    shared: 28,
    status: Status::Legacy,
    status_source: "RFC 5114",
    support: Support::NamedOnly("too small; not implemented"),
    legacy: false,
};

pub(super) const BRAINPOOL224: GroupRow = GroupRow {
    id: Group::Brainpool224,
    name: "ecp224bp",
    names: Names {
        ours: &["ecp224bp", "dh27", "brainpoolP224r1"],
        iana: &["224-bit Brainpool ECP group"],
        strongswan: &["ecp224bp", "ECP_224_BP"],
        ..Names::NONE
    },
    ikev1: Some(27),
    ikev2: Some(27),
    public: 56,
    shared: 28,
    status: Status::Legacy,
    status_source: "RFC 6954",
    support: Support::NamedOnly("no well-kept implementation"),
    legacy: false,
};

pub(super) const BRAINPOOL256: GroupRow = GroupRow {
    id: Group::Brainpool256,
    name: "ecp256bp",
    names: Names {
        ours: &["ecp256bp", "dh28", "brainpoolP256r1"],
        iana: &["256-bit Brainpool ECP group"],
        strongswan: &["ecp256bp", "ECP_256_BP"],
        ..Names::NONE
    },
    ikev1: Some(28),
    ikev2: Some(28),
    public: 64,
    shared: 32,
    status: Status::Modern,
    status_source: "RFC 6954",
    support: Support::NamedOnly("no well-kept implementation"),
    legacy: false,
};

pub(super) const BRAINPOOL384: GroupRow = GroupRow {
    id: Group::Brainpool384,
    name: "ecp384bp",
    names: Names {
        ours: &["ecp384bp", "dh29", "brainpoolP384r1"],
        iana: &["384-bit Brainpool ECP group"],
        strongswan: &["ecp384bp", "ECP_384_BP"],
        ..Names::NONE
    },
    ikev1: Some(29),
    ikev2: Some(29),
    public: 96,
    shared: 48,
    status: Status::Modern,
    status_source: "RFC 6954",
    support: Support::NamedOnly("no well-kept implementation"),
    legacy: false,
};

pub(super) const BRAINPOOL512: GroupRow = GroupRow {
    id: Group::Brainpool512,
    name: "ecp512bp",
    names: Names {
        ours: &["ecp512bp", "dh30", "brainpoolP512r1"],
        iana: &["512-bit Brainpool ECP group"],
        strongswan: &["ecp512bp", "ECP_512_BP"],
        ..Names::NONE
    },
    ikev1: Some(30),
    ikev2: Some(30),
    public: 128,
    shared: 64,
    status: Status::Modern,
    status_source: "RFC 6954",
    support: Support::NamedOnly("no well-kept implementation"),
    legacy: false,
};

pub(super) const X25519: GroupRow = GroupRow {
    id: Group::X25519,
    name: "x25519",
    names: Names {
        ours: &["x25519", "dh31"],
        iana: &["Curve25519"],
        strongswan: &["curve25519", "x25519", "CURVE_25519"],
        libreswan: &["DH31"],
        cisco_transform: &["group31"],
        cisco_policy: &["group 31", "group31"],
        ..Names::NONE
    },
    ikev1: Some(31),
    ikev2: Some(31),
    public: 32,
    shared: 32,
    status: Status::Modern,
    status_source: "RFC 8031",
    support: Support::Native,
    legacy: false,
};

pub(super) const X448: GroupRow = GroupRow {
    id: Group::X448,
    name: "x448",
    names: Names {
        ours: &["x448", "dh32"],
        iana: &["Curve448"],
        strongswan: &["curve448", "x448", "CURVE_448"],
        ..Names::NONE
    },
    ikev1: Some(32),
    ikev2: Some(32),
    public: 56,
    shared: 56,
    status: Status::Modern,
    status_source: "RFC 8031",
    support: Support::NamedOnly("no well-kept implementation"),
    legacy: false,
};

pub(super) const GOST256: GroupRow = GroupRow {
    id: Group::Gost256,
    name: "gost256",
    names: Names {
        ours: &["gost256", "dh33"],
        iana: &["GOST3410_2012_256"],
        strongswan: &["gost256", "GOST3410_256"],
        ..Names::NONE
    },
    ikev1: Some(33),
    ikev2: Some(33),
    public: 64,
    shared: 32,
    status: Status::Legacy,
    status_source: "RFC 9385",
    support: Support::NamedOnly("a national algorithm; not implemented"),
    legacy: false,
};

pub(super) const GOST512: GroupRow = GroupRow {
    id: Group::Gost512,
    name: "gost512",
    names: Names {
        ours: &["gost512", "dh34"],
        iana: &["GOST3410_2012_512"],
        strongswan: &["gost512", "GOST3410_512"],
        ..Names::NONE
    },
    ikev1: Some(34),
    ikev2: Some(34),
    public: 128,
    shared: 64,
    status: Status::Legacy,
    status_source: "RFC 9385",
    support: Support::NamedOnly("a national algorithm; not implemented"),
    legacy: false,
};
