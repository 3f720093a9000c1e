//! One table a layer, then everything that can be read off tables.

use super::options::OverlapOptions;
use super::parts::with_parts;
use super::shape::{
    LabelledPair, OverlapMatrix, OverlapPair, OverlapParameters, OverlapProfile, OverlapValue,
};
use super::subject::{LayerTables, Subject};
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::id::ErrorKind;
use crate::geometry::relation::{chance, chance_std, class_histogram_overlap, neighbour_overlap};
use crate::geometry::stats::{mean, std_dev};
use crate::input::Labels;
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerMatrix, LayerPair, Target, places, reduced};
use crate::profile::finished::LayerSearch;
use crate::profile::parameters::RowParameters;
use crate::profile::resample::{PartitionOrder, partitions};
use crate::warning::{Warning, WarningCode};

/// Overlaps between the layers of `comparison`, and of the layers of its first dump with labels.
///
/// Every layer costs one search for neighbours, whatever the pairs, labels and numbers of
/// neighbours.
///
/// # Errors
/// [`Error::Usage`](crate::Error::Usage) for pairs that do not exist or nothing to compare with; whatever reading a layer
/// or [`Bench`] gives.
pub fn overlap(
    comparison: &Comparison<'_>,
    options: &OverlapOptions,
    bench: &Bench<'_>,
) -> Result<OverlapProfile> {
    let n = comparison.n_rows();
    let mut warnings = Vec::new();
    let Asked {
        k,
        pairs,
        labels,
        exclude,
    } = Asked::new(comparison, options, &mut warnings)?;
    warnings.extend(labels.iter().filter_map(unlabelled));
    let without = |second| without_second(&labels, second);
    warnings.extend(exclude.as_ref().and_then(without));
    let n_blocks = options.blocks.min(n).max(1);
    let run = Subject {
        comparison,
        k: &k,
        class_fraction: options.class_fraction,
        labels: &labels,
        exclude: exclude.as_ref(),
        blocks: partitions(n, n_blocks, PartitionOrder::Random, options.seed).rows,
        per_row: options.per_row,
        bench: *bench,
    };
    let found = run.tables_of(&pairs, None, *bench, &mut warnings)?;
    let held = found.values().map(|table| table.len() * size_of::<u32>());
    let parts = run.in_parts(&pairs, options, held.sum(), &mut warnings)?;

    let mut all = Vec::new();
    for (at, &k) in k.iter().enumerate() {
        for pair in &pairs {
            let one = run.pair(*pair, &found, k);
            all.push(match &parts {
                None => one,
                Some(parts) => with_parts(one, *pair, at, parts),
            });
        }
    }
    let two = comparison.is_between_two();
    let matrices = match &options.target {
        Some(Target::All) if pairs.len() > 1 => {
            k.iter().map(|&k| run.matrix(&all, &found, k)).collect()
        }
        _ => Vec::new(),
    };
    Ok(OverlapProfile {
        parameters: OverlapParameters {
            options: OverlapOptions {
                k: k.clone(),
                ..options.clone()
            },
            metric: bench.metric,
            rows: RowParameters::new(comparison.options(), bench.rows),
        },
        n,
        layers: comparison.left().to_vec(),
        against: two.then(|| comparison.right().to_vec()),
        pairs: all,
        matrices,
        labels: run.labelled(&found),
        warnings,
    })
}

/// How many rows have no label, in words.
fn unlabelled(labels: &Labels) -> Option<Warning> {
    let (missing, n) = (labels.n_missing(), labels.codes.len());
    let message = format!(
        "{missing} of {n} rows have no label {} and were not asked; they stay possible neighbours",
        labels.name
    );
    (missing > 0).then(|| Warning::new(WarningCode::LabelsMissing, missing, message))
}

/// How many labelled rows have no second label, in words.
fn without_second(labels: &[Labels], exclude: &Labels) -> Option<Warning> {
    let mut rows = 0..exclude.codes.len();
    let is_lost = |row: &usize| {
        let labelled = labels.iter().any(|labels| labels.codes[*row].is_some());
        labelled && exclude.codes[*row].is_none()
    };
    let lost = rows.by_ref().filter(is_lost).count();
    let message = format!(
        "{lost} rows have no label {}, so that nobody knows which neighbours to leave out, and were \
         not asked; they stay possible neighbours",
        exclude.name
    );
    (lost > 0).then(|| Warning::new(WarningCode::LabelsMissing, lost, message))
}

