//! Two whole gateways on loopback, in threads of their own: real sockets, real time, control sockets.
#![cfg(any(feature = "portable", feature = "fast"))]
#![allow(clippy::unwrap_used, reason = "what cannot fail in a test is a failure of it")]

mod common;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use common::{Setup, ping};
use ipsec_io::backend::{Link, Moved};
use ipsec_io::control::{self, ClientError, Reply, Request, SocketConfig};
use ipsec_io::gateway::{Gateway, GatewayError, Handle};
use ipsec_io::ike::{Config, NatTraversal, Now, Ports};
use ipsec_io::node::NodeConfig;
use ipsec_io::sad::{Batch, Meta};
use ipsec_io::udp::{UdpConfig, UdpWire};

/// A link whose other end is a socket in the test's hand.
struct SocketLink(UnixDatagram);

impl Link for SocketLink {
    fn receive(&mut self, _now: Now, batch: &mut Batch) -> Moved {
        let mut moved = Moved::default();
        let mut buffer = [0; 2048];
        while !batch.is_full() {
            let Ok(octets) = self.0.recv(&mut buffer) else { return moved };
            batch.push(Meta::Clear, &buffer[..octets]).unwrap();
            moved.packets += 1;
        }
        moved.more = true;
        moved
    }

    fn send(&mut self, _now: Now, packets: &[&[u8]]) -> Moved {
        for packet in packets {
            self.0.send(packet).unwrap();
        }
        Moved { packets: packets.len(), ..Moved::default() }
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.0.as_fd()]
    }
}

struct Running {
    handle: Handle,
    hosts: UnixDatagram,
    socket: PathBuf,
    thread: JoinHandle<Result<(), GatewayError>>,
}

/// Ports that nothing else on this machine should have; tests run side by side in one process.
fn ports(base: u16) -> Ports {
    Ports { ike: base, natt: base + 1 }
}

fn config(setup: &Setup, own: Ports, peer: Ports) -> NodeConfig {
    let mut connection = setup.connection();
    connection.remote_ports = peer;
    connection.nat_traversal = NatTraversal::Force;
    NodeConfig::new(Arc::new(Config::builder().ports(own).connection(connection).build().unwrap()))
}

fn start(setup: &Setup, own: Ports, peer: Ports, name: &str) -> Running {
    let config = config(setup, own, peer);
    let address = setup.address.parse().unwrap();
    let wire = UdpWire::bind(&UdpConfig { addresses: vec![address], ports: own, mark: None }).unwrap();
    let (ours, hosts) = UnixDatagram::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    hosts.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let socket = std::env::temp_dir().join(format!("ipsec-io-{}-{name}.sock", std::process::id()));
    let gateway = Gateway::builder(config.clone(), wire, SocketLink(ours))
        .control(SocketConfig::new(&socket))
        .on_reload(move || Ok(config.clone()))
        .build()
        .unwrap();
    let handle = gateway.handle();
    let thread = std::thread::spawn(move || gateway.run());
    Running { handle, hosts, socket, thread }
}

const PATIENCE: Duration = Duration::from_secs(20);

fn status(running: &Running) -> ipsec_io::node::NodeReport {
    match control::request(&running.socket, &Request::Status, PATIENCE).unwrap() {
        Reply::Status { report } => *report,
        other => panic!("{other:?}"),
    }
}

fn pair(base: u16, name: &str) -> (Running, Running) {
    let left = Setup { address: "127.0.0.1", peer: "127.0.0.2", ..Setup::left() };
    let right = Setup { address: left.peer, peer: left.address, ..Setup::right() };
    let (one, two) = (ports(base), ports(base + 2));
    (start(&left, one, two, &format!("{name}-left")), start(&right, two, one, &format!("{name}-right")))
}

#[test]
fn packets_pass_between_two_gateways_and_a_shutdown_tells_the_peer() {
    let (left, right) = pair(42_500, "pass");
    let mut buffer = [0; 2048];
    for number in 0..200 {
        let packet = ping("10.1.0.5", "10.2.0.7", number);
        left.hosts.send(&packet).unwrap();
        let octets = right.hosts.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..octets], packet);
        right.hosts.send(&ping("10.2.0.7", "10.1.0.5", number)).unwrap();
        left.hosts.recv(&mut buffer).unwrap();
    }
    let report = status(&left);
    assert_eq!((report.children[0].inbound.packets, report.children[0].outbound.packets), (200, 200));
    assert_eq!(status(&right).children.len(), 1);

    let history = Request::History { peer: Some("127.0.0.2".parse().unwrap()) };
    match control::request(&left.socket, &history, PATIENCE).unwrap() {
        Reply::History { records } => {
            assert!(records.iter().any(|line| line.contains("child.up peer 127.0.0.2")), "{records:#?}");
        }
        other => panic!("{other:?}"),
    }

    let reply = control::request(&left.socket, &Request::Shutdown, PATIENCE).unwrap();
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    left.thread.join().unwrap().unwrap();
    assert!(!left.socket.exists(), "the control socket is gone");
    let gone = control::request(&left.socket, &Request::Status, PATIENCE);
    assert!(matches!(gone, Err(ClientError::Connect { .. })));
    let mut tries = 0;
    while !status(&right).children.is_empty() {
        tries += 1;
        assert!(tries < 100, "the delete was not noticed");
        std::thread::sleep(Duration::from_millis(20));
    }
    right.handle.send(Request::Shutdown).unwrap();
    right.thread.join().unwrap().unwrap();
}

