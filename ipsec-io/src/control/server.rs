//! The gateway's end of the control socket: never waits, and holds little.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::{LINE, Reply, Request};

/// Clients at one time. One more is sent away.
const CLIENTS: usize = 32;
/// Requests of one client that are not answered yet. Further lines stay unread.
const OPEN: usize = 16;
/// Answers of one client that are not taken yet, in octets. Beyond it the client is closed.
const UNSENT: usize = 256 << 20;
/// Octets read from one client in one turn.
const READ: usize = 16 * 1024;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketConfig {
    /// The socket's path. Its directory is created where it is missing.
    pub path: PathBuf,
    /// The socket's permission bits, `0o660` by default.
    pub mode: u32,
}

impl SocketConfig {
    /// A socket at `path` with mode 0660.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), mode: 0o660 }
    }
}

/// Why the control socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// Another process listens there.
    #[error(
        "{path}: another gateway is running and listens there; stop it first, or give this one another socket"
    )]
    InUse {
        /// The socket.
        path: String,
    },
    /// Something that is no socket has this name.
    #[error("{path} exists and is not a socket; remove it, or choose another path")]
    NotASocket {
        /// The path.
        path: String,
    },
    /// What the system says.
    #[error("control socket {path}: {source}")]
    System {
        /// The socket.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A client's number, never used twice.
pub(crate) type ClientId = u64;

#[derive(Debug)]
pub(crate) struct Server {
    path: PathBuf,
    listener: UnixListener,
    clients: BTreeMap<ClientId, Client>,
    next: ClientId,
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    received: Vec<u8>,
    unsent: VecDeque<u8>,
    /// Requests that were handed out and are not answered.
    open: usize,
    /// It sends no more; it is closed when all is answered.
    ended: bool,
    broken: bool,
}

impl Server {
    /// Starts to listen. A socket that a crash left behind is taken over, one that somebody listens to is not.
    pub(crate) fn open(config: &SocketConfig) -> Result<Self, SocketError> {
        let shown = config.path.display().to_string();
        let system = |source| SocketError::System { path: shown.clone(), source };
        clear_the_way(&config.path)?;
        if let Some(directory) = config.path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(system)?;
        }
        let listener = UnixListener::bind(&config.path).map_err(system)?;
        std::fs::set_permissions(&config.path, PermissionsExt::from_mode(config.mode)).map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
        Ok(Self { path: config.path.clone(), listener, clients: BTreeMap::new(), next: 0 })
    }

    pub(crate) fn listener_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }

    /// Accepts who waits, if `watch` can tell when the client has something to say.
    pub(crate) fn accept(&mut self, mut watch: impl FnMut(RawFd) -> bool) {
        while let Ok((stream, _)) = self.listener.accept() {
            let full = self.clients.len() >= CLIENTS;
            if full || stream.set_nonblocking(true).is_err() || !watch(stream.as_raw_fd()) {
                continue;
            }
            let client = Client {
                stream,
                received: Vec::new(),
                unsent: VecDeque::new(),
                open: 0,
                ended: false,
                broken: false,
            };
            self.clients.insert(self.next, client);
            self.next += 1;
        }
    }

    /// Reads from and writes to every client, closes those that are done or broken, and gives back new requests.
    pub(crate) fn turn(&mut self) -> Vec<(ClientId, Request)> {
        let mut requests = Vec::new();
        for (id, client) in &mut self.clients {
            client.read();
            client.take_requests(|request| requests.push((*id, request)));
            client.write();
        }
        self.clients.retain(|_, client| !client.is_over());
        requests
    }

    /// Answers one request of a client, which may be gone.
    pub(crate) fn answer(&mut self, id: ClientId, reply: &Reply) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.open = client.open.saturating_sub(1);
            client.queue(reply);
            client.write();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Client {
    fn read(&mut self) {
        let mut buffer = [0; READ];
        // Lines beyond what may be open stay with the kernel, and so with the sender.
        while !self.ended && self.open < OPEN && self.received.len() <= LINE {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(octets) => self.received.extend_from_slice(buffer.get(..octets).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.broken |= error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }

    fn take_requests(&mut self, mut give: impl FnMut(Request)) {
        while self.open < OPEN {
            let Some(end) = self.received.iter().position(|octet| *octet == b'\n') else { break };
            let line: Vec<u8> = self.received.drain(..=end).collect();
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(request) => {
                    self.open += 1;
                    give(request);
                }
                Err(error) => self.queue(&Reply::failed(format!("the request cannot be read: {error}"))),
            }
        }
        if self.received.len() > LINE && !self.received.contains(&b'\n') {
            self.received.clear();
            self.ended = true;
            self.queue(&Reply::failed(format!("a request has {LINE} octets at most")));
        }
    }

    fn queue(&mut self, reply: &Reply) {
        let line = serde_json::to_vec(reply).unwrap_or_else(|_| {
            br#"{"reply":"failed","message":"the answer cannot be written as JSON"}"#.to_vec()
        });
        if self.unsent.len() + line.len() >= UNSENT {
            self.broken = true;
            return;
        }
        self.unsent.extend(line);
        self.unsent.push_back(b'\n');
    }

    fn write(&mut self) {
        while !self.unsent.is_empty() {
            let (front, _) = self.unsent.as_slices();
            match self.stream.write(front) {
                Ok(octets) => drop(self.unsent.drain(..octets)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.broken |= error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.broken || (self.ended && self.open == 0 && self.unsent.is_empty())
    }
}

/// Removes a socket that nobody listens to.
fn clear_the_way(path: &Path) -> Result<(), SocketError> {
    let shown = || path.display().to_string();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(SocketError::System { path: shown(), source }),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(SocketError::NotASocket { path: shown() }),
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => Err(SocketError::InUse { path: shown() }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(|source| SocketError::System { path: shown(), source })
            }
            Err(source) => Err(SocketError::System { path: shown(), source }),
        },
    }
}
