//! Exact ranks without sorting: how many rows are nearer than the ones asked about.
//!
//! The distances of the wanted rows are known exactly before the sweep, so they are thresholds
//! that never move. Every pair is scored once and placed between two thresholds of each of its
//! rows; the few pairs that the bound of the score cannot place get the exact distance.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::filter::{Kernel, Operand, Portable};
use super::points::{Points, Verdict};
use super::search::{SearchOptions, Strategy, index, tile_size, visiting_order};
use crate::progress::Progress;

mod by_pair;
mod by_threshold;

use by_pair::ByPair;
use by_threshold::ByThreshold;

/// The rows whose ranks are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// N × T: row i wants the ranks of these rows, none of which is i.
    pub rows: ArrayView2<'a, u32>,
    /// Ranges of columns of `rows` over which [`RankCounts::nearer`] is summed; they may overlap.
    pub groups: &'a [Range<usize>],
}

/// Ranks of the targets, and how often each row stood before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankCounts {
    /// N × T: ρ(i, j) = 1 + #{ m ∉ {i, j} : (D²(i, m), m) < (D²(i, j), j) } for target j of row i,
    /// from 1 to N − 1.
    pub ranks: Array2<u32>,
    /// N × groups: #{ (i, j) : j in the group of row i, i ≠ m, (D²(i, m), m) < (D²(i, j), j) } for
    /// row m: by how much its removal lowers the sum of the ranks of the others.
    pub nearer: Array2<u64>,
}

/// Counts the exact rank of every target.
///
/// Equal distances are ordered by row index. Work: N²D/2 multiply-adds however many targets there
/// are, and a few operations a pair that stands before one; memory: about 26·N·T bytes, 8·N a
/// group and 4·N·D for the filter's operand.
///
/// # Panics
/// If `targets.rows` has not one row for each of `points`, or a target is the row itself or
/// beyond the last.
pub fn count_ranks(
    points: &Points<'_>,
    targets: &Targets<'_>,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> RankCounts {
    let (n, wanted) = targets.rows.dim();
    assert_eq!(n, points.n_rows(), "every row names its targets");
    let strategy = match options.strategy {
        _ if points.n_columns() == 0 || n <= SMALL => Strategy::Direct,
        strategy => strategy,
    };
    let operand = match strategy {
        Strategy::Direct => None,
        _ => Some(Operand::pack(points, visiting_order(n))),
    };
    let order = match &operand {
        Some(operand) => operand.order().to_vec(),
        None => (0..index(n)).collect(),
    };
    let tile = tile_size(n, options.tile);
    let tiles: Vec<Mutex<Tile>> = (0..n)
        .step_by(tile)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|start| {
            let positions = start..(start + tile).min(n);
            Mutex::new(Tile::new(
                points,
                targets,
                &order,
                operand.as_ref(),
                positions,
            ))
        })
        .collect();

    let pairs: Vec<(usize, usize)> = (0..tiles.len())
        .flat_map(|shift| (0..tiles.len() - shift).map(move |a| (a, a + shift)))
        .collect();
    progress.begin("ranks", pairs.len() as u64);
    let next = AtomicUsize::new(0);
    rayon::broadcast(|_| {
        let mut worker = Worker::new(points, targets, &order, operand.as_ref(), tile);
        while let Some(&(a, b)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.visit(&tiles[a], &tiles[b], a == b);
            progress.advance(1);
        }
    });
    progress.end();

    let mut counts = RankCounts {
        ranks: Array2::zeros((n, wanted)),
        nearer: Array2::zeros((n, targets.groups.len())),
    };
    for tile in tiles {
        let tile = tile.into_inner().unwrap_or_else(PoisonError::into_inner);
        tile.finish(&order, &mut counts);
    }
    counts
}

/// Below this many rows every pair gets the exact distance.
const SMALL: usize = 48;

/// Up to this many targets a row it is faster to compare all pairs with each threshold, sixteen
/// pairs an instruction, than to seek the place of each pair that is near enough.
const FEW_TARGETS: usize = 64;

/// How pairs find their place among the thresholds of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A binary search for each pair that is nearer than the farthest threshold.
    Pair,
    /// A pass over all pairs for each threshold.
    Threshold,
}

impl Way {
    fn of(targets: &Targets<'_>) -> Self {
        if targets.rows.ncols() <= FEW_TARGETS {
            Self::Threshold
        } else {
            Self::Pair
        }
    }
}

