//! Exact ranks without sorting: how many rows are nearer than the ones asked about.
//!
//! The distances of the wanted rows are known exactly before the sweep, so they are thresholds
//! that never move. Every pair is scored once and placed between two thresholds of each of its
//! rows; the few pairs that the bound of the score cannot place get the exact distance.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::filter::{Demand, Operand, pack};
use super::memory::{Needs, tile_height};
use super::options::{SearchOptions, Strategy};
use super::points::Points;
use super::schedule::Schedule;
use super::table::index;
use super::visiting::{Asking, asking_first, tile_size};
use crate::error::Result;
use crate::progress::Progress;

mod by_pair;
mod by_threshold;
mod targets;
mod tile;
mod worker;

pub use targets::{RankCounts, Targets};
use tile::{Tile, Whose};
use worker::Worker;

/// Counts the exact rank of every target on the processor; `rows` alone have targets.
pub(super) fn count(
    points: &Points<'_>,
    rows: &Range<usize>,
    targets: &Targets<'_>,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<RankCounts> {
    let (n, wanted) = (points.n_rows(), targets.rows.ncols());
    let strategy = match options.strategy {
        _ if points.n_columns() == 0 || n <= SMALL => Strategy::Direct,
        strategy => strategy,
    };
    let step = tile_size(n, options.tile);
    let (operand, height) = match strategy {
        Strategy::Direct => (None, None),
        _ => {
            let (operand, height) = operand(points, rows, targets, options, step)?;
            (Some(operand), height)
        }
    };
    let order = match &operand {
        Some(operand) => operand.order().to_vec(),
        None => {
            let others = (0..rows.start).chain(rows.end..n);
            rows.clone().chain(others).map(index).collect()
        }
    };
    let asking = Asking::new(n, rows.len(), height, options.tile);
    let [first, others] = asking.tiles(n);
    let count = first.len();
    let whose = Whose {
        points,
        targets,
        start: rows.start,
        order: &order,
        operand: operand.as_ref(),
    };
    let asked: Vec<(Range<usize>, bool)> = first
        .into_iter()
        .map(|tile| (tile, true))
        .chain(others.into_iter().map(|tile| (tile, false)))
        .collect();
    let tiles: Vec<Mutex<Tile>> = asked
        .into_par_iter()
        .map(|(positions, asks)| Mutex::new(Tile::new(&whose, positions, asks)))
        .collect();

    progress.begin("ranks", Schedule::len(tiles.len(), count));
    let schedule = Schedule::new(tiles.len(), count);
    rayon::broadcast(|_| {
        let mut worker = Worker::new(points, targets, &order, operand.as_ref(), step);
        while let Some(turn) = schedule.take() {
            // Nobody else has these tiles, so the locks never wait.
            let (a, b) = turn.pair;
            let mut rows = lock(&tiles[a]);
            if a == b {
                worker.visit(&mut [&mut rows]);
            } else {
                worker.visit(&mut [&mut rows, &mut lock(&tiles[b])]);
            }
            progress.advance(1);
        }
    });
    progress.end();

    let mut counts = RankCounts {
        ranks: Array2::zeros((rows.len(), wanted)),
        nearer: Array2::zeros((n, targets.groups.len())),
    };
    for tile in tiles {
        let tile = tile.into_inner().unwrap_or_else(PoisonError::into_inner);
        tile.finish(&order, rows.start, &mut counts);
    }
    Ok(counts)
}

/// The packed rows, those that ask first, and the height of their tiles under the limit on memory.
fn operand<'a>(
    points: &'a Points<'_>,
    rows: &Range<usize>,
    targets: &Targets<'_>,
    options: &SearchOptions,
    step: usize,
) -> Result<(Operand<'a>, Option<usize>)> {
    let n = points.n_rows();
    let needs = Needs {
        asking: rows.len(),
        row: 26 * targets.rows.ncols() as u64,
        every: 8 * targets.groups.len() as u64,
        thread: 8 * (step * step) as u64,
    };
    let height = tile_height(points, &needs, options)?;
    // A row without targets speaks for one that has some.
    let some_of = |row: usize| {
        let asked = row.checked_sub(rows.start).filter(|&at| at < rows.len());
        let at = asked.unwrap_or(row % rows.len().max(1));
        let mut some = some(targets.rows.row(at));
        some.retain(|&target| target as usize != row);
        some
    };
    let demand = Demand::NearerThan(&some_of);
    let order = asking_first(n, rows);
    let operand = pack(points, order, options.kernel, &demand, height);
    Ok((operand, height))
}

/// Targets that speak for all in the choice of a kernel.
const SAMPLED: usize = 32;

/// Evenly spaced targets of one row, few enough to be judged for a sample.
fn some(targets: ArrayView1<'_, u32>) -> Vec<u32> {
    let step = targets.len().div_ceil(SAMPLED).max(1);
    targets.iter().step_by(step).copied().collect()
}

/// Below this many rows every pair gets the exact distance.
const SMALL: usize = 48;

