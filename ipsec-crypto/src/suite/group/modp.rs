//! The rows of the groups modulo a prime.

use super::{Group, GroupRow};
use crate::suite::{Names, Status, Support};

pub(super) const MODP768: GroupRow = GroupRow {
    id: Group::Modp768,
    name: "modp768",
    names: Names {
        ours: &["modp768", "dh1", "modp-768", "768-bit MODP group"],
        iana: &["default 768-bit MODP group"],
        strongswan: &["modp768", "MODP_768"],
        cisco_transform: &["group1"],
        cisco_policy: &["group 1", "group1"],
        ..Names::NONE
    },
    ikev1: Some(1),
    ikev2: Some(1),
    public: 96,
    shared: 96,
    status: Status::Broken,
    status_source: "RFC 8247 section 2.4",
    support: Support::Native,
    legacy: true,
};

pub(super) const MODP1024: GroupRow = GroupRow {
    id: Group::Modp1024,
    name: "modp1024",
    names: Names {
        ours: &["modp1024", "dh2", "modp-1024", "1024-bit MODP group"],
        iana: &["alternate 1024-bit MODP group"],
        strongswan: &["modp1024", "MODP_1024"],
        libreswan: &["MODP1024", "dh2"],
        cisco_transform: &["group2"],
        cisco_policy: &["group 2", "group2"],
        ..Names::NONE
    },
    ikev1: Some(2),
    ikev2: Some(2),
    public: 128,
    shared: 128,
    status: Status::Legacy,
    status_source: "RFC 8247 section 2.4",
    support: Support::Native,
    legacy: true,
};

pub(super) const MODP1536: GroupRow = GroupRow {
    id: Group::Modp1536,
    name: "modp1536",
    names: Names {
        ours: &["modp1536", "dh5", "modp-1536"],
        iana: &["1536-bit MODP group"],
        strongswan: &["modp1536", "MODP_1536"],
        libreswan: &["MODP1536", "dh5"],
        cisco_transform: &["group5"],
        cisco_policy: &["group 5", "group5"],
        ..Names::NONE
    },
    ikev1: Some(5),
    ikev2: Some(5),
    public: 192,
    shared: 192,
    status: Status::Legacy,
    status_source: "RFC 8247 section 2.4",
    support: Support::Native,
    legacy: true,
};

pub(super) const MODP2048: GroupRow = GroupRow {
    id: Group::Modp2048,
    name: "modp2048",
    names: Names {
        ours: &["modp2048", "dh14", "modp-2048"],
        iana: &["2048-bit MODP group"],
        strongswan: &["modp2048", "MODP_2048"],
        libreswan: &["MODP2048", "dh14"],
        cisco_transform: &["group14"],
        cisco_policy: &["group 14", "group14"],
        ..Names::NONE
    },
    ikev1: Some(14),
    ikev2: Some(14),
    public: 256,
    shared: 256,
    status: Status::Modern,
    status_source: "RFC 8247 section 2.4",
    support: Support::Native,
    legacy: false,
};

pub(super) const MODP3072: GroupRow = GroupRow {
    id: Group::Modp3072,
    name: "modp3072",
    names: Names {
        ours: &["modp3072", "dh15", "modp-3072"],
        iana: &["3072-bit MODP group"],
        strongswan: &["modp3072", "MODP_3072"],
        libreswan: &["MODP3072", "dh15"],
        cisco_transform: &["group15"],
        cisco_policy: &["group 15", "group15"],
        ..Names::NONE
    },
    ikev1: Some(15),
    ikev2: Some(15),
    public: 384,
    shared: 384,
    status: Status::Modern,
    status_source: "RFC 3526",
    support: Support::Native,
    legacy: false,
};

