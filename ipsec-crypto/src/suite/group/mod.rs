//! Key exchange groups; IKEv1 and IKEv2 number them alike.

mod binary;
mod curve;
mod kem;
mod modp;

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

static ROWS: [GroupRow; 37] = [
    modp::MODP768,
    modp::MODP1024,
    modp::MODP1536,
    modp::MODP2048,
    modp::MODP3072,
    modp::MODP4096,
    modp::MODP6144,
    modp::MODP8192,
    binary::EC2N155,
    binary::EC2N185,
    curve::ECP256,
    curve::ECP384,
    curve::ECP521,
    modp::MODP1024S160,
    modp::MODP2048S224,
    modp::MODP2048S256,
    curve::ECP192,
    curve::ECP224,
    curve::BRAINPOOL224,
    curve::BRAINPOOL256,
    curve::BRAINPOOL384,
    curve::BRAINPOOL512,
    curve::X25519,
    curve::X448,
    binary::EC2N163_RANDOM,
    binary::EC2N163_KOBLITZ,
    binary::EC2N283_RANDOM,
    binary::EC2N283_KOBLITZ,
    binary::EC2N409_RANDOM,
    binary::EC2N409_KOBLITZ,
    binary::EC2N571_RANDOM,
    binary::EC2N571_KOBLITZ,
    curve::GOST256,
    curve::GOST512,
    kem::ML_KEM512,
    kem::ML_KEM768,
    kem::ML_KEM1024,
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
