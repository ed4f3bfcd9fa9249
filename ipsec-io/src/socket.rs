//! One socket with batched receipt and the local address of every datagram, for UDP and for raw protocols alike.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use arrayvec::ArrayVec;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::net::sockopt;
use socket2::{Domain, Protocol, Type};

/// Datagrams, or runs of datagrams joined by the kernel, taken with one system call.
const BUFFERS: usize = 16;
/// The largest datagram, and the largest run: an IP packet has 65535 octets at most.
const BUFFER: usize = 65_535;
/// The bits of the traffic class that are not ECN (RFC 2474 §3).
const DSCP: u8 = 0xfc;
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
        if traffic_class & DSCP != 0 {
            // Of the traffic class that library sets the ECN bits only.
            return twice(|| self.send_with(source, destination, traffic_class, None, contents));
        }
        let transmit = Transmit {
            destination,
            ecn: EcnCodepoint::from_bits(traffic_class),
            contents,
            segment_size: None,
            src_ip: (!source.is_unspecified()).then_some(source),
        };
        twice(|| self.state.try_send(UdpSockRef::from(&self.socket), &transmit))
    }

    /// Sends a run of datagrams with one call: `contents` is cut into pieces of `length`, the last of which may be shorter
    /// (udp(7), `UDP_SEGMENT`).
    ///
    /// # Errors
    /// What the system says; then none of them was sent. A piece that is too long for the way is such an error, though
    /// alone it would be sent in fragments.
    pub(crate) fn send_run(
        &self,
        source: IpAddr,
        destination: SocketAddr,
        traffic_class: u8,
        length: u16,
        contents: &[u8],
    ) -> io::Result<()> {
        twice(|| self.send_with(source, destination, traffic_class, Some(length), contents))
    }

    fn send_with(
        &self,
        source: IpAddr,
        destination: SocketAddr,
        traffic_class: u8,
        segment: Option<u16>,
        contents: &[u8],
    ) -> io::Result<()> {
        let (v4, v6) = (packet_info_v4(source), packet_info_v6(source));
        let wide = i32::from(traffic_class);
        let mut controls: ArrayVec<ControlMessage<'_>, 3> = ArrayVec::new();
        controls.push(match destination {
            SocketAddr::V4(_) => ControlMessage::Ipv4Tos(&traffic_class),
            SocketAddr::V6(_) => ControlMessage::Ipv6TClass(&wide),
        });
        controls.extend(v4.as_ref().map(ControlMessage::Ipv4PacketInfo));
        controls.extend(v6.as_ref().map(ControlMessage::Ipv6PacketInfo));
        controls.extend(segment.as_ref().map(ControlMessage::UdpGsoSegments));
        let (fd, address) = (self.socket.as_raw_fd(), SockaddrStorage::from(destination));
        sendmsg(fd, &[IoSlice::new(contents)], &controls, MsgFlags::empty(), Some(&address))?;
        Ok(())
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Sends once more where that is due.
fn twice(send: impl Fn() -> io::Result<()>) -> io::Result<()> {
    loop {
        match send() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // An ICMP error for an earlier datagram is reported once, in place of sending this one.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return send(),
            result => return result,
        }
    }
}

fn packet_info_v4(source: IpAddr) -> Option<in_pktinfo> {
    let IpAddr::V4(source) = source else { return None };
    let address = |v4: Ipv4Addr| in_addr { s_addr: u32::from_ne_bytes(v4.octets()) };
    (!source.is_unspecified()).then(|| in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: address(source),
        ipi_addr: address(Ipv4Addr::UNSPECIFIED),
    })
}

fn packet_info_v6(source: IpAddr) -> Option<in6_pktinfo> {
    let IpAddr::V6(source) = source else { return None };
    let address = in6_addr { s6_addr: source.octets() };
    (!source.is_unspecified()).then_some(in6_pktinfo { ipi6_addr: address, ipi6_ifindex: 0 })
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
        let mut slices: ArrayVec<IoSliceMut<'_>, BUFFERS> =
            self.buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        self.filled = socket.state.recv(UdpSockRef::from(&socket.socket), &mut slices, &mut self.metas)?;
        Ok(())
    }
}

/// The length of one datagram of a run; an empty datagram takes a step too, so that it is passed.
fn stride(meta: &RecvMeta) -> usize {
    meta.stride.max(1)
}
