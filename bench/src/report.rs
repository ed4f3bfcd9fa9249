//! What a run prints: a table a group, and a line a bound.

use crate::measure::{Candidate, race};

/// Counts the bounds that do not hold.
#[derive(Default)]
pub struct Report {
    short: usize,
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
    pub fn add(mut self, name: &'static str, work: impl FnMut() + 'a) -> Self {
        self.candidates.push(Candidate::new(name, work));
        self
    }

    /// Races the candidates, and prints their times.
    pub fn run(mut self) -> Group {
        let times = race(&mut self.candidates);
        let times: Vec<_> = self.candidates.iter().map(|candidate| candidate.name).zip(times).collect();
        println!("{}", self.name);
        for (candidate, time) in &times {
            println!("  {candidate:<28} {time:>12.0} ns");
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
    /// `ours` may take at most `bound` times as long as the fastest of `theirs`. Those that are not built in do not count.
    pub fn bound(&mut self, group: &Group, ours: &str, theirs: &[&str], bound: f64) {
        let time = |wanted: &str| group.time(wanted);
        let own = time(ours).expect("a bound names a candidate of its own group");
        let name = format!("{}/{}", group.name, ours.replace(' ', "-"));
        let Some(best) = theirs.iter().filter_map(|name| time(name)).min_by(f64::total_cmp) else {
            println!("SKIP {name}: {} not built in", theirs.join(", "));
            return;
        };
        let ratio = own / best;
        let verdict = if ratio <= bound { "ok" } else { "short" };
        self.short += usize::from(ratio > bound);
        println!("RATIO {name} {ratio:.2} <= {bound:.2} {verdict}");
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

    /// Whether every bound held.
    pub fn holds(&self) -> bool {
        self.short == 0
    }
}
