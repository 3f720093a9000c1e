//! Representational similarity analysis: do two layers agree on which inputs are far apart?

use super::dissimilarity::{Dissimilarity, RankCorrelation};
use super::measure::{Computation, Measure, PairValue, Setting, Values};
use super::prepared::Prepared;
use crate::geometry::centred::unit_factor;
use crate::geometry::{Reason, stats};
use crate::input::{Matrix, scan};
use crate::neighbours::squared_distances;
use crate::random::SplitMix64;
use crate::vectors::vectorised;
use rayon::prelude::*;

/// The dissimilarities of all pairs i < j of rows, or their ranks.
#[derive(Debug, Clone)]
pub struct Relations {
    n_rows: usize,
    values: Vec<f64>,
}

impl Relations {
    /// The dissimilarities of the rows of `data`.
    ///
    /// Distances are direct sums of squared differences, so equal ones are equal to the bit.
    /// Reasons for none: `too_few_rows` (3), `constant_layer` (all dissimilarities equal, or a row
    /// without a direction).
    pub fn of(data: &Matrix, dissimilarity: Dissimilarity) -> Result<Self, Reason> {
        let (n, d) = (data.n_rows(), data.n_columns());
        if n < 3 {
            return Err(Reason::TooFewRows);
        }
        // A power of two changes no digit, and keeps squares of any unit in range.
        let factor = unit_factor(scan(data).max_abs);
        let mut rows = vec![0.0; n * d];
        for (i, row) in rows.chunks_exact_mut(d.max(1)).enumerate() {
            data.widen_row(i, row);
            row.iter_mut().for_each(|x| *x *= factor);
            if !dissimilarity.prepare(row) {
                return Err(Reason::ConstantLayer);
            }
        }
        let arch = pulp::Arch::new();
        let lines: Vec<Vec<f64>> = (0..n)
            .into_par_iter()
            .map(|i| {
                vectorised(
                    arch,
                    #[inline(always)]
                    || distances_after(&rows, d, i, dissimilarity),
                )
            })
            .collect();
        let relations = Self {
            n_rows: n,
            values: lines.concat(),
        };
        let varies = |two: &[f64]| two[0] < two[1] || two[1] < two[0];
        match relations.values.windows(2).any(varies) {
            true => Ok(relations),
            false => Err(Reason::ConstantLayer),
        }
    }

    /// Their ranks from 1 on; equal values share the mean of theirs.
    pub fn ranks(&self) -> Self {
        let n = self.values.len();
        let mut order: Vec<usize> = (0..n).collect();
        let key = |&at: &usize| self.values[at];
        order.par_sort_unstable_by(|a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
        let mut values = vec![0.0; n];
        let mut start = 0;
        while start < n {
            let value = self.values[order[start]];
            let tied = order[start..]
                .iter()
                .take_while(|&&at| self.values[at] <= value)
                .count();
            let rank = (2 * start + tied + 1) as f64 / 2.0;
            order[start..start + tied]
                .iter()
                .for_each(|&at| values[at] = rank);
            start += tied;
        }
        Self {
            n_rows: self.n_rows,
            values,
        }
    }

    /// The relations of the same rows in the order `rows`, a permutation.
    ///
    /// # Panics
    /// If an index is not below N.
    pub fn with_rows(&self, rows: &[u32]) -> Self {
        let n = self.n_rows;
        let lines: Vec<Vec<f64>> = (0..n)
            .into_par_iter()
            .map(|i| {
                let partners = rows[i + 1..].iter();
                partners
                    .map(|&j| self.values[place(n, rows[i] as usize, j as usize)])
                    .collect()
            })
            .collect();
        Self {
            n_rows: n,
            values: lines.concat(),
        }
    }

    /// Pearson's correlation with the relations of another layer of the same rows: RSA
    /// (Kriegeskorte et al., 2008); of ranks it is Spearman's.
    ///
    /// Reasons for none: `too_few_rows` (other rows than these), `constant_layer`.
    pub fn correlation(&self, other: &Self) -> Result<f64, Reason> {
        let n = self.values.len();
        if other.values.len() != n {
            return Err(Reason::TooFewRows);
        }
        let mean = |values: &[f64]| stats::mean(values).ok_or(Reason::TooFewRows);
        let (x_mean, y_mean) = (mean(&self.values)?, mean(&other.values)?);
        let pairs: Vec<(&[f64], &[f64])> = self
            .values
            .chunks(CHUNK)
            .zip(other.values.chunks(CHUNK))
            .collect();
        let parts: Vec<[f64; 3]> = pairs
            .into_par_iter()
            .map(|(xs, ys)| {
                let mut sums = [0.0; 3];
                for (x, y) in xs.iter().zip(ys) {
                    let (x, y) = (x - x_mean, y - y_mean);
                    sums[0] += x * x;
                    sums[1] += y * y;
                    sums[2] += x * y;
                }
                sums
            })
            .collect();
        let sum = |at: usize| parts.iter().map(|part| part[at]).sum::<f64>();
        let scale = (sum(0) * sum(1)).sqrt();
        if scale <= 0.0 {
            return Err(Reason::ConstantLayer);
        }
        Ok((sum(2) / scale).clamp(-1.0, 1.0))
    }
}

/// Pairs whose products are summed together.
const CHUNK: usize = 4096;

/// Where the pair {i, j} stands among the pairs i < j of `n` rows.
fn place(n: usize, i: usize, j: usize) -> usize {
    let (i, j) = (i.min(j), i.max(j));
    i * (2 * n - i - 1) / 2 + j - i - 1
}

/// The dissimilarities of row `i` and every later row.
#[inline(always)]
fn distances_after(rows: &[f64], d: usize, i: usize, kind: Dissimilarity) -> Vec<f64> {
    let row = |j: usize| &rows[j * d..(j + 1) * d];
    let n = rows.len() / d.max(1);
    let mut out = Vec::with_capacity(n - i - 1);
    let mut j = i + 1;
    while j + 4 <= n {
        let four = [row(j), row(j + 1), row(j + 2), row(j + 3)];
        out.extend(squared_distances(row(i), four).map(|squared| kind.finish(squared)));
        j += 4;
    }
    out.extend((j..n).map(|j| {
        let [squared] = squared_distances(row(i), [row(j)]);
        kind.finish(squared)
    }));
    out
}

impl Dissimilarity {
    /// Turns a row into a point whose squared distances tell the dissimilarity; `false` if it has
    /// no direction.
    fn prepare(self, row: &mut [f64]) -> bool {
        if self == Self::Euclidean {
            return true;
        }
        if self == Self::Correlation {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            row.iter_mut().for_each(|x| *x -= mean);
        }
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
        norm > 0.0
    }

