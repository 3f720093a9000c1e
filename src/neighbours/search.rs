//! Entry points: which way of searching fits the layer, and what the caller gets.

use std::ops::Range;

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
    table_of_rows(points, 0..points.n_rows(), k, options, progress)
}

/// The rows `rows` of what [`neighbour_table`] finds: the same bytes, for 2·M·N·D − M²D operations
/// where M rows are asked for.
///
/// # Errors
/// As [`neighbour_table`].
///
/// # Panics
/// If there are no such rows.
pub fn table_of_rows(
    points: &Points<'_>,
    rows: Range<usize>,
    k: usize,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<NeighbourTable> {
    let n = points.n_rows();
    assert!(rows.start <= rows.end && rows.end <= n, "rows of the layer");
    let (asked, k) = (rows.len(), k.min(n.saturating_sub(1)));
    if k == 0 || asked == 0 {
        return Ok(assemble(asked, if asked == 0 { k } else { 0 }, Vec::new()));
    }
    let rows: Vec<TableRow> = match table_strategy(points, k, options.strategy) {
        Strategy::Tree => {
            progress.begin("neighbours", (asked / tree::STEP) as u64);
            let rows = tree::nearest(points, &rows, k, progress, |row, found| {
                TableRow::new(row, found.into_iter())
            });
            progress.end();
            rows
        }
        Strategy::Direct => direct(points, &rows, progress, |row, all| {
            TableRow::new(row, all.into_iter().take(k))
        }),
        _ => searcher(options).nearest(points, &rows, k, progress)?,
    };
    Ok(assemble(asked, k, rows))
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
    order_distances_of_rows(points, 0..points.n_rows(), orders, options, progress)
}

/// The rows `rows` of what [`order_distances`] finds, in the same bytes.
///
/// # Errors
/// As [`neighbour_table`].
///
/// # Panics
/// If there are no such rows.
pub fn order_distances_of_rows(
    points: &Points<'_>,
    rows: Range<usize>,
    orders: &[usize],
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<OrderDistances> {
    let n = points.n_rows();
    assert!(rows.start <= rows.end && rows.end <= n, "rows of the layer");
    let asked = rows.len();
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
            distances: Array2::zeros((0, asked)),
        });
    };
    if asked == 0 {
        let distances = Array2::zeros((orders.len(), 0));
        return Ok(OrderDistances { orders, distances });
    }
    let pick =
        |all: &[f64]| -> Vec<f64> { orders.iter().map(|&order| all[order - 1].sqrt()).collect() };
    let mut rows: Vec<(u32, Vec<f64>)> = match order_strategy(points, k, options.strategy) {
        Strategy::Tree => {
            progress.begin("neighbours", (asked / tree::STEP) as u64);
            let rows = tree::nearest(points, &rows, k, progress, |row, found| {
                let squared: Vec<f64> = found.iter().map(|&(squared, _)| squared).collect();
                (row, pick(&squared))
            });
            progress.end();
            rows
        }
        Strategy::Direct => direct(points, &rows, progress, |row, all| {
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
            check_whole(points, &panel::needs(asked, orders.len()), options)?;
            let others = (0..rows.start).chain(rows.end..n);
            let order = rows.clone().chain(others).map(index).collect();
            let operand = pack(points, order, kernel, &middle, None);
            progress.begin("neighbours", panel::steps(n, asked));
            let by_row = panel::order_distances(points, &operand, asked, &orders, progress);
            progress.end();
            let distances = by_row.t().as_standard_layout().into_owned();
            return Ok(OrderDistances { orders, distances });
        }
        Strategy::Auto | Strategy::Sweep => {
            searcher(options).at_orders(points, &rows, &orders, progress)?
        }
    };
    rows.sort_unstable_by_key(|&(row, _)| row);
    let distances = Array2::from_shape_fn((orders.len(), asked), |(at, row)| rows[row].1[at]);
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
    count_ranks_of_rows(points, 0..points.n_rows(), targets, options, progress)
}

