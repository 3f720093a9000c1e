//! Does every search that an analysis needs: from the cache where the answer is there, else afresh.
//!
//! It is the one door of this folder to neighbours. An analysis says which rows and how many
//! neighbours; who finds them, and where they are kept, it does not learn.

use ndarray::ArrayView2;

use super::finished::{Finished, Sought};
use super::named::Named;
use crate::cache::{Cache, check_content, fingerprint};
use crate::error::Result;
use crate::input::Matrix;
use crate::neighbours::{
    Metric, NeighbourTable, OrderDistances, Points, RankCounts, SearchOptions, Targets,
    count_ranks, cross_table, neighbour_table, order_distances, pairs_within,
};
use crate::progress::{Progress, Silent};
use crate::warning::Warning;

/// What every analysis shares: the distance, how neighbours are sought, where they are kept, and
/// who is told.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// Where finished work is kept and found.
    pub cache: Option<&'a Cache>,
    /// Searches of whole layers that were done elsewhere, all of them; none is repeated then.
    pub finished: Option<&'a dyn Finished>,
    /// The distance.
    pub metric: Metric,
    /// Knobs of the search.
    pub search: SearchOptions,
    /// Who is told how far the work is.
    pub progress: &'a dyn Progress,
    /// How rows were chosen, in words of the flags, for the report.
    pub rows: &'a [String],
}

impl Default for Bench<'_> {
    fn default() -> Self {
        Self {
            cache: None,
            finished: None,
            metric: Metric::default(),
            search: SearchOptions::default(),
            progress: &Silent,
            rows: &[],
        }
    }
}

impl Bench<'_> {
    /// The same without a cache or anything finished, for rows that nobody asks for twice.
    #[must_use]
    pub fn without_cache(self) -> Self {
        Self {
            cache: None,
            finished: None,
            ..self
        }
    }

    /// The same bench while `bytes` more are held beside its searches.
    #[must_use]
    pub fn beside(mut self, bytes: usize) -> Self {
        self.search.beside += bytes as u64;
        self
    }

    /// The rows of `matrix` under the metric; `layer` names it in errors.
    ///
    /// # Errors
    /// As [`Points::new`].
    pub fn points<'m>(&self, matrix: &'m Matrix, layer: &str) -> Result<Points<'m>> {
        Points::new(matrix, self.metric, layer)
    }

    /// The nearest rows of every row of `matrix`, at least `k` of them where the layer has that many;
    /// `layer` names it in errors and to who is told.
    ///
    /// # Errors
    /// As [`Points::new`]; [`Error::Changed`](crate::Error::Changed) if there is a cache and the values
    /// are not what they were when the search began, in which case nothing is kept.
    pub fn neighbours(
        &self,
        matrix: &Matrix,
        layer: &str,
        k: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<NeighbourTable> {
        if let (Some(finished), Some(Sought::Table(k))) =
            (self.finished, Sought::table(k, matrix.n_rows()))
        {
            return finished.table(&fingerprint(matrix), layer, self.metric, k);
        }
        self.cached(
            matrix,
            layer,
            warnings,
            |cache, content, warnings| cache.table(content, self.metric, k, warnings),
            || {
                neighbour_table(
                    &self.points(matrix, layer)?,
                    k,
                    &self.search_of(matrix),
                    &self.told(layer),
                )
            },
            |cache, content, table| cache.keep_table(content, self.metric, table),
        )
    }

    /// The ranks of `targets` among the rows of `matrix`.
    ///
    /// # Errors
    /// As [`Bench::neighbours`].
    pub fn ranks(
        &self,
        matrix: &Matrix,
        layer: &str,
        targets: &Targets<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<RankCounts> {
        if let Some(finished) = self.finished {
            return finished.ranks(&fingerprint(matrix), layer, self.metric, targets);
        }
        self.cached(
            matrix,
            layer,
            warnings,
            |cache, content, warnings| cache.ranks(content, self.metric, targets, warnings),
            || {
                count_ranks(
                    &self.points(matrix, layer)?,
                    targets,
                    &self.search_of(matrix),
                    &self.told(layer),
                )
            },
            |cache, content, counts| cache.keep_ranks(content, self.metric, targets, counts),
        )
    }

    /// The distances of every row to its neighbours of these orders.
    ///
    /// # Errors
    /// As [`order_distances`].
    pub fn order_distances(
        &self,
        points: &Points<'_>,
        layer: &str,
        orders: &[usize],
    ) -> Result<OrderDistances> {
        if let (Some(finished), Some(Sought::Orders(orders))) =
            (self.finished, Sought::orders(orders, points.n_rows()))
        {
            return finished.orders(&fingerprint(points.matrix()), layer, self.metric, &orders);
        }
        let search = self.search_of(points.matrix());
        order_distances(points, orders, &search, &self.told(layer))
    }

    /// How a layer is searched, beside its values where they could not stay in their file.
    fn search_of(&self, matrix: &Matrix) -> SearchOptions {
        let mut search = self.search;
        search.beside += matrix.decoded_bytes();
        search
    }

    /// How many pairs of rows lie within each of `radii`, given the table of their near neighbours.
    pub fn pairs_within(
        &self,
        points: &Points<'_>,
        near: ArrayView2<'_, f64>,
        radii: [f64; 2],
    ) -> [u64; 2] {
        pairs_within(points, near, radii, &self.search)
    }

    /// The rows of `points` that are nearest to each of `queries`.
    ///
    /// # Errors
    /// As [`cross_table`].
    pub fn nearest_to(
        &self,
        queries: &Points<'_>,
        points: &Points<'_>,
        layer: &str,
        k: usize,
    ) -> Result<NeighbourTable> {
        cross_table(points, queries, k, &self.search, &self.told(layer))
    }

    fn told<'n>(&'n self, layer: &'n str) -> Named<'n> {
        Named {
            layer,
            progress: self.progress,
        }
    }

    /// What the cache holds of `matrix`, or what is found and then kept there.
    fn cached<T>(
        &self,
        matrix: &Matrix,
        layer: &str,
        warnings: &mut Vec<Warning>,
        seek: impl FnOnce(&Cache, &str, &mut Vec<Warning>) -> Option<T>,
        find: impl FnOnce() -> Result<T>,
        keep: impl FnOnce(&Cache, &str, &T),
    ) -> Result<T> {
        let Some(cache) = self.cache else {
            return find();
        };
        warnings.extend(cache.take_warnings());
        let content = fingerprint(matrix);
        if let Some(known) = seek(cache, &content, warnings) {
            return Ok(known);
        }
        let found = find()?;
        check_content(matrix, &content, layer)?;
        keep(cache, &content, &found);
        warnings.extend(cache.take_warnings());
        Ok(found)
    }
}
