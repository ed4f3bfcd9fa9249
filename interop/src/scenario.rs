//! How a scenario is played.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::checks::{Capture, no_ping, patient_ping, ping, transfer};
use crate::endpoint::{Endpoint, Settings};
use crate::gateway::Gateway;
use crate::process::{Context, Outcome, check, fail, wait_until};
use crate::strongswan::StrongSwan;
use crate::table::{
    Caller, Cell, Family, Fault, Identity, Kind, Nat, Peer, Reach, Role, Scenario, Trigger, Tunnel,
};
use crate::topology::{Side, Topology, beyond};

/// At both ends, at least as long as the strictest advice asks.
const PSK: &str = "Interop-pre-shared-key-0123456789";
/// How long the other end may take to notice something.
const NOTICE: Duration = Duration::from_secs(8);

/// Where a scenario is played.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// The `ipsec-gateway` under test.
    pub(crate) gateway: &'a Path,
    /// Number of the scenario in this run.
    pub(crate) number: usize,
    /// Its files: configurations, logs, the capture.
    pub(crate) folder: PathBuf,
}

/// Plays a scenario to its end; the namespaces and all in them are gone when it returns.
pub(crate) fn play(scenario: &Scenario, stage: &Stage<'_>) -> Outcome<()> {
    fs::create_dir_all(&stage.folder).during(stage.folder.display())?;
    match scenario.kind {
        Kind::Works(tunnel) => {
            works(tunnel, [program(tunnel.cell, Side::Left), program(tunnel.cell, Side::Right)], stage)
        }
        Kind::Leaks(cell) => leaks(cell, stage),
        Kind::Lab(tunnel) => works(tunnel, [Program::StrongSwan; 2], stage),
        Kind::Fails(fault, role) => fails(fault, role, stage),
        Kind::Crashes(cell) => crashes(cell, stage),
        Kind::Operates(cell) => operates(cell, stage),
        Kind::Decrypts(cell) => decrypts(cell, stage),
        Kind::Enforces(cell) => enforces(cell, stage),
        Kind::Bypasses(cell) => bypasses(cell, stage),
        Kind::Manual(form) => crate::manual::plays(form, stage),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Ours,
    StrongSwan,
}

fn program(cell: Cell, side: Side) -> Program {
    match (cell.peer, cell.role, side) {
        (Peer::Ours, ..) | (_, Role::Initiate, Side::Left) | (_, Role::Respond, Side::Right) => Program::Ours,
        _ => Program::StrongSwan,
    }
}

fn settings(tunnel: Tunnel, side: Side) -> Settings {
    let Tunnel { cell, trigger, reach, identity, caller } = tunnel;
    let network = |side: Side| match (reach, side, cell.inside) {
        (Reach::Everything, Side::Right, Family::V4) => "0.0.0.0/0".to_owned(),
        (Reach::Everything, Side::Right, Family::V6) => "::/0".to_owned(),
        _ => side.network(cell.inside),
    };
    Settings {
        local: side.outer(cell.outside, cell.nat),
        remote: match (caller, side) {
            (Caller::Anyone, Side::Right) => None,
            _ => Some(side.other().public(cell.outside)),
        },
        identities: (identity == Identity::Name).then(|| (side.identity(), side.other().identity())),
        local_ts: network(side),
        remote_ts: network(side.other()),
        ike: cell.phase1.to_owned(),
        esp: cell.esp_proposal(),
        psk: PSK.to_owned(),
        on_traffic: trigger == Trigger::Traffic && side == Side::Left,
        lifetime: None,
        bypass: None,
        record: false,
    }
}

fn start(
    program: Program,
    side: Side,
    settings: &Settings,
    topology: &Topology,
    stage: &Stage<'_>,
) -> Outcome<Box<dyn Endpoint>> {
    let (netns, folder) = (topology.gateway(side), stage.folder.join(side.name()));
    let endpoint: Outcome<Box<dyn Endpoint>> = match program {
        Program::Ours => Gateway::start(stage.gateway, netns, folder, settings).map(|it| Box::new(it) as _),
        Program::StrongSwan => StrongSwan::start(netns, folder, settings).map(|it| Box::new(it) as _),
    };
    endpoint.during(format!("starting the {} gateway", side.name()))
}

/// A tunnel's two ends while its checks go on.
struct Ends {
    left: Box<dyn Endpoint>,
    right: Box<dyn Endpoint>,
}

impl Ends {
    fn get(&mut self, side: Side) -> &mut dyn Endpoint {
        match side {
            Side::Left => &mut *self.left,
            Side::Right => &mut *self.right,
        }
    }

    fn both(&mut self, what: &str, mut holds: impl FnMut(&mut dyn Endpoint) -> Outcome<bool>) -> Outcome<()> {
        for side in [Side::Left, Side::Right] {
            let endpoint = self.get(side);
            wait_until(NOTICE, &format!("{} should have {what}", side.name()), || holds(endpoint))?;
        }
        Ok(())
    }

    fn stand(&mut self) -> Outcome<()> {
        self.both("one IKE SA and one child SA", |end| Ok(end.ike_sas()? == 1 && end.children()? == 1))
    }

    fn gone(&mut self) -> Outcome<()> {
        self.both("neither an IKE SA nor a child SA", |end| Ok(end.ike_sas()? == 0 && end.children()? == 0))
    }
}

/// Up, traffic of every kind, a delete from either end; and nothing in clear in all that time.
fn works(tunnel: Tunnel, programs: [Program; 2], stage: &Stage<'_>) -> Outcome<()> {
    let Tunnel { cell, .. } = tunnel;
    let topology = Topology::build(stage.number, cell.nat)?;
    let result = works_in(tunnel, programs, stage, &topology);
    if result.is_err() {
        let _ = fs::write(stage.folder.join("network.txt"), topology.describe());
    }
    result
}

fn works_in(tunnel: Tunnel, programs: [Program; 2], stage: &Stage<'_>, topology: &Topology) -> Outcome<()> {
    let Tunnel { cell, trigger, reach, .. } = tunnel;
    let [left_program, right_program] = programs;
    let (left_host, right_host) = (topology.host(Side::Left), topology.host(Side::Right));
    let (left_address, right_address) = (Side::Left.host(cell.inside), Side::Right.host(cell.inside));
    let capture = Capture::start(topology.gateway(Side::Right), "outer", &stage.folder)?;
    let mut ends = Ends {
        right: start(right_program, Side::Right, &settings(tunnel, Side::Right), topology, stage)?,
        left: start(left_program, Side::Left, &settings(tunnel, Side::Left), topology, stage)?,
    };
    let closed = |when: &str| -> Outcome<()> {
        // Only our gateway promises that what it can't protect stays at home.
        if left_program == Program::Ours && trigger == Trigger::Command {
            no_ping(left_host, right_address).during(when)?;
        }
        if right_program == Program::Ours {
            no_ping(right_host, left_address).during(when)?;
        }
        Ok(())
    };

    closed("before the tunnel")?;
    match trigger {
        Trigger::Command => ends.left.up().during("coming up")?,
        Trigger::Traffic => patient_ping(left_host, right_address)?,
    }
    ends.stand().during("after coming up")?;
    ping(left_host, right_address, 200)?;
    ping(right_host, left_address, 50)?;
    if reach == Reach::Everything {
        ping(left_host, beyond(cell.inside), 50)?;
    }
    transfer(left_host, right_host, right_address, &stage.folder)?;
    for (side, program) in [(Side::Left, left_program), (Side::Right, right_program)] {
        if program == Program::Ours {
            ping(topology.gateway(side), side.other().host(cell.inside), 10)
                .during("from the gateway itself")?;
        }
    }

    ends.left.down().during("deleting on the left")?;
    ends.gone().during("after left's delete")?;
    ends.left.up().during("coming up again")?;
    ends.stand().during("after coming up again")?;
    ping(left_host, right_address, 20).during("after coming up again")?;
    ends.right.down().during("deleting on the right")?;
    ends.gone().during("after right's delete")?;
    closed("after the tunnel")?;

    let seen = capture.finish()?;
    let (expected, other, what) = if cell.raw_esp() {
        (seen.raw, seen.in_udp, "raw ESP")
    } else {
        (seen.in_udp, seen.raw, "ESP in UDP")
    };
    if expected < 500 || other != 0 {
        return fail!("there should be {what} on the wire and nothing else, but there is: {seen:?}");
    }
    ends.left.stop().during("stopping left")?;
    ends.right.stop().during("stopping right")
}

/// A negotiation that has to fail: in bounded time, with a sentence of our gateway that holds the words that matter.
fn fails(fault: Fault, role: Role, stage: &Stage<'_>) -> Outcome<()> {
    let topology = Topology::build(stage.number, Nat::No)?;
    let tunnel = Tunnel::plain(Cell { role, ..Cell::PLAIN });
    let (mut left, mut right) = (settings(tunnel, Side::Left), settings(tunnel, Side::Right));
    let (offered, accepted) = fault.proposals();
    (left.ike, right.ike) = (offered.to_owned(), accepted.to_owned());
    match fault {
        Fault::PreSharedKey => left.psk = PSK.replace("Interop", "Another"),
        Fault::NoHost => left.remote = Some(IpAddr::from([192, 0, 2, 77])),
        _ => {}
    }
    let responder = match (fault, role) {
        (Fault::NoHost | Fault::NoService, _) => None,
        (_, Role::Initiate) => Some(start(Program::StrongSwan, Side::Right, &right, &topology, stage)?),
        (_, Role::Respond) => Some(start(Program::Ours, Side::Right, &right, &topology, stage)?),
    };
    let folder = stage.folder.join("left");
    let said = match role {
        Role::Initiate => {
            let gateway = Gateway::start(stage.gateway, topology.gateway(Side::Left), folder, &left)?;
            let said = gateway.refused_up()?;
            Box::new(gateway).stop()?;
            said
        }
        Role::Respond => {
            let mut peer = StrongSwan::start(topology.gateway(Side::Left), folder, &left)?;
            if peer.up().is_ok() {
                return fail!("strongSwan comes up");
            }
            String::new()
        }
    };
    let Some(responder) = responder else {
        return sentence(&said, fault.words(role));
    };
    if role == Role::Initiate {
        return sentence(&said, fault.words(role));
    }
    let mut result = Ok(());
    let _ = wait_until(NOTICE, "the responder should say why", || {
        result = sentence(&responder.log(), fault.words(role));
        Ok(result.is_ok())
    });
    result?;
    responder.stop()
}

/// Some line of `text` has to hold every one of `words`.
fn sentence(text: &str, words: &[&str]) -> Outcome<()> {
    let holds = |line: &str| {
        let line = line.to_lowercase();
        words.iter().all(|word| line.contains(word))
    };
    if text.lines().any(holds) {
        return Ok(());
    }
    let tail: Vec<_> = text.lines().rev().take(6).collect();
    fail!(
        "no sentence with {words:?}; it ends with: {}",
        tail.into_iter().rev().collect::<Vec<_>>().join(" | ")
    )
}

/// CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW (linux/capability.h).
const NEEDED_CAPABILITIES: u64 = 1 << 10 | 1 << 12 | 1 << 13;

/// What its operator does while it carries traffic: the tunnel stays, unless the operator takes it away.
fn operates(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let tunnel = Tunnel::plain(cell);
    let topology = Topology::build(stage.number, cell.nat)?;
    let (host, far) = (topology.host(Side::Left), Side::Right.host(cell.inside));
    let mut right =
        start(program(cell, Side::Right), Side::Right, &settings(tunnel, Side::Right), &topology, stage)?;
    let (settings, netns) = (settings(tunnel, Side::Left), topology.gateway(Side::Left));
    let mut left = Gateway::start(stage.gateway, netns, stage.folder.join("left"), &settings)?;
    let capabilities = left.capabilities()?;
    if capabilities & !NEEDED_CAPABILITIES != 0 {
        return fail!("it keeps more capabilities than it needs: {capabilities:#x}");
    }
    left.up().during("coming up")?;

    let said = left.second(netns)?;
    ping(host, far, 20).during(format!("after a second instance, which said {said}"))?;

    left.rewrite(&settings, |text| text.replace("remote_ts", "remote_net"))?;
    let (taken, said) = left.reload()?;
    if taken || !said.contains("remote_net") {
        return fail!("a reload with an unknown key: taken {taken}, and said: {said}");
    }
    ping(host, far, 20).during("after a refused reload")?;

    left.rewrite(&settings, |text| text)?;
    let (taken, said) = left.reload()?;
    if !taken {
        return fail!("a reload with nothing new is refused: {said}");
    }
    if (left.children()?, right.children()?) != (1, 1) {
        return fail!("a reload with nothing new touches the tunnel");
    }
    ping(host, far, 20).during("after a reload with nothing new")?;

    // Everything from the connection on.
    left.rewrite(&settings, |text| text.split("[[connection]]").next().unwrap_or_default().to_owned())?;
    let (taken, said) = left.reload()?;
    if !taken {
        return fail!("a reload without the connection is refused: {said}");
    }
    let gone = || Ok(right.ike_sas()? == 0 && right.children()? == 0);
    wait_until(NOTICE, "the peer should know that the connection was removed", gone)?;
    Box::new(left).stop()
}

/// With nobody to protect it, a ping is on the wire for all to see, in either direction, and the capture has to say so.
fn leaks(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let topology = Topology::build(stage.number, cell.nat)?;
    for side in [Side::Left, Side::Right] {
        let folder = stage.folder.join(side.name());
        fs::create_dir_all(&folder)?;
        let capture = Capture::start(topology.gateway(Side::Right), "outer", &folder)?;
        // Whether it is answered is not the point.
        let _ = ping(topology.host(side), side.other().host(cell.inside), 3);
        match capture.finish() {
            Err(failure) if failure.0.contains("in clear on the wire") => {}
            Err(other) => return Err(other),
            Ok(seen) => {
                return fail!("pings in clear from the {} host were not noticed: {seen:?}", side.name());
            }
        }
    }
    Ok(())
}

/// Killed in mid-traffic, our gateway leaves nothing behind through which a packet could get out in clear, and what it does
/// leave is not in the way of the next one.
fn crashes(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let tunnel = Tunnel::plain(cell);
    let topology = Topology::build(stage.number, cell.nat)?;
    let (host, far) = (topology.host(Side::Left), Side::Right.host(cell.inside));
    let capture = Capture::start(topology.gateway(Side::Right), "outer", &stage.folder)?;
    let _right =
        start(program(cell, Side::Right), Side::Right, &settings(tunnel, Side::Right), &topology, stage)?;
    let start = || {
        let folder = stage.folder.join("left");
        Gateway::start(stage.gateway, topology.gateway(Side::Left), folder, &settings(tunnel, Side::Left))
    };
    let mut gateway = start()?;
    gateway.up().during("coming up")?;
    ping(host, far, 20)?;
    let before = gateway.before();
    gateway.crash();
    no_ping(host, far).during("after the crash")?;
    let mut gateway = start().during("after the crash")?;
    gateway.inherit(before);
    gateway.up().during("coming up after the crash")?;
    ping(host, far, 20).during("after the crash")?;
    capture.finish()?;
    Box::new(gateway).stop()
}

/// A gateway records with keys; tshark has to read what it recorded.
fn decrypts(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let tunnel = Tunnel::plain(cell);
    let topology = Topology::build(stage.number, cell.nat)?;
    let right =
        start(program(cell, Side::Right), Side::Right, &settings(tunnel, Side::Right), &topology, stage)?;
    let left = Settings { record: true, ..settings(tunnel, Side::Left) };
    let mut left =
        Gateway::start(stage.gateway, topology.gateway(Side::Left), stage.folder.join("left"), &left)?;
    left.up().during("coming up")?;
    ping(topology.host(Side::Left), Side::Right.host(cell.inside), 20)?;
    let recording = left.recording();
    Box::new(left).stop()?;
    right.stop()?;
    recording.decrypts()
}

/// The shortest life of a child's SAs that a configuration may ask for; they are renewed well before its end.
const SHORT_LIFE: &str = "30s";
const RENEWED: Duration = Duration::from_secs(40);

/// The packet filter holds what routes do not: nothing is in clear on the wire before the tunnel, while it is renewed, after it
/// is deleted and after both gateways are killed, though every route leads over the wire; what is dropped is counted with its
/// policy; and when an operator has cleaned up, the same pings are there for all to see.
fn enforces(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let topology = Topology::build(stage.number, cell.nat)?;
    let (left_host, right_host) = (topology.host(Side::Left), topology.host(Side::Right));
    let (left_address, right_address) = (Side::Left.host(cell.inside), Side::Right.host(cell.inside));
    let folder = |name: &str| -> Outcome<PathBuf> {
        let folder = stage.folder.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    let begin = |side: Side| {
        let settings = Settings { lifetime: Some(SHORT_LIFE), ..settings(Tunnel::plain(cell), side) };
        Gateway::start(stage.gateway, topology.gateway(side), stage.folder.join(side.name()), &settings)
    };
    let no_rules = |side: Side| -> Outcome<()> {
        let family = format!("-{}", cell.inside.digit());
        let netns = topology.gateway(side).name();
        check(Command::new("ip").args(["-n", netns, &family, "rule", "del", "priority", "450"]), NOTICE)
            .map(drop)
    };

    // The left gateway alone: what comes in clear, and what its routes would let out.
    let left = begin(Side::Left)?;
    no_ping(right_host, left_address).during("in clear from the other side")?;
    left.dropped_in_clear("inbound", 4)?;
    no_rules(Side::Left)?;
    let capture = Capture::start(topology.gateway(Side::Right), "outer", &folder("before")?)?;
    no_ping(left_host, right_address).during("before the tunnel")?;
    left.dropped_in_clear("outbound", 4)?;
    capture.finish().during("before the tunnel")?;
    Box::new(left).stop()?;

    let capture = Capture::start(topology.gateway(Side::Right), "outer", &folder("tunnel")?)?;
    let (mut left, mut right) = (begin(Side::Left)?, begin(Side::Right)?);
    left.up().during("coming up")?;
    ping(left_host, right_address, 50)?;
    let first = left.spis()?;
    wait_until(RENEWED, "the SAs should be renewed", || {
        ping(left_host, right_address, 20).during("while the SAs are renewed")?;
        Ok(left.spis()?.is_disjoint(&first))
    })?;
    ping(right_host, left_address, 20).during("after the SAs were renewed")?;
    right.down().during("deleting")?;
    no_ping(right_host, left_address).during("after the tunnel")?;
    left.crash();
    right.crash();
    for side in [Side::Left, Side::Right] {
        no_rules(side)?;
    }
    no_ping(left_host, right_address).during("after both were killed")?;
    no_ping(right_host, left_address).during("after both were killed")?;
    capture.finish().during("with the tunnel")?;

    for side in [Side::Left, Side::Right] {
        Gateway::clean(stage.gateway, topology.gateway(side), &stage.folder.join(side.name()))?;
    }
    let capture = Capture::start(topology.gateway(Side::Right), "outer", &folder("after")?)?;
    ping(left_host, right_address, 3).during("in clear, when all was cleaned up")?;
    match capture.finish() {
        Err(failure) if failure.0.contains("in clear on the wire") => Ok(()),
        other => fail!("the pings in clear were not seen: {other:?}"),
    }
}

/// A policy lets TCP pass in clear between networks that the tunnel connects: routes lead it into the device all the same, and
/// it leaves by the marked path; the rest stays in the tunnel.
fn bypasses(cell: Cell, stage: &Stage<'_>) -> Outcome<()> {
    let topology = Topology::build(stage.number, cell.nat)?;
    let (left_host, right_host) = (topology.host(Side::Left), topology.host(Side::Right));
    let right_address = Side::Right.host(cell.inside);
    let begin = |side: Side| {
        let settings = settings(Tunnel::plain(cell), side);
        let bypass = Some(format!("{} <-> {} tcp", settings.local_ts, settings.remote_ts));
        let settings = Settings { bypass, ..settings };
        Gateway::start(stage.gateway, topology.gateway(side), stage.folder.join(side.name()), &settings)
    };
    let (mut left, right) = (begin(Side::Left)?, begin(Side::Right)?);
    let capture = Capture::start(topology.gateway(Side::Right), "outer", &stage.folder)?;
    no_ping(left_host, right_address).during("before the tunnel")?;
    transfer(left_host, right_host, right_address, &stage.folder).during("without a tunnel")?;
    left.up().during("coming up")?;
    ping(left_host, right_address, 50)?;
    // Its receiver's log must not be taken for that of the first one.
    let second = stage.folder.join("second");
    fs::create_dir_all(&second)?;
    transfer(left_host, right_host, right_address, &second).during("beside the tunnel")?;
    capture.finish_with_tcp()?;
    Box::new(left).stop()?;
    Box::new(right).stop()
}
