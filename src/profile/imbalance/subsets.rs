//! Measures how much of a layer some columns hold, its own or another layer's.

use std::slice;

use super::options::{Criterion, Greedy, SubsetOptions, SubsetRule};
use super::subset_shape::{
    LayerSubsets, SubsetImbalances, SubsetPair, SubsetParameters, SubsetsProfile,
};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::relation::{Counted, Imbalance, floor, information_imbalance};
use crate::geometry::resolution::equidistant;
use crate::input::{Dump, Matrix};
use crate::neighbours::Targets;
use crate::profile::bench::Bench;
use crate::profile::columns::select_columns;
use crate::profile::compare::{Comparison, LayerPair, Target, all_rows_equal};
use crate::profile::layers::{LayerOptions, near_duplicate_warning, prepare};
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;
use ndarray::{Array2, s};

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
        let ends = Ends {
            layer: (&info.name, info.index),
            parts: &prepared.matrix,
            target: None,
            whole: &prepared.matrix,
        };
        let warnings = prepared.warnings.clone();
        found.push(ends.compare(options, bench, warnings)?);
    }
    Ok(SubsetsProfile {
        parameters: parameters(layers, options, bench),
        layers: found,
        warnings: dump.warnings().to_vec(),
    })
}

/// Compares subsets of the columns of one layer with another whole layer, for every pair that
/// `options.target` asks for: which columns of A predict B.
///
/// With full ranks and `forward` this is DADApy's `greedy_feature_selection_target` (Glielmo et
/// al., PNAS Nexus 1, pgac039 (2022)).
///
/// # Errors
/// As [`subsets`]; [`Error::Usage`] for pairs that do not exist.
pub fn target_subsets(
    comparison: &Comparison<'_>,
    options: &SubsetOptions,
    bench: &Bench<'_>,
) -> Result<SubsetsProfile> {
    let target = options.target.clone().unwrap_or_default();
    let mut pairs = comparison.pairs(&target)?;
    if target == Target::All && !comparison.is_between_two() {
        // Prediction has a direction, so each pair is asked both ways.
        let back: Vec<_> = pairs
            .iter()
            .map(|&LayerPair { a, b }| LayerPair { a: b, b: a })
            .collect();
        pairs.extend(back);
        pairs.sort_by_key(|pair| (pair.a, pair.b));
    }
    let mut found = Vec::new();
    for LayerPair { a, b } in pairs {
        let (first, second) = (&comparison.left()[a], &comparison.right()[b]);
        let (parts, whole) = (comparison.read_left(a)?, comparison.read_right(b)?);
        let ends = Ends {
            layer: (&first.layer, first.index),
            parts: &parts,
            target: Some(&second.layer),
            whole: &whole,
        };
        let warnings = first.warnings.clone();
        found.push(ends.compare(options, bench, warnings)?);
    }
    Ok(SubsetsProfile {
        parameters: parameters(comparison.options(), options, bench),
        layers: found,
        warnings: Vec::new(),
    })
}

fn parameters(
    layers: &LayerOptions,
    options: &SubsetOptions,
    bench: &Bench<'_>,
) -> SubsetParameters {
    SubsetParameters {
        options: options.clone(),
        metric: bench.metric,
        rows: RowParameters::new(layers, bench.rows),
    }
}

/// Two layers over common rows: one gives columns, the other is to be predicted.
struct Ends<'a> {
    layer: (&'a str, usize),
    parts: &'a Matrix,
    target: Option<&'a str>,
    whole: &'a Matrix,
}

