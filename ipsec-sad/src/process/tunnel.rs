//! What a tunnel does with DSCP, ECN, DF and TTL at its two ends (RFC 4301 §5.1.2, RFC 6040).

use crate::sad::{DontFragment, Ecn, HopLimit, InnerDscp, OuterDscp, TunnelOptions};

/// The low two bits of a traffic class (RFC 3168 §5).
const ECN: u8 = 0b11;
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

impl TunnelOptions {
    /// The outer traffic class of a packet that enters (RFC 4301 §5.1.2.1, RFC 6040 §4.1).
    pub(super) fn ingress(&self, inner: u8) -> u8 {
        let dscp = match self.dscp {
            OuterDscp::Copy => inner & !ECN,
            OuterDscp::Set(dscp) => dscp << 2,
            OuterDscp::Map(map) => map.get(inner >> 2) << 2,
        };
        match self.ecn {
            Ecn::Normal => dscp | inner & ECN,
            Ecn::Compatibility => dscp | NOT_ECT,
        }
    }

    /// The traffic class of a packet that leaves the tunnel. `None` if it must be dropped, because it was marked with
    /// congestion and its ends would not understand.
    pub(super) fn egress(&self, inner: u8, outer: u8) -> Option<u8> {
        let row = EGRESS.get(usize::from(inner & ECN))?;
        let ecn = row.get(usize::from(outer & ECN)).copied().flatten()?;
        let dscp = match self.inner_dscp {
            InnerDscp::Keep => inner & !ECN,
            InnerDscp::CopyOuter => outer & !ECN,
        };
        Some(dscp | ecn)
    }

    /// The outer DF bit, given the inner one.
    pub(super) const fn outer_df(&self, inner: bool) -> bool {
        match self.df {
            DontFragment::Copy => inner,
            DontFragment::Set => true,
            DontFragment::Clear => false,
        }
    }

    /// The outer TTL, given the inner one.
    pub(super) const fn outer_hop_limit(&self, inner: u8) -> u8 {
        match self.hop_limit {
            HopLimit::Set(limit) => limit,
            HopLimit::Copy => inner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sad::DscpMap;

    #[test]
    fn congestion_marks_survive_or_drop_the_packet() {
        let usual = TunnelOptions::USUAL;
        for dscp in [0, 0xb8] {
            assert_eq!(usual.egress(dscp | NOT_ECT, CE), None);
            assert_eq!(usual.egress(dscp | NOT_ECT, 0xfc | ECT1), Some(dscp | NOT_ECT));
            for ect in [ECT0, ECT1] {
                assert_eq!(usual.egress(dscp | ect, CE), Some(dscp | CE));
                assert_eq!(usual.egress(dscp | ect, NOT_ECT), Some(dscp | ect));
                assert_eq!(usual.egress(dscp | ect, ECT1), Some(dscp | ECT1));
            }
            assert_eq!(usual.egress(dscp | ECT1, ECT0), Some(dscp | ECT1));
            for outer in 0..4 {
                assert_eq!(usual.egress(dscp | CE, outer), Some(dscp | CE));
            }
        }
    }

    #[test]
    fn the_outer_class_is_copied_set_or_mapped() {
        let inner = 0xb8 | ECT0;
        let with = |dscp, ecn| TunnelOptions { dscp, ecn, ..TunnelOptions::USUAL }.ingress(inner);
        assert_eq!(with(OuterDscp::Copy, Ecn::Normal), inner);
        assert_eq!(with(OuterDscp::Copy, Ecn::Compatibility), 0xb8);
        assert_eq!(with(OuterDscp::Set(10), Ecn::Normal), 40 | ECT0);
        let map = DscpMap::identity().with(46, 8);
        assert_eq!(with(OuterDscp::Map(map), Ecn::Normal), 32 | ECT0);
        assert_eq!(format!("{map:?}"), "{46: 8}");
        let copied = TunnelOptions { inner_dscp: InnerDscp::CopyOuter, ..TunnelOptions::USUAL };
        assert_eq!(copied.egress(0xb8 | ECT0, 0x28 | CE), Some(0x28 | CE));
    }
}
