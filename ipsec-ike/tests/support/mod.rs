//! Two endpoints and a wire between them, in virtual time.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its own part of it, and a fault is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_ike::crypto::{CryptoProvider, Seeded};
use ipsec_ike::proto::{Path, Spi};
use ipsec_ike::sad::{AddressRange, Encap, PairId, Selector, SpiAllocator, TemplateId};
use ipsec_ike::*;

pub const LEFT: &str = "192.0.2.1";
pub const RIGHT: &str = "192.0.2.2";
pub const PSK: &[u8] = b"correct horse battery staple";

/// A side's configuration, in the words of a test.
#[derive(Clone)]
pub struct Setup {
    pub ike: Vec<&'static str>,
    pub esp: Vec<&'static str>,
    pub psk: &'static [u8],
    pub local_net: &'static str,
    pub remote_net: &'static str,
    pub local_id: Option<&'static str>,
    pub remote_id: Option<&'static str>,
    pub nat: NatTraversal,
    pub limits: Limits,
    pub timing: Timing,
    pub child_lifetime: Duration,
    pub ike_lifetime: Duration,
    pub remote: Option<RemoteAddress>,
    pub local: Option<LocalAddress>,
    pub start: Start,
    pub mode: ChildMode,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            ike: vec!["aes128-sha1-modp2048"],
            esp: vec!["aes128-sha1"],
            psk: PSK,
            local_net: "10.1.0.0/24",
            remote_net: "10.2.0.0/24",
            local_id: None,
            remote_id: None,
            nat: NatTraversal::Auto,
            limits: Limits::default(),
            timing: Timing::default(),
            child_lifetime: Duration::from_secs(3600),
            ike_lifetime: Duration::from_secs(4 * 3600),
            remote: None,
            local: None,
            start: Start::Traffic,
            mode: ChildMode::Tunnel,
        }
    }
}

impl Setup {
    /// The same for the other end: the nets exchanged.
    pub fn mirrored(&self) -> Self {
        Self {
            local_net: self.remote_net,
            remote_net: self.local_net,
            local_id: self.remote_id,
            remote_id: self.local_id,
            ..self.clone()
        }
    }

    pub fn config(&self, local: &str, remote: &str) -> Arc<Config> {
        let net = |text: &str| text.parse::<AddressRange>().unwrap();
        let selector = Selector::between(net(self.local_net), net(self.remote_net));
        let esp = self.esp.iter().map(|suite| suite.parse().unwrap()).collect();
        let mut child = Child::new("net", TemplateId(7), selector, esp);
        child.lifetime = self.child_lifetime;
        child.start = self.start;
        child.mode = self.mode;
        let suites = self.ike.iter().map(|suite| suite.parse().unwrap()).collect();
        let remote = self.remote.clone().unwrap_or_else(|| RemoteAddress::Literal(remote.parse().unwrap()));
        let psk = Arc::new(PreSharedKey::new(self.psk.to_vec()));
        let mut connection = Connection::new("peer", remote, psk, suites, vec![child]);
        connection.local = self.local.unwrap_or_else(|| LocalAddress::Literal(local.parse().unwrap()));
        connection.local_id = self.local_id.map(|id| id.parse().unwrap());
        connection.remote_id = self.remote_id.map(|id| id.parse().unwrap());
        connection.nat_traversal = self.nat;
        connection.ike_lifetime = self.ike_lifetime;
        let builder = Config::builder().connection(connection).limits(self.limits).timing(self.timing);
        Arc::new(builder.key_log(KeyLogging::On).build().unwrap())
    }
}

/// The keys and places of an installed SA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub keys: Vec<u8>,
    pub kind: sad::ProtocolKind,
    pub mode: sad::Mode,
    pub pair: PairId,
    pub within: Option<PairId>,
    pub encap: Encap,
    pub selector: Selector,
    pub path: Path,
}

pub struct Side {
    pub ike: Ike,
    pub address: IpAddr,
    pub events: Vec<Event>,
    pub inbound: BTreeMap<Spi, Installed>,
    pub outbound: BTreeMap<Spi, Installed>,
    pub in_use: BTreeSet<PairId>,
    /// SPIs that the table owns, as the real one does.
    held: BTreeMap<Spi, sad::ReservedSpi>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Left,
    Right,
}

