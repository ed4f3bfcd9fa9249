//! Explicit congestion notification at the end of a tunnel (RFC 6040, normal mode).

/// The low two bits of a traffic class (RFC 3168 §5).
const MASK: u8 = 0b11;
const NOT_ECT: u8 = 0b00;
const ECT1: u8 = 0b01;
const ECT0: u8 = 0b10;
const CE: u8 = 0b11;

/// What the inner packet's ECN field becomes at the end of a tunnel; `None` is drop (RFC 6040 §4.2, figure 4).
///
/// By inner field, then by outer field, each in the order of the code points: Not-ECT, ECT(1), ECT(0), CE.
const EGRESS: [[Option<u8>; 4]; 4] = [
    [Some(NOT_ECT), Some(NOT_ECT), Some(NOT_ECT), None],
    [Some(ECT1), Some(ECT1), Some(ECT1), Some(CE)],
    [Some(ECT0), Some(ECT1), Some(ECT0), Some(CE)],
    [Some(CE), Some(CE), Some(CE), Some(CE)],
];

/// The traffic class of the inner packet when it leaves a tunnel: its own DSCP, both ECN fields combined. `None` if it
/// must be dropped, because it was marked with congestion and its ends would not understand.
pub(super) fn egress(inner: u8, outer: u8) -> Option<u8> {
    let row = EGRESS.get(usize::from(inner & MASK))?;
    let ecn = row.get(usize::from(outer & MASK)).copied().flatten()?;
    Some(inner & !MASK | ecn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn congestion_marks_survive_or_drop_the_packet() {
        for dscp in [0, 0xb8] {
            assert_eq!(egress(dscp | NOT_ECT, CE), None);
            assert_eq!(egress(dscp | NOT_ECT, 0xfc | ECT1), Some(dscp | NOT_ECT));
            for ect in [ECT0, ECT1] {
                assert_eq!(egress(dscp | ect, CE), Some(dscp | CE));
                assert_eq!(egress(dscp | ect, NOT_ECT), Some(dscp | ect));
                assert_eq!(egress(dscp | ect, ECT1), Some(dscp | ECT1));
            }
            assert_eq!(egress(dscp | ECT1, ECT0), Some(dscp | ECT1));
            for outer in 0..4 {
                assert_eq!(egress(dscp | CE, outer), Some(dscp | CE));
            }
        }
    }
}