/// A panic in another worker is already on its way to the caller; the counts stay well-formed.
fn lock(tile: &Mutex<Tile>) -> MutexGuard<'_, Tile> {
    tile.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::targets::FEW_TARGETS;
    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::tests::{adversarial, gaussian, kernels};
    use crate::neighbours::{Metric, count_ranks, neighbour_table, squared_distance};
    use crate::progress::Silent;

    /// All distances and sorted rows, straight from the definition.
    fn sorted_rows(matrix: &Matrix) -> Vec<Vec<u32>> {
        let (n, d) = (matrix.n_rows(), matrix.n_columns());
        let rows: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let mut row = vec![0.0; d];
                matrix.widen_row(i, &mut row);
                row
            })
            .collect();
        (0..n)
            .map(|i| {
                let mut all: Vec<(f64, u32)> = (0..n)
                    .filter(|&j| j != i)
                    .map(|j| (squared_distance(&rows[i], &rows[j]), j as u32))
                    .collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                all.into_iter().map(|(_, j)| j).collect()
            })
            .collect()
    }

    /// The definition of [`RankCounts`] on sorted rows.
    fn by_definition(sorted: &[Vec<u32>], targets: &Targets<'_>) -> RankCounts {
        let (n, wanted) = targets.rows.dim();
        let mut counts = RankCounts {
            ranks: Array2::zeros((n, wanted)),
            nearer: Array2::zeros((n, targets.groups.len())),
        };
        for (i, sorted) in sorted.iter().enumerate() {
            for t in 0..wanted {
                let j = targets.rows[[i, t]];
                let at = sorted.iter().position(|&m| m == j).unwrap();
                counts.ranks[[i, t]] = at as u32 + 1;
                for (g, columns) in targets.groups.iter().enumerate() {
                    if columns.contains(&t) {
                        for &m in &sorted[..at] {
                            counts.nearer[[m as usize, g]] += 1;
                        }
                    }
                }
            }
        }
        counts
    }

    /// Targets near, far and in between: neighbours in another space, and rows at fixed shifts.
    fn some_targets(n: usize, count: usize, seed: u64) -> Array2<u32> {
        let other = gaussian(n, 3, seed);
        let points = Points::new(&other, Metric::Euclidean, "other").unwrap();
        let near = neighbour_table(&points, 4, &SearchOptions::default(), &Silent)
            .unwrap()
            .indices;
        Array2::from_shape_fn((n, count), |(i, t)| match t {
            0..4 => near[[i, t]],
            // The same row twice: equal thresholds.
            4 => near[[i, 0]],
            5..9 => ((i + [1, 7, n / 2, n - 1][t - 5]) % n) as u32,
            _ => ((i + 1 + (13 * t) % (n - 1)) % n) as u32,
        })
    }

    #[test]
    fn counted_ranks_are_those_of_a_sort_on_adversarial_data() {
        for (name, matrix) in adversarial() {
            let sorted = sorted_rows(&matrix);
            let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
            // Few targets and many go different ways.
            for count in [9, FEW_TARGETS + 5] {
                let rows = some_targets(matrix.n_rows(), count, 3);
                let targets = Targets {
                    rows: rows.view(),
                    groups: &[0..1, 0..4, 4..9, 2..2, 3..count],
                };
                let truth = by_definition(&sorted, &targets);
                let direct = SearchOptions {
                    strategy: Strategy::Direct,
                    tile: Some(64),
                    ..SearchOptions::default()
                };
                let swept = kernels().into_iter().flat_map(|kernel| {
                    [None, Some(7), Some(1000)].map(|tile| SearchOptions {
                        strategy: Strategy::Auto,
                        tile,
                        kernel,
                        ..SearchOptions::default()
                    })
                });
                for options in swept.chain([direct]) {
                    let counted = count_ranks(&points, &targets, &options, &Silent).unwrap();
                    assert_eq!(counted, truth, "{name}, {count}, {options:?}");
                }
            }
        }
    }

    #[test]
    fn threads_do_not_change_a_count() {
        let matrix = gaussian(700, 24, 5);
        let rows = some_targets(700, 9, 8);
        let targets = Targets {
            rows: rows.view(),
            groups: &[0..3, 0..9],
        };
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let count = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                count_ranks(&points, &targets, &SearchOptions::default(), &Silent).unwrap()
            })
        };
        let one = count(1);
        assert_eq!(one, by_definition(&sorted_rows(&matrix), &targets));
        assert!((2..5).all(|threads| count(threads) == one));
    }

    #[test]
    fn the_ranks_of_all_other_rows_are_a_permutation() {
        let matrix = gaussian(150, 12, 2);
        let rows = Array2::from_shape_fn((150, 149), |(i, t)| ((i + t + 1) % 150) as u32);
        let targets = Targets {
            rows: rows.view(),
            groups: &[],
        };
        let points = Points::new(&matrix, Metric::Cosine, "x").unwrap();
        let counts = count_ranks(&points, &targets, &SearchOptions::default(), &Silent).unwrap();
        for ranks in counts.ranks.rows() {
            let mut ranks = ranks.to_vec();
            ranks.sort_unstable();
            assert_eq!(ranks, (1..150).collect::<Vec<u32>>());
        }
    }
}
