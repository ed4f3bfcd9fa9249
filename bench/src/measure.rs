//! Candidates for one piece of work, measured side by side.
//!
//! They take turns in one process, pinned to one core, for many short rounds, and the median round of each counts: what else the
//! machine does then hits all of them alike. The times say little about another machine; their ratios do.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Rounds of each candidate.
const ROUNDS: usize = 25;
/// How long a round of one candidate is.
const ROUND: Duration = Duration::from_millis(3);

/// One way to do the work.
pub struct Candidate<'a> {
    /// Its name in the table.
    pub name: &'static str,
    work: Box<dyn FnMut() + 'a>,
    items: u32,
}

impl<'a> Candidate<'a> {
    /// `work` does it as often as `items` says.
    pub fn new(name: &'static str, items: u32, work: impl FnMut() + 'a) -> Self {
        Self { name, work: Box::new(work), items }
    }

    fn time(&mut self, times: u32) -> Duration {
        let start = thread_time();
        for _ in 0..times {
            (self.work)();
        }
        thread_time().saturating_sub(start)
    }

    /// How often it fits into a round.
    fn calibrate(&mut self) -> u32 {
        let mut times = 1;
        loop {
            let took = self.time(times);
            if took * 2 >= ROUND || times >= 1 << 24 {
                let fitting = ROUND.as_nanos() * u128::from(times) / took.as_nanos().max(1);
                return u32::try_from(fitting).unwrap_or(u32::MAX).max(1);
            }
            times *= 2;
        }
    }
}

/// Nanoseconds that each candidate takes for one item, in their order.
pub fn race(candidates: &mut [Candidate<'_>]) -> Vec<f64> {
    let times: Vec<u32> = candidates.iter_mut().map(Candidate::calibrate).collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); candidates.len()];
    for _ in 0..ROUNDS {
        for ((candidate, &times), taken) in candidates.iter_mut().zip(&times).zip(&mut rounds) {
            let items = f64::from(times) * f64::from(candidate.items);
            taken.push(candidate.time(times).as_nanos() as f64 / items);
        }
    }
    rounds.into_iter().map(median).collect()
}

/// Processor time of this thread: what others take from the core in between does not count.
pub fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux keeps a clock for each thread").into()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
    }

    #[test]
    fn more_work_takes_longer_and_counts_by_item() {
        let spin = |count: u64| {
            move || {
                for n in 0..count {
                    std::hint::black_box(n);
                }
            }
        };
        let times = race(&mut [
            Candidate::new("little", 1, spin(1_000)),
            Candidate::new("much", 1, spin(10_000)),
            Candidate::new("much, of ten", 10, spin(10_000)),
        ]);
        assert!(times[1] > times[0] * 3.0, "{times:?}");
        assert!(times[2] < times[1] / 3.0, "{times:?}");
    }
}
