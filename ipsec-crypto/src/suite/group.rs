//! Key exchange groups; IKEv1 and IKEv2 number them alike.

use super::names::named;
use super::{Names, Status, Support};

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
    /// Group 6 of IKEv1: EC2N over GF[2^163], a random curve (IANA "ipsec-registry").
    Ec2n163Random,
    /// Group 7 of IKEv1: EC2N over GF[2^163], a Koblitz curve; Cisco's group 7.
    Ec2n163Koblitz,
    /// Group 8 of IKEv1: EC2N over GF[2^283], a random curve.
    Ec2n283Random,
    /// Group 9 of IKEv1: EC2N over GF[2^283], a Koblitz curve.
    Ec2n283Koblitz,
    /// Group 10 of IKEv1: EC2N over GF[2^409], a random curve.
    Ec2n409Random,
    /// Group 11 of IKEv1: EC2N over GF[2^409], a Koblitz curve.
    Ec2n409Koblitz,
    /// Group 12 of IKEv1: EC2N over GF[2^571], a random curve.
    Ec2n571Random,
    /// Group 13 of IKEv1: EC2N over GF[2^571], a Koblitz curve.
    Ec2n571Koblitz,
    /// Group 33: GOST R 34.10-2012 with 256 bits (RFC 9385).
    Gost256,
    /// Group 34: GOST R 34.10-2012 with 512 bits (RFC 9385).
    Gost512,
    /// Key exchange 35: ML-KEM-512 (draft-ietf-ipsecme-ikev2-mlkem).
    MlKem512,
    /// Key exchange 36: ML-KEM-768 (draft-ietf-ipsecme-ikev2-mlkem).
    MlKem768,
    /// Key exchange 37: ML-KEM-1024 (draft-ietf-ipsecme-ikev2-mlkem).
    MlKem1024,
}

/// What there is to know about a key exchange group.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GroupRow {
    /// The group.
    pub id: Group,
    /// Our name for it, which is strongSwan's.
    pub name: &'static str,
    /// Its names in every dialect.
    pub names: Names,
    /// Value of IKEv1's attribute Group Description, of both phases (RFC 2409 appendix A). X25519, X448 and the GOST groups
    /// have none of IANA's: those who use them in IKEv1 take IKEv2's.
    pub ikev1: Option<u16>,
    /// IKEv2 transform ID of type 4 (RFC 7296 §3.3.2), and of types 6 to 12 (RFC 9370 §4.1).
    pub ikev2: Option<u16>,
    /// Octets of a public value in the Key Exchange payload: of the initiator's, where a key encapsulation has two.
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

/// What the groups over GF[2^n] that no RFC describes have in common.
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

static ROWS: [GroupRow; 37] = [
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
        id: Group::Ec2n163Random,
        name: "ec2n163r1",
        names: Names {
            ours: &["ec2n163r1", "dh6", "sect163r1"],
            iana: &["EC2N group over GF[2^163]"],
            ..Names::NONE
        },
        ikev1: Some(6),
        public: 42,
        shared: 21,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n163Koblitz,
        name: "ec2n163k1",
        names: Names {
            ours: &["ec2n163k1", "dh7", "sect163k1"],
            cisco_transform: &["group7"],
            cisco_policy: &["group 7", "group7"],
            ..Names::NONE
        },
        ikev1: Some(7),
        public: 42,
        shared: 21,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n283Random,
        name: "ec2n283r1",
        names: Names {
            ours: &["ec2n283r1", "dh8", "sect283r1"],
            iana: &["EC2N group over GF[2^283]"],
            ..Names::NONE
        },
        ikev1: Some(8),
        public: 72,
        shared: 36,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n283Koblitz,
        name: "ec2n283k1",
        names: Names { ours: &["ec2n283k1", "dh9", "sect283k1"], ..Names::NONE },
        ikev1: Some(9),
        public: 72,
        shared: 36,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n409Random,
        name: "ec2n409r1",
        names: Names {
            ours: &["ec2n409r1", "dh10", "sect409r1"],
            iana: &["EC2N group over GF[2^409]"],
            ..Names::NONE
        },
        ikev1: Some(10),
        public: 104,
        shared: 52,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n409Koblitz,
        name: "ec2n409k1",
        names: Names { ours: &["ec2n409k1", "dh11", "sect409k1"], ..Names::NONE },
        ikev1: Some(11),
        public: 104,
        shared: 52,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n571Random,
        name: "ec2n571r1",
        names: Names {
            ours: &["ec2n571r1", "dh12", "sect571r1"],
            iana: &["EC2N group over GF[2^571]"],
            ..Names::NONE
        },
        ikev1: Some(12),
        public: 144,
        shared: 72,
        ..EC2N
    },
    GroupRow {
        id: Group::Ec2n571Koblitz,
        name: "ec2n571k1",
        names: Names { ours: &["ec2n571k1", "dh13", "sect571k1"], ..Names::NONE },
        ikev1: Some(13),
        public: 144,
        shared: 72,
        ..EC2N
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
    GroupRow {
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
    },
];

named!(
    Group,
    GroupRow,
    "group",
    "accepted are names such as `modp2048`, `x25519`, `ecp256`, `group14`, `dh14`, `2048-bit MODP group`"
);

impl Group {
    /// Finds the group of an IKEv1 Group Description attribute value, of phase 1 and phase 2 alike.
    pub fn from_ikev1_phase1(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev1 == Some(value)).map(|row| row.id)
    }

    /// Finds the group of an IKEv2 transform ID of type 4: the same numbers, as far as both have the group.
    pub fn from_ikev2(value: u16) -> Option<Self> {
        ROWS.iter().find(|row| row.ikev2 == Some(value)).map(|row| row.id)
    }

    /// The group's number: the same in IKEv1 and IKEv2 where both have it.
    pub fn number(self) -> u16 {
        // Every row has one: a unit test holds the table to that.
        self.row().ikev1.or(self.row().ikev2).unwrap_or_default()
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
            assert!(row.ikev1.is_none_or(|id| Group::from_ikev1_phase1(id) == Some(row.id)));
            assert!(row.ikev2.is_none_or(|id| Group::from_ikev2(id) == Some(row.id)));
            assert!(
                row.id.number() > 0 && [row.ikev1, row.ikev2].iter().flatten().all(|&n| n == row.id.number())
            );
        }
        assert_eq!((Group::from_ikev1_phase1(0), Group::from_ikev2(6)), (None, None));
    }
}
