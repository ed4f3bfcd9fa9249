//! Manual tunnels in the data plane: they carry packets, keep their SPIs to themselves, and go.
#![cfg(feature = "portable")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and has no loop"
)]

mod common;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use common::{dropped, packet, run};
use ipsec_crypto::{Cipher, CryptoProvider, Integrity, ProtectionSuite, Seeded};
use ipsec_proto::ip::{Addresses, Header};
use ipsec_proto::registry::IpProtocol;
use ipsec_sad::manual::{
    Activation, AutoRules, Field, ManualError, ManualFault, ManualMode, ManualState, ManualSuite,
    ManualTraffic, ManualTunnel, ManualTunnels, Nesting,
};
use ipsec_sad::{
    Action, AntiReplay, Direction, DropReason, Encap, Meta, Spd, SpiAllocator, SpiHolder, Update, Verdict,
    Worker, WorkerConfig,
};

/// One machine: its tunnels and its data plane.
struct Machine {
    tunnels: ManualTunnels,
    spis: SpiAllocator,
    locals: Vec<IpAddr>,
    worker: Worker,
    provider: CryptoProvider,
    now: Instant,
}

impl Machine {
    fn new(local: &str, now: Instant) -> Self {
        Self {
            tunnels: ManualTunnels::default(),
            spis: SpiAllocator::new(1),
            locals: vec![local.parse().unwrap()],
            worker: Worker::new(WorkerConfig::default(), &mut Seeded::from_u64(3)),
            provider: CryptoProvider::default(),
            now,
        }
    }

    fn define(&mut self, tunnel: ManualTunnel) -> Result<(), ManualError> {
        self.tunnels.define(tunnel, &self.locals).map(drop)
    }

    fn activate(&mut self, name: &str) -> Result<Activation, ManualError> {
        self.tunnels.activate(name, &self.locals, &self.spis, &self.provider, self.now)
    }

    fn up(&mut self, name: &str) {
        let activation = self.activate(name).unwrap();
        let spd = Spd::builder(Action::Discard).extend(activation.policies.clone()).build().unwrap();
        self.worker.apply(self.now, Update::Policies(Arc::new(spd)));
        for update in activation.into_updates() {
            self.worker.apply(self.now, update);
        }
    }

    fn down(&mut self, name: &str) {
        for pair in self.tunnels.deactivate(name).unwrap() {
            self.worker.apply(self.now, Update::Remove(pair));
        }
    }
}

fn tunnel(name: &str, seed: u64) -> ManualTunnel {
    let traffic = ManualTraffic::between("10.1.0.0/24".parse().unwrap(), "10.2.0.0/24".parse().unwrap());
    let suite = ManualSuite { esp: Some("aes128-sha256".parse().unwrap()), ah: None };
    ManualTunnel::new(name, "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap(), traffic).generate(
        suite,
        &SpiAllocator::new(1),
        &mut Seeded::from_u64(seed),
    )
}

fn machines() -> (Machine, Machine) {
    let now = Instant::now();
    (Machine::new("192.0.2.1", now), Machine::new("192.0.2.2", now))
}

fn seal(from: &mut Machine, clear: &[u8]) -> Vec<u8> {
    let mut sealed = run(&[clear.to_vec()], Meta::Clear, |batch| from.worker.outbound(from.now, batch));
    assert!(matches!(sealed[0].0, Verdict::Send { encap: Encap::Raw, .. }), "{:?}", sealed[0].0);
    sealed.remove(0).1
}

fn open(into: &mut Machine, sealed: &[u8]) -> (Verdict, Vec<u8>) {
    let path = ipsec_proto::Path::new(([192, 0, 2, 2], 0).into(), ([192, 0, 2, 1], 0).into());
    let meta = Meta::Wire { path, encap: Encap::Raw, traffic_class: None };
    run(&[sealed.to_vec()], meta, |batch| into.worker.inbound(into.now, batch)).remove(0)
}

#[test]
fn two_machines_with_mirrored_tunnels_understand_each_other() {
    let (mut a, mut b) = machines();
    let ours = tunnel("there", 1);
    b.define(ours.mirror("here")).unwrap();
    a.define(ours).unwrap();
    assert_eq!(a.tunnels.list()[0].state, ManualState::Defined);
    a.up("there");
    b.up("here");
    assert_eq!(a.tunnels.list()[0].state, ManualState::Active);
    let sealed = seal(&mut a, &packet(b"x"));
    assert_eq!(open(&mut b, &sealed), (Verdict::Deliver, packet(b"x")));
    assert_eq!(open(&mut b, &sealed).0, dropped(DropReason::Replayed));

    // Nothing is carried after, and the SPIs are free.
    let spi = b.tunnels.list()[0].inbound_spis[0];
    assert_eq!(b.spis.holder(spi), Some(SpiHolder::Claimed("here".into())));
    b.down("here");
    assert_eq!(b.spis.holder(spi), None);
    assert_eq!(open(&mut b, &sealed).0, dropped(DropReason::UnknownSpi));
    b.up("here");
    b.down("here");
    b.tunnels.remove("here").unwrap();
    assert!(b.tunnels.list().is_empty());
}

