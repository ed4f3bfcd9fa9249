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

impl Report {
    /// Races the candidates, and prints their times.
    pub fn group(&self, name: String, candidates: &mut [Candidate<'_>]) -> Group {
        let times = race(candidates);
        let times: Vec<_> = candidates.iter().map(|candidate| candidate.name).zip(times).collect();
        println!("{name}");
        for (candidate, time) in &times {
            println!("  {candidate:<28} {time:>12.0} ns");
        }
        Group { name, times }
    }

    /// `ours` may take at most `bound` times as long as the fastest of `theirs`.
    pub fn bound(&mut self, group: &Group, ours: &str, theirs: &[&str], bound: f64) {
        let time = |wanted: &str| {
            let found = group.times.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, time)| *time).expect("bounds name candidates of their own group")
        };
        let best = theirs.iter().map(|name| time(name)).fold(f64::INFINITY, f64::min);
        let ratio = time(ours) / best;
        let verdict = if ratio <= bound { "ok" } else { "short" };
        self.short += usize::from(ratio > bound);
        println!("RATIO {}/{} {ratio:.2} <= {bound:.2} {verdict}", group.name, ours.replace(' ', "-"));
    }

    /// Whether every bound held.
    pub fn holds(&self) -> bool {
        self.short == 0
    }
}
