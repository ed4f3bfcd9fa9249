//! What a gateway needs of the world: datagrams on one side, IP packets on the other.
//!
//! Both traits move batches. A batch is never left half done because of an error: what cannot be sent is counted
//! and left behind, as a router would do, and the rest goes on.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use ipsec_ike::Now;
use ipsec_proto::Path;
use ipsec_sad::{Batch, BatchError, Encap, Meta, Verdict};

/// The unprotected side: UDP datagrams, ESP and AH packets, with the addresses they were sent from and to.
pub trait Wire {
    /// Appends to `batch` what has arrived, as much as fits. Never waits.
    ///
    /// The path's local address is the one that the datagram was sent to, so that an answer can leave from it.
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved;

    /// Sends `datagrams` in order. Never waits: what the system does not take at once is dropped and counted. One
    /// that has no way to send a datagram's [`Form`] passes it over.
    fn send(&mut self, now: Now, datagrams: &[Datagram<'_>]) -> Moved;

    /// What to watch for readability; empty for a backend that no system knows of.
    fn sources(&self) -> Vec<BorrowedFd<'_>>;
}

/// The protected side: IP packets in clear.
pub trait Link {
    /// Appends to `batch` what has arrived, as much as fits. Never waits.
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved;

    /// Sends `packets` in order. Never waits: what the system does not take at once is dropped and counted.
    fn send(&mut self, now: Now, packets: &[&[u8]]) -> Moved;

    /// What to watch for readability; empty for a backend that no system knows of.
    fn sources(&self) -> Vec<BorrowedFd<'_>>;
}

/// What the octets of a [`Datagram`] begin with, and so who writes the headers before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// What is behind a UDP header: IKE, or ESP (RFC 3948).
    Udp,
    /// An ESP header, which is behind an IP header of protocol 50.
    Esp,
    /// The IP header of a whole packet: AH, which protects that header, and what must keep one of its own.
    Packet,
}

impl Form {
    /// Whether there is a UDP header.
    #[must_use]
    pub const fn encap(self) -> Encap {
        match self {
            Self::Udp => Encap::Udp,
            Self::Esp | Self::Packet => Encap::Raw,
        }
    }
}

impl From<Encap> for Form {
    fn from(encap: Encap) -> Self {
        match encap {
            Encap::Udp => Self::Udp,
            Encap::Raw => Self::Esp,
        }
    }
}

/// What a [`Wire`] is to send.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// From where to where. Ports mean nothing without UDP.
    pub path: Path,
    /// What the octets begin with.
    pub form: Form,
    /// The traffic class (IPv4: type of service) of the outer header; without meaning for [`Form::Packet`].
    pub traffic_class: u8,
    /// The octets.
    pub octets: &'a [u8],
}

/// The packets of a batch that go to the network: those with [`Verdict::Send`] and [`Verdict::SendPacket`].
pub fn to_wire(batch: &Batch) -> impl Iterator<Item = Datagram<'_>> {
    batch.iter().filter_map(|packet| {
        let (path, form, traffic_class) = of_verdict(packet.verdict)?;
        Some(Datagram { path, form, traffic_class, octets: packet.octets })
    })
}

/// How a packet with this verdict goes to the network, if it does.
pub(crate) fn of_verdict(verdict: Verdict) -> Option<(Path, Form, u8)> {
    match verdict {
        Verdict::Send { path, encap, traffic_class } => Some((path, encap.into(), traffic_class)),
        Verdict::SendPacket { path } => Some((path, Form::Packet, 0)),
        _ => None,
    }
}

/// The packets of a batch that go to the protected side: those with [`Verdict::Deliver`].
pub fn to_link(batch: &Batch) -> impl Iterator<Item = &[u8]> {
    batch.iter().filter(|packet| packet.verdict == Verdict::Deliver).map(|packet| packet.octets)
}

impl<W: Wire + ?Sized> Wire for Box<W> {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        (**self).receive(now, batch)
    }

    fn send(&mut self, now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        (**self).send(now, datagrams)
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        (**self).sources()
    }
}

impl<L: Link + ?Sized> Link for Box<L> {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        (**self).receive(now, batch)
    }

    fn send(&mut self, now: Now, packets: &[&[u8]]) -> Moved {
        (**self).send(now, packets)
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        (**self).sources()
    }
}

/// Two wires as one, mostly UDP and raw IP: each sends the datagrams of its own form.
impl<A: Wire, B: Wire> Wire for (A, B) {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        let mut moved = self.0.receive(now, batch);
        moved.add(self.1.receive(now, batch));
        moved
    }

    fn send(&mut self, now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        let mut moved = self.0.send(now, datagrams);
        moved.add(self.1.send(now, datagrams));
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        let mut sources = self.0.sources();
        sources.extend(self.1.sources());
        sources
    }
}

/// What one call of a backend moved.
#[derive(Debug, Default)]
pub struct Moved {
    /// Packets that went through.
    pub packets: usize,
    /// Their octets, without headers below what the batch holds.
    pub octets: u64,
    /// Packets that were dropped: too large, refused by the system, no room in a queue, no socket for the path.
    pub dropped: usize,
    /// More is waiting, or may be, than was taken: call again before waiting.
    pub more: bool,
    /// Something may wait that can't be taken now: call again after this time, if nothing else is a reason to earlier.
    pub again: Option<Duration>,
    /// The last error of the system, for a log. "Would block" while receiving is none.
    pub error: Option<io::Error>,
}

/// Whether a batch took a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It did, or never will: go on with the next.
    Yes,
    /// Not now: keep it.
    Full,
}

impl Moved {
    /// Pushes a packet; one that is too long for any slot is dropped, lest it block those behind it.
    pub(crate) fn push(&mut self, batch: &mut Batch, meta: Meta, octets: &[u8]) -> Taken {
        match batch.push(meta, octets) {
            Ok(_) => self.count(octets.len()),
            Err(BatchError::TooLong { .. }) => self.dropped += 1,
            Err(_) => {
                self.more = true;
                return Taken::Full;
            }
        }
        Taken::Yes
    }

    pub(crate) fn count(&mut self, octets: usize) {
        self.packets += 1;
        self.octets += octets as u64;
    }

    /// Asks to be called again no later than after `pause`.
    pub(crate) fn call_again_in(&mut self, pause: Duration) {
        self.again = Some(self.again.map_or(pause, |other| other.min(pause)));
    }

    pub(crate) fn fail(&mut self, error: io::Error) {
        self.dropped += 1;
        self.error = Some(error);
    }

    /// Adds what another call moved.
    pub(crate) fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.octets += other.octets;
        self.dropped += other.dropped;
        self.more |= other.more;
        if let Some(pause) = other.again {
            self.call_again_in(pause);
        }
        self.error = other.error.or(self.error.take());
    }
}
