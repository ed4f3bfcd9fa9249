//! A Linux TUN device: IP packets to and from the host.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use ipsec_ike::Now;
use ipsec_sad::{Batch, Meta};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::backend::{Link, Moved, Taken};

/// The largest IP packet, in octets.
const PACKET: usize = 65_535;
/// Packets read for one batch at most, so that the wire has its turn.
const BURST: usize = 256;

/// A [`Link`] to the host's own network stack, over an existing or new TUN device.
pub struct TunLink {
    device: SyncDevice,
    buffer: Vec<u8>,
    /// The length of a packet in `buffer` that the last batch had no room for.
    held: Option<usize>,
}

impl std::fmt::Debug for TunLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunLink").field("name", &self.device.name().ok()).field("held", &self.held).finish()
    }
}

impl TunLink {
    /// Opens the TUN device `name`, creates it where there is none, sets its MTU and brings it up. It vanishes when
    /// this value is dropped, unless it existed before as a persistent one. Addresses and routes are not set.
    ///
    /// # Errors
    /// What the system says; without the capability NET_ADMIN that is "operation not permitted".
    pub fn open(name: &str, mtu: u16) -> io::Result<Self> {
        let device = DeviceBuilder::new().name(name).mtu(mtu).build_sync()?;
        device.set_nonblocking(true)?;
        Ok(Self { device, buffer: vec![0; PACKET], held: None })
    }

    /// The name of the device, which the system may have completed (`tun%d`).
    ///
    /// # Errors
    /// What the system says.
    pub fn name(&self) -> io::Result<String> {
        self.device.name()
    }

    /// The index of the interface.
    ///
    /// # Errors
    /// What the system says.
    pub fn index(&self) -> io::Result<u32> {
        self.device.if_index()
    }

    /// Sets the MTU, in octets.
    ///
    /// # Errors
    /// What the system says: below 1280 octets IPv6 is refused on the device.
    pub fn set_mtu(&self, mtu: u16) -> io::Result<()> {
        self.device.set_mtu(mtu)
    }
}

impl Link for TunLink {
    fn receive(&mut self, _now: Now, batch: &mut Batch) -> Moved {
        let mut moved = Moved::default();
        for _ in 0..BURST {
            let length = match self.held.take() {
                Some(length) => length,
                None => match self.device.recv(&mut self.buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return moved,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        moved.error = Some(error);
                        return moved;
                    }
                },
            };
            let packet = self.buffer.get(..length).unwrap_or_default();
            if moved.push(batch, Meta::Clear, packet) == Taken::Full {
                self.held = Some(length);
                return moved;
            }
        }
        moved.more = true;
        moved
    }

    fn send(&mut self, _now: Now, packets: &[&[u8]]) -> Moved {
        let mut moved = Moved::default();
        for packet in packets {
            let result = loop {
                match self.device.send(packet) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result,
                }
            };
            match result {
                Ok(_) => moved.count(packet.len()),
                Err(error) => moved.fail(error),
            }
        }
        moved
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.device.as_fd()]
    }
}
