//! Projects neurons onto what earlier ones leave, one after the other: the route of short layers.
//!
//! With fewer rows than neurons the Gram matrix is larger than the layer, so the layer itself is
//! kept: after w neurons its columns are what those w leave of the others, X_T − Q QᵀX_T with Q an
//! orthonormal basis of X_S (Gram–Schmidt in panels). Their products are the entries of the Schur
//! complement that [`Elimination`](super::Elimination) keeps.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::fit::Remainder;
use crate::geometry::centred::Centred;

/// Neurons taken out together.
const PANEL: usize = 64;

/// Columns of products made at once.
const WIDE: usize = 32;

/// A squared norm below this share of the largest is a neuron that the ones before it explain
/// already; as for a pivot of the elimination.
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
    floor: f64,
}

impl Projection {
    /// The columns of `layer` in the order `order`, none projected out.
    ///
    /// # Panics
    /// If an index is not below the number of columns.
    pub fn new(layer: &Centred<'_>, order: &[usize]) -> Self {
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
            floor: 0.0,
        };
        let largest = (0..size).map(|at| new.norm(at)).fold(0.0, f64::max);
        new.floor = TOLERANCE * largest;
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
            let keep = norm > self.floor;
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
            let (basis, rest) = self.values.split_at_mut(last * n);
            let basis = MatRef::from_column_major_slice(&basis[first * n..], n, width);
            let mut rest = MatMut::from_column_major_slice_mut(rest, n, left);
            let mut shares = Mat::zeros(width, left);
            matmul(
                &mut shares,
                Accum::Replace,
                basis.transpose(),
                rest.as_ref(),
                1.0,
                Par::Seq,
            );
            matmul(&mut rest, Accum::Add, basis, &shares, -1.0, Par::Seq);
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
        let rest = MatRef::from_column_major_slice(&self.values[self.done * n..], n, left);
        for first in (0..left).step_by(WIDE) {
            let width = WIDE.min(left - first);
            let below = rest.subcols(first, left - first);
            let own = rest.subcols(first, width);
            let mut product = Mat::zeros(left - first, width);
            matmul(
                &mut product,
                Accum::Replace,
                below.transpose(),
                own,
                1.0,
                Par::Seq,
            );
            for at in 0..width {
                see(first + at, &product.col_as_slice(at)[at..]);
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
        let mut rows = Projection::new(&centred, &order);
        let mut columns = Elimination::new(gram.as_ref(), &order);
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
