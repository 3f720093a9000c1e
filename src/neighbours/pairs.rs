//! Counts the pairs of rows that are closer than a radius.

use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::filter::{Area, Block, Demand, Kernel, Operand, Room, pack};
use super::flags::{BLOCK, flag, for_each_flagged};
use super::memory::{Needs, SMALLEST, tile_height};
use super::options::SearchOptions;
use super::points::{Points, Verdict};
use super::table::index;
use super::visiting::tile_size;
use crate::vectors::vectorised;

/// Ordered pairs of rows closer than each of two `radii`.
///
/// `distances` holds the nearest neighbours of every row, nearest first. A row whose list ends
/// before the larger radius is scored against all others; pairs that the score's bound leaves
/// undecided get the exact distance.
pub fn pairs_within(
    points: &Points<'_>,
    distances: ArrayView2<f64>,
    radii: [f64; 2],
    options: &SearchOptions,
) -> [u64; 2] {
    let n = points.n_rows();
    let widest = radii[0].max(radii[1]);
    let whole = distances.ncols() + 1 >= n;
    let is_short =
        |row: &usize| !whole && distances.row(*row).last().is_none_or(|&far| far < widest);
    let (short, told): (Vec<usize>, Vec<usize>) = (0..n).partition(is_short);
    let mut pairs = [0; 2];
    for distance in told.iter().flat_map(|&row| distances.row(row)) {
        for (pairs, radius) in pairs.iter_mut().zip(radii) {
            *pairs += u64::from(*distance < radius);
        }
    }
    let counted = count(points, &short, &told, radii, options);
    [pairs[0] + counted[0], pairs[1] + counted[1]]
}

/// The pairs that begin at the rows `short`.
fn count(
    points: &Points<'_>,
    short: &[usize],
    others: &[usize],
    radii: [f64; 2],
    options: &SearchOptions,
) -> [u64; 2] {
    if short.is_empty() {
        return [0; 2];
    }
    let order = short.iter().chain(others).map(|&row| index(row)).collect();
    // Whoever set a limit that is too low even for this was refused a table already.
    let needs = Needs {
        asking: 0,
        row: 0,
        every: 0,
        thread: 0,
    };
    let height = tile_height(points, &needs, options).unwrap_or(Some(SMALLEST));
    let operand = pack(
        points,
        order,
        Kernel::best_precise(),
        &Demand::Nearest(1),
        height,
    );
    let counter = Counter::new(&operand, radii);
    let n = operand.n_rows();
    let tile = height.unwrap_or_else(|| tile_size(n, options.tile));
    let tiles: Vec<Range<usize>> = (0..short.len())
        .step_by(tile)
        .map(|start| start..(start + tile).min(short.len()))
        .collect();
    let arch = pulp::Arch::new();
    let by_tile = tiles.into_par_iter().map_init(
        || (Verdict::new(points), Room::default()),
        |(verdict, room), tile| {
            let mut pairs = [0; 2];
            operand.multiply(&Area::between(tile, 0..n), room, &mut |block| {
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        for r in 0..block.rows.len() {
                            counter.add(block, r, verdict, &mut pairs);
                        }
                    },
                );
            });
            pairs
        },
    );
    by_tile.reduce(|| [0, 0], |a, b| [a[0] + b[0], a[1] + b[1]])
}

/// What decides whether a pair counts.
struct Counter<'a> {
    operand: &'a Operand<'a>,
    radii: [f64; 2],
    /// The squared radii in the units of scores.
    limits: [f64; 2],
    /// `Bound::column_term` and `Bound::cut` for the larger radius, of each position.
    terms: Vec<f32>,
    cuts: Vec<f32>,
}

impl<'a> Counter<'a> {
    fn new(operand: &'a Operand<'a>, radii: [f64; 2]) -> Self {
        // The slack pays for the rounding of the squared radius, and of the root of a verdict.
        let limits = radii.map(|radius| (radius * operand.scale()).powi(2));
        let widest = limits[0].max(limits[1]) * (1.0 + SLACK);
        let positions = 0..operand.n_rows();
        Self {
            terms: positions
                .clone()
                .map(|q| operand.bound.column_term(q))
                .collect(),
            cuts: positions.map(|p| operand.bound.cut(p, widest)).collect(),
            operand,
            radii,
            limits,
        }
    }

    /// Adds the pairs of one row of a block.
    #[inline(always)]
    fn add(&self, block: &Block<'_>, r: usize, verdict: &mut Verdict<'_>, pairs: &mut [u64; 2]) {
        let (p, products, operand) = (block.rows.start + r, block.row(r), self.operand);
        let (terms, cut) = (&self.terms[block.columns.clone()], self.cuts[p]);
        let mut undecided = Vec::new();
        for start in (0..products.len()).step_by(BLOCK) {
            let some = start..(start + BLOCK).min(products.len());
            let flags: [u8; BLOCK] =
                flag(&products[some.clone()], &terms[some], |product, term| {
                    product - term >= cut
                });
            for_each_flagged(&flags, |lane| {
                let q = block.columns.start + start + lane;
                if q == p {
                    return;
                }
                let score = operand.bound.score(p, q, products[start + lane]);
                let (lower, upper) = (
                    operand.bound.lower(p, q, score),
                    operand.bound.upper(p, q, score),
                );
                let certain =
                    |limit: &f64| upper < limit * (1.0 - SLACK) || lower > limit * (1.0 + SLACK);
                if self.limits.iter().all(certain) {
                    for (pairs, limit) in pairs.iter_mut().zip(self.limits) {
                        *pairs += u64::from(upper < limit);
                    }
                } else {
                    undecided.push(operand.order()[q]);
                }
            });
        }
        if undecided.is_empty() {
            return;
        }
        verdict.stand_at(operand.row(p));
        for (squared, _) in verdict.judge(undecided) {
            for (pairs, radius) in pairs.iter_mut().zip(self.radii) {
                *pairs += u64::from(squared.sqrt() < radius);
            }
        }
    }
}

/// Far more than the rounding it pays for, far less than any bound of a score.
const SLACK: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::tests::adversarial;
    use crate::neighbours::{Metric, SearchOptions, neighbour_table};
    use crate::progress::Silent;

    #[test]
    fn pairs_are_those_of_all_distances_for_tables_of_any_length() {
        for (name, matrix) in adversarial()
            .into_iter()
            .filter(|(_, m)| m.n_columns() < 1000)
        {
            let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
            let options = SearchOptions::default();
            let table = |k| neighbour_table(&points, k, &options, &Silent).unwrap();
            let all = table(usize::MAX).distances;
            // Radii that are themselves distances: the comparison must be exact to be right.
            let radii = [all[[3, 10]], all[[7, 40]]];
            let expected = radii.map(|radius| all.iter().filter(|&&r| r < radius).count() as u64);
            for k in [1, 5, 20, 45] {
                let found = pairs_within(&points, table(k).distances.view(), radii, &options);
                assert_eq!(found, expected, "{name}, k = {k}");
            }
        }
    }
}
