//! The rows of the curves over GF[2^n]: nobody uses them, old equipment still names them.

use super::{Group, GroupRow};
use crate::suite::{Names, Status, Support};

/// What the groups over GF[2^n] that no RFC describes have in common; the public value is x alone, as RFC 2409 §6.3 has it
/// for those it describes.
const EC2N: GroupRow = GroupRow {
    id: Group::Ec2n163Random,
    name: "",
    names: Names::NONE,
    ikev1: None,
    ikev2: None,
    public: 0,
    shared: 0,
    status: Status::Broken,
    status_source: "never specified in an RFC",
    support: Support::NamedOnly("a binary curve; no well-kept implementation"),
    legacy: true,
};

pub(super) const EC2N155: GroupRow = GroupRow {
    id: Group::Ec2n155,
    name: "ec2n155",
    names: Names { ours: &["ec2n155", "dh3"], iana: &["EC2N group on GP[2^155]"], ..Names::NONE },
    ikev1: Some(3),
    ikev2: None,
    public: 20,
    shared: 20,
    status: Status::Broken,
    status_source: "RFC 2409 section 6.3",
    support: Support::NamedOnly("155-bit binary curve; no well-kept implementation"),
    legacy: true,
};

pub(super) const EC2N185: GroupRow = GroupRow {
    id: Group::Ec2n185,
    name: "ec2n185",
    names: Names { ours: &["ec2n185", "dh4"], iana: &["EC2N group on GP[2^185]"], ..Names::NONE },
    ikev1: Some(4),
    ikev2: None,
    public: 24,
    shared: 24,
    status: Status::Broken,
    status_source: "RFC 2409 section 6.4",
    support: Support::NamedOnly("185-bit binary curve; no well-kept implementation"),
    legacy: true,
};

pub(super) const EC2N163_RANDOM: GroupRow = GroupRow {
    id: Group::Ec2n163Random,
    name: "ec2n163r1",
    names: Names { ours: &["ec2n163r1", "dh6"], iana: &["EC2N group over GF[2^163]"], ..Names::NONE },
    ikev1: Some(6),
    public: 21,
    shared: 21,
    ..EC2N
};

pub(super) const EC2N163_KOBLITZ: GroupRow = GroupRow {
    id: Group::Ec2n163Koblitz,
    name: "ec2n163k1",
    names: Names {
        ours: &["ec2n163k1", "dh7"],
        cisco_transform: &["group7"],
        cisco_policy: &["group 7", "group7"],
        ..Names::NONE
    },
    ikev1: Some(7),
    public: 21,
    shared: 21,
    ..EC2N
};

pub(super) const EC2N283_RANDOM: GroupRow = GroupRow {
    id: Group::Ec2n283Random,
    name: "ec2n283r1",
    names: Names { ours: &["ec2n283r1", "dh8"], iana: &["EC2N group over GF[2^283]"], ..Names::NONE },
    ikev1: Some(8),
    public: 36,
    shared: 36,
    ..EC2N
};

pub(super) const EC2N283_KOBLITZ: GroupRow = GroupRow {
    id: Group::Ec2n283Koblitz,
    name: "ec2n283k1",
    names: Names { ours: &["ec2n283k1", "dh9"], ..Names::NONE },
    ikev1: Some(9),
    public: 36,
    shared: 36,
    ..EC2N
};

pub(super) const EC2N409_RANDOM: GroupRow = GroupRow {
    id: Group::Ec2n409Random,
    name: "ec2n409r1",
    names: Names { ours: &["ec2n409r1", "dh10"], iana: &["EC2N group over GF[2^409]"], ..Names::NONE },
    ikev1: Some(10),
    public: 52,
    shared: 52,
    ..EC2N
};

pub(super) const EC2N409_KOBLITZ: GroupRow = GroupRow {
    id: Group::Ec2n409Koblitz,
    name: "ec2n409k1",
    names: Names { ours: &["ec2n409k1", "dh11"], ..Names::NONE },
    ikev1: Some(11),
    public: 52,
    shared: 52,
    ..EC2N
};

pub(super) const EC2N571_RANDOM: GroupRow = GroupRow {
    id: Group::Ec2n571Random,
    name: "ec2n571r1",
    names: Names { ours: &["ec2n571r1", "dh12"], iana: &["EC2N group over GF[2^571]"], ..Names::NONE },
    ikev1: Some(12),
    public: 72,
    shared: 72,
    ..EC2N
};

pub(super) const EC2N571_KOBLITZ: GroupRow = GroupRow {
    id: Group::Ec2n571Koblitz,
    name: "ec2n571k1",
    names: Names { ours: &["ec2n571k1", "dh13"], ..Names::NONE },
    ikev1: Some(13),
    public: 72,
    shared: 72,
    ..EC2N
};
