//! Repeats imbalances in disjoint parts of the rows.

use super::directed::{Arrow, Directed, Search};
use super::options::ImbalanceOptions;
use super::shape::Parts;
use crate::error::{Error, Result};
use crate::geometry::relation::floor;
use crate::geometry::stats::{mean, std_dev};
use crate::profile::resample::{Partitioning, partitions};
use crate::warning::Warning;

/// Δ along every arrow in every part.
pub(super) struct InParts {
    /// Rows of the smallest part.
    n: usize,
    found: Vec<Directed>,
}

/// Computes everything again in disjoint parts, if they are asked for.
pub(super) fn in_parts(
    search: &Search<'_>,
    options: &ImbalanceOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Option<InParts>> {
    let Some(Partitioning {
        partitions: count,
        partition_order,
    }) = options.partitioning
    else {
        return Ok(None);
    };
    let n = search.comparison.n_rows();
    if count > n {
        return Err(Error::Usage(format!(
            "--partitions {count} needs as many rows, there are {n}"
        )));
    }
    let parts = partitions(n, count, partition_order, options.seed);
    let found = parts
        .rows
        .iter()
        .map(|rows| {
            let part = Search {
                rows: Some(rows),
                permutations: &[],
                // Parts are cheap and would crowd the cache.
                bench: search.bench.without_cache(),
                ..*search
            };
            part.run(warnings)
        })
        .collect::<Result<_>>()?;
    Ok(Some(InParts {
        n: parts.rows.iter().map(Vec::len).min().unwrap_or(0),
        found,
    }))
}

impl InParts {
    /// Means and spreads of one pair over the parts.
    pub(super) fn summary(&self, (a, b): Arrow, at: usize, k: usize) -> Parts {
        // A part in which Δ does not exist leaves no mean over parts.
        let values = |arrow: Arrow| -> Vec<f64> {
            let found = self.found.iter();
            let values = found.map(|part| part.found.get(&arrow)?[at].ok().map(|one| one.value));
            values.collect::<Option<Vec<f64>>>().unwrap_or_default()
        };
        let (forward, backward) = (values((a, b)), values((b, a)));
        let error = |values: &[f64]| std_dev(values).map(|std| std / (values.len() as f64).sqrt());
        Parts {
            n: self.n,
            floor: floor(self.n, k),
            forward: mean(&forward),
            backward: mean(&backward),
            std_forward: std_dev(&forward),
            std_backward: std_dev(&backward),
            std_error_forward: error(&forward),
            std_error_backward: error(&backward),
        }
    }
}
