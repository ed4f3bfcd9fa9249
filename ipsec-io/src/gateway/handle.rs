//! Talking to a running gateway from other threads.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::time::Duration;

use ipsec_ike::{Answer, AskId};
use mio::Waker;

use super::Incoming;
use crate::control::{Reply, Request};
use crate::node::GuardReport;

/// Who gets the reply to a request.
#[derive(Debug)]
pub(super) enum Origin {
    /// A client of the control socket.
    Client(u64),
    /// A thread that waits for it.
    Thread(Sender<Reply>),
    /// Nobody.
    Nobody,
}

/// Talks to a running gateway from any thread; clones are the same.
#[derive(Clone)]
pub struct Handle {
    sender: SyncSender<Incoming>,
    waker: Arc<Waker>,
}

/// Why a gateway could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It has ended.
    #[error("the gateway has ended")]
    Ended,
    /// Too many requests wait already.
    #[error("the gateway is busy: too many requests wait already")]
    Busy,
    /// It did not reply in time; the request may still be carried out.
    #[error("the gateway did not reply in time")]
    Timeout,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(..)")
    }
}

impl Handle {
    pub(super) const fn new(sender: SyncSender<Incoming>, waker: Arc<Waker>) -> Self {
        Self { sender, waker }
    }

    /// Asks and waits for the reply, `patience` at most.
    ///
    /// # Errors
    /// [`HandleError`]. A gateway that refuses replies with [`Reply::Failed`], which is no error here.
    pub fn request(&self, request: Request, patience: Duration) -> Result<Reply, HandleError> {
        let (sender, receiver) = mpsc::channel();
        self.give(Incoming::Request(request, Origin::Thread(sender)))?;
        receiver.recv_timeout(patience).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => HandleError::Timeout,
            mpsc::RecvTimeoutError::Disconnected => HandleError::Ended,
        })
    }

    /// Asks and does not wait: what a signal handler's thread does with [`Request::Reload`] and [`Request::Shutdown`].
    ///
    /// # Errors
    /// [`HandleError::Ended`] and [`HandleError::Busy`].
    pub fn send(&self, request: Request) -> Result<(), HandleError> {
        self.give(Incoming::Request(request, Origin::Nobody))
    }

    /// Tells what the host's packet filter, which the embedding program has set up, has dropped since it stands: shown
    /// in the status, and what is new since the last time becomes records, one in ten seconds for each policy and
    /// direction.
    ///
    /// # Errors
    /// [`HandleError::Ended`] and [`HandleError::Busy`].
    pub fn enforced(&self, guards: Vec<GuardReport>) -> Result<(), HandleError> {
        self.give(Incoming::Enforced(guards))
    }

    /// Brings the answer to a question of IKE.
    pub(super) fn answer(&self, id: AskId, answer: Answer) {
        // Waits if it must: this is the resolver's thread. An ended gateway needs no answer.
        if self.sender.send(Incoming::Answer(id, answer)).is_ok() {
            let _ = self.waker.wake();
        }
    }

    fn give(&self, incoming: Incoming) -> Result<(), HandleError> {
        self.sender.try_send(incoming).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => HandleError::Busy,
            mpsc::TrySendError::Disconnected(_) => HandleError::Ended,
        })?;
        self.waker.wake().map_err(|_| HandleError::Ended)
    }
}
