//! A node: IKE, the data plane and the queue of packets that wait for an SA, joined, and still without I/O.
//!
//! ```text
//!   datagrams --> handle_wire --+--> Ike ----------> effects --> SAD, SPD
//!                               |     ^  |                         |
//!                               |     |  +--> events, datagrams    | Deliver
//!                               |     | SadEvent                   v
//!                               +--> Worker::inbound ---------> packets for the link
//!   packets ----> handle_link ------> Worker::outbound -------> datagrams for the wire
//!                                     `--> Acquire: parked until ChildUp or ChildFailed
//! ```
//!
//! Time, randomness and octets come in; what is to be sent and what happened comes out of the batches, and of
//! [`Node::poll_output`], which is drained after every call of another method.

mod acquire;
mod config;
mod effects;
mod manual;
mod policies;
mod report;
mod waiting;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_crypto::{CryptoProvider, SecureRandom};
use ipsec_ike::{
    Answer, AskId, Command, CommandError, Disposition, Event, Framing, Ike, Now, Output, Question, RequestId,
    Role,
};
use ipsec_proto::Path;
use ipsec_proto::udp_encap::{self, Datagram};
use ipsec_sad::{Batch, Encap, Meta, SadEvent, SpiAllocator, Update, Verdict, Worker, WorkerConfig};

use crate::backend::Form;
use crate::events::{NodeEvent, Record, What};
use crate::pcap::keys::KeyLine;

pub use config::{NodeConfig, NodeLimits, Rule, RuleAction, SetupError};
use manual::Manual;
use policies::Policies;
pub use report::{
    ChildReport, DropReport, GuardDirection, GuardReport, IkeCounters, IkeSaReport, NodeReport, PolicyReport,
    TrafficReport, WaitingReport,
};
use waiting::{Due, Parked, Waiting};

/// What comes out of a [`Node`] besides the batches.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeOutput {
    /// Octets for the network.
    Transmit(Transmit),
    /// Something that happened.
    Record(Box<Record>),
    /// Keys for a protocol analyser, if the connections' [`key_log`](ipsec_ike::Config::key_log) asks for them.
    KeyLog(KeyLine),
    /// A question of IKE, to be answered by [`Node::answer`].
    Ask {
        /// Its number.
        id: AskId,
        /// What is asked.
        question: Question,
    },
}

/// Octets for the network: an IKE message with the non-ESP marker it needs, a NAT keepalive, or a packet that waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The way they take.
    pub path: Path,
    /// What the octets begin with.
    pub form: Form,
    /// The traffic class of the outer header.
    pub traffic_class: u8,
    /// Where they are in the buffer that was given to [`Node::poll_output`].
    pub range: Range<usize>,
}

#[derive(Debug)]
enum Queued {
    Transmit { path: Path, form: Form, traffic_class: u8, octets: Vec<u8> },
    Other(NodeOutput),
}

/// Why [`Node::poll_timeout`] asks to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimerKind {
    /// IKE has something to do.
    Ike(ipsec_ike::TimerKind),
    /// An SA reaches a limit of its lifetime.
    Sad,
    /// Packets have waited long enough.
    Waiting,
}

/// IKE, one worker of the data plane, and the packets between them.
///
/// The methods are of four kinds: `handle_*` take what comes in, `command`, `answer` and `reload` are the operator's,
/// `poll_*` give what comes out, and [`report`](Self::report) looks. After each of the first two kinds
/// [`poll_output`](Self::poll_output) is called until it gives `None`; time must not go backwards.
pub struct Node {
    ike: Ike,
    /// One for now; SPIs already name their worker, so several can share the load.
    worker: Worker,
    provider: Arc<CryptoProvider>,
    config: NodeConfig,
    policies: Policies,
    manual: Manual,
    spis: SpiAllocator,
    waiting: Waiting,
    outputs: VecDeque<Queued>,
    /// For packets that are sent after waiting.
    scratch: Batch,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Packets that are sealed together after waiting.
const SCRATCH: usize = 32;
/// The longest packet that can wait, in octets.
const LONGEST: usize = 65_535;

impl Node {
    /// A node without SAs. Children that are to start at once do so: drain [`poll_output`](Self::poll_output).
    ///
    /// # Errors
    /// [`SetupError`], with the connection and the way to mend it.
    pub fn new(
        config: NodeConfig,
        provider: Arc<CryptoProvider>,
        mut random: Box<dyn SecureRandom + Send>,
        now: Now,
    ) -> Result<Self, SetupError> {
        let spis = SpiAllocator::new(1);
        let mut worker = Worker::new(WorkerConfig::default(), &mut *random);
        let mut manual = Manual::default();
        manual.take_up(now, &config, &spis, &provider, &mut worker)?;
        let policies = Policies::compile(&config, &manual, None)?;
        worker.apply(now.mono, Update::Policies(Arc::clone(&policies.spd)));
        let ike = Ike::new(Arc::clone(&config.ike), Arc::clone(&provider), spis.clone(), random, now)?;
        let mut node = Self {
            ike,
            worker,
            provider,
            waiting: Waiting::new(config.limits),
            config,
            policies,
            manual,
            spis,
            outputs: VecDeque::new(),
            scratch: Batch::new(SCRATCH, LONGEST),
            buffer: Vec::new(),
        };
        node.settle(now);
        Ok(node)
    }

