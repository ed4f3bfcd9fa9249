//! A TCP transfer between two hosts, both ends of which are this program, run in the hosts' namespaces.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use sha2::{Digest, Sha256};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A stream of octets that no cipher or compression can take a liking to (xorshift64).
struct Noise(u64);

impl Noise {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            for (octet, random) in chunk.iter_mut().zip(self.0.to_le_bytes()) {
                *octet = random;
            }
        }
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Sends `count` octets; gives their SHA-256.
pub(crate) fn send(to: SocketAddr, count: usize) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, TIMEOUT)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let (mut noise, mut hash) = (Noise(0x9e37_79b9_7f4a_7c15), Sha256::new());
    let mut buffer = [0; 64 * 1024];
    let mut left = count;
    while left > 0 {
        let (piece, _) = buffer.split_at_mut(left.min(64 * 1024));
        noise.fill(piece);
        hash.update(&*piece);
        stream.write_all(piece)?;
        left -= piece.len();
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    // The receiver closes when it has everything.
    stream.set_read_timeout(Some(TIMEOUT))?;
    let _ = stream.read(&mut [0])?;
    Ok(hex(&hash.finalize()))
}

/// Takes one connection, after a line that says that it is ready for it; gives the number and the SHA-256 of what came.
pub(crate) fn receive(at: IpAddr, port: u16, ready: &mut impl Write) -> io::Result<(usize, String)> {
    let listener = TcpListener::bind((at, port))?;
    writeln!(ready, "ready {}", listener.local_addr()?.port())?;
    ready.flush()?;
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let (mut hash, mut count, mut buffer) = (Sha256::new(), 0, [0; 64 * 1024]);
    loop {
        let read = stream.read(&mut buffer)?;
        let (piece, _) = buffer.split_at(read);
        if piece.is_empty() {
            return Ok((count, hex(&hash.finalize())));
        }
        hash.update(piece);
        count += read;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    struct FirstLine(mpsc::Sender<String>, String);

    impl Write for FirstLine {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.1 += &String::from_utf8_lossy(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.send(self.1.clone()).map_err(io::Error::other)
        }
    }

    #[test]
    fn both_ends_see_the_same_octets() {
        let (line, lines) = mpsc::channel();
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let receiver = thread::spawn(move || receive(localhost, 0, &mut FirstLine(line, String::new())));
        let port = lines.recv().unwrap().trim().strip_prefix("ready ").unwrap().parse().unwrap();
        let sent = send(SocketAddr::new(localhost, port), 300_001).unwrap();
        assert_eq!(receiver.join().unwrap().unwrap(), (300_001, sent));
    }
}
