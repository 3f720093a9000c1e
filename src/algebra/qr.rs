//! X = QR of a matrix with at least as many rows as columns, by reflections in blocks.

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::reflect::{BLOCK, Reflections, factor_rows};

/// Columns that one task reflects.
const PANEL: usize = 256;

/// Q as reflections, and R.
pub struct Qr {
    blocks: Vec<Reflections>,
    r: Array2<f64>,
}

impl Qr {
    /// The decomposition of `x`.
    ///
    /// # Panics
    /// If there are fewer rows than columns.
    pub fn new(mut x: Array2<f64>) -> Self {
        let (m, n) = x.dim();
        assert!(m >= n, "as many rows as columns");
        let mut r = Array2::zeros((n, n));
        let mut blocks = Vec::new();
        for first in (0..n).step_by(BLOCK) {
            let last = (first + BLOCK).min(n);
            let columns = x.slice(s![first.., first..last]);
            let mut panel = columns.t().as_standard_layout().into_owned();
            let found = factor_rows(&mut panel);
            for (at, (beta, _)) in found.iter().enumerate() {
                for above in 0..at {
                    r[(first + above, first + at)] = panel[(at, above)];
                    panel[(at, above)] = 0.0;
                }
                r[(first + at, first + at)] = *beta;
            }
            let taus: Vec<f64> = found.into_iter().map(|(_, tau)| tau).collect();
            let block = Reflections::new(first, panel, &taus);
            let mut rest = x.slice_mut(s![.., last..]);
            let parts: Vec<_> = rest.axis_chunks_iter_mut(Axis(1), PANEL).collect();
            parts
                .into_par_iter()
                .for_each(|part| block.apply(part, true));
            r.slice_mut(s![first..last, last..])
                .assign(&x.slice(s![first..last, last..]));
            blocks.push(block);
        }
        Self { blocks, r }
    }

    /// R: n × n, upper triangular.
    pub fn r(&self) -> ArrayView2<'_, f64> {
        self.r.view()
    }

    /// Q times `matrix`, which has a row for each of the m rows of X.
    pub fn times(&self, mut matrix: Array2<f64>) -> Array2<f64> {
        for block in self.blocks.iter().rev() {
            let parts: Vec<_> = matrix.axis_chunks_iter_mut(Axis(1), PANEL).collect();
            parts
                .into_par_iter()
                .for_each(|part| block.apply(part, false));
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::product;
    use crate::random::SplitMix64;

    #[test]
    fn q_is_orthogonal_and_q_r_is_x() {
        let mut random = SplitMix64::new(1);
        for (m, n) in [(1, 1), (5, 5), (90, 70), (300, 33), (4, 0)] {
            let mut x = Array2::from_shape_simple_fn((m, n), || random.uniform() - 0.5);
            if n > 40 {
                // A column of zeros, and one that repeats another.
                x.column_mut(35).fill(0.0);
                let copy = x.column(3).to_owned();
                x.column_mut(40).assign(&copy);
            }
            let qr = Qr::new(x.clone());
            let mut r = Array2::zeros((m, n));
            r.slice_mut(s![..n, ..]).assign(&qr.r());
            let back = qr.times(r);
            let close = |a: &Array2<f64>, b: &Array2<f64>| {
                a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13)
            };
            assert!(close(&back, &x), "{m} {n}");
            let q = qr.times(Array2::eye(m));
            assert!(close(&product(q.t(), q.view()), &Array2::eye(m)), "{m} {n}");
        }
    }
}
