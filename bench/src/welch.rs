//! Whether two classes of measurements differ in their mean: Welch's t-test, as dudect uses it to find secrets in the time
//! ("Dude, is my code constant time?", Reparaz, Balasch, Verbauwhede, 2017).

/// Fewer measurements of a class than this say nothing.
const ENOUGH: u32 = 50;
/// How often the slowest measurements are cropped, each time more of them.
const CROPS: u32 = 24;

/// One measurement: which of the two classes of input it was of, and its time in any unit.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    pub class: Class,
    pub time: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    First,
    Second,
}

/// The largest t over all measurements and over those that are left when the slowest are cropped: an interruption is slower by
/// far than what is looked for. What is cropped does not depend on the class.
pub fn largest_t(measurements: &[Measurement]) -> f64 {
    let mut times: Vec<f64> = measurements.iter().map(|it| it.time).collect();
    times.sort_by(f64::total_cmp);
    let Some(&slowest) = times.last() else { return 0.0 };
    // dudect's percentiles: dense at the slow end, the last one keeps less than a thousandth.
    let share = |crop: u32| 1.0 - 0.5f64.powf(10.0 * f64::from(crop) / f64::from(CROPS));
    let limits = (1..=CROPS).map(|crop| times[(share(crop) * (times.len() - 1) as f64) as usize]);
    limits.chain([slowest]).map(|limit| t_below(measurements, limit)).fold(0.0, f64::max)
}

fn t_below(measurements: &[Measurement], limit: f64) -> f64 {
    let mut classes = [Moments::default(); 2];
    for measurement in measurements.iter().filter(|it| it.time <= limit) {
        classes[usize::from(measurement.class == Class::Second)].add(measurement.time);
    }
    welch(&classes[0], &classes[1])
}

/// |t| of the difference of two means whose variances may differ; 0 with too few values.
fn welch(a: &Moments, b: &Moments) -> f64 {
    if a.count.min(b.count) < ENOUGH {
        return 0.0;
    }
    let (difference, error) = ((a.mean - b.mean).abs(), (a.error() + b.error()).sqrt());
    if difference == 0.0 { 0.0 } else { difference / error }
}

/// Count, mean and sum of squared deviations, kept up by Welford's recurrence.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: u32,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / f64::from(self.count);
        self.squares += before * (value - self.mean);
    }

    /// The variance of the mean.
    fn error(&self) -> f64 {
        let count = f64::from(self.count);
        self.squares / (count - 1.0) / count
    }
}

#[cfg(test)]
mod tests {
    use ipsec_crypto::{SecureRandom, Seeded};

    use super::*;

    /// As many measurements, normal by the sum of twelve uniform values, with outliers; the second class is slower by `shift`
    /// standard deviations.
    fn measurements(count: usize, shift: f64, seed: u64) -> Vec<Measurement> {
        let mut random = Seeded::from_u64(seed);
        (0..count)
            .map(|_| {
                let mut octets = [0; 14];
                random.fill(&mut octets);
                let normal: f64 = octets[..12].iter().map(|&octet| f64::from(octet) / 255.0).sum();
                let outlier = if octets[13] < 4 { 1e4 } else { 0.0 };
                let class = if octets[12] & 1 == 0 { Class::First } else { Class::Second };
                let slower = if class == Class::Second { shift } else { 0.0 };
                Measurement { class, time: 1000.0 + normal + slower + outlier }
            })
            .collect()
    }

    #[test]
    fn moments_are_those_of_the_definition() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.add(value));
        assert_eq!(moments.mean, 5.0);
        assert!((moments.squares - 32.0).abs() < 1e-9);
        assert!((moments.error() - 32.0 / 7.0 / 8.0).abs() < 1e-9);
    }

    #[test]
    fn t_is_that_of_the_formula() {
        let (mut a, mut b) = (Moments::default(), Moments::default());
        for n in 0..100u32 {
            a.add(f64::from(n % 10));
            b.add(f64::from(n % 20) + 1.0);
        }
        // Means 4.5 and 10.5, variances 825/99 and 3325/99.
        assert!((welch(&a, &b) - 6.0 / ((825.0 + 3325.0) / 99.0 / 100.0f64).sqrt()).abs() < 1e-9);
        assert_eq!(welch(&a, &a), 0.0);
    }

    #[test]
    fn equal_classes_stay_below_five_and_a_shift_is_found_among_outliers() {
        for seed in 0..20 {
            let t = largest_t(&measurements(20_000, 0.0, seed));
            assert!(t < 5.0, "seed {seed}: {t}");
            let t = largest_t(&measurements(20_000, 0.3, seed));
            assert!(t > 10.0, "seed {seed}: {t}");
        }
    }

    #[test]
    fn nothing_and_too_little_say_nothing() {
        assert_eq!(largest_t(&[]), 0.0);
        assert_eq!(largest_t(&measurements(60, 50.0, 1)), 0.0);
    }

    #[test]
    fn values_without_any_spread_differ_for_sure() {
        let measurements: Vec<_> = (0..200)
            .map(|n| match n % 2 {
                0 => Measurement { class: Class::First, time: 1.0 },
                _ => Measurement { class: Class::Second, time: 2.0 },
            })
            .collect();
        assert_eq!(largest_t(&measurements), f64::INFINITY);
    }
}
