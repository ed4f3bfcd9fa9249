//! A recorder around any backend: what passes is written to a pcapng file.
//!
//! The file has two interfaces, both of raw IP packets (LINKTYPE_RAW): `wire`, the datagrams with IP and UDP headers
//! put in front as a router would see them, and `link`, the packets in clear. With the tables that [`keys`] writes,
//! Wireshark decrypts the first into the second. Keys are secrets: nothing writes them unasked.
//!
//! A file that cannot be written is given up, with [`Recorder::error`] to tell; traffic goes on.

mod headers;
pub mod keys;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipsec_ike::Now;
use ipsec_sad::{Batch, Meta};
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};

use crate::backend::{Datagram, Form, Link, Moved, Wire};

/// Timestamps are in units of 10^-9 s (pcapng, `if_tsresol`).
const NANOSECONDS: u8 = 9;
/// The `wire` interface's number in the file.
const WIRE: u32 = 0;
/// The `link` interface's number in the file.
const LINK: u32 = 1;

/// Which way a packet went, as pcapng's packet flags say it.
#[derive(Clone, Copy)]
enum Sense {
    Received = 1,
    Sent = 2,
}

/// A pcapng file that several backends write to; clones are handles of the same one.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<State>>);

struct State {
    writer: Option<PcapNgWriter<Box<dyn Write + Send>>>,
    error: Option<String>,
    scratch: Vec<u8>,
    packets: u64,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Recorder").field("packets", &state.packets).field("error", &state.error).finish()
    }
}

impl Recorder {
    /// Starts a file with its two interfaces. Buffering is the caller's choice: a `BufWriter` is a good one.
    ///
    /// # Errors
    /// What writing to `output` gives.
    pub fn new(output: Box<dyn Write + Send>) -> io::Result<Self> {
        let mut writer = PcapNgWriter::new(output).map_err(io::Error::other)?;
        for (name, description) in [
            ("wire", "datagrams between the gateways, IP and UDP headers added by the recorder"),
            ("link", "packets in clear, on the protected side"),
        ] {
            let block = InterfaceDescriptionBlock {
                linktype: DataLink::RAW,
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                    InterfaceDescriptionOption::IfDescription(Cow::Borrowed(description)),
                    InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
                ],
            };
            writer.write_pcapng_block(block).map_err(io::Error::other)?;
        }
        let state = State { writer: Some(writer), error: None, scratch: Vec::new(), packets: 0 };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Records all that passes through `wire`.
    pub fn wire<W: Wire>(&self, wire: W) -> RecordedWire<W> {
        RecordedWire { wire, recorder: self.clone() }
    }

    /// Records all that passes through `link`.
    pub fn link<L: Link>(&self, link: L) -> RecordedLink<L> {
        RecordedLink { link, recorder: self.clone() }
    }

    /// Packets written so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.lock().packets
    }

    /// Why the file was given up, if it was.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// What the output gives.
    pub fn flush(&self) -> io::Result<()> {
        self.lock().writer.as_mut().map_or(Ok(()), |writer| writer.get_mut().flush())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn datagram(&mut self, now: Now, sense: Sense, datagram: &Datagram<'_>) {
        if datagram.form == Form::Packet {
            return self.packet(now, sense, WIRE, datagram.octets);
        }
        let mut packet = std::mem::take(&mut self.scratch);
        let (source, destination) = match sense {
            Sense::Sent => (datagram.path.local, datagram.path.remote),
            Sense::Received => (datagram.path.remote, datagram.path.local),
        };
        if headers::emit(&mut packet, source, destination, datagram).is_some() {
            self.packet(now, sense, WIRE, &packet);
        }
        self.scratch = packet;
    }

    fn packet(&mut self, now: Now, sense: Sense, interface: u32, packet: &[u8]) {
        let Some(writer) = &mut self.writer else { return };
        let block = EnhancedPacketBlock {
            interface_id: interface,
            timestamp: now.utc.since_epoch(),
            original_len: u32::try_from(packet.len()).unwrap_or(u32::MAX),
            data: Cow::Borrowed(packet),
            options: vec![EnhancedPacketOption::Flags(sense as u32)],
        };
        match writer.write_pcapng_block(block) {
            Ok(_) => self.packets += 1,
            Err(error) => {
                self.error = Some(error.to_string());
                self.writer = None;
            }
        }
    }
}

/// A [`Wire`] whose datagrams are recorded.
#[derive(Debug)]
pub struct RecordedWire<W> {
    wire: W,
    recorder: Recorder,
}

impl<W: Wire> Wire for RecordedWire<W> {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        let before = batch.len();
        let moved = self.wire.receive(now, batch);
        let mut state = self.recorder.lock();
        for packet in batch.iter().skip(before) {
            match packet.meta {
                Meta::Wire { path, encap, traffic_class } => {
                    let (form, traffic_class) = (encap.into(), traffic_class.unwrap_or(0));
                    let datagram = Datagram { path, form, traffic_class, octets: packet.octets };
                    state.datagram(now, Sense::Received, &datagram);
                }
                Meta::Packet => state.packet(now, Sense::Received, WIRE, packet.octets),
                _ => {}
            }
        }
        moved
    }

    fn send(&mut self, now: Now, datagrams: &[Datagram<'_>]) -> Moved {
        let mut state = self.recorder.lock();
        for datagram in datagrams {
            state.datagram(now, Sense::Sent, datagram);
        }
        drop(state);
        self.wire.send(now, datagrams)
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.wire.sources()
    }
}

/// A [`Link`] whose packets are recorded.
#[derive(Debug)]
pub struct RecordedLink<L> {
    link: L,
    recorder: Recorder,
}

impl<L: Link> Link for RecordedLink<L> {
    fn receive(&mut self, now: Now, batch: &mut Batch) -> Moved {
        let before = batch.len();
        let moved = self.link.receive(now, batch);
        let mut state = self.recorder.lock();
        for packet in batch.iter().skip(before) {
            state.packet(now, Sense::Received, LINK, packet.octets);
        }
        moved
    }

    fn send(&mut self, now: Now, packets: &[&[u8]]) -> Moved {
        let mut state = self.recorder.lock();
        for packet in packets {
            state.packet(now, Sense::Sent, LINK, packet);
        }
        drop(state);
        self.link.send(now, packets)
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.link.sources()
    }
}
