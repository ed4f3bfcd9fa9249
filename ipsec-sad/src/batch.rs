//! The unit of work: packets in one arena, each with room before and behind it.

use core::ops::Range;

use ipsec_proto::Path;

use crate::drop::DropReason;
use crate::realm::Origin;
use crate::sad::PairId;
use crate::verdict::{Encap, Verdict};

/// SAs that one packet may be nested in.
pub const MAX_NESTED: usize = 4;
/// Octets free before each packet: for every nested SA an IPv6 header and the larger of an AH, with the longest ICV and its
/// padding, and a UDP header, an ESP header and an IV.
pub const HEAD_ROOM: usize = MAX_NESTED * (40 + 12 + 36);
/// Octets free behind each packet: for every nested SA padding to a 16-octet block, pad length, next header and the
/// longest ICV.
pub const TAIL_ROOM: usize = MAX_NESTED * (15 + 2 + 32);

/// Where a packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meta {
    /// An IP packet in clear, in the realm there is where none are told apart, on an unknown interface.
    Clear,
    /// An IP packet in clear, from there.
    ClearAt(Origin),
    /// Outbound: as many octets as a dummy packet is to have inside, whatever they are. It is sealed on the pair's SA, to
    /// hide how much traffic there is, and dropped by its receiver (RFC 4303 §2.6).
    Dummy(PairId),
    /// A whole IP packet from the network, from its IP header on, that holds AH, ESP, or ESP in UDP: put together, if it
    /// came in fragments. AH can be verified in this form only; transport and BEET mode keep what the header says.
    Packet,
    /// An ESP packet from the network, from its ESP header on.
    Wire {
        /// Our address and port, and the sender's. Ports are 0 for raw ESP.
        path: Path,
        /// Whether it came in UDP.
        encap: Encap,
        /// The traffic class (IPv4: type of service) of the outer header, if the backend can tell.
        traffic_class: Option<u8>,
    },
}

impl Meta {
    /// The realm and interface of a clear packet.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::ClearAt(origin) => *origin,
            _ => Origin::default(),
        }
    }
}

/// Why a packet can't be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// All slots are in use.
    #[error("the batch is full")]
    Full,
    /// The packet is longer than the batch was made for.
    #[error("a packet of {octets} octets does not fit, the longest is {longest}")]
    TooLong {
        /// The packet's length.
        octets: usize,
        /// The longest that fits.
        longest: usize,
    },
}

/// Packets on their way through a worker, with what is to happen to each.
///
/// All memory is taken at creation. A packet stays in its slot; sealing and opening move its ends.
#[derive(Debug)]
pub struct Batch {
    arena: Box<[u8]>,
    slots: Vec<Slot>,
    capacity: usize,
    longest: usize,
}

/// What the batch knows of one packet.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The packet, in octets of its part of the arena.
    pub(crate) range: Range<usize>,
    pub(crate) meta: Meta,
    pub(crate) verdict: Verdict,
    /// What a packet that was too big may have had.
    pub(crate) mtu: u16,
}

/// One packet of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its octets, from the header that the verdict and the direction name.
    pub octets: &'a [u8],
    /// Where it came from.
    pub meta: Meta,
    /// What is to happen with it.
    pub verdict: Verdict,
}

impl Batch {
    /// A batch for `capacity` packets of at most `longest` octets each.
    #[must_use]
    pub fn new(capacity: usize, longest: usize) -> Self {
        let stride = HEAD_ROOM + longest + TAIL_ROOM;
        Self {
            arena: vec![0; capacity * stride].into_boxed_slice(),
            slots: Vec::with_capacity(capacity),
            capacity,
            longest,
        }
    }

