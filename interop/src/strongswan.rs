//! strongSwan 5.9 as Debian packs it, with ESP in user space (`kernel-libipsec`).
//!
//! That ESP is always in UDP, so IKE floats to port 4500 even without a NAT; it has tunnel mode only, and needs an address
//! of its gateway inside the local selector. It has no acquires: what it can't protect goes out in clear.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::endpoint::{CHILD, CONNECTION, Endpoint, Settings, read_log};
use crate::netns::Netns;
use crate::process::{Context, Daemon, Finished, Outcome, check, fail, run, wait_until};

const CHARON: &str = "/usr/lib/ipsec/charon";
const LIMIT: Duration = Duration::from_secs(20);

/// A charon with a configuration of its own.
#[derive(Debug)]
pub(crate) struct StrongSwan {
    daemon: Daemon,
    folder: PathBuf,
}

impl StrongSwan {
    /// Starts it in `netns`, with its files in the new folder `folder`.
    pub(crate) fn start(netns: &Netns, folder: PathBuf, settings: &Settings) -> Outcome<Self> {
        fs::create_dir_all(folder.join("run")).during(folder.display())?;
        fs::create_dir_all(folder.join("swanctl"))?;
        let conf = folder.join("strongswan.conf");
        fs::write(&conf, strongswan_conf(&folder.to_string_lossy()))?;
        fs::write(folder.join("swanctl/swanctl.conf"), swanctl_conf(settings))?;
        let mut command = netns.command("sh");
        // Its pid file has a fixed name under /run; `ip netns exec` has already given it mounts of its own.
        command.args(["-c", "mount --bind \"$1\" /run && exec \"$2\"", "sh"]);
        command.arg(folder.join("run")).arg(CHARON).env("STRONGSWAN_CONF", &conf);
        let daemon = Daemon::spawn("charon", &mut command, &folder.join("charon.out"))?;
        let mut this = Self { daemon, folder };
        wait_until(LIMIT, "charon should answer", || {
            this.daemon.still_runs()?;
            Ok(this.swanctl(&["--version", "--daemon"])?.status.success())
        })?;
        check(&mut this.command(&["--load-all", "--noprompt"]), LIMIT)
            .during("strongSwan's configuration")?;
        Ok(this)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("swanctl");
        command
            .args(words)
            .arg("--uri")
            .arg(format!("unix://{}/charon.vici", self.folder.display()))
            .env("STRONGSWAN_CONF", self.folder.join("strongswan.conf"))
            .env("SWANCTL_DIR", self.folder.join("swanctl"));
        command
    }

    fn swanctl(&self, words: &[&str]) -> Outcome<Finished> {
        run(&mut self.command(words), LIMIT)
    }

    fn list(&self) -> Outcome<String> {
        check(&mut self.command(&["--list-sas"]), LIMIT)
    }
}

impl Endpoint for StrongSwan {
    fn up(&mut self) -> Outcome<()> {
        let finished = self.swanctl(&["--initiate", "--child", CHILD, "--timeout", "15"])?;
        if finished.status.success() {
            return Ok(());
        }
        let last: Vec<_> = finished.output.lines().rev().take(4).collect();
        fail!("strongSwan did not come up: {}", last.join(" < "))
    }

    fn down(&mut self) -> Outcome<()> {
        check(&mut self.command(&["--terminate", "--ike", CONNECTION, "--timeout", "10"]), LIMIT).map(drop)
    }

    fn children(&mut self) -> Outcome<usize> {
        let prefix = format!("  {CHILD}: ");
        Ok(self
            .list()?
            .lines()
            .filter(|line| line.starts_with(&prefix) && line.contains("INSTALLED"))
            .count())
    }

    fn ike_sas(&mut self) -> Outcome<usize> {
        let prefix = format!("{CONNECTION}: ");
        Ok(self
            .list()?
            .lines()
            .filter(|line| line.starts_with(&prefix) && line.contains("ESTABLISHED"))
            .count())
    }

    fn log(&self) -> String {
        read_log(&self.folder.join("charon.log"))
    }

    fn stop(self: Box<Self>) -> Outcome<()> {
        self.daemon.stop(Signal::SIGTERM, Duration::from_secs(10))
    }
}

fn strongswan_conf(folder: &str) -> String {
    format!(
        "charon {{
  load = random nonce drbg aesni aes sha1 sha2 md5 hmac kdf gmp openssl kernel-libipsec kernel-netlink socket-default vici updown counters
  accept_unencrypted_mainmode_messages = no
  retransmit_tries = 3
  retransmit_timeout = 1
  retransmit_base = 1.4
  plugins {{
    vici {{ socket = unix://{folder}/charon.vici }}
  }}
  filelog {{
    interop {{
      path = {folder}/charon.log
      time_format = %H:%M:%S
      time_add_ms = yes
      append = no
      flush_line = yes
      default = 1
      ike = 2
      cfg = 2
    }}
  }}
}}
swanctl {{ load = random openssl }}
"
    )
}

fn swanctl_conf(settings: &Settings) -> String {
    let Settings { local, local_ts, remote_ts, ike, esp, psk, .. } = settings;
    let remote = settings.remote.map_or("%any".to_owned(), |address| address.to_string());
    let (local_id, remote_id) =
        settings.identities.clone().unwrap_or_else(|| (local.to_string(), remote.clone()));
    format!(
        "connections {{
  {CONNECTION} {{
    version = 1
    local_addrs = {local}
    remote_addrs = {remote}
    proposals = {ike}
    mobike = no
    dpd_delay = 0s
    rekey_time = 4h
    local-1 {{
      auth = psk
      id = {local_id}
    }}
    remote-1 {{
      auth = psk
      id = {remote_id}
    }}
    children {{
      {CHILD} {{
        local_ts = {local_ts}
        remote_ts = {remote_ts}
        esp_proposals = {esp}
        rekey_time = 1h
        dpd_action = clear
        start_action = none
      }}
    }}
  }}
}}
secrets {{
  ike-interop {{ secret = \"{psk}\" }}
}}
"
    )
}
