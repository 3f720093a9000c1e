//! Representational similarity analysis: do two layers agree on which inputs are far apart?

use super::dissimilarity::{Dissimilarity, RankCorrelation};
use super::footprint::{Footprint, least};
use super::measure::{Computation, Measure, PairValue, Setting, Subject, Values};
use super::pair_ranks::{lines, place, ranks};
use super::prepared::Prepared;
use crate::geometry::centred::unit_factor;
use crate::geometry::rounding::Rounding;
use crate::geometry::{Reason, stats};
use crate::input::{Matrix, scan};
use crate::neighbours::squared_distances;
use crate::random::SplitMix64;
use crate::vectors::vectorised;
use rayon::prelude::*;

/// The dissimilarities of all pairs i < j of rows, or their ranks.
///
/// Rounding to the stored type moves the points whose distances these are; two that are nearer
/// than it may have moved them are in one place, and dissimilarity 0 belongs to them.
#[derive(Debug, Clone)]
pub struct Relations {
    n_rows: usize,
    values: Vec<f64>,
    kind: Dissimilarity,
    /// How far rounding may have moved the point of each row.
    errors: Vec<f64>,
    /// Rounding of a distance, over the distance.
    relative_error: f64,
}

impl Relations {
    /// The dissimilarities of the rows of `data`.
    ///
    /// Distances are direct sums of squared differences. Reasons for none: `too_few_rows` (3),
    /// `row_without_direction`, `constant_layer` (all dissimilarities 0), `equidistant_rows` (all
    /// equal), each within the rounding of the stored type.
    pub fn of(data: &Matrix, kind: Dissimilarity) -> Result<Self, Reason> {
        let (n, d) = (data.n_rows(), data.n_columns());
        if n < 3 {
            return Err(Reason::TooFewRows);
        }
        let rows = prepared_rows(data, kind);
        if rows.first_without_direction.is_some() {
            return Err(Reason::RowWithoutDirection);
        }
        let PreparedRows { rows, errors, .. } = rows;
        let relations = Self {
            n_rows: n,
            values: distances(&rows, d, kind, &errors),
            kind,
            errors,
            relative_error: arithmetic_error(d),
        };
        let every = || {
            let lines = lines(n, &relations.values);
            lines.flat_map(|(i, line)| (i + 1..).zip(line).map(move |(j, &value)| ((i, j), value)))
        };
        let least = every().reduce(|a, b| if b.1 < a.1 { b } else { a });
        let most = every().reduce(|a, b| if b.1 > a.1 { b } else { a });
        let (least, most) = least.zip(most).ok_or(Reason::TooFewRows)?;
        if most.1 <= 0.0 {
            return Err(Reason::ConstantLayer);
        }
        let [of_least, of_most] = [least, most].map(|(pair, value)| relations.error(pair, value));
        if most.1 - least.1 <= of_least + of_most {
            return Err(Reason::EquidistantRows);
        }
        Ok(relations)
    }

    /// The first row whose direction is lost: a row of zeros, or for correlations a row of equal
    /// values, within the rounding of the stored type.
    pub fn first_without_direction(data: &Matrix, kind: Dissimilarity) -> Option<usize> {
        prepared_rows(data, kind).first_without_direction
    }

    /// How far rounding may have moved the value of the pair {i, j}.
    fn error(&self, (i, j): (usize, usize), value: f64) -> f64 {
        let distance = match self.kind {
            Dissimilarity::Euclidean => value,
            Dissimilarity::Cosine | Dissimilarity::Correlation => (2.0 * value).sqrt(),
        };
        let error = self.errors[i] + self.errors[j] + self.relative_error * distance;
        match self.kind {
            Dissimilarity::Euclidean => error,
            Dissimilarity::Cosine | Dissimilarity::Correlation => error * (distance + error / 2.0),
        }
    }

    /// Their ranks from 1 on; values that are equal within the rounding of the stored type share
    /// the mean of theirs.
    pub fn ranks(&self) -> Self {
        let error = |pair, value| self.error(pair, value);
        Self {
            n_rows: self.n_rows,
            values: ranks(self.n_rows, &self.values, error),
            kind: self.kind,
            errors: self.errors.clone(),
            relative_error: self.relative_error,
        }
    }

    /// The relations of the same rows in the order `rows`, a permutation.
    ///
    /// # Panics
    /// If an index is not below N.
    pub fn with_rows(&self, rows: &[u32]) -> Self {
        let n = self.n_rows;
        let at = |i: u32, j: u32| place(n, i.min(j) as usize, i.max(j) as usize);
        let lines: Vec<Vec<f64>> = (0..n)
            .into_par_iter()
            .map(|i| {
                let partners = rows[i + 1..].iter();
                partners.map(|&j| self.values[at(rows[i], j)]).collect()
            })
            .collect();
        Self {
            n_rows: n,
            values: lines.concat(),
            kind: self.kind,
            errors: rows.iter().map(|&row| self.errors[row as usize]).collect(),
            relative_error: self.relative_error,
        }
    }

    /// Pearson's correlation with the relations of another layer of the same rows: RSA
    /// (Kriegeskorte et al., 2008); of ranks it is Spearman's.
    ///
    /// Reasons for none: `too_few_rows` (other rows than these), `equidistant_rows`.
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
            return Err(Reason::EquidistantRows);
        }
        Ok((sum(2) / scale).clamp(-1.0, 1.0))
    }
}

/// Pairs whose products are summed together.
const CHUNK: usize = 4096;

/// Rounding of a distance of `d` summands or of a norm, over its size.
fn arithmetic_error(d: usize) -> f64 {
    (4.0 + (d as f64).sqrt()) * f64::EPSILON
}

