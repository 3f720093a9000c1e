//! The searcher that every machine has: the processor, with the symmetric sweep.

use std::ops::Range;

use super::candidates::Candidates;
use super::counting::{self, RankCounts, Targets};
use super::cross;
use super::filter::{Demand, Operand, pack};
use super::memory::{Needs, tile_height};
use super::options::SearchOptions;
use super::points::Points;
use super::ranks::{nearest, order_statistics};
use super::searcher::Searcher;
use super::sweep::{self, Tile};
use super::table::{TableRow, by_distance_then_row};
use super::visiting::{Asking, asking_first};
use crate::error::Result;
use crate::progress::Progress;

/// The processor under some options.
pub(super) struct Processor {
    options: SearchOptions,
}

impl Processor {
    pub(super) fn new(options: SearchOptions) -> Self {
        Self { options }
    }

    /// The packed rows for lists of `k` candidates, and how they are visited; `kept` bytes of results
    /// for each of `rows`.
    fn pack<'a>(
        &self,
        points: &'a Points<'a>,
        rows: &Range<usize>,
        k: usize,
        kept: u64,
    ) -> Result<(Operand<'a>, Asking)> {
        let n = points.n_rows();
        let needs = Needs {
            asking: rows.len(),
            every: 0,
            row: kept + Candidates::bytes(k),
            thread: 0,
        };
        let height = tile_height(points, &needs, &self.options)?;
        let (order, demand) = (asking_first(n, rows), Demand::Nearest(k));
        let operand = pack(points, order, self.options.kernel, &demand, height);
        let asking = Asking::new(n, rows.len(), height, self.options.tile);
        Ok((operand, asking))
    }
}

/// The k nearest rows of each position of the tiles, with verdicts.
pub(super) fn table_rows(
    points: &Points<'_>,
    operand: &Operand,
    k: usize,
    tiles: Vec<Tile>,
) -> Vec<TableRow> {
    sweep::finish_all(points, operand, tiles, |p, list, verdict| {
        let mut judged = nearest(operand, p, k, list, verdict);
        judged.sort_unstable_by(by_distance_then_row);
        TableRow::new(operand.order()[p], judged.into_iter().take(k))
    })
}

impl Searcher for Processor {
    fn nearest(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>> {
        let (operand, asking) = self.pack(points, rows, k, 24 * k as u64)?;
        progress.begin("neighbours", sweep::steps(points.n_rows(), &asking));
        let tiles = sweep::visit_all(points, &operand, k, &asking, progress);
        let rows = table_rows(points, &operand, k, tiles);
        progress.end();
        Ok(rows)
    }

    fn nearest_to(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>> {
        cross::nearest_to(points, queries, k, &self.options, progress)
    }

    fn at_orders(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        orders: &[usize],
        progress: &dyn Progress,
    ) -> Result<Vec<(u32, Vec<f64>)>> {
        let k = orders.last().copied().unwrap_or(0);
        let (operand, asking) = self.pack(points, rows, k, 16 * orders.len() as u64)?;
        progress.begin("neighbours", sweep::steps(points.n_rows(), &asking));
        let rows = sweep::sweep(
            points,
            &operand,
            k,
            &asking,
            progress,
            |p, mut list, verdict| {
                let squared = order_statistics(&operand, p, &mut list, 0, orders, verdict);
                let distances = squared.into_iter().map(f64::sqrt).collect();
                (operand.order()[p], distances)
            },
        );
        progress.end();
        Ok(rows)
    }

    fn ranks(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        targets: &Targets<'_>,
        progress: &dyn Progress,
    ) -> Result<RankCounts> {
        counting::count(points, rows, targets, &self.options, progress)
    }
}
