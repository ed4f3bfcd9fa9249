//! Packets that wait: parked, sent when the SA stands, dropped when it cannot be had.

use ipsec_ike::Now;
use ipsec_sad::{AcquireId, DropReason, Meta, Update, Verdict};

use super::{Node, Parked, Queued};
use crate::backend::of_verdict;
use crate::events::{NodeEvent, What};

impl Node {
    pub(super) fn park(&mut self, now: Now, id: AcquireId, packet: &[u8]) {
        if self.waiting.park(now.mono, id, packet) == Parked::Full {
            self.worker.record_drops(DropReason::AcquireQueueFull, 1);
        }
    }

    /// Sends what waits for a negotiation.
    pub(super) fn release(&mut self, now: Now, id: AcquireId) {
        let Some(packets) = self.waiting.take(id) else { return };
        let mut sent = 0;
        for chunk in packets.chunks(self.scratch.capacity()) {
            sent += self.send_again(now, chunk);
        }
        self.record(now, What::Node(NodeEvent::Released { id, packets: sent }));
    }

    /// Puts packets through the data plane once more; one that still needs an SA waits again.
    fn send_again(&mut self, now: Now, packets: &[Vec<u8>]) -> usize {
        let mut batch = std::mem::replace(&mut self.scratch, ipsec_sad::Batch::new(0, 0));
        batch.clear();
        for packet in packets {
            // It was in a batch before, and a chunk has as many packets as the scratch has slots.
            let _ = batch.push(Meta::Clear, packet);
        }
        self.worker.outbound(now.mono, &mut batch);
        let mut sent = 0;
        for packet in batch.iter() {
            if let Some((path, form, traffic_class)) = of_verdict(packet.verdict) {
                let octets = packet.octets.to_vec();
                self.outputs.push_back(Queued::Transmit { path, form, traffic_class, octets });
                sent += 1;
            } else if let Verdict::Acquire(id) = packet.verdict {
                self.park(now, id, packet.octets);
            }
        }
        self.scratch = batch;
        sent
    }

    /// Ends one acquire that came to nothing, and starts its hold-down.
    pub(super) fn fail(&mut self, now: Now, id: AcquireId) {
        let until = now.mono + self.config.limits.hold_down;
        self.worker.apply(now.mono, Update::AcquireFailed { id, until });
        self.give_up(now, id);
    }

    /// Drops what waits for a negotiation.
    pub(super) fn give_up(&mut self, now: Now, id: AcquireId) {
        let Some(packets) = self.waiting.take(id) else { return };
        let reason = DropReason::NoSa;
        self.worker.record_drops(reason, packets.len() as u64);
        self.record(now, What::Node(NodeEvent::GivenUp { id, packets: packets.len(), reason }));
    }
}