impl Ends<'_> {
    fn compare(
        &self,
        options: &SubsetOptions,
        bench: &Bench<'_>,
        warnings: Vec<Warning>,
    ) -> Result<LayerSubsets> {
        let (name, index) = self.layer;
        let mut layer = LayerSubsets {
            layer: name.to_owned(),
            index,
            target: self.target.map(str::to_owned),
            n: self.parts.n_rows(),
            n_columns: self.parts.n_columns(),
            floor: floor(self.parts.n_rows(), options.k),
            subsets: Vec::new(),
            reason: None,
            warnings,
        };
        if layer.n < options.k + 2 {
            layer.reason = Some(Reason::TooFewRows);
        } else if all_rows_equal(self.whole) || all_rows_equal(self.parts) {
            layer.reason = Some(Reason::AllRowsIdentical);
        } else if [self.whole, self.parts]
            .iter()
            .any(|rows| equidistant(rows, false))
        {
            layer.reason = Some(Reason::EquidistantRows);
        } else {
            let mut warnings = Vec::new();
            let target = self.target.unwrap_or(name);
            let ends = [self.parts, self.whole];
            let whole = Whole::new(ends, [name, target], options.k, bench, &mut warnings)?;
            layer.subsets = match &options.rule {
                SubsetRule::Given(subsets) => {
                    check(subsets, layer.n_columns, name)?;
                    whole.compare(subsets, &mut warnings)?
                }
                SubsetRule::Greedy(greedy) => whole.grow(greedy, &mut warnings)?,
            };
            layer.warnings.extend(warnings);
        }
        Ok(layer)
    }
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

/// A whole layer that subsets of columns are compared with.
struct Whole<'a> {
    /// The layer that the columns are of.
    parts: &'a Matrix,
    /// The layer that they are compared with.
    matrix: &'a Matrix,
    /// Their names.
    names: [&'a str; 2],
    k: usize,
    bench: Bench<'a>,
    neighbours: Array2<u32>,
}

impl<'a> Whole<'a> {
    fn new(
        [parts, matrix]: [&'a Matrix; 2],
        names: [&'a str; 2],
        k: usize,
        bench: &Bench<'a>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        // Subsets are many and small; keeping them would crowd the cache.
        let bench = bench.without_cache();
        let table = bench.neighbours(matrix, names[1], k + 1, &mut Vec::new())?;
        let column = |order: usize| table.distances_of_order(order).to_vec();
        let noticed = near_duplicate_warning(&column(1), &column(table.k()));
        warnings.extend(noticed.map(|found| found.of(names[1])));
        Ok(Self {
            parts,
            matrix,
            names,
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
            let part = select_columns(self.parts, columns);
            if all_rows_equal(&part) {
                there.push(Err(Reason::AllRowsIdentical));
                // Its ranks are not used, but every row needs a target that is not itself.
                let mut block = rows.slice_mut(s![.., at * width..(at + 1) * width]);
                block.assign(&self.neighbours);
                continue;
            }
            let table = self
                .bench
                .neighbours(&part, self.names[0], k + 1, warnings)?;
            let mut block = rows.slice_mut(s![.., at * width..(at + 1) * width]);
            block.assign(&table.indices);
            let targets = Targets {
                rows: self.neighbours.view(),
                groups: slice::from_ref(&nearest),
            };
            let counts = self.bench.ranks(&part, self.names[0], &targets, warnings)?;
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
            .ranks(self.matrix, self.names[1], &targets, warnings)?;
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
    fn grow(&self, greedy: &Greedy, warnings: &mut Vec<Warning>) -> Result<Vec<SubsetPair>> {
        let &Greedy {
            columns,
            beam,
            criterion,
        } = greedy;
        let d = self.parts.n_columns();
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
        let both = |there: Imbalance, back: Imbalance| SubsetImbalances {
            full_to_subset: there.value,
            subset_to_full: back.value,
            std_error_full_to_subset: there.std_error,
            std_error_subset_to_full: back.std_error,
        };
        Self {
            columns,
            outcome: there.and_then(|there| Ok(both(there, back?))).into(),
        }
    }

    /// What a greedy search makes small; a subset without neighbours is the worst.
    fn cost(&self, criterion: Criterion) -> f64 {
        match self.outcome.ok() {
            Some(both) if criterion == Criterion::Forward => both.subset_to_full,
            Some(both) => (both.full_to_subset + both.subset_to_full) / 2f64.sqrt(),
            None => f64::INFINITY,
        }
    }
}
