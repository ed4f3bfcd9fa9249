//! The way out for packets that a policy lets pass in clear although a route led them into the tunnel device.
//!
//! They leave by raw sockets that carry the gateway's fwmark, so that the routing rules which keep the gateway's own
//! packets out of the tunnel apply to them too. Their headers stay as they are, but for the hop limit: where routes lead
//! marked packets back into the device, that ends the loop.

use std::io;
use std::os::fd::BorrowedFd;

use ipsec_ike::Now;
use ipsec_proto::ip::{Packet, Version};
use ipsec_sad::Batch;

use crate::backend::{Link, Moved};
use crate::with_header::WithHeader;

/// A [`Link`] that only sends: IP packets with their own headers, along the host's own routes for the mark.
#[derive(Debug)]
pub struct ClearPath {
    sockets: WithHeader,
    packet: Vec<u8>,
}

impl ClearPath {
    /// Opens the sockets, whose packets carry the fwmark `mark`.
    ///
    /// # Errors
    /// What the system says; without the capabilities NET_RAW and NET_ADMIN that is "operation not permitted". A host
    /// without IPv6 is no error.
    pub fn open(mark: u32) -> io::Result<Self> {
        Ok(Self { sockets: WithHeader::open(Some(mark))?, packet: Vec::new() })
    }

    fn send_one(&mut self, octets: &[u8]) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        // Where the hop limit stands: RFC 791 §3.1, RFC 8200 §3.
        let place = match Packet::parse(octets).map_err(|_| invalid("no IP packet"))?.version() {
            Version::V4 => 8,
            Version::V6 => 7,
        };
        self.packet.clear();
        self.packet.extend_from_slice(octets);
        match self.packet.get_mut(place) {
            // The kernel computes IPv4's header checksum anew.
            Some(limit @ 2..) => *limit -= 1,
            _ => return Err(invalid("its hop limit is used up")),
        }
        self.sockets.send(&self.packet)
    }
}

impl Link for ClearPath {
    /// Nothing ever comes back this way: answers take the host's own routes.
    fn receive(&mut self, _now: Now, _batch: &mut Batch) -> Moved {
        Moved::default()
    }

    fn send(&mut self, _now: Now, packets: &[&[u8]]) -> Moved {
        let mut moved = Moved::default();
        for packet in packets {
            match self.send_one(packet) {
                Ok(()) => moved.count(packet.len()),
                Err(error) => moved.fail(error),
            }
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
