//! AH and ESP packets of another implementation, whole: each is opened, and each is what we make, octet by octet.
#![cfg(feature = "portable")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::{PAIR, Pair, Setup, TEMPLATE, key, run};
use ipsec_crypto::{Cipher, Integrity, ProtectionSuite};
use ipsec_proto::{Path, Spi};
use ipsec_sad::{
    AntiReplay, DontFragment, Encap, Esn, InboundSa, Keying, Meta, Mode, OutboundSa, OuterHeader, Protocol,
    SaKeys, SaParams, Selector, SourceRoutes, TunnelOptions, Unauthenticated, Update, Verdict, WorkerConfig,
};

const SPI: Spi = Spi(0x0102_0304);

/// The other implementation's outer header has no DF bit.
const TUNNEL: Mode = Mode::Tunnel(TunnelOptions { df: DontFragment::Clear, ..TunnelOptions::USUAL });

/// One line of the data, see its README.
struct Case<'a> {
    name: &'a str,
    protocol: &'a str,
    suite: &'a str,
    mode: Mode,
    encap: Encap,
    esn: Esn,
    is_v4: bool,
    sequence: u64,
    clear: Vec<u8>,
    sealed: Vec<u8>,
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn cases() -> impl Iterator<Item = Case<'static>> {
    include_str!("data/esp_ah.txt").lines().map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [protocol, suite, mode, encap, esn, outer, sequence, clear, sealed] = fields[..] else {
            panic!("{line}")
        };
        Case {
            name: &line[..line.len() - clear.len() - sealed.len() - 2],
            protocol,
            suite,
            mode: if mode == "tunnel" { TUNNEL } else { Mode::TRANSPORT },
            encap: if encap == "udp" { Encap::Udp } else { Encap::Raw },
            esn: if esn == "esn" { Esn::On } else { Esn::Off },
            is_v4: outer == "4",
            sequence: sequence.parse().unwrap(),
            clear: hex(clear),
            sealed: hex(sealed),
        }
    })
}

impl Case<'_> {
    fn path(&self) -> Path {
        let port = if self.encap == Encap::Udp { 4500 } else { 0 };
        let [local, remote] =
            if self.is_v4 { ["192.0.2.1", "192.0.2.2"] } else { ["2001:db8:ffff::1", "2001:db8:ffff::2"] }
                .map(|address| SocketAddr::new(address.parse().unwrap(), port));
        Path::new(local, remote)
    }

    fn params(&self, path: Path) -> SaParams {
        let integrity_key = |integrity: Option<Integrity>| key(0x40, integrity.map_or(0, Integrity::key_len));
        let protocol = if self.protocol == "ah" {
            let integrity = Integrity::from_name(self.suite).unwrap();
            Protocol::Ah { integrity, key: integrity_key(Some(integrity)) }
        } else {
            let suite = match self.suite.strip_suffix("-none") {
                Some(cipher) => {
                    ProtectionSuite { cipher: Cipher::from_name(cipher).unwrap(), integrity: None }
                }
                None => self.suite.parse().unwrap(),
            };
            let keys =
                SaKeys { encryption: key(0x10, suite.key_len()), integrity: integrity_key(suite.integrity) };
            Protocol::Esp { suite, keys }
        };
        SaParams {
            mode: self.mode,
            encap: self.encap,
            esn: self.esn,
            outer_header: OuterHeader::Own,
            unauthenticated: Unauthenticated::Allow,
            ..SaParams::new(PAIR, TEMPLATE, SPI, protocol, path, Selector::ANY)
        }
    }

    fn is_legacy(&self) -> bool {
        self.suite.starts_with("3des") || self.suite.ends_with("md5")
    }
}

fn workers() -> Pair {
    let config = WorkerConfig { source_routes: SourceRoutes::Count, ..WorkerConfig::default() };
    Pair::without_sas(Setup { config, ..Setup::default() })
}

#[test]
fn packets_are_made_as_another_implementation_makes_them() {
    let mut made = 0;
    for case in cases().filter(|case| cfg!(feature = "legacy") || !case.is_legacy()) {
        let mut pair = workers();
        let sa = OutboundSa::prepare(case.params(case.path()), &pair.provider, pair.now).unwrap();
        sa.skip_to(case.sequence - 1);
        pair.a.apply(pair.now, Update::Policies(Arc::new(common::protect(&[Selector::ANY]))));
        pair.a.apply(pair.now, Update::InstallOutbound(Arc::new(sa)));
        pair.a.apply(pair.now, Update::Activate(PAIR));
        let (verdict, octets) =
            run(std::slice::from_ref(&case.clear), Meta::Clear, |batch| pair.a.outbound(pair.now, batch))
                .remove(0);
        assert_eq!(verdict, Verdict::SendPacket { path: case.path() }, "{}", case.name);
        assert_eq!(octets, case.sealed, "{}", case.name);
        made += 1;
    }
    assert!(made > 150, "{made}");
}

