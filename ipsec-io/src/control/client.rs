//! The other end of the control socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Reply, Request};

/// A report of very many SAs is long, but not endless.
const LONGEST_REPLY: u64 = 256 << 20;

/// Why a running gateway could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no socket, nobody listens to it, or we may not.
    #[error("cannot reach the gateway at {path}: {source}; is it running, and may you talk to it?")]
    Connect {
        /// The socket.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke, or the answer took too long.
    #[error("the gateway did not answer: {0}")]
    Exchange(#[from] io::Error),
    /// The answer is not one.
    #[error("the gateway's answer cannot be read: {0}")]
    Reply(String),
}

/// Asks the gateway that listens at `socket` and waits for its answer, `patience` at most.
///
/// # Errors
/// [`ClientError`]. A gateway that refuses answers with [`Reply::Failed`], which is no error here.
pub fn request(socket: &Path, request: &Request, patience: Duration) -> Result<Reply, ClientError> {
    let mut stream = UnixStream::connect(socket)
        .map_err(|source| ClientError::Connect { path: socket.display().to_string(), source })?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(request).map_err(io::Error::other)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream.take(LONGEST_REPLY)).read_line(&mut reply)?;
    if reply.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    serde_json::from_str(&reply).map_err(|error| ClientError::Reply(error.to_string()))
}
