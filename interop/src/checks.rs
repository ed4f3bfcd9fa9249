//! What is looked at once a tunnel is up: that everything gets through, and that nothing does in clear.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::endpoint::read_log;
use crate::netns::Netns;
use crate::process::{Context, Daemon, Outcome, check, fail, run, wait_until};

/// Pings sent after those that count: `ping` ends two round trips after its last one, and calls what is only late lost.
const GRACE: usize = 50;

/// Sends `count` pings at 10 ms; every one has to be answered, once.
pub(crate) fn ping(from: &Netns, to: IpAddr, count: usize) -> Outcome<()> {
    let mut command = from.command("ping");
    command.args(["-n", "-i", "0.01", "-W", "3", "-c", &(count + GRACE).to_string(), &to.to_string()]);
    let finished = run(&mut command, Duration::from_secs(30)).during(format!("pinging {to}"))?;
    let answered = answers(&finished.output);
    let lost: Vec<_> = (1..=count).filter(|number| !answered.contains(number)).collect();
    if !lost.is_empty() {
        return fail!("of {count} pings from {} to {to}, {} are lost: {lost:?}", from.name(), lost.len());
    }
    if finished.output.contains("DUP!") {
        return fail!("pings from {} to {to} are answered twice", from.name());
    }
    Ok(())
}

/// The sequence numbers that `ping` prints answers for.
fn answers(output: &str) -> BTreeSet<usize> {
    let numbers = output.lines().filter(|line| line.contains(" bytes from "));
    numbers.filter_map(|line| line.split("icmp_seq=").nth(1)?.split(' ').next()?.parse().ok()).collect()
}

/// Sends one ping and gives it time: the negotiation that it starts must not cost it.
pub(crate) fn patient_ping(from: &Netns, to: IpAddr) -> Outcome<()> {
    let mut command = from.command("ping");
    command.args(["-n", "-q", "-c", "1", "-W", "20", &to.to_string()]);
    check(&mut command, Duration::from_secs(30))
        .during("the packet that starts the negotiation is not answered")
        .map(drop)
}

/// Sends a few pings, none of which may be answered.
pub(crate) fn no_ping(from: &Netns, to: IpAddr) -> Outcome<()> {
    let mut command = from.command("ping");
    command.args(["-n", "-q", "-i", "0.1", "-W", "0.5", "-c", "4", &to.to_string()]);
    let finished = run(&mut command, Duration::from_secs(20))?;
    if finished.status.success() {
        return fail!("without a tunnel, {} can still ping {to}", from.name());
    }
    Ok(())
}

/// Octets of the TCP transfer.
const TRANSFER: usize = 16 << 20;
const PORT: u16 = 5001;

/// Sends 16 MiB over TCP, which have to arrive as they were sent.
pub(crate) fn transfer(from: &Netns, to: &Netns, address: IpAddr, folder: &Path) -> Outcome<()> {
    let program = std::env::current_exe()?;
    let log = folder.join("receiver.out");
    let mut receiver = to.command(&program);
    receiver.args(["receive", &address.to_string(), &PORT.to_string()]);
    let mut receiver = Daemon::spawn("the receiver", &mut receiver, &log)?;
    wait_until(Duration::from_secs(10), "the receiver should listen", || {
        receiver.still_runs()?;
        Ok(read_log(&log).contains("ready"))
    })?;
    let mut sender = from.command(&program);
    sender.args(["send", &address.to_string(), &PORT.to_string(), &TRANSFER.to_string()]);
    let sent = check(&mut sender, Duration::from_secs(120)).during("the TCP transfer")?;
    receiver.finish(Duration::from_secs(10)).during("the TCP transfer")?;
    let received = read_log(&log);
    let received = received.lines().last().unwrap_or_default();
    if received != format!("{TRANSFER} {}", sent.trim()) {
        return fail!("of {TRANSFER} octets with SHA-256 {}, these arrived: {received}", sent.trim());
    }
    Ok(())
}

/// The wire between the gateways, recorded; headers only.
#[derive(Debug)]
pub(crate) struct Capture {
    daemon: Daemon,
    file: PathBuf,
}

/// What a capture held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// ESP as a protocol of its own.
    pub(crate) raw: usize,
    /// Packets of UDP port 4500.
    pub(crate) in_udp: usize,
}

/// All that may be on the wire: IKE, ESP, AH, and what makes a link work.
const EXPECTED: &str = "udp port 500 or udp port 4500 or ip proto 50 or ip6 proto 50 \
    or ip proto 51 or ip6 proto 51 or arp \
    or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or ip6[6] = 0 \
    or (ip6[6] = 44 and ip6[40] = 17) or (ip6[6] = 44 and ip6[40] = 50) \
    or (ip[6:2] & 0x1fff != 0 and (ip proto 17 or ip proto 50))";

impl Capture {
    /// Records `interface` of `netns` into `folder`.
    pub(crate) fn start(netns: &Netns, interface: &str, folder: &Path) -> Outcome<Self> {
        Self::start_with(netns, interface, folder, "128")
    }

    /// The same with all that is in the packets.
    pub(crate) fn start_whole(netns: &Netns, interface: &str, folder: &Path) -> Outcome<Self> {
        Self::start_with(netns, interface, folder, "0")
    }

