//! What a run found: a line for each scenario as it ends, the count at the end, and a table for the record.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::endpoint::read_log;
use crate::process::{Context, Outcome};

/// One scenario's end.
#[derive(Debug)]
struct Row {
    name: String,
    seconds: f64,
    failure: Option<String>,
}

/// Collects the rows of scenarios that run side by side.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Mutex<Vec<Row>>,
}

impl Report {
    /// Takes a scenario's result, and prints it; of a failure also the ends of the logs, and where the rest is.
    pub(crate) fn take(&self, name: &str, folder: &Path, time: Duration, result: Outcome<()>) {
        let failure = result.err().map(|failure| failure.0);
        let mut text = String::new();
        let verdict = if failure.is_none() { "ok" } else { "FAILED" };
        let _ = writeln!(text, "{verdict:<7} {name}  {:.1} s", time.as_secs_f64());
        if let Some(reason) = &failure {
            let _ = writeln!(text, "        {reason}");
            for log in ["left/gateway.log", "left/charon.log", "right/gateway.log", "right/charon.log"] {
                let lines = read_log(&folder.join(log));
                let lines: Vec<_> = lines.lines().collect();
                if !lines.is_empty() {
                    let _ = writeln!(text, "        {log}:");
                }
                for line in &lines[lines.len().saturating_sub(15)..] {
                    let _ = writeln!(text, "          {line}");
                }
            }
            let _ = writeln!(text, "        all of it: {}", folder.display());
        }
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the lines of two failures do not mix.
        let _ = io::stdout().write_all(text.as_bytes());
        rows.push(Row { name: name.to_owned(), seconds: time.as_secs_f64(), failure });
    }

    /// Writes the table as Markdown.
    pub(crate) fn write(&self, path: &PathBuf) -> Outcome<()> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        let mut text =
            String::from("## Interoperability\n\n| Scenario | Result | Seconds |\n|---|---|---|\n");
        for row in rows.iter() {
            let result = row.failure.as_deref().map_or("ok".to_owned(), |reason| {
                format!("failed: {}", reason.replace('\n', " ").replace('|', "\\|"))
            });
            let _ = writeln!(text, "| {} | {result} | {:.1} |", row.name, row.seconds);
        }
        let (passed, failed) = count(&rows);
        let _ = writeln!(text, "\n{passed} passed, {failed} failed");
        fs::write(path, text).during(path.display())
    }

    /// Prints the closing line; true if nothing failed and something ran.
    pub(crate) fn close(&self) -> bool {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (passed, failed) = count(&rows);
        let mut text = String::new();
        for row in rows.iter().filter(|row| row.failure.is_some()) {
            let _ = writeln!(text, "failed: {}", row.name);
        }
        let _ = writeln!(text, "{passed} passed, {failed} failed");
        let _ = io::stdout().write_all(text.as_bytes());
        failed == 0 && passed > 0
    }
}

fn count(rows: &[Row]) -> (usize, usize) {
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    (rows.len() - failed, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Failure;

    #[test]
    fn a_run_is_good_only_if_something_ran_and_nothing_failed() {
        let report = Report::default();
        assert!(!report.close());
        report.take("one", Path::new("nowhere"), Duration::ZERO, Ok(()));
        assert!(report.close());
        report.take("two", Path::new("nowhere"), Duration::ZERO, Err(Failure("for a reason".to_owned())));
        assert!(!report.close());
    }
}
