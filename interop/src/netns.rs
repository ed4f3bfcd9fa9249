//! Network namespaces that belong to one scenario of one run, and go with it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Context, Outcome, check, run};

/// What the names of all namespaces of this suite start with; then the number of the run's process, and the scenario's.
const PREFIX: &str = "ipsec-interop";
const LIMIT: Duration = Duration::from_secs(20);

/// One network namespace; removed, with all that runs in it, when this is dropped.
#[derive(Debug)]
pub(crate) struct Netns {
    name: String,
}

impl Netns {
    /// A namespace `label` for scenario number `scenario`, with its loopback up and duplicate address detection off.
    pub(crate) fn new(scenario: usize, label: &str) -> Outcome<Self> {
        let name = format!("{PREFIX}-{}-{scenario}-{label}", std::process::id());
        ip(["netns", "add", &name])?;
        let this = Self { name };
        this.sysctl(&[
            "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.default.accept_dad=0",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0",
        ])?;
        this.ip("link set lo up")?;
        Ok(this)
    }

    /// Its name, as `ip netns` lists it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A program that will run in it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// `ip` with these words, about it.
    pub(crate) fn ip(&self, words: &str) -> Outcome<String> {
        check(Command::new("ip").args(["-n", &self.name]).args(words.split_whitespace()), LIMIT)
    }

    /// Sets kernel parameters.
    pub(crate) fn sysctl(&self, settings: &[&str]) -> Outcome<()> {
        check(self.command("sysctl").args(["-q", "-w"]).args(settings), LIMIT).map(drop)
    }

    /// Packets are passed on between its interfaces.
    pub(crate) fn forward(&self) -> Outcome<()> {
        self.sysctl(&[
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.conf.all.send_redirects=0",
            "net.ipv4.conf.default.send_redirects=0",
        ])
    }

    /// A cable from interface `here` to interface `there` of another namespace.
    pub(crate) fn cable(&self, here: &str, other: &Self, there: &str) -> Outcome<()> {
        ip([
            "link",
            "add",
            here,
            "netns",
            &self.name,
            "type",
            "veth",
            "peer",
            "name",
            there,
            "netns",
            &other.name,
        ])?;
        self.ip(&format!("link set {here} up"))?;
        other.ip(&format!("link set {there} up"))?;
        Ok(())
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

fn ip<const N: usize>(words: [&str; N]) -> Outcome<String> {
    check(Command::new("ip").args(words), LIMIT)
}

/// Cleaning up has to work in an interrupted run too, so it does not go through the interruptible `run`.
fn remove(name: &str) {
    if let Ok(output) = Command::new("ip").args(["netns", "pids", name]).output() {
        for id in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            if let Ok(id) = id.parse() {
                let _ =
                    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
    let _ = Command::new("ip").args(["netns", "del", name]).output();
}

/// Removes what runs that were killed left behind.
pub(crate) fn remove_leftovers() -> Outcome<()> {
    let list = run(Command::new("ip").args(["netns", "list"]), LIMIT).during("listing namespaces")?;
    for name in list.output.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some(owner) = owner(name) else { continue };
        if !Path::new(&format!("/proc/{owner}")).exists() {
            remove(name);
        }
    }
    Ok(())
}

/// The process that a namespace of this suite belongs to.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.strip_prefix('-')?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespaces_of_this_suite_have_an_owner() {
        assert_eq!(owner("ipsec-interop-4711-3-lh"), Some(4711));
        assert_eq!(owner("ipsec-interop-x-3-lh"), None);
        assert_eq!(owner("lab-lg"), None);
    }
}
