//! Manual tunnels between two of our gateways, in every form, with scapy as the judge of what is on the wire.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::checks::{Capture, no_ping, ping};
use crate::endpoint::Endpoint;
use crate::gateway::Gateway;
use crate::process::{Context, Outcome, fail};
use crate::scenario::Stage;
use crate::table::{Family, Nat};
use crate::topology::{Side, Topology};

/// Debian's own interpreter, which has Debian's scapy.
const PYTHON: &str = "/usr/bin/python3";
const JUDGE: &str = include_str!("judge.py");
/// Packets that have to be opened each way.
const LEAST: u64 = 40;

/// A form of manual tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Whether there is ESP: AES-128-CBC with HMAC-SHA-256-128.
    pub(crate) esp: Part,
    /// Whether there is AH around it, or alone: HMAC-SHA1-96.
    pub(crate) ah: Part,
    /// What is protected.
    pub(crate) mode: Mode,
    /// IP version of everything.
    pub(crate) family: Family,
}

/// Whether a protocol is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is.
    Used,
    /// It is not.
    Unused,
}

/// What of a packet is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All of it, between two networks.
    Tunnel,
    /// What is behind its IP header, between the two gateways.
    Transport,
}

/// The SPI and the keys of a protocol in the direction that `sender` sends; no two are alike.
struct Keys {
    spi: u32,
    encryption: String,
    integrity: String,
}

fn keys(sender: Side, protocol: u8) -> Keys {
    let number = match sender {
        Side::Left => protocol,
        Side::Right => protocol + 8,
    };
    let octets = |first: u8, count: u8| -> String {
        (0..count).map(|octet| format!("{:02x}", first.wrapping_mul(37).wrapping_add(octet))).collect()
    };
    let integrity = if protocol == ESP { 32 } else { 20 };
    Keys {
        spi: 0x1000 + u32::from(number),
        encryption: octets(number, 16),
        integrity: octets(number + 64, integrity),
    }
}

const ESP: u8 = 1;
const AH: u8 = 2;

impl Form {
    /// The two ends of what is protected, on a side.
    fn inside(self, side: Side) -> IpAddr {
        match self.mode {
            Mode::Tunnel => side.host(self.family),
            Mode::Transport => side.public(self.family),
        }
    }

    /// The tunnel as `side` has it, in the text form of manual tunnels.
    fn text(self, side: Side) -> String {
        let traffic = |side: Side| match self.mode {
            Mode::Tunnel => side.network(self.family),
            Mode::Transport => side.public(self.family).to_string(),
        };
        let mode = match self.mode {
            Mode::Tunnel => "tunnel",
            Mode::Transport => "transport",
        };
        let mut text = format!(
            "manual-tunnel 1\nname hand\nlocal {}\nremote {}\nmode {mode}\nnesting ah-outside\ntraffic {} {} any\n",
            side.public(self.family),
            side.other().public(self.family),
            traffic(side),
            traffic(side.other()),
        );
        for (way, sender) in [("outbound", side), ("inbound", side.other())] {
            if self.esp == Part::Used {
                let Keys { spi, encryption, integrity } = keys(sender, ESP);
                text += &format!("{way} esp {spi:#010x} aes128 0x{encryption} sha256 0x{integrity}\n");
            }
            if self.ah == Part::Used {
                let Keys { spi, integrity, .. } = keys(sender, AH);
                text += &format!("{way} ah {spi:#010x} sha1 0x{integrity}\n");
            }
        }
        text
    }

    /// What the judge has to know of the packets that `side` sends.
    fn way(self, side: Side) -> Value {
        let ends = json!([side.public(self.family), side.other().public(self.family)]);
        let tunnel = |innermost: bool| match (self.mode, innermost) {
            (Mode::Tunnel, true) => ends.clone(),
            _ => Value::Null,
        };
        let mut sas = Vec::new();
        if self.ah == Part::Used {
            let Keys { spi, integrity, .. } = keys(side, AH);
            let tunnel = tunnel(self.esp == Part::Unused);
            sas.push(json!({
                "proto": "ah", "spi": spi, "auth": "HMAC-SHA1-96", "auth_key": integrity, "tunnel": tunnel,
            }));
        }
        if self.esp == Part::Used {
            let Keys { spi, encryption, integrity } = keys(side, ESP);
            sas.push(json!({
                "proto": "esp", "spi": spi, "crypt": "AES-CBC", "crypt_key": encryption,
                "auth": "SHA2-256-128", "auth_key": integrity, "tunnel": tunnel(true),
            }));
        }
        let inside = [self.inside(side), self.inside(side.other())];
        json!({ "source": side.public(self.family), "sas": sas, "inside": inside })
    }
}

/// Both gateways start with the tunnel: pings pass, nothing else is on the wire, and scapy opens every packet of it.
pub(crate) fn plays(form: Form, stage: &Stage<'_>) -> Outcome<()> {
    let topology = Topology::build(stage.number, Nat::No)?;
    let (from, to) = match form.mode {
        Mode::Tunnel => (topology.host(Side::Left), form.inside(Side::Right)),
        Mode::Transport => (topology.gateway(Side::Left), form.inside(Side::Right)),
    };
    let begin = |side: Side| {
        let folder = stage.folder.join(side.name());
        let tunnel = form.text(side);
        Gateway::start_manual(stage.gateway, topology.gateway(side), folder, &tunnel)
    };
    let left = begin(Side::Left)?;
    no_ping(from, to).during("with one end only")?;
    let right = begin(Side::Right)?;
    let capture = Capture::start_whole(topology.gateway(Side::Right), "outer", &stage.folder)?;
    ping(from, to, 50)?;
    let file = capture.finish_file()?;
    judge(form, &file)?;
    Box::new(left).stop()?;
    Box::new(right).stop()
}

fn judge(form: Form, file: &Path) -> Outcome<()> {
    let request = json!({ "file": file, "ways": [form.way(Side::Left), form.way(Side::Right)] });
    let mut child = Command::new(PYTHON)
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .during(PYTHON)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(request.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return fail!("scapy says: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let counts: Vec<u64> = serde_json::from_slice(&output.stdout).during("scapy's answer")?;
    if counts.iter().any(|count| *count < LEAST) {
        return fail!("scapy opens {counts:?} packets, not {LEAST} or more each way");
    }
    Ok(())
}

/// The configuration of a gateway with a manual tunnel and no connection.
pub(crate) fn configuration(folder: &Path, tun: &str) -> Outcome<(PathBuf, String)> {
    fs::create_dir_all(folder).during(folder.display())?;
    let control = folder.join("control.sock");
    Ok((
        folder.join("hand.tunnel"),
        format!("[gateway]\ncontrol = {control:?}\ntun = {tun:?}\n\n[[manual]]\nfile = \"hand.tunnel\"\n"),
    ))
}
