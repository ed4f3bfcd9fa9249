//! Two nodes on one simulated network, with a clock of their own.
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipsec_io::backend::{Datagram, Wire, to_link, to_wire};
use ipsec_io::crypto::{CryptoProvider, Seeded};
use ipsec_io::events::Record;
use ipsec_io::ike::{
    Child, Config, Connection, Identity, LocalAddress, Now, PreSharedKey, RemoteAddress, UnixTime,
};
use ipsec_io::memory::{Conditions, MemoryWire, Network};
use ipsec_io::node::{Node, NodeConfig, NodeOutput};
use ipsec_io::proto::ip::{Addresses, Header};
use ipsec_io::proto::registry::IpProtocol;
use ipsec_io::sad::{AddressRange, Batch, Meta, Selector, TemplateId};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn range(text: &str) -> AddressRange {
    text.parse().unwrap()
}

/// What one end's configuration is made of; a test changes what it is about.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) address: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) local: &'static str,
    pub(crate) remote: &'static str,
    pub(crate) psk: &'static str,
    pub(crate) ike: &'static str,
    pub(crate) esp: &'static str,
}

impl Setup {
    pub(crate) fn left() -> Self {
        Self {
            address: "192.0.2.1",
            peer: "192.0.2.2",
            local: "10.1.0.0/24",
            remote: "10.2.0.0/24",
            psk: "correct horse battery staple",
            ike: "aes128-sha1-modp2048",
            esp: "aes128-sha1",
        }
    }

    pub(crate) fn right() -> Self {
        let left = Self::left();
        Self { address: left.peer, peer: left.address, local: left.remote, remote: left.local, ..left }
    }

    pub(crate) fn connection(&self) -> Connection {
        let selector = Selector::between(range(self.local), range(self.remote));
        let child = Child::new("net", TemplateId(1), selector, vec![self.esp.parse().unwrap()]);
        let remote = RemoteAddress::Literal(ip(self.peer));
        let psk = Arc::new(PreSharedKey::new(self.psk.as_bytes().to_vec()));
        Connection {
            local: LocalAddress::Literal(ip(self.address)),
            ..Connection::new("peer", remote, psk, vec![self.ike.parse().unwrap()], vec![child])
        }
    }

    pub(crate) fn config(&self) -> NodeConfig {
        NodeConfig::new(Arc::new(Config::builder().connection(self.connection()).build().unwrap()))
    }
}

pub(crate) fn identity(text: &str) -> Option<Identity> {
    Some(text.parse().unwrap())
}

pub(crate) struct Site {
    pub(crate) node: Node,
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) records: Vec<Record>,
    pub(crate) delivered: Vec<Vec<u8>>,
    pub(crate) keys: Vec<String>,
}

impl Site {
    pub(crate) fn new(config: NodeConfig, wire: impl Wire + 'static, seed: u64, now: Now) -> Self {
        let provider = Arc::new(CryptoProvider::default());
        let node = Node::new(config, provider, Box::new(Seeded::from_u64(seed)), now).unwrap();
        Self { node, wire: Box::new(wire), records: Vec::new(), delivered: Vec::new(), keys: Vec::new() }
    }

    /// Sends one packet in clear into the protected side.
    pub(crate) fn inject(&mut self, now: Now, packet: &[u8]) {
        let mut batch = Batch::new(1, 2048);
        batch.push(Meta::Clear, packet).unwrap();
        self.node.handle_link(now, &mut batch);
        let datagrams: Vec<_> = to_wire(&batch).collect();
        self.wire.send(now, &datagrams);
        self.drain(now);
    }

    /// Takes what has arrived and what is due.
    pub(crate) fn step(&mut self, now: Now) {
        let mut batch = Batch::new(256, 4096);
        self.wire.receive(now, &mut batch);
        self.node.handle_wire(now, &mut batch);
        self.delivered.extend(to_link(&batch).map(<[u8]>::to_vec));
        self.node.handle_timeout(now);
        self.drain(now);
    }

    pub(crate) fn drain(&mut self, now: Now) {
        let mut octets = Vec::new();
        let mut transmits = Vec::new();
        while let Some(output) = self.node.poll_output(&mut octets) {
            match output {
                NodeOutput::Transmit(transmit) => transmits.push(transmit),
                NodeOutput::Record(record) => self.records.push(*record),
                NodeOutput::KeyLog(line) => self.keys.push(line.reveal().to_owned()),
                other => panic!("not expected here: {other:?}"),
            }
        }
        let datagrams: Vec<_> = transmits
            .iter()
            .map(|transmit| Datagram {
                path: transmit.path,
                form: transmit.form,
                traffic_class: transmit.traffic_class,
                octets: &octets[transmit.range.clone()],
            })
            .collect();
        self.wire.send(now, &datagrams);
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.records.iter().map(Record::code).collect()
    }

    pub(crate) fn has(&self, code: &str) -> bool {
        self.codes().contains(&code)
    }

    pub(crate) fn dump(&self) -> String {
        self.records.iter().map(|record| record.text() + "\n").collect()
    }
}

pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) network: Network,
    pub(crate) left: Site,
    pub(crate) right: Site,
}

impl World {
    pub(crate) fn new(left: NodeConfig, right: NodeConfig, seed: u64, conditions: Conditions) -> Self {
        Self::with(left, right, seed, conditions, |wire| Box::new(wire))
    }

    /// `around` puts something around the left end's wire.
    #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
    pub(crate) fn with(
        left: NodeConfig,
        right: NodeConfig,
        seed: u64,
        conditions: Conditions,
        around: impl FnOnce(MemoryWire) -> Box<dyn Wire>,
    ) -> Self {
        let now = Now { mono: Instant::now(), utc: UnixTime::from_epoch(Duration::from_secs(1_700_000_000)) };
        let network = Network::new(seed, conditions);
        let address = |config: &NodeConfig| match config.ike.connections()[0].local {
            LocalAddress::Literal(address) => address,
            LocalAddress::Any => Ipv4Addr::UNSPECIFIED.into(),
        };
        let (left_wire, right_wire) = (network.attach(&[address(&left)]), network.attach(&[address(&right)]));
        let left = Site::new(left, around(left_wire), seed.wrapping_mul(2), now);
        let right = Site::new(right, right_wire, seed.wrapping_mul(2) + 1, now);
        Self { now, network, left, right }
    }

    /// Lets time pass, from one thing that happens to the next.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now.mono + duration;
        loop {
            self.left.step(self.now);
            self.right.step(self.now);
            let next = [
                self.network.next_arrival(),
                self.left.node.poll_timeout().map(|(at, _)| at),
                self.right.node.poll_timeout().map(|(at, _)| at),
            ]
            .into_iter()
            .flatten()
            .min()
            .map_or(end, |at| at.max(self.now.mono));
            if next > end {
                break;
            }
            if next == end && self.now.mono == end {
                break;
            }
            self.advance_to(next);
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, at: Instant) {
        let by = at - self.now.mono;
        self.now = Now { mono: at, utc: UnixTime::from_epoch(self.now.utc.since_epoch() + by) };
    }
}

/// An echo request between two hosts, with a number to tell it by.
pub(crate) fn ping(from: &str, to: &str, number: u16) -> Vec<u8> {
    let mut payload = vec![8, 0, 0, 0, 0, 1];
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend_from_slice(&[0x55; 56]);
    let header = Header::new(Addresses::new(ip(from), ip(to)).unwrap(), IpProtocol::ICMP);
    let mut packet = vec![0; header.header_len()];
    header.emit(payload.len(), &mut packet).unwrap();
    packet.extend_from_slice(&payload);
    packet
}
