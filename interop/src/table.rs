//! The table of scenarios: the dimensions of a tunnel as data, and the cells that stand outside them.

use std::fmt;

use crate::manual::{Form, Mode, Part};
use crate::pairwise::{covering, product};

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// strongSwan 5.9, as Debian packs it.
    StrongSwan,
    /// The gateway under test itself.
    Ours,
}

/// What the gateway under test does. The initiator is always the left side, which is behind the NAT where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It negotiates with a peer that waits.
    Initiate,
    /// It waits for the peer.
    Respond,
}

/// Whether Quick Mode does a Diffie-Hellman exchange of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pfs {
    /// It does not.
    Off,
    /// It does, in phase 1's group.
    On,
}

/// What is between the gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nat {
    /// A cable.
    No,
    /// A NAT that hides the left gateway and picks other source ports.
    Yes,
}

/// IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// `4` or `6`.
    pub(crate) fn digit(self) -> char {
        match self {
            Self::V4 => '4',
            Self::V6 => '6',
        }
    }
}

/// One dimension of both, so that either part against strongSwan meets every value of the others. With our own gateway at
/// both ends we play both parts at once.
const PARTS: [(Peer, Role); 3] =
    [(Peer::StrongSwan, Role::Initiate), (Peer::StrongSwan, Role::Respond), (Peer::Ours, Role::Initiate)];
const PHASE1: [&str; 3] = ["aes128-sha1-modp2048", "aes256-sha256-modp3072", "3des-md5-modp1024"];
const ESP: [&str; 3] = ["aes128-sha1", "aes256-sha256", "3des-sha1"];
const PFS: [Pfs; 2] = [Pfs::Off, Pfs::On];
const NAT: [Nat; 2] = [Nat::No, Nat::Yes];
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// One value in every dimension: a tunnel that has to come up and work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The other end.
    pub(crate) peer: Peer,
    /// Our part.
    pub(crate) role: Role,
    /// Phase 1 proposal.
    pub(crate) phase1: &'static str,
    /// ESP transforms, without the group.
    pub(crate) esp: &'static str,
    /// Whether the ESP proposal has a group.
    pub(crate) pfs: Pfs,
    /// What is between the gateways.
    pub(crate) nat: Nat,
    /// IP version between the gateways.
    pub(crate) outside: Family,
    /// IP version of the protected networks.
    pub(crate) inside: Family,
}

impl Cell {
    const SIZES: [usize; 7] =
        [PARTS.len(), PHASE1.len(), ESP.len(), PFS.len(), NAT.len(), FAMILIES.len(), FAMILIES.len()];

    fn at(row: &[usize]) -> Self {
        let (peer, role) = PARTS[row[0]];
        Self {
            peer,
            role,
            phase1: PHASE1[row[1]],
            esp: ESP[row[2]],
            pfs: PFS[row[3]],
            nat: NAT[row[4]],
            outside: FAMILIES[row[5]],
            inside: FAMILIES[row[6]],
        }
    }

    /// NAT is a matter of IPv4.
    fn possible(self) -> bool {
        self.nat == Nat::No || self.outside == Family::V4
    }

    /// The possible cells that are `wanted`: all of them, or a few which hold every pair of values that all of them hold.
    fn choose(extent: Extent, wanted: impl Fn(Self) -> bool) -> Vec<Self> {
        let all = product(&Self::SIZES, |row| Self::at(row).possible() && wanted(Self::at(row)));
        let rows = match extent {
            Extent::Pairwise => covering(&all),
            Extent::All => all,
        };
        rows.iter().map(|row| Self::at(row)).collect()
    }

    /// What the special cells deviate from.
    pub(crate) const PLAIN: Self = Self {
        peer: Peer::StrongSwan,
        role: Role::Initiate,
        phase1: PHASE1[0],
        esp: ESP[0],
        pfs: Pfs::Off,
        nat: Nat::No,
        outside: Family::V4,
        inside: Family::V4,
    };

    /// The ESP proposal, with the group that PFS asks for.
    pub(crate) fn esp_proposal(self) -> String {
        match (self.pfs, self.phase1.rsplit('-').next()) {
            (Pfs::On, Some(group)) => format!("{}-{group}", self.esp),
            _ => self.esp.to_owned(),
        }
    }

