//! From selectors and the host's addresses to routes and rules: a pure function.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipsec_io::sad::AddressRange;

use super::prefix::{Family, Prefix};

/// The metric of a route into the tunnel.
const TUNNEL: u32 = 100;
/// The metric of the `unreachable` route behind it: worse than anything an operator would add by hand.
const UNREACHABLE: u32 = 1 << 30;

/// What is to be reached through a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// `connection/child`, for warnings.
    pub name: String,
    /// What is behind us.
    pub local: AddressRange,
    /// What is behind the peer.
    pub remote: AddressRange,
}

/// Destinations that are exempt from the tunnels; see `[[policy]]` in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// They are routed as if there were no tunnel.
    Bypass(AddressRange),
    /// They are not to be reached.
    Discard(AddressRange),
}

/// An address of this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostAddress {
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix, in bits.
    pub length: u8,
}

/// The numbers that are ours in the host's routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// The table of tunnels to networks; the next one is for tunnels to everywhere.
    pub table: u32,
    /// The priority of the first of three rules.
    pub priority: u32,
    /// The mark on the gateway's own packets.
    pub mark: u32,
}

impl Numbers {
    /// The table of tunnels to everywhere.
    #[must_use]
    pub const fn everywhere(&self) -> u32 {
        self.table + 1
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// Leads into the tunnel device; our own packets leave from `source`.
    Tunnel {
        /// An address of this host inside the local selector.
        source: Option<IpAddr>,
    },
    /// Says "unreachable" when the device is gone.
    Unreachable,
    /// Leads back to the host's own routes.
    Throw,
    /// Says "administratively prohibited".
    Prohibit,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The table it is in.
    pub table: u32,
    /// Where it leads.
    pub to: Prefix,
    /// Its metric; the lowest for a destination wins.
    pub metric: u32,
    /// What it does.
    pub kind: RouteKind,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, to, metric, kind } = self;
        match kind {
            RouteKind::Tunnel { source: Some(source) } => write!(f, "{to} tunnel src {source}")?,
            RouteKind::Tunnel { source: None } => write!(f, "{to} tunnel")?,
            RouteKind::Unreachable => write!(f, "unreachable {to}")?,
            RouteKind::Throw => write!(f, "throw {to}")?,
            RouteKind::Prohibit => write!(f, "prohibit {to}")?,
        }
        write!(f, " metric {metric} table {table}")
    }
}

/// What a rule looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleKind {
    /// Unmarked packets look into this table.
    Unmarked {
        /// The table.
        table: u32,
    },
    /// All packets look into the main table, and don't take its default route.
    MainWithoutDefault,
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// Its priority; lower ones come first.
    pub priority: u32,
    /// What it looks up.
    pub kind: RuleKind,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, priority, kind } = self;
        match kind {
            RuleKind::Unmarked { table } => write!(f, "{priority}: {family:?} unmarked lookup {table}"),
            RuleKind::MainWithoutDefault => {
                write!(f, "{priority}: {family:?} lookup main without its default")
            }
        }
    }
}