    /// The number of packets it has room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The octets of the longest packet that can be pushed.
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// The number of packets in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no packet in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether no further packet can be pushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.slots.len() == self.capacity
    }

    /// Forgets all packets. The octets are overwritten by the next ones only.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Appends a copy of `packet` and gives back its number.
    ///
    /// # Errors
    /// [`BatchError::Full`] and [`BatchError::TooLong`].
    pub fn push(&mut self, meta: Meta, packet: &[u8]) -> Result<usize, BatchError> {
        if packet.len() > self.longest {
            return Err(BatchError::TooLong { octets: packet.len(), longest: self.longest });
        }
        self.push_with(meta, |buffer| {
            if let Some(place) = buffer.get_mut(..packet.len()) {
                place.copy_from_slice(packet);
            }
            packet.len()
        })
    }

    /// Appends what `read` writes to the start of the buffer it is given, [`longest`](Self::longest) octets, of which
    /// it says how many it used, and gives back the packet's number.
    ///
    /// # Errors
    /// [`BatchError::Full`], without calling `read`, and [`BatchError::TooLong`] if `read` claims more than it was given.
    pub fn push_with(
        &mut self,
        meta: Meta,
        read: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<usize, BatchError> {
        let (number, stride, longest) = (self.slots.len(), self.stride(), self.longest);
        if number >= self.capacity {
            return Err(BatchError::Full);
        }
        let start = number * stride + HEAD_ROOM;
        let buffer = self.arena.get_mut(start..start + longest).ok_or(BatchError::Full)?;
        let octets = read(buffer);
        if octets > longest {
            return Err(BatchError::TooLong { octets, longest });
        }
        self.slots.push(Slot {
            range: HEAD_ROOM..HEAD_ROOM + octets,
            meta,
            verdict: Verdict::Pending,
            mtu: 0,
        });
        Ok(number)
    }

    /// The octets of packet `number` as they stand.
    #[must_use]
    pub fn packet(&self, number: usize) -> Option<&[u8]> {
        let slot = self.slots.get(number)?;
        let start = number * self.stride();
        self.arena.get(start + slot.range.start..start + slot.range.end)
    }

    /// What is to happen with packet `number`.
    #[must_use]
    pub fn verdict(&self, number: usize) -> Option<Verdict> {
        self.slots.get(number).map(|slot| slot.verdict)
    }

    /// The octets that packet `number`, dropped for [`DropReason::TooBig`], might have had: what ICMP tells its source, see
    /// [`emit_too_big`](ipsec_proto::ip::emit_too_big).
    #[must_use]
    pub fn mtu(&self, number: usize) -> Option<u16> {
        let slot = self.slots.get(number)?;
        (slot.verdict == Verdict::Drop(DropReason::TooBig)).then_some(slot.mtu)
    }

    /// Marks packet `number` as none of the data plane's: workers leave it alone then.
    pub fn consume(&mut self, number: usize) {
        if let Some(slot) = self.slots.get_mut(number) {
            slot.verdict = Verdict::Consumed;
        }
    }

    /// Where packet `number` came from.
    #[must_use]
    pub fn meta(&self, number: usize) -> Option<Meta> {
        self.slots.get(number).map(|slot| slot.meta)
    }

    /// The packets in the order they were pushed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Packet<'_>> {
        self.slots.iter().zip(self.arena.chunks_exact(self.stride())).map(|(slot, part)| Packet {
            octets: part.get(slot.range.clone()).unwrap_or_default(),
            meta: slot.meta,
            verdict: slot.verdict,
        })
    }

    /// Each packet's slot and part of the arena, room included.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = (&mut Slot, &mut [u8])> {
        let stride = self.stride();
        self.slots.iter_mut().zip(self.arena.chunks_exact_mut(stride))
    }

    const fn stride(&self) -> usize {
        HEAD_ROOM + self.longest + TAIL_ROOM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_kept_apart_and_limits_hold() {
        let mut batch = Batch::new(2, 4);
        assert_eq!(batch.push(Meta::Clear, &[1, 2, 3, 4]), Ok(0));
        assert_eq!(
            batch.push(Meta::Clear, &[0; 5]),
            Err(BatchError::TooLong { octets: 5, longest: 4 }),
            "too long for any slot"
        );
        assert_eq!(
            batch.push_with(Meta::Clear, |buffer| buffer.len() + 1),
            Err(BatchError::TooLong { octets: 5, longest: 4 }),
            "a reader that claims too much"
        );
        let read = |buffer: &mut [u8]| {
            buffer.fill(9);
            3
        };
        assert_eq!(batch.push_with(Meta::Clear, read), Ok(1));
        assert_eq!(batch.push(Meta::Clear, &[]), Err(BatchError::Full));
        assert_eq!(batch.packet(0), Some(&[1, 2, 3, 4][..]));
        assert_eq!(batch.packet(1), Some(&[9, 9, 9][..]));
        assert_eq!(batch.packet(2), None);
        assert_eq!(batch.iter().map(|packet| packet.octets.len()).collect::<Vec<_>>(), [4, 3]);
        assert!(batch.iter().all(|packet| packet.verdict == Verdict::Pending));
        batch.consume(1);
        assert_eq!([batch.verdict(0), batch.verdict(1)], [Some(Verdict::Pending), Some(Verdict::Consumed)]);
        batch.clear();
        assert!(batch.is_empty() && batch.packet(0).is_none());
    }
}
