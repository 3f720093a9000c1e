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
                || {
                    for &Rotation { a, b, c, s } in waiting {
                        let (x, y) = (strip[a], strip[b]);
                        for at in 0..WIDTH {
                            strip[a][at] = c * x[at] + s * y[at];
                            strip[b][at] = c * y[at] - s * x[at];
                        }
                    }
                },
            );
        });
        self.waiting.clear();
    }
}