    /// Whether ESP is a protocol of its own on the wire: strongSwan's user-space ESP always pretends that there is a NAT.
    pub(crate) fn raw_esp(self) -> bool {
        self.peer == Peer::Ours && self.nat == Nat::No
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match (self.peer, self.role) {
            (Peer::StrongSwan, Role::Initiate) => "strongswan/initiate",
            (Peer::StrongSwan, Role::Respond) => "strongswan/respond",
            (Peer::Ours, _) => "ours/both",
        };
        write!(f, "{who}/{}/esp-{}", self.phase1, self.esp)?;
        f.write_str(if self.pfs == Pfs::On { "/pfs" } else { "/no-pfs" })?;
        f.write_str(if self.nat == Nat::Yes { "/nat" } else { "/no-nat" })?;
        write!(f, "/{}in{}", self.inside.digit(), self.outside.digit())
    }
}

/// Whether algorithms that are behind the feature `legacy` occur in a proposal.
pub(crate) fn is_legacy(proposal: &str) -> bool {
    proposal.split('-').any(|word| matches!(word, "3des" | "md5" | "modp1024" | "modp1536"))
}

/// What makes the initiator negotiate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// An operator's command.
    Command,
    /// The first packet of a host behind it, which must not be lost either.
    Traffic,
}

/// What the tunnel protects on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The right inner network.
    Network,
    /// 0.0.0.0/0 or ::/0: the peer's own address too.
    Everything,
}

/// How the gateways name themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// By a domain name, configured at both ends.
    Name,
    /// By their addresses, which is what they do unless told otherwise.
    Address,
}

/// Whom the responder, ours, takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The peer at its configured address.
    Known,
    /// `%any`: whoever comes with the right key and identity.
    Anyone,
}

/// A tunnel that has to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// Its place in the dimensions.
    pub(crate) cell: Cell,
    /// What starts it.
    pub(crate) trigger: Trigger,
    /// What it protects.
    pub(crate) reach: Reach,
    /// Identities.
    pub(crate) identity: Identity,
    /// Whom the responder takes.
    pub(crate) caller: Caller,
}

impl Tunnel {
    /// One with nothing special.
    pub(crate) const fn plain(cell: Cell) -> Self {
        Self {
            cell,
            trigger: Trigger::Command,
            reach: Reach::Network,
            identity: Identity::Name,
            caller: Caller::Known,
        }
    }
}

/// What is wrong between two gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They have different pre-shared keys.
    PreSharedKey,
    /// Left offers MODP-1024, right accepts MODP-2048.
    Group,
    /// Left offers 3DES, right accepts AES-128.
    Encryption,
    /// Nobody has the peer's address.
    NoHost,
    /// The peer's host is there, but nobody listens.
    NoService,
}

impl Fault {
    /// Phase 1 proposals, left and right.
    pub(crate) fn proposals(self) -> (&'static str, &'static str) {
        match self {
            Self::Group => ("aes128-sha1-modp1024", "aes128-sha1-modp2048"),
            Self::Encryption => ("3des-sha1-modp2048", "aes128-sha1-modp2048"),
            _ => ("aes128-sha1-modp2048", "aes128-sha1-modp2048"),
        }
    }

    /// Words that the sentence must hold which our gateway ends with, whatever the case of their letters.
    pub(crate) fn words(self, role: Role) -> &'static [&'static str] {
        match (self, role) {
            (Self::PreSharedKey, _) => &["pre-shared key"],
            // The initiator gets a bare NO-PROPOSAL-CHOSEN: it can name the class only, and what to compare.
            (Self::Group | Self::Encryption, Role::Initiate) => &["proposal", "group", "encryption"],
            (Self::Group, Role::Respond) => &["group", "modp1024", "modp2048"],
            (Self::Encryption, Role::Respond) => &["encryption", "3des", "aes"],
            (Self::NoHost | Self::NoService, _) => &["192.0.2."],
        }
    }
}

