//! Projects neurons onto what earlier ones leave, one after the other: the route of short layers.
//!
//! With fewer rows than neurons the Gram matrix is larger than the layer, so the layer itself is
//! kept: after w neurons its columns are what those w leave of the others, X_T − Q QᵀX_T with Q an
//! orthonormal basis of X_S (Gram–Schmidt in panels). Their products are the entries of the Schur
//! complement that [`Elimination`](super::Elimination) keeps.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::fit::Remainder;
use crate::algebra::{Accumulate, multiply, product};
use crate::geometry::centred::Centred;

/// Neurons taken out together.
const PANEL: usize = 64;

/// Columns of products made at once.
const WIDE: usize = 32;

/// A squared norm below this share of the largest is rounding of our own, as for a pivot of the
/// elimination.
const TOLERANCE: f64 = 1e-12;

/// A layer from which leading neurons are projected out. Cost for all of rank r: 4·N·r·W.
#[derive(Debug, Clone)]
pub struct Projection {
    /// `n` × `size`, column after column.
    values: Vec<f64>,
    n: usize,
    size: usize,
    done: usize,
    rank: usize,
    /// Smallest squared norms that count, in the order of the neurons.
    floors: Vec<f64>,
}

impl Projection {
    /// The columns of `layer` in the order `order`, none projected out; `floors` as for the
    /// elimination.
    ///
    /// # Panics
    /// If an index is not below the number of columns.
    pub fn new(layer: &Centred<'_>, order: &[usize], floors: &[f64]) -> Self {
        let (n, size) = (layer.n_rows(), order.len());
        let mut values = vec![0.0; n * size];
        for row in 0..n {
            let wide = layer.rows(row..row + 1);
            for (at, &column) in order.iter().enumerate() {
                values[at * n + row] = wide[column];
            }
        }
        let mut new = Self {
            values,
            n,
            size,
            done: 0,
            rank: 0,
            floors: Vec::new(),
        };
        let largest = (0..size).map(|at| new.norm(at)).fold(0.0, f64::max);
        new.floors = order
            .iter()
            .map(|&i| floors[i].max(TOLERANCE * largest))
            .collect();
        new
    }

    /// Bytes that one takes, of `n` rows and `size` neurons.
    pub fn bytes(n: usize, size: usize) -> u64 {
        8 * (n as u64 * size as u64 + size as u64 * (PANEL + 2 * WIDE) as u64)
    }

    fn column(&self, at: usize) -> &[f64] {
        &self.values[at * self.n..(at + 1) * self.n]
    }

    fn norm(&self, at: usize) -> f64 {
        self.column(at).iter().map(|x| x * x).sum()
    }

    fn eliminate(&mut self, width: usize) {
        let (n, first) = (self.n, self.done);
        let last = first + width;
        for j in first..last {
            let norm = self.norm(j);
            let keep = norm > self.floors[j];
            self.rank += usize::from(keep);
            let scale = if keep { norm.sqrt().recip() } else { 0.0 };
            let (left, right) = self.values.split_at_mut((j + 1) * n);
            let own = &mut left[j * n..];
            own.iter_mut().for_each(|x| *x *= scale);
            for other in right.chunks_exact_mut(n.max(1)).take(last - j - 1) {
                let share: f64 = own.iter().zip(&*other).map(|(q, x)| q * x).sum();
                other
                    .iter_mut()
                    .zip(&*own)
                    .for_each(|(x, q)| *x -= share * q);
            }
        }
        let left = self.size - last;
        if left > 0 && n > 0 {
            // Columns as rows.
            let (basis, rest) = self.values.split_at_mut(last * n);
            let shaped = "columns of the whole height";
            let basis = ArrayView2::from_shape((width, n), &basis[first * n..]).expect(shaped);
            let rest = ArrayViewMut2::from_shape((left, n), rest).expect(shaped);
            let shares = product(rest.view(), basis.t());
            multiply(rest, Accumulate::Add, shares.view(), basis, Some(-1.0));
        }
        self.done = last;
    }
}

impl Remainder for Projection {
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
        self.norm(self.done + j)
    }

    fn each_column(&self, see: &mut dyn FnMut(usize, &[f64])) {
        let (n, left) = (self.n, self.n_left());
        let rest = ArrayView2::from_shape((left, n), &self.values[self.done * n..])
            .expect("columns of the whole height");
        for first in (0..left).step_by(WIDE) {
            let width = WIDE.min(left - first);
            let below = rest.slice(s![first.., ..]);
            let own = rest.slice(s![first..first + width, ..]);
            let product = product(own, below.t());
            for (at, row) in product.rows().into_iter().enumerate() {
                see(first + at, &row.to_vec()[at..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::Elimination;
    use super::*;
    use crate::input::Matrix;
    use crate::random::SplitMix64;

    #[test]
    fn what_is_left_is_what_the_elimination_leaves() {
        let mut random = SplitMix64::new(9);
        let mut data = Array2::from_shape_simple_fn((60, 150), || random.uniform());
        let sum = &data.column(1) + &data.column(2);
        data.column_mut(3).assign(&sum);
        let matrix = Matrix::from(data);
        let centred = Centred::new(&matrix);
        let gram = centred.gram();
        let order = SplitMix64::new(1).choose(150, 150);
        let mut rows = Projection::new(&centred, &order, &[0.0; 150]);
        let mut columns = Elimination::new(gram.view(), &order, &[0.0; 150]);
        for w in [1, 2, 30, 57, 150] {
            rows.advance(w);
            columns.advance(w);
            assert_eq!(
                (rows.rank(), rows.n_left()),
                (columns.rank(), columns.n_left())
            );
            let mut expected = Vec::new();
            columns.each_column(&mut |_, column| expected.push(column.to_vec()));
            let mut seen = 0;
            rows.each_column(&mut |j, column| {
                assert_eq!((j, column.len()), (seen, expected[j].len()));
                let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-10;
                assert!(column.iter().zip(&expected[j]).all(close), "{w} {j}");
                assert!((rows.variance(j) - column[0]).abs() < 1e-10);
                seen += 1;
            });
            assert_eq!(seen, expected.len());
        }
        // The mean takes one of the 60 dimensions.
        assert_eq!(rows.rank(), 59);
    }
}