pub(super) const MODP4096: GroupRow = GroupRow {
    id: Group::Modp4096,
    name: "modp4096",
    names: Names {
        ours: &["modp4096", "dh16", "modp-4096"],
        iana: &["4096-bit MODP group"],
        strongswan: &["modp4096", "MODP_4096"],
        libreswan: &["MODP4096", "dh16"],
        cisco_transform: &["group16"],
        cisco_policy: &["group 16", "group16"],
        ..Names::NONE
    },
    ikev1: Some(16),
    ikev2: Some(16),
    public: 512,
    shared: 512,
    status: Status::Modern,
    status_source: "RFC 3526",
    support: Support::Native,
    legacy: false,
};

pub(super) const MODP6144: GroupRow = GroupRow {
    id: Group::Modp6144,
    name: "modp6144",
    names: Names {
        ours: &["modp6144", "dh17", "modp-6144"],
        iana: &["6144-bit MODP group"],
        strongswan: &["modp6144", "MODP_6144"],
        libreswan: &["MODP6144", "dh17"],
        ..Names::NONE
    },
    ikev1: Some(17),
    ikev2: Some(17),
    public: 768,
    shared: 768,
    status: Status::Modern,
    status_source: "RFC 3526",
    support: Support::Native,
    legacy: false,
};

pub(super) const MODP8192: GroupRow = GroupRow {
    id: Group::Modp8192,
    name: "modp8192",
    names: Names {
        ours: &["modp8192", "dh18", "modp-8192"],
        iana: &["8192-bit MODP group"],
        strongswan: &["modp8192", "MODP_8192"],
        libreswan: &["MODP8192", "dh18"],
        ..Names::NONE
    },
    ikev1: Some(18),
    ikev2: Some(18),
    public: 1024,
    shared: 1024,
    status: Status::Modern,
    status_source: "RFC 3526",
    support: Support::Native,
    legacy: false,
};

pub(super) const MODP1024S160: GroupRow = GroupRow {
    id: Group::Modp1024s160,
    name: "modp1024s160",
    names: Names {
        ours: &["modp1024s160", "dh22"],
        iana: &["1024-bit MODP Group with 160-bit Prime Order Subgroup"],
        strongswan: &["modp1024s160", "MODP_1024_160"],
        libreswan: &["DH22"],
        ..Names::NONE
    },
    ikev1: Some(22),
    ikev2: Some(22),
    public: 128,
    shared: 128,
    status: Status::Broken,
    status_source: "RFC 8247 section 2.4",
    support: Support::NamedOnly("MUST NOT be used; small subgroup"),
    legacy: true,
};

pub(super) const MODP2048S224: GroupRow = GroupRow {
    id: Group::Modp2048s224,
    name: "modp2048s224",
    names: Names {
        ours: &["modp2048s224", "dh23"],
        iana: &["2048-bit MODP Group with 224-bit Prime Order Subgroup"],
        strongswan: &["modp2048s224", "MODP_2048_224"],
        libreswan: &["DH23"],
        ..Names::NONE
    },
    ikev1: Some(23),
    ikev2: Some(23),
    public: 256,
    shared: 256,
    status: Status::Legacy,
    status_source: "RFC 8247 section 2.4",
    support: Support::NamedOnly("SHOULD NOT be used; origin of the prime unknown"),
    legacy: true,
};

pub(super) const MODP2048S256: GroupRow = GroupRow {
    id: Group::Modp2048s256,
    name: "modp2048s256",
    names: Names {
        ours: &["modp2048s256", "dh24"],
        iana: &["2048-bit MODP Group with 256-bit Prime Order Subgroup"],
        strongswan: &["modp2048s256", "MODP_2048_256"],
        libreswan: &["DH24"],
        cisco_transform: &["group24"],
        cisco_policy: &["group 24", "group24"],
        ..Names::NONE
    },
    ikev1: Some(24),
    ikev2: Some(24),
    public: 256,
    shared: 256,
    status: Status::Legacy,
    status_source: "RFC 8247 section 2.4",
    support: Support::NamedOnly("SHOULD NOT be used; origin of the prime unknown"),
    legacy: true,
};
