//! Foretells what two groupings share when one of them is shuffled.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Contingency;
use crate::geometry::special::ln_gamma;

/// The mutual information to expect of two groupings with these margins when rows are shuffled:
///
/// ```text
/// Σ_ij Σ_n (n/N) ln(N n / (a_i b_j)) · a_i! b_j! (N−a_i)! (N−b_j)!
///                                      / (N! n! (a_i−n)! (b_j−n)! (N−a_i−b_j+n)!)
/// ```
///
/// n from max(1, a_i + b_j − N) to min(a_i, b_j). Margins of equal size are counted once.
/// Vinh, Epps and Bailey, JMLR 11, 2837 (2010).
pub(super) fn expected_mutual_information(counts: &Contingency) -> f64 {
    let ln_factorials: Vec<f64> = (0..=counts.n).map(|n| ln_gamma(n as f64 + 1.0)).collect();
    let (clusters, classes) = (
        sizes(counts.clusters.values()),
        sizes(counts.classes.values()),
    );
    let pairs: Vec<(u64, u64, f64)> = clusters
        .iter()
        .flat_map(|(&a, &n_a)| {
            let classes = classes.iter();
            classes.map(move |(&b, &n_b)| (a, b, n_a as f64 * n_b as f64))
        })
        .collect();
    let terms: Vec<f64> = pairs
        .par_iter()
        .map(|&(a, b, times)| times * pair(a, b, counts.n, &ln_factorials))
        .collect();
    terms.iter().sum()
}

/// How often each size occurs.
fn sizes<'a>(margin: impl Iterator<Item = &'a u64>) -> BTreeMap<u64, u64> {
    let mut sizes = BTreeMap::new();
    for &size in margin {
        *sizes.entry(size).or_insert(0) += 1;
    }
    sizes
}

#[allow(clippy::cast_possible_truncation)] // every argument is at most N, a number of rows
fn pair(a: u64, b: u64, n: u64, ln_factorials: &[f64]) -> f64 {
    let ln = |m: u64| ln_factorials[m as usize];
    let fixed = ln(a) + ln(b) + ln(n - a) + ln(n - b) - ln(n);
    let ln_chance = libm::log(n as f64) - libm::log(a as f64) - libm::log(b as f64);
    let first = 1.max((a + b).saturating_sub(n));
    (first..=a.min(b))
        .map(|shared| {
            let probability =
                fixed - ln(shared) - ln(a - shared) - ln(b - shared) - ln(n + shared - a - b);
            let information = ln_chance + libm::log(shared as f64);
            shared as f64 / n as f64 * information * libm::exp(probability)
        })
        .sum()
}
