//! Schur complements of a Gram matrix, one neuron after the other taken out.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::fit::Remainder;
use crate::algebra::{Accumulate, Part, multiply_part};

/// Neurons taken out together.
const PANEL: usize = 64;

/// A pivot below this share of the largest diagonal entry is rounding of our own.
const TOLERANCE: f64 = 1e-12;

/// A symmetric positive semi-definite matrix G from which leading variables are eliminated:
/// after w of them it holds G_TT − G_TS G_SS⁻¹ G_ST in its trailing block.
///
/// Only the lower triangle is kept. Cost of eliminating all W variables: W³/3 multiplications, so
/// one elimination serves every chunk size that it passes.
#[derive(Debug, Clone)]
pub struct Elimination {
    /// `size` × `size`, column after column.
    values: Vec<f64>,
    size: usize,
    /// Variables taken out so far.
    done: usize,
    /// How many of them were independent of those before.
    rank: usize,
    /// Smallest pivots that count, in the order of the variables.
    floors: Vec<f64>,
}

impl Elimination {
    /// `gram` with its variables in the order `order`, none eliminated.
    ///
    /// A variable of which no more than its entry of `floors` is left is one that those before it
    /// explain already; so is one with a pivot below 1e-12 of the largest diagonal entry.
    ///
    /// # Panics
    /// If an index is not below the size of `gram`.
    pub fn new(gram: ArrayView2<'_, f64>, order: &[usize], floors: &[f64]) -> Self {
        let size = order.len();
        let mut values = vec![0.0; size * size];
        for (j, column) in values.chunks_exact_mut(size.max(1)).enumerate() {
            for (i, out) in column.iter_mut().enumerate().skip(j) {
                *out = gram[(order[i], order[j])];
            }
        }
        let largest = order.iter().map(|&i| gram[(i, i)]).fold(0.0, f64::max);
        Self {
            values,
            size,
            done: 0,
            rank: 0,
            floors: order
                .iter()
                .map(|&i| floors[i].max(TOLERANCE * largest))
                .collect(),
        }
    }

    /// F, upper triangular, with FᵀF the matrix of which all variables are eliminated (Cholesky); rows
    /// of variables that were explained already are 0.
    pub fn into_factor(mut self) -> Array2<f64> {
        self.advance(self.size);
        Array2::from_shape_vec((self.size, self.size), self.values).expect("a square")
    }

    /// Bytes that one takes, of `size` neurons.
    pub fn bytes(size: usize) -> u64 {
        8 * (size as u64).pow(2)
    }

    /// What is left of column `j` of those that are left, from its diagonal downwards.
    fn rest(&self, j: usize) -> &[f64] {
        let column = self.done + j;
        &self.values[column * self.size + column..(column + 1) * self.size]
    }

    /// Factors the next `width` columns (Cholesky, left to right) and subtracts what they explain.
    fn eliminate(&mut self, width: usize) {
        let (size, first) = (self.size, self.done);
        let last = first + width;
        for j in first..last {
            let (left, right) = self.values.split_at_mut((j + 1) * size);
            let column = &mut left[j * size + j..];
            let keep = column[0] > self.floors[j];
            self.rank += usize::from(keep);
            let scale = if keep { column[0].sqrt().recip() } else { 0.0 };
            column.iter_mut().for_each(|x| *x *= scale);
            for (k, other) in (j + 1..last).zip(right.chunks_exact_mut(size)) {
                let factor = column[k - j];
                for (x, c) in other[k..].iter_mut().zip(&column[k - j..]) {
                    *x -= factor * c;
                }
            }
        }
        let left = size - last;
        if left > 0 {
            // Columns as rows: what was the lower triangle is the upper one.
            let (factors, trailing) = self.values.split_at_mut(last * size);
            let shaped = "columns of the whole height";
            let factors = ArrayView2::from_shape((last, size), factors).expect(shaped);
            let factors = factors.slice(s![first.., last..]);
            let mut trailing = ArrayViewMut2::from_shape((left, size), trailing).expect(shaped);
            multiply_part(
                trailing.slice_mut(s![.., last..]),
                Accumulate::Add,
                factors.t(),
                factors,
                Some(-1.0),
                Part::Upper,
            );
        }
        self.done = last;
    }
}

impl Remainder for Elimination {
    fn advance(&mut self, w: usize) {
        let w = w.min(self.size);
        while self.done < w {
            self.eliminate(PANEL.min(w - self.done));
        }
    }

    fn rank(&self) -> usize {
        self.rank
    }

    fn n_left(&self) -> usize {
        self.size - self.done
    }

    fn variance(&self, j: usize) -> f64 {
        self.rest(j)[0]
    }

    fn each_column(&self, see: &mut dyn FnMut(usize, &[f64])) {
        for j in 0..self.n_left() {
            see(j, self.rest(j));
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;
    use ndarray::Array2;

    use super::*;
    use crate::geometry::centred::Centred;
    use crate::input::Matrix;
    use crate::random::SplitMix64;

    /// A layer of noise in which column 3 is the sum of columns 1 and 2.
    fn gram(columns: usize) -> Array2<f64> {
        let mut random = SplitMix64::new(5);
        let mut data = Array2::from_shape_simple_fn((300, columns), || random.uniform());
        let sum = &data.column(1) + &data.column(2);
        data.column_mut(3).assign(&sum);
        Centred::new(&Matrix::from(data)).gram()
    }

    #[test]
    fn what_is_left_is_the_schur_complement() {
        let gram = gram(150);
        let order = SplitMix64::new(1).choose(150, 150);
        let mut elimination = Elimination::new(gram.view(), &order, &[0.0; 150]);
        for w in [1, 2, 70, 130] {
            elimination.advance(w);
            let pick = |rows: &[usize], columns: &[usize]| {
                Mat::from_fn(rows.len(), columns.len(), |i, j| {
                    gram[(rows[i], columns[j])]
                })
            };
            // The pseudo-inverse by eigenvectors: a route that shares nothing with elimination.
            let (chunk, others) = order.split_at(w);
            let eigen = pick(chunk, chunk)
                .self_adjoint_eigen(faer::Side::Lower)
                .unwrap();
            let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
            let projected = eigen.U().transpose() * pick(chunk, others);
            let largest = values.iter().copied().fold(0.0, f64::max);
            assert_eq!(elimination.n_left(), others.len());
            for j in 0..others.len() {
                for i in j..others.len() {
                    let explained: f64 = (0..w)
                        .filter(|&k| values[k] > 1e-10 * largest)
                        .map(|k| projected[(k, i)] * projected[(k, j)] / values[k])
                        .sum();
                    let expected = gram[(others[i], others[j])] - explained;
                    let found = elimination.rest(j)[i - j];
                    assert!((found - expected).abs() < 1e-10, "{w} {i} {j}");
                }
            }
        }
        elimination.advance(150);
        assert_eq!(elimination.rank(), 149);
        assert_eq!(elimination.n_left(), 0);
    }
}