#[test]
fn packets_of_another_implementation_are_opened() {
    // The window of an SA starts in the first subspace.
    for case in cases().filter(|case| case.sequence < 1 << 32) {
        if case.is_legacy() && !cfg!(feature = "legacy") {
            continue;
        }
        let mut pair = workers();
        let reserved = pair.spis[1].claim(SPI, "test").unwrap();
        let params = case.params(case.path().reversed());
        let sa = InboundSa::prepare(params, reserved, &pair.provider, pair.now).unwrap();
        pair.b.apply(pair.now, Update::InstallInbound(Box::new(sa)));
        let mut altered = case.sealed.clone();
        *altered.last_mut().unwrap() ^= 1;
        let opened = run(&[altered, case.sealed.clone()], Meta::Packet, |batch| {
            pair.b.inbound(pair.now, batch);
        });
        assert_eq!(opened[1], (Verdict::Deliver, case.clear.clone()), "{}", case.name);
        if !case.suite.ends_with("-none") {
            assert!(matches!(opened[0].0, Verdict::Drop(_)), "{}: {:?}", case.name, opened[0].0);
        }
    }
}

/// The same packets as a socket gives them: without the IP header, and with its addresses.
#[test]
fn esp_without_its_ip_header_is_opened_too() {
    for case in cases().filter(|case| case.protocol == "esp" && case.sequence < 1 << 32) {
        let header = if case.is_v4 { 20 } else { 40 };
        let plain = case.sealed[0] == 0x45 || case.sealed[0] >> 4 == 6 && [17, 50].contains(&case.sealed[6]);
        if case.is_legacy() && !cfg!(feature = "legacy") || !plain {
            continue;
        }
        let mut pair = workers();
        let reserved = pair.spis[1].claim(SPI, "test").unwrap();
        let sa = InboundSa::prepare(case.params(case.path().reversed()), reserved, &pair.provider, pair.now);
        pair.b.apply(pair.now, Update::InstallInbound(Box::new(sa.unwrap())));
        let skip = header + if case.encap == Encap::Udp { 8 } else { 0 };
        let path = match case.mode {
            Mode::Tunnel(_) => case.path().reversed(),
            // The packet's own addresses are those that the socket tells.
            _ => {
                let packet = ipsec_proto::ip::Packet::parse(&case.clear).unwrap();
                let port = case.path().local.port();
                Path::new(SocketAddr::new(packet.destination(), port), SocketAddr::new(packet.source(), port))
            }
        };
        let meta = Meta::Wire { path, encap: case.encap, traffic_class: Some(0) };
        let sealed = case.sealed[skip..].to_vec();
        let (verdict, octets) = run(&[sealed], meta, |batch| pair.b.inbound(pair.now, batch)).remove(0);
        assert_eq!(verdict, Verdict::Deliver, "{}", case.name);
        let clear = ipsec_proto::ip::Packet::parse(&case.clear).unwrap();
        assert!(octets.ends_with(clear.payload()), "{}", case.name);
    }
}

#[test]
fn manual_keys_may_go_without_a_replay_window() {
    let case = cases().next().unwrap();
    let mut pair = workers();
    let reserved = pair.spis[1].claim(SPI, "test").unwrap();
    let params = SaParams {
        anti_replay: AntiReplay::Off,
        keying: Keying::Manual,
        ..case.params(case.path().reversed())
    };
    let sa = InboundSa::prepare(params, reserved, &pair.provider, pair.now).unwrap();
    pair.b.apply(pair.now, Update::InstallInbound(Box::new(sa)));
    let twice = [case.sealed.clone(), case.sealed.clone()];
    let opened = run(&twice, Meta::Packet, |batch| pair.b.inbound(pair.now, batch));
    assert!(opened.iter().all(|(verdict, _)| *verdict == Verdict::Deliver));
    assert_eq!(pair.b.report().sas[0].anti_replay, AntiReplay::Off, "and a report says so");
}
