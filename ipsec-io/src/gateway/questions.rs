//! Answers to what IKE asks of its surroundings: names and source addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use ipsec_ike::{Answer, AskId, Question};
use socket2::{Domain, Protocol, Socket, Type};

use super::handle::Handle;

/// Names that are looked up at one time; one more gets no answer, and IKE tries again.
const LOOKUPS: usize = 16;

/// Answers questions, each in a thread of its own, so that a slow name server delays no packet.
#[derive(Debug)]
pub(super) struct Resolver {
    /// The fwmark with which source addresses are looked up.
    mark: Option<u32>,
    running: usize,
}

impl Resolver {
    pub(super) const fn new(mark: Option<u32>) -> Self {
        Self { mark, running: 0 }
    }

    /// Notes that an answer has arrived.
    pub(super) const fn done(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Has a question answered through `handle`. One that cannot be asked runs into IKE's own deadline.
    pub(super) fn ask(&mut self, id: AskId, question: Question, handle: &Handle) {
        if self.running >= LOOKUPS {
            return;
        }
        let (mark, handle) = (self.mark, handle.clone());
        let thread = std::thread::Builder::new().name("ipsec-resolve".to_owned());
        let spawned = thread.spawn(move || handle.answer(id, answer(&question, mark)));
        self.running += usize::from(spawned.is_ok());
    }
}

fn answer(question: &Question, mark: Option<u32>) -> Answer {
    let found = match question {
        Question::Resolve { name } => resolve(name),
        Question::Source { remote } => source(*remote, mark).map(|address| vec![address]),
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    };
    match found {
        Ok(addresses) if addresses.is_empty() => {
            Answer::None { reason: "the name has no address".to_owned() }
        }
        Ok(addresses) => Answer::Addresses(addresses),
        Err(error) => Answer::None { reason: error.to_string() },
    }
}

fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for found in (name, 0).to_socket_addrs()? {
        if !addresses.contains(&found.ip()) {
            addresses.push(found.ip());
        }
    }
    Ok(addresses)
}

/// The address that a datagram to `remote` would leave from: connecting a UDP socket sends nothing and tells.
fn source(remote: IpAddr, mark: Option<u32>) -> io::Result<IpAddr> {
    let remote = SocketAddr::new(remote, 500);
    let socket = Socket::new(Domain::for_address(remote), Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(mark) = mark {
        socket.set_mark(mark)?;
    }
    socket.connect(&remote.into())?;
    let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_loopback_is_loopback_and_literals_need_no_server() {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(source(here, None).unwrap(), here);
        assert_eq!(resolve("192.0.2.7").unwrap(), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        let nameless = answer(&Question::Resolve { name: String::new() }, None);
        assert!(matches!(nameless, Answer::None { .. }), "{nameless:?}");
    }
}
