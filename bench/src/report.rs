//! What a run prints: the times of each group, a line a bound, and the same as tables for `docs/performance.md`.

use std::fmt::Write as _;

use crate::measure::{Candidate, race};

/// Counts the bounds that do not hold, and keeps what the tables show.
#[derive(Default)]
pub struct Report {
    only: Option<String>,
    short: usize,
    tables: Vec<Table>,
    timings: Vec<Timing>,
}

/// What became of a test for leaks.
struct Timing {
    name: String,
    t: f64,
    expected: String,
    verdict: &'static str,
}

/// Rows under one heading.
struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

/// A group, and what became of its bounds: of whom, the ratio, the bound.
struct Row {
    name: String,
    times: Vec<(&'static str, f64)>,
    bounds: Vec<(String, f64, f64)>,
}

/// Nanoseconds of the candidates of one group, by name.
pub struct Group {
    name: String,
    times: Vec<(&'static str, f64)>,
}

/// Candidates that will be measured side by side.
pub struct Race<'a> {
    name: String,
    candidates: Vec<Candidate<'a>>,
}

impl<'a> Race<'a> {
    /// A race nobody takes part in yet.
    pub fn new(name: String) -> Self {
        Self { name, candidates: Vec::new() }
    }

    /// One more candidate; `work` does the work once.
    pub fn add(self, name: &'static str, work: impl FnMut() + 'a) -> Self {
        self.add_batch(name, 1, work)
    }

    /// One more candidate; `work` does the work as often as `items` says.
    pub fn add_batch(mut self, name: &'static str, items: u32, work: impl FnMut() + 'a) -> Self {
        self.candidates.push(Candidate::new(name, items, work));
        self
    }

    /// Races the candidates, and prints their times.
    pub fn run(mut self) -> Group {
        let times = race(&mut self.candidates);
        let times: Vec<_> = self.candidates.iter().map(|candidate| candidate.name).zip(times).collect();
        println!("{}", self.name);
        for (candidate, time) in &times {
            println!("  {candidate:<28} {time:>12.1} ns");
        }
        Group { name: self.name, times }
    }
}

impl Group {
    fn time(&self, wanted: &str) -> Option<f64> {
        self.times.iter().find(|(name, _)| *name == wanted).map(|(_, time)| *time)
    }
}

impl Report {
    /// A report of those groups whose name contains `only`.
    pub fn new(only: Option<String>) -> Self {
        Self { only, ..Self::default() }
    }

    /// Whether this group is wanted.
    pub fn wants(&self, group: &str) -> bool {
        self.only.as_ref().is_none_or(|only| group.contains(only.as_str()))
    }

    /// What follows belongs into a table of its own.
    pub fn table(&mut self, title: &'static str) {
        self.tables.push(Table { title, rows: Vec::new() });
    }

    /// Puts the group into the table, whether or not it has bounds.
    pub fn note(&mut self, group: &Group) {
        let Some(table) = self.tables.last_mut() else { return };
        if table.rows.iter().all(|row| row.name != group.name) {
            table.rows.push(Row { name: group.name.clone(), times: group.times.clone(), bounds: Vec::new() });
        }
    }

    /// `ours` may take at most `bound` times as long as the fastest of `theirs`. Those that are not built in do not count.
    pub fn bound(&mut self, group: &Group, ours: &str, theirs: &[&str], bound: f64) {
        self.note(group);
        let time = |wanted: &str| group.time(wanted);
        let own = time(ours).expect("a bound names a candidate of its own group");
        let name = format!("{}/{}", group.name, ours.replace(' ', "-"));
        let Some(best) = theirs.iter().filter_map(|name| time(name)).min_by(f64::total_cmp) else {
            println!("SKIP {name}: {} not built in", theirs.join(", "));
            return;
        };
        let ratio = own / best;
        self.short += usize::from(ratio > bound);
        println!("RATIO {name} {ratio:.2} <= {bound:.2} {}", verdict(ratio, bound));
        let rows = self.tables.last_mut().map(|table| &mut table.rows);
        if let Some(row) = rows.into_iter().flatten().find(|row| row.name == group.name) {
            row.bounds.push((ours.to_owned(), ratio, bound));
        }
    }

    /// `ours` may take at most `share` of the time of `bare` more than `bare`, or `nanoseconds` for each of the `items` that
    /// a run processes, whichever is more.
    pub fn overhead(
        &mut self,
        group: &Group,
        ours: &str,
        bare: &str,
        items: u32,
        share: f64,
        nanoseconds: f64,
    ) {
        let bare_time = group.time(bare).expect("a bound names a candidate of its own group");
        let allowed = share.max(nanoseconds * f64::from(items) / bare_time);
        self.bound(group, ours, &[bare], 1.0 + allowed);
    }

    /// A statistical test for leaks through time, on the value that may at most be `bound`.
    pub fn timing(&mut self, name: &str, t: f64, bound: f64) {
        self.tested(name, t, format!("<= {bound:.0}"), if t <= bound { "ok" } else { "LEAK" });
    }

    /// The same with a leak put there on purpose: a test that does not find it could not find another one.
    pub fn leak(&mut self, name: &str, t: f64, bound: f64) {
        self.tested(name, t, format!("> {bound:.0}"), if t > bound { "ok" } else { "BLIND" });
    }

