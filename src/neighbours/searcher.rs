//! The door to whoever does the O(N²D) work: what may be asked of it, whoever answers.
//!
//! A searcher is given rows and returns finished verdicts. How it filters, where its memory lies
//! and how many it is are its own affair, so a device or a shard is another searcher, and no
//! analysis notices.

use std::ops::Range;

use super::counting::{RankCounts, Targets};
use super::points::Points;
use super::table::TableRow;
use crate::error::Result;
use crate::progress::Progress;

/// Somebody who finds neighbours and ranks. All give the same bytes.
pub(super) trait Searcher {
    /// The `k` nearest rows of each of `rows`, for 1 ≤ k < N; rows in any order.
    fn nearest(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>>;

    /// The `k` nearest rows of `points` to each of `queries`, for 1 ≤ k ≤ N; queries in any order.
    fn nearest_to(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>>;

    /// Of each of `rows` its number and its distances to the `orders`-th nearest, ascending orders
    /// below N; rows in any order.
    fn at_orders(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        orders: &[usize],
        progress: &dyn Progress,
    ) -> Result<Vec<(u32, Vec<f64>)>>;

    /// The ranks of all targets, which are those of `rows`.
    fn ranks(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        targets: &Targets<'_>,
        progress: &dyn Progress,
    ) -> Result<RankCounts>;
}
