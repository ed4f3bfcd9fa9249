//! A small set of rows in which every pair of values occurs that can occur at all.

use std::collections::BTreeSet;

/// Two columns with a value each: `(column, value, later column, value)`.
type Pair = (usize, usize, usize, usize);

fn pairs(row: &[usize]) -> impl Iterator<Item = Pair> + '_ {
    (0..row.len()).flat_map(move |a| (a + 1..row.len()).map(move |b| (a, row[a], b, row[b])))
}

/// Every row of values below `sizes` that is valid, in lexical order.
pub(crate) fn product(sizes: &[usize], valid: impl Fn(&[usize]) -> bool) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![]];
    for &size in sizes {
        rows = rows
            .iter()
            .flat_map(|row: &Vec<usize>| (0..size).map(|value| [row.as_slice(), &[value]].concat()))
            .collect();
    }
    rows.retain(|row| valid(row));
    rows
}

/// Rows out of `all` that hold every pair which `all` holds: always the next one with the most pairs that are still missing.
pub(crate) fn covering(all: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut missing: BTreeSet<Pair> = all.iter().flat_map(|row| pairs(row)).collect();
    let mut chosen = Vec::new();
    while !missing.is_empty() {
        let gain = |row: &Vec<usize>| pairs(row).filter(|pair| missing.contains(pair)).count();
        // The first of the best, so that the set is the same everywhere.
        let Some(best) = all.iter().rev().max_by_key(|row| gain(row)) else { break };
        for pair in pairs(best) {
            missing.remove(&pair);
        }
        chosen.push(best.clone());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The third column can't be 1 where the first is 0.
    fn valid(row: &[usize]) -> bool {
        !(row[0] == 0 && row[2] == 1)
    }

    #[test]
    fn the_product_holds_every_valid_row_once() {
        let rows = product(&[2, 3, 2], valid);
        assert_eq!(rows.len(), 2 * 3 * 2 - 3);
        assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
        assert!(rows.iter().all(|row| valid(row)));
    }

    #[test]
    fn every_possible_pair_is_covered_by_few_rows() {
        let all = product(&[2, 3, 2, 4, 3], valid);
        let few = covering(&all);
        let of = |rows: &[Vec<usize>]| {
            rows.iter().flat_map(|row| pairs(row).collect::<Vec<_>>()).collect::<BTreeSet<_>>()
        };
        assert_eq!(of(&few), of(&all));
        assert!(few.len() <= 16, "{} rows", few.len());
        assert!(few.iter().all(|row| all.contains(row)));
    }

    #[test]
    fn the_same_rows_every_time() {
        let all = product(&[3, 3, 2, 2], |_| true);
        assert_eq!(covering(&all), covering(&all));
    }
}
