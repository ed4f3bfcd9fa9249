//! Putting a gateway together.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, mpsc};

use ipsec_crypto::{CryptoProvider, OsRandom, SecureRandom};
use ipsec_sad::Batch;
use mio::{Poll, Waker};

use super::flood::Flood;
use super::guards::Guards;
use super::handle::Handle;
use super::questions::Resolver;
use super::{BATCH, Gateway, LONGEST, WAKE, clock, watch, watch_sources};
use crate::backend::{Link, Wire};
use crate::control::{Server, SocketConfig, SocketError};
use crate::events::{Record, Ring};
use crate::node::{Node, NodeConfig, SetupError};
use crate::pcap::keys::KeyLine;

/// Requests from handles that wait for the loop.
const INCOMING: usize = 256;

/// Reads the configuration again; the error is a sentence.
type Reload = Box<dyn FnMut() -> Result<NodeConfig, String> + Send>;
/// Is shown something as it happens.
type Sink<T> = Box<dyn FnMut(&T) + Send>;

/// What the embedding program has asked to be called for.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) reload: Option<Reload>,
    pub(super) records: Option<Sink<Record>>,
    pub(super) keys: Option<Sink<KeyLine>>,
}

/// Why a gateway cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The configuration.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] SocketError),
    /// The system cannot watch sockets.
    #[error("cannot wait for packets: {0}")]
    Poll(io::Error),
    /// The program was built without algorithms and none were given.
    #[error("no algorithms: build with the feature `portable` or `fast`, or give a provider")]
    NoProvider,
}

/// Collects what a [`Gateway`] is made from.
pub struct GatewayBuilder {
    config: NodeConfig,
    wire: Box<dyn Wire + Send>,
    link: Box<dyn Link + Send>,
    bypass: Option<Box<dyn Link + Send>>,
    provider: Option<Arc<CryptoProvider>>,
    random: Box<dyn SecureRandom + Send>,
    control: Option<SocketConfig>,
    mark: Option<u32>,
    hooks: Hooks,
}

impl fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayBuilder")
            .field("config", &self.config)
            .field("control", &self.control)
            .field("mark", &self.mark)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Starts with a configuration and the two backends.
    #[must_use]
    pub fn builder(
        config: NodeConfig,
        wire: impl Wire + Send + 'static,
        link: impl Link + Send + 'static,
    ) -> GatewayBuilder {
        GatewayBuilder {
            config,
            wire: Box::new(wire),
            link: Box::new(link),
            bypass: None,
            provider: None,
            random: Box::new(OsRandom),
            control: None,
            mark: None,
            hooks: Hooks::default(),
        }
    }
}

impl GatewayBuilder {
    /// Sets the algorithms. The best ones that the program was built with by default.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Sets the source of randomness, which is the operating system's by default.
    #[must_use]
    pub fn random(mut self, random: Box<dyn SecureRandom + Send>) -> Self {
        self.random = random;
        self
    }

    /// Sets where packets leave that came by the link though a policy lets them pass in clear, mostly a
    /// [`ClearPath`](crate::clear::ClearPath). Nothing is received from it. Without one they are dropped and counted.
    #[must_use]
    pub fn bypass(mut self, link: impl Link + Send + 'static) -> Self {
        self.bypass = Some(Box::new(link));
        self
    }

    /// Listens for control requests on a local socket.
    #[must_use]
    pub fn control(mut self, socket: SocketConfig) -> Self {
        self.control = Some(socket);
        self
    }

    /// The fwmark that the wire's sockets carry, so that the address they send from is looked up with it.
    #[must_use]
    pub const fn mark(mut self, mark: Option<u32>) -> Self {
        self.mark = mark;
        self
    }

    /// Sets what reads the configuration again when [`Request::Reload`](crate::control::Request::Reload) comes.
    #[must_use]
    pub fn on_reload(mut self, read: impl FnMut() -> Result<NodeConfig, String> + Send + 'static) -> Self {
        self.hooks.reload = Some(Box::new(read));
        self
    }

    /// Sets what is called with every record, after it went to `tracing`. It must not wait. Of records that strangers
    /// can cause there are 50 a second at most; the counters have them all.
    #[must_use]
    pub fn on_record(mut self, sink: impl FnMut(&Record) + Send + 'static) -> Self {
        self.hooks.records = Some(Box::new(sink));
        self
    }

    /// Sets what is called with keys for a protocol analyser, if the connections'
    /// [`key_log`](ipsec_ike::Config::key_log) asks for them.
    #[must_use]
    pub fn on_key(mut self, sink: impl FnMut(&KeyLine) + Send + 'static) -> Self {
        self.hooks.keys = Some(Box::new(sink));
        self
    }

    /// Sets everything up; packets move from [`Gateway::run`] on.
    ///
    /// # Errors
    /// [`GatewayError`]; nothing is left behind then.
    pub fn build(self) -> Result<Gateway, GatewayError> {
        let Self { config, wire, link, bypass, provider, random, control, mark, hooks } = self;
        let provider = match provider {
            Some(provider) => provider,
            None => default_provider()?,
        };
        let control = control.as_ref().map(Server::open).transpose()?;
        let node = Node::new(config, provider, random, clock())?;
        let poll = Poll::new().map_err(GatewayError::Poll)?;
        let registry = poll.registry();
        watch_sources(registry, &*wire, &*link).map_err(GatewayError::Poll)?;
        if let Some(server) = &control {
            watch(registry, server.listener_fd()).map_err(GatewayError::Poll)?;
        }
        let waker = Arc::new(Waker::new(registry, WAKE).map_err(GatewayError::Poll)?);
        let (sender, incoming) = mpsc::sync_channel(INCOMING);
        Ok(Gateway {
            node,
            wire,
            link,
            bypass,
            poll,
            handle: Handle::new(sender, waker),
            incoming,
            control,
            resolver: Resolver::new(mark),
            hooks,
            pending: BTreeMap::new(),
            ring: Ring::default(),
            flood: Flood::default(),
            wire_batch: Batch::new(BATCH, LONGEST),
            link_batch: Batch::new(BATCH, LONGEST),
            complaints: Default::default(),
            guards: Guards::default(),
            farewell: None,
            again: None,
            finished: false,
        })
    }
}

#[cfg(any(feature = "portable", feature = "fast"))]
#[expect(clippy::unnecessary_wraps, reason = "its sibling for builds without algorithms fails")]
fn default_provider() -> Result<Arc<CryptoProvider>, GatewayError> {
    Ok(Arc::new(CryptoProvider::default()))
}

#[cfg(not(any(feature = "portable", feature = "fast")))]
fn default_provider() -> Result<Arc<CryptoProvider>, GatewayError> {
    Err(GatewayError::NoProvider)
}