    fn tested(&mut self, name: &str, t: f64, expected: String, verdict: &'static str) {
        self.short += usize::from(verdict != "ok");
        println!("TIMING {name} t={t:.1} {expected} {verdict}");
        self.timings.push(Timing { name: name.to_owned(), t, expected, verdict });
    }

    /// Whether every bound held.
    pub fn holds(&self) -> bool {
        self.short == 0
    }

    /// The tables of an area in Markdown: a row a group, a column a candidate, nanoseconds; behind them the ratios of the bounds.
    pub fn markdown(&self, area: &str) -> String {
        let tables = self.tables.iter().filter_map(|table| table.markdown(area));
        let mut text: String = tables.collect();
        let timings: Vec<_> = self.timings.iter().filter(|timing| in_area(&timing.name, area)).collect();
        if !timings.is_empty() {
            text += "\n### Secrets in the time\n\n| | t | expected | |\n|---|---:|---|---|\n";
        }
        for Timing { name, t, expected, verdict } in timings {
            let _ = writeln!(text, "| {} | {t:.1} | {expected} | {verdict} |", in_table(name));
        }
        text
    }
}

/// Names of groups and tests begin with their area.
fn in_area(name: &str, area: &str) -> bool {
    name.strip_prefix(area).is_some_and(|rest| rest.starts_with('/'))
}

fn in_table(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, name)| name)
}

impl Table {
    fn markdown(&self, area: &str) -> Option<String> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| in_area(&row.name, area)).collect();
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in rows.iter().flat_map(|row| &row.times) {
            if !names.contains(name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return None;
        }
        let bounded = rows.iter().any(|row| !row.bounds.is_empty());
        let mut text = format!("\n### {}\n\n| ns |", self.title);
        names.iter().for_each(|name| {
            let _ = write!(text, " {name} |");
        });
        text += if bounded { " bounds |\n|---|" } else { "\n|---|" };
        text += &"---:|".repeat(names.len());
        text += if bounded { "---|\n" } else { "\n" };
        for row in rows {
            let _ = write!(text, "| {} |", in_table(&row.name));
            for name in &names {
                match row.times.iter().find(|(it, _)| it == name) {
                    Some((_, time)) if *time < 100.0 => write!(text, " {time:.1} |"),
                    Some((_, time)) if *time < 100_000.0 => write!(text, " {time:.0} |"),
                    Some((_, time)) => write!(text, " {:.0} µs |", time / 1000.0),
                    None => write!(text, " |"),
                }
                .expect("a string takes everything");
            }
            if bounded {
                let bounds = row.bounds.iter().map(|(who, ratio, bound)| {
                    let mark = if ratio <= bound { "" } else { "**" };
                    format!("{who} {ratio:.2} ≤ {bound:.2} {mark}{}{mark}", verdict(*ratio, *bound))
                });
                let _ = write!(text, " {} |", bounds.collect::<Vec<_>>().join("; "));
            }
            text.push('\n');
        }
        Some(text)
    }
}

fn verdict(ratio: f64, bound: f64) -> &'static str {
    if ratio <= bound { "ok" } else { "short" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        Group { name: "area/work".into(), times: vec![("ours", 12.0), ("theirs", 100.0), ("others", 10.0)] }
    }

    #[test]
    fn a_bound_is_against_the_fastest_that_is_there() {
        let mut report = Report::default();
        report.bound(&group(), "ours", &["theirs"], 1.0);
        assert!(report.holds());
        report.bound(&group(), "ours", &["missing"], 1.0);
        assert!(report.holds());
        report.bound(&group(), "ours", &["theirs", "others", "missing"], 1.1);
        assert!(!report.holds());
    }

    #[test]
    fn a_leak_fails_and_so_does_one_that_is_not_found() {
        for (t, clean, planted) in [(3.0, true, false), (30.0, false, true)] {
            let (mut first, mut second) = (Report::default(), Report::default());
            first.timing("t", t, 10.0);
            second.leak("t", t, 10.0);
            assert_eq!((first.holds(), second.holds()), (clean, planted));
        }
    }

    #[test]
    fn a_table_has_a_column_a_candidate() {
        let mut report = Report::default();
        report.table("Work");
        report.bound(&group(), "ours", &["others"], 1.1);
        report.note(&Group { name: "area/other".into(), times: vec![("ours", 1234.5)] });
        assert_eq!(
            report.markdown("area"),
            "\n### Work\n\n| ns | ours | theirs | others | bounds |\n|---|---:|---:|---:|---|\n\
             | work | 12.0 | 100 | 10.0 | ours 1.20 ≤ 1.10 **short** |\n| other | 1234 | | |  |\n"
        );
        assert_eq!(report.markdown("are"), "");
    }

    #[test]
    fn tests_for_leaks_have_a_table_of_their_own() {
        let mut report = Report::default();
        report.timing("area/test/fast", 1.25, 10.0);
        report.leak("area/control", 1.25, 10.0);
        assert!(report.markdown("area").ends_with(
            "|---|---:|---|---|\n| test/fast | 1.2 | <= 10 | ok |\n| control | 1.2 | > 10 | BLIND |\n"
        ));
    }
}
