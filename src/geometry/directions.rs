//! Finds rows of one direction: positive multiples of each other, which the cosine cannot tell apart.

use super::rounding::Rounding;
use crate::input::{Duplicates, Matrix};
use crate::random::SplitMix64;

/// Rows that point the same way, within the rounding of the stored type.
///
/// x and y are one direction if |x_j − t y_j| ≤ 2 (e(x_j) + t e(y_j)) in every column, with t = x·y/y·y
/// and e the largest error of a stored value: every digit is held against rounding, so rows that
/// share one large column are not taken for one. Candidates are found along two drawn axes. A row
/// of zeros has no direction and stays by itself.
pub fn find_equal_directions(matrix: &Matrix) -> Duplicates {
    let n = matrix.n_rows();
    let mut rows = Directions::new(matrix);
    let mut first: Vec<u32> = (0..u32::try_from(n).expect("rows are counted in 32 bits")).collect();
    for start in 0..rows.order.len() {
        let here = rows.order[start];
        for at in start + 1..rows.order.len() {
            let there = rows.order[at];
            if rows.places[there][0] - rows.places[here][0] > rows.reach(here, there) {
                break;
            }
            let (a, b) = (root(&mut first, here), root(&mut first, there));
            let apart = (rows.places[there][1] - rows.places[here][1]).abs();
            if a != b && apart <= rows.reach(here, there) && rows.proportional(here, there) {
                // The earliest row stands for all.
                first[a.max(b)] = u32::try_from(a.min(b)).expect("a row is counted in 32 bits");
            }
        }
    }
    let ends = (0..n)
        .map(|row| root(&mut first, row))
        .collect::<Vec<usize>>();
    Duplicates::of_first(
        ends.into_iter()
            .map(|row| u32::try_from(row).expect("a row is counted in 32 bits"))
            .collect(),
    )
}

/// The row that stands for all rows known to be one with `row`.
fn root(first: &mut [u32], mut row: usize) -> usize {
    while first[row] as usize != row {
        first[row] = first[first[row] as usize];
        row = first[row] as usize;
    }
    row
}

struct Directions<'a> {
    matrix: &'a Matrix,
    rounding: Rounding,
    /// Unit rows along two axes.
    places: Vec<[f64; 2]>,
    /// How far rounding may have moved a unit row along either axis.
    errors: Vec<f64>,
    /// Rows that have a direction, ascending along the first axis.
    order: Vec<usize>,
    /// Two rows, widened.
    pair: [Vec<f64>; 2],
}

impl<'a> Directions<'a> {
    fn new(matrix: &'a Matrix) -> Self {
        let (n, d) = (matrix.n_rows(), matrix.n_columns());
        let mut random = SplitMix64::new(0);
        let axes: [Vec<f64>; 2] =
            std::array::from_fn(|_| (0..d).map(|_| random.uniform() - 0.5).collect());
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let length = axes
            .iter()
            .map(|axis| dot(axis, axis).sqrt())
            .fold(0.0, f64::max);
        let rounding = Rounding::of(matrix);
        let mut row = vec![0.0; d];
        let (mut places, mut errors) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for i in 0..n {
            matrix.widen_row(i, &mut row);
            let largest = row.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let scaled: Vec<f64> = row.iter().map(|x| x / largest).collect();
            let norm = dot(&scaled, &scaled).sqrt();
            places.push([0, 1].map(|at: usize| dot(&scaled, &axes[at]) / norm));
            let moved = rounding.of_norm(norm * largest, d) / (norm * largest);
            let arithmetic = (4.0 + d as f64) * f64::EPSILON;
            errors.push(2.0 * length * (moved + arithmetic));
        }
        let mut order: Vec<usize> = (0..n).filter(|&i| places[i][0].is_finite()).collect();
        order.sort_by(|&a, &b| places[a][0].total_cmp(&places[b][0]).then(a.cmp(&b)));
        Self {
            matrix,
            rounding,
            places,
            errors,
            order,
            pair: [vec![0.0; d], vec![0.0; d]],
        }
    }

    /// How far apart two equal directions may lie along an axis.
    fn reach(&self, a: usize, b: usize) -> f64 {
        self.errors[a] + self.errors[b]
    }

    fn proportional(&mut self, a: usize, b: usize) -> bool {
        let [x, y] = &mut self.pair;
        self.matrix.widen_row(a, x);
        self.matrix.widen_row(b, y);
        // Halves of the exponents, so that products of any unit stay in range.
        let scale = |row: &[f64]| row.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        let (s, t) = (scale(x), scale(y));
        let (mut xy, mut yy) = (0.0, 0.0);
        for (x, y) in x.iter().zip(y.iter()) {
            xy += (x / s) * (y / t);
            yy += (y / t) * (y / t);
        }
        let factor = xy / yy * (s / t);
        let error = |value: f64| self.rounding.of_norm(value.abs(), 1);
        factor > 0.0
            && x.iter()
                .zip(y.iter())
                .all(|(&x, &y)| (x - factor * y).abs() <= 2.0 * (error(x) + factor * error(y)))
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn draws(n: usize) -> Vec<f64> {
        let mut random = SplitMix64::new(7);
        (0..n).map(|_| random.uniform() - 0.5).collect()
    }

    #[test]
    fn multiples_are_one_direction_in_every_stored_type() {
        let (n, d) = (40, 6);
        let base = draws(n * d);
        // Rows 0..40, their thirds, and their opposites.
        let rows: Vec<f64> = [1.0, 1.0 / 3.0, -2.0]
            .iter()
            .flat_map(|factor| base.iter().map(move |x| factor * x))
            .collect();
        let found = |matrix: &Matrix| find_equal_directions(matrix);
        let single: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
        let half: Vec<f16> = rows.iter().map(|&x| f16::from_f64(x)).collect();
        for matrix in [
            Matrix::from_f64(3 * n, d, rows.clone()),
            Matrix::from_f32(3 * n, d, single),
            Matrix::from_f16(3 * n, d, half),
        ] {
            let duplicates = found(&matrix);
            assert_eq!(duplicates.n_duplicates(), n, "{matrix:?}");
            assert_eq!(duplicates.first_repeat(), Some(n));
            assert!((0..n).all(|i| duplicates.inverse[n + i] as usize == i));
        }
    }

    #[test]
    fn a_shared_large_column_makes_no_rows_equal() {
        let (n, d) = (50, 8);
        let mut values = draws(n * d);
        values.iter_mut().step_by(d).for_each(|x| *x = 4000.0);
        let half: Vec<f16> = values.iter().map(|&x| f16::from_f64(x)).collect();
        let found = find_equal_directions(&Matrix::from_f16(n, d, half));
        assert_eq!(found.n_duplicates(), 0);
    }
}
