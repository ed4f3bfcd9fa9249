//! `ipsec-demo`: two IPsec gateways in one process negotiate a tunnel and carry packets through it. Needs no root, no files, no network.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ipsec_examples::demo::{self, Audience, DemoError, JsonAudience, Options, TextAudience};

/// Two IPsec gateways in one process: watch them negotiate a tunnel and carry packets through it.
///
/// Ends with status 0 only if both ends agree on SPIs, algorithms and traffic counts.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Show one JSON object a line instead of text
    #[arg(long)]
    json: bool,

    /// Record what the western gateway sees, sealed and in clear, as pcapng
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Share of the datagrams that the wire loses, for example 20%
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    loss: f64,

    /// Everything random comes from here: the same seed gives the same octets
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

type Recording = Box<dyn io::Write + Send>;

/// `20%` as 0.2.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=90.0).contains(&percent) => Ok(percent / 100.0),
        Ok(_) => {
            Err("it must lie between 0% and 90%: with more the gateways give up, as they should".to_owned())
        }
        Err(_) => Err("write a percentage, for example 20%".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The message may well go where the output could not: nothing is left to do if it can't.
            let _ = writeln!(io::stderr(), "ipsec-demo: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, DemoError> {
    let options = Options { seed: arguments.seed, loss: arguments.loss };
    let recording = match &arguments.pcap {
        Some(path) => Some(Box::new(BufWriter::new(File::create(path)?)) as Recording),
        None => None,
    };
    // Colours only on a terminal, and not where NO_COLOR is set: the stream sees to it.
    let stdout = anstream::AutoStream::auto(io::stdout()).lock();
    if arguments.json {
        perform(options, recording, &mut JsonAudience::new(stdout))
    } else {
        perform(options, recording, &mut TextAudience::new(stdout))
    }
}

fn perform(
    options: Options,
    recording: Option<Recording>,
    audience: &mut dyn Audience,
) -> Result<bool, DemoError> {
    Ok(demo::play(options, recording, audience)?.holds)
}
