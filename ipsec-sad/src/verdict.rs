//! What is to happen with a packet of a batch.

use core::fmt;

use ipsec_proto::Path;

use crate::drop::DropReason;

/// How ESP travels to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encap {
    /// IP protocol 50.
    Raw,
    /// In UDP (RFC 3948).
    Udp,
}

/// Names the packets that wait for one negotiation. Unique for the life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AcquireId(pub u64);

impl fmt::Display for AcquireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Names a worker. An inbound SPI carries the number of the worker that owns the SA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u8);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is to happen with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// No worker has seen it yet.
    Pending,
    /// Sealed: send what is in the batch, which starts at the ESP header.
    Send {
        /// Where to.
        path: Path,
        /// With or without a UDP header.
        encap: Encap,
        /// The traffic class (IPv4: type of service) of the outer header.
        traffic_class: u8,
    },
    /// Sealed: send the whole IP packet in the batch, which has its outer header already. If it may be fragmented and is
    /// too long for the link, cut it ([`Fragments`](ipsec_proto::ip::Fragments)).
    SendPacket {
        /// Where to. The ports are those of UDP, 0 without.
        path: Path,
    },
    /// Too long for the way of its SA, and its source allows fragments: cut it to `mtu`
    /// ([`Fragments`](ipsec_proto::ip::Fragments)) and give the pieces to the worker.
    Fragment {
        /// The longest packet that fits, in octets.
        mtu: u16,
    },
    /// Opened: give the IP packet in the batch to the protected side.
    Deliver,
    /// A policy lets the packet pass in clear, as it is.
    Bypass,
    /// Keep the packet until the negotiation ends.
    Acquire(AcquireId),
    /// Give the packet, as it came, to the worker that owns its SA.
    Handoff(WorkerId),
    /// Not for the data plane, and taken already: an IKE message or a NAT keepalive.
    Consumed,
    /// Forget the packet. It is counted.
    Drop(DropReason),
}