    fn start_with(netns: &Netns, interface: &str, folder: &Path, octets: &str) -> Outcome<Self> {
        let (file, log) = (folder.join("wire.pcap"), folder.join("tcpdump.out"));
        let mut command = netns.command("tcpdump");
        command.args([
            "-n",
            "-i",
            interface,
            "-s",
            octets,
            "-B",
            "16384",
            "-U",
            "--immediate-mode",
            "-Z",
            "root",
            "-w",
        ]);
        let mut daemon = Daemon::spawn("tcpdump", command.arg(&file), &log)?;
        wait_until(Duration::from_secs(10), "tcpdump should listen", || {
            daemon.still_runs()?;
            Ok(read_log(&log).contains("listening on"))
        })?;
        Ok(Self { daemon, file })
    }

    fn stop(self) -> Outcome<PathBuf> {
        // The last packets are still on their way into the file.
        std::thread::sleep(Duration::from_millis(200));
        self.daemon.stop(Signal::SIGINT, Duration::from_secs(5))?;
        Ok(self.file)
    }

    /// Ends the recording, which must hold nothing in clear: the file.
    pub(crate) fn finish_file(self) -> Outcome<PathBuf> {
        let file = self.file.clone();
        self.finish()?;
        Ok(file)
    }

    /// Ends the recording, which has to hold TCP in clear, and nothing else in clear.
    pub(crate) fn finish_with_tcp(self) -> Outcome<()> {
        let file = self.stop()?;
        let stray = packets(&file, &format!("not tcp and not ({EXPECTED})"))?;
        if let Some(first) = stray.first() {
            return fail!("{} packets other than TCP in clear on the wire: {first}", stray.len());
        }
        let clear = packets(&file, "tcp")?.len();
        if clear < 100 { fail!("there should be TCP in clear on the wire: {clear} packets") } else { Ok(()) }
    }

    /// Ends the recording, which has to hold protected packets, and nothing else that does not belong on the wire.
    pub(crate) fn finish(self) -> Outcome<Seen> {
        let file = self.stop()?;
        let stray = packets(&file, &format!("not ({EXPECTED})"))?;
        if !stray.is_empty() {
            let first: Vec<_> = stray.iter().take(5).map(String::as_str).collect();
            return fail!("{} packets in clear on the wire: {}", stray.len(), first.join(" | "));
        }
        let seen = Seen {
            raw: packets(&file, "ip proto 50 or ip6 proto 50")?.len(),
            in_udp: packets(&file, "udp port 4500")?.len(),
        };
        // Up to here nobody needs it any more unless something else failed.
        Ok(seen)
    }
}

fn packets(file: &Path, filter: &str) -> Outcome<Vec<String>> {
    let mut command = Command::new("tcpdump");
    command.args(["-n", "-t", "-r"]).arg(file).arg(filter);
    // tcpdump announces the file on standard error, which comes last.
    let output = check(&mut command, Duration::from_secs(60))?;
    Ok(output
        .lines()
        .filter(|line| line.starts_with("IP") || line.starts_with("ARP"))
        .map(str::to_owned)
        .collect())
}

/// Files that a gateway wrote of what it carried: the packets, and the keys as Wireshark reads them.
#[derive(Debug)]
pub(crate) struct Recording {
    /// The pcapng.
    pub(crate) packets: PathBuf,
    /// The folder with `ikev1_decryption_table` and `esp_sa`.
    pub(crate) keys: PathBuf,
}

impl Recording {
    /// tshark has to decrypt IKE and ESP of it.
    pub(crate) fn decrypts(&self) -> Outcome<()> {
        for name in ["ikev1_decryption_table", "esp_sa"] {
            let path = self.keys.join(name);
            if fs::metadata(&path).during(path.display())?.len() == 0 {
                return fail!("{} is empty", path.display());
            }
        }
        // What only the inside of an encrypted Main Mode, and of a Quick Mode, has.
        self.expect(
            "isakmp.flag_e == 1 && isakmp.exchangetype == 2 && isakmp.id.type",
            2,
            "decrypted Main Mode messages",
        )?;
        self.expect(
            "isakmp.flag_e == 1 && isakmp.exchangetype == 32 && isakmp.nonce",
            2,
            "decrypted Quick Mode messages",
        )?;
        self.expect("esp && icmp", 20, "pings inside of ESP")?;
        self.expect("esp.icv_good == 1", 20, "ESP packets with a good ICV")?;
        let bad = self.matching("esp.icv_bad == 1")?;
        if bad != 0 {
            return fail!("tshark finds {bad} ESP packets with a bad ICV");
        }
        Ok(())
    }

    fn expect(&self, filter: &str, least: usize, what: &str) -> Outcome<()> {
        let found = self.matching(filter)?;
        if found < least {
            return fail!("tshark sees {found} {what}, not {least} or more ({filter})");
        }
        Ok(())
    }

    fn matching(&self, filter: &str) -> Outcome<usize> {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r"]).arg(&self.packets).args([
            "-Y",
            filter,
            "-T",
            "fields",
            "-e",
            "frame.number",
        ]);
        for option in ["esp.enable_encryption_decode:TRUE", "esp.enable_authentication_check:TRUE"] {
            command.args(["-o", option]);
        }
        command.env("WIRESHARK_CONFIG_DIR", &self.keys);
        let output = check(&mut command, Duration::from_secs(60)).during("tshark")?;
        Ok(output.lines().filter(|line| line.trim().parse::<u64>().is_ok()).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_count() {
        let output = "PING 10.2.0.10 (10.2.0.10) 56(84) bytes of data.\n\
            64 bytes from 10.2.0.10: icmp_seq=1 ttl=62 time=0.42 ms\n\
            From 10.1.0.1 icmp_seq=2 Destination Host Unreachable\n\
            64 bytes from 10.2.0.10: icmp_seq=3 ttl=62 time=0.40 ms\n";
        assert_eq!(answers(output), BTreeSet::from([1, 3]));
    }
}