/// The thresholds of one row, ascending.
struct Thresholds<'a> {
    /// Exact D².
    squared: &'a [f64],
    /// The column of each among the targets.
    columns: &'a [u32],
    /// The groups of each column of the targets.
    groups_of: &'a [Vec<usize>],
    groups: usize,
}

/// One row against the rows at `columns`.
struct RowOfTile<'a> {
    position: usize,
    columns: Range<usize>,
    thresholds: Thresholds<'a>,
}

/// The thresholds of the rows of one tile, and what was counted so far.
struct Tile {
    positions: Range<usize>,
    /// Thresholds of each row.
    wanted: usize,
    /// rows × wanted: the exact D² of the targets, ascending with ties by row.
    squared: Vec<f64>,
    /// The row of each of them.
    rows: Vec<u32>,
    /// Its column among the targets.
    columns: Vec<u32>,
    /// [`Operand::cut`] of each: a pair below it is certainly farther.
    cuts: Vec<f32>,
    /// The same for [`Operand::sure_cut`]: a pair above it is certainly nearer.
    sure: Vec<f32>,
    way: Way,
    /// rows × wanted: how many pairs stand before this threshold, counted from the threshold before
    /// it ([`Way::Pair`]) or all of them ([`Way::Threshold`]).
    before: Vec<u32>,
    /// rows × groups.
    nearer: Vec<u64>,
}

impl Tile {
    fn new(
        points: &Points<'_>,
        targets: &Targets<'_>,
        order: &[u32],
        operand: Option<&Operand>,
        positions: Range<usize>,
    ) -> Self {
        let wanted = targets.rows.ncols();
        let size = positions.len() * wanted;
        let mut tile = Self {
            positions: positions.clone(),
            wanted,
            squared: Vec::with_capacity(size),
            rows: Vec::with_capacity(size),
            columns: Vec::with_capacity(size),
            cuts: Vec::new(),
            sure: Vec::new(),
            way: Way::of(targets),
            before: vec![0; size],
            nearer: vec![0; positions.len() * targets.groups.len()],
        };
        let mut verdict = Verdict::new(points);
        for p in positions {
            let row = order[p];
            verdict.stand_at(row as usize);
            let judged = verdict.judge(targets.rows.row(row as usize).to_vec());
            let mut thresholds: Vec<(f64, u32, u32)> = judged
                .into_iter()
                .zip(0..)
                .map(|((squared, target), column)| (squared, target, column))
                .collect();
            thresholds.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (squared, target, column) in thresholds {
                assert_ne!(target, row, "a row has no rank from itself");
                tile.squared.push(squared);
                tile.rows.push(target);
                tile.columns.push(column);
                if let Some(operand) = operand {
                    let threshold = scaled(operand, squared);
                    tile.cuts.push(operand.cut(p, threshold));
                    if tile.way == Way::Threshold {
                        tile.sure.push(operand.sure_cut(p, threshold));
                    }
                }
            }
        }
        tile
    }

    /// Turns counts into ranks, at the place of their rows.
    fn finish(self, order: &[u32], counts: &mut RankCounts) {
        let groups = counts.nearer.ncols();
        for (r, p) in self.positions.enumerate() {
            let row = order[p] as usize;
            let own = r * self.wanted..(r + 1) * self.wanted;
            let mut sum = 0;
            for (&column, &before) in self.columns[own.clone()].iter().zip(&self.before[own]) {
                sum = match self.way {
                    Way::Pair => sum + before,
                    Way::Threshold => before,
                };
                counts.ranks[[row, column as usize]] = 1 + sum;
            }
            let nearer = &self.nearer[r * groups..(r + 1) * groups];
            for (out, &nearer) in counts.nearer.row_mut(row).iter_mut().zip(nearer) {
                *out = nearer;
            }
        }
    }
}

/// A squared distance in the units of scores.
fn scaled(operand: &Operand, squared: f64) -> f64 {
    squared * operand.scale() * operand.scale()
}

/// What one thread needs to visit pairs of tiles.
struct Worker<'a> {
    order: &'a [u32],
    operand: Option<&'a Operand>,
    way: Way,
    /// The groups of each column of the targets.
    groups_of: Vec<Vec<usize>>,
    groups: usize,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    verdict: Verdict<'a>,
    products: Vec<f32>,
    transposed: Vec<f32>,
    by_pair: ByPair,
    by_threshold: ByThreshold,
    /// Columns that no score can place, for one row.
    undecided: Vec<usize>,
    squared: Vec<f64>,
    /// columns × groups: the sums of one visit.
    nearer: Vec<u32>,
}

