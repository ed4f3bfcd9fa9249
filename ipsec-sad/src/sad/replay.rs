//! The anti-replay window (RFC 4303 §3.4.3), as blocks of bits that are never shifted (RFC 6479).
//!
//! [`ReplayWindow::check`] comes before the integrity check and changes nothing; [`ReplayWindow::mark`] comes after
//! it and asks again, since a batch may hold the same packet twice.

/// The smallest window, in packets (RFC 4303 §3.4.3).
pub const REPLAY_WINDOW_MIN: u32 = 32;
/// The window of an SA that asks for no other, in packets.
pub const REPLAY_WINDOW_DEFAULT: u32 = 128;
/// The largest window, in packets.
pub const REPLAY_WINDOW_MAX: u32 = 65_536;

const BLOCK_BITS: u64 = 64;

/// How replayed packets are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AntiReplay {
    /// By a window of so many packets, from [`REPLAY_WINDOW_MIN`] to [`REPLAY_WINDOW_MAX`].
    Window(u32),
    /// Not at all: whoever can see packets can send them again. For manual keys only, where a sender that starts anew
    /// starts its numbers anew (RFC 4303 §3.3.3). Reports say so.
    Off,
}

impl Default for AntiReplay {
    fn default() -> Self {
        Self::Window(REPLAY_WINDOW_DEFAULT)
    }
}

/// Why a sequence number is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It was marked before, or is 0, which no sender uses.
    #[error("the sequence number was received before")]
    Duplicate,
    /// It is left of the window.
    #[error("the sequence number is older than the window")]
    TooOld,
}

/// Which sequence numbers were received.
#[derive(Clone, Debug)]
pub struct ReplayWindow {
    /// The highest number marked, 0 if none.
    top: u64,
    /// The number of packets the window spans.
    size: u64,
    /// A power of two of them; at least one more than the window needs, so that the block a new top lies in can be
    /// cleared without touching the window.
    blocks: Box<[u64]>,
}

impl ReplayWindow {
    /// A window of `size` packets, brought into [`REPLAY_WINDOW_MIN`]..=[`REPLAY_WINDOW_MAX`].
    #[must_use]
    pub fn new(size: u32) -> Self {
        let size = u64::from(size.clamp(REPLAY_WINDOW_MIN, REPLAY_WINDOW_MAX));
        let blocks = (size.div_ceil(BLOCK_BITS) + 1).next_power_of_two();
        Self { top: 0, size, blocks: (0..blocks).map(|_| 0).collect() }
    }

    /// The highest sequence number marked, 0 if none.
    #[must_use]
    pub const fn top(&self) -> u64 {
        self.top
    }

    /// The highest number marked, and the blocks: to be resumed by another process.
    pub(crate) fn state(&self) -> (u64, &[u64]) {
        (self.top, &self.blocks)
    }

    /// Takes over the [`state`](Self::state) of a window of the same size; `false`, with nothing done, if it can't be
    /// of one.
    pub(crate) fn resume(&mut self, top: u64, blocks: &[u64]) -> bool {
        let fits = self.blocks.len() == blocks.len();
        if fits {
            self.top = top;
            self.blocks.copy_from_slice(blocks);
        }
        fits
    }

    /// As if every number up to `top` were marked.
    pub(crate) fn accept_none_to(&mut self, top: u64) {
        self.blocks.fill(u64::MAX);
        self.top = top;
        // Not those behind it in its own block.
        *self.block_mut(top / BLOCK_BITS) = u64::MAX >> (BLOCK_BITS - 1 - top % BLOCK_BITS);
    }

    /// Whether `sequence` is the highest number seen up to now.
    #[must_use]
    pub const fn is_newest(&self, sequence: u64) -> bool {
        sequence > self.top
    }

    /// Whether a packet with this number may be looked at any further.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn check(&self, sequence: u64) -> Result<(), ReplayError> {
        if sequence == 0 {
            Err(ReplayError::Duplicate)
        } else if sequence > self.top {
            Ok(())
        } else if self.top - sequence >= self.size {
            Err(ReplayError::TooOld)
        } else if self.block(sequence) & bit(sequence) != 0 {
            Err(ReplayError::Duplicate)
        } else {
            Ok(())
        }
    }

    /// Marks the number of a packet that was verified, and moves the window if it is the highest.
    ///
    /// # Errors
    /// What [`check`](Self::check) says now; nothing is changed then.
    pub fn mark(&mut self, sequence: u64) -> Result<(), ReplayError> {
        self.check(sequence)?;
        if sequence > self.top {
            let (old, new) = (self.top / BLOCK_BITS, sequence / BLOCK_BITS);
            let stale = (new - old).min(self.count());
            for block in new - stale + 1..=new {
                *self.block_mut(block) = 0;
            }
            self.top = sequence;
        }
        *self.block_mut(sequence / BLOCK_BITS) |= bit(sequence);
        Ok(())
    }

    /// The full number whose low 32 bits a packet of an SA with extended sequence numbers carries (RFC 4303 appendix A).
    ///
    /// # Errors
    /// [`ReplayError::TooOld`] where the number would lie before the first or behind the last there is.
    pub fn infer_extended(&self, low: u32) -> Result<u64, ReplayError> {
        let (top_high, top_low) = (self.top >> 32, self.top & u64::from(u32::MAX));
        let low = u64::from(low);
        let high = if top_low >= self.size - 1 {
            // Case A: the window lies within one subspace.
            if low + self.size > top_low { Some(top_high) } else { Some(top_high + 1) }
        } else {
            // Case B: its left part lies in the subspace before.
            let bottom = (1 << 32) + top_low + 1 - self.size;
            if low >= bottom { top_high.checked_sub(1) } else { Some(top_high) }
        };
        match high {
            Some(high) if high <= u64::from(u32::MAX) => Ok(high << 32 | low),
            _ => Err(ReplayError::TooOld),
        }
    }

    fn count(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// The block with this number, of those there have been since the first.
    fn slot(&self, block: u64) -> usize {
        usize::try_from(block & (self.count() - 1)).unwrap_or_default()
    }

    fn block(&self, sequence: u64) -> u64 {
        self.blocks.get(self.slot(sequence / BLOCK_BITS)).copied().unwrap_or(u64::MAX)
    }

    fn block_mut(&mut self, block: u64) -> &mut u64 {
        let slot = self.slot(block);
        self.blocks.get_mut(slot).expect("a number masked by the power of two that is the length")
    }
}

