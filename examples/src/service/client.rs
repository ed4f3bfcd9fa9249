//! The commands that talk to a running gateway.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ipsec_io::control::{ClientError, Reply, Request, request};
use ipsec_io::node::NodeReport;

/// How long a command may take: a negotiation that nobody answers gives up well before.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often `up` looks how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The gateway cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It refused, or did not succeed; the sentence says why and what to do.
    #[error("{0}")]
    Failed(String),
    /// It answered something else.
    #[error("the gateway gave an answer that this program does not know: are both of one version?")]
    Unexpected,
}

/// What `up` and `down` name: a connection, or one of its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The connection.
    pub connection: String,
    /// The child; all of them where `None`.
    pub child: Option<String>,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.child {
            Some(child) => write!(f, "{}/{child}", self.connection),
            None => f.write_str(&self.connection),
        }
    }
}

impl std::str::FromStr for Target {
    type Err = String;

    /// Reads `CONNECTION` or `CONNECTION/CHILD`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (connection, child) = match text.split_once('/') {
            Some((connection, child)) => (connection, Some(child)),
            None => (text, None),
        };
        if connection.is_empty() || child.is_some_and(|child| child.is_empty() || child.contains('/')) {
            return Err("write CONNECTION or CONNECTION/CHILD".to_owned());
        }
        Ok(Self { connection: connection.to_owned(), child: child.map(str::to_owned) })
    }
}

/// Asks, and waits for the answer: a sentence, or the report of [`Request::Status`].
///
/// # Errors
/// [`CommandError`].
pub fn ask(socket: &Path, what: &Request) -> Result<Reply, CommandError> {
    match request(socket, what, PATIENCE)? {
        Reply::Failed { message } => Err(CommandError::Failed(message)),
        other => Ok(other),
    }
}

/// Brings up a connection or child, and calls `progress` with a line whenever its state changes.
///
/// # Errors
/// [`CommandError`]; for a negotiation that fails, the diagnosis.
pub fn up(socket: &Path, target: &Target, mut progress: impl FnMut(&str)) -> Result<String, CommandError> {
    let Target { connection, child } = target.clone();
    let (sender, receiver) = mpsc::channel();
    let path = socket.to_owned();
    std::thread::spawn(move || sender.send(ask(&path, &Request::Up { connection, child })));
    let mut seen = BTreeMap::new();
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(Ok(Reply::Done { message })) => return Ok(format!("{target}: {message}")),
            Ok(Ok(_)) | Err(RecvTimeoutError::Disconnected) => return Err(CommandError::Unexpected),
            Ok(Err(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => {
                // A gateway that cannot say how far it is will still say how it ended.
                if let Ok(Reply::Status { report }) = ask(socket, &Request::Status) {
                    changes(&report, &target.connection, &mut seen).iter().for_each(|line| progress(line));
                }
            }
        }
    }
}

/// A line for every IKE SA of the connection whose state is another than at the last look.
fn changes(report: &NodeReport, connection: &str, seen: &mut BTreeMap<String, (String, u32)>) -> Vec<String> {
    let mut lines = Vec::new();
    for sa in report.ike_sas.iter().filter(|sa| sa.connection == connection) {
        let now = (sa.state.clone(), sa.transmissions);
        // The first cookie stays when the peer's becomes known.
        let key = sa.cookies.split([' ', '_', ':', '/']).next().unwrap_or_default().to_owned();
        if seen.insert(key, now.clone()).as_ref() == Some(&now) {
            continue;
        }
        let again =
            if sa.transmissions > 1 { format!(", sent {} times", sa.transmissions) } else { String::new() };
        lines.push(format!("{connection}: {} to {}: {}{again}", sa.state, sa.remote, sa.meaning));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_connection_or_one_of_its_children() {
        let target = |text: &str| text.parse::<Target>().map(|target| (target.connection, target.child));
        assert_eq!(target("site"), Ok(("site".into(), None)));
        assert_eq!(target("site/net"), Ok(("site".into(), Some("net".into()))));
        for bad in ["", "/", "/net", "site/", "site/net/x"] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }
}
