//! From a configuration file to a running gateway, and to its end.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipsec_io::clear::ClearPath;
use ipsec_io::control::{Reply, Request, SocketConfig, SocketError};
use ipsec_io::crypto::CryptoProvider;
use ipsec_io::gateway::{Gateway, GatewayError, Handle, HandleError};
use ipsec_io::ike::Ports;
use ipsec_io::node::NodeConfig;
use ipsec_io::raw::{RawConfig, RawWire};
use ipsec_io::tun::TunLink;
use ipsec_io::udp::{UdpConfig, UdpWire};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::privileges;
use super::record::{KeyTables, recorder};
use super::reload::difference;
use crate::config::{Faults, File, GatewaySection, Loaded, Numbering, Source};
use crate::surroundings::{
    EnforceError, Enforcer, Exempt, Kernel, KernelError, Numbers, Plan, Ruleset, inner_mtu, kernel_advice,
};

/// How long a reload may take before a signal's sender is told so.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the counters of the packet filter are read.
const LOOK: Duration = Duration::from_secs(2);
/// Every link carries IPv4 packets of this size (RFC 791 §3.1).
const LEAST_MTU: u16 = 576;
/// Linux has no IPv6 on a device below this (RFC 8200 §5).
const LEAST_MTU_V6: u16 = 1280;

/// Why a gateway did not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] Faults),
    /// The control socket; for a second gateway, that there is a first.
    #[error(transparent)]
    Control(#[from] SocketError),
    /// Sockets, the device, or files.
    #[error("{what}: {error}{}", advice(error))]
    System {
        /// What was to be opened.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// The host's routing.
    #[error("routing: {0}")]
    Kernel(#[from] KernelError),
    /// The host's packet filter.
    #[error("enforcing the policies: {0}")]
    Enforce(#[from] EnforceError),
    /// The gateway itself.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Capabilities could not be given up.
    #[error("giving up capabilities: {0}")]
    Privileges(String),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; fix: run as root, or with the capabilities NET_ADMIN, NET_RAW and NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrInUse => "; fix: stop the other IKE daemon, or set ike_port and natt_port",
        _ => "",
    }
}

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    let what = what.into();
    move |error| RunError::System { what, error }
}

/// What a reload changes, shared between the loop and the end of it.
struct Managed {
    path: PathBuf,
    provider: Arc<CryptoProvider>,
    numbering: Numbering,
    gateway: GatewaySection,
    running: NodeConfig,
    kernel: Kernel,
    enforcer: Option<Arc<Mutex<Enforcer>>>,
    device: u32,
    mtu: u16,
}

/// Runs a gateway until it gets SIGTERM or SIGINT. SIGHUP reads the file again.
///
/// # Errors
/// [`RunError`]; what was set up is removed again.
pub fn run(path: &Path) -> Result<(), RunError> {
    let provider = Arc::new(CryptoProvider::default());
    let mut numbering = Numbering::default();
    let loaded = Loaded::read(path, &mut numbering, &provider)?;
    refuse_second(&loaded.gateway.control)?;
    // Before anything is opened, so that a signal during the start is not lost.
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(system("signals"))?;
    // First of all that is changed, and last of what is undone: there is no moment without.
    let enforcer = enforce(&loaded)?;
    let result = serve(path, loaded, provider, numbering, signals, enforcer.clone());
    let Some(enforcer) = enforcer else { return result.and_then(|ended| ended) };
    let mut enforcer = lock(&enforcer);
    // Rules that were there before the start are those of a gateway that was killed: one that cannot start leaves its
    // own in their place.
    let orderly = matches!(result, Ok(Ok(()))) || (result.is_err() && !enforcer.found_rules());
    if !orderly {
        tracing::warn!("the rules of the packet filter stay; `ipsec-gateway clean` removes them");
    } else if let Err(error) = enforcer.remove() {
        tracing::error!("{error}; `ipsec-gateway clean` tries again");
    }
    result?
}

/// Removes what a gateway that was killed has left behind: rules of the packet filter, routes and routing rules.
///
/// # Errors
/// [`RunError`]; also for a gateway that still runs, which is left alone.
pub fn clean(path: &Path) -> Result<(), RunError> {
    let gateway = File::parse(&Source::read(path)?)?.gateway;
    refuse_second(&gateway.control)?;
    match Enforcer::open(&gateway.tun) {
        Ok(mut enforcer) => enforcer.remove()?,
        Err(EnforceError::NoProgram(_)) if !gateway.enforce => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Kernel::open(numbers(&gateway))?.clear()?)
}

/// Sets up and runs; the outer error is of a start that failed, the inner one of an end out of order.
fn serve(
    path: &Path,
    mut loaded: Loaded,
    provider: Arc<CryptoProvider>,
    numbering: Numbering,
    signals: Signals,
    enforcer: Option<Arc<Mutex<Enforcer>>>,
) -> Result<Result<(), RunError>, RunError> {
    let GatewaySection { tun, fwmark, ike_port, natt_port, .. } = &loaded.gateway;
    let (addresses, mark) = (vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()], Some(*fwmark));
    let ports = Ports { ike: *ike_port, natt: *natt_port };
    let udp =
        UdpWire::bind(&UdpConfig { addresses: addresses.clone(), ports, mark }).map_err(system("sockets"))?;
    let raw = RawWire::open(&RawConfig { addresses, mark }).map_err(system("sockets"))?;
    let mut kernel = Kernel::open(numbers(&loaded.gateway))?;
    if loaded.gateway.manage_routes {
        kernel.clear()?;
    }
    loaded.node.locals = kernel.addresses()?.iter().map(|own| own.address).collect();
    let mtu = device_mtu(&kernel, &loaded, None)?;
    let link = TunLink::open(tun, mtu).map_err(system(format!("TUN device {tun}")))?;
    let device = link.index().map_err(system(format!("TUN device {tun}")))?;
    tracing::info!("device {tun}, MTU {mtu}");
    let managed = Managed {
        path: path.to_owned(),
        provider: Arc::clone(&provider),
        numbering,
        gateway: loaded.gateway.clone(),
        running: loaded.node.clone(),
        kernel,
        enforcer: enforcer.clone(),
        device,
        mtu,
    };
    let managed = Arc::new(Mutex::new(managed));
    let gateway = build(&loaded, provider, (udp, raw), link, Arc::clone(&managed))?;
    lock(&managed).install(&loaded)?;
    privileges::drop_others().map_err(|error| RunError::Privileges(error.to_string()))?;
    let watcher = watch(signals, gateway.handle());
    if let Some(enforcer) = enforcer {
        count(enforcer, gateway.handle());
    }
    notify(&[NotifyState::Ready]);
    tracing::info!(
        "ready: {} connections, control socket {}",
        loaded.node.ike.connections().len(),
        loaded.gateway.control.display()
    );
    drop(loaded);
    let ended = gateway.run();
    watcher.close();
    Ok(ended.map_err(RunError::from))
}

