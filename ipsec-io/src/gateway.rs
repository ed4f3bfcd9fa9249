//! A node with backends and a clock: the only loop, and the only place that reads the time.
//!
//! ```no_run
//! use std::sync::Arc;
//! use ipsec_io::crypto::CryptoProvider;
//! use ipsec_io::gateway::Gateway;
//! use ipsec_io::node::NodeConfig;
//! use ipsec_io::tun::TunLink;
//! use ipsec_io::udp::{UdpConfig, UdpWire};
//!
//! # fn connections() -> ipsec_io::ike::Config { ipsec_io::ike::Config::default() }
//! let wire = UdpWire::bind(&UdpConfig::default())?;
//! let link = TunLink::open("ipsec0", 1400)?;
//! let gateway = Gateway::builder(NodeConfig::new(Arc::new(connections())), wire, link)
//!     .provider(Arc::new(CryptoProvider::default()))
//!     .build()?;
//! let handle = gateway.handle();
//! std::thread::spawn(move || gateway.run());
//! # drop(handle);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod flood;
mod guards;
mod handle;
mod questions;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use arrayvec::ArrayVec;
use ipsec_ike::{Answer, AskId, Command, Event, Now, Outcome, RequestId, UnixTime};
use ipsec_sad::{Batch, Verdict};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::backend::{Datagram, Link, Moved, Wire, to_link, to_wire};
use crate::control::{Reply, Request, Server};
use crate::events::{Level, NodeEvent, Record, Ring, What};
use crate::node::{GuardReport, Node, NodeOutput, Transmit};

use builder::Hooks;
pub use builder::{GatewayBuilder, GatewayError};
use flood::Flood;
use guards::Guards;
use handle::Origin;
pub use handle::{Handle, HandleError};
use questions::Resolver;

/// The handle's waker; all other tokens say no more than that something is to be done.
const WAKE: Token = Token(0);
const WORK: Token = Token(1);
/// Packets handled in one go from each side.
const BATCH: usize = 64;
/// The longest IP packet and the longest datagram, in octets.
const LONGEST: usize = 65_535;
/// How long the deletes of a shutdown may take.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often errors of a backend are reported at most.
const COMPLAINT: Duration = Duration::from_secs(1);
/// Commands from handles that are taken up in one turn.
const COMMANDS: usize = 64;

/// A running gateway, or one that is about to.
pub struct Gateway {
    node: Node,
    wire: Box<dyn Wire + Send>,
    link: Box<dyn Link + Send>,
    bypass: Option<Box<dyn Link + Send>>,
    poll: Poll,
    handle: Handle,
    incoming: Receiver<Incoming>,
    control: Option<Server>,
    resolver: Resolver,
    hooks: Hooks,
    pending: BTreeMap<RequestId, Vec<Origin>>,
    ring: Ring,
    flood: Flood,
    wire_batch: Batch,
    link_batch: Batch,
    complaints: [Complaint; 3],
    guards: Guards,
    farewell: Option<Instant>,
    /// When a backend wants to be called again, if nothing else happens.
    again: Option<Instant>,
    finished: bool,
}

/// What reaches the loop from other threads.
#[derive(Debug)]
enum Incoming {
    Request(Request, Origin),
    Answer(AskId, Answer),
    Enforced(Vec<GuardReport>),
}

/// Errors of one side, gathered so that a flood of them is one record a second.
#[derive(Debug, Default)]
struct Complaint {
    dropped: usize,
    error: Option<String>,
    reported: Option<Instant>,
}