#[test]
fn anti_replay_can_be_off_with_manual_keys_and_reports_say_so() {
    let (mut a, mut b) = machines();
    let mut ours = tunnel("t", 1);
    ours.anti_replay = AntiReplay::Off;
    b.define(ours.mirror("t")).unwrap();
    a.define(ours).unwrap();
    a.up("t");
    b.up("t");
    let sealed = seal(&mut a, &packet(b"x"));
    assert_eq!(open(&mut b, &sealed).0, Verdict::Deliver);
    assert_eq!(open(&mut b, &sealed).0, Verdict::Deliver, "a peer that starts anew counts anew");
    let report = b.worker.report();
    let inbound = report.sas.iter().find(|sa| sa.direction == Direction::Inbound).unwrap();
    assert_eq!(inbound.anti_replay, AntiReplay::Off);
}

#[test]
fn spis_of_active_tunnels_are_not_had_twice() {
    let (mut a, _) = machines();
    a.define(tunnel("first", 1)).unwrap();
    let same = tunnel("second", 1);
    a.define(same).unwrap();
    a.up("first");
    // What we send with collides first.
    let error = a.activate("second").unwrap_err();
    assert_eq!(error.fault, ManualFault::PeerSpiInUse { tunnel: "first".to_owned() });
    // With numbers of its own there, what we receive with does.
    let mut other = tunnel("second", 2);
    let taken = tunnel("second", 1);
    other.inbound = taken.inbound;
    a.tunnels.change("second", other, &a.locals.clone()).unwrap();
    let error = a.activate("second").unwrap_err();
    assert_eq!(error.field, Field::InboundSpi);
    assert_eq!(error.fault, ManualFault::SpiInUse { holder: SpiHolder::Claimed("first".into()) });
    assert_eq!(a.tunnels.list()[1].state, ManualState::Defined, "nothing is changed by what fails");
    // A negotiated SA's number is refused the same way.
    let negotiated = a.spis.reserve(&mut Seeded::from_u64(9)).unwrap();
    let mut third = tunnel("third", 3);
    third.inbound.esp.as_mut().unwrap().spi = negotiated.spi();
    a.define(third).unwrap();
    let error = a.activate("third").unwrap_err();
    assert_eq!(error.fault, ManualFault::SpiInUse { holder: SpiHolder::Negotiated });
    drop(negotiated);
    a.activate("third").unwrap();
}

#[test]
fn commands_in_a_state_that_has_them_not_are_refused() {
    let (mut a, _) = machines();
    let locals = a.locals.clone();
    let fault = |result: Result<(), ManualError>| result.unwrap_err().fault;
    assert_eq!(fault(a.activate("t").map(drop)), ManualFault::Unknown);
    a.define(tunnel("t", 1)).unwrap();
    assert_eq!(fault(a.define(tunnel("t", 2))), ManualFault::NameTaken);
    assert_eq!(fault(a.tunnels.deactivate("t").map(drop)), ManualFault::NotActive);
    a.define(tunnel("u", 2)).unwrap();
    assert_eq!(fault(a.tunnels.change("u", tunnel("t", 3), &locals)), ManualFault::NameTaken);
    a.up("t");
    assert_eq!(fault(a.activate("t").map(drop)), ManualFault::Active);
    assert_eq!(fault(a.tunnels.change("t", tunnel("t", 3), &locals)), ManualFault::Active);
    assert_eq!(fault(a.tunnels.remove("t")), ManualFault::Active);
    a.down("t");
    // A changed tunnel keeps its number, under another name too; a number that is free is given again.
    a.tunnels.change("t", tunnel("v", 3), &locals).unwrap();
    let numbers: Vec<(u32, String)> =
        a.tunnels.list().into_iter().map(|report| (report.number.get(), report.name)).collect();
    assert_eq!(numbers, [(1, "v".to_owned()), (2, "u".to_owned())]);
    a.tunnels.remove("v").unwrap();
    assert_eq!(a.tunnels.define(tunnel("w", 4), &locals).unwrap().get(), 1);
    // The source address may have gone since.
    a.locals = vec!["192.0.2.99".parse().unwrap()];
    assert_eq!(a.activate("w").unwrap_err().field, Field::Local);
}