/// The same where only `rows` have targets, row i of `targets` being that of the i-th of them.
///
/// [`RankCounts::ranks`] has a row for each of `rows`, [`RankCounts::nearer`] one for every row of
/// the layer; the sums of several parts are added.
///
/// # Errors
/// As [`count_ranks`].
///
/// # Panics
/// If `targets.rows` has not one row for each of `rows`, there are no such rows, or a target is the
/// row itself or beyond the last.
pub fn count_ranks_of_rows(
    points: &Points<'_>,
    rows: Range<usize>,
    targets: &Targets<'_>,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<RankCounts> {
    assert!(rows.end <= points.n_rows(), "rows of the layer");
    let named = targets.rows.nrows();
    assert_eq!(named, rows.len(), "every row names its targets");
    if rows.is_empty() {
        return Ok(RankCounts {
            ranks: Array2::zeros(targets.rows.dim()),
            nearer: Array2::zeros((points.n_rows(), targets.groups.len())),
        });
    }
    searcher(options).ranks(points, &rows, targets, progress)
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

/// Each of `rows` with all others sorted by exact distance: the definition, in O(N² (D + log N)).
fn direct<R: Send>(
    points: &Points<'_>,
    rows: &Range<usize>,
    progress: &dyn Progress,
    finish: impl Fn(u32, Vec<(f64, u32)>) -> R + Sync,
) -> Vec<R> {
    let n = index(points.n_rows());
    progress.begin("neighbours", rows.len() as u64);
    let rows = (index(rows.start)..index(rows.end))
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

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::Metric;
    use crate::neighbours::tests::{adversarial, gaussian, kernels};
    use crate::progress::Silent;

    /// Uneven cuts of `n` rows, one with an empty part.
    fn cuts(n: usize) -> Vec<Vec<Range<usize>>> {
        let at = |places: &[usize]| -> Vec<Range<usize>> {
            let ends = places.iter().copied().chain([n]);
            let starts = std::iter::once(0).chain(places.iter().copied());
            starts.zip(ends).map(|(start, end)| start..end).collect()
        };
        vec![at(&[]), at(&[n / 3]), at(&[1, 1, n / 2, n - 2])]
    }

    fn options() -> Vec<SearchOptions> {
        let of = |strategy, kernel, tile| SearchOptions {
            strategy,
            kernel,
            tile,
            ..SearchOptions::default()
        };
        let strategies = [Strategy::Tree, Strategy::Panel, Strategy::Direct];
        let swept = kernels()
            .into_iter()
            .flat_map(|kernel| [None, Some(7)].map(|tile| of(Strategy::Sweep, kernel, tile)));
        let other = strategies.map(|strategy| of(strategy, SearchOptions::default().kernel, None));
        swept.chain(other).collect()
    }

    #[test]
    fn parts_of_a_table_and_of_orders_are_those_of_the_whole() {
        for (name, matrix) in adversarial() {
            let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
            let n = points.n_rows();
            let orders = [1, 2, 5, n / 2];
            let whole = neighbour_table(&points, 6, &SearchOptions::default(), &Silent).unwrap();
            let all =
                order_distances(&points, &orders, &SearchOptions::default(), &Silent).unwrap();
            for options in options() {
                if matrix.n_columns() > 8 && options.strategy == Strategy::Tree {
                    continue;
                }
                for rows in cuts(n).concat() {
                    let table = table_of_rows(&points, rows.clone(), 6, &options, &Silent).unwrap();
                    let expected = whole.indices.slice(s![rows.clone(), ..]);
                    assert_eq!(table.indices, expected, "{name} {rows:?} {options:?}");
                    let expected = whole.distances.slice(s![rows.clone(), ..]);
                    assert_eq!(table.distances, expected, "{name} {rows:?} {options:?}");
                    let found =
                        order_distances_of_rows(&points, rows.clone(), &orders, &options, &Silent)
                            .unwrap();
                    assert_eq!(found.orders, all.orders);
                    let expected = all.distances.slice(s![.., rows.clone()]);
                    assert_eq!(found.distances, expected, "{name} {rows:?} {options:?}");
                }
            }
        }
    }

    fn check_ranks(name: &str, matrix: &Matrix, metric: Metric, count: usize) {
        let points = Points::new(matrix, metric, name).unwrap();
        let n = points.n_rows();
        let rows =
            Array2::from_shape_fn((n, count), |(i, t)| ((i + 1 + 13 * t % (n - 1)) % n) as u32);
        let groups = [0..1, 0..count, 2..2];
        let of = |rows| Targets {
            rows,
            groups: &groups,
        };
        let default = SearchOptions::default();
        let whole = count_ranks(&points, &of(rows.view()), &default, &Silent).unwrap();
        let by_score =
            |options: &SearchOptions| options.strategy == Strategy::Sweep && options.tile.is_some();
        let mut ways: Vec<SearchOptions> = options().into_iter().filter(by_score).collect();
        ways.push(default);
        for options in ways {
            for cut in cuts(n) {
                let mut nearer = Array2::zeros((n, groups.len()));
                for part in cut {
                    let targets = of(rows.slice(s![part.clone(), ..]));
                    let counts =
                        count_ranks_of_rows(&points, part.clone(), &targets, &options, &Silent)
                            .unwrap();
                    let expected = whole.ranks.slice(s![part.clone(), ..]);
                    assert_eq!(counts.ranks, expected, "{name} {part:?} {options:?}");
                    nearer += &counts.nearer;
                }
                assert_eq!(nearer, whole.nearer, "{name} {options:?}");
            }
        }
    }

    #[test]
    fn ranks_of_parts_are_those_of_the_whole_and_their_sums_add_up() {
        for (name, matrix) in adversarial() {
            // Few targets and many go different ways.
            for count in [3, 70] {
                check_ranks(name, &matrix, Metric::Euclidean, count);
            }
        }
    }

    #[test]
    fn cosine_threads_and_limits_change_no_part() {
        let matrix = gaussian(1500, 64, 3);
        check_ranks("cosine", &matrix, Metric::Cosine, 3);
        let points = Points::new(&matrix, Metric::Cosine, "cosine").unwrap();
        let whole = neighbour_table(&points, 9, &SearchOptions::default(), &Silent).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                for max_memory in [None, Some(1 << 20)] {
                    let options = SearchOptions {
                        max_memory,
                        ..SearchOptions::default()
                    };
                    for rows in [0..700, 700..1500, 1499..1500] {
                        let part =
                            table_of_rows(&points, rows.clone(), 9, &options, &Silent).unwrap();
                        assert_eq!(part.indices, whole.indices.slice(s![rows.clone(), ..]));
                        assert_eq!(part.distances, whole.distances.slice(s![rows, ..]));
                    }
                }
            });
        }
    }
}
