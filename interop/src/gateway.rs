//! The gateway under test: `ipsec-gateway`, driven as its operator would.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::checks::Recording;
use crate::endpoint::{CHILD, CONNECTION, Endpoint, Settings, read_log};
use crate::manual::configuration;
use crate::netns::Netns;
use crate::process::{Context, Daemon, Finished, Outcome, check, fail, run, wait_until};
use crate::table::is_legacy;

const TUN: &str = "ipsec0";
const LIMIT: Duration = Duration::from_secs(20);
/// `up` ends by itself within this time, whatever the peer does.
pub(crate) const UP_LIMIT: Duration = Duration::from_secs(90);

/// An `ipsec-gateway` with a configuration of its own.
#[derive(Debug)]
pub(crate) struct Gateway {
    daemon: Daemon,
    program: PathBuf,
    folder: PathBuf,
    netns: String,
    /// What was there before it.
    before: Surroundings,
}

/// Devices, rules, routes and tables of the packet filter of a namespace, a line each.
type Surroundings = BTreeSet<String>;

fn surroundings(netns: &str) -> Outcome<Surroundings> {
    let mut lines = BTreeSet::new();
    for words in ["-br link", "-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all"] {
        let output = check(Command::new("ip").args(["-n", netns]).args(words.split(' ')), LIMIT)?;
        lines.extend(output.lines().map(|line| line.trim_end().to_owned()));
    }
    let tables = check(Command::new("ip").args(["netns", "exec", netns, "nft", "list", "tables"]), LIMIT)?;
    lines.extend(tables.lines().map(str::to_owned));
    Ok(lines)
}

impl Gateway {
    /// Starts it in `netns`, with its files in the new folder `folder`.
    pub(crate) fn start(
        program: &Path,
        netns: &Netns,
        folder: PathBuf,
        settings: &Settings,
    ) -> Outcome<Self> {
        let before = surroundings(netns.name())?;
        fs::create_dir_all(&folder).during(folder.display())?;
        let (config, psk) = (folder.join("gateway.toml"), folder.join("site.psk"));
        fs::write(&psk, &settings.psk)?;
        fs::set_permissions(&psk, fs::Permissions::from_mode(0o600))?;
        fs::write(&config, gateway_toml(&folder, settings))?;
        Self::launch(program, netns, folder, before)
    }

    /// Starts one that has a manual tunnel, in the text form of such, and nothing else.
    pub(crate) fn start_manual(
        program: &Path,
        netns: &Netns,
        folder: PathBuf,
        tunnel: &str,
    ) -> Outcome<Self> {
        let before = surroundings(netns.name())?;
        let (file, config) = configuration(&folder, TUN)?;
        fs::write(&file, tunnel)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        fs::write(folder.join("gateway.toml"), config)?;
        Self::launch(program, netns, folder, before)
    }

    fn launch(program: &Path, netns: &Netns, folder: PathBuf, before: Surroundings) -> Outcome<Self> {
        let config = folder.join("gateway.toml");
        let mut command = netns.command(program);
        command.args(["run", "-c"]).arg(&config).current_dir(&folder);
        let daemon = Daemon::spawn("ipsec-gateway", &mut command, &folder.join("gateway.log"))?;
        let netns = netns.name().to_owned();
        let mut this = Self { daemon, program: program.to_owned(), folder, netns, before };
        wait_until(LIMIT, "the gateway should answer", || {
            this.daemon.still_runs()?;
            Ok(this.control(&["status"], LIMIT)?.status.success())
        })?;
        Ok(this)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-s").arg(self.folder.join("control.sock")).args(words);
        command
    }

    fn control(&self, words: &[&str], limit: Duration) -> Outcome<Finished> {
        run(&mut self.command(words), limit)
    }

    /// Tries to come up, and expects that it fails, in bounded time: what it says then.
    pub(crate) fn refused_up(&self) -> Outcome<String> {
        let finished = self.control(&["up", CONNECTION], UP_LIMIT)?;
        if finished.status.success() {
            return fail!("`up` succeeds: {}", finished.output.trim());
        }
        if finished.status.code() != Some(1) {
            return fail!("`up` ends with {}: {}", finished.status, finished.output.trim());
        }
        Ok(finished.output)
    }

    /// `reload`: whether it was taken, and what was said.
    pub(crate) fn reload(&self) -> Outcome<(bool, String)> {
        let finished = self.control(&["reload"], LIMIT)?;
        Ok((finished.status.success(), finished.output))
    }

    /// Removes what one that was killed has left, as its operator would: `clean`.
    pub(crate) fn clean(program: &Path, netns: &Netns, folder: &Path) -> Outcome<()> {
        let mut command = netns.command(program);
        command.args(["clean", "-c"]).arg(folder.join("gateway.toml")).current_dir(folder);
        check(&mut command, LIMIT).map(drop)
    }

    /// Waits until the packet filter has dropped `least` packets in clear, in one direction.
    pub(crate) fn dropped_in_clear(&self, direction: &str, least: u64) -> Outcome<()> {
        let what = format!("{least} {direction} packets should be counted as dropped in clear");
        wait_until(LIMIT, &what, || {
            let status = self.status()?;
            let guards = status["enforcement"].as_array();
            let ours = guards.into_iter().flatten().filter(|guard| {
                guard["direction"] == direction && guard["policy"] == format!("{CONNECTION}/{CHILD}")
            });
            Ok(ours.filter_map(|guard| guard["packets"].as_u64()).sum::<u64>() >= least)
        })
    }

