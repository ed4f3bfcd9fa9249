//! Raw sockets for packets that bring their own IP header.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ipsec_proto::ip::{Fragments, Packet};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// The protocol number that says so (`IPPROTO_RAW`, raw(7)).
const WITH_HEADER: i32 = 255;
/// The pieces of a packet that is too long for its way, which is not known better: every IPv6 link carries this
/// (RFC 8200 §5).
const PIECE: u16 = 1280;

/// A socket of each family. Nothing is received by them.
#[derive(Debug)]
pub(crate) struct WithHeader {
    v4: Socket,
    /// `None` on a host without IPv6.
    v6: Option<Socket>,
    /// Of the next packet of IPv6 that is cut.
    id: u32,
    piece: Vec<u8>,
}

impl WithHeader {
    /// Opens the sockets; `mark` is the fwmark of what they send.
    pub(crate) fn open(mark: Option<u32>) -> io::Result<Self> {
        let open = |domain| -> io::Result<Socket> {
            let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(WITH_HEADER)))?;
            if let Some(mark) = mark {
                socket.set_mark(mark)?;
            }
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let v6 = match open(Domain::IPV6) {
            Err(error) if error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32) => None,
            other => Some(other?),
        };
        Ok(Self { v4: open(Domain::IPV4)?, v6, id: 0, piece: vec![0; PIECE.into()] })
    }

    /// Sends a packet along the host's own routes, in pieces if it is too long for the way and may be cut.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "no IP packet");
        let packet = Packet::parse(octets).map_err(invalid)?;
        let socket = match packet.destination() {
            IpAddr::V4(_) => &self.v4,
            IpAddr::V6(_) => self.v6.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?,
        };
        let whole = send(socket, octets, packet.destination());
        match &whole {
            Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {}
            _ => return whole,
        }
        self.id = self.id.wrapping_add(1);
        let Some(mut pieces) = Fragments::new(&packet, PIECE, self.id) else { return whole };
        while let Some(length) = pieces.emit(&mut self.piece) {
            send(socket, self.piece.get(..length).unwrap_or_default(), packet.destination())?;
        }
        Ok(())
    }
}

fn send(socket: &Socket, octets: &[u8], destination: IpAddr) -> io::Result<()> {
    loop {
        match socket.send_to(octets, &SocketAddr::new(destination, 0).into()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(drop),
        }
    }
}
