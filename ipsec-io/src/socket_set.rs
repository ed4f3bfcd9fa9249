//! Several sockets read in turns, none of which can starve the others, nor keep the loop busy with errors.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use ipsec_sad::Batch;

use crate::backend::{Moved, Taken};
use crate::socket::{Inbox, Received, Socket};

/// Calls of the system for one batch and socket; more is left for the next turn.
const ROUNDS: usize = 4;
/// How long a socket is left alone after the first turn that brought errors only, and after many.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// The sockets of a wire.
#[derive(Debug)]
pub(crate) struct SocketSet {
    sockets: Vec<Socket>,
    turns: Turns,
}

impl SocketSet {
    pub(crate) fn new(sockets: Vec<Socket>) -> Self {
        let turns = Turns::new(sockets.len());
        Self { sockets, turns }
    }

    /// Takes what has arrived; `push` hands a datagram that came by a socket bound to the address on to the batch.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        batch: &mut Batch,
        mut push: impl FnMut(SocketAddr, &Received<'_>, &mut Batch, &mut Moved) -> Taken,
    ) -> Moved {
        let Self { sockets, turns } = self;
        turns.receive(
            now,
            |number, inbox| match sockets.get(number) {
                Some(socket) => inbox.fill(socket),
                None => Err(io::ErrorKind::WouldBlock.into()),
            },
            |number, received, moved| match sockets.get(number) {
                Some(socket) => push(socket.local(), received, batch, moved),
                None => Taken::Yes,
            },
        )
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.sockets.iter()
    }

    pub(crate) fn sources(&self) -> Vec<BorrowedFd<'_>> {
        self.sockets.iter().map(Socket::as_fd).collect()
    }
}

/// Whose turn it is, and which sockets are left alone for now.
#[derive(Debug)]
struct Turns {
    inbox: Inbox,
    /// The socket that the inbox was filled from, and that is looked at first.
    turn: usize,
    pauses: Vec<Option<Pause>>,
}

/// A socket has brought nothing but errors.
#[derive(Clone, Copy, Debug)]
struct Pause {
    length: Duration,
    until: Instant,
}

impl Pause {
    fn after(before: Option<Self>, now: Instant) -> Self {
        let [first, longest] = PAUSES;
        let length = before.map_or(first, |before| (before.length * 2).min(longest));
        Self { length, until: now + length }
    }
}

impl Turns {
    fn new(sockets: usize) -> Self {
        Self { inbox: Inbox::new(), turn: 0, pauses: vec![None; sockets] }
    }

    fn receive(
        &mut self,
        now: Instant,
        mut fill: impl FnMut(usize, &mut Inbox) -> io::Result<()>,
        mut push: impl FnMut(usize, &Received<'_>, &mut Moved) -> Taken,
    ) -> Moved {
        let mut moved = Moved::default();
        for _ in 0..self.pauses.len() {
            let mut errors = 0;
            for round in 0..=ROUNDS {
                if !self.drain(&mut push, &mut moved) {
                    return moved;
                }
                let pause = self.pauses.get(self.turn).copied().flatten();
                if let Some(pause) = pause.filter(|pause| pause.until > now) {
                    moved.call_again_in(pause.until - now);
                    break;
                }
                if round == ROUNDS {
                    // Whatever waits behind only errors waits for the end of a pause.
                    if errors == ROUNDS {
                        let pause = Pause::after(pause, now);
                        moved.call_again_in(pause.length);
                        self.set_pause(Some(pause));
                    } else {
                        moved.more = true;
                    }
                    break;
                }
                match fill(self.turn, &mut self.inbox) {
                    Ok(()) => self.set_pause(None),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error of an earlier datagram; it says nothing about those that wait.
                    Err(error) => {
                        errors += 1;
                        moved.error = Some(error);
                    }
                }
            }
            self.turn = (self.turn + 1) % self.pauses.len();
        }
        moved
    }

    fn set_pause(&mut self, pause: Option<Pause>) {
        if let Some(slot) = self.pauses.get_mut(self.turn) {
            *slot = pause;
        }
    }

    /// Hands on what the inbox holds; `false` when there is no more room.
    fn drain(
        &mut self,
        push: &mut impl FnMut(usize, &Received<'_>, &mut Moved) -> Taken,
        moved: &mut Moved,
    ) -> bool {
        while let Some(received) = self.inbox.front() {
            if push(self.turn, &received, moved) == Taken::Full {
                return false;
            }
            self.inbox.advance();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        Instant::now()
    }

    #[test]
    fn a_socket_that_only_fails_is_left_alone_for_longer_and_longer() {
        let (start, mut turns, mut calls) = (start(), Turns::new(1), 0);
        let mut turn = |millis, calls: &mut usize| {
            let fill = |_: usize, _: &mut Inbox| {
                *calls += 1;
                Err(io::ErrorKind::Other.into())
            };
            turns.receive(start + Duration::from_millis(millis), fill, |_, _, _| Taken::Yes)
        };
        let again = |moved: &Moved| moved.again.map(|pause| pause.as_millis());
        let moved = turn(0, &mut calls);
        assert_eq!((calls, moved.more, again(&moved)), (ROUNDS, false, Some(10)));
        assert!(moved.error.is_some());
        let moved = turn(9, &mut calls);
        assert_eq!((calls, moved.more, again(&moved)), (ROUNDS, false, Some(1)), "not touched");
        let mut at = 10;
        let mut lengths = Vec::new();
        for _ in 0..8 {
            let moved = turn(at, &mut calls);
            assert!(!moved.more);
            let length = u64::try_from(again(&moved).unwrap()).unwrap();
            lengths.push(length);
            at += length;
        }
        assert_eq!(lengths, [20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(calls, 9 * ROUNDS);
    }

    #[test]
    fn one_error_stops_nothing_and_a_socket_that_works_again_is_trusted_again() {
        let (start, mut turns) = (start(), Turns::new(2));
        let mut seen = Vec::new();
        let mut errors = 1;
        let moved = turns.receive(
            start,
            |number, _| {
                seen.push(number);
                if number == 0 && errors > 0 {
                    errors -= 1;
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                Err(io::ErrorKind::WouldBlock.into())
            },
            |_, _, _| Taken::Yes,
        );
        assert_eq!((seen, moved.more, moved.again), (vec![0, 0, 1], false, None));
        for (millis, fails, again) in [(0, true, Some(10)), (10, false, None), (20, true, Some(10))] {
            let mut rounds = 0;
            let moved = turns.receive(
                start + Duration::from_millis(millis),
                |number, _| {
                    rounds += 1;
                    match (number, fails, rounds) {
                        (0, true, _) => Err(io::ErrorKind::Other.into()),
                        (0, false, 1) => Ok(()),
                        _ => Err(io::ErrorKind::WouldBlock.into()),
                    }
                },
                |_, _, _| Taken::Yes,
            );
            assert_eq!(moved.again.map(|pause| pause.as_millis()), again, "at {millis}");
        }
    }
}
