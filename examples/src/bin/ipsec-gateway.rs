//! An IPsec gateway for Linux, and the commands that its operator has. See docs/gateway.md.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipsec_examples::service::{self, CommandError, Target};
use ipsec_io::control::{Reply, Request};
use tracing_subscriber::EnvFilter;

/// An IPsec gateway for Linux.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// The control socket of the gateway that a command is for.
    #[arg(
        short,
        long,
        global = true,
        value_name = "SOCKET",
        default_value = "/run/ipsec-gateway/control.sock"
    )]
    socket: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a gateway in the foreground until SIGTERM or SIGINT; SIGHUP reloads.
    Run {
        /// The configuration.
        #[arg(short, long, value_name = "FILE", default_value = "/etc/ipsec-gateway/gateway.toml")]
        config: PathBuf,
    },
    /// Remove what a gateway that was killed has left: rules of the packet filter, routes and routing rules.
    Clean {
        /// The configuration.
        #[arg(short, long, value_name = "FILE", default_value = "/etc/ipsec-gateway/gateway.toml")]
        config: PathBuf,
    },
    /// Bring up a connection, or one of its children, and wait for it.
    Up {
        /// CONNECTION or CONNECTION/CHILD.
        name: Target,
    },
    /// Take down a connection, or one of its children, telling the peer.
    Down {
        /// CONNECTION or CONNECTION/CHILD.
        name: Target,
    },
    /// Show IKE SAs, IPsec SAs, policies and what was dropped.
    Status {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Read the configuration again; a bad one changes nothing.
    Reload,
}

fn main() -> ExitCode {
    let Arguments { socket, command } = Arguments::parse();
    let result = match command {
        Command::Run { config } => {
            log();
            service::run(&config).map_err(|error| error.to_string())
        }
        Command::Clean { config } => service::clean(&config).map_err(|error| error.to_string()),
        Command::Up { name } => service::up(&socket, &name, |line| drop(writeln!(io::stderr(), "{line}")))
            .map_err(|error| error.to_string())
            .and_then(say),
        Command::Down { name: Target { connection, child } } => {
            ask(&socket, Request::Down { connection, child }, false)
        }
        Command::Status { json } => ask(&socket, Request::Status, json),
        Command::Reload => ask(&socket, Request::Reload, false),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn ask(socket: &std::path::Path, request: Request, json: bool) -> Result<(), String> {
    match service::ask(socket, &request).map_err(|error| error.to_string())? {
        Reply::Done { message } => say(message),
        Reply::Status { report } if json => {
            serde_json::to_string_pretty(&report).map_err(|error| error.to_string()).and_then(say)
        }
        Reply::Status { report } => say(report.to_string()),
        _ => Err(CommandError::Unexpected.to_string()),
    }
}

fn say(text: String) -> Result<(), String> {
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(|error| error.to_string())
}

/// `info` to stderr, unless `RUST_LOG` says otherwise.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}
