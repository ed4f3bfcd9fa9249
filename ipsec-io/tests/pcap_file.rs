//! What the recorder writes can be read, by a library and by tshark with the exported keys.
#![cfg(any(feature = "portable", feature = "fast"))]
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]

mod common;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Setup, World, ping};
use ipsec_io::ike::{Config, KeyLogging, NatTraversal};
use ipsec_io::memory::Conditions;
use ipsec_io::node::NodeConfig;
use ipsec_io::pcap::Recorder;
use ipsec_io::proto::ip::{NextLayer, Packet};
use ipsec_io::proto::registry::IpProtocol;
use pcap_file::pcapng::{Block, PcapNgReader};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A tunnel with twenty pings, recorded at the left end; the file, and the left end's keys.
fn record(left: Setup, right: Setup, nat_traversal: NatTraversal) -> (Vec<u8>, Vec<String>) {
    let config = |setup: &Setup| {
        let mut connection = setup.connection();
        connection.nat_traversal = nat_traversal;
        let builder = Config::builder().key_log(KeyLogging::On).connection(connection);
        NodeConfig::new(Arc::new(builder.build().unwrap()))
    };
    let file = Shared::default();
    let recorder = Recorder::new(Box::new(file.clone())).unwrap();
    let conditions = Conditions::default();
    let mut world =
        World::with(config(&left), config(&right), 1, conditions, |wire| Box::new(recorder.wire(wire)));
    for number in 0..20 {
        let packet = ping("10.1.0.5", "10.2.0.7", number);
        world.left.inject(world.now, &packet);
        world.run(Duration::from_secs(1));
    }
    assert_eq!(world.right.delivered.len(), 20);
    assert_eq!(recorder.error(), None);
    let octets = file.0.lock().unwrap().clone();
    (octets, world.left.keys)
}

/// The packets of the `wire` interface.
fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut packets = Vec::new();
    let mut last = Duration::ZERO;
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(block) = block.unwrap() {
            assert!(block.timestamp >= last && block.timestamp.as_secs() >= 1_700_000_000);
            last = block.timestamp;
            packets.push(block.data.to_vec());
        }
    }
    packets
}

#[test]
fn the_file_holds_every_datagram_with_valid_headers() {
    for (nat, esp) in [(NatTraversal::Off, IpProtocol::ESP), (NatTraversal::Force, IpProtocol::UDP)] {
        let (file, keys) = record(Setup::left(), Setup::right(), nat);
        // Twenty octets of IP, eight of UDP, one of a keepalive.
        let packets: Vec<_> = packets(&file).into_iter().filter(|packet| packet.len() != 29).collect();
        let parsed: Vec<_> = packets.iter().map(|packet| Packet::parse(packet).unwrap()).collect();
        assert!(parsed.iter().all(|packet| packet.is_checksum_ok() && packet.trailing().is_empty()));
        // Six messages of Main Mode, three of Quick Mode, twenty pings.
        assert_eq!(parsed.len(), 29);
        let expected = if esp == IpProtocol::ESP { 20 } else { 29 };
        assert_eq!(parsed.iter().filter(|packet| packet.protocol() == esp).count(), expected);
        assert!(
            matches!(parsed[0].next_layer(), NextLayer::Ports { source: 500, destination: 500 }),
            "{:?}",
            parsed[0]
        );
        assert_eq!(keys.len(), 3, "one ISAKMP SA, two ESP SAs");
    }
}

#[test]
fn tshark_decrypts_it_with_the_exported_keys() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    let v6 = |setup: Setup, address, peer| Setup { address, peer, ..setup };
    let cases = [
        (Setup::left(), Setup::right(), NatTraversal::Off),
        (Setup::left(), Setup::right(), NatTraversal::Force),
        (
            Setup { ike: "aes256-sha256-modp2048", esp: "aes256-sha256", ..Setup::left() },
            Setup { ike: "aes256-sha256-modp2048", esp: "aes256-sha256", ..Setup::right() },
            NatTraversal::Off,
        ),
        (
            v6(Setup::left(), "2001:db8::1", "2001:db8::2"),
            v6(Setup::right(), "2001:db8::2", "2001:db8::1"),
            NatTraversal::Force,
        ),
    ];
    for (number, (left, right, nat)) in cases.into_iter().enumerate() {
        let (file, keys) = record(left, right, nat);
        let directory = std::env::temp_dir().join(format!("ipsec-io-pcap-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("tunnel.pcapng");
        std::fs::write(&path, file).unwrap();
        assert_eq!(
            count(&path, &keys, "icmp.type == 8"),
            20,
            "case {number}: pings inside ESP, keys {keys:?}"
        );
        assert_eq!(count(&path, &keys, "esp.icv_good == 1"), 20, "case {number}: ICVs");
        assert_eq!(count(&path, &keys, "isakmp.ipsec.attr.encap_mode"), 2, "case {number}: QM1 and QM2");
        assert_eq!(count(&path, &[], "icmp"), 0, "case {number}: nothing in clear");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

/// How many packets tshark finds with these keys.
fn count(file: &Path, keys: &[String], filter: &str) -> usize {
    let mut tshark = Command::new("tshark");
    tshark.args(["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]);
    for key in keys {
        let table = if key.starts_with('"') { "esp_sa" } else { "ikev1_decryption_table" };
        tshark.args(["-o", &format!("uat:{table}:{key}")]);
    }
    let output = tshark.arg("-r").arg(file).args(["-Y", filter]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().count()
}
