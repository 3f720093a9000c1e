//! Applies long lists of plane rotations to the rows of a matrix.

use ndarray::{Array2, ArrayView2, s};
use pulp::Arch;
use rayon::prelude::*;

use crate::vectors::vectorised;

/// Columns that are turned together: with all their rows they fit a cache.
const WIDTH: usize = 32;

/// Rotations are kept until there are this many a row.
const KEPT: usize = 16;

/// Row a becomes c·a + s·b, row b becomes c·b − s·a.
#[derive(Debug, Clone, Copy)]
struct Rotation {
    a: usize,
    b: usize,
    c: f64,
    s: f64,
}

/// Applies `rotations` to a strip, one after the other.
///
/// Most rotations of a list take up the row that the one before wrote last, so that row stays in
/// registers.
#[inline(always)]
fn turn(strip: &mut [[f64; WIDTH]], rotations: &[Rotation]) {
    let Some(first) = rotations.first() else {
        return;
    };
    let mut held = first.a;
    let mut x = strip[held];
    for &Rotation { a, b, c, s } in rotations {
        if a != held {
            strip[held] = x;
            x = strip[a];
        }
        let y = strip[b];
        let mut turned = [0.0; WIDTH];
        for at in 0..WIDTH {
            turned[at] = c * x[at] + s * y[at];
        }
        for at in 0..WIDTH {
            x[at] = c * y[at] - s * x[at];
        }
        strip[a] = turned;
        held = b;
    }
    strip[held] = x;
}

/// The rows of a matrix, in strips of columns.
pub(super) struct Rows {
    strips: Vec<Vec<[f64; WIDTH]>>,
    n_columns: usize,
    waiting: Vec<Rotation>,
    n_rows: usize,
}

impl Rows {
    /// The rows of `matrix`.
    pub fn new(matrix: ArrayView2<'_, f64>) -> Self {
        let (n_rows, n_columns) = matrix.dim();
        let strips = (0..n_columns)
            .step_by(WIDTH)
            .map(|first| {
                let last = (first + WIDTH).min(n_columns);
                let strip = |row| {
                    let mut values = [0.0; WIDTH];
                    let from = matrix.slice(s![row, first..last]);
                    values.iter_mut().zip(&from).for_each(|(to, &x)| *to = x);
                    values
                };
                (0..n_rows).map(strip).collect()
            })
            .collect();
        Self {
            strips,
            n_columns,
            waiting: Vec::new(),
            n_rows,
        }
    }

    /// Row a becomes c·a + s·b, row b becomes c·b − s·a.
    pub fn rotate(&mut self, a: usize, b: usize, c: f64, s: f64) {
        self.waiting.push(Rotation { a, b, c, s });
        if self.waiting.len() >= KEPT * self.n_rows {
            self.flush();
        }
    }

    /// The rows `order`, each times its sign.
    pub fn into_matrix(mut self, order: &[(usize, f64)]) -> Array2<f64> {
        self.flush();
        Array2::from_shape_fn((order.len(), self.n_columns), |(at, column)| {
            let (row, sign) = order[at];
            sign * self.strips[column / WIDTH][row][column % WIDTH]
        })
    }

    fn flush(&mut self) {
        let arch = Arch::new();
        let waiting = &self.waiting;
        self.strips.par_iter_mut().for_each(|strip| {
            vectorised(
                arch,
                #[inline(always)]
                || turn(strip, waiting),
            );
        });
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn rotations_in_any_order_are_those_of_rows_one_by_one() {
        let mut random = SplitMix64::new(11);
        let matrix = Array2::from_shape_simple_fn((7, 45), || random.uniform() - 0.5);
        let chain = (0..6).map(|a| (a, a + 1));
        let back = (0..6).rev().map(|a| (a, 6));
        let others = [(3, 1), (1, 3), (3, 1), (0, 5), (2, 4), (4, 2), (2, 0)];
        let pairs: Vec<(usize, usize)> = chain.chain(back).chain(others).collect();
        // Often enough that some are applied before the end.
        let pairs = pairs.iter().cycle().take(40 * pairs.len());
        let mut rows = Rows::new(matrix.view());
        let mut expected = matrix.clone();
        for (&(a, b), at) in pairs.zip(0..) {
            let (s, c) = libm::sincos(f64::from(at));
            rows.rotate(a, b, c, s);
            for column in 0..45 {
                let (x, y) = (expected[(a, column)], expected[(b, column)]);
                expected[(a, column)] = c * x + s * y;
                expected[(b, column)] = c * y - s * x;
            }
        }
        let order: Vec<(usize, f64)> = (0..7).map(|row| (row, 1.0)).collect();
        assert_eq!(rows.into_matrix(&order), expected);
    }
}
