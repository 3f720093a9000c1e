//! Overlaps again in disjoint parts of the rows.

use std::collections::BTreeMap;

use super::options::OverlapOptions;
use super::shape::{OverlapPair, OverlapValue};
use super::subject::Subject;
use crate::error::{Error, Result};
use crate::geometry::Known;
use crate::geometry::id::ErrorKind;
use crate::geometry::relation::neighbour_overlap;
use crate::geometry::stats::{mean, std_dev};
use crate::profile::compare::LayerPair;
use crate::profile::resample::{PartitionOrder, partitions};
use crate::warning::Warning;

/// χ of each pair of layers in one part, an entry for each k.
pub(super) type PartOverlaps = BTreeMap<(usize, usize), Vec<Option<f64>>>;

impl Subject<'_> {
    /// χ of every pair at every k, in every part; `held` are the bytes of the tables of all rows.
    pub(super) fn in_parts(
        &self,
        pairs: &[LayerPair],
        options: &OverlapOptions,
        held: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Vec<PartOverlaps>>> {
        let Some(count) = options.partitions else {
            return Ok(None);
        };
        let n = self.comparison.n_rows();
        if count > n {
            return Err(Error::Usage(format!(
                "--partitions {count} needs as many rows, there are {n}"
            )));
        }
        let bench = self.bench.without_cache().beside(held);
        partitions(n, count, PartitionOrder::Random, options.seed)
            .rows
            .iter()
            .map(|rows| {
                let found = self.tables_of(pairs, Some(rows), bench, warnings)?;
                let of = |pair: &LayerPair| -> Vec<Option<f64>> {
                    let tables = self.tables_of_pair(*pair, &found).ok();
                    self.k
                        .iter()
                        .map(|&k| {
                            let (a, b) = tables.filter(|(a, _)| a.ncols() >= k)?;
                            mean(&neighbour_overlap(a.view(), b.view(), k))
                        })
                        .collect()
                };
                Ok(pairs
                    .iter()
                    .map(|pair| ((pair.a, pair.b), of(pair)))
                    .collect())
            })
            .collect::<Result<_>>()
            .map(Some)
    }
}

/// Replaces the error over blocks by the one over parts.
pub(super) fn with_parts(
    pair: OverlapPair,
    key: LayerPair,
    at: usize,
    parts: &[PartOverlaps],
) -> OverlapPair {
    let values = parts
        .iter()
        .map(|part| *part.get(&(key.a, key.b))?.get(at)?);
    // A part in which the overlap does not exist leaves no mean over parts.
    let values: Vec<f64> = values.collect::<Option<_>>().unwrap_or_default();
    let std_error = std_dev(&values).map(|std| std / (values.len() as f64).sqrt());
    let outcome = pair.outcome.0;
    OverlapPair {
        partitions_mean: mean(&values),
        outcome: Known(outcome.map(|found| OverlapValue { std_error, ..found })),
        error_kind: ErrorKind::Partitions,
        ..pair
    }
}
