//! The largest packet that fits into the tunnel.

use super::prefix::Family;

/// What a packet of one tunnel is wrapped in, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer {
    /// The family of the addresses outside.
    pub family: Family,
    /// Whether there may be a UDP header (RFC 3948 §2.1).
    pub udp: bool,
    /// The initialisation vector, in octets.
    pub iv: u16,
    /// The cipher's block, in octets; padding ends on a multiple of it, and of 4 (RFC 4303 §2.4).
    pub block: u16,
    /// The integrity check value, in octets.
    pub icv: u16,
}

/// The largest inner packet that fits into an outer one of `path` octets: the tunnel device's MTU.
#[must_use]
pub fn inner_mtu(path: u16, outer: &Outer) -> u16 {
    let header = match outer.family {
        Family::V4 => 20,
        Family::V6 => 40,
    };
    let udp = if outer.udp { 8 } else { 0 };
    // SPI and sequence number, 4 octets each (RFC 4303 §2.1, §2.2).
    let around = header + udp + 8 + outer.iv + outer.icv;
    let block = outer.block.max(4);
    let room = path.saturating_sub(around) / block * block;
    // Pad length and next header (RFC 4303 §2.5, §2.6).
    room.saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_octet_more_would_not_fit() {
        let cases = [
            // AES-CBC and HMAC-SHA1-96 in UDP over IPv4.
            (Outer { family: Family::V4, udp: true, iv: 16, block: 16, icv: 12 }, 1422),
            // The same with HMAC-SHA2-512-256 over IPv6, without UDP.
            (Outer { family: Family::V6, udp: false, iv: 16, block: 16, icv: 32 }, 1390),
            // 3DES.
            (Outer { family: Family::V4, udp: true, iv: 8, block: 8, icv: 12 }, 1438),
            // A cipher of single octets.
            (Outer { family: Family::V4, udp: false, iv: 8, block: 1, icv: 16 }, 1446),
        ];
        for (outer, expected) in cases {
            let mtu = inner_mtu(1500, &outer);
            assert_eq!(mtu, expected, "{outer:?}");
            let wire = |inner: u16| {
                let block = outer.block.max(4);
                let header = if outer.family == Family::V4 { 20 } else { 40 };
                header
                    + if outer.udp { 8 } else { 0 }
                    + 8
                    + outer.iv
                    + (inner + 2).div_ceil(block) * block
                    + outer.icv
            };
            assert!(wire(mtu) <= 1500 && wire(mtu + 1) > 1500, "{outer:?}");
        }
        assert_eq!(inner_mtu(40, &cases[0].0), 0);
    }
}
