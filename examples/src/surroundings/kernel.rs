//! Carries a plan out through netlink, and asks the host what a plan needs to know.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::TryStreamExt;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags};
use rtnetlink::packet_route::route::{RouteAttribute, RouteHeader, RouteMetric, RouteProtocol, RouteType};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use rtnetlink::{Handle, IpVersion, LinkUnspec, RouteMessageBuilder};
use tokio::runtime::Runtime;

use super::plan::{HostAddress, Numbers, Plan, Route, RouteKind, Rule, RuleKind};
use super::prefix::Family;

/// The protocol number that marks routes and rules as ours, so that those of a crashed gateway are found again.
/// It is one of the numbers that `rt_protos` leaves to programs.
const PROTOCOL: RouteProtocol = RouteProtocol::Other(150);
/// How often, and how long apart, it is looked whether IPv6 addresses are known to be unique.
const DAD_LOOKS: u32 = 20;
const DAD_PAUSE: Duration = Duration::from_millis(100);
/// What is assumed of a way that the host has no route for.
const ETHERNET: u16 = 1500;

/// Why the host's routing could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// There is no netlink.
    #[error("netlink: {0}")]
    Netlink(#[from] io::Error),
    /// A step was refused.
    #[error("{step}: {reason}")]
    Refused {
        /// What was to be done.
        step: String,
        /// What the kernel says.
        reason: String,
    },
}

/// The host's routing, with what of it is ours. Dropping it removes what is ours.
pub struct Kernel {
    runtime: Runtime,
    handle: Handle,
    numbers: Numbers,
    installed: Plan,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel")
            .field("numbers", &self.numbers)
            .field("installed", &self.installed)
            .finish_non_exhaustive()
    }
}