/// A datagram on the wire, with its receiver's view of the path.
#[derive(Debug, Clone)]
pub struct Datagram {
    pub to: End,
    pub path: Path,
    pub octets: Vec<u8>,
    pub framing: Framing,
}

pub enum Fate {
    Deliver,
    Drop,
    Twice,
}

pub struct Pair {
    pub left: Side,
    pub right: Side,
    pub now: Now,
    pub start: Instant,
    pub wire: VecDeque<Datagram>,
    /// The address that the left side has behind its NAT.
    pub nat: Option<IpAddr>,
    pub fate: Box<dyn FnMut(&Datagram) -> Fate>,
    /// Everything that was put on the wire, in order.
    pub transcript: Vec<Datagram>,
}

pub fn now() -> Now {
    #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
    let mono = Instant::now();
    Now { mono, utc: UnixTime::from_epoch(Duration::from_secs(1_700_000_000)) }
}

impl Side {
    fn new(config: Arc<Config>, address: &str, seed: u64, now: Now) -> Self {
        let provider = Arc::new(CryptoProvider::portable());
        let random = Box::new(Seeded::from_u64(seed));
        Self {
            ike: Ike::new(config, provider, SpiAllocator::new(1), random, now).unwrap(),
            address: address.parse().unwrap(),
            events: Vec::new(),
            inbound: BTreeMap::new(),
            outbound: BTreeMap::new(),
            in_use: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    fn drain(&mut self) -> Vec<(Path, Vec<u8>, Framing)> {
        let mut sent = Vec::new();
        let mut out = Vec::new();
        while let Some(output) = self.ike.poll_output(&mut out) {
            match output {
                Output::Transmit(Transmit { path, range, framing }) => {
                    sent.push((path, out[range].to_vec(), framing));
                }
                Output::Event(event) => self.events.push(event),
                Output::Effect(effect) => self.carry_out(effect),
                _ => {}
            }
        }
        sent
    }

    fn carry_out(&mut self, effect: Effect) {
        let installed = |params: &sad::SaParams| Installed {
            keys: match &params.protocol {
                sad::Protocol::Esp { keys, .. } => {
                    [keys.encryption.as_slice(), keys.integrity.as_slice()].concat()
                }
                sad::Protocol::Ah { key, .. } => key.as_slice().to_vec(),
                other => panic!("not negotiated: {}", other.kind().name()),
            },
            kind: params.protocol.kind(),
            mode: params.mode,
            pair: params.pair,
            within: params.within,
            encap: params.encap,
            selector: params.selector,
            path: params.path,
        };
        match effect {
            Effect::InstallInbound { params, reserved } => {
                assert_eq!(params.spi, reserved.spi());
                self.inbound.insert(params.spi, installed(&params));
                self.held.insert(params.spi, reserved);
            }
            Effect::InstallOutbound { params } => {
                self.outbound.insert(params.spi, installed(&params));
            }
            Effect::UseOutbound { pair } => {
                self.in_use.insert(pair);
            }
            Effect::Remove { pair, inbound, outbound } => {
                self.inbound.remove(&inbound);
                self.outbound.remove(&outbound);
                self.held.remove(&inbound);
                self.in_use.remove(&pair);
            }
            _ => {}
        }
    }

    /// The numbers of the messages that this side sent, in order.
    pub fn ladder(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Message { number, sense: Sense::Sent, .. } => Some(number.name()),
                _ => None,
            })
            .collect()
    }

    pub fn children(&self) -> usize {
        self.ike.report(now()).children.len()
    }

    pub fn ike_sas(&self) -> usize {
        self.ike.report(now()).ike_sas.len()
    }

    pub fn outcome(&self) -> Option<&Outcome> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Done { outcome, .. } => Some(outcome),
            _ => None,
        })
    }

    /// The diagnosis of a failed command.
    pub fn failure(&self) -> &Diagnosis {
        match self.outcome() {
            Some(Outcome::Failed(diagnosis)) => diagnosis,
            other => panic!("not a failure: {other:?}"),
        }
    }

    pub fn refusals(&self) -> Vec<(&Refusal, &Diagnosis)> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Refused { refusal, diagnosis, .. } => Some((&**refusal, &**diagnosis)),
                _ => None,
            })
            .collect()
    }
}

