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

use crate::backend::{Datagram, Form, Moved, Wire};
use crate::socket::Socket;
use crate::socket_set::SocketSet;

/// Datagrams sent with one call at most (`UDP_MAX_SEGMENTS` of the oldest kernels that can), and their octets.
const RUN: usize = 64;
const RUN_OCTETS: usize = 65_000;
/// Runs that are sent one by one after the system has refused one: its device cannot, or the way is too narrow.
const REST: u32 = 1000;

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
    sockets: SocketSet,
    run: Vec<u8>,
    rest: u32,
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
        Ok(Self { sockets: SocketSet::new(sockets), run: Vec::with_capacity(RUN_OCTETS), rest: 0 })
    }

    /// The addresses and ports that were bound, two for each address: IKE, then NAT traversal.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(Socket::local).collect()
    }

    /// Sends datagrams that are alike but for their contents.
    fn send_run(&mut self, run: &[Datagram<'_>], moved: &mut Moved) {
        let Some(Datagram { path, traffic_class, octets: first, .. }) = run.first().copied() else { return };
        let Some(socket) = self.sockets.iter().find(|socket| socket.serves(path.local)) else {
            for _ in run {
                moved.fail(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    format!("no socket for {}", path.local),
                ));
            }
            return;
        };
        if run.len() > 1
            && let Ok(length) = u16::try_from(first.len())
        {
            self.run.clear();
            run.iter().for_each(|datagram| self.run.extend_from_slice(datagram.octets));
            match socket.send_run(path.local.ip(), path.remote, traffic_class, length, &self.run) {
                Ok(()) => return run.iter().for_each(|datagram| moved.count(datagram.octets.len())),
                // One by one they may fit, or be sent in fragments.
                Err(_) => self.rest = REST,
            }
        }
        for datagram in run {
            match socket.send(path.local.ip(), path.remote, traffic_class, datagram.octets) {
                Ok(()) => moved.count(datagram.octets.len()),
                Err(error) => moved.fail(error),
            }
        }
    }
}

/// How many of the first datagrams one call can send: one way, one traffic class, one length but for the last, which may
/// be shorter.
fn run_length(datagrams: &[Datagram<'_>]) -> usize {
    let Some((first, others)) = datagrams.split_first() else { return 0 };
    let (length, mut ended) = (first.octets.len(), first.octets.is_empty());
    let alike = |other: &&Datagram<'_>| {
        let joins = !ended
            && other.form == Form::Udp
            && (other.path, other.traffic_class) == (first.path, first.traffic_class)
            && (1..=length).contains(&other.octets.len());
        ended |= other.octets.len() < length;
        joins
    };
    let room = (RUN_OCTETS / length.max(1)).clamp(1, RUN);
    1 + others.iter().take(room - 1).take_while(alike).count()
}

fn no_ipv6(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable)
        || error.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32)
}

impl Wire for UdpWire {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        self.sockets.receive(now.mono, batch, |local, received, batch, moved| {
            let destination = received.destination.map_or(local.ip(), |address| address.to_canonical());
            let path = Path::new(SocketAddr::new(destination, local.port()), received.source);
            let meta = Meta::Wire { path, encap: Encap::Udp, traffic_class: received.traffic_class };
            moved.push(batch, meta, received.octets)
        })
    }

    fn send(&mut self, _now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        let mut moved = Moved::default();
        let mut rest = datagrams;
        while let Some((first, others)) = rest.split_first() {
            if first.form != Form::Udp {
                rest = others;
                continue;
            }
            let length = if self.rest == 0 { run_length(rest) } else { 1 };
            self.rest = self.rest.saturating_sub(1);
            let (run, others) = rest.split_at(length.min(rest.len()));
            self.send_run(run, &mut moved);
            rest = others;
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.sockets.sources()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_the_first_that_is_not_like_it() {
        let path = Path::new(([192, 0, 2, 1], 4500).into(), ([192, 0, 2, 2], 4500).into());
        let buffer = [0; 40_000];
        let of =
            |length: usize| Datagram { path, form: Form::Udp, traffic_class: 0, octets: &buffer[..length] };
        let odd_class = Datagram { traffic_class: 2, ..of(100) };
        let odd_form = Datagram { form: Form::Esp, ..of(100) };
        let odd_path = Datagram { path: path.reversed(), ..of(100) };
        assert_eq!(run_length(&[]), 0);
        assert_eq!(run_length(&[of(100); 70]), 64);
        assert_eq!(run_length(&[of(1400); 70]), 46);
        assert_eq!(run_length(&[of(40_000); 2]), 1);
        assert_eq!(run_length(&[of(100), of(100), of(60), of(60)]), 3);
        assert_eq!(run_length(&[of(100), of(101)]), 1);
        assert_eq!(run_length(&[of(100), of(0)]), 1);
        assert_eq!(run_length(&[of(0), of(0)]), 1);
        for odd in [odd_class, odd_form, odd_path] {
            assert_eq!(run_length(&[of(100), of(100), odd, of(100)]), 2);
        }
    }
}
