//! Measured bounds: `./test bench [AREA...] [--only TEXT] [--write FILE]`.
//!
//! All candidates of a group take turns in one process, pinned to one core; a bound is a ratio of their medians. One line each:
//! `RATIO <name> <measured> <= <bound> ok|short`. `--only` measures the groups whose name contains the text; `--write` puts the
//! tables of each area into a file, between the lines `<!-- AREA -->` and `<!-- /AREA -->` that it has.
#![deny(unsafe_code)]

mod areas;
mod cpu;
mod measure;
mod report;
mod welch;

use std::process::ExitCode;
use std::{fs, io};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::report::Report;

fn main() -> ExitCode {
    let (mut wanted, mut only, mut file) = (Vec::new(), None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--only" => only = arguments.next(),
            "--write" => file = arguments.next(),
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
            report.table("Measured");
            run(&mut report);
            if let Some(Err(error)) = file.as_ref().map(|file| write(file, name, &report)) {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Puts an area's tables in place of those that the file has.
fn write(file: &str, area: &str, report: &Report) -> io::Result<()> {
    let old = fs::read_to_string(file)?;
    let tables = format!("{}\n{}", cpu::describe(), report.markdown(area));
    let new = replace(&old, area, &tables)
        .ok_or_else(|| io::Error::other(format!("{file} has no place for {area}")))?;
    fs::write(file, new)
}

fn replace(old: &str, area: &str, tables: &str) -> Option<String> {
    let (head, rest) = old.split_once(&format!("<!-- {area} -->\n"))?;
    let end = format!("<!-- /{area} -->");
    let (_, tail) = rest.split_once(&end)?;
    Some(format!("{head}<!-- {area} -->\n\n{tables}\n{end}{tail}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_place_of_the_last_ones() {
        let old = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n";
        let new = "a\n<!-- x -->\n\nnew\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n";
        assert_eq!(replace(old, "x", "new").as_deref(), Some(new));
        assert_eq!(replace(new, "x", "new").as_deref(), Some(new));
        assert_eq!(replace(old, "z", "new"), None);
    }
}