const fn bit(sequence: u64) -> u64 {
    1 << (sequence % BLOCK_BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The definition: the numbers received, and the highest of them.
    #[derive(Default)]
    struct Model {
        seen: BTreeSet<u64>,
    }

    impl Model {
        fn mark(&mut self, sequence: u64, size: u64) -> Result<(), ReplayError> {
            let top = self.seen.last().copied().unwrap_or(0);
            if sequence == 0 || (self.seen.contains(&sequence) && top - sequence < size) {
                Err(ReplayError::Duplicate)
            } else if sequence + size <= top {
                Err(ReplayError::TooOld)
            } else {
                self.seen.insert(sequence);
                Ok(())
            }
        }
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, bool)>> {
        let step = prop_oneof![
            6 => -70_i64..70,
            2 => -5000_i64..5000,
            1 => -140_000_i64..140_000,
            1 => 0_i64..(1 << 40),
        ];
        proptest::collection::vec((step, any::<bool>()), 1..300)
    }

    proptest! {
        #[test]
        fn the_window_is_the_set_model(
            size in prop_oneof![
                Just(0_u32), Just(1), 31_u32..34, 63_u32..66, 127_u32..130, 4095_u32..4098, Just(65_536), Just(u32::MAX)
            ],
            steps in steps(),
        ) {
            let mut window = ReplayWindow::new(size);
            let mut model = Model::default();
            let mut sequence = 0_i64;
            for (step, relative_to_top) in steps {
                let base = if relative_to_top { i64::try_from(window.top()).unwrap() } else { sequence };
                sequence = base.saturating_add(step).max(0);
                let number = u64::try_from(sequence).unwrap();
                let expected = model.mark(number, window.size);
                prop_assert_eq!(window.check(number), expected, "check {}", number);
                prop_assert_eq!(window.mark(number), expected, "mark {}", number);
                prop_assert_eq!(window.top(), model.seen.last().copied().unwrap_or(0));
            }
        }

        #[test]
        fn an_extended_number_is_inferred_within_half_the_space(
            top in 1_u64..(1 << 40),
            ahead in -100_000_i64..(1 << 31),
        ) {
            let mut window = ReplayWindow::new(128);
            window.mark(top).unwrap();
            let sequence = top.saturating_add_signed(ahead).max(1);
            let low = u32::try_from(sequence & u64::from(u32::MAX)).unwrap();
            let inferred = window.infer_extended(low);
            if window.check(sequence) != Err(ReplayError::TooOld) {
                prop_assert_eq!(inferred, Ok(sequence));
            } else if let Ok(inferred) = inferred {
                // Taken for one of the next subspace, so that its integrity check fails.
                prop_assert!(inferred != sequence || window.check(inferred).is_err());
            }
        }
    }

    #[test]
    fn a_check_changes_nothing() {
        let mut window = ReplayWindow::new(64);
        for sequence in [1, 2, 3, 1 << 33] {
            window.mark(sequence).unwrap();
        }
        let before = window.clone();
        for far in [(1 << 33) + 1, u64::MAX, 5, 1 << 20] {
            let _ = window.check(far);
        }
        assert_eq!((window.top, &window.blocks), (before.top, &before.blocks));
        assert_eq!(window.check(1 << 33), Err(ReplayError::Duplicate));
        assert_eq!(window.check(3), Err(ReplayError::TooOld));
    }

    #[test]
    fn the_subspaces_meet_as_appendix_a_says() {
        // Case A at the end of the first subspace.
        let mut window = ReplayWindow::new(64);
        window.mark(0xffff_fff0).unwrap();
        assert_eq!(window.infer_extended(0xffff_ffff), Ok(0xffff_ffff));
        assert_eq!(window.infer_extended(0xffff_ffb1), Ok(0xffff_ffb1), "the left edge");
        assert_eq!(window.infer_extended(0xffff_ffb0), Ok(0x1_ffff_ffb0), "left of it");
        assert_eq!(window.infer_extended(5), Ok(0x1_0000_0005));
        // Case B at the start of the second.
        window.mark(0x1_0000_0005).unwrap();
        assert_eq!(window.infer_extended(6), Ok(0x1_0000_0006));
        assert_eq!(window.infer_extended(0xffff_ffff), Ok(0xffff_ffff));
        assert_eq!(
            window.infer_extended(0xffff_ffc5),
            Ok(0x1_ffff_ffc5),
            "left of the window, so ahead of it"
        );
        assert_eq!(window.infer_extended(0xffff_ffc6), Ok(0xffff_ffc6));
        // There is nothing before the first subspace and nothing behind the last.
        let window = ReplayWindow::new(64);
        assert_eq!(window.infer_extended(u32::MAX), Err(ReplayError::TooOld));
        let mut window = ReplayWindow::new(64);
        window.mark(u64::MAX).unwrap();
        assert_eq!(window.infer_extended(1), Err(ReplayError::TooOld));
    }
}