#[test]
fn commands_are_answered_when_they_are_done() {
    let (left, right) = pair(42_510, "commands");
    let up = Request::Up { connection: "peer".into(), child: None };
    let reply = left.handle.request(up, PATIENCE).unwrap();
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    assert_eq!(status(&left).children.len(), 1);
    let reply = left.handle.request(Request::Reload, PATIENCE).unwrap();
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    assert_eq!(status(&left).children.len(), 1, "unchanged SAs stay");
    let down = Request::Down { connection: "peer".into(), child: None };
    let reply = control::request(&right.socket, &down, PATIENCE).unwrap();
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    assert!(status(&right).ike_sas.is_empty());
    let unknown = Request::Up { connection: "nobody".into(), child: None };
    let reply = control::request(&left.socket, &unknown, PATIENCE).unwrap();
    assert!(matches!(&reply, Reply::Failed { message } if message.contains("nobody")), "{reply:?}");
    for running in [left, right] {
        running.handle.request(Request::Shutdown, PATIENCE).unwrap();
        running.thread.join().unwrap().unwrap();
    }
}

#[test]
fn a_second_gateway_on_a_socket_is_refused_and_a_stale_one_is_taken_over() {
    let (left, right) = pair(42_520, "second");
    let own = ports(42_530);
    let setup = Setup { address: "127.0.0.1", peer: "127.0.0.3", ..Setup::left() };
    let build = |socket: &PathBuf| {
        let address = setup.address.parse().unwrap();
        let wire = UdpWire::bind(&UdpConfig { addresses: vec![address], ports: own, mark: None }).unwrap();
        let (ours, _hosts) = UnixDatagram::pair().unwrap();
        Gateway::builder(config(&setup, own, own), wire, SocketLink(ours))
            .control(SocketConfig::new(socket))
            .build()
    };
    let error = build(&left.socket).unwrap_err();
    assert!(error.to_string().contains("another gateway"), "{error}");

    let stale = std::env::temp_dir().join(format!("ipsec-io-{}-stale.sock", std::process::id()));
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    drop(build(&stale).unwrap());
    std::fs::write(&stale, b"not a socket").unwrap();
    assert!(build(&stale).unwrap_err().to_string().contains("not a socket"));
    std::fs::remove_file(&stale).unwrap();
    for running in [left, right] {
        running.handle.request(Request::Shutdown, PATIENCE).unwrap();
        running.thread.join().unwrap().unwrap();
    }
}

#[test]
fn a_slow_or_broken_client_does_not_stop_the_gateway() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let (left, right) = pair(42_540, "clients");
    // One that asks and never reads, one that sends an endless line, one that sends nonsense, and too many of them.
    let mut lazy = UnixStream::connect(&left.socket).unwrap();
    lazy.set_nonblocking(true).unwrap();
    for _ in 0..10_000 {
        if lazy.write_all(b"{\"request\":\"status\"}\n").is_err() {
            break;
        }
    }
    let mut endless = UnixStream::connect(&left.socket).unwrap();
    let _ = endless.write_all(&vec![b'x'; 1 << 20]);
    let mut answer = String::new();
    let _ = endless.read_to_string(&mut answer);
    assert!(answer.contains("octets at most") || answer.is_empty(), "{answer}");
    let mut nonsense = UnixStream::connect(&left.socket).unwrap();
    nonsense.write_all(b"hello\n{\"request\":\"dance\"}\n").unwrap();
    nonsense.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    nonsense.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.lines().filter(|line| line.contains("cannot be read")).count(), 2, "{answers}");
    let crowd: Vec<_> = (0..20).map(|_| UnixStream::connect(&left.socket).unwrap()).collect();
    assert_eq!(status(&left).children.len(), 0);
    drop(crowd);

    let mut buffer = [0; 2048];
    left.hosts.send(&ping("10.1.0.5", "10.2.0.7", 1)).unwrap();
    right.hosts.recv(&mut buffer).unwrap();
    for running in [left, right] {
        running.handle.request(Request::Shutdown, PATIENCE).unwrap();
        running.thread.join().unwrap().unwrap();
    }
    let _: io::Error =
        lazy.read_to_end(&mut Vec::new()).err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
}
