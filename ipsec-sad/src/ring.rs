//! The fixed rings in which events wait for the control side.

/// A first-in, first-out queue that never grows.
pub(crate) struct Ring<T> {
    /// `None` where empty; the capacity is the length.
    slots: Box<[Option<T>]>,
    next: usize,
    len: usize,
}

impl<T: Copy> Ring<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { slots: vec![None; capacity].into_boxed_slice(), next: 0, len: 0 }
    }

    /// Appends; gives back `false`, with nothing changed, if the ring is full: one of no capacity always is.
    #[must_use]
    pub(crate) fn push(&mut self, value: T) -> bool {
        if self.is_full() {
            return false;
        }
        let place = (self.next + self.len) % self.slots.len();
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some(value);
            self.len += 1;
        }
        true
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let value = self.slots.get_mut(self.next)?.take()?;
        // Not empty, since the slot was there.
        self.next = (self.next + 1) % self.slots.len();
        self.len -= 1;
        Some(value)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Whether more than half of the ring is in use: what an unauthenticated sender can cause stays out then.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.len * 2 > self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_order_and_refuses_when_full() {
        let mut ring = Ring::new(3);
        for round in 0..10 {
            assert!(ring.is_empty());
            assert!(ring.push(round) && ring.push(round + 1) && !ring.is_crowded() || ring.is_crowded());
            assert!(ring.push(round + 2));
            assert!(!ring.push(99), "full");
            assert_eq!([ring.pop(), ring.pop()], [Some(round), Some(round + 1)]);
            assert!(ring.push(7));
            assert_eq!([ring.pop(), ring.pop(), ring.pop()], [Some(round + 2), Some(7), None]);
        }
    }
}
