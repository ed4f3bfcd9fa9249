//! Measured bounds: `./test bench [AREA...] [--only TEXT] [--markdown]`.
//!
//! All candidates of a group take turns in one process, pinned to one core; a bound is a ratio of their medians. One line each:
//! `RATIO <name> <measured> <= <bound> ok|short`. `--only` measures the groups whose name contains the text; `--markdown` prints
//! the tables of `docs/performance.md` at the end.
#![deny(unsafe_code)]

mod areas;
mod cpu;
mod measure;
mod report;
mod welch;

use std::process::ExitCode;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::report::Report;

fn main() -> ExitCode {
    let (mut wanted, mut only, mut markdown) = (Vec::new(), None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--markdown" => markdown = true,
            "--only" => only = arguments.next(),
            _ => wanted.push(argument),
        }
    }
    let names = areas::ALL.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        eprintln!("there is no area {unknown}; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    if let Err(error) = pin() {
        eprintln!("not pinned to one core: {error}");
    }
    println!("{}", cpu::describe());
    let mut report = Report::new(only);
    for (name, run) in areas::ALL {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            run(&mut report);
        }
    }
    if markdown {
        println!("\n{}\n{}", cpu::describe(), report.markdown());
    }
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// To the last core that we may use: the first one has more else to do.
fn pin() -> nix::Result<()> {
    let myself = Pid::from_raw(0);
    let allowed = sched_getaffinity(myself)?;
    let last = (0..CpuSet::count()).rev().find(|&cpu| allowed.is_set(cpu).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.unwrap_or(0))?;
    sched_setaffinity(myself, &one)
}
