//! Eigenvalues of a layer's covariance.

use ndarray::{Array2, s};

use crate::algebra::{Accumulate, Part, eigenvalues, multiply, multiply_part};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::input::Matrix;

/// Rows widened at a time.
const TILE: usize = 256;

/// Whether column means are taken off first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Centring {
    /// They are.
    #[default]
    Centred,
    /// They are not.
    Raw,
}

/// Eigenvalues λ_1 ≥ λ_2 ≥ … of a covariance, as many as min(N, D), none below 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// The eigenvalues; what rounding leaves of zero is zero.
    pub eigenvalues: Vec<f64>,
    /// What rounding may have made of an eigenvalue 0: gaps below it are none.
    pub floor: f64,
    /// N.
    pub n_rows: usize,
    /// D.
    pub n_columns: usize,
}

impl Spectrum {
    /// The spectrum of the covariance of `data`, divisor N − 1.
    ///
    /// Decomposes XᵀX or XXᵀ, whichever is smaller.    ///
    /// Reasons for none: `too_few_rows` (2), `constant_layer`, `not_converged`.
    pub fn of(data: &Matrix, centring: Centring) -> Result<Self, Reason> {
        let (n, d) = (data.n_rows(), data.n_columns());
        if n < 2 || d == 0 {
            return Err(Reason::TooFewRows);
        }
        let tiles = Tiles::new(data, centring);
        let product = if d <= n {
            tiles.columns()
        } else {
            tiles.rows()
        };
        let values = eigenvalues(product).ok_or(Reason::NotConverged)?;
        let values = values.iter().map(|x| x / (n - 1) as f64).collect();
        let found = Self::from_eigenvalues(values, n, d)?;
        // Singular values move by the norm of the errors at most (Weyl).
        let errors = Centred::new(data).noise().norm;
        Ok(Self {
            floor: found.floor.max(errors * errors / (n - 1) as f64),
            ..found
        })
    }

    /// The spectrum with the given eigenvalues, in any order, of an `n_rows` × `n_columns` matrix.
    ///
    /// Values below the rounding error of the largest, max(N, D)·ε·λ_1, become 0.
    /// Reasons for none: `constant_layer` (none above 0), `non_finite`.
    pub fn from_eigenvalues(
        mut eigenvalues: Vec<f64>,
        n_rows: usize,
        n_columns: usize,
    ) -> Result<Self, Reason> {
        eigenvalues.sort_unstable_by(|a, b| b.total_cmp(a));
        if !eigenvalues.iter().all(|x| x.is_finite()) {
            return Err(Reason::NonFinite);
        }
        let largest = eigenvalues.first().copied().unwrap_or(0.0);
        if largest <= 0.0 {
            return Err(Reason::ConstantLayer);
        }
        let noise = n_rows.max(n_columns) as f64 * f64::EPSILON * largest;
        eigenvalues
            .iter_mut()
            .filter(|value| **value <= noise)
            .for_each(|value| *value = 0.0);
        Ok(Self {
            eigenvalues,
            floor: noise,
            n_rows,
            n_columns,
        })
    }
}

/// The rows of a matrix, widened and centred a tile at a time.
struct Tiles<'a> {
    data: &'a Matrix,
    mean: Vec<f64>,
}

impl<'a> Tiles<'a> {
    fn new(data: &'a Matrix, centring: Centring) -> Self {
        let mean = match centring {
            Centring::Centred => column_means(data),
            Centring::Raw => vec![0.0; data.n_columns()],
        };
        Self { data, mean }
    }

    fn tile(&self, first: usize) -> Array2<f64> {
        let last = (first + TILE).min(self.data.n_rows());
        let mut values = vec![0.0; (last - first) * self.mean.len()];
        for (row, out) in (first..last).zip(values.chunks_exact_mut(self.mean.len())) {
            self.data.widen_row(row, out);
            out.iter_mut()
                .zip(&self.mean)
                .for_each(|(x, mean)| *x -= mean);
        }
        Array2::from_shape_vec((last - first, self.mean.len()), values)
            .expect("the tile was allocated with this shape")
    }

    fn starts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.data.n_rows()).step_by(TILE)
    }

    /// XᵀX, its lower half.
    fn columns(&self) -> Array2<f64> {
        let mut product = Array2::zeros((self.mean.len(), self.mean.len()));
        for first in self.starts() {
            let tile = self.tile(first);
            let add = Accumulate::Add;
            multiply_part(
                product.view_mut(),
                add,
                tile.t(),
                tile.view(),
                None,
                Part::Lower,
            );
        }
        product
    }

    /// XXᵀ, its lower half.
    fn rows(&self) -> Array2<f64> {
        let n = self.data.n_rows();
        let mut product = Array2::zeros((n, n));
        for first in self.starts() {
            let tile = self.tile(first);
            for other in self.starts().take_while(|&other| other <= first) {
                let beside = self.tile(other);
                let block = product.slice_mut(s![
                    first..first + tile.nrows(),
                    other..other + beside.nrows()
                ]);
                multiply(block, Accumulate::Replace, tile.view(), beside.t(), None);
            }
        }
        product
    }
}

fn column_means(data: &Matrix) -> Vec<f64> {
    let n = data.n_rows();
    let mut row = vec![0.0; data.n_columns()];
    let mut sums = vec![0.0; data.n_columns()];
    for i in 0..n {
        data.widen_row(i, &mut row);
        sums.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x);
    }
    sums.iter_mut().for_each(|sum| *sum /= n as f64);
    sums
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_diagonal_covariance_is_its_own_spectrum() {
        let data = array![[3.0, 1.0], [3.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        let spectrum = Spectrum::of(&Matrix::from(data.clone()), Centring::Centred).unwrap();
        assert!((spectrum.eigenvalues[0] - 16.0 / 3.0).abs() < 1e-14);
        assert!((spectrum.eigenvalues[1] - 4.0 / 3.0).abs() < 1e-14);
        let raw = Spectrum::of(&Matrix::from(data), Centring::Raw).unwrap();
        assert!((raw.eigenvalues[0] - 20.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn both_products_share_their_nonzero_eigenvalues() {
        let mut random = SplitMix64::new(9);
        let wide = Array2::from_shape_simple_fn((300, 310), || random.uniform() - 0.5);
        let tiles = Matrix::from(wide);
        let tiles = Tiles::new(&tiles, Centring::Centred);
        let spectrum = |product: Array2<f64>| {
            let size = product.nrows();
            let lower = faer::Mat::from_fn(size, size, |i, j| product[(i, j)]);
            let values = lower.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
            Spectrum::from_eigenvalues(values, 300, 310)
                .unwrap()
                .eigenvalues
        };
        let (rows, columns) = (spectrum(tiles.rows()), spectrum(tiles.columns()));
        assert_eq!(columns.iter().filter(|&&x| x > 0.0).count(), 299);
        assert!(
            rows.iter()
                .zip(&columns)
                .all(|(a, b)| (a - b).abs() < 1e-10)
        );
    }

    #[test]
    fn a_constant_layer_has_no_spectrum() {
        let equal = Matrix::from(Array2::<f64>::ones((4, 3)));
        assert_eq!(
            Spectrum::of(&equal, Centring::Centred),
            Err(Reason::ConstantLayer)
        );
        assert!(Spectrum::of(&equal, Centring::Raw).is_ok());
        let one = Matrix::from(Array2::<f64>::ones((1, 3)));
        assert_eq!(
            Spectrum::of(&one, Centring::Centred),
            Err(Reason::TooFewRows)
        );
    }
}