#[test]
fn rules_pass_ah_and_esp_in_front_of_the_traffic_unless_they_are_suppressed() {
    let (mut a, _) = machines();
    a.define(tunnel("t", 1)).unwrap();
    let policies = a.activate("t").unwrap().policies;
    assert_eq!(policies.len(), 2);
    assert_eq!(policies[0].action, Action::Bypass);
    assert_eq!(policies[0].selector.protocol, Some(IpProtocol::ESP));
    let number = a.tunnels.list()[0].number;
    assert_eq!(policies[1].action, Action::Protect(number.template()));
    let mut silent = tunnel("u", 2);
    silent.rules = AutoRules::Suppress;
    a.define(silent).unwrap();
    assert!(a.activate("u").unwrap().policies.is_empty());
}

/// Sends a packet from one machine to the other, as it goes over the network, and gives what becomes of it there.
fn carry(from: &mut Machine, into: &mut Machine, clear: &[u8]) -> (Verdict, Vec<u8>) {
    let (verdict, octets) =
        run(&[clear.to_vec()], Meta::Clear, |batch| from.worker.outbound(from.now, batch)).remove(0);
    let wire = match verdict {
        Verdict::SendPacket { .. } => octets,
        Verdict::Send { path, encap: Encap::Raw, .. } => {
            let ends = Addresses::new(path.local.ip(), path.remote.ip()).unwrap();
            let header = Header::new(ends, IpProtocol::ESP);
            let mut whole = vec![0; header.header_len()];
            header.emit(octets.len(), &mut whole).unwrap();
            whole.extend(octets);
            whole
        }
        other => panic!("not sent: {other:?}"),
    };
    assert!(!wire.windows(6).any(|window| window == b"secret") || from.clear_is_seen(), "sent in clear");
    run(&[wire], Meta::Packet, |batch| into.worker.inbound(into.now, batch)).remove(0)
}

impl Machine {
    /// Whether its only tunnel has AH alone.
    fn clear_is_seen(&self) -> bool {
        self.tunnels.list()[0].esp.is_none_or(|suite| suite.cipher == Cipher::NULL)
    }
}

#[test]
fn ah_esp_and_both_carry_packets_in_both_modes_and_either_order() {
    let esp = |suite: &str| Some(suite.parse().unwrap());
    let sha256 = Some(Integrity::HmacSha256_128);
    // ESP without integrity of its own is allowed where AH vouches for it.
    let bare = Some(ProtectionSuite { cipher: Cipher::from_name("aes128").unwrap(), integrity: None });
    let suites = [
        ManualSuite { esp: esp("aes256-sha512"), ah: None },
        ManualSuite { esp: esp("null-sha1"), ah: None },
        ManualSuite { esp: None, ah: sha256 },
        ManualSuite { esp: esp("aes128-sha256"), ah: sha256 },
        ManualSuite { esp: bare, ah: sha256 },
    ];
    for suite in suites {
        for mode in [ManualMode::Tunnel, ManualMode::Transport] {
            for nesting in [Nesting::AhOutside, Nesting::EspOutside] {
                let (mut a, mut b) = machines();
                let mut ours = tunnel("t", 5);
                (ours.mode, ours.nesting) = (mode, nesting);
                let mut clear = common::udp("10.1.0.1", "10.2.0.1", 53, b"secret");
                if mode == ManualMode::Transport {
                    ours.traffic = ManualTraffic::between(ours.local.into(), ours.remote.into());
                    clear = common::udp("192.0.2.1", "192.0.2.2", 53, b"secret");
                }
                let ours = ours.generate(suite, &SpiAllocator::new(1), &mut Seeded::from_u64(8));
                b.define(ours.mirror("t")).unwrap();
                a.define(ours).unwrap();
                a.up("t");
                b.up("t");
                assert_eq!(
                    carry(&mut a, &mut b, &clear),
                    (Verdict::Deliver, clear.clone()),
                    "{suite:?} {mode:?} {nesting:?}"
                );
                let layers = u64::from(suite.esp.is_some()) + u64::from(suite.ah.is_some());
                assert_eq!(a.worker.report().totals.sas.live(), 2 * layers);
                a.down("t");
                assert_eq!(a.worker.report().totals.sas.live(), 0);
            }
        }
    }
}
