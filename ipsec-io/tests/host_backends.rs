//! TUN device and raw sockets, where the test may have them.
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use ipsec_io::backend::{Datagram, Form, Link, Wire};
use ipsec_io::ike::{Now, UnixTime};
use ipsec_io::proto::Path;
use ipsec_io::proto::ip::{Addresses, Header, NextLayer, Packet};
use ipsec_io::proto::registry::IpProtocol;
use ipsec_io::raw::{RawConfig, RawWire};
use ipsec_io::sad::{Batch, Meta};
use ipsec_io::tun::TunLink;

#[expect(clippy::disallowed_methods, reason = "real devices, real time")]
fn now() -> Now {
    Now { mono: Instant::now(), utc: UnixTime::from_epoch(Duration::ZERO) }
}

/// Receives for five seconds at most, until `wanted` picks something from the batch.
fn wait<T>(mut receive: impl FnMut(&mut Batch), wanted: impl Fn(&Batch) -> Option<T>) -> T {
    let begun = now();
    let mut batch = Batch::new(64, 65_535);
    loop {
        batch.clear();
        receive(&mut batch);
        if let Some(found) = wanted(&batch) {
            return found;
        }
        assert!(now().mono - begun.mono < Duration::from_secs(5), "nothing arrived");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn raw_esp_and_ah_go_both_ways_in_both_families() {
    for (one, two) in [("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let (one, two): (IpAddr, IpAddr) = (one.parse().unwrap(), two.parse().unwrap());
        let open = |address| RawWire::open(&RawConfig { addresses: vec![address], mark: None });
        let mut left = match open(one) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                eprintln!("skipped: {error}");
                return;
            }
            left => left.unwrap(),
        };
        let mut right = open(two).unwrap();
        let (from, to) = (SocketAddr::new(one, 0), SocketAddr::new(two, 0));
        // ESP is larger than 8 octets; loopback carries what no other link does.
        for size in [9, 1400, 9000] {
            let octets: Vec<u8> = (0..size).map(|number| u8::try_from(number % 251).unwrap()).collect();
            let datagram =
                Datagram { path: Path::new(from, to), form: Form::Esp, traffic_class: 0xba, octets: &octets };
            let udp = Datagram { form: Form::Udp, ..datagram };
            let moved = left.send(now(), &[udp, datagram]);
            assert_eq!((moved.packets, moved.dropped), (1, 0), "{moved:?}");
            let packet = arrival(&mut right, &octets);
            let (header, _) = packet.split_at(packet.len() - octets.len());
            let packet = Packet::parse(&packet).unwrap();
            assert_eq!((packet.source(), packet.destination(), packet.protocol().0), (one, two, 50));
            // What was sent as a whole: DSCP 46 and ECT(0). IPv6 hides all but the ECN bits from raw sockets.
            let class = if one.is_ipv4() { header[1] } else { 0xb8 | (header[1] >> 4) };
            assert_eq!((class, header.len()), (0xba, if one.is_ipv4() { 20 } else { 40 }));
        }
        // AH comes with the header that its sender has written.
        for size in [24, 1400] {
            let octets: Vec<u8> = (0..size).map(|number| u8::try_from(number % 241).unwrap()).collect();
            let header = Header {
                traffic_class: 2,
                identification: 0x1234,
                ..Header::new(Addresses::new(one, two).unwrap(), IpProtocol::AH)
            };
            let mut whole = vec![0; header.header_len()];
            whole.extend_from_slice(&octets);
            header.emit(octets.len(), &mut whole).unwrap();
            let datagram =
                Datagram { path: Path::new(from, to), form: Form::Packet, traffic_class: 0, octets: &whole };
            let moved = left.send(now(), &[datagram]);
            assert_eq!((moved.packets, moved.dropped), (1, 0), "{moved:?}");
            assert_eq!(arrival(&mut right, &octets), whole);
        }
    }
}

/// The next packet that ends with `octets`; others that raw sockets of this machine see are passed over.
fn arrival(wire: &mut RawWire, octets: &[u8]) -> Vec<u8> {
    wait(
        |batch| drop(wire.receive(now(), batch)),
        |batch| {
            let ours = |packet: &ipsec_io::sad::Packet<'_>| {
                packet.meta == Meta::Packet && packet.octets.ends_with(octets)
            };
            batch.iter().find(ours).map(|packet| packet.octets.to_vec())
        },
    )
}

#[test]
fn a_tun_device_takes_packets_from_the_host_and_gives_them_back() {
    let mut link = match TunLink::open("ipseciotest0", 1400) {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound) => {
            eprintln!("skipped: {error}");
            return;
        }
        link => link.unwrap(),
    };
    let name = link.name().unwrap();
    let Ok(status) = Command::new("ip").args(["addr", "add", "198.18.77.1/24", "dev", &name]).status() else {
        eprintln!("skipped: there is no `ip`");
        return;
    };
    assert!(status.success());
    let socket = UdpSocket::bind("198.18.77.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(b"out", "198.18.77.2:7777").unwrap();
    let mut packet = wait(
        |batch| drop(link.receive(now(), batch)),
        |batch| {
            let ours = |octets: &&[u8]| {
                let packet = Packet::parse(octets).unwrap();
                matches!(packet.next_layer(), NextLayer::Ports { destination: 7777, .. })
            };
            batch.iter().map(|packet| packet.octets).find(ours).map(<[u8]>::to_vec)
        },
    );
    assert!(packet.ends_with(b"out"));
    // Back to the sender: addresses and ports exchanged, which leaves both checksums as they are.
    let (source, destination) = (packet[12..16].to_vec(), packet[16..20].to_vec());
    packet[12..16].copy_from_slice(&destination);
    packet[16..20].copy_from_slice(&source);
    let ports = packet[20..24].to_vec();
    packet[20..22].copy_from_slice(&ports[2..]);
    packet[22..24].copy_from_slice(&ports[..2]);
    let moved = link.send(now(), &[&[0x45, 1, 2], &packet]);
    assert!(moved.packets >= 1, "{moved:?}");
    let mut buffer = [0; 64];
    let (octets, from) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..octets], from), (&b"out"[..], "198.18.77.2:7777".parse().unwrap()));
    // A device that is down is an error to count, and no end.
    assert!(Command::new("ip").args(["link", "set", &name, "down"]).status().unwrap().success());
    let moved = link.send(now(), &[&packet]);
    assert_eq!((moved.packets, moved.dropped), (0, 1), "{moved:?}");
    assert!(Command::new("ip").args(["link", "set", &name, "up"]).status().unwrap().success());
    assert_eq!(link.send(now(), &[&packet]).packets, 1);
}
