//! Modes of SAs and what each does with the headers (RFC 4301 §4.1, §5.1.2).

use std::net::IpAddr;

/// What an SA protects of a packet (RFC 4301 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// The whole packet, in a new one.
    Tunnel(TunnelOptions),
    /// What follows the packet's IP header, between the two hosts that the header names.
    Transport {
        /// What becomes of TCP's and UDP's checksums behind a NAT.
        checksum: TransportChecksum,
    },
    /// What follows the IP header, under the SA's outer addresses; the inner ones are fixed and not sent
    /// (RFC 7402 appendix B).
    Beet {
        /// Our inner address.
        local: IpAddr,
        /// The peer's inner address.
        remote: IpAddr,
    },
}

impl Mode {
    /// Tunnel mode with the usual treatment of headers.
    pub const TUNNEL: Self = Self::Tunnel(TunnelOptions::USUAL);
    /// Transport mode with no NAT between the hosts.
    pub const TRANSPORT: Self = Self::Transport { checksum: TransportChecksum::Keep };

    /// How headers are treated, in tunnel mode.
    pub(crate) const fn tunnel_options(&self) -> Option<&TunnelOptions> {
        match self {
            Self::Tunnel(options) => Some(options),
            Self::Transport { .. } | Self::Beet { .. } => None,
        }
    }

    /// Its name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tunnel(_) => "tunnel",
            Self::Transport { .. } => "transport",
            Self::Beet { .. } => "beet",
        }
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::TUNNEL
    }
}

/// What an inbound transport-mode SA does with the checksum of TCP and UDP, which covers addresses that a NAT has changed
/// (RFC 3948 §3.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportChecksum {
    /// Nothing: there is no NAT.
    #[default]
    Keep,
    /// Adjusts it by the difference between the addresses the sender used, as its NAT-OA payloads say, and those in the
    /// received packet. An error on the way stays detectable.
    Adjust {
        /// The source address that the sender used.
        source: IpAddr,
        /// The destination address that the sender used.
        destination: IpAddr,
    },
    /// Computes it anew: the packet's integrity was verified.
    Recompute,
    /// UDP: clears it, which says that there is none (IPv4). TCP and UDP in IPv6: as [`Recompute`](Self::Recompute).
    Clear,
}

/// How the outer header of a tunnel is made from the inner one, and the other way round (RFC 4301 §5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelOptions {
    /// The outer DSCP of what leaves.
    pub dscp: OuterDscp,
    /// The inner DSCP of what arrives.
    pub inner_dscp: InnerDscp,
    /// The outer ECN field of what leaves.
    pub ecn: Ecn,
    /// The outer DF bit of what leaves. IPv4, and only where we write the outer header.
    pub df: DontFragment,
    /// TTL or hop limit of the outer header, where we write it.
    pub hop_limit: HopLimit,
    /// The maximum segment size in TCP SYNs that pass, both ways.
    pub mss: MssClamp,
    /// Where packets that are too long for the path are cut.
    pub fragmentation: Fragmentation,
}

impl TunnelOptions {
    /// DSCP and DF copied, ECN in normal mode, a TTL of 64, inner DSCP and MSS left as they are.
    pub const USUAL: Self = Self {
        dscp: OuterDscp::Copy,
        inner_dscp: InnerDscp::Keep,
        ecn: Ecn::Normal,
        df: DontFragment::Copy,
        hop_limit: HopLimit::Set(64),
        mss: MssClamp::Off,
        fragmentation: Fragmentation::Before,
    };
}

impl Default for TunnelOptions {
    fn default() -> Self {
        Self::USUAL
    }
}

/// The outer DSCP (RFC 2474 §3, RFC 2983, RFC 4301 §5.1.2 footnote 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OuterDscp {
    /// The inner one.
    #[default]
    Copy,
    /// This one, of 6 bits: who watches learns nothing from it.
    Set(u8),
    /// By the inner one.
    Map(DscpMap),
}

/// An outer DSCP for each inner one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DscpMap([u8; 64]);

impl DscpMap {
    /// Maps each DSCP to itself.
    #[must_use]
    pub const fn identity() -> Self {
        let mut map = [0; 64];
        let mut dscp = 0_u8;
        while dscp < 64 {
            map[dscp as usize] = dscp;
            dscp += 1;
        }
        Self(map)
    }

    /// Maps `inner` to `outer`; the lower 6 bits of each count.
    #[must_use]
    pub const fn with(mut self, inner: u8, outer: u8) -> Self {
        self.0[(inner & 0x3f) as usize] = outer & 0x3f;
        self
    }

    /// What `inner` is mapped to.
    #[must_use]
    pub const fn get(&self, inner: u8) -> u8 {
        self.0[(inner & 0x3f) as usize]
    }
}

impl std::fmt::Debug for DscpMap {
    /// Only what is changed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let changed = (0_u8..).zip(self.0).filter(|(inner, outer)| inner != outer);
        f.debug_map().entries(changed).finish()
    }
}

/// The DSCP of an inner packet that leaves the tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InnerDscp {
    /// Its own (RFC 4301 §5.1.2).
    #[default]
    Keep,
    /// The outer one, as the network may have marked it (RFC 2983 §4).
    CopyOuter,
}

/// The outer ECN field at the tunnel's entry (RFC 6040 §4.1). Its exit has one mode, §4.2, for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The inner one.
    #[default]
    Normal,
    /// Not-ECT: for a peer whose tunnel exit would lose congestion marks.
    Compatibility,
}

/// The outer DF bit (RFC 4301 §8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DontFragment {
    /// The inner one; set for IPv6 inside.
    #[default]
    Copy,
    /// Set.
    Set,
    /// Clear.
    Clear,
}

/// The outer TTL or hop limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopLimit {
    /// This one.
    Set(u8),
    /// The inner one: the tunnel's path counts as routers of the inner network.
    Copy,
}

/// Where packets are cut that are too long for the path of their SA and may be (RFC 4301 §8.2.1, appendix D).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragmentation {
    /// Before they are sealed ([`Verdict::Fragment`](crate::Verdict::Fragment)): the peer has nothing to put together.
    #[default]
    Before,
    /// After, by whoever sends them, if the outer DF bit is clear: each packet costs one sequence number and one ICV, and
    /// the peer puts the pieces together.
    After,
}

/// The maximum segment size (RFC 9293 §3.7.1) in the SYNs of inner TCP connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MssClamp {
    /// Left alone.
    #[default]
    Off,
    /// At most what fits through the tunnel, once its path MTU is known.
    PathMtu,
    /// At most this, in octets.
    To(u16),
}
