//! How many pairs of rows are closer than a radius.

use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::filter::{Demand, Kernel, Operand, pack};
use super::points::{Points, Verdict};
use super::search::index;

/// Ordered pairs of rows closer than each of two `radii`.
///
/// `distances` holds the nearest neighbours of every row, nearest first. A row whose list ends
/// before the larger radius is scored against all others; pairs that the score's bound leaves
/// undecided get the exact distance.
pub fn pairs_within(points: &Points<'_>, distances: ArrayView2<f64>, radii: [f64; 2]) -> [u64; 2] {
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
    let counted = count(points, &short, &told, radii);
    [pairs[0] + counted[0], pairs[1] + counted[1]]
}

/// Scores that one thread holds (4 MiB), so that memory stays O(N).
const PANEL_SCORES: usize = 1 << 20;

/// The pairs that begin at the rows `short`.
fn count(points: &Points<'_>, short: &[usize], others: &[usize], radii: [f64; 2]) -> [u64; 2] {
    if short.is_empty() {
        return [0; 2];
    }
    let order = short.iter().chain(others).map(|&row| index(row)).collect();
    let operand = pack(points, order, Kernel::best_precise(), &Demand::Nearest(1));
    let n = operand.n_rows();
    let terms: Vec<f32> = (0..n).map(|q| operand.column_term(q)).collect();
    let height = (PANEL_SCORES / n).clamp(8, 64);
    let panels: Vec<Range<usize>> = (0..short.len())
        .step_by(height)
        .map(|start| start..(start + height).min(short.len()))
        .collect();
    let by_panel = panels.into_par_iter().map_init(
        || (Verdict::new(points), Vec::new(), vec![0.0; height * n]),
        |(verdict, room, products), panel| {
            operand.products(panel.clone(), 0..n, room, products);
            let mut pairs = [0; 2];
            for (p, products) in panel.zip(products.chunks(n)) {
                count_row(&operand, p, products, &terms, radii, verdict, &mut pairs);
            }
            pairs
        },
    );
    by_panel.reduce(|| [0, 0], |a, b| [a[0] + b[0], a[1] + b[1]])
}

/// Adds the pairs that begin at position `p`.
fn count_row(
    operand: &Operand,
    p: usize,
    products: &[f32],
    terms: &[f32],
    radii: [f64; 2],
    verdict: &mut Verdict<'_>,
    pairs: &mut [u64; 2],
) {
    // The slack pays for the rounding of the squared radius, and of the root of a verdict.
    let limits = radii.map(|radius| (radius * operand.scale()).powi(2));
    let mut undecided = Vec::new();
    let cut = operand.cut(p, limits[0].max(limits[1]) * (1.0 + SLACK));
    let reaches = |&(q, product): &(usize, &f32)| q != p && product - terms[q] >= cut;
    for (q, &product) in products.iter().enumerate().filter(reaches) {
        let score = operand.score(p, q, product);
        let (lower, upper) = (operand.lower(p, q, score), operand.upper(p, q, score));
        let certain = |limit: &f64| upper < limit * (1.0 - SLACK) || lower > limit * (1.0 + SLACK);
        if limits.iter().all(certain) {
            for (pairs, limit) in pairs.iter_mut().zip(limits) {
                *pairs += u64::from(upper < limit);
            }
        } else {
            undecided.push(operand.order()[q]);
        }
    }
    verdict.stand_at(operand.row(p));
    for (squared, _) in verdict.judge(undecided) {
        for (pairs, radius) in pairs.iter_mut().zip(radii) {
            *pairs += u64::from(squared.sqrt() < radius);
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
            let table = |k| neighbour_table(&points, k, &SearchOptions::default(), &Silent);
            let all = table(usize::MAX).distances;
            // Radii that are themselves distances: the comparison must be exact to be right.
            let radii = [all[[3, 10]], all[[7, 40]]];
            let expected = radii.map(|radius| all.iter().filter(|&&r| r < radius).count() as u64);
            for k in [1, 5, 20, 45] {
                let found = pairs_within(&points, table(k).distances.view(), radii);
                assert_eq!(found, expected, "{name}, k = {k}");
            }
        }
    }
}
