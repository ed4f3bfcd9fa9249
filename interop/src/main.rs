//! Interoperability suite: tunnels between `ipsec-gateway` and gateways that this project did not write, in network namespaces.
//!
//! ```text
//! table ──▶ scenario ──▶ topology (netns) ──▶ endpoint: gateway │ strongswan ──▶ checks ──▶ report
//! ```
//!
//! [`table`] is all that is played, as data; [`scenario`] is how. Nothing runs outside namespaces of the suite's own, every
//! wait has an end, and what is left over of a run that was killed goes with the next one.
#![forbid(unsafe_code)]

mod checks;
mod endpoint;
mod gateway;
mod manual;
mod netns;
mod pairwise;
mod process;
mod report;
mod scenario;
mod strongswan;
mod table;
mod topology;
mod transfer;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use clap::{Parser, Subcommand};

use crate::process::{Context, Failure, Outcome, Stopwatch, interrupt, interrupted};
use crate::report::Report;
use crate::scenario::{Stage, play};
use crate::table::{Extent, Scenario, lab_scenarios, scenarios};

/// Tunnels between ipsec-gateway and other IPsec stacks, in network namespaces.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play scenarios; needs root. Closes with "N passed, N failed".
    Run(Run),
    /// Print the names of the scenarios.
    List(Choice),
    /// One end of a transfer.
    #[command(hide = true)]
    Send { address: IpAddr, port: u16, octets: usize },
    /// The other end.
    #[command(hide = true)]
    Receive { address: IpAddr, port: u16 },
}

#[derive(Debug, clap::Args)]
struct Choice {
    /// The product of all dimensions, not only every pair of values.
    #[arg(long)]
    all: bool,
    /// strongSwan at both ends: is the lab itself sound?
    #[arg(long)]
    peer_only: bool,
    /// Only scenarios whose name holds all of these.
    filter: Vec<String>,
}

impl Choice {
    fn scenarios(&self) -> Vec<Scenario> {
        let extent = if self.all { Extent::All } else { Extent::Pairwise };
        let mut list = if self.peer_only { lab_scenarios(extent) } else { scenarios(extent) };
        list.retain(|scenario| self.filter.iter().all(|word| scenario.name.contains(word.as_str())));
        list
    }
}

#[derive(Debug, clap::Args)]
struct Run {
    #[command(flatten)]
    choice: Choice,
    /// The ipsec-gateway to test; by default the one next to this program.
    #[arg(long, env = "IPSEC_GATEWAY")]
    gateway: Option<PathBuf>,
    /// Scenarios played side by side.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Also write a table to this file.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Keep the files of scenarios that passed, too.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(run) => self::run(&run),
        Command::List(choice) => list(&choice),
        Command::Send { address, port, octets } => send(SocketAddr::new(address, port), octets),
        Command::Receive { address, port } => receive(address, port),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "ipsec-interop: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn list(choice: &Choice) -> Outcome<bool> {
    for scenario in choice.scenarios() {
        writeln!(io::stdout(), "{}", scenario.name)?;
    }
    Ok(true)
}

fn send(to: SocketAddr, octets: usize) -> Outcome<bool> {
    let hash = transfer::send(to, octets)?;
    writeln!(io::stdout(), "{hash}")?;
    Ok(true)
}

fn receive(at: IpAddr, port: u16) -> Outcome<bool> {
    let (count, hash) = transfer::receive(at, port, &mut io::stdout())?;
    writeln!(io::stdout(), "{count} {hash}")?;
    Ok(true)
}

fn run(options: &Run) -> Outcome<bool> {
    let list = options.choice.scenarios();
    if list.is_empty() {
        return Err(Failure("no scenario has such a name (see `ipsec-interop list`)".to_owned()));
    }
    let gateway = match &options.gateway {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("ipsec-gateway"),
    };
    let gateway =
        if options.choice.peer_only { gateway } else { gateway.canonicalize().during(gateway.display())? };
    ctrlc::set_handler(interrupt).during("handling interrupts")?;
    netns::remove_leftovers()?;
    let folder = std::env::temp_dir().join(format!("ipsec-interop-{}", std::process::id()));
    fs::create_dir_all(&folder).during(folder.display())?;

    let (report, next) = (Report::default(), AtomicUsize::new(0));
    let player = || {
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(scenario) = list.get(number)
            && !interrupted()
        {
            // Named by number: the path of a Unix socket has 107 octets at most.
            let stage = Stage { gateway: &gateway, number, folder: folder.join(number.to_string()) };
            let watch = Stopwatch::start();
            let result = catch_unwind(AssertUnwindSafe(|| play(scenario, &stage)))
                .unwrap_or_else(|_| Err(Failure("the suite itself panicked".to_owned())));
            if (result.is_ok() && !options.keep) || interrupted() {
                let _ = fs::remove_dir_all(&stage.folder);
            }
            if interrupted() {
                break;
            }
            report.take(&scenario.name, &stage.folder, watch.elapsed(), result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, list.len()) {
            scope.spawn(player);
        }
    });

    // Empty unless something was kept.
    let _ = fs::remove_dir(&folder);
    if let Some(path) = &options.report {
        report.write(path)?;
    }
    let good = report.close();
    if interrupted() { Err(Failure("interrupted".to_owned())) } else { Ok(good) }
}
