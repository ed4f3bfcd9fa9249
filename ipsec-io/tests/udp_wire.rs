//! UDP sockets on loopback: batches, the local address of every datagram, and errors that stop nothing.
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use ipsec_io::backend::{Datagram, Form, Wire};
use ipsec_io::ike::{Now, Ports, UnixTime};
use ipsec_io::proto::Path;
use ipsec_io::sad::{Batch, Encap, Meta};
use ipsec_io::udp::{UdpConfig, UdpWire};

#[expect(clippy::disallowed_methods, reason = "real sockets, real time")]
fn now() -> Now {
    Now { mono: Instant::now(), utc: UnixTime::from_epoch(Duration::ZERO) }
}

fn bind(address: IpAddr) -> UdpWire {
    let ports = Ports { ike: 0, natt: 0 };
    UdpWire::bind(&UdpConfig { addresses: vec![address], ports, mark: None }).unwrap()
}

fn datagram<'a>(local: SocketAddr, remote: SocketAddr, octets: &'a [u8]) -> Datagram<'a> {
    Datagram { path: Path::new(local, remote), form: Form::Udp, traffic_class: 0, octets }
}

/// Receives until `count` datagrams are there, or fails after five seconds.
fn receive(wire: &mut UdpWire, count: usize) -> Vec<(Path, Vec<u8>)> {
    let begun = now();
    let mut batch = Batch::new(64, 65_535);
    let mut arrived = Vec::new();
    while arrived.len() < count {
        assert!(now().mono - begun.mono < Duration::from_secs(5), "{} of {count} arrived", arrived.len());
        batch.clear();
        wire.receive(now(), &mut batch);
        for packet in batch.iter() {
            let Meta::Wire { path, encap: Encap::Udp, .. } = packet.meta else { panic!("{:?}", packet.meta) };
            arrived.push((path, packet.octets.to_vec()));
        }
    }
    arrived
}

#[test]
fn an_answer_leaves_from_the_address_that_was_written_to() {
    // Bound to the wildcard, written to at an address that the kernel would not choose for an answer.
    let mut server = bind(Ipv4Addr::UNSPECIFIED.into());
    let mut client = bind(Ipv4Addr::LOCALHOST.into());
    let port = server.local_addresses().first().unwrap().port();
    let odd = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 77).into(), port);
    let from = *client.local_addresses().last().unwrap();
    client.send(now(), &[datagram(from, odd, b"request")]);
    let (path, octets) = receive(&mut server, 1).remove(0);
    assert_eq!((path, &octets[..]), (Path::new(odd, from), &b"request"[..]));
    server.send(now(), &[datagram(path.local, path.remote, b"answer")]);
    let (path, octets) = receive(&mut client, 1).remove(0);
    assert_eq!((path, &octets[..]), (Path::new(from, odd), &b"answer"[..]));
}

#[test]
fn bursts_of_all_sizes_arrive_whole_in_both_families() {
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let (mut left, mut right) = (bind(address), bind(address));
        let from = *left.local_addresses().first().unwrap();
        let to = *right.local_addresses().first().unwrap();
        // 1 octet, more than a batch of the kernel, larger than any MTU, and the largest of IPv4.
        let sizes = (0..200_usize).map(|number| 1 + number * 7).chain([9000, 20_000, 65_507]);
        let payloads: Vec<Vec<u8>> =
            sizes.map(|size| vec![u8::try_from(size % 251).unwrap(); size]).collect();
        let datagrams: Vec<_> = payloads.iter().map(|octets| datagram(from, to, octets)).collect();
        assert_eq!(left.send(now(), &datagrams).packets, payloads.len());
        let arrived: Vec<_> =
            receive(&mut right, payloads.len()).into_iter().map(|(_, octets)| octets).collect();
        assert!(arrived == payloads, "order and contents");
    }
}

#[test]
fn a_datagram_that_cannot_be_sent_does_not_stop_the_others() {
    let (mut left, mut right) = (bind(Ipv4Addr::LOCALHOST.into()), bind(Ipv4Addr::LOCALHOST.into()));
    let from = *left.local_addresses().first().unwrap();
    let to = *right.local_addresses().first().unwrap();
    let elsewhere: SocketAddr = "192.0.2.1:1".parse().unwrap();
    let oversize = vec![0; 65_508];
    let moved = left.send(
        now(),
        &[
            datagram(from, to, b"first"),
            datagram(from, to, &oversize),
            datagram(elsewhere, to, b"no such socket"),
            datagram(from, to, b"last"),
        ],
    );
    assert_eq!((moved.packets, moved.dropped), (2, 2));
    assert!(moved.error.is_some());
    let arrived: Vec<_> = receive(&mut right, 2).into_iter().map(|(_, octets)| octets).collect();
    assert_eq!(arrived, [b"first".to_vec(), b"last".to_vec()]);
}

#[test]
fn a_port_that_nobody_listens_to_is_no_lasting_error() {
    let mut left = bind(Ipv4Addr::LOCALHOST.into());
    let mut right = bind(Ipv4Addr::LOCALHOST.into());
    let from = *left.local_addresses().first().unwrap();
    let to = *right.local_addresses().first().unwrap();
    let closed = {
        let gone = bind(Ipv4Addr::LOCALHOST.into());
        *gone.local_addresses().first().unwrap()
    };
    for _ in 0..3 {
        left.send(now(), &[datagram(from, closed, b"anyone?")]);
        let moved = left.send(now(), &[datagram(from, to, b"still here")]);
        assert_eq!(moved.packets, 1);
    }
    assert_eq!(receive(&mut right, 3).len(), 3);
}

#[test]
fn a_second_socket_on_a_port_is_refused_with_the_address_in_the_error() {
    let first = bind(Ipv4Addr::LOCALHOST.into());
    let port = first.local_addresses().first().unwrap().port();
    let config = UdpConfig {
        addresses: vec![Ipv4Addr::LOCALHOST.into()],
        ports: Ports { ike: port, natt: 0 },
        mark: None,
    };
    let error = UdpWire::bind(&config).unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}
