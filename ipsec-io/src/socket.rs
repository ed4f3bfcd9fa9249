//! One socket with batched receipt and the local address of every datagram, for UDP and for raw ESP alike.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::net::sockopt;
use socket2::{Domain, Protocol, Type};

/// Datagrams, or runs of datagrams joined by the kernel, taken with one system call.
const BUFFERS: usize = 16;
/// The largest datagram, and the largest run: an IP packet has 65535 octets at most.
const BUFFER: usize = 65_535;
/// What is asked of the kernel for queues in both directions, in octets. It may give less.
const QUEUE: usize = 4 << 20;

/// A bound, non-blocking socket that reports and sets the local address of each datagram.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: socket2::Socket,
    state: UdpSocketState,
    local: SocketAddr,
}

impl Socket {
    /// Opens and binds a socket. `mark` is the fwmark its packets carry (`SO_MARK`).
    pub(crate) fn bind(
        kind: Type,
        protocol: Protocol,
        local: SocketAddr,
        mark: Option<u32>,
    ) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(local), kind, Some(protocol))?;
        // A raw socket is of one family anyhow, and Linux refuses to be told so.
        if local.is_ipv6() && kind == Type::DGRAM {
            socket.set_only_v6(true)?;
        }
        if let Some(mark) = mark {
            socket.set_mark(mark)?;
        }
        // Best effort: a smaller queue loses packets under load, which is no reason not to start.
        let _ = socket.set_recv_buffer_size(QUEUE);
        let _ = socket.set_send_buffer_size(QUEUE);
        socket.bind(&local.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let local = socket.local_addr()?.as_socket().unwrap_or(local);
        // The state forbids fragmentation, as QUIC wants it; IKE messages and large ESP packets need it
        // (RFC 4303 §3.3.4). `WANT` is the kernel's own default: it follows the path MTU.
        if local.is_ipv4() {
            sockopt::set_ip_mtu_discover(&socket, sockopt::Ipv4PathMtuDiscovery::WANT)?;
        } else {
            sockopt::set_ipv6_mtu_discover(&socket, sockopt::Ipv6PathMtuDiscovery::WANT)?;
            nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Ipv6DontFrag, &false)?;
        }
        Ok(Self { socket, state, local })
    }

    /// The address it is bound to.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether a datagram from `local` can leave through this socket.
    pub(crate) fn serves(&self, local: SocketAddr) -> bool {
        self.local.port() == local.port()
            && self.local.is_ipv4() == local.is_ipv4()
            && (self.local.ip().is_unspecified()
                || local.ip().is_unspecified()
                || self.local.ip() == local.ip())
    }

    /// Sends one datagram from `source`, unless that is unspecified: then the kernel chooses.
    pub(crate) fn send(
        &self,
        source: IpAddr,
        destination: SocketAddr,
        traffic_class: u8,
        contents: &[u8],
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination,
            ecn: EcnCodepoint::from_bits(traffic_class),
            contents,
            segment_size: None,
            src_ip: (!source.is_unspecified()).then_some(source),
        };
        loop {
            match self.state.try_send(UdpSockRef::from(&self.socket), &transmit) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // An ICMP error for an earlier datagram is reported once, in place of sending this one.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return self.state.try_send(UdpSockRef::from(&self.socket), &transmit);
                }
                result => return result,
            }
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Datagrams taken from a socket and not yet handed on.
#[derive(Debug)]
pub(crate) struct Inbox {
    buffers: Vec<Vec<u8>>,
    metas: Vec<RecvMeta>,
    filled: usize,
    at: usize,
    offset: usize,
}

/// One received datagram.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    /// The address it was sent to; `None` where the kernel did not say.
    pub(crate) destination: Option<IpAddr>,
    pub(crate) source: SocketAddr,
    /// The ECN bits, which is all that is reported of it.
    pub(crate) traffic_class: Option<u8>,
    pub(crate) octets: &'a [u8],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![vec![0; BUFFER]; BUFFERS],
            metas: vec![RecvMeta::default(); BUFFERS],
            filled: 0,
            at: 0,
            offset: 0,
        }
    }

    /// The next datagram, without taking it.
    pub(crate) fn front(&self) -> Option<Received<'_>> {
        if self.at >= self.filled {
            return None;
        }
        let meta = self.metas.get(self.at)?;
        let end = (self.offset + stride(meta)).min(meta.len);
        let octets = self.buffers.get(self.at)?.get(self.offset..end)?;
        Some(Received {
            destination: meta.dst_ip,
            source: meta.addr,
            traffic_class: Some(meta.ecn.map_or(0, |ecn| ecn as u8)),
            octets,
        })
    }

    /// Takes the next datagram out.
    pub(crate) fn advance(&mut self) {
        let Some(meta) = self.metas.get(self.at) else { return };
        self.offset += stride(meta);
        if self.offset >= meta.len {
            self.at += 1;
            self.offset = 0;
        }
    }

    /// Takes what waits in `socket`. Only to be called when there is no [`front`](Self::front).
    pub(crate) fn fill(&mut self, socket: &Socket) -> io::Result<()> {
        (self.filled, self.at, self.offset) = (0, 0, 0);
        let mut slices: Vec<IoSliceMut<'_>> =
            self.buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        self.filled = socket.state.recv(UdpSockRef::from(&socket.socket), &mut slices, &mut self.metas)?;
        Ok(())
    }
}

/// The length of one datagram of a run; an empty datagram takes a step too, so that it is passed.
fn stride(meta: &RecvMeta) -> usize {
    meta.stride.max(1)
}