    /// The configuration in force.
    #[must_use]
    pub const fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Takes datagrams as they were received: UDP payloads, ESP from its header on with [`Encap::Raw`], or whole IP packets
    /// of ESP and AH with [`Meta::Packet`].
    ///
    /// IKE messages and keepalives are consumed; ESP packets are opened in place. Those left with
    /// [`Verdict::Deliver`] are for the link.
    pub fn handle_wire(&mut self, now: Now, batch: &mut Batch) {
        for number in 0..batch.len() {
            // A whole packet is the data plane's: it came by a socket for ESP or AH.
            let Some(Meta::Wire { path, encap, .. }) = batch.meta(number) else { continue };
            let octets = batch.packet(number).unwrap_or_default();
            match classify(path, encap, octets, self.config.ike.ports().natt) {
                Datagram::Esp(_) => continue,
                Datagram::Ike(message) => {
                    let _: Disposition = self.ike.handle_datagram(now, path, message);
                }
                Datagram::Keepalive | Datagram::Invalid => {}
            }
            batch.consume(number);
        }
        self.settle(now);
        self.worker.inbound(now.mono, batch);
        self.settle(now);
    }

    /// Takes packets in clear from the protected side. They are sealed in place: those left with [`Verdict::Send`] are
    /// for the wire. Those that need an SA first are copied and wait.
    pub fn handle_link(&mut self, now: Now, batch: &mut Batch) {
        self.worker.outbound(now.mono, batch);
        for packet in batch.iter() {
            if let Verdict::Acquire(id) = packet.verdict {
                self.park(now, id, packet.octets);
            }
        }
        self.settle(now);
    }

    /// Does what time asks for. Early or superfluous calls do nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        self.ike.handle_timeout(now);
        self.worker.handle_timeout(now.mono);
        for due in self.waiting.due(now.mono) {
            match due {
                Due::Release(id) => self.release(now, id),
                Due::GiveUp(id) => self.fail(now, id),
            }
        }
        self.settle(now);
    }

    /// Carries out an operator's wish; a record with the code `command.done` says how it ended.
    ///
    /// # Errors
    /// [`CommandError`] for what makes no sense. `Reload` here changes the connections only: see [`reload`](Self::reload).
    pub fn command(&mut self, now: Now, command: Command) -> Result<RequestId, CommandError> {
        let result = self.ike.command(now, command);
        self.settle(now);
        result
    }

    /// Answers a question that came out as [`NodeOutput::Ask`].
    pub fn answer(&mut self, now: Now, id: AskId, answer: Answer) {
        self.ike.answer(now, id, answer);
        self.settle(now);
    }

    /// Takes up a new configuration. SAs whose configuration is unchanged stay; all policies change at once.
    ///
    /// # Errors
    /// [`SetupError`]; nothing has changed then.
    pub fn reload(&mut self, now: Now, config: NodeConfig) -> Result<RequestId, SetupError> {
        // A first look, so that what cannot be compiled changes nothing.
        Policies::compile(&config, &self.manual, Some(&self.policies))?;
        self.manual.take_up(now, &config, &self.spis, &self.provider, &mut self.worker)?;
        let policies = Policies::compile(&config, &self.manual, Some(&self.policies))?;
        let request = self.ike.command(now, Command::Reload(Arc::clone(&config.ike)))?;
        self.worker.apply(now.mono, Update::Policies(Arc::clone(&policies.spd)));
        let (connections, count) = (config.ike.connections().len(), policies.spd.policies().len());
        self.policies = policies;
        self.waiting.set_limits(config.limits);
        self.config = config;
        self.record(now, What::Node(NodeEvent::Reloaded { connections, policies: count }));
        self.settle(now);
        Ok(request)
    }

