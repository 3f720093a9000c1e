//! How much of a layer some of its columns hold.

use std::slice;

use ndarray::{Array2, s};
use serde::Serialize;

use super::options::{Criterion, SubsetOptions, SubsetRule};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::relation::{Counted, Imbalance, floor, information_imbalance};
use crate::input::{Dump, Matrix, Values};
use crate::neighbours::{Metric, Targets};
use crate::profile::bench::Bench;
use crate::profile::compare::all_rows_equal;
use crate::profile::layers::{DuplicatePolicy, LayerOptions, prepare};
use crate::warning::Warning;

/// Subsets of columns against the whole, layer by layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetsProfile {
    /// Number of neighbours.
    pub k: usize,
    /// The distance.
    pub metric: Metric,
    /// What was done with repeated rows.
    pub duplicates: DuplicatePolicy,
    /// How rows were chosen, in words of the flags.
    pub rows: Vec<String>,
    /// How subsets grew; `None` if they were given.
    pub greedy: Option<Greedy>,
    /// A line a layer.
    pub layers: Vec<LayerSubsets>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// How subsets grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Greedy {
    /// Largest number of columns.
    pub columns: usize,
    /// Subsets kept of each size.
    pub beam: usize,
    /// What the search makes small: (Δ(full→s) + Δ(s→full))/√2, or Δ(s→full) alone.
    pub criterion: Criterion,
}

/// One layer and its subsets.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerSubsets {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Rows, N.
    pub n: usize,
    /// Columns, D.
    pub n_columns: usize,
    /// (k + 1)/N; null without rows.
    pub floor: Option<f64>,
    /// The subsets, as given or as they grew.
    pub subsets: Vec<SubsetPair>,
    /// Why there are none.
    pub reason: Option<Reason>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// One subset of columns against the whole layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetPair {
    /// The columns, from 0, ascending.
    pub columns: Vec<usize>,
    /// Δ(full→subset).
    pub full_to_subset: Option<f64>,
    /// Δ(subset→full): small where the subset predicts the layer.
    pub subset_to_full: Option<f64>,
    /// Standard error of `full_to_subset`.
    pub std_error_full_to_subset: Option<f64>,
    /// Standard error of `subset_to_full`.
    pub std_error_subset_to_full: Option<f64>,
    /// Why there is nothing.
    pub reason: Option<Reason>,
}

/// Compares subsets of the columns of every layer with the whole layer.
///
/// A greedy search starts with single columns, keeps the best `beam`, and extends each by every
/// other column. Its cost grows as N²·D·beam·columns: take fewer rows.
///
/// # Errors
/// [`Error::Usage`] for columns that are not there; whatever reading a layer or [`Bench`] gives.
pub fn subsets(
    dump: &Dump,
    layers: &LayerOptions,
    options: &SubsetOptions,
    bench: &Bench<'_>,
) -> Result<SubsetsProfile> {
    let mut found = Vec::new();
    for info in dump.layers() {
        let prepared = prepare(dump, info, layers)?;
        let mut layer = LayerSubsets {
            layer: info.name.clone(),
            index: info.index,
            n: prepared.matrix.n_rows(),
            n_columns: prepared.matrix.n_columns(),
            floor: floor(prepared.matrix.n_rows(), options.k),
            subsets: Vec::new(),
            reason: None,
            warnings: prepared.warnings,
        };
        if layer.n < options.k + 2 {
            layer.reason = Some(Reason::TooFewRows);
        } else if all_rows_equal(&prepared.matrix) {
            layer.reason = Some(Reason::AllRowsIdentical);
        } else {
            let mut warnings = Vec::new();
            let whole = Whole::new(&prepared.matrix, &info.name, options.k, bench)?;
            layer.subsets = match &options.rule {
                SubsetRule::Given(subsets) => {
                    check(subsets, layer.n_columns, &info.name)?;
                    whole.compare(subsets, &mut warnings)?
                }
                SubsetRule::Greedy {
                    columns,
                    beam,
                    criterion,
                } => whole.grow(*columns, *beam, *criterion, &mut warnings)?,
            };
            layer.warnings.extend(warnings);
        }
        found.push(layer);
    }
    Ok(SubsetsProfile {
        k: options.k,
        metric: bench.metric,
        duplicates: layers.duplicates,
        rows: bench.rows.to_vec(),
        greedy: match options.rule {
            SubsetRule::Given(_) => None,
            SubsetRule::Greedy {
                columns,
                beam,
                criterion,
            } => Some(Greedy {
                columns,
                beam,
                criterion,
            }),
        },
        layers: found,
        warnings: dump.warnings().to_vec(),
    })
}

fn check(subsets: &[Vec<usize>], n_columns: usize, layer: &str) -> Result<()> {
    let beyond = subsets
        .iter()
        .flatten()
        .find(|&&column| column >= n_columns);
    match beyond {
        None => Ok(()),
        Some(column) => Err(Error::Usage(format!(
            "--coordinates: layer {layer} has no column {column} among {n_columns}, counted from 0"
        ))),
    }
}

/// Subsets whose ranks in the whole layer are counted in one sweep.
const AT_ONCE: usize = 64;

/// A layer that subsets of its columns are compared with.
struct Whole<'a> {
    matrix: &'a Matrix,
    name: &'a str,
    k: usize,
    bench: Bench<'a>,
    neighbours: Array2<u32>,
}

