//! Entry points: which way of searching fits the layer, and what the caller gets.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::candidates::{Candidate, Candidates};
use super::filter::{Demand, Kernel, Operand, pack};
use super::memory::{Needs, check_whole, tile_height};
use super::points::{Points, Verdict};
use super::ranks::order_statistics;
use super::table::{NeighbourTable, OrderDistances, TableRow};
use super::{panel, sweep, tree};
use crate::error::Result;
use crate::progress::Progress;

/// How neighbours are sought. Every way gives the same bytes; they differ in speed only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The fastest for the layer's shape, as measured.
    #[default]
    Auto,
    /// Symmetric tiles of scores and short candidate lists.
    Sweep,
    /// Panels of whole score rows; for [`order_distances`] only, tables use the sweep.
    Panel,
    /// A k-d tree.
    Tree,
    /// Every distance as an exact f64 sum: the slow twin that the others are tested against.
    Direct,
}

/// Knobs of a search, none of which changes its result.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchOptions {
    /// Which way to search.
    pub strategy: Strategy,
    /// Rows per tile of the sweep; chosen by size if `None`.
    pub tile: Option<usize>,
    /// What multiplies rows for the filter.
    pub kernel: Kernel,
    /// Bytes that a search may hold beside the mapped input; no limit if `None`.
    pub max_memory: Option<u64>,
}

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
        return Ok(assemble(n, 0, std::iter::empty()));
    }
    let rows: Vec<TableRow> = match table_strategy(points, k, options.strategy) {
        Strategy::Tree => {
            progress.begin("neighbours", (n / tree::STEP) as u64);
            tree::nearest(points, k, progress, |row, found| {
                TableRow::new(row, found.into_iter())
            })
        }
        Strategy::Direct => direct(points, progress, |row, all| {
            TableRow::new(row, all.into_iter().take(k))
        }),
        _ => {
            let needs = Needs {
                row: 24 * k as u64 + Candidates::bytes(k),
                thread: 0,
            };
            let height = tile_height(points, &needs, options)?;
            let (order, demand) = (visiting_order(n), Demand::Nearest(k));
            let operand = pack(points, order, options.kernel, &demand, height);
            let tile = height.unwrap_or_else(|| tile_size(n, options.tile));
            progress.begin("neighbours", sweep::steps(n, tile));
            sweep::sweep(points, &operand, k, tile, progress, |p, list, verdict| {
                let mut judged = nearest(&operand, p, k, list, verdict);
                judged.sort_unstable_by(by_distance_then_row);
                TableRow::new(operand.order()[p], judged.into_iter().take(k))
            })
        }
    };
    progress.end();
    Ok(assemble(n, k, rows.into_iter()))
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
            tree::nearest(points, k, progress, |row, found| {
                let squared: Vec<f64> = found.iter().map(|&(squared, _)| squared).collect();
                (row, pick(&squared))
            })
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
            let needs = Needs {
                row: 16 * orders.len() as u64 + Candidates::bytes(k),
                thread: 0,
            };
            let height = tile_height(points, &needs, options)?;
            let (order, demand) = (visiting_order(n), Demand::Nearest(k));
            let operand = pack(points, order, options.kernel, &demand, height);
            let tile = height.unwrap_or_else(|| tile_size(n, options.tile));
            progress.begin("neighbours", sweep::steps(n, tile));
            sweep::sweep(
                points,
                &operand,
                k,
                tile,
                progress,
                |p, mut list, verdict| {
                    let squared = order_statistics(&operand, p, &mut list, 0, &orders, verdict);
                    (
                        operand.order()[p],
                        squared.into_iter().map(f64::sqrt).collect(),
                    )
                },
            )
        }
    };
    progress.end();
    rows.sort_unstable_by_key(|&(row, _)| row);
    let distances = Array2::from_shape_fn((orders.len(), n), |(at, row)| rows[row].1[at]);
    Ok(OrderDistances { orders, distances })
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

/// The order in which the sweep visits rows: a fixed stride through all of them, so that the
/// first tile, and every other, is a sample of the whole layer whatever the rows' order.
pub(super) fn visiting_order(n: usize) -> Vec<u32> {
    let n = u64::from(index(n));
    // Near the golden section consecutive rows stay far apart at every length.
    let golden = n * 618 / 1000;
    let stride = (golden.max(1)..)
        .find(|&s| greatest_common_divisor(s, n) == 1)
        .unwrap_or(1);
    (0..n)
        .map(|p| index(usize::try_from(p * stride % n).unwrap_or(0)))
        .collect()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Rows per tile: large enough for the matrix product, small enough for the second-level cache
/// and for every thread to have work.
pub(super) fn tile_size(n: usize, asked: Option<usize>) -> usize {
    let shared = n
        .div_ceil(4 * rayon::current_num_threads())
        .next_multiple_of(32);
    asked
        .unwrap_or_else(|| shared.clamp(64, 512))
        .clamp(1, n.max(1))
}

/// Row numbers are stored as u32: 2^32 rows would be 137 GB of neighbours at k = 2.
pub(super) fn index(row: usize) -> u32 {
    u32::try_from(row).expect("layers have fewer than 2^32 rows")
}

/// Exact D² and rows of what may be among the k nearest of the row at position `p`.
///
/// The k lowest scores get their verdicts first; the largest of those bounds the k-th D² more
/// tightly than any score can, and few other candidates stay below it.
pub(super) fn nearest(
    operand: &Operand,
    p: usize,
    k: usize,
    mut list: Vec<Candidate>,
    verdict: &mut Verdict<'_>,
) -> Vec<(f64, u32)> {
    let row_of = |candidate: &Candidate| operand.order()[candidate.position as usize];
    if list.len() > k {
        list.select_nth_unstable_by(k - 1, |a, b| a.score.total_cmp(&b.score));
    }
    let (first, others) = list.split_at(k.min(list.len()));
    verdict.stand_at(operand.row(p));
    let mut judged = verdict.judge(first.iter().map(row_of).collect());
    let farthest = judged
        .iter()
        .map(|&(squared, _)| squared)
        .fold(0.0, f64::max);
    let farthest = farthest * operand.scale() * operand.scale();
    let others = others.iter().filter(|candidate| {
        let q = candidate.position as usize;
        operand.lower(p, q, f64::from(candidate.score)) <= farthest
    });
    judged.extend(verdict.judge(others.map(row_of).collect()));
    judged
}

pub(super) fn by_distance_then_row(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Every row with all others sorted by exact distance: the definition, in O(N² (D + log N)).
fn direct<R: Send>(
    points: &Points<'_>,
    progress: &dyn Progress,
    finish: impl Fn(u32, Vec<(f64, u32)>) -> R + Sync,
) -> Vec<R> {
    let n = index(points.n_rows());
    progress.begin("neighbours", u64::from(n));
    (0..n)
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
        .collect()
}

/// A table from its rows in any order.
pub(super) fn assemble(n: usize, k: usize, rows: impl Iterator<Item = TableRow>) -> NeighbourTable {
    let mut table = NeighbourTable {
        indices: Array2::zeros((n, k)),
        distances: Array2::zeros((n, k)),
    };
    for TableRow {
        row,
        indices,
        distances,
    } in rows
    {
        let row = row as usize;
        table
            .indices
            .row_mut(row)
            .assign(&ArrayView1::from(&indices));
        table
            .distances
            .row_mut(row)
            .assign(&ArrayView1::from(&distances));
    }
    table
}
