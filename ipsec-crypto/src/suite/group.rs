//! Key exchange groups; IKEv1 and IKEv2 number them alike.

use super::named::named;
use super::{Status, Support};

/// A key exchange group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Group 1: MODP of 768 bits (RFC 2409 section 6).
    Modp768,
    /// Group 2: MODP of 1024 bits (RFC 2409 section 6).
    Modp1024,
    /// Group 5: MODP of 1536 bits (RFC 3526).
    Modp1536,
    /// Group 14: MODP of 2048 bits (RFC 3526).
    Modp2048,
    /// Group 15: MODP of 3072 bits (RFC 3526).
    Modp3072,
    /// Group 16: MODP of 4096 bits (RFC 3526).
    Modp4096,
    /// Group 17: MODP of 6144 bits (RFC 3526).
    Modp6144,
    /// Group 18: MODP of 8192 bits (RFC 3526).
    Modp8192,
    /// Group 3: EC2N over GF[2^155] (RFC 2409 section 6.3).
    Ec2n155,
    /// Group 4: EC2N over GF[2^185] (RFC 2409 section 6.4).
    Ec2n185,
    /// Group 19: ECP of 256 bits (RFC 5903).
    Ecp256,
    /// Group 20: ECP of 384 bits (RFC 5903).
    Ecp384,
    /// Group 21: ECP of 521 bits (RFC 5903).
    Ecp521,
    /// Group 22: MODP of 1024 bits with a subgroup of 160 (RFC 5114).
    Modp1024s160,
    /// Group 23: MODP of 2048 bits with a subgroup of 224 (RFC 5114).
    Modp2048s224,
    /// Group 24: MODP of 2048 bits with a subgroup of 256 (RFC 5114).
    Modp2048s256,
    /// Group 25: ECP of 192 bits (RFC 5114).
    Ecp192,
    /// Group 26: ECP of 224 bits (RFC 5114).
    Ecp224,
    /// Group 27: Brainpool curve of 224 bits (RFC 6954).
    Brainpool224,
    /// Group 28: Brainpool curve of 256 bits (RFC 6954).
    Brainpool256,
    /// Group 29: Brainpool curve of 384 bits (RFC 6954).
    Brainpool384,
    /// Group 30: Brainpool curve of 512 bits (RFC 6954).
    Brainpool512,
    /// Group 31: X25519 (RFC 8031).
    X25519,
    /// Group 32: X448 (RFC 8031).
    X448,
}

/// What there is to know about a key exchange group.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GroupRow {
    /// The group.
    pub id: Group,
    /// Our name for it, which is strongSwan's.
    pub name: &'static str,
    /// Other names: Cisco's, Wireshark's, the curves' own.
    pub aliases: &'static [&'static str],
    /// The group's number: IKEv1's Group Description (RFC 2409 appendix A), IKEv2's transform ID of type 4.
    pub number: u16,
    /// Octets of a public value in the Key Exchange payload.
    pub public: usize,
    /// Octets of the shared secret.
    pub shared: usize,
    /// How far it may be trusted.
    pub status: Status,
    /// Where the status is said.
    pub status_source: &'static str,
    /// Whether it is implemented.
    pub support: Support,
    /// Whether the `legacy` feature and an explicit line of configuration are needed.
    pub legacy: bool,
}