impl Pair {
    pub fn new(left: &Setup, right: &Setup) -> Self {
        Self::seeded(left, right, 1)
    }

    pub fn seeded(left: &Setup, right: &Setup, seed: u64) -> Self {
        let now = now();
        Self {
            left: Side::new(left.config(LEFT, RIGHT), LEFT, seed * 2, now),
            right: Side::new(right.config(RIGHT, LEFT), RIGHT, seed * 2 + 1, now),
            now,
            start: now.mono,
            wire: VecDeque::new(),
            nat: None,
            fate: Box::new(|_| Fate::Deliver),
            transcript: Vec::new(),
        }
    }

    /// A pair whose two sides have the same setup, mirrored.
    pub fn alike(setup: &Setup) -> Self {
        Self::new(setup, &setup.mirrored())
    }

    pub fn side(&mut self, end: End) -> &mut Side {
        match end {
            End::Left => &mut self.left,
            End::Right => &mut self.right,
        }
    }

    pub fn up(&mut self) {
        let command = Command::Up { connection: "peer".into(), child: None };
        self.left.ike.command(self.now, command).unwrap();
    }

    /// Moves what both sides have to say onto the wire.
    pub fn collect(&mut self) {
        for from in [End::Left, End::Right] {
            let sent = self.side(from).drain();
            for (path, octets, framing) in sent {
                let (to, path) = self.route(from, path);
                let datagram = Datagram { to, path, octets, framing };
                self.transcript.push(datagram.clone());
                match (self.fate)(&datagram) {
                    Fate::Deliver => self.wire.push_back(datagram),
                    Fate::Twice => self.wire.extend([datagram.clone(), datagram]),
                    Fate::Drop => {}
                }
            }
        }
    }

    /// Turns a path round, through the NAT if there is one: left's ports come out 20000 higher.
    fn route(&self, from: End, path: Path) -> (End, Path) {
        let Path { local, remote } = path;
        match (from, self.nat) {
            (End::Left, None) => (End::Right, Path::new(remote, local)),
            (End::Right, None) => (End::Left, Path::new(remote, local)),
            (End::Left, Some(public)) => {
                let outside = SocketAddr::new(public, local.port() + 20000);
                (End::Right, Path::new(remote, outside))
            }
            (End::Right, Some(_)) => {
                let inside = SocketAddr::new(self.left.address, remote.port() - 20000);
                (End::Left, Path::new(inside, local))
            }
        }
    }

    pub fn deliver(&mut self, datagram: &Datagram) -> Option<Disposition> {
        if datagram.framing == Framing::Keepalive {
            return None;
        }
        let now = self.now;
        Some(self.side(datagram.to).ike.handle_datagram(now, datagram.path, &datagram.octets))
    }

    /// Runs until nothing is left to say at this time.
    pub fn settle(&mut self) {
        loop {
            self.collect();
            let Some(datagram) = self.wire.pop_front() else { return };
            self.deliver(&datagram);
        }
    }

    /// Runs for `span`, timers included.
    pub fn run(&mut self, span: Duration) {
        let end = self.now.mono + span;
        loop {
            self.settle();
            let next = [&self.left, &self.right].into_iter().filter_map(|side| side.ike.poll_timeout()).min();
            let Some((at, _)) = next.filter(|(at, _)| *at <= end) else { break };
            self.now.mono = self.now.mono.max(at);
            let now = self.now;
            self.left.ike.handle_timeout(now);
            self.right.ike.handle_timeout(now);
        }
        self.now.mono = end;
    }

    /// Both sides have the same SAs, with the same keys, in use on both.
    pub fn assert_agree(&self, pairs: usize) {
        let keys = |sas: &BTreeMap<Spi, Installed>| -> Vec<_> {
            sas.iter().map(|(spi, sa)| (*spi, sa.keys.clone(), sa.encap, sa.kind)).collect()
        };
        assert_eq!(keys(&self.left.inbound), keys(&self.right.outbound));
        assert_eq!(keys(&self.left.outbound), keys(&self.right.inbound));
        assert_eq!(self.left.inbound.len(), pairs);
        assert_eq!((self.left.in_use.len(), self.right.in_use.len()), (pairs, pairs));
        for (spi, sa) in &self.left.inbound {
            assert_eq!(sa.selector, self.right.outbound[spi].selector.mirror());
        }
    }
}
