//! ESP and AH as IP protocols of their own, numbers 50 and 51 (RFC 4303 §2, RFC 4302 §2), through raw sockets.
//!
//! What arrives is handed on as whole IP packets: AH protects the IP header, and transport mode keeps what it says. Of IPv6
//! packets the kernel shows no header, so one is put in front that says what is known: the two addresses and the ECN bits.
//! Extension headers before AH or ESP are not seen; where there are immutable ones, AH does not verify.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

use ipsec_ike::Now;
use ipsec_proto::ip::{Addresses, Header};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::{Batch, Meta};
use socket2::{Protocol, Type};

use crate::backend::{Datagram, Form, Moved, Taken, Wire};
use crate::socket::{Received, Socket};
use crate::socket_set::SocketSet;
use crate::with_header::WithHeader;

/// The protocols that are received.
const PROTOCOLS: [IpProtocol; 2] = [IpProtocol::ESP, IpProtocol::AH];

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawConfig {
    /// The local addresses; an unspecified one stands for all of its family.
    pub addresses: Vec<IpAddr>,
    /// The fwmark of all packets sent (`SO_MARK`).
    pub mark: Option<u32>,
}

/// A [`Wire`] of raw sockets for ESP without UDP, and for AH.
///
/// A raw socket gets a copy of each packet. The kernel's own IPsec, if it has an SA or a policy for the packet, acts
/// on its copy; with none it does nothing.
#[derive(Debug)]
pub struct RawWire {
    sockets: SocketSet,
    with_header: WithHeader,
    packet: Vec<u8>,
}

impl RawWire {
    /// Opens all sockets.
    ///
    /// # Errors
    /// The first error of the system; without the capability NET_RAW that is "operation not permitted".
    pub fn open(config: &RawConfig) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for address in &config.addresses {
            for protocol in PROTOCOLS {
                let local = SocketAddr::new(*address, 0);
                let socket =
                    Socket::bind(Type::RAW, Protocol::from(i32::from(protocol.0)), local, config.mark)
                        .map_err(|error| {
                            io::Error::new(error.kind(), format!("raw {protocol} {address}: {error}"))
                        })?;
                sockets.push(socket);
            }
        }
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no local address to open"));
        }
        let with_header = WithHeader::open(config.mark)?;
        Ok(Self { sockets: SocketSet::new(sockets), with_header, packet: Vec::new() })
    }
}

/// Puts in front of a payload of IPv6 what is known of its header; `None` where it is none.
fn with_ipv6_header(packet: &mut Vec<u8>, local: SocketAddr, received: &Received<'_>) -> Option<()> {
    let destination = received.destination.unwrap_or(local.ip());
    let addresses = Addresses::new(received.source.ip(), destination)?;
    // Linux reports the protocol's number in the port's place.
    let protocol = IpProtocol(u8::try_from(local.port()).ok()?);
    let traffic_class = received.traffic_class.unwrap_or(0);
    let header = Header { traffic_class, ..Header::new(addresses, protocol) };
    packet.clear();
    packet.resize(header.header_len(), 0);
    packet.extend_from_slice(received.octets);
    header.emit(received.octets.len(), packet).ok()
}

impl Wire for RawWire {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        let Self { sockets, packet, .. } = self;
        sockets.receive(now.mono, batch, |local, received, batch, moved| {
            if local.is_ipv4() {
                return moved.push(batch, Meta::Packet, received.octets);
            }
            match with_ipv6_header(packet, local, received) {
                Some(()) => moved.push(batch, Meta::Packet, packet),
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
            let Datagram { path, form, traffic_class, octets } = *datagram;
            let sent = match form {
                Form::Udp => continue,
                Form::Packet => self.with_header.send(octets),
                Form::Esp => {
                    let local = path.local.ip();
                    let serves = |socket: &&Socket| serves(socket, IpProtocol::ESP, local);
                    match self.sockets.iter().find(serves) {
                        Some(socket) => {
                            socket.send(local, SocketAddr::new(path.remote.ip(), 0), traffic_class, octets)
                        }
                        None => Err(io::Error::new(
                            io::ErrorKind::AddrNotAvailable,
                            format!("no socket for {local}"),
                        )),
                    }
                }
            };
            match sent {
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

/// As [`Socket::serves`], with the protocol's number in the port's place, where Linux reports it.
fn serves(socket: &Socket, protocol: IpProtocol, local: IpAddr) -> bool {
    socket.serves(SocketAddr::new(local, protocol.0.into()))
}