impl Kernel {
    /// Opens netlink in the network namespace of this thread. Nothing is changed yet.
    ///
    /// # Errors
    /// [`KernelError::Netlink`].
    pub fn open(numbers: Numbers) -> Result<Self, KernelError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let handle = {
            let _context = runtime.enter();
            let (connection, handle, _) = rtnetlink::new_connection()?;
            runtime.spawn(connection);
            handle
        };
        Ok(Self { runtime, handle, numbers, installed: Plan::default() })
    }

    /// The addresses of this host, without loopback and link-local ones. IPv6 addresses that are still looked for
    /// duplicates of (RFC 4862 §5.4) are waited for, two seconds at most, then left out: no route may name them.
    ///
    /// # Errors
    /// [`KernelError::Refused`].
    pub fn addresses(&self) -> Result<Vec<HostAddress>, KernelError> {
        for _ in 0..DAD_LOOKS {
            let (ready, tentative) = self.look_at_addresses()?;
            if !tentative {
                return Ok(ready);
            }
            std::thread::sleep(DAD_PAUSE);
        }
        Ok(self.look_at_addresses()?.0)
    }

    /// The addresses that may be used, and whether there are some that may not yet.
    fn look_at_addresses(&self) -> Result<(Vec<HostAddress>, bool), KernelError> {
        let messages = self.runtime.block_on(self.handle.address().get().execute().try_collect::<Vec<_>>());
        let messages = messages.map_err(|error| refused("reading the addresses", &error))?;
        let (mut ready, mut tentative) = (Vec::new(), false);
        for message in &messages {
            let Some(address) = own_address(&message.attributes) else { continue };
            let is_link_local = match address {
                IpAddr::V4(v4) => v4.is_link_local(),
                IpAddr::V6(v6) => v6.is_unicast_link_local(),
            };
            if address.is_loopback() || is_link_local {
                continue;
            }
            if message.header.flags.contains(AddressHeaderFlags::Tentative) {
                tentative = true;
            } else {
                ready.push(HostAddress { address, length: message.header.prefix_len });
            }
        }
        Ok((ready, tentative))
    }

    /// The largest packet on the way to a peer, as far as the host knows; of every way for a peer not yet known, except
    /// that through `device`, which is the tunnel's.
    ///
    /// # Errors
    /// [`KernelError::Refused`]. A peer without a route is no error: a common value is taken for it.
    pub fn path_mtu(&self, peer: Option<IpAddr>, device: Option<u32>) -> Result<u16, KernelError> {
        match peer {
            Some(peer) => self.runtime.block_on(self.mtu_to(peer)),
            None => {
                let links = self.runtime.block_on(self.links())?;
                let ways = links.iter().filter(|(index, _)| Some(*index) != device);
                Ok(ways.map(|(_, mtu)| *mtu).min().map_or(ETHERNET, |mtu| clamp(mtu).min(ETHERNET)))
            }
        }
    }

    /// Sets the MTU of a device.
    ///
    /// # Errors
    /// [`KernelError::Refused`].
    pub fn set_mtu(&self, device: u32, mtu: u16) -> Result<(), KernelError> {
        let message = LinkUnspec::new_with_index(device).mtu(mtu.into()).build();
        let result = self.runtime.block_on(self.handle.link().set(message).execute());
        result.map_err(|error| refused(&format!("setting the device's MTU to {mtu}"), &error))
    }

    async fn mtu_to(&self, peer: IpAddr) -> Result<u16, KernelError> {
        let message = match peer {
            IpAddr::V4(v4) => RouteMessageBuilder::<std::net::Ipv4Addr>::new()
                .destination_prefix(v4, 32)
                .mark(self.numbers.mark)
                .build(),
            IpAddr::V6(v6) => RouteMessageBuilder::<std::net::Ipv6Addr>::new()
                .destination_prefix(v6, 128)
                .mark(self.numbers.mark)
                .build(),
        };
        let Ok(Some(route)) = self.handle.route().get(message).execute().try_next().await else {
            return Ok(ETHERNET);
        };
        let learned = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Metrics(metrics) => metrics.iter().find_map(|metric| match metric {
                RouteMetric::Mtu(mtu) => Some(*mtu),
                _ => None,
            }),
            _ => None,
        });
        if let Some(mtu) = learned {
            return Ok(clamp(mtu));
        }
        let device = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        });
        let links = self.links().await?;
        Ok(links.iter().find(|(index, _)| Some(*index) == device).map_or(ETHERNET, |(_, mtu)| clamp(*mtu)))
    }

    /// Index and MTU of the links that packets may take.
    async fn links(&self) -> Result<Vec<(u32, u32)>, KernelError> {
        let messages = self.handle.link().get().execute().try_collect::<Vec<_>>().await;
        let messages = messages.map_err(|error| refused("reading the links", &error))?;
        let up = messages.iter().filter(|message| {
            message.header.flags.contains(LinkFlags::Up)
                && !message.header.flags.contains(LinkFlags::Loopback)
        });
        let mtu = up.filter_map(|message| {
            let mtu = message.attributes.iter().find_map(|attribute| match attribute {
                LinkAttribute::Mtu(mtu) => Some(*mtu),
                _ => None,
            });
            Some((message.header.index, mtu?))
        });
        Ok(mtu.collect())
    }

    /// Removes what an earlier gateway with the same numbers left behind: one that was killed has not cleaned up.
    ///
    /// # Errors
    /// [`KernelError::Refused`].
    pub fn clear(&mut self) -> Result<(), KernelError> {
        self.installed = Plan::default();
        self.runtime.block_on(async {
            for version in [IpVersion::V4, IpVersion::V6] {
                self.clear_rules(version).await?;
            }
            for family in [Family::V4, Family::V6] {
                self.clear_routes(family).await?;
            }
            Ok(())
        })
    }

    async fn clear_rules(&self, version: IpVersion) -> Result<(), KernelError> {
        // A kernel without IPv6 has no rules for it.
        let Ok(rules) = self.handle.rule().get(version).execute().try_collect::<Vec<_>>().await else {
            return Ok(());
        };
        let ours = |message: &RuleMessage| {
            let priority = message.attributes.iter().find_map(|attribute| match attribute {
                RuleAttribute::Priority(priority) => Some(*priority),
                _ => None,
            });
            let span = self.numbers.priority..=self.numbers.priority + 2;
            message.attributes.contains(&RuleAttribute::Protocol(PROTOCOL))
                && priority.is_some_and(|priority| span.contains(&priority))
        };
        for rule in rules.into_iter().filter(ours) {
            gone(self.handle.rule().del(rule).execute().await, "removing a rule")?;
        }
        Ok(())
    }

    async fn clear_routes(&self, family: Family) -> Result<(), KernelError> {
        let mut query = match family {
            Family::V4 => RouteMessageBuilder::<std::net::Ipv4Addr>::new().build(),
            Family::V6 => RouteMessageBuilder::<std::net::Ipv6Addr>::new().build(),
        };
        query.header.table = RouteHeader::RT_TABLE_UNSPEC;
        let Ok(routes) = self.handle.route().get(query).execute().try_collect::<Vec<_>>().await else {
            return Ok(());
        };
        for route in routes {
            let table = route.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Table(table) => Some(*table),
                _ => None,
            });
            let table = table.unwrap_or(route.header.table.into());
            let ours = table == self.numbers.table || table == self.numbers.everywhere();
            if ours && route.header.protocol == PROTOCOL {
                gone(self.handle.route().del(route).execute().await, "removing a route")?;
            }
        }
        Ok(())
    }

    /// Goes from what is installed to `plan`. What is in both is not touched. `device` is the tunnel device's index.
    ///
    /// # Errors
    /// [`KernelError::Refused`]; what was done till then stands and is removed by the next call or the end.
    pub fn apply(&mut self, plan: Plan, device: u32) -> Result<(), KernelError> {
        let Self { runtime, handle, numbers, installed } = self;
        runtime.block_on(async {
            // First what is to be reached, then what leads there, and the other way round: nothing is ever in clear.
            for route in order(&plan.routes) {
                if installed.routes.contains(route) {
                    continue;
                }
                // A route with another source replaces the one in its place.
                let place = |other: &Route| {
                    (other.table, other.to, other.metric) == (route.table, route.to, route.metric)
                };
                if let Some(old) = installed.routes.iter().find(|other| place(other)).copied() {
                    let request = handle.route().del(message(&old, device));
                    gone(request.execute().await, &format!("removing the route {old}"))?;
                    installed.routes.remove(&old);
                }
                let request = handle.route().add(message(route, device));
                request
                    .execute()
                    .await
                    .map_err(|error| refused(&format!("adding the route {route}"), &error))?;
                installed.routes.insert(*route);
            }
            for rule in plan.rules.difference(&installed.rules.clone()) {
                add_rule(handle, *numbers, rule).await?;
                installed.rules.insert(*rule);
            }
            for rule in installed.rules.clone().difference(&plan.rules) {
                let request = handle.rule().del(rule_message(*numbers, rule));
                gone(request.execute().await, &format!("removing the rule {rule}"))?;
                installed.rules.remove(rule);
            }
            for route in order(&installed.routes.clone()).filter(|route| !plan.routes.contains(route)) {
                let request = handle.route().del(message(route, device));
                gone(request.execute().await, &format!("removing the route {route}"))?;
                installed.routes.remove(route);
            }
            Ok::<(), KernelError>(())
        })?;
        self.installed.warnings = plan.warnings;
        Ok(())
    }

    /// What is installed.
    #[must_use]
    pub const fn installed(&self) -> &Plan {
        &self.installed
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let Plan { routes, rules, .. } = &self.installed;
        if routes.is_empty() && rules.is_empty() {
            return;
        }
        // By what the kernel has rather than by what we remember: the device, and with it its routes, may be gone.
        if let Err(error) = self.clear() {
            tracing::error!(
                "routes or rules are left behind: {error}; starting the gateway again removes them"
            );
        }
    }
}