static ROWS: [GroupRow; 24] = [
    GroupRow {
        id: Group::Modp768,
        name: "modp768",
        aliases: &["MODP_768", "modp-768", "group1", "dh1"],
        number: 1,
        public: 96,
        shared: 96,
        status: Status::Broken,
        status_source: "RFC 8247 section 2.4",
        support: Support::Native,
        legacy: true,
    },
    GroupRow {
        id: Group::Modp1024,
        name: "modp1024",
        aliases: &["MODP_1024", "modp-1024", "group2", "dh2"],
        number: 2,
        public: 128,
        shared: 128,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.4",
        support: Support::Native,
        legacy: true,
    },
    GroupRow {
        id: Group::Modp1536,
        name: "modp1536",
        aliases: &["MODP_1536", "modp-1536", "group5", "dh5"],
        number: 5,
        public: 192,
        shared: 192,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.4",
        support: Support::Native,
        legacy: true,
    },
    GroupRow {
        id: Group::Modp2048,
        name: "modp2048",
        aliases: &["MODP_2048", "modp-2048", "group14", "dh14", "2048-bit MODP group"],
        number: 14,
        public: 256,
        shared: 256,
        status: Status::Modern,
        status_source: "RFC 8247 section 2.4",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Modp3072,
        name: "modp3072",
        aliases: &["MODP_3072", "modp-3072", "group15", "dh15"],
        number: 15,
        public: 384,
        shared: 384,
        status: Status::Modern,
        status_source: "RFC 3526",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Modp4096,
        name: "modp4096",
        aliases: &["MODP_4096", "modp-4096", "group16", "dh16"],
        number: 16,
        public: 512,
        shared: 512,
        status: Status::Modern,
        status_source: "RFC 3526",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Modp6144,
        name: "modp6144",
        aliases: &["MODP_6144", "modp-6144", "group17", "dh17"],
        number: 17,
        public: 768,
        shared: 768,
        status: Status::Modern,
        status_source: "RFC 3526",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Modp8192,
        name: "modp8192",
        aliases: &["MODP_8192", "modp-8192", "group18", "dh18"],
        number: 18,
        public: 1024,
        shared: 1024,
        status: Status::Modern,
        status_source: "RFC 3526",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Ec2n155,
        name: "ec2n155",
        aliases: &["EC2N_155", "group3", "dh3"],
        number: 3,
        public: 20,
        shared: 20,
        status: Status::Broken,
        status_source: "RFC 2409 section 6.3",
        support: Support::NamedOnly("155-bit binary curve; no well-kept implementation"),
        legacy: true,
    },
    GroupRow {
        id: Group::Ec2n185,
        name: "ec2n185",
        aliases: &["EC2N_185", "group4", "dh4"],
        number: 4,
        public: 24,
        shared: 24,
        status: Status::Broken,
        status_source: "RFC 2409 section 6.4",
        support: Support::NamedOnly("185-bit binary curve; no well-kept implementation"),
        legacy: true,
    },
    GroupRow {
        id: Group::Ecp256,
        name: "ecp256",
        aliases: &["ECP_256", "secp256r1", "P-256", "group19", "dh19"],
        number: 19,
        public: 64,
        shared: 32,
        status: Status::Modern,
        status_source: "RFC 8247 section 2.4",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Ecp384,
        name: "ecp384",
        aliases: &["ECP_384", "secp384r1", "P-384", "group20", "dh20"],
        number: 20,
        public: 96,
        shared: 48,
        status: Status::Modern,
        status_source: "RFC 5903",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Ecp521,
        name: "ecp521",
        aliases: &["ECP_521", "secp521r1", "P-521", "group21", "dh21"],
        number: 21,
        public: 132,
        shared: 66,
        status: Status::Modern,
        status_source: "RFC 5903",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::Modp1024s160,
        name: "modp1024s160",
        aliases: &["MODP_1024_160", "group22", "dh22"],
        number: 22,
        public: 128,
        shared: 128,
        status: Status::Broken,
        status_source: "RFC 8247 section 2.4",
        support: Support::NamedOnly("MUST NOT be used; small subgroup"),
        legacy: true,
    },
    GroupRow {
        id: Group::Modp2048s224,
        name: "modp2048s224",
        aliases: &["MODP_2048_224", "group23", "dh23"],
        number: 23,
        public: 256,
        shared: 256,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.4",
        support: Support::NamedOnly("SHOULD NOT be used; origin of the prime unknown"),
        legacy: true,
    },
    GroupRow {
        id: Group::Modp2048s256,
        name: "modp2048s256",
        aliases: &["MODP_2048_256", "group24", "dh24"],
        number: 24,
        public: 256,
        shared: 256,
        status: Status::Legacy,
        status_source: "RFC 8247 section 2.4",
        support: Support::NamedOnly("SHOULD NOT be used; origin of the prime unknown"),
        legacy: true,
    },
    GroupRow {
        id: Group::Ecp192,
        name: "ecp192",
        aliases: &["ECP_192", "secp192r1", "group25", "dh25"],
        number: 25,
        public: 48,
        shared: 24,
        status: Status::Legacy,
        status_source: "RFC 5114",
        support: Support::NamedOnly("too small; not implemented"),
        legacy: false,
    },
    GroupRow {
        id: Group::Ecp224,
        name: "ecp224",
        aliases: &["ECP_224", "secp224r1", "group26", "dh26"],
        number: 26,
        public: 56,
        shared: 28,
        status: Status::Legacy,
        status_source: "RFC 5114",
        support: Support::NamedOnly("too small; not implemented"),
        legacy: false,
    },
    GroupRow {
        id: Group::Brainpool224,
        name: "ecp224bp",
        aliases: &["BRAINPOOL_P224R1", "brainpool-p224r1", "group27", "dh27"],
        number: 27,
        public: 56,
        shared: 28,
        status: Status::Legacy,
        status_source: "RFC 6954",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
    GroupRow {
        id: Group::Brainpool256,
        name: "ecp256bp",
        aliases: &["BRAINPOOL_P256R1", "brainpool-p256r1", "group28", "dh28"],
        number: 28,
        public: 64,
        shared: 32,
        status: Status::Modern,
        status_source: "RFC 6954",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
    GroupRow {
        id: Group::Brainpool384,
        name: "ecp384bp",
        aliases: &["BRAINPOOL_P384R1", "brainpool-p384r1", "group29", "dh29"],
        number: 29,
        public: 96,
        shared: 48,
        status: Status::Modern,
        status_source: "RFC 6954",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
    GroupRow {
        id: Group::Brainpool512,
        name: "ecp512bp",
        aliases: &["BRAINPOOL_P512R1", "brainpool-p512r1", "group30", "dh30"],
        number: 30,
        public: 128,
        shared: 64,
        status: Status::Modern,
        status_source: "RFC 6954",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
    GroupRow {
        id: Group::X25519,
        name: "x25519",
        aliases: &["curve25519", "CURVE_25519", "group31", "dh31"],
        number: 31,
        public: 32,
        shared: 32,
        status: Status::Modern,
        status_source: "RFC 8031",
        support: Support::Native,
        legacy: false,
    },
    GroupRow {
        id: Group::X448,
        name: "x448",
        aliases: &["curve448", "CURVE_448", "group32", "dh32"],
        number: 32,
        public: 56,
        shared: 56,
        status: Status::Modern,
        status_source: "RFC 8031",
        support: Support::NamedOnly("no well-kept implementation"),
        legacy: false,
    },
];

named!(Group, GroupRow, "group");

impl Group {
    /// Finds the group of an IKEv1 Group Description attribute value, of phase 1 and phase 2 alike.
    pub fn from_ikev1_phase1(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.number == value).map(|row| row.id)
    }

    /// Finds the group of an IKEv2 transform ID of type 4: the same numbers.
    pub fn from_ikev2(value: u16) -> Option<Self> {
        Self::from_ikev1_phase1(value)
    }

    /// The group's number in IKEv1 and IKEv2.
    pub fn number(self) -> u16 {
        self.row().number
    }

    /// Octets of a public value in the Key Exchange payload.
    pub fn public_len(self) -> usize {
        self.row().public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for row in Group::rows() {
            assert_eq!(Group::from_ikev1_phase1(row.number), Some(row.id));
        }
        assert_eq!(Group::from_ikev1_phase1(6), None);
    }
}