    /// The SPIs that the peer sends with.
    pub(crate) fn spis(&self) -> Outcome<BTreeSet<String>> {
        let status = self.status()?;
        let children = status["children"].as_array().into_iter().flatten();
        Ok(children.filter_map(|child| child["inbound_spi"].as_str()).map(str::to_owned).collect())
    }

    /// Puts another configuration file in the place of its own; the text is made from that of `settings`.
    pub(crate) fn rewrite(&self, settings: &Settings, edit: impl Fn(String) -> String) -> Outcome<()> {
        Ok(fs::write(self.folder.join("gateway.toml"), edit(gateway_toml(&self.folder, settings)))?)
    }

    /// Starts another one with the same configuration, which has to be refused: what it says.
    pub(crate) fn second(&self, netns: &Netns) -> Outcome<String> {
        let mut command = netns.command(&self.program);
        command.args(["run", "-c"]).arg(self.folder.join("gateway.toml")).current_dir(&self.folder);
        let finished = run(&mut command, LIMIT)?;
        if finished.status.success() {
            return fail!("a second instance runs, and ends with success");
        }
        Ok(finished.output)
    }

    /// The capabilities that it still has, as the kernel's bit mask.
    pub(crate) fn capabilities(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.daemon.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        u64::from_str_radix(line.unwrap_or_default().trim(), 16).during("CapEff")
    }

    /// Ends it without a chance to clean up.
    pub(crate) fn crash(self) {
        self.daemon.kill();
    }

    /// The one after a crash cleans up for the one before it, too.
    pub(crate) fn inherit(&mut self, before: Surroundings) {
        self.before = before;
    }

    /// What was there before it.
    pub(crate) fn before(&self) -> Surroundings {
        self.before.clone()
    }

    /// What it recorded; to be read when it has stopped.
    pub(crate) fn recording(&self) -> Recording {
        Recording { packets: self.folder.join(RECORDING), keys: self.folder.clone() }
    }

    fn status(&self) -> Outcome<Value> {
        let text = check(&mut self.command(&["status", "--json"]), LIMIT)?;
        serde_json::from_str(&text).during("`status --json`")
    }
}

const RECORDING: &str = "record.pcapng";

impl Endpoint for Gateway {
    fn up(&mut self) -> Outcome<()> {
        check(&mut self.command(&["up", CONNECTION]), UP_LIMIT).map(drop)
    }

    fn down(&mut self) -> Outcome<()> {
        check(&mut self.command(&["down", CONNECTION]), LIMIT).map(drop)
    }

    fn children(&mut self) -> Outcome<usize> {
        Ok(standing(&self.status()?, "children"))
    }

    fn ike_sas(&mut self) -> Outcome<usize> {
        Ok(standing(&self.status()?, "ike_sas"))
    }

    fn log(&self) -> String {
        read_log(&self.folder.join("gateway.log"))
    }

    fn stop(self: Box<Self>) -> Outcome<()> {
        let this = *self;
        this.daemon.stop(Signal::SIGTERM, Duration::from_secs(10))?;
        let after = surroundings(&this.netns)?;
        let left: Vec<_> = after.difference(&this.before).map(String::as_str).collect();
        if left.is_empty() { Ok(()) } else { fail!("the gateway leaves behind: {}", left.join(" | ")) }
    }
}

/// Entries of the list `name` anywhere in a report.
fn standing(report: &Value, name: &str) -> usize {
    match report {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value {
                Value::Array(list) if key == name => list.len(),
                other => standing(other, name),
            })
            .sum(),
        Value::Array(list) => list.iter().map(|entry| standing(entry, name)).sum(),
        _ => 0,
    }
}

fn gateway_toml(folder: &Path, settings: &Settings) -> String {
    let Settings { local, local_ts, remote_ts, ike, esp, .. } = settings;
    let remote = settings.remote.map_or("%any".to_owned(), |address| address.to_string());
    let legacy = is_legacy(ike) || is_legacy(esp);
    let record = if settings.record {
        format!("capture = {:?}\ncapture_keys = true\n", folder.join(RECORDING))
    } else {
        String::new()
    };
    let identities = settings
        .identities
        .as_ref()
        .map(|(local, remote)| format!("local_id = {local:?}\nremote_id = {remote:?}\n"))
        .unwrap_or_default();
    let start = if settings.on_traffic { "acquire" } else { "none" };
    let lifetime = settings.lifetime.map(|time| format!("  lifetime = {time:?}\n")).unwrap_or_default();
    let policy = settings
        .bypass
        .as_ref()
        .map(|selector| {
            format!("[[policy]]\nname = \"clear\"\nselector = {selector:?}\naction = \"bypass\"\n")
        })
        .unwrap_or_default();
    format!(
        r#"[gateway]
control = {control:?}
tun = {TUN:?}
legacy = {legacy}
{record}
{policy}
[[connection]]
name = {CONNECTION:?}
local = "{local}"
remote = "{remote}"
{identities}psk_file = "site.psk"
ike = [{ike:?}]

  [[connection.child]]
  name = {CHILD:?}
  local_ts = {local_ts:?}
  remote_ts = {remote_ts:?}
  esp = [{esp:?}]
  start = {start:?}
{lifetime}"#,
        control = folder.join("control.sock"),
    )
}