const WIRE_SIDE: usize = 0;
const LINK_SIDE: usize = 1;
const CLEAR_SIDE: usize = 2;

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("node", &self.node)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// A handle for other threads: to ask, to command, to end it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until it is told to shut down. All SAs are deleted then, and the peers told.
    ///
    /// # Errors
    /// [`GatewayError::Poll`] when the system cannot say any more what is ready. Errors of backends end nothing: they
    /// are records.
    pub fn run(mut self) -> Result<(), GatewayError> {
        let mut events = Events::with_capacity(64);
        self.outputs(clock());
        loop {
            let more = self.turn(clock());
            if self.finished {
                return Ok(());
            }
            let timeout = if more { Some(Duration::ZERO) } else { self.patience(clock()) };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(GatewayError::Poll(error));
                }
                _ => {}
            }
        }
    }

    /// How long there is nothing to do by itself; `None`: for ever.
    fn patience(&self, now: Now) -> Option<Duration> {
        let next = self.node.poll_timeout().map(|(at, _)| at).into_iter().chain(self.farewell);
        let next = next.chain(self.again).min()?;
        Some(next.saturating_duration_since(now.mono))
    }

    /// Does all that is ready, a batch of each kind at most; whether there may be more.
    fn turn(&mut self, now: Now) -> bool {
        if self.node.poll_timeout().is_some_and(|(at, _)| at <= now.mono) {
            self.node.handle_timeout(now);
            self.outputs(now);
        }
        self.again = None;
        let wire = self.take_wire(now);
        let link = self.take_link(now);
        let told = self.take_commands(now);
        let asked = self.take_control(now);
        self.complain(now);
        if self.farewell.is_some_and(|until| now.mono >= until) {
            self.finished = true;
        }
        wire || link || told || asked
    }

    fn take_wire(&mut self, now: Now) -> bool {
        self.wire_batch.clear();
        let moved = self.wire.receive(now, &mut self.wire_batch);
        let more = moved.more;
        self.call_again(now, &moved);
        self.note(WIRE_SIDE, moved);
        if !self.wire_batch.is_empty() {
            self.node.handle_wire(now, &mut self.wire_batch);
            let moved = send_clear(&mut *self.link, now, to_link(&self.wire_batch));
            self.note(LINK_SIDE, moved);
            self.outputs(now);
        }
        more
    }

    fn take_link(&mut self, now: Now) -> bool {
        self.link_batch.clear();
        let moved = self.link.receive(now, &mut self.link_batch);
        let more = moved.more;
        self.call_again(now, &moved);
        self.note(LINK_SIDE, moved);
        if !self.link_batch.is_empty() {
            self.node.handle_link(now, &mut self.link_batch);
            let moved = send_sealed(&mut *self.wire, now, &self.link_batch);
            self.note(WIRE_SIDE, moved);
            self.let_pass(now);
            self.outputs(now);
        }
        more
    }

    /// Sends on what a policy lets pass in clear though a route led it here.
    fn let_pass(&mut self, now: Now) {
        let bypassed = || self.link_batch.iter().filter(|packet| packet.verdict == Verdict::Bypass);
        let moved = match &mut self.bypass {
            _ if bypassed().next().is_none() => return,
            Some(path) => send_clear(&mut **path, now, bypassed().map(|packet| packet.octets)),
            None => {
                let error = io::Error::other(
                    "a policy lets traffic pass in clear, but a route leads it into the tunnel",
                );
                Moved { dropped: bypassed().count(), error: Some(error), ..Moved::default() }
            }
        };
        self.note(CLEAR_SIDE, moved);
    }

    fn take_commands(&mut self, now: Now) -> bool {
        for _ in 0..COMMANDS {
            match self.incoming.try_recv() {
                Ok(Incoming::Request(request, origin)) => self.request(now, request, origin),
                Ok(Incoming::Answer(id, answer)) => {
                    self.resolver.done();
                    self.node.answer(now, id, answer);
                    self.outputs(now);
                }
                Ok(Incoming::Enforced(guards)) => {
                    for event in self.guards.take(now.mono, guards) {
                        self.record(Record { at: now, what: What::Node(event) });
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn take_control(&mut self, now: Now) -> bool {
        let Some(server) = &mut self.control else { return false };
        let registry = self.poll.registry();
        server.accept(|fd| watch(registry, fd).is_ok());
        let requests = server.turn();
        let any = !requests.is_empty();
        for (client, request) in requests {
            self.request(now, request, Origin::Client(client));
        }
        any
    }

    fn request(&mut self, now: Now, request: Request, origin: Origin) {
        let command = match request {
            Request::Status => {
                let mut report = Box::new(self.node.report(now));
                report.enforcement = self.guards.report();
                return self.reply(origin, &Reply::Status { report });
            }
            Request::History { peer } => {
                let records = self.ring.of(peer).map(Record::text).collect();
                return self.reply(origin, &Reply::History { records });
            }
            Request::Reload => return self.reload(now, origin),
            Request::Up { connection, child } => Command::Up { connection, child },
            Request::Down { connection, child } => Command::Down { connection, child },
            Request::Shutdown => {
                self.farewell.get_or_insert(now.mono + FAREWELL);
                Command::Clear
            }
        };
        match self.node.command(now, command) {
            Ok(request) => self.pending.entry(request).or_default().push(origin),
            Err(error) => self.reply(origin, &Reply::failed(error.to_string())),
        }
        self.outputs(now);
    }

    fn reload(&mut self, now: Now, origin: Origin) {
        let Some(read) = &mut self.hooks.reload else {
            return self
                .reply(origin, &Reply::failed("this gateway has no configuration file to read again"));
        };
        match read().and_then(|config| self.node.reload(now, config).map_err(|error| error.to_string())) {
            Ok(request) => self.pending.entry(request).or_default().push(origin),
            Err(message) => self.reply(origin, &Reply::failed(format!("nothing was changed: {message}"))),
        }
        self.outputs(now);
    }

    fn reply(&mut self, origin: Origin, reply: &Reply) {
        match origin {
            Origin::Client(id) => {
                if let Some(server) = &mut self.control {
                    server.answer(id, reply);
                }
            }
            // Nobody waits any more if it cannot be sent.
            Origin::Thread(sender) => drop(sender.send(reply.clone())),
            Origin::Nobody => {}
        }
    }

    /// Drains the node: sends what is to be sent, in order, and hands records, keys and questions on.
    fn outputs(&mut self, now: Now) {
        let mut octets = Vec::new();
        let mut transmits: Vec<Transmit> = Vec::new();
        while let Some(output) = self.node.poll_output(&mut octets) {
            match output {
                NodeOutput::Transmit(transmit) => transmits.push(transmit),
                NodeOutput::Record(record) => self.record(*record),
                NodeOutput::KeyLog(line) => {
                    if let Some(write) = &mut self.hooks.keys {
                        write(&line);
                    }
                }
                NodeOutput::Ask { id, question } => self.resolver.ask(id, question, &self.handle),
            }
        }
        let datagrams: Vec<Datagram<'_>> = transmits
            .iter()
            .map(|transmit| Datagram {
                path: transmit.path,
                form: transmit.form,
                traffic_class: transmit.traffic_class,
                octets: octets.get(transmit.range.clone()).unwrap_or_default(),
            })
            .collect();
        let moved = transmit(&mut *self.wire, now, &datagrams);
        self.note(WIRE_SIDE, moved);
    }

    fn record(&mut self, record: Record) {
        let (admitted, notice) = self.flood.admit(&record);
        for record in notice.into_iter().chain(admitted.then_some(record)) {
            self.publish(record);
        }
    }

    fn publish(&mut self, record: Record) {
        record.trace();
        if let Some(sink) = &mut self.hooks.records {
            sink(&record);
        }
        if let What::Ike(Event::Done { request, outcome }) = &record.what {
            for origin in self.pending.remove(request).unwrap_or_default() {
                self.reply(origin, &reply_for(outcome));
            }
            // With the last farewell said there is nothing to wait for.
            self.finished |= self.farewell.is_some() && self.pending.is_empty();
        }
        // What strangers send must not push out what happened with peers.
        if record.level() < Level::Trace {
            self.ring.push(record);
        }
    }

    fn call_again(&mut self, now: Now, moved: &Moved) {
        let at = moved.again.map(|pause| now.mono + pause);
        self.again = self.again.into_iter().chain(at).min();
    }

    fn note(&mut self, side: usize, moved: Moved) {
        if let Some(complaint) = self.complaints.get_mut(side) {
            complaint.dropped += moved.dropped;
            if let Some(error) = moved.error {
                complaint.error = Some(error.to_string());
            }
        }
    }

    fn complain(&mut self, now: Now) {
        for (index, side) in [(WIRE_SIDE, "wire"), (LINK_SIDE, "link"), (CLEAR_SIDE, "clear")] {
            let Some(complaint) = self.complaints.get_mut(index) else { continue };
            let recent =
                complaint.reported.is_some_and(|at| now.mono.saturating_duration_since(at) < COMPLAINT);
            if recent || (complaint.error.is_none() && complaint.dropped == 0) {
                continue;
            }
            complaint.reported = Some(now.mono);
            let dropped = std::mem::take(&mut complaint.dropped);
            let error = complaint.error.take().unwrap_or_else(|| "no room for packets".to_owned());
            let what = What::Node(NodeEvent::Backend { side, dropped, error });
            self.record(Record { at: now, what });
        }
    }
}

/// Sends the packets of one of the gateway's batches, which there are [`BATCH`] of at most.
fn send_clear<'a>(link: &mut dyn Link, now: Now, packets: impl Iterator<Item = &'a [u8]>) -> Moved {
    let packets: ArrayVec<&[u8], BATCH> = packets.collect();
    if packets.is_empty() { Moved::default() } else { link.send(now, &packets) }
}

/// Sends what of one of the gateway's batches is for the network.
fn send_sealed(wire: &mut dyn Wire, now: Now, batch: &Batch) -> Moved {
    let datagrams: ArrayVec<Datagram<'_>, BATCH> = to_wire(batch).collect();
    transmit(wire, now, &datagrams)
}

/// Sends, and counts as dropped what the wire has no way to send: ESP and AH where there are only UDP sockets.
fn transmit(wire: &mut dyn Wire, now: Now, datagrams: &[Datagram<'_>]) -> Moved {
    if datagrams.is_empty() {
        return Moved::default();
    }
    let mut moved = wire.send(now, datagrams);
    let passed_over = datagrams.len().saturating_sub(moved.packets + moved.dropped);
    if passed_over > 0 {
        moved.dropped += passed_over;
        moved
            .error
            .get_or_insert_with(|| io::Error::other("the wire has no way to send ESP and AH without UDP"));
    }
    moved
}

fn reply_for(outcome: &Outcome) -> Reply {
    match outcome {
        Outcome::Done => Reply::done("done"),
        Outcome::AlreadyUp => Reply::done("it stood already"),
        Outcome::Failed(diagnosis) => Reply::failed(diagnosis.to_string()),
        Outcome::Cancelled => Reply::failed("cancelled by a later command or a new configuration"),
        other => Reply::failed(format!("{other:?}")),
    }
}

/// Has the poll wake up when something comes in, or can be sent again after it could not.
fn watch(registry: &mio::Registry, fd: RawFd) -> io::Result<()> {
    registry.register(&mut SourceFd(&fd), WORK, Interest::READABLE | Interest::WRITABLE)
}

/// Both clocks, read once.
#[expect(clippy::disallowed_methods, reason = "the gateway's loop is where time comes from")]
pub(crate) fn clock() -> Now {
    let utc = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { mono: Instant::now(), utc: UnixTime::from_epoch(utc) }
}

fn watch_sources(registry: &mio::Registry, wire: &dyn Wire, link: &dyn Link) -> io::Result<()> {
    for source in wire.sources().into_iter().chain(link.sources()) {
        registry.register(&mut SourceFd(&source.as_raw_fd()), WORK, Interest::READABLE)?;
    }
    Ok(())
}