impl<'a> Whole<'a> {
    fn new(matrix: &'a Matrix, name: &'a str, k: usize, bench: &Bench<'a>) -> Result<Self> {
        // Subsets are many and small; keeping them would crowd the cache.
        let bench = bench.without_cache();
        let table = bench.neighbours(matrix, name, k + 1, &mut Vec::new())?;
        Ok(Self {
            matrix,
            name,
            k,
            bench,
            neighbours: table.indices.slice(s![.., ..=k]).to_owned(),
        })
    }

    /// Both imbalances of every subset, in their order.
    fn compare(
        &self,
        subsets: &[Vec<usize>],
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<SubsetPair>> {
        let mut found = Vec::new();
        for batch in subsets.chunks(AT_ONCE) {
            found.extend(self.compare_batch(batch, warnings)?);
        }
        Ok(found)
    }

    fn compare_batch(
        &self,
        subsets: &[Vec<usize>],
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<SubsetPair>> {
        let (n, k) = (self.matrix.n_rows(), self.k);
        let width = k + 1;
        let nearest = 0..k;
        let mut rows = Array2::zeros((n, subsets.len() * width));
        let mut there = Vec::new();
        for (at, columns) in subsets.iter().enumerate() {
            let part = select_columns(self.matrix, columns);
            if all_rows_equal(&part) {
                there.push(Err(Reason::AllRowsIdentical));
                // Its ranks are not used, but every row needs a target that is not itself.
                let mut block = rows.slice_mut(s![.., at * width..(at + 1) * width]);
                block.assign(&self.neighbours);
                continue;
            }
            let table = self.bench.neighbours(&part, self.name, k + 1, warnings)?;
            let mut block = rows.slice_mut(s![.., at * width..(at + 1) * width]);
            block.assign(&table.indices);
            let targets = Targets {
                rows: self.neighbours.view(),
                groups: slice::from_ref(&nearest),
            };
            let counts = self.bench.ranks(&part, self.name, &targets, warnings)?;
            there.push(information_imbalance(
                &Counted {
                    neighbours: self.neighbours.view(),
                    ranks: counts.ranks.view(),
                    nearer: counts.nearer.column(0),
                },
                k,
            ));
        }
        let groups: Vec<_> = (0..subsets.len())
            .map(|at| at * width..at * width + k)
            .collect();
        let targets = Targets {
            rows: rows.view(),
            groups: &groups,
        };
        let counts = self
            .bench
            .ranks(self.matrix, self.name, &targets, warnings)?;
        let back = (0..subsets.len()).map(|at| {
            let block = s![.., at * width..(at + 1) * width];
            let counted = Counted {
                neighbours: rows.slice(block),
                ranks: counts.ranks.slice(block),
                nearer: counts.nearer.column(at),
            };
            information_imbalance(&counted, k)
        });
        let pairs = subsets.iter().zip(there).zip(back);
        Ok(pairs
            .map(|((columns, there), back)| {
                let back = there.and(back);
                SubsetPair::new(columns.clone(), there, back)
            })
            .collect())
    }

    /// The best subset of each size up to `columns`.
    fn grow(
        &self,
        columns: usize,
        beam: usize,
        criterion: Criterion,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<SubsetPair>> {
        let d = self.matrix.n_columns();
        let mut best = Vec::new();
        let mut candidates: Vec<Vec<usize>> = (0..d).map(|column| vec![column]).collect();
        for size in 1..=columns.min(d) {
            let mut found = self.compare(&candidates, warnings)?;
            // A stable sort of lists in lexicographic order: the first of equals stays first.
            found.sort_by(|a, b| a.cost(criterion).total_cmp(&b.cost(criterion)));
            found.truncate(beam);
            best.extend(found.first().cloned());
            if size == d {
                break;
            }
            candidates = found
                .iter()
                .flat_map(|kept| {
                    let others = (0..d).filter(|column| !kept.columns.contains(column));
                    others.map(|column| {
                        let mut longer = kept.columns.clone();
                        longer.push(column);
                        longer.sort_unstable();
                        longer
                    })
                })
                .collect();
            candidates.sort_unstable();
            candidates.dedup();
        }
        Ok(best)
    }
}

impl SubsetPair {
    fn new(
        columns: Vec<usize>,
        there: Result<Imbalance, Reason>,
        back: Result<Imbalance, Reason>,
    ) -> Self {
        Self {
            columns,
            full_to_subset: there.ok().map(|one| one.value),
            subset_to_full: back.ok().map(|one| one.value),
            std_error_full_to_subset: there.ok().map(|one| one.std_error),
            std_error_subset_to_full: back.ok().map(|one| one.std_error),
            reason: there.err().or(back.err()),
        }
    }

    /// What a greedy search makes small; a subset without neighbours is the worst.
    fn cost(&self, criterion: Criterion) -> f64 {
        match (self.full_to_subset, self.subset_to_full) {
            (_, Some(back)) if criterion == Criterion::Forward => back,
            (Some(there), Some(back)) => (there + back) / 2f64.sqrt(),
            _ => f64::INFINITY,
        }
    }
}

/// Some columns of a matrix, in single precision unless it is stored in double.
#[allow(clippy::cast_possible_truncation)]
fn select_columns(matrix: &Matrix, columns: &[usize]) -> Matrix {
    let (n, d) = (matrix.n_rows(), columns.len());
    let mut row = vec![0.0; matrix.n_columns()];
    let mut values = Vec::with_capacity(n * d);
    for at in 0..n {
        matrix.widen_row(at, &mut row);
        values.extend(columns.iter().map(|&column| row[column]));
    }
    match matrix.values() {
        Values::F64(_) => Matrix::from_f64(n, d, values),
        // Half precision widens exactly.
        _ => Matrix::from_f32(
            n,
            d,
            values.into_iter().map(|x| x as f32).collect::<Vec<_>>(),
        ),
    }
}