/// Sets the rules of the packet filter, or removes what an earlier gateway left where they are not wanted any more.
fn enforce(loaded: &Loaded) -> Result<Option<Arc<Mutex<Enforcer>>>, RunError> {
    let gateway = &loaded.gateway;
    let mut enforcer = match Enforcer::open(&gateway.tun) {
        Err(_) if !gateway.enforce => return Ok(None),
        opened => opened?,
    };
    if gateway.enforce {
        enforcer.apply(&ruleset(gateway, &loaded.node))?;
        return Ok(Some(Arc::new(Mutex::new(enforcer))));
    }
    if enforcer.found_rules() {
        enforcer.remove()?;
    }
    tracing::warn!(
        "enforce = false: the packet filter is not touched, and packets in clear pass where routes let them"
    );
    Ok(None)
}

fn ruleset(gateway: &GatewaySection, node: &NodeConfig) -> Ruleset {
    let GatewaySection { tun, fwmark, ike_port, natt_port, .. } = gateway;
    let exempt = Exempt { tun: tun.clone(), mark: *fwmark, ports: [*ike_port, *natt_port] };
    Ruleset::new(&exempt, &node.policies())
}

/// Tells the loop what the packet filter has dropped, from a thread of its own that ends after the loop.
fn count(enforcer: Arc<Mutex<Enforcer>>, handle: Handle) {
    std::thread::spawn(move || {
        let mut failing = false;
        loop {
            let guards = lock(&enforcer).report();
            match &guards {
                Err(error) if !failing => tracing::error!("{error}"),
                _ => {}
            }
            failing = guards.is_err();
            if let Ok(guards) = guards
                && handle.enforced(guards) == Err(HandleError::Ended)
            {
                return;
            }
            std::thread::sleep(LOOK);
        }
    });
}

/// A gateway that answers on the control socket is not disturbed, not even its routes.
fn refuse_second(control: &Path) -> Result<(), RunError> {
    match UnixStream::connect(control) {
        Ok(_) => Err(SocketError::InUse { path: control.display().to_string() }.into()),
        Err(_) => Ok(()),
    }
}

const fn numbers(gateway: &GatewaySection) -> Numbers {
    Numbers { table: gateway.route_table, priority: gateway.rule_priority, mark: gateway.fwmark }
}

fn build(
    loaded: &Loaded,
    provider: Arc<CryptoProvider>,
    wire: (UdpWire, RawWire),
    link: TunLink,
    managed: Arc<Mutex<Managed>>,
) -> Result<Gateway, RunError> {
    let section = &loaded.gateway;
    let node = loaded.node.clone();
    let builder = match &section.capture {
        None => Gateway::builder(node, wire, link),
        Some(path) => {
            let recorder = recorder(path).map_err(system("capture"))?;
            tracing::warn!("recording all packets, in clear too, to {}", path.display());
            Gateway::builder(node, recorder.wire(wire), recorder.link(link))
        }
    };
    let mut builder = builder
        .provider(provider)
        .control(SocketConfig::new(&section.control))
        .mark(Some(section.fwmark))
        .bypass(ClearPath::open(section.fwmark).map_err(system("sockets"))?)
        .on_reload(move || lock(&managed).reload());
    if let (Some(path), true) = (&section.capture, section.capture_keys) {
        let mut tables = KeyTables::create(path).map_err(system("capture_keys"))?;
        tracing::warn!(
            "writing the keys of all SAs beside {}: whoever has them reads the traffic",
            path.display()
        );
        builder = builder.on_key(move |line| {
            if let Err(error) = tables.write(line) {
                tracing::error!("capture_keys: {error}");
            }
        });
    }
    Ok(builder.build()?)
}

