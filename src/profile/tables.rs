//! Neighbour tables and ranks of layers: from the cache where they are there, else computed.

use crate::cache::{Cache, fingerprint};
use crate::error::Result;
use crate::input::Matrix;
use crate::neighbours::{
    Metric, NeighbourTable, Points, RankCounts, SearchOptions, Targets, count_ranks,
    neighbour_table,
};
use crate::progress::Progress;
use crate::warning::Warning;

/// How tables are made, and where they are kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// Where finished work is kept and found.
    pub cache: Option<&'a Cache>,
    /// The distance.
    pub metric: Metric,
    /// Knobs of the search.
    pub search: SearchOptions,
}

impl Tables<'_> {
    /// The nearest rows of every row of `matrix`, at least `k` of them where there are so many;
    /// `layer` names it in errors.
    ///
    /// # Errors
    /// As [`Points::new`]; [`Error::Write`](crate::Error::Write) if the cache cannot be written.
    pub fn neighbours(
        &self,
        matrix: &Matrix,
        layer: &str,
        k: usize,
        warnings: &mut Vec<Warning>,
        progress: &dyn Progress,
    ) -> Result<NeighbourTable> {
        let Some(cache) = self.cache else {
            let points = Points::new(matrix, self.metric, layer)?;
            return neighbour_table(&points, k, &self.search, progress);
        };
        warnings.extend(cache.take_warnings());
        let content = fingerprint(matrix);
        if let Some(table) = cache.table(&content, self.metric, k, warnings) {
            return Ok(table);
        }
        let points = Points::new(matrix, self.metric, layer)?;
        let table = neighbour_table(&points, k, &self.search, progress)?;
        cache.keep_table(&content, self.metric, &table)?;
        Ok(table)
    }

    /// The ranks of `targets` among the rows of `matrix`.
    ///
    /// # Errors
    /// As [`Tables::neighbours`].
    pub fn ranks(
        &self,
        matrix: &Matrix,
        layer: &str,
        targets: &Targets<'_>,
        warnings: &mut Vec<Warning>,
        progress: &dyn Progress,
    ) -> Result<RankCounts> {
        let Some(cache) = self.cache else {
            let points = Points::new(matrix, self.metric, layer)?;
            return count_ranks(&points, targets, &self.search, progress);
        };
        warnings.extend(cache.take_warnings());
        let content = fingerprint(matrix);
        if let Some(counts) = cache.ranks(&content, self.metric, targets, warnings) {
            return Ok(counts);
        }
        let points = Points::new(matrix, self.metric, layer)?;
        let counts = count_ranks(&points, targets, &self.search, progress)?;
        cache.keep_ranks(&content, self.metric, targets, &counts)?;
        Ok(counts)
    }
}
