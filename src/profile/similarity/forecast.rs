//! Foretells what the measures cost beside each other, for the progress bar alone.
//!
//! Costs are nanoseconds of one thread, fitted to runs of each measure alone, with and without 3
//! permutations, on 6 × 800 × 64, 6 × 1500 × 384 and 12 × 1000 × 128 (layers, rows, columns). No number
//! of a report rests on them.

use super::imbalance::IMBALANCE;
use super::options::SimilarityOptions;
use super::overlap::OVERLAP;
use super::register::MEASURES;
use crate::geometry::similarity::{
    CCA, CKA, CKA_DEBIASED, CKA_RBF, CKA_RBF_DEBIASED, Measure, PROCRUSTES, PWCCA, RSA, SVCCA,
    Values,
};
use crate::profile::imbalance::cost_of_ranks;
use crate::progress::Phase;

/// How large the work is.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Layers that take part.
    pub layers: usize,
    /// Pairs of them.
    pub pairs: usize,
    /// Rows.
    pub rows: usize,
    /// Columns of a layer, on the average.
    pub columns: usize,
}

/// A phase for every measure or family of measures that is computed together, in the order in which
/// they are, then one for the parts of the rows; each for `sources` comparisons.
pub fn phases(extent: Extent, options: &SimilarityOptions, sources: usize) -> Vec<Phase> {
    let wanted: Vec<&'static Measure> = MEASURES
        .into_iter()
        .filter(|one| options.measures.contains(one))
        .collect();
    let permuted = 1.0 + options.permutations as f64;
    let mut phases: Vec<Phase> = Vec::new();
    let mut add = |name, cost| phases.push(Phase::of_cost(name, sources, cost));
    let is_layers = |one: &&&'static Measure| matches!(one.values, Values::Layers(_));
    let layered: Vec<&'static Measure> = wanted.iter().filter(is_layers).copied().collect();
    for family in families(&layered) {
        add(family[0].flag, extent.of_family(&family, permuted));
    }
    if let Some(count) = options.partitions.filter(|_| !layered.is_empty()) {
        let part = Extent {
            rows: extent.rows / count.max(1),
            ..extent
        };
        let families = families(&layered);
        let one: f64 = families.iter().map(|all| part.of_family(all, 1.0)).sum();
        add("parts", one * count as f64);
    }
    for one in wanted.iter().filter(|one| !is_layers(one)) {
        let k = options.k.unwrap_or(one.k).max(1);
        let parts = options.partitions.map_or(0.0, |count| 1.0 / count as f64);
        let cost = extent.of_searches(one, k, permuted);
        add(one.flag, cost * (1.0 + parts));
    }
    phases
}

/// The measures that are computed together, in the order of the first of each family.
fn families(measures: &[&'static Measure]) -> Vec<Vec<&'static Measure>> {
    let mut families: Vec<Vec<&'static Measure>> = Vec::new();
    for &one in measures {
        let own = families.iter_mut().find(|family| same(family[0], one));
        match own {
            Some(family) => family.push(one),
            None => families.push(vec![one]),
        }
    }
    families
}

/// Whether one computation gives both.
fn same(one: &Measure, other: &Measure) -> bool {
    match (&one.values, &other.values) {
        (Values::Layers(one), Values::Layers(other)) => std::ptr::eq(*one, *other),
        _ => false,
    }
}

impl Extent {
    /// Measures of one computation: they share their work but for the pairs of the CCA family.
    fn of_family(self, family: &[&'static Measure], permuted: f64) -> f64 {
        let costs = family.iter().map(|one| self.of_layers(one, permuted));
        costs
            .fold([0.0, 0.0], |[shared, own], [one, more]| {
                [f64::max(shared, one), own + more]
            })
            .iter()
            .sum()
    }

    /// What a measure shares with those of its family, and what it does alone.
    fn of_layers(self, measure: &Measure, permuted: f64) -> [f64; 2] {
        let [layers, pairs, n, d] = self.counts();
        let row_pairs = n * n / 2.0;
        let is = |ones: &[&Measure]| ones.contains(&measure);
        // Products of columns, or of rows where those are fewer.
        let product = n * d * n.min(d);
        if is(&[&CKA, &CKA_DEBIASED]) {
            let both = layers + pairs * permuted;
            let route = (both * n * d * d).min(layers * permuted * row_pairs * d);
            [0.07 * route + 54.0 * layers * permuted * n * d, 0.0]
        } else if is(&[&CKA_RBF, &CKA_RBF_DEBIASED]) {
            [layers * permuted * row_pairs * (53.0 + 0.16 * d), 0.0]
        } else if is(&[&CCA, &SVCCA]) {
            let pair = if measure == &CCA { 0.215 } else { 0.13 };
            [1.1 * layers * product, pair * pairs * permuted * product]
        } else if is(&[&PWCCA]) {
            let pair = 0.31 * product + 1.3 * d * d * n.min(d);
            [1.2 * layers * product, pairs * permuted * pair]
        } else if is(&[&PROCRUSTES]) {
            [0.22 * pairs * permuted * product, 0.0]
        } else {
            // RSA looks at a sample of the rows where there are many.
            let n = (RSA.rows)(self.rows) as f64;
            let pair = 9.0 * pairs * permuted;
            [n * n / 2.0 * (layers * (147.0 + 0.57 * d) + pair), 0.0]
        }
    }

    fn of_searches(self, measure: &Measure, k: usize, permuted: f64) -> f64 {
        let [layers, pairs, n, d] = self.counts();
        if measure == &OVERLAP {
            layers * n * n * (10.0 + 0.004 * d)
        } else if measure == &IMBALANCE {
            // As the phases of imbalance itself.
            let targets = 2.0 * pairs / layers.max(1.0) * (1.0 + k as f64 * permuted);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let ranks = cost_of_ranks(targets as usize, self.columns) - 1.0;
            let search = n * n * (8.0 + d / 16.0);
            layers * (n * n * (2.5 + 0.009 * d) + 0.17 * search * ranks)
        } else {
            // A search of both layers side by side for every pair.
            let joined = n * n * (5.0 + 0.02 * d);
            layers * n * n * (2.8 + 0.02 * d) + pairs * permuted * joined
        }
    }

    /// Layers, pairs, rows and columns.
    fn counts(self) -> [f64; 4] {
        [self.layers, self.pairs, self.rows, self.columns].map(|count| count as f64)
    }
}
