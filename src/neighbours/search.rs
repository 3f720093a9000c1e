//! Entry points: which way of searching fits the layer, and what the caller gets.

use ndarray::Array2;
use rayon::prelude::*;

use super::counting::{RankCounts, Targets};
use super::filter::{Demand, Kernel, pack};
use super::memory::check_whole;
use super::options::{SearchOptions, Strategy};
use super::points::{Points, Verdict};
use super::processor::Processor;
use super::searcher::Searcher;
use super::table::{
    NeighbourTable, OrderDistances, TableRow, assemble, by_distance_then_row, index,
};
use super::{panel, tree};
use crate::error::Result;
use crate::progress::Progress;

/// Up to this many columns the tree beats the sweep at any number of rows
/// (`benches/neighbours.rs`: 0.45 of its time at 4 columns and 20 000 rows, 0.83 at 6).
const TREE_COLUMNS: usize = 4;

/// Up to this many columns it does so for many rows: the sweep grows with N², the tree hardly
/// faster than N (1.44 times the sweep's time at 8 columns and 20 000 rows).
const TREE_COLUMNS_OF_MANY: usize = 8;

/// How many rows are many.
const MANY_ROWS: usize = 100_000;

/// Longest candidate lists that the sweep keeps for order distances.
const LIST_LIMIT: usize = 1024;

/// Below this many rows a direct scan is as fast as anything.
const DIRECT_ROWS: usize = 48;