/// Hands signals to the loop, from a thread of its own.
fn watch(mut signals: Signals, handle: Handle) -> signal_hook::iterator::Handle {
    let closer = signals.handle();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                match handle.request(Request::Reload, PATIENCE) {
                    Ok(Reply::Failed { message }) => tracing::error!("reload: {message}"),
                    Ok(_) => tracing::info!("reload: done"),
                    Err(error) => tracing::error!("reload: {error}"),
                }
            } else {
                tracing::info!("ending: telling the peers");
                notify(&[NotifyState::Stopping]);
                if let Err(error) = handle.send(Request::Shutdown) {
                    tracing::error!("ending: {error}");
                }
            }
        }
    });
    closer
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells systemd, if it is there.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("notifying the service manager: {error}");
    }
}

/// The device's MTU: as configured, else the smallest that any child needs.
fn device_mtu(kernel: &Kernel, loaded: &Loaded, device: Option<u32>) -> Result<u16, KernelError> {
    if let Some(mtu) = loaded.gateway.mtu {
        return Ok(mtu);
    }
    let is_v6 = loaded.tunnels.iter().any(|tunnel| !tunnel.remote.is_ipv4());
    let least = if is_v6 { LEAST_MTU_V6 } else { LEAST_MTU };
    let mut smallest = None;
    for (peer, outer) in &loaded.wrappings {
        let mtu = inner_mtu(kernel.path_mtu(*peer, device)?, outer);
        smallest = Some(smallest.map_or(mtu, |other: u16| other.min(mtu)));
    }
    Ok(smallest.unwrap_or(LEAST_MTU_V6).max(least))
}

impl Managed {
    /// Installs the routes of a configuration, and says what an operator should know.
    fn install(&mut self, loaded: &Loaded) -> Result<(), KernelError> {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        if !self.gateway.manage_routes {
            return Ok(());
        }
        let host = self.kernel.addresses()?;
        let plan = Plan::new(numbers(&self.gateway), &loaded.tunnels, &loaded.exceptions, &host);
        for warning in plan.warnings.iter().cloned().chain(kernel_advice(&plan)) {
            tracing::warn!("{warning}");
        }
        self.kernel.apply(plan, self.device)
    }

    /// Sets the device's MTU, if another is due now.
    fn fit(&mut self, loaded: &Loaded) -> Result<(), KernelError> {
        let mtu = device_mtu(&self.kernel, loaded, Some(self.device))?;
        if mtu != self.mtu {
            self.kernel.set_mtu(self.device, mtu)?;
            tracing::info!("MTU {mtu} instead of {}", self.mtu);
            self.mtu = mtu;
        }
        Ok(())
    }

    /// Sets the rules of the packet filter for a configuration.
    fn enforce(&self, node: &NodeConfig) -> Result<(), EnforceError> {
        match &self.enforcer {
            Some(enforcer) => lock(enforcer).apply(&ruleset(&self.gateway, node)),
            None => Ok(()),
        }
    }

    /// Reads the file again. Whatever is wrong leaves everything as it is.
    fn reload(&mut self) -> Result<NodeConfig, String> {
        notify(&reloading());
        let result = self.try_reload();
        notify(&[NotifyState::Ready]);
        result
    }

    fn try_reload(&mut self) -> Result<NodeConfig, String> {
        let mut loaded = Loaded::read(&self.path, &mut self.numbering, &self.provider)
            .map_err(|faults| faults.to_string())?;
        let own = self.kernel.addresses().map_err(|error| error.to_string())?;
        loaded.node.locals = own.iter().map(|own| own.address).collect();
        let found = difference((&self.gateway, &self.running.ike), (&loaded.gateway, &loaded.node.ike));
        if !found.needs_restart.is_empty() {
            return Err(format!("only a restart changes {} in [gateway]", found.needs_restart.join(", ")));
        }
        self.enforce(&loaded.node).map_err(|error| error.to_string())?;
        let before = self.kernel.installed().clone();
        if let Err(error) = self.fit(&loaded).and_then(|()| self.install(&loaded)) {
            // Back to what was, as far as the kernel lets us.
            if let Err(error) = self.kernel.apply(before, self.device) {
                tracing::error!("reload: the routes before it are not restored: {error}");
            }
            if let Err(error) = self.enforce(&self.running) {
                tracing::error!("reload: the rules before it are not restored: {error}");
            }
            return Err(error.to_string());
        }
        tracing::info!("reload: {found}");
        self.gateway = loaded.gateway;
        self.running = loaded.node.clone();
        Ok(loaded.node)
    }
}

/// What systemd wants to hear of a reload (sd_notify(3)): its time, too.
fn reloading() -> Vec<NotifyState<'static>> {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now());
    states
}
