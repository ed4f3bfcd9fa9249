//! How fast packets go through both gateways: the only place of the demonstration that reads a clock.

use std::time::Instant;

use ipsec_io::backend::{to_link, to_wire};
use ipsec_io::sad::{Batch, Meta};

use super::DemoError;
use super::cast::role;
use super::moment::{Side, Throughput};
use super::packets::filler;
use super::world::World;

/// Packets that are sent.
const PACKETS: usize = 16_384;
/// Packets in one batch.
const BATCH: usize = 64;
/// Size of a packet, in octets: a full one in a tunnel over Ethernet.
const OCTETS: usize = 1400;
/// The longest packet that a batch takes, in octets.
const LONGEST: usize = 2048;

/// Sends packets from alice to bob, straight from one gateway to the other: seal, open, nothing between.
pub(super) fn measure(world: &mut World) -> Result<Throughput, DemoError> {
    let packet = filler(role(Side::West).host, role(Side::East).host, OCTETS)?;
    let (west, east, now) = world.nodes();
    let (mut clear, mut sealed) = (Batch::new(BATCH, LONGEST), Batch::new(BATCH, LONGEST));
    let (mut sent, mut received, mut octets) = (0, 0, 0);
    let mut buffer = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "throughput is measured on the real clock")]
    let start = Instant::now();
    for _ in 0..PACKETS / BATCH {
        clear.clear();
        sealed.clear();
        for _ in 0..BATCH {
            clear.push(Meta::Clear, &packet).map_err(DemoError::setup)?;
        }
        sent += BATCH as u64;
        west.handle_link(now, &mut clear);
        for datagram in to_wire(&clear) {
            let meta = Meta::Wire {
                path: datagram.path.reversed(),
                encap: datagram.form.encap(),
                traffic_class: Some(datagram.traffic_class),
            };
            sealed.push(meta, datagram.octets).map_err(DemoError::setup)?;
        }
        east.handle_wire(now, &mut sealed);
        for opened in to_link(&sealed) {
            received += u64::from(opened == packet);
            octets += opened.len() as u64;
        }
        while west.poll_output(&mut buffer).is_some() || east.poll_output(&mut buffer).is_some() {
            buffer.clear();
        }
    }
    let elapsed_ns = start.elapsed().as_nanos();
    Ok(Throughput { sent, received, octets, packet_octets: packet.len(), elapsed_ns })
}
