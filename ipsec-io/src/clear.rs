//! The way out for packets that a policy lets pass in clear although a route led them into the tunnel device.
//!
//! They leave by raw sockets that carry the gateway's fwmark, so that the routing rules which keep the gateway's own
//! packets out of the tunnel apply to them too. Their headers stay as they are, but for the hop limit: where routes lead
//! marked packets back into the device, that ends the loop.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

use ipsec_ike::Now;
use ipsec_proto::ip::Packet;
use ipsec_sad::Batch;
use socket2::{Domain, Protocol, Socket, Type};

use crate::backend::{Link, Moved};

/// The protocol number that says "with its own IP header" (`IPPROTO_RAW`, raw(7)).
const WITH_HEADER: i32 = 255;
/// Where the hop limit stands: IPv4 (RFC 791 §3.1), IPv6 (RFC 8200 §3).
const HOP_LIMIT: [usize; 2] = [8, 7];

/// A [`Link`] that only sends: IP packets with their own headers, along the host's own routes for the mark.
#[derive(Debug)]
pub struct ClearPath {
    v4: Socket,
    /// `None` on a host without IPv6.
    v6: Option<Socket>,
    packet: Vec<u8>,
}

impl ClearPath {
    /// Opens the sockets, whose packets carry the fwmark `mark`.
    ///
    /// # Errors
    /// What the system says; without the capabilities NET_RAW and NET_ADMIN that is "operation not permitted". A host
    /// without IPv6 is no error.
    pub fn open(mark: u32) -> io::Result<Self> {
        let open = |domain| -> io::Result<Socket> {
            let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(WITH_HEADER)))?;
            socket.set_mark(mark)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let no_ipv6 = Some(nix::errno::Errno::EAFNOSUPPORT as i32);
        let v6 = match open(Domain::IPV6) {
            Err(error) if error.raw_os_error() == no_ipv6 => None,
            other => Some(other?),
        };
        Ok(Self { v4: open(Domain::IPV4)?, v6, packet: Vec::new() })
    }

    fn send_one(&mut self, octets: &[u8]) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let destination = Packet::parse(octets).map_err(|_| invalid("no IP packet"))?.destination();
        let (socket, place) = match destination {
            IpAddr::V4(_) => (Some(&self.v4), HOP_LIMIT[0]),
            IpAddr::V6(_) => (self.v6.as_ref(), HOP_LIMIT[1]),
        };
        let socket = socket.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        self.packet.clear();
        self.packet.extend_from_slice(octets);
        match self.packet.get_mut(place) {
            // The kernel computes IPv4's header checksum anew.
            Some(limit @ 2..) => *limit -= 1,
            _ => return Err(invalid("its hop limit is used up")),
        }
        loop {
            match socket.send_to(&self.packet, &SocketAddr::new(destination, 0).into()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(drop),
            }
        }
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