/// The searches that [`overlap`] makes of whole layers.
///
/// # Errors
/// As [`overlap`], for the pairs and for reading layers.
pub fn overlap_searches(
    comparison: &Comparison<'_>,
    options: &OverlapOptions,
) -> Result<Vec<LayerSearch>> {
    let Asked {
        k,
        pairs,
        labels,
        exclude,
    } = Asked::new(comparison, options, &mut Vec::new())?;
    let subject = Subject {
        comparison,
        k: &k,
        class_fraction: options.class_fraction,
        labels: &labels,
        exclude: exclude.as_ref(),
        blocks: Vec::new(),
        per_row: false,
        bench: Bench::default(),
    };
    subject.searches(&pairs)
}

/// What is compared.
struct Asked {
    k: Vec<usize>,
    pairs: Vec<LayerPair>,
    labels: Vec<Labels>,
    exclude: Option<Labels>,
}

impl Asked {
    fn new(
        comparison: &Comparison<'_>,
        options: &OverlapOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        let kept = comparison.input_rows();
        Ok(Self {
            k: match options.class_fraction {
                Some(_) => Vec::new(),
                None => reduced(&options.k, comparison.n_rows(), warnings),
            },
            pairs: match &options.target {
                None => Vec::new(),
                Some(target) => comparison.pairs(target)?,
            },
            labels: options.labels.iter().map(|all| all.select(&kept)).collect(),
            exclude: options.exclude.as_ref().map(|all| all.select(&kept)),
        })
    }
}

impl Subject<'_> {
    fn pair(&self, pair: LayerPair, found: &LayerTables, k: usize) -> OverlapPair {
        let n = self.comparison.n_rows();
        let outcome = self.tables_of_pair(pair, found);
        let rows = outcome.map(|(a, b)| neighbour_overlap(a.view(), b.view(), k));
        let expected = (n > 1).then(|| chance(n, k));
        let below_one = expected.filter(|expected| *expected < 1.0);
        let found = rows.as_deref().map_err(|&reason| reason).and_then(|rows| {
            let value = mean(rows).ok_or(Reason::TooFewRows)?;
            Ok(OverlapValue {
                value,
                std_error: self.block_error(rows),
                adjusted: below_one.map(|expected| (value - expected) / (1.0 - expected)),
            })
        });
        let class_histograms = match outcome {
            Err(_) => Vec::new(),
            Ok((a, b)) => self
                .labels
                .iter()
                .map(|labels| LabelledPair {
                    labels: labels.name.clone(),
                    value: class_histogram_overlap(a.view(), b.view(), &labels.codes, k),
                })
                .collect(),
        };
        OverlapPair {
            a: self.comparison.left()[pair.a].place(),
            b: self.comparison.right()[pair.b].place(),
            k,
            n,
            outcome: found.into(),
            error_kind: ErrorKind::Blocks,
            chance: expected,
            chance_std_per_row: expected.and_then(|_| chance_std(n, k)),
            partitions_mean: None,
            class_histograms,
            per_row: rows.ok().filter(|_| self.per_row),
        }
    }

    /// s/√B over the means of B blocks of rows.
    fn block_error(&self, rows: &[f64]) -> Option<f64> {
        let means: Vec<f64> = self
            .blocks
            .iter()
            .filter_map(|block| {
                let values: Vec<f64> = block.iter().map(|&row| rows[row as usize]).collect();
                mean(&values)
            })
            .collect();
        std_dev(&means).map(|std| std / (means.len() as f64).sqrt())
    }

    fn matrix(&self, pairs: &[OverlapPair], found: &LayerTables, k: usize) -> OverlapMatrix {
        let mut overlap = LayerMatrix::between(self.comparison);
        let single = !self.comparison.is_between_two();
        if single {
            for at in (0..overlap.rows.len()).filter(|&at| found.contains_key(&(0, at))) {
                overlap.set(at, at, Some(1.0), Some(0.0));
            }
        }
        for pair in pairs.iter().filter(|pair| pair.k == k) {
            if let Some((a, b)) = places(self.comparison, &pair.a, &pair.b) {
                overlap.set(a, b, pair.value(), pair.std_error());
                if single {
                    overlap.set(b, a, pair.value(), pair.std_error());
                }
            }
        }
        let n = self.comparison.n_rows();
        OverlapMatrix {
            k,
            chance: (n > 1).then(|| chance(n, k)),
            data_overlap: overlap,
        }
    }
}