/// One line of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A tunnel that has to work.
    Works(Tunnel),
    /// A negotiation that has to fail, in bounded time and with a sentence; our part in it.
    Fails(Fault, Role),
    /// Our gateway is killed: nothing goes out in clear, and it can start again.
    Crashes(Cell),
    /// What an operator does to a gateway that carries traffic: a second start, a reload with and without faults.
    Operates(Cell),
    /// What our gateway records, with keys, is decrypted by tshark.
    Decrypts(Cell),
    /// The packet filter keeps what routes would let out, and is clean when its operator wants it to be.
    Enforces(Cell),
    /// What a policy lets bypass passes in clear beside the tunnel, and nothing else does.
    Bypasses(Cell),
    /// A manual tunnel between two of our gateways, with scapy as the judge.
    Manual(Form),
    /// Two strongSwans: the lab itself is sound.
    Lab(Tunnel),
    /// No gateway at all: the lab sees what goes out in clear.
    Leaks(Cell),
}

/// A scenario: what, and under which name.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// For filters, reports and folders.
    pub(crate) name: String,
    /// What.
    pub(crate) kind: Kind,
}

/// Which part of the matrix is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every value and every pair.
    Pairwise,
    /// The product.
    All,
}

/// What stands outside the dimensions.
fn special() -> Vec<(&'static str, Kind)> {
    use Kind::{Bypasses, Crashes, Decrypts, Enforces, Fails, Manual, Operates, Works};

    let plain = Cell::PLAIN;
    let respond = Cell { role: Role::Respond, ..plain };
    let ours = Cell { peer: Peer::Ours, ..plain };
    let ours6 = Cell { outside: Family::V6, inside: Family::V6, ..ours };
    let manual = |esp, ah, mode, family| Manual(Form { esp, ah, mode, family });
    let (used, unused) = (Part::Used, Part::Unused);
    let by_traffic = |cell| Works(Tunnel { trigger: Trigger::Traffic, ..Tunnel::plain(cell) });
    let everything = |cell| Works(Tunnel { reach: Reach::Everything, ..Tunnel::plain(cell) });
    let by_address = |cell| Works(Tunnel { identity: Identity::Address, ..Tunnel::plain(cell) });
    let from_anyone = |cell| Works(Tunnel { caller: Caller::Anyone, ..Tunnel::plain(cell) });
    vec![
        ("raw-esp/4in4", Works(Tunnel::plain(ours))),
        ("raw-esp/6in6", Works(Tunnel::plain(ours6))),
        ("traffic/strongswan/4in4", by_traffic(plain)),
        ("traffic/ours/6in6", by_traffic(ours6)),
        ("everything/strongswan/4in4", everything(plain)),
        ("everything/ours/4in4", everything(ours)),
        ("everything/ours/6in6", everything(ours6)),
        ("address-id/initiate", by_address(plain)),
        ("address-id/respond", by_address(respond)),
        ("any-remote/no-nat", from_anyone(respond)),
        ("any-remote/nat", from_anyone(Cell { nat: Nat::Yes, ..respond })),
        ("crash", Crashes(plain)),
        ("manual/esp/tunnel/4in4", manual(used, unused, Mode::Tunnel, Family::V4)),
        ("manual/esp/transport/4", manual(used, unused, Mode::Transport, Family::V4)),
        ("manual/esp/transport/6", manual(used, unused, Mode::Transport, Family::V6)),
        ("manual/ah/tunnel/4in4", manual(unused, used, Mode::Tunnel, Family::V4)),
        ("manual/ah/tunnel/6in6", manual(unused, used, Mode::Tunnel, Family::V6)),
        ("manual/ah/transport/4", manual(unused, used, Mode::Transport, Family::V4)),
        ("manual/ah-esp/tunnel/4in4", manual(used, used, Mode::Tunnel, Family::V4)),
        ("manual/ah-esp/transport/4", manual(used, used, Mode::Transport, Family::V4)),
        ("manual/ah-esp/transport/6", manual(used, used, Mode::Transport, Family::V6)),
        ("bypass/ours/4in4", Bypasses(ours)),
        ("bypass/ours/6in6", Bypasses(ours6)),
        ("enforce/ours/4in4", Enforces(ours)),
        ("enforce/ours/6in6", Enforces(ours6)),
        ("operator", Operates(plain)),
        ("tshark/strongswan", Decrypts(plain)),
        ("tshark/ours", Decrypts(ours)),
        ("wrong-psk/initiate", Fails(Fault::PreSharedKey, Role::Initiate)),
        ("wrong-psk/respond", Fails(Fault::PreSharedKey, Role::Respond)),
        ("group-mismatch/initiate", Fails(Fault::Group, Role::Initiate)),
        ("group-mismatch/respond", Fails(Fault::Group, Role::Respond)),
        ("encryption-mismatch/initiate", Fails(Fault::Encryption, Role::Initiate)),
        ("encryption-mismatch/respond", Fails(Fault::Encryption, Role::Respond)),
        ("unreachable/no-host", Fails(Fault::NoHost, Role::Initiate)),
        ("unreachable/no-service", Fails(Fault::NoService, Role::Initiate)),
    ]
}

