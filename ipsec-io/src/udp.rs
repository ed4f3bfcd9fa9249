//! UDP 500 and 4500, IPv4 and IPv6.
//!
//! Each local address has two sockets. They are read in batches, with runs joined by the kernel (GRO) taken apart,
//! and know the address that each datagram was sent to, so that the answer leaves from there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::BorrowedFd;

use ipsec_ike::{Now, Ports};
use ipsec_proto::Path;
use ipsec_sad::{Batch, Encap, Meta};
use socket2::{Protocol, Type};

use crate::backend::{Datagram, Moved, Taken, Wire};
use crate::socket::{Inbox, Socket};

/// Calls of the system for one batch and socket; more is left for the next turn, so that no socket starves.
const ROUNDS: usize = 4;

/// What to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpConfig {
    /// The local addresses; an unspecified one stands for all of its family.
    pub addresses: Vec<IpAddr>,
    /// The two ports. 0 lets the system choose.
    pub ports: Ports,
    /// The fwmark of all packets sent (`SO_MARK`; needs the capability NET_ADMIN).
    pub mark: Option<u32>,
}

impl Default for UdpConfig {
    /// Every address of both families, ports 500 and 4500, no mark.
    fn default() -> Self {
        Self {
            addresses: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            ports: Ports::default(),
            mark: None,
        }
    }
}

/// A [`Wire`] of UDP sockets. Raw ESP is not its business: see [`RawWire`](crate::raw::RawWire).
#[derive(Debug)]
pub struct UdpWire {
    sockets: Vec<Socket>,
    inbox: Inbox,
    /// The socket that the inbox was filled from, and that is looked at first.
    turn: usize,
}

impl UdpWire {
    /// Opens and binds all sockets.
    ///
    /// # Errors
    /// The first error of the system: an address that is not ours, a port in use or below 1024 without the
    /// capability NET_BIND_SERVICE, a mark without NET_ADMIN. IPv6 wildcards are left out on a system without IPv6,
    /// if something else was bound.
    pub fn bind(config: &UdpConfig) -> io::Result<Self> {
        let mut sockets: Vec<Socket> = Vec::new();
        for address in &config.addresses {
            for port in [config.ports.ike, config.ports.natt] {
                let local = SocketAddr::new(*address, port);
                match Socket::bind(Type::DGRAM, Protocol::UDP, local, config.mark) {
                    Ok(socket) => sockets.push(socket),
                    Err(error)
                        if no_ipv6(&error)
                            && local.is_ipv6()
                            && address.is_unspecified()
                            && !sockets.is_empty() => {}
                    Err(error) => return Err(io::Error::new(error.kind(), format!("UDP {local}: {error}"))),
                }
            }
        }
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no local address to bind"));
        }
        Ok(Self { sockets, inbox: Inbox::new(), turn: 0 })
    }

    /// The addresses and ports that were bound, two for each address: IKE, then NAT traversal.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(Socket::local).collect()
    }

    /// Hands what the inbox holds to the batch; `false` when the batch is full.
    fn drain(&mut self, batch: &mut Batch, moved: &mut Moved) -> bool {
        let Some(local) = self.sockets.get(self.turn).map(Socket::local) else { return true };
        while let Some(received) = self.inbox.front() {
            let destination = received.destination.map_or(local.ip(), |address| address.to_canonical());
            let path = Path::new(SocketAddr::new(destination, local.port()), received.source);
            let meta = Meta::Wire { path, encap: Encap::Udp, traffic_class: received.traffic_class };
            if moved.push(batch, meta, received.octets) == Taken::Full {
                return false;
            }
            self.inbox.advance();
        }
        true
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable)
        || error.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32)
}

impl Wire for UdpWire {
    fn receive(&mut self, _now: Now, batch: &mut Batch) -> Moved {
        let mut moved = Moved::default();
        for _ in 0..self.sockets.len() {
            for round in 0..ROUNDS {
                if !self.drain(batch, &mut moved) {
                    return moved;
                }
                let Some(socket) = self.sockets.get(self.turn) else { break };
                match self.inbox.fill(socket) {
                    Ok(()) => moved.more |= round + 1 == ROUNDS,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error of an earlier datagram; it says nothing about those that wait.
                    Err(error) => {
                        moved.error = Some(error);
                        moved.more = true;
                    }
                }
            }
            if !self.drain(batch, &mut moved) {
                return moved;
            }
            self.turn = (self.turn + 1) % self.sockets.len();
        }
        moved
    }

    fn send(&mut self, _now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        let mut moved = Moved::default();
        for datagram in datagrams {
            let Datagram { path, encap, traffic_class, octets } = *datagram;
            if !matches!(encap, Encap::Udp) {
                continue;
            }
            let Some(socket) = self.sockets.iter().find(|socket| socket.serves(path.local)) else {
                moved.fail(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    format!("no socket for {}", path.local),
                ));
                continue;
            };
            match socket.send(path.local.ip(), path.remote, traffic_class, octets) {
                Ok(()) => moved.count(octets.len()),
                Err(error) => moved.fail(error),
            }
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.sockets.iter().map(Socket::as_fd).collect()
    }
}
