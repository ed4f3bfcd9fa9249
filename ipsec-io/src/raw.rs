//! ESP as an IP protocol of its own, number 50 (RFC 4303 §2), through raw sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

use ipsec_ike::Now;
use ipsec_proto::Path;
use ipsec_sad::{Batch, Encap, Meta};
use socket2::{Protocol, Type};

use crate::backend::{Datagram, Moved, Taken, Wire};
use crate::socket::Socket;
use crate::socket_set::SocketSet;

/// ESP's protocol number.
const ESP: i32 = 50;

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawConfig {
    /// The local addresses; an unspecified one stands for all of its family.
    pub addresses: Vec<IpAddr>,
    /// The fwmark of all packets sent (`SO_MARK`).
    pub mark: Option<u32>,
}

/// A [`Wire`] of raw sockets for ESP without UDP. What a datagram's path has as ports is 0.
///
/// A raw socket gets a copy of each packet. The kernel's own IPsec, if it has an SA or a policy for the packet, acts
/// on its copy; with none it does nothing.
#[derive(Debug)]
pub struct RawWire {
    sockets: SocketSet,
}

impl RawWire {
    /// Opens all sockets.
    ///
    /// # Errors
    /// The first error of the system; without the capability NET_RAW that is "operation not permitted".
    pub fn open(config: &RawConfig) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for address in &config.addresses {
            let local = SocketAddr::new(*address, 0);
            let socket = Socket::bind(Type::RAW, Protocol::from(ESP), local, config.mark)
                .map_err(|error| io::Error::new(error.kind(), format!("raw ESP {address}: {error}")))?;
            sockets.push(socket);
        }
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no local address to open"));
        }
        Ok(Self { sockets: SocketSet::new(sockets) })
    }
}

/// What follows the IPv4 header, whose length is in its first octet.
fn behind_ipv4_header(octets: &[u8]) -> Option<&[u8]> {
    let header = usize::from(octets.first()? & 0x0f) * 4;
    octets.get(header.max(20)..)
}

impl Wire for RawWire {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        self.sockets.receive(now.mono, batch, |local, received, batch, moved| {
            let source = SocketAddr::new(received.source.ip(), 0);
            let destination = SocketAddr::new(received.destination.unwrap_or(local.ip()), 0);
            // The kernel hands IPv4 packets over with their header, IPv6 packets without.
            let octets =
                if local.is_ipv4() { behind_ipv4_header(received.octets) } else { Some(received.octets) };
            let path = Path::new(destination, source);
            let meta = Meta::Wire { path, encap: Encap::Raw, traffic_class: received.traffic_class };
            match octets {
                Some(octets) => moved.push(batch, meta, octets),
                None => {
                    moved.dropped += 1;
                    Taken::Yes
                }
            }
        })
    }

    fn send(&mut self, _now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        let mut moved = Moved::default();
        for datagram in datagrams {
            let Datagram { path, encap, traffic_class, octets } = *datagram;
            if !matches!(encap, Encap::Raw) {
                continue;
            }
            let local = SocketAddr::new(path.local.ip(), 0);
            let Some(socket) = self.sockets.iter().find(|socket| serves(socket, local)) else {
                moved.fail(io::Error::new(io::ErrorKind::AddrNotAvailable, format!("no socket for {local}")));
                continue;
            };
            match socket.send(local.ip(), SocketAddr::new(path.remote.ip(), 0), traffic_class, octets) {
                Ok(()) => moved.count(octets.len()),
                Err(error) => moved.fail(error),
            }
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.sockets.sources()
    }
}

/// As [`Socket::serves`], without the port: Linux reports the protocol number in its place.
fn serves(socket: &Socket, local: SocketAddr) -> bool {
    socket.serves(SocketAddr::new(local.ip(), socket.local().port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ipv4_header_is_left_behind_with_its_options() {
        let mut packet = vec![0x46; 1];
        packet.resize(24, 0);
        packet.extend_from_slice(b"esp");
        assert_eq!(behind_ipv4_header(&packet), Some(&b"esp"[..]));
        for length in 0..20 {
            assert_eq!(behind_ipv4_header(packet.get(..length).unwrap_or_default()), None);
        }
        assert_eq!(behind_ipv4_header(&[0x4f; 59]), None);
    }
}