/// All routes and rules, and what an operator should know about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The routes.
    pub routes: BTreeSet<Route>,
    /// The rules.
    pub rules: BTreeSet<Rule>,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Plans for these tunnels, in the order of the configuration, on a host with these addresses.
    #[must_use]
    pub fn new(numbers: Numbers, tunnels: &[Tunnel], exceptions: &[Exception], host: &[HostAddress]) -> Self {
        let mut plan = Self::default();
        let mut taken: BTreeSet<Prefix> = BTreeSet::new();
        // As the SPD searches: single addresses, then exceptions, then ranges, each in the order given.
        let (hosts, networks): (Vec<&Tunnel>, Vec<&Tunnel>) =
            tunnels.iter().partition(|tunnel| tunnel.local.is_single() && tunnel.remote.is_single());
        for tunnel in hosts {
            plan.tunnel(numbers, tunnel, host, &mut taken, &BTreeSet::new());
        }
        let mut excepted = BTreeSet::new();
        for exception in exceptions {
            let (range, kind) = match exception {
                Exception::Bypass(range) => (range, RouteKind::Throw),
                Exception::Discard(range) => (range, RouteKind::Prohibit),
            };
            for to in Prefix::of_range(range) {
                excepted.insert(to);
                if taken.insert(to) {
                    plan.route(numbers, to, TUNNEL, kind);
                }
            }
        }
        for tunnel in networks {
            plan.tunnel(numbers, tunnel, host, &mut taken, &excepted);
        }
        plan.keep_local(numbers, tunnels, &mut taken);
        plan.warn_of_connected(tunnels, host, &taken);
        plan.add_rules(numbers);
        plan
    }

    fn tunnel(
        &mut self,
        numbers: Numbers,
        tunnel: &Tunnel,
        host: &[HostAddress],
        taken: &mut BTreeSet<Prefix>,
        excepted: &BTreeSet<Prefix>,
    ) {
        let source = host.iter().map(|own| own.address).find(|address| tunnel.local.contains(*address));
        if source.is_none() {
            self.warnings.push(format!(
                "{}: no address of this host is in local_ts {}, so the gateway itself cannot use this tunnel; \
                 hosts behind it can",
                tunnel.name, tunnel.local
            ));
        }
        for to in Prefix::of_range(&tunnel.remote) {
            if excepted.iter().any(|exception| exception.covers(&to)) || !taken.insert(to) {
                continue;
            }
            self.route(numbers, to, TUNNEL, RouteKind::Tunnel { source });
            self.route(numbers, to, UNREACHABLE, RouteKind::Unreachable);
        }
    }

    fn route(&mut self, numbers: Numbers, to: Prefix, metric: u32, kind: RouteKind) {
        let table = if to.is_everything() { numbers.everywhere() } else { numbers.table };
        self.routes.insert(Route { table, to, metric, kind });
    }

    fn tunnel_prefixes(&self) -> impl Iterator<Item = Prefix> {
        self.routes
            .iter()
            .filter(|route| matches!(route.kind, RouteKind::Tunnel { .. }))
            .map(|route| route.to)
    }

    /// A remote selector may hold the local one (10.1.0.0/24 to 10.0.0.0/8): what is behind us stays there.
    fn keep_local(&mut self, numbers: Numbers, tunnels: &[Tunnel], taken: &mut BTreeSet<Prefix>) {
        let inside: Vec<Prefix> = tunnels
            .iter()
            .flat_map(|tunnel| Prefix::of_range(&tunnel.local))
            .filter(|local| {
                self.tunnel_prefixes().any(|remote| !remote.is_everything() && remote.covers(local))
            })
            .collect();
        for local in inside {
            if taken.insert(local) {
                self.route(numbers, local, TUNNEL, RouteKind::Throw);
            }
        }
    }

    fn warn_of_connected(&mut self, tunnels: &[Tunnel], host: &[HostAddress], taken: &BTreeSet<Prefix>) {
        let mut said = BTreeSet::new();
        for own in host {
            let connected = Prefix::around(own.address, own.length);
            let narrowest =
                taken.iter().filter(|prefix| prefix.covers(&connected)).max_by_key(|prefix| prefix.length());
            let Some(narrowest) = narrowest.filter(|prefix| !prefix.is_everything()) else { continue };
            let is_tunnel = self.tunnel_prefixes().any(|prefix| prefix == *narrowest);
            let is_local = tunnels.iter().any(|tunnel| tunnel.local.contains(own.address));
            if is_tunnel && !is_local && said.insert(connected) {
                self.warnings.push(format!(
                    "this host is connected to {connected}, which is in remote_ts {narrowest}: what it sends there goes \
                     into the tunnel; a [[policy]] with action = \"bypass\" would keep it out"
                ));
            }
        }
    }

    fn add_rules(&mut self, numbers: Numbers) {
        let Numbers { table, priority, .. } = numbers;
        for family in [Family::V4, Family::V6] {
            let uses =
                |table| self.routes.iter().any(|route| route.table == table && route.to.family() == family);
            let (networks, everywhere) = (uses(table), uses(numbers.everywhere()));
            if networks {
                self.rules.insert(Rule { family, priority, kind: RuleKind::Unmarked { table } });
            }
            if everywhere {
                let kind = RuleKind::MainWithoutDefault;
                self.rules.insert(Rule { family, priority: priority + 1, kind });
                let kind = RuleKind::Unmarked { table: numbers.everywhere() };
                self.rules.insert(Rule { family, priority: priority + 2, kind });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Numbers = Numbers { table: 450, priority: 450, mark: 450 };

    fn tunnel(local: &str, remote: &str) -> Tunnel {
        Tunnel { name: "site/net".into(), local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    fn host(addresses: &[&str]) -> Vec<HostAddress> {
        let split = |text: &&str| {
            let (address, length) = text.split_once('/').unwrap();
            HostAddress { address: address.parse().unwrap(), length: length.parse().unwrap() }
        };
        addresses.iter().map(split).collect()
    }

    #[track_caller]
    fn check(plan: &Plan, routes: &[&str], rules: &[&str]) {
        assert_eq!(plan.routes.iter().map(ToString::to_string).collect::<Vec<_>>(), routes);
        assert_eq!(plan.rules.iter().map(ToString::to_string).collect::<Vec<_>>(), rules);
    }

    #[test]
    fn a_network_gets_a_route_with_a_source_and_an_unreachable_one_behind_it() {
        let plan = Plan::new(
            NUMBERS,
            &[tunnel("10.1.0.0/24", "10.2.0.0/24")],
            &[],
            &host(&["192.0.2.1/24", "10.1.0.1/24"]),
        );
        check(
            &plan,
            &[
                "10.2.0.0/24 tunnel src 10.1.0.1 metric 100 table 450",
                "unreachable 10.2.0.0/24 metric 1073741824 table 450",
            ],
            &["450: V4 unmarked lookup 450"],
        );
        assert_eq!(plan.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_tunnel_to_everywhere_goes_behind_what_the_host_knows() {
        let plan =
            Plan::new(NUMBERS, &[tunnel("2001:db8:1::/64", "::/0")], &[], &host(&["2001:db8:1::1/64"]));
        check(
            &plan,
            &[
                "::/0 tunnel src 2001:db8:1::1 metric 100 table 451",
                "unreachable ::/0 metric 1073741824 table 451",
            ],
            &["451: V6 lookup main without its default", "452: V6 unmarked lookup 451"],
        );
        assert_eq!(plan.warnings, Vec::<String>::new());
    }

    #[test]
    fn without_an_own_address_in_the_selector_there_is_a_warning_and_no_source() {
        let plan = Plan::new(NUMBERS, &[tunnel("10.1.0.0/24", "10.2.0.1")], &[], &host(&["192.0.2.1/24"]));
        check(
            &plan,
            &[
                "10.2.0.1/32 tunnel metric 100 table 450",
                "unreachable 10.2.0.1/32 metric 1073741824 table 450",
            ],
            &["450: V4 unmarked lookup 450"],
        );
        assert!(plan.warnings[0].starts_with("site/net: no address of this host is in local_ts 10.1.0.0/24"));
    }

    #[test]
    fn a_remote_selector_that_holds_the_local_one_leaves_it_alone() {
        let plan = Plan::new(
            NUMBERS,
            &[tunnel("10.1.0.0/24", "10.0.0.0/8")],
            &[],
            &host(&["10.1.0.1/24", "10.9.0.1/24"]),
        );
        check(
            &plan,
            &[
                "10.0.0.0/8 tunnel src 10.1.0.1 metric 100 table 450",
                "unreachable 10.0.0.0/8 metric 1073741824 table 450",
                "throw 10.1.0.0/24 metric 100 table 450",
            ],
            &["450: V4 unmarked lookup 450"],
        );
        let [warning] = plan.warnings.as_slice() else { panic!("{:?}", plan.warnings) };
        assert!(
            warning.starts_with("this host is connected to 10.9.0.0/24, which is in remote_ts 10.0.0.0/8")
        );
    }

    #[test]
    fn exceptions_go_before_tunnels_and_the_first_of_two_tunnels_wins() {
        let exceptions = [
            Exception::Bypass("10.2.9.0/24".parse().unwrap()),
            Exception::Discard("10.3.0.0/16".parse().unwrap()),
        ];
        let tunnels = [
            tunnel("10.1.0.0/24", "10.2.0.0/16"),
            tunnel("10.1.1.0/24", "10.2.0.0/16"),
            tunnel("10.1.0.0/24", "10.3.1.0/24"),
            tunnel("10.1.0.1", "10.3.2.1"),
        ];
        let plan = Plan::new(NUMBERS, &tunnels, &exceptions, &host(&["10.1.0.1/24", "10.1.1.1/24"]));
        check(
            &plan,
            &[
                "10.2.0.0/16 tunnel src 10.1.0.1 metric 100 table 450",
                "unreachable 10.2.0.0/16 metric 1073741824 table 450",
                "throw 10.2.9.0/24 metric 100 table 450",
                "prohibit 10.3.0.0/16 metric 100 table 450",
                "10.3.2.1/32 tunnel src 10.1.0.1 metric 100 table 450",
                "unreachable 10.3.2.1/32 metric 1073741824 table 450",
            ],
            &["450: V4 unmarked lookup 450"],
        );
    }

    #[test]
    fn no_tunnels_need_nothing() {
        assert_eq!(Plan::new(NUMBERS, &[], &[], &host(&["10.1.0.1/24"])), Plan::default());
    }
}