/// The scenarios of the gateway under test.
pub(crate) fn scenarios(extent: Extent) -> Vec<Scenario> {
    let cells = Cell::choose(extent, |_| true).into_iter();
    let cells = cells.map(|cell| Scenario { name: cell.to_string(), kind: Kind::Works(Tunnel::plain(cell)) });
    let special = special().into_iter();
    let special = special.map(|(name, kind)| Scenario { name: format!("special/{name}"), kind });
    cells.chain(special).collect()
}

/// strongSwan at both ends, and nobody at either.
pub(crate) fn lab_scenarios(extent: Extent) -> Vec<Scenario> {
    let mut list: Vec<Scenario> = Cell::choose(extent, |cell| (cell.peer, cell.role) == PARTS[0])
        .into_iter()
        .map(|cell| Scenario {
            name: cell.to_string().replacen("strongswan/initiate", "lab", 1),
            kind: Kind::Lab(Tunnel::plain(cell)),
        })
        .collect();
    for (name, nat, inside) in
        [("4in4", Nat::No, Family::V4), ("6in4", Nat::No, Family::V6), ("nat", Nat::Yes, Family::V4)]
    {
        list.push(Scenario {
            name: format!("lab/leak/{name}"),
            kind: Kind::Leaks(Cell { nat, inside, ..Cell::PLAIN }),
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each dimension's value as a word, so that pairs can be told without the indices that the choice was made with.
    fn words(cell: Cell) -> [String; 7] {
        [
            format!("{:?} {:?}", cell.peer, cell.role),
            cell.phase1.to_owned(),
            format!("esp {}", cell.esp),
            format!("pfs {:?}", cell.pfs),
            format!("nat {:?}", cell.nat),
            format!("outside {:?}", cell.outside),
            format!("inside {:?}", cell.inside),
        ]
    }

    fn pairs(cells: &[Cell]) -> BTreeSet<(String, String)> {
        let mut all = BTreeSet::new();
        for cell in cells {
            let words = words(*cell);
            for (index, one) in words.iter().enumerate() {
                for other in &words[index + 1..] {
                    all.insert((one.clone(), other.clone()));
                }
            }
        }
        all
    }

    #[test]
    fn the_default_run_covers_every_pair_that_the_product_has() {
        let [few, all] = [Extent::Pairwise, Extent::All].map(|extent| Cell::choose(extent, |_| true));
        assert_eq!(pairs(&few), pairs(&all));
        assert!(few.len() <= 20, "{} cells", few.len());
        assert_eq!(all.len(), (2 + 1) * 3 * 3 * 2 * 3 * 2);
    }

    #[test]
    fn impossible_cells_do_not_occur() {
        for cell in Cell::choose(Extent::All, |_| true) {
            assert!(cell.nat == Nat::No || cell.outside == Family::V4);
            assert!(cell.peer == Peer::StrongSwan || cell.role == Role::Initiate);
        }
    }

    #[test]
    fn names_are_unique() {
        for extent in [Extent::Pairwise, Extent::All] {
            let list = scenarios(extent);
            let names: BTreeSet<_> = list.iter().map(|scenario| scenario.name.as_str()).collect();
            assert_eq!(names.len(), list.len());
        }
    }

    #[test]
    fn the_group_of_pfs_is_that_of_phase_1() {
        let cell = Cell { pfs: Pfs::On, phase1: "3des-md5-modp1024", ..Cell::PLAIN };
        assert_eq!(cell.esp_proposal(), "aes128-sha1-modp1024");
        assert_eq!(Cell::PLAIN.esp_proposal(), "aes128-sha1");
        assert!(is_legacy(&cell.esp_proposal()) && !is_legacy(&Cell::PLAIN.esp_proposal()));
    }
}
