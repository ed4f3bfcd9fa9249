//! The network of a scenario.
//!
//! ```text
//! left host ── left gateway ════════════ right gateway ── right host
//! left host ── left gateway ── NAT ═════ right gateway ── right host
//! ```
//!
//! Each gateway has a default route over the wire: a packet that it fails to protect shows up there in clear.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::time::Duration;

use crate::netns::Netns;
use crate::process::{Context, Outcome, check};
use crate::table::{Family, Nat};

/// One half of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The initiator's; behind the NAT where there is one.
    Left,
    /// The responder's.
    Right,
}

impl Side {
    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// `left` or `right`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Left => 1,
            Self::Right => 2,
        }
    }

    /// The address that the other side's gateway sends to.
    pub(crate) fn public(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::from([192, 0, 2, self.number()]),
            Family::V6 => IpAddr::from([0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, u16::from(self.number())]),
        }
    }

    /// The gateway's own address on the outside.
    pub(crate) fn outer(self, family: Family, nat: Nat) -> IpAddr {
        match (self, nat) {
            (Self::Left, Nat::Yes) => IpAddr::from(BEHIND_NAT),
            _ => self.public(family),
        }
    }

    /// The protected network.
    pub(crate) fn network(self, family: Family) -> String {
        match family {
            Family::V4 => format!("10.{}.0.0/24", self.number()),
            Family::V6 => format!("2001:db8:{}::/64", self.number()),
        }
    }

    fn inner(self, family: Family, host: u8) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(10, self.number(), 0, host)),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(
                0x2001,
                0xdb8,
                u16::from(self.number()),
                0,
                0,
                0,
                0,
                u16::from(host),
            )),
        }
    }

    /// The gateway's address in the protected network.
    pub(crate) fn gateway_inner(self, family: Family) -> IpAddr {
        self.inner(family, 1)
    }

    /// The host in the protected network.
    pub(crate) fn host(self, family: Family) -> IpAddr {
        self.inner(family, 10)
    }

    /// The identity, as a domain name.
    pub(crate) fn identity(self) -> String {
        format!("{}.interop.test", self.name())
    }
}

const SIDES: [Side; 2] = [Side::Left, Side::Right];
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
const BEHIND_NAT: [u8; 4] = [198, 51, 100, 2];

/// An address that the right host has besides those of its network: only a tunnel for everything leads there.
pub(crate) fn beyond(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([203, 0, 113, 10]),
        Family::V6 => IpAddr::from([0x2001, 0xdb8, 0xeeee, 0, 0, 0, 0, 0x10]),
    }
}

fn prefix(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "24" } else { "64" }
}

/// The namespaces of one scenario.
#[derive(Debug)]
pub(crate) struct Topology {
    hosts: [Netns; 2],
    gateways: [Netns; 2],
    _nat: Option<Netns>,
}

impl Topology {
    /// Builds it for scenario number `scenario`.
    pub(crate) fn build(scenario: usize, nat: Nat) -> Outcome<Self> {
        Self::try_build(scenario, nat).during("building the network")
    }

    fn try_build(scenario: usize, nat: Nat) -> Outcome<Self> {
        let new = |label: &str| Netns::new(scenario, label);
        let hosts = [new("lh")?, new("rh")?];
        let gateways = [new("lg")?, new("rg")?];
        for ((side, host), gateway) in SIDES.into_iter().zip(&hosts).zip(&gateways) {
            host.cable("eth0", gateway, "inner")?;
            gateway.forward()?;
            for family in FAMILIES {
                let (address, via) = (side.host(family), side.gateway_inner(family));
                host.ip(&format!("addr add {address}/{} dev eth0", prefix(address)))?;
                gateway.ip(&format!("addr add {via}/{} dev inner", prefix(via)))?;
                host.ip(&format!("route add default via {via}"))?;
            }
        }
        let [_, right_host] = &hosts;
        let [left, right] = &gateways;
        for family in FAMILIES {
            right_host.ip(&format!("addr add {} dev lo", beyond(family)))?;
            // The right gateway knows the way; the left one has to use the tunnel.
            right.ip(&format!("route add {} via {}", beyond(family), Side::Right.host(family)))?;
        }
        let nat = match nat {
            Nat::No => {
                left.cable("outer", right, "outer")?;
                for (side, gateway) in SIDES.into_iter().zip(&gateways) {
                    for family in FAMILIES {
                        let address = side.public(family);
                        gateway.ip(&format!("addr add {address}/{} dev outer", prefix(address)))?;
                    }
                }
                for (side, gateway) in SIDES.into_iter().zip(&gateways) {
                    for family in FAMILIES {
                        gateway.ip(&format!("route add default via {}", side.other().public(family)))?;
                    }
                }
                None
            }
            Nat::Yes => Some(Self::build_nat(new("nat")?, left, right)?),
        };
        Ok(Self { hosts, gateways, _nat: nat })
    }

    /// The NAT has the left side's public address, and picks other source ports.
    fn build_nat(nat: Netns, left: &Netns, right: &Netns) -> Outcome<Netns> {
        let [outside, peer] = SIDES.map(|side| side.public(Family::V4));
        let behind = IpAddr::from(BEHIND_NAT);
        let lan = "198.51.100.1";
        nat.forward()?;
        left.cable("outer", &nat, "lan")?;
        nat.cable("wan", right, "outer")?;
        left.ip(&format!("addr add {behind}/24 dev outer"))?;
        nat.ip(&format!("addr add {lan}/24 dev lan"))?;
        nat.ip(&format!("addr add {outside}/24 dev wan"))?;
        right.ip(&format!("addr add {peer}/24 dev outer"))?;
        left.ip(&format!("route add default via {lan}"))?;
        right.ip(&format!("route add default via {outside}"))?;
        // What leaks goes on its way, to where it is seen.
        nat.ip(&format!("route add default via {peer}"))?;
        nat.ip(&format!("route add {} via {behind}", Side::Left.network(Family::V4)))?;
        let rules = "add table ip nat; \
            add chain ip nat out { type nat hook postrouting priority srcnat; }; \
            add rule ip nat out oifname wan ip saddr 198.51.100.0/24 meta l4proto { tcp, udp } masquerade to :20000-29999 random; \
            add rule ip nat out oifname wan ip saddr 198.51.100.0/24 masquerade";
        check(nat.command("nft").arg(rules), Duration::from_secs(20))?;
        Ok(nat)
    }

    /// A side's host.
    pub(crate) fn host(&self, side: Side) -> &Netns {
        let [left, right] = &self.hosts;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// A side's gateway.
    pub(crate) fn gateway(&self, side: Side) -> &Netns {
        let [left, right] = &self.gateways;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// Addresses and routes of the gateways, for the logs of a failure.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for side in SIDES {
            let name = self.gateway(side).name();
            for words in [["-4", "addr"], ["-6", "addr"], ["-4", "rule"], ["-6", "rule"]] {
                text += &show(name, &words);
            }
            text += &show(name, &["-4", "route", "show", "table", "all"]);
            text += &show(name, &["-6", "route", "show", "table", "all"]);
        }
        text
    }
}

fn show(name: &str, words: &[&str]) -> String {
    let output = Command::new("ip").args(["-n", name]).args(words).output();
    let body = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    format!("# {name}: ip {}\n{body}\n", words.join(" "))
}