/// Our address; on a point-to-point link the attribute `Address` is the other end's.
fn own_address(attributes: &[AddressAttribute]) -> Option<IpAddr> {
    let local = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// `unreachable` and exceptions before the routes that they stand behind or make holes in.
fn order(routes: &BTreeSet<Route>) -> impl Iterator<Item = &Route> {
    let is_tunnel = |route: &&Route| matches!(route.kind, RouteKind::Tunnel { .. });
    routes.iter().filter(move |route| !is_tunnel(route)).chain(routes.iter().filter(is_tunnel))
}

fn message(route: &Route, device: u32) -> rtnetlink::packet_route::route::RouteMessage {
    let Route { table, to, metric, kind } = route;
    let mut message = match to.address() {
        IpAddr::V4(v4) => {
            RouteMessageBuilder::<std::net::Ipv4Addr>::new().destination_prefix(v4, to.length()).build()
        }
        IpAddr::V6(v6) => {
            RouteMessageBuilder::<std::net::Ipv6Addr>::new().destination_prefix(v6, to.length()).build()
        }
    };
    message.header.protocol = PROTOCOL;
    message.header.table = RouteHeader::RT_TABLE_UNSPEC;
    message.attributes.push(RouteAttribute::Table(*table));
    message.attributes.push(RouteAttribute::Priority(*metric));
    match kind {
        RouteKind::Tunnel { source } => {
            message.attributes.push(RouteAttribute::Oif(device));
            message.attributes.extend(source.map(|address| RouteAttribute::PrefSource(address.into())));
        }
        RouteKind::Unreachable => message.header.kind = RouteType::Unreachable,
        RouteKind::Throw => message.header.kind = RouteType::Throw,
        RouteKind::Prohibit => message.header.kind = RouteType::Prohibit,
    }
    message
}

fn rule_message(numbers: Numbers, rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = match rule.family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    message.header.action = RuleAction::ToTable;
    message.attributes = vec![RuleAttribute::Priority(rule.priority), RuleAttribute::Protocol(PROTOCOL)];
    match rule.kind {
        RuleKind::Unmarked { table } => {
            message.header.flags = RuleFlags::Invert;
            message.attributes.push(RuleAttribute::FwMark(numbers.mark));
            message.attributes.push(RuleAttribute::FwMask(u32::MAX));
            message.attributes.push(RuleAttribute::Table(table));
        }
        RuleKind::MainWithoutDefault => {
            message.attributes.push(RuleAttribute::Table(RouteHeader::RT_TABLE_MAIN.into()));
            message.attributes.push(RuleAttribute::SuppressPrefixLen(0));
        }
    }
    message
}

async fn add_rule(handle: &Handle, numbers: Numbers, rule: &Rule) -> Result<(), KernelError> {
    let mut request = handle.rule().add();
    *request.message_mut() = rule_message(numbers, rule);
    request.execute().await.map_err(|error| refused(&format!("adding the rule {rule}"), &error))
}

fn refused(step: &str, error: &rtnetlink::Error) -> KernelError {
    let reason = match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io().to_string(),
        other => other.to_string(),
    };
    KernelError::Refused { step: step.to_owned(), reason }
}

/// What is gone already needs no removing.
fn gone(result: Result<(), rtnetlink::Error>, step: &str) -> Result<(), KernelError> {
    use nix::errno::Errno;
    let Err(error) = result else { return Ok(()) };
    if let rtnetlink::Error::NetlinkError(message) = &error
        && let Some(code) = message.to_io().raw_os_error()
        && matches!(Errno::from_raw(code), Errno::ESRCH | Errno::ENOENT | Errno::ENODEV)
    {
        return Ok(());
    }
    Err(refused(step, &error))
}

fn clamp(mtu: u32) -> u16 {
    u16::try_from(mtu).unwrap_or(u16::MAX)
}