    /// The dissimilarity of two prepared rows: of unit vectors, 1 − cos is half the squared chord.
    fn finish(self, squared: f64) -> f64 {
        match self {
            Self::Euclidean => squared.sqrt(),
            Self::Cosine | Self::Correlation => squared / 2.0,
        }
    }
}

/// Representational similarity analysis; over a seeded sample of the rows where there are many.
pub static RSA: Measure = Measure {
    range: [-1.0, 1.0],
    rows: |n| n.min(RSA_ROWS),
    uses: &[Setting::Dissimilarity, Setting::Correlation],
    ..Measure::similarity(
        ["rsa", "rsa"],
        "Correlation of dissimilarities",
        Values::Layers(&DISSIMILARITIES),
    )
};

/// Rows whose pairs RSA compares; of more rows it takes a sample.
const RSA_ROWS: usize = 4096;

static DISSIMILARITIES: Computation = Computation {
    values: |subject, wanted, progress| {
        let settings = subject.settings;
        let sample = sample(subject.n_rows(), settings.seed);
        let n = sample.as_ref().map_or(subject.n_rows(), Vec::len);
        // Permutations of the sampled rows, whatever those of all rows are.
        let mut random = SplitMix64::new(settings.seed);
        let orders: Vec<Vec<u32>> = subject
            .permutations
            .iter()
            .map(|_| random.choose_rows(n, n))
            .collect();
        let prepared = Prepared {
            label: "dissimilarities",
            subject,
            bytes: |_: &Matrix| 4 * n * n,
            make: |m: &Matrix| {
                let rows = sample.as_ref().map(|rows| m.select(rows));
                let rows = rows.as_ref().unwrap_or(m);
                let relations = Relations::of(rows, settings.dissimilarity)?;
                Ok(match settings.correlation {
                    RankCorrelation::Spearman => relations.ranks(),
                    RankCorrelation::Pearson => relations,
                })
            },
            compare: |x: &Relations, y: &Relations| {
                let moved = orders.iter().map(|order| y.with_rows(order));
                let null = moved.filter_map(|y| x.correlation(&y).ok()).collect();
                vec![PairValue {
                    chance: Some(0.0),
                    ..PairValue::new(x.correlation(y), n, null)
                }]
            },
        };
        prepared.values(wanted.len(), progress)
    },
};

/// The rows that RSA looks at, ascending; `None` for all of them.
fn sample(n: usize, seed: u64) -> Option<Vec<u32>> {
    (n > RSA_ROWS).then(|| {
        let mut rows = SplitMix64::new(seed).choose_rows(n, RSA_ROWS);
        rows.sort_unstable();
        rows
    })
}