impl<'a> Worker<'a> {
    fn new(
        points: &'a Points<'a>,
        targets: &Targets<'_>,
        order: &'a [u32],
        operand: Option<&'a Operand>,
        tile: usize,
    ) -> Self {
        let groups_of = (0..targets.rows.ncols())
            .map(|column| {
                let groups = targets.groups.iter().enumerate();
                let holding = groups.filter(|(_, columns)| columns.contains(&column));
                holding.map(|(group, _)| group).collect()
            })
            .collect();
        let size = if operand.is_some() { tile * tile } else { 0 };
        Self {
            order,
            operand,
            way: Way::of(targets),
            groups_of,
            groups: targets.groups.len(),
            arch: pulp::Arch::new(),
            verdict: Verdict::new(points),
            products: vec![0.0; size],
            transposed: vec![0.0; size],
            by_pair: ByPair::default(),
            by_threshold: ByThreshold::default(),
            undecided: Vec::new(),
            squared: Vec::new(),
            nearer: Vec::new(),
        }
    }

    /// Places every pair of a row of `a` and a row of `b` between the thresholds of both.
    fn visit(&mut self, a: &Mutex<Tile>, b: &Mutex<Tile>, diagonal: bool) {
        // The ranges never change, so they may be read before the products are made.
        let rows = lock(a).positions.clone();
        let columns = lock(b).positions.clone();
        if let Some(operand) = self.operand {
            let size = rows.len() * columns.len();
            operand.products(
                &Portable as &dyn Kernel,
                rows.clone(),
                columns.clone(),
                &mut self.products[..size],
            );
        }
        self.place(a, b, columns.clone());
        if !diagonal {
            if self.operand.is_some() {
                let (from, to) = (&self.products, &mut self.transposed);
                self.arch
                    .dispatch(|| transpose(from, rows.len(), columns.len(), to));
                std::mem::swap(&mut self.products, &mut self.transposed);
            }
            self.place(b, a, rows);
        }
    }

    /// Places the pairs between the thresholds of the rows of `owners`; `products` holds them row
    /// by row.
    fn place(&mut self, owners: &Mutex<Tile>, others: &Mutex<Tile>, columns: Range<usize>) {
        self.nearer.clear();
        self.nearer.resize(columns.len() * self.groups, 0);
        if let Some(operand) = self.operand {
            match self.way {
                Way::Pair => self.by_pair.begin(operand, &columns),
                Way::Threshold => self.by_threshold.begin(operand, &columns, self.groups),
            }
        }
        {
            let mut tile = lock(owners);
            for r in 0..tile.positions.len() {
                self.place_row(&mut tile, r, &columns);
            }
        }
        if self.operand.is_some() && self.way == Way::Threshold {
            self.by_threshold.add_to(&mut self.nearer, self.groups);
        }
        let mut tile = lock(others);
        for (sum, &nearer) in tile.nearer.iter_mut().zip(&self.nearer) {
            *sum += u64::from(nearer);
        }
    }

    fn place_row(&mut self, tile: &mut Tile, r: usize, columns: &Range<usize>) {
        let p = tile.positions.start + r;
        let own = r * tile.wanted..(r + 1) * tile.wanted;
        if own.is_empty() {
            return;
        }
        self.undecided.clear();
        let row = RowOfTile {
            position: p,
            columns: columns.clone(),
            thresholds: Thresholds {
                squared: &tile.squared[own.clone()],
                columns: &tile.columns[own.clone()],
                groups_of: &self.groups_of,
                groups: self.groups,
            },
        };
        let before = &mut tile.before[own.clone()];
        let Some(operand) = self.operand else {
            // Without scores every pair gets the exact distance.
            self.undecided.extend(columns.clone().filter(|&q| q != p));
            self.judge(tile, r, columns);
            return;
        };
        let products = &self.products[r * columns.len()..(r + 1) * columns.len()];
        let (arch, undecided) = (self.arch, &mut self.undecided);
        match self.way {
            Way::Pair => {
                let cuts = &tile.cuts[own];
                let (way, nearer) = (&mut self.by_pair, &mut self.nearer);
                way.sum_groups(&row.thresholds);
                arch.dispatch(|| {
                    way.place(operand, &row, products, cuts, before, nearer, undecided)
                });
            }
            Way::Threshold => {
                let cuts = (&tile.cuts[own.clone()], &tile.sure[own]);
                let way = &mut self.by_threshold;
                arch.dispatch(|| way.place(&row, products, cuts, before, undecided));
            }
        }
        if !self.undecided.is_empty() {
            self.judge(tile, r, columns);
        }
    }