/// The k nearest neighbours of every row.
///
/// k is reduced to N − 1 if larger. Equal distances are ordered by row index.
/// Work: N²D/2 multiply-adds; memory: about 36·N·k bytes and at most 4·N·D for the packed rows,
/// less under [`SearchOptions::max_memory`].
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory) if that limit is too low.
pub fn neighbour_table(
    points: &Points<'_>,
    k: usize,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<NeighbourTable> {
    let n = points.n_rows();
    let k = k.min(n.saturating_sub(1));
    if k == 0 {
        return Ok(assemble(n, 0, Vec::new()));
    }
    let rows: Vec<TableRow> = match table_strategy(points, k, options.strategy) {
        Strategy::Tree => {
            progress.begin("neighbours", (n / tree::STEP) as u64);
            let rows = tree::nearest(points, k, progress, |row, found| {
                TableRow::new(row, found.into_iter())
            });
            progress.end();
            rows
        }
        Strategy::Direct => direct(points, progress, |row, all| {
            TableRow::new(row, all.into_iter().take(k))
        }),
        _ => searcher(options).nearest(points, k, progress)?,
    };
    Ok(assemble(n, k, rows))
}

/// The distances r_{i,n} of every row i to its n-th neighbour, for the given orders n.
///
/// Orders beyond N − 1 are left out, order 0 does not exist. For large orders nothing of size
/// N × k is stored: memory is that of the packed rows and the result.
///
/// # Errors
/// As [`neighbour_table`].
pub fn order_distances(
    points: &Points<'_>,
    orders: &[usize],
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<OrderDistances> {
    let n = points.n_rows();
    let mut orders: Vec<usize> = orders
        .iter()
        .copied()
        .filter(|&order| order >= 1 && order < n)
        .collect();
    orders.sort_unstable();
    orders.dedup();
    let Some(&k) = orders.last() else {
        return Ok(OrderDistances {
            orders,
            distances: Array2::zeros((0, n)),
        });
    };
    let pick =
        |all: &[f64]| -> Vec<f64> { orders.iter().map(|&order| all[order - 1].sqrt()).collect() };
    let mut rows: Vec<(u32, Vec<f64>)> = match order_strategy(points, k, options.strategy) {
        Strategy::Tree => {
            progress.begin("neighbours", (n / tree::STEP) as u64);
            let rows = tree::nearest(points, k, progress, |row, found| {
                let squared: Vec<f64> = found.iter().map(|&(squared, _)| squared).collect();
                (row, pick(&squared))
            });
            progress.end();
            rows
        }
        Strategy::Direct => direct(points, progress, |row, all| {
            (
                row,
                pick(&all.iter().map(|&(squared, _)| squared).collect::<Vec<_>>()),
            )
        }),
        Strategy::Panel => {
            // Far from the nearest rows a coarse score leaves hundreds of pairs undecided for each
            // order: only who asks for it gets it.
            let kernel = match options.kernel {
                Kernel::Auto => Kernel::best_precise(),
                asked => asked,
            };
            let middle = Demand::Nearest(orders[orders.len() / 2]);
            check_whole(points, &panel::needs(orders.len()), options)?;
            let operand = pack(points, (0..index(n)).collect(), kernel, &middle, None);
            progress.begin("neighbours", panel::steps(n));
            let by_row = panel::order_distances(points, &operand, &orders, progress);
            progress.end();
            let distances = by_row.t().as_standard_layout().into_owned();
            return Ok(OrderDistances { orders, distances });
        }
        Strategy::Auto | Strategy::Sweep => {
            searcher(options).at_orders(points, &orders, progress)?
        }
    };
    rows.sort_unstable_by_key(|&(row, _)| row);
    let distances = Array2::from_shape_fn((orders.len(), n), |(at, row)| rows[row].1[at]);
    Ok(OrderDistances { orders, distances })
}

/// The `k` nearest rows of `points` to each row of `queries`: as many rows as queries.
///
/// No row is left out as being the query itself. k is reduced to N if larger; equal distances are
/// ordered by row index. The same kernels and verdicts as [`neighbour_table`]
/// without its symmetry: M·N·D multiply-adds for M queries.
///
/// # Errors
/// As [`neighbour_table`].
///
/// # Panics
/// If the queries have another number of columns, or were checked for another metric.
pub fn cross_table(
    points: &Points<'_>,
    queries: &Points<'_>,
    k: usize,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<NeighbourTable> {
    let (k, m) = (k.min(points.n_rows()), queries.n_rows());
    if k == 0 || m == 0 {
        return Ok(assemble(m, 0, Vec::new()));
    }
    let rows = searcher(options).nearest_to(points, queries, k, progress)?;
    Ok(assemble(m, k, rows))
}

/// Counts the exact rank of every target.
///
/// Equal distances are ordered by row index. Work: N²D/2 multiply-adds however many targets there
/// are, and a few operations a pair that stands before one; memory: about 26·N·T bytes, 8·N a
/// group and at most 4·N·D for the packed rows, less under [`SearchOptions::max_memory`].
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory) if that limit is too low.
///
/// # Panics
/// If `targets.rows` has not one row for each of `points`, or a target is the row itself or
/// beyond the last.
pub fn count_ranks(
    points: &Points<'_>,
    targets: &Targets<'_>,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<RankCounts> {
    let n = targets.rows.nrows();
    assert_eq!(n, points.n_rows(), "every row names its targets");
    searcher(options).ranks(points, targets, progress)
}

/// Who answers under these options.
fn searcher(options: &SearchOptions) -> Box<dyn Searcher> {
    #[cfg(feature = "cuda")]
    if options.device != super::device::Device::Cpu {
        return Box::new(super::device::OnDevice::new(*options));
    }
    Box::new(Processor::new(*options))
}

/// Which way [`Strategy::Auto`] goes for a table, as `benches/neighbours.rs` measures it.
fn table_strategy(points: &Points<'_>, k: usize, asked: Strategy) -> Strategy {
    match asked {
        _ if points.n_columns() == 0 => Strategy::Direct,
        Strategy::Auto if points.n_rows() <= DIRECT_ROWS => Strategy::Direct,
        Strategy::Auto if suits_tree(points, k) => Strategy::Tree,
        Strategy::Auto | Strategy::Panel => Strategy::Sweep,
        forced => forced,
    }
}

/// The same for order distances, where lists of k candidates can be avoided.
fn order_strategy(points: &Points<'_>, k: usize, asked: Strategy) -> Strategy {
    match asked {
        _ if points.n_columns() == 0 => Strategy::Direct,
        Strategy::Auto if points.n_rows() <= DIRECT_ROWS => Strategy::Direct,
        Strategy::Auto if suits_tree(points, k) => Strategy::Tree,
        Strategy::Auto if k > LIST_LIMIT || 16 * k > points.n_rows() => Strategy::Panel,
        Strategy::Auto => Strategy::Sweep,
        forced => forced,
    }
}

fn suits_tree(points: &Points<'_>, k: usize) -> bool {
    let n = points.n_rows();
    let limit = if n < MANY_ROWS {
        TREE_COLUMNS
    } else {
        TREE_COLUMNS_OF_MANY
    };
    points.n_columns() <= limit && 16 * k < n
}

/// Every row with all others sorted by exact distance: the definition, in O(N² (D + log N)).
fn direct<R: Send>(
    points: &Points<'_>,
    progress: &dyn Progress,
    finish: impl Fn(u32, Vec<(f64, u32)>) -> R + Sync,
) -> Vec<R> {
    let n = index(points.n_rows());
    progress.begin("neighbours", u64::from(n));
    let rows = (0..n)
        .into_par_iter()
        .map_init(
            || Verdict::new(points),
            |verdict, row| {
                verdict.stand_at(row as usize);
                let others = (0..n).filter(|&other| other != row).collect();
                let mut all = verdict.judge(others);
                all.sort_unstable_by(by_distance_then_row);
                progress.advance(1);
                finish(row, all)
            },
        )
        .collect();
    progress.end();
    rows
}