    /// The next thing that comes out; octets are appended to `out`.
    pub fn poll_output(&mut self, out: &mut Vec<u8>) -> Option<NodeOutput> {
        Some(match self.outputs.pop_front()? {
            Queued::Other(output) => output,
            Queued::Transmit { path, form, traffic_class, octets } => {
                let start = out.len();
                out.extend_from_slice(&octets);
                NodeOutput::Transmit(Transmit { path, form, traffic_class, range: start..out.len() })
            }
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, TimerKind)> {
        let ike = self.ike.poll_timeout().map(|(at, kind)| (at, TimerKind::Ike(kind)));
        let sad = self.worker.poll_timeout().map(|at| (at, TimerKind::Sad));
        let waiting = self.waiting.deadline().map(|at| (at, TimerKind::Waiting));
        [ike, sad, waiting].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Does what the layers ask of each other until none asks any more.
    fn settle(&mut self, now: Now) {
        loop {
            let mut quiet = true;
            while let Some(event) = self.worker.next_event() {
                quiet = false;
                self.sad_event(now, event);
            }
            while let Some(output) = self.ike.poll_output(&mut self.buffer) {
                quiet = false;
                self.ike_output(now, output);
                self.buffer.clear();
            }
            if quiet {
                break;
            }
        }
        while let Some(event) = self.worker.next_audit() {
            self.record(now, What::Audit(event));
        }
    }

    fn sad_event(&mut self, now: Now, event: SadEvent) {
        if let SadEvent::Acquire { id, policy, template, flow, .. } = event {
            self.waiting.name(now.mono, id, template);
            self.record(now, What::Node(NodeEvent::Acquire { id, policy, flow }));
        }
        self.ike.handle_sad(now, event);
    }

    fn ike_output(&mut self, now: Now, output: Output) {
        match output {
            Output::Transmit(transmit) => {
                let message = self.buffer.get(transmit.range).unwrap_or_default();
                let octets = match transmit.framing {
                    Framing::NonEspMarker => udp_encap::mark(message),
                    Framing::Bare | Framing::Keepalive => message.to_vec(),
                };
                self.outputs.push_back(Queued::Transmit {
                    path: transmit.path,
                    form: Form::Udp,
                    traffic_class: 0,
                    octets,
                });
            }
            Output::Effect(effect) => self.carry_out(now, effect),
            Output::Event(event) => {
                self.record(now, What::Ike(event.clone()));
                self.ike_event(now, &event);
            }
            _ => {}
        }
    }

    fn ike_event(&mut self, now: Now, event: &Event) {
        match event {
            Event::ChildUp(up) => {
                // A responder knows that the peer can receive; an initiator, that QM3 is on its way.
                let moment = match up.role {
                    Role::Initiator => self.config.limits.settling,
                    Role::Responder => Duration::ZERO,
                };
                let same = self.waiting.of_template(up.template);
                for id in up.acquires.iter().chain(&same) {
                    if moment.is_zero() {
                        self.release(now, *id);
                    } else {
                        self.waiting.release_at(*id, now.mono + moment);
                    }
                }
            }
            Event::ChildFailed { acquires, template, .. } => {
                let until = now.mono + self.config.limits.hold_down;
                self.worker.apply(now.mono, Update::HoldDown { template: *template, until });
                let same = self.waiting.of_template(*template);
                for id in acquires.iter().chain(&same) {
                    self.give_up(now, *id);
                }
            }
            Event::AcquireRefused { acquire, .. } => self.fail(now, *acquire),
            _ => {}
        }
    }

    fn record(&mut self, now: Now, what: What) {
        self.outputs.push_back(Queued::Other(NodeOutput::Record(Box::new(Record { at: now, what }))));
    }
}

/// What a datagram is: by its port, and on the port that IKE and ESP share by its first octets (RFC 3948 §2).
fn classify(path: Path, encap: Encap, octets: &[u8], natt: u16) -> Datagram<'_> {
    match encap {
        Encap::Raw => Datagram::Esp(octets),
        Encap::Udp if path.local.port() == natt => udp_encap::classify(octets),
        Encap::Udp => Datagram::Ike(octets),
    }
}