    /// Places the undecided pairs of a row by their exact distances.
    fn judge(&mut self, tile: &mut Tile, r: usize, columns: &Range<usize>) {
        let own = r * tile.wanted..(r + 1) * tile.wanted;
        let (squared, rows) = (&tile.squared[own.clone()], &tile.rows[own.clone()]);
        self.verdict
            .stand_at(self.order[tile.positions.start + r] as usize);
        self.squared.clear();
        let undecided = self.undecided.iter().map(|&q| self.order[q] as usize);
        self.verdict.squared_distances(undecided, &mut self.squared);
        for (at, (&q, distance)) in self.undecided.iter().zip(&self.squared).enumerate() {
            let other = self.order[q];
            let place = squared.partition_point(|threshold| threshold < distance);
            let ties = squared[place..].iter().zip(&rows[place..]);
            let nearer_ties =
                ties.take_while(|(threshold, row)| *threshold <= distance && **row <= other);
            let place = place + nearer_ties.count();
            // Scores have counted some thresholds of this pair already; the exact place adds those
            // in between.
            let counted = match (self.operand, self.way) {
                (Some(_), Way::Threshold) => self.by_threshold.first_counted(at),
                _ => tile.wanted,
            };
            let c = q - columns.start;
            for threshold in place..counted {
                let column = tile.columns[own.start + threshold] as usize;
                for &group in &self.groups_of[column] {
                    self.nearer[c * self.groups + group] += 1;
                }
            }
            let before = &mut tile.before[own.clone()];
            match self.way {
                Way::Pair => {
                    if let Some(before) = before.get_mut(place) {
                        *before += 1;
                    }
                }
                Way::Threshold => {
                    let between = before.get_mut(place..counted).into_iter().flatten();
                    between.for_each(|before| *before += 1);
                }
            }
        }
    }
}

/// `to` becomes the columns × rows transpose of the rows × columns matrix `from`.
#[inline(always)]
fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    /// A block of both fits in the first-level cache.
    const SIDE: usize = 32;
    for top in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for r in top..(top + SIDE).min(rows) {
                for c in left..(left + SIDE).min(columns) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
}

/// A panic in another worker is already on its way to the caller; the counts stay well-formed.
fn lock(tile: &Mutex<Tile>) -> MutexGuard<'_, Tile> {
    tile.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::tests::{adversarial, gaussian};
    use crate::neighbours::{Metric, neighbour_table, squared_distance};
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
        for i in 0..n {
            for t in 0..wanted {
                let j = targets.rows[[i, t]];
                let at = sorted[i].iter().position(|&m| m == j).unwrap();
                counts.ranks[[i, t]] = at as u32 + 1;
                for (g, columns) in targets.groups.iter().enumerate() {
                    if columns.contains(&t) {
                        for &m in &sorted[i][..at] {
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
        let near = neighbour_table(&points, 4, &SearchOptions::default(), &Silent).indices;
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
                for (strategy, tile) in [
                    (Strategy::Auto, None),
                    (Strategy::Auto, Some(7)),
                    (Strategy::Auto, Some(1000)),
                    (Strategy::Direct, Some(64)),
                ] {
                    let options = SearchOptions { strategy, tile };
                    let counted = count_ranks(&points, &targets, &options, &Silent);
                    assert_eq!(
                        counted, truth,
                        "{name}, {count}, {strategy:?}, tile {tile:?}"
                    );
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
            pool.build()
                .unwrap()
                .install(|| count_ranks(&points, &targets, &SearchOptions::default(), &Silent))
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
        let counts = count_ranks(&points, &targets, &SearchOptions::default(), &Silent);
        for ranks in counts.ranks.rows() {
            let mut ranks = ranks.to_vec();
            ranks.sort_unstable();
            assert_eq!(ranks, (1..150).collect::<Vec<u32>>());
        }
    }
}