/// Rows as points whose squared distances tell the dissimilarity.
struct PreparedRows {
    rows: Vec<f64>,
    /// How far rounding may have moved each.
    errors: Vec<f64>,
    first_without_direction: Option<usize>,
}

fn prepared_rows(data: &Matrix, kind: Dissimilarity) -> PreparedRows {
    let (n, d) = (data.n_rows(), data.n_columns());
    let rounding = Rounding::of(data);
    // A power of two changes no digit, and keeps squares of any unit in range.
    let scan = scan(data);
    let factor = unit_factor(scan.max_abs);
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut prepared = PreparedRows {
        rows: vec![0.0; n * d],
        errors: Vec::with_capacity(n),
        first_without_direction: None,
    };
    for (i, row) in prepared.rows.chunks_exact_mut(d.max(1)).enumerate() {
        data.widen_row(i, row);
        row.iter_mut().for_each(|x| *x *= factor);
        // The error of a constant column is the same in every row, so it moves no distance.
        let varying = row.iter().zip(&scan.variances);
        let varying = varying.filter(|&(_, &variance)| variance > 0.0);
        let size = varying.map(|(x, _)| x * x).sum::<f64>().sqrt();
        let moved = rounding.unit * size + rounding.smallest * factor * (d as f64).sqrt();
        if kind == Dissimilarity::Euclidean {
            prepared.errors.push(moved);
            continue;
        }
        if kind == Dissimilarity::Correlation {
            let mean = row.iter().sum::<f64>() / d as f64;
            row.iter_mut().for_each(|x| *x -= mean);
        }
        let length = norm(row);
        if length <= moved {
            prepared.first_without_direction.get_or_insert(i);
        }
        row.iter_mut().for_each(|x| *x /= length);
        prepared.errors.push(moved / length + arithmetic_error(d));
    }
    prepared
}

/// Rows that meet the others together: a row that is read from memory then serves them all.
const TOGETHER: usize = 8;

/// The dissimilarities of all pairs i < j of `rows`, of `d` columns each.
fn distances(rows: &[f64], d: usize, kind: Dissimilarity, errors: &[f64]) -> Vec<f64> {
    let n = errors.len();
    let mut values = vec![0.0; n * n.saturating_sub(1) / 2];
    let mut lines = Vec::with_capacity(n);
    let mut rest = &mut values[..];
    for i in 0..n {
        let (line, after) = rest.split_at_mut(n - i - 1);
        lines.push(line);
        rest = after;
    }
    let arch = pulp::Arch::new();
    let blocks = lines.par_chunks_mut(TOGETHER).enumerate();
    blocks.for_each(|(block, lines)| {
        vectorised(
            arch,
            #[inline(always)]
            || distances_after(rows, d, block * TOGETHER, lines, kind, errors),
        );
    });
    values
}

/// The dissimilarities of a few rows, from `first` on, and every later row of each.
#[inline(always)]
fn distances_after(
    rows: &[f64],
    d: usize,
    first: usize,
    lines: &mut [&mut [f64]],
    kind: Dissimilarity,
    errors: &[f64],
) {
    let row = |j: usize| &rows[j * d..(j + 1) * d];
    let (n, end) = (errors.len(), first + lines.len());
    let finish = |i: usize, j: usize, squared: f64| {
        let moved = errors[i] + errors[j];
        match squared <= moved * moved {
            true => 0.0,
            false => kind.finish(squared),
        }
    };
    let mut others = first + 1;
    while others < n {
        // Four at a time, once these rows are past.
        let four = others >= end && others + 4 <= n;
        for (i, line) in (first..others.min(end)).zip(lines.iter_mut()) {
            let line = &mut line[others - i - 1..];
            if four {
                let four = [
                    row(others),
                    row(others + 1),
                    row(others + 2),
                    row(others + 3),
                ];
                let squared = squared_distances(row(i), four);
                for (at, (value, squared)) in line.iter_mut().zip(squared).enumerate() {
                    *value = finish(i, others + at, squared);
                }
            } else {
                let [squared] = squared_distances(row(i), [row(others)]);
                line[0] = finish(i, others, squared);
            }
        }
        others += if four { 4 } else { 1 };
    }
}

impl Dissimilarity {
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

/// The dissimilarities of all pairs of the sampled rows, and what it takes to rank them.
fn holds(subject: &Subject<'_>, layer: &Matrix) -> Footprint {
    let n = layer.n_rows().min(RSA_ROWS) as u64;
    let moved = if subject.permutations.is_empty() {
        0
    } else {
        4 * n * n
    };
    Footprint {
        kept: 4 * n * n,
        work: (20 * n * n).max(moved) + 8 * n * layer.n_columns() as u64,
    }
}

static DISSIMILARITIES: Computation = Computation {
    least: |subject, _| least(subject, |m| holds(subject, m)),
    values: |subject, wanted, progress| {
        let settings = subject.settings;
        let sample = sample(subject.n_rows(), settings.seed);
        let n = sample.as_ref().map_or(subject.n_rows(), Vec::len);
        // Permutations of the sampled rows, whatever those of all rows are.
        let mut random = SplitMix64::new(settings.seed);
        let draw = |_: &Vec<u32>| random.choose_rows(n, n);
        let orders: Vec<Vec<u32>> = match sample {
            Some(_) => subject.permutations.iter().map(draw).collect(),
            None => subject.permutations.to_vec(),
        };
        let prepared = Prepared {
            label: "dissimilarities",
            subject,
            holds: |m: &Matrix| holds(subject, m),
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
