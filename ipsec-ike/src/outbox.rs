//! The ordered queue of what is to come out.

use std::collections::VecDeque;

use ipsec_proto::net::Path;

use crate::event::Event;
use crate::output::{Effect, Framing, Output, Transmit};

#[derive(Debug)]
enum Queued {
    Datagram { path: Path, octets: Vec<u8>, framing: Framing },
    Effect(Effect),
    Event(Event),
}

/// What is to come out, in the order it was decided.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Queued>,
}

impl Outbox {
    pub(crate) fn send(&mut self, path: Path, octets: Vec<u8>, framing: Framing) {
        self.queue.push_back(Queued::Datagram { path, octets, framing });
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.queue.push_back(Queued::Effect(effect));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.queue.push_back(Queued::Event(event));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the oldest; a datagram's octets are appended to `out`.
    pub(crate) fn poll(&mut self, out: &mut Vec<u8>) -> Option<Output> {
        Some(match self.queue.pop_front()? {
            Queued::Datagram { path, octets, framing } => {
                let start = out.len();
                out.extend_from_slice(&octets);
                Output::Transmit(Transmit { path, range: start..out.len(), framing })
            }
            Queued::Effect(effect) => Output::Effect(effect),
            Queued::Event(event) => Output::Event(event),
        })
    }
}
